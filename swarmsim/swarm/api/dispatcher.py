"""api/dispatcher.proto: what an agent and the dispatcher tell each other."""

from __future__ import annotations

from types import NoneType
from typing import NamedTuple

from swarmsim.sim.method import Method, StreamMethod
from swarmsim.swarm.api.roles import NODES
from swarmsim.swarm.ca.certificates import RootCA
from swarmsim.swarm.objects import EncryptionKey, Node, NodeDescription, Task, TaskStatus


class Peer(NamedTuple):
    """A manager as agents know it (types.proto); its node id is empty until a manager has said it."""

    node_id: str
    addr: str


class SessionRequest(NamedTuple):
    """An agent wants a session, or its old one again. SwarmKit reads node and address off the connection."""

    node_id: str
    session_id: str
    description: NodeDescription
    addr: str


class SessionMessage(NamedTuple):
    """What the agent is told of itself and of the managers."""

    session_id: str
    node: Node
    managers: tuple[Peer, ...]
    root: RootCA
    """What it is to trust."""
    network_keys: tuple[EncryptionKey, ...]


class AssignmentsMessage(NamedTuple):
    """Tasks for an agent: all it should have (``complete``) or what changed; ``removed`` are ids."""

    complete: bool
    tasks: tuple[Task, ...]
    removed: tuple[str, ...] = ()


class HeartbeatRequest(NamedTuple):
    """The agent is alive. SwarmKit reads the node off the connection."""

    node_id: str
    session_id: str


class HeartbeatResponse(NamedTuple):
    """``period``: the next heartbeat is expected within so many seconds."""

    period: float


class UpdateTaskStatusRequest(NamedTuple):
    """What became of tasks: (task id, status)."""

    node_id: str
    session_id: str
    updates: tuple[tuple[str, TaskStatus], ...]


SESSION: StreamMethod[SessionRequest, SessionMessage | AssignmentsMessage] = StreamMethod(
    "docker.swarmkit.v1.Dispatcher/Session", SessionRequest, (SessionMessage, AssignmentsMessage), NODES
)
"""Carries what SwarmKit's Assignments stream does, too: an agent opens that one with every session and ends both together."""

HEARTBEAT = Method("docker.swarmkit.v1.Dispatcher/Heartbeat", HeartbeatRequest, HeartbeatResponse, NODES)

UPDATE_TASK_STATUS = Method("docker.swarmkit.v1.Dispatcher/UpdateTaskStatus", UpdateTaskStatusRequest, NoneType, NODES)
