"""UDP: what is lost is lost."""

from __future__ import annotations

import pytest

from swarmsim.sim.errors import ModelError
from swarmsim.sim.net.connection import Address
from swarmsim.sim.net.datagrams import DatagramSocket
from tests.sim.net.pair import Pair

PORT = 7946


def two(net: Pair):
    heard: list[tuple[str, str]] = []
    near = DatagramSocket(net.a, net.client, PORT, lambda text, sender: heard.append(("a", text)))
    far = DatagramSocket(net.b, net.server, PORT, lambda text, sender: heard.append((str(sender), text)))
    return near, far, heard


def test_a_packet_arrives_with_its_sender():
    net = Pair()
    near, far, heard = two(net)
    near.send(far.at, "ping")
    net.run(1)
    assert heard == [("10.0.0.1:7946", "ping")]


def test_what_is_lost_is_lost():
    net = Pair(loss=0.3)
    near, far, heard = two(net)
    for _ in range(1000):
        near.send(far.at, "ping")
    net.run(1000)
    assert 430 <= len(heard) <= 550  # 0.7 · 0.7


def test_a_firewall_drops_what_comes_to_a_port_and_not_what_goes_out():
    net = Pair()
    near, far, heard = two(net)
    net.b.close_port("udp", PORT)
    near.send(far.at, "dropped")
    far.send(near.at, "out")
    net.run(1)
    net.b.open_port("udp", PORT)
    near.send(far.at, "let in")
    net.run(1)
    assert heard == [("a", "out"), ("10.0.0.1:7946", "let in")]


def test_nobody_is_told_of_cuts_power_and_closed_ports():
    net = Pair()
    near, far, heard = two(net)
    near.send(Address("udp", "10.0.0.2", 1), "closed")
    net.fabric.cut("a", "b")
    near.send(far.at, "cut")
    net.fabric.heal()
    net.b.power_off()
    near.send(far.at, "off")
    net.run(100)
    assert heard == []


def test_a_port_belongs_to_one():
    net = Pair()
    two(net)
    with pytest.raises(ModelError, match="address already in use"):
        two(net)


def arrivals(heeds) -> list[tuple[float, str]]:
    net = Pair(loss=0.3)
    heard: list[tuple[float, str]] = []
    near = DatagramSocket(net.a, net.client, PORT, lambda text, sender: None)
    far = DatagramSocket(net.b, net.server, PORT, lambda text, sender: heard.append((net.clock.now, text)), heeds=heeds)
    for text in ["old", "new"] * 50:
        near.send(far.at, text)
    net.run(1)
    return heard


def test_what_nobody_heeds_costs_the_same_luck_and_no_arrival():
    """A packet that would change nothing is not delivered, and the next one takes as long as it would have."""
    told, heeded = arrivals(None), arrivals(lambda text: text != "old")
    assert [each for each in told if each[1] == "new"] == heeded
    assert len(heeded) < len(told)
