"""What rests in a healthy swarm, and by which law: one class a rhythm, in one table.

========================  =========================================  ==============================================
rhythm                    rests while                                disturbed by
========================  =========================================  ==============================================
an agent's heartbeat      its session is registered with the leader  the end of session, of the manager it goes
                          and the ways there are well                through, of leadership; the ways; the node's
                                                                     registration; the heartbeat period
Raft's ticks              one leader, its followers have all it has  the end of any member; any message but a
(all members together)    and a majority of members is well; the     heartbeat; membership; the leader's ways; a
                          others are gone                            lost member's return
a channel's reconnecting  the other side is gone and the pauses      its return; the way; the end of the member
                          have reached their longest
the description check     always: a running engine's description     its own end
                          does not change
role reconciliation       all that is left would cost the quorum     anything that could be seen to change
========================  =========================================  ==============================================

Dispatcher batches, assignment batches and the scheduler's debounce are beats and deadlines that only exist while there
is something to do. Election countdowns run in Raft's ticks: they rest with a follower and run for real without a leader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

from swarmsim.raft.messages import Kind
from swarmsim.raft.progress import State
from swarmsim.sim.host import SimContext
from swarmsim.sim.net.channel import BACKOFF_JITTER, CONNECT_TIMEOUT, Channel, Connectivity
from swarmsim.sim.quiescence import Dormant, Phase, Renewals, Route, SkipRule, ticks_until
from swarmsim.sim.timers import Deadline, PeriodicTimer
from swarmsim.swarm.agent.agent import NODE_UPDATE_PERIOD, Agent, Session
from swarmsim.swarm.api.raft import PROCESS_RAFT_MESSAGE, Member
from swarmsim.swarm.manager.dispatcher import GRACE_MULTIPLIER, Dispatcher
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.manager.raftnode import TICK, RaftNode
from swarmsim.swarm.manager.rolemanager import RECONCILE_INTERVAL, RoleManager
from swarmsim.swarm.manager.transport import MESSAGE_QUEUE, SEND_TIMEOUT, Peer
from swarmsim.swarm.objects import Cluster
from swarmsim.swarm.store import Change

ManagerOn = Callable[[str], Manager | None]
"""The manager that runs on a host, if one does."""


def skip_rules(ctx: SimContext, manager_on: ManagerOn) -> Mapping[Callable[..., Any], SkipRule]:
    """The table of laws, by the step of the rhythm they are about."""
    return {
        Session.heartbeat: HeartbeatRule(ctx, manager_on),
        RaftNode.tick: RaftTickRule(ctx, manager_on),
        Channel.redial: ReconnectRule(ctx),
        Agent.check_description: LatticeRule(ctx, NODE_UPDATE_PERIOD, lambda agent: True, ()),
        RoleManager.beat: LatticeRule(ctx, RECONCILE_INTERVAL, lambda roles: roles.stuck, (ctx,)),
    }


class LatticeRule:
    """A rhythm of constant period that rests while ``calm(owner)``; its phase is arithmetic."""

    def __init__(
        self, ctx: SimContext, period: float, quiescence: Callable[[Any], bool], sources: tuple[object, ...]
    ) -> None:
        self.ctx = ctx
        self.period = period
        self.quiescence = quiescence
        self.sources = sources

    def dormant(self, timer: PeriodicTimer) -> Dormant | None:
        if not self.quiescence(timer.owner):
            return None
        sources = (timer.scope, *self.sources)
        return Dormant(self.ctx.clock.quiescence, sources, (), partial(self._wake, timer, timer.due))

    def _wake(self, timer: PeriodicTimer, due: float) -> None:
        timer.wake(due + self.period * ticks_until(due, self.period, self.ctx.clock.now))


class HeartbeatRule:
    """Heartbeats renew themselves after periods uniform on 4.5..5.5 s and the way there and back.

    The node's deadline at the dispatcher sleeps with them: it is three times the period that began last.
    """

    def __init__(self, ctx: SimContext, manager_on: ManagerOn) -> None:
        self.ctx = ctx
        self.manager_on = manager_on
        self._rng: Random = ctx.streams.stream("calm/heartbeats")
        self._watched: Dispatcher | None = None

    def dormant(self, timer: PeriodicTimer) -> Dormant | None:
        session: Session = timer.owner
        through = self.manager_on(session.manager)
        leader = through.raft.leader if through is not None else None
        head = self.manager_on(leader.host) if leader is not None else None
        if through is None or leader is None or head is None or head.dispatcher is None:
            return None
        dispatcher = head.dispatcher
        registration = dispatcher.registrations.get(session.agent.node_id)
        routes = ((session.agent.process.host.name, session.manager), (session.manager, leader.host))
        if (
            registration is None
            or registration.session_id != session.id
            or not through.raft.is_active(leader.raft_id)
            or not session.channel.healthy
            or not (through is head or through.raft.peers[leader.raft_id].channel.healthy)
            or not all(self.ctx.fabric.healthy(*route) for route in routes)
        ):
            return None
        self._watch(dispatcher)
        gap = 2 * sum(self.ctx.fabric.delay(*route) for route in routes)
        renewals = Renewals(*dispatcher.periods, gap)
        deadline = registration.deadline
        interval = timer.due - self.ctx.clock.now
        known = Phase(deadline.due - GRACE_MULTIPLIER * interval, interval, timer.due)
        dormant = Dormant(
            self.ctx.clock.quiescence,
            (timer.scope, through.raft.scope, dispatcher.scope, dispatcher),
            routes,
            partial(self._wake, timer, deadline, renewals, known),
        )
        deadline.sleep(dormant)
        return dormant

    def _wake(self, timer: PeriodicTimer, deadline: Deadline, renewals: Renewals, known: Phase) -> None:
        phase = renewals.phase(known, self.ctx.clock.now, self._rng)
        grace = GRACE_MULTIPLIER * phase.interval
        deadline.wake(phase.last + grace, grace)
        timer.wake(phase.next)

    def _watch(self, dispatcher: Dispatcher) -> None:
        """A change of the cluster's configuration may change the period."""
        if self._watched is dispatcher:
            return
        self._watched = dispatcher

        def on_commit(changes: tuple[Change, ...]) -> None:
            if any(type(obj) is Cluster for _, obj, _ in changes):
                self.ctx.clock.quiescence.invalidate(dispatcher)

        dispatcher.scope.on_end(dispatcher.store.watch(on_commit))


