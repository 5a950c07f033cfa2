"""The replicated log: entries after the last snapshot, and how far they are stable, committed, applied."""

from __future__ import annotations

from swarmsim.raft.messages import Entry, Snapshot


class Compacted(Exception):
    """The asked-for entry is in the snapshot now."""


class Panic(Exception):
    """A log that cannot be, as after an old copy of it was put back; etcd's words (raft/log.go). It does not go on."""


class Log:
    """Entries ``offset + 1 .. last_index``; everything before is the snapshot's.

    ``offset`` is the index of the last compacted entry, whose term is kept so that a follower can be
    matched right after it. ``unstable`` is the first index that is not on disk yet.
    """

    __slots__ = ("applied", "committed", "entries", "offset", "offset_term", "unstable")

    def __init__(self, entries: list[Entry] | None = None, snapshot: Snapshot | None = None) -> None:
        self.offset = snapshot.index if snapshot else 0
        self.offset_term = snapshot.term if snapshot else 0
        self.entries: list[Entry] = list(entries or ())
        self.committed = self.offset
        self.applied = self.offset
        self.unstable = self.last_index + 1

    @property
    def last_index(self) -> int:
        return self.offset + len(self.entries)

    @property
    def last_term(self) -> int:
        return self.entries[-1].term if self.entries else self.offset_term

    def term(self, index: int) -> int:
        """The term of the entry at ``index``; 0 beyond the end. Raises :class:`Compacted` before the start."""
        if index == self.offset:
            return self.offset_term
        if index < self.offset:
            raise Compacted(index)
        position = index - self.offset - 1
        return self.entries[position].term if position < len(self.entries) else 0

    def matches(self, index: int, term: int) -> bool:
        try:
            return index <= self.last_index and self.term(index) == term
        except Compacted:
            return False

    def slice(self, start: int, max_size: int) -> tuple[Entry, ...]:
        """Entries from ``start`` on, up to ``max_size`` bytes but at least one if there is any."""
        if start <= self.offset:
            raise Compacted(start)
        entries = self.entries[start - self.offset - 1 :]
        total = 0
        for count, entry in enumerate(entries):
            total += entry.size
            if total > max_size and count:
                return tuple(entries[:count])
        return tuple(entries)

    def up_to_date(self, index: int, term: int) -> bool:
        """Raft §5.4.1: is a log that ends with (index, term) at least as complete as this one?"""
        return term > self.last_term or (term == self.last_term and index >= self.last_index)

    def find_conflict_by_term(self, index: int, term: int) -> int:
        """The last index ≤ ``index`` whose term is ≤ ``term``: where a probe may continue."""
        index = min(index, self.last_index)
        while index > self.offset and self.term(index) > term:
            index -= 1
        return index

    def append(self, entries: tuple[Entry, ...]) -> None:
        """Put entries after (or, on conflict, over) what is there. Never over a committed one."""
        if not entries:
            return
        start = entries[0].index
        if start <= self.committed:
            raise Panic(f"entry {start} conflict with committed entry [committed({self.committed})]")
        del self.entries[start - self.offset - 1 :]
        self.entries.extend(entries)
        self.unstable = min(self.unstable, start)

    def maybe_append(self, index: int, term: int, commit: int, entries: tuple[Entry, ...]) -> int | None:
        """A follower's append: the last new index, or ``None`` if (index, term) is not in this log."""
        if not self.matches(index, term):
            return None
        last_new = index + len(entries)
        for position, entry in enumerate(entries):
            if not self.matches(entry.index, entry.term):
                self.append(entries[position:])
                break
        self.commit_to(min(commit, last_new))
        return last_new

    def commit_to(self, index: int) -> None:
        if index > self.committed:
            if index > self.last_index:
                end = self.last_index
                raise Panic(
                    f"tocommit({index}) is out of range [lastIndex({end})]. Was the raft log corrupted, truncated, or lost?"
                )
            self.committed = index

    def restore(self, snapshot: Snapshot) -> None:
        self.entries = []
        self.offset = snapshot.index
        self.offset_term = snapshot.term
        self.committed = snapshot.index
        self.unstable = snapshot.index + 1

    def compact(self, index: int) -> None:
        """Forget entries up to and including ``index``, which must be applied."""
        assert index <= self.applied
        if index > self.offset:
            term = self.term(index)
            del self.entries[: index - self.offset]
            self.offset, self.offset_term = index, term

    def unstable_entries(self) -> tuple[Entry, ...]:
        return tuple(self.entries[max(0, self.unstable - self.offset - 1) :])

    def next_committed(self) -> tuple[Entry, ...]:
        start = max(self.applied, self.offset)
        if self.committed <= start:
            return ()
        return tuple(self.entries[start - self.offset : self.committed - self.offset])
