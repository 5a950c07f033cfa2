"""HTTP over TLS, as far as one request with its answer on a connection of its own goes (Go's net/http)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.net.connection import ANY_ADDRESS, Address, Listener, Socket
from swarmsim.sim.net.dialer import Dialer, DialError
from swarmsim.sim.net.tls import Credentials, handshake
from swarmsim.sim.scope import Scope

HTTPS_PORT = 443


class HttpError(ModelError):
    """No answer, in the words of Go's net/http."""


class HttpReply(NamedTuple):
    status: int
    body: str


Respond = Callable[[HttpReply], object]


class HttpServer:
    """Answers POSTs: ``on_post(path, body, respond)`` may call ``respond`` later, or never."""

    def __init__(
        self, process: Process, port: int, identity: Credentials, on_post: Callable[[str, str, Respond], object]
    ) -> None:
        self.on_post = on_post
        Listener(process.host, process, Address.parse(f"{ANY_ADDRESS}:{port}"), identity, self._accept)

    def _accept(self, socket: Socket) -> None:
        socket.application = _Exchange(self, socket)


class _Exchange:
    """One connection at the server's end."""

    def __init__(self, server: HttpServer, socket: Socket) -> None:
        self.server = server
        self.socket = socket

    def receive(self, path: str, body: str, reply: Callable[[HttpReply], object]) -> None:
        self.server.on_post(path, body, lambda answer: self.socket.send(reply, answer))


def where(process: Process, url: str) -> tuple[Address, str]:
    """The address behind a URL, and its path; names are those of hosts. Raises :class:`HttpError`."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise HttpError("invalid HTTP scheme")
    name = parts.hostname or ""
    known = process.ctx.hosts.get(name)
    if known is None and name not in process.ctx.by_address:
        raise HttpError(f"dial tcp: lookup {name}: no such host")
    return Address.parse(f"{known.address if known else name}:{parts.port or HTTPS_PORT}"), parts.path


def connect(process: Process, scope: Scope, to: Address, identity: Credentials, timeout: float) -> Activity[Socket]:
    """A connection on which both sides trust each other, within ``timeout`` seconds. Raises :class:`HttpError`."""
    dialed: Future[Socket | DialError] = process.clock.future()
    Dialer(process.host, scope, to, identity, timeout, dialed.succeed)
    result: Socket | DialError = yield dialed
    if isinstance(result, DialError):
        raise HttpError(str(result))
    refusal = handshake(result.identity, result.peer.identity)
    if refusal is not None:
        result.close()
        raise HttpError(refusal)
    return result


def post(
    process: Process, scope: Scope, url: str, body: str, identity: Credentials, timeout: float
) -> Activity[HttpReply]:
    """POST ``body``; the answer within ``timeout`` seconds. Raises :class:`HttpError`."""
    to, path = where(process, url)
    began = process.clock.now
    try:
        socket = yield from connect(process, scope, to, identity, timeout)
    except HttpError as error:
        if process.clock.now - began >= timeout:
            raise HttpError("context deadline exceeded") from None
        raise HttpError(f'Post "{url}": {error}') from None
    answered: Future[HttpReply] = process.clock.future()
    broken: Future[str] = process.clock.future()
    socket.on_close = broken.succeed
    socket.send(socket.peer.application.receive, path, body, answered.succeed)
    yield process.clock.first_of((answered, broken, process.clock.timeout(began + timeout - process.clock.now)))
    socket.close()
    if answered.triggered:
        return answered.value
    if broken.triggered:
        raise HttpError(f'Post "{url}": {broken.value}')
    raise HttpError("context deadline exceeded")
