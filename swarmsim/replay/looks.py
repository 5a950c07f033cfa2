"""How things look, everywhere: in the app, in plots, in reports.

The colours are Okabe and Ito's, which colour-blind readers can tell apart; each phase has a shape of its own too, for whoever
sees no colour at all.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from swarmsim.trace.rows import Row
from swarmsim.trace.state import LEAVING, STARTING, TERMINAL


class Look(NamedTuple):
    """A phase of a task's life: its sign in a terminal, its colour."""

    sign: str
    colour: str


TASKS: dict[str, Look] = {
    "running": Look("■", "#009E73"),
    "lost": Look("▨", "#CC79A7"),
    "starting": Look("◪", "#56B4E9"),
    "waiting": Look("□", "#E69F00"),
    "leaving": Look("▫", "#999999"),
    "failed": Look("✗", "#D55E00"),
    "done": Look("·", "#999999"),
}
NODES: dict[str, Look] = {
    "ready": Look("●", "#009E73"),
    "unknown": Look("?", "#E69F00"),
    "down": Look("▼", "#D55E00"),
    "disconnected": Look("○", "#CC79A7"),
}
LEADER = Look("★", "#2E8BD8")
NO_POWER = Look("⊗", "#D55E00")
CUT = Look("✂", "#CC79A7")
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of several lines in one plot, or of several nodes."""

FAILED = frozenset(("failed", "rejected", "orphaned"))


def phase(row: Row, lost: Container[str] = ()) -> str:
    """What phase of its life a task is in; ``lost`` are tasks whose container is gone without the managers' knowledge.

    >>> phase({"state": "preparing", "desired": "running"}), phase({"state": "running", "desired": "shutdown"})
    ('starting', 'leaving')
    >>> phase({"task": "t1", "state": "running", "desired": "running"}, lost=["t1"])
    'lost'
    """
    state = row["state"]
    if state in FAILED:
        return "failed"
    if state in TERMINAL:
        return "done"
    if row["desired"] in LEAVING:
        return "leaving"
    if state == "running":
        return "lost" if lost and row["task"] in lost else "running"
    return "starting" if state in STARTING else "waiting"
