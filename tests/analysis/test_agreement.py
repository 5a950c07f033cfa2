"""Eager and lazy runs differ only in luck; a wrong law of the phase is found out."""

from __future__ import annotations

import pytest

from swarmsim.analysis.agreement import Sample, agree, report, sample, schedule
from swarmsim.analysis.ensemble import record
from swarmsim.analysis.milestones import milestones
from swarmsim.scenario.loader import load_scenario
from swarmsim.sim.quiescence import Phase, Renewals

LOADED = load_scenario("worker-power-loss")


def worker_lost(number: int, rng: int, eager: bool) -> Sample:
    trace = record(LOADED, rng, eager)
    return Sample((), frozenset(), [], milestones(trace))


def test_a_schedule_is_the_same_every_time():
    assert schedule(7) == schedule(7)


def test_eager_and_lazy_runs_of_random_faults_differ_only_by_chance():
    agreement = agree(range(12), jobs=1)
    assert agreement.ok, report(agreement)


def test_a_run_is_reproduced_by_its_seeds():
    assert sample(3, 5, False) == sample(3, 5, False)


def test_a_wrong_law_of_the_phase_is_found(monkeypatch: pytest.MonkeyPatch):
    """As if every resting agent had sent its heartbeat just when its host lost power."""

    def just_beaten(self: Renewals, known: Phase, at: float, rng: object) -> Phase:
        return Phase(at, 5.0, at + 5.0)

    assert agree(range(30), jobs=1, run=worker_lost).ok
    monkeypatch.setattr(Renewals, "phase", just_beaten)
    assert not agree(range(30), jobs=1, run=worker_lost).ok
