"""Quiescence: periodic timers that can change nothing are not run.

A timer whose next firings can change nothing becomes *dormant*: it has no event on the agenda. Its :class:`SkipRule` (one
for each kind of timer, kept apart from the component whose timer it is) says after every firing whether that is so, and
which *sources* would end it. Whoever changes a source says so first, with one of the ``invalidate`` methods. The dormant
timers then wake: each component's own ``fast_forward`` puts it where it would be had all firings been run, and the timer goes
on with real events until it may become dormant again.

==============================  ==================================================  =================================
source                          changes                                             said with
==============================  ==================================================  =================================
a :class:`Subject`              as its class says: a scope ends, a host gets power  :meth:`Quiescence.invalidate`
                                or a listener, a Raft node its role or members,
                                a dispatcher its heartbeat period, …
a class of subjects             one of them begins to take part                     :meth:`Quiescence.invalidate`
:class:`Route`                  what two hosts send each other fares differently:   :meth:`Quiescence.invalidate_route`
                                a cut, latency, loss                                and its plurals
==============================  ==================================================  =================================

Without rules nothing is ever dormant: that is ``--eager``. See docs/time.md for the mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar


class Subject:
    """What a dormant state may depend on. Whoever changes it calls :meth:`Quiescence.invalidate` before."""

    __slots__ = ()


class Route(NamedTuple):
    """Two hosts that must reach each other as well as they do, or must not; the order does not matter."""

    a: str
    b: str


K = TypeVar("K")

Source: TypeAlias = Subject | type[Subject] | Route


class Dormant:
    """Timers that are dormant together. ``wake`` is called once, at the moment a source is invalidated, before the change takes effect."""

    __slots__ = ("quiescence", "routes", "sources", "wake_up")

    def __init__(self, quiescence: Quiescence, sources: Iterable[Source], wake_up: Callable[[], object]) -> None:
        self.quiescence = quiescence
        self.sources: list[Subject | type[Subject]] = []
        self.routes: list[Route] = []
        for source in sources:
            if isinstance(source, Route):
                self.routes.append(source)
            else:
                self.sources.append(source)
        self.wake_up = wake_up
        quiescence.add(self)

    def wake(self) -> None:
        self.quiescence.remove(self)
        self.wake_up()

    def uses(self, a: str, b: str) -> bool:
        return (a, b) in self.routes or (b, a) in self.routes


class Skippable(Protocol):
    """What a rule sees of a periodic timer: ``owner`` is whose it is, ``due`` when it fires next (seconds)."""

    @property
    def scope(self) -> Subject: ...

    @property
    def owner(self) -> Any: ...

    @property
    def due(self) -> float: ...

    def fast_forward(self, period: float) -> int: ...


class SkipRule(Protocol):
    """What is known of one kind of periodic timer."""

    def dormant(self, timer: Skippable) -> Dormant | None:
        """Called after a firing: the dormant state it may enter, or ``None`` if the next firing could matter."""


class Quiescence:
    """Who is dormant, and what would wake whom. ``rules`` is a table from a timer's step to its rule."""

    def __init__(self, rules: Mapping[Callable[..., Any], SkipRule] | None = None) -> None:
        self.rules = dict(rules or {})
        self._by_source: dict[Subject | type[Subject], dict[Dormant, None]] = {}
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
    def dormants(self) -> list[Dormant]:
        """Who is dormant now, each group once."""
        tables = (self._by_source, self._by_host)
        return list(dict.fromkeys(dormant for table in tables for found in table.values() for dormant in found))

    def invalidate(self, subject: Subject | type[Subject]) -> None:
        """``subject`` is about to change; a class: one of its objects begins to take part."""
        found = self._by_source.get(subject)
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


def _discard(table: dict[K, dict[Dormant, None]], key: K, dormant: Dormant) -> None:
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
