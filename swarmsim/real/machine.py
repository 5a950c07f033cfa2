"""A real host, and what can be done to it: lines of shell, each with the one that undoes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

DESK = "swarmsim-desk-"
"""How the name of the folder begins in which commands find the files they may read."""


class Change(NamedTuple):
    """Something that is done to a host: a line of shell, and the line that undoes it. ``what`` names it in a few words.

    ``undo`` may be run at any time and any number of times, whether or not ``do`` has been.
    """

    host: str
    what: str
    do: str
    undo: str


class Completed(NamedTuple):
    """What came of a line of shell."""

    code: int
    out: str
    err: str


class MachineError(Exception):
    """A host cannot do what it must; the message names it, and says what to do."""


class Machine(Protocol):
    """One host. Its engine is asked at ``socket``, a path on this machine."""

    name: str
    address: str
    role: str
    """What it is meant to become, ``manager`` or ``worker``."""
    socket: Path

    @property
    def powered(self) -> bool: ...

    @property
    def engine_runs(self) -> bool: ...

    async def shell(self, script: str) -> Completed:
        """Run a line as root, beside the host if it is about its power, else on it; returns when it has ended."""

    def inside(self, script: str) -> str:
        """A line for :meth:`shell` that runs ``script`` as root on the host itself, among its own processes and on its own network."""

    def docker(self, words: Sequence[str]) -> tuple[list[str], Mapping[str, str]]:
        """How ``docker <words>`` is typed on it: words of a command, and variables of its environment."""

    # -- changes

    def silence(self) -> Change:
        """No packet leaves or reaches it, and nobody is told."""

    def kill_everything(self) -> Change:
        """Every process of it ends at once."""

    def kill_engine(self) -> Change:
        """The daemon gets SIGKILL; containers go on."""

    def stop_engine(self) -> Change:
        """The daemon gets SIGTERM, and has ended at the end."""

    def start(self) -> Change:
        """Power and engine, if it has none."""

    def cut_from(self, addresses: Sequence[str]) -> Change:
        """Packets from and to these addresses vanish, from now on these only (none: all pass)."""
