"""Where a client stands, and what that means for it: which names it knows, which way its packets take.

===================  =======================================  ==================================================================
it stands            a name is                                an address is reached
===================  =======================================  ==================================================================
on a host, outside   a host's, or an address                  over the links between hosts
in a container       ``localhost``, its own host name, what   its own: without leaving it. On one of its networks: over that.
                     127.0.0.11 knows, else what the hosts'   Any other: through the host's bridge, by the host's address
                     own name servers say
===================  =======================================  ==================================================================
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.network.connection import Connection, Door, Outcome
from swarmsim.network.datagram import Datagram
from swarmsim.network.echo import Echo
from swarmsim.network.loadbalancer import Flow
from swarmsim.network.resolver import TTL, Membership, resolve
from swarmsim.sim.clock import Timer
from swarmsim.world import OUTSIDE
from swarmsim.world.clients import Answer, Clients

OUTSIDE_ADDRESS = "10.97.255.254"
DNS_TAKES = 0.0005
"""Seconds until 127.0.0.11 answers what it knows; an estimate."""
DNS_FAILS = 0.005
"""Seconds until a client hears that nobody knows a name; an estimate."""


class Found(NamedTuple):
    """What a client learns about a name after so many ``seconds``: without addresses, that there is none such.

    Not ``answered``: no name server says anything, and how long it waits is the client's affair.
    """

    addresses: tuple[str, ...] = ()
    seconds: float = 0.0
    answered: bool = True


class Standpoint:
    """``place`` is where it is on the fabric."""

    def __init__(self, clients: Clients, place: str) -> None:
        self.clients = clients
        self.place = place

    def find(self, name: str) -> Found:
        """The addresses of a name, in the order they were answered."""
        raise NotImplementedError

    def way(self, address: str) -> tuple[Door, str]:
        """Where packets to an address go first, and the address they come from."""
        raise NotImplementedError

    def connect(
        self,
        address: str,
        port: int,
        on_end: Callable[[Outcome], object],
        on_open: Callable[[], object] | None = None,
        on_response: Callable[[], object] | None = None,
        *,
        keeps: bool = False,
    ) -> Connection:
        """A TCP connection to a port; nothing has been sent yet."""
        door, own = self.way(address)
        flow = self.clients.flow(own, address, port)
        return Connection(self.clients.wires, self.place, door, flow, on_end, on_open, on_response, keeps=keeps)

    def get(
        self,
        address: str,
        port: int,
        timeout: float | None,
        done: Callable[[Answer], object],
        connecting: float | None = None,
    ) -> None:
        """One HTTP request over a connection of its own; ``done`` is given what came of it, after ``timeout`` seconds at the latest,
        and if there is no connection after ``connecting`` seconds, then."""
        began = self.clients.ctx.clock.now
        deadlines: list[Timer] = []

        def end(outcome: Outcome) -> None:
            for deadline in deadlines:
                deadline.cancel()
            done(self.clients.answer(connection, outcome, began))

        def give_up() -> None:
            connection.close()
            end(Outcome.TIMEOUT)

        def give_up_connecting() -> None:
            if not connection.open:
                give_up()

        connection = self.connect(address, port, end, lambda: connection.request(), lambda: end(Outcome.OK))
        if timeout is not None:
            deadlines.append(self.clients.wires.after(timeout, give_up))
        if connecting is not None:
            deadlines.append(self.clients.wires.after(connecting, give_up_connecting))
        connection.start()

    def socket(self, address: str, port: int) -> tuple[Door, Flow]:
        """A UDP socket that is connected to a port: nothing is sent for that."""
        door, own = self.way(address)
        return door, self.clients.flow(own, address, port, "udp")

    def send(self, socket: tuple[Door, Flow], timeout: float, done: Callable[[Answer], object]) -> None:
        """One datagram over a socket; ``done`` is given what came of it, after ``timeout`` seconds at the latest."""
        began, (door, flow) = self.clients.ctx.clock.now, socket

        def end(outcome: Outcome) -> None:
            deadline.cancel()
            done(self.clients.answer(datagram, outcome, began))

        def give_up() -> None:
            datagram.forget()
            end(Outcome.TIMEOUT)

        datagram = Datagram(self.clients.wires, self.place, door, flow, end)
        deadline = self.clients.wires.after(timeout, give_up)
        datagram.send()

    def ping(self, address: str, heard: Callable[[], object]) -> None:
        """Send one echo request; ``heard`` is called if it is answered."""
        door, own = self.way(address)
        Echo(self.clients.wires, self.place, door, own, address, heard).send()


def _literal(name: str) -> str | None:
    """What needs no name server.

    >>> _literal("10.0.1.5"), _literal("localhost"), _literal("web")
    ('10.0.1.5', '127.0.0.1', None)
    """
    if name == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None


class OnHost(Standpoint):
    """On a host, or ``outside``; its /etc/hosts has the hosts' names."""

    def find(self, name: str) -> Found:
        address = self.clients.named(name) or _literal(name)
        return Found() if address is None else Found((address,))

    def way(self, address: str) -> tuple[Door, str]:
        host = self.place if address.startswith("127.") else self.clients.host_at(address)
        return Door(host), OUTSIDE_ADDRESS if self.place == OUTSIDE else self.clients.address_of(self.place)


class InContainer(Standpoint):
    """In a container. One that ``caches`` keeps what it was told about a name for as long as it may."""

    def __init__(self, clients: Clients, engine: Engine, container: Container, caches: bool = False) -> None:
        super().__init__(clients, engine.host.name)
        self.engine = engine
        self.container = container
        self._caches = caches
        self._kept: dict[str, tuple[float, Found]] = {}

    def find(self, name: str) -> Found:
        address = self._own_address if name == self.container.hostname else _literal(name)
        if address is not None:
            return Found((address,))
        now = self.engine.host.clock.now
        if name in self._kept and self._kept[name][0] > now:
            return self._kept[name][1]
        found = self.ask(name)
        if self._caches and found.addresses:
            self._kept[name] = (now + TTL, found)
        return found

    def ask(self, name: str) -> Found:
        """What 127.0.0.11 says, which is the daemon's; it asks the host's name servers about what it does not know."""
        if not self.engine.running:
            return Found(seconds=DNS_FAILS)
        answer = resolve(name, self._memberships(), self.clients.rng)
        if not answer.known:
            return Found(seconds=DNS_FAILS, answered=self.clients.name_servers)
        return Found(answer.addresses, DNS_TAKES)

    def _memberships(self) -> list[Membership]:
        sandboxes = self.engine.dataplane.kernel.bindings.sandboxes
        return [
            Membership(each.name, sandboxes[each.network_id].names, ingress=sandboxes[each.network_id].ingress)
            for each in {each.name: each for each in self.container.attachments}.values()
            if each.network_id in sandboxes
        ]

    @property
    def _own_address(self) -> str:
        return next((each.address.partition("/")[0] for each in self.container.attachments), "127.0.0.1")

    def way(self, address: str) -> tuple[Door, str]:
        host = self.place
        if address.startswith("127."):
            return Door(host, own=self.engine.server_in(self.container)), address
        wanted = ipaddress.ip_address(address)
        for each in self.container.attachments:
            here = ipaddress.ip_interface(each.address)
            if wanted == here.ip:
                return Door(host, own=self.engine.server_in(self.container)), str(here.ip)
            if wanted in here.network:
                return Door(host, each.network_id), str(here.ip)
        return Door(self.clients.host_at(address)), self.clients.address_of(host)
