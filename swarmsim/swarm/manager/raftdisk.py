"""What a manager's Raft member keeps on disk (manager/state/raft/storage.go): its log, and what it has come to."""

from __future__ import annotations

from copy import copy

import msgspec

from swarmsim.raft.core import Ready
from swarmsim.raft.messages import NOBODY, ChangeType, ConfChange, Entry, HardState, Snapshot
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.store import Change

CHANGE_SIZE = 128  # bytes, about: a change of members in the log


class Proposal(msgspec.Struct, frozen=True):
    """The data of a log entry: one transaction's changes, with the id its proposer waits for."""

    request: int
    changes: tuple[Change, ...]


class RaftDisk:
    """What a member finds again after a restart: hard state, log, snapshot, members, its own id."""

    def __init__(self) -> None:
        self.own_id = NOBODY
        self.hard_state = HardState()
        self.entries: list[Entry] = []
        self.snapshot: Snapshot | None = None
        self.removed: set[int] = set()
        self.applied: Snapshot | None = None
        """What ``entries`` had come to when the member stopped. SwarmKit applies them anew at every start, which
        takes no time here but much of ours; what is committed never changes, so the outcome is the same."""

    def copy(self) -> RaftDisk:
        """All of it on another disk: what the two hold in common is never changed."""
        other = copy(self)
        other.entries, other.removed = list(self.entries), set(self.removed)
        return other

    def force_new_cluster(self) -> None:
        """Be the only member from now on (storage.go loadAndStart): what was not committed is dropped, and as if it had been agreed on
        everybody else is removed. They are known to be removed before that is applied, so nobody connects to them."""
        commit = max(self.hard_state.commit, self.snapshot.index if self.snapshot else 0)
        first = self.snapshot.index + 1 if self.snapshot else 1
        del self.entries[max(0, commit + 1 - first) :]
        for member in self._members():
            if member.raft_id != self.own_id:
                commit += 1
                change = ConfChange(ChangeType.REMOVE, member.raft_id, member)
                self.entries.append(Entry(commit, self.hard_state.term, change, CHANGE_SIZE))
                self.removed.add(member.raft_id)
        self.hard_state = msgspec.structs.replace(self.hard_state, commit=commit)

    def changes_come_late(self, at_once: int) -> bool:
        """Whether changes of members are among what is committed but not among the first ``at_once`` bytes of it."""
        size = 0
        for entry in self.entries:
            size += entry.size
            if entry.index > self.hard_state.commit:
                break
            if size > at_once and isinstance(entry.data, ConfChange):
                return True
        return False

    def _members(self) -> list[Member]:
        """All by what is committed."""
        known = self.applied or self.snapshot
        members: dict[int, Member] = {}
        if known is not None:
            members = {member.raft_id: member for member in known.data[1]}
        for entry in self.entries:
            if isinstance(entry.data, ConfChange) and (known is None or entry.index > known.index):
                if entry.data.type is ChangeType.REMOVE:
                    members.pop(entry.data.node, None)
                else:
                    members[entry.data.node] = entry.data.context
        return list(members.values())

    def save(self, ready: Ready) -> None:
        if ready.snapshot is not None:
            self.snapshot = ready.snapshot
            self.entries.clear()
        if ready.entries:
            first = self.snapshot.index + 1 if self.snapshot else 1
            del self.entries[max(0, ready.entries[0].index - first) :]
            self.entries.extend(ready.entries)
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state

    def compact(self, snapshot: Snapshot) -> None:
        """Keep only what comes after ``snapshot``; followers that lack less get it from memory."""
        first = self.snapshot.index + 1 if self.snapshot else 1
        del self.entries[: snapshot.index + 1 - first]
        self.snapshot = snapshot
