"""The way from one Raft member to another (manager/state/raft/transport/peer.go).

One message at a time goes to each peer and is acknowledged within 2 s; a peer whose last message failed is
*inactive*, which is what ``docker node ls`` shows as Unreachable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from swarmsim.raft.core import Raft
from swarmsim.raft.messages import Kind, Message
from swarmsim.sim.future import Future
from swarmsim.sim.host import Process
from swarmsim.sim.journal import Journal
from swarmsim.sim.rpc import Call, RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer
from swarmsim.swarm.api import health
from swarmsim.swarm.api.raft import PROCESS_RAFT_MESSAGE, Member
from swarmsim.trace import rows

SEND_TIMEOUT = 2.0  # seconds, NodeOptions.SendTimeout
MESSAGE_QUEUE = 4096  # transport: messages waiting for one peer
BACKOFF_BASE, BACKOFF_FACTOR, BACKOFF_JITTER = 1.0, 1.6, 0.2  # seconds; grpc backoff.DefaultConfig
BACKOFF_MAX = 8.0  # seconds, transport.go WithBackoffMaxDelay
CONNECT_TIMEOUT = 20.0  # seconds, grpc's minConnectTimeout
TCP_GIVE_UP = 924.6
"""Seconds after which Linux closes a connection on which nothing is acknowledged (tcp_retries2 = 15 and an RTO of
0.2 s: Documentation/networking/ip-sysctl)."""
MEMBER_REMOVED = "raft: member was removed"


class Owner(Protocol):
    """What a peer needs of the Raft node it belongs to."""

    process: Process
    scope: Scope
    journal: Journal
    core: Raft

    @property
    def peers(self) -> Mapping[int, Peer]: ...

    def draw(self) -> float:
        """A number in 0..1 from the node's stream."""

    def removed(self) -> None:
        """The other members say that this one is none."""


class Peer:
    """The way to one other member: a connection, a queue, and whether the last message arrived.

    ``call`` is the message under way, ``None`` if there is none; ``silent_since`` is when the first of the messages
    was sent to which there was no answer of any kind.

    A connection that was refused is tried again after gRPC's backoff, which grows to 8 s; until then
    every message fails at once. So a manager that comes back may not hear from its leader for up to
    about 8 s (transport.go: WithBackoffMaxDelay).
    """

    __slots__ = ("_attempts", "_redial", "active", "call", "connected", "member", "node", "queue", "silent_since")

    def __init__(self, node: Owner, member: Member) -> None:
        self.node = node
        self.member = member
        self.queue: deque[Message] = deque()
        self.call: Call[Message, None] | None = None
        self.active = False
        self.connected = True
        self.silent_since: float | None = None
        self._attempts = 0
        self._redial: PeriodicTimer | None = None

    @property
    def idle(self) -> bool:
        """Whether the last message arrived and no other waits."""
        return self.active and self.connected and self.call is None and not self.queue

    @property
    def patient(self) -> bool:
        """Whether reconnecting has reached its longest pauses."""
        return BACKOFF_BASE * BACKOFF_FACTOR**self._attempts >= BACKOFF_MAX

    def send(self, message: Message) -> None:
        if not self.connected or len(self.queue) >= MESSAGE_QUEUE:
            self._failed(message)
            return
        self.queue.append(message)
        if self.call is None:
            self._next()

    def _next(self) -> None:
        message = self.queue.popleft()
        self.call = self.node.process.begin_call(self.member.host, PROCESS_RAFT_MESSAGE, message, SEND_TIMEOUT)
        self.call.reply.callbacks.append(partial(self._acknowledged, message))
        journal = self.node.journal
        if journal.wants("raft.sent"):
            journal.note(
                rows.RaftSent,
                host=self.node.process.host.name,
                to=self.member.host,
                type=str(message.type),
                term=message.term,
            )

    def _acknowledged(self, message: Message, reply: Future[None]) -> None:
        if not self.node.scope.alive:
            return
        self.call = None
        if reply._ok:
            self.silent_since = None
            self._set_active(True)
            if message.type is Kind.SNAP:
                self.node.core.report_snapshot(self.member.raft_id, True)
        else:
            reply.defused = True
            error = reply._value
            assert isinstance(error, RpcError)
            if error.message == MEMBER_REMOVED:
                self.node.removed()
                return
            self._failed(message)
            if error.broken or self._given_up(error):
                self._disconnected()
        if self.queue:
            self._next()

    def _given_up(self, error: RpcError) -> bool:
        """Whether the kernel has waited long enough for any sign of life."""
        if error.code != "DeadlineExceeded":
            self.silent_since = None
            return False
        now = self.node.scope.clock.now
        if self.silent_since is None:
            self.silent_since = now - SEND_TIMEOUT
        return now - self.silent_since >= TCP_GIVE_UP

    def _failed(self, *messages: Message) -> None:
        self._set_active(False)
        self.node.core.report_unreachable(self.member.raft_id)
        if any(message.type is Kind.SNAP for message in messages):
            self.node.core.report_snapshot(self.member.raft_id, False)

    def _disconnected(self) -> None:
        self.connected = False
        self.silent_since = None
        waiting, self.queue = self.queue, deque()
        self._failed(*waiting)
        self._attempts = 0
        self._redial = None
        self.reconnect()

    def reconnect(self, ago: float = 0.0) -> None:
        """Try to connect, or go on with a try that began so many seconds ago; the next follows after the backoff."""
        if self.node.peers.get(self.member.raft_id) is self:
            reply = self.node.process.connect(
                self.member.host, health.CHECK, health.HealthCheckRequest(), CONNECT_TIMEOUT, ago
            )
            reply.callbacks.append(self._reconnected)

    def _reconnected(self, reply: Future[health.HealthCheckResponse]) -> None:
        if not self.node.scope.alive:
            return
        if reply._ok:
            self.connected = True
            return
        reply.defused = True
        jitter = 1 + BACKOFF_JITTER * (2 * self.node.draw() - 1)
        delay = min(BACKOFF_BASE * BACKOFF_FACTOR**self._attempts, BACKOFF_MAX) * jitter
        if not self.patient:
            self._attempts += 1
        if self._redial is None:
            self._redial = PeriodicTimer(self.node.scope, delay, self.reconnect)
        else:
            self._redial.again(delay)

    def _set_active(self, active: bool) -> None:
        if active != self.active:
            self.active = active
            self.node.process.ctx.mark_changed()
            self.node.journal.note(
                rows.RaftPeer, host=self.node.process.host.name, peer=self.member.host, active=active
            )
