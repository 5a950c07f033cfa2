"""Joins that fail, that take long, and that go on while nobody waits: words and times of real engines (tests/records/asked)."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Lab


class Fresh:
    """A manager, and hosts that are to join it."""

    def __init__(self) -> None:
        self.lab = Lab(1, 2, formed=False)
        self.lab.docker("swarm init")
        self.worker = self.lab.docker("swarm join-token -q worker").out.strip()
        self.manager = self.lab.docker("swarm join-token -q manager").out.strip()

    def join(self, words: str, on: str = "w1"):
        before = self.lab.now
        result = self.lab.docker(f"swarm join --token {words}", on=on)
        return result, self.lab.now - before

    def swarm(self, on: str = "w1") -> dict:
        return json.loads(self.lab.docker("info --format '{{json .Swarm}}'", on=on).out)

    def nodes(self) -> list[str]:
        return self.lab.docker("node ls --format '{{.Hostname}}|{{.Status}}'").out.split()


@pytest.fixture
def fresh() -> Fresh:
    return Fresh()


def test_a_port_where_nobody_listens_is_tried_five_times(fresh):
    result, seconds = fresh.join(f"{fresh.worker} m1:2378")
    assert result.code == 1
    assert result.err.endswith(':2378: connect: connection refused"\n')
    assert 10.0 < seconds < 10.3
    assert fresh.swarm()["LocalNodeState"] == "inactive"


@pytest.mark.parametrize("wrong", ["token", "root"])
def test_so_is_a_manager_that_refuses(fresh, wrong):
    parts = fresh.worker.split("-")
    if wrong == "token":
        token, words = "-".join([*parts[:3], parts[3][::-1]]), "A valid join token is necessary to join this cluster\n"
    else:
        token, words = "-".join([*parts[:2], "0" * 50, parts[3]]), f"Expected: {'0' * 64}\n"
    result, seconds = fresh.join(f"{token} m1:2377")
    assert result.err.endswith(words)
    assert 10.0 < seconds < 10.3


def test_a_manager_that_cannot_be_reached_at_its_address_is_refused_at_once(fresh):
    result, seconds = fresh.join(f"{fresh.manager} --advertise-addr 10.9.9.9 m1:2377")
    assert result.code == 1
    assert result.err.startswith(
        "Error response from daemon: manager stopped: can't initialize raft node: rpc error: code = Unknown desc = "
        "could not connect to prospective new cluster member using its advertised address: rpc error: "
    )
    assert seconds < 2.0
    assert fresh.swarm()["LocalNodeState"] == "inactive"
    assert sorted(fresh.nodes()) == ["m1|Ready", "|Unknown"]  # it has a certificate, and never had a session
    result, _ = fresh.join(f"{fresh.worker} m1:2377")
    assert result.out == "This node joined a swarm as a worker.\n"


def test_a_join_goes_on_when_nobody_waits_for_it_any_more(fresh):
    fresh.lab.world.ctx.fabric.cut("m1", "w1")
    result, seconds = fresh.join(f"{fresh.worker} m1:2377")
    assert 20.0 <= seconds < 20.3
    assert "The attempt to join the swarm will continue in the background." in result.err
    assert fresh.swarm()["LocalNodeState"] == "pending"
    assert fresh.swarm()["RemoteManagers"][0]["NodeID"] == ""
    again, _ = fresh.join(f"{fresh.worker} m1:2377")
    assert "This node is already part of a swarm." in again.err
    assert "Worker nodes can't be used" in fresh.lab.docker("node ls", on="w1").err
    fresh.lab.world.ctx.fabric.heal()
    fresh.lab.sleep(8.0)
    assert fresh.swarm()["LocalNodeState"] == "active"
    assert sorted(fresh.nodes()) == ["m1|Ready", "w1|Ready"]


def test_leaving_ends_a_join_that_is_under_way(fresh):
    fresh.lab.world.ctx.fabric.cut("m1", "w1")
    fresh.join(f"{fresh.worker} m1:2377")
    assert fresh.lab.docker("swarm leave", on="w1").out == "Node left the swarm.\n"
    assert fresh.swarm()["LocalNodeState"] == "inactive"
    fresh.lab.world.ctx.fabric.heal()
    fresh.lab.sleep(40.0)
    assert fresh.nodes() == ["m1|Ready"]


def test_a_join_that_fails_in_the_background_leaves_its_error(fresh):
    fresh.lab.world.ctx.fabric.cut("m1", "w1")
    fresh.join(f"{fresh.worker} m1:2377")
    fresh.lab.sleep(30.0)
    assert fresh.swarm()["LocalNodeState"] == "error"
    assert "DeadlineExceeded" in fresh.swarm()["Error"]
