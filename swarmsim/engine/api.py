"""The Engine API of one host (moby api/server/router, daemon/cluster): one activity per call.

Bodies are records of :mod:`swarmsim.apitypes`, from which their JSON follows. A refusal is an :class:`ApiError` with the
daemon's words; what comes from SwarmKit keeps its ``rpc error: code = … desc = …``. Every call has the
daemon's 20 s for the swarm to answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NoReturn

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.base import Json, as_json
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import ServiceSpec, replace
from swarmsim.engine import present, presentlocal, texts
from swarmsim.engine.calls import find
from swarmsim.engine.containercalls import ContainerCalls
from swarmsim.engine.convert import node_spec, stored
from swarmsim.engine.engine import ENGINE_VERSION
from swarmsim.engine.events import EngineEvent
from swarmsim.engine.logcalls import LogCalls
from swarmsim.engine.names import random_name
from swarmsim.engine.resources import ResourceCalls
from swarmsim.engine.stream import Pipe
from swarmsim.engine.swarmcalls import SwarmCalls
from swarmsim.sim.future import Activity
from swarmsim.swarm.api import control

PLATFORMS = [engineapi.RegistryPlatform(architecture=each, os="linux") for each in ("amd64", "arm64")]
"""Every image of the registry is there for both, as most public ones are."""
ID_LENGTH = 25  # characters of an object's id: who waits for a service names it so, and it need not be looked up

TWO_MANAGERS = """WARNING: Running Swarm in a two-manager configuration. This configuration provides
         no fault tolerance, and poses a high risk to lose control over the cluster.
         Refer to https://docs.docker.com/engine/swarm/admin_guide/ to configure the
         Swarm for fault-tolerance."""

VERSION = engineapi.EngineVersion(
    components=[
        engineapi.ComponentVersion(name=name, version=version, details={"GitCommit": commit})
        for name, version, commit in (
            ("containerd", "1.6.20~ds1", "1.6.20~ds1-1+deb12u3"),
            ("runc", "1.1.5+ds1", "1.1.5+ds1-1+deb12u1"),
            ("docker-init", "0.19.0", ""),
        )
    ],
    version=ENGINE_VERSION,
    api_version="1.41",
    min_api_version="1.12",
    git_commit="5d6db84",
    go_version="go1.19.8",
    os="linux",
    arch="amd64",
    build_time="Thu May  7 21:09:36 2026",
)
"""What the engine version that is modelled says of itself."""


class EngineAPI(SwarmCalls, LogCalls, ResourceCalls, ContainerCalls):
    """Calls on one engine. All are activities that return the body or raise :class:`ApiError`."""

    # -- nodes

    def node_list(self) -> Activity[list[api.Node]]:
        yield from self._request()
        views = yield from self._nodes()
        return [self.engine.node_records.of(view) for view in views]

    def node_inspect(self, reference: str) -> Activity[api.Node]:
        yield from self._request()
        view = yield from self._node(reference)
        return present.node(view)

    def node_update(self, reference: str, version: int, given: api.NodeSpec) -> Activity[None]:
        yield from self._request()
        spec = node_spec(given)
        view = yield from self._node(reference)
        yield from self._control(control.UPDATE_NODE, control.UpdateNodeRequest(view.node.id, version, spec))

    def node_remove(self, reference: str, force: bool) -> Activity[None]:
        yield from self._request()
        view = yield from self._node(reference)
        yield from self._control(control.REMOVE_NODE, control.RemoveNodeRequest(view.node.id, force))

    # -- services and tasks

    def service_list(self, wanted: Callable[[api.Service], bool], status: bool) -> Activity[list[api.Service]]:
        """The services that are ``wanted``, with how many tasks they have if ``status`` is asked for."""
        yield from self._request()
        found = [shown for service in (yield from self._services()) if wanted(shown := present.service(service))]
        if not status:
            return found
        request = control.ListServiceStatusesRequest([service.id for service in found])
        statuses = (yield from self._control(control.LIST_SERVICE_STATUSES, request)).statuses
        return [replace(each, service_status=present.service_status(statuses[each.id])) for each in found]

    def service_inspect(self, reference: str, insert_defaults: bool = False) -> Activity[api.Service]:
        yield from self._request()
        service = yield from self._service(reference)
        return present.service(service, insert_defaults)

    def service_create(self, spec: ServiceSpec) -> Activity[str]:
        """Returns the id."""
        yield from self._request()
        self._manager()
        spec = yield from self.with_network_ids(stored(spec))
        if not spec.name:
            spec = replace(spec, name=random_name(self.engine.ids))
        created = yield from self._control(control.CREATE_SERVICE, control.CreateServiceRequest(spec))
        return created.service.id

    def service_update(self, reference: str, version: int, spec: ServiceSpec, rollback: bool) -> Activity[None]:
        yield from self._request()
        service = yield from self._service(reference)
        spec = yield from self.with_network_ids(stored(spec))
        request = control.UpdateServiceRequest(service.id, version, spec, rollback)
        yield from self._control(control.UPDATE_SERVICE, request)

    def service_remove(self, reference: str) -> Activity[None]:
        yield from self._request()
        service = yield from self._service(reference)
        yield from self._control(control.REMOVE_SERVICE, control.RemoveServiceRequest(service.id))

    def task_list(self, filters: Filters) -> Activity[tuple[list[api.Task], dict[str, api.Service], set[str] | None]]:
        """Tasks, and what their filters are judged by: services by id, the ids of the nodes that are asked for."""
        yield from self._request()
        services: dict[str, api.Service] = {}
        references = filters.values("service")
        by_id = "_up-to-date" in filters and all(len(reference) == ID_LENGTH for reference in references)
        if "name" in filters or (references and not by_id):
            services = {service.id: present.service(service) for service in (yield from self._services())}
        node_ids: set[str] | None = None
        if "node" in filters:
            node_ids = set()
            for reference in filters.values("node"):
                node_ids.add((yield from self._node(reference)).node.id)
        tasks = yield from self._tasks(up_to_date="_up-to-date" in filters)
        tasks = [task for task in tasks if task.spec.attachment is None]
        # A task keeps its service's labels when that is gone.
        tasks = [task for task in tasks if filters.labels("label", task.service_labels)]
        return [present.task(task) for task in tasks], services, node_ids

    # -- this host

    def task_inspect(self, reference: str) -> Activity[api.Task]:
        yield from self._request()
        tasks = yield from self._tasks()
        return present.task(find("task", reference, [(task.id, "", task) for task in tasks]))

    def events(
        self, since: float | None, until: float | None, wanted: Callable[[engineapi.Message], bool]
    ) -> Activity[Pipe[Json]]:
        """What happens on this engine: what it remembers of the past, if that was asked for, then as it comes."""
        yield from self._request()
        wall, log = self.host.wall, self.engine.events
        pipe: Pipe[Json] = Pipe(self.host.clock)

        def show(event: EngineEvent) -> None:
            message = presentlocal.message(event)
            if wanted(message):
                pipe.put(as_json(message))

        past = until is not None and until <= wall.now
        if since is not None or past:
            for event in tuple(log.past):
                if event.at >= (since or 0.0) and (until is None or event.at <= until):
                    show(event)
        if past:
            pipe.end()
        else:
            pipe.on_end(log.listen(show))
            if until is not None:
                self.engine.process.after(until - wall.now, pipe.end)
        return pipe

    def distribution_inspect(self, image: str) -> Activity[engineapi.DistributionInspect]:
        """What the registry says of an image (daemon/images, distribution router)."""
        yield self.engine.sample_duration("registry")
        found = self.engine.catalogue.find(image)
        if found is None or not found[0].in_registry:
            raise ApiError(403, f"{image}: not found in any registry")
        digest = f"sha256:{hashlib.sha256(found[1].encode()).hexdigest()}"
        return engineapi.DistributionInspect(descriptor=engineapi.Descriptor(digest=digest), platforms=PLATFORMS)

    def image_inspect(self, reference: str) -> Activity[NoReturn]:
        """Raises :class:`ApiError`: for an image that is here, that what is in it is not modelled."""
        yield from self._request()
        found = self.engine.catalogue.find(reference)
        if found is not None and found[1] in self.engine.images:
            raise ApiError(501, f"swarmsim: what is in the image {reference} is not modelled yet")
        raise texts.NO_SUCH_IMAGE.refusal(image=reference)

    def plugin_inspect(self, reference: str) -> Activity[NoReturn]:
        """There are none but those built in."""
        yield from self._request()
        raise texts.NO_PLUGIN.refusal(name=reference)

    def info(self) -> Activity[engineapi.Info]:
        yield from self._request()
        states = [container.state for container in self.engine.containers.values()]
        return engineapi.Info(
            id=_engine_id(self.host.name, self.host.ctx.streams.seed),
            containers=len(states),
            containers_running=states.count("running"),
            containers_stopped=len(states) - states.count("running"),
            images=len(self.engine.images),
            cpus=self.host.cpus,
            memory=self.host.memory,
            name=self.host.name,
            labels=[f"{key}={value}" for key, value in self.engine.labels.items()],
            server_version=ENGINE_VERSION,
            swarm=(yield from self._swarm_info()),
        )

    def version(self) -> Activity[engineapi.EngineVersion]:
        yield from self._request()
        return VERSION

    def _swarm_info(self) -> Activity[api.SwarmInfo]:
        node, joining = self.engine.node, self.engine.joining
        if node is None:
            if joining is None:
                return api.SwarmInfo(state="inactive")
            return api.SwarmInfo(
                node_address=self.host.address,
                state="error" if joining.error else "pending",
                error=joining.error,
                remote_managers=[api.Peer(address=joining.remote)],
            )
        if node.locked:
            return api.SwarmInfo(node_address=self.host.address, state="locked", error=texts.SWARM_LOCKED.words)
        if node.error:
            return api.SwarmInfo(node_address=self.host.address, state="error", error=node.error)
        info = api.SwarmInfo(
            node_id=node.certificate.node_id,
            node_address=self.host.address,
            state="active" if node.ready and joining is None else "pending",
            is_manager=node.control is not None,
        )
        if node.control is not None:
            try:
                views = yield from self._nodes()
                cluster = yield from self._cluster()
            except ApiError as error:
                info = replace(info, error=error.message)
            else:
                managers = sum(1 for view in views if view.manager is not None)
                info = replace(
                    info,
                    nodes=len(views),
                    managers=managers,
                    cluster=present.cluster_info(cluster),
                    warnings=[TWO_MANAGERS] if managers == 2 else [],
                )
        remotes = [api.Peer(node_id=peer.node_id, address=peer.addr) for peer in node.disk.remotes.weights]
        return replace(info, remote_managers=remotes)


def _engine_id(name: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    letters = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in (digest + digest)[:48])
    return ":".join(letters[i : i + 4] for i in range(0, 48, 4))
