"""For notebooks: scenarios, runs and ensembles in three words, with data frames and pictures.

>>> from swarmsim import Scenario
>>> scenario = Scenario.load("first-service")
>>> trace = scenario.run(seed=1)
>>> "running" in set(trace.frame("task").state)
True
>>> scenario.change({"cluster.managers": 5}).hosts
['m1', 'm2', 'm3', 'm4', 'm5', 'w1', 'w2', 'w3']
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarmsim.analysis.ensemble import RunResult, estimates, pooled, run_ensemble
from swarmsim.analysis.milestones import Milestones
from swarmsim.analysis.sweep import row_of
from swarmsim.scenario.loader import LoadedScenario, parse_scenario, read_scenario, shipped_scenarios
from swarmsim.scenario.runner import run_scenario, trace_header
from swarmsim.trace.reader import Trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ensemble", "Scenario", "scenarios"]


class Scenario:
    """A scenario as text that was checked. Every way to make one raises :class:`ScenarioError` if it cannot be used."""

    def __init__(self, text: str, source: str = "scenario", changes: Mapping[str, Any] | None = None) -> None:
        self.text = text
        self.source = source
        self.changes = dict(changes or {})
        self._loaded: LoadedScenario = parse_scenario(text, source, self.changes)

    @classmethod
    def load(cls, where: str | Path) -> Scenario:
        """A scenario file, or a shipped scenario by its name."""
        return cls(*read_scenario(where))

    def change(self, changes: Mapping[str, Any]) -> Scenario:
        """The same with other values at some paths, such as ``{"cluster.managers": 5, "faults.every": "10d"}``."""
        return Scenario(self.text, self.source, {**self.changes, **changes})

    @property
    def name(self) -> str:
        return self._loaded.scenario.name

    @property
    def hosts(self) -> list[str]:
        """The names of all hosts, managers first."""
        managers, workers = self._loaded.scenario.cluster.names()
        return [*managers, *workers]

    def run(self, seed: int = 1, *, until: float | None = None, messages: bool = False) -> Trace:
        """RunResult it once; the same seed gives the same trace. ``until`` stops after so many simulated seconds."""
        rows: list[dict[str, Any]] = []
        run_scenario(self._loaded, seed, rows.append, until=until, messages=messages)
        return Trace(trace_header(self._loaded, seed), rows)

    def ensemble(self, runs: int = 100, *, seed: int = 1, jobs: int = -1) -> Ensemble:
        """RunResult it with ``runs`` seeds from ``seed`` on, in ``jobs`` processes (-1: all cores)."""
        return Ensemble(self.name, list(run_ensemble(self._loaded, range(seed, seed + runs), jobs)))

    def __repr__(self) -> str:
        return f"<Scenario {self.name}{' ' + str(self.changes) if self.changes else ''}>"


class Ensemble:
    """Many runs of one scenario that differ in their seed. ``runs`` never changes once made."""

    def __init__(self, name: str, runs: list[RunResult]) -> None:
        self.name = name
        self.runs = runs

    @cached_property
    def milestones(self) -> Milestones:
        """All values of every milestone, in seconds, by name."""
        return pooled(self.runs)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row for every run, as in a sweep's table: seed, unmet expectations, availability, mean milestones in seconds."""
        import pandas as pd

        return pd.DataFrame([row_of({}, run) for run in self.runs])

    @property
    def means(self) -> pd.DataFrame:
        """The mean of every figure of availability, and how far the true one may be from it with 95 % confidence."""
        import pandas as pd

        return pd.DataFrame(
            [(name, found.mean, found.half_width) for name, found in estimates(self.runs).items()],
            columns=["figure", "mean", "±"],
        ).set_index("figure")

    def __len__(self) -> int:
        return len(self.runs)


def scenarios() -> list[str]:
    """The names of the scenarios that come with swarmsim.

    >>> "quorum-loss" in scenarios()
    True
    """
    return list(shipped_scenarios())
