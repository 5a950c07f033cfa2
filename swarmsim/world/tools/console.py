"""What a program is given to run with: where it stands, where it prints, what it may know of its container."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from swarmsim.engine.stream import STDERR, STDOUT
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity
from swarmsim.world.standpoint import Found, InContainer, Standpoint


class Refusal(Exception):
    """A program ends with this code and these words on stderr, before it has done anything."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Console:
    """``busybox`` is the first line of its programs' help, if the image has them."""

    def __init__(
        self, standpoint: Standpoint, say: Callable[[int, str], object], env: list[str] | None = None, busybox: str = ""
    ) -> None:
        self.standpoint = standpoint
        self.env = env or []
        self.busybox = busybox
        self._say = say

    def out(self, text: str) -> None:
        if text:
            self._say(STDOUT, text)

    def err(self, text: str) -> None:
        if text:
            self._say(STDERR, text)

    @property
    def clock(self) -> Clock:
        return self.standpoint.clients.ctx.clock

    @property
    def rng(self) -> Random:
        return self.standpoint.clients.rng

    @property
    def inside(self) -> InContainer:
        """Where it stands, of a program that is only in containers."""
        assert isinstance(self.standpoint, InContainer)
        return self.standpoint

    def find(self, name: str, patience: float) -> Activity[Found]:
        """The addresses of a name; if no name server answers, after ``patience`` seconds that there are none."""
        found = self.standpoint.find(name)
        seconds = found.seconds if found.answered else patience
        if seconds:
            yield seconds
        return found


def not_modelled(program: str, what: str) -> Refusal:
    return Refusal(2, f"swarmsim: {program}'s {what} is real, but not modelled yet\n")
