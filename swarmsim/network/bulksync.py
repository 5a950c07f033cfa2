"""Two members compare all they have (networkdb/cluster.go bulkSync, delegate.go handleBulkSync).

One opens a connection and says all its entries of the networks both are on; the other then does the same. Who began waits for that,
30 s at most, and one after the other if there are several to compare with.

There is one place for each member to note who waits for it, and an *answer* takes it too: if two members begin with each other at
the same moment, both wait in vain (as real ones do).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from swarmsim.network.beat import Beat
from swarmsim.network.messages import BulkSync, Change, Reply, TableEvent
from swarmsim.network.nodes import Attachment, Nodes, Roster
from swarmsim.network.ports import Transport
from swarmsim.network.records import Entry
from swarmsim.network.tables import LamportClock, Tables

TIMEOUT = 30.0  # seconds, bulkSyncNode: for the answer
TCP_TIMEOUT = 10.0  # seconds, memberlist DefaultLANConfig
PERIODIC_CHOICE = 2  # cluster.go bulkSync: the second is for when the first does not answer

Networks = tuple[str, ...]


def as_sent(entry: Entry) -> Entry:
    """An entry as it is on the wire, where a tombstone's time is in whole seconds."""
    return entry._replace(residual=float(int(entry.residual))) if entry.deleting else entry


class _Waiting:
    """For the other side's half. ``done(whether it came to a comparison)`` is called once."""

    __slots__ = ("done", "over")

    def __init__(self, done: Callable[[bool], object]) -> None:
        self.done = done
        self.over = False

    def finish(self, ok: bool) -> None:
        if not self.over:
            self.over = True
            self.done(ok)


class Database(Protocol):
    """Whose tables are compared: what a comparison needs of them."""

    name: str
    transport: Transport
    networks: dict[str, dict[str, Attachment]]
    network_nodes: dict[str, Roster]
    nodes: Nodes
    tables: Tables
    table_clock: LamportClock

    def random_nodes(self, count: int, among: Sequence[str]) -> list[str]: ...

    def handle_table_event(self, event: TableEvent, in_bulk: bool = False) -> None: ...


class BulkSyncs:
    """The comparisons of one member."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.beat = Beat(self._periodic)
        self._awaited: dict[str, _Waiting | None] = {}
        self._comparing = 0

    @property
    def settled(self) -> bool:
        """Whether no comparison is under way that this member began."""
        return not self.beat.busy and self._comparing == 0

    # -- every 30 s

    def tick(self) -> None:
        self.beat.tick()

    def _periodic(self) -> None:
        own = self.db.networks.get(self.db.name, {})
        self._next_network([network for network, attachment in own.items() if not attachment.leaving])

    def _next_network(self, networks: list[str]) -> None:
        """With one random member on the first of these; the networks that were compared with it on the way are done, too."""
        if not networks:
            self.beat.done()
            return
        first, *rest = networks
        chosen = self.db.random_nodes(PERIODIC_CHOICE, self.db.network_nodes.get(first, ()))

        def compared(done: Networks) -> None:
            self._next_network([network for network in rest if network not in done])

        self._with(chosen, False, (), compared)

    # -- when joining, or with whoever is back

    def with_all(self, names: list[str], then: Callable[[Networks], object]) -> None:
        """With each of these members in turn; ``then`` gets the networks that were compared with the last that answered."""
        self._comparing += 1

        def compared(networks: Networks) -> None:
            self._comparing -= 1
            then(networks)

        self._with([name for name in names if name != self.db.name], True, (), compared)

    def _with(self, names: list[str], everyone: bool, done: Networks, then: Callable[[Networks], object]) -> None:
        if not names:
            then(done)
            return
        name, *rest = names
        networks = self.common(name)

        def compared(ok: bool) -> None:
            if ok and not everyone:
                then(networks)
            else:
                self._with(rest, everyone, networks if ok else done, then)

        self._say(name, networks, compared)

    def common(self, name: str) -> Networks:
        """The networks this member and another are on."""
        theirs = self.db.networks.get(name, {})
        own = self.db.networks.get(self.db.name, {})
        return tuple(network for network in own if network in theirs and not theirs[network].leaving)

    # -- one comparison

    def _say(self, name: str, networks: Networks, done: Callable[[bool], object] | None) -> None:
        """Say all there is of these networks. ``done``: wait for the other side's half; ``None``: this is an answer."""
        db = self.db
        node = db.nodes.active.get(name)
        if node is None:
            if done is not None:
                done(True)
            return
        entries = tuple(db.tables.lend(network) for network in networks)
        waiting = _Waiting(done) if done is not None else None
        self._awaited[name] = waiting

        def said(_: Reply) -> None:
            if waiting is not None:
                db.transport.after(TIMEOUT, waiting.finish, True)

        message = BulkSync(db.table_clock.time, db.name, done is not None, networks, entries)
        db.transport.call(node.address, lambda: message, TCP_TIMEOUT, said, partial(self._not_said, name, waiting))

    def _not_said(self, name: str, waiting: _Waiting | None) -> None:
        self._awaited.pop(name, None)
        if waiting is not None:
            waiting.finish(False)

    def received(self, message: BulkSync) -> None:
        """The other side's half: take it in, and give one's own if it began."""
        db = self.db
        if message.ltime > 0:
            db.table_clock.witness(message.ltime)
        for network, told in zip(message.networks, message.entries, strict=True):
            for at in sorted(db.tables.differing(network, told)):
                entry = told.entries[at]
                # A tombstone is told as such, and everything else as made anew, whatever happened to it since.
                event = TableEvent(Change.DELETE if entry.deleting else Change.CREATE, at, as_sent(entry))
                db.handle_table_event(event, in_bulk=True)
        if message.unsolicited:
            self._say(message.node, message.networks, None)
            return
        waiting = self._awaited.pop(message.node, None)
        if waiting is not None:
            waiting.finish(True)
