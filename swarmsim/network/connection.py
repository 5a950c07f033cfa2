"""A client's TCP connection through a routing mesh, packet by packet: SYN, request, response, end.

Each packet goes host by host, as :mod:`.kernel` says, at the speed of the links. A packet that arrives costs an event a link; one that
does not is sent again by whoever sent it, as TCP does:

=====================  =========================================================================
lost is                it is sent again
=====================  =========================================================================
the SYN, its answer    1, 3, 7, … s after the first; after 127 s the client gives up (tcp_syn_retries = 6)
a request              0.2, 0.6, 1.4, … s after the first
a response             likewise, by the server's kernel
=====================  =========================================================================

Between two hosts of an overlay a packet travels in another, VXLAN's: UDP to port 4789, 50 bytes larger. A firewall that closes
that port swallows it, and so does a link that does not take so large a packet: then connections come about, and answers of some length
never arrive.

A host without power answers no ARP either: who asks it itself is told after 3 s that there is no route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random
from typing import NamedTuple

from swarmsim.network.kernel import Balanced, Hop, Kernel, Local, Place, Refusal, Server
from swarmsim.network.loadbalancer import Flag, Flow
from swarmsim.sim.clock import FOREVER, Clock, Timer
from swarmsim.sim.net.connection import RTO_MIN, SMOOTHED_ROUND_TRIP
from swarmsim.sim.net.fabric import Fabric

SYN_RTO = 1.0  # seconds, TCP_TIMEOUT_INIT
SYN_RETRIES = 6  # tcp_syn_retries
ARP_FAILS = 3.06
"""Seconds until a neighbour that does not answer is given up: three questions, a second apart (mcast_solicit), and a moment."""
RTO = RTO_MIN + SMOOTHED_ROUND_TRIP
DATA_RETRIES = 8
VXLAN_PORT = 4789
VXLAN_OVERHEAD = 50
"""Bytes: Ethernet, IP, UDP and VXLAN headers (drivers/overlay/overlay.go vxlanEncap)."""
OVERLAY_MTU = 1450
"""Bytes of the largest packet of an overlay, whatever the links below take."""
ESP = "esp"
"""What packets between hosts are on an encrypted overlay: IP protocol 50, which has no ports. Unwrapped they are VXLAN's, and meet the
firewall once more."""
ESP_OVERHEAD = 26
"""Bytes (drivers/overlay/encryption.go pktExpansion)."""
ENCRYPTED_MTU = 1424
"""The same on an encrypted overlay (overlay.go maxMTU)."""
TCP_HEADERS = 52
"""Bytes: IP, TCP and its time stamps."""
REQUEST = 80
"""Bytes: ``GET / HTTP/1.1`` and three headers."""


class Outcome(StrEnum):
    """How a request ended."""

    OK = "ok"
    REFUSED = "refused"
    """Nobody listens, or there is no task."""
    TIMEOUT = "timeout"
    """The client's patience was at its end."""
    RESET = "reset"
    """The connection was there, and then unknown."""
    EOF = "eof"
    """The server closed without an answer."""
    UNREACHABLE = "unreachable"
    """No route to the host."""
    UNKNOWN = "unknown"
    """Nobody knows the name."""


class Door(NamedTuple):
    """Where a client's packets meet a load balancer: a host, and the network if the client is in a container on it.

    ``own`` is the server in the client's own namespace, if it asks that (``localhost``).
    """

    host: str
    network: str = ""
    own: Server | None = None


