"""The Engine API as HTTP (moby api/server): one table of routes, and what answers a request by it.

A handler is given the engine's calls and the request taken apart, and returns the body; refusals become
``{"message": …}`` with their status. Paths may begin with the API's version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn, TypeAlias

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as swarmapi
from swarmsim.apitypes.base import ApiType, Json
from swarmsim.apitypes.filters import Filters, InvalidFilter
from swarmsim.apitypes.http import ApiError, ConnectError, Request, Response
from swarmsim.apitypes.specs import SecretSpec, ServiceSpec
from swarmsim.engine import filters as keep
from swarmsim.engine.api import EngineAPI
from swarmsim.engine.engine import Engine
from swarmsim.engine.stream import LogQuery, Pipe
from swarmsim.go.duration import parse_timestamp
from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity

API_VERSION = "1.41"
NOT_TRUE = ("", "0", "no", "false", "none")


class Call(NamedTuple):
    """A request on one engine; ``id`` is what the path names."""

    api: EngineAPI
    request: Request
    id: str = ""

    def flag(self, name: str) -> bool:
        """A query parameter as httputils.BoolValue reads it."""
        return self.request.query.get(name, "").strip().lower() not in NOT_TRUE

    def version(self, what: str) -> int:
        """``version=``, the one that the change was made from. Raises :class:`ApiError`."""
        text = self.request.query.get("version", "")
        if not text.isdigit():
            problem = f'strconv.ParseUint: parsing "{text}": invalid syntax'
            raise ApiError(400, f"invalid {what} version '{text}': {problem}")
        return int(text)

    def filters(self, of: str) -> Filters:
        """Raises :class:`ApiError` for a filter that the list does not know."""
        try:
            filters = Filters.from_json(self.request.query.get("filters", ""))
            filters.check(keep.KNOWN[of])
            if of == "tasks":
                keep.check_tasks(filters)
        except InvalidFilter as problem:
            raise ApiError(400, str(problem)) from None
        return filters

    def moment(self, name: str) -> float | None:
        """A time in seconds since 1970 or as RFC 3339, in simulated seconds. Raises :class:`ApiError`."""
        text = self.request.query.get(name, "")
        if not text:
            return None
        try:
            return float(text) - EPOCH.timestamp()
        except ValueError:
            pass
        try:
            return (parse_timestamp(text if text.endswith("Z") else f"{text}Z") - EPOCH).total_seconds()
        except (ValueError, IndexError):
            raise ApiError(400, f'invalid value for "{text}": failed to parse value') from None


Body: TypeAlias = ApiType | Sequence[ApiType] | str | Pipe[bytes] | Pipe[Json] | None
"""What a handler answers with: records, of which JSON is made when somebody needs it, or a stream."""
Handler: TypeAlias = Callable[[Call], Activity[Body]]


class Route(NamedTuple):
    """``{id}`` in a path is any reference; ``status`` is what success is told with."""

    method: str
    path: str
    handler: Handler
    status: int = 200

    def pattern(self) -> re.Pattern[str]:
        return re.compile("^" + self.path.replace("{id}", "(?P<id>.+)") + "$")


# -- the swarm


def swarm_init(call: Call) -> Activity[str]:
    return call.api.swarm_init(call.request.read(swarmapi.InitRequest))


def swarm_join(call: Call) -> Activity[None]:
    return call.api.swarm_join(call.request.read(swarmapi.JoinRequest))


def swarm_leave(call: Call) -> Activity[None]:
    return call.api.swarm_leave(call.flag("force"))


def swarm_inspect(call: Call) -> Activity[swarmapi.Swarm]:
    return call.api.swarm_inspect()


def swarm_unlock_key(call: Call) -> Activity[swarmapi.UnlockKeyResponse]:
    return call.api.swarm_unlock_key()


def swarm_unlock(call: Call) -> Activity[None]:
    return call.api.swarm_unlock(call.request.read(swarmapi.UnlockRequest))


def swarm_update(call: Call) -> Activity[None]:
    spec = call.request.read(swarmapi.SwarmSpec)
    rotate = (call.flag(f"rotate{what}") for what in ("WorkerToken", "ManagerToken", "ManagerUnlockKey"))
    return call.api.swarm_update(call.version("swarm"), spec, *rotate)


# -- nodes


def node_list(call: Call) -> Activity[list[swarmapi.Node]]:
    found = yield from call.api.node_list()
    filters = call.filters("nodes")
    return [body for body in found if keep.node(body, filters)] if filters else found


def node_inspect(call: Call) -> Activity[swarmapi.Node]:
    return call.api.node_inspect(call.id)


def node_update(call: Call) -> Activity[None]:
    return call.api.node_update(call.id, call.version("node"), call.request.read(swarmapi.NodeSpec))


def node_remove(call: Call) -> Activity[None]:
    return call.api.node_remove(call.id, call.flag("force"))


# -- services


def service_list(call: Call) -> Activity[list[swarmapi.Service]]:
    filters = call.filters("services")
    return call.api.service_list(lambda body: keep.service(body, filters), call.flag("status"))


def service_inspect(call: Call) -> Activity[swarmapi.Service]:
    return call.api.service_inspect(call.id, call.flag("insertDefaults"))


def service_create(call: Call) -> Activity[swarmapi.ServiceCreateResponse]:
    id = yield from call.api.service_create(call.request.read(ServiceSpec))
    return swarmapi.ServiceCreateResponse(id=id)


def service_update(call: Call) -> Activity[swarmapi.ServiceUpdateResponse]:
    rollback = call.request.query.get("rollback", "")
    if rollback not in ("", "none", "previous"):
        raise ApiError(500, f"unrecognized rollback option {rollback}")
    spec = call.request.read(ServiceSpec)
    yield from call.api.service_update(call.id, call.version("service"), spec, rollback == "previous")
    return swarmapi.ServiceUpdateResponse()


def service_remove(call: Call) -> Activity[None]:
    return call.api.service_remove(call.id)


def _log_query(call: Call) -> LogQuery:
    if not (call.flag("stdout") or call.flag("stderr")):
        raise ApiError(400, "Bad parameters: you must choose at least one stream")
    tail = call.request.query.get("tail", "all")
    if tail not in ("", "all") and not tail.isdigit():
        raise ApiError(500, 'tail value must be a positive integer or "all"')
    return LogQuery(
        since=call.moment("since") or 0.0,
        tail=int(tail) if tail.isdigit() else None,
        follow=call.flag("follow"),
        timestamps=call.flag("timestamps"),
        details=call.flag("details"),
    )


def logs(kind: str, call: Call) -> Activity[Pipe[bytes]]:
    return call.api.logs(call.id, kind, _log_query(call))


# -- tasks


def task_list(call: Call) -> Activity[list[swarmapi.Task]]:
    found, services, node_ids = yield from call.api.task_list(call.filters("tasks"))
    filters = call.filters("tasks")
    return [body for body in found if keep.task(body, filters, services, node_ids)] if filters else found


def task_inspect(call: Call) -> Activity[swarmapi.Task]:
    return call.api.task_inspect(call.id)


# -- secrets and configs


def secret_list(kind: str, call: Call) -> Activity[list[swarmapi.Secret | swarmapi.Config]]:
    found = yield from call.api.secret_list(kind)
    filters = call.filters(f"{kind}s")
    return [body for body in found if keep.secret(body, filters)] if filters else found


def secret_create(kind: str, call: Call) -> Activity[swarmapi.IDResponse]:
    id = yield from call.api.secret_create(kind, call.request.read(SecretSpec))
    return swarmapi.IDResponse(id=id)


def secret_inspect(kind: str, call: Call) -> Activity[swarmapi.Secret | swarmapi.Config]:
    return call.api.secret_inspect(kind, call.id)


def secret_update(kind: str, call: Call) -> Activity[None]:
    return call.api.secret_update(kind, call.id, call.version(kind), call.request.read(SecretSpec))


def secret_remove(kind: str, call: Call) -> Activity[None]:
    return call.api.secret_remove(kind, call.id)


# -- networks, volumes


def network_list(call: Call) -> Activity[list[engineapi.Network]]:
    found = yield from call.api.network_list()
    filters = call.filters("networks")
    return [body for body in found if keep.network(body, filters)] if filters else found


def network_create(call: Call) -> Activity[engineapi.NetworkCreateResponse]:
    id = yield from call.api.network_create(call.request.read(engineapi.NetworkCreateRequest))
    return engineapi.NetworkCreateResponse(id=id)


def network_inspect(call: Call) -> Activity[engineapi.Network]:
    return call.api.network_inspect(call.id, call.request.query.get("scope", ""), call.flag("verbose"))


def network_remove(call: Call) -> Activity[None]:
    return call.api.network_remove(call.id)


def network_connect(call: Call) -> Activity[None]:
    return call.api.network_connect(call.id, call.request.read(engineapi.NetworkConnect))


def network_disconnect(call: Call) -> Activity[None]:
    return call.api.network_disconnect(call.id, call.request.read(engineapi.NetworkDisconnect))


def network_prune(call: Call) -> Activity[engineapi.NetworkPruneReport]:
    deleted = yield from call.api.network_prune(call.filters("pruned networks"))
    return engineapi.NetworkPruneReport(deleted=deleted or None)


def volume_list(call: Call) -> Activity[engineapi.VolumeList]:
    found = yield from call.api.volume_list()
    filters = call.filters("volumes")
    return engineapi.VolumeList(volumes=[body for body in found if keep.volume(body, filters)])


def volume_create(call: Call) -> Activity[engineapi.Volume]:
    return call.api.volume_create(call.request.read(engineapi.VolumeCreateRequest))


def volume_inspect(call: Call) -> Activity[engineapi.Volume]:
    return call.api.volume_inspect(call.id)


def volume_remove(call: Call) -> Activity[None]:
    return call.api.volume_remove(call.id, call.flag("force"))


# -- containers


def container_list(call: Call) -> Activity[list[engineapi.Container]]:
    limit, filters = call.request.query.get("limit", ""), call.filters("containers")
    every = call.flag("all") or bool(limit)
    found = yield from call.api.container_list(lambda container: keep.container(container, filters, every))
    return found[: int(limit)] if limit.isdigit() and int(limit) else found


def container_inspect(call: Call) -> Activity[engineapi.ContainerInspect]:
    return call.api.container_inspect(call.id)


def container_kill(call: Call) -> Activity[None]:
    return call.api.container_kill(call.id, call.request.query.get("signal", "SIGKILL"))


def container_create(call: Call) -> Activity[engineapi.ContainerCreateResponse]:
    request = call.request.read(engineapi.ContainerCreateRequest)
    id = yield from call.api.container_create(call.request.query.get("name", ""), request)
    return engineapi.ContainerCreateResponse(id=id)


def container_start(call: Call) -> Activity[None]:
    return call.api.container_start(call.id)


def container_restart(call: Call) -> Activity[None]:
    return call.api.container_restart(call.id, *_patience(call))


def _patience(call: Call) -> tuple[str, float | None]:
    """The signal to stop with, and the seconds until SIGKILL."""
    seconds = call.request.query.get("t", "")
    return call.request.query.get("signal", ""), float(seconds) if seconds else None


def container_rename(call: Call) -> Activity[None]:
    return call.api.container_rename(call.id, call.request.query.get("name", ""))


def container_changes(call: Call) -> Activity[list[engineapi.Change]]:
    return call.api.container_changes(call.id)


def container_logs(call: Call) -> Activity[Pipe[bytes]]:
    return call.api.container_logs(call.id, _log_query(call))


def container_attach(call: Call) -> Activity[Pipe[bytes]]:
    return call.api.container_attach(call.id)


def container_wait(call: Call) -> Activity[Pipe[Json]]:
    return call.api.container_wait(call.id, call.request.query.get("condition", ""))


def container_stop(call: Call) -> Activity[None]:
    return call.api.container_stop(call.id, *_patience(call))


def container_remove(call: Call) -> Activity[None]:
    return call.api.container_remove(call.id, call.flag("force"))


def image_pull(call: Call) -> Activity[None]:
    query = call.request.query
    return call.api.image_pull(f"{query.get('fromImage', '')}:{query.get('tag', 'latest')}")


def exec_create(call: Call) -> Activity[swarmapi.IDResponse]:
    id = yield from call.api.exec_create(call.id, call.request.read(engineapi.ExecConfig))
    return swarmapi.IDResponse(id=id)


def exec_start(call: Call) -> Activity[Pipe[bytes]]:
    return call.api.exec_start(call.id)


def exec_inspect(call: Call) -> Activity[engineapi.ExecInspect]:
    return call.api.exec_inspect(call.id)


def image_inspect(call: Call) -> Activity[NoReturn]:
    return call.api.image_inspect(call.id)


def plugin_inspect(call: Call) -> Activity[NoReturn]:
    return call.api.plugin_inspect(call.id)


# -- the engine


def info(call: Call) -> Activity[engineapi.Info]:
    return call.api.info()


def version(call: Call) -> Activity[engineapi.EngineVersion]:
    return call.api.version()


def distribution(call: Call) -> Activity[engineapi.DistributionInspect]:
    return call.api.distribution_inspect(call.id)


def events(call: Call) -> Activity[Pipe[Json]]:
    since, until, filters = call.moment("since"), call.moment("until"), call.filters("events")
    return call.api.events(since, until, lambda body: keep.event(body, filters))


ROUTES: tuple[Route, ...] = (
    Route("POST", "/swarm/init", swarm_init),
    Route("POST", "/swarm/join", swarm_join),
    Route("POST", "/swarm/leave", swarm_leave),
    Route("GET", "/swarm", swarm_inspect),
    Route("GET", "/swarm/unlockkey", swarm_unlock_key),
    Route("POST", "/swarm/unlock", swarm_unlock),
    Route("POST", "/swarm/update", swarm_update),
    Route("GET", "/nodes", node_list),
    Route("GET", "/nodes/{id}", node_inspect),
    Route("POST", "/nodes/{id}/update", node_update),
    Route("DELETE", "/nodes/{id}", node_remove),
    Route("GET", "/services", service_list),
    Route("POST", "/services/create", service_create, 201),
    Route("GET", "/services/{id}/logs", partial(logs, "service")),
    Route("GET", "/services/{id}", service_inspect),
    Route("POST", "/services/{id}/update", service_update),
    Route("DELETE", "/services/{id}", service_remove),
    Route("GET", "/tasks", task_list),
    Route("GET", "/tasks/{id}/logs", partial(logs, "task")),
    Route("GET", "/tasks/{id}", task_inspect),
    *(
        route
        for kind in ("secret", "config")
        for route in (
            Route("GET", f"/{kind}s", partial(secret_list, kind)),
            Route("POST", f"/{kind}s/create", partial(secret_create, kind), 201),
            Route("GET", f"/{kind}s/{{id}}", partial(secret_inspect, kind)),
            Route("POST", f"/{kind}s/{{id}}/update", partial(secret_update, kind)),
            Route("DELETE", f"/{kind}s/{{id}}", partial(secret_remove, kind), 204),
        )
    ),
    Route("GET", "/networks", network_list),
    Route("POST", "/networks/create", network_create, 201),
    Route("GET", "/networks/{id}", network_inspect),
    Route("DELETE", "/networks/{id}", network_remove, 204),
    Route("POST", "/networks/{id}/connect", network_connect),
    Route("POST", "/networks/{id}/disconnect", network_disconnect),
    Route("POST", "/networks/prune", network_prune),
    Route("GET", "/volumes", volume_list),
    Route("POST", "/volumes/create", volume_create, 201),
    Route("GET", "/volumes/{id}", volume_inspect),
    Route("DELETE", "/volumes/{id}", volume_remove, 204),
    Route("GET", "/containers/json", container_list),
    Route("POST", "/containers/create", container_create, 201),
    Route("GET", "/containers/{id}/json", container_inspect),
    Route("POST", "/containers/{id}/start", container_start, 204),
    Route("DELETE", "/containers/{id}", container_remove, 204),
    Route("POST", "/containers/{id}/kill", container_kill, 204),
    Route("POST", "/containers/{id}/attach", container_attach),
    Route("POST", "/containers/{id}/wait", container_wait),
    Route("POST", "/containers/{id}/stop", container_stop, 204),
    Route("POST", "/containers/{id}/restart", container_restart, 204),
    Route("POST", "/containers/{id}/rename", container_rename, 204),
    Route("GET", "/containers/{id}/changes", container_changes),
    Route("GET", "/containers/{id}/logs", container_logs),
    Route("POST", "/images/create", image_pull),
    Route("POST", "/containers/{id}/exec", exec_create, 201),
    Route("POST", "/exec/{id}/start", exec_start),
    Route("GET", "/exec/{id}/json", exec_inspect),
    Route("GET", "/images/{id}/json", image_inspect),
    Route("GET", "/plugins/{id}/json", plugin_inspect),
    Route("GET", "/distribution/{id}/json", distribution),
    Route("GET", "/events", events),
    Route("GET", "/info", info),
    Route("GET", "/version", version),
)
_MATCHERS = tuple((route, route.pattern()) for route in ROUTES)
_VERSION = re.compile(r"^/v1\.\d+(?=/)")


def find_route(method: str, path: str) -> tuple[Route, str] | None:
    """The route of a request, and what its path names."""
    path = _VERSION.sub("", path)
    for route, pattern in _MATCHERS:
        match = pattern.match(path) if route.method == method else None
        if match is not None:
            return route, match.groupdict().get("id", "")
    return None


class EngineTransport:
    """The way to one engine's API from a client on its host: a :class:`~swarmsim.apitypes.http.Transport`."""

    def __init__(self, engine: Engine) -> None:
        self._api = EngineAPI(engine)

    def handle(self, request: Request) -> Activity[Response]:
        """Raises :class:`ConnectError` if no daemon runs."""
        if not self._api.engine.running:
            raise ConnectError("connection refused")
        found = find_route(request.method, request.path)
        if found is None:
            return Response(404, engineapi.ErrorResponse(message="page not found"))
        route, id = found
        try:
            body = yield from route.handler(Call(self._api, request, id))
        except ApiError as error:
            return Response(error.status, engineapi.ErrorResponse(message=error.message))
        if isinstance(body, Pipe):
            return Response(route.status, stream=body)
        return Response(route.status, body)
