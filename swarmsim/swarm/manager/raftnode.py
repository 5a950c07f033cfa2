"""A manager's Raft member (manager/state/raft/raft.go): the core on a clock, a disk and a network.

- Ticks every second from its start. Entries and hard state are on disk before messages that depend on
  them leave; applying comes after sending.
- The store's proposals wait here for their commit. When leadership is lost all of them fail at once with
  :data:`LOST_LEADERSHIP`. Their entries stay in the log and may still commit later.
- Leadership is only signalled once the log is applied to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from swarmsim.raft.core import ProposalDropped, Raft, RaftRole, Ready, Settings
from swarmsim.raft.log import Log, Panic
from swarmsim.raft.messages import (
    NOBODY,
    ChangeType,
    ConfChange,
    Entry,
    Message,
    Snapshot,
)
from swarmsim.sim.future import Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.server import Server
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.quiescence import Subject, ticks_until
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer
from swarmsim.swarm.api.raft import PROCESS_RAFT_MESSAGE, Member
from swarmsim.swarm.manager.raftdisk import CHANGE_SIZE, Proposal, RaftDisk
from swarmsim.swarm.manager.transport import DEFERRED_CLOSE, MEMBER_REMOVED, Peer
from swarmsim.swarm.store import Change, MemoryStore
from swarmsim.trace import rows

TICK = 1.0  # seconds, NewNode TickInterval
LOST_QUORUM_TICKS = 10  # lostQuorumTimeout
MAP_BUCKET = 8  # entries in a bucket of a Go map
MISSED = 3  # ticks without a word of the leader, after which the trace tells of the countdown; one or two are usual

LOST_LEADERSHIP = "raft: failed to process the request: node lost leader status"
STOPPED = "raft: failed to process the request: node is stopped"
LOST_QUORUM = (
    "The swarm does not have a leader. It's possible that too few managers are online. "
    "Make sure more than half of the managers are online."
)
CANNOT_REMOVE = "raft: member cannot be removed, because removing it may result in loss of quorum"


class RaftNode(Subject):
    """Raft for one manager process. ``store`` is kept in step with the log.

    What changes in it are its role and its members; ``inbox`` changes with every message.
    """

    def __init__(self, process: Process, scope: Scope, server: Server, node_id: str, addr: str, disk: RaftDisk) -> None:
        self.process = process
        self.server = server
        self.scope = scope
        self.node_id = node_id
        self.addr = addr
        self.disk = disk
        self.journal = process.ctx.journal
        self.store = MemoryStore(scope.clock, process.host.wall)
        self.store.proposer = self
        self.inbox = Subject()
        self.members: dict[int, Member] = {}
        self.peers: dict[int, Peer] = {}
        self.is_leader = False
        """Leadership as signalled to the manager: elected, and the log applied to its end."""
        self.on_leadership: Callable[[bool], object] = lambda leading: None
        self.on_removed: Callable[[], object] = lambda: None
        self.on_panic: Callable[[str], object] = lambda why: None
        self.on_members: list[Callable[[], object]] = []
        self.ticks_without_leader = 0
        self._rng = process.host.rng("raft")
        self._map_order = process.host.rng("transport")
        self._running = False
        self._saving = False
        self._was_leader = False
        self._waits: dict[int, Future[None]] = {}
        self._conf_waits: dict[int, Future[None]] = {}
        self._next_request = 0
        self._last_snapshot = 0
        self._rekeyed_at = 0
        """Once what is applied comes to this index, a snapshot takes the place of what was written under an old key; 0: nothing was."""
        self._disk_latency = process.host.profile.samplers["disk"]
        self.core: Raft
        self.ticker: PeriodicTimer
        server.serve(PROCESS_RAFT_MESSAGE, self._on_message)

    # -- starting

    def start_cluster(self) -> None:
        """The first member of a new swarm elects itself."""
        self.disk.own_id = self._rng.getrandbits(63) | 1
        own = Member(self.disk.own_id, self.node_id, self.process.host.name, self.addr)
        self._run()
        # A new cluster's log begins with its first member, as if it had been agreed on.
        self.core.log.append((Entry(1, 1, ConfChange(ChangeType.ADD, own.raft_id, own)),))
        self.core.log.commit_to(1)
        self.core.term = 1
        self.core.apply_conf_change(ConfChange(ChangeType.ADD, own.raft_id, own))
        self._campaign_when_able = True
        self._process()

    def join(self, raft_id: int, members: tuple[Member, ...]) -> None:
        """A member that the leader just accepted: it knows the others and waits to hear from the leader."""
        self.disk.own_id = raft_id
        for member in members:
            self._add(member)
        self._run()

    def restart(self, *, force_new_cluster: bool = False) -> None:
        """Back from disk, if need be as the only member."""
        if force_new_cluster:
            self.disk.force_new_cluster()
        crowded = self.disk.changes_come_late(Settings().max_message_size)
        self._run()
        if len(self.members) == 1 and not crowded:
            # Nobody else is asked (campaignWhenAble), unless changes of members are still to be applied: then it waits for an election.
            self.core.campaign()
            self._process()

    def _run(self) -> None:
        snapshot = self.disk.snapshot
        log = Log(self.disk.entries, snapshot)
        applied, self.disk.applied = self.disk.applied or snapshot, None
        if applied is not None:
            self._restore(applied)
            log.applied = applied.index
        self.core = Raft(
            self.disk.own_id,
            applied.members if applied else (),
            self._rng,
            hard_state=self.disk.hard_state,
            log=log,
            snapshot=self._take_snapshot,
        )
        self._running = True
        self._last_snapshot = snapshot.index if snapshot else 0
        self._campaign_when_able = False
        self._countdown: float | None = None
        self.ticker = PeriodicTimer(self.scope, TICK, self.tick)
        self.process.ctx.clock.quiescence.invalidate(RaftNode)
        self.scope.on_end(self._keep_applied)
        self._process()

    def _keep_applied(self) -> None:
        self.disk.applied = self._take_snapshot()

    # -- what managers ask

    @property
    def started(self) -> bool:
        """Whether it takes part: before, it has no log, and after its scope's end it is gone."""
        return self._running and self.scope.alive

    @property
    def is_member(self) -> bool:
        """Whether it takes part and has not been removed: only then it knows a leader (IsMember)."""
        return self.started and self.core.id in self.members

    @property
    def is_elected(self) -> bool:
        """Whether it believes itself to lead, be the log applied to its end or not."""
        return self.started and self.core.leader == self.core.id

    @property
    def version(self) -> int:
        return self.core.log.committed

    @property
    def leader(self) -> Member | None:
        """Who this member believes leads; ``None`` if nobody."""
        return self.members.get(self.core.leader)

    @property
    def lost_quorum(self) -> bool:
        """Leaderless for more than 10 ticks: requests fail at once."""
        return self.ticks_without_leader > LOST_QUORUM_TICKS

    def is_active(self, raft_id: int) -> bool:
        """Whether the last message to the member arrived; oneself always."""
        if raft_id == self.core.id:
            return True
        peer = self.peers.get(raft_id)
        return peer is not None and peer.active

    def member_of(self, node_id: str) -> Member | None:
        return next((member for member in self.members.values() if member.node_id == node_id), None)

    def can_remove(self, raft_id: int) -> bool:
        """Whether a majority of the others is reachable without this member (CanRemoveMember)."""
        reachable = sum(1 for id in self.members if id != raft_id and self.is_active(id))
        return reachable >= (len(self.members) - 1) // 2 + 1

    def propose(self, changes: tuple[Change, ...]) -> Future[None]:
        done: Future[None] = self.scope.clock.future()
        if not self.is_leader:
            done.defused = True
            done.fail(RpcError("Unknown", LOST_LEADERSHIP))
            return done
        self._next_request += 1
        request = self._next_request
        self._waits[request] = done
        try:
            # Some 400 bytes an object on the wire: enough for the size limits of messages to work.
            self.core.propose(Proposal(request, changes), 64 + 400 * len(changes))
        except ProposalDropped:
            del self._waits[request]
            done.defused = True
            done.fail(RpcError("Unknown", "raft proposal dropped"))
        self._process()
        return done

    def change_member(self, change: ChangeType, member: Member) -> Future[None]:
        """Propose one membership change; the event happens when it is applied here."""
        done: Future[None] = self.scope.clock.future()
        try:
            index = self.core.propose(ConfChange(change, member.raft_id, member), CHANGE_SIZE)
        except ProposalDropped:
            done.defused = True
            done.fail(RpcError("Unknown", LOST_LEADERSHIP))
            return done
        self._conf_waits[index] = done
        self._process()
        return done

    def remove_member(self, raft_id: int) -> Future[None]:
        if not self.can_remove(raft_id):
            done: Future[None] = self.scope.clock.future()
            done.defused = True
            done.fail(RpcError("Unknown", CANNOT_REMOVE))
            return done
        return self.change_member(ChangeType.REMOVE, self.members[raft_id])

    def transfer_leadership(self) -> bool:
        """Hand over to another active member; whether there is one.

        SwarmKit means the one that was active longest (transport.go longestActive), but compares with a time it never sets:
        it takes the first of a Go map, whose eight places are looked through from any on.
        """
        start = self._map_order.randrange(MAP_BUCKET)
        peers = list(self.peers.items())
        found = next((id for id, peer in (*peers[start:], *peers[:start]) if peer.active), None)
        if found is None:
            return False
        self.process.ctx.clock.quiescence.invalidate(self)
        self.core.transfer_leadership(found)
        self._process()
        return True

    def stop(self) -> None:
        """Take no part any more; what goes over its connections breaks."""
        self._cancel_waits(STOPPED)
        for peer in self.peers.values():
            peer.channel.close()
        self.scope.end()

    @property
    def settled(self) -> bool:
        """Whether everything this member knows is saved, committed and applied, and nothing waits for it."""
        log = self.core.log
        return not self._saving and log.applied == log.committed == log.last_index and not self._conf_waits

    @property
    def leads_steadily(self) -> bool:
        """Whether it leads, everything is settled and it is not handing over."""
        return self.is_leader and not self.core.transferee and self.settled

    def follows(self, leader: RaftNode) -> bool:
        """Whether it follows ``leader``, which knows that it has everything, and nothing is under way between the two."""
        if not self.started or (self.core.leader, self.core.term) != (leader.core.id, leader.core.term):
            return False
        to, back = leader.peers.get(self.core.id), self.peers.get(leader.core.id)
        return (
            self.settled
            and self.core.log.last_index == leader.core.log.last_index
            and leader.core.in_step(self.core.id)
            and to is not None
            and to.idle
            and back is not None
            and back.idle
        )

    def new_raft_id(self) -> int:
        while True:
            raft_id: int = self._rng.getrandbits(63) | 1
            if raft_id not in self.members and raft_id not in self.disk.removed:
                return raft_id

    def removed(self) -> None:
        """This member is no longer one."""
        if self.scope.alive:
            self.on_removed()

    # -- driving the core

    def tick(self) -> float:
        """One tick; the seconds to the next."""
        self.core.tick()
        if self.core.leader == NOBODY:
            self.ticks_without_leader += 1
        else:
            self.ticks_without_leader = 0
        self._process()
        self._note_countdown(self.scope.clock.now + TICK)
        return TICK

    def fast_forward_leader(self, answering: Collection[int]) -> int:
        """As if it had led ``answering``, who lack nothing, since its ticker went to sleep; how many ticks that left out."""
        ticks = self.ticker.fast_forward(TICK)
        self.core.fast_forward_leader(ticks, answering)
        return ticks

    def fast_forward_follower(self, heard: float | None) -> None:
        """As if it had followed since its ticker went to sleep; ``heard``: when the last heartbeat came, if one did."""
        due = self.ticker.due
        ticks = self.ticker.fast_forward(TICK)
        self.core.fast_forward_follower(ticks, ticks - ticks_until(due, TICK, heard) if heard is not None else None)

    def _on_message(self, message: Message, call: CallInfo) -> None:
        if message.src in self.disk.removed:
            raise RpcError("NotFound", MEMBER_REMOVED)
        if not self.started:
            return  # not yet joined, or no longer: it answers, and forgets
        if self.journal.wants("raft.message"):
            self.journal.note(
                rows.RaftMessage,
                host=self.process.host.name,
                src=sender.host if (sender := self.members.get(message.src)) is not None else None,
                type=str(message.type),
                term=message.term,
                index=message.index,
                entries=len(message.entries),
                reject=message.reject,
            )
        self.process.ctx.clock.quiescence.invalidate(self.inbox)
        try:
            self.core.step(message)
        except Panic as panic:
            self.on_panic(str(panic))
            return
        self._process()
        self._note_countdown(self.ticker.due)

    def _note_countdown(self, next_tick: float) -> None:
        """Say when this member will stand for election, once it has missed its leader, and when it no longer will."""
        core = self.core
        due: float | None = None
        if core.role is RaftRole.CANDIDATE or (core.role is RaftRole.FOLLOWER and core.election_elapsed >= MISSED):
            ticks = core.randomized_timeout - core.election_elapsed
            # Sums of the same ticks in another order differ in the last digits.
            due = round(next_tick + (ticks - 1) * TICK, 3)
        if due != self._countdown:
            self._countdown = due
            self.journal.note(rows.RaftCountdown, host=self.process.host.name, due=due)

    def _process(self) -> None:
        while not self._saving:
            ready = self.core.ready()
            if ready is None:
                return
            leading = self.core.role is RaftRole.LEADER
            if ready.must_sync:
                self._saving = True
                self.scope.after(self._disk_latency(self._rng), self._saved, ready, leading)
                return
            self.disk.save(ready)
            self._handle(ready, leading)

    def _saved(self, ready: Ready, leading: bool) -> None:
        old, hard = self.disk.hard_state, ready.hard_state
        if hard is not None and hard.vote != NOBODY and (hard.term, hard.vote) != (old.term, old.vote):
            voted = self.members.get(hard.vote)
            self.journal.note(
                rows.RaftVote,
                host=self.process.host.name,
                term=hard.term,
                candidate=voted.host if voted else None,
            )
        self.disk.save(ready)
        self._saving = False
        self._handle(ready, leading)
        self._process()

    def _handle(self, ready: Ready, leading: bool) -> None:
        for message in ready.messages:
            peer = self.peers.get(message.to)
            if peer is not None:
                peer.send(message)
        if ready.snapshot is not None:
            self._restore(ready.snapshot)
        if ready.soft_changed:
            self._role_changed(leading)
        if ready.committed:
            self.journal.note(
                rows.RaftCommit,
                host=self.process.host.name,
                term=self.core.term,
                log=self.core.log.last_index,
                commit=ready.committed[-1].index,
            )
            self.process.ctx.mark_changed()
        for entry in ready.committed:
            self._apply(entry)
        self.core.advance(ready)
        if ready.committed:
            self._maybe_snapshot()
        if self._was_leader and not self.is_leader and self.core.log.applied >= self.core.log.last_index:
            self.is_leader = True
            self.process.ctx.clock.quiescence.invalidate(self)
            self.journal.note(rows.RaftLeading, host=self.process.host.name, term=self.core.term)
            self.on_leadership(True)
        if self._campaign_when_able and self.disk.own_id in self.members:
            self._campaign_when_able = False
            if len(self.members) == 1:
                self.core.campaign()

    def _role_changed(self, leading: bool) -> None:
        self.process.ctx.clock.quiescence.invalidate(self)
        self.process.ctx.mark_changed()
        self.journal.note(
            rows.RaftRoleChange,
            host=self.process.host.name,
            role=str(self.core.role),
            term=self.core.term,
            leader=self.leader.host if self.leader else None,
            log=self.core.log.last_index,
            commit=self.core.log.committed,
        )
        if self._was_leader and not leading:
            self._was_leader = False
            was_signalled, self.is_leader = self.is_leader, False
            self._cancel_waits(LOST_LEADERSHIP)
            if was_signalled:
                self.on_leadership(False)
        elif leading:
            self._was_leader = True

    def _cancel_waits(self, message: str) -> None:
        """Nobody will hear any more what became of what was proposed."""
        error = RpcError("Unknown", message)
        waits, self._waits = list(self._waits.values()), {}
        waits += self._conf_waits.values()
        self._conf_waits.clear()
        for wait in waits:
            wait.defused = True
            wait.fail(error)
        self.store.cancel_writers(error)

    def _apply(self, entry: Entry) -> None:
        data = entry.data
        if isinstance(data, Proposal):
            self.store.apply(data.changes)
            wait = self._waits.pop(data.request, None) if self._was_leader else None
            if wait is not None:
                wait.succeed()
        elif isinstance(data, ConfChange):
            self._apply_conf_change(data)
            wait = self._conf_waits.pop(entry.index, None)
            if wait is not None:
                wait.succeed()

    def _apply_conf_change(self, change: ConfChange) -> None:
        self.process.ctx.clock.quiescence.invalidate(self)
        member: Member = change.context
        if change.type is ChangeType.REMOVE:
            self.disk.removed.add(change.node)
            self.members.pop(change.node, None)
            gone = self.peers.pop(change.node, None)
            if gone is not None:
                gone.close(after=DEFERRED_CLOSE)
        else:
            self._add(member)
        self.core.apply_conf_change(change)
        self.journal.note(
            rows.RaftMember,
            host=self.process.host.name,
            change=str(change.type),
            member=member.host,
            members=len(self.members),
        )
        self._members_changed()
        if change.type is ChangeType.REMOVE and change.node == self.core.id:
            self.removed()

    def _add(self, member: Member) -> None:
        if member.raft_id == self.disk.own_id:
            # A copy of its log may have been put on another host.
            member = msgspec.structs.replace(member, host=self.process.host.name)
        self.members[member.raft_id] = member
        if member.raft_id != self.disk.own_id:
            known = self.peers.get(member.raft_id)
            if known is None or known.member != member:
                if known is not None:
                    known.close()
                peer = self.peers[member.raft_id] = Peer(self, member)
                if known is not None:
                    peer.active = known.active

    # -- snapshots

    def _take_snapshot(self) -> Snapshot:
        """The state as applied now. ``data`` is the store's objects and the members' addresses."""
        log = self.core.log
        return Snapshot(
            log.applied,
            log.term(log.applied),
            self.core.members,
            (self.store.save(), tuple(self.members.values()), frozenset(self.disk.removed)),
        )

    def _maybe_snapshot(self) -> None:
        cluster = self.store.cluster
        interval = cluster.spec.snapshot_interval if cluster else 10_000
        keep = cluster.spec.log_entries_for_slow_followers if cluster else 500
        applied = self.core.log.applied
        if applied - self._last_snapshot < interval and not 0 < self._rekeyed_at <= applied:
            return
        self._rekeyed_at = 0
        snapshot = self._take_snapshot()
        self._last_snapshot = snapshot.index
        self.disk.compact(snapshot)
        if snapshot.index > keep:
            self.core.log.compact(max(self.core.log.offset, snapshot.index - keep))
        self.journal.note(rows.RaftSnapshot, host=self.process.host.name, index=snapshot.index)

    def rotate_data_key(self) -> None:
        """The log is encrypted with another key from now on: a snapshot of all that is written takes its place (storage.go needsSnapshot)."""
        self._rekeyed_at = max(self.core.log.last_index, self._last_snapshot + 1)

    def _restore(self, snapshot: Snapshot) -> None:
        objects, members, removed = snapshot.data
        self.store.restore(objects)
        self.disk.removed |= removed
        self.members.clear()
        for member in members:
            if member.raft_id not in self.disk.removed:
                self._add(member)
        for id in [id for id in self.peers if id not in self.members]:
            self.peers.pop(id).close()
        self._members_changed()

    def _members_changed(self) -> None:
        for notify in self.on_members:
            notify()


def reachability(node: RaftNode, member: Member) -> str:
    """``reachable`` or ``unreachable``, as the leader sees the member."""
    return "reachable" if node.is_active(member.raft_id) else "unreachable"
