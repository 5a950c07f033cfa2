"""TCP as Linux speaks it: order, sending again, closing. How a connection comes about is in :mod:`~swarmsim.sim.net.dialer`.

A connection is two :class:`Socket` objects, one in each host's kernel. A *segment* is a function to be called at the other end; to
:meth:`Socket.send` one costs a single event while packets get through. Nothing stands for acknowledgements: a segment that the
fabric carries is acknowledged, and only what it does not carry leaves state behind.

====================  ==============================================================================================
what happens          what follows
====================  ==============================================================================================
a segment is lost     it and all after it wait; the first is sent again after 0.2·(2ⁿ-1) s, at most every 120 s,
                      and once it arrives all arrive, in order. After 924.6 s: ``ETIMEDOUT`` (tcp_retries2 = 15)
nothing is sent       the kernel asks after 15 s of silence, then every 15 s; nine unanswered questions end it
the process ends      its kernel sends a FIN, as a segment like others, so it is repeated if lost
the host loses power  nothing. Its kernel has forgotten the connection, and when it is back answers RST. Meanwhile
                      the sender's own kernel finds no neighbour and asks for it every 3 s, so that what waits is
                      sent soon after the return, without the backoff (RFC 6069)
a firewall closes     what comes to the server's port is lost, also of connections that are there; what goes out is not
the server's port
a segment for whom    RST: nobody there has this connection
the kernel does not
know
====================  ==============================================================================================

Sources: RFC 6298, RFC 9293; Linux include/net/tcp.h, net/ipv4/tcp_timer.c, Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from swarmsim.sim.clock import FOREVER, Clock, Timer
from swarmsim.sim.errors import ModelError
from swarmsim.sim.net.fabric import Carrier, Fabric
from swarmsim.sim.net.tls import Credentials
from swarmsim.sim.quiescence import Subject
from swarmsim.sim.scope import Scope

RTO_MIN, RTO_MAX = 0.2, 120.0  # seconds, TCP_RTO_MIN, TCP_RTO_MAX
SMOOTHED_ROUND_TRIP = 0.011
"""Seconds. The time-out is the smoothed round trip plus :data:`RTO_MIN` (tcp_rtt_estimator), and delayed acknowledgements make that
about 11 ms on any quick link: measured were answers 26.8 s after the first loss for a cut of 20 s and 53–54 s for one of 47–48 s,
which is 127 and 255 times 0.211 s."""
GIVE_UP = 924.6
"""Seconds from the first loss after which a time-out ends the connection: what tcp_retries2 = 15 comes to, as ip-sysctl.rst says."""
ORPHAN_GIVE_UP = 102.2
"""The same for a connection whose process is gone (tcp_orphan_retries: 8, that is 0.2·(2⁹-1) s)."""
NEIGHBOUR_PERIOD = 3.0
"""Seconds: a host that does not answer ARP is asked three times, a second apart (neigh/default/mcast_solicit), then again for what is
to be sent next. Such a failure takes back the step of the backoff (tcp_ld_RTO_revert)."""
KEEPALIVE_PERIOD = 15.0  # seconds, what Go's net package sets for idle time and interval
KEEPALIVE_PROBES = 9  # tcp_keepalive_probes
ANY_ADDRESS = "0.0.0.0"

Deliver = Callable[..., object]


class Address(NamedTuple):
    """Where a process listens: ``tcp`` or ``udp`` with an IP address and a port, or ``unix`` with a path and no port."""

    protocol: str
    address: str
    port: int

    @classmethod
    def parse(cls, target: str) -> Address:
        """A target as gRPC has it.

        >>> Address.parse("10.0.0.1:2377")
        Address(protocol='tcp', address='10.0.0.1', port=2377)
        >>> Address.parse("unix:///var/run/docker.sock")
        Address(protocol='unix', address='/var/run/docker.sock', port=0)
        """
        if target.startswith("unix://"):
            return cls("unix", target.removeprefix("unix://"), 0)
        address, _, port = target.rpartition(":")
        return cls("tcp", address, int(port))

    def __str__(self) -> str:
        return self.address if self.protocol == "unix" else f"{self.address}:{self.port}"


class Caller(Protocol):
    """Who asks for a neighbour's hardware address before it can send."""

    host: NetStack

    @property
    def remote(self) -> NetStack | None: ...

    def neighbour_answers(self) -> object: ...


