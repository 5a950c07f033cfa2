"""What a resting member leaves out, against as many real ticks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.network.memberlist import ROUNDS
from swarmsim.network.networkdb import NETWORK_TOMBSTONE
from swarmsim.network.nodes import NODE_REAP_PERIOD
from swarmsim.network.records import ENDPOINT_TABLE
from swarmsim.network.tables import REAP_PERIOD, TOMBSTONE
from tests.network.driver import agreed, swarm
from tests.network.test_networkdb import create


def order(node) -> tuple[list[str], int]:
    members, place = node.members.round
    return [member.name for member in members], place


@settings(max_examples=25)
@given(st.integers(2, 7), st.integers(0, 20), st.integers(0, 5))
def test_probes_that_are_answered_are_so_many_places_in_so_many_rounds(size, seconds, before):
    real, skipped = agreed(1, size), agreed(1, size)
    for nodes in (real, skipped):
        nodes[0].wire.run(before + 0.5)
    assert order(real[0]) == order(skipped[0])
    real[0].members.rng.seed(7)
    skipped[0].members.rng.seed(7)
    began = len(real[0].wire.sent)
    for node in real[1:]:
        node.members.probe_tick = lambda: None
    real[0].members.gossip_wanted = lambda: None
    real[0].wire.run(float(seconds))
    assert len(real[0].wire.sent) - began >= seconds  # pings
    skipped[0].members.fast_forward(seconds)
    assert order(real[0]) == order(skipped[0])


def test_after_many_rounds_only_the_place_in_the_round_counts():
    node = agreed(1, 4)[0]
    _, before = order(node)
    node.members.fast_forward(3 * (10 * ROUNDS) * 3)
    names, _ = order(node)
    assert sorted(names) == ["n1", "n2", "n3", "n4"]
    assert before <= 4


@settings(max_examples=30)
@given(st.integers(0, 800), st.integers(0, 800))
def test_tombstones_grow_older_at_once_as_one_by_one(first, second):
    assert int(TOMBSTONE / REAP_PERIOD) < 800
    outcomes = []
    for one_by_one in (True, False):
        a, *_ = swarm(2, networks=("n", "left"))
        for number in range(3):
            create(a, number, "n")
        a.db.delete_entry(ENDPOINT_TABLE, "n", "e0")
        a.db.leave_network("left")
        for count in (first, second):
            if one_by_one:
                for _ in range(count):
                    a.db.reap()
            elif count:
                a.db.reap(count)
            if "e1" in a.keys("n"):
                a.db.delete_entry(ENDPOINT_TABLE, "n", "e1")
        there = {network: attachment.residual for network, attachment in a.db.networks[a.db.name].items()}
        outcomes.append((a.db.tables.of("n"), there))
    assert outcomes[0] == outcomes[1]
    assert NETWORK_TOMBSTONE > TOMBSTONE


@given(st.integers(0, 15))
def test_those_that_failed_are_forgotten_after_a_day(periods):
    found = []
    for one_by_one in (True, False):
        a, b = swarm(2)
        b.silent()
        a.wire.run(20.0)
        assert a.db.nodes.failed
        if one_by_one:
            for _ in range(periods):
                a.db.forget_nodes()
        elif periods:
            a.db.forget_nodes(periods)
        found.append([(name, node.residual) for name, node in a.db.nodes.failed.items()])
    assert found[0] == found[1]
    assert bool(found[0]) == (periods * NODE_REAP_PERIOD < 24 * 3600.0)
