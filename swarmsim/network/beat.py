"""Work that comes round again and again, and may take longer than until it does."""

from __future__ import annotations

from collections.abc import Callable


class Beat:
    """A Go ticker and the loop it serves: a tick that finds the loop busy waits for it, one at most.

    ``work`` begins the work; whoever ends it says :meth:`done`.
    """

    __slots__ = ("_missed", "busy", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.busy = False
        self._missed = False

    def tick(self) -> None:
        if self.busy:
            self._missed = True
        else:
            self.busy = True
            self.work()

    def done(self) -> None:
        self.busy = False
        if self._missed:
            self._missed = False
            self.tick()
