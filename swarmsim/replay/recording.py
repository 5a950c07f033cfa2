"""A run as one can leaf through it: rows, and the picture and the story at any moment of it.

Rows are taken in one after the other (:meth:`Recording.take_in`), as they happen or as they are read from a file. On the way a copy
of the picture is kept every :data:`CHECKPOINT` rows, so that any moment is at most so many rows from one; rows never
change, so a copy is never stale.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

from swarmsim.replay.timeline import Line, Timeline
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState

CHECKPOINT = 4000
MOST_SAMPLES = 4000
"""Points of the curve of running tasks; beyond, every other one is dropped."""
SAMPLED = frozenset(("task", "task_gone", "service"))


class Mark(NamedTuple):
    """Something on the time line: a fault, a failure, a change of leader. ``t`` since the run began."""

    t: float
    sort: str


class Sample(NamedTuple):
    """Tasks of all services at a moment."""

    t: float
    running: int
    wanted: int


class Recording:
    """``rows`` may be longer than what was taken in; everything else speaks of what was."""

    def __init__(self, header: Row, rows: list[Row]) -> None:
        self.header = header
        self.rows = rows
        self.lines: list[Line] = []
        """The story, with times since the scenario began."""
        self.marks: list[Mark] = []
        self.samples: list[Sample] = []
        self.of_task: dict[str, list[int]] = {}
        """Places of the rows about each task."""
        self.taken = 0
        self._latest = ClusterState()
        self._copies: list[tuple[int, ClusterState]] = [(0, ClusterState())]
        self._times: list[float] = []
        self._timeline = Timeline(reasons=True)
        self._every = 0.0
        self._unsampled = False
        """Whether tasks have changed since the last sample; one is taken when a moment is over."""
        self._at: tuple[int, ClusterState] | None = None

    # -- taking in

    def take_in(self, most: int) -> bool:
        """Look at up to ``most`` more rows; whether there are still more."""
        stop = min(len(self.rows), self.taken + most)
        state, times = self._latest, self._times
        for place in range(self.taken, stop):
            row = self.rows[place]
            kind = row["kind"]
            times.append(row["t"])
            if self._unsampled and row["t"] != state.t:
                self._sample(state)
            state.apply(row)
            if kind == "task":
                self.of_task.setdefault(row["task"], []).append(place)
            elif kind == "step":
                self.marks.append(Mark(row["t"], "fault"))
            elif kind == "raft.leading":
                self.marks.append(Mark(row["t"], "leader"))
            elif kind == "unmet":
                self.marks.append(Mark(row["t"], "unmet"))
            self._unsampled = self._unsampled or kind in SAMPLED
            self.lines += self._timeline.add(row)
            if (place + 1) % CHECKPOINT == 0:
                self._copies.append((place + 1, state.copy()))
        self.taken = stop
        if stop == len(self.rows):
            self.lines += self._timeline.flush()
            self._sample(state)
        return stop < len(self.rows)

    def _sample(self, state: ClusterState) -> None:
        self._unsampled = False
        running, wanted = state.balance()
        if len(self.samples) > 1 and state.t - self.samples[-2].t < self._every:
            self.samples.pop()  # the last one is always up to date
        elif self.samples and self.samples[-1].t == state.t:
            self.samples.pop()
        self.samples.append(Sample(state.t, running, wanted))
        if len(self.samples) > MOST_SAMPLES:
            self.samples = self.samples[::2]
            self._every = 2 * (self.samples[-1].t - self.samples[0].t) / MOST_SAMPLES

    def extend(self, rows: list[Row]) -> None:
        """More rows happened; they are taken in at once."""
        self.rows += rows
        self.take_in(len(rows))

    def anew(self) -> Recording:
        """One of the same run in which nothing has happened yet."""
        return Recording(self.header, [])

    # -- moments

    @property
    def begin(self) -> float:
        """When the scenario proper began, in seconds since the run did; as far as is known yet."""
        return self._latest.begin if self._latest.begin is not None else 0.0

    @property
    def end(self) -> float:
        """The time of the last row taken in."""
        return self._times[-1] if self._times else 0.0

    @property
    def latest(self) -> ClusterState:
        return self._latest

    def place(self, t: float) -> int:
        """How many rows had happened by ``t``."""
        return bisect_right(self._times, t)

    def time(self, place: int) -> float:
        """The time of a row."""
        return self._times[place]

    def at(self, t: float) -> ClusterState:
        """The picture at ``t``; not to be changed. That of the end changes when more rows are taken in."""
        place = self.place(t)
        if place == self.taken:
            return self._latest
        if self._at is not None and self._at[0] == place:
            return self._at[1]
        known, state = self._copies[bisect_right(self._copies, place, key=lambda copy: copy[0]) - 1]
        if self._at is not None and known <= self._at[0] <= place:
            known, state = self._at
        state = state.copy()
        for row in self.rows[known:place]:
            state.apply(row)
        self._at = (place, state)
        return state

    def told(self, t: float) -> int:
        """How many lines of the story were told by ``t`` (since the run began)."""
        return bisect_right(self.lines, t - self.begin + 1e-6, key=lambda line: line.t)

    def life(self, task: str, t: float) -> list[Row]:
        """All rows about a task by ``t``."""
        stop = self.place(t)
        return [self.rows[place] for place in self.of_task.get(task, ()) if place < stop]

    def until(self, t: float) -> list[Row]:
        """All rows by ``t``."""
        return self.rows[: self.place(t)]


def of_trace(trace: Any) -> Recording:
    """The recording of a trace; nothing is taken in yet."""
    return Recording(trace.header, trace.rows)
