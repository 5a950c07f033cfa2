"""Running a scenario: build the cluster, do the steps one after the other, check what is expected.

An expectation that does not hold, and a wait that is not reached in time, is noted with what was seen
instead, and the run goes on: what follows is often what explains it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from swarmsim.apitypes.specs import DiscreteResource, GenericResource, NamedResource
from swarmsim.docker.client import Result
from swarmsim.docker.files import Files
from swarmsim.scenario.conditions import Facts, Seen, check, describe
from swarmsim.scenario.faults import FAULTS, FaultError, fault_step, named_hosts, words
from swarmsim.scenario.injector import FaultInjector
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.schema import (
    AnyContainer,
    Condition,
    DockerStep,
    ExpectStep,
    FaultStep,
    HostSettings,
    MeanwhileStep,
    NoteStep,
    Scenario,
    SleepStep,
    WaitStep,
)
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.profile import load_profile
from swarmsim.swarm.objects import Role
from swarmsim.trace import rows
from swarmsim.trace.rows import MESSAGES, header, is_internal
from swarmsim.version import VERSION
from swarmsim.world.simulated import POLL, HostSpec, SimulatedWorld, View

_PLACEHOLDER = re.compile(r"(?<![{\w])\{([a-z][a-z0-9-]*)\}(?!\})")


class UnmetExpectation(NamedTuple):
    """An expectation that did not hold."""

    expected: str
    seen: str
    at: float


class Outcome(NamedTuple):
    """How a run ended."""

    failures: list[UnmetExpectation]
    simulated: float
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        return not self.failures and not self.interrupted


def _generic(resources: dict[str, int | list[str]]) -> tuple[GenericResource, ...]:
    found: list[GenericResource] = []
    for kind, value in resources.items():
        if isinstance(value, int):
            found.append(GenericResource(discrete=DiscreteResource(kind=kind, value=value)))
        else:
            found += [GenericResource(named=NamedResource(kind=kind, value=name)) for name in value]
    return tuple(found)


def _files(loaded: LoadedScenario) -> Files:
    """What commands may read: the scenario's own files, then those beside it (or, of a shipped one, where one is)."""
    source = Path(loaded.source)
    folder = source.parent if source.is_file() else Path.cwd()
    return Files(loaded.scenario.files, folder, loaded.scenario.environment)


def build_world(scenario: Scenario, seed: int, *, eager: bool = False) -> SimulatedWorld:
    """The scenario's machines, all running, no swarm on them yet. ``eager`` as for :class:`SimulatedWorld`."""
    cluster = scenario.cluster
    managers, workers = cluster.names()
    taken = {settings.address for settings in cluster.hosts.values()}
    sites = {host: site for site, hosts in cluster.sites.items() for host in hosts}
    hosts, number = [], 0
    for name in [*managers, *workers]:
        settings = cluster.hosts.get(name, HostSettings())
        address = settings.address
        while address is None:
            number += 1
            candidate = f"10.97.{number // 250}.{number % 250 + 1}"
            address = candidate if candidate not in taken else None
        hosts.append(
            HostSpec(
                name,
                address,
                Role.MANAGER if name in managers else Role.WORKER,
                settings.cpus,
                settings.memory,
                settings.labels,
                settings.engine_labels,
                settings.profile or "",
                sites.get(name, ""),
                _generic(settings.resources),
                tuple((kind, plugin) for kind, _, plugin in (text.partition("/") for text in settings.plugins)),
                (settings.os, settings.arch),
            )
        )
    return SimulatedWorld(hosts, seed, load_profile(cluster.profile), eager=eager)


