"""Simulated runs held against recorded ones: the model's claim to be believed.

Three things are compared. *Times*: every value of every milestone of the real runs must lie inside the
simulated 1–99 % band, and the real median inside 10–90 %. *Tasks*: the lives that tasks have (their
states, desired states, messages and errors in order, states shorter than the recorder's poll left out)
must be the same. *Commands*: exit code, error text and the shape of the output, with ids, times, and the
choice of node among equals masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.milestones import Milestones, merged, milestones
from swarmsim.trace.reader import Trace

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


class Comparison(NamedTuple):
    """What was compared and what differs; each difference is a sentence."""

    bands: list[Band]
    differences: list[str]

    @property
    def ok(self) -> bool:
        return not self.differences and all(band.ok for band in self.bands)


RESOLUTION = 0.005
"""Seconds by which a band is widened: the recorder's own clock and our rounding."""


def compare(real: list[Trace], simulated: Iterable[Trace]) -> Comparison:
    """Hold recorded runs against an ensemble of simulated ones."""
    real_values = merged(milestones(trace) for trace in real)
    sim_values: Milestones = {}
    sim_lives: set[Life] = set()
    sim_rows: set[tuple[str, str, str, str]] = set()
    sim_commands: set[tuple[str, int, str]] = set()
    for trace in simulated:
        for name, values in milestones(trace).items():
            sim_values.setdefault(name, []).extend(values)
        sim_lives |= set(lives(trace).values())
        sim_rows |= task_rows(trace)
        sim_commands |= command_shapes(trace)
    differences = []
    bands = []
    for name, values in real_values.items():
        if name not in sim_values:
            differences.append(f"milestone {name!r} of the real runs ({values}) never happens in the model")
            continue
        bands.append(_band(name, values, sim_values[name]))
    for trace in real:
        differences += _task_differences(trace, sim_lives, sim_rows)
        for shape in sorted(command_shapes(trace) - sim_commands):
            differences.append(f"docker {shape[0]}: exit code {shape[1]}, shape not seen in the model:\n{shape[2]}")
    return Comparison(bands, list(dict.fromkeys(differences)))


def _band(name: str, real: list[float], simulated: list[float]) -> Band:
    low, low_median, median, high_median, high = (percentile(simulated, p) for p in (0.01, 0.10, 0.50, 0.90, 0.99))
    return Band(name, real, low, low_median, median, high_median, high, len(simulated), RESOLUTION)


# -- tasks


def _row(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return (row["state"], row["desired"], row["msg"] or "", row["err"] or "")


def task_rows(trace: Trace) -> set[tuple[str, str, str, str]]:
    """Every (state, desired, message, error) a task was seen with."""
    return {_row(row) for row in trace.of("task")}


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


def _task_differences(trace: Trace, sim_lives: set[Life], sim_rows: set[tuple[str, str, str, str]]) -> list[str]:
    differences = [
        f"a task was {state}, wanted {desired}, {message!r}, {error!r}: never in the model"
        for state, desired, message, error in sorted(task_rows(trace) - sim_rows)
    ]
    for life in sorted(set(lives(trace).values()) - sim_lives):
        told = " → ".join(f"{state}/{desired}{' ' + error if error else ''}" for state, desired, _, error in life)
        differences.append(f"a task's life {told}: never in the model")
    return differences


# -- commands


_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}"), "<token>"),
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
    """Every command with exit code and masked output; slots, nodes and the order of rows are left free."""
    hosts = {row["node"] for row in trace.rows if row["kind"] == "node"}
    shapes = set()
    for row in trace.of("docker"):
        text = masked(row["out"] + "\n" + row["err"])
        text = re.sub(r"\.\d+\b", ".N", text)
        for host in sorted(hosts, key=len, reverse=True):
            text = re.sub(rf"\b{re.escape(host)}\b", "<host>", text)
        text = re.sub(r"<id> \*", "<id>", text)
        command = re.sub(r"\b[0-9a-f]{12}\b", "<id>", re.sub("['\"]", "", row["cmd"]))
        lines = text.splitlines()
        shapes.add((command, row["rc"], "\n".join([*lines[:1], *sorted(set(lines[1:]))])))
    return shapes
