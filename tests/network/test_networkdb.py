"""Tables of networks, by the rules of libnetwork's networkdb."""

from __future__ import annotations

import pytest

from swarmsim.network.messages import Change
from swarmsim.network.networkdb import EntryError
from swarmsim.network.records import ENDPOINT_TABLE, EndpointRecord
from tests.network.driver import Node, swarm


def endpoint(number: int, **more) -> EndpointRecord:
    return EndpointRecord(
        f"e{number}", f"web.{number}.x", f"10.0.1.{number}", service_name="web", service_id="s1", vip="10.0.1.2", **more
    )


def create(node: Node, number: int, network: str = "ingress") -> None:
    node.db.create_entry(ENDPOINT_TABLE, network, f"e{number}", endpoint(number))


def told(node: Node) -> list[tuple[Change, str]]:
    return [(event.change, event.key) for _, event in node.events]


def test_an_entry_reaches_all_members_of_its_network_within_a_second():
    a, b, c = nodes = swarm(3)
    create(a, 1)
    took = a.wire.run_until(lambda: all(node.keys("ingress") == {"e1"} for node in nodes))
    assert took < 1.0
    assert told(b) == told(c) == [(Change.CREATE, "e1")]
    assert told(a) == []  # who makes it knows
    assert b.db.entries(ENDPOINT_TABLE, "ingress")["e1"].owner == a.db.name


def test_who_is_not_on_a_network_hears_nothing_of_it():
    a, b, c = swarm(3)
    for node in (a, b):
        node.db.join_network("backend")
    a.wire.run(3.0)
    create(a, 1, "backend")
    a.wire.run(3.0)
    assert b.keys("backend") == {"e1"}
    assert c.keys("backend") == set()
    assert {peer.address for peer in c.db.peers("backend")} == {a.address, b.address}


def test_update_and_delete_follow_in_order():
    a, b, _ = swarm(3)
    create(a, 1)
    a.wire.run(2.0)
    a.db.update_entry(ENDPOINT_TABLE, "ingress", "e1", endpoint(1, service_disabled=True))
    a.wire.run(2.0)
    a.db.delete_entry(ENDPOINT_TABLE, "ingress", "e1")
    a.wire.run(2.0)
    assert told(b) == [(Change.CREATE, "e1"), (Change.UPDATE, "e1"), (Change.DELETE, "e1")]
    assert b.events[1][1].value.service_disabled
    assert b.keys("ingress") == set()


def test_a_later_change_replaces_the_earlier_one_in_the_queue():
    a, b, _ = swarm(3)
    create(a, 1)
    a.db.update_entry(ENDPOINT_TABLE, "ingress", "e1", endpoint(1, service_disabled=True))
    a.wire.run(2.0)
    assert told(b) == [(Change.UPDATE, "e1")]


def test_what_is_there_cannot_be_made_and_what_is_not_cannot_be_changed():
    a, *_ = swarm(2)
    create(a, 1)
    with pytest.raises(EntryError, match="already exists"):
        create(a, 1)
    with pytest.raises(EntryError, match="does not exist"):
        a.db.update_entry(ENDPOINT_TABLE, "ingress", "e2", endpoint(2))
    a.db.delete_entry(ENDPOINT_TABLE, "ingress", "e1")
    with pytest.raises(EntryError, match="already being deleted"):
        a.db.delete_entry(ENDPOINT_TABLE, "ingress", "e1")
    with pytest.raises(EntryError, match="already exists"):
        create(a, 1)  # its tombstone is there
    with pytest.raises(EntryError, match="deleted and pending garbage collection"):
        a.db.get_entry(ENDPOINT_TABLE, "ingress", "e1")


def test_who_joins_a_network_gets_all_its_entries_at_once():
    a, b, c = swarm(3)
    for node in (a, b):
        node.db.join_network("backend")
    a.wire.run(2.0)
    for number in range(100):
        create(a, number, "backend")
    a.wire.run(30.0)
    done = []
    c.db.join_network("backend", lambda: done.append(c.now))
    a.wire.run_until(lambda: bool(done))
    assert len(c.keys("backend")) == 100


def test_who_leaves_a_network_takes_its_entries_with_it():
    a, b, c = swarm(3)
    create(a, 1)
    create(b, 2)
    a.wire.run(2.0)
    a.db.leave_network("ingress")
    assert told(a)[1:] == [(Change.DELETE, "e1"), (Change.DELETE, "e2")]
    a.wire.run(2.0)
    assert b.keys("ingress") == c.keys("ingress") == {"e2"}
    assert (Change.DELETE, "e1") in told(c)


def test_the_entries_of_a_dead_member_are_deleted_when_it_is_declared_dead():
    a, b, c = swarm(3)
    create(c, 1)
    a.wire.run(2.0)
    c.silent()
    took = a.wire.run_until(lambda: not a.keys("ingress") and not b.keys("ingress"))
    assert 5.0 < took < 8.0
    assert told(a) == told(b) == [(Change.CREATE, "e1"), (Change.DELETE, "e1")]


def test_a_tombstone_lasts_half_an_hour():
    a, b, _ = swarm(3)
    create(a, 1)
    a.wire.run(2.0)
    a.db.delete_entry(ENDPOINT_TABLE, "ingress", "e1")
    a.wire.run(1790.0)
    with pytest.raises(EntryError, match="pending garbage collection"):
        b.db.get_entry(ENDPOINT_TABLE, "ingress", "e1")
    a.wire.run(20.0)
    with pytest.raises(EntryError, match="could not get"):
        b.db.get_entry(ENDPOINT_TABLE, "ingress", "e1")


def test_a_bulk_sync_makes_a_missed_update_a_create():
    """moby#41896: who has only the bulk sync hears that a disabled endpoint is there."""
    a, _, c = swarm(3)
    create(a, 1)
    a.db.update_entry(ENDPOINT_TABLE, "ingress", "e1", endpoint(1, service_disabled=True))
    a.wire.run(2.0)
    c.db.leave_network("ingress")
    a.wire.run(2.0)
    c.events.clear()
    c.db.join_network("ingress")
    a.wire.run(2.0)
    assert told(c)[:1] == [(Change.CREATE, "e1")]


def test_a_restarted_agent_is_another_member_and_the_one_before_is_gone_at_once():
    a, b, c = swarm(3)
    create(c, 1)
    a.wire.run(2.0)
    c.killed()
    again = Node(a.wire, 3, generation=2)
    again.db.join_network("ingress")
    again.db.join((a.address,))
    took = a.wire.run_until(lambda: not a.keys("ingress") and not b.keys("ingress"))
    assert took < 1.0
    assert {peer.name for peer in a.db.cluster_peers()} == {"n1", "n2", "n3'"}


def test_who_leaves_says_so_and_is_not_suspected():
    a, b, c = swarm(3)
    create(c, 1)
    a.wire.run(2.0)
    gone = []
    c.db.leave(lambda: gone.append(c.now))
    took = a.wire.run_until(lambda: bool(gone))
    assert took < 2.0
    c.silent()
    a.wire.run(10.0)
    assert a.keys("ingress") == b.keys("ingress") == set()
    assert [state for _, name, state in a.changes if name == "n3"] == ["alive", "left"]
