"""api/raft.proto: what managers tell each other as Raft members."""

from __future__ import annotations

from types import NoneType
from typing import NamedTuple

import msgspec

from swarmsim.raft.messages import Message
from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import MANAGERS


class Member(msgspec.Struct, frozen=True):
    """A Raft member: its Raft id, its node's id, the host it is on and the address it gave (RaftMember)."""

    raft_id: int
    node_id: str
    host: str
    addr: str


class JoinRequest(NamedTuple):
    """A manager asks to become a member. SwarmKit reads node and host off the connection."""

    node_id: str
    host: str
    addr: str


class JoinResponse(NamedTuple):
    """The new member's Raft id, and all members."""

    raft_id: int
    members: tuple[Member, ...]


PROCESS_RAFT_MESSAGE = Method("docker.swarmkit.v1.Raft/ProcessRaftMessage", Message, NoneType, MANAGERS)

JOIN = Method("docker.swarmkit.v1.RaftMembership/Join", JoinRequest, JoinResponse, MANAGERS)
