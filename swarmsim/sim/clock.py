"""Simulated time: callbacks and cancellable timers over a SimPy environment.

SimPy keeps the agenda (a heap of events ordered by time, then by insertion), so two runs of the same
model see the same order. Components never touch SimPy's processes: they are given a
:class:`~swarmsim.sim.scope.Scope`, and everything they start ends with it.

>>> clock = Clock()
>>> timer = Timer(clock.env, 2.0, print, ("two seconds later",), FOREVER)
>>> clock.run(until=5.0)
two seconds later
>>> clock.now
5.0
"""

from __future__ import annotations

import gc
import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Protocol, overload

import simpy
from simpy.core import EmptySchedule, StopSimulation
from simpy.events import NORMAL, Event, EventPriority

from swarmsim.sim.future import AnyFuture, Elapsed, FirstOf, Future, T
from swarmsim.sim.quiescence import Quiescence

PATIENT_COLLECTOR = (2_000_000, 20, 100)
"""Thresholds of the garbage collector while a clock runs; chosen by benchmark, see docs/performance.md."""

EPOCH = datetime(2026, 1, 1, 9, 0, 0, tzinfo=UTC)
"""Calendar time at simulated second 0. Fixed, so that traces do not depend on the day they were made."""


class Lifetime(Protocol):
    """Whatever a timer's owner is: the timer only asks whether it still lives."""

    alive: bool


class _Forever:
    alive = True


FOREVER: Lifetime = _Forever()
"""The lifetime of what nothing can end: messages in flight, the scenario itself."""


class Timer(Event):
    """A call in the future that can be taken back. ``fn(*args)`` runs at ``due`` (simulated seconds),
    if ``owner`` still lives then.

    A cancelled timer stays on the agenda and does nothing when its time comes: SimPy's heap cannot
    forget, and skipping a dead entry is cheaper than searching for it.
    """

    __slots__ = ("args", "fn", "live", "owner")

    def __init__(
        self,
        env: Agenda,
        due: float,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        owner: Lifetime,
    ) -> None:
        self.env = env
        self.owner = owner
        self.fn = fn
        self.args = args
        self.live = True
        self.callbacks = _NONE
        self._value = None
        self._ok = True
        # As Agenda.schedule does it, without the call: nine of ten events are timers.
        if due > env._now:
            heappush(env._queue, (due, NORMAL, next(env._eid), self))
        else:
            env._soon.append((due, NORMAL, next(env._eid), self))

    def cancel(self) -> None:
        self.live = False


_NONE: Any = ()


class Agenda(simpy.Environment):
    """SimPy's environment, quicker where most events are: what happens at this very moment waits in a queue of its own, not on
    the heap (a third of all events), and timers, which have no callbacks and cannot fail, are fired here.

    The order is SimPy's: by time, then priority, then insertion.
    """

    def __init__(self) -> None:
        super().__init__()
        self._soon: deque[Any] = deque()

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        entry = (self._now + delay, priority, next(self._eid), event)
        if delay == 0 and priority == NORMAL:
            self._soon.append(entry)
        else:
            heappush(self._queue, entry)

    def step(self) -> None:
        """Process the next event that is no timer, and all timers before it."""
        queue: list[Any] = self._queue
        soon = self._soon
        while True:
            if soon and not (queue and queue[0] < soon[0]):
                self._now, _, _, event = soon.popleft()
            elif queue:
                self._now, _, _, event = heappop(queue)
            else:
                raise EmptySchedule
            if type(event) is not Timer:
                break
            if event.live and event.owner.alive:
                event.live = False
                event.fn(*event.args)
        callbacks, event.callbacks = event.callbacks, None
        try:
            for callback in callbacks:
                callback(event)
        except StopSimulation:
            # Whoever else waits is called when the run goes on.
            event.callbacks = callbacks[callbacks.index(callback) + 1 :]
            self.schedule(event, EventPriority(-1))
            raise
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value

    def peek(self) -> float:
        """When the next event is due that anybody waits for; infinity if there is none."""
        queue: list[Any] = self._queue
        soon = self._soon
        # What nobody waits for is over, and says so.
        while soon and _spent(soon[0][3]):
            soon.popleft()[3].callbacks = None
        while queue and _spent(queue[0][3]):
            heappop(queue)[3].callbacks = None
        if soon:
            return self._now
        return queue[0][0] if queue else math.inf


def _spent(event: Event) -> bool:
    return type(event) is not Timer and event._ok and not event.callbacks


class Clock:
    """The one agenda of a simulated world. Times are seconds since :data:`EPOCH`.

    ``quiescence`` says which timers need not be on it; without one all are.
    """

    def __init__(self, quiescence: Quiescence | None = None) -> None:
        self.env = Agenda()
        self.quiescence = quiescence or Quiescence()

    @property
    def now(self) -> float:
        return self.env._now

    def future(self) -> Future[T]:
        """A result that somebody will ``succeed(value)`` or ``fail(error)`` later."""
        return Future(self.env)

    def timeout(self, seconds: float) -> Future[None]:
        """Happens after so many seconds."""
        return Elapsed(self.env, seconds)

    def first_of(self, futures: Iterable[AnyFuture]) -> Future[object]:
        """Happens when the first of ``futures`` does."""
        return FirstOf(self.env, futures)

    def peek(self) -> float:
        """When the next event is due; infinity if there is none."""
        return self.env.peek()

    @overload
    def run(self, until: Future[T]) -> T: ...

    @overload
    def run(self, until: float | None = None) -> None: ...

    def run(self, until: float | AnyFuture | None = None) -> Any:
        """Run to a time, to a future (its value is returned), or until nothing is left to happen.

        A big world is millions of objects that live long. Python's collector would walk all of them every
        few thousand events (half the time of 10,000 starting tasks), so it is told to be patient meanwhile.
        """
        usual = gc.get_threshold()
        gc.set_threshold(*PATIENT_COLLECTOR)
        try:
            return self.env.run(until)
        finally:
            gc.set_threshold(*usual)

    def timestamp(self, at: float | None = None) -> str:
        """RFC 3339 with nanoseconds, as the Docker API prints times."""
        return timestamp(self.now if at is None else at)


def timestamp(at: float) -> str:
    """Simulated second → ``2026-01-01T09:00:12.345678901Z``.

    >>> timestamp(1.5)
    '2026-01-01T09:00:01.5Z'
    """
    seconds, nanoseconds = divmod(round(at * 1e9), 1_000_000_000)
    whole = (EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{whole}.{nanoseconds:09d}".rstrip("0").rstrip(".") + "Z"
