"""What an activity waits for, and what it is: ``Future[T]`` and ``Activity[T]``.

A :class:`Future` is a result that is not there yet: somebody will ``succeed(value)`` or ``fail(error)`` once. An *activity* is
a generator that yields what it waits for, a future or a number of seconds, and returns its own result:

>>> def answer(question: Future[str]) -> Activity[int]:
...     text = yield from question  # a str for the type checker
...     yield 0.5  # half a second of thought
...     return len(text)

``yield future`` waits as well, for whoever does not need the value's type. SimPy's events are underneath; nothing outside
``sim/`` imports SimPy.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from simpy.events import AnyOf, Event, Timeout

T = TypeVar("T")


class Future(Event, Generic[T]):
    """A one-shot result of type ``T``."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def value(self) -> T:
            """The result. Raises :class:`AttributeError` before it is there."""

        def succeed(self, value: T | None = None) -> Event: ...

    def __iter__(self) -> Generator[Future[T], T, T]:
        return (yield self)


AnyFuture: TypeAlias = Future[Any]
"""A future of which it only matters that it happens: where several kinds wait side by side."""


class FirstOf(AnyOf, Future[object]):
    """Happens when the first of several futures does."""


class Elapsed(Timeout, Future[None]):
    """Happens after a number of seconds."""


Activity: TypeAlias = Generator[Event | float, Any, T]
"""A generator that yields what it waits for and returns a ``T``."""
