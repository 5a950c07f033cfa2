"""Hosts by pattern: what is so about many at once, and faults and sites that follow when their number is another."""

from __future__ import annotations

import pytest

from swarmsim.scenario import ScenarioError
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import build_world, run_scenario

GROUPS = """
name: x
cluster:
  managers: 3
  workers: 12
  sites: {north: ["m[12]", "w?"], south: [m3, "w1?"]}
  hosts:
    "*": {memory: 8g, labels: {owner: ops}}
    "w*": {cpus: 8, labels: {disk: hdd}}
    w3: {memory: 16g, labels: {disk: ssd}, address: 10.1.1.1}
"""


def test_what_patterns_say_and_a_name_says_adds_up():
    hosts = build_world(parse_scenario(GROUPS, "x.yaml").scenario, 1).hosts
    assert {name: host.cpus for name, host in hosts.items()} == {
        **dict.fromkeys(("m1", "m2", "m3"), 2.0),
        **{f"w{n}": 8.0 for n in range(1, 13)},
    }
    assert (hosts["w2"].memory, hosts["w3"].memory) == (8 * 1024**3, 16 * 1024**3)
    assert dict(hosts["w2"].labels) == {"owner": "ops", "disk": "hdd"}
    assert dict(hosts["w3"].labels) == {"owner": "ops", "disk": "ssd"}
    assert [name for name, host in hosts.items() if host.site == "south"] == ["m3", "w10", "w11", "w12"]


def test_patterns_follow_when_the_number_of_hosts_is_another():
    scenario = parse_scenario(
        GROUPS.replace("m3, ", ""), "x.yaml", {"cluster.managers": 2, "cluster.workers": 10}
    ).scenario
    hosts = build_world(scenario, 1).hosts
    assert [name for name, host in hosts.items() if host.site == "south"] == ["w10"]
    assert hosts["w10"].cpus == 8.0


FAULTS = """
name: x
cluster: {managers: 1, workers: 3}
faults: {hosts: ["w[12]"], every: 5m, for: 1m}
duration: 10m
steps:
  - fault: {power-off: "w*"}
    as: lost
  - wait: {node: w2, status: down}
  - fault: {power-on: [lost, "w[23]"]}
  - fault: {partition: [["m*", w1], ["w[23]"]]}
meanwhile:
  - {at: 5m, fault: {heal: all}}
"""


def test_faults_name_hosts_by_pattern():
    rows = []
    outcome = run_scenario(parse_scenario(FAULTS, "x.yaml"), 1, rows.append)
    assert outcome.ok
    steps = [(row["what"], row["hosts"]) for row in rows if row["kind"] == "step"]
    assert steps[:3] == [
        ("power off w1 w2 w3", ["w1", "w2", "w3"]),
        ("power on w1 w2 w3", ["w1", "w2", "w3"]),
        ("partition m1 w1 | w2 w3", ["m1", "w1", "w2", "w3"]),
    ]
    assert {host for what, hosts in steps[3:] for host in hosts} == {"w1", "w2"}


HEAD = "name: x\ncluster:\n  managers: 1\n  workers: 2\n"
REFUSED = [
    ('  hosts:\n    "x*": {cpus: 8}', "x.yaml:6:5: no host fits 'x*'; there are m1, w1, w2"),
    (
        '  hosts:\n    "w*": {cpus: 8, address: 10.0.0.1}',
        "x.yaml:6:21: 'w*' is a pattern: each host has an address of its own",
    ),
    ('  sites: {a: [m1, "v*"]}', "x.yaml:5:19: no host fits 'v*'"),
    ('  sites: {a: [w1], b: ["w*"]}', "x.yaml:5:20: w1 stands in a already"),
    ('steps:\n  - fault: {power-off: "v*"}', "x.yaml:6:13: no host fits 'v*'"),
    ('steps:\n  - {docker: ps, on: "w*"}', "x.yaml:6:18: 'w*' is a pattern: name one host here"),
    ('steps:\n  - fault: {cut: [m1, "w*"]}', "'w*' is a pattern: name one host here"),
    ('steps:\n  - wait: {node: "w*", status: down}', "'w*' is a pattern: name one host here"),
    ('faults: {hosts: ["v*"], every: 1d, for: 1h}', "no host fits 'v*'"),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_mistakes_are_told_with_their_place(text, complaint):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(HEAD + text, "x.yaml")
    assert complaint in str(caught.value)
