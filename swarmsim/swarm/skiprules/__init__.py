"""What is dormant in a healthy swarm, and what ends that: one rule a file, all of them in one table.

========================  =========================================  ==============================================
timer                     is dormant while                           woken by
========================  =========================================  ==============================================
an agent's heartbeat      its session is registered with the leader  the end of session, of the manager it goes
(:mod:`.heartbeat`)       and the routes there are healthy           through, of leadership; the routes; the node's
                                                                     registration; the heartbeat period
Raft's ticks              one leader, its followers have all it has  the end of any member; any message but a
(:mod:`.raft_ticks`, all  and a majority of members is healthy; the  heartbeat; membership; the leader's routes; a
members together)         others are gone                            lost member's return
a channel's reconnecting  the other side is gone and the pauses      its return; the route; the end of whoever
(:mod:`.reconnect`)       have reached their longest                 connects
the description check     always: a running engine's description     its own end
(:mod:`.lattice`)         does not change
role reconciliation       all that is left would cost the quorum     anything that could be seen to change
(:mod:`.lattice`)
========================  =========================================  ==============================================

A rule says only when a timer may be dormant and which sources end it. Where a component then stands is its own matter: it has a
``fast_forward``, next to what it is a shortcut for. A new rule needs a row here and a case in tests/swarm/test_skiprules.py, which
runs it eagerly and lazily with the same luck, and takes away every ``invalidate`` once.

Dispatcher batches, assignment batches and the scheduler's debounce are beats and deadlines that only exist while there
is something to do. Election countdowns run in Raft's ticks: they are dormant with a follower and run for real without a leader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swarmsim.sim.host import SimContext
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.quiescence import SkipRule
from swarmsim.swarm.agent.agent import NODE_UPDATE_PERIOD, Agent, Session
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.manager.rolemanager import RECONCILE_INTERVAL, RoleManager
from swarmsim.swarm.skiprules.heartbeat import HeartbeatRule, ManagerOn
from swarmsim.swarm.skiprules.lattice import LatticeRule
from swarmsim.swarm.skiprules.raft_ticks import RaftTickRule
from swarmsim.swarm.skiprules.reconnect import ReconnectRule


def skip_rules(ctx: SimContext, manager_on: ManagerOn) -> Mapping[Callable[..., Any], SkipRule]:
    """The table of rules, by the step of the timer they are about."""
    return {
        Session.heartbeat: HeartbeatRule(ctx, manager_on),
        RaftNode.tick: RaftTickRule(ctx, manager_on),
        Channel.redial: ReconnectRule(ctx),
        Agent.check_description: LatticeRule(ctx, NODE_UPDATE_PERIOD, lambda agent: True, ()),
        RoleManager.beat: LatticeRule(ctx, RECONCILE_INTERVAL, lambda roles: roles.stuck, (ctx,)),
    }
