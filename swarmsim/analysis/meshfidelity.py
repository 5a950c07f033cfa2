"""The recorded meshes held against the model; ``make mesh``.

Five real engines with IPVS were asked at every node while hosts lost power, links were cut, services were scaled, updated and drained. A
*situation* (:mod:`.meshfigures`) is one such recording, with a scenario file in ``tests/records/mesh`` that does the same. A *figure* is a number that
was read off the real runs and is measured in the same way on simulated ones (:mod:`.mesh`): every real value must lie in the
simulated 1-99 % band, and their median in the 10-90 % band. Of *kinds* (how requests fail) the model must show just the real ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

from joblib import Parallel, delayed

from swarmsim.analysis.compare import Band
from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.mesh import KINDS, Figure, Kinds, Run, Situation
from swarmsim.analysis.meshfigures import SITUATIONS
from swarmsim.scenario.loader import LoadedScenario, load_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.scenario.schema import SleepStep
from swarmsim.trace.rows import Row


class Judged(NamedTuple):
    """A situation held against the model."""

    situation: Situation
    seeds: int
    bands: list[tuple[Figure, Band | None]]
    kinds: list[tuple[Kinds, set[str]]]

    @property
    def missed(self) -> list[str]:
        """What is not as real, but for what is known."""
        figures = [figure.name for figure, band in self.bands if not figure.known and (band is None or not band.ok)]
        return figures + [kinds.name for kinds, seen in self.kinds if not _alike(kinds, seen)]


def _alike(kinds: Kinds, seen: set[str]) -> bool:
    return kinds.real <= seen <= kinds.real | kinds.possible


RHYTHM = 30.0
"""Seconds, the longest period of what comes round in a swarm at rest: heartbeats, push/pulls, comparisons of tables."""


def simulate(loaded: LoadedScenario, seed: int) -> Run:
    """The rows of one run that figures are measured on.

    Where in those periods a fault falls is chance in reality, so the first pause of the scenario is longer with every seed.
    """
    steps = list(loaded.scenario.steps)
    place, pause = next((place, step) for place, step in enumerate(steps) if isinstance(step, SleepStep))
    longer = pause.sleep + RHYTHM * Random(f"phase/{seed}").random()
    steps[place] = pause.model_copy(update={"sleep": longer})
    loaded = loaded._replace(scenario=loaded.scenario.model_copy(update={"steps": steps}))
    rows: list[Row] = []

    def sink(row: Row) -> None:
        if row["kind"] in KINDS:
            rows.append(row)

    run_scenario(loaded, seed, sink)
    return Run(rows)


def _measured(loaded: LoadedScenario, seed: int, situation: Situation) -> tuple[list[list[float]], list[set[str]]]:
    run = simulate(loaded, seed)
    return [figure.measure(run) for figure in situation.figures], [kinds.measure(run) for kinds in situation.kinds]


def judge(folder: Path, situation: Situation, seeds: Iterable[int], jobs: int = -1) -> Judged:
    """Run a situation with every seed."""
    loaded = load_scenario(str(folder / f"{situation.scenario}.yaml"))
    seeds = list(seeds)
    runs = Parallel(n_jobs=jobs)(delayed(_measured)(loaded, seed, situation) for seed in seeds)
    bands: list[tuple[Figure, Band | None]] = []
    for place, figure in enumerate(situation.figures):
        values = [value for figures, _ in runs for value in figures[place]]
        bands.append((figure, _band(figure, values) if values else None))
    kinds = [(kinds, set().union(*(seen[place] for _, seen in runs))) for place, kinds in enumerate(situation.kinds)]
    return Judged(situation, len(seeds), bands, kinds)


def _band(figure: Figure, values: list[float]) -> Band:
    low, low_median, median, high_median, high = (percentile(values, p) for p in (0.01, 0.10, 0.50, 0.90, 0.99))
    real = list(figure.real)
    return Band(figure.name, real, low, low_median, median, high_median, high, len(values), figure.tolerance)


def report(judged: Judged) -> str:
    """A situation as text: each figure, its real values, the simulated band, and whether it holds."""
    situation = judged.situation
    lines = [
        f"{situation.scenario} ({situation.recorded}), {judged.seeds} seeds",
        f"  {'':<58} {'real':<30} {'1 %':>7} {'10 %':>7} {'50 %':>7} {'90 %':>7} {'99 %':>7}",
    ]
    for figure, band in judged.bands:
        ordered = sorted(figure.real)
        real = f"{ordered[0]:g}" if ordered[0] == ordered[-1] else f"{ordered[0]:g} … {ordered[-1]:g}"
        real += f" ({len(ordered)}, median {percentile(ordered, 0.5):g})" if len(ordered) > 1 else ""
        if band is None:
            lines.append(f"  {figure.name:<58} {real:<30} never in the model")
            continue
        wrong = "" if band.ok else "outside the band" if not band.inside else "median outside 10-90 %"
        mark = f"  {wrong}{f' (known: {figure.known})' if figure.known else ''}" if wrong else ""
        lines.append(
            f"  {figure.name:<58} {real:<30} {band.low:7.2f} {band.low_median:7.2f} {band.median:7.2f} "
            f"{band.high_median:7.2f} {band.high:7.2f}{mark}"
        )
    for kinds, seen in judged.kinds:
        mark = "" if _alike(kinds, seen) else "  NOT alike"
        lines.append(
            f"  {kinds.name:<58} {', '.join(sorted(kinds.real)) or 'none':<30} {', '.join(sorted(seen)) or 'none'}{mark}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--only", default="", help="a part of the names of situations")
    parser.add_argument("--jobs", type=int, default=-1)
    options = parser.parse_args()
    missed = 0
    for situation in SITUATIONS:
        if options.only in situation.scenario:
            judged = judge(options.folder, situation, range(1, options.seeds + 1), options.jobs)
            print(report(judged), flush=True)
            missed += len(judged.missed)
    print(f"{missed} figures are not as real" if missed else "every figure is as real, but for what is known")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
