"""The fabric and the calls over it: order, silence, resets, loss as delay."""

from __future__ import annotations

import pytest

from swarmsim.sim.chance import Chance
from swarmsim.sim.clock import Clock
from swarmsim.sim.fabric import Fabric
from swarmsim.sim.host import Host, Process, Surroundings
from swarmsim.sim.profile import load_profile
from swarmsim.sim.rpc import RpcError


def two_hosts():
    around = Surroundings(Clock(), Chance(1), load_profile("lab"))
    hosts = [Host(around, name, f"10.0.0.{n}", 1, 1) for n, name in enumerate("ab")]
    for host in hosts:
        around.fabric.link(host.name, "switch", lambda rng: 0.01 + 0.01 * rng.random())
    return around, *(Process(host, "daemon") for host in hosts)


def ask(around, client, method="hello", timeout=1.0):
    def caller():
        try:
            return (yield client.call("b", method, "x", timeout))
        except RpcError as error:
            return error.code, around.clock.now

    return around.clock.run(client.spawn(caller()))


def test_messages_between_two_hosts_keep_their_order():
    clock = Clock()
    fabric = Fabric(clock, Chance(3))
    fabric.link("a", "b", lambda rng: rng.random())
    arrived = []
    for number in range(50):
        fabric.send("a", "b", arrived.append, number)
    clock.run(10)
    assert arrived == list(range(50))


def test_a_call_is_answered_after_a_round_trip():
    around, a, b = two_hosts()
    b.serve("hello", lambda request: request * 2)
    assert ask(around, a) == "xx"
    assert 0.04 <= around.clock.now <= 0.08


def test_a_dead_process_refuses_at_once():
    around, a, b = two_hosts()
    b.serve("hello", lambda request: request)
    b.kill()
    code, at = ask(around, a)
    assert code == "Unavailable"
    assert at < 0.1


def test_a_host_without_power_is_silent_until_the_time_out():
    around, a, b = two_hosts()
    b.serve("hello", lambda request: request)
    b.host.power_off()
    assert ask(around, a) == ("DeadlineExceeded", 1.0)


@pytest.mark.parametrize(
    ("ago", "mended", "connected"),
    [(0.0, 0.5, 1.0), (0.0, 1.5, 3.0), (0.0, 4.0, 7.0), (5.0, 0.5, 2.0), (10.0, 0.5, 5.0)],
)
def test_a_connection_is_tried_again_as_tcp_sends_its_syn(ago, mended, connected):
    """A SYN goes out 0, 1, 3, 7, 15 s after the first; ``ago`` seconds of the attempt have passed already."""
    around, a, b = two_hosts()
    b.serve("hello", lambda request: "welcome")
    around.fabric.cut("a", "b")
    a.after(mended, around.fabric.heal)
    reply = a.connect("b", "hello", 20.0, ago)
    around.clock.run(reply)
    assert around.clock.now == pytest.approx(connected, abs=0.1)


def test_a_cut_swallows_and_healing_mends():
    around, a, b = two_hosts()
    b.serve("hello", lambda request: request)
    around.fabric.cut("a", "b")
    assert ask(around, a)[0] == "DeadlineExceeded"
    around.fabric.heal()
    assert ask(around, a) == "x"


def test_a_partition_lets_only_its_groups_talk():
    around, *_ = two_hosts()
    around.fabric.partition([["a"], ["b"]])
    assert not around.fabric.reaches("a", "b")
    around.fabric.partition([["a", "b"]])
    assert around.fabric.reaches("a", "b")


def test_killing_a_process_resets_its_open_calls_and_streams():
    around, a, b = two_hosts()
    b.serve("hello", lambda request: around.clock.event())
    b.serve("stream", lambda stream: stream.send("first"))
    heard, closed = [], []
    a.stream("b", "stream", None, heard.append, lambda error: closed.append(error.code))
    b.after(0.5, b.kill)
    code, at = ask(around, a, timeout=5.0)
    around.clock.run(1.0)
    assert (code, heard, closed) == ("Unavailable", ["first"], ["Unavailable"])
    assert at == pytest.approx(0.5, abs=0.1)


def test_a_stream_survives_a_short_cut_and_keeps_its_order():
    around, a, b = two_hosts()
    streams = []
    b.serve("stream", streams.append)
    heard = []
    a.stream("b", "stream", None, heard.append, lambda error: heard.append(error))
    around.clock.run(0.2)
    around.fabric.cut("a", "b")
    for number in range(3):
        streams[0].send(number)
    around.clock.run(2.0)
    assert heard == []
    around.fabric.heal()
    around.clock.run(6.0)
    assert heard == [0, 1, 2]


def test_loss_is_delay_because_tcp_sends_again():
    clock = Clock()
    fabric = Fabric(clock, Chance(5))
    fabric.link("a", "b", lambda rng: 0.001, loss=0.5)
    delays = []
    for _ in range(200):
        start = clock.now
        fabric.send("a", "b", lambda start=start: delays.append(clock.now - start))
        clock.run(clock.now + 1000)
    assert len(delays) == 200
    prompt = sum(1 for delay in delays if delay < 0.1)
    assert 70 <= prompt <= 130
    assert all(delay < 0.1 or delay >= 0.2 for delay in delays)
