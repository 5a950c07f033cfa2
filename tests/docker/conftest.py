"""Docker's tests speak to their daemons over a wire: every body is JSON's bytes on its way there and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from swarmsim.apitypes.http import Request, Response, Transport
from swarmsim.engine.engine import Engine
from swarmsim.engine.routes import EngineTransport
from swarmsim.engine.stream import Pipe
from swarmsim.sim.future import Activity
from swarmsim.world.simulated import SimulatedWorld

put_piece = Pipe.put


class WireTransport:
    """The way to an engine's API as a socket has it: bytes, and paths that begin with the API's version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = EngineTransport(engine)

    def handle(self, request: Request) -> Activity[Response]:
        sent = request._replace(path=f"/v1.41{request.path}", body=request.content)
        response = yield from self._engine.handle(sent)
        return response if response.stream is not None else response._replace(body=response.content)


def _transport(world: SimulatedWorld, engine: Engine) -> Transport:
    return WireTransport(engine)


def _put(pipe: Pipe, piece: Any) -> None:
    """A frame of a log is bytes already, an event is a line of JSON."""
    put_piece(pipe, piece if isinstance(piece, bytes) else json.loads(json.dumps(piece)))


@pytest.fixture(scope="module", autouse=True)
def over_the_wire() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimulatedWorld, "transport", _transport)
        patch.setattr(Pipe, "put", _put)
        yield
