"""Advice on a cluster, from experiments on variants of its scenario (``swarmsim advise``).

Nothing here knows where the scheduler would put a task or what makes a quorum: variants are run, and what came of them is read.

- *How many managers?* The managers alone, 1 to 5 of them and as many as there are, over the sites in turn, for years under the scenario's laws
  of failure: how long a majority was missing.
- *What is lost with what?* The cluster as the steps before the first fault leave it. Each host and each site loses power for good; who
  has not come back :data:`PATIENCE` later, cannot survive that loss. Of hosts that are alike in all that is said of them and in what runs
  on them, in a large cluster only one is tried.
- *What does one more worker buy?* The same with a twin of the last worker, which is like it in all that the file says of it: size, labels,
  site, laws.

What a scenario leaves open is assumed, and said (:attr:`Advice.assumed`). Every figure has the command that shows it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from joblib import Parallel, delayed

from swarmsim.analysis.availability import Availability, Meter, Outages
from swarmsim.analysis.ensemble import Estimate, estimate
from swarmsim.analysis.variant import Law, Layout, Variant
from swarmsim.scenario import run_scenario
from swarmsim.scenario.duration import UNITS
from swarmsim.scenario.loader import LoadedScenario, parse_scenario
from swarmsim.scenario.schema import FaultStep
from swarmsim.trace.rows import Row
from swarmsim.trace.state import LEAVING, TERMINAL, WAITING, ClusterState
from swarmsim.yamldoc import Document

YEAR = UNITS["y"]
HOST_LAW: Law = {"every": {"exponential": "90d"}, "for": {"lognormal": {"median": "1h", "sigma": 1}}}
"""Of a host whose scenario says nothing of failures. An assumption, not a measurement: power, kernel and hardware four times a year, and
somebody who comes within hours."""
SITE_LAW: Law = {"every": {"exponential": "1y"}, "for": {"lognormal": {"median": "1h", "sigma": 1}}}
"""Of a site, likewise: once a year."""
FAILURES_OF_A_MANAGER = 30
"""So many in every run, on average; the time that is simulated follows from it, and how long the advice takes."""
FAILURES_THAT_COUNT = 5
"""Likewise where each of them is an outage: with one manager or two."""
LONG, OF_LONG_ONES = 4 * 3600.0, 3
"""Outages of more seconds than this, on average, cost time to simulate: while a quorum is missing, those who are left stand for election
again and again. Of such, so many times fewer."""
FAILURES_OF_A_CLUSTER = 60
"""Likewise, of all its hosts together, where services run as well."""
LONGEST = 50 * YEAR
SETTLED, SETTLED_WITHIN = 10.0, 600.0
"""Seconds without change before anything is lost, and how long they are waited for."""
PATIENCE = 600.0
"""Seconds after a loss: what is not back by then is taken for lost."""
LOSS_SEEDS = 3
"""Of the runs of a loss the worst is told; they hardly differ."""
FEW_HOSTS = 12
"""In a larger cluster, of hosts that are alike only one is lost."""


class Figure(msgspec.Struct, frozen=True):
    """Of something that was missing: minutes a year with the half width of their 95 % confidence interval, and incidents a year.

    ``years`` were simulated in all; where nothing was missing in them, the interval says nothing and they do. ``again`` is the command.
    """

    minutes: float
    half_width: float
    incidents: float
    years: float
    again: str


class ManagerCount(msgspec.Struct, frozen=True):
    """So many managers, how they are spread over the sites, and how long they have no quorum. ``now``: as the scenario has them."""

    managers: int
    sites: dict[str, int]
    now: bool
    no_quorum: Figure


class Lacking(msgspec.Struct, frozen=True):
    """A service that has not what it wants: ``running`` of ``replicas`` (``None``: it is global), and why, in the scheduler's words."""

    service: str
    running: int
    replicas: int | None
    why: str


class Loss(msgspec.Struct, frozen=True):
    """What followed when ``hosts`` lost power for good, in the worst run.

    ``name`` is that of the host or the site, ``alike`` are hosts that were not tried because they are like it. ``below`` and
    ``zero`` are how long, in seconds, services that came back were below their replicas and at zero.
    """

    name: str
    hosts: list[str]
    site: bool
    alike: list[str]
    quorum: bool
    lacking: list[Lacking]
    below: dict[str, float]
    zero: dict[str, float]
    again: str

    @property
    def survived(self) -> bool:
        return self.quorum and not self.lacking

    @property
    def badness(self) -> tuple[bool, int, float]:
        """By which the worst is chosen."""
        short = sum((each.replicas or 1) - each.running for each in self.lacking)
        return not self.quorum, short, sum(self.below.values()) + sum(self.zero.values())


