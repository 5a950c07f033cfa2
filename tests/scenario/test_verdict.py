"""The verdict of a scenario from a trace alone: of a run, of a recorded cluster, of another scenario than that of the run."""

from __future__ import annotations

import pytest

from swarmsim.scenario import load_scenario, run_scenario
from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import ScenarioRun, build_world
from swarmsim.scenario.verdict import judge
from swarmsim.trace.reader import load_trace
from swarmsim.world import Capability

RECORDED = {
    "create_scale": "create-scale",
    "leader_power_loss": "leader-power-loss",
    "worker_power_loss": "worker-power-loss",
    "quorum_loss": "quorum-loss",
    "drain_pause": "drain-pause",
    "pending": "pending",
    "rolling_update": "rolling-update",
}


@pytest.mark.parametrize("record", RECORDED)
def test_recorded_clusters_did_what_the_scenarios_expect(record, records):
    for path in sorted((records / record).glob("run*.jsonl")):
        assert judge(load_scenario(RECORDED[record]).scenario, load_trace(path).rows).failures == []


def test_an_expectation_the_run_knew_nothing_of_is_judged_by_its_trace(records):
    text = """
name: other
cluster: {managers: 3, workers: 2}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 6 mini:1 sleep 100000
  - wait: {service: web, running: 6}
  - sleep: 20s
expect:
  - {service: web, running: 3}
  - {service: web, running: 7}
  - {node: w1, status: down}
  - {containers: w1, running: 1}
"""
    verdict = judge(parse_scenario(text, "x").scenario, load_trace(records / "create_scale" / "run1.jsonl").rows)
    assert [(failure.expected, failure.seen) for failure in verdict.failures] == [
        ("7 running", "service web: 3 running"),
        ("w1 down", "node w1: status ready"),
    ]
    assert verdict.unknown == ["running 1, containers w1: this trace does not tell which containers run"]


def test_what_a_run_found_unmet_its_trace_finds_unmet():
    text = """
name: x
steps:
  - docker: service create -d --name web mini:1 sleep 900
  - wait: {service: web, running: 1}
  - wait: {service: web, running: 3}
    within: 5s
expect:
  - {service: web, replicas: 7}
  - {leader: none}
"""
    scenario = parse_scenario(text, "x")
    rows = []
    outcome = run_scenario(scenario, 1, rows.append)
    assert [(f.expected, f.seen) for f in judge(scenario.scenario, rows).failures] == [
        (f.expected, f.seen) for f in outcome.failures
    ]


@pytest.mark.parametrize(
    ("lacks", "steps", "complaint"),
    [
        (
            Capability.INTERNAL,
            "expect:\n  - {internal: raft.vote, count: 1}\n",
            "x.yaml:3:6: this needs rows about the inside",
        ),
        (Capability.SEED, "meanwhile:\n  - {at: 5s, seed: 7}\n", "x.yaml:3:14: this needs random numbers from a seed"),
        (
            Capability.IMAGES,
            "images:\n  - {name: shop}\n",
            "x.yaml:2:1: this needs images that the scenario describes",
        ),
        (
            Capability.AUTHORITIES,
            "cluster:\n  authorities: {ca: {}}\n",
            "x.yaml:3:3: this needs authorities outside the swarm",
        ),
        (
            "loss",
            "steps:\n  - fault: {loss: {host: m1, percent: 3}}\n",
            "x.yaml:3:5: the fault loss is not possible here",
        ),
    ],
)
def test_what_a_world_cannot_do_is_refused_before_anything_happens(lacks, steps, complaint):
    scenario = parse_scenario(f"name: x\n{steps}", "x.yaml")
    world = build_world(scenario.scenario, 1)
    world.capabilities = [capability for capability in world.capabilities if capability != lacks]
    world.verbs = [verb for verb in world.verbs if verb != lacks]
    with pytest.raises(ScenarioError) as refusal:
        ScenarioRun(scenario, world)
    assert str(refusal.value).startswith(complaint)
    assert world.now == 0.0
