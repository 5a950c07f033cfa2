"""Agents' heartbeats (agent/session.go heartbeat) and the dispatcher's deadline for each node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeAlias

from swarmsim.sim.host import SimContext
from swarmsim.sim.quiescence import Dormant, Phase, Renewals, Route, Skippable
from swarmsim.swarm.agent.agent import Session
from swarmsim.swarm.manager.dispatcher import Registration
from swarmsim.swarm.manager.manager import Manager

ManagerOn: TypeAlias = Callable[[str], Manager | None]
"""The manager that runs on a host, if one does."""


class HeartbeatRule:
    """Heartbeats renew themselves after periods uniform on 4.5..5.5 s and the way there and back.

    The node's deadline at the dispatcher sleeps with them: it is three times the period that began last.
    """

    def __init__(self, ctx: SimContext, manager_on: ManagerOn) -> None:
        self.ctx = ctx
        self.manager_on = manager_on
        self._rng: Random = ctx.streams.stream("calm/heartbeats")

    def dormant(self, timer: Skippable) -> Dormant | None:
        session: Session = timer.owner
        through = self.manager_on(session.manager)
        leader = through.raft.leader if through is not None else None
        head = self.manager_on(leader.host) if leader is not None else None
        if through is None or leader is None or head is None or head.dispatcher is None:
            return None
        dispatcher = head.dispatcher
        registration = dispatcher.registrations.get(session.agent.node_id)
        routes = [Route(session.agent.process.host.name, session.manager)]
        if through is not head:
            routes.append(Route(session.manager, leader.host))
        if (
            registration is None
            or registration.session_id != session.id
            or not through.raft.is_active(leader.raft_id)
            or not session.channel.healthy
            or not (through is head or through.raft.peers[leader.raft_id].channel.healthy)
            or not all(self.ctx.fabric.healthy(*route) for route in routes)
        ):
            return None
        there = sum(self.ctx.fabric.delay(*route) for route in routes)
        interval = timer.due - self.ctx.clock.now
        known = Phase(registration.last_heartbeat(interval) - there, interval, timer.due)
        dormant = Dormant(
            self.ctx.clock.quiescence,
            (timer.scope, through.raft.scope, dispatcher.scope, dispatcher, *routes),
            partial(self._wake, session, registration, dispatcher.heartbeats(2 * there), known),
        )
        registration.sleep(dormant)
        return dormant

    def _wake(self, session: Session, registration: Registration, heartbeats: Renewals, known: Phase) -> None:
        sent = heartbeats.phase(known, self.ctx.clock.now, self._rng)
        registration.fast_forward(sent.last + heartbeats.gap / 2, sent.interval)
        session.fast_forward(sent)
