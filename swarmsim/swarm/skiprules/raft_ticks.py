"""The ticks of one Raft group whose leader is followed: heartbeats go out, answers come back, and nothing changes."""

from __future__ import annotations

from functools import partial

from swarmsim.sim.host import SimContext
from swarmsim.sim.net.channel import Connectivity
from swarmsim.sim.quiescence import Dormant, Route, Skippable, Source
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.manager.raftnode import TICK, RaftNode
from swarmsim.swarm.manager.transport import Peer
from swarmsim.swarm.skiprules.heartbeat import ManagerOn


class RaftTickRule:
    """A leader, the followers that have all it has, and perhaps members that are gone: dormant together.

    Of the members that are healthy the leader hears once a second, so its check of the quorum passes every ten ticks and
    a follower's countdown never exceeds one. Heartbeats to a silent member time out one after the other every two
    seconds while a new one is queued every second.
    """

    def __init__(self, ctx: SimContext, manager_on: ManagerOn) -> None:
        self.ctx = ctx
        self.manager_on = manager_on

    def dormant(self, timer: Skippable) -> Dormant | None:
        node: RaftNode = timer.owner
        leader = self._leader_of(node)
        if leader is None or node.journal.wants("raft.message"):
            return None
        here = leader.process.host.name
        followers: list[RaftNode] = []
        silent: list[Peer] = []
        sources: list[Source] = [leader.scope, leader, leader.inbox]
        for member in leader.members.values():
            if member.raft_id == leader.core.id:
                continue
            peer, host = leader.peers[member.raft_id], self.ctx.hosts[member.host]
            sources.append(Route(here, host.name))
            follower = self._follower(leader, member)
            if follower is not None:
                followers.append(follower)
                sources += (follower.scope, follower.inbox)
            elif self._gone(leader, member) and not peer.active:
                sources += (host, host.power)
                if peer.channel.state is not Connectivity.TRANSIENT_FAILURE:
                    if not peer.only_heartbeats_wait:
                        return None
                    silent.append(peer)
            else:
                return None
        group = [leader, *followers]
        # A member that is cut off may still take the others, who rest without it, for its group.
        if 2 * len(group) <= len(leader.members) or node not in group:
            return None
        wake = partial(self._wake, leader, leader.ticker.due, followers, silent)
        dormant = Dormant(self.ctx.clock.quiescence, sources, wake)
        for member_node in group:
            member_node.ticker.sleep(dormant)
        for peer in silent:
            peer.sleep(dormant)
        return dormant

    def _leader_of(self, node: RaftNode) -> RaftNode | None:
        """The leader, if it leads undisputed and has nothing to do."""
        member = node.leader
        manager = self.manager_on(member.host) if member is not None else None
        if manager is None:
            return None
        leader = manager.raft
        return leader if leader.leads_steadily and leader.core.term == node.core.term else None

    def _follower(self, leader: RaftNode, member: Member) -> RaftNode | None:
        """The member as it is, if it follows the leader and lacks nothing."""
        manager = self.manager_on(member.host)
        if manager is None or not manager.raft.follows(leader) or manager.raft.core.id != member.raft_id:
            return None
        return manager.raft if self.ctx.fabric.healthy(leader.process.host.name, member.host) else None

    def _gone(self, leader: RaftNode, member: Member) -> bool:
        """Whether nothing the leader sends the member can arrive, until the member's host or the route changes."""
        host = self.ctx.hosts[member.host]
        if not host.powered or not self.ctx.fabric.reaches(leader.process.host.name, host.name):
            return True
        channel = leader.peers[member.raft_id].channel
        return host.listener_at(channel.address) is None and channel.state is Connectivity.TRANSIENT_FAILURE

    def _wake(self, leader: RaftNode, first: float, followers: list[RaftNode], silent: list[Peer]) -> None:
        """``first``: when the leader's first skipped tick was due."""
        now = self.ctx.clock.now
        ticks = leader.fast_forward_leader([follower.core.id for follower in followers])
        for follower in followers:
            heard = first + TICK * (ticks - 1)
            heard += self.ctx.fabric.delay(leader.process.host.name, follower.process.host.name)
            heartbeats = ticks
            if heard > now:
                heard, heartbeats = heard - TICK, heartbeats - 1
            follower.fast_forward_follower(heard if heartbeats > 0 else None)
        for peer in silent:
            peer.fast_forward(ticks)
