"""A scenario's model on trial: real runs are heard one after the other, and the verdict is told in words."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from swarmsim.analysis.compare import Band, Comparison, Model, held_against
from swarmsim.analysis.verdict import Item, Standing, Verdict, judge
from swarmsim.trace.reader import Trace

QUIET = 0.6
"""Above this share of its processors' time at work a host had other work to do, and times say nothing. A lab of five engines and its recorder take 0.2 of
two processors themselves, in worker-power-loss."""
SURE_AFTER = 3
"""Usual runs that settle a thing."""


class Until(StrEnum):
    """When enough is known, so that no further run is made."""

    ALL = "all"
    """When all runs asked for are made."""
    NO_DOUBT = "no-doubt"
    """As soon as nothing is in doubt, after one run as a rule."""
    SURE = "sure"
    """As soon as more runs would not change the verdict."""


class Trial:
    """Of one scenario, by simulated runs of it with seeds from ``seed`` on. Real runs are :meth:`heard`."""

    def __init__(self, simulated: Sequence[Trace], seed: int = 1) -> None:
        self.simulated = simulated
        self._seed = seed
        self.model = Model.of(simulated)
        self.real: list[Trace] = []

    def heard(self, trace: Trace) -> Verdict:
        self.real.append(trace)
        return self.verdict

    @property
    def comparison(self) -> Comparison:
        return held_against(self.model, self.real)

    @property
    def verdict(self) -> Verdict:
        return judge(self.comparison, self.model, [is_quiet(trace) for trace in self.real])

    def enough(self, until: Until) -> bool:
        """Whether no further run is needed."""
        if not self.real or until is Until.ALL:
            return False
        standing = self.verdict.standing
        settled = {Standing.SAME, Standing.DIFFERS} | ({Standing.SO_FAR} if until is Until.NO_DOUBT else set())
        return standing in settled

    @property
    def typical(self) -> Trace:
        """The simulated run whose milestones are nearest to the middle of all."""
        ranks = self.comparison.ranks.simulated
        far = [statistics.fmean(abs(rank - 0.5) for rank in run.values()) if run else 1.0 for run in ranks]
        nearest = far.index(min(far))
        found = self.simulated[nearest]
        return Trace({"scenario": found.scenario, "seed": self._seed + nearest, **found.header}, found.rows)


def busy_share(trace: Trace) -> float | None:
    """The mean share of time at work of the busiest host while the scenario ran; ``None`` if the trace does not tell."""
    shares = [row["share"] for row in trace.of("busy")]
    return statistics.fmean(shares) if shares else None


def is_quiet(trace: Trace) -> bool:
    """Whether its times count. Who does not tell how busy hosts were is taken at their word."""
    share = busy_share(trace)
    return share is None or share <= QUIET


def told(trial: Trial) -> list[str]:
    """What was found: a sentence for every milestone, for every difference, for runs without times; then the verdict."""
    comparison, verdict = trial.comparison, trial.verdict
    return [
        *(milestone_told(band, verdict.of(band.name), len(trial.simulated)) for band in comparison.bands),
        *(f"differs: {difference}" for difference in comparison.differences),
        *_novelty(trial),
        *loads(trial),
    ]


def milestone_told(band: Band, item: Item | None, simulated: int) -> str:
    """One milestone, as ``wait: w2 down: 12.1-14.9 s really; in 300 simulated runs 80 % lay between 10.2 and 14.1 s``."""
    said = f"{band.name}: {_values(band)} really; in {simulated} simulated runs 80 % lay between {band.low_median:.1f} and {band.high_median:.1f} s"
    if item is None:
        return f"{said} (not judged)"
    if not item.unusual:
        return said
    low, high = item.usual or (band.low, band.high)
    return f"{said}, 98 % between {low:.1f} and {high:.1f} s: unusual in {item.unusual} of {_runs(item.runs)}"


def _values(band: Band) -> str:
    real = sorted(band.real)
    least, most = f"{real[0]:.1f}", f"{real[-1]:.1f}"
    return f"{least} s" if least == most else f"{least}-{most} s"


def _novelty(trial: Trial) -> Iterator[str]:
    if trial.comparison.differences:
        own = len(trial.model.once) / len(trial.simulated)
        yield f"of the simulated runs {own:.0%} do something, too, that no other does"


def loads(trial: Trial) -> Iterator[str]:
    """Which real runs tell nothing of times, and why."""
    for number, trace in enumerate(trial.real, 1):
        if not is_quiet(trace):
            yield (
                f"real run {number}: its times are not judged: the processors were at work {busy_share(trace) or 0:.0%} of the time "
                f"(they tell something up to {QUIET:.0%}), nor are states that pass quickly; what else was seen, and in what order, is"
            )


def verdict_told(verdict: Verdict) -> str:
    """The verdict in a sentence."""
    runs, accused = _runs(verdict.runs), [item for item in verdict.items if item.standing is verdict.standing]
    if verdict.standing is Standing.SAME:
        return f"the same ({runs})"
    if verdict.standing is Standing.SO_FAR:
        needed = "runs on a quiet machine" if verdict.untimed else f"{SURE_AFTER} such runs"
        return f"the same, as far as {runs} {'tell' if verdict.runs != 1 else 'tells'}; {needed} make it sure"
    named = ", ".join(f"{item.name} (in {item.unusual} of {_runs(item.runs)})" for item in accused)
    if verdict.standing is Standing.DOUBT:
        return f"in doubt: unusual is {named}; chance does that now and then, more runs tell"
    return f"NOT the same: too often unusual is {named}"


def as_json_object(trial: Trial) -> dict[str, Any]:
    """Everything of it, for programs: the verdict, every milestone with its percentiles, every difference."""
    comparison, verdict = trial.comparison, trial.verdict
    return {
        "standing": str(verdict.standing),
        "verdict": verdict_told(verdict),
        "real": verdict.runs,
        "simulated": len(trial.simulated),
        "untimed": verdict.untimed,
        "busy": [busy_share(trace) for trace in trial.real],
        "items": [{**item._asdict(), "standing": str(item.standing)} for item in verdict.items],
        "milestones": [band._asdict() for band in comparison.bands],
        "differences": comparison.differences,
    }


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"
