"""The two themes of the app; the colours of states are :mod:`swarmsim.replay.looks`', the same in both."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="swarmsim-dark",
    primary="#56B4E9",
    secondary="#5B7C99",
    accent="#E69F00",
    success="#009E73",
    warning="#E69F00",
    error="#D55E00",
    background="#11161c",
    surface="#161d25",
    panel="#1e2833",
    dark=True,
)
LIGHT = Theme(
    name="swarmsim-light",
    primary="#0072B2",
    secondary="#7A8CA0",
    accent="#B35900",
    success="#00734F",
    warning="#8F5F00",
    error="#B34A00",
    background="#fbfbf8",
    surface="#f3f3ee",
    panel="#e6e8e6",
    dark=False,
)
