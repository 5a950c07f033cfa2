"""Many seeds of one scenario, on all cores, the same results in any order."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from joblib import Parallel, delayed

from swarmsim.analysis.availability import Availability, Meter
from swarmsim.analysis.milestones import Milestones, merged, milestones
from swarmsim.scenario import run_scenario
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row, is_internal


class RunResult(NamedTuple):
    """One seed's milestones, unmet expectations and availability."""

    seed: int
    milestones: Milestones
    failures: list[str]
    simulated: float
    availability: Availability
    warnings: tuple[str, ...] = ()


def run_one(loaded: LoadedScenario, seed: int, eager: bool = False) -> RunResult:
    """Run one seed; only observations are kept while it runs."""
    rows: list[Row] = []
    meter = Meter()

    def sink(row: Row) -> None:
        meter.add(row)
        if not is_internal(row["kind"]):
            rows.append(row)

    outcome = run_scenario(loaded, seed, sink, eager=eager)
    trace = Trace({}, rows)
    failures = [f"{row['expected']}: {row['seen']}" for row in rows if row["kind"] == "unmet"]
    return RunResult(seed, milestones(trace), failures, trace.duration, meter.read(), outcome.warnings)


def record(loaded: LoadedScenario, seed: int, eager: bool = False) -> Trace:
    """The observations of one run as a trace in memory."""
    rows: list[Row] = []
    run_scenario(loaded, seed, rows.append, internals=False, eager=eager)
    return Trace({}, rows)


def record_many(loaded: LoadedScenario, seeds: Iterable[int], jobs: int = -1, *, eager: bool = False) -> list[Trace]:
    """The observations of many seeds, in their order."""
    return list(Parallel(n_jobs=jobs)(delayed(record)(loaded, seed, eager) for seed in seeds))


def run_ensemble(
    loaded: LoadedScenario, seeds: Iterable[int], jobs: int = -1, *, eager: bool = False
) -> Iterator[RunResult]:
    """Run all seeds; results come in the order of the seeds. ``jobs`` is a number of processes, -1 all cores."""
    work = (delayed(run_one)(loaded, seed, eager) for seed in seeds)
    yield from Parallel(n_jobs=jobs, return_as="generator")(work)


class Estimate(NamedTuple):
    """A mean over runs; with 95 % confidence the true one lies within ``half_width`` of it (Student's t)."""

    mean: float
    half_width: float


def estimates(runs: list[RunResult]) -> dict[str, Estimate]:
    """The mean of every figure of availability. One run has no width: it is infinite."""
    figures = [run.availability.figures() for run in runs]
    names = list(dict.fromkeys(name for one in figures for name in one))
    return {name: estimate([one[name] for one in figures if name in one]) for name in names}


def estimate(values: list[float]) -> Estimate:
    """Mean and confidence interval of independent values.

    >>> estimate([1.0, 2.0, 3.0])  # doctest: +ELLIPSIS
    Estimate(mean=2.0, half_width=2.48413771175...)
    """
    from scipy import stats

    n = len(values)
    if n < 2:
        return Estimate(values[0], math.inf)
    return Estimate(
        statistics.fmean(values), float(stats.t.ppf(0.975, n - 1)) * statistics.stdev(values) / math.sqrt(n)
    )


FEWEST_RUNS = 10
"""A confidence interval of fewer runs says little."""


def precise(runs: list[RunResult], precision: float) -> bool:
    """Whether every share of time that anything was missing is known to ``precision``, a part of its mean."""
    if len(runs) < FEWEST_RUNS:
        return False
    shares = [found for name, found in estimates(runs).items() if name.endswith(": share") and found.mean]
    return bool(shares) and all(found.half_width <= precision * found.mean for found in shares)


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


def pooled(runs: Iterable[RunResult]) -> Milestones:
    """All values of every milestone over an ensemble, in order of first appearance."""
    return merged(run.milestones for run in runs)
