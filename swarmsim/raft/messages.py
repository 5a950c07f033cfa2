"""What Raft members say to each other and what they keep (etcd-io/raft raftpb/raft.proto)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """Message types, under etcd's names. What etcd steps locally (MsgHup, MsgCheckQuorum, …) are methods here."""

    APP = "MsgApp"
    APP_RESP = "MsgAppResp"
    VOTE = "MsgVote"
    VOTE_RESP = "MsgVoteResp"
    SNAP = "MsgSnap"
    HEARTBEAT = "MsgHeartbeat"
    HEARTBEAT_RESP = "MsgHeartbeatResp"
    TIMEOUT_NOW = "MsgTimeoutNow"


class ChangeType(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    UPDATE = "update"


class ConfChange(msgspec.Struct, frozen=True):
    """One member more or less; one at a time. ``context`` is the application's (a member's address)."""

    type: ChangeType
    node: int
    context: Any = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One slot of the log. ``data`` is the application's; ``None`` is a new leader's empty entry."""

    index: int
    term: int
    data: Any = None
    size: int = 0
    """Bytes it would take on the wire; the application's estimate, for message size limits."""


class Snapshot(msgspec.Struct, frozen=True):
    """The state up to ``index``, with the members at that point."""

    index: int
    term: int
    members: tuple[int, ...]
    data: Any = None


class HardState(msgspec.Struct, frozen=True, gc=False):
    """What must be on disk before any message that depends on it is sent."""

    term: int = 0
    vote: int = 0
    commit: int = 0


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message; fields are etcd's. Member 0 is nobody."""

    type: Kind
    to: int
    src: int
    term: int = 0
    log_term: int = 0
    index: int = 0
    entries: tuple[Entry, ...] = ()
    commit: int = 0
    reject: bool = False
    hint: int = 0
    snapshot: Snapshot | None = None
    transfer: bool = False
    """A vote request of a leadership transfer: voters ignore their lease."""


NOBODY = 0
