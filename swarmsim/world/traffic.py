"""Clients that ask again and again, however it goes (open loop): requests of one kind at a steady rate.

A request is tried, and after a failure up to ``retries`` times more, at once; each try has ``timeout`` seconds. With connections that are
kept each host asked has so many; a request that finds all of them busy waits for its turn, and its time runs. UDP's sockets are taken in turn
whether or not they wait for an answer.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Any

from swarmsim.engine.containers import Container
from swarmsim.network.connection import Connection, Door, Outcome
from swarmsim.network.loadbalancer import Flow
from swarmsim.sim.clock import Timer
from swarmsim.sim.future import Future
from swarmsim.sim.scope import Scope
from swarmsim.trace import rows
from swarmsim.world import OUTSIDE, TrafficPlan
from swarmsim.world.clients import Answer, Clients
from swarmsim.world.standpoint import InContainer, OnHost, Standpoint

Done = Callable[[Answer], object]
Socket = tuple[Door, Flow]
BEYOND_ROUNDING = 1e-9


def percentile(ordered: list[float], share: float) -> float | None:
    """The value that so large a share of them does not exceed; ``None`` if there are none.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([], 0.5)
    (2.0, None)
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


class Traffic:
    """One plan that is carried out; ``over`` happens when the last request has ended."""

    def __init__(self, clients: Clients, scope: Scope, plan: TrafficPlan) -> None:
        self.clients = clients
        self.scope = scope
        self.plan = plan
        self.over: Future[None] = scope.clock.future()
        self.outcomes: dict[str, int] = {}
        self._clock = scope.clock
        self._began = scope.clock.now
        self._count = math.ceil(plan.rate * plan.duration - BEYOND_ROUNDING)
        self._sent = self._under_way = 0
        self._took: list[float] = []
        self._pools: dict[tuple[Standpoint, str], _Pool] = {}
        self._sockets: dict[tuple[Standpoint, str], deque[Socket]] = {}
        """Those that are kept, the next one first."""
        self._standpoints: dict[str, Standpoint] = {}
        scope.after(0.0, self._next)

    def _next(self) -> None:
        number = self._sent
        if number >= self._count:
            self._check_over()
            return
        self._sent += 1
        self.scope.after(self._began + (number + 1) / self.plan.rate - self._clock.now, self._next)
        plan, to = self.plan, self.plan.to[number % len(self.plan.to)]
        if plan.service:
            containers = self.clients.askers(plan.service)
            if containers:
                self._under_way += 1
                _Asked(self, to, self._inside(containers[number // len(plan.to) % len(containers)])).go()
        elif plan.source == OUTSIDE or self.clients.engines[plan.source].host.powered:
            self._under_way += 1
            _Asked(self, to, self._on_host).go()

    @cached_property
    def _on_host(self) -> Standpoint:
        return OnHost(self.clients, self.plan.source)

    def _inside(self, container: Container) -> Standpoint:
        standpoint = self._standpoints.get(container.id)
        if standpoint is None:
            engine = self.clients.engines[container.host.name]
            standpoint = self._standpoints[container.id] = InContainer(
                self.clients, engine, container, self.plan.caches
            )
        return standpoint

    def ask(self, to: str, standpoint: Standpoint, done: Done) -> None:
        """Try once."""
        plan, clients = self.plan, self.clients
        if plan.protocol == "udp":
            self._send(to, standpoint, done)
            return
        if plan.keeps:
            pool = self._pools.get((standpoint, to))
            if pool is None:
                pool = self._pools[standpoint, to] = _Pool(clients, plan, standpoint, to)
            pool.ask(done)
            return
        address = self._address(to, standpoint, done)
        if address is not None:
            standpoint.get(address, plan.port, plan.timeout, done)

    def _send(self, to: str, standpoint: Standpoint, done: Done) -> None:
        """Try once with a datagram: over a socket of its own, or the next of those that are kept."""
        plan = self.plan
        kept = self._sockets.setdefault((standpoint, to), deque())
        if plan.keeps and len(kept) >= plan.keeps:
            socket = kept.popleft()
        else:
            address = self._address(to, standpoint, done)
            if address is None:
                return
            socket = standpoint.socket(address, plan.port)
        if plan.keeps:
            kept.append(socket)
        standpoint.send(socket, plan.timeout, done)

    def _address(self, to: str, standpoint: Standpoint, done: Done) -> str | None:
        """The first address of a name; ``done`` hears that nobody knows it."""
        found = standpoint.find(to)
        if found.addresses:
            return found.addresses[0]
        seconds = found.seconds if found.answered else self.plan.timeout
        self.clients.wires.after(seconds, done, Answer(Outcome.UNKNOWN, seconds))
        return None

    def ended(self, request: rows.Request) -> None:
        self.outcomes[request["out"]] = self.outcomes.get(request["out"], 0) + 1
        if request["out"] == Outcome.OK:
            self._took.append(request["ms"])
        self.clients.ctx.journal.note(rows.Request, **request)
        self._under_way -= 1
        self._check_over()

    def _check_over(self) -> None:
        if self._sent < self._count or self._under_way or self.over.triggered:
            return
        for pool in self._pools.values():
            pool.close()
        took = sorted(self._took)
        self.clients.ctx.journal.note(
            rows.TrafficEnded,
            traffic=self.plan.name,
            requests=sum(self.outcomes.values()),
            outcomes=dict(sorted(self.outcomes.items())),
            median=percentile(took, 0.5),
            p99=percentile(took, 0.99),
        )
        self.over.succeed()


def _task(container: str) -> str:
    """The task of a container, by its name.

    >>> _task("web.2.k1x")
    'web.2'
    """
    return container.rpartition(".")[0]


class _Asked:
    """One request, with its tries."""

    __slots__ = ("_began", "_standpoint", "_to", "_traffic", "_tries")

    def __init__(self, traffic: Traffic, to: str, standpoint: Standpoint) -> None:
        self._standpoint = standpoint
        self._traffic = traffic
        self._to = to
        self._began = traffic.scope.clock.now
        self._tries = 0

    def go(self) -> None:
        self._tries += 1
        self._traffic.ask(self._to, self._standpoint, self._answered)

    def _answered(self, answer: Answer) -> None:
        traffic, plan = self._traffic, self._traffic.plan
        if answer.outcome is not Outcome.OK and self._tries <= plan.retries:
            self.go()
            return
        chosen: dict[str, Any] = {"via": answer.via} if answer.via else {}
        traffic.ended(
            {
                "traffic": plan.name,
                "src": self._source,
                "to": self._to,
                "port": plan.port,
                "began": round(self._began, 6),
                "ms": round(1000 * (traffic.scope.clock.now - self._began), 3),
                "out": str(answer.outcome),
                "by": _task(answer.by) if answer.by is not None else None,
                "node": answer.node,
                "tries": self._tries,
                **chosen,  # type: ignore[typeddict-item]
            }
        )

    @property
    def _source(self) -> str:
        """Who asked: a host, or a task."""
        asker = self._standpoint
        return _task(asker.container.name) if isinstance(asker, InContainer) else asker.place


class _Pool:
    """The connections to one host that are kept."""

    def __init__(self, clients: Clients, plan: TrafficPlan, standpoint: Standpoint, to: str) -> None:
        self._clients = clients
        self._plan = plan
        self._standpoint = standpoint
        self._to = to
        self._lines: list[_Line] = []
        self._waiting: deque[_Turn] = deque()

    def ask(self, done: Done) -> None:
        self._seat(_Turn(self, done))

    def _seat(self, turn: _Turn) -> None:
        """Onto a connection that has nothing to do, or a new one, for which the name is asked for again, or into the queue."""
        line = next((line for line in self._lines if line.turn is None), None)
        if line is None and len(self._lines) < self._plan.keeps:
            found = self._standpoint.find(self._to)
            if not found.addresses:
                self._clients.wires.after(found.seconds, self.finish, turn, None, Outcome.UNKNOWN)
                return
            line = _Line(self, self._standpoint, found.addresses[0], self._plan.port)
            self._lines.append(line)
        if line is None:
            self._waiting.append(turn)
        else:
            line.take(turn)

    def free(self, line: _Line) -> None:
        """A connection has nothing to do."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.over:
                line.take(turn)
                return

    def lost(self, line: _Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            if not turn.over:
                self._seat(turn)

    def patience(self, fn: Callable[[], object]) -> Timer:
        return self._clients.wires.after(self._plan.timeout, fn)

    def finish(self, turn: _Turn, line: _Line | None, outcome: Outcome) -> None:
        if turn.over:
            return
        turn.over = True
        turn.deadline.cancel()
        if line is None:
            turn.done(Answer(outcome, 0.0))
        else:
            turn.done(self._clients.answer(line.connection, outcome, turn.began))

    def close(self) -> None:
        for line in self._lines:
            line.connection.close()


class _Turn:
    """One request's use of a connection."""

    __slots__ = ("began", "deadline", "done", "line", "over", "pool")

    def __init__(self, pool: _Pool, done: Done) -> None:
        self.pool = pool
        self.done = done
        self.over = False
        self.line: _Line | None = None
        self.deadline = pool.patience(self._give_up)
        self.began = self.deadline.env.now

    def _give_up(self) -> None:
        line = self.line
        self.pool.finish(self, line, Outcome.TIMEOUT)
        if line is not None:
            line.connection.close()
            self.pool.lost(line)


class _Line:
    """One connection that is kept, and whose turn it is."""

    def __init__(self, pool: _Pool, standpoint: Standpoint, address: str, port: int) -> None:
        self.pool = pool
        self.turn: _Turn | None = None
        self.connection: Connection = standpoint.connect(
            address, port, self._end, self._opened, self._answered, keeps=True
        )
        self.connection.start()

    def take(self, turn: _Turn) -> None:
        self.turn, turn.line = turn, self
        if self.connection.open:
            self.connection.request()

    def _opened(self) -> None:
        if self.turn is not None:
            self.connection.request()

    def _answered(self) -> None:
        turn, self.turn = self.turn, None
        if turn is not None:
            self.pool.finish(turn, self, Outcome.OK)
        if self.turn is None:
            self.pool.free(self)

    def _end(self, outcome: Outcome) -> None:
        turn, self.turn = self.turn, None
        self.pool.lost(self)
        if turn is not None:
            self.pool.finish(turn, self, outcome)
