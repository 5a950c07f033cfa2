"""The Engine API's client (moby client/): a method for each call, over a transport that carries requests.

All are activities. They return the body as a record, for ``inspect`` as the daemon's own JSON, and raise :class:`~swarmsim.apitypes.http.ApiError` with what the daemon said.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from swarmsim.apitypes.base import Json
from swarmsim.apitypes.engine import (
    Change,
    Container,
    ContainerCreateRequest,
    ContainerCreateResponse,
    DistributionInspect,
    EngineVersion,
    ErrorResponse,
    ExecConfig,
    ExecInspect,
    ExecStart,
    Info,
    Network,
    NetworkConnect,
    NetworkCreateRequest,
    NetworkCreateResponse,
    NetworkDisconnect,
    NetworkPruneReport,
    Volume,
    VolumeCreateRequest,
    VolumeList,
)
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError, Request, Response, Stream, Transport
from swarmsim.apitypes.reference import InvalidReference, parse_reference, with_digest
from swarmsim.apitypes.specs import SecretSpec, ServiceSpec, replace
from swarmsim.apitypes.swarm import (
    Config,
    IDResponse,
    InitRequest,
    JoinRequest,
    Node,
    NodeSpec,
    Secret,
    Service,
    ServiceCreateResponse,
    ServiceUpdateResponse,
    Swarm,
    SwarmSpec,
    Task,
    UnlockKeyResponse,
    UnlockRequest,
)
from swarmsim.docker.errors import CommandError
from swarmsim.sim.future import Activity, T

SECRET_TYPES: dict[str, type[Secret | Config]] = {"secret": Secret, "config": Config}
NOT_IN_REGISTRY = (
    "image {image} could not be accessed on a registry to record\nits digest. Each node will access {image} "
    "independently,\npossibly leading to different nodes running different\nversions of the image.\n"
)


class ApiClient:
    """What docker asks of the daemon behind ``transport``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _send(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None
    ) -> Activity[Response]:
        given = {key: value for key, value in (query or {}).items() if value}
        response = yield from self._transport.handle(Request(method, path, given, body))
        if response.status >= 400:
            raise ApiError(response.status, response.read(ErrorResponse).message)
        return response

    @staticmethod
    def _named(reference: str, what: str) -> None:
        """An empty name is not even asked for (client/utils.go trimID). Raises :class:`CommandError`."""
        if not reference.strip():
            raise CommandError(f"invalid {what}: value is empty")

    def _get(self, path: str, kind: type[T], query: dict[str, str] | None = None) -> Activity[T]:
        return (yield from self._send("GET", path, query)).read(kind)

    def _list(
        self, path: str, kind: type[T], filters: Filters | None, query: dict[str, str] | None = None
    ) -> Activity[list[T]]:
        asked = {"filters": filters.to_json() if filters else "", **(query or {})}
        return (yield from self._send("GET", path, asked)).read_all(kind)

    def _inspect(self, path: str, query: dict[str, str] | None = None) -> Activity[Json]:
        """What is shown as the daemon said it."""
        body: Json = (yield from self._send("GET", path, query)).json()
        return body

    def _stream(self, path: str, query: dict[str, str], method: str = "GET", body: Any = None) -> Activity[Stream[Any]]:
        stream = (yield from self._send(method, path, query, body)).stream
        assert stream is not None
        return stream

    # -- the swarm

    def swarm_init(self, request: InitRequest) -> Activity[str]:
        """Returns the node's id."""
        return (yield from self._send("POST", "/swarm/init", body=request)).read(str)

    def swarm_join(self, request: JoinRequest) -> Activity[Response]:
        return self._send("POST", "/swarm/join", body=request)

    def swarm_leave(self, force: bool) -> Activity[Response]:
        return self._send("POST", "/swarm/leave", {"force": _flag(force)})

    def swarm_inspect(self) -> Activity[Swarm]:
        return self._get("/swarm", Swarm)

    def swarm_update(
        self,
        version: int,
        spec: SwarmSpec,
        rotate_worker: bool = False,
        rotate_manager: bool = False,
        rotate_key: bool = False,
    ) -> Activity[Response]:
        query = {
            "version": str(version),
            "rotateWorkerToken": str(rotate_worker).lower(),
            "rotateManagerToken": str(rotate_manager).lower(),
            "rotateManagerUnlockKey": str(rotate_key).lower(),
        }
        return self._send("POST", "/swarm/update", query, spec)

    def swarm_unlock_key(self) -> Activity[str]:
        """Empty where none is set."""
        return (yield from self._get("/swarm/unlockkey", UnlockKeyResponse)).key

    def swarm_unlock(self, key: str) -> Activity[Response]:
        return self._send("POST", "/swarm/unlock", body=UnlockRequest(key=key))

    # -- nodes

    def node_list(self, filters: Filters | None = None) -> Activity[list[Node]]:
        return self._list("/nodes", Node, filters)

    def node_inspect(self, reference: str) -> Activity[Json]:
        return self._inspect(f"/nodes/{reference}")

    def node(self, reference: str) -> Activity[Node]:
        """As a record, for who wants to know or change something of it."""
        return self._get(f"/nodes/{reference}", Node)

    def node_update(self, reference: str, version: int, spec: NodeSpec) -> Activity[Response]:
        return self._send("POST", f"/nodes/{reference}/update", {"version": str(version)}, spec)

    def node_remove(self, reference: str, force: bool) -> Activity[Response]:
        return self._send("DELETE", f"/nodes/{reference}", {"force": _flag(force)})

    # -- services and tasks

    def service_list(self, filters: Filters | None = None, status: bool = False) -> Activity[list[Service]]:
        """With ``status``, how many tasks each has."""
        return self._list("/services", Service, filters, {"status": "true"} if status else {})

    def service_inspect(self, reference: str, insert_defaults: bool = False) -> Activity[Json]:
        return self._inspect(f"/services/{reference}", {"insertDefaults": str(insert_defaults).lower()})

    def service(self, reference: str) -> Activity[Service]:
        """As a record, for who wants to know or change something of it."""
        return self._get(f"/services/{reference}", Service, {"insertDefaults": "false"})

    def service_create(self, spec: ServiceSpec, query_registry: bool) -> Activity[ServiceCreateResponse]:
        """The id, and warnings. With ``query_registry`` the image is asked for under the digest the registry knows."""
        spec, warnings = yield from self._with_image(spec, query_registry)
        created = (yield from self._send("POST", "/services/create", body=spec)).read(ServiceCreateResponse)
        return replace(created, warnings=[*created.warnings, *warnings])

    def service_update(
        self,
        reference: str,
        version: int,
        spec: ServiceSpec,
        query_registry: bool,
        rollback: bool = False,
        registry_auth_from: str = "",
    ) -> Activity[list[str]]:
        """Returns warnings."""
        spec, warnings = yield from self._with_image(spec, query_registry)
        query = {
            "version": str(version),
            "rollback": "previous" if rollback else "",
            "registryAuthFrom": registry_auth_from,
        }
        response = yield from self._send("POST", f"/services/{reference}/update", query, spec)
        return [*(response.read(ServiceUpdateResponse).warnings or ()), *warnings]

    def _with_image(self, spec: ServiceSpec, query_registry: bool) -> Activity[tuple[ServiceSpec, list[str]]]:
        """The spec with its image's familiar name and tag, of the registry also digest and platforms
        (client/service_create.go imageWithTagString, resolveContainerSpecImage)."""
        image = spec.task.container.image
        with suppress(InvalidReference):  # the daemon says what is wrong with it
            image = parse_reference(image).familiar
        placement, warnings = spec.task.placement, []
        if query_registry:
            try:
                self._named(image, "image name")
                found = yield from self._get(f"/distribution/{image}/json", DistributionInspect)
            except (ApiError, CommandError):
                warnings = [NOT_IN_REGISTRY.format(image=image)]
            else:
                image = with_digest(image, found.descriptor.digest)
                if found.platforms:
                    placement = replace(placement, platforms=[each.as_platform() for each in found.platforms])
        container = replace(spec.task.container, image=image)
        return replace(spec, task=replace(spec.task, container=container, placement=placement)), warnings

    def service_remove(self, reference: str) -> Activity[Response]:
        return self._send("DELETE", f"/services/{reference}")

    def task_list(self, filters: Filters | None = None) -> Activity[list[Task]]:
        return self._list("/tasks", Task, filters)

    def task_inspect(self, reference: str) -> Activity[Json]:
        return self._inspect(f"/tasks/{reference}")

    def task(self, reference: str) -> Activity[Task]:
        return self._get(f"/tasks/{reference}", Task)

    def logs(self, kind: str, reference: str, query: dict[str, str]) -> Activity[Stream[bytes]]:
        """Frames of what a service's tasks or one task printed."""
        return self._stream(f"/{kind}s/{reference}/logs", query)

    # -- secrets and configs (``kind``)

    def secret_list(self, kind: str, filters: Filters | None = None) -> Activity[Sequence[Secret | Config]]:
        return self._list(f"/{kind}s", SECRET_TYPES[kind], filters)

    def secret_create(self, kind: str, spec: SecretSpec) -> Activity[str]:
        """Returns the id."""
        return (yield from self._send("POST", f"/{kind}s/create", body=spec)).read(IDResponse).id

    def secret_inspect(self, kind: str, reference: str) -> Activity[Json]:
        return self._inspect(f"/{kind}s/{reference}")

    def secret(self, kind: str, reference: str) -> Activity[Secret | Config]:
        return self._get(f"/{kind}s/{reference}", SECRET_TYPES[kind])

    def secret_update(self, kind: str, reference: str, version: int, spec: SecretSpec) -> Activity[Response]:
        return self._send("POST", f"/{kind}s/{reference}/update", {"version": str(version)}, spec)

    def secret_remove(self, kind: str, reference: str) -> Activity[Response]:
        return self._send("DELETE", f"/{kind}s/{reference}")

    # -- networks and volumes

    def network_list(self, filters: Filters | None = None) -> Activity[list[Network]]:
        return self._list("/networks", Network, filters)

    def network_inspect(self, reference: str, scope: str = "", verbose: bool = False) -> Activity[Json]:
        self._named(reference, "network name or ID")
        query = {"verbose": "true"} if verbose else {}
        return self._inspect(f"/networks/{reference}", {"scope": scope, **query})

    def network(self, reference: str, scope: str = "") -> Activity[Network]:
        self._named(reference, "network name or ID")
        return self._get(f"/networks/{reference}", Network, {"scope": scope})

    def network_create(self, request: NetworkCreateRequest) -> Activity[str]:
        """Returns the id."""
        return (yield from self._send("POST", "/networks/create", body=request)).read(NetworkCreateResponse).id

    def network_connect(self, reference: str, request: NetworkConnect) -> Activity[Response]:
        return self._send("POST", f"/networks/{reference}/connect", body=request)

    def network_disconnect(self, reference: str, request: NetworkDisconnect) -> Activity[Response]:
        return self._send("POST", f"/networks/{reference}/disconnect", body=request)

    def network_prune(self, filters: Filters) -> Activity[list[str]]:
        """The names of those that are gone."""
        query = {"filters": filters.to_json() if filters else ""}
        return (yield from self._send("POST", "/networks/prune", query)).read(NetworkPruneReport).deleted or []

    def network_remove(self, reference: str) -> Activity[Response]:
        return self._send("DELETE", f"/networks/{reference}")

    def volume_list(self, filters: Filters | None = None) -> Activity[list[Volume]]:
        return (yield from self._get("/volumes", VolumeList, {"filters": filters.to_json() if filters else ""})).volumes

    def volume_create(self, request: VolumeCreateRequest) -> Activity[Volume]:
        return (yield from self._send("POST", "/volumes/create", body=request)).read(Volume)

    def volume_inspect(self, reference: str) -> Activity[Json]:
        return self._inspect(f"/volumes/{reference}")

    def volume_remove(self, reference: str, force: bool) -> Activity[Response]:
        return self._send("DELETE", f"/volumes/{reference}", {"force": _flag(force)})

    # -- containers, and the engine itself

    def container_list(self, all: bool, limit: int, filters: Filters) -> Activity[list[Container]]:
        return self._list(
            "/containers/json", Container, filters, {"all": _flag(all), "limit": str(limit) if limit > 0 else ""}
        )

    def container_inspect(self, reference: str, size: bool = False) -> Activity[Json]:
        return self._inspect(f"/containers/{reference}/json", {"size": "1"} if size else {})

    def image_inspect(self, reference: str) -> Activity[Json]:
        return self._inspect(f"/images/{reference}/json")

    def plugin_inspect(self, reference: str) -> Activity[Json]:
        return self._inspect(f"/plugins/{reference}/json")

    def container_kill(self, reference: str, signal: str) -> Activity[Response]:
        return self._send("POST", f"/containers/{reference}/kill", {"signal": signal})

    def container_create(self, name: str, request: ContainerCreateRequest) -> Activity[str]:
        """Returns the id."""
        response = yield from self._send("POST", "/containers/create", {"name": name}, request)
        return response.read(ContainerCreateResponse).id

    def container_start(self, id: str) -> Activity[Response]:
        return self._send("POST", f"/containers/{id}/start")

    def container_attach(self, id: str) -> Activity[Stream[bytes]]:
        """Frames of what it prints."""
        return self._stream(f"/containers/{id}/attach", {"stderr": "1", "stdout": "1", "stream": "1"}, "POST")

    def container_wait(self, id: str, condition: str) -> Activity[Stream[Json]]:
        """Tells the exit code when it has ended."""
        return self._stream(f"/containers/{id}/wait", {"condition": condition}, "POST")

    def container_stop(self, reference: str, signal: str, timeout: str) -> Activity[Response]:
        return self._send("POST", f"/containers/{reference}/stop", {"signal": signal, "t": timeout})

    def container_restart(self, reference: str, signal: str, timeout: str) -> Activity[Response]:
        return self._send("POST", f"/containers/{reference}/restart", {"signal": signal, "t": timeout})

    def container_rename(self, reference: str, name: str) -> Activity[Response]:
        return self._send("POST", f"/containers/{reference}/rename", {"name": name})

    def container_changes(self, reference: str) -> Activity[list[Change]]:
        return self._list(f"/containers/{reference}/changes", Change, None)

    def container_logs(self, reference: str, query: dict[str, str]) -> Activity[Stream[bytes]]:
        """Frames of what its own program printed."""
        return self._stream(f"/containers/{reference}/logs", query)

    def container_remove(self, reference: str, force: bool) -> Activity[Response]:
        return self._send("DELETE", f"/containers/{reference}", {"force": _flag(force)})

    def image_pull(self, image: str, tag: str) -> Activity[Response]:
        return self._send("POST", "/images/create", {"fromImage": image, "tag": tag})

    def exec_create(self, reference: str, config: ExecConfig) -> Activity[str]:
        """Returns the exec's id."""
        return (yield from self._send("POST", f"/containers/{reference}/exec", body=config)).read(IDResponse).id

    def exec_start(self, id: str, start: ExecStart) -> Activity[Stream[bytes]]:
        """Frames of what it prints."""
        return self._stream(f"/exec/{id}/start", {}, "POST", start)

    def exec_inspect(self, id: str) -> Activity[ExecInspect]:
        return self._get(f"/exec/{id}/json", ExecInspect)

    def events(self, query: dict[str, str]) -> Activity[Stream[Json]]:
        return self._stream("/events", query)

    def info(self) -> Activity[Info]:
        return self._get("/info", Info)

    def version(self) -> Activity[EngineVersion]:
        return self._get("/version", EngineVersion)


def _flag(on: bool) -> str:
    return "1" if on else ""
