"""The verdict on a model: right models are hardly ever accused, wrong ones soon are, and one run alone settles nothing."""

from __future__ import annotations

import copy
from collections import Counter

import pytest

from swarmsim.analysis.ensemble import record_many
from swarmsim.analysis.trial import Trial, Until, is_quiet, told, verdict_told
from swarmsim.analysis.verdict import SEEN, Standing
from swarmsim.replay.texts import Texts
from swarmsim.report.comparison import render_comparison
from swarmsim.scenario import load_scenario
from swarmsim.trace import Trace

SIMULATED = 60


@pytest.fixture(scope="module")
def runs() -> list[Trace]:
    """Of the model; those after the first sixty stand for real ones."""
    return record_many(load_scenario("worker-power-loss"), range(1, SIMULATED + 21), jobs=1)


def trial_of(runs: list[Trace], *real: Trace) -> Trial:
    trial = Trial(runs[:SIMULATED])
    for trace in real:
        trial.heard(trace)
    return trial


def altered(trace: Trace, change) -> Trace:
    rows = [copy.copy(row) for row in trace.rows]
    for row in rows:
        change(row)
    return Trace(trace.header, rows)


def slower(trace: Trace) -> Trace:
    def change(row):
        if row["kind"] == "reached" and row["what"] == "w2 down":
            row["after"] += 10

    return altered(trace, change)


def with_other_words(trace: Trace) -> Trace:
    def change(row):
        if row["kind"] == "node" and row["status"] == "down":
            row["msg"] = "gone"

    return altered(trace, change)


def busy(trace: Trace, share: float) -> Trace:
    rows = [row for row in trace.rows if row["kind"] == "reached"]
    return Trace(trace.header, [*trace.rows, *({"t": row["t"], "kind": "busy", "share": share} for row in rows)])


def test_one_run_tells_little_and_three_are_enough(runs):
    usual = [run for run in runs[SIMULATED:] if not any(i.unusual for i in trial_of(runs, run).verdict.items)][:3]
    trial = trial_of(runs)
    assert [trial.heard(run).standing for run in usual] == [Standing.SO_FAR, Standing.SO_FAR, Standing.SAME]
    assert verdict_told(trial.verdict) == "the same (3 runs)"


def test_a_model_is_hardly_ever_accused_of_what_it_does_itself(runs):
    standings = Counter(
        trial_of(runs, *runs[SIMULATED + n : SIMULATED + n + 4]).verdict.standing for n in range(0, 20, 4)
    )
    assert Standing.DIFFERS not in standings


@pytest.mark.parametrize(("change", "accused"), [(slower, "wait: w2 down"), (with_other_words, SEEN)])
def test_a_wrong_model_is_in_doubt_after_one_run_and_accused_after_two(runs, change, accused):
    trial = trial_of(runs)
    assert trial.heard(change(runs[SIMULATED])).standing is Standing.DOUBT
    assert f"unusual is {accused} (in 1 of 1 run)" in verdict_told(trial.verdict)
    assert not trial.enough(Until.NO_DOUBT)
    for real in runs[SIMULATED + 1 : SIMULATED + 4]:
        trial.heard(change(real))
        if trial.enough(Until.SURE):
            break
    assert trial.verdict.standing is Standing.DIFFERS
    item = trial.verdict.of(accused)
    assert item is not None
    assert item.standing is Standing.DIFFERS


def test_what_every_simulated_run_has_is_missed(runs):
    def without(trace: Trace) -> Trace:
        return Trace(trace.header, [row for row in trace.rows if row["kind"] != "reached"])

    item = trial_of(runs, without(runs[SIMULATED])).verdict.of("wait: w2 down")
    assert item is not None
    assert item.unusual == 1


def test_times_of_a_busy_host_are_not_judged_and_all_else_is(runs):
    slow = busy(slower(runs[SIMULATED]), 0.9)
    assert not is_quiet(slow)
    trial = trial_of(runs, slow)
    assert trial.verdict.of("wait: w2 down") is None
    assert trial.verdict.untimed == 1
    sentences = told(trial)
    assert next(said for said in sentences if said.startswith("wait: w2 down")).endswith("(not judged)")
    assert "real run 1: its times are not judged: the processors were at work 90% of the time" in sentences[-1]
    assert trial_of(runs, busy(with_other_words(runs[SIMULATED]), 0.9)).verdict.standing is Standing.DOUBT
    assert is_quiet(busy(runs[SIMULATED], 0.2))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_both_worlds_side_by_side(runs, language):
    trial = trial_of(runs, with_other_words(runs[SIMULATED]))
    page = render_comparison(trial, Texts(language))
    assert page.count("<svg") == 3, "where real times lie, and a picture of each world"
    rows = page.split("<table class=worlds>")[1].split("</tbody>\n")[0]
    assert rows.count("<section class=chapter>") % 2 == 0
    assert "kill host w2" in rows or language == "zh"
    assert "&#x27;gone&#x27;" in page, "what was never simulated is on it"
