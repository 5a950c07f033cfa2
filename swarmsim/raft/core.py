"""The Raft state machine, with etcd's rules (etcd-io/raft raft.go) and SwarmKit's settings as defaults.

- Election time-outs are drawn anew, 10..19 ticks, on every change of role or term.
- CheckQuorum: a leader that has not heard from a majority for one election time-out (10 ticks) steps
  down; a follower that heard from its leader less than that ago ignores requests for its vote (lease).
- No PreVote: whoever campaigns raises its term at once, and others follow it there.
- A leader commits only entries of its own term by counting (§5.4.2); earlier ones go with them.
- One membership change at a time; leadership can be handed over.
- Reads are not here: SwarmKit answers them from the leader's store and uses no ReadIndex.

The driver's contract: after ``tick``, ``step`` or ``propose``, take ``ready()``; save its hard state,
snapshot and entries; send its messages; apply its committed entries (telling ``apply_conf_change``);
then ``advance(ready)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

from swarmsim.raft.log import Compacted, Log
from swarmsim.raft.messages import (
    NOBODY,
    ChangeType,
    ConfChange,
    Entry,
    HardState,
    Kind,
    Message,
    Snapshot,
)
from swarmsim.raft.progress import Progress, State


class RaftRole(StrEnum):
    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


class ProposalDropped(Exception):
    """Not the leader, handing over, or no longer a member: propose elsewhere or later."""


class Settings(NamedTuple):
    """SwarmKit's values (manager/state/raft/raft.go DefaultNodeConfig); ticks and bytes."""

    election_tick: int = 10
    heartbeat_tick: int = 1
    max_message_size: int = 65_535
    max_inflight: int = 256


class Ready(NamedTuple):
    """What the driver must do now. ``hard_state`` and ``snapshot`` are ``None`` when unchanged."""

    hard_state: HardState | None
    entries: tuple[Entry, ...]
    snapshot: Snapshot | None
    messages: tuple[Message, ...]
    committed: tuple[Entry, ...]
    soft_changed: bool
    must_sync: bool
    """Whether the disk must have it before anything is sent: entries, a term, a vote, a snapshot. How far entries are
    committed is written down too, but nobody waits for it (etcd's MustSync)."""


