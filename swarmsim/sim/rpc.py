"""Calls and streams between processes, as gRPC gives them to Swarm.

Three things can happen to a call: an answer (a value or an error with a code), a reset (the other
process is dead or nothing listens: ``Unavailable``, after one round trip), or silence, which only a
time-out ends (``DeadlineExceeded``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic

from simpy.events import PENDING

from swarmsim.sim.clock import FOREVER, Clock, Timer
from swarmsim.sim.future import Future
from swarmsim.sim.method import Message, Method, Reply, Request, StreamMethod
from swarmsim.sim.scope import ModelError

if TYPE_CHECKING:
    from swarmsim.sim.host import Process

CONNECTION_ERROR = "connection error: connection refused"
SYN_SENT = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
"""Seconds after the first at which a SYN is sent again (TCP_TIMEOUT_INIT 1 s, doubling, tcp_syn_retries 6)."""
RESEND_MIN, RESEND_MAX = 0.2, 120.0  # TCP_RTO_MIN, TCP_RTO_MAX


class RpcError(ModelError):
    """An error with a gRPC code (``"Unavailable"``, ``"NotFound"``, …) and a description."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def broken(self) -> bool:
        """Whether the connection failed, as opposed to the other side having answered."""
        return self.code == "Unavailable" and self.message.startswith("connection error")

    def __str__(self) -> str:
        return f"rpc error: code = {self.code} desc = {self.message}"


def refused() -> RpcError:
    return RpcError("Unavailable", CONNECTION_ERROR)


class TimeOuts:
    """When calls give up. Calls that wait equally long fall due in the order they were made.

    So one timer is enough for each length, for the oldest call that is still open. Most calls are answered at once:
    a timer for each would be a third of all events, and would keep what was asked in memory.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._open: dict[float, deque[Call[Any, Any]]] = {}

    def add(self, call: Call[Any, Any], seconds: float) -> None:
        """``call`` is made now and gives up ``seconds`` later."""
        call.deadline = self.clock.now + seconds
        call.impatient = True
        calls = self._open.get(seconds)
        if calls is None:
            self._open[seconds] = deque((call,))
            Timer(self.clock.env, seconds, self._check, (seconds,), FOREVER)
            return
        while calls and calls[0].reply._value is not PENDING:  # Event.triggered, without the call
            calls.popleft()
        calls.append(call)

    def _check(self, seconds: float) -> None:
        calls, now = self._open[seconds], self.clock.now
        while calls:
            call = calls[0]
            if call.impatient and not call.reply.triggered:
                if call.deadline - now > 1e-9:
                    Timer(self.clock.env, call.deadline - now, self._check, (seconds,), FOREVER)
                    return
                call.expire()
            calls.popleft()
        del self._open[seconds]


class Call(Generic[Request, Reply]):
    """One unary call. ``reply`` happens at the client; if it is ``impatient`` it gives up at its ``deadline`` (seconds).

    To the server it is the call's :class:`~swarmsim.sim.method.CallInfo`.
    """

    __slots__ = (
        "_timer",
        "caller",
        "client",
        "deadline",
        "dst",
        "impatient",
        "method",
        "redirected",
        "reply",
        "request",
        "server",
    )

    def __init__(
        self, client: Process, dst: str, method: Method[Request, Reply], request: Request, redirected: bool = False
    ) -> None:
        self.client = client
        self.caller = client.host.name
        self.dst = dst
        self.method = method
        self.request = request
        self.redirected = redirected
        self.reply: Future[Reply] = client.clock.future()
        self.server: Process | None = None
        self.deadline = math.inf
        self.impatient = False
        self._timer: Timer | None = None

    def expire_in(self, seconds: float) -> None:
        """Give up after so many seconds from now, and not before."""
        self.wait_for_ever()
        self.deadline = self.client.clock.now + seconds
        self._timer = self.client.after(seconds, self.expire)

    def wait_for_ever(self) -> None:
        """Do not give up, until :meth:`expire_in` says again when. ``deadline`` stays what it was."""
        self.impatient = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def send(self) -> None:
        self.client.ctx.fabric.send(self.caller, self.dst, self._arrive)

    def send_again(self, ago: float) -> None:
        """Repeat the first packet until there is an answer; the first was sent ``ago`` seconds ago."""
        following = next((sent for sent in SYN_SENT if sent > ago + 1e-9), None)
        if following is not None:
            self.client.after(following - ago, self._repeat, following)

    def _repeat(self, ago: float) -> None:
        if not self.reply.triggered:
            self.send()
            self.send_again(ago)

    def expire(self) -> None:
        self._finish(RpcError("DeadlineExceeded", "context deadline exceeded"), False)

    def reset(self) -> None:
        """The server's kernel closes the connection."""
        self._answer(refused(), False)

    def _arrive(self) -> None:
        host = self.client.ctx.hosts[self.dst]
        if not host.powered:
            return
        listener = host.listeners.get(self.method)
        if listener is None:
            self._answer(refused(), False)
            return
        self.server, handler = listener
        try:
            result = handler(self.request, self)
        except RpcError as error:
            self._answer(error, False)
            return
        if isinstance(result, Future):
            self.server.calls[self] = None
            if result.callbacks is None:
                self._served(result)
            else:
                result.callbacks.append(self._served)
        else:
            self._answer(result, True)

    def _served(self, result: Future[Any]) -> None:
        server = self.server
        assert server is not None
        if not result._ok:
            if not isinstance(result._value, RpcError):
                return  # a bug in the handler: let the clock raise it
            result.defused = True
        if not server.alive:
            return
        server.calls.pop(self, None)
        self._answer(result._value, bool(result._ok))

    def _answer(self, value: Any, ok: bool) -> None:
        self.client.ctx.fabric.send(self.dst, self.caller, self._answered, value, ok)

    def _answered(self, value: Any, ok: bool) -> None:
        """As :meth:`_finish`; the answer's arrival is an event, so whoever waits need not wait for another."""
        reply = self.reply
        if not self.client.alive or reply.triggered:
            return
        reply._ok, reply._value, reply.defused = ok, value, True
        waiting, reply.callbacks = reply.callbacks, None  # type: ignore[assignment]
        for callback in waiting:
            callback(reply)

    def _finish(self, value: Any, ok: bool) -> None:
        reply = self.reply
        if not self.client.alive or reply.triggered:
            return
        if ok:
            reply.succeed(value)
        else:
            reply.defused = True
            reply.fail(value)


