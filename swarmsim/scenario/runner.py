"""Running a scenario: build the cluster, do the steps one after the other, check what is expected.

An expectation that does not hold, and a wait that is not reached in time, is noted with what was seen
instead, and the run goes on: what follows is often what explains it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from swarmsim.docker.client import Result
from swarmsim.docker.command import Write
from swarmsim.docker.files import Files
from swarmsim.scenario.conditions import Facts, Seen, check, describe, on_belief
from swarmsim.scenario.faults import fault_row, resolved
from swarmsim.scenario.images import UnknownImages
from swarmsim.scenario.injector import FaultInjector
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, beside
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.schema import (
    BackupStep,
    DockerStep,
    ExpectStep,
    FaultStep,
    MeanwhileStep,
    NoteStep,
    RestoreStep,
    Scenario,
    SleepStep,
    WaitStep,
)
from swarmsim.scenario.traffic import CurlStep, Tally, TrafficStep
from swarmsim.trace import rows
from swarmsim.trace.rows import MESSAGES, Row, header, is_internal
from swarmsim.trace.state import CONTAINER_ROWS, ClusterState
from swarmsim.version import VERSION
from swarmsim.world import (
    OUTSIDE,
    POLL,
    Activity,
    BackupRequest,
    Capability,
    FaultError,
    HostSpec,
    Promise,
    Wait,
    World,
)
from swarmsim.world.authority import AuthoritySpec
from swarmsim.world.simulated import SimulatedWorld

SHOWN_BY_MANAGERS = ("service", "settled", "node", "leader", "task")
"""Subjects of conditions for which a manager is asked."""
_PLACEHOLDER = re.compile(r"(?<![{\w])\{([a-z][a-z0-9-]*)\}(?!\})")


class Said(NamedTuple):
    """What a docker command done at a set time printed, on ``out`` or ``err``: a ``text``, as a pipe has it, and what is ``drawn``
    on a terminal. Its last word has its exit ``code``."""

    stream: str
    text: str
    drawn: str
    code: int | None = None


class UnmetExpectation(NamedTuple):
    """An expectation that did not hold."""

    expected: str
    seen: str
    at: float


def without_fault(step: DockerStep) -> str:
    """What nobody writes down as an expectation: that our docker itself does not fail."""
    return f"docker {step.docker} without a fault of ours"


class Outcome(NamedTuple):
    """How a run ended."""

    failures: list[UnmetExpectation]
    simulated: float
    interrupted: bool = False
    believed: tuple[str, ...] = ()
    """What held by what managers show, while less ran in truth: a sentence each."""
    warnings: tuple[str, ...] = ()
    """What whoever reads the verdict must know of images that nobody described."""
    traffic: Mapping[str, Tally] = {}
    """What became of requests, by the name of their traffic."""
    real: bool = False
    """Whether it was on real engines."""

    @property
    def ok(self) -> bool:
        return not self.failures and not self.interrupted


def _files(loaded: LoadedScenario) -> Files:
    """What commands may read: the scenario's own files, then those beside it (or, of a shipped one, where one is)."""
    return Files(loaded.scenario.files, beside(loaded.source), loaded.scenario.environment)


def wanted_hosts(scenario: Scenario) -> list[HostSpec]:
    """The hosts that a scenario wants, managers first."""
    cluster = scenario.cluster
    managers, workers = cluster.names()
    taken = {settings.address for settings in cluster.hosts.values()}
    sites = cluster.site_of()
    hosts, number = [], 0
    for name in [*managers, *workers]:
        settings = cluster.settings(name)
        address = settings.address
        while address is None:
            number += 1
            candidate = f"10.97.{number // 250}.{number % 250 + 1}"
            address = candidate if candidate not in taken else None
        hosts.append(
            HostSpec(
                name,
                address,
                "manager" if name in managers else "worker",
                settings.cpus,
                settings.memory,
                settings.labels,
                settings.engine_labels,
                settings.profile or "",
                sites.get(name, ""),
                settings.resources,
                tuple((kind, plugin) for kind, _, plugin in (text.partition("/") for text in settings.plugins)),
                (settings.os, settings.arch),
                tuple(settings.paths),
            )
        )
    return hosts


