"""The members as networkdb sees them: there, failed, or left (networkdb/nodemgmt.go), and coming back (cluster.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol, overload

from swarmsim.network.beat import Beat
from swarmsim.network.broadcasts import Broadcasts
from swarmsim.network.memberlist import Memberlist
from swarmsim.network.messages import TableEvent
from swarmsim.network.ports import Transport

BROADCAST_TIMEOUT = 5.0  # seconds, broadcast.go broadcastTimeout
NODE_REAP_INTERVAL = 24 * 3600.0  # seconds, cluster.go nodeReapInterval
NODE_REAP_PERIOD = 2 * 3600.0  # seconds, cluster.go nodeReapPeriod
RETRY_INTERVAL = 1.0  # seconds, cluster.go retryInterval
REJOIN_DURATION = 10.0  # seconds, cluster.go rejoinClusterDuration


class Attachment:
    """A member on a network. ``broadcasts`` and ``in_sync`` are of one's own; ``residual``: seconds a left one is remembered."""

    __slots__ = ("broadcasts", "in_sync", "leaving", "ltime", "residual")

    def __init__(self, ltime: int) -> None:
        self.ltime = ltime
        self.leaving = False
        self.residual = 0.0
        self.in_sync = False
        self.broadcasts: Broadcasts[TableEvent] | None = None


class Roster(Sequence[str]):
    """Members of a network, in the order they were heard of."""

    __slots__ = ("_among", "_names")

    def __init__(self) -> None:
        self._names: list[str] = []
        self._among: set[str] = set()

    def add(self, name: str) -> bool:
        """Whether it was not there."""
        if name in self._among:
            return False
        self._among.add(name)
        self._names.append(name)
        return True

    def remove(self, name: str) -> bool:
        """Whether it was there."""
        if name not in self._among:
            return False
        self._among.remove(name)
        self._names.remove(name)
        return True

    def __contains__(self, name: object) -> bool:
        return name in self._among

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._names[index]


class Node:
    """``residual``: seconds until one that is gone is forgotten."""

    __slots__ = ("address", "ltime", "residual")

    def __init__(self, address: str) -> None:
        self.address = address
        self.ltime = 0
        self.residual = 0.0


class Nodes:
    """The three lists a member may be in."""

    def __init__(self) -> None:
        self.active: dict[str, Node] = {}
        self.failed: dict[str, Node] = {}
        self.left: dict[str, Node] = {}
        self._at: dict[str, list[str]] = {}
        """Names by address."""

    def add(self, name: str, address: str) -> None:
        self.active[name] = Node(address)
        self._at.setdefault(address, []).append(name)

    def heard(self, name: str, ltime: int) -> bool:
        """Whether an event of this time would not be :meth:`newer`, nor change anything."""
        nodes = (self.active, self.left, self.failed)
        return all(name not in each or each[name].ltime >= ltime for each in nodes)

    def newer(self, name: str, ltime: int) -> bool:
        """Whether an event of this time is news of a member that is there; its time is then that."""
        for nodes in (self.active, self.left, self.failed):
            node = nodes.get(name)
            if node is not None:
                if node.ltime >= ltime:
                    return False
                node.ltime = ltime
                return nodes is self.active
        return False

    def activate(self, name: str) -> bool:
        """It is back; whether it was known to be gone."""
        for nodes in (self.left, self.failed):
            node = nodes.pop(name, None)
            if node is not None:
                node.residual = 0.0
                self.active[name] = node
                return True
        return False

    def fail(self, name: str) -> bool:
        """It does not answer any more; whether it was there."""
        node = self.active.pop(name, None)
        if node is None:
            return False
        node.residual = NODE_REAP_INTERVAL
        self.failed[name] = node
        return True

    def depart(self, name: str) -> bool:
        """It has left; whether that was not known."""
        node = self.active.pop(name, None) or self.failed.pop(name, None)
        if node is None:
            return False
        node.residual = node.residual or NODE_REAP_INTERVAL
        self.left[name] = node
        return True

    def other_at(self, address: str, name: str) -> bool:
        """Whether somebody else is there at this address."""
        return any(other in self.active and other != name for other in self._at.get(address, ()))

    def previous(self, name: str, address: str) -> str | None:
        """Who else has or had this address."""
        others = [other for other in self._at.get(address, ()) if other != name]
        for nodes in (self.active, self.failed, self.left):
            for other in others:
                if other in nodes:
                    return other
        return None

    def reap(self, periods: int = 1) -> None:
        """Two hours have passed, or as many times that: those gone for a day are forgotten."""
        for nodes in (self.failed, self.left):
            for name, node in list(nodes.items()):
                if node.residual > periods * NODE_REAP_PERIOD:
                    node.residual -= periods * NODE_REAP_PERIOD
                else:
                    del nodes[name]
                    self._at[node.address].remove(name)


