"""Packets that tell somebody what it knows need not arrive: nothing that anybody sees depends on it."""

from __future__ import annotations

import pytest

from swarmsim.network.memberlist import Memberlist
from swarmsim.network.messages import Alive, NetworkEvent, NodeEvent, Ping, TableEvents
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario
from tests.network.driver import agreed, swarm
from tests.network.test_networkdb import create


@pytest.mark.parametrize("name", ["gossip-partition", "node-dies-under-traffic"])
def test_a_run_is_the_same_whether_or_not_old_news_arrive(name, monkeypatch):
    loaded = load_scenario(name)
    with_rule: list[object] = []
    without: list[object] = []
    run_scenario(loaded, 1, with_rule.append)
    monkeypatch.setattr(Memberlist, "heeds", lambda self, packet: True)
    run_scenario(loaded, 1, without.append)
    assert with_rule == without


def test_what_a_member_does_not_heed_changes_nothing_in_it():
    """All that is sent among some members, told to one of them again."""
    nodes = swarm(5)
    wire = nodes[0].wire
    for number, node in enumerate(nodes):
        create(node, number)
    nodes[1].db.delete_entry("endpoint_table", "ingress", "e1")
    nodes[2].db.leave_network("ingress")
    wire.run(3.0)
    gossip = (Alive, NetworkEvent, NodeEvent, TableEvents)
    told = list({id(message): message for *_, message in wire.sent if isinstance(message, gossip)}.values())
    heeded = 0
    for node in nodes:
        for message in told:
            before = known(node.db)
            heeds = node.members.heeds((message,))
            heeded += heeds
            node.members.receive((message,))
            assert heeds or known(node.db) == before
    assert heeded < len(told) * len(nodes) / 4


def known(db) -> object:
    entries = {(at, entry) for at, entry in db.tables.all()}
    return (
        entries,
        db.network_clock.time,
        db.table_clock.time,
        db.members._known.value,
        db._attached.value,
        [(name, node.ltime) for name, node in db.nodes.active.items()],
        len(db.members._broadcasts),
        [len(each.broadcasts) for each in db.networks[db.name].values()],
    )


def test_questions_and_news_are_heeded():
    a, b, *_ = agreed(1, 3)
    assert a.members.heeds((Ping(1, a.db.name, b.address),))
    assert a.members.heeds((Alive("new", "10.0.0.9", 1),))
    assert a.members.heeds((Alive(b.db.name, b.address, 2),))
    assert not a.members.heeds((Alive(b.db.name, b.address, 1),))