class Receiver(Protocol):
    """A bound UDP socket, as whoever sends to it needs it."""

    @property
    def on_datagram(self) -> Callable[[Any, Address], object]: ...

    @property
    def heeds(self) -> Callable[[Any], bool] | None: ...


class NetStack(Subject):
    """What a kernel knows of the network: who listens on this host, and the ends of its connections. It works while ``power`` lives.
    What changes in it is that power comes back, or that somebody begins to listen.

    ``by_address`` are all hosts of the network.
    """

    def __init__(self, clock: Clock, fabric: Fabric, by_address: dict[str, NetStack], name: str, address: str) -> None:
        self.clock = clock
        self.fabric = fabric
        self.by_address = by_address
        self.name = name
        self.address = address
        self.power = Scope(clock, name)
        self.listeners: dict[Address, Listener] = {}
        self.receivers: dict[Address, Receiver] = {}
        """Bound UDP sockets."""
        self.sockets: dict[Socket, None] = {}
        self.awaited_by: dict[Socket, None] = {}
        """Other hosts' sockets that have something to send here, while this host has no power."""
        self.asking: dict[Caller, None] = {}
        """Who here waits for a neighbour to say where it is."""
        self.asked_for: dict[Caller, None] = {}
        """Who elsewhere waits for this host to say so."""
        by_address[address] = self

    @property
    def powered(self) -> bool:
        return self.power.alive

    def listener_at(self, at: Address) -> Listener | None:
        """Who listens there: at this very address, or at any of the host's."""
        return self.listeners.get(at) or self.listeners.get(at._replace(address=ANY_ADDRESS))

    def close_port(self, protocol: str, port: int) -> None:
        """Drop what comes to a port, as ``iptables -I INPUT -p tcp --dport 2377 -j DROP`` does: before anything else is asked, so of
        connections that are there too."""
        self.fabric.close_port(self.name, protocol, port)
        for socket in self.sockets if protocol == "tcp" else ():
            if socket.port == port:
                socket.peer.goes_unheard()

    def open_port(self, protocol: str, port: int) -> None:
        """Take that rule away."""
        self.fabric.open_port(self.name, protocol, port)
        for socket in self.sockets if protocol == "tcp" else ():
            if socket.port == port:
                socket.peer.is_heard()

    def hears_from(self, other: NetStack) -> None:
        """A neighbour is there: who asks for it has its answer. A question of the neighbour's own tells as much (arp_process)."""
        if self.asking:
            for caller in [caller for caller in self.asking if caller.remote is other]:
                caller.neighbour_answers()

    def power_lost(self) -> None:
        """Silence: the kernel forgets its connections, and nobody is told."""
        self.power.end()
        for socket in list(self.sockets):
            socket.vanish()

    def power_returned(self) -> None:
        """The kernel runs again and knows no connection."""
        self.power = Scope(self.clock, self.name)
        awaited_by, self.awaited_by = self.awaited_by, {}
        for socket in awaited_by:
            socket.neighbour_returned()


class _Dropped:
    """Carries nothing: what is sent meets a firewall."""

    def transit(self, src: str, dst: str, /) -> float | None:
        return None


_DROPPED = _Dropped()


class Listener:
    """Whoever answers SYNs to one address of one host, until ``scope`` ends or it is closed.

    ``identity`` is who answers; whoever connects sees it. ``on_accept`` is given the server's end of every new connection.
    Raises :class:`ModelError` if the address is in use.
    """

    def __init__(
        self, host: NetStack, scope: Scope, at: Address, identity: Credentials, on_accept: Callable[[Socket], object]
    ) -> None:
        if at in host.listeners:
            raise ModelError(f"listen {at.protocol} {at}: bind: address already in use")
        self.host = host
        self.at = at
        self.identity = identity
        self.on_accept = on_accept
        host.clock.quiescence.invalidate(host)
        host.listeners[at] = self
        scope.on_end(self.close)

    def close(self) -> None:
        if self.host.listeners.get(self.at) is self:
            del self.host.listeners[self.at]


