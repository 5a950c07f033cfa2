"""What one process may ask another: ``Method[Request, Reply]`` and ``StreamMethod[Request, Message]``, as a .proto file lists them.

A method is a record, made once: the tables are in ``swarm/api/``. Whoever calls names it and gives a request of its type;
whoever serves it gets that request and what is known of the call beside it, and answers with its reply:

>>> HELLO = Method("Greeter/Hello", str, int, ("swarm-manager",))
>>> def hello(request: str, call: CallInfo) -> int:
...     return len(request)
>>> HELLO
<Method Greeter/Hello>
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from swarmsim.sim.future import Future
from swarmsim.sim.net.status import RpcError

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Message = TypeVar("Message")
Sent = TypeVar("Sent", contravariant=True)

ANYONE: tuple[str, ...] = ()
"""The roles of a method that needs no certificate (``tls_authorization`` of ``insecure: true``)."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Named:
    name: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Method(_Named, Generic[Request, Reply]):
    """A unary call: one request, one reply.

    ``roles`` are the organizational units of the certificates whose owners may call it (:class:`~swarmsim.sim.net.server.ServerTransport`).
    """

    request: type[Request]
    reply: type[Reply]
    roles: tuple[str, ...] = ANYONE


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StreamMethod(_Named, Generic[Request, Message]):
    """A server stream: one request, then messages (each of one of these types) until either side ends it."""

    request: type[Request]
    messages: tuple[type[Message], ...]
    roles: tuple[str, ...] = ANYONE


AnyMethod: TypeAlias = Method[Any, Any] | StreamMethod[Any, Any]


class CallInfo(Protocol):
    """What a server knows of a call beside its request; gRPC calls it the context.

    ``caller`` is the host it comes from. ``deadline`` is the simulated second at which the caller stops waiting, infinite if
    it never does. ``redirected``: another manager passed the call on, taking this one for the leader.
    """

    @property
    def caller(self) -> str: ...

    @property
    def deadline(self) -> float: ...

    @property
    def method(self) -> AnyMethod: ...

    @property
    def redirected(self) -> bool: ...


class ServerStream(CallInfo, Protocol[Sent]):
    """The server's end of a stream. ``on_client_gone`` is called when the client ends it or is gone."""

    on_client_gone: Callable[[], object] | None

    @property
    def server_open(self) -> bool: ...

    def send(self, message: Sent) -> None: ...

    def close(self, error: RpcError) -> None:
        """End the stream with an error; every stream here ends that way."""


Handler: TypeAlias = Callable[[Request, CallInfo], Reply | Future[Reply]]
"""Answers a call: with the reply, or a future that will carry it; or raises :class:`RpcError`."""

StreamHandler: TypeAlias = Callable[[Request, ServerStream[Message]], object]
