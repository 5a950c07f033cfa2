"""The model held against the recorded runs: a small sample here, 200 seeds in ``make fidelity``."""

from __future__ import annotations

import copy

import pytest

from swarmsim.analysis.compare import compare, masked
from swarmsim.analysis.ensemble import percentile, record, run_ensemble
from swarmsim.analysis.fidelity import RECORDED, judge, recorded_runs, report
from swarmsim.analysis.milestones import milestones
from swarmsim.scenario import load_scenario
from swarmsim.trace import Trace

SEEDS = range(1, 81)


@pytest.mark.parametrize("folder", RECORDED)
def test_the_model_does_what_the_real_cluster_did(records, folder):
    verdict = judge(records, folder, SEEDS, jobs=1)
    differences = [d for d in verdict.comparison.differences if not verdict.known(d)]
    assert not differences, report(verdict)
    # With 80 seeds the outermost percentiles are coarse: a few bands may miss what 200 seeds reach.
    missed = [band.name for band in verdict.comparison.bands if not band.ok]
    assert len(missed) <= len(verdict.comparison.bands) // 4, report(verdict)


def altered(traces, change):
    return [Trace(trace.header, [change(copy.copy(row)) for row in trace.rows]) for trace in traces]


def without_a_word(row):
    return row


def with_another_error(row):
    if row["kind"] == "task" and row["err"]:
        row["err"] = "task: something else"
    return row


def with_slower_deaths(row):
    if row["kind"] == "reached" and row["what"] == "w2 down":
        row["after"] += 10
    return row


def with_another_answer(row):
    if row["kind"] == "docker" and row["cmd"] == "service ps web":
        row["out"] = row["out"].replace("Shutdown", "Stopped")
    return row


@pytest.mark.parametrize(
    ("change", "same"),
    [(without_a_word, True), (with_another_error, False), (with_slower_deaths, False), (with_another_answer, False)],
)
def test_the_comparison_can_fail(records, change, same):
    real = recorded_runs(records / "worker_power_loss")
    loaded = load_scenario("worker-power-loss")
    simulated = [record(loaded, seed) for seed in SEEDS]
    comparison = compare(altered(real, change), simulated)
    narrow = {band.name for band in comparison.bands if not band.ok}
    assert (not comparison.differences and "wait: w2 down" not in narrow) is same


def test_milestones_of_a_recorded_run(records):
    found = milestones(recorded_runs(records / "quorum_loss")[0])
    assert found["docker service scale takes"] == [12.228]
    assert found["docker node ls takes"] == [20.023]
    assert found["wait: m3 down"] == [30.374]


def test_masks():
    assert masked("web.1.5zl0yiteo0p9s55g0x0z92hry   Up 2 minutes") == "web.1.<id>  Up <while>"


def test_an_ensemble_gives_the_same_results_in_any_number_of_processes():
    loaded = load_scenario("first-service")
    assert list(run_ensemble(loaded, range(1, 5), jobs=1)) == list(run_ensemble(loaded, range(1, 5), jobs=2))


def test_percentiles():
    assert [percentile([4, 1, 3, 2], p) for p in (0, 0.5, 1)] == [1, 2.5, 4]