class Stream(Generic[Request, Message]):
    """One server stream: the server sends messages until either side closes or a connection breaks.

    Unlike a call's messages, a stream's survive a short cut: TCP keeps sending, and order is kept. To the server it is
    a :class:`~swarmsim.sim.method.ServerStream`; the ``deadline`` is up to the client to keep.
    """

    __slots__ = (
        "_backoff",
        "_on_close",
        "_on_message",
        "_outbox",
        "caller",
        "client",
        "client_open",
        "deadline",
        "dst",
        "method",
        "on_client_gone",
        "redirected",
        "request",
        "server",
        "server_open",
    )

    def __init__(
        self,
        client: Process,
        dst: str,
        method: StreamMethod[Request, Message],
        request: Request,
        on_message: Callable[[Message], object],
        on_close: Callable[[RpcError], object],
        deadline: float = math.inf,
        redirected: bool = False,
    ) -> None:
        self.client = client
        self.caller = client.host.name
        self.dst = dst
        self.method = method
        self.request = request
        self.deadline = deadline
        self.redirected = redirected
        self._on_message = on_message
        self._on_close = on_close
        self._outbox: list[Message] = []
        self._backoff = RESEND_MIN
        self.server: Process | None = None
        self.client_open = True
        self.server_open = False
        self.on_client_gone: Callable[[], object] | None = None

    # -- the client's side

    def open(self) -> None:
        self.client.streams[self] = None
        self.client.ctx.fabric.send(self.client.host.name, self.dst, self._arrive)

    def cancel(self) -> None:
        """The client has enough: the server hears of it, the client hears nothing more."""
        if self.client_open:
            self.client_open = False
            self.client.streams.pop(self, None)
            self.client.ctx.fabric.send(self.client.host.name, self.dst, self._client_gone)

    def _receive(self, message: Message) -> None:
        if self.client_open and self.client.alive:
            self._on_message(message)

    def _closed(self, error: RpcError) -> None:
        if self.client_open and self.client.alive:
            self.client_open = False
            self.client.streams.pop(self, None)
            self._on_close(error)

    # -- the server's side

    def _arrive(self) -> None:
        host = self.client.ctx.hosts[self.dst]
        if not host.powered:
            return
        listener = host.listeners.get(self.method)
        if listener is None:
            self._to_client(self._closed, refused())
            return
        self.server, handler = listener
        self.server_open = True
        self.server.streams[self] = None
        try:
            handler(self.request, self)
        except RpcError as error:
            self.close(error)

    def send(self, message: Message) -> None:
        if not self.server_open:
            return
        if self._outbox:
            self._outbox.append(message)
        elif not self._to_client(self._receive, message):
            self._outbox.append(message)
            self._resend_later()

    def close(self, error: RpcError) -> None:
        """End the stream with an error; every stream here ends that way."""
        if self.server_open:
            self.server_open = False
            assert self.server is not None
            self.server.streams.pop(self, None)
            self._to_client(self._closed, error)

    def _client_gone(self) -> None:
        if self.server_open:
            self.server_open = False
            assert self.server is not None
            self.server.streams.pop(self, None)
            if self.on_client_gone is not None and self.server.alive:
                self.on_client_gone()

    def _resend_later(self) -> None:
        assert self.server is not None
        self.server.after(self._backoff, self._resend)
        self._backoff = min(2 * self._backoff, RESEND_MAX)

    def _resend(self) -> None:
        while self._outbox and self.server_open:
            if not self._to_client(self._receive, self._outbox[0]):
                self._resend_later()
                return
            self._outbox.pop(0)
        self._backoff = RESEND_MIN

    def _to_client(self, deliver: Callable[[Any], object], message: Any) -> bool:
        return self.client.ctx.fabric.send(self.dst, self.client.host.name, deliver, message)

    def reset(self, dead: Process) -> None:
        """One of the two processes was killed: its kernel tells the other."""
        if dead is self.client:
            self.client_open = False
            self.client.ctx.fabric.send(self.client.host.name, self.dst, self._client_gone)
        else:
            self.server_open = False
            self._to_client(self._closed, refused())
