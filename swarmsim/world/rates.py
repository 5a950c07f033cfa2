"""Traffic of which only rates are asked for: no packet is sent, and what becomes of requests is worked out (a fluid).

**The law.** Between two changes of any node's tables, of a link, or of a server, what becomes of a request depends on its entry node and on the
task whose turn it is alone, and turns go round, so each of *d* destinations has a share of 1/*d*. A SYN that is lost is sent again after 1, 3, 7, …
seconds: to the same task while the load balancer still has it, to one of the others after that. So requests begun between two changes, or so many
seconds before them, end alike, in shares that are constant; how many of each there are follows from the rate.

**Where it is not exact.** What is under way when something changes is taken to be over: a request more or less for each change, as long as answers
take milliseconds. Packets lost by chance (a lossy link) are sent again in time. What a kernel says of a port without tasks at its limit of one
message a second is counted as so many refusals, and the others time out.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

from swarmsim.engine.server import ContainerServer
from swarmsim.network.connection import (
    ARP_FAILS,
    REQUEST,
    SYN_RETRIES,
    SYN_RTO,
    VXLAN_OVERHEAD,
    VXLAN_PORT,
    Outcome,
    size_of,
)
from swarmsim.network.kernel import Kernel, Server
from swarmsim.sim.future import Future
from swarmsim.sim.scope import Scope
from swarmsim.trace import rows
from swarmsim.trace.rows import Row
from swarmsim.world import OUTSIDE, TrafficPlan
from swarmsim.world.clients import Clients

CHANGES = frozenset(("container.started", "container.ended", "container.health", "power", "links", "overlay", "ipvs"))
"""Rows after which the shares may be others."""
TOLD_EVERY = 1.0
"""Seconds between two rows of a node that is asked."""
ICMP_RATE = 1.0
"""Messages a second that a port cannot be reached (:mod:`swarmsim.network.icmp`)."""

Fate = tuple[Outcome, str | None]
"""How it ends, and the task that answers."""
LOST: Fate = (Outcome.TIMEOUT, None)
REFUSED: Fate = (Outcome.REFUSED, None)
NOBODY: Fate = (Outcome.REFUSED, "")
"""There is no destination: refused as far as the kernel may say so, lost else."""


class Entry(NamedTuple):
    """What a node did with a SYN at a moment: the fate of those to each destination, by address, and which get their turn."""

    fates: dict[str, Fate]
    turns: tuple[str, ...]
    otherwise: Fate = LOST
    """Of one for which there is no destination."""


class Rates:
    """One plan that is worked out; ``over`` happens when the last request would have ended."""

    def __init__(self, clients: Clients, scope: Scope, plan: TrafficPlan) -> None:
        self.clients = clients
        self.plan = plan
        self.scope = scope
        self.over: Future[None] = scope.clock.future()
        self.outcomes: dict[str, int] = {}
        self._clock = scope.clock
        self._began = scope.clock.now
        self._count = math.ceil(plan.rate * plan.duration - 1e-9)
        self._offsets = _attempts(plan.timeout)
        tries = plan.rate / len(plan.to) * len(self._offsets)
        self._told_share = min(1.0, ICMP_RATE / tries)
        """How many tries at a port without tasks are told that nobody is there."""
        self._warming: dict[float, None] = {}
        """When a server listens that does not yet."""
        self._times: list[float] = []
        self._tables: list[dict[str, Entry]] = []
        self._done = self._began
        """Requests begun before have been counted."""
        self._stale = False
        self._credit: dict[str, dict[Fate, float]] = {to: {} for to in plan.to}
        """By node: parts of requests that no row has counted yet."""
        self._untold: dict[tuple[str, Fate], int] = {}
        self._answers: dict[Server, Fate] = {}
        """Of servers that have been looked at in this look."""
        self._told = self._began
        clients.ctx.journal.subscribe(self._changed, only=CHANGES)
        for kernel in clients.wires.kernels.values():
            kernel.watchers.append(self._changed)
        self._look()
        self._tick()

    # -- changes

    def _changed(self, row: Row | None = None) -> None:
        if not self._stale and not self.over.triggered:
            self._stale = True
            self.scope.after(0.0, self._look)

    def _look(self) -> None:
        """What the nodes do from now on."""
        self._stale = False
        if self.over.triggered:
            return
        now = self._clock.now
        self._answers.clear()
        table = {to: self._entry(to) for to in self.plan.to}
        if not self._tables or table != self._tables[-1]:
            self._times.append(now)
            self._tables.append(table)

    def _entry(self, host: str) -> Entry:
        clients, plan = self.clients, self.plan
        wires = clients.wires
        if not wires.powered(host) or not (plan.source == OUTSIDE or wires.fabric.reaches(plan.source, host)):
            gone = Outcome.UNREACHABLE if plan.timeout > ARP_FAILS else Outcome.TIMEOUT
            return Entry({}, (), (gone, None))
        kernel, key = wires.kernels[host], ("tcp", plan.port)
        local = kernel.host_ports.get(key)
        if local is not None:
            return Entry({}, (), self._answer(local.server, local.port))
        sandbox = kernel.bindings.sandboxes.get(kernel.ingress)
        mark = sandbox.ports.get(key) if sandbox is not None else None
        service = sandbox.load_balancer.services.get(mark) if sandbox is not None and mark is not None else None
        if sandbox is None or service is None:
            return Entry({}, (), REFUSED)
        port = ("tcp", sandbox.target_ports.get(key, plan.port))
        fates = {d.address: self._fate(kernel, sandbox.address, d.address, port) for d in service.destinations}
        return Entry(fates, tuple(d.address for d in service.destinations if d.weight), NOBODY)

    def _fate(self, kernel: Kernel, source: str, address: str, port: tuple[str, int]) -> Fate:
        """Of a request that a node's load balancer sends to an address: there over the overlay, and back."""
        wires, network = self.clients.wires, kernel.ingress
        host = kernel.host_of(network, address)
        if host is None or not wires.powered(host) or not wires.fabric.reaches(kernel.host, host):
            return LOST
        there = wires.kernels[host]
        server = there.endpoints.get((network, address))
        if server is None or not (self._carried(kernel.host, host) and self._carried(host, kernel.host)):
            return LOST
        if there.host_of(network, source) is not None:
            server.met.add((network, source))
        elif (network, source) not in server.met:
            return LOST
        answer = self._answers.get(server)
        if answer is None:
            answer = self._answers[server] = self._answer(server, port)
        return answer

    def _carried(self, source: str, target: str) -> bool:
        fabric = self.clients.wires.fabric
        if source == target or not fabric.hindered:
            return True
        return fabric.lets_in(target, "udp", VXLAN_PORT) and fabric.fits(
            source, target, size_of(REQUEST) + VXLAN_OVERHEAD
        )

    def _answer(self, server: Server, port: tuple[str, int]) -> Fate:
        if isinstance(server, ContainerServer) and server.container.alive and server.warming_up:
            self._again_at(self._clock.now + server.listens_in)
        if not server.listens(port):
            return REFUSED
        return (Outcome.OK, server.name.rpartition(".")[0])

    def _again_at(self, t: float) -> None:
        """Look again then; servers that listen at one moment are looked at once."""
        due = round(t, 6) + 1e-6
        if due not in self._warming:
            self._warming[due] = None
            self.scope.after(due - self._clock.now, self._look)

    # -- counting

    def _tick(self) -> None:
        """Count those whose end is known by now: begun so long ago that no try of theirs is still to come."""
        now, plan = self._clock.now, self.plan
        end = self._began + plan.duration
        known = min(end, now - self._offsets[-1])
        if known > self._done:
            cuts = {t - offset for t in self._times for offset in self._offsets}
            edges = [self._done, *sorted(cut for cut in cuts if self._done < cut < known), known]
            for low, high in pairwise(edges):
                self._piece(low, high)
            self._done = known
            self._forget(known)
            self._tell(known)
        if known >= end and now >= end + self._offsets[-1]:
            self._finish()
        else:
            self.scope.after(TOLD_EVERY, self._tick)

    def _piece(self, low: float, high: float) -> None:
        """Requests begun from ``low`` to ``high`` end alike."""
        middle, plan = (low + high) / 2, self.plan
        for place, to in enumerate(plan.to):
            number = self._begun(place, high) - self._begun(place, low)
            if not number:
                continue
            shares: dict[Fate, float] = {}
            self._follow(to, middle, 0, None, 1.0, shares)
            credit = self._credit[to]
            for fate, share in shares.items():
                credit[fate] = credit.get(fate, 0.0) + share * number
            self._settle(to, number)

    def _begun(self, place: int, t: float) -> int:
        """How many requests to the node at a place have been begun before ``t``."""
        total = min(self._count, max(0, math.ceil((t - self._began) * self.plan.rate - 1e-6)))
        return max(0, -((place - total) // len(self.plan.to)))

    def _follow(
        self, to: str, begun: float, attempt: int, known: str | None, share: float, shares: dict[Fate, float]
    ) -> None:
        """Where a share of those begun at ``begun`` ends, from one try on; ``known`` is where the load balancer's table has them go."""
        entry = self._tables[bisect_right(self._times, begun + self._offsets[attempt]) - 1][to]
        chosen = (known,) if known in entry.fates else entry.turns
        last = attempt + 1 == len(self._offsets)
        for address in chosen or (None,):
            fate = entry.otherwise if address is None else entry.fates[address]
            part = share / max(1, len(chosen))
            if fate is NOBODY:
                told = part * self._told_share
                shares[REFUSED] = shares.get(REFUSED, 0.0) + told
                part, fate = part - told, LOST
            if fate == LOST and not last:
                self._follow(to, begun, attempt + 1, address, part, shares)
            else:
                shares[fate] = shares.get(fate, 0.0) + part

    def _settle(self, to: str, number: int) -> None:
        """Whole requests, so many as there were; what is left over of each end is kept for the next."""
        credit = self._credit[to]
        whole = {fate: math.floor(owed) if owed > 0 else 0 for fate, owed in credit.items()}
        missing = number - sum(whole.values())
        if missing > 0:
            for fate in sorted(credit, key=lambda fate: whole[fate] - credit[fate])[:missing]:
                whole[fate] += 1
        for fate, count in whole.items():
            if count:
                credit[fate] -= count
                self._untold[to, fate] = self._untold.get((to, fate), 0) + count

    def _forget(self, known: float) -> None:
        """Tables that no try still comes to."""
        keep = max(0, bisect_right(self._times, known) - 1)
        del self._times[:keep]
        del self._tables[:keep]

    def _tell(self, until: float) -> None:
        """Rows of what has been counted since the last ones."""
        told: dict[tuple[str, Outcome], dict[str, int]] = {}
        for (to, (outcome, task)), count in self._untold.items():
            by = told.setdefault((to, outcome), {})
            by[task or ""] = by.get(task or "", 0) + count
        for (to, outcome), by in told.items():
            count = sum(by.values())
            self.outcomes[outcome.value] = self.outcomes.get(outcome.value, 0) + count
            self.clients.ctx.journal.note(
                rows.Requests,
                traffic=self.plan.name,
                src=self.plan.source,
                to=to,
                port=self.plan.port,
                began=round(self._told, 6),
                until=round(until, 6),
                out=outcome.value,
                n=count,
                by={task: n for task, n in by.items() if task},
            )
        self._untold.clear()
        self._told = until

    def _finish(self) -> None:
        self.clients.ctx.journal.note(
            rows.TrafficEnded,
            traffic=self.plan.name,
            requests=sum(self.outcomes.values()),
            outcomes=dict(sorted(self.outcomes.items())),
            median=None,
            p99=None,
        )
        self.over.succeed()


def _attempts(timeout: float) -> list[float]:
    """When SYNs are sent within a client's patience, in seconds from the first.

    >>> _attempts(2.0), _attempts(0.5)
    ([0.0, 1.0], [0.0])
    """
    return [at for at in (SYN_RTO * (2**number - 1) for number in range(SYN_RETRIES + 1)) if at < timeout]