def build_world(scenario: Scenario, seed: int, *, eager: bool = False) -> SimulatedWorld:
    """The scenario's machines, all running, no swarm on them yet. ``eager`` as for :class:`SimulatedWorld`."""
    return SimulatedWorld(
        wanted_hosts(scenario),
        seed,
        scenario.cluster.profile,
        images=[entry.image() for entry in scenario.images],
        unknown_images=scenario.unknown_images,
        eager=eager,
        gossip=scenario.gossips,
        authorities=[
            AuthoritySpec(name, settings.address or f"10.97.255.{number}", settings.takes, settings.expiry)
            for number, (name, settings) in enumerate(scenario.cluster.authorities.items(), 1)
        ],
    )


def refuse_what_is_not_possible(
    loaded: LoadedScenario, capabilities: Collection[Capability], verbs: Collection[str]
) -> None:
    """Raises :class:`ScenarioError` with the first place at which a scenario needs what a world of these capabilities and fault verbs
    cannot do, or if it is an exercise as it stands in its file: what is hidden in it would be missing."""
    if loaded.scenario.exercise is not None:
        raise ScenarioError(
            f"{loaded.source}: {loaded.scenario.name} is an exercise: it is watched, and sessions of it are checked"
        )
    for what, place in loaded.needs:
        if isinstance(what, Capability):
            if what not in capabilities:
                raise ScenarioError(f"{place}: this needs {what}, which there is not here; simulated clusters have it")
        elif what not in verbs:
            raise ScenarioError(f"{place}: the fault {what} is not possible here; possible are {', '.join(verbs)}")


class ScenarioRun:
    """A scenario that is being run, as far as one likes.

    ``sink`` is given every row of the trace as it happens. ``messages`` adds every Raft message; without ``internals`` only what a
    recorder of real clusters sees is given to it. Where a run is stopped on the way changes nothing. Raises :class:`ScenarioError`
    before anything is done if the world cannot do what the scenario needs.

    An ``open_ended`` run is one in which somebody may always do one thing more: it has no end, at which expectations would be judged.
    ``listener`` is given what docker commands done at set times print, as it appears.
    """

    def __init__(
        self,
        loaded: LoadedScenario,
        world: World,
        sink: Callable[[Row], object] | None = None,
        *,
        messages: bool = False,
        internals: bool = True,
        open_ended: bool = False,
        listener: Callable[[MeanwhileStep, Said], object] | None = None,
    ) -> None:
        refuse_what_is_not_possible(loaded, world.capabilities, world.verbs)
        world.files = _files(loaded)
        self.world = world
        self._run = _StepRunner(loaded.scenario, world, open_ended)
        if sink is not None:

            def wanted(row: Row) -> None:
                if internals or not is_internal(row["kind"]):
                    sink(row)

            world.subscribe(wanted, frozenset() if messages else MESSAGES)
        world.subscribe(self._run.count, MESSAGES)
        world.subscribe(self._run.real.apply, only=CONTAINER_ROWS)
        self._unknown_images = UnknownImages()
        world.subscribe(self._unknown_images.hear, only=UnknownImages.KINDS)
        world.introduce()
        actions = [(moment, step) for step in loaded.scenario.meanwhile for moment in step.moments]
        self._meanwhile = sorted(actions, key=lambda action: action[0])
        self._listener = listener
        self._interrupts: list[tuple[MeanwhileStep, Promise]] = []
        self._actions: list[Wait] = []
        self._under_way = 0
        self._steps = world.spawn(self._run.main())

    @property
    def now(self) -> float:
        return self.world.now

    @property
    def begin(self) -> float | None:
        """When the scenario proper began, in seconds; ``None`` while the cluster is being built."""
        return self._run.begin

    @property
    def failures(self) -> list[UnmetExpectation]:
        return self._run.failures

    @property
    def traffic(self) -> dict[str, Tally]:
        return self._run.traffic

    @property
    def believed(self) -> list[str]:
        return self._run.believed

    @property
    def warnings(self) -> list[str]:
        """What there is to say of images that nobody described."""
        return self._unknown_images.warnings()

    @property
    def finished(self) -> bool:
        """Whether all steps are done, those at set times too."""
        return self._steps.processed and not self._meanwhile and all(action.processed for action in self._actions)

    def advance(self, until: float) -> None:
        """Let time pass until ``until`` (seconds), whether or not the scenario is finished by then."""
        world = self.world
        while self.now < until:
            due = self._due()
            if due is not None and due <= self.now:
                self.act(self._meanwhile.pop(0)[1])
            else:
                stop = until if due is None else min(due, until)
                # Only when the cluster stands is known when the steps at set times are due.
                world.advance(
                    stop
                    if self.begin is not None
                    else world.first_of((self._run.begun, world.timeout(stop - self.now)))
                )

    def next(self, until: float = math.inf) -> bool:
        """Let time pass until something happens, if only inside. If that is not before ``until`` (seconds), no time passes; whether
        it did."""
        due = self._due()
        at = min(self.world.next_event(), math.inf if due is None else due)
        if at >= until:
            return False
        self.advance(math.nextafter(max(at, self.now), math.inf))
        return True

    def finish(self, until: float = math.inf) -> None:
        """Let time pass until all is done, or until ``until``."""
        world = self.world
        while not self.finished and self.now < until:
            waits: list[Wait]
            if self.begin is None:
                waits = [self._run.begun]
            elif self._meanwhile:
                self.advance(min(until, math.nextafter(self.begin + self._meanwhile[0][0], math.inf)))
                continue
            else:
                waits = [self._steps, *self._actions]
                waits = [next(wait for wait in waits if not wait.processed)]
            if until < math.inf:
                waits.append(world.timeout(until - self.now))
            world.advance(world.first_of(waits))

    def act(self, step: MeanwhileStep) -> None:
        """Do something now."""
        if step.seed is not None:
            self.world.reseed(step.seed)
            self.world.note(rows.Note, text=f"from here on with seed {step.seed}")
            self._check_meanwhile()
        else:
            self._under_way += 1
            self._actions.append(self.world.spawn(self._act(step)))

    def interrupt(self, step: MeanwhileStep) -> None:
        """Press Ctrl-C now on a docker command done at a set time, if it is still under way."""
        for known, pressed in self._interrupts:
            if known is step and not pressed.triggered:
                pressed.succeed()

    def _act(self, step: MeanwhileStep) -> Activity[None]:
        doing = step.step
        if isinstance(doing, DockerStep | CurlStep):
            yield from self._command(step, doing)
        else:
            yield from self._run.step(doing)
        self._under_way -= 1
        self._check_meanwhile()

    def _command(self, step: MeanwhileStep, doing: DockerStep | CurlStep) -> Activity[None]:
        listener, printed = self._listener, {"out": "", "err": ""}

        def write(stream: str, text: str, drawn: str) -> None:
            printed[stream] += text
            if listener is not None:
                listener(step, Said(stream, text, drawn))

        interrupt = (step, self.world.promise())
        self._interrupts.append(interrupt)
        if isinstance(doing, CurlStep):
            result = yield from self._run.curl(doing, write, interrupt[1])
        else:
            result = yield from self._run.docker(doing, write, interrupt[1])
        self._interrupts.remove(interrupt)
        if listener is not None:
            # What the command itself did not print: why it could not be typed, or how it ended.
            last = result.err.removeprefix(printed["err"])
            listener(step, Said("err", last, last, result.code))

    def _check_meanwhile(self) -> None:
        """Expectations wait until all that is done at set times is over."""
        over = self._run.meanwhile_over
        if not self._meanwhile and not self._under_way and not over.triggered:
            over.succeed()

    def _due(self) -> float | None:
        if self.begin is None or not self._meanwhile:
            return None
        return self.begin + self._meanwhile[0][0]