class Wait:
    """For a broadcast to have gone out: ``then(whether it has within 5 s)`` is called once."""

    def __init__(self, transport: Transport, then: Callable[[bool], object]) -> None:
        self.then = then
        self.over = False
        self.timer = transport.after(BROADCAST_TIMEOUT, self._finish, False)

    def done(self) -> None:
        if not self.over:
            self.timer.cancel()
            self._finish(True)

    def _finish(self, in_time: bool) -> None:
        if not self.over:
            self.over = True
            self.then(in_time)


class Comparisons(Protocol):
    """Bulk syncs, as far as whoever is back needs one."""

    def with_all(self, names: list[str], then: Callable[[tuple[str, ...]], object]) -> None: ...


class Database(Protocol):
    """Who looks for members that failed."""

    name: str
    bootstrap: tuple[str, ...]
    rng: Random
    transport: Transport
    members: Memberlist
    nodes: Nodes

    @property
    def bulk_sync(self) -> Comparisons: ...

    def send_node_event(self, joins: bool, then: Callable[[bool], object] = ...) -> None: ...


class Reconnecting:
    """Looking for members that failed, one at random each time, and for those one came through."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.beat = Beat(self._reconnect)
        self.rejoining = Beat(self._rejoin)
        self._talking = False
        """Whether somebody that failed has answered, and all that follows from that is not over yet."""

    @property
    def settled(self) -> bool:
        """Whether nothing is under way, but perhaps a call that nobody answers."""
        return not self._talking and not self.rejoining.busy and (self.calling or not self.beat.busy)

    @property
    def calling(self) -> bool:
        """Whether one that failed is being called."""
        return self.beat.busy and bool(self.db.nodes.failed) and not self._talking

    @property
    def lonely(self) -> bool:
        """Whether none of those one came through is there: then :meth:`rejoin` does something."""
        db = self.db
        return bool(db.bootstrap) and not any(db.nodes.other_at(address, db.name) for address in db.bootstrap)

    def tick(self) -> None:
        self.beat.tick()

    def rejoin(self) -> None:
        self.rejoining.tick()

    def resume(self, ago: float) -> None:
        """Go on with a call to one that failed, which began so many seconds before."""
        self._reconnect(ago)

    def _reconnect(self, ago: float = 0.0) -> None:
        db = self.db
        failed = list(db.nodes.failed)
        if not failed:
            self.beat.done()
            return
        name = failed[int(db.rng.random() * len(failed))]

        def done(_: object = None) -> None:
            self._talking = False
            self.beat.done()

        def told(in_time: bool) -> None:
            if in_time:
                db.bulk_sync.with_all([name], done)
            else:
                done()

        def joined(answered: int) -> None:
            if answered:
                self._talking = True
                db.send_node_event(True, told)
            else:
                done()

        db.members.join((db.nodes.failed[name].address,), joined, ago)

    def _rejoin(self) -> None:
        db = self.db
        if not self.lonely:
            self.rejoining.done()
            return
        until = db.transport.now + REJOIN_DURATION

        def again() -> None:
            if db.transport.now > until:
                self.rejoining.done()
            else:
                db.members.join(db.bootstrap, joined)

        def told(in_time: bool) -> None:
            if in_time:
                self.rejoining.done()
            else:
                db.transport.after(RETRY_INTERVAL, again)

        def joined(answered: int) -> None:
            if answered:
                db.send_node_event(True, told)
            else:
                db.transport.after(RETRY_INTERVAL, again)

        db.transport.after(RETRY_INTERVAL, again)
