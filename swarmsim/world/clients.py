"""Clients of published ports: how a request goes out, from which host, and what comes of it.

A client stands on a host or outside the cluster (:data:`OUTSIDE`), from where every host is one link further than from its
neighbours; cuts and partitions are between hosts, so it reaches each that has power.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.engine.server import ContainerServer
from swarmsim.network.connection import Connection, Door, Outcome, Wires
from swarmsim.network.loadbalancer import Flow
from swarmsim.network.resolver import Membership, resolve
from swarmsim.sim.clock import Timer
from swarmsim.sim.host import SimContext
from swarmsim.sim.net.fabric import Latency
from swarmsim.world import OUTSIDE

OUTSIDE_ADDRESS = "10.97.255.254"
EPHEMERAL = range(32768, 61000)
"""Ports a client's kernel chooses from (net.ipv4.ip_local_port_range)."""
DNS_FAILS = 0.005
"""Seconds until a client hears that nobody knows a name; an estimate."""
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


class Asker:
    """A container that asks names: its daemon's resolver answers, and a client that ``caches`` keeps what it was told."""

    def __init__(self, engine: Engine, container: Container, caches: bool) -> None:
        self.engine = engine
        self.container = container
        self._caches = caches
        self._kept: dict[str, tuple[float, tuple[str, str, str]]] = {}

    def find(self, name: str, rng: Random) -> tuple[str, str, str] | None:
        """The network's id, the container's own address there, and the first address of the name."""
        now = self.engine.host.clock.now
        if name in self._kept and self._kept[name][0] > now:
            return self._kept[name][1]
        if not self.engine.running:
            return None
        sandboxes = self.engine.dataplane.kernel.bindings.sandboxes
        places = {each.name: each for each in self.container.attachments if each.network_id in sandboxes}
        on = [
            Membership(each.name, sandboxes[each.network_id].names, ingress=sandboxes[each.network_id].ingress)
            for each in places.values()
        ]
        answer = resolve(name, on, rng)
        if not answer.known:
            return None
        place = places[answer.network]
        found = (place.network_id, place.address.partition("/")[0], answer.addresses[0])
        if self._caches:
            self._kept[name] = (now + answer.ttl, found)
        return found


class Clients:
    """All clients of one world."""

    def __init__(self, ctx: SimContext, engines: Mapping[str, Engine], switch: str, link: Latency) -> None:
        self.ctx = ctx
        self.engines = engines
        self.addresses = {engine.host.address: name for name, engine in engines.items()}
        ctx.fabric.add_outside(OUTSIDE, switch, link)
        kernels = {name: engine.dataplane.kernel for name, engine in engines.items()}
        self.wires = Wires(ctx.clock, ctx.fabric, ctx.streams.stream("packets"), kernels, self._powered)
        self._rng = ctx.streams.stream("resolver")
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
        self._exchange(lambda *told: self.connect(client, address, port, *told), timeout, done)

    def ask_by_name(self, asker: Asker, name: str, port: int, timeout: float, done: Callable[[Answer], object]) -> None:
        """The same from a container, to a name on its networks: asks 127.0.0.11 first, and takes the first address."""
        found = asker.find(name, self._rng)
        if found is None:
            self.wires.after(DNS_FAILS, done, Answer(Outcome.UNKNOWN, DNS_FAILS))
            return
        network, own, address = found
        host = asker.container.host.name

        def connect(*told: Any) -> Connection:
            flow = Flow("tcp", own, self._next_port(own, address, port), address, port)
            return Connection(self.wires, host, Door(host, network), flow, *told)

        self._exchange(connect, timeout, done)

    def askers(self, service: str) -> list[Container]:
        """The running containers of a service, host by host."""
        return [
            container
            for engine in self.engines.values()
            for container in engine.task_containers.values()
            if container.service == service and container.alive
        ]

    def _exchange(self, connect: Callable[..., Connection], timeout: float, done: Callable[[Answer], object]) -> None:
        began = self.ctx.clock.now

        def end(outcome: Outcome) -> None:
            deadline.cancel()
            done(self.answer(connection, outcome, began))

        def give_up() -> None:
            connection.close()
            done(self.answer(connection, Outcome.TIMEOUT, began))

        connection: Connection = connect(end, lambda: connection.request(), lambda: end(Outcome.OK))
        deadline: Timer = self.wires.after(timeout, give_up)
        connection.start()

    def answer(self, connection: Connection, outcome: Outcome, began: float) -> Answer:
        seconds = self.ctx.clock.now - began
        server = connection.server if outcome is Outcome.OK else None
        if not isinstance(server, ContainerServer):
            return Answer(outcome, seconds, opened=connection.open, via=connection.via)
        node, port = server.container.host.name, connection.flow.client_port
        return Answer(outcome, seconds, server.name, node, server, connection.seen_as, port, True, connection.via)