def run_scenario(
    loaded: LoadedScenario,
    seed: int,
    sink: Callable[[Row], object] | None = None,
    *,
    messages: bool = False,
    internals: bool = True,
    until: float | None = None,
    eager: bool = False,
) -> Outcome:
    """Simulate a scenario once, with options as for :class:`ScenarioRun` and :class:`SimulatedWorld`; ``until`` stops after that
    many simulated seconds.
    """
    world = build_world(loaded.scenario, seed, eager=eager)
    return run_on(world, loaded, sink, messages=messages, internals=internals, until=until)


def run_on(
    world: World,
    loaded: LoadedScenario,
    sink: Callable[[Row], object] | None = None,
    *,
    messages: bool = False,
    internals: bool = True,
    until: float | None = None,
) -> Outcome:
    """Run a scenario once on a world, whatever that is; otherwise as :func:`run_scenario`.

    An interrupt (Ctrl-C) ends the run in order, with what happened so far.
    """
    run = ScenarioRun(loaded, world, sink, messages=messages, internals=internals)
    interrupted, real = False, Capability.JUMP not in world.capabilities
    try:
        run.finish(math.inf if until is None else until)
    except KeyboardInterrupt:
        interrupted = True
    return Outcome(run.failures, run.now, interrupted, tuple(run.believed), tuple(run.warnings), run.traffic, real)


