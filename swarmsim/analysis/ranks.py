"""Ranks of real values among simulated ones, all scenarios together: is the model as wide as reality?

A band catches a model that is too narrow or misplaced. One that is too wide passes any band, and with three runs
a scenario nobody would see it. But if model and reality have the same distribution, the rank of a real value among
simulated ones (the share of them below it) is uniform on 0..1, whatever the distribution. Too wide a model
crowds the ranks at 1/2, too slow a model near 0.

The ranks of one run are not independent: a slow machine is slow all along. So the distances from uniformity
(Kolmogorov-Smirnov, Anderson-Darling) are not looked up in a table, but compared with those of simulated runs that are
judged in the place of the real ones: ``p`` is the share of them that are at least as far from uniform.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from swarmsim.analysis.milestones import Milestones

RunRanks = dict[str, float]
"""Of one run: each milestone's rank, 0..1."""

LEVEL = 0.01
"""The chance that a model without fault fails; each of the two tests has half of it (Bonferroni)."""

DRAWS = 2000
"""Sets of simulated runs that are judged in the place of the real ones."""

CLASSES = 10


class Ranked(NamedTuple):
    """One scenario's ranks: of its real runs, and of each simulated run among all of them."""

    real: list[RunRanks]
    simulated: list[RunRanks]


class RankTest(NamedTuple):
    """How far from uniform the ranks of the real runs are, and how often simulated runs are as far."""

    ranks: list[float]
    kolmogorov_smirnov: float
    anderson_darling: float
    p_kolmogorov_smirnov: float
    p_anderson_darling: float

    @property
    def ok(self) -> bool:
        return min(self.p_kolmogorov_smirnov, self.p_anderson_darling) >= LEVEL / 2

    @property
    def classes(self) -> list[int]:
        """How many ranks lie in each tenth of 0..1."""
        counts = [0] * CLASSES
        for rank in self.ranks:
            counts[min(int(rank * CLASSES), CLASSES - 1)] += 1
        return counts


def ranked(real: Sequence[Milestones], simulated: Sequence[Milestones]) -> Ranked:
    """Ranks of one value a run and milestone: the median of those it has, since what a run repeats is not independent.

    A milestone counts if real and simulated runs have it.
    """
    reals, sims = [_medians(run) for run in real], [_medians(run) for run in simulated]
    ordered: dict[str, list[float]] = {}
    for run in sims:
        for name, value in run.items():
            ordered.setdefault(name, []).append(value)
    shared = [name for name in ordered if any(name in run for run in reals)]
    for name in shared:
        ordered[name].sort()

    def ranks(run: dict[str, float]) -> RunRanks:
        return {name: _rank(run[name], ordered[name]) for name in shared if name in run}

    return Ranked([ranks(run) for run in reals], [ranks(run) for run in sims])


def rank_test(scenarios: Sequence[Ranked], seed: int = 1) -> RankTest:
    """Test the ranks of all scenarios' real runs together. Raises :class:`ValueError` if there are none."""
    found = [rank for one in scenarios for run in one.real for rank in run.values()]
    if not found:
        raise ValueError("no milestone that real and simulated runs share")
    ks, ad = kolmogorov_smirnov(found), anderson_darling(found)
    rng = Random(seed)
    ks_as_far = ad_as_far = 0
    for _ in range(DRAWS):
        drawn = [
            rank
            for one in scenarios
            for run in rng.sample(one.simulated, min(len(one.real), len(one.simulated)))
            for rank in run.values()
        ]
        ks_as_far += kolmogorov_smirnov(drawn) >= ks
        ad_as_far += anderson_darling(drawn) >= ad
    return RankTest(found, ks, ad, (1 + ks_as_far) / (1 + DRAWS), (1 + ad_as_far) / (1 + DRAWS))


def kolmogorov_smirnov(ranks: Sequence[float]) -> float:
    """The greatest distance between the ranks' distribution and the uniform one.

    >>> kolmogorov_smirnov([0.5])
    0.5
    """
    n = len(ranks)
    return max(max((i + 1) / n - rank, rank - i / n) for i, rank in enumerate(sorted(ranks)))


def anderson_darling(ranks: Sequence[float]) -> float:
    """A² of the ranks against the uniform distribution: like Kolmogorov-Smirnov, with more weight at both ends."""
    ordered, n = sorted(ranks), len(ranks)
    total = sum((2 * i + 1) * (math.log(ordered[i]) + math.log(1 - ordered[n - 1 - i])) for i in range(n))
    return -n - total / n


def _medians(run: Milestones) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in run.items()}


def _rank(value: float, ordered: list[float]) -> float:
    """Between 0 and 1, never at an end; equal values count half."""
    below, not_above = bisect_left(ordered, value), bisect_right(ordered, value)
    return ((below + not_above) / 2 + 0.5) / (len(ordered) + 1)
