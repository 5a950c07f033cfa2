"""What a host takes for the time of day: a clock that may be wrong, may run too fast or too slow, and may be set.

Only what people and certificates read goes by it. Timers do not: they run on the machine's monotonic clock, as Go's do, and setting the
time moves none of them.

>>> clock = Clock()
>>> wall = WallClock(clock)
>>> wall.set(-7200.0)
>>> wall.now
-7200.0
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from swarmsim.sim.clock import Clock


class _Setting(NamedTuple):
    """From simulated second ``since`` on the clock is ahead by ``offset`` seconds, and by ``drift`` more each second."""

    since: float
    offset: float
    drift: float

    def read(self, at: float) -> float:
        return at + self.offset + self.drift * (at - self.since)


class WallClock:
    """Reads in seconds since :data:`~swarmsim.sim.clock.EPOCH`; right until it is set wrong."""

    __slots__ = ("_clock", "_settings")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._settings: list[_Setting] = []

    @property
    def now(self) -> float:
        """What it shows at this moment."""
        now = self._clock.now
        return self._settings[-1].read(now) if self._settings else now

    def at(self, moment: float) -> float:
        """What it showed at a simulated second in the past."""
        number = bisect_right(self._settings, moment, key=lambda setting: setting.since)
        return self._settings[number - 1].read(moment) if number else moment

    def set(self, offset: float, drift: float = 0.0) -> None:
        """From now on it is ahead of the true time by ``offset`` seconds, and gains ``drift`` seconds each second."""
        self._settings.append(_Setting(self._clock.now, offset, drift))
