"""Scenario files: what is refused, where, and why."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarmsim.scenario import ScenarioError, load_scenario, shipped_scenarios
from swarmsim.scenario.duration import parse_seconds
from swarmsim.scenario.loader import parse_scenario

HEAD = "name: x\ncluster: {managers: 3, workers: 2}\n"

LAW = HEAD + "faults:\n  - %s"

REFUSED = [
    ("", "x.yaml:1:1: a scenario is a mapping"),
    ("[1, 2]", "x.yaml:1:1: a scenario is a mapping"),
    ("a: [1", "x.yaml:1:6: not YAML"),
    ("a: 1\na: 2", "x.yaml:2:1: not YAML: found duplicate key"),
    ("title: no name", "x.yaml:1:1: 'name' is missing"),
    ("name: Bad Name", "x.yaml:1:1: 'Bad Name' is no name"),
    ("name: x\nstep: []", "x.yaml:2:1: unknown key 'step'; did you mean 'steps'?"),
    (HEAD + "steps:\n  - fault: {poweroff: m1}", "x.yaml:4:13: unknown key 'poweroff'; did you mean 'power-off'?"),
    ("name: x\ncolour: red", "x.yaml:2:1: unknown key 'colour'"),
    ("name: x\ncluster: {managers: 0}", "x.yaml:2:1: a cluster needs at least one manager"),
    ("name: x\ncluster: {managers: -1}", "x.yaml:2:11:"),
    ("name: x\ncluster: {managers: [a, a]}", "host 'a' is named twice"),
    ("name: x\ncluster: {managers: [leader]}", "'leader' has a meaning of its own"),
    (
        "name: x\ncluster:\n  managers: 1\n  profile: moon",
        "x.yaml:4:3: unknown profile 'moon'; there are lab, uml, vm, and files of your own (my-vms.yaml)",
    ),
    ("name: x\ncluster:\n  managers: 1\n  hosts:\n    m9: {cpus: 1}", "x.yaml:5:5: unknown host 'm9'; there are m1"),
    ("name: x\ncluster:\n  managers: 1\n  hosts:\n    m1: {memory: lots}", "'lots' is no amount of memory"),
    (
        "name: x\ncluster:\n  managers: 2\n  hosts:\n    m1: {address: 1.1.1.1}\n    m2: {address: 1.1.1.1}",
        "1.1.1.1 is already the address of m1",
    ),
    (HEAD + "steps: 5", "x.yaml:3:1: steps is a list"),
    (HEAD + "steps:\n  - fault: {clock: {host: m1, by: soon}}", "'soon' is no duration: write 30s, 1m30s, 500ms"),
    (HEAD + "steps:\n  - fault: {clock: {host: m1, drift: 20}}", "20 is no drift: write 20ppm"),
    (
        HEAD + "steps:\n  - fault: {clock: {host: m1, drift: 2000000ppm}}",
        "a clock that drifts by more than 100000ppm is broken",
    ),
    (HEAD + "steps:\n  - fault: {clock: {host: m9, by: 1h}}", "x.yaml:4:21: unknown host 'm9'"),
    (HEAD + "steps:\n  - fault: {block: {host: m9, port: 7946}}", "x.yaml:4:21: unknown host 'm9'"),
    (HEAD + "steps:\n  - fault: {block: {host: m1}}", "say which port: 2377, 7946, 4789"),
    (HEAD + "steps:\n  - fault: {block: {host: m1, port: 1, proto: esp}}", "esp has no ports: leave out port"),
    (HEAD + "steps:\n  - fault: {block: {host: m1, port: 70000}}", "less than or equal to 65535"),
    (HEAD + "steps:\n  - fault: {unblock: {host: m1, port: 1, proto: icmp}}", "'tcp', 'udp', 'both' or 'esp'"),
    (HEAD + "steps:\n  - fault: {mtu: {host: m1, bytes: 9000}}", "less than 1500"),
    (HEAD + "steps:\n  - fault: {clock: {by: 1h}}", "x.yaml:4:13: 'host' is missing"),
    (
        HEAD + "steps:\n  - sleep",
        "x.yaml:4:5: a step is a mapping with one of docker, curl, traffic, fault, backup, restore, wait, expect, sleep, note",
    ),
    (HEAD + "steps:\n  - {sleep: 1s, note: x}", "x.yaml:4:5: a step has exactly one of"),
    (HEAD + "steps:\n  - sleep: soon", "x.yaml:4:5: 'soon' is no duration: write 30s, 1m30s, 500ms"),
    (HEAD + "steps:\n  - sleep: '5'", "did you mean 5s?"),
    (HEAD + "steps:\n  - sleep: -5s", "x.yaml:4:5: '-5s': a duration cannot be negative"),
    (HEAD + "steps:\n  - sleep: -5", "x.yaml:4:5: -5: a duration lies between 0 and 200y"),
    (HEAD + "steps:\n  - sleep: 9999y", "a duration lies between 0 and 200y"),
    (HEAD + "steps:\n  - docker: node ls\n    on: m7", "x.yaml:5:5: unknown host 'm7'; there are follower, leader, m1"),
    (HEAD + "steps:\n  - docker: ''", "x.yaml:4:5: no command; write for example 'node ls'"),
    (HEAD + "steps:\n  - docker: node ls 'oops", "x.yaml:4:5: cannot be split into words: No closing quotation"),
    (HEAD + "steps:\n  - docker: node ls\n    as: m1", "x.yaml:5:5: 'm1' is already a host"),
    (
        HEAD + "steps:\n  - fault: {explode: m1}",
        "x.yaml:4:13: unknown key 'explode'; there are authority, block, clock, cut",
    ),
    (
        "name: x\ncluster: {nope: 1}",
        "x.yaml:2:11: unknown key 'nope'; there are authorities, formed, gossip, hosts, managers",
    ),
    (HEAD + "steps:\n  - fault: {power-off: m1, heal: all}", "name exactly one fault of power-off, kill-host"),
    (HEAD + "steps:\n  - fault: {power-off: w9}", "x.yaml:4:13: unknown host 'w9'"),
    (HEAD + "steps:\n  - fault: {cut: [m1]}", "x.yaml:4:13:"),
    (HEAD + "steps:\n  - fault: {loss: {host: m1}}", "loss needs percent: 0 to 99"),
    (
        HEAD + "steps:\n  - fault: {power-on: lost}\n  - fault: {power-off: m1}\n    as: lost",
        "x.yaml:4:13: unknown host 'lost'",
    ),
    (
        HEAD + "steps:\n  - wait: {service: web}",
        "x.yaml:4:5: say what is expected of the service: running, alive, replicas, image, update",
    ),
    (
        HEAD + "steps:\n  - wait: {running: 3}",
        "name exactly one of service, settled, node, leader, task, command, containers, traffic, internal",
    ),
    (HEAD + "steps:\n  - wait: {service: web, status: down}", "'status' says nothing about a service"),
    (
        HEAD + "steps:\n  - wait: {service: web, running: 3}\n    within: 0s",
        "x.yaml:5:5: '0s': this duration must be longer than 0",
    ),
    (HEAD + "steps:\n  - wait: {node: m1, status: asleep}", "x.yaml:4:22:"),
    (
        HEAD + "expect:\n  - {command: nothing, code: 0}",
        "x.yaml:4:6: no earlier step was given the name 'nothing' with as",
    ),
    (HEAD + "expect:\n  - five", "x.yaml:4:5: an expectation is a mapping"),
    (HEAD + "duration: 30", "x.yaml:3:1: 30 has no unit: write 30s, 30h or 30d"),
    (HEAD + "duration: 900y", "x.yaml:3:1: '900y': a duration lies between 0 and 200y"),
    (HEAD + "duration: 0d", "x.yaml:3:1: '0d': this duration must be longer than 0"),
    (LAW % "{hosts: all, every: {gamma: 1h}, for: 1h}", "x.yaml:4:18: unknown law 'gamma'; there are exponential,"),
    (LAW % "{hosts: all, every: {exponential: 0s}, for: 1h}", "'0s': this duration must be longer than 0"),
    (LAW % "{hosts: all, every: {exponential: -1h}, for: 1h}", "'-1h': a duration cannot be negative"),
    (LAW % "{hosts: all, every: {exponential: 30}, for: 1h}", "30 has no unit: write 30s, 30h or 30d"),
    (LAW % "{hosts: all, every: {exponential: 300y}, for: 1h}", "a duration lies between 0 and 200y"),
    (LAW % "{hosts: all, every: {weibull: {scale: 1h}}, for: 1h}", "weibull needs scale and shape, as in"),
    (
        LAW % "{hosts: all, every: {weibull: {scale: 1h, shape: 0}}, for: 1h}",
        "x.yaml:4:47: faults.0.every.weibull.shape: input should be greater than 0",
    ),
    (
        LAW % "{hosts: all, every: {lognormal: {median: 1h, sigma: -1}}, for: 1h}",
        "x.yaml:4:50: faults.0.every.lognormal.sigma: input should be",
    ),
    (LAW % "{hosts: all, every: {uniform: {low: 2h, high: 1h}}, for: 1h}", "x.yaml:4:26: high must not be below low"),
    (LAW % "{hosts: all, every: [], for: 1h}", "empirical needs a list of durations, such as [5m, 20m, 3h]"),
    (LAW % "{hosts: all, every: 1h}", "x.yaml:4:5: 'for' is missing"),
    (LAW % "{every: 1h, for: 1h}", "x.yaml:4:5: say who fails: either hosts (each on its own) or site"),
    (LAW % "{hosts: all, site: [m1], every: 1h, for: 1h}", "say who fails: either hosts"),
    (LAW % "{hosts: [m9], every: 1h, for: 1h}", "x.yaml:4:5: unknown host 'm9'; there are m1"),
    (LAW % "{hosts: all, fault: explode, every: 1h, for: 1h}", "x.yaml:4:18:"),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_what_is_refused_and_where(text, complaint):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "x.yaml")
    message = str(refusal.value)
    assert complaint in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(
        ScenarioError, match="no such file, and no shipped scenario of that name; swarmsim list shows them"
    ):
        load_scenario("nosuch")
    with pytest.raises(ScenarioError, match=r"nosuch\.yaml: cannot be read: No such file or directory"):
        load_scenario(tmp_path / "nosuch.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: é".encode("latin-1"))
    with pytest.raises(ScenarioError, match="not UTF-8 text"):
        load_scenario(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_text("#" * 2_000_000)
    with pytest.raises(ScenarioError, match="larger than"):
        load_scenario(tmp_path / "huge.yaml")
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
    )
    with pytest.raises(ScenarioError, match="more than 200,000 values"):
        parse_scenario(bomb, "bomb.yaml")
    with pytest.raises(ScenarioError):
        parse_scenario("[" * 5000, "deep.yaml")


def test_all_shipped_scenarios_load():
    names = set(shipped_scenarios())
    assert names >= {
        "course-cluster", "first-service", "leader-power-loss", "quorum-loss", "five-managers", "worker-power-loss",
        "worker-partition", "leader-partition", "crash-loop", "rejoin-no-rebalance", "create-scale",
    }  # fmt: skip
    for name in names:
        assert load_scenario(name).scenario.name == name


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("500ms", 0.5), (5, 5), (2.5, 2.5), ("90d", 7_776_000), ("1y", 31_536_000)],
)
def test_durations(text, seconds):
    assert parse_seconds(text) == seconds


SCRAPS = st.sampled_from(
    ["name: x", "cluster:", "  managers: 3", "  managers: [a, b]", "steps:", "  - docker: node ls", "    on: m1", "  - sleep: 5s",
     "  - fault: {power-off: m1}", "  - wait: {leader: elected}", "    within: 5s", "expect:", "  - {leader: m1}", "- x", "&a", "*a",
     "!!python/object:os.system x", "? y", ": z", "'", "{", "}", "%YAML 9.9", "---", "\t", "#", "  hosts: {m1: {cpus: .inf}}"]
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=200), st.lists(SCRAPS, max_size=12).map("\n".join)))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(ScenarioError):
        parse_scenario(text, "fuzz.yaml")


def test_a_remark_between_a_key_and_its_value():
    text = "name: x\ntitle: # what it is about\n  A remark\n\ncluster: {managers: 1}\nsteps: []\n"
    assert parse_scenario(text, "x.yaml").scenario.title == "A remark"


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file():
    text = """name: x
cluster: {managers: 1, wrkers: 2}
steps:
  - {dcoker: ps}
  - {fault: {power-of: m1}}
expect: [{servce: web}]
"""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "x.yaml")
    assert str(caught.value).splitlines() == [
        "x.yaml:2:24: unknown key 'wrkers'; did you mean 'workers'?",
        "x.yaml:4:5: a step has exactly one of docker, curl, traffic, fault, backup, restore, wait, expect, sleep, note; did you mean 'docker'?",
        "x.yaml:5:14: unknown key 'power-of'; did you mean 'power-off'?",
        "x.yaml:6:10: unknown key 'servce'; did you mean 'service'?",
    ]
    with pytest.raises(ScenarioError) as caught:
        parse_scenario("name: x\nsteps:\n  - {fault: {power-off: m8}}\n  - {docker: ps, on: m9}\n", "x.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_a_name_that_is_nearly_a_shipped_scenarios_is_guessed():
    with pytest.raises(ScenarioError, match="did you mean quorum-loss"):
        load_scenario("quorum-los")
