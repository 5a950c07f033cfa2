"""Requests and responses, in the shape of httpx's: what a client and a daemon say to each other.

A body is bytes, as it comes from a socket, or still the record or JSON value it is made of: inside the simulation nobody
needs the bytes. :attr:`Request.content` and :attr:`Response.content` are them, whenever somebody does.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from swarmsim.apitypes.base import as_json, decode, encode, from_json
from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future

T = TypeVar("T")
Piece = TypeVar("Piece")
"""Of a body that comes piece by piece: a JSON value, or bytes."""


class ApiError(ModelError):
    """An error answer: HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ConnectError(ModelError):
    """Nobody answers where the daemon should be."""


def _content(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else encode(body)


class Request(NamedTuple):
    """``path`` without the API's version; query parameters that are empty are left out."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: Any = None

    @property
    def content(self) -> bytes:
        return _content(self.body)

    def read(self, kind: type[T]) -> T:
        """The body as a record. Raises :class:`ApiError` in the daemon's words."""
        if isinstance(self.body, kind):
            return self.body
        if not self.content:
            raise ApiError(400, "got EOF while reading request body")
        try:
            return decode(self.content, kind)
        except msgspec.MsgspecError as problem:
            raise ApiError(400, str(problem)) from None


class Stream(Protocol[Piece]):
    """A body that comes piece by piece."""

    def read(self) -> Future[Piece | None]:
        """The next piece; ``None`` at the end."""

    def close(self) -> None:
        """Nobody reads on."""


class Response(NamedTuple):
    status: int
    body: Any = None
    stream: Stream[Any] | None = None

    @property
    def content(self) -> bytes:
        return _content(self.body)

    def read(self, kind: type[T]) -> T:
        """The body as a record. Raises :class:`msgspec.ValidationError` where it is none."""
        return decode(self.body, kind) if isinstance(self.body, bytes) else from_json(self.body, kind)

    def read_all(self, kind: type[T]) -> list[T]:
        """The body as a list of records; Go's empty list may be ``null``."""
        body = msgspec.json.decode(self.body) if isinstance(self.body, bytes) else self.body
        return [from_json(each, kind) for each in body or ()]

    def json(self) -> Any:
        """The body as JSON's values."""
        if isinstance(self.body, bytes):
            return msgspec.json.decode(self.body) if self.body else None
        return as_json(self.body)


class Transport(Protocol):
    """How a client reaches a daemon."""

    def handle(self, request: Request) -> Activity[Response]:
        """Raises :class:`ConnectError`."""