def trace_header(loaded: LoadedScenario, seed: int, on: str = "") -> dict[str, Any]:
    """The first row of a trace; ``on`` tells of real hosts, where it is not the model."""
    scenario = loaded.scenario
    about = " ".join(scenario.about.split())
    profile = on or scenario.cluster.profile
    return header(scenario.name, scenario.title, about, loaded.digest, seed, VERSION, profile)


class _StepRunner:
    """The steps of one scenario, one after the other."""

    def __init__(self, scenario: Scenario, world: World, open_ended: bool) -> None:
        self.scenario = scenario
        self.open_ended = open_ended
        self.world = world
        self.failures: list[UnmetExpectation] = []
        self.believed: list[str] = []
        self.results: dict[str, Result] = {}
        self.hosts: dict[str, str] = {}
        self._copied: dict[str, str] = {}
        """The host that each backup was taken of."""
        self.counts: dict[str, int] = {}
        self.traffic: dict[str, Tally] = {}
        self._flows: list[Wait] = []
        """Traffic that has begun."""
        self.real = ClusterState()
        """Containers, as rows told."""
        self.begin: float | None = None
        self.begun = world.promise()
        self.meanwhile_over = world.promise()

    def count(self, row: Row) -> None:
        self.counts[row["kind"]] = self.counts.get(row["kind"], 0) + 1
        if row["kind"] in ("request", "requests"):
            self.traffic.setdefault(row["traffic"], Tally()).count(row)

    def main(self) -> Activity[None]:
        world = self.world
        if self.scenario.cluster.formed:
            yield from world.form()
        world.observe()
        # Let everybody have heartbeated once, as in a cluster that has been up for a moment.
        yield 2.0
        world.note(rows.Begin, scenario=self.scenario.name)
        self.begin = world.now
        self.begun.succeed()
        duration = self.scenario.duration
        ends = world.now + duration if duration is not None else math.inf
        FaultInjector(world, self.scenario, ends)
        for step in self.scenario.steps:
            yield from self.step(step)
        if duration is not None:
            yield max(0.0, ends - world.now)
        if self.open_ended:
            return
        if self.scenario.meanwhile:
            yield self.meanwhile_over
        for flow in self._flows:
            yield flow
        for expectation in self.scenario.expect:
            yield from self._expect(expectation.expect, expectation.within)
        world.note(rows.End)

    def step(self, step: Any) -> Activity[None]:
        if isinstance(step, DockerStep):
            yield from self.docker(step)
        elif isinstance(step, CurlStep):
            yield from self.curl(step)
        elif isinstance(step, TrafficStep):
            self._flows.append(self.world.spawn(self._traffic(step)))
        elif isinstance(step, FaultStep):
            yield from self._fault(step)
        elif isinstance(step, BackupStep):
            yield from self._copy("backup", BackupRequest(step.as_, self._host(step.backup)))
        elif isinstance(step, RestoreStep):
            on = self._host(step.on) if step.on is not None else self._copied[step.restore]
            yield from self._copy("restore", BackupRequest(step.restore, on))
        elif isinstance(step, WaitStep):
            yield from self._wait(step)
        elif isinstance(step, ExpectStep):
            yield from self._expect(step.expect, step.within)
        elif isinstance(step, SleepStep):
            yield step.sleep
        elif isinstance(step, NoteStep):
            self.world.note(rows.Note, text=step.note)

    # -- names

    def _host(self, name: str) -> str:
        """The host a name means now."""
        if name == "leader":
            return self.world.leader() or self.world.managers()[0]
        if name == "follower":
            leader = self.world.leader()
            return next((host for host in self.world.managers_up() if host != leader), self.world.managers()[-1])
        return self.hosts.get(name, name)

    def _where(self, step: DockerStep) -> str:
        if step.on is not None:
            return self._host(step.on)
        up = self.world.managers_up()
        return up[0] if up else self.world.managers()[0]

    def _filled(self, line: str) -> str:
        """``{name}`` becomes the host of that name, or the first output line of that command."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.results:
                return self.results[name].out.strip()
            if name in self.hosts or name in ("leader", "follower"):
                return self._host(name)
            if name in self.world.hosts:
                return name
            return match[0]

        return _PLACEHOLDER.sub(value, line)

    # -- steps

    def docker(
        self, step: DockerStep, write: Write | None = None, interrupt: Promise | None = None
    ) -> Activity[Result]:
        host = self._where(step)
        result = yield from self.world.docker(
            host, self._filled(step.docker), step.within, self._filled(step.input), step.as_, write, interrupt
        )
        if result.fault:
            self._fail(without_fault(step), result.fault)
        if step.as_ is not None:
            self.results[step.as_] = result
        return result

    def curl(self, step: CurlStep, write: Write | None = None, interrupt: Promise | None = None) -> Activity[Result]:
        host = OUTSIDE if step.on == OUTSIDE else self._host(step.on)
        result = yield from self.world.curl(host, self._filled(step.curl), step.within, step.as_, write, interrupt)
        if step.as_ is not None:
            self.results[step.as_] = result
        return result

    def _traffic(self, step: TrafficStep) -> Activity[None]:
        traffic = step.traffic
        targets = traffic.targets(list(self.world.hosts))
        source = OUTSIDE
        if isinstance(traffic.from_, str):
            source = OUTSIDE if traffic.from_ == OUTSIDE else self._host(traffic.from_)
            targets = [self._host(name) for name in targets]
        yield from self.world.traffic(traffic.plan(step.as_, source, targets))

    def _fault(self, step: FaultStep) -> Activity[None]:
        verb, argument = step.fault.verb, resolved(step.fault, self._host, list(self.world.hosts))
        row = fault_row(step.fault, argument)
        self.world.note(rows.Step, **row)
        try:
            hosts = yield from self.world.fault(verb, argument)
        except FaultError as problem:
            self._fail(f"fault {row['what']}", str(problem))
            return
        if step.as_ is not None and hosts:
            self.hosts[step.as_] = hosts[0]

    def _copy(self, verb: str, request: BackupRequest) -> Activity[None]:
        words = f"back up {request.on} as" if verb == "backup" else f"restore {request.on} from"
        what = f"{words} {request.name}"
        if verb == "backup":
            self._copied[request.name] = request.on
        self.world.note(rows.Step, what=what, verb=verb, hosts=[request.on])
        try:
            yield from self.world.fault(verb, request)
        except FaultError as problem:
            self._fail(what, str(problem))

    # -- conditions

    def _check(self, condition: Condition) -> Activity[Seen]:
        shown: ClusterState | None = None
        if condition.subject in SHOWN_BY_MANAGERS:
            shown = yield from self.world.look()
        return check(
            condition, Facts(self.world.now, shown, self._host, self.results, self.real, self.counts, self.traffic)
        )

    def _until(self, condition: Condition, within: float) -> Activity[Seen]:
        """Look until the condition holds or time is up; the last :class:`Seen`."""
        world = self.world
        deadline = world.now + within
        while True:
            changed = world.next_change()
            seen = yield from self._check(condition)
            if seen.holds or world.now >= deadline:
                return seen
            left = max(0.0, deadline - world.now)
            timeout = world.timeout(left if seen.in_seconds is None else min(left, seen.in_seconds))
            looked = world.now
            yield world.first_of((changed, timeout))
            yield POLL if world.now - looked < POLL else world.until_next_look("scenario")

    def _wait(self, step: WaitStep) -> Activity[None]:
        started = self.world.now
        seen = yield from self._until(step.wait, step.within)
        after = round(self.world.now - started, 3)
        what = step.as_ or describe(step.wait)
        if seen.holds:
            row: rows.Reached = {"what": what, "after": after}
            self._note_belief(row, what, seen)
            self.world.note(rows.Reached, **row)
        else:
            self.world.note(rows.NotReached, what=what, after=after)
            self._fail(f"{what} within {step.within:g} s", seen.what)

    def _expect(self, condition: Condition, within: float | None) -> Activity[None]:
        if within is None:
            seen = yield from self._check(condition)
        else:
            seen = yield from self._until(condition, within)
        limit = f" within {within:g} s" if within is not None else ""
        what = describe(condition) + limit
        if seen.holds:
            row: rows.Met = {"expected": what, "seen": seen.what}
            self._note_belief(row, what, seen)
            self.world.note(rows.Met, **row)
        else:
            self._fail(what, seen.what)

    def _note_belief(self, row: rows.Reached | rows.Met, what: str, seen: Seen) -> None:
        if seen.believed is not None:
            row["believed"] = seen.believed
            self.believed.append(on_belief(what, seen.believed))

    def _fail(self, expected: str, seen: str) -> None:
        self.failures.append(UnmetExpectation(expected, seen, self.world.now))
        self.world.note(rows.Unmet, expected=expected, seen=seen)
