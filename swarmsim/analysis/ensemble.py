"""Many seeds of one scenario, on all cores, the same results in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from joblib import Parallel, delayed

from swarmsim.analysis.milestones import Milestones, milestones
from swarmsim.scenario import run_scenario
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.trace.reader import Trace


class Run(NamedTuple):
    """One seed's milestones and unmet expectations."""

    seed: int
    milestones: Milestones
    failures: list[str]
    simulated: float


def run_one(loaded: LoadedScenario, seed: int, eager: bool = False) -> Run:
    """Run one seed; only observations are kept while it runs."""
    trace = record(loaded, seed, eager)
    failures = [f"{row['expected']}: {row['seen']}" for row in trace.rows if row["kind"] == "unmet"]
    return Run(seed, milestones(trace), failures, trace.duration)


def record(loaded: LoadedScenario, seed: int, eager: bool = False) -> Trace:
    """The observations of one run as a trace in memory."""
    rows: list[dict[str, object]] = []
    run_scenario(loaded, seed, rows.append, internals=False, eager=eager)
    return Trace({}, rows)


def run_ensemble(loaded: LoadedScenario, seeds: Iterable[int], jobs: int = -1, *, eager: bool = False) -> Iterator[Run]:
    """Run all seeds; results come in the order of the seeds. ``jobs`` is a number of processes, -1 all cores."""
    work = (delayed(run_one)(loaded, seed, eager) for seed in seeds)
    yield from Parallel(n_jobs=jobs, return_as="generator")(work)


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0..1) of ``values`` lie, linear between neighbours.

    >>> percentile([1.0, 2.0, 3.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def pooled(runs: Iterable[Run]) -> Milestones:
    """All values of every milestone over an ensemble, in order of first appearance."""
    values: Milestones = {}
    for run in runs:
        for name, found in run.milestones.items():
            values.setdefault(name, []).extend(found)
    return values
