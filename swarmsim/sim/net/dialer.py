"""Connecting, as Linux does: a SYN, its repeats, and what becomes of them.

====================  ==============================================================================================
what happens          what follows
====================  ==============================================================================================
a SYN is lost         it is sent again 1, 3, 7, 15, 31, 63 s after the first; after 127 s: ``ETIMEDOUT``
a SYN finds no        RST: ``ECONNREFUSED``
listener
a firewall drops it   it is lost
====================  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swarmsim.sim.clock import FOREVER, Timer
from swarmsim.sim.errors import ModelError
from swarmsim.sim.net.connection import Address, NetStack, Socket
from swarmsim.sim.net.fabric import Carrier
from swarmsim.sim.net.tls import Credentials
from swarmsim.sim.scope import Scope

SYN_REPEATS = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
"""Seconds after the first: TCP_TIMEOUT_INIT 1 s, doubling, tcp_syn_retries 6."""
SYN_GIVE_UP = 127.0


class Patience(NamedTuple):
    """When a kernel asks again, in seconds after it first did, when it has asked in vain, and what it then says."""

    repeats: tuple[float, ...]
    give_up: float
    why: str


SYN = Patience(SYN_REPEATS, SYN_GIVE_UP, "connect: connection timed out")
NEIGHBOUR = Patience((1.0, 2.0), 3.0, "connect: no route to host")
"""Where the other host is on the same link and silent for so long that its hardware address is forgotten: it is asked for with ARP, three
times, and the SYN follows the answer (neigh/default/mcast_solicit, retrans_time_ms). The question goes to everybody: who waits for the asker has
learnt where it is, and sends what it wants of it at once (arp_process)."""


class DialError(ModelError):
    """A connection that did not come about, in the words of Go's ``net`` package."""

    def __init__(self, to: Address, why: str) -> None:
        super().__init__(f"dial {to.protocol} {to}: {why}")


class Dialer:
    """An attempt to connect, which takes ``timeout`` seconds at most (net.Dialer).

    ``done`` is given the client's end or a :class:`DialError`, once, unless the attempt is abandoned. ``ago``: it began so
    many seconds before, and has had no answer so far. ``carrier`` is who carries its packets and the connection's, if not the
    host's fabric.
    """

    __slots__ = (
        "_accepted",
        "_began",
        "_deadline",
        "_done",
        "_identity",
        "_over",
        "_patience",
        "carrier",
        "host",
        "remote",
        "scope",
        "to",
    )

    def __init__(
        self,
        host: NetStack,
        scope: Scope,
        to: Address,
        identity: Credentials,
        timeout: float,
        done: Callable[[Socket | DialError], object],
        ago: float = 0.0,
        carrier: Carrier | None = None,
        patience: Patience = SYN,
    ) -> None:
        self.host = host
        self._patience = patience
        self.carrier = carrier or host.fabric
        self.scope = scope
        self.to = to
        self.remote = host if to.protocol == "unix" else host.by_address.get(to.address)
        self._identity = identity
        self._done = done
        self._began = host.clock.now - ago
        self._deadline = min(timeout, patience.give_up)
        self._accepted: Socket | None = None
        self._over = False
        if self.remote is None:
            scope.after(0.0, self._finish, DialError(to, "connect: no route to host"))
            return
        if patience is NEIGHBOUR:
            host.asking[self] = None
            self.remote.asked_for[self] = None
        if not ago:
            self._send_syn()
        self._wait(ago)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return self.host.clock.now - self._began

    def abandon(self) -> None:
        """Nobody wants the connection any more."""
        self._over = True
        self._asks_no_more()
        if self._accepted is not None:
            self._accepted.close()

    def _asks_no_more(self) -> None:
        if self.host.asking.pop(self, self) is None and self.remote is not None:
            del self.remote.asked_for[self]

    def _finish(self, result: Socket | DialError) -> None:
        if self._over:
            return
        self._over = True
        self._asks_no_more()
        if isinstance(result, DialError) and self._accepted is not None:
            self._accepted.close()
        self._done(result)

    def _wait(self, elapsed: float) -> None:
        """The next SYN, or the end."""
        repeats, give_up, _ = self._patience
        following = next((sent for sent in repeats if sent > elapsed + 1e-9), give_up)
        following = min(following, self._deadline)
        self.scope.after(following - elapsed, self._not_answered, following)

    def _not_answered(self, elapsed: float) -> None:
        if self._over:
            return
        if elapsed >= self._deadline:
            kernel = self._deadline >= self._patience.give_up
            self._finish(DialError(self.to, self._patience.why if kernel else "i/o timeout"))
            return
        self._send_syn()
        self._wait(elapsed)

    def _send_syn(self) -> None:
        """Or first the question where the neighbour is."""
        assert self.remote is not None
        if self in self.host.asking:
            self._ask_everybody()
        delay = self.carrier.transit(self.host.name, self.remote.name)
        if delay is not None:
            arrives = self._question_arrives if self in self.host.asking else self._syn_arrives
            Timer(self.host.clock.env, self.host.clock.now + delay, arrives, (), FOREVER)

    def _ask_everybody(self) -> None:
        """The question is a broadcast: others who look for this host hear where it is."""
        for other in list(self.host.asked_for):
            if other.host is self.remote:
                continue
            delay = self.carrier.transit(self.host.name, other.host.name)
            if delay is not None:
                Timer(self.host.clock.env, self.host.clock.now + delay, other.host.hears_from, (self.host,), FOREVER)

    def _question_arrives(self) -> None:
        remote = self.remote
        assert remote is not None
        if not remote.powered or self._over:
            return
        remote.hears_from(self.host)
        back = self.carrier.transit(remote.name, self.host.name)
        if back is not None:
            self.scope.after(back, self.host.hears_from, remote)

    def neighbour_answers(self) -> None:
        """Its hardware address is known."""
        self._asks_no_more()
        self._send_syn()

    def _syn_arrives(self) -> None:
        remote = self.remote
        assert remote is not None
        if not remote.powered or self._over:
            return
        remote.hears_from(self.host)
        if not remote.fabric.lets_in(remote.name, self.to.protocol, self.to.port):
            return
        back = self.carrier.transit(remote.name, self.host.name)
        near = self._accepted
        if near is None:
            listener = remote.listener_at(self.to)
            if listener is None:
                if back is not None:
                    self.scope.after(back, self._finish, DialError(self.to, "connect: connection refused"))
                return
            self._accepted, far = Socket.pair(self.host, self._identity, remote, listener.identity, self.carrier)
            far.port = self.to.port
            near = self._accepted
            listener.on_accept(far)
        if back is not None:
            near.peer._arrival = max(near.peer._arrival, self.host.clock.now + back)
            self.scope.after(back, self._finish, near)
