"""A second world: a recorded run of real engines, played back.

Time passes from row to row. What managers showed is shown when the record says so; a command or a fault must be the record's next one
on that host, and is over when it was over there. Nothing in here is of the model: whatever drives a world and works here as well knows
worlds only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Mapping
from functools import partial
from heapq import heappop, heappush
from itertools import groupby
from random import Random
from typing import Any

from swarmsim.docker.client import Result
from swarmsim.docker.files import Files
from swarmsim.trace.rows import KINDS, Row
from swarmsim.trace.state import ClusterState
from swarmsim.world import POLL, Activity, Capability, HostSpec

SHOWN = frozenset(
    {"node", "service", "task", "task_gone", "service_gone", "node_gone", "manager_answers", "no_manager_answers"}
)
"""Kinds of rows that tell what managers showed; the others are the recorder's own doing."""

FAULTS = {"kill-host": "power off", "power-on": "power on"}
"""Our verb and the recorder's words."""


class Happening:
    """A wait of this world."""

    def __init__(self) -> None:
        self.triggered = False
        self.value: Any = None
        self.callbacks: list[Callable[[], object]] = []

    @property
    def processed(self) -> bool:
        return self.triggered

    def succeed(self, value: Any = None) -> None:
        if not self.triggered:
            self.triggered, self.value = True, value
            for callback in self.callbacks:
                callback()

    def then(self, callback: Callable[[], object]) -> None:
        if self.triggered:
            callback()
        else:
            self.callbacks.append(callback)


class RecordedWorld:
    """``rows`` are those of a recorded run of a formed cluster, ``hosts`` the names of its machines."""

    capabilities: Collection[Capability] = frozenset({Capability.FORMATION})
    verbs: Collection[str] = FAULTS.keys()

    def __init__(self, rows: list[Row], managers: list[str], workers: list[str]) -> None:
        self.files = Files()
        self.now = 0.0
        self.hosts: Mapping[str, HostSpec] = {
            name: HostSpec(name, "", "manager" if name in managers else "worker") for name in (*managers, *workers)
        }
        self._begin = next(row["t"] for row in rows if row["kind"] == "begin")
        self._typed = [row for row in rows if row["kind"] == "docker" and row["t"] > self._begin]
        self._faults = [row for row in rows if row["kind"] == "step" and "node" in row]
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._made = 0
        self._shown = ClusterState()
        self._changed = Happening()
        self._readers: list[tuple[Callable[[Row], object], frozenset[str], frozenset[str] | None]] = []
        for moment, seen in groupby((row for row in rows if row["kind"] in SHOWN), key=lambda row: row["t"]):
            self._at(moment, partial(self._show, list(seen)))

    # -- time

    def _at(self, moment: float, what: Callable[[], object]) -> None:
        self._made += 1
        heappush(self._agenda, (max(moment, self.now), self._made, what))

    def timeout(self, seconds: float) -> Happening:
        happening = Happening()
        self._at(self.now + seconds, happening.succeed)
        return happening

    def promise(self) -> Happening:
        return Happening()

    def first_of(self, waits: Collection[Any]) -> Happening:
        first = Happening()
        for wait in waits:
            wait.then(first.succeed)
        return first

    def spawn(self, activity: Generator[Any, Any, Any]) -> Happening:
        end = Happening()

        def go_on(waited: Happening | None = None) -> None:
            try:
                wanted = activity.send(waited.value if waited is not None else None)
            except StopIteration as over:
                end.succeed(over.value)
                return
            wait = wanted if isinstance(wanted, Happening) else self.timeout(wanted)
            wait.then(lambda: go_on(wait))

        self._at(self.now, go_on)
        return end

    def advance(self, until: Any) -> None:
        moment, wait = (until, None) if isinstance(until, int | float) else (math.inf, until)
        while self._agenda and self._agenda[0][0] <= moment and (wait is None or not wait.processed):
            self.now, _, what = heappop(self._agenda)
            what()
        assert wait is None or wait.processed, "the record is over"
        if moment < math.inf:
            self.now = moment

    def next_event(self) -> float:
        raise NotImplementedError(Capability.JUMP)

    # -- randomness

    def rng(self, name: str) -> Random:
        return Random(name)

    def reseed(self, seed: int) -> None:
        raise NotImplementedError(Capability.SEED)

    # -- what there is to see

    def note(self, row_type: Any, *none: Any, **fields: Any) -> None:
        self._tell({"t": round(self.now, 6), "kind": KINDS[row_type], **fields})

    def _tell(self, row: Row) -> None:
        for reader, without, only in self._readers:
            if row["kind"] not in without and (only is None or row["kind"] in only):
                reader(row)

    def _show(self, seen: list[Row]) -> None:
        """What the recorder saw with one look."""
        for row in seen:
            self._shown.apply(row)
            self._tell(row)
        changed, self._changed = self._changed, Happening()
        changed.succeed()

    def subscribe(
        self, reader: Callable[[Row], object], without: frozenset[str] = frozenset(), only: frozenset[str] | None = None
    ) -> None:
        self._readers.append((reader, without, only))

    def introduce(self) -> None:
        """The record does not tell of its machines."""

    def observe(self) -> None:
        """The recorder did it."""

    def look(self) -> Activity[ClusterState | None]:
        yield 0.0
        return self._shown

    def next_change(self) -> Happening:
        return self._changed

    def until_next_look(self, stream: str) -> float:
        return POLL

    # -- who is what

    def managers(self) -> list[str]:
        return [name for name, spec in self.hosts.items() if spec.role == "manager"]

    def managers_up(self) -> list[str]:
        return [name for name in self.managers() if self.powered(name)]

    def leader(self) -> str | None:
        return next((node.host for node in self._shown.nodes.values() if node.manager == "leader"), None)

    def powered(self, host: str) -> bool:
        return True

    # -- what one can do

    def form(self) -> Activity[None]:
        """Until the scenario's first two seconds of rest."""
        yield self._begin - 2.0

    def docker(self, host: str, line: str, *_: Any) -> Activity[Result]:
        row = self._typed.pop(0)
        assert (row["on"], row["cmd"]) == (host, line), f"the record goes on with {row['on']}: {row['cmd']}"
        started = self.now
        yield max(0.0, row["t"] - self.now)
        self._tell({**row, "t": round(self.now, 6), "s": round(self.now - started, 6)})
        return Result(row["rc"], row["out"], row["err"])

    def fault(self, verb: str, argument: Any) -> Activity[list[str]]:
        row = self._faults.pop(0)
        assert row["what"] == f"{FAULTS[verb]} {argument[0]}", row["what"]
        yield max(0.0, row["t"] - self.now)
        return list(argument)

    def isolate(self, hosts: list[str]) -> Activity[Callable[[], Activity[None]]]:
        raise NotImplementedError("no recorded cluster has failing sites")
