"""A client's datagram through a routing mesh, and the one that answers it: UDP, and what ICMP says of it.

The way is that of :mod:`.connection`, but nobody sends anything again, and nobody is told what became of it:

==========================================  ================================================================
the datagram                                the client
==========================================  ================================================================
reaches a server                            hears its answer, if that finds the way back
is for a port nobody listens on, or for a   is told that the port cannot be reached, as often as a kernel says
service without a task                      so (:mod:`.icmp`): a connected socket is *refused*. Else it waits in vain
reaches a dead task, or is lost             waits in vain
is of a flow whose task has been removed    waits in vain: the datagram ends the flow's entry (``expire_nodest_conn``),
                                            and the next one goes to another task
is for a host that has no power             is told after 3 s that there is no route
==========================================  ================================================================

A load balancer knows a flow by both ends. So a client that keeps its socket stays with one task as long as it asks at least every
:data:`~swarmsim.network.loadbalancer.TIMEOUTS` 300 s, also while that is to stop or its host is dead; with a new socket for each question it does
not.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.network.connection import ARP_FAILS, OVERLAY_MTU, REQUEST, Door, Outcome, Way, Wires, neighbour
from swarmsim.network.kernel import Balanced, Hop, Kernel, Local, Place, Refusal, Server
from swarmsim.network.loadbalancer import Flag, Flow

UDP_HEADERS = 28
"""Bytes: IP and UDP."""
ICMP_ERROR = 56
"""Bytes: IP, ICMP, and the headers of what it is about."""


def size_of(data: int) -> int:
    """Bytes of the largest packet that a datagram of ``data`` bytes is sent in on an overlay: what is larger is fragmented.

    >>> size_of(64), size_of(9000)
    (92, 1450)
    """
    return min(UDP_HEADERS + data, OVERLAY_MTU)


class Datagram:
    """One question, and what comes of it: ``on_end`` is told once. Who is tired of waiting calls :meth:`forget`.

    ``client`` is the host the client is on, by its name on the fabric; the server sees ``seen_as`` at its end.
    """

    __slots__ = ("client", "done", "door", "flow", "on_end", "seen_as", "server", "via", "way", "wires")

    open = False
    """There is no connection."""

    def __init__(self, wires: Wires, client: str, door: Door, flow: Flow, on_end: Callable[[Outcome], object]) -> None:
        self.wires = wires
        self.client = client
        self.door = door
        self.flow = flow
        self.on_end = on_end
        self.done = False
        self.server: Server | None = None
        self.seen_as = ""
        self.via = ""
        """The address that a load balancer chose."""
        self.way: Way | None = None

    def send(self) -> None:
        if not self.wires.powered(self.door.host):
            self.wires.after(ARP_FAILS, self._no_route)
        self.wires.hop(self.client, self.door.host, self._at_door)

    def forget(self) -> None:
        """Whatever still comes is nobody's."""
        self.done = True

    def _end(self, outcome: Outcome) -> None:
        if not self.done and self.wires.powered(self.client):
            self.done = True
            self.on_end(outcome)

    def _no_route(self) -> None:
        if not self.wires.powered(self.door.host):
            self._end(Outcome.UNREACHABLE)

    # -- to the server

    def _at_door(self) -> None:
        wires, door, flow = self.wires, self.door, self.flow
        if not wires.powered(door.host):
            return
        kernel, now = wires.kernels[door.host], wires.env._now
        hop: Hop
        if door.own is not None:
            hop = Local(door.own, (flow.protocol, flow.port))
        elif door.network:
            hop = kernel.inside(now, door.network, flow, Flag.ACK)
        else:
            hop = kernel.published(now, flow, Flag.ACK)
        if isinstance(hop, Balanced):
            self.via = hop.to.address
            self._towards(kernel, hop.to, hop.source)
        elif isinstance(hop, Local):
            self._at_server(Way(door.host), hop.server, hop.port, flow.client)
        elif hop is Refusal.UNREACHABLE or (hop is Refusal.CLOSED and kernel.unreachable.allows(now, flow.client)):
            wires.hop(door.host, self.client, self._end, Outcome.REFUSED)

    def _towards(self, kernel: Kernel, place: Place, source: str) -> None:
        host = kernel.host_of(place.network, place.address)
        if host is not None:
            at = (self._at_host, host, place, source)
            self.wires.tunnel(place.network, kernel.host, host, size_of(REQUEST), *at)
        elif source == self.flow.client:
            # Nobody answers for the address: who asks for it itself is told, a load balancer is not.
            self.wires.after(ARP_FAILS, self._end, Outcome.UNREACHABLE)

    def _at_host(self, host: str, place: Place, source: str) -> None:
        server = self.wires.kernels[host].endpoints.get((place.network, place.address))
        if server is not None and self.wires.powered(host):
            self._at_server(Way(host, place.network, source, server), server, place.port, source)

    def _at_server(self, way: Way, server: Server, port: tuple[str, int], source: str) -> None:
        self.way = way
        if server.listens(port):
            self.server, self.seen_as = server, source
            server.accept(self)
            server.handle(self)
        elif self.wires.kernels[way.host].unreachable.allows(self.wires.env._now, source):
            self._back(ICMP_ERROR, Outcome.REFUSED)

    # -- what the server does

    def respond(self, size: int) -> None:
        assert self.server is not None
        self.server.forget(self)
        self._back(size_of(size), Outcome.OK)

    def hang_up(self) -> None:
        """A socket that is closed says nothing."""

    # -- to the client

    def _back(self, size: int, outcome: Outcome) -> None:
        wires, way = self.wires, self.way
        assert way is not None
        if not wires.powered(way.host):
            return
        if not way.network:
            wires.hop(way.host, self.client, self._end, outcome)
            return
        host = neighbour(wires, way, self.door)
        if host is not None:
            at = self._through if way.source != self.flow.client else self._end
            wires.tunnel(way.network, way.host, host, size, at, outcome)

    def _through(self, outcome: Outcome) -> None:
        """At the host whose load balancer chose. An error keeps no flow alive."""
        wires, door, way = self.wires, self.door, self.way
        assert way is not None
        if wires.powered(door.host):
            kernel = wires.kernels[door.host]
            if outcome is not Outcome.OK or kernel.answered(wires.env._now, way.network, self.flow, Flag.ACK):
                wires.hop(door.host, self.client, self._end, outcome)