class Socket:
    """One end of a connection. ``peer`` is the other end, ``identity`` who says to be at this one.

    ``on_close(why)`` is called once when the connection ends otherwise than by :meth:`close`: ``EOF`` after the other side's FIN,
    ``connection reset by peer`` or ``connection timed out``.
    """

    __slots__ = (
        "_arrival",
        "_carrier",
        "_env",
        "_fabric",
        "_keepalive",
        "_lost_at",
        "_name",
        "_pause",
        "_peer_name",
        "_power",
        "_retransmission",
        "_unacknowledged",
        "alive",
        "application",
        "host",
        "identity",
        "on_close",
        "peer",
        "port",
    )

    peer: Socket
    _peer_name: str

    def __init__(self, host: NetStack, identity: Credentials, carrier: Carrier | None = None) -> None:
        self.host = host
        self.identity = identity
        self.alive = True
        """Whether this kernel knows the connection: what arrives for it is then delivered."""
        self.application: Any = None
        """Whoever the other side's segments are for."""
        self.on_close: Callable[[str], object] = lambda why: None
        self._env = host.clock.env
        self._carrier = self._fabric = carrier or host.fabric
        self._power = host.power
        self._name = host.name
        self.port = 0
        """Where it listened, at a server's end."""
        self._arrival = 0.0
        self._unacknowledged: list[tuple[Deliver, tuple[Any, ...]]] | None = None
        self._lost_at = 0.0
        self._pause = 0.0
        self._retransmission: Timer | None = None
        self._keepalive: Timer | None = None
        host.sockets[self] = None

    @staticmethod
    def pair(
        client: NetStack,
        client_identity: Credentials,
        server: NetStack,
        server_identity: Credentials,
        carrier: Carrier | None = None,
    ) -> tuple[Socket, Socket]:
        """Two ends of one connection; ``carrier`` carries its packets, if not the hosts' fabric."""
        near, far = Socket(client, client_identity, carrier), Socket(server, server_identity, carrier)
        near.peer, far.peer = far, near
        near._peer_name, far._peer_name = far._name, near._name
        return near, far

    # -- what the application does

    @property
    def healthy(self) -> bool:
        """Whether both ends are there and nothing either of them sent is lost."""
        peer = self.peer
        return self.alive and peer.alive and self._unacknowledged is None and peer._unacknowledged is None

    def send(self, deliver: Deliver, *args: Any) -> None:
        """Call ``deliver(*args)`` at the other end, after all that was sent before; never if the connection ends before."""
        if not self.alive:
            return
        peer = self.peer
        if self._unacknowledged is None and peer.alive:
            delay = self._fabric.transit(self._name, self._peer_name)
            if delay is not None:
                env = self._env
                arrival = env._now + delay
                if arrival < self._arrival:
                    arrival = self._arrival
                self._arrival = arrival
                Timer(env, arrival, deliver, args, peer)
                return
        self._hold(deliver, args)

    def close(self) -> None:
        """The application is done, or its process has ended: FIN, if there is a kernel left to send one."""
        if not self.alive:
            return
        if self._power.alive:
            self.send(self.peer._ended, "EOF")
            self._forget()
        else:
            self.vanish()

    # -- sending again

    def _hold(self, deliver: Deliver, args: tuple[Any, ...]) -> None:
        if self._unacknowledged is not None:
            self._unacknowledged.append((deliver, args))
            return
        self._unacknowledged = [(deliver, args)]
        self._await_acknowledgement()
        if not self.peer.alive:
            self._transmit()

    def _await_acknowledgement(self) -> None:
        self._lost_at = self._env._now
        if not self.peer.host.powered:
            self.peer.host.awaited_by[self] = None
        self._pause = RTO_MIN + SMOOTHED_ROUND_TRIP
        self._retransmission = self._power.after(self._pause, self._timed_out)

    def _timed_out(self) -> None:
        elapsed = self._env._now - self._lost_at
        if elapsed >= (GIVE_UP if self.alive else ORPHAN_GIVE_UP):
            self._ended("connection timed out")
            return
        self._pause = min(2 * self._pause, RTO_MAX)
        self._retransmission = self._power.after(self._pause, self._timed_out)
        self._transmit()

    def neighbour_returned(self) -> None:
        """The other host has power again: the next question for it is answered, and what waits is sent."""
        if self._unacknowledged is not None:
            asked = (self._env._now - self._lost_at) % NEIGHBOUR_PERIOD
            Timer(self._env, self._env._now + NEIGHBOUR_PERIOD - asked, self._transmit, (), self._power)

    def _transmit(self) -> None:
        """The first segment that was lost, again."""
        if self._unacknowledged is None:
            return
        delay = self._fabric.transit(self._name, self._peer_name)
        if delay is not None:
            Timer(self._env, self._env._now + delay, self._arrive, (), FOREVER)

    def _arrive(self) -> None:
        waiting, peer = self._unacknowledged, self.peer
        if waiting is None or not peer.host.powered:
            return
        if not peer.alive:
            self._reset_from_there()
            return
        self._acknowledged()
        self._arrival = self._env._now
        for deliver, args in waiting:
            if peer.alive:
                deliver(*args)

    def _acknowledged(self) -> None:
        """Nothing has to be sent again."""
        self._unacknowledged = None
        self.peer.host.awaited_by.pop(self, None)
        if self._retransmission is not None:
            self._retransmission.cancel()
            self._retransmission = None

    def _reset_from_there(self) -> None:
        back = self._fabric.transit(self._peer_name, self._name)
        if back is not None:
            self._power.after(back, self._ended, "connection reset by peer")

    # -- the end

    def _ended(self, why: str) -> None:
        """The connection is over, for a reason that is not this application's."""
        self._acknowledged()
        if not self.alive:
            return
        self._forget()
        self.on_close(why)

    def _forget(self) -> None:
        self.alive = False
        self.host.sockets.pop(self, None)

    def vanish(self) -> None:
        """Power is gone: what was under way is lost, and nobody says so."""
        if not self.alive:
            return
        self._forget()
        self._acknowledged()
        peer = self.peer
        if not peer.alive:
            return
        if peer._unacknowledged is None and peer._arrival > self._env._now:
            peer._unacknowledged = []
            peer._await_acknowledgement()
        peer.expect_silence()

    # -- firewalls

    def goes_unheard(self) -> None:
        """The other host's firewall drops what comes from here."""
        self._fabric = _DROPPED
        self.expect_silence()

    def is_heard(self) -> None:
        self._fabric = self._carrier

    # -- keep-alive

    def expect_silence(self) -> None:
        """Packets do not get through any more. From now on keep-alive matters: as long as each question is answered it changes
        nothing, so until now no event was spent on it."""
        if self._keepalive is None and self.alive:
            now = self._env._now
            last = max(min(self._arrival, now), min(self.peer._arrival, now))
            due = KEEPALIVE_PERIOD - (now - last) % KEEPALIVE_PERIOD
            self._keepalive = self._power.after(due, self._probe, 1)

    def _probe(self, number: int) -> None:
        self._keepalive = None
        if not self.alive or self._unacknowledged is not None:
            return  # retransmission asks for itself (tcp_keepalive_timer)
        if number > KEEPALIVE_PROBES:
            self._ended("connection timed out")
            return
        peer = self.peer
        if self._fabric.transit(self._name, self._peer_name) is not None and peer.host.powered:
            if peer.alive:
                return
            self._reset_from_there()
        self._keepalive = self._power.after(KEEPALIVE_PERIOD, self._probe, number + 1)