class ScenarioRun:
    """A scenario that is being run, as far as one likes.

    ``sink`` is given every row of the trace as it happens. ``messages`` adds every Raft message; ``eager`` runs every
    heartbeat and tick, also those that can change nothing. Where it is stopped on the way changes nothing either.
    """

    def __init__(
        self,
        loaded: LoadedScenario,
        seed: int,
        sink: Callable[[dict[str, Any]], object] | None = None,
        *,
        messages: bool = False,
        internals: bool = True,
        eager: bool = False,
    ) -> None:
        world = build_world(loaded.scenario, seed, eager=eager)
        world.files = _files(loaded)
        self._run = _StepRunner(loaded.scenario, world)
        self.world = self._run.world
        if sink is not None:

            def wanted(row: dict[str, Any]) -> None:
                if internals or not is_internal(row["kind"]):
                    sink(row)

            self.world.journal.subscribe(wanted, frozenset() if messages else MESSAGES)
        self.world.journal.subscribe(self._run.count, MESSAGES)
        self.world.introduce()
        self._meanwhile = sorted(loaded.scenario.meanwhile, key=lambda step: step.at)
        self._actions: list[Future[Any]] = []
        self._steps = self.world.scope.spawn(self._run.main())

    @property
    def now(self) -> float:
        return self.world.clock.now

    @property
    def begin(self) -> float | None:
        """When the scenario proper began, in simulated seconds; ``None`` while the cluster is being built."""
        return self._run.begin

    @property
    def failures(self) -> list[UnmetExpectation]:
        return self._run.failures

    @property
    def finished(self) -> bool:
        """Whether all steps are done, those at set times too."""
        return self._steps.processed and not self._meanwhile and all(action.processed for action in self._actions)

    def advance(self, until: float) -> None:
        """Let time pass until ``until`` (simulated seconds), whether or not the scenario is finished by then."""
        while self.now < until:
            due = self._due()
            if due is not None and due <= self.now:
                self.act(self._meanwhile.pop(0))
            else:
                stop = until if due is None else min(due, until)
                # Only when the cluster stands is known when the steps at set times are due.
                clock = self.world.clock
                clock.run(
                    stop
                    if self.begin is not None
                    else clock.first_of((self._run.begun, clock.timeout(stop - self.now)))
                )

    def next(self) -> bool:
        """Let time pass until something happens, if only inside; whether anything will."""
        due = self._due()
        at = min(self.world.clock.peek(), math.inf if due is None else due)
        if at == math.inf:
            return False
        self.advance(math.nextafter(max(at, self.now), math.inf))
        return True

    def finish(self, until: float = math.inf) -> None:
        """Let time pass until all is done, or until ``until``."""
        clock = self.world.clock
        while not self.finished and self.now < until:
            if self.begin is None:
                waits = [self._run.begun]
            elif self._meanwhile:
                self.advance(min(until, math.nextafter(self.begin + self._meanwhile[0].at, math.inf)))
                continue
            else:
                waits = [self._steps, *self._actions]
                waits = [next(wait for wait in waits if not wait.processed)]
            if until < math.inf:
                waits.append(clock.timeout(until - self.now))
            clock.run(clock.first_of(waits))

    def act(self, step: MeanwhileStep) -> None:
        """Do something now."""
        if step.seed is not None:
            self.world.ctx.streams.reseed(step.seed)
            self.world.journal.note(rows.Note, text=f"from here on with seed {step.seed}")
        else:
            self._actions.append(self.world.scope.spawn(self._run.step(step.step)))

    def _due(self) -> float | None:
        if self.begin is None or not self._meanwhile:
            return None
        return self.begin + self._meanwhile[0].at


def run_scenario(
    loaded: LoadedScenario,
    seed: int,
    sink: Callable[[dict[str, Any]], object] | None = None,
    *,
    messages: bool = False,
    internals: bool = True,
    until: float | None = None,
    eager: bool = False,
) -> Outcome:
    """Run a scenario once, with options as for :class:`ScenarioRun`; ``until`` stops after that many simulated seconds.

    An interrupt (Ctrl-C) ends the run in order, with what happened so far.
    """
    session = ScenarioRun(loaded, seed, sink, messages=messages, internals=internals, eager=eager)
    interrupted = False
    try:
        session.finish(math.inf if until is None else until)
    except KeyboardInterrupt:
        interrupted = True
    return Outcome(session.failures, session.now, interrupted)


def trace_header(loaded: LoadedScenario, seed: int) -> dict[str, Any]:
    scenario = loaded.scenario
    return header(scenario.name, loaded.digest, seed, VERSION, scenario.cluster.profile)


