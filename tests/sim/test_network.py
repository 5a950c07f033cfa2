"""The fabric and the calls over it: order, silence, resets, loss as delay."""

from __future__ import annotations

import pytest

from swarmsim.sim.clock import Clock
from swarmsim.sim.fabric import Fabric
from swarmsim.sim.host import Host, Process, SimContext
from swarmsim.sim.method import Method, StreamMethod
from swarmsim.sim.profile import load_profile
from swarmsim.sim.rpc import RpcError
from swarmsim.sim.streams import RandomStreams

HELLO = Method("Test/Hello", str, str)
STREAM = StreamMethod("Test/Stream", str, (str, int))


def two_hosts():
    ctx = SimContext(Clock(), RandomStreams(1), load_profile("lab"))
    hosts = [Host(ctx, name, f"10.0.0.{n}", 1, 1) for n, name in enumerate("ab")]
    for host in hosts:
        ctx.fabric.link(host.name, "switch", lambda rng: 0.01 + 0.01 * rng.random())
    return ctx, *(Process(host, "daemon") for host in hosts)


def ask(ctx, client, method=HELLO, timeout=1.0):
    def caller():
        try:
            return (yield client.call("b", method, "x", timeout))
        except RpcError as error:
            return error.code, ctx.clock.now

    return ctx.clock.run(client.spawn(caller()))


def test_messages_between_two_hosts_keep_their_order():
    clock = Clock()
    fabric = Fabric(clock, RandomStreams(3))
    fabric.link("a", "b", lambda rng: rng.random())
    arrived = []
    for number in range(50):
        fabric.send("a", "b", arrived.append, number)
    clock.run(10)
    assert arrived == list(range(50))


def test_a_call_is_answered_after_a_round_trip():
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: request * 2)
    assert ask(ctx, a) == "xx"
    assert 0.04 <= ctx.clock.now <= 0.08


def test_a_dead_process_refuses_at_once():
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: request)
    b.kill()
    code, at = ask(ctx, a)
    assert code == "Unavailable"
    assert at < 0.1


def test_a_host_without_power_is_silent_until_the_time_out():
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: request)
    b.host.power_off()
    assert ask(ctx, a) == ("DeadlineExceeded", 1.0)


@pytest.mark.parametrize(
    ("ago", "mended", "connected"),
    [(0.0, 0.5, 1.0), (0.0, 1.5, 3.0), (0.0, 4.0, 7.0), (5.0, 0.5, 2.0), (10.0, 0.5, 5.0)],
)
def test_a_connection_is_tried_again_as_tcp_sends_its_syn(ago, mended, connected):
    """A SYN goes out 0, 1, 3, 7, 15 s after the first; ``ago`` seconds of the attempt have passed already."""
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: "welcome")
    ctx.fabric.cut("a", "b")
    a.after(mended, ctx.fabric.heal)
    reply = a.connect("b", HELLO, "x", 20.0, ago)
    ctx.clock.run(reply)
    assert ctx.clock.now == pytest.approx(connected, abs=0.1)


def test_a_cut_swallows_and_healing_mends():
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: request)
    ctx.fabric.cut("a", "b")
    assert ask(ctx, a)[0] == "DeadlineExceeded"
    ctx.fabric.heal()
    assert ask(ctx, a) == "x"


def test_a_partition_lets_only_its_groups_talk():
    ctx, *_ = two_hosts()
    ctx.fabric.partition([["a"], ["b"]])
    assert not ctx.fabric.reaches("a", "b")
    ctx.fabric.partition([["a", "b"]])
    assert ctx.fabric.reaches("a", "b")


def test_killing_a_process_resets_its_open_calls_and_streams():
    ctx, a, b = two_hosts()
    b.serve(HELLO, lambda request, call: ctx.clock.future())
    b.serve_stream(STREAM, lambda request, stream: stream.send("first"))
    heard, closed = [], []
    a.stream("b", STREAM, "x", heard.append, lambda error: closed.append(error.code))
    b.after(0.5, b.kill)
    code, at = ask(ctx, a, timeout=5.0)
    ctx.clock.run(1.0)
    assert (code, heard, closed) == ("Unavailable", ["first"], ["Unavailable"])
    assert at == pytest.approx(0.5, abs=0.1)


def test_a_stream_survives_a_short_cut_and_keeps_its_order():
    ctx, a, b = two_hosts()
    streams = []
    b.serve_stream(STREAM, lambda request, stream: streams.append(stream))
    heard = []
    a.stream("b", STREAM, "x", heard.append, lambda error: heard.append(error))
    ctx.clock.run(0.2)
    ctx.fabric.cut("a", "b")
    for number in range(3):
        streams[0].send(number)
    ctx.clock.run(2.0)
    assert heard == []
    ctx.fabric.heal()
    ctx.clock.run(6.0)
    assert heard == [0, 1, 2]


def test_loss_is_delay_because_tcp_sends_again():
    clock = Clock()
    fabric = Fabric(clock, RandomStreams(5))
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
