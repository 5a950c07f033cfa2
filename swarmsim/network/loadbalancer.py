"""IPVS of one network namespace, as libnetwork uses it (service_linux.go; Linux net/netfilter/ipvs).

A *virtual service* is known by a firewall mark and has *destinations*. Each new flow goes to the next of them in turn (scheduler ``rr``)
and stays with it by an entry of the *connection table*. Nothing here sends or waits: a packet comes in with the time it has,
and what is returned is where it goes.

=====================================  =====================================================================
a packet of                            goes
=====================================  =====================================================================
a new flow (a SYN, any datagram)       to the next destination whose weight is not 0; :data:`NOBODY` if there is none
a flow in the table                    where the flow went before, though its weight be 0 by now
a flow whose destination was removed   nowhere: the entry ends (``expire_nodest_conn=1``). The same packet is then
                                       looked at as one of a new flow, but for a datagram: that is dropped
no flow, and is no SYN                 :data:`UNKNOWN`: the kernel itself answers with a reset
=====================================  =====================================================================

A new connection from an address and port that still have an entry goes where that entry says (``conn_reuse_mode=0``).
New destinations come to the head of the list, so the newest gets the next flow if none had one yet.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

FIRST_MARK = 256
"""The first firewall mark a daemon gives (service.go fwMarkCtr); they are counted on and never used again."""


class Flow(NamedTuple):
    """Whose packets belong together: ``protocol`` is ``tcp`` or ``udp``, ``address`` and ``port`` are what the client asked for."""

    protocol: str
    client: str
    client_port: int
    address: str
    port: int


class Flag(StrEnum):
    """What of a packet matters to the state of its connection."""

    SYN = "syn"
    FIN = "fin"
    ACK = "ack"
    RST = "rst"


class State(StrEnum):
    """Of an entry, as ``ipvsadm -lnc`` shows it."""

    SYN_RECV = "SYN_RECV"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT = "FIN_WAIT"
    TIME_WAIT = "TIME_WAIT"
    CLOSE = "CLOSE"
    CLOSE_WAIT = "CLOSE_WAIT"
    UDP = "UDP"


TIMEOUTS: dict[State, float] = {
    State.SYN_RECV: 60.0,
    State.ESTABLISHED: 900.0,
    State.FIN_WAIT: 120.0,
    State.TIME_WAIT: 120.0,
    State.CLOSE: 10.0,
    State.CLOSE_WAIT: 60.0,
    State.UDP: 300.0,
}
"""Seconds without a packet after which an entry is gone (ip_vs_proto_tcp.c tcp_timeouts, ip_vs_proto_udp.c)."""

_S = State
FROM_CLIENT: dict[Flag, dict[State, State]] = {
    Flag.SYN: {_S.ESTABLISHED: _S.ESTABLISHED, **dict.fromkeys((_S.FIN_WAIT, _S.TIME_WAIT, _S.CLOSE), _S.SYN_RECV)},
    Flag.FIN: {_S.SYN_RECV: _S.TIME_WAIT, _S.ESTABLISHED: _S.CLOSE_WAIT, _S.FIN_WAIT: _S.TIME_WAIT},
    Flag.ACK: {_S.SYN_RECV: _S.ESTABLISHED},
    Flag.RST: dict.fromkeys((_S.ESTABLISHED, _S.FIN_WAIT, _S.TIME_WAIT, _S.CLOSE_WAIT), _S.CLOSE),
}
FROM_SERVER: dict[Flag, dict[State, State]] = {
    Flag.SYN: {},
    Flag.FIN: {_S.SYN_RECV: _S.TIME_WAIT, _S.ESTABLISHED: _S.FIN_WAIT, _S.CLOSE_WAIT: _S.TIME_WAIT},
    Flag.ACK: {_S.SYN_RECV: _S.ESTABLISHED},
    Flag.RST: dict.fromkeys((_S.SYN_RECV, _S.ESTABLISHED, _S.FIN_WAIT, _S.CLOSE_WAIT), _S.CLOSE),
}
"""How packets move an entry on (tcp_states); what is not named leaves it as it is."""


class Nowhere(StrEnum):
    """Why a packet goes to no destination."""

    NOBODY = "no destination"
    UNKNOWN = "no such connection"
    EXPIRED = "of a destination that was removed"


NOBODY, UNKNOWN, EXPIRED = Nowhere.NOBODY, Nowhere.UNKNOWN, Nowhere.EXPIRED


class Destination:
    """A task's address behind a virtual service. Weight 0: nothing new goes there."""

    __slots__ = ("address", "available", "weight")

    def __init__(self, address: str) -> None:
        self.address = address
        self.weight = 1
        self.available = True
        """Whether it is in its service's list."""

    def __repr__(self) -> str:
        return f"<Destination {self.address} weight {self.weight}{'' if self.available else ', removed'}>"


