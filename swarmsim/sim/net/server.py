"""A gRPC server: methods behind one or more listeners (grpc-go server.go, internal/transport/http2_server.go)."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from swarmsim.sim.future import AnyFuture, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import AnyMethod, Handler, Message, Method, Reply, Request, StreamHandler, StreamMethod
from swarmsim.sim.net.connection import Address, Listener, Socket
from swarmsim.sim.net.rpc import Call, Stream
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope

NO_CERTIFICATE = "no client certificates in request"


class ServerTransport:
    """One client's connection, with the streams on it.

    ``unit`` is that of the certificate it was made with; ``None`` on this very host, where everything may be asked. ``name`` is whose it is, and
    ``foreign`` says that it is of another organization.
    """

    __slots__ = ("calls", "foreign", "name", "server", "socket", "streams", "unit")

    def __init__(self, server: Server, socket: Socket) -> None:
        self.server = server
        self.socket = socket
        shown = socket.peer.identity
        self.unit = None if socket.peer.host is socket.host else shown.unit
        self.name = shown.name
        # The process's own: it may have joined a swarm since it began to listen.
        self.foreign = shown.organization != server.process.identity.organization
        self.calls = 0
        self.streams: dict[Stream[Any, Any], None] = {}
        socket.application = self
        socket.on_close = self._client_gone

    def serve(self, call: Call[Any, Any]) -> None:
        """A call has arrived. One that was given up meanwhile is followed by its cancellation, and not served."""
        if call.over:
            return
        handler = self.server.methods.get(call.method)
        if handler is None:
            self._answer(call, RpcError("Unimplemented", f"unknown method {call.method.name}"), False)
            return
        try:
            if self.unit is not None and call.method.roles and not self._allowed(call.method.roles):
                raise self._not_allowed(call.method)
            result = handler(call.request, call)
        except RpcError as error:
            self._answer(call, error, False)
            return
        if isinstance(result, Future):
            self.calls += 1
            if result.callbacks is None:
                self._served(call, result)
            else:
                result.callbacks.append(lambda result: self._served(call, result))
        else:
            self._answer(call, result, True)

    def _allowed(self, roles: tuple[str, ...]) -> bool:
        return self.unit in roles and not self.foreign and self.name not in self.server.removed

    def _not_allowed(self, method: AnyMethod) -> RpcError:
        """What a client is told whose certificate is not for this (ca/auth.go AuthorizeForwardedRoleAndOrg)."""
        if not self.unit:
            why = NO_CERTIFICATE
        elif self.unit not in method.roles:
            why = f"Permission denied: remote certificate not part of OUs: [{' '.join(method.roles)}]"
        elif self.name in self.server.removed:
            why = f"Permission denied: node {self.name} was removed from swarm"
        else:
            why = f"Permission denied: remote certificate not part of organization: {self.server.process.identity.organization}"
        inner = RpcError("PermissionDenied", why)
        return RpcError("PermissionDenied", f"Permission denied: unauthorized peer role: {inner}")

    def _served(self, call: Call[Any, Any], result: AnyFuture) -> None:
        if not result._ok:
            if not isinstance(result._value, RpcError):
                return  # a bug in the handler: let the clock raise it
            result.defused = True
        self.calls -= 1
        self._answer(call, result._value, bool(result._ok))

    def _answer(self, call: Call[Any, Any], value: Any, ok: bool) -> None:
        self.socket.send(call.answered, value, ok)

    def open(self, stream: Stream[Any, Any]) -> None:
        """A stream is wanted."""
        if stream.over:
            return
        stream.server = self
        stream.server_open = True
        self.streams[stream] = None
        handler = self.server.methods.get(stream.method)
        if handler is None:
            stream.close(RpcError("Unimplemented", f"unknown method {stream.method.name}"))
            return
        try:
            if self.unit is not None and stream.method.roles and not self._allowed(stream.method.roles):
                raise self._not_allowed(stream.method)
            handler(stream.request, stream)
        except RpcError as error:
            stream.close(error)

    def left(self, stream: Stream[Any, Any]) -> None:
        self.streams.pop(stream, None)

    def go_away(self) -> None:
        """No new calls, please."""
        transport = self.socket.peer.application
        if transport is not None:
            self.socket.send(transport.go_away)

    def _client_gone(self, why: str) -> None:
        self.server.transports.pop(self, None)
        self.end_streams()
        self.server.check_drained()

    def end_streams(self) -> None:
        streams, self.streams = self.streams, {}
        for stream in streams:
            stream.server_open = False
            if stream.on_client_gone is not None:
                stream.on_client_gone()


class Server:
    """Serves ``methods`` at the given addresses, until ``scope`` ends or it is stopped."""

    def __init__(self, process: Process, scope: Scope, *addresses: str) -> None:
        self.process = process
        self.scope = scope
        self.methods: dict[AnyMethod, Callable[[Any, Any], Any]] = {}
        self.transports: dict[ServerTransport, None] = {}
        self.removed: Container[str] = ()
        """Names of those whose certificates are good for nothing any more."""
        self._drained: Future[None] | None = None
        self._listeners = [
            Listener(process.host, scope, Address.parse(address), process.identity, self._accept)
            for address in addresses
        ]
        scope.on_end(self._scope_ended)

    def serve(self, method: Method[Request, Reply], handler: Handler[Request, Reply]) -> None:
        """Answer ``method`` with ``handler``."""
        self.methods[method] = handler

    def serve_stream(self, method: StreamMethod[Request, Message], handler: StreamHandler[Request, Message]) -> None:
        """Give streams of ``method`` to ``handler``."""
        self.methods[method] = handler

    def graceful_stop(self) -> Future[None]:
        """Listen no more, ask clients to go, and wait until they have (GracefulStop)."""
        if self._drained is None:
            self._drained = self.scope.clock.future()
            for listener in self._listeners:
                listener.close()
            for transport in list(self.transports):
                transport.go_away()
            self.check_drained()
        return self._drained

    def stop(self) -> None:
        """Listen no more and hang up on all clients (Stop)."""
        for listener in self._listeners:
            listener.close()
        for transport in list(self.transports):
            transport.socket.close()
            transport.end_streams()
        self.transports.clear()
        self.check_drained()

    def check_drained(self) -> None:
        if self._drained is not None and not self.transports and not self._drained.triggered:
            self._drained.succeed()

    def _accept(self, socket: Socket) -> None:
        self.transports[ServerTransport(self, socket)] = None

    def _scope_ended(self) -> None:
        for transport in self.transports:
            transport.socket.close()
        self.transports.clear()
