"""The gossip of a settled swarm: all members know each other and have nothing to tell.

A real swarm of a thousand takes minutes to come to that, in which every member is told of every other some sixteen times; what is
measured here begins after it. So the members are told of each other at once, and what they would hand on is dropped. They are on one network,
each with an entry, as the ingress network has one for each node.
"""

from __future__ import annotations

import time

from swarmsim.network.agent import GossipAgent
from swarmsim.network.keyring import made
from swarmsim.network.messages import BulkSync, NetworkPushPull, PushPull, Snapshot
from swarmsim.network.records import PEER_TABLE, PeerRecord
from swarmsim.scenario.runner import build_world
from swarmsim.scenario.schema import ClusterLayout, Scenario
from swarmsim.world.simulated import SimulatedWorld

NETWORK = "ingress"
YEAR = 31_536_000.0


def settled(nodes: int, *, eager: bool) -> SimulatedWorld:
    """Hosts whose engines gossip, without a swarm around them."""
    layout = ClusterLayout(managers=3, workers=nodes - 3, gossip=True)
    world = build_world(Scenario(name="gossip", cluster=layout), 1, eager=eager)
    agents = []
    for engine in world.engines.values():
        world.clock.run(world.clock.now + 1.0 / nodes)  # their seconds do not begin together
        agent = engine.gossip = GossipAgent(engine.process, (), made(1, 2, 3))
        agent.db.join_network(NETWORK)
        endpoint = f"lb-{engine.host.name}"
        agent.db.create_entry(PEER_TABLE, NETWORK, endpoint, PeerRecord("10.0.0.2", "02:42:0a:00:00:02", "10.1.0.1"))
        agents.append(agent)
    dbs = [agent.db for agent in agents]
    everybody = PushPull(
        False,
        tuple(member.told for db in dbs for member in db.members.members.values()),
        NetworkPushPull(len(dbs), dbs[0].name, tuple((1, db.name, NETWORK, False) for db in dbs)),
    )
    entries = {at: entry for db in dbs for at, entry in db.tables.of(NETWORK)}
    for db in dbs:
        db.members.serve(everybody)
        db.members.serve(BulkSync(1, dbs[0].name, False, (NETWORK,), (Snapshot(entries),)))
        db.drop_news()
    assert all(len(db.peers(NETWORK)) == len(db.entries(PEER_TABLE, NETWORK)) == nodes for db in dbs)
    world.clock.run(world.clock.now + 10.0)
    return world


def seconds(nodes: int, simulated: float, *, eager: bool) -> float:
    """CPU seconds of so many simulated ones."""
    world = settled(nodes, eager=eager)
    start = time.process_time()
    world.clock.run(world.clock.now + simulated)
    return time.process_time() - start


def year_with_keys(nodes: int) -> float:
    """What gossip adds to a healthy year of a whole swarm beyond forming: every 12 h its managers tell all nodes of another key."""
    spent = []
    for gossip in (True, False):
        layout = ClusterLayout(managers=3, workers=nodes - 3, gossip=gossip)
        world = build_world(Scenario(name="gossip", cluster=layout), 1)
        world.run(world.form())
        world.clock.run(world.clock.now + 900.0)
        start = time.process_time()
        world.clock.run(world.clock.now + YEAR)
        spent.append(time.process_time() - start)
    return spent[0] - spent[1]
