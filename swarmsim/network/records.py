"""What the tables of networks hold (libnetwork agent.proto, drivers/overlay/overlay.proto)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from swarmsim.apitypes.specs import PortConfig

ENDPOINT_TABLE = "endpoint_table"
"""Endpoints of services: load balancers and names are made from it. Its keys are endpoint ids."""
PEER_TABLE = "overlay_peer_table"
"""Where each endpoint of an overlay lives: neighbour and forwarding entries are made from it. Its keys are endpoint ids."""

_PORT_SIZE = 14  # bytes of one PortConfig in protobuf


class EndpointRecord(msgspec.Struct, frozen=True):
    """One task on one network. Addresses are without a prefix; the networkdb key is ``endpoint_id``."""

    endpoint_id: str
    name: str
    """The container's."""
    address: str
    service_name: str = ""
    service_id: str = ""
    vip: str = ""
    """Empty where the service has none (``endpoint-mode dnsrr``)."""
    ingress_ports: tuple[PortConfig, ...] = ()
    """Only on the ingress network."""
    aliases: tuple[str, ...] = ()
    """Other names of the service."""
    task_aliases: tuple[str, ...] = ()
    """Other names of this one task."""
    service_disabled: bool = False
    """Whether the task is being stopped: it gets nothing new."""

    @property
    def size(self) -> int:
        """Bytes in protobuf."""
        texts = (
            self.name,
            self.service_name,
            self.service_id,
            self.vip,
            self.address,
            *self.aliases,
            *self.task_aliases,
        )
        ports = _PORT_SIZE * len(self.ingress_ports)
        return sum(len(text) + 2 for text in texts if text) + ports + 2 * self.service_disabled


class PeerRecord(msgspec.Struct, frozen=True):
    """Where one endpoint of an overlay is: its ``address`` and ``mac``, and the host's address it is tunnelled to."""

    address: str
    mac: str
    tunnel: str

    @property
    def size(self) -> int:
        """Bytes in protobuf."""
        return len(self.address) + len(self.mac) + len(self.tunnel) + 6


Record = EndpointRecord | PeerRecord


class Where(NamedTuple):
    """An entry's place."""

    table: str
    network: str
    key: str


class Entry(NamedTuple):
    """What a table has at a place. ``ltime``: of its last change; ``residual``: seconds a tombstone still has, when it was last looked at.

    It is one object at all members that were told the same, which is how they see quickly that they know it.
    """

    ltime: int
    owner: str
    value: Record
    deleting: bool = False
    residual: float = 0.0
