"""Every shipped scenario keeps its promises, with several seeds."""

from __future__ import annotations

import pytest

from swarmsim.scenario import load_scenario, run_scenario, shipped_scenarios
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.verdict import judge
from swarmsim.trace.rows import Row


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_shipped_scenario(name, seed):
    rows: list[Row] = []
    scenario = load_scenario(name)
    outcome = run_scenario(scenario, seed, rows.append)
    assert outcome.failures == []
    assert judge(scenario.scenario, rows).failures == [], "its trace tells otherwise"


def test_an_expectation_that_does_not_hold_says_what_was_seen():
    text = "name: x\nsteps:\n  - docker: service create -d --name web mini:1 sleep 9\nexpect:\n  - {service: web, replicas: 7}\n  - {node: m1, status: down}\n"
    outcome = run_scenario(parse_scenario(text, "x"), 1)
    assert [(f.expected, f.seen) for f in outcome.failures] == [
        ("service web, replicas 7", "service web: 1 replicas wanted"),
        ("m1 down", "node m1: status ready"),
    ]


def test_a_wait_that_is_not_reached_is_noted_and_the_run_goes_on():
    rows = []
    text = "name: x\nsteps:\n  - wait: {leader: none}\n    within: 2s\n  - note: still here\n"
    outcome = run_scenario(parse_scenario(text, "x"), 1, rows.append)
    assert outcome.failures[0].seen == "m1 leads"
    assert [row["kind"] for row in rows if row["kind"] in ("not_reached", "note", "end")] == [
        "not_reached",
        "note",
        "end",
    ]


def test_hosts_can_be_named_by_their_role_and_by_what_happened_to_them():
    text = """
name: x
cluster: {managers: 3}
steps:
  - fault: {power-off: leader}
    as: lost
  - wait: {leader: elected}
    within: 90s
  - docker: node ls --filter name={lost}
    on: follower
    as: listed
  - expect: {command: listed, output: m1}
  - expect: {node: lost, reachability: unreachable}
    within: 10s
"""
    assert run_scenario(parse_scenario(text, "x"), 2).failures == []


def test_until_stops_early():
    outcome = run_scenario(load_scenario("quorum-loss"), 1, until=20.0)
    assert outcome.simulated == 20.0


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("{latency: {host: w1, by: 200ms}}", "{node: w1, status: ready}"),
        ("{loss: {host: w1, percent: 20}}", "{node: w1, status: ready}"),
        ("{kill-engine: w1}", "{node: w1, status: down, within: 30s}"),
        ("{stop-engine: w1}", "{node: w1, status: down, within: 60s}"),
        ("{cut: [m1, w1]}", "{node: w1, status: ready, within: 30s}"),  # it finds another manager
        ("{partition: [[w1]]}", "{node: w1, status: down, within: 30s}"),
    ],
)
def test_faults(fault, check):
    text = f"name: x\ncluster: {{managers: 3, workers: 1}}\nsteps:\n  - fault: {fault}\n  - sleep: 30s\nexpect:\n  - {check}\n"
    assert run_scenario(parse_scenario(text, "x"), 1).failures == []


def test_a_stopped_engine_comes_back_with_its_node():
    text = """
name: x
cluster: {managers: 3, workers: 1}
steps:
  - fault: {stop-engine: w1}
  - wait: {node: w1, status: down}
  - fault: {start-engine: w1}
  - wait: {node: w1, status: ready}
"""
    assert run_scenario(parse_scenario(text, "x"), 1).failures == []
