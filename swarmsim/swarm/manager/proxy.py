"""Any manager answers: calls go to the leader (protobuf/plugin/raftproxy, raft.go LeaderConn).

A manager that knows a leader asks it. One that knows none looks again every second until the caller's
time is up; once it has been leaderless for more than 10 ticks, new calls fail at once. If the
connection to the leader breaks, an ordinary call looks for a healthy leader every 500 ms; a stream is
simply broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.rpc import RpcError, Stream
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.raftnode import LOST_QUORUM, RaftNode

LEADER_TICK = 1.0  # seconds, LeaderConn
POLL_INTERVAL = 0.5  # seconds, pollNewLeaderConn


def deadline_exceeded() -> RpcError:
    return RpcError("DeadlineExceeded", "context deadline exceeded")


class Proxy:
    """``local(method)`` is the leader's own handler, or ``None`` while this manager does not lead."""

    def __init__(
        self, process: Process, scope: Scope, raft: RaftNode, local: Callable[[str], Callable[[Any], Any] | None]
    ) -> None:
        self.process = process
        self.scope = scope
        self.raft = raft
        self.local = local

    def serve(self, method: str) -> None:
        """Answer ``method`` for clients, and ``leader.<method>`` for other managers.

        Requests are ``(deadline, payload)``; the deadline is when the caller stops waiting.
        """
        self.process.serve(method, lambda request: self.call(method, *request), self.scope)
        self.process.serve(f"leader.{method}", lambda request: self._as_leader(method, request[1]), self.scope)

    def serve_stream(self, method: str) -> None:
        self.process.serve(method, lambda stream: self.scope.spawn(self._forward(method, stream)), self.scope)
        self.process.serve(f"leader.{method}", lambda stream: self._as_leader(method, stream), self.scope)

    def call(self, method: str, deadline: float, payload: Any) -> Any:
        """The answer of the leader: a value, or an event for it."""
        leader = self._known_leader()
        if leader == self.process.host.name:
            return self._as_leader(method, payload)
        return self.scope.spawn(self._ask(method, deadline, payload))

    def _as_leader(self, method: str, payload: Any) -> Any:
        handler = self.local(method)
        if handler is None:
            raise RpcError("Unavailable", "this manager does not lead the swarm")
        return handler(payload)

    def _known_leader(self) -> str | None:
        """The host to ask, if there is a leader and the way to it is not known to be broken."""
        leader = self.raft.leader
        if leader is None or not self.raft.is_active(leader.raft_id):
            return None
        return leader.host

    def _find_leader(self, deadline: float) -> Activity[Any]:
        leader = self._known_leader()
        if leader is not None:
            return leader
        if self.raft.lost_quorum:
            raise RpcError("Unknown", LOST_QUORUM)
        while True:
            left = deadline - self.scope.clock.now
            if left <= LEADER_TICK:
                yield max(0.0, left)
                raise deadline_exceeded()
            yield LEADER_TICK
            leader = self._known_leader()
            if leader is not None:
                return leader

    def _ask(self, method: str, deadline: float, payload: Any) -> Activity[Any]:
        leader = yield from self._find_leader(deadline)
        while True:
            try:
                return (yield from self._ask_host(leader, method, deadline, payload))
            except RpcError as error:
                if not error.broken:
                    raise
            # The connection failed: look for a leader that is healthy.
            while True:
                left = deadline - self.scope.clock.now
                if left <= POLL_INTERVAL:
                    yield max(0.0, left)
                    raise deadline_exceeded()
                yield POLL_INTERVAL
                leader = yield from self._find_leader(deadline)
                try:
                    yield from self._ask_host(leader, "health", deadline, None)
                    break
                except RpcError:
                    continue

    def _ask_host(self, host: str, method: str, deadline: float, payload: Any) -> Activity[Any]:
        if host == self.process.host.name:
            if method == "health":
                return None
            answer = self._as_leader(method, payload)
            return (yield answer) if hasattr(answer, "callbacks") else answer
        left = max(0.0, deadline - self.scope.clock.now)
        return (yield self.process.call(host, f"leader.{method}", (deadline, payload), left))

    def _forward(self, method: str, stream: Stream) -> Activity[Any]:
        try:
            leader = yield from self._find_leader(stream.request[0])
            if not stream.server_open:
                return
            if leader == self.process.host.name:
                self._as_leader(method, stream)
                return
        except RpcError as error:
            stream.close(error)
            return
        upstream = self.process.stream(leader, f"leader.{method}", stream.request, stream.send, stream.close)
        stream.on_client_gone = upstream.cancel
