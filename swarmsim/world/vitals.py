"""What a swarm is able to do at every moment, whether or not anybody in it can tell.

Two kinds of rows, written when something changes:

- ``quorum``: ``managers`` (members of the Raft group), ``up`` (those whose manager runs), ``quorum`` (whether one of
  them reaches a majority), ``leader`` (the host that leads such a majority, ``None`` if nobody does);
- ``serving``: ``service``, ``running`` (containers alive, also on hosts that no manager sees), ``replicas`` (wanted
  by the service's specification; ``None`` for a global service, 0 once it is removed).

They are the truth availability is measured by (:mod:`swarmsim.analysis.availability`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from swarmsim.sim.quiescence import Dormant, Route, Source
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.node import SwarmNode
from swarmsim.swarm.objects import Service
from swarmsim.swarm.store import Change, MemoryStore
from swarmsim.trace import rows
from swarmsim.trace.state import CONTAINER_ROWS
from swarmsim.world.cluster import SimulatedCluster


class Vitals:
    """Watches one world from now on and notes the rows above."""

    def __init__(self, world: SimulatedCluster) -> None:
        self.world = world
        self.journal = world.journal
        self._members: tuple[Member, ...] = ()
        self._shown: rows.Quorum | None = None
        self._asked = False
        self._replicas: dict[str, int | None] = {}
        self._running: dict[str, int] = {}
        self._store: MemoryStore | None = None
        self._unwatch: Callable[[], None] = lambda: None
        for engine in world.engines.values():
            for container in engine.containers.values():
                if container.alive and container.service is not None:
                    self._count(container.service, 1)
        self.journal.subscribe(self._container_changed, only=CONTAINER_ROWS)
        self._look()

    # -- quorum and leader

    def _look(self) -> None:
        """Note what is so now, and look again after whatever could change it."""
        self._asked = False
        candidates = sorted({*self._hosts(), *self.world.managers()})
        up = {host: raft for host in candidates if (raft := self.world.raft_on(host)) is not None}
        leading = sorted((raft for raft in up.values() if raft.is_leader), key=lambda raft: -raft.core.term)
        leader = next((raft for raft in leading if self._leads_a_majority(raft, up)), None)
        if leading:
            self._members = tuple((leader or leading[0]).members.values())
        if leader is not None:
            self._watch(leader.store)
        hosts = self._hosts()
        shown: rows.Quorum = {
            "managers": len(hosts),
            "up": sum(host in up for host in hosts),
            "quorum": any(self._reaches_majority(host, hosts, up) for host in hosts if host in up),
            "leader": leader.process.host.name if leader is not None else None,
        }
        if shown != self._shown:
            self._shown = shown
            self.journal.note(rows.Quorum, **shown)
        sources: list[Source] = [RaftNode, SwarmNode, *(self.world.ctx.hosts[host] for host in hosts)]
        for raft in up.values():
            sources += (raft, raft.scope)
        sources += (Route(*pair) for pair in combinations(hosts, 2))
        Dormant(self.world.clock.quiescence, sources, self._invalidated)

    def _invalidated(self) -> None:
        if not self._asked:
            self._asked = True
            self.world.scope.after(0.0, self._look)

    def _hosts(self) -> list[str]:
        """The members' hosts; before the first leader is known, those that are managers."""
        return sorted({member.host for member in self._members}) or self.world.managers()

    def _reaches_majority(self, host: str, members: list[str], up: dict[str, RaftNode]) -> bool:
        reached = sum(1 for other in members if other in up and self.world.ctx.fabric.reaches(host, other))
        return 2 * reached > len(members)

    def _leads_a_majority(self, raft: RaftNode, up: dict[str, RaftNode]) -> bool:
        """A leader that was cut off thinks for a while that it still leads."""
        members = sorted({member.host for member in raft.members.values()})
        return self._reaches_majority(raft.process.host.name, members, up)

    # -- services

    def _watch(self, store: MemoryStore) -> None:
        """Follow the specifications as the leader has them."""
        if store is self._store:
            return
        self._unwatch()
        self._store = store
        self._unwatch = store.watch(self._changed)
        wanted = {service.name: _replicas(service) for service in store.table(Service).values()}
        for name in sorted(self._replicas.keys() | wanted.keys()):
            self._want(name, wanted.get(name, 0))

    def _changed(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if type(change.obj) is Service:
                self._want(change.obj.name, 0 if change.action == "delete" else _replicas(change.obj))

    def _want(self, service: str, replicas: int | None) -> None:
        if self._replicas.get(service, 0) != replicas:
            self._replicas[service] = replicas
            self._note_service(service)

    def _container_changed(self, row: dict[str, Any]) -> None:
        service = row["service"]
        if service is not None:
            self._count(service, 1 if row["kind"] == "container.started" else -1)
            self._note_service(service)

    def _count(self, service: str, change: int) -> None:
        self._running[service] = self._running.get(service, 0) + change

    def _note_service(self, service: str) -> None:
        self.journal.note(
            rows.Serving,
            service=service,
            running=self._running.get(service, 0),
            replicas=self._replicas.get(service, 0),
        )


def _replicas(service: Service) -> int | None:
    return service.replicas if service.is_replicated else None
