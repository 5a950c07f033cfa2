"""The tables that every member of a network has, and how they come to agree (libnetwork networkdb, engine 20.10).

- Membership is memberlist's (:mod:`.memberlist`). On top each member tells which networks it is on.
- An entry belongs to the member that made it. What happens to it is gossiped to others on its network, and every 30 s two members
  compare all they have (bulk sync). An event counts if its Lamport time is greater than what is known.
- A member that fails or leaves takes its entries with it, everywhere, at once. When it is back they come with the next bulk sync;
  what is said of them before its networks are known again is not heard.

Watchers are told what *others* did; who makes an entry knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from swarmsim.network import bulksync, nodes
from swarmsim.network.broadcasts import Broadcasts
from swarmsim.network.digest import Digest
from swarmsim.network.member import Member
from swarmsim.network.memberlist import Memberlist, pick
from swarmsim.network.messages import (
    PACKET_SIZE,
    TABLE_EACH,
    TABLE_HEADER,
    BulkSync,
    Change,
    NetworkEvent,
    NetworkPushPull,
    NodeEvent,
    TableEvent,
    TableEvents,
    UserMessage,
)
from swarmsim.network.nodes import Attachment, Nodes, Roster
from swarmsim.network.ports import Transport
from swarmsim.network.records import Entry, Record, Where
from swarmsim.network.tables import REAP_PERIOD, TOMBSTONE, Event, LamportClock, Tables

GOSSIP_NODES = 3  # cluster.go gossip
NETWORK_TOMBSTONE = TOMBSTONE + 5 * REAP_PERIOD  # seconds, networkdb.go New: reapNetworkInterval
MAX_QUEUE_ON_SYNC = 500  # messages, cluster.go maxQueueLenBroadcastOnSync
UNKNOWN = "unknown"
"""What stands for the address of a member that is on a network and not among those that are there."""
REBROADCAST_SHARE = 6  # delegate.go handleTableEvent: tombstones with less than a sixth of their time left are not told


class EntryError(Exception):
    """An entry that is there already, or is not there."""


class Peer(NamedTuple):
    """A member on a network."""

    name: str
    address: str


class Element(NamedTuple):
    """What a table has under a key, and who made it."""

    value: Record
    owner: str


class NetworkDB:
    """One member: ``name`` is new with every start of its agent.

    Its owner calls :attr:`members`' ticks and :meth:`gossip` (0.2 s, while there is something to send), :meth:`reap` (5 s),
    :meth:`sync` (30 s), :meth:`reconnect` (1 s), :meth:`rejoin` (60 s) and :meth:`forget_nodes` (2 h).
    """

    def __init__(
        self,
        name: str,
        address: str,
        transport: Transport,
        rng: Random,
        gossip_wanted: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self.address = address
        self.transport = transport
        self.rng = rng
        self.gossip_wanted = gossip_wanted
        self.before_change: Callable[[], object] = lambda: None
        """Called before this member does something of its own accord."""
        self.network_clock = LamportClock()
        self.table_clock = LamportClock()
        self.tables = Tables()
        self.nodes = Nodes()
        self.networks: dict[str, dict[str, Attachment]] = {}
        """Who is on which network: attachments by member, then by network."""
        self._leaving: dict[tuple[str, str], Attachment] = {}
        """Those of members that have left: member, network."""
        self._told: tuple[tuple[int, str, str, bool], ...] | None = None
        """What one says of all attachments, unless one of them has changed since it was said last."""
        self._attached = Digest()
        """Of all that is said of attachments."""
        self._where = Digest()
        """Of networks and the members on each."""
        self.network_nodes: dict[str, Roster] = {}
        self.bulk_sync = bulksync.BulkSyncs(self)
        self.bootstrap: tuple[str, ...] = ()
        self._joining = False
        self._network_broadcasts: Broadcasts[UserMessage] = Broadcasts(self._count, self._wanted)
        self._node_broadcasts: Broadcasts[UserMessage] = Broadcasts(self._count, self._wanted)
        self.members = Memberlist(name, address, transport, rng, self)
        self.reconnecting = nodes.Reconnecting(self)

    def _count(self) -> int:
        return len(self.nodes.active)

    def _wanted(self) -> None:
        self.members.gossip_wanted()

    # -- what the engine uses

    def watch(
        self, on_event: Callable[[Event], object], table: str = "", network: str = "", key: str = ""
    ) -> Callable[[], None]:
        """Tell ``on_event`` what others do to entries, or only to those of one table, network or key; the answer ends that."""
        return self.tables.watch(on_event, table, network, key)

    def create_entry(self, table: str, network: str, key: str, value: Record) -> None:
        """Make an entry of one's own. Raises :class:`EntryError` if there is one, be it a tombstone."""
        self.before_change()
        at = Where(table, network, key)
        if self.tables.get(at) is not None:
            raise EntryError(
                f"cannot create entry in table {table} with network id {network} and key {key}, already exists"
            )
        self._write(Change.CREATE, at, Entry(self.table_clock.increment(), self.name, value))

    def update_entry(self, table: str, network: str, key: str, value: Record) -> None:
        """Change an entry. Raises :class:`EntryError` if there is none."""
        self.before_change()
        at = Where(table, network, key)
        if self.tables.get(at) is None:
            raise EntryError(
                f"cannot update entry as the entry in table {table} with network id {network} and key {key} does not exist"
            )
        self._write(Change.UPDATE, at, Entry(self.table_clock.increment(), self.name, value))

    def delete_entry(self, table: str, network: str, key: str) -> None:
        """Delete an entry. Raises :class:`EntryError` if there is none."""
        self.before_change()
        at = Where(table, network, key)
        present = self.tables.get(at)
        if present is None or present.deleting:
            raise EntryError(
                f"cannot delete entry {table} with network id {network} and key {key} does not exist or is already being deleted"
            )
        self._write(Change.DELETE, at, Entry(self.table_clock.increment(), self.name, present.value, True, TOMBSTONE))

    def get_entry(self, table: str, network: str, key: str) -> Record:
        """An entry's value. Raises :class:`EntryError` if there is none, or only its tombstone."""
        entry = self.tables.get(Where(table, network, key))
        if entry is None:
            raise EntryError(f"could not get entry in table {table} with network id {network} and key {key}")
        if entry.deleting:
            raise EntryError(
                f"entry in table {table} network id {network} and key {key} deleted and pending garbage collection"
            )
        return entry.value

    def entries(self, table: str, network: str) -> dict[str, Element]:
        """What a table has, by key."""
        return {
            at.key: Element(entry.value, entry.owner)
            for at, entry in self.tables.of(network)
            if at.table == table and not entry.deleting
        }

    def peers(self, network: str) -> list[Peer]:
        """The members on a network, oneself too; of one that is not thought to be there the address is not known."""
        active = self.nodes.active
        return [
            Peer(name, active[name].address if name in active else UNKNOWN)
            for name in self.network_nodes.get(network, ())
        ]

    def cluster_peers(self) -> list[Peer]:
        """All members that are thought to be there, oneself too."""
        return [Peer(name, node.address) for name, node in self.nodes.active.items()]

    def join(self, addresses: tuple[str, ...], then: Callable[[], object] = lambda: None) -> None:
        """Join the gossip through members at these addresses (the managers'), which are also where to come back to; ``then`` when they
        have answered, or do not."""
        self.bootstrap = addresses
        self._joining = True

        def joined(answered: int) -> None:
            self._joining = False
            if answered:
                self.send_node_event(True)
            then()

        self.members.join(addresses, joined)

    def leave(self, then: Callable[[], object]) -> None:
        """Leave the gossip: networkdb says so, then memberlist; ``then`` when both messages have gone out, or time is up."""
        self.before_change()
        self.send_node_event(False, lambda in_time: self.members.leave(then))

    def join_network(self, network: str, then: Callable[[], object] = lambda: None) -> None:
        """Take part in a network: say so, and compare with all members on it; ``then`` when that is done."""
        self.before_change()
        ltime = self.network_clock.increment()
        attachment = Attachment(ltime)
        attachment.broadcasts = Broadcasts(lambda: len(self.network_nodes.get(network, ())), self.gossip_wanted)
        self._attach(self.name, network, attachment)
        self.add_network_node(network, self.name)
        self._send_network_event(network, ltime, True)

        def synced(_: object) -> None:
            attachment.in_sync = True
            then()

        self.bulk_sync.with_all(list(self.network_nodes[network]), synced)

    def leave_network(self, network: str) -> None:
        """Take part no more. One's own entries become tombstones, the others' are forgotten, and watchers are told. Raises
        :class:`EntryError` if it was not joined."""
        self.before_change()
        ltime = self.network_clock.increment()
        self._send_network_event(network, ltime, False)
        self._delete_network_node(network, self.name)
        self._delete_entries_of(network, self.name)
        attachment = self.networks.get(self.name, {}).get(network)
        if attachment is None:
            raise EntryError(f"could not find network {network} while trying to leave")
        attachment.residual = NETWORK_TOMBSTONE
        self._restate(self.name, network, attachment, ltime, leaving=True)

    # -- what comes round again and again

    @property
    def gossips(self) -> bool:
        """Whether there are table events to hand on."""
        return any(self._queue_of(network) for network in self.networks.get(self.name, ()))

    def gossip(self) -> None:
        """Hand table events on: for each network one packet, to three others on it."""
        for network, attachment in list(self.networks.get(self.name, {}).items()):
            if not attachment.broadcasts:
                continue
            chosen = self.random_nodes(GOSSIP_NODES, self.network_nodes.get(network, ()))
            events = attachment.broadcasts.take(TABLE_EACH, PACKET_SIZE - TABLE_HEADER)
            packet = (TableEvents(tuple(event for event, _ in events)),)
            for name in chosen:
                node = self.nodes.active.get(name)
                if node is None:
                    break
                self.transport.send(node.address, packet)
        if self.gossips:
            self.gossip_wanted()

    def reap(self, periods: int = 1) -> None:
        """Tombstones of entries, then of networks, have lived 5 s longer, or as many times that."""
        for network in self.networks.get(self.name, ()):
            self.tables.reap(network, periods * REAP_PERIOD)
        for (name, network), attachment in list(self._leaving.items()):
            if attachment.residual <= (periods - 1) * REAP_PERIOD:
                self._forget_attachment(name, network)
            attachment.residual -= periods * REAP_PERIOD

    def sync(self) -> None:
        """Compare with one random member on each network."""
        self.bulk_sync.tick()

    def reconnect(self) -> None:
        """Look whether a member that failed is back."""
        self.reconnecting.tick()

    def rejoin(self) -> None:
        """Look whether any of the members one came through is still there, and if not, come through them again."""
        self.reconnecting.rejoin()

    def forget_nodes(self, periods: int = 1) -> None:
        """Members that failed or left have been gone 2 h longer, or as many times that."""
        self.nodes.reap(periods)

    def drop_news(self) -> None:
        """Tell nobody what was learnt or done until now, as if it had been told often enough."""
        self.members.drop_news()
        self._network_broadcasts.clear()
        self._node_broadcasts.clear()
        for attachment in self.networks.get(self.name, {}).values():
            if attachment.broadcasts is not None:
                attachment.broadcasts.clear()

    # -- rest

    @property
    def settled(self) -> bool:
        """Whether nothing is under way here, but perhaps calls to those that failed, which nobody answers."""
        return (
            not (self._joining or self.gossips)
            and self.members.settled
            and self.reconnecting.settled
            and not self.reconnecting.lonely
            and self.bulk_sync.settled
        )

    def agrees_with(self, other: NetworkDB) -> bool:
        """Whether two who are :attr:`settled` have the same members, on the same networks, and the same entries of common ones."""
        return (
            self.members.agrees_with(other.members)
            and self._where.value == other._where.value
            and all(
                self.tables.digest(network) == other.tables.digest(network)
                for network in self.bulk_sync.common(other.name)
            )
        )

    # -- what memberlist tells (delegate.go, event_delegate.go)

    def notify_join(self, member: Member) -> None:
        if self.nodes.activate(member.name):
            return
        self._purge_reincarnation(member)
        self.nodes.add(member.name, member.address)

    def notify_leave(self, member: Member) -> None:
        if self.nodes.fail(member.name):
            self._node_gone(member.name)

    def notify_message(self, message: UserMessage) -> None:
        if isinstance(message, TableEvents):
            for event in message.events:
                self.handle_table_event(event)
        elif isinstance(message, BulkSync):
            self.bulk_sync.received(message)
        elif isinstance(message, NetworkEvent):
            if self._handle_network_event(message):
                key = (message.network, message.node)
                self._network_broadcasts.queue(message, message.SIZE, key)
        elif self._handle_node_event(message):
            self._node_broadcasts.queue(message, message.SIZE)

    def heeds(self, message: UserMessage) -> bool:
        """Whether it could change anything here: an entry, what is known of a member, or a clock."""
        if isinstance(message, TableEvents):
            get, name, time = self.tables.get, self.name, self.table_clock.time
            for event in message.events:
                entry = event.entry
                known = get(event.at)
                if known is entry or entry.owner == name:
                    continue
                if known is None or known.ltime < entry.ltime or entry.ltime >= time:
                    return True
            return False
        if isinstance(message, NetworkEvent):
            if message.ltime >= self.network_clock.time:
                return True
            attachment = self.networks.get(message.node, {}).get(message.network)
            return message.node != self.name and (attachment is None or attachment.ltime < message.ltime)
        if isinstance(message, NodeEvent):
            return message.ltime >= self.network_clock.time or not self.nodes.heard(message.node, message.ltime)
        return True

    @property
    def broadcasting(self) -> bool:
        """Whether there is something for memberlist to carry."""
        return bool(self._network_broadcasts) or bool(self._node_broadcasts)

    def broadcasts(self, overhead: int, limit: int) -> list[UserMessage]:
        found = self._network_broadcasts.take(overhead, limit) + self._node_broadcasts.take(overhead, limit)
        return [message for message, _ in found]

    def local_state(self, join: bool) -> NetworkPushPull:
        if join:  # a rejoin must win against what is said of the time before
            ltime = self.network_clock.increment()
            for network, attachment in self.networks.get(self.name, {}).items():
                self._restate(self.name, network, attachment, ltime, attachment.leaving)
        if self._told is None:
            self._told = tuple(
                (attachment.ltime, node, network, attachment.leaving)
                for node, attachments in self.networks.items()
                for network, attachment in attachments.items()
            )
        return NetworkPushPull(self.network_clock.time, self.name, self._told, self._attached.value)

    def merge_remote_state(self, state: NetworkPushPull) -> None:
        self._handle_node_event(NodeEvent(state.ltime, state.node, True))
        if state.known == self._attached.value:
            return  # nothing in it can be news, and its time is beyond that of all it says
        for ltime, node, network, leaving in state.networks:
            self._handle_network_event(NetworkEvent(ltime, node, network, not leaving))

    # -- events of members

    def send_node_event(self, joins: bool, then: Callable[[bool], object] = lambda in_time: None) -> None:
        """Say that one joins or leaves the gossip; ``then`` once it has gone out, or there is nobody to hear it, or after 5 s."""
        event = NodeEvent(self.network_clock.increment(), self.name, joins)
        waiting = nodes.Wait(self.transport, then)
        self._node_broadcasts.queue(event, event.SIZE, finished=waiting.done)
        if len(self.nodes.active) <= 1:
            waiting.done()

    def _handle_node_event(self, event: NodeEvent) -> bool:
        """Whether it is news, to be told on."""
        self.network_clock.witness(event.ltime)
        if not self.nodes.newer(event.node, event.ltime):
            return False
        if event.joins:
            return False  # whoever memberlist knows as alive is active already
        if self.nodes.depart(event.node):
            self._node_gone(event.node)
            return True
        return False

    def _purge_reincarnation(self, member: Member) -> None:
        """Whoever had this address before is gone: its agent has started anew, under another name.

        As in real ones that may be this member itself, if it is told of the one it was before its own restart: from then on it is not among
        those it thinks are there (tests/records/asked/gossip.txt).
        """
        name = self.nodes.previous(member.name, member.address)
        if name is not None and self.nodes.depart(name):
            self._node_gone(name)

    def _node_gone(self, name: str) -> None:
        """Off all networks, and all its entries are deleted."""
        for network in self.network_nodes:
            self._delete_network_node(network, name)
        for network in list(self.networks.get(name, ())):
            self._forget_attachment(name, network)
        self.networks.pop(name, None)
        for at, entry in list(self.tables.all()):
            if entry.owner == name:
                self.tables.remove(at)
                if not entry.deleting:
                    self.tables.tell(Change.DELETE, at, entry.value)

    # -- events of networks

    def _send_network_event(self, network: str, ltime: int, joins: bool) -> None:
        event = NetworkEvent(ltime, self.name, network, joins)
        self._network_broadcasts.queue(event, event.SIZE, (network, self.name))

    def _handle_network_event(self, event: NetworkEvent) -> bool:
        """Whether it is news, to be told on."""
        self.network_clock.witness(event.ltime)
        if event.node == self.name:
            return False
        attachments = self.networks.get(event.node)
        if attachments is None:
            if not event.joins:
                return False
            attachments = self.networks[event.node] = {}
        attachment = attachments.get(event.network)
        if attachment is not None:
            if attachment.ltime >= event.ltime:
                return False
            self._restate(event.node, event.network, attachment, event.ltime, leaving=not event.joins)
            if event.joins:
                self.add_network_node(event.network, event.node)
            else:
                attachment.residual = NETWORK_TOMBSTONE
                self._delete_entries_of(event.network, event.node)
                self._delete_network_node(event.network, event.node)
            return True
        if not event.joins or event.node not in self.nodes.active:
            return False  # of whom memberlist does not know, nobody would be told when it dies
        self._attach(event.node, event.network, Attachment(event.ltime))
        self.add_network_node(event.network, event.node)
        return True

    def _attach(self, name: str, network: str, attachment: Attachment) -> None:
        attachments = self.networks.setdefault(name, {})
        older = attachments.get(network)
        if older is not None:
            self._attached.toggle(older.ltime, name, network, older.leaving)
            self._leaving.pop((name, network), None)
        attachments[network] = attachment
        self._attached.toggle(attachment.ltime, name, network, attachment.leaving)
        self._told = None

    def _restate(self, name: str, network: str, attachment: Attachment, ltime: int, leaving: bool) -> None:
        """A member says something else of its part in a network."""
        self._attached.toggle(attachment.ltime, name, network, attachment.leaving)
        attachment.ltime, attachment.leaving = ltime, leaving
        self._attached.toggle(ltime, name, network, leaving)
        self._told = None
        if leaving:
            self._leaving[name, network] = attachment
        else:
            self._leaving.pop((name, network), None)

    def _forget_attachment(self, name: str, network: str) -> None:
        attachment = self.networks.get(name, {}).pop(network, None)
        if attachment is not None:
            self._attached.toggle(attachment.ltime, name, network, attachment.leaving)
            self._told = None
            self._leaving.pop((name, network), None)

    def add_network_node(self, network: str, name: str) -> None:
        if self.network_nodes.setdefault(network, Roster()).add(name):
            self._where.toggle(network, name)

    def _delete_network_node(self, network: str, name: str) -> None:
        present = self.network_nodes.get(network)
        if present is not None and present.remove(name):
            self._where.toggle(network, name)

    def _delete_entries_of(self, network: str, name: str) -> None:
        """A member leaves a network: its entries there become tombstones. If it is this one, the others' are forgotten."""
        own = name == self.name
        for at, entry in self.tables.of(network):
            if entry.owner == name:
                if not entry.deleting:
                    ltime = entry.ltime + 1 if own else entry.ltime
                    self.tables.put(at, entry._replace(ltime=ltime, deleting=True, residual=TOMBSTONE))
            elif own:
                self.tables.remove(at)
            else:
                continue
            if not entry.deleting:
                self.tables.tell(Change.DELETE, at, entry.value)

    # -- events of tables

    def _write(self, change: Change, at: Where, entry: Entry) -> None:
        self.tables.put(at, entry)
        queue = self._queue_of(at.network)
        if queue is not None:
            event = TableEvent(change, at, entry)
            queue.queue(event, event.size, at)

    def _queue_of(self, network: str) -> Broadcasts[TableEvent] | None:
        attachment = self.networks.get(self.name, {}).get(network)
        return attachment.broadcasts if attachment is not None else None

    def handle_table_event(self, event: TableEvent, in_bulk: bool = False) -> None:
        """Somebody tells of an entry. ``in_bulk``: in a bulk sync, which tells no updates: there everything is created."""
        at, entry = event.at, event.entry
        present = self.tables.get(at)
        if present is entry or entry.owner == self.name:
            return
        self.table_clock.witness(entry.ltime)
        attachment = self.networks.get(self.name, {}).get(at.network)
        if attachment is None or attachment.leaving or entry.owner not in self.network_nodes[at.network]:
            return
        if present is not None:
            if present.ltime >= entry.ltime:
                return
        elif entry.deleting and not in_bulk:
            return
        if entry.deleting and not entry.residual:
            entry = entry._replace(residual=TOMBSTONE)
        self.tables.put(at, entry)
        news = attachment.in_sync
        if present is None and entry.deleting:
            news = news and entry.residual > TOMBSTONE / REBROADCAST_SHARE
        else:
            self.tables.tell(event.change, at, entry.value)
        queue = self._queue_of(at.network)
        if news and queue is not None and not (in_bulk and len(queue) > MAX_QUEUE_ON_SYNC):
            queue.queue(event, event.size, at)

    # -- choosing

    def random_nodes(self, count: int, among: Sequence[str]) -> list[str]:
        """Up to ``count`` others, by 3·n draws: of a few it may miss some (cluster.go mRandomNodes)."""
        return pick(self.rng, count, among, lambda name: name != self.name)
