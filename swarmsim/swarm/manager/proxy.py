"""Any manager answers: calls go to the leader (protobuf/plugin/raftproxy, raft.go LeaderConn).

A manager that knows a leader asks it. One that knows none looks again every second until the caller's
time is up; once it has been leaderless for more than 10 ticks, new calls fail at once. If the
connection to the leader breaks, an ordinary call looks for a healthy leader every 500 ms; a stream is
simply broken.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn, TypeAlias

from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import (
    CallInfo,
    Handler,
    Message,
    Method,
    Reply,
    Request,
    ServerStream,
    StreamHandler,
    StreamMethod,
)
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.net.fabric import LOOPBACK
from swarmsim.sim.net.server import Server
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.swarm.api import health
from swarmsim.swarm.manager.raftnode import LOST_QUORUM, RaftNode

LEADER_TICK = 1.0  # seconds, LeaderConn
POLL_INTERVAL = 0.5  # seconds, pollNewLeaderConn
TIMER_LATENESS = 3.2e-5
"""Mean seconds by which one of Go's timers is late: so that of the time-outs a user sees one in seven is Unknown, as observed."""


Local: TypeAlias = Callable[[], Handler[Request, Reply] | None]
"""Gives the leader's own handler, or ``None`` while this manager does not lead."""

LocalStream: TypeAlias = Callable[[], StreamHandler[Request, Message] | None]


class Proxy:
    """Serves methods on every manager."""

    def __init__(self, process: Process, scope: Scope, server: Server, raft: RaftNode) -> None:
        self.process = process
        self.server = server
        self.scope = scope
        self.raft = raft
        self._rng = process.host.rng("proxy")

    def serve(self, method: Method[Request, Reply], local: Local[Request, Reply]) -> None:
        """Answer ``method`` for clients, and for managers that take this one for the leader."""
        self.server.serve(method, partial(self._answer, method, local))

    def serve_stream(self, method: StreamMethod[Request, Message], local: LocalStream[Request, Message]) -> None:
        self.server.serve_stream(method, partial(self._answer_stream, method, local))

    def _answer(
        self, method: Method[Request, Reply], local: Local[Request, Reply], request: Request, call: CallInfo
    ) -> Reply | Future[Reply]:
        if call.redirected or self._known_leader() == self.process.host.name:
            return self._here(local)(request, call)
        return self.scope.spawn(self._ask(method, local, request, call))

    def _here(self, local: Callable[[], Callable[..., Reply] | None]) -> Callable[..., Reply]:
        handler = local()
        if handler is None:
            raise RpcError("Unavailable", "this manager does not lead the swarm")
        return handler

    def _known_leader(self) -> str | None:
        """The host to ask, if there is a leader and the way to it is not known to be broken."""
        leader = self.raft.leader if self.raft.is_member else None
        if leader is None or not self.raft.is_active(leader.raft_id):
            return None
        return leader.host

    def _find_leader(self, deadline: float) -> Activity[str]:
        leader = self._known_leader()
        if leader is not None:
            return leader
        if self.raft.lost_quorum:
            raise RpcError("Unknown", LOST_QUORUM)
        while True:
            left = deadline - self.scope.clock.now
            if left <= LEADER_TICK:
                yield from self._run_out(left)
            yield LEADER_TICK
            leader = self._known_leader()
            if leader is not None:
                return leader

    def _run_out(self, left: float) -> Activity[NoReturn]:
        """The caller's time is up in ``left`` seconds, and both say so: the caller to itself as DeadlineExceeded, this manager,
        whose error is no gRPC status, as Unknown. This manager began to count when the request arrived, but either's timer is
        late by its own bit of chance, and now and then the answer is there first.
        """
        lateness = self._rng.expovariate(1 / TIMER_LATENESS) - self._rng.expovariate(1 / TIMER_LATENESS)
        yield max(0.0, left + LOOPBACK + lateness)
        raise RpcError("Unknown", "context deadline exceeded")

    def _ask(
        self, method: Method[Request, Reply], local: Local[Request, Reply], request: Request, call: CallInfo
    ) -> Activity[Reply]:
        deadline = call.deadline
        leader = yield from self._find_leader(deadline)
        while True:
            try:
                return (yield from self._ask_host(leader, method, local, request, call))
            except RpcError as error:
                if not error.broken:
                    raise
            # The connection failed: look for a leader that is healthy.
            while True:
                left = deadline - self.scope.clock.now
                if left <= POLL_INTERVAL:
                    yield from self._run_out(left)
                yield POLL_INTERVAL
                leader = yield from self._find_leader(deadline)
                try:
                    yield from self._check(leader, deadline)
                    break
                except RpcError:
                    continue

    def _ask_host(
        self, host: str, method: Method[Request, Reply], local: Local[Request, Reply], request: Request, call: CallInfo
    ) -> Activity[Reply]:
        if host == self.process.host.name:
            answer = self._here(local)(request, call)
            return (yield from answer) if isinstance(answer, Future) else answer
        left = max(0.0, call.deadline - self.scope.clock.now)
        return (yield from self._channel(host).call(method, request, left, redirected=True).reply)

    def _channel(self, host: str) -> Channel:
        """The connection that Raft has to another member (PeerConn). Raises :class:`RpcError` if it has none that is active."""
        for peer in self.raft.peers.values():
            if peer.member.host == host and peer.active:
                return peer.channel
        raise RpcError("Unavailable", "connection error: peer is inactive")

    def _check(self, host: str, deadline: float) -> Activity[None]:
        """Whether the leader's Raft answers (pollNewLeaderConn). Raises :class:`RpcError` if not."""
        if host != self.process.host.name:
            left = max(0.0, deadline - self.scope.clock.now)
            yield self._channel(host).call(health.CHECK, health.HealthCheckRequest(), left).reply

    def _answer_stream(
        self,
        method: StreamMethod[Request, Message],
        local: LocalStream[Request, Message],
        request: Request,
        stream: ServerStream[Message],
    ) -> None:
        if stream.redirected:
            self._here(local)(request, stream)
        else:
            self.scope.spawn(self._forward(method, local, request, stream))

    def _forward(
        self,
        method: StreamMethod[Request, Message],
        local: LocalStream[Request, Message],
        request: Request,
        stream: ServerStream[Message],
    ) -> Activity[None]:
        try:
            leader = yield from self._find_leader(stream.deadline)
            if not stream.server_open:
                return
            if leader == self.process.host.name:
                self._here(local)(request, stream)
                return
            channel = self._channel(leader)
        except RpcError as error:
            stream.close(error)
            return
        left = stream.deadline - self.scope.clock.now
        upstream = channel.stream(method, request, stream.send, stream.close, left, redirected=True)
        stream.on_client_gone = upstream.cancel
