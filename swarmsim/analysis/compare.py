"""Simulated runs held against recorded ones: the model's claim to be believed.

*Times*: every value of every milestone of the real runs must lie inside the simulated 1–99 % band, and the real median
inside 10–90 %. How wide the bands are is judged by :mod:`swarmsim.analysis.ranks`. *Tasks*: the lives that tasks have
(their states, desired states, messages and errors in order, states shorter than the recorder's poll left out), how many
a service had and in which slots. *Nodes*: every row a node was listed with. *Order*: what came before what after a fault.
*Commands*: exit code, error text and output, tables row by row, with ids, times, and the choice of node among equals masked.
What the real runs did must occur in the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.milestones import FAULT_VERBS, Milestones, merged, milestones
from swarmsim.analysis.ranks import Ranked, ranked
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row

TRANSIENT = frozenset(("new", "pending", "assigned", "accepted", "preparing", "ready", "starting"))
"""States that a poll every 0.1 s may or may not catch."""

Life = tuple[tuple[str, str, str, str], ...]


class Band(NamedTuple):
    """One milestone: the real values and the simulated percentiles they are held against."""

    name: str
    real: list[float]
    low: float
    low_median: float
    median: float
    high_median: float
    high: float
    simulated: int
    tolerance: float

    @property
    def inside(self) -> bool:
        """Every real value in the 1–99 % band."""
        return all(self.low - self.tolerance <= value <= self.high + self.tolerance for value in self.real)

    @property
    def median_inside(self) -> bool:
        """The real median in the 10–90 % band."""
        middle = percentile(self.real, 0.5)
        return self.low_median - self.tolerance <= middle <= self.high_median + self.tolerance

    @property
    def ok(self) -> bool:
        return self.inside and self.median_inside

    @property
    def difference(self) -> str:
        """What a known difference in this milestone is found by."""
        return f"milestone {self.name!r}"


class Comparison(NamedTuple):
    """What was compared and what differs; each difference is a sentence.

    ``real`` are the real runs' milestones; ``unseen`` is what each of them did that no simulated run does, ``glimpsed`` which quickly passing states it
    showed that none shows.
    """

    bands: list[Band]
    differences: list[str]
    ranks: Ranked
    real: list[Milestones] = []
    unseen: list[list[str]] = []
    glimpsed: list[list[str]] = []

    @property
    def ok(self) -> bool:
        return not self.differences and all(band.ok for band in self.bands)


RESOLUTION = 0.005
"""Seconds by which a band is widened: the recorder's own clock and our rounding."""


LOOK = 0.15
"""Seconds: a look every 0.1 s, and its own time. Two changes within one look have no order."""


class Seen(NamedTuple):
    """What is compared of one run, besides times. Each fact is a sentence without what is luck; ``glimpses`` are those of states that a
    poll may miss: whether one is seen is a matter of how long it lasts."""

    facts: set[str]
    lives: set[Life]
    commands: set[tuple[str, int, str]]
    glimpses: set[str]

    @classmethod
    def of(cls, trace: Trace) -> Seen:
        rows = trace.of("task")
        facts = task_facts([row for row in rows if row["state"] not in TRANSIENT])
        facts |= node_facts(trace) | slot_facts(trace) | orders(trace)
        glimpses = task_facts([row for row in rows if row["state"] in TRANSIENT])
        return cls(facts, set(lives(trace).values()), command_shapes(trace), glimpses)


class Model(NamedTuple):
    """What simulated runs of one scenario do: what real runs are held against.

    ``once`` are the numbers of runs that do something which no other does (what a run does that was never seen before need not be impossible), ``glimpsed``
    of those that show a quickly passing state which no other shows.
    """

    runs: list[Milestones]
    seen: Seen
    once: frozenset[int]
    glimpsed: frozenset[int]

    @classmethod
    def of(cls, simulated: Iterable[Trace]) -> Model:
        runs: list[Milestones] = []
        every = Seen(set(), set(), set(), set())
        only: dict[Any, int | None] = {}
        for number, trace in enumerate(simulated):
            runs.append(milestones(trace))
            seen = Seen.of(trace)
            every.facts.update(seen.facts)
            every.lives.update(seen.lives)
            every.commands.update(seen.commands)
            every.glimpses.update(seen.glimpses)
            for thing in (*seen.facts, *seen.lives, *seen.commands, *seen.glimpses):
                only[thing] = None if thing in only else number
        alone = [(thing, number) for thing, number in only.items() if number is not None]
        glimpsed = frozenset(number for thing, number in alone if thing in every.glimpses)
        return cls(runs, every, frozenset(number for thing, number in alone if thing not in every.glimpses), glimpsed)


