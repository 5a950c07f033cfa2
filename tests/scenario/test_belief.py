"""What managers believe and what is so: two things, while a host is silent."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.scenario.verdict import judge
from swarmsim.trace.state import state_of

SILENT = """
name: silent
cluster: {managers: [m1], workers: [w1, w2]}
steps:
  - docker: node update --availability drain m1
  - docker: service create -d --no-resolve-image --name web --replicas 8 mini:1 sleep 100000
  - wait: {settled: 3s}
  - fault: {power-off: [w1, w2]}
  - wait: {service: web, running: 8}
  - expect: {service: web, running: 8}
  - expect: {service: web, alive: 8}
  - wait: {settled: 3s}
    within: 20s
  - fault: {power-on: [w1, w2]}
  - wait: {service: web, alive: 8}
    within: 90s
  - wait: {settled: 5s}
    as: calm
    within: 60s
"""


@pytest.fixture(scope="module")
def silent():
    loaded, rows = parse_scenario(SILENT, "x.yaml"), []
    return loaded.scenario, run_scenario(loaded, 1, rows.append), rows


def test_an_expectation_that_holds_on_belief_alone_says_so(silent):
    _, outcome, rows = silent
    assert outcome.believed == ("8 running, by what managers believe: web: 8 shown, 0 alive",) * 2
    assert [row["believed"] for row in rows if "believed" in row] == ["web: 8 shown, 0 alive"] * 2


def test_alive_and_settled_ask_for_the_truth(silent):
    _, outcome, _ = silent
    assert [(failure.expected, failure.seen) for failure in outcome.failures] == [
        ("service web, alive 8", "service web: 0 alive"),
        ("settled for 3 s within 20 s", "service web: 0 of 8 running"),
    ]


def test_settled_is_reached_so_long_after_the_last_change(silent):
    _, _, rows = silent
    reached = next(number for number, row in enumerate(rows) if row["kind"] == "reached" and row["what"] == "calm")
    moves = ("task", "service", "container.started", "container.ended")
    last = max(row["t"] for row in rows[:reached] if row["kind"] in moves)
    assert rows[reached]["t"] - last == pytest.approx(5.0, abs=0.5)  # looks are 0.1 s apart, and take their time


@pytest.mark.parametrize("without", [(), ("met", "unmet", "reached", "not_reached")])
def test_the_trace_tells_the_same(silent, without):
    scenario, outcome, rows = silent
    verdict = judge(scenario, [row for row in rows if row["kind"] not in without])
    assert [(failure.expected, failure.seen) for failure in verdict.failures] == [
        (failure.expected, failure.seen) for failure in outcome.failures
    ]
    assert len(verdict.believed) == len(outcome.believed)


def test_the_picture_counts_both(silent):
    _, _, rows = silent
    off = next(number for number, row in enumerate(rows) if row["kind"] == "reached" and "believed" in row)
    state = state_of(rows[: off + 1])
    assert (state.running("web"), state.alive["web"]) == (8, 0)
