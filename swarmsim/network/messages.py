"""What members say to each other (memberlist net.go, networkdb.proto), and how many bytes it takes.

Sizes are those of the encodings (msgpack with field names, protobuf) with names of 12 characters, IPv4 addresses and ids of
25: they decide what still fits into a packet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar, NamedTuple, TypeAlias

import msgspec

from swarmsim.network.records import Entry, Where

PACKET_SIZE = 1400  # bytes, networkdb.go DefaultConfig PacketBufferSize
ENCRYPTION = 29  # bytes, memberlist security.go: version, nonce, tag
COMPOUND_HEADER, COMPOUND_EACH = 2, 2  # bytes, memberlist net.go compoundHeaderOverhead, compoundOverhead
USER_OVERHEAD = 1  # byte, the message type
TABLE_HEADER, TABLE_EACH = 5, 4  # bytes, networkdb message.go


class State(StrEnum):
    """What one member thinks of another (memberlist state.go)."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"
    LEFT = "left"


# -- memberlist


class Ping(msgspec.Struct, frozen=True, gc=False):
    """Are you there, ``node``? The answer goes to ``address``."""

    SIZE: ClassVar[int] = 82
    seq: int
    node: str
    address: str


class IndirectPing(msgspec.Struct, frozen=True, gc=False):
    """Ask ``node`` at ``target`` for me, and tell me at ``address`` what came of it."""

    SIZE: ClassVar[int] = 110
    seq: int
    node: str
    target: str
    address: str


class Ack(msgspec.Struct, frozen=True, gc=False):
    SIZE: ClassVar[int] = 17
    seq: int


class Nack(msgspec.Struct, frozen=True, gc=False):
    """I asked, and have no answer yet: so it is not you who is cut off."""

    SIZE: ClassVar[int] = 9
    seq: int


class Alive(msgspec.Struct, frozen=True, gc=False):
    SIZE: ClassVar[int] = 72
    node: str
    address: str
    incarnation: int


class Suspect(msgspec.Struct, frozen=True, gc=False):
    """``sender`` had no answer from ``node``."""

    SIZE: ClassVar[int] = 51
    node: str
    incarnation: int
    sender: str


class Dead(msgspec.Struct, frozen=True, gc=False):
    """Said of itself: ``node`` has left."""

    SIZE: ClassVar[int] = 51
    node: str
    incarnation: int
    sender: str


class NodeState(msgspec.Struct, frozen=True, gc=False):
    """A line of a member's list, in push/pull."""

    node: str
    address: str
    incarnation: int
    state: State


class PushPull(msgspec.Struct, frozen=True):
    """All a member knows of the others, for all the other knows. ``join``: at the beginning, or after an absence."""

    join: bool
    nodes: tuple[NodeState, ...]
    networks: NetworkPushPull
    known: int | None = None
    """Digest of names and incarnations, where all are alive: who has the same need not compare. It is not on the wire."""


# -- networkdb


class Change(StrEnum):
    """What becomes of a table's entry."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class NodeEvent(msgspec.Struct, frozen=True, gc=False):
    """A member joins or leaves the gossip."""

    ltime: int
    node: str
    joins: bool
    SIZE: ClassVar[int] = 24


class NetworkEvent(msgspec.Struct, frozen=True, gc=False):
    """A member joins or leaves one network."""

    ltime: int
    node: str
    network: str
    joins: bool
    SIZE: ClassVar[int] = 51


class TableEvent(msgspec.Struct, frozen=True, gc=False):
    """An entry of a table, as its owner wrote it; a deleted one is remembered for whole seconds."""

    change: Change
    at: Where
    entry: Entry

    @property
    def size(self) -> int:
        return 60 + len(self.at.table) + len(self.at.key) + self.entry.value.size


class TableEvents(msgspec.Struct, frozen=True, gc=False):
    """Some table events of one network in one packet (networkdb's own compound message)."""

    events: tuple[TableEvent, ...]


class Snapshot(NamedTuple):
    """The entries of one network as somebody had them; nobody changes them any more. ``known``: a digest of them, if no tombstone is among
    them. Who has the same need not compare; it is not on the wire."""

    entries: Mapping[Where, Entry]
    known: int | None = None


class BulkSync(msgspec.Struct, frozen=True):
    """All entries of some networks, tombstones too. ``unsolicited``: the other side answers with its own."""

    ltime: int
    node: str
    unsolicited: bool
    networks: tuple[str, ...]
    entries: tuple[Snapshot, ...]
    """Of each of the networks."""


class NetworkPushPull(msgspec.Struct, frozen=True):
    """Who is on which network, as one member knows it: (time, node, network, leaving)."""

    ltime: int
    node: str
    networks: tuple[tuple[int, str, str, bool], ...]
    known: int = 0
    """Digest of the networks: who has the same need not compare. It is not on the wire."""


UserMessage: TypeAlias = NodeEvent | NetworkEvent | TableEvents | BulkSync
"""What networkdb has memberlist carry."""

Message: TypeAlias = Ping | IndirectPing | Ack | Nack | Alive | Suspect | Dead | UserMessage
Packet: TypeAlias = tuple[Message, ...]
"""What fits into one datagram."""
Request: TypeAlias = PushPull | Ping | BulkSync
"""What a connection begins with. A push/pull is answered by one, a ping by an ack, a bulk sync by nothing (but by a connection of
the other side's)."""
Reply: TypeAlias = PushPull | Ack | None

Then: TypeAlias = Callable[[], object]
