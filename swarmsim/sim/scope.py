"""Scopes: everything that runs belongs to one, and ends with it.

Power is a scope, a process is a scope in it, leadership is a scope in the manager's process. Ending a
scope silences its timers, forgets its activities where they stand and ends the scopes inside. That is
how a power cut works here: no component has code for it.

An *activity* is a generator that yields what it waits for: a number of seconds, or an event. It is not
unwound when its scope ends (a killed process runs no ``finally``), so activities must not rely on one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from simpy.events import Event

from swarmsim.sim.clock import Clock, Timer
from swarmsim.sim.errors import BrokenRule, ModelError
from swarmsim.sim.future import Activity, Future, T
from swarmsim.sim.quiescence import Subject


class Scope(Subject):
    """A lifetime; what changes in it is that it ends. ``after``, ``spawn`` and ``child`` do nothing visible once it has ended."""

    __slots__ = ("_children", "_ended", "_exits", "alive", "clock", "name", "parent")

    def __init__(self, clock: Clock, name: str, parent: Scope | None = None) -> None:
        self.clock = clock
        self.name = name
        self.parent = parent
        self.alive: bool = parent is None or parent.alive
        # Most scopes have neither children nor anybody to tell, and there are four for each task.
        self._children: dict[Scope, None] | None = None
        self._exits: list[Callable[[], object]] | None = None
        self._ended: Future[None] | None = None
        if parent is not None and parent.alive:
            if parent._children is None:
                parent._children = {}
            parent._children[self] = None

    @property
    def children(self) -> list[Scope]:
        """The scopes in it that live, oldest first."""
        return list(self._children or ())

    def child(self, name: str) -> Scope:
        return Scope(self.clock, name, self)

    def after(self, delay: float, fn: Callable[..., object], *args: Any) -> Timer:
        """Call ``fn(*args)`` in ``delay`` seconds, if this scope still lives then."""
        env = self.clock.env
        return Timer(env, env._now + delay, fn, args, self)

    def spawn(self, activity: Activity[T]) -> Future[T]:
        """Start an activity; the event carries what it returns or the error it dies of."""
        return _Runner(self, activity).done

    def on_end(self, fn: Callable[[], object]) -> None:
        """Call ``fn`` when this scope ends (to stop listening, not to clean up after a fault)."""
        if self._exits is None:
            self._exits = []
        self._exits.append(fn)

    @property
    def ended(self) -> Future[None]:
        """Happens when this scope ends; for whoever outside waits for it."""
        if self._ended is None:
            self._ended = self.clock.future()
            if not self.alive:
                self._ended.succeed()
        return self._ended

    def end(self) -> None:
        """End this scope and all scopes in it, innermost last created first."""
        if not self.alive:
            return
        self.clock.quiescence.invalidate(self)
        self.alive = False
        for child in reversed(self.children):
            child.end()
        self._children = None
        if self.parent is not None and self.parent._children is not None:
            self.parent._children.pop(self, None)
        for fn in reversed(self._exits or ()):
            fn()
        self._exits = None
        if self._ended is not None:
            self._ended.succeed()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}{'' if self.alive else ' (ended)'}>"


class _Runner(Generic[T]):
    """Drives one activity: resumes it with each thing it waited for."""

    __slots__ = ("activity", "done", "scope")

    def __init__(self, scope: Scope, activity: Activity[T]) -> None:
        self.scope = scope
        self.activity = activity
        self.done: Future[T] = scope.clock.future()
        scope.after(0.0, self._step, None, None)

    def _step(self, value: Any, error: BaseException | None) -> None:
        try:
            target = self.activity.send(value) if error is None else self.activity.throw(error)
        except StopIteration as stop:
            self.done.succeed(stop.value)
            return
        except BrokenRule:
            raise
        except ModelError as failure:
            if not self.done.callbacks:
                self.done.defused = True
            self.done.fail(failure)
            return
        if isinstance(target, Event):
            if target.callbacks is None:
                self.scope.after(0.0, self._wake, target)
            else:
                target.callbacks.append(self._wake)
        else:
            self.scope.after(target, self._step, None, None)

    def _wake(self, event: Event) -> None:
        if not event._ok:
            event.defused = True
        if not self.scope.alive:
            return
        if event._ok:
            self._step(event._value, None)
        else:
            self._step(None, event._value)
