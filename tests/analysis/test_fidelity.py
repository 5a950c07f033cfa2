"""The model held against the recorded runs: a small sample here, 200 seeds in ``make fidelity``."""

from __future__ import annotations

import copy

import pytest

from swarmsim.analysis.compare import compare, masked, orders
from swarmsim.analysis.ensemble import percentile, record, run_ensemble
from swarmsim.analysis.fidelity import RECORDED, judge, recorded_runs, report
from swarmsim.analysis.milestones import milestones
from swarmsim.scenario import load_scenario
from swarmsim.trace import Trace

SEEDS = range(1, 81)
QUICK = [folder for folder in RECORDED if not folder.startswith("silent")]
"""The runs of silence type a hundred commands each. `make fidelity`, which every build runs with 200 seeds, holds all records."""


@pytest.mark.parametrize("folder", QUICK)
def test_the_model_does_what_the_real_cluster_did(records, folder):
    verdict = judge(records, folder, SEEDS, jobs=1)
    differences = [d for d in verdict.comparison.differences if not verdict.known(d)]
    assert not differences, report(verdict)
    # With 80 seeds the outermost percentiles are coarse: a few bands may miss what 200 seeds reach.
    missed = [band.name for band in verdict.comparison.bands if not band.ok and not verdict.known(band.difference)]
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


def with_another_exit_code(row):
    if row["kind"] == "docker" and row["cmd"] == "service ps web":
        row["rc"] = 1
    return row


def with_another_node(row):
    if row["kind"] == "node" and row["status"] == "down":
        row["msg"] = "gone"
    return row


def with_another_slot(row):
    if row["kind"] == "task" and row["slot"] == 5:
        row["slot"] = 6
    return row


def with_deaths_before_they_happen(row):
    if row["kind"] == "node" and row["status"] == "down":
        row["t"] += 10
    return row


def with_another_answer(row):
    if row["kind"] == "docker" and row["cmd"] == "service ps web":
        row["out"] = row["out"].replace("Shutdown", "Stopped")
    return row


@pytest.fixture(scope="module")
def simulated():
    loaded = load_scenario("worker-power-loss")
    return [record(loaded, seed) for seed in SEEDS]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_a_word, None),
        (with_another_error, "task: something else"),
        (with_another_exit_code, "docker service ps web after power off: exit code 1 never in the model"),
        (with_another_node, "a worker was down, active, no manager, 'gone'"),
        (with_another_slot, "slot 6 of service web"),
        (with_deaths_before_they_happen, "before a node that was hit down"),
        (with_another_answer, "shape not seen in the model"),
    ],
)
def test_the_comparison_can_fail(records, simulated, change, said):
    real = altered(recorded_runs(records / "worker_power_loss"), change)
    differences = compare(real, simulated).differences
    assert any(said in one for one in differences) if said else not differences


def test_a_time_outside_the_band_is_told(records, simulated):
    real = altered(recorded_runs(records / "worker_power_loss"), with_slower_deaths)
    assert "wait: w2 down" in {band.name for band in compare(real, simulated).bands if not band.ok}


def test_milestones_of_a_recorded_run(records):
    found = milestones(recorded_runs(records / "quorum_loss")[0])
    assert found["docker service scale takes"] == [12.228]
    assert found["docker node ls takes"] == [20.023]
    assert found["wait: m3 down"] == [30.374]


def test_each_wait_has_its_place(records):
    found = milestones(recorded_runs(records / "drain_pause")[0])
    assert (found["wait: 10 running"], found["wait: 10 running (2)"]) == ([3.625], [11.028])


def test_what_is_seen_in_one_look_has_no_order():
    rows = [
        {"t": 1.0, "kind": "step", "verb": "power-off", "hosts": ["w1"]},
        {"t": 5.0, "kind": "no_manager_answers"},
        {"t": 5.1, "kind": "node", "node": "w1", "status": "down"},
        {"t": 9.0, "kind": "manager_answers"},
    ]
    assert orders(Trace({}, rows)) == {
        "after power off: no manager answers before manager answers",
        "after power off: a node that was hit down before manager answers",
    }


def test_masks():
    token = f"SWMTKN-1-{'a' * 50}-{'b' * 25}"
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\nAQ==\n-----END CERTIFICATE-----"
    assert masked(f"join --token {token}\n{pem}") == "join --token <token>\n<pem>"
    assert masked("web.1.5zl0yiteo0p9s55g0x0z92hry   Up 2 minutes") == "web.1.<id>  Up <while>"


def test_an_ensemble_gives_the_same_results_in_any_number_of_processes():
    loaded = load_scenario("first-service")
    assert list(run_ensemble(loaded, range(1, 5), jobs=1)) == list(run_ensemble(loaded, range(1, 5), jobs=2))


def test_percentiles():
    assert [percentile([4, 1, 3, 2], p) for p in (0, 0.5, 1)] == [1, 2.5, 4]