class OneMoreWorker(msgspec.Struct, frozen=True):
    """``worker`` is the new one, like ``twin_of`` (empty: of default size). Figures by what was missing, without and with it; ``losses`` are those
    that could not be survived without it."""

    worker: str
    twin_of: str
    without: dict[str, Figure]
    having: dict[str, Figure]
    losses: list[Loss]


class Advice(msgspec.Struct, frozen=True):
    """All of it. ``services`` are those judged, ``lacking`` what they lack before anything is lost."""

    scenario: str
    title: str
    seeds: int
    assumed: list[str]
    laws: list[Law]
    managers: list[ManagerCount]
    services: list[str]
    lacking: list[Lacking]
    losses: list[Loss]
    worker: OneMoreWorker | None


class Observed(NamedTuple):
    """One run. ``before`` and ``whole`` are as it was at the moment of the loss: what had been missing, and which services were not.

    ``serving`` has running and wanted of each service at the end, ``why`` what the scheduler says of tasks that wait, ``load`` how
    many tasks of each service each host has.
    """

    seconds: float
    availability: Availability
    before: Availability
    whole: frozenset[str]
    quorum: bool
    serving: dict[str, tuple[int, int | None]]
    why: dict[str, str]
    load: dict[str, dict[str, int]]


JUDGED_MODES = ("replicated", "global")
"""A job is over some time; that is no loss."""


def observe(loaded: LoadedScenario, seed: int, lost_at: float) -> Observed:
    """Run one seed; ``lost_at`` is in seconds from the beginning of the scenario."""
    meter, state = Meter(), ClusterState()
    serving: dict[str, tuple[int, int | None]] = {}
    moment: list[tuple[Availability, frozenset[str]]] = []

    def sink(row: Row) -> None:
        if not moment and state.begin is not None and row["t"] >= state.begin + lost_at:
            moment.append((meter.read(), _whole(serving, state)))
        meter.add(row)
        state.apply(row)
        if row["kind"] == "serving":
            serving[row["service"]] = row["running"], row["replicas"]

    run_scenario(loaded, seed, sink)
    judged = {
        service: serving.get(service, (0, known.replicas))
        for service, known in sorted(state.services.items())
        if known.mode in JUDGED_MODES
    }
    before, whole = moment[0] if moment else (meter.read(), _whole(serving, state))
    load: dict[str, dict[str, int]] = {}
    for host, tasks in state.tasks_by_host().items():
        for task in tasks:
            load.setdefault(host, {}).setdefault(task["service"], 0)
            load[host][task["service"]] += 1
    quorum = bool(state.quorum and state.quorum["quorum"])
    found = meter.read()
    return Observed(found.seconds, found, before, whole, quorum, judged, _reasons(state), load)


def _short(running: int, replicas: int | None) -> bool:
    """Whether a service lacks something; a global one only if nothing of it is left: it follows the nodes."""
    return running < replicas if replicas is not None else running == 0


def _whole(serving: Mapping[str, tuple[int, int | None]], state: ClusterState) -> frozenset[str]:
    return frozenset(service for service in state.services if not _short(*serving.get(service, (0, None))))


def _reasons(state: ClusterState) -> dict[str, str]:
    """Of each service that has one: why its first task that waits does, or why its last one ended."""
    found: dict[str, str] = {}
    for task in state.tasks.values():
        if task["err"] and task["state"] in TERMINAL:
            found[task["service"]] = task["err"]
    for task in reversed(state.tasks.values()):
        if task["err"] and task["state"] in WAITING and task["desired"] not in LEAVING:
            found[task["service"]] = task["err"]
    return found


class Tried(NamedTuple):
    """What is to be lost: the name of a host or a site, its hosts, and hosts that need not be tried because they are like it."""

    name: str
    hosts: list[str]
    alike: list[str]