class Wires:
    """What carries packets: the links between hosts, and the kernels at their ends."""

    def __init__(
        self,
        clock: Clock,
        fabric: Fabric,
        rng: Random,
        kernels: Mapping[str, Kernel],
        powered: Callable[[str], bool],
    ) -> None:
        self.clock = clock
        self.fabric = fabric
        self.rng = rng
        self.kernels = kernels
        self.powered = powered
        self.env = clock.env
        self._transit = fabric.transit

    def hop(self, source: str, target: str, arrive: Callable[..., object], *args: object) -> bool:
        """Send one packet over the links; whether it will arrive."""
        delay = self._transit(source, target, self.rng)
        if delay is None:
            return False
        env = self.env
        Timer(env, env._now + delay, arrive, args, FOREVER)
        return True

    def tunnel(
        self, network: str, source: str, target: str, size: int, arrive: Callable[..., object], *args: object
    ) -> bool:
        """Send one packet of an overlay with so many bytes, from host to host; whether it will arrive."""
        if source != target:
            sandbox = self.kernels[source].bindings.sandboxes.get(network)
            encrypted = sandbox is not None and sandbox.encrypted
            if encrypted and not self.kernels[target].overlay_keys.reads(self.kernels[source].overlay_keys):
                return False
            if self.fabric.hindered and not self._passes(encrypted, source, target, size):
                return False
        return self.hop(source, target, arrive, *args)

    def _passes(self, encrypted: bool, source: str, target: str, size: int) -> bool:
        """Whether links and firewalls let such a packet pass."""
        fabric = self.fabric
        if encrypted:
            if not fabric.lets_in(target, ESP, 0):
                return False
            size = min(size, ENCRYPTED_MTU) + ESP_OVERHEAD
        return fabric.fits(source, target, size + VXLAN_OVERHEAD) and fabric.lets_in(target, "udp", VXLAN_PORT)

    def after(self, delay: float, fn: Callable[..., object], *args: object) -> Timer:
        return Timer(self.env, self.env._now + delay, fn, args, FOREVER)


class Packet(StrEnum):
    """From the server's side to the client."""

    SYN_ACK = "syn-ack"
    RESPONSE = "response"
    LAST_RESPONSE = "response, fin"
    FIN = "fin"
    RST = "rst"


_FLAGS = {
    Packet.SYN_ACK: Flag.SYN,
    Packet.RESPONSE: Flag.ACK,
    Packet.LAST_RESPONSE: Flag.FIN,
    Packet.FIN: Flag.FIN,
    Packet.RST: Flag.RST,
}


def size_of(data: int) -> int:
    """Bytes of the largest packet that ``data`` bytes of TCP need on an overlay.

    >>> size_of(0), size_of(1000), size_of(1_000_000)
    (52, 1052, 1450)
    """
    return min(TCP_HEADERS + data, OVERLAY_MTU)


class Way(NamedTuple):
    """How the server's packets go back: from its ``host``, on ``network`` to ``source``; without a network straight to the client."""

    host: str
    network: str = ""
    source: str = ""
    server: Server | None = None


def neighbour(wires: Wires, way: Way, door: Door) -> str | None:
    """The host a server's packets go to. Whom it has answered before it still finds when its host has forgotten the neighbour: the
    address is in its own ARP cache, and the overlay has just learnt from the packet that came where that is."""
    host = wires.kernels[way.host].host_of(way.network, way.source)
    met, address = way.server.met if way.server is not None else set(), (way.network, way.source)
    if host is not None:
        met.add(address)
    elif address in met:
        host = door.host
    return host


