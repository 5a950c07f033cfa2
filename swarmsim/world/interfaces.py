"""The ends that containers have in their namespaces, and the addresses docker gives them there.

A container is on the overlays of its attachments and, if one of those leads out, on ``docker_gwbridge``; one that is on no network of
the swarm is on ``docker0``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.engine.dataplane import ENCRYPTED
from swarmsim.engine.engine import Engine
from swarmsim.engine.localresources import GATEWAY_BRIDGE, PREDEFINED
from swarmsim.engine.overlays import FIRST_LOCAL
from swarmsim.network.connection import ENCRYPTED_MTU, OVERLAY_MTU
from swarmsim.swarm.objects import Attachment

BRIDGE_MTU = 1500  # bytes
FIRST_INDEX = 14
"""Of a container's first interface: those before are the host's own. Which numbers there are is the model's own."""
DOCKER0 = "docker0"


class Interface(NamedTuple):
    """``address`` with its prefix; ``number`` is that of this end of a veth pair, the other is the next. ``on`` is an overlay's id, or a
    bridge of the host."""

    name: str
    address: str
    mtu: int
    number: int
    on: str

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Interface(self.address).network

    @property
    def own(self) -> str:
        return self.address.partition("/")[0]

    @property
    def leads_out(self) -> bool:
        """Whether the way to the world is through it."""
        return self.on in (DOCKER0, GATEWAY_BRIDGE[0])


def overlay_mtu(options: dict[str, str] | None) -> int:
    """Bytes of the largest packet on an overlay with these options."""
    return ENCRYPTED_MTU if ENCRYPTED in (options or {}) else OVERLAY_MTU


def interfaces(engine: Engine, container: Container) -> list[Interface]:
    """One on each network of the swarm, and one on a bridge of the host, if it is on any."""
    first = FIRST_INDEX
    for each in engine.containers.values():
        if each is container:
            break
        first += 2 * (len(_overlays(each)) + 1)
    ends = [
        (each.address, overlay_mtu(each.network.spec.options if each.network is not None else None), each.network_id)
        for each in _overlays(container)
    ]
    gateways = engine.overlays.gateways()
    ends += [(each.address, BRIDGE_MTU, GATEWAY_BRIDGE[0]) for each in gateways if each.key == container.id]
    ends += [(address, BRIDGE_MTU, DOCKER0) for each, address in on_docker0(engine) if each is container]
    return [Interface(f"eth{n}", address, mtu, first + 2 * n, on) for n, (address, mtu, on) in enumerate(ends)]


def next_index(engine: Engine) -> int:
    """The first number that no container's interface has."""
    return FIRST_INDEX + 2 * sum(len(_overlays(each)) + 1 for each in engine.containers.values())


def on_docker0(engine: Engine) -> Iterator[tuple[Container, str]]:
    """The containers on docker's default bridge, with their addresses there."""
    pool = ipaddress.ip_network(PREDEFINED[0][2])
    here = [c for c in engine.containers.values() if c.alive and all(map(_default_bridge, c.attachments))]
    for number, container in enumerate(here):
        yield container, f"{pool[FIRST_LOCAL + number]}/{pool.prefixlen}"


def _overlays(container: Container) -> list[Attachment]:
    return [each for each in container.attachments if each.driver == "overlay"]


def _default_bridge(attachment: Attachment) -> bool:
    return (attachment.driver, attachment.name) == ("bridge", "bridge")
