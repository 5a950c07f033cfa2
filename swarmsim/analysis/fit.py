"""``make fit``: the profile ``lab`` fitted to one half of the recorded runs and judged by the other.

What is fitted are the times of container work that :data:`PARAMETERS` names; times that come from Swarm's own constants are not in
any profile. The score of a profile is the mean *continuous ranked probability score* of the real milestones in the simulated ones, of the
logarithms, so that a tenth too much counts alike for short and long times. It is a proper score: a model that is too
wide loses by it as one that is too narrow or too slow does, whatever the number of real values. A milestone's first value in a run (engines start
their first containers) counts apart from later ones.

Runs are dealt in turn to the two halves, scenario by scenario. The same seeds serve every candidate, so two candidates differ by what
they are, not by luck.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from swarmsim.analysis.ensemble import record
from swarmsim.analysis.fidelity import RECORDED, recorded_runs
from swarmsim.analysis.milestones import Milestones, milestones
from swarmsim.profile import Profile, load_profile
from swarmsim.scenario.loader import LoadedScenario, load_scenario
from swarmsim.trace.reader import Trace

SCENARIOS = ("create_scale", "drain_pause", "pending", "rolling_update", "crash_default", "worker_power_loss")
"""The recorded scenarios whose times are mostly those of containers."""

PARAMETERS: dict[str, tuple[float, float]] = {
    "container_create.plus": (0.001, 0.2),
    "container_start.plus": (0.05, 0.5),
    "container_start.weibull.scale": (0.01, 0.5),
    "container_first_start.lognormal.median": (0.02, 2.0),
    "container_stop.plus": (0.02, 0.5),
    "container_stop.weibull.scale": (0.01, 0.5),
    "cold_factor.lognormal.sigma": (0.1, 2.0),
    "speed_factor.lognormal.sigma": (0.02, 0.8),
}
"""What is fitted, by its place in the profile, and within which bounds."""

SHORTEST = 0.05
"""Seconds: below this, times are the recorder's, and count as this."""

Values = Mapping[str, list[float]]
"""Milestones by name, in seconds."""
Half = Mapping[str, Values]
"""The runs of one half: of each scenario its milestones."""


def halves(records: Path) -> tuple[Half, Half]:
    """Every recorded run, dealt in turn to the half that is fitted and the half that judges."""
    dealt: tuple[dict[str, list[Trace]], dict[str, list[Trace]]] = ({}, {})
    turn = 0
    for folder in SCENARIOS:
        for run in recorded_runs(records / folder):
            dealt[turn % 2].setdefault(folder, []).append(run)
            turn += 1
    fitted, judging = ({folder: told_apart(map(milestones, runs)) for folder, runs in half.items()} for half in dealt)
    return fitted, judging


def told_apart(runs: Iterable[Milestones]) -> dict[str, list[float]]:
    """All values of several runs by name, the first of each run apart from later ones."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for name, values in run.items():
            for number, value in enumerate(values):
                found.setdefault(name if number == 0 else f"{name}, later", []).append(value)
    return found


def crps(real: list[float], simulated: list[float]) -> float:
    """Continuous ranked probability score of real values in a simulated sample, of logarithms, averaged over the real ones.

    >>> good, shifted, wide = [0.9, 1.0, 1.1], [1.9, 2.0, 2.1], [0.1, 1.0, 10.0]
    >>> crps([1.0], good) < crps([1.0], wide) < crps([1.0], shifted)
    True
    """
    sample = np.log(np.maximum(np.sort(simulated), SHORTEST))
    values = np.log(np.maximum(real, SHORTEST))
    n = len(sample)
    among = 2.0 * float(np.sum((2 * np.arange(n) - n + 1) * sample)) / n**2
    return float(np.mean(np.abs(values[:, None] - sample[None, :]))) - among / 2


def score(half: Half, simulated: dict[str, Values]) -> float:
    """The mean score over all milestones that half has."""
    scores = [
        crps(values, simulated[folder][name])
        for folder, milestones_of in half.items()
        for name, values in milestones_of.items()
        if name in simulated.get(folder, {})
    ]
    return sum(scores) / len(scores)


class Candidates:
    """Profiles and what comes of them."""

    def __init__(self, seeds: range, jobs: int) -> None:
        self.seeds = seeds
        self.pool = Parallel(n_jobs=jobs)
        self.scenarios = {folder: load_scenario(RECORDED[folder]) for folder in SCENARIOS}

    def simulate(self, profile: Profile) -> dict[str, Values]:
        """Of each scenario its milestones over all seeds."""
        work = [(folder, seed) for folder in SCENARIOS for seed in self.seeds]
        found = self.pool(delayed(_run)(self.scenarios[folder], seed, profile) for folder, seed in work)
        runs: dict[str, list[Milestones]] = {}
        for (folder, _), one in zip(work, found, strict=True):
            runs.setdefault(folder, []).append(one)
        return {folder: told_apart(many) for folder, many in runs.items()}


def _run(loaded: LoadedScenario, seed: int, profile: Profile) -> Milestones:
    cluster = loaded.scenario.cluster.model_copy(update={"profile": profile})
    scenario = loaded.scenario.model_copy(update={"cluster": cluster})
    return milestones(record(loaded._replace(scenario=scenario), seed))


def with_values(profile: Profile, values: Mapping[str, float]) -> Profile:
    """The profile with other numbers at some places."""
    form: dict[str, Any] = profile.model_dump(exclude_none=True)
    for place, value in values.items():
        *way, last = place.split(".")
        inner = form
        for step in way:
            inner = inner[step]
        inner[last] = value
    return Profile.model_validate(form)


def values_of(profile: Profile) -> dict[str, float]:
    """What stands now at every place of :data:`PARAMETERS`."""
    form: dict[str, Any] = profile.model_dump(exclude_none=True)
    found = {}
    for place in PARAMETERS:
        inner: Any = form
        for step in place.split("."):
            inner = inner[step]
        found[place] = float(inner)
    return found


def fit(start: Profile, half: Half, candidates: Candidates, rounds: int) -> Profile:
    """The profile of the best score: each number in turn is tried larger and smaller, by steps that become shorter."""
    best = values_of(start)
    least = score(half, candidates.simulate(start))
    step = 1.6
    for number in range(rounds):
        improved = False
        for place, (low, high) in PARAMETERS.items():
            for factor in (step, 1 / step):
                tried = {**best, place: float(f"{min(high, max(low, best[place] * factor)):.3g}")}
                found = score(half, candidates.simulate(with_values(start, tried)))
                if found < least:
                    best, least, improved = tried, found, True
                    break
        print(f"round {number + 1}: {least:.4f}  " + "  ".join(f"{p}={v:g}" for p, v in best.items()), flush=True)
        if not improved:
            step = step**0.5
            if step < 1.05:
                break
    return with_values(start, best)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=-1)
    options = parser.parse_args()
    fitted_half, judging_half = halves(options.records)
    candidates = Candidates(range(1, options.seeds + 1), options.jobs)
    before = load_profile("lab")
    after = fit(before, fitted_half, candidates, options.rounds)
    for name, profile in (("lab as it is", before), ("fitted", after)):
        simulated = candidates.simulate(profile)
        fitted, judged = (score(half, simulated) for half in (fitted_half, judging_half))
        print(f"{name}: {fitted:.4f} on the runs it is fitted to, {judged:.4f} on the others")
    for place, value in values_of(after).items():
        print(f"  {place}: {value:g}")
    print("Write what is better on both into swarmsim/profiles/lab.yaml, then: make fidelity")


if __name__ == "__main__":
    main()
