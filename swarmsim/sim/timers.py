"""Timers: everything that recurs goes through one of these three, so that time in which nothing happens is free.

- :class:`PeriodicTimer` calls again and again, each time after the period its callback returns. While its firings can
  change nothing it is dormant (:mod:`swarmsim.sim.quiescence`).
- :class:`AlignedTicker` is a lattice of instants (``origin + k · period``): whoever needs the next one asks for it,
  and an idle lattice costs nothing.
- :class:`Deadline` is a time-out that is pushed back far more often than it expires: pushing back is an
  assignment, not an event.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from swarmsim.sim.clock import Timer
from swarmsim.sim.quiescence import Dormant, ticks_until
from swarmsim.sim.scope import Scope

INSTANT = 1e-9
"""Of a period: how close to an instant of a lattice is at it."""


class PeriodicTimer:
    """Calls ``step`` after ``first`` seconds and then every time after the seconds it returned.

    A step that returns ``None`` ends it, or lets it wait for :meth:`again` (where the pause comes with an answer).
    ``due`` is when it fires next, or would have when it became dormant.
    """

    __slots__ = ("_dormant", "_rule", "_timer", "due", "scope", "step")

    def __init__(self, scope: Scope, first: float, step: Callable[[], float | None]) -> None:
        self.scope = scope
        self.step = step
        self.due = scope.clock.now + first
        self._timer = scope.after(first, self._beat)
        self._rule = scope.clock.quiescence.rule_of(step)
        self._dormant: Dormant | None = None

    @property
    def owner(self) -> Any:
        """Whose timer it is: the object ``step`` is a method of."""
        return getattr(self.step, "__self__", None)

    def _beat(self) -> None:
        pause = self.step()
        if pause is not None:
            self.again(pause)

    def again(self, pause: float) -> None:
        """Step again in ``pause`` seconds."""
        self.due = self.scope.clock.now + pause
        if self._rule is not None:
            self._dormant = self._rule.dormant(self)
            if self._dormant is not None:
                return
        self._timer = self.scope.after(pause, self._beat)

    def sleep(self, dormant: Dormant) -> None:
        """Another timer's dormant state includes this one."""
        self._dormant = dormant
        self._timer.cancel()

    def wake(self, due: float | None) -> None:
        """Go on with real events; the next firing is ``due`` (seconds), or comes after :meth:`again`."""
        self._dormant = None
        if due is None:
            return
        self.due = due
        self._timer = self.scope.after(max(0.0, due - self.scope.clock.now), self._beat)

    def fast_forward(self, period: float) -> int:
        """Go on as if it had fired every ``period`` seconds since it became dormant; how many firings that left out."""
        skipped = ticks_until(self.due, period, self.scope.clock.now)
        self.wake(self.due + period * skipped)
        return skipped

    def stop(self) -> None:
        if self._dormant is not None:
            self._dormant.wake()
        self._timer.cancel()


class AlignedTicker:
    """A ticker's instants, without the ticks nobody listens to.

    ``request()`` makes ``fn`` run at the next instant after now; asking again before it came changes nothing.
    """

    __slots__ = ("fn", "origin", "period", "requested", "scope")

    def __init__(self, scope: Scope, period: float, fn: Callable[[], object], origin: float | None = None) -> None:
        self.scope = scope
        self.period = period
        self.fn = fn
        self.origin = scope.clock.now if origin is None else origin
        self.requested = False

    def request(self) -> None:
        if self.requested:
            return
        self.requested = True
        elapsed = self.scope.clock.now - self.origin
        # Asked for at an instant itself, the next one is meant: sums of floats may fall just short of it.
        instants = math.floor(elapsed / self.period + INSTANT) + 1
        self.scope.after(max(0.0, instants * self.period - elapsed), self._beat)

    def _beat(self) -> None:
        self.requested = False
        self.fn()


class Deadline:
    """``fn(*args)`` runs ``seconds`` after the last :meth:`extend`, unless cancelled.

    The pending timer is left where it is when the deadline moves back; it re-arms itself for the rest
    when it fires early. A deadline that is pushed back by a dormant timer sleeps with it: whoever touches it wakes
    both.
    """

    __slots__ = ("_timer", "args", "dormant", "due", "fn", "scope", "seconds")

    def __init__(self, scope: Scope, seconds: float, fn: Callable[..., object], *args: Any) -> None:
        self.scope = scope
        self.fn = fn
        self.args = args
        self.dormant: Dormant | None = None
        self.seconds = seconds
        self.due = scope.clock.now + seconds
        self._timer: Timer | None = scope.after(seconds, self._check)

    def extend(self, seconds: float) -> None:
        if self.dormant is not None:
            self.dormant.wake()
        self.seconds = seconds
        self.due = self.scope.clock.now + seconds
        if self._timer is None:
            self._timer = self.scope.after(seconds, self._check)

    def cancel(self) -> None:
        if self.dormant is not None:
            self.dormant.wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.due = math.inf

    def sleep(self, dormant: Dormant) -> None:
        """What pushes it back is dormant: it cannot expire."""
        self.dormant = dormant
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wake(self, due: float, seconds: float) -> None:
        """It may expire again, at ``due`` unless it is pushed back: so many ``seconds`` after it was last."""
        self.dormant = None
        self.seconds = seconds
        self.due = due
        self._timer = self.scope.after(max(0.0, due - self.scope.clock.now), self._check)

    def _check(self) -> None:
        self._timer = None
        left = self.due - self.scope.clock.now
        if left > 1e-9:
            self._timer = self.scope.after(left, self._check)
        else:
            self.fn(*self.args)