def compare(real: list[Trace], simulated: Iterable[Trace]) -> Comparison:
    """Hold recorded runs against an ensemble of simulated ones."""
    return held_against(Model.of(simulated), real)


def held_against(model: Model, real: list[Trace]) -> Comparison:
    """As :func:`compare`, for who holds several against the same model."""
    real_runs = [milestones(trace) for trace in real]
    real_values, sim_values = merged(real_runs), merged(model.runs)
    differences = [
        f"milestone {name!r} of the real runs ({values}) never happens in the model"
        for name, values in real_values.items()
        if name not in sim_values
    ]
    bands = [_band(name, values, sim_values[name]) for name, values in real_values.items() if name in sim_values]
    all_seen = [Seen.of(trace) for trace in real]
    unseen = [list(_never_in(model.seen, seen)) for seen in all_seen]
    glimpsed = [
        [f"{fact}: never in the model" for fact in sorted(seen.glimpses - model.seen.glimpses)] for seen in all_seen
    ]
    for found, quick in zip(unseen, glimpsed, strict=True):
        differences += [*quick, *found]
    ranks = ranked(real_runs, model.runs)
    return Comparison(bands, list(dict.fromkeys(differences)), ranks, real_runs, unseen, glimpsed)


def _never_in(model: Seen, real: Seen) -> Iterator[str]:
    """What a real run did and the model never does."""
    yield from (f"{fact}: never in the model" for fact in sorted(real.facts - model.facts))
    for life in sorted(real.lives - model.lives):
        told = " → ".join(f"{state}/{desired}{' ' + error if error else ''}" for state, desired, _, error in life)
        yield f"a task's life {told}: never in the model"
    ends = {(command, code) for command, code, _ in model.commands}
    for command, code, shape in sorted(real.commands - model.commands):
        if (command, code) not in ends:
            yield f"docker {command}: exit code {code} never in the model"
        else:
            yield f"docker {command}: exit code {code}, shape not seen in the model:\n{shape}"


def _band(name: str, real: list[float], simulated: list[float]) -> Band:
    low, low_median, median, high_median, high = (percentile(simulated, p) for p in (0.01, 0.10, 0.50, 0.90, 0.99))
    return Band(name, real, low, low_median, median, high_median, high, len(simulated), RESOLUTION)


# -- tasks


