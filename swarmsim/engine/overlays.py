"""An engine's halves of the swarm's networks (daemon/network.go, executor/container/adapter.go, executor.go Configure).

A network of the swarm is an object of its store. An engine makes its own half of an overlay when a task on it is
prepared, and removes it when the last container on it has stopped, whether or not the swarm still has the network. Who
lists or inspects networks sees the swarm's (on managers) and the engine's, the latter with who is on it here. The half
of the ingress network is there as long as the node is in the swarm.

| on it | address |
|---|---|
| a container of a task | its task's, from the allocator |
| ``lb-NETWORK``, the node's load balancer (``ingress-sbox`` on the ingress network) | the node's own on that network, from the allocator |
| a container's way out, on ``docker_gwbridge`` | the lowest free one of the bridge |
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple, Protocol

from swarmsim.engine.containers import Container
from swarmsim.engine.localresources import GATEWAY_BRIDGE
from swarmsim.sim.host import Host
from swarmsim.swarm.objects import Attachment, Network

INGRESS_SANDBOX = "ingress-sbox"
FIRST_LOCAL = 2
"""The first address of a bridge that is not the bridge's own."""


class Half(NamedTuple):
    """``address`` is the load balancer's, with its prefix."""

    network: Network
    created_at: float
    address: str

    @property
    def id(self) -> str:
        return self.network.id

    @property
    def name(self) -> str:
        return self.network.name


class Endpoint(NamedTuple):
    """One end on a network: ``key`` is the container's id, or the load balancer's name."""

    key: str
    name: str
    network: str
    address: str


def endpoint_id(network: str, key: str) -> str:
    """Of who is known by ``key`` on the network of this name."""
    return sha256(f"{network}/{key}".encode()).hexdigest()


def mac_address(address: str) -> str:
    """What libnetwork makes of an IPv4 address, with or without prefix.

    >>> mac_address("10.0.0.6/24")
    '02:42:0a:00:00:06'
    """
    octets = map(int, address.partition("/")[0].split("."))
    return "02:42:" + ":".join(f"{octet:02x}" for octet in octets)


class HalfListener(Protocol):
    """Told which halves there are."""

    def opened(self, half: Half) -> object:
        """There is one; also told again of one that has been there."""

    def closed(self, network: str) -> object: ...


class Overlays:
    """The halves of one engine. ``halves`` are by the network's id; ``addresses`` the node's own ones."""

    listener: HalfListener

    def __init__(self, host: Host, containers: dict[str, Container]) -> None:
        self.host = host
        self.containers = containers
        self.halves: dict[str, Half] = {}
        self.addresses: dict[str, Attachment] = {}

    def configure(self, attachments: Iterable[Attachment]) -> None:
        """The node's addresses are known, or have changed."""
        self.addresses = {each.network_id: each for each in attachments}
        for each in self.addresses.values():
            if each.network is not None and each.network.spec.ingress:
                self._make(each)
        for id in [id for id, half in self.halves.items() if half.network.spec.ingress and id not in self.addresses]:
            self._drop(id)

    def missing(self, attachments: Iterable[Attachment]) -> bool:
        """Whether the node has no address yet on one of these networks."""
        return any(each.driver == "overlay" and each.network_id not in self.addresses for each in attachments)

    def create(self, attachments: Iterable[Attachment]) -> None:
        for each in attachments:
            if each.driver == "overlay":
                self._make(each)

    def _make(self, attachment: Attachment) -> None:
        """Make the half, if it is not there."""
        half = self.halves.get(attachment.network_id)
        if half is None:
            if attachment.network is None:
                return
            own = self.addresses.get(attachment.network_id)
            address = own.address if own is not None else ""
            half = self.halves[attachment.network_id] = Half(attachment.network, self.host.wall.now, address)
        self.listener.opened(half)

    def _drop(self, id: str) -> None:
        del self.halves[id]
        self.listener.closed(id)

    def remove(self, attachments: Iterable[Attachment]) -> None:
        """Take down those that nobody is on any more."""
        for id in [each.network_id for each in attachments]:
            half = self.halves.get(id)
            if half is not None and not half.network.spec.ingress and not self._in_use(id):
                self._drop(id)

    def clear(self) -> None:
        """The node has left the swarm."""
        for id in list(self.halves):
            self._drop(id)
        self.addresses.clear()

    def _in_use(self, network_id: str) -> bool:
        """Whether a container has an end on it, be its process still to come."""
        return any(
            container.alive or (container.connected and container.state == "created")
            for container in self.containers.values()
            if any(each.network_id == network_id for each in container.attachments)
        )

    def _on(self, network_id: str) -> Iterator[tuple[Container, Attachment]]:
        for container in self.containers.values():
            for each in container.attachments if container.alive else ():
                if each.network_id == network_id:
                    yield container, each

    def endpoints(self, half: Half) -> list[Endpoint]:
        """Who is on a network here: this node's containers and its load balancer."""
        network, name = half.network.id, half.network.name
        found = [Endpoint(c.id, c.name, name, each.address) for c, each in self._on(network)]
        found.sort()
        if half.network.spec.ingress:
            return [*found, Endpoint(INGRESS_SANDBOX, "ingress-endpoint", name, half.address)]
        return [*found, Endpoint(f"lb-{name}", f"{name}-endpoint", name, half.address)]

    def gateways(self) -> list[Endpoint]:
        """Who is on ``docker_gwbridge``: everyone on an overlay needs it to reach the world."""
        name, _, subnet = GATEWAY_BRIDGE
        keys = [INGRESS_SANDBOX] if any(half.network.spec.ingress for half in self.halves.values()) else []
        keys += [
            container.id
            for container in self.containers.values()
            if container.alive and any(map(leads_out, container.attachments))
        ]
        pool = ipaddress.ip_network(subnet)
        return [
            Endpoint(
                key,
                f"gateway_{key if key == INGRESS_SANDBOX else sha256(key.encode()).hexdigest()[:12]}",
                name,
                f"{pool[FIRST_LOCAL + number]}/{pool.prefixlen}",
            )
            for number, key in enumerate(keys)
        ]


def leads_out(attachment: Attachment) -> bool:
    """Whether a container on that network needs a way to the world."""
    network = attachment.network
    return attachment.driver == "overlay" and network is not None and not network.spec.internal


def peer_name(host: str, seed: int) -> str:
    """What a node is called in networkdb."""
    return sha256(f"{seed}/{host}/networkdb".encode()).hexdigest()[:12]