class ReconnectRule:
    """Attempts to connect to whoever is gone: each fails, the pause after it is the longest, give or take a fifth."""

    def __init__(self, ctx: SimContext) -> None:
        self.ctx = ctx
        self._rng: Random = ctx.streams.stream("calm/reconnects")

    def dormant(self, timer: PeriodicTimer) -> Dormant | None:
        channel: Channel = timer.owner
        here, there = channel.process.host.name, channel.remote
        if there is None or not channel.patient:
            return None
        if not there.powered or not self.ctx.fabric.reaches(here, there.name):
            gap = CONNECT_TIMEOUT
        elif there.listener_at(channel.address) is None and self.ctx.fabric.healthy(here, there.name):
            gap = 2 * self.ctx.fabric.delay(here, there.name)
        else:
            return None
        longest = channel.max_backoff
        renewals = Renewals(longest * (1 - BACKOFF_JITTER), longest * (1 + BACKOFF_JITTER), gap)
        pause = timer.due - self.ctx.clock.now
        known = Phase(timer.due - pause - gap, pause, timer.due)
        return Dormant(
            self.ctx.clock.quiescence,
            (timer.scope, there, there.power),
            ((here, there.name),),
            partial(self._wake, timer, renewals, known),
        )

    def _wake(self, timer: PeriodicTimer, renewals: Renewals, known: Phase) -> None:
        now = self.ctx.clock.now
        phase = renewals.phase(known, now, self._rng)
        if now - phase.last < renewals.gap:
            timer.wake(None)
            timer.owner.dial(ago=now - phase.last)
        else:
            timer.wake(phase.next)


