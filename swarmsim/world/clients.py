"""Clients: how a request goes out, and what comes of it. Where a client stands is :mod:`.standpoint`'s.

Outside the cluster (:data:`OUTSIDE`) every host is one link further than from its neighbours; cuts and partitions are between hosts, so
a client there reaches each that has power.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.engine.server import ContainerServer
from swarmsim.network.connection import Connection, Outcome, Wires
from swarmsim.network.datagram import Datagram
from swarmsim.network.loadbalancer import Flow
from swarmsim.sim.host import SimContext
from swarmsim.sim.net.fabric import Latency
from swarmsim.world import OUTSIDE

EPHEMERAL = range(32768, 61000)
"""Ports a client's kernel chooses from (net.ipv4.ip_local_port_range)."""
NOBODY_HERE = "nobody"
"""A place on the fabric that no packet reaches: an address that no host has."""


class Answer(NamedTuple):
    """What came of a request: ``by`` is the container that answered, on ``node``; ``seconds`` from the SYN on."""

    outcome: Outcome
    seconds: float
    by: str | None = None
    node: str | None = None
    server: ContainerServer | None = None
    seen_as: str = ""
    """The client's address and port, as the server sees them."""
    client_port: int = 0
    opened: bool = False
    """Whether there was a connection."""
    via: str = ""
    """The address that a load balancer chose; empty if none did."""


class Clients:
    """All clients of one world. ``name_servers``: whether those of the hosts answer; they know no name that a container asks for."""

    def __init__(
        self, ctx: SimContext, engines: Mapping[str, Engine], switch: str, link: Latency, name_servers: bool = True
    ) -> None:
        self.ctx = ctx
        self.engines = engines
        self.name_servers = name_servers
        self._hosts = {name: engine.host for name, engine in engines.items()}
        self.addresses = {engine.host.address: name for name, engine in engines.items()}
        ctx.fabric.add_outside(OUTSIDE, switch, link)
        kernels = {name: engine.dataplane.kernel for name, engine in engines.items()}
        self.wires = Wires(ctx.clock, ctx.fabric, ctx.streams.stream("packets"), kernels, self._powered)
        self.rng = ctx.streams.stream("resolver")
        self._ports: dict[tuple[str, str, int], int] = {}

    def _powered(self, host: str) -> bool:
        known = self._hosts.get(host)
        return known.powered if known is not None else host == OUTSIDE

    def named(self, name: str) -> str | None:
        """The address of a host by its name."""
        return self.engines[name].host.address if name in self.engines else None

    def address_of(self, host: str) -> str:
        return self.engines[host].host.address

    def host_at(self, address: str) -> str:
        """Which host an address leads to."""
        return self.addresses.get(address, NOBODY_HERE)

    def flow(self, own: str, address: str, port: int, protocol: str = "tcp") -> Flow:
        """A new one from an address to a port, from the next of the client's ports."""
        key = (own, address, port)
        number = self._ports.get(key, -1) + 1
        self._ports[key] = number
        return Flow(protocol, own, EPHEMERAL[number % len(EPHEMERAL)], address, port)

    def askers(self, service: str) -> list[Container]:
        """The running containers of a service, host by host."""
        return [
            container
            for engine in self.engines.values()
            for container in engine.task_containers.values()
            if container.service == service and container.alive
        ]

    def answer(self, connection: Connection | Datagram, outcome: Outcome, began: float) -> Answer:
        seconds = self.ctx.clock.now - began
        server = connection.server if outcome is Outcome.OK else None
        if not isinstance(server, ContainerServer):
            return Answer(outcome, seconds, opened=connection.open, via=connection.via)
        node, port = server.container.host.name, connection.flow.client_port
        return Answer(outcome, seconds, server.name, node, server, connection.seen_as, port, True, connection.via)
