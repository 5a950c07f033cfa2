"""What is left out with heartbeats, put right at once: the dispatcher's deadline for a node, the queue to a silent Raft member."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.raft.core import Raft
from swarmsim.raft.messages import Kind, Message
from swarmsim.sim.clock import Clock
from swarmsim.sim.net.server import Server
from swarmsim.sim.net.tls import Anonymous
from swarmsim.sim.quiescence import Dormant, Phase, Renewals
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import Deadline, PeriodicTimer
from swarmsim.swarm.api import health
from swarmsim.swarm.api.raft import PROCESS_RAFT_MESSAGE, Member
from swarmsim.swarm.api.roles import MANAGER_ROLE
from swarmsim.swarm.manager.dispatcher import GRACE_MULTIPLIER, Registration
from swarmsim.swarm.manager.transport import Peer
from tests.sim.net.pair import Pair

PERIOD, EPSILON, THERE = 5.0, 0.5, 0.002  # seconds


@given(seed=st.integers(0, 1000), until=st.floats(5.6, 1000))
def test_a_node_is_expected_when_every_heartbeat_would_have_said(seed, until):
    """``until``: soon enough that the periods are drawn one by one, here as there."""
    clock, rng = Clock(), Random(seed)
    scope = Scope(clock, "dispatcher")
    real = Registration(Deadline(scope, PERIOD * GRACE_MULTIPLIER, lambda: None))

    def heartbeat():
        period = PERIOD - EPSILON + 2 * EPSILON * rng.random()
        scope.after(THERE, real.heartbeat, period)
        return period + 2 * THERE

    timer = PeriodicTimer(scope, PERIOD + 2 * THERE, heartbeat)
    clock.run(until)
    same = Random(seed)
    sent = Renewals(PERIOD - EPSILON, PERIOD + EPSILON, 2 * THERE).phase(
        Phase(0.0, PERIOD, PERIOD + 2 * THERE), until, same
    )
    skipped = Registration(Deadline(scope, PERIOD, lambda: None))
    skipped.fast_forward(sent.last + THERE, sent.interval)
    assert timer.due == pytest.approx(sent.next, abs=1e-6)
    if sent.last + THERE < until:
        assert skipped.deadline.due == pytest.approx(real.deadline.due, abs=1e-6)
        assert skipped.deadline.seconds == pytest.approx(real.deadline.seconds, abs=1e-6)


class Leader:
    """What a peer needs of its Raft node."""

    def __init__(self, pair: Pair) -> None:
        self.process, self.scope, self.journal = pair.client, pair.client, pair.ctx.journal
        self.core = Raft(1, (1, 2), Random(1))

    def removed(self) -> None:
        raise AssertionError


class AManager(Anonymous):
    """Of whom nothing is known but what it may ask for."""

    unit = MANAGER_ROLE


def silent_peer() -> tuple[Pair, Peer]:
    """The way to a member that has lost power just now."""
    pair = Pair()
    pair.client.identity = AManager()
    server = Server(pair.server, pair.server, "0.0.0.0:2377")
    server.serve(PROCESS_RAFT_MESSAGE, lambda message, call: None)
    server.serve(health.CHECK, lambda request, call: health.HealthCheckResponse(health.ServingStatus.SERVING))
    peer = Peer(Leader(pair), Member(2, "node", "b", "10.0.0.2:2377"))
    pair.run(0.5)
    assert peer.idle
    pair.b.power_off()
    return pair, peer


HEARTBEAT = Message(Kind.HEARTBEAT, 2, 1, 1)


@given(before=st.integers(1, 30), heartbeats=st.integers(0, 300), rest=st.floats(0.05, 0.95))
def test_heartbeats_to_a_silent_member_wait_as_if_each_had_been_sent(before, heartbeats, rest):
    seen = []
    for skip in (False, True):
        pair, peer = silent_peer()
        for _ in range(before):
            pair.run(1.0)
            peer.send(HEARTBEAT)
        assert peer.only_heartbeats_wait
        if skip:
            peer.sleep(Dormant(pair.clock.quiescence, (), lambda: None))
            pair.run(heartbeats + rest)
            peer.fast_forward(heartbeats)
        else:
            for _ in range(heartbeats):
                pair.run(1.0)
                peer.send(HEARTBEAT)
            pair.run(rest)
        assert peer.call is not None
        seen.append((len(peer.queue), round(peer.call.deadline, 6), peer.channel.state))
    assert abs(seen[0][0] - seen[1][0]) <= 1  # a heartbeat and a time-out on the same instant may change places
    assert seen[0][1:] == seen[1][1:]
