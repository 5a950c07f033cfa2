"""Members driven by hand: their time, the wire between them, and what each was told."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random

from swarmsim.network.member import Member
from swarmsim.network.memberlist import GOSSIP_INTERVAL
from swarmsim.network.messages import Alive, BulkSync, Packet, State
from swarmsim.network.networkdb import NetworkDB
from swarmsim.network.suspicion import PROBE_INTERVAL
from swarmsim.network.tables import Event

LATENCY = 0.0005  # seconds one way
PERIODS = {"reap": 5.0, "sync": 30.0, "reconnect": 1.0, "rejoin": 60.0, "forget_nodes": 7200.0}


class Call:
    def __init__(self, fn: Callable[..., object], args: tuple) -> None:
        self.fn = fn
        self.args = args

    def cancel(self) -> None:
        self.fn = lambda *_: None


class Wire:
    """Virtual time, and what arrives when. ``loss``: chance of a datagram; ``cuts``: pairs of addresses that hear nothing of each other."""

    def __init__(self, seed: int = 1, loss: float = 0.0) -> None:
        self.now = 0.0
        self.rng = Random(seed)
        self.loss = loss
        self.tcp = True
        self.cuts: set[frozenset[str]] = set()
        self.up: dict[str, Node] = {}
        self.sent: list[tuple[float, str, str, object]] = []
        self._agenda: list = []
        self._numbers = itertools.count()

    def after(self, delay: float, fn: Callable[..., object], *args) -> Call:
        call = Call(fn, args)
        heapq.heappush(self._agenda, (self.now + delay, next(self._numbers), call))
        return call

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, call = heapq.heappop(self._agenda)
            call.fn(*call.args)
        self.now = until

    def run_until(self, condition: Callable[[], bool], limit: float = 600.0) -> float:
        """The seconds it took."""
        began = self.now
        while not condition():
            assert self._agenda, "nothing will happen any more"
            assert self.now - began < limit, f"not within {limit} s"
            self.now, _, call = heapq.heappop(self._agenda)
            call.fn(*call.args)
        return self.now - began

    def reaches(self, a: str, b: str) -> bool:
        return a == b or frozenset((a, b)) not in self.cuts

    def cut(self, *addresses: str) -> None:
        """These from all others."""
        for address in addresses:
            self.cuts |= {frozenset((address, other)) for other in self.up if other not in addresses}

    def heal(self) -> None:
        self.cuts.clear()


class Node:
    """One member and its kernel; ``phase`` is when its agent started."""

    def __init__(self, wire: Wire, number: int, generation: int = 1) -> None:
        self.wire = wire
        self.address = f"10.0.0.{number}" if number < 255 else f"10.0.{number // 250}.{number % 250}"
        self.alive = True
        self.events: list[tuple[float, Event]] = []
        self.changes: list[tuple[float, str, State]] = []
        """What became of others' states here."""
        self._asked: dict[str, bool] = {}
        self.db = NetworkDB(
            f"n{number}" + "'" * (generation - 1), self.address, self, Random(wire.rng.random()), self._table_gossip
        )
        self.members = self.db.members
        self.members.gossip_wanted = self._gossip
        self.members.on_change = self._changed
        self.db.watch(lambda event: self.events.append((wire.now, event)))
        wire.up[self.address] = self
        self.began = wire.now
        self._every(PROBE_INTERVAL, self.members.probe_tick)
        for name, period in PERIODS.items():
            self._every(period, getattr(self.db, name))
        self.after(wire.rng.random() * 30.0 + 30.0, self._push_pull)

    # -- time

    @property
    def now(self) -> float:
        return self.wire.now

    def after(self, delay: float, fn: Callable[..., object], *args) -> Call:
        return self.wire.after(delay, lambda: fn(*args) if self.alive else None)

    def _every(self, period: float, fn: Callable[[], object]) -> None:
        def beat() -> None:
            self.after(period, beat)
            fn()

        self.after(period, beat)

    def _push_pull(self) -> None:
        self.members.push_pull(lambda pause: self.after(pause, self._push_pull))

    def _gossip(self) -> None:
        self._aligned("gossip", self.members.gossip)

    def _table_gossip(self) -> None:
        self._aligned("tables", self.db.gossip)

    def _aligned(self, what: str, fn: Callable[[], object]) -> None:
        if not self._asked.get(what):
            self._asked[what] = True

            def beat() -> None:
                self._asked[what] = False
                fn()

            left = GOSSIP_INTERVAL - (self.now - self.began) % GOSSIP_INTERVAL
            self.after(left if left > 1e-9 else GOSSIP_INTERVAL, beat)

    # -- the wire

    def send(self, address: str, packet: Packet) -> None:
        wire = self.wire
        for message in packet:
            wire.sent.append((wire.now, self.address, address, message))
        if wire.reaches(self.address, address) and wire.rng.random() >= wire.loss:
            wire.after(LATENCY * (1 + wire.rng.random()), self._arrives, address, packet)

    def _arrives(self, address: str, packet: Packet) -> None:
        node = self.wire.up.get(address)
        if node is not None and node.alive:
            node.members.receive(packet)

    def call(self, address: str, request, timeout: float, answered, failed, ago: float = 0.0, asked: int = 0) -> None:
        wire, node = self.wire, self.wire.up.get(address)
        if node is None or not wire.tcp or not wire.reaches(self.address, address):
            # The kernel asks for the neighbour three times, a second apart.
            if timeout <= 1.0 or asked == 2:
                self.after(min(timeout, 1.0), failed)
            else:
                self.after(1.0, self.call, address, request, timeout - 1.0, answered, failed, 0.0, asked + 1)
        elif not node.alive:
            self.after(LATENCY, failed)
        else:
            wire.after(2 * LATENCY, lambda: self.alive and self._served(node, request(), timeout, answered, failed))

    def _served(self, node: Node, request, timeout: float, answered, failed) -> None:
        self.wire.sent.append((self.now, self.address, node.address, request))
        if isinstance(request, BulkSync):
            if node.alive:
                node.members.serve(request)
            answered(None)
            return
        reply = node.members.serve(request) if node.alive and self.wire.reaches(self.address, node.address) else None
        if reply is None:
            self.after(timeout, failed)
        else:
            self.after(LATENCY, answered, reply)

    # -- what one sees

    def _changed(self, member: Member, before: State) -> None:
        self.changes.append((self.now, member.name, member.state))

    def thinks(self, other: Node) -> State | None:
        member = self.members.members.get(other.db.name)
        return member.state if member else None

    def keys(self, network: str, table: str = "endpoint_table") -> set[str]:
        return set(self.db.entries(table, network))

    def silent(self) -> None:
        """Power is gone: nothing is heard, nothing said, and who calls waits in vain."""
        self.alive = False
        self.wire.up.pop(self.address)

    def killed(self) -> None:
        """Its process is gone, its kernel refuses."""
        self.alive = False


