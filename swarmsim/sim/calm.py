"""Calm: rhythms that change nothing are not run.

A rhythm whose next beats can change nothing *rests*: it has no event on the agenda. Its :class:`Law` (one for each
kind of rhythm, kept apart from the component whose rhythm it is) says after every beat whether that is so, and by
which *sources* the calm could be disturbed. Whoever changes a source says so first, with :meth:`Calm.disturb`. The
rest then wakes: the law puts the component where it would be had all beats been run, draws the phase of the next beat
from its distribution, and the rhythm goes on with real events until it may rest again.

Sources are

- a :class:`~swarmsim.sim.scope.Scope`: its end (power, a process, leadership, a session);
- a host: its power coming back, a service opening there;
- ``(host name, method)``: a call of that method made by or to that host;
- the *ways* between two hosts: cuts, latency, loss;
- a Raft node: its role, its members;
- what a law names itself, such as a configuration it watches.

Without laws nothing ever rests: that is ``--eager``. See docs/time.md for the mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from swarmsim.sim.rhythm import Rhythm

Way = tuple[str, str]
"""Two hosts that must reach each other."""


class Rest:
    """Rhythms that sleep together. ``wake`` is called once, at the moment of the disturbance, before it takes effect."""

    __slots__ = ("calm", "sources", "wake_up", "ways")

    def __init__(
        self, calm: Calm, sources: Iterable[Hashable], ways: Iterable[Way], wake_up: Callable[[], object]
    ) -> None:
        self.calm = calm
        self.sources = tuple(sources)
        self.ways = tuple(ways)
        self.wake_up = wake_up
        calm.add(self)

    def wake(self) -> None:
        self.calm.remove(self)
        self.wake_up()

    def uses(self, a: str, b: str) -> bool:
        return (a, b) in self.ways or (b, a) in self.ways


class Law(Protocol):
    """What is known of one kind of rhythm."""

    def rest(self, rhythm: Rhythm) -> Rest | None:
        """Called after a beat: the rest it may go to, or ``None`` if the next beat could matter."""


class Calm:
    """Who rests, and what would disturb whom. ``laws`` is a table from a rhythm's step to its law."""

    def __init__(self, laws: Mapping[Callable[..., Any], Law] | None = None) -> None:
        self.laws = dict(laws or {})
        self._by_source: dict[Hashable, dict[Rest, None]] = {}
        self._by_host: dict[str, dict[Rest, None]] = {}

    def law_of(self, step: Callable[..., Any]) -> Law | None:
        return self.laws.get(getattr(step, "__func__", step))

    def add(self, rest: Rest) -> None:
        for source in rest.sources:
            self._by_source.setdefault(source, {})[rest] = None
        for way in rest.ways:
            for host in way:
                self._by_host.setdefault(host, {})[rest] = None

    def remove(self, rest: Rest) -> None:
        for source in rest.sources:
            _discard(self._by_source, source, rest)
        for way in rest.ways:
            for host in way:
                _discard(self._by_host, host, rest)

    @property
    def resting(self) -> int:
        """How many rests there are."""
        rests = {id(rest) for table in (self._by_source, self._by_host) for found in table.values() for rest in found}
        return len(rests)

    def disturb(self, source: Hashable) -> None:
        """``source`` is about to change."""
        found = self._by_source.get(source)
        if found is not None:
            _wake_all(found)

    def disturb_way(self, a: str, b: str) -> None:
        """What two hosts send each other is about to fare differently."""
        near, far = self._by_host.get(a), self._by_host.get(b)
        if near is not None and far is not None:
            _wake_all([rest for rest in min(near, far, key=len) if rest.uses(a, b)])

    def disturb_ways(self, host: str) -> None:
        """What one host sends and receives is about to fare differently."""
        found = self._by_host.get(host)
        if found is not None:
            _wake_all(found)

    def disturb_all_ways(self) -> None:
        for host in list(self._by_host):
            self.disturb_ways(host)


def _discard(table: dict[Any, dict[Rest, None]], key: Hashable, rest: Rest) -> None:
    found = table.get(key)
    if found is not None:
        found.pop(rest, None)
        if not found:
            del table[key]


def _wake_all(rests: Iterable[Rest]) -> None:
    for rest in list(rests):
        rest.wake()


class Phase(NamedTuple):
    """Where a renewal process stands: the last renewal, the interval that began then, the next renewal (seconds)."""

    last: float
    interval: float
    next: float


class Renewals:
    """A process that renews itself after intervals uniform on ``low..high`` seconds, plus ``gap`` on the way.

    Seen at a time long after its beginning its age is not uniform: an interval is met in proportion to its length,
    and the age is uniform in the interval that was met. Soon after the beginning the intervals are drawn one by one.
    """

    LONG = 256
    """Intervals after which the stationary law holds: its largest error falls as exp(-2π²·n·variance/mean²), for
    4.5..5.5 s to 5e-8."""

    def __init__(self, low: float, high: float, gap: float = 0.0) -> None:
        self.low = low
        self.high = high
        self.gap = gap

    def phase(self, known: Phase, at: float, rng: Random) -> Phase:
        """The phase at ``at``, given the phase ``known`` earlier."""
        if known.next > at:
            return known
        low, width, gap = self.low, self.high - self.low, self.gap
        mean = low + width / 2 + gap
        if at - known.next > self.LONG * mean:
            return self._stationary(at, rng)
        last = known.next
        while True:
            interval = low + width * rng.random()
            following = last + interval + gap
            if following > at:
                return Phase(last, interval, following)
            last = following

    def _stationary(self, at: float, rng: Random) -> Phase:
        low, high = self.low + self.gap, self.high + self.gap
        met = math.sqrt(low * low + (high * high - low * low) * rng.random())
        last = at - met * rng.random()
        return Phase(last, met - self.gap, last + met)


def ticks_until(due: float, period: float, at: float) -> int:
    """How many ticks of a lattice fall due by ``at``, if the next is ``due``.

    >>> ticks_until(10.0, 1.0, 9.5), ticks_until(10.0, 1.0, 10.0), ticks_until(10.0, 1.0, 12.7)
    (0, 1, 3)
    """
    return 0 if at < due else math.floor((at - due) / period) + 1
