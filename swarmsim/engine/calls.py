"""What all calls on an engine share: who answers them, and how a refusal looks."""

from __future__ import annotations

from typing import TypeVar

from swarmsim.apitypes.http import ApiError
from swarmsim.engine import texts
from swarmsim.engine.engine import Engine
from swarmsim.sim.future import Activity
from swarmsim.sim.method import Method, Reply, Request
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.manager.manager import Manager

REQUEST_TIMEOUT = 20.0  # seconds, daemon/cluster swarmRequestTimeout

T = TypeVar("T")


_HTTP = {"NotFound": 404, "AlreadyExists": 409, "InvalidArgument": 400, "FailedPrecondition": 400, "Unimplemented": 501}


def refused(error: RpcError) -> ApiError:
    return ApiError(_HTTP.get(error.code, 500), str(error))


def find(kind: str, reference: str, entries: list[tuple[str, str, T]]) -> T:
    """By full id, then by name, then by the beginning of an id (daemon/cluster/helpers.go)."""
    found = (
        [value for id, _, value in entries if id == reference]
        or [value for _, name, value in entries if name == reference]
        or [value for id, _, value in entries if id.startswith(reference)]
    )
    if not found:
        raise texts.NOT_FOUND.refusal(kind=kind, reference=reference)
    if len(found) > 1:
        raise texts.AMBIGUOUS.refusal(kind=kind, reference=reference, matches=len(found))
    return found[0]


class Calls:
    """Calls on one engine; every group of them is a subclass."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.host = engine.host

    def _request(self) -> Activity[None]:
        yield self.engine.sample_duration("api")

    def _manager(self) -> Manager:
        node = self.engine.node
        if node is not None and node.locked:
            raise texts.SWARM_LOCKED.refusal()
        if node is None or node.error:
            pending = self.engine.joining is not None and not self.engine.joining.error
            raise (texts.NOT_A_MANAGER if pending else texts.NOT_IN_SWARM).refusal()
        if node.control is None:
            raise (texts.MANAGER_NOT_READY if node.manager is not None else texts.NOT_A_MANAGER).refusal()
        return node.control

    def _control(self, method: Method[Request, Reply], request: Request) -> Activity[Reply]:
        manager = self._manager()
        try:
            return (yield from manager.call(method, request, REQUEST_TIMEOUT))
        except RpcError as error:
            raise refused(error) from None