def swarm(size: int, seed: int = 1, networks: tuple[str, ...] = ("ingress",), loss: float = 0.0) -> list[Node]:
    """Members that came one after the other through the first, and know each other."""
    wire = Wire(seed)
    nodes = [Node(wire, 1)]
    for network in networks:
        nodes[0].db.join_network(network)
    for number in range(2, size + 1):
        wire.run(wire.rng.random())
        node = Node(wire, number)
        nodes.append(node)
        for network in networks:
            node.db.join_network(network)
        node.db.join((nodes[0].address,))
    wire.run_until(lambda: all(len(node.db.cluster_peers()) == size for node in nodes))
    for network in networks:
        wire.run_until(lambda network=network: all(len(node.db.peers(network)) == size for node in nodes))
    wire.run(5.0)
    wire.loss = loss
    return nodes


def agreed(seed: int, size: int, loss: float = 0.0) -> list[Node]:
    """Members that know each other, without the time it takes: all have the same list, each in an order of its own."""
    wire = Wire(seed)
    nodes = []
    for number in range(1, size + 1):
        wire.run(1.0 / size)
        nodes.append(Node(wire, number))
    for node in nodes:
        node.members._broadcast = lambda message: None
        for other in nodes:
            node.members.alive(Alive(other.db.name, other.address, 1))
        del node.members._broadcast
        node.members._broadcasts.clear()
        node.changes.clear()
    wire.run(1.0)
    wire.loss = loss
    return nodes
