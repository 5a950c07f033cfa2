"""Leaving the gossip that keeps overlay networks together (libnetwork networkdb/cluster.go, hashicorp/memberlist).

Where a world leaves gossip itself (:mod:`swarmsim.network`) out, only how long a leaving takes is known, since ``docker swarm leave`` waits for it. A node tells that it goes in two messages,
one after the other: networkdb's, then memberlist's. Each is handed to up to 3 others every 0.2 s, and has gone out when it was
handed over 4·⌈log₁₀(n + 1)⌉ times among n nodes (memberlist queue.go):

>>> [gossip_rounds(others) for others in (1, 2, 3, 4, 8, 9, 100)]
[4, 2, 2, 2, 2, 3, 4]
"""

from __future__ import annotations

import math
from random import Random

from swarmsim.sim.host import Host

GOSSIP_INTERVAL = 0.2  # seconds, memberlist DefaultLANConfig
GOSSIP_NODES = 3  # in one round
RETRANSMIT_MULT = 4
BROADCAST_TIMEOUT = 5.0  # seconds, networkdb/broadcast.go broadcastTimeout
LEAVE_TIMEOUT = 1.0  # seconds, networkdb clusterLeave


def gossip_rounds(others: int) -> int:
    """In how many rounds a message has gone out, with so many other nodes (at least one)."""
    transmits = RETRANSMIT_MULT * math.ceil(math.log10(others + 2))
    return math.ceil(transmits / min(others, GOSSIP_NODES))


def leave_duration(others: int, rng: Random) -> float:
    """How many seconds a node takes to leave so many others; the next round is due at any moment."""
    if not others:
        return 0.0
    rounds = gossip_rounds(others)
    announced = (rounds - 1 + rng.random()) * GOSSIP_INTERVAL
    return min(announced, BROADCAST_TIMEOUT) + min(rounds * GOSSIP_INTERVAL, LEAVE_TIMEOUT)


def others_in_gossip(host: Host) -> int:
    """How many other nodes of its swarm a host gossips with: as long as gossip itself is not modelled, those it reaches."""
    fabric, disk = host.ctx.fabric, host.disk["swarm"]
    return sum(
        1
        for other in host.ctx.hosts.values()
        if other is not host
        and other.powered
        and (theirs := other.disk.get("swarm")) is not None
        and theirs.security.certificate.cluster_id == disk.security.certificate.cluster_id
        and fabric.reaches(host.name, other.name)
    )
