"""Running a scenario: build the cluster, let time pass until its steps (:mod:`.steps`) and what is done at set times are over.

A run can be stopped at any moment, looked at, and given one thing more to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from swarmsim.docker.files import Files
from swarmsim.scenario.images import UnknownImages
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, beside
from swarmsim.scenario.schema import DockerStep, MeanwhileStep, Scenario
from swarmsim.scenario.steps import StepRunner, UnmetExpectation
from swarmsim.scenario.traffic import CurlStep, Tally
from swarmsim.trace import rows
from swarmsim.trace.rows import MESSAGES, Row, header, is_internal
from swarmsim.trace.state import CONTAINER_ROWS
from swarmsim.version import VERSION
from swarmsim.world import Activity, Capability, HostSpec, Promise, Wait, World
from swarmsim.world.authority import AuthoritySpec
from swarmsim.world.simulated import SimulatedWorld


class Said(NamedTuple):
    """What a docker command done at a set time printed, on ``out`` or ``err``: a ``text``, as a pipe has it, and what is ``drawn``
    on a terminal. Its last word has its exit ``code``."""

    stream: str
    text: str
    drawn: str
    code: int | None = None


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
    loaded: LoadedScenario,
    capabilities: Collection[Capability],
    verbs: Collection[str],
    lacking: Mapping[str, str] | None = None,
) -> None:
    """Raises :class:`ScenarioError` with the first place at which a scenario needs what a world of these capabilities and fault verbs
    cannot do, or if it is an exercise as it stands in its file: what is hidden in it would be missing. ``lacking`` tells of verbs why
    just these hosts do not have them."""
    if loaded.scenario.exercise is not None:
        raise ScenarioError(
            f"{loaded.source}: {loaded.scenario.name} is an exercise: it is watched, and sessions of it are checked"
        )
    for what, place in loaded.needs:
        if isinstance(what, Capability):
            if what not in capabilities:
                raise ScenarioError(f"{place}: this needs {what}, which there is not here; simulated clusters have it")
        elif lacking and what in lacking:
            raise ScenarioError(f"{place}: the fault {what} is not possible here: {lacking[what]}")
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
        self._run = StepRunner(loaded.scenario, world, open_ended)
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
                due = self.begin + self._meanwhile[0][0]
                if due < self.now:  # only where time goes on by itself
                    self.act(self._meanwhile.pop(0)[1])
                else:
                    self.advance(min(until, math.nextafter(due, math.inf)))
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


def trace_header(loaded: LoadedScenario, seed: int, on: str = "", **real: Any) -> dict[str, Any]:
    """The first row of a trace; ``on`` and the fields ``real`` tell of real hosts, where it is not the model."""
    scenario = loaded.scenario
    about = " ".join(scenario.about.split())
    profile = on or Path(scenario.cluster.profile).name
    return header(scenario.name, scenario.title, about, loaded.digest, seed, VERSION, profile, **real)
