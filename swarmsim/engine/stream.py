"""Bodies that come piece by piece: events as JSON values, logs as frames (moby pkg/stdcopy).

A frame is the stream's number, three zeros, the length in four bytes, then that many bytes: stdout and stderr share one
body, and so do the daemon's own complaints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias

from swarmsim.sim.clock import Clock, timestamp
from swarmsim.sim.future import Activity, Future, T
from swarmsim.swarm.objects import Task

STDOUT, STDERR, SYSTEM_ERROR = 1, 2, 3
Say: TypeAlias = Callable[[int, str], object]
"""``say(STDOUT | STDERR, text)``."""
Program: TypeAlias = Callable[[Say], Activity[int]]
"""Runs, and returns its exit code."""


class Pipe(Generic[T]):
    """The body of a response that is not over yet; whoever reads gets what was put, in order, then ``None``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pieces: deque[T | None] = deque()
        self._reader: Future[T | None] | None = None
        self._exits: list[Callable[[], object]] = []
        self.closed = False

    def put(self, piece: T) -> None:
        if self.closed:
            return
        self._pieces.append(piece)
        self._hand_over()

    def end(self) -> None:
        """Nothing more will come."""
        if not self.closed:
            self.close()
            self._pieces.append(None)
            self._hand_over()

    def close(self) -> None:
        """Nobody reads on."""
        self.closed = True
        exits, self._exits = self._exits, []
        for leave in exits:
            leave()

    def on_end(self, leave: Callable[[], object]) -> None:
        self._exits.append(leave)

    def read(self) -> Future[T | None]:
        """The next piece, ``None`` at the end."""
        self._reader = self._clock.future()
        reader = self._reader
        self._hand_over()
        return reader

    def next(self) -> Activity[T | None]:
        """The next piece, at once if it is there."""
        return self._pieces.popleft() if self._pieces else (yield self.read())

    def _hand_over(self) -> None:
        if self._reader is not None and self._pieces:
            reader, self._reader = self._reader, None
            reader.succeed(self._pieces.popleft())


class LogQuery(NamedTuple):
    """``since`` in simulated seconds; ``tail`` is a number of lines, ``None`` for all."""

    since: float = 0.0
    tail: int | None = None
    follow: bool = False
    timestamps: bool = False
    details: bool = False


def log_frame(stream: int, text: str) -> bytes:
    data = text.encode()
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


def log_line(task: Task, at: float, text: str, query: LogQuery) -> str:
    """``2026-01-01T09:00:00Z com.docker.swarm.node.id=…,… text``, as far as it was asked for."""
    prefix = f"{timestamp(at)} " if query.timestamps else ""
    if query.details:
        context = {"node": task.node_id, "service": task.service_id, "task": task.id}
        prefix += ",".join(f"com.docker.swarm.{kind}.id={id}" for kind, id in context.items()) + " "
    return f"{prefix}{text}\n"
