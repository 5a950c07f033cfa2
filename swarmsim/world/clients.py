"""Clients of published ports: how a request goes out, from which host, and what comes of it.

A client stands on a host or outside the cluster (:data:`OUTSIDE`), from where every host is one link further than from its
neighbours; cuts and partitions are between hosts, so it reaches each that has power.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import NamedTuple

from swarmsim.engine.engine import Engine
from swarmsim.engine.server import ContainerServer
from swarmsim.network.connection import Connection, Door, Outcome, Wires
from swarmsim.network.loadbalancer import Flow
from swarmsim.sim.host import SimContext
from swarmsim.sim.net.fabric import Latency
from swarmsim.world import OUTSIDE

OUTSIDE_ADDRESS = "10.97.255.254"
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


class Clients:
    """All clients of one world."""

    def __init__(self, ctx: SimContext, engines: Mapping[str, Engine], switch: str, link: Latency) -> None:
        self.ctx = ctx
        self.engines = engines
        self.addresses = {engine.host.address: name for name, engine in engines.items()}
        ctx.fabric.add_outside(OUTSIDE, switch, link)
        kernels = {name: engine.dataplane.kernel for name, engine in engines.items()}
        self.wires = Wires(ctx.clock, ctx.fabric, ctx.streams.stream("packets"), kernels, self._powered)
        self._ports: dict[tuple[str, str, int], int] = {}

    def _powered(self, host: str) -> bool:
        return host == OUTSIDE or (host in self.engines and self.engines[host].host.powered)

    def resolve(self, name: str, client: str) -> str | None:
        """The address of a host's name, as a client's /etc/hosts has it; ``None`` if there is none."""
        if name in self.engines:
            return self.engines[name].host.address
        if name == "localhost":
            return "127.0.0.1"
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            return None

    def host_at(self, address: str, client: str) -> str:
        """Which host an address leads to."""
        if address.startswith("127."):
            return client
        return self.addresses.get(address, NOBODY_HERE)

    def connect(
        self,
        client: str,
        address: str,
        port: int,
        on_end: Callable[[Outcome], object],
        on_open: Callable[[], object] | None = None,
        on_response: Callable[[], object] | None = None,
        *,
        keeps: bool = False,
    ) -> Connection:
        """A TCP connection from a client to a port of the host with this address; nothing has been sent yet."""
        own = OUTSIDE_ADDRESS if client == OUTSIDE else self.engines[client].host.address
        flow = Flow("tcp", own, self._next_port(client, address, port), address, port)
        door = Door(self.host_at(address, client))
        return Connection(self.wires, client, door, flow, on_end, on_open, on_response, keeps=keeps)

    def _next_port(self, client: str, address: str, port: int) -> int:
        key = (client, address, port)
        number = self._ports.get(key, -1) + 1
        self._ports[key] = number
        return EPHEMERAL[number % len(EPHEMERAL)]

    def get(self, client: str, address: str, port: int, timeout: float, done: Callable[[Answer], object]) -> None:
        """One HTTP request over a connection of its own; ``done`` is given what came of it, after ``timeout`` seconds at the latest."""
        began = self.ctx.clock.now

        def end(outcome: Outcome) -> None:
            deadline.cancel()
            done(self.answer(connection, outcome, began))

        def give_up() -> None:
            connection.close()
            done(self.answer(connection, Outcome.TIMEOUT, began))

        connection = self.connect(client, address, port, end, lambda: connection.request(), lambda: end(Outcome.OK))
        deadline = self.wires.after(timeout, give_up)
        connection.start()

    def answer(self, connection: Connection, outcome: Outcome, began: float) -> Answer:
        seconds = self.ctx.clock.now - began
        server = connection.server if outcome is Outcome.OK else None
        if not isinstance(server, ContainerServer):
            return Answer(outcome, seconds, opened=connection.open)
        node = server.container.host.name
        return Answer(
            outcome, seconds, server.name, node, server, connection.seen_as, connection.flow.client_port, True
        )
