"""The fabric: which host reaches which, how long a packet takes, what a cut does.

Topology is a networkx graph whose vertices are hosts and switches and whose edges are links with a
latency distribution and a loss probability. On top lie cuts between two hosts and partitions into groups, ports that a host's own
firewall closes, and how large a packet its link takes. The fabric is a router: it says whether one packet arrives and when. Sending
again is TCP's (:mod:`swarmsim.sim.net.connection`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple, Protocol

import networkx as nx

from swarmsim.sim.clock import Clock
from swarmsim.sim.quiescence import Subject
from swarmsim.sim.streams import RandomStreams

LOOPBACK = 2e-5  # seconds a packet to oneself takes: the kernel only
MTU = 1500
"""Bytes of the largest packet a link takes, as Ethernet has it."""

Latency = Callable[[Random], float]


class Carrier(Protocol):
    """Whoever carries packets: a :class:`Fabric`, or one with luck of its own."""

    def transit(self, src: str, dst: str, /) -> float | None: ...


class _Path(NamedTuple):
    latencies: tuple[Latency, ...]
    loss: float
    degraded: bool


class _End(NamedTuple):
    """The only link a host hangs on: where it leads, and what it is like."""

    outlet: str
    latency: Latency
    arrives: float
    hindered: bool


class Fabric(Subject):
    """Carries packets between hosts, named by strings. What changes in it is how any two of them reach each other.

    ``on_change`` is called after every change; ``on_routes_lost`` after one by which hosts may reach others no more, with the
    hosts whose routes it touched.
    """

    def __init__(self, clock: Clock, streams: RandomStreams) -> None:
        self.clock = clock
        self.graph: nx.Graph[str] = nx.Graph()
        self._rng = streams.stream("fabric")
        self._cuts: set[frozenset[str]] = set()
        self._isolated: dict[str, tuple[int, ...]] = {}
        self._separations = itertools.count(1)
        self._partition: list[int] = []
        self._outside: frozenset[str] = frozenset()
        self._closed: dict[str, tuple[tuple[str, int], ...]] = {}
        self._mtu: dict[str, int] = {}
        # A path is valid until links, cuts or separations change; each of those clears this.
        self._paths: dict[tuple[str, str], _Path | None] = {}
        self._ends: dict[str, _End | None] = {}
        self._alike: dict[_Path, _Path] = {}
        """Paths of which there is one for all pairs of hosts with such links."""
        self.hindered = False
        """Whether there is a firewall or a link that takes less than usual: most fabrics have none, and need not be asked."""
        self.on_routes_lost: Callable[[Sequence[str]], object] = lambda hosts: None
        self.on_change: Callable[[], object] = lambda: None

    def _about_to_change(self) -> None:
        self.clock.quiescence.invalidate(self)

    def _changed(self) -> None:
        self._paths.clear()
        self._ends.clear()
        self._alike.clear()
        self.hindered = bool(self._closed or self._mtu)
        self.on_change()

    def link(self, a: str, b: str, latency: Latency, loss: float = 0.0, *, slow: bool = False) -> None:
        """Lay or replace the link between ``a`` and ``b``. ``loss`` is the chance of losing one packet.

        A ``slow`` link is slower than usual. While a link is slow or lossy nothing that uses it becomes dormant.
        """
        self._about_to_change()
        if a in self.graph and b in self.graph:
            # An end that hangs on this link alone is the only one whose packets take it.
            leaf = next((end for end in (a, b) if list(self.graph.adj[end]) in ([a], [b])), None)
            if leaf is not None:
                self.clock.quiescence.invalidate_routes_of(leaf)
            else:
                self.clock.quiescence.invalidate_all_routes()
        self.graph.add_edge(a, b, latency=latency, loss=loss, slow=slow)
        self._changed()

    def add_outside(self, name: str, switch: str, latency: Latency) -> None:
        """Somebody who is no host of the cluster: cuts and separations are between hosts, and he reaches each of them over its link."""
        self.graph.add_edge(name, switch, latency=latency, loss=0.0, slow=False)
        self._outside |= {name}
        self._ends.clear()

    def cut(self, a: str, b: str) -> None:
        """Drop everything between two hosts, both ways."""
        self._about_to_change()
        self.clock.quiescence.invalidate_route(a, b)
        self._cuts.add(frozenset((a, b)))
        self._changed()
        self.on_routes_lost((a,))

    def separate(self, hosts: Iterable[str]) -> int:
        """Cut hosts off from all others; among themselves they go on. The number is for :meth:`rejoin`.

        Separations may overlap: two hosts reach each other if they are on the same side of every one.
        """
        self._about_to_change()
        number = next(self._separations)
        hosts = tuple(hosts)
        for host in hosts:
            self.clock.quiescence.invalidate_routes_of(host)
            self._isolated[host] = (*self._isolated.get(host, ()), number)
        self._changed()
        self.on_routes_lost(hosts)
        return number

    def rejoin(self, number: int) -> None:
        """Undo a separation; nothing happens if it was healed before."""
        self._about_to_change()
        for host, sides in list(self._isolated.items()):
            if number in sides:
                self.clock.quiescence.invalidate_routes_of(host)
                self._isolated[host] = tuple(side for side in sides if side != number)
        self._changed()

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Only hosts of one group reach each other; hosts named in no group form one of their own."""
        for number in self._partition:
            self.rejoin(number)
        self._partition = [self.separate(group) for group in groups]

    @property
    def partitioned(self) -> bool:
        """Whether a partition is in force."""
        return bool(self._partition)

    def heal(self, *hosts: str) -> None:
        """Undo cuts (and, without names, every separation). One name: its cuts; two: the cut between them."""
        self._about_to_change()
        quiescence = self.clock.quiescence
        if hosts:
            for a, b in self.cuts():
                if {a, b}.issuperset(hosts):
                    quiescence.invalidate_route(a, b)
            self._cuts = {pair for pair in self._cuts if not pair.issuperset(hosts)}
        else:
            quiescence.invalidate_all_routes()
            self._cuts.clear()
            self._isolated.clear()
            self._partition.clear()
        self._changed()

    def close_port(self, host: str, protocol: str, port: int) -> None:
        """A host's firewall drops what comes to this port, without a word, from now on. While it does nothing that uses the host's link
        becomes dormant."""
        self._filter(host, (*self._closed.get(host, ()), (protocol, port)))

    def open_port(self, host: str, protocol: str, port: int) -> None:
        self._filter(host, tuple(each for each in self._closed.get(host, ()) if each != (protocol, port)))

    def _filter(self, host: str, closed: tuple[tuple[str, int], ...]) -> None:
        self._about_to_change()
        self.clock.quiescence.invalidate_routes_of(host)
        self._closed[host] = tuple(dict.fromkeys(closed))
        if not closed:
            del self._closed[host]
        self._changed()

    def lets_in(self, host: str, protocol: str, port: int) -> bool:
        """Whether a host's firewall lets packets to this port pass."""
        return host not in self._closed or (protocol, port) not in self._closed[host]

    def closed_ports(self) -> list[tuple[str, str, int]]:
        """Host, protocol and port of what firewalls close, sorted."""
        return sorted((host, *each) for host, closed in self._closed.items() for each in closed)

    def set_mtu(self, host: str, size: int | None) -> None:
        """From now on packets of more than ``size`` bytes vanish on the link of a host; ``None``: of more than usual."""
        self._about_to_change()
        self._mtu.pop(host, None)
        if size is not None:
            self._mtu[host] = size
        self._changed()

    def fits(self, a: str, b: str, size: int) -> bool:
        """Whether a packet of so many bytes is not too large for the links of two hosts."""
        return not self._mtu or size <= min(self._mtu.get(a, MTU), self._mtu.get(b, MTU))

    def mtus(self) -> dict[str, int]:
        """What the links take that take less than usual, by host."""
        return dict(sorted(self._mtu.items()))

    def separations(self) -> list[list[str]]:
        """Groups of hosts that are cut off from all others, in the order they were separated."""
        groups: dict[int, list[str]] = {}
        for host, sides in self._isolated.items():
            for side in sides:
                groups.setdefault(side, []).append(host)
        return [sorted(groups[side]) for side in sorted(groups)]

    def cuts(self) -> list[tuple[str, str]]:
        """The cut pairs, sorted."""
        return sorted((min(pair), max(pair)) for pair in self._cuts)

    def reaches(self, a: str, b: str) -> bool:
        return a == b or self._path(a, b) is not None

    def healthy(self, a: str, b: str) -> bool:
        """Whether ``a`` and ``b`` reach each other over links that are neither lossy nor slower than usual, with no port closed."""
        if a == b:
            return True
        path = self._path(a, b)
        return path is not None and not path.degraded

    def all_healthy(self, hosts: Sequence[str]) -> bool:
        """Whether hosts of one switch all reach each other over links that are neither lossy nor slower than usual."""
        first, together = hosts[0], set(hosts)
        return (
            not any(together.issuperset(pair) for pair in self._cuts)
            and all(self._isolated.get(host, ()) == self._isolated.get(first, ()) for host in hosts)
            and all(self.healthy(first, host) for host in hosts)
        )

    def delay(self, a: str, b: str) -> float:
        """A draw of the seconds one packet takes from ``a`` to ``b``, which must reach each other."""
        if a == b:
            return LOOPBACK
        path = self._path(a, b)
        assert path is not None, f"no route from {a} to {b}"
        return sum(latency(self._rng) for latency in path.latencies)

    def with_luck(self, rng: Random) -> Carrier:
        """The same links with chance of their own: what uses them moves nobody else's."""
        return _WithLuck(self, rng)

    def transit(self, src: str, dst: str, rng: Random | None = None) -> float | None:
        """The seconds after which a packet sent now arrives; ``None`` if a cut or chance swallows it."""
        if src == dst:
            return LOOPBACK
        try:
            path = self._paths[src, dst]
        except KeyError:
            path = self._path(src, dst)
        if path is None:
            return None
        latencies, loss, _ = path
        if rng is None:
            rng = self._rng
        if loss and rng.random() < loss:
            return None
        delay = 0.0
        for latency in latencies:
            delay += latency(rng)
        return delay

    def _path(self, a: str, b: str) -> _Path | None:
        try:
            return self._paths[a, b]
        except KeyError:
            path = self._paths[a, b] = self._find_path(a, b)
            return path

    def _find_path(self, a: str, b: str) -> _Path | None:
        if self._outside.isdisjoint((a, b)) and (
            (self._cuts and frozenset((a, b)) in self._cuts) or self._isolated.get(a, ()) != self._isolated.get(b, ())
        ):
            return None
        near, far = self._end(a), self._end(b)
        if near is not None and far is not None and near.outlet == far.outlet:  # as most hosts are: at one switch
            path = _Path(
                (near.latency, far.latency),
                1.0 - near.arrives * far.arrives,
                near.hindered or far.hindered,
            )
            return self._alike.setdefault(path, path)
        stops = self._stops(a, b)
        if not stops:
            return None
        links = [self.graph.edges[pair] for pair in itertools.pairwise(stops)]
        filtered = a in self._closed or b in self._closed
        arrives = 1.0
        for link in links:
            arrives *= 1.0 - link["loss"]
        return _Path(
            tuple(link["latency"] for link in links),
            1.0 - arrives,
            filtered or any(link["slow"] or link["loss"] for link in links),
        )

    def _end(self, host: str) -> _End | None:
        """The link a host hangs on, if it is only one."""
        try:
            return self._ends[host]
        except KeyError:
            pass
        neighbours = self.graph.adj[host] if host in self.graph else {}
        end = None
        if len(neighbours) == 1:
            ((outlet, link),) = neighbours.items()
            hindered = bool(link["slow"] or link["loss"]) or host in self._closed
            end = _End(outlet, link["latency"], 1.0 - link["loss"], hindered)
        self._ends[host] = end
        return end

    def _stops(self, a: str, b: str) -> list[str]:
        """The shortest way from ``a`` to ``b``, both included; empty if there is none.

        Whoever hangs on a single link has no choice where to go first. Only between the places reached so a search is
        needed: from a host it would look at all hosts of its switch.
        """
        graph = self.graph
        if a not in graph or b not in graph:
            return []
        first, last = self._outlet(a), self._outlet(b)
        if b == first or a == last:
            return [a, b]
        try:
            between: list[str] = nx.shortest_path(graph, first, last)
        except nx.NetworkXNoPath:
            return []
        return [*([a] if first != a else []), *between, *([b] if last != b else [])]

    def _outlet(self, host: str) -> str:
        """Where everything from ``host`` must go first: over its only link, if it has one only."""
        neighbours = self.graph.adj[host]
        return next(iter(neighbours)) if len(neighbours) == 1 else host


class _WithLuck:
    __slots__ = ("_fabric", "_rng")

    def __init__(self, fabric: Fabric, rng: Random) -> None:
        self._fabric = fabric
        self._rng = rng

    def transit(self, src: str, dst: str, /) -> float | None:
        return self._fabric.transit(src, dst, self._rng)