class Raft:
    """One member. ``members`` is the configuration to start from; an empty one waits for a snapshot or log."""

    def __init__(
        self,
        id: int,
        members: tuple[int, ...],
        rng: Random,
        *,
        hard_state: HardState | None = None,
        log: Log | None = None,
        settings: Settings | None = None,
        snapshot: Callable[[], Snapshot] | None = None,
    ) -> None:
        self.id = id
        self.settings = settings or Settings()
        self.rng = rng
        self.log = log or Log()
        self.take_snapshot = snapshot
        self.progress: dict[int, Progress] = {}
        self.term = 0
        self.vote = NOBODY
        self.leader = NOBODY
        self.role = RaftRole.FOLLOWER
        self.votes: dict[int, bool] = {}
        self.transferee = NOBODY
        self.pending_conf_index = 0
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.randomized_timeout = 0
        self.messages: list[Message] = []
        self.pending_snapshot: Snapshot | None = None
        if hard_state is not None:
            self.term, self.vote = hard_state.term, hard_state.vote
            self.log.commit_to(hard_state.commit)
        for member in members:
            self._track(member)
        self._saved = HardState(self.term, self.vote, self.log.committed)
        self._soft: tuple[int, RaftRole] = (NOBODY, RaftRole.FOLLOWER)
        self._become_follower(self.term, NOBODY)

    # -- what the driver uses

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(self.progress)

    @property
    def hard_state(self) -> HardState:
        return HardState(self.term, self.vote, self.log.committed)

    def tick(self) -> None:
        """One tick passed (1 s in SwarmKit)."""
        if self.role is RaftRole.LEADER:
            self._tick_leader()
        else:
            self.election_elapsed += 1
            if self.id in self.progress and self.election_elapsed >= self.randomized_timeout:
                self.election_elapsed = 0
                self._hup(transfer=False)

    def in_step(self, member: int) -> bool:
        """Whether this leader knows that ``member`` has all its log, and nothing is on the way to it."""
        progress = self.progress.get(member)
        return progress is not None and progress.match == self.log.last_index and not progress.is_paused

    def fast_forward_leader(self, ticks: int, answering: Collection[int]) -> None:
        """``ticks`` of a leader at once: members ``answering``, with it a majority and :meth:`in_step`, answer every heartbeat
        before the next tick, and of the others nothing is heard. Nothing is proposed or handed over; what was sent is not told.
        """
        checks, self.election_elapsed = divmod(self.election_elapsed + ticks, self.settings.election_tick)
        heartbeats, self.heartbeat_elapsed = divmod(self.heartbeat_elapsed + ticks, self.settings.heartbeat_tick)
        answered = heartbeats and (not checks or self.heartbeat_elapsed <= self.election_elapsed)
        for member, progress in self.progress.items():
            if answered and member in answering:
                progress.recent_active = True
            elif checks and member != self.id:
                progress.recent_active = False

    def fast_forward_follower(self, ticks: int, unheard: int | None) -> None:
        """``ticks`` of a follower at once: ``unheard`` of them after the last heartbeat; ``None`` if none came."""
        self.election_elapsed = self.election_elapsed + ticks if unheard is None else unheard

    def campaign(self) -> None:
        """Stand for election now."""
        self._hup(transfer=False)

    def propose(self, data: Any, size: int = 0) -> int:
        """Append ``data`` to the leader's log; its index. Raises :class:`ProposalDropped`."""
        if self.role is not RaftRole.LEADER or self.id not in self.progress or self.transferee:
            raise ProposalDropped
        if isinstance(data, ConfChange):
            if self.pending_conf_index > self.log.applied:
                raise ProposalDropped
            self.pending_conf_index = self.log.last_index + 1
        index = self._append_entry(data, size)
        self._broadcast_append()
        return index

    def step(self, m: Message) -> None:
        """A message arrived."""
        if m.term > self.term:
            if m.type is Kind.VOTE and not m.transfer and self._in_lease():
                return
            follows = m.type in (Kind.APP, Kind.HEARTBEAT, Kind.SNAP)
            self._become_follower(m.term, m.src if follows else NOBODY)
        elif m.term < self.term:
            # A member that was away with a higher term would ignore its leader for ever: answer, so that
            # the leader learns the term and steps down.
            if m.type in (Kind.HEARTBEAT, Kind.APP):
                self._send(Message(Kind.APP_RESP, m.src, self.id, self.term))
            return
        _STEPS[m.type](self, m)

    def report_unreachable(self, member: int) -> None:
        """The transport could not deliver to ``member``."""
        progress = self.progress.get(member)
        if self.role is RaftRole.LEADER and progress is not None and progress.state is State.REPLICATE:
            progress.become_probe()

    def report_snapshot(self, member: int, ok: bool) -> None:
        """A snapshot reached ``member``, or did not."""
        progress = self.progress.get(member)
        if self.role is not RaftRole.LEADER or progress is None or progress.state is not State.SNAPSHOT:
            return
        if not ok:
            progress.pending_snapshot = 0
        progress.become_probe()
        progress.paused = True

    def transfer_leadership(self, transferee: int) -> None:
        """Hand over to ``transferee`` once it has everything; given up after one election time-out."""
        if self.role is not RaftRole.LEADER or transferee == self.id or transferee not in self.progress:
            return
        if self.transferee == transferee:
            return
        self.election_elapsed = 0
        self.transferee = transferee
        if self.progress[transferee].match == self.log.last_index:
            self._send_timeout_now(transferee)
        else:
            self._maybe_send_append(transferee, send_if_empty=True)

    def apply_conf_change(self, change: ConfChange) -> None:
        """A committed membership change takes effect."""
        if change.type is ChangeType.ADD:
            if change.node not in self.progress:
                self._track(change.node)
                self.progress[change.node].recent_active = True
        elif change.type is ChangeType.REMOVE and change.node in self.progress:
            del self.progress[change.node]
            if self.transferee == change.node:
                self.transferee = NOBODY
            if self.role is RaftRole.LEADER and self.progress and self._maybe_commit():
                self._broadcast_append()

    def ready(self) -> Ready | None:
        """What there is to do, or ``None``."""
        log, saved, snapshot = self.log, self._saved, self.pending_snapshot
        stood = self.term != saved.term or self.vote != saved.vote
        changed = stood or log.committed != saved.commit
        soft_changed = self._soft[0] != self.leader or self._soft[1] is not self.role
        unstable = log.unstable <= log.last_index
        unapplied = log.committed > max(log.applied, log.offset)
        if not (changed or unstable or unapplied or self.messages or soft_changed or snapshot):
            return None
        entries = log.unstable_entries() if unstable else ()
        committed = log.next_committed() if unapplied else ()
        hard = self.hard_state if changed else None
        sync = stood or unstable or snapshot is not None
        ready = Ready(hard, entries, snapshot, tuple(self.messages), committed, soft_changed, sync)
        self.messages.clear()
        if soft_changed:
            self._soft = (self.leader, self.role)
        if hard is not None:
            self._saved = hard
        self.pending_snapshot = None
        return ready

    def advance(self, ready: Ready) -> None:
        """``ready`` was saved, sent and applied."""
        if ready.snapshot is not None:
            self.log.applied = max(self.log.applied, ready.snapshot.index)
        if ready.entries:
            last = ready.entries[-1]
            if self.log.matches(last.index, last.term):
                self.log.unstable = max(self.log.unstable, last.index + 1)
        if ready.committed:
            self.log.applied = max(self.log.applied, ready.committed[-1].index)

    # -- roles

    def _track(self, member: int) -> None:
        self.progress[member] = Progress(self.log.last_index + 1, self.settings.max_inflight)

    def _reset(self, term: int) -> None:
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.randomized_timeout = self.settings.election_tick + int(self.rng.random() * self.settings.election_tick)
        self.transferee = NOBODY
        self.votes.clear()
        self.pending_conf_index = 0

    def _become_follower(self, term: int, leader: int) -> None:
        self._reset(term)
        self.leader = leader
        self.role = RaftRole.FOLLOWER

    def _become_candidate(self) -> None:
        self._reset(self.term + 1)
        self.vote = self.id
        self.role = RaftRole.CANDIDATE

    def _become_leader(self) -> None:
        self._reset(self.term)
        self.leader = self.id
        self.role = RaftRole.LEADER
        for member in self.progress:
            self._track(member)
        own = self.progress[self.id]
        own.become_replicate()
        own.recent_active = True
        self.pending_conf_index = self.log.last_index
        self._append_entry(None, 0)
        self._broadcast_append()

    def _hup(self, transfer: bool) -> None:
        if self.role is RaftRole.LEADER or self.id not in self.progress:
            return
        if any(isinstance(entry.data, ConfChange) for entry in self.log.next_committed()):
            return  # the configuration may be about to change: apply it first
        self._become_candidate()
        self.votes[self.id] = True
        if self._tally() is True:
            self._become_leader()
            return
        for member in self.progress:
            if member != self.id:
                self._send(
                    Message(
                        Kind.VOTE,
                        member,
                        self.id,
                        self.term,
                        log_term=self.log.last_term,
                        index=self.log.last_index,
                        transfer=transfer,
                    )
                )

    def _tally(self) -> bool | None:
        """True: elected; False: lost; None: still open."""
        granted = sum(1 for member in self.progress if self.votes.get(member) is True)
        rejected = sum(1 for member in self.progress if self.votes.get(member) is False)
        if granted >= self._quorum():
            return True
        if rejected >= self._quorum():
            return False
        return None

    def _quorum(self) -> int:
        return len(self.progress) // 2 + 1

    def _in_lease(self) -> bool:
        return self.leader != NOBODY and self.election_elapsed < self.settings.election_tick

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        self.election_elapsed += 1
        if self.election_elapsed >= self.settings.election_tick:
            self.election_elapsed = 0
            if not self._check_quorum():
                self._become_follower(self.term, NOBODY)
                return
            self.transferee = NOBODY
        if self.heartbeat_elapsed >= self.settings.heartbeat_tick:
            self.heartbeat_elapsed = 0
            for member, progress in self.progress.items():
                if member != self.id:
                    commit = min(progress.match, self.log.committed)
                    self._send(Message(Kind.HEARTBEAT, member, self.id, self.term, commit=commit))

    def _check_quorum(self) -> bool:
        active = 0
        for member, progress in self.progress.items():
            if member == self.id:
                active += 1
            elif progress.recent_active:
                active += 1
                progress.recent_active = False
        return active >= self._quorum()

    # -- sending

    def _send(self, message: Message) -> None:
        self.messages.append(message)

    def _append_entry(self, data: Any, size: int) -> int:
        index = self.log.last_index + 1
        self.log.append((Entry(index, self.term, data, size),))
        self.progress[self.id].update(index)
        self._maybe_commit()
        return index

    def _maybe_commit(self) -> bool:
        """Raft §5.3, §5.4.2: commit what a majority has, if it is of this term."""
        matches = sorted((progress.match for progress in self.progress.values()), reverse=True)
        index = matches[self._quorum() - 1]
        if index > self.log.committed and self.log.matches(index, self.term):
            self.log.commit_to(index)
            return True
        return False

    def _broadcast_append(self) -> None:
        for member in self.progress:
            if member != self.id:
                self._maybe_send_append(member, send_if_empty=True)

    def _maybe_send_append(self, to: int, send_if_empty: bool) -> bool:
        progress = self.progress[to]
        if progress.is_paused:
            return False
        try:
            previous = progress.next - 1
            term = self.log.term(previous)
            entries = self.log.slice(progress.next, self.settings.max_message_size)
        except Compacted:
            return self._send_snapshot(to, progress)
        if not entries and not send_if_empty:
            return False
        self._send(
            Message(
                Kind.APP,
                to,
                self.id,
                self.term,
                log_term=term,
                index=previous,
                entries=entries,
                commit=self.log.committed,
            )
        )
        progress.sent(previous + len(entries), len(entries))
        return True

    def _send_snapshot(self, to: int, progress: Progress) -> bool:
        if not progress.recent_active or self.take_snapshot is None:
            return False
        snapshot = self.take_snapshot()
        self._send(Message(Kind.SNAP, to, self.id, self.term, snapshot=snapshot))
        progress.become_snapshot(snapshot.index)
        return True

    def _send_timeout_now(self, to: int) -> None:
        self._send(Message(Kind.TIMEOUT_NOW, to, self.id, self.term))

    # -- receiving

    def _on_vote(self, m: Message) -> None:
        can_vote = self.vote == m.src or (self.vote == NOBODY and self.leader == NOBODY)
        grant = can_vote and self.log.up_to_date(m.index, m.log_term)
        if grant:
            self.election_elapsed = 0
            self.vote = m.src
        self._send(Message(Kind.VOTE_RESP, m.src, self.id, self.term, reject=not grant))

    def _on_vote_resp(self, m: Message) -> None:
        if self.role is not RaftRole.CANDIDATE:
            return
        self.votes.setdefault(m.src, not m.reject)
        result = self._tally()
        if result is True:
            self._become_leader()
        elif result is False:
            self._become_follower(self.term, NOBODY)

    def _follow(self, leader: int) -> None:
        assert self.role is not RaftRole.LEADER, f"two leaders in term {self.term}: {self.id} and {leader}"
        if self.role is RaftRole.CANDIDATE:
            self._become_follower(self.term, leader)
        self.election_elapsed = 0
        self.leader = leader

    def _on_append(self, m: Message) -> None:
        self._follow(m.src)
        if m.index < self.log.committed:
            self._send(Message(Kind.APP_RESP, m.src, self.id, self.term, index=self.log.committed))
            return
        last = self.log.maybe_append(m.index, m.log_term, m.commit, m.entries)
        if last is not None:
            self._send(Message(Kind.APP_RESP, m.src, self.id, self.term, index=last))
            return
        hint = self.log.find_conflict_by_term(min(m.index, self.log.last_index), m.log_term)
        self._send(
            Message(
                Kind.APP_RESP,
                m.src,
                self.id,
                self.term,
                log_term=self.log.term(hint),
                index=m.index,
                reject=True,
                hint=hint,
            )
        )

    def _on_heartbeat(self, m: Message) -> None:
        self._follow(m.src)
        self.log.commit_to(min(m.commit, self.log.last_index))
        self._send(Message(Kind.HEARTBEAT_RESP, m.src, self.id, self.term))

    def _on_snapshot(self, m: Message) -> None:
        self._follow(m.src)
        snapshot = m.snapshot
        assert snapshot is not None
        if snapshot.index > self.log.committed:
            if self.log.matches(snapshot.index, snapshot.term):
                self.log.commit_to(snapshot.index)
            else:
                self.log.restore(snapshot)
                self.pending_snapshot = snapshot
                self.progress.clear()
                for member in snapshot.members:
                    self._track(member)
        self._send(Message(Kind.APP_RESP, m.src, self.id, self.term, index=self.log.committed))

    def _on_append_resp(self, m: Message) -> None:
        progress = self.progress.get(m.src)
        if self.role is not RaftRole.LEADER or progress is None:
            return
        progress.recent_active = True
        if m.reject:
            hint = m.hint
            if m.log_term > 0:
                hint = self.log.find_conflict_by_term(m.hint, m.log_term)
            if progress.decrease(m.index, hint):
                if progress.state is State.REPLICATE:
                    progress.become_probe()
                self._maybe_send_append(m.src, send_if_empty=True)
            return
        was_paused = progress.is_paused
        if not progress.update(m.index):
            return
        if progress.state is State.PROBE or (
            progress.state is State.SNAPSHOT and progress.match >= progress.pending_snapshot
        ):
            progress.become_replicate()
        elif progress.state is State.REPLICATE:
            progress.free_up_to(m.index)
        if self._maybe_commit():
            self._broadcast_append()
        elif was_paused:
            self._maybe_send_append(m.src, send_if_empty=True)
        while self._maybe_send_append(m.src, send_if_empty=False):
            pass
        if m.src == self.transferee and progress.match == self.log.last_index:
            self._send_timeout_now(m.src)

    def _on_heartbeat_resp(self, m: Message) -> None:
        progress = self.progress.get(m.src)
        if self.role is not RaftRole.LEADER or progress is None:
            return
        progress.recent_active = True
        progress.paused = False
        if progress.state is State.REPLICATE and len(progress.inflight) >= progress.max_inflight:
            progress.inflight.pop(0)
        if progress.match < self.log.last_index:
            self._maybe_send_append(m.src, send_if_empty=True)

    def _on_timeout_now(self, m: Message) -> None:
        self._hup(transfer=True)


_STEPS: dict[Kind, Callable[[Raft, Message], None]] = {
    Kind.VOTE: Raft._on_vote,
    Kind.VOTE_RESP: Raft._on_vote_resp,
    Kind.APP: Raft._on_append,
    Kind.APP_RESP: Raft._on_append_resp,
    Kind.HEARTBEAT: Raft._on_heartbeat,
    Kind.HEARTBEAT_RESP: Raft._on_heartbeat_resp,
    Kind.SNAP: Raft._on_snapshot,
    Kind.TIMEOUT_NOW: Raft._on_timeout_now,
}
