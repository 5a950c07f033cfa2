"""A gRPC channel: the client's connection to one target, made anew whenever it ends (grpc-go clientconn.go, v1.27).

===================  ===========================================  ==============================================
state                a call                                       goes on to
===================  ===========================================  ==============================================
``CONNECTING``       waits                                        ``READY``, or ``TRANSIENT_FAILURE`` when the
                                                                  attempt fails: refused, or after 20 s
``READY``            is sent                                      ``CONNECTING`` at once, when the connection ends
                                                                  or the server says GOAWAY
``TRANSIENT_FAILURE``  fails with the attempt's error, unless     ``CONNECTING`` after the backoff
                     it is to wait for ready
``SHUTDOWN``         fails                                        nothing: the channel was closed
===================  ===========================================  ==============================================

The first pause is 1 s, each further 1.6 times the last, give or take a fifth, at most ``max_backoff``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias

from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.method import Message, Method, Reply, Request, StreamMethod
from swarmsim.sim.net.connection import Address, Socket
from swarmsim.sim.net.dialer import Dialer, DialError
from swarmsim.sim.net.rpc import Call, Stream
from swarmsim.sim.net.server import ServerTransport
from swarmsim.sim.net.status import CLIENT_CLOSING, RpcError, dialing_failed, handshake_failed, transport_closing
from swarmsim.sim.net.tls import Credentials, handshake
from swarmsim.sim.quiescence import Phase, Renewals
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer

BACKOFF_BASE, BACKOFF_FACTOR, BACKOFF_JITTER, BACKOFF_MAX = 1.0, 1.6, 0.2, 120.0  # seconds; grpc backoff.DefaultConfig
CONNECT_TIMEOUT = 20.0  # seconds, grpc's minConnectTimeout


class Connectivity(StrEnum):
    """The state of a channel (grpc connectivity.State)."""

    CONNECTING = "CONNECTING"
    READY = "READY"
    TRANSIENT_FAILURE = "TRANSIENT_FAILURE"
    SHUTDOWN = "SHUTDOWN"


Rpc: TypeAlias = Call[Any, Any] | Stream[Any, Any]


class ClientTransport:
    """One connection of a channel, with the calls and streams on it (grpc internal/transport/http2_client.go)."""

    __slots__ = ("channel", "draining", "remote", "rpcs", "socket")

    def __init__(self, channel: Channel, socket: Socket) -> None:
        self.channel = channel
        self.socket = socket
        self.remote: ServerTransport = socket.peer.application
        self.rpcs: dict[Rpc, None] = {}
        self.draining = False
        socket.application = self
        socket.on_close = self._broken

    def start(self, rpc: Rpc) -> None:
        rpc.transport = self
        self.rpcs[rpc] = None
        self.socket.send(self.remote.serve if type(rpc) is Call else self.remote.open, rpc)

    def left(self, rpc: Rpc) -> None:
        """The client hears no more of ``rpc``."""
        self.rpcs.pop(rpc, None)
        if self.draining and not self.rpcs:
            self.socket.close()

    def go_away(self) -> None:
        """The server takes no new calls; those under way may end."""
        self.draining = True
        self.channel.disconnected(self)
        if not self.rpcs:
            self.socket.close()

    def close(self, error: RpcError) -> None:
        self.socket.close()
        self._fail_all(error)

    def _broken(self, why: str) -> None:
        self.channel.disconnected(self)
        self._fail_all(transport_closing())

    def _fail_all(self, error: RpcError) -> None:
        rpcs, self.rpcs = self.rpcs, {}
        for rpc in rpcs:
            rpc.fail(error)


class Channel:
    """The way from ``process`` to whoever listens at ``target`` (``"10.0.0.1:2377"``), until ``scope`` ends or it is closed.

    It connects as soon as it is made; ``identity`` is what it shows, if not what its process does. Errors of calls are :class:`RpcError`.
    """

    __slots__ = (
        "_attempts",
        "_dialer",
        "_draining",
        "_identity",
        "_timer",
        "_waiting",
        "address",
        "error",
        "max_backoff",
        "process",
        "remote",
        "scope",
        "state",
        "target",
        "transport",
    )

    def __init__(
        self,
        process: Process,
        scope: Scope,
        target: str,
        max_backoff: float = BACKOFF_MAX,
        identity: Credentials | None = None,
    ) -> None:
        self.process = process
        self._identity = identity
        self.scope = scope
        self.target = target
        self.address = Address.parse(target)
        local = self.address.protocol == "unix"
        self.remote = process.host if local else process.ctx.by_address.get(self.address.address)
        """The host it leads to, if the address is anybody's."""
        self.max_backoff = max_backoff
        self.state = Connectivity.CONNECTING
        self.error: RpcError | None = None
        """What the last attempt to connect failed with."""
        self.transport: ClientTransport | None = None
        self._draining: dict[ClientTransport, None] = {}
        self._waiting: dict[Rpc, None] = {}
        self._attempts = 0
        self._timer: PeriodicTimer | None = None
        self._dialer: Dialer | None = None
        scope.on_end(self._scope_ended)
        self.dial()

    # -- what it is used for

    def call(
        self,
        method: Method[Request, Reply],
        request: Request,
        timeout: float,
        *,
        redirected: bool = False,
        wait_for_ready: bool = False,
    ) -> Call[Request, Reply]:
        """Ask; gives up after ``timeout`` seconds."""
        process = self.process
        call = Call(process.clock, process.host.name, method, request, redirected)
        self.process.ctx.time_outs.add(call, timeout)
        self._start(call, wait_for_ready)
        return call

    def stream(
        self,
        method: StreamMethod[Request, Message],
        request: Request,
        on_message: Callable[[Message], object],
        on_close: Callable[[RpcError], object],
        timeout: float = math.inf,
        *,
        redirected: bool = False,
    ) -> Stream[Request, Message]:
        """Open a server stream: ``on_message`` for each message, ``on_close`` once when it ends.

        ``timeout``: for so many seconds the caller will wait for the first message; the server is told.
        """
        process = self.process
        deadline = process.clock.now + timeout
        stream = Stream(process.host.name, method, request, deadline, redirected, on_message, on_close)
        self._start(stream, False)
        return stream

    @property
    def healthy(self) -> bool:
        """Whether it is connected and nothing on its connection is lost."""
        transport = self.transport
        return transport is not None and transport.socket.healthy

    @property
    def failing(self) -> bool:
        """Whether a call made now fails at once, unless it is to wait for ready."""
        return self.transport is None and self.state is Connectivity.TRANSIENT_FAILURE

    @property
    def patient(self) -> bool:
        """Whether reconnecting has reached its longest pauses."""
        return self._attempts > 0 and BACKOFF_BASE * BACKOFF_FACTOR**self._attempts >= self.max_backoff

    def close(self) -> None:
        """Hang up: the server hears of it, open calls fail as ``Canceled``."""
        if self.state is Connectivity.SHUTDOWN:
            return
        self._stop()
        error = RpcError("Canceled", CLIENT_CLOSING)
        waiting, self._waiting = self._waiting, {}
        for transport in self._connections():
            transport.close(error)
        for rpc in waiting:
            rpc.fail(error)

    # -- connecting

    def dial(self, ago: float = 0.0) -> None:
        """Try to connect, or go on with an attempt that began ``ago`` seconds ago; the next follows after the backoff."""
        self.state = Connectivity.CONNECTING
        process = self.process
        backoff = self._backoff()
        self._dialer = Dialer(
            process.host,
            self.scope,
            self.address,
            self._identity or process.identity,
            max(CONNECT_TIMEOUT, backoff),
            lambda result: self._dialed(result, backoff),
            ago,
        )

    def _backoff(self) -> float:
        """Seconds to wait should this attempt fail."""
        if not self._attempts:
            return BACKOFF_BASE
        longest = min(BACKOFF_BASE * BACKOFF_FACTOR**self._attempts, self.max_backoff)
        jitter: float = self.process.host.rng("grpc").random()
        return longest * (1 + BACKOFF_JITTER * (2 * jitter - 1))

    def _dialed(self, result: Socket | DialError, backoff: float) -> None:
        self._dialer = None
        error: RpcError | None = None
        if isinstance(result, DialError):
            error = dialing_failed(result)
        elif self.address.protocol != "unix":
            refusal = handshake(result.identity, result.peer.identity)
            if refusal is not None:
                error = handshake_failed(refusal)
                result.close()
        if error is not None:
            self.state = Connectivity.TRANSIENT_FAILURE
            self.error = error
            if not self.patient:
                self._attempts += 1
            if self._timer is None:
                self._timer = PeriodicTimer(self.scope, backoff, self.redial)
            else:
                self._timer.again(backoff)
            waiting, self._waiting = self._waiting, {}
            for rpc in waiting:
                rpc.fail(error)
            return
        assert isinstance(result, Socket)
        self._attempts = 0
        self.state = Connectivity.READY
        self.transport = ClientTransport(self, result)
        waiting, self._waiting = self._waiting, {}
        for rpc in waiting:
            if not rpc.over:
                self.transport.start(rpc)

    def redial(self) -> None:
        """The backoff is over."""
        self.dial()

    def attempts(self, duration: float) -> Renewals:
        """When attempts to connect begin, once pauses are at their longest and if each fails after ``duration`` seconds."""
        longest = self.max_backoff
        return Renewals(longest * (1 - BACKOFF_JITTER), longest * (1 + BACKOFF_JITTER), duration)

    def fast_forward(self, attempt: Phase, duration: float) -> None:
        """As if every attempt up to now had failed after ``duration`` seconds: ``attempt`` says when the last began."""
        assert self._timer is not None
        elapsed = self.process.clock.now - attempt.last
        if elapsed < duration:
            self._timer.wake(None)
            self.dial(ago=elapsed)
        else:
            self._timer.wake(attempt.next)

    def disconnected(self, transport: ClientTransport) -> None:
        """A connection takes no new calls: another one is made at once."""
        if self.transport is transport and self.state is Connectivity.READY:
            self.transport = None
            if transport.draining:
                self._draining[transport] = None
            self.dial()
        else:
            self._draining.pop(transport, None)

    def _start(self, rpc: Rpc, wait_for_ready: bool) -> None:
        transport = self.transport
        if transport is not None:
            transport.start(rpc)
        elif self.state is Connectivity.CONNECTING or (wait_for_ready and self.state is Connectivity.TRANSIENT_FAILURE):
            self._waiting[rpc] = None
        else:
            error = RpcError("Canceled", CLIENT_CLOSING) if self.state is Connectivity.SHUTDOWN else self.error
            assert error is not None
            self.scope.after(0.0, rpc.fail, error)

    # -- the end

    def _connections(self) -> list[ClientTransport]:
        connections = [*self._draining, *([self.transport] if self.transport is not None else [])]
        self._draining.clear()
        self.transport = None
        return connections

    def _stop(self) -> None:
        self.state = Connectivity.SHUTDOWN
        if self._timer is not None:
            self._timer.stop()
        if self._dialer is not None:
            self._dialer.abandon()
            self._dialer = None

    def _scope_ended(self) -> None:
        """Whoever asked is gone: nobody waits for answers."""
        if self.state is Connectivity.SHUTDOWN:
            return
        self._stop()
        for transport in self._connections():
            transport.socket.close()


def ask_once(
    process: Process, target: str, method: Method[Request, Reply], request: Request, timeout: float
) -> Activity[Reply]:
    """Connect to ``target``, ask one thing and hang up. Raises :class:`RpcError`."""
    channel = Channel(process, process, target)
    try:
        return (yield from channel.call(method, request, timeout).reply)
    finally:
        channel.close()
