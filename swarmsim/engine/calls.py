"""What all calls on an engine share: who answers them, and how a refusal looks."""

from __future__ import annotations

from typing import TypeVar

from swarmsim.apitypes.http import ApiError
from swarmsim.engine.engine import Engine
from swarmsim.sim.future import Activity
from swarmsim.sim.method import Method, Reply, Request
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.objects import Role

REQUEST_TIMEOUT = 20.0  # seconds, daemon/cluster swarmRequestTimeout

NOT_IN_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
NOT_A_MANAGER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
    "Please run this command on a manager node or promote the current node to a manager."
)
MANAGER_NOT_READY = (
    "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster."
)


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
        raise ApiError(404, f"{kind} {reference} not found")
    if len(found) > 1:
        raise ApiError(400, f"{kind} {reference} is ambiguous ({len(found)} matches found)")
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
        if node is None:
            pending = self.engine.joining is not None and not self.engine.joining.error
            raise ApiError(503, NOT_A_MANAGER if pending else NOT_IN_SWARM)
        if node.control is None:
            raise ApiError(503, MANAGER_NOT_READY if node.identity.role is Role.MANAGER else NOT_A_MANAGER)
        return node.control

    def _control(self, method: Method[Request, Reply], request: Request) -> Activity[Reply]:
        manager = self._manager()
        try:
            return (yield from manager.call(method, request, REQUEST_TIMEOUT))
        except RpcError as error:
            raise refused(error) from None