def _row(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return (row["state"], row["desired"], row["msg"] or "", row["err"] or "")


def task_facts(seen: Iterable[Row]) -> set[str]:
    """Every state, desired state, message and error a task was seen with."""
    return {
        f"a task was {state}, wanted {desired}, {message!r}, {error!r}"
        for state, desired, message, error in map(_row, seen)
    }


def slot_facts(trace: Trace) -> set[str]:
    """Of every service: how many tasks it had in all, and how many each slot."""
    slots: dict[str, dict[Any, set[str]]] = {}
    for row in trace.of("task"):
        slots.setdefault(row["service"], {}).setdefault(row["slot"], set()).add(row["task"])
    facts = set()
    for service, tasks in slots.items():
        facts.add(f"service {service} had {sum(map(len, tasks.values()))} tasks in all")
        facts |= {f"slot {slot} of service {service} had {len(found)} tasks" for slot, found in tasks.items() if slot}
        facts |= {f"a node had {len(found)} tasks of service {service}" for slot, found in tasks.items() if not slot}
    return facts


def lives(trace: Trace) -> dict[str, Life]:
    """The life of every task: what lasts longer than a poll, in order, each once."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in trace.of("task"):
        if row["state"] in TRANSIENT:
            continue
        life = found.setdefault(row["task"], [])
        if not life or life[-1] != _row(row):
            life.append(_row(row))
    return {task: tuple(life) for task, life in found.items()}


# -- nodes, and what comes before what


def node_facts(trace: Trace) -> set[str]:
    """Every row a node was listed with, whichever node it was."""
    return {
        f"a {row['role']} was {row['status']}, {row['avail']}, {row['reach'] or 'no manager'}"
        f"{', leader' if row['leader'] else ''}, {row['msg'] or ''!r}"
        for row in trace.rows
        if row["kind"] == "node"
    }


def orders(trace: Trace) -> set[str]:
    """After every fault: which of two things was seen first. Within one look they have no order."""
    facts: set[str] = set()
    fault, first = "", dict[str, float]()
    status: dict[str, str] = {}
    hit: set[str] = set()
    for row in [*trace.rows, {"kind": "step", "verb": None, "hosts": [], "t": 0.0}]:
        if row["kind"] == "step":
            facts.update(_orders(fault, first))
            fault, first = FAULT_VERBS.get(row["verb"] or "", ""), {}
            hit |= set(row["hosts"])
            continue
        event = None
        if row["kind"] == "node":
            changed, status[row["node"]] = status.get(row["node"]) != row["status"], row["status"]
            event = (
                f"{'a node that was hit' if row['node'] in hit else 'another node'} {row['status']}"
                if changed
                else None
            )
        elif row["kind"] == "task":
            event = f"a task {row['state']}, wanted {row['desired']}" if row["state"] not in TRANSIENT else None
        elif row["kind"] in ("no_manager_answers", "manager_answers"):
            event = row["kind"].replace("_", " ")
        if event is not None and fault:
            first.setdefault(event, row["t"])
    return facts


def _orders(fault: str, first: dict[str, float]) -> Iterator[str]:
    return (
        f"after {fault}: {a} before {b}" for a, at in first.items() for b, then in first.items() if then - at > LOOK
    )


# -- commands


# Traces of real hosts have stars in the place of what is secret; they stand for the same as what the model shows.
TOKEN = r"SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}"
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.S), "<pem>"),
    (re.compile(rf"{TOKEN}|SWMTKN-1-\*+"), "<token>"),
    (re.compile(r"SWMKEY-1-[0-9A-Za-z+/]{43}|SWMKEY-1-\*+"), "<key>"),
    (re.compile(r"\b[0-9a-z]{25}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hex>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\d+)?\b"), "<address>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| \+0000 (?:utc|UTC))"), "<time>"),
    (
        re.compile(
            r"(?i)\b(?:less than a second|about an? (?:minute|hour)|\d+ (?:second|minute|hour|day|week|month)s?)\b( ago)?"
        ),
        "<while>",
    ),
    (re.compile(r"\b[0-9a-z]{12}\b"), "<id>"),
)


def masked(text: str) -> str:
    """Text without what differs from run to run: ids, tokens, times, addresses, column widths."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return "\n".join(re.sub(r" {2,}", "  ", line).strip() for line in text.strip().splitlines())


def command_shapes(trace: Trace) -> set[tuple[str, int, str]]:
    """Every command, after which fault, with exit code and masked output.

    A table is compared row by row, but in any order: slots and nodes are left free, for which of several gets or
    loses a task is luck (:func:`slot_facts` has how many each got).
    """
    hosts = sorted({row["node"] for row in trace.rows if row["kind"] == "node"}, key=lambda name: (-len(name), name))
    shapes = set()
    after = ""
    for row in trace.rows:
        if row["kind"] == "step" and row["verb"] in FAULT_VERBS:
            after = f" after {FAULT_VERBS[row['verb']]}"
        if row["kind"] != "docker" or row["t"] < trace.begin:
            continue
        text = re.sub(r"\.\d+\b", ".N", masked(row["out"] + "\n" + row["err"]))
        for host in hosts:
            text = re.sub(rf"\b{re.escape(host)}\b", "<host>", text)
        text = re.sub(r"<id> \*", "<id>", text)
        lines = text.splitlines()
        command = masked(re.sub("['\"]", "", row["cmd"])) + after
        shapes.add((command, row["rc"], "\n".join([*lines[:1], *sorted(lines[1:])])))
    return shapes