class Connection:
    """The client's end. What happens is told to ``on_open``, ``on_response`` and ``on_end``.

    ``client`` is the host the client is on, by its name on the fabric; the server sees ``seen_as`` at its end.
    """

    __slots__ = (
        "_answer",
        "_answered",
        "_asked",
        "_first_sent",
        "_opened_at",
        "_tries",
        "client",
        "done",
        "door",
        "flow",
        "keeps",
        "on_end",
        "on_open",
        "on_response",
        "open",
        "seen_as",
        "server",
        "via",
        "way",
        "wires",
    )

    def __init__(
        self,
        wires: Wires,
        client: str,
        door: Door,
        flow: Flow,
        on_end: Callable[[Outcome], object],
        on_open: Callable[[], object] | None = None,
        on_response: Callable[[], object] | None = None,
        *,
        keeps: bool = False,
    ) -> None:
        self.wires = wires
        self.client = client
        self.door = door
        self.flow = flow
        self.on_end = on_end
        self.on_open = on_open
        self.on_response = on_response
        self.keeps = keeps
        """Whether the client asks the server to keep the connection."""
        self.open = False
        """Whether the handshake is over."""
        self.done = False
        self.server: Server | None = None
        self.seen_as = ""
        """The client's address, as the server sees it."""
        self.way: Way | None = None
        self.via = ""
        """The address that a load balancer chose last."""
        self._opened_at = self._first_sent = wires.clock.now
        self._tries = 0
        self._asked = self._answered = False
        self._answer = 0
        """Bytes of the answer."""

    # -- what the client does

    def start(self) -> None:
        """Send the SYN."""
        self._forward(Flag.SYN)

    def request(self) -> None:
        """Send a request; the connection must be open."""
        self._first_sent, self._tries = self.wires.clock.now, 0
        self._asked, self._answered = True, False
        self._forward(Flag.ACK)

    def close(self) -> None:
        """The client is done, or gives up: a FIN, that nobody waits for."""
        if not self.done:
            self.done = True
            if self.open:
                self._forward(Flag.FIN)

    def _end(self, outcome: Outcome) -> None:
        if not self.done:
            self.done = True
            self.on_end(outcome)

    # -- to the server

    def _forward(self, flag: Flag) -> None:
        if not self.wires.hop(self.client, self.door.host, self._at_door, flag):
            self._lost(flag)

    def _at_door(self, flag: Flag) -> None:
        wires, door = self.wires, self.door
        if not wires.powered(door.host):
            self._lost(flag)
            return
        kernel, now = wires.kernels[door.host], wires.env._now
        hop: Hop
        if door.own is not None:
            hop = Local(door.own, (self.flow.protocol, self.flow.port))
        elif door.network:
            hop = kernel.inside(now, door.network, self.flow, flag)
        else:
            hop = kernel.published(now, self.flow, flag)
        if isinstance(hop, Balanced):
            self.via = hop.to.address
            self._towards(kernel, hop.to, hop.source, flag)
        elif isinstance(hop, Local):
            self._at_server(Way(door.host), hop.server, hop.port, self.flow.client, flag)
        elif hop is Refusal.SILENT:
            self._lost(flag)
        else:
            told = self._unreachable if hop is Refusal.UNREACHABLE else self._reset
            wires.hop(door.host, self.client, told)

    def _towards(self, kernel: Kernel, place: Place, source: str, flag: Flag) -> None:
        host = kernel.host_of(place.network, place.address)
        if host is None and source == self.flow.client and flag is Flag.SYN and self._tries == 0:
            # Nobody answers for the address: who asks for it itself is told, a load balancer is not.
            self.wires.after(ARP_FAILS, self._no_neighbour)
        size = size_of(REQUEST if flag is Flag.ACK else 0)
        if host is None or not self.wires.tunnel(
            place.network, kernel.host, host, size, self._at_host, host, place, source, flag
        ):
            self._lost(flag)

    def _at_host(self, host: str, place: Place, source: str, flag: Flag) -> None:
        network, way = place.network, self.way
        server = self.wires.kernels[host].endpoints.get((network, place.address))
        if server is None or not self.wires.powered(host):
            self._lost(flag)
            return
        if way is None or way.server is not server or way.source != source:
            way = Way(host, network, source, server)
        self._at_server(way, server, place.port, source, flag)

    def _at_server(self, way: Way, server: Server, port: tuple[str, int], source: str, flag: Flag) -> None:
        if flag is Flag.SYN:
            if not server.listens(port):
                self._back(way, Packet.RST)
                return
            if self.server is not server:
                self.server, self.way, self.seen_as = server, way, source
                server.accept(self)
            self._back(way, Packet.SYN_ACK)
        elif self.server is not server or not server.serves(self):
            if flag is not Flag.FIN:
                self._back(way, Packet.RST)
        elif flag is Flag.FIN:
            server.forget(self)
        elif not self._answered:
            self._answered = True
            server.handle(self)

    # -- what the server does

    def respond(self, size: int) -> None:
        assert self.way is not None
        self._answer = size
        if not self.keeps and self.server is not None:
            self.server.forget(self)
        self._back(self.way, Packet.RESPONSE if self.keeps else Packet.LAST_RESPONSE)

    def hang_up(self) -> None:
        assert self.way is not None
        self._back(self.way, Packet.FIN)

    # -- to the client

    def _back(self, way: Way, packet: Packet, tries: int = 0) -> None:
        wires = self.wires
        if not wires.powered(way.host):
            return
        if not way.network:
            sent = wires.hop(way.host, self.client, self._arrive, packet)
        else:
            host = neighbour(wires, way, self.door)
            at = self._through if way.source != self.flow.client else self._arrive_inside
            size = size_of(self._answer if packet in (Packet.RESPONSE, Packet.LAST_RESPONSE) else 0)
            sent = host is not None and wires.tunnel(way.network, way.host, host, size, at, way, packet, tries)
        if not sent:
            self._lost_back(way, packet, tries)

    def _through(self, way: Way, packet: Packet, tries: int) -> None:
        """At the host whose load balancer chose."""
        wires, door = self.wires, self.door
        network = way.network
        if not (
            wires.powered(door.host)
            and wires.kernels[door.host].answered(wires.env._now, network, self.flow, _FLAGS[packet])
            and wires.hop(door.host, self.client, self._arrive, packet)
        ):
            self._lost_back(way, packet, tries)

    def _arrive_inside(self, way: Way, packet: Packet, tries: int) -> None:
        self._arrive(packet)

    def _lost_back(self, way: Way, packet: Packet, tries: int) -> None:
        """The server's kernel sends data again. Of the answer to a SYN the client hears nothing, and sends that again."""
        if packet in (Packet.SYN_ACK, Packet.RST) and not self.open:
            self._lost(Flag.SYN)
            return
        if packet in (Packet.RESPONSE, Packet.LAST_RESPONSE, Packet.FIN) and tries < DATA_RETRIES and not self.done:
            self.wires.after(RTO * 2**tries, self._back, way, packet, tries + 1)

    def _arrive(self, packet: Packet) -> None:
        if self.done or not self.wires.powered(self.client):
            return
        if packet is Packet.SYN_ACK:
            if not self.open:
                self.open = True
                if self.on_open is not None:
                    self.on_open()
        elif packet is Packet.RST:
            self._reset()
        elif packet is Packet.FIN:
            self._end(Outcome.EOF)
        else:
            self._asked = False
            if self.on_response is not None:
                self.on_response()
            if packet is Packet.LAST_RESPONSE:
                self.close()

    def _reset(self) -> None:
        self._end(Outcome.RESET if self.open else Outcome.REFUSED)

    def _unreachable(self) -> None:
        """Of an open connection such a message is only noted (tcp_v4_err)."""
        if not self.open:
            self._end(Outcome.REFUSED)

    # -- lost on the way to the server

    def _lost(self, flag: Flag) -> None:
        wires, now = self.wires, self.wires.clock.now
        if self.done or flag is Flag.FIN:
            return
        if flag is Flag.SYN and self._tries == 0 and not wires.powered(self.door.host):
            wires.after(max(0.0, self._opened_at + ARP_FAILS - now), self._no_route)
        base, most = (SYN_RTO, SYN_RETRIES) if flag is Flag.SYN else (RTO, DATA_RETRIES)
        due = self._first_sent + base * (2 ** (self._tries + 1) - 1)
        self._tries += 1
        if self._tries > most:
            wires.after(max(0.0, due - now), self._end, Outcome.TIMEOUT)
        else:
            wires.after(max(0.0, due - now), self._again, flag)

    def _again(self, flag: Flag) -> None:
        if not self.done and (not self.open if flag is Flag.SYN else self._asked):
            if flag is Flag.ACK and self._answered and self.server is not None and self.server.serves(self):
                return
            self._forward(flag)

    def _no_neighbour(self) -> None:
        if not self.open:
            self._end(Outcome.UNREACHABLE)

    def _no_route(self) -> None:
        if not self.open and not self.wires.powered(self.door.host):
            self._end(Outcome.UNREACHABLE)
