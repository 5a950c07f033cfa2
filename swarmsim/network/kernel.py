"""What one host's kernel does with packets for services: rules, load balancers, neighbours, namespaces of containers.

The daemon writes these tables; they stay when it is killed and are gone with the power.

==================================  =====================================================================================
a packet for a published port       the ingress network's load balancer chooses a task, and the node's own address there
                                    takes the client's place. A port of host mode: to the container, which sees the client.
                                    Any other port: refused
a packet for a virtual address      the load balancer of that network does the same
on to the task                      over the overlay, to the host that is known as the neighbour; lost if none is
at the task's host                  lost if nobody there has the address; refused if nobody listens
back                                to the node whose load balancer chose, if its address is a known neighbour, and on
==================================  =====================================================================================

(moby's rules in nat DOCKER-INGRESS, mangle PREROUTING and nat POSTROUTING; the overlay driver's neighbours.)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from swarmsim.network.bindings import PortKey, Sandbox, ServiceBindings
from swarmsim.network.icmp import RateLimit
from swarmsim.network.keyring import OverlayKeys
from swarmsim.network.loadbalancer import Flag, Flow, Nowhere


class Client(Protocol):
    """The far end of a connection, as a server knows it."""

    def respond(self, size: int) -> object:
        """The request is answered, with so many bytes."""

    def hang_up(self) -> object:
        """The server's end is closed."""


class Server(Protocol):
    """Who may listen in a container's namespace."""

    @property
    def name(self) -> str:
        """The container's: its task's, ``web.2.ID``."""

    @property
    def met(self) -> set[tuple[str, str]]:
        """Networks and addresses it has found before."""

    def listens(self, port: PortKey) -> bool:
        """Whether somebody listens there now."""

    def accept(self, client: Client) -> None: ...

    def serves(self, client: Client) -> bool:
        """Whether it is one of its open connections."""

    def handle(self, client: Client) -> None:
        """A request has come: answer it when that is done."""

    def forget(self, client: Client) -> None:
        """The client has closed."""


class Place(NamedTuple):
    """An end on a network: ``network`` is its id."""

    network: str
    address: str
    port: PortKey


class Refusal(StrEnum):
    """What a kernel says instead."""

    CLOSED = "closed"
    """Nobody listens: a reset."""
    UNREACHABLE = "unreachable"
    """No destination: the ICMP message that the port cannot be reached."""
    SILENT = "silent"
    """Nothing, as that was said too often of late, or there is nobody to say it."""


class Balanced(NamedTuple):
    """A load balancer has chosen: ``source`` is the node's own address, which takes the client's place."""

    to: Place
    source: str


class Local(NamedTuple):
    """A port of this host that leads straight to a container."""

    server: Server
    port: PortKey


Hop = Balanced | Local | Refusal


class Kernel:
    """One host's tables. ``endpoints`` are the containers here by network and address, ``neighbours`` the hosts of addresses that
    are elsewhere."""

    __slots__ = (
        "bindings",
        "endpoints",
        "host",
        "host_ports",
        "ingress",
        "neighbours",
        "overlay_keys",
        "unreachable",
        "watchers",
    )

    def __init__(self, host: str) -> None:
        self.host = host
        self.bindings = ServiceBindings()
        self.overlay_keys = OverlayKeys()
        """What the daemon said last; none before it did."""
        self.ingress = ""
        """Id of the ingress network, while this host is on it."""
        self.endpoints: dict[tuple[str, str], Server] = {}
        self.neighbours: dict[tuple[str, str], str] = {}
        self.watchers: list[Callable[[], object]] = []
        """Told that other neighbours are known."""
        self.host_ports: dict[PortKey, Local] = {}
        self.unreachable = RateLimit()
        """Of the messages that a port cannot be reached on which nobody listens, here or in a container."""

    def clear(self) -> None:
        """The power is gone, or the daemon starts anew."""
        self.bindings = ServiceBindings()
        self.overlay_keys = OverlayKeys()
        self.ingress = ""
        self.endpoints.clear()
        self.neighbours.clear()
        self.host_ports.clear()

    def has(self, network: str, address: str) -> bool:
        """Whether somebody here has the address: a container, or the node itself."""
        sandbox = self.bindings.sandboxes.get(network)
        return (network, address) in self.endpoints or (sandbox is not None and sandbox.address == address)

    def host_of(self, network: str, address: str) -> str | None:
        """Where an address on a network is, as far as is known here."""
        return self.host if self.has(network, address) else self.neighbours.get((network, address))

    def published(self, now: float, flow: Flow, flag: Flag) -> Hop:
        """A packet for a port of this host."""
        key = (flow.protocol, flow.port)
        if key in self.host_ports:
            return self.host_ports[key]
        sandbox = self.bindings.sandboxes.get(self.ingress)
        mark = sandbox.ports.get(key) if sandbox is not None else None
        if sandbox is None or mark is None:
            return Refusal.CLOSED
        return self._balanced(now, self.ingress, sandbox, mark, flow, flag)

    def inside(self, now: float, network: str, flow: Flow, flag: Flag) -> Hop:
        """A packet from a container of this host to an address on a network it is on."""
        sandbox = self.bindings.sandboxes.get(network)
        mark = sandbox.virtual_ips.get(flow.address) if sandbox is not None else None
        if sandbox is None or mark is None:
            return Balanced(Place(network, flow.address, (flow.protocol, flow.port)), flow.client)
        return self._balanced(now, network, sandbox, mark, flow, flag)

    def answered(self, now: float, network: str, flow: Flow, flag: Flag) -> bool:
        """A packet back through the load balancer of a network; whether it is one of a connection that is known here."""
        sandbox = self.bindings.sandboxes.get(network)
        return sandbox is not None and sandbox.load_balancer.answer(now, flow, flag)

    def _balanced(self, now: float, network: str, sandbox: Sandbox, mark: int, flow: Flow, flag: Flag) -> Hop:
        found = sandbox.load_balancer.arrive(now, mark, flow, flag)
        if found is Nowhere.UNKNOWN:
            return Refusal.CLOSED
        if found is Nowhere.EXPIRED:
            return Refusal.SILENT
        if found is Nowhere.NOBODY:
            return Refusal.UNREACHABLE if sandbox.unreachable.allows(now, flow.client) else Refusal.SILENT
        port = sandbox.target_ports.get((flow.protocol, flow.port), flow.port)
        return Balanced(Place(network, found, (flow.protocol, port)), sandbox.address)
