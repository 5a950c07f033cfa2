"""Backups of a manager, put back later: what a scenario may say, and what a swarm then is (tests/records/asked/backup.txt)."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.scenario.verdict import judge
from swarmsim.world import BackupRequest, FaultError
from tests.conftest import Lab


def take(lab, host, name="copy"):
    lab.world.run(lab.world.fault("backup", BackupRequest(name, host)))


def put_back(lab, host="", name="copy"):
    lab.world.run(lab.world.fault("restore", BackupRequest(name, host)))


def fault(lab, verb, *hosts):
    lab.world.run(lab.world.fault(verb, list(hosts)))


def services(lab, on="m1"):
    return lab.docker("service ls --format '{{.Name}}'", on=on).out.split()


# -- what a scenario may say


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("  - {restore: sunday}", "x.yaml:3:6: no earlier step made a backup 'sunday': nothing was backed up before"),
        (
            "  - {backup: m1, as: monday}\n  - {restore: sunday}",
            "x.yaml:4:6: no earlier step made a backup 'sunday'; there are monday",
        ),
        ("  - {backup: m9}", "x.yaml:3:6: unknown host 'm9'; there are follower, leader, m1, w1"),
        ("  - {backup: m*}", "x.yaml:3:6: 'm*' is a pattern: name one host here"),
        (
            "  - {backup: m1}\n  - {restore: backup, on: m9}",
            "x.yaml:4:23: unknown host 'm9'; there are follower, leader, m1, w1",
        ),
        ("  - {backup: m1, of: w1}", "x.yaml:3:18: unknown key 'of'"),
    ],
)
def test_a_mistake_has_its_place(steps, complaint):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(f"name: x\nsteps:\n{steps}\ncluster: {{managers: 1, workers: 1}}\n", "x.yaml")
    assert str(refusal.value).startswith(complaint)


def test_what_cannot_be_done_is_an_unmet_expectation_and_the_run_goes_on():
    text = """
name: x
cluster: {managers: 1, workers: 1}
steps:
  - docker: swarm leave
    on: w1
  - backup: w1
    as: nothing
  - restore: nothing
  - fault: {power-off: m1}
  - backup: m1
  - note: still here
"""
    rows = []
    scenario = parse_scenario(text, "x")
    outcome = run_scenario(scenario, 1, rows.append)
    assert [(f.expected, f.seen) for f in outcome.failures] == [
        ("back up w1 as nothing", "w1 is in no swarm: there is nothing to copy"),
        ("restore w1 from nothing", "there is no backup 'nothing': it was not made, or failed"),
        ("back up m1 as backup", "m1 has no power"),
    ]
    assert any(row["kind"] == "note" and row["text"] == "still here" for row in rows)
    steps = [(row["verb"], row["hosts"]) for row in rows if row["kind"] == "step"]
    assert steps == [("backup", ["w1"]), ("restore", ["w1"]), ("power-off", ["m1"]), ("backup", ["m1"])]


def test_the_verdict_of_a_recording_knows_the_steps():
    text = """
name: x
cluster: {managers: 1}
steps:
  - backup: m1
  - docker: service create -d --no-resolve-image --name web mini:1
  - restore: backup
  - docker: service ls
    as: services
    within: 60s
expect:
  - {command: services, code: 0}
  - {service: web, replicas: 1}
"""
    scenario, rows = parse_scenario(text, "x"), []
    outcome = run_scenario(scenario, 1, rows.append)
    verdict = judge(scenario.scenario, rows)
    assert (
        [f.expected for f in verdict.failures] == [f.expected for f in outcome.failures] == ["service web, replicas 1"]
    )
    assert verdict.unknown == []


# -- what a copy is


def test_the_swarm_is_as_it_was_and_what_came_later_is_forgotten():
    lab = Lab(managers=1, workers=1)
    lab.service(2, name="web", flags="--constraint node.role==worker")
    lab.sleep(5.0)
    take(lab, "m1")
    lab.sleep(5.0)
    lab.service(1, name="later")
    lab.docker("service rm web")
    assert services(lab) == ["later"]
    put_back(lab)
    lab.sleep(30.0)
    assert services(lab) == ["web"]
    assert lab.docker("service ls --format '{{.Replicas}}'").out == "2/2\n"


def test_nothing_of_a_copy_changes_afterwards():
    lab = Lab(managers=1, workers=0)
    take(lab, "m1")
    for name in ("one", "two"):
        put_back(lab)
        lab.sleep(10.0)
        assert services(lab) == []
        lab.service(1, name=name)
    disk = lab.world.engines["m1"].host.disk["swarm"]
    other = disk.copy(disk.security.wall)
    assert other.raft.entries == disk.raft.entries
    for part in ("raft", "tasks", "remotes", "security"):
        assert getattr(other, part) is not getattr(disk, part)
    for part in ("entries", "removed"):
        assert getattr(other.raft, part) is not getattr(disk.raft, part)
    assert other.remotes.weights is not disk.remotes.weights


def test_another_host_takes_over(lab):
    lab.service(2, flags="--constraint node.role==worker")
    lab.sleep(5.0)
    take(lab, "m1")
    lab.docker("swarm leave", on="w2")
    fault(lab, "power-off", "m1", "m2", "m3")
    put_back(lab, "w2")
    said = lab.docker("swarm init --force-new-cluster", on="w2", limit=120.0)
    assert said.code == 0
    # It is the node that was copied. Nobody else knows that it is here now.
    assert services(lab, on="w2") == ["web"]
    assert "w2" in lab.docker("node ls --format '{{.Hostname}}'", on="w2").out.split()


def test_a_locked_manager_s_copy_wants_the_key_of_its_time():
    lab = Lab(managers=1, workers=0)
    lab.docker("swarm update --autolock")
    first = lab.docker("swarm unlock-key -q").out.strip()
    take(lab, "m1")
    assert lab.docker("info --format '{{.Swarm.LocalNodeState}}'").out == "locked\n"
    lab.world.run(lab.world.docker("m1", "swarm unlock", stdin=first))
    second = lab.docker("swarm unlock-key --rotate -q").out.strip()
    put_back(lab)
    assert "invalid key provided" in lab.world.run(lab.world.docker("m1", "swarm unlock", stdin=second)).err
    assert lab.world.run(lab.world.docker("m1", "swarm unlock", stdin=first)).code == 0


def test_an_old_copy_among_living_managers_ends_its_engine(lab):
    """etcd panics when a leader tells it of commits that its log once had."""
    found = []
    lab.world.subscribe(found.append, only=frozenset(("swarm.failed", "engine.ended")))
    take(lab, "m3")
    lab.sleep(20.0)
    for number in range(5):
        lab.service(1, name=f"s{number}")
    found.clear()
    put_back(lab)
    lab.sleep(30.0)
    failed = [row["error"] for row in found if row["kind"] == "swarm.failed"]
    if failed:
        assert "Was the raft log corrupted, truncated, or lost?" in failed[0]
        assert not lab.world.engines["m3"].running
    # The others never notice more than that it is away.
    assert len(services(lab)) == 5


def test_who_cannot_be_copied(lab):
    lab.docker("swarm leave", on="w1")
    with pytest.raises(FaultError, match="w1 is in no swarm"):
        take(lab, "w1")
    fault(lab, "power-off", "w2")
    with pytest.raises(FaultError, match="w2 has no power"):
        take(lab, "w2")
    with pytest.raises(FaultError, match="there is no backup 'copy'"):
        put_back(lab, "m1")
