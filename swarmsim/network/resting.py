"""Gossip rests while nothing disturbs it: one rule for all members of a swarm, not one for each pair (docs/time.md).

Probes are answered, push/pulls and bulk syncs find both sides equal, and what was deleted only grows older. So all timers of all
members that know each other are dormant together while

- each knows the same members, all of them there and on one switch whose links are as usual,
- they agree on who is on which network, and on all entries,
- each can read what the others write,
- nobody has anything under way or to tell.

Whoever does something of its own accord, hears something, ends, or sees a link change wakes them all. Members that failed are called in
vain meanwhile: every second where the host refuses; without a pause, three seconds each, where nothing answers (the neighbour is asked
for). Their host's return wakes all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from swarmsim.network.agent import PORT, GossipAgent
from swarmsim.sim.host import SimContext
from swarmsim.sim.net.connection import Address, NetStack
from swarmsim.sim.quiescence import Dormant, Skippable, SkipRule, Source

AgentOn: TypeAlias = Callable[[str], GossipAgent | None]
"""The gossip of a host's engine, if it takes part."""

PACKETS_OF_EXCHANGE = 4
"""SYN, its answer, a state and the other's."""


def gossip_rules(ctx: SimContext, agent_on: AgentOn) -> Mapping[Callable[..., Any], SkipRule]:
    """The rule, by the step of the timer that asks for it: all others sleep with it."""
    return {GossipAgent.look: GossipRule(ctx, agent_on)}


class GossipRule:
    """All members that know each other, dormant together."""

    def __init__(self, ctx: SimContext, agent_on: AgentOn) -> None:
        self.ctx = ctx
        self.agent_on = agent_on
        self._rng = ctx.streams.stream("calm/gossip")

    def dormant(self, timer: Skippable) -> Dormant | None:
        group = self._group(timer.owner)
        if group is None:
            return None
        sources: list[Source] = [self.ctx.fabric]
        for agent in group:
            gone = self._gone(agent)
            if gone is None:
                return None
            sources += (agent.scope, agent)
            for host in gone:
                sources += (host, host.power)
        primaries = Counter(agent.keyring.primary for agent in group)
        for agent in group:
            agent.primaries = primaries
        called: dict[GossipAgent, float | None] = {}
        dormant = Dormant(self.ctx.clock.quiescence, sources, partial(self._wake, called))
        for agent in group:
            called[agent] = agent.sleep(dormant)
        return dormant

    def _group(self, asking: GossipAgent) -> list[GossipAgent] | None:
        """All that it knows, itself first, if nothing is left to be said between them."""
        if not asking.db.settled:
            return None
        group = [asking]
        for name, member in asking.members.members.items():
            if name == asking.db.name:
                continue
            host = self.ctx.by_address.get(member.address)
            agent = self.agent_on(host.name) if host is not None else None
            if agent is None or agent.db.name != name or not agent.scope.alive:
                return None
            if not (asking.keyring.understands(agent.keyring) and asking.db.agrees_with(agent.db) and agent.db.settled):
                return None
            group.append(agent)
        return group if self.ctx.fabric.all_healthy([agent.host.name for agent in group]) else None

    def _gone(self, agent: GossipAgent) -> list[NetStack] | None:
        """The hosts of members that failed, if calling them is in vain: either all are silent, and one is being called, or all refuse,
        and none is."""
        hosts = [self.ctx.by_address[node.address] for node in agent.db.nodes.failed.values()]
        silent = [agent.is_silent(host.address) for host in hosts]
        if not hosts:
            return None if agent.dialing else hosts
        if all(silent):
            return hosts if len(agent.dialing) == 1 else None
        refuse = not any(silent) and all(host.listener_at(Address("tcp", host.address, PORT)) is None for host in hosts)
        return hosts if refuse and not agent.dialing else None

    def _wake(self, called: dict[GossipAgent, float | None]) -> None:
        ends = [agent.host.name for agent in called]
        packet = self.ctx.fabric.transit(ends[0], ends[-1], self._rng) or 0.0
        for agent, began in called.items():
            agent.fast_forward(began, PACKETS_OF_EXCHANGE * packet)
