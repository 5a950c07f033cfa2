"""api/resource.proto: what an agent asks for on behalf of a container that no service has."""

from __future__ import annotations

from types import NoneType
from typing import NamedTuple

from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import NODES


class AttachNetworkRequest(NamedTuple):
    """A container's place on a network, which is named by id or name; with ``address``, that one or none."""

    node_id: str
    network: str
    container_id: str
    address: str = ""


class AttachNetworkResponse(NamedTuple):
    """The id of the task that stands for the place."""

    attachment_id: str


class DetachNetworkRequest(NamedTuple):
    """The container has left."""

    node_id: str
    attachment_id: str


ATTACH_NETWORK = Method(
    "docker.swarmkit.v1.ResourceAllocator/AttachNetwork", AttachNetworkRequest, AttachNetworkResponse, NODES
)
DETACH_NETWORK = Method("docker.swarmkit.v1.ResourceAllocator/DetachNetwork", DetachNetworkRequest, NoneType, NODES)
