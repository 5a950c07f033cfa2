"""The way from one Raft member to another (manager/state/raft/transport/peer.go).

One message at a time goes to each peer, over a gRPC channel of its own, and is answered within 2 s; a peer whose last message
failed is *inactive*, and so is one that has not been heard of yet: that is what ``docker node ls`` shows as Unreachable.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Protocol

from swarmsim.raft.core import Raft
from swarmsim.raft.messages import Kind, Message
from swarmsim.sim.future import Future
from swarmsim.sim.host import Process
from swarmsim.sim.journal import Journal
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.net.rpc import Call
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.quiescence import Dormant, ticks_until
from swarmsim.sim.scope import Scope
from swarmsim.swarm.api import health
from swarmsim.swarm.api.raft import PROCESS_RAFT_MESSAGE, Member
from swarmsim.trace import rows

SEND_TIMEOUT = 2.0  # seconds, NodeOptions.SendTimeout
MESSAGE_QUEUE = 4096  # transport: messages waiting for one peer
BACKOFF_MAX = 8.0  # seconds, transport.go WithBackoffMaxDelay
DEFERRED_CLOSE = 8.0  # seconds for which a removed peer's connection stays, transport.go RemovePeer
MEMBER_REMOVED = "raft: member was removed"


class Owner(Protocol):
    """What a peer needs of the Raft node it belongs to."""

    process: Process
    scope: Scope
    journal: Journal
    core: Raft

    def removed(self) -> None:
        """The other members say that this one is none."""


class Peer:
    """The way to one other member: a channel, a queue, and whether the last message arrived.

    ``call`` is the message under way, ``None`` if there is none. The channel reconnects after pauses that grow to 8 s, and
    between its attempts every message fails at once. So a manager that comes back may not hear from its leader for up to
    about 8 s (transport.go: WithBackoffMaxDelay).
    """

    __slots__ = ("_dormant", "active", "call", "channel", "checking", "member", "node", "queue")

    def __init__(self, node: Owner, member: Member) -> None:
        self.node = node
        self.member = member
        self.queue: deque[Message] = deque()
        self.call: Call[Message, None] | None = None
        self._dormant: Dormant | None = None
        self.active = False
        self.channel = Channel(node.process, node.scope, member.addr, max_backoff=BACKOFF_MAX)
        self.checking = True
        check = self.channel.call(health.CHECK, health.HealthCheckRequest(), SEND_TIMEOUT)
        check.reply.callbacks.append(self._checked)

    @property
    def idle(self) -> bool:
        """Whether the last message arrived and no other waits, on a connection that is healthy."""
        return self.active and not self.checking and self.call is None and not self.queue and self.channel.healthy

    @property
    def only_heartbeats_wait(self) -> bool:
        """Whether a heartbeat is under way and nothing else waits."""
        call = self.call
        if call is None:
            return False
        first = call.request
        return first.type is Kind.HEARTBEAT and all(message == first for message in self.queue)

    def sleep(self, dormant: Dormant) -> None:
        """Nothing arrives, and only heartbeats wait: until :meth:`fast_forward` none of them need be sent or given up. Whoever
        sends something else wakes it.
        """
        assert self.call is not None
        self._dormant = dormant
        self.call.wait_for_ever()

    def fast_forward(self, heartbeats: int) -> None:
        """As if so many heartbeats had been queued since :meth:`sleep`, and one given up every :data:`SEND_TIMEOUT`."""
        self._dormant = None
        call = self.call
        if call is None:
            return  # the connection has just been given up, and with it the message that waited
        now = self.node.scope.clock.now
        given_up = ticks_until(call.deadline, SEND_TIMEOUT, now)
        waiting = min(len(self.queue) + heartbeats - given_up, MESSAGE_QUEUE)
        self.queue.clear()
        self.queue.extend([call.request] * max(0, waiting))
        call.expire_in(call.deadline + SEND_TIMEOUT * given_up - now, self.node.scope)

    def close(self, after: float = 0.0) -> None:
        """Hang up, in so many seconds."""
        self.node.scope.after(after, self.channel.close)

    def send(self, message: Message) -> None:
        if self._dormant is not None:
            self._dormant.wake()
        if len(self.queue) >= MESSAGE_QUEUE:
            self._failed(message)
            return
        self.queue.append(message)
        if self.call is None and not self.checking:
            self._next()

    def _checked(self, reply: Future[health.HealthCheckResponse]) -> None:
        """The member was asked how it is, before anything else is sent (peer.go run)."""
        if not self.node.scope.alive:
            return
        self.checking = False
        if reply._ok:
            self._set_active(True)
        if self.queue:
            self._next()

    def _next(self) -> None:
        message = self.queue.popleft()
        self.call = self.channel.call(PROCESS_RAFT_MESSAGE, message, SEND_TIMEOUT)
        self.call.reply.callbacks.append(partial(self._acknowledged, message))
        self._note_sent(message)

    def _note_sent(self, message: Message) -> None:
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
            # Between attempts to connect whatever waits would fail at this very moment too: hundreds of heartbeats, once a
            # connection to a host without power is given up.
            while self.queue and self.channel.failing:
                waiting = self.queue.popleft()
                self._note_sent(waiting)
                self._failed(waiting)
        if self.queue:
            self._next()

    def _failed(self, message: Message) -> None:
        self._set_active(False)
        self.node.core.report_unreachable(self.member.raft_id)
        if message.type is Kind.SNAP:
            self.node.core.report_snapshot(self.member.raft_id, False)

    def _set_active(self, active: bool) -> None:
        if active != self.active:
            self.active = active
            self.node.process.ctx.mark_changed()
            self.node.journal.note(
                rows.RaftPeer, host=self.node.process.host.name, peer=self.member.host, active=active
            )
