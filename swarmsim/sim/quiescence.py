"""Quiescence: periodic timers that can change nothing are not run.

A timer whose next firings can change nothing becomes *dormant*: it has no event on the agenda. Its :class:`SkipRule` (one
for each kind of timer, kept apart from the component whose timer it is) says after every firing whether that is so, and
which *sources* would end it. Whoever changes a source says so first, with :meth:`Quiescence.invalidate`. The dormant
timers then wake: the rule puts the component where it would be had all firings been run, draws the phase of the next one
from its distribution, and the timer goes on with real events until it may become dormant again.

Sources are

- a :class:`~swarmsim.sim.scope.Scope`: its end (power, a process, leadership, a session);
- a host: its power coming back, a service that begins to listen there;
- ``(host name, method)``: a call of that method made by or to that host;
- the *routes* between two hosts: cuts, latency, loss;
- a Raft node: its role, its members;
- the class of Raft nodes, or of Swarm nodes: that one begins to take part, or an engine is given one, anywhere;
- what a rule names itself, such as a configuration it watches.

Without rules nothing is ever dormant: that is ``--eager``. See docs/time.md for the mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from swarmsim.sim.timers import PeriodicTimer

Route = tuple[str, str]
"""Two hosts that must reach each other."""


class Dormant:
    """Timers that are dormant together. ``wake`` is called once, at the moment a source is invalidated, before the change takes effect."""

    __slots__ = ("quiescence", "routes", "sources", "wake_up")

    def __init__(
        self,
        quiescence: Quiescence,
        sources: Iterable[Hashable],
        routes: Iterable[Route],
        wake_up: Callable[[], object],
    ) -> None:
        self.quiescence = quiescence
        self.sources = tuple(sources)
        self.routes = tuple(routes)
        self.wake_up = wake_up
        quiescence.add(self)

    def wake(self) -> None:
        self.quiescence.remove(self)
        self.wake_up()

    def uses(self, a: str, b: str) -> bool:
        return (a, b) in self.routes or (b, a) in self.routes


class SkipRule(Protocol):
    """What is known of one kind of periodic timer."""

    def dormant(self, timer: PeriodicTimer) -> Dormant | None:
        """Called after a firing: the dormant state it may enter, or ``None`` if the next firing could matter."""


class Quiescence:
    """Who is dormant, and what would wake whom. ``rules`` is a table from a timer's step to its rule."""

    def __init__(self, rules: Mapping[Callable[..., Any], SkipRule] | None = None) -> None:
        self.rules = dict(rules or {})
        self._by_source: dict[Hashable, dict[Dormant, None]] = {}
        self._by_host: dict[str, dict[Dormant, None]] = {}

    def rule_of(self, step: Callable[..., Any]) -> SkipRule | None:
        return self.rules.get(getattr(step, "__func__", step))

    def add(self, dormant: Dormant) -> None:
        for source in dormant.sources:
            self._by_source.setdefault(source, {})[dormant] = None
        for route in dormant.routes:
            for host in route:
                self._by_host.setdefault(host, {})[dormant] = None

    def remove(self, dormant: Dormant) -> None:
        for source in dormant.sources:
            _discard(self._by_source, source, dormant)
        for route in dormant.routes:
            for host in route:
                _discard(self._by_host, host, dormant)

    @property
    def resting(self) -> int:
        """How many dormant groups there are."""
        dormants = {
            id(dormant) for table in (self._by_source, self._by_host) for found in table.values() for dormant in found
        }
        return len(dormants)

    def invalidate(self, source: Hashable) -> None:
        """``source`` is about to change."""
        found = self._by_source.get(source)
        if found is not None:
            _wake_all(found)

    def invalidate_route(self, a: str, b: str) -> None:
        """What two hosts send each other is about to fare differently."""
        near, far = self._by_host.get(a), self._by_host.get(b)
        if near is not None and far is not None:
            _wake_all([dormant for dormant in min(near, far, key=len) if dormant.uses(a, b)])

    def invalidate_routes_of(self, host: str) -> None:
        """What one host sends and receives is about to fare differently."""
        found = self._by_host.get(host)
        if found is not None:
            _wake_all(found)

    def invalidate_all_routes(self) -> None:
        for host in list(self._by_host):
            self.invalidate_routes_of(host)


def _discard(table: dict[Any, dict[Dormant, None]], key: Hashable, dormant: Dormant) -> None:
    found = table.get(key)
    if found is not None:
        found.pop(dormant, None)
        if not found:
            del table[key]


def _wake_all(dormants: Iterable[Dormant]) -> None:
    for dormant in list(dormants):
        dormant.wake()


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
