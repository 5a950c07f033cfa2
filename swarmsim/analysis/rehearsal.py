"""What a run on real hosts would do, without touching any: ``swarmsim run --on … --dry-run``, and what consent is asked for.

The scenario is run on the model; each fault there tells which lines of shell it is on the hosts, and how they are undone. Who leads, and so whom a fault
of ``leader`` hits, may be another really; which lines there are, and how they are undone, is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

from swarmsim.docker.files import Files
from swarmsim.real.consent import Radius
from swarmsim.real.machine import Change, Machine
from swarmsim.real.mask import Mask
from swarmsim.real.planned import PlannedCluster, PlannedMachine
from swarmsim.scenario.faults import in_words, resolved
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.runner import build_world, run_on, wanted_hosts
from swarmsim.trace.rows import Row
from swarmsim.world import Activity, FaultError, World
from swarmsim.world.simulated import SimulatedWorld

SOMEBODY = "a manager"
"""Where a command is typed that names no host."""
OF_CONTAINERS = {"kill-container": "docker kill CONTAINER", "fail-healthcheck": "move away what its health check runs"}
"""Faults of which only a real engine knows the container."""


class Done(NamedTuple):
    """Something that would be done, ``t`` seconds after the beginning of everything."""

    t: float
    host: str
    what: str
    do: str
    undo: str = ""

    def lines(self) -> list[str]:
        first = f"{self.t:9.2f} s  {self.host}: {self.what}"
        inner = [("do", self.do), ("undo", self.undo)] if self.undo else []
        return [first, *(f"{'':14}{name:<5}{line}" for name, text in inner for line in text.strip().splitlines())]


def rehearsed(loaded: LoadedScenario, machines: Sequence[Machine]) -> list[Done]:
    """What would be typed and changed, in order; ``machines`` are the scenario's hosts."""
    rehearsal = Rehearsal(build_world(loaded.scenario, 1), machines)
    with rehearsal.planned:
        run_on(cast("World", rehearsal), loaded)
    return rehearsal.done


def radius_of(loaded: LoadedScenario, machines: Sequence[Machine]) -> Radius:
    """What a run does to whom, as far as the scenario's file tells."""
    scenario = loaded.scenario
    commands, stopped = [], []
    for step in [*scenario.steps, *scenario.meanwhile]:
        docker, fault = getattr(step, "docker", None), getattr(step, "fault", None)
        if docker is not None:
            commands.append((getattr(step, "on", None) or SOMEBODY, f"docker {docker}"))
        if fault is not None:
            names = [spec.name for spec in wanted_hosts(scenario)]
            stopped.append(in_words(fault.verb, resolved(fault, lambda name: name, names)))
    stopped += [f"{process.fault} at random: {process.hosts or process.site}" for process in scenario.faults]
    return Radius(scenario.name, [(machine.name, machine.address) for machine in machines], commands, stopped)


class Rehearsal:
    """The model as the world of a scenario, which writes down what would be done to ``machines``."""

    def __init__(self, model: SimulatedWorld, machines: Sequence[Machine]) -> None:
        self._model = model
        self.done: list[Done] = []
        wordy = [PlannedMachine(machine, *self._state(machine.name)) for machine in machines]
        self.planned = PlannedCluster(wordy, model.hosts)
        self._addresses = {model.hosts[machine.name].address: machine.address for machine in machines}
        self._mask = Mask()
        model.subscribe(self._typed, only=frozenset({"docker"}))

    def _state(self, host: str) -> tuple[Callable[[], bool], Callable[[], bool]]:
        return lambda: self._model.powered(host), lambda: self._model.engines[host].running

    def __getattr__(self, name: str) -> Any:
        """Everything else is the model's."""
        return getattr(self._model, name)

    @property
    def files(self) -> Files:
        return self._model.files

    @files.setter
    def files(self, files: Files) -> None:
        self._model.files = files

    def _typed(self, row: Row) -> None:
        line = f"docker {self._mask.text(row['cmd'])}"
        for ours, theirs in self._addresses.items():
            line = line.replace(ours, theirs)
        self.done.append(Done(row["t"], row["on"], line, ""))

    def _changed(self, changes: Sequence[Change]) -> None:
        now = self._model.now
        self.done += [Done(now, change.host, change.what, change.do, change.undo) for change in changes]

    def fault(self, verb: str, argument: Any) -> Activity[list[str]]:
        """As of the model; what it is on the hosts is written down before."""
        if verb in OF_CONTAINERS:
            before = len(self.done)
            hit = yield from self._model.fault(verb, argument)
            del self.done[before:]  # what the model types for it has an id of the model's
            self.done.append(Done(self._model.now, ", ".join(hit), f"{OF_CONTAINERS[verb]} ({argument})", ""))
            return hit
        with suppress(FaultError):  # the model says it in its own words
            self._changed(self.planned.of_fault(verb, argument))
        hit = yield from self._model.fault(verb, argument)
        return hit

    def isolate(self, hosts: list[str]) -> Activity[Callable[[], Activity[None]]]:
        number = self.planned.cuts.separate(hosts)
        self._changed(self.planned.of_cuts())
        rejoin = yield from self._model.isolate(hosts)

        def again() -> Activity[None]:
            self.planned.cuts.rejoin(number)
            self._changed(self.planned.of_cuts())
            yield from rejoin()

        return again
