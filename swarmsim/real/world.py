"""Real hosts as a :class:`~swarmsim.world.World`: looks at what their managers show, and the faults they can be given."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

from swarmsim.docker.client import Result
from swarmsim.docker.command import Write
from swarmsim.real.busy import EVERY, Busyness
from swarmsim.real.cluster import RealCluster
from swarmsim.real.journal import Journal
from swarmsim.real.looking import Differences, Onlooker
from swarmsim.real.machine import Machine
from swarmsim.real.verbs import VERBS
from swarmsim.real.waits import Happening
from swarmsim.trace import rows
from swarmsim.trace.state import ClusterState
from swarmsim.world import POLL, Activity, Capability, HostSpec, TrafficPlan
from swarmsim.world.forming import form


class RealWorld(RealCluster):
    """Hosts as of :class:`~swarmsim.real.cluster.RealCluster`, driven by a scenario."""

    capabilities: Collection[Capability] = frozenset({Capability.FORMATION})
    verbs: Collection[str] = VERBS.keys()

    def __init__(
        self, machines: Sequence[Machine], journal: Journal, specs: Mapping[str, HostSpec], described: str = ""
    ) -> None:
        super().__init__(machines, journal, specs, described)
        self._onlooker = Onlooker(machines)
        self._looks = asyncio.Lock()
        self._shown = ClusterState()
        self._differences = Differences()
        self._observed = False
        self._answering: bool | None = None

    def next_event(self) -> float:
        raise NotImplementedError(Capability.JUMP)

    # -- randomness: of failing sites, and what else a scenario draws

    def rng(self, name: str) -> Random:
        return Random(f"{time.time_ns()} {name}")

    def reseed(self, seed: int) -> None:
        raise NotImplementedError(Capability.SEED)

    def introduce(self) -> None:
        for name, spec in self.hosts.items():
            self.note(
                rows.Host,
                host=name,
                role=str(spec.role),
                site=spec.site or None,
                address=spec.address,
                cpus=float(os.cpu_count() or 1),
                memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            )

    # -- looking

    def observe(self) -> None:
        self._observed = True
        self.keep(self._observing())
        self.keep(self._measuring())
        for containers in self.containers.values():
            self.keep(containers.watch())

    async def _observing(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(POLL)

    async def _measuring(self) -> None:
        busyness = Busyness(self.machines)
        while True:
            share = await busyness.share()
            if share is not None:
                self.note(rows.Busy, share=round(share, 3))
            await asyncio.sleep(EVERY)

    def look(self) -> Activity[ClusterState | None]:
        answered = yield Happening.end_of(self.loop, self._look())
        return self._shown if answered else None

    async def _look(self) -> bool:
        """Look once, and write down what is new; whether a manager answered."""
        async with self._looks:
            view = await self._onlooker.look()
            changed = [] if view is None else self._differences.rows(view)
            for row in changed:
                self._shown.apply({"t": self.now, **row})
                if self._observed:
                    self.tell(row)
            answering = view is not None
            if self._observed and answering is not self._answering:
                self._answering = answering
                self.note(rows.ManagerAnswers if answering else rows.NoManagerAnswers)
                changed.append({})
            if changed:
                self.mark_changed()
            return answering

    def until_next_look(self, stream: str) -> float:
        return POLL

    # -- who is what

    def managers(self) -> list[str]:
        shown = [row["node"] for row in self._shown.nodes.values() if row["reach"] is not None]
        return [name for name, spec in self.hosts.items() if (name in shown if shown else spec.role == "manager")]

    def managers_up(self) -> list[str]:
        return [name for name in self.managers() if self.machines[name].engine_runs]

    def leader(self) -> str | None:
        return next((row["node"] for row in self._shown.nodes.values() if row["leader"]), None)

    def powered(self, host: str) -> bool:
        return self.machines[host].powered

    # -- what one can do

    def form(self) -> Activity[None]:
        yield from form(self)
        yield Happening.end_of(self.loop, self.mark())

    def docker(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        stdin: str = "",
        name: str | None = None,
        write: Write | None = None,
        interrupt: Happening[None] | None = None,
    ) -> Activity[Result]:
        typed: Result = yield Happening.end_of(self.loop, self.type(host, line, limit, stdin, name, write, interrupt))
        return typed

    def curl(self, host: str, line: str, *_: Any) -> Activity[Result]:
        raise NotImplementedError(Capability.PACKETS)

    def traffic(self, plan: TrafficPlan) -> Activity[None]:
        raise NotImplementedError(Capability.PACKETS)

    def fault(self, verb: str, argument: Any) -> Activity[list[str]]:
        hit: list[str] = yield Happening.end_of(self.loop, VERBS[verb](self, argument))
        return hit

    def isolate(self, hosts: list[str]) -> Activity[Callable[[], Activity[None]]]:
        number = self.cuts.separate(hosts)
        yield Happening.end_of(self.loop, self.apply_cuts())

        def rejoin() -> Activity[None]:
            self.cuts.rejoin(number)
            yield Happening.end_of(self.loop, self.apply_cuts())

        return rejoin

    async def leave(self) -> None:
        await self._onlooker.close()
