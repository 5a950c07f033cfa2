"""Calls and streams, as gRPC gives them to whoever programs with it.

A call ends in one of three ways: an answer (a value, or an error with a code), a connection that broke or never came about
(``Unavailable``), or its deadline (``DeadlineExceeded``). A stream is opened by the client and then carries the server's messages until
either side closes it or their connection ends. Calls and streams of one :class:`~swarmsim.sim.net.channel.Channel` share its connection:
what breaks it ends all of them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from swarmsim.sim.clock import FOREVER, Clock, Timer
from swarmsim.sim.future import Future
from swarmsim.sim.method import Message, Method, Reply, Request, StreamMethod
from swarmsim.sim.net.connection import Socket
from swarmsim.sim.net.status import RpcError, deadline_exceeded
from swarmsim.sim.scope import Scope

Carried = TypeVar("Carried", contravariant=True)


class Transport(Protocol[Carried]):
    """One end of a connection that calls and streams share. Who has ended there has :meth:`left` it."""

    socket: Socket

    def left(self, rpc: Carried, /) -> None: ...


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
            Timer(self.clock.env, call.deadline, self._check, (seconds,), FOREVER)
            return
        while calls and calls[0].reply.triggered:
            calls.popleft()
        calls.append(call)

    def _check(self, seconds: float) -> None:
        calls, now = self._open[seconds], self.clock.now
        while calls:
            call = calls[0]
            if call.impatient and not call.reply.triggered:
                if call.deadline - now > 1e-9:
                    Timer(self.clock.env, call.deadline, self._check, (seconds,), FOREVER)
                    return
                call.expire()
            calls.popleft()
        del self._open[seconds]


class Call(Generic[Request, Reply]):
    """One unary call. ``reply`` happens at the client; if it is ``impatient`` it gives up at ``deadline`` (seconds).

    To the server it is the call's :class:`~swarmsim.sim.method.CallInfo`.
    """

    __slots__ = ("_timer", "caller", "deadline", "impatient", "method", "redirected", "reply", "request", "transport")

    def __init__(
        self, clock: Clock, caller: str, method: Method[Request, Reply], request: Request, redirected: bool
    ) -> None:
        self.caller = caller
        self.method = method
        self.request = request
        self.redirected = redirected
        self.reply: Future[Reply] = clock.future()
        self.deadline = math.inf
        self.impatient = False
        self.transport: Transport[Call[Any, Any]] | None = None
        """The connection it goes over, once there is one."""
        self._timer: Timer | None = None

    @property
    def over(self) -> bool:
        return self.reply.triggered

    def expire_in(self, seconds: float, owner: Scope) -> None:
        """Give up after so many seconds from now, and not before, if ``owner`` still lives then."""
        self.wait_for_ever()
        self.deadline = owner.clock.now + seconds
        self._timer = owner.after(seconds, self.expire)

    def wait_for_ever(self) -> None:
        """Do not give up, until :meth:`expire_in` says again when. ``deadline`` stays what it was."""
        self.impatient = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def expire(self) -> None:
        self.fail(deadline_exceeded())

    def fail(self, error: RpcError) -> None:
        """There will be no answer."""
        reply = self.reply
        if not reply.triggered:
            self._leave()
            reply.defused = True
            reply.fail(error)

    def answered(self, value: Any, ok: bool) -> None:
        """The answer has arrived. Its arrival is an event, so whoever waits need not wait for another."""
        reply = self.reply
        if reply.triggered:
            return
        self._leave()
        reply._ok, reply._value, reply.defused = ok, value, True
        waiting, reply.callbacks = reply.callbacks, None  # type: ignore[assignment]
        for callback in waiting:
            callback(reply)

    def _leave(self) -> None:
        if self.transport is not None:
            self.transport.left(self)


class Stream(Generic[Request, Message]):
    """One server stream. The client is given ``on_message`` for each message and ``on_close`` once, when the server or the connection ends it.

    To the server it is a :class:`~swarmsim.sim.method.ServerStream`; the ``deadline`` is up to the client to keep.
    """

    __slots__ = (
        "_on_close",
        "_on_message",
        "caller",
        "deadline",
        "method",
        "on_client_gone",
        "open",
        "redirected",
        "request",
        "server",
        "server_open",
        "transport",
    )

    def __init__(
        self,
        caller: str,
        method: StreamMethod[Request, Message],
        request: Request,
        deadline: float,
        redirected: bool,
        on_message: Callable[[Message], object],
        on_close: Callable[[RpcError], object],
    ) -> None:
        self.caller = caller
        self.method = method
        self.request = request
        self.redirected = redirected
        self.deadline = deadline
        self._on_message = on_message
        self._on_close = on_close
        self.transport: Transport[Stream[Any, Any]] | None = None
        self.server: Transport[Stream[Any, Any]] | None = None
        self.open = True
        """At the client."""
        self.server_open = False
        self.on_client_gone: Callable[[], object] | None = None

    @property
    def over(self) -> bool:
        return not self.open

    # -- the client's side

    def cancel(self) -> None:
        """The client has enough: the server hears of it, the client hears nothing more."""
        if self.open:
            self.open = False
            transport = self.transport
            if transport is not None:
                transport.socket.send(self._cancelled)
                transport.left(self)

    def received(self, message: Message) -> None:
        if self.open:
            self._on_message(message)

    def fail(self, error: RpcError) -> None:
        if self.open:
            self.open = False
            if self.transport is not None:
                self.transport.left(self)
            self._on_close(error)

    # -- the server's side

    def send(self, message: Message) -> None:
        if self.server_open:
            assert self.server is not None
            self.server.socket.send(self.received, message)

    def close(self, error: RpcError) -> None:
        """End the stream with an error; every stream here ends that way."""
        if self.server_open:
            self.server_open = False
            assert self.server is not None
            self.server.left(self)
            self.server.socket.send(self.fail, error)

    def _cancelled(self) -> None:
        if self.server_open:
            self.server_open = False
            assert self.server is not None
            self.server.left(self)
            if self.on_client_gone is not None:
                self.on_client_gone()