class Adviser:
    """The questions to a scenario's text; each answer is worked out when it is first asked for.

    ``told`` is given how many runs are done, and of how many that are known by then; ``jobs`` is a number of processes, -1 all
    cores. Raises :class:`~swarmsim.scenario.loader.ScenarioError` if the scenario cannot be used.
    """

    def __init__(
        self,
        text: str,
        source: str,
        seeds: range,
        told: Callable[[int, int], object] = lambda done, total: None,
        jobs: int = -1,
    ) -> None:
        self.text, self.source, self.seeds = text, source, seeds
        self._told, self._jobs = told, jobs
        self._done = self._total = 0
        self.scenario = parse_scenario(text, source).scenario
        self.data: dict[str, Any] = Document(text, text_keys=True).data
        self.layout = Layout(self.data, self.scenario)
        self.sites = self._sites()
        self.assumed: list[str] = []
        self._assume_laws()

    def advice(self) -> Advice:
        """All answers."""
        managers = self.managers
        losses, worker = (self.losses, self.worker) if self.services else ([], None)
        return Advice(
            self.scenario.name,
            self.scenario.title,
            len(self.seeds),
            self.assumed,
            self.layout.faults,
            managers,
            self.services,
            self.lacking,
            losses,
            worker,
        )

    @cached_property
    def services(self) -> list[str]:
        """Those that are judged."""
        return list(self._settled[0].serving)

    @cached_property
    def lacking(self) -> list[Lacking]:
        """What services lack before anything is lost."""
        return _lacking(self._settled[0], self.services)

    # -- running

    def _run(self, variants: list[Variant], lost_at: float = math.inf) -> list[list[Observed]]:
        """All seeds of all variants, on all cores, in their order."""
        loaded = [parse_scenario(self.text, self.source, variant.changes) for variant in variants]
        work = [
            delayed(observe)(one, seed, lost_at)
            for variant, one in zip(variants, loaded, strict=True)
            for seed in variant.seeds
        ]
        self._total += len(work)
        found: list[Observed] = []
        for run in Parallel(n_jobs=self._jobs, return_as="generator")(work):
            found.append(run)
            self._done += 1
            self._told(self._done, self._total)
        runs = iter(found)
        return [[next(runs) for _ in variant.seeds] for variant in variants]

    @property
    def _loss_seeds(self) -> range:
        return self.seeds[:LOSS_SEEDS]

    def _changed(self, layout: Layout, **values: Any) -> dict[str, Any]:
        """The changes that make a variant: those of a layout, and values of the scenario where they are not so already."""
        changes = layout.changes()
        for key, value in values.items():
            if (self.data.get(key) or None) != (value or None):
                changes[key] = value
        return changes

    def _deployed(self, layout: Layout | None = None, settle: bool = False, **values: Any) -> dict[str, Any]:
        """The cluster as the steps before the first fault leave it; then nothing happens, or what ``values`` say."""
        steps: list[Any] = self.data.get("steps") or []
        faults = [number for number, step in enumerate(self.scenario.steps) if isinstance(step, FaultStep)]
        kept = steps[: faults[0]] if faults else list(steps)
        if settle:
            kept.append({"wait": {"settled": f"{SETTLED:g}s"}, "within": f"{SETTLED_WITHIN:g}s"})
        layout = (layout or self.layout).copy()
        if "duration" not in values or "meanwhile" in values:
            layout.faults = []
        return self._changed(layout, **{"steps": kept, "meanwhile": [], "expect": [], "duration": None, **values})

    # -- laws of failure

    def _sites(self) -> dict[str, list[str]]:
        """The sites of the map, and the groups that a law says fail together."""
        sites = {name: list(members) for name, members in self.layout.sites.items()}
        for law in self.layout.faults:
            if "site" in law and sorted(law["site"]) not in map(sorted, sites.values()):
                sites[" ".join(law["site"])] = list(law["site"])
        return sites

    def _assume_laws(self) -> None:
        """Complete the laws, if there are none, or none by which a manager fails."""
        laws = self.layout.faults
        if not laws:
            laws.append({"hosts": "all", **HOST_LAW})
            sites = self.layout.sites.values()
            laws += [{"site": list(members), **SITE_LAW} for members in sites if len(sites) > 1 and members]
            self.assumed.append(
                "The scenario has no laws of failure (faults:), so these are assumed; write your own there."
            )
        elif not self._failing(self.layout, self.layout.managers):
            laws.append({"hosts": "managers", **HOST_LAW})
            self.assumed.append("No law of the scenario lets managers fail, so the last one is assumed.")

    def _failing(self, layout: Layout, hosts: Iterable[str]) -> float:
        """How often hosts fail in a second, all together, on average."""
        scenario = parse_scenario(self.text, self.source, layout.changes()).scenario
        rate = 0.0
        for process in scenario.faults:
            hit = {host for group in process.victims(scenario.cluster) for host in group}
            rate += len(hit & set(hosts)) / (process.every.mean + process.for_.mean)
        return rate

    @property
    def _outages_are_long(self) -> bool:
        faults = parse_scenario(self.text, self.source, self.layout.changes()).scenario.faults
        return max(process.for_.mean for process in faults) > LONG

    # -- how many managers

    @cached_property
    def managers(self) -> list[ManagerCount]:
        now = len(self.layout.managers)
        counts = sorted({1, 2, 3, 4, 5, now, *([now + 2] if now >= 5 else [])})
        healthy = now / self._failing(self.layout, self.layout.managers)
        long = self._outages_are_long
        layouts: list[tuple[Layout, bool]] = []
        for count in counts:
            spread = self._placed(count)
            if count == now:
                present = self.layout.copy()
                present.keep(present.managers)
                layouts.append((present, True))
                if sorted(self._per_site(present).values()) == sorted(self._per_site(spread).values()):
                    continue
            layouts.append((spread, False))
        variants = []
        for layout, _ in layouts:
            failures = FAILURES_OF_A_MANAGER if len(layout.managers) > 2 else FAILURES_THAT_COUNT
            failures = max(2, failures // OF_LONG_ONES) if long else failures
            changes = self._changed(layout, steps=[], meanwhile=[], expect=[], duration=span(failures * healthy))
            if not self.scenario.cluster.formed:
                changes["cluster.formed"] = True
            variants.append(Variant(self.source, changes, self.seeds))
        return [
            ManagerCount(
                len(layout.managers),
                self._per_site(layout),
                present,
                _figure(runs, lambda found: found.quorum, variant),
            )
            for (layout, present), variant, runs in zip(layouts, variants, self._run(variants), strict=True)
        ]

    def _per_site(self, layout: Layout) -> dict[str, int]:
        managers = set(layout.managers)
        return {site: len(managers.intersection(layout.sites.get(site, ()))) for site in self.layout.sites}

    def _placed(self, count: int) -> Layout:
        """So many managers and nothing else, one site after the other; those there are first, then twins of them."""
        layout = self.layout.copy()
        somewhere = {host for members in layout.sites.values() for host in members}
        groups = [list(members) for members in layout.sites.values()]
        groups.append([host for host in layout.managers if host not in somewhere])
        managers = set(layout.managers)
        ordered = [sorted(group, key=lambda host: host not in managers) for group in groups if group]
        ordered.sort(key=lambda group: -len(managers.intersection(group)))
        spare = [[host for host in group if host in managers] for group in ordered]
        chosen: list[str] = []
        for number in range(count):
            place = number % len(ordered)
            if spare[place]:
                chosen.append(spare[place].pop(0))
            else:
                chosen.append(layout.twin(ordered[place][0], "manager"))
        layout.keep(chosen)
        return layout

    # -- what is lost with what

    @cached_property
    def losses(self) -> list[Loss]:
        return self._losses(self.layout, self._tried(self._settled[0].load))

    @cached_property
    def _settled(self) -> list[Observed]:
        return self._run([Variant(self.source, self._deployed(settle=True), self._loss_seeds)])[0]

    def _tried(self, load: Mapping[str, Mapping[str, int]]) -> list[Tried]:
        """All hosts, or of many those that differ, and all sites."""
        groups: dict[str, list[str]] = {}
        cluster = self.scenario.cluster
        for host in self.layout.names:
            said = (
                host in self.layout.managers,
                cluster.settings(host),
                [site for site, members in self.sites.items() if host in members],
                sorted(load.get(host, {}).items()),
            )
            groups.setdefault(repr(said) if len(self.layout.names) > FEW_HOSTS else host, []).append(host)
        hosts = [Tried(group[0], group[:1], group[1:]) for group in groups.values()]
        return hosts + [Tried(site, members, []) for site, members in self.sites.items() if len(members) > 1]

    def _losses(self, layout: Layout, tried: list[Tried]) -> list[Loss]:
        at = 10.0 * math.ceil(max(run.seconds for run in self._settled) / 10)
        variants = []
        for _, hosts, _ in tried:
            fault = {"power-off": hosts[0] if len(hosts) == 1 else hosts}
            changes = self._deployed(layout, duration=span(at + PATIENCE), meanwhile=[{"at": span(at), "fault": fault}])
            variants.append(Variant(self.source, changes, self._loss_seeds))
        losses = []
        for (name, hosts, alike), variant, runs in zip(tried, variants, self._run(variants, at), strict=True):
            found = [
                _loss(run, name, hosts, name in self.sites, alike, variant.only(seed).command)
                for seed, run in zip(variant.seeds, runs, strict=True)
            ]
            losses.append(max(found, key=lambda loss: loss.badness))
        return losses

    # -- one more worker

    @cached_property
    def worker(self) -> OneMoreWorker | None:
        if not self.scenario.cluster.formed:
            self.assumed.append("The steps form the swarm, so a worker more would have to join by them: not tried.")
            return None
        layout = self.layout.copy()
        twin_of = layout.workers[-1] if layout.workers else ""
        if twin_of:
            worker = layout.twin(twin_of, "worker")
        else:
            layout.workers.append(worker := "w1")
        length = span(FAILURES_OF_A_CLUSTER / self._failing(self.layout, self.layout.names))
        variants = [
            Variant(self.source, self._deployed(one, duration=length), self.seeds) for one in (self.layout, layout)
        ]
        without, having = (_missing(runs, variant) for variant, runs in zip(variants, self._run(variants), strict=True))
        names = [name for name in without if name in having and without[name].minutes + having[name].minutes > 0]
        again: list[Tried] = [Tried(loss.name, loss.hosts, []) for loss in self.losses if loss.lacking]
        return OneMoreWorker(
            worker,
            twin_of,
            {name: without[name] for name in names},
            {name: having[name] for name in names},
            self._losses(layout, again),
        )


def span(seconds: float) -> str:
    """A length of time as a scenario has it: in years or days where it is long, which rounds it.

    >>> [span(length) for length in (130.0, 1e6, 2e8, 1e12)]
    ['130s', '12d', '6y', '50y']
    """
    seconds = min(seconds, LONGEST)
    for unit in ("y", "d"):
        if seconds >= 5 * UNITS[unit]:
            return f"{round(seconds / UNITS[unit])}{unit}"
    return f"{max(1, round(seconds))}s"


def _figure(runs: list[Observed], of: Callable[[Availability], Outages], variant: Variant) -> Figure:
    shares = estimate([of(run.availability).share(run.seconds) for run in runs])
    years = sum(run.seconds for run in runs) / YEAR
    incidents = sum(of(run.availability).incidents for run in runs) / years
    minutes = Estimate(*(share * YEAR / 60 for share in shares))
    return Figure(minutes.mean, minutes.half_width, incidents, years, variant.command)


def _missing(runs: list[Observed], variant: Variant) -> dict[str, Figure]:
    """A figure for all that can be missing, by the names of :meth:`Availability.outages`."""
    names = [name for name in runs[0].availability.outages() if name != "no leader"]
    return {name: _figure(runs, lambda found, name=name: found.outages()[name], variant) for name in names}  # type: ignore[misc]


def _lacking(run: Observed, services: Iterable[str]) -> list[Lacking]:
    return [
        Lacking(service, *run.serving[service], run.why.get(service, ""))
        for service in services
        if service in run.serving and _short(*run.serving[service])
    ]


def _loss(run: Observed, name: str, hosts: list[str], site: bool, alike: list[str], again: str) -> Loss:
    """What followed a loss. What was not whole before it is no consequence of it."""
    lacking = _lacking(run, sorted(run.whole))
    back = sorted(run.whole - {each.service for each in lacking})

    def since(of: Callable[[Availability], Mapping[str, Outages]], service: str) -> float:
        before = of(run.before).get(service, Outages(0.0, 0, 0.0)).seconds
        return round(of(run.availability)[service].seconds - before, 3) if service in of(run.availability) else 0.0

    below = {service: since(lambda found: found.below, service) for service in back}
    zero = {service: since(lambda found: found.zero, service) for service in back}
    return Loss(
        name,
        hosts,
        site,
        alike,
        run.quorum,
        lacking,
        {service: gap for service, gap in below.items() if gap},
        {service: gap for service, gap in zero.items() if gap},
        again,
    )
