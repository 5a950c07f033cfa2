"""A swarm that has lost its quorum for good: words and states are those of real engines (tests/records/asked/recovery.txt)."""

from __future__ import annotations

import re

import pytest

from swarmsim.raft.messages import ChangeType, ConfChange, Entry, HardState, Snapshot
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.manager.raftdisk import RaftDisk
from tests.conftest import Lab


def nodes(lab, on="m1"):
    """What ``docker node ls`` shows: status and manager status by host."""
    listed = lab.docker("node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'", on=on)
    assert listed.code == 0, listed.err
    return {name: status.strip() for name, status in (line.split(" ", 1) for line in listed.out.splitlines())}


def fault(lab, verb, *hosts):
    lab.world.run(lab.world.fault(verb, list(hosts)))


@pytest.fixture
def recovered(lab):
    """m2 and m3 are gone; m1 is the only manager of a new cluster."""
    fault(lab, "power-off", "m2", "m3")
    lab.sleep(15.0)
    said = lab.docker("swarm init --force-new-cluster")
    assert said.out.startswith("Swarm initialized: current node (")
    return lab


# -- the log


def member(number):
    return Member(number, f"n{number}", f"m{number}", "")


def test_a_log_of_one_removes_all_others_and_forgets_what_was_not_committed():
    disk = RaftDisk()
    disk.own_id = 1
    disk.hard_state = HardState(term=4, vote=1, commit=4)
    disk.entries = [Entry(n, 1, ConfChange(ChangeType.ADD, n, member(n))) for n in (1, 2, 3)]
    disk.entries += [Entry(4, 4), Entry(5, 4, "never agreed on")]
    disk.force_new_cluster()
    assert [(entry.index, entry.term) for entry in disk.entries[4:]] == [(5, 4), (6, 4)]
    assert [(entry.data.type, entry.data.node) for entry in disk.entries[4:]] == [
        (ChangeType.REMOVE, 2),
        (ChangeType.REMOVE, 3),
    ]
    assert disk.removed == {2, 3}
    assert disk.hard_state == HardState(term=4, vote=1, commit=6)
    again = disk.hard_state
    disk.force_new_cluster()
    assert disk.hard_state == again


def test_members_are_those_of_the_snapshot_and_what_followed():
    disk = RaftDisk()
    disk.own_id = 1
    disk.snapshot = Snapshot(10, 2, (1, 2), ((), (member(1), member(2)), frozenset()))
    disk.hard_state = HardState(term=2, vote=1, commit=12)
    disk.entries = [
        Entry(11, 2, ConfChange(ChangeType.ADD, 3, member(3))),
        Entry(12, 2, ConfChange(ChangeType.REMOVE, 2, member(2))),
    ]
    disk.force_new_cluster()
    assert [entry.data.node for entry in disk.entries[2:]] == [3]


def test_in_a_long_log_the_others_are_removed_too_late_for_an_election_at_once():
    disk = RaftDisk()
    disk.hard_state = HardState(term=1, vote=1, commit=3)
    disk.entries = [
        Entry(1, 1, None, 60_000),
        Entry(2, 1, None, 6_000),
        Entry(3, 1, ConfChange(ChangeType.REMOVE, 2), 128),
    ]
    assert disk.changes_come_late(65_535)
    assert not disk.changes_come_late(70_000)


# -- a new cluster


def test_the_others_are_unknown_then_down_and_can_be_removed(recovered):
    assert {"m1": "Ready Leader", "m2": "Unknown", "m3": "Unknown"}.items() <= nodes(recovered).items()
    recovered.sleep(40.0)
    assert nodes(recovered) == {"m1": "Ready Leader", "m2": "Down", "m3": "Down", "w1": "Ready", "w2": "Ready"}
    refusal = recovered.docker("node demote m2")
    assert (refusal.code, refusal.err) == (
        1, "Error response from daemon: rpc error: code = NotFound desc = can't find manager in raft memberlist\n"
    )  # fmt: skip
    assert recovered.docker("node rm m2").out == "m2\n"
    assert recovered.docker("node rm --force m2").err == "Error response from daemon: node m2 not found\n"
    assert "m2" not in nodes(recovered)