class Connection:
    """An entry of the connection table; ``expires`` in seconds."""

    __slots__ = ("destination", "expires", "state")

    def __init__(self, destination: Destination, state: State) -> None:
        self.destination = destination
        self.state = state
        self.expires = 0.0


class VirtualService:
    """The destinations of one mark, and whose turn it is.

    >>> web = VirtualService()
    >>> for address in ("10.0.0.6", "10.0.0.7"):
    ...     web.add(address)
    >>> [web.next().address for _ in range(3)]
    ['10.0.0.7', '10.0.0.6', '10.0.0.7']
    """

    __slots__ = ("_by_address", "_last", "_removed", "destinations")

    def __init__(self) -> None:
        self.destinations: list[Destination] = []
        """In the kernel's order: the newest first."""
        self._by_address: dict[str, Destination] = {}
        self._removed: dict[str, Destination] = {}
        self._last = -1
        """Where in the list the last flow went; -1: the next is the first of the list."""

    def add(self, address: str) -> None:
        """A destination of weight 1. One that is there already keeps its place and weight (``EEXIST``)."""
        if address in self._by_address:
            return
        # Entries of the connection table that point to a removed one hold it in the kernel's bin, where it is found again.
        destination = self._removed.pop(address, None) or Destination(address)
        destination.weight, destination.available = 1, True
        self._by_address[address] = destination
        self.destinations.insert(0, destination)
        if self._last >= 0:
            self._last += 1

    def quiesce(self, address: str) -> None:
        """Weight 0: what goes there goes on, nothing new does."""
        if address in self._by_address:
            self._by_address[address].weight = 0

    def remove(self, address: str) -> None:
        destination = self._by_address.pop(address, None)
        if destination is None:
            return
        destination.available = False
        self._removed[address] = destination
        place = self.destinations.index(destination)
        del self.destinations[place]
        if place <= self._last:
            self._last -= 1

    def weight(self, address: str) -> int | None:
        """Of the destination with this address; ``None`` if there is none."""
        destination = self._by_address.get(address)
        return destination.weight if destination is not None else None

    def clear(self) -> None:
        for address in list(self._by_address):
            self.remove(address)

    def next(self) -> Destination | None:
        """Whose turn it is; ``None`` if all have weight 0."""
        count = len(self.destinations)
        for step in range(1, count + 1):
            place = (self._last + step) % count
            if self.destinations[place].weight:
                self._last = place
                return self.destinations[place]
        return None


class LoadBalancer:
    """All virtual services of a namespace, by mark, and their connections."""

    __slots__ = ("_sweep_at", "connections", "services")

    def __init__(self) -> None:
        self.services: dict[int, VirtualService] = {}
        self.connections: dict[Flow, Connection] = {}
        self._sweep_at = 1024

    def add_service(self, mark: int) -> VirtualService:
        return self.services.setdefault(mark, VirtualService())

    def remove_service(self, mark: int) -> None:
        service = self.services.pop(mark, None)
        if service is not None:
            service.clear()

    def arrive(self, now: float, mark: int, flow: Flow, flag: Flag = Flag.SYN) -> str | Nowhere:
        """A packet from a client at ``now`` (seconds): the address it goes on to, or why it goes nowhere."""
        entry = self.connections.get(flow)
        if entry is not None and (entry.expires <= now or not entry.destination.available):
            del self.connections[flow]
            if flow.protocol == "udp" and entry.expires > now:
                return EXPIRED  # it has a connection in conntrack, that ends with the entry (ip_vs_conn_uses_old_conntrack)
            entry = None
        if entry is None:
            if flow.protocol == "tcp" and flag is not Flag.SYN:
                return UNKNOWN
            service = self.services.get(mark)
            destination = service.next() if service is not None else None
            if destination is None:
                return NOBODY
            entry = Connection(destination, State.UDP if flow.protocol == "udp" else State.SYN_RECV)
            self._keep(now, flow, entry)
        else:
            entry.state = FROM_CLIENT[flag].get(entry.state, entry.state)
        entry.expires = now + TIMEOUTS[entry.state]
        return entry.destination.address

    def answer(self, now: float, flow: Flow, flag: Flag = Flag.ACK) -> bool:
        """A packet from the destination back to the client; whether it is one of a known connection."""
        entry = self.connections.get(flow)
        if entry is None or entry.expires <= now:
            return False
        entry.state = FROM_SERVER[flag].get(entry.state, entry.state)
        entry.expires = now + TIMEOUTS[entry.state]
        return True

    def table(self, now: float) -> list[tuple[Flow, Connection]]:
        """The entries that there are, oldest first."""
        return [(flow, entry) for flow, entry in self.connections.items() if entry.expires > now]

    def _keep(self, now: float, flow: Flow, entry: Connection) -> None:
        """Entries whose time is over are looked for when they may have become half of the table."""
        if len(self.connections) >= self._sweep_at:
            self.connections = dict(self.table(now))
            self._sweep_at = max(1024, 2 * len(self.connections))
        self.connections[flow] = entry