class _StepRunner:
    def __init__(self, scenario: Scenario, world: SimulatedWorld) -> None:
        self.scenario = scenario
        self.world = world
        self.journal = world.journal
        self.failures: list[UnmetExpectation] = []
        self.results: dict[str, Result] = {}
        self.hosts: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.begin: float | None = None
        self.begun = world.clock.future()
        self._rng = world.ctx.streams.stream("scenario")

    def count(self, row: dict[str, Any]) -> None:
        self.counts[row["kind"]] = self.counts.get(row["kind"], 0) + 1

    def main(self) -> Activity[Any]:
        if self.scenario.cluster.formed:
            yield from self.world.form()
        self.world.observe()
        # Let everybody have heartbeated once, as in a cluster that has been up for a moment.
        yield 2.0
        self.journal.note(rows.Begin, scenario=self.scenario.name)
        self.begin = self.world.clock.now
        self.begun.succeed()
        duration = self.scenario.duration
        ends = self.world.clock.now + duration if duration is not None else math.inf
        FaultInjector(self.world, self.scenario, ends)
        for step in self.scenario.steps:
            yield from self.step(step)
        if duration is not None:
            yield max(0.0, ends - self.world.clock.now)
        for expectation in self.scenario.expect:
            yield from self._expect(expectation.expect, expectation.within)
        self.journal.note(rows.End)

    def step(self, step: Any) -> Activity[Any]:
        if isinstance(step, DockerStep):
            yield from self._docker(step)
        elif isinstance(step, FaultStep):
            yield from self._fault(step)
        elif isinstance(step, WaitStep):
            yield from self._wait(step)
        elif isinstance(step, ExpectStep):
            yield from self._expect(step.expect, step.within)
        elif isinstance(step, SleepStep):
            yield step.sleep
        elif isinstance(step, NoteStep):
            self.journal.note(rows.Note, text=step.note)

    # -- names

    def _host(self, name: str) -> str:
        """The host a name means now."""
        if name == "leader":
            return self._current_leader() or self.world.manager_hosts[0]
        if name == "follower":
            leader = self._current_leader()
            return next((host for host in self._managers_up() if host != leader), self.world.manager_hosts[-1])
        return self.hosts.get(name, name)

    def _current_leader(self) -> str | None:
        for host in self._managers_up():
            node = self.world.engines[host].node
            if node is not None and node.manager is not None and node.manager.raft.is_leader:
                return host
        return None

    def _managers_up(self) -> list[str]:
        return [host for host in self.world.manager_hosts if self.world.engines[host].running]

    def _where(self, step: DockerStep) -> str:
        if step.on is not None:
            return self._host(step.on)
        up = self._managers_up()
        return up[0] if up else self.world.manager_hosts[0]

    def _filled(self, line: str) -> str:
        """``{name}`` becomes the host of that name, or the first output line of that command."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.results:
                return self.results[name].out.strip()
            if name in self.hosts or name in ("leader", "follower"):
                return self._host(name)
            if name in self.world.specs:
                return name
            return match[0]

        return _PLACEHOLDER.sub(value, line)

    # -- steps

    def _docker(self, step: DockerStep) -> Activity[Any]:
        host = self._where(step)
        result: Result = yield from self.world.docker(
            host, self._filled(step.docker), limit=step.within, stdin=step.input
        )
        if step.as_ is not None:
            self.results[step.as_] = result

    def _fault(self, step: FaultStep) -> Activity[Any]:
        verb, argument = step.fault.verb, step.fault.argument
        resolved = self._resolved(argument)
        what = words(verb, resolved)
        single = resolved if isinstance(resolved, str) and verb != "kill-container" else None
        self.journal.note(rows.Step, **fault_step(what, verb, named_hosts(verb, resolved), single))
        try:
            hosts = yield from FAULTS[verb](self.world, resolved, self._host)
        except FaultError as problem:
            self._fail(f"fault {what}", str(problem))
            return
        if step.as_ is not None and hosts:
            self.hosts[step.as_] = hosts[0]

    def _resolved(self, argument: Any) -> Any:
        if isinstance(argument, str):
            return argument if argument == "all" else self._host(argument)
        if isinstance(argument, list):
            return [self._resolved(item) for item in argument]
        field = "on" if isinstance(argument, AnyContainer) else "host"
        return argument.model_copy(update={field: self._host(getattr(argument, field))})

    # -- conditions

    def _check(self, condition: Condition) -> Activity[Any]:
        view: View | None = None
        if condition.subject in ("service", "node", "leader", "task"):
            view = yield from self.world.look()
        return check(condition, Facts(self.world, view, self._host, self.results, self.counts))

    def _until(self, condition: Condition, within: float) -> Activity[Any]:
        """Look until the condition holds or time is up; the last :class:`Seen`."""
        clock, ctx = self.world.clock, self.world.ctx
        deadline = clock.now + within
        while True:
            changed = ctx.next_change()
            seen: Seen = yield from self._check(condition)
            if seen.holds or clock.now >= deadline:
                return seen
            timeout = clock.timeout(max(0.0, deadline - clock.now))
            looked = clock.now
            yield clock.first_of((changed, timeout))
            yield POLL if clock.now - looked < POLL else self.world.poll_phase(self._rng)

    def _wait(self, step: WaitStep) -> Activity[Any]:
        started = self.world.clock.now
        seen = yield from self._until(step.wait, step.within)
        after = round(self.world.clock.now - started, 3)
        what = step.as_ or describe(step.wait)
        if seen.holds:
            self.journal.note(rows.Reached, what=what, after=after)
        else:
            self.journal.note(rows.NotReached, what=what, after=after)
            self._fail(f"{what} within {step.within:g} s", seen.what)

    def _expect(self, condition: Condition, within: float | None) -> Activity[Any]:
        if within is None:
            seen = yield from self._check(condition)
        else:
            seen = yield from self._until(condition, within)
        if not seen.holds:
            limit = f" within {within:g} s" if within is not None else ""
            self._fail(describe(condition) + limit, seen.what)

    def _fail(self, expected: str, seen: str) -> None:
        self.failures.append(UnmetExpectation(expected, seen, self.world.clock.now))
        self.journal.note(rows.Unmet, expected=expected, seen=seen)
