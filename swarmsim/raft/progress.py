"""A leader's view of one member (etcd-io/raft tracker/progress.go): what it has, what to send next."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    PROBE = "probe"
    """One append per heartbeat until the member's position is known."""
    REPLICATE = "replicate"
    """Appends are sent ahead without waiting."""
    SNAPSHOT = "snapshot"
    """Nothing is sent until the snapshot on its way is reported in."""


class Progress:
    """``match`` is the highest index known to be on the member, ``next`` the next one to send."""

    __slots__ = ("inflight", "match", "max_inflight", "next", "paused", "pending_snapshot", "recent_active", "state")

    def __init__(self, next_index: int, max_inflight: int) -> None:
        self.match = 0
        self.next = next_index
        self.state = State.PROBE
        self.paused = False
        self.pending_snapshot = 0
        self.recent_active = False
        self.max_inflight = max_inflight
        self.inflight: list[int] = []

    def become_probe(self) -> None:
        pending = self.pending_snapshot if self.state is State.SNAPSHOT else 0
        self._reset(State.PROBE)
        self.next = max(self.match, pending) + 1

    def become_replicate(self) -> None:
        self._reset(State.REPLICATE)
        self.next = self.match + 1

    def become_snapshot(self, index: int) -> None:
        self._reset(State.SNAPSHOT)
        self.pending_snapshot = index
        self.next = index + 1

    def _reset(self, state: State) -> None:
        self.state = state
        self.paused = False
        self.pending_snapshot = 0
        self.inflight.clear()

    @property
    def is_paused(self) -> bool:
        if self.state is State.SNAPSHOT:
            return True
        return self.paused or (self.state is State.REPLICATE and len(self.inflight) >= self.max_inflight)

    def sent(self, last: int, count: int) -> None:
        """An append that ends at ``last`` went out."""
        if self.state is State.REPLICATE:
            if count:
                self.next = last + 1
                self.inflight.append(last)
        else:
            self.paused = True

    def update(self, index: int) -> bool:
        """The member acknowledged up to ``index``; whether that is news."""
        news = index > self.match
        if news:
            self.match = index
            self.paused = False
        self.next = max(self.next, index + 1)
        return news

    def decrease(self, rejected: int, hint: int) -> bool:
        """The member rejected an append after ``rejected``; whether to try again from ``hint``."""
        if self.state is State.REPLICATE:
            if rejected <= self.match:
                return False
            self.next = self.match + 1
            return True
        if self.next - 1 != rejected:
            return False
        self.next = max(min(rejected, hint + 1), self.match + 1)
        self.paused = False
        return True

    def free_up_to(self, index: int) -> None:
        inflight = self.inflight
        while inflight and inflight[0] <= index:
            inflight.pop(0)