def test_services_go_on_and_the_manager_s_own_containers_are_stopped():
    lab = Lab()
    lab.service(10)
    lab.sleep(5.0)
    assert any(container.alive for container in lab.world.engines["m1"].task_containers.values())
    fault(lab, "power-off", "m2", "m3")
    lab.sleep(15.0)
    lab.docker("swarm init --force-new-cluster")
    lab.sleep(60.0)
    failed = lab.docker("service ps --no-trunc --format '{{.Node}} {{.CurrentState}} {{.Error}}' web").out
    assert re.search(r"^m1 Failed .*non-zero exit \(137\)", failed, re.M)
    assert lab.docker("service ls --format '{{.Replicas}}'").out.startswith("1")


def test_a_new_cluster_takes_new_managers(recovered):
    token = recovered.docker("swarm join-token -q manager").out.strip()
    fault(recovered, "power-on", "m3")
    recovered.docker("swarm leave --force", on="m3")
    assert recovered.docker(f"swarm join --token {token} m1:2377", on="m3").code == 0
    recovered.sleep(5.0)
    listed = recovered.docker("node ls --format '{{.Hostname}} {{.ManagerStatus}}'").out.splitlines()
    assert "m3 Reachable" in listed


def test_what_was_not_agreed_on_is_lost(lab):
    fault(lab, "power-off", "m2", "m3")
    lab.docker("service create -d --name lost mini:1 sleep 1000", limit=30.0)
    lab.sleep(15.0)
    lab.docker("swarm init --force-new-cluster")
    assert lab.docker("service ls -q").out == ""


def test_a_healthy_manager_can_be_made_the_only_one():
    lab = Lab(managers=1, workers=1)
    said = lab.docker("swarm init --force-new-cluster")
    assert said.code == 0
    assert nodes(lab)["m1"] == "Ready Leader"


def test_who_may_not(lab):
    refusal = lab.docker("swarm init --force-new-cluster", on="w1").err
    assert refusal.startswith(
        "Error response from daemon: This node is not a swarm manager. Worker nodes can't be used"
    )
    lab.docker("swarm leave", on="w2")
    # On a host in no swarm it is an ordinary beginning.
    assert lab.docker("swarm init --force-new-cluster", on="w2").code == 0
    assert nodes(lab, on="w2") == {"w2": "Ready Leader"}


def test_autolock_is_off_afterwards_unless_it_is_asked_for(lab):
    fault(lab, "power-off", "m2", "m3")
    lab.sleep(15.0)
    lab.docker("swarm init --force-new-cluster --autolock")
    assert lab.docker("swarm unlock-key -q").out.startswith("SWMKEY-1-")


def test_a_manager_that_locks_ends_in_no_swarm(lab):
    lab.docker("swarm update --autolock")
    key = lab.docker("swarm unlock-key -q").out.strip()
    lab.sleep(3.0)
    refusal = lab.docker("swarm init --force-new-cluster", on="m2").err
    assert "Swarm is encrypted and needs to be unlocked" in refusal

    def state():
        return lab.docker("info --format '{{.Swarm.LocalNodeState}}'", on="m2").out.strip()

    assert state() == "inactive"
    # What it has on disk is found by the next start of its engine …
    fault(lab, "stop-engine", "m2")
    fault(lab, "start-engine", "m2")
    assert state() == "locked"
    assert lab.world.run(lab.world.docker("m2", "swarm unlock", stdin=key)).code == 0
    # … unless somebody begins another swarm instead: that clears it away.
    lab.docker("swarm init --force-new-cluster", on="m2")
    assert "Swarm is encrypted" in lab.docker("swarm init", on="m2").err
    assert lab.docker("swarm init", on="m2").code == 0


# -- managers of old


def test_a_lone_manager_leads_as_soon_as_it_is_back():
    lab = Lab(managers=1, workers=0)
    fault(lab, "power-off", "m1")
    fault(lab, "power-on", "m1")
    before = lab.now
    assert lab.docker("node ls").code == 0
    assert lab.now - before < 3.0


def test_those_that_were_left_out_alive_come_back_as_new_members(lab):
    ids = {host: lab.world.engines[host].node.certificate.node_id for host in ("m2", "m3")}
    lab.docker("swarm init --force-new-cluster")
    lab.sleep(15.0)
    assert lab.docker("node ls --format '{{.ManagerStatus}}'").out.split() == ["Leader"]
    # They wait 16 s for another role, ask for their certificates anew, wait 16 s more.
    lab.sleep(60.0)
    assert sorted(lab.docker("node ls --format '{{.ManagerStatus}}'").out.split()) == [
        "Leader",
        "Reachable",
        "Reachable",
    ]
    assert {host: lab.world.engines[host].node.certificate.node_id for host in ids} == ids
