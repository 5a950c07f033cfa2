"""What real runs say of the model, and how sure that is: Wald's sequential test, on everything that is compared.

With a dozen milestones, some real value lies outside the simulated 1-99 % by mere chance in every fifth run. So one run does not
tell. Of everything that is compared (each milestone; what was seen besides times; states that pass quickly) two claims are weighed against each other:

- the model is right: a real run is as seldom unusual in it as a simulated one (``usual``: 2 % for times, for what was seen the share of
  simulated runs that do what no other does);
- the model is wrong: half of what it calls usual is not.

Each run in which the thing is as usual halves the odds of the second claim; each in which it is not multiplies them (by 25 or so). At
1 : 8 it is settled that the thing is :attr:`Standing.SAME`; it :attr:`Standing.DIFFERS` where the odds are so long that all things together would be accused
wrongly in one of twenty comparisons, and two runs at least were unusual in it. Between, more runs would tell.

A run on a machine that had other work to do tells nothing of times, nor of states that pass quickly, for they last longer there; what else was seen, and in
what order, it does tell.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from swarmsim.analysis.compare import RESOLUTION, Comparison, Model
from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.milestones import Milestones

OUTER = (0.01, 0.99)
"""The percentiles of simulated runs between which a time is usual."""
LEVEL = 0.05
"""The chance that a model without fault is said to differ."""
CLEARED = 1 / 8
"""Odds at which a thing is settled to be the same: three usual runs."""
EVERY = 0.98
"""A milestone that so many of the simulated runs have is missed where a real run has none."""
SEEN = "what was seen"
"""The thing that is not a milestone: lives of tasks, rows of nodes, outputs of commands, what came first."""
GLIMPSED = "states that pass quickly"
"""Which of the states that last shorter than a look were caught by one. That is a matter of times."""
FEWEST = 2
"""Runs that must be unusual in a thing before the model is said to differ: what happens once may have a cause outside."""


class Standing(StrEnum):
    """How a thing, or all of them, stands."""

    SAME = "same"
    SO_FAR = "same so far"
    DOUBT = "in doubt"
    DIFFERS = "differs"


class Item(NamedTuple):
    """One thing that is compared: in how many real runs it was judged, in how many of them it was unusual, the odds that the model is
    wrong in it (against 1), how it stands, and, of a milestone, between which seconds a run is usual."""

    name: str
    runs: int
    unusual: int
    odds: float
    standing: Standing
    usual: tuple[float, float] | None = None


class Verdict(NamedTuple):
    """All of them. ``untimed`` is how many runs told nothing of times."""

    items: list[Item]
    runs: int
    untimed: int

    @property
    def standing(self) -> Standing:
        """How the comparison stands as a whole: as its worst item does."""
        order = list(Standing)
        return max((item.standing for item in self.items), key=order.index, default=Standing.SO_FAR)

    def of(self, name: str) -> Item | None:
        return next((item for item in self.items if item.name == name), None)


def judge(comparison: Comparison, model: Model, timed: Sequence[bool] = ()) -> Verdict:
    """Weigh what was found; ``timed`` says of each real run whether its times count (all do, if it is empty)."""
    counts = list(timed) or [True] * len(comparison.real)
    clocked = [run for run, counted in zip(comparison.real, counts, strict=True) if counted]
    milestones = _milestones(clocked, model.runs)
    bound = (len(milestones) + 2) / LEVEL
    items = [
        _weighed(name, 1 - OUTER[1] + OUTER[0], unusual, bound)._replace(usual=usual)
        for name, (usual, unusual) in milestones.items()
    ]
    of = len(model.runs)
    items.append(_weighed(SEEN, _share(len(model.once), of), [bool(found) for found in comparison.unseen], bound))
    glimpsed = [bool(found) for found, counted in zip(comparison.glimpsed, counts, strict=True) if counted]
    if glimpsed:
        items.append(_weighed(GLIMPSED, _share(len(model.glimpsed), of), glimpsed, bound))
    return Verdict(items, len(comparison.real), counts.count(False))


def _milestones(
    real: Sequence[Milestones], simulated: Sequence[Milestones]
) -> dict[str, tuple[tuple[float, float] | None, list[bool]]]:
    """Of every milestone of which a real run tells: between which seconds it is usual (if ever), and whether it was unusual, run by run.
    The median stands for what a run repeats."""
    found = {}
    for name in dict.fromkeys(name for run in [*simulated, *real] for name in run):
        values = [statistics.median(run[name]) for run in simulated if name in run]
        expected = len(values) >= EVERY * len(simulated)
        usual = (percentile(values, OUTER[0]), percentile(values, OUTER[1])) if values else None
        unusual = [not _within(run.get(name), usual) for run in real if name in run or expected]
        if unusual:
            found[name] = usual, unusual
    return found


def _within(values: list[float] | None, usual: tuple[float, float] | None) -> bool:
    if values is None or usual is None:
        return False
    return usual[0] - RESOLUTION <= statistics.median(values) <= usual[1] + RESOLUTION


def _share(runs: int, of: int) -> float:
    """Laplace's: what was never seen is not never."""
    return (runs + 1) / (of + 2)


def _weighed(name: str, seldom: float, unusual: Sequence[bool], bound: float) -> Item:
    """``seldom`` is how often a simulated run is unusual in it."""
    if_wrong = seldom + (1 - seldom) / 2
    odds = math.prod(if_wrong / seldom if each else (1 - if_wrong) / (1 - seldom) for each in unusual)
    if odds >= bound and sum(unusual) >= FEWEST:
        standing = Standing.DIFFERS
    elif odds > 1:
        standing = Standing.DOUBT
    else:
        standing = Standing.SAME if odds <= CLEARED else Standing.SO_FAR
    return Item(name, len(unusual), sum(unusual), odds, standing)
