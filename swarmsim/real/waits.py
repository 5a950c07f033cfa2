"""What an activity waits for in a world on wall time: asyncio's futures, in the words of :mod:`swarmsim.world`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Happening(Generic[T]):
    """Something that will happen once: a promise and a wait of :mod:`swarmsim.world`. An error that it fails with is raised by whoever waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._future: asyncio.Future[T] = loop.create_future()

    @classmethod
    def of(cls, work: asyncio.Task[T]) -> Happening[T]:
        """The end of something that is under way."""
        made: Happening[T] = cls.__new__(cls)
        made._future = work
        return made

    @classmethod
    def end_of(cls, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> Happening[T]:
        """The end of something that begins now."""
        return cls.of(loop.create_task(work))

    @property
    def triggered(self) -> bool:
        return self._future.done()

    @property
    def processed(self) -> bool:
        return self._future.done()

    @property
    def value(self) -> T:
        return self._future.result()

    def succeed(self, value: Any = None) -> None:
        if not self._future.done():
            self._future.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self._future.done():
            self._future.set_exception(error)

    def then(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once it has happened."""
        self._future.add_done_callback(lambda _: callback())

    async def wait(self) -> T:
        """Until it happens; what came of it. Whoever gives up waiting does not end it."""
        return await asyncio.shield(self._future)


async def drive(loop: asyncio.AbstractEventLoop, activity: Generator[Any, Any, T]) -> T:
    """Carry out an activity of :mod:`swarmsim.world` on wall time: it yields waits of these, or seconds."""
    outcome: Any = None
    error: Exception | None = None
    while True:
        try:
            wanted = activity.throw(error) if error is not None else activity.send(outcome)
        except StopIteration as over:
            result: T = over.value
            return result
        outcome, error = None, None
        if isinstance(wanted, Happening):
            try:
                outcome = await wanted.wait()
            except Exception as problem:  # for the activity to deal with, as in the model
                error = problem
        else:
            await asyncio.sleep(wanted)
