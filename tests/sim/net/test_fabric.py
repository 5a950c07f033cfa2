"""The fabric: whether a packet arrives, and when."""

from __future__ import annotations

import pytest

from swarmsim.sim.clock import Clock
from swarmsim.sim.net.fabric import LOOPBACK, Fabric
from swarmsim.sim.streams import RandomStreams


def three() -> Fabric:
    fabric = Fabric(Clock(), RandomStreams(1))
    for name in "abc":
        fabric.link(name, "switch", lambda rng: 0.001)
    return fabric


def test_a_packet_takes_what_its_links_take():
    fabric = three()
    assert fabric.transit("a", "b") == pytest.approx(0.002)
    assert fabric.transit("a", "a") == LOOPBACK


def test_a_cut_swallows_and_healing_mends():
    fabric = three()
    fabric.cut("a", "b")
    assert fabric.transit("a", "b") is None
    assert fabric.transit("a", "c") is not None
    fabric.heal()
    assert fabric.transit("a", "b") is not None


def test_a_partition_lets_only_its_groups_talk():
    fabric = three()
    fabric.partition([["a"], ["b", "c"]])
    assert not fabric.reaches("a", "b")
    assert fabric.reaches("b", "c")
    fabric.partition([["a", "b"]])
    assert fabric.reaches("a", "b")
    assert not fabric.reaches("b", "c")


def test_hosts_reach_each_other_on_the_same_side_of_every_separation():
    fabric = three()
    first, second = fabric.separate(["a"]), fabric.separate(["a", "b"])
    assert fabric.separations() == [["a"], ["a", "b"]]
    fabric.rejoin(first)
    assert fabric.reaches("a", "b")
    fabric.rejoin(second)
    assert fabric.reaches("a", "c")


def test_chance_swallows_as_many_packets_as_the_links_lose():
    fabric = three()
    fabric.link("a", "switch", lambda rng: 0.001, loss=0.5)
    lost = sum(fabric.transit("a", "b") is None for _ in range(1000))
    assert 440 <= lost <= 560
    assert fabric.reaches("a", "b")
    assert not fabric.healthy("a", "b")


def test_whoever_may_reach_less_is_told_of():
    fabric = three()
    lost: list[tuple[str, ...]] = []
    fabric.on_routes_lost = lost.append
    fabric.cut("a", "b")
    fabric.separate(["b", "c"])
    fabric.heal()
    assert lost == [("a",), ("b", "c")]
