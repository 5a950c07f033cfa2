"""The real computer under several hosts, whose processors they share.

Work on containers is *processor sharing*: each piece needs so many seconds of a processor, and all that are under way get the
same share, at most a processor each. So six containers that are started at once, one on each host, run at almost the same moment, and later
than one alone would. That is what the recorded starts look like.
"""

from __future__ import annotations

import heapq
from itertools import count

from swarmsim.sim.clock import FOREVER, Clock, Timer
from swarmsim.sim.future import Future


class Machine:
    """One computer with so many ``processors``. Two factors belong to it for a whole run: the same machine is quick one hour and slow
    another. ``speed_factor`` multiplies all container work, ``cold_factor`` what an engine's first start takes besides.

    >>> clock = Clock()
    >>> machine = Machine(clock, processors=2)
    >>> done = [machine.work(1.0) for _ in range(6)]
    >>> clock.run(done[-1])
    >>> clock.now
    3.0
    """

    def __init__(self, clock: Clock, processors: int, speed_factor: float = 1.0, cold_factor: float = 1.0) -> None:
        self.clock = clock
        self.processors = processors
        self.speed_factor = speed_factor
        self.cold_factor = cold_factor
        self._order = count()
        self._jobs: list[tuple[float, int, Future[None]]] = []
        """Work under way, by how much a piece begun at second 0 would have to have had when this one is done."""
        self._had = 0.0
        """How much such a piece has had, in seconds of a processor."""
        self._since = 0.0
        self._next: Timer | None = None

    def work(self, seconds: float) -> Future[None]:
        """Happens when so many seconds of a processor have been had."""
        self._advance()
        done: Future[None] = self.clock.future()
        heapq.heappush(self._jobs, (self._had + seconds, next(self._order), done))
        self._wait()
        return done

    @property
    def _share(self) -> float:
        return min(1.0, self.processors / len(self._jobs)) if self._jobs else 0.0

    def _advance(self) -> None:
        now = self.clock.now
        self._had += (now - self._since) * self._share
        self._since = now

    def _wait(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._jobs:
            left = max(0.0, self._jobs[0][0] - self._had)
            self._next = Timer(self.clock.env, self.clock.now + left / self._share, self._one_is_done, (), FOREVER)

    def _one_is_done(self) -> None:
        self._advance()
        _, _, done = heapq.heappop(self._jobs)
        self._wait()
        done.succeed()