class RaftTickRule:
    """The ticks of one Raft group whose leader is followed: all of it is arithmetic.

    Of the members that are well the leader hears once a second, so its check of the quorum passes every ten ticks and
    a follower's countdown never exceeds one. Heartbeats to a silent member time out one after the other every two
    seconds while a new one is queued every second.
    """

    def __init__(self, ctx: SimContext, manager_on: ManagerOn) -> None:
        self.ctx = ctx
        self.manager_on = manager_on

    def dormant(self, timer: PeriodicTimer) -> Dormant | None:
        node: RaftNode = timer.owner
        leader = self._leader_of(node)
        if leader is None or node.journal.wants("raft.message"):
            return None
        group = [leader]
        sources: list[object] = [leader.scope, leader, (leader.process.host.name, PROCESS_RAFT_MESSAGE)]
        routes: list[Route] = []
        silent: list[Peer] = []
        for member in leader.members.values():
            if member.raft_id == leader.core.id:
                continue
            peer, host = leader.peers[member.raft_id], self.ctx.hosts[member.host]
            routes.append((leader.process.host.name, host.name))
            follower = self._follower(leader, member)
            if follower is not None:
                group.append(follower)
                sources += (follower.scope, (host.name, PROCESS_RAFT_MESSAGE))
            elif self._gone(leader, member) and not peer.active:
                sources += (host, host.power)
                if peer.channel.state is not Connectivity.TRANSIENT_FAILURE:
                    if not _only_heartbeats_wait(peer):
                        return None
                    silent.append(peer)
            else:
                return None
        # A member that is cut off may still take the others, who rest without it, for its group.
        if 2 * len(group) <= len(leader.members) or node not in group:
            return None
        wake = partial(self._wake, _Ticking(leader), [_Ticking(node) for node in group[1:]], silent)
        for ticking in group:
            ticking.ticker.sleep()
        for peer in silent:
            assert peer.call is not None
            peer.call.wait_for_ever()
        return Dormant(self.ctx.clock.quiescence, sources, routes, wake)

    def _leader_of(self, node: RaftNode) -> RaftNode | None:
        """The leader, if it leads undisputed and has nothing to do."""
        member = node.leader
        manager = self.manager_on(member.host) if member is not None else None
        if manager is None:
            return None
        leader = manager.raft
        undisputed = leader.is_leader and leader.core.term == node.core.term and not leader.core.transferee
        return leader if undisputed and leader.settled else None

    def _follower(self, leader: RaftNode, member: Member) -> RaftNode | None:
        """The member as it is, if it follows the leader and lacks nothing."""
        manager = self.manager_on(member.host)
        if manager is None or not manager.raft.started:
            return None
        node, core = manager.raft, leader.core
        progress = core.progress[member.raft_id]
        back = node.peers.get(core.id)
        healthy = (
            node.core.id == member.raft_id
            and (node.core.leader, node.core.term) == (core.id, core.term)
            and node.settled
            and node.core.log.last_index == core.log.last_index == progress.match
            and progress.state is State.REPLICATE
            and leader.peers[member.raft_id].idle
            and back is not None
            and back.idle
            and self.ctx.fabric.healthy(leader.process.host.name, member.host)
        )
        return node if healthy else None

    def _gone(self, leader: RaftNode, member: Member) -> bool:
        """Whether nothing the leader sends the member can arrive, until the member's host or the way changes."""
        host = self.ctx.hosts[member.host]
        if not host.powered or not self.ctx.fabric.reaches(leader.process.host.name, host.name):
            return True
        channel = leader.peers[member.raft_id].channel
        return host.listener_at(channel.address) is None and channel.state is Connectivity.TRANSIENT_FAILURE

    def _wake(self, leader: _Ticking, followers: list[_Ticking], silent: list[Peer]) -> None:
        now = self.ctx.clock.now
        ticks = ticks_until(leader.due, TICK, now)
        core = leader.node.core
        if leader.unmoved:
            elapsed = leader.elapsed + ticks
            core.election_elapsed = elapsed % core.settings.election_tick
            if elapsed >= core.settings.election_tick:
                alive = {follower.node.core.id for follower in followers}
                for id, progress in core.progress.items():
                    progress.recent_active = id == core.id or id in alive
        leader.node.ticker.wake(leader.due + TICK * ticks)
        for follower in followers:
            self._wake_follower(follower, leader, ticks, now)
        for peer in silent:
            _let_time_pass(peer, ticks, now)

    def _wake_follower(self, follower: _Ticking, leader: _Ticking, leader_ticks: int, now: float) -> None:
        own = ticks_until(follower.due, TICK, now)
        if follower.unmoved:
            heard = leader.due + TICK * (leader_ticks - 1)
            heard += self.ctx.fabric.delay(leader.node.process.host.name, follower.node.process.host.name)
            beats = leader_ticks
            if heard > now:
                heard, beats = heard - TICK, beats - 1
            before = ticks_until(follower.due, TICK, heard)
            follower.node.core.election_elapsed = own - before if beats > 0 else follower.elapsed + own
        follower.node.ticker.wake(follower.due + TICK * own)


class _Ticking:
    """A member as it was when it went to rest: when its next tick was due, and its countdown."""

    def __init__(self, node: RaftNode) -> None:
        self.node = node
        self.due = node.ticker.due
        self.elapsed = node.core.election_elapsed

    @property
    def unmoved(self) -> bool:
        """Whether nothing has moved the countdown since; what did, did so just now."""
        return self.node.core.election_elapsed == self.elapsed


def _only_heartbeats_wait(peer: Peer) -> bool:
    if peer.call is None:
        return False
    first = peer.call.request
    return first.type is Kind.HEARTBEAT and all(message == first for message in peer.queue)


def _let_time_pass(peer: Peer, ticks: int, now: float) -> None:
    """Heartbeats to a silent member: ``ticks`` more were queued, and every two seconds one was given up."""
    call = peer.call
    if call is None:
        return  # the connection has just been given up, and with it the message that waited
    given_up = ticks_until(call.deadline, SEND_TIMEOUT, now)
    waiting = min(len(peer.queue) + ticks - given_up, MESSAGE_QUEUE)
    peer.queue.clear()
    peer.queue.extend([call.request] * max(0, waiting))
    call.expire_in(call.deadline + SEND_TIMEOUT * given_up - now, peer.node.scope)
