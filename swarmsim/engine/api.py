"""The Engine API of one host (moby api/server/router, daemon/cluster): one activity per call.

Bodies are records of :mod:`swarmsim.apitypes`, from which their JSON follows. A refusal is an :class:`ApiError` with the
daemon's words; what comes from SwarmKit keeps its ``rpc error: code = … desc = …``. Every call has the
daemon's 20 s for the swarm to answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NoReturn

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.base import Json, as_json
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import ServiceSpec, replace
from swarmsim.engine import present, presentlocal, texts
from swarmsim.engine.calls import find, refused
from swarmsim.engine.containercalls import ContainerCalls
from swarmsim.engine.convert import cluster_spec, node_spec, stored
from swarmsim.engine.engine import ENGINE_VERSION, LOG_PORT
from swarmsim.engine.events import EngineEvent
from swarmsim.engine.gossip import leave_duration, others_in_gossip
from swarmsim.engine.joining import Joining
from swarmsim.engine.names import random_name
from swarmsim.engine.resources import ResourceCalls
from swarmsim.engine.stream import STDOUT, SYSTEM_ERROR, LogQuery, Pipe, log_frame, log_line
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.net.channel import ask_once
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.api import control
from swarmsim.swarm.api.ca import GET_UNLOCK_KEY, GetUnlockKeyRequest
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.api.logbroker import SUBSCRIBE_LOGS, SubscribeLogsRequest
from swarmsim.swarm.ca import unlockkey
from swarmsim.swarm.entering import init_swarm, join_swarm
from swarmsim.swarm.node import NodeDisk, SwarmNode
from swarmsim.swarm.objects import AddressPools, Availability, Cluster, Role, Service, Task
from swarmsim.trace import rows

PLATFORMS = [engineapi.RegistryPlatform(architecture=each, os="linux") for each in ("amd64", "arm64")]
"""Every image of the registry is there for both, as most public ones are."""
CONNECT_TIMEOUT = 20.0  # seconds, swarmConnectTimeout
STATS_TIMEOUT = 5.0  # seconds, managerStats
SWARM_PORT = 2377
ID_LENGTH = 25  # characters of an object's id: who waits for a service names it so, and it need not be looked up
DEFAULT_SUBNET_SIZE, MAX_SUBNET_SIZE = 24, 29  # bits, daemon/cluster/swarm.go
FOLLOW_INTERVAL = 0.5  # seconds between two looks at logs that are followed
INCOMPLETE = (
    "rpc error: code = Unknown desc = warning: incomplete log stream. "
    "some logs could not be retrieved for the following reasons: "
)

TOKEN = re.compile(r"SWMTKN-(?:1|2-(?P<fips>[01]))-(?P<digest>[0-9A-Za-z]{50})-(?P<secret>[^-]{25})")
"""swarmkit ca/config.go ParseJoinToken"""

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


class EngineAPI(ResourceCalls, ContainerCalls):
    """Calls on one engine. All are activities that return the body or raise :class:`ApiError`."""

    # -- the swarm itself

    def swarm_init(self, request: api.InitRequest) -> Activity[str]:
        """Returns the node's id."""
        yield from self._request()
        if request.force_new_cluster and self.engine.node is not None:
            node = yield from self._force_new_cluster(self.engine.node, request)
        else:
            address, available = self._entering(request)
            process, pools = self.engine.process, _address_pools(request)
            node = yield from init_swarm(process, self.engine, address, available, pools, autolock=request.autolock)
            self._adopt(node)
        if request.force_new_cluster or request.autolock or request.spec != api.SwarmSpec():
            cluster = yield from self._cluster()
            wanted = cluster_spec(request.spec, cluster.spec)
            update = control.UpdateClusterRequest(cluster.meta.version, wanted)
            yield from self._control(control.UPDATE_CLUSTER, update)
        return node.certificate.node_id

    def _force_new_cluster(self, node: SwarmNode, request: api.InitRequest) -> Activity[SwarmNode]:
        """Start a manager anew as the only one, from what it has on disk. Raises :class:`ApiError`."""
        if node.manager is None:
            raise texts.NOT_A_MANAGER.refusal()
        node.disk.advertise = self._own_address(request.advertise_addr or request.listen_addr)
        yield node.stop()
        self.engine.node = None
        gossip = self.engine.end_gossip()
        if gossip is not None:
            gossip.leave()
        self.engine.stop_task_containers()
        node = SwarmNode(self.engine.process, self.engine, node.disk)
        ready = node.wait_ready()
        node.resume(force_new_cluster=True)
        if node.locked:
            # The key is not asked for: the engine is in no swarm any more, until it is restarted.
            raise texts.SWARM_LOCKED.refusal()
        self._adopt(node)
        yield ready
        return node

    def _entering(self, request: api.InitRequest | api.JoinRequest) -> tuple[str, Availability]:
        """Where the others will find this engine, and what it is there for. Raises :class:`ApiError`, also if it is in a swarm."""
        if self.engine.node is not None or self.engine.joining is not None:
            raise texts.SWARM_EXISTS.refusal()
        left: NodeDisk | None = self.host.disk.get("swarm")
        if left is not None and left.kek.key:
            # What a failed attempt at a new cluster left on disk cannot be read; it is cleared away.
            del self.host.disk["swarm"]
            raise texts.SWARM_LOCKED.refusal()
        address = self._own_address(request.advertise_addr or request.listen_addr)
        return address, _availability(request.availability)

    def swarm_join(self, request: api.JoinRequest) -> Activity[None]:
        yield from self._request()
        address, available = self._entering(request)
        token = request.token
        parts = TOKEN.fullmatch(token)
        if parts is None:
            raise texts.BAD_TOKEN.refusal()
        if parts["fips"] == "1":
            raise texts.FIPS_TOKEN.refusal()
        remote = self._target(request.remotes[0])
        process, digest = self.engine.process, _digest_of(parts["digest"])
        attempt = join_swarm(process, self.engine, address, remote, digest, token, available, self._adopt)
        joining = self.engine.joining = Joining(process, remote, attempt, self._joined)
        yield self.host.clock.first_of((joining.ended, self.host.clock.timeout(CONNECT_TIMEOUT)))
        if not joining.ended.triggered:
            raise texts.JOIN_TIMEOUT.refusal()
        if not joining.done.ok:
            self.engine.joining = None
            error = joining.done._value
            if isinstance(error, RpcError) and not error.broken:
                raise refused(error)
            raise ApiError(503, str(error))

    def _joined(self, node: SwarmNode | None) -> None:
        if node is not None:
            self.engine.joining = None
        elif self.engine.node is not None:
            self.engine.node.stop()
            self._forget()

    def swarm_leave(self, force: bool) -> Activity[None]:
        yield from self._request()
        node, joining = self.engine.node, self.engine.joining
        if joining is not None:
            joining.give_up()
            self.engine.joining = None
        if node is None:
            if joining is None:
                raise texts.NO_SWARM.refusal()
            return
        if node.locked and not force:
            raise texts.LEAVING_LOCKED.refusal()
        if node.certificate.role is Role.MANAGER and joining is None and not force:
            yield from self._refuse_to_leave(node)
        yield node.stop()
        if node.error:
            # A node that did not start has no id here by which its containers would be found.
            if node.locked:
                node.note_lock(locked=False)
            self._forget()
            return
        farewell = self._say_farewell()
        self._forget()
        for task_id, container in list(self.engine.task_containers.items()):
            container.signal("SIGKILL")
            yield self.engine.sample_duration("container_stop")
            self.engine.remove_container(container, task_id)
        yield farewell
        yield self.engine.sample_duration("ingress_remove")

    def _say_farewell(self) -> Future[None]:
        """The node leaves the gossip; happens when it has said so."""
        clock, gossip = self.host.clock, self.engine.end_gossip()
        if gossip is None:
            return clock.timeout(leave_duration(others_in_gossip(self.host), self.host.rng("gossip")))
        said: Future[None] = clock.future()
        gossip.leave(said.succeed)
        return said

    def _refuse_to_leave(self, node: SwarmNode) -> Activity[None]:
        message = texts.LEAVING_MANAGER.words
        if node.control is None:
            message += texts.LOSES_CONSENSUS.words
        else:
            try:
                answer = yield from node.control.call(control.LIST_NODES, control.ListNodesRequest(), STATS_TIMEOUT)
                views = answer.nodes
            except RpcError:
                views = []
            statuses = [view.manager.reachability for view in views if view.manager is not None]
            reachable = statuses.count("reachable")
            unreachable = len(statuses) - reachable
            if statuses and reachable - 2 <= unreachable:
                if reachable == 1 and unreachable == 0:
                    raise ApiError(503, message + texts.LAST_MANAGER.words)
                message += texts.LEAVES_MANAGERS.fill(left=reachable - 1, all=reachable + unreachable)
        raise ApiError(503, message + texts.NO_OTHER_WAY.words)

    def swarm_inspect(self) -> Activity[api.Swarm]:
        yield from self._request()
        cluster = yield from self._cluster()
        return present.swarm(cluster)

    def swarm_update(
        self, version: int, given: api.SwarmSpec, rotate_worker: bool, rotate_manager: bool, rotate_key: bool = False
    ) -> Activity[None]:
        yield from self._request()
        cluster = yield from self._cluster()
        request = control.UpdateClusterRequest(
            version,
            cluster_spec(given, cluster.spec),
            rotate_worker,
            rotate_manager,
            rotate_key,
            given.ca.signing_ca_cert,
            given.ca.signing_ca_key,
        )
        yield from self._control(control.UPDATE_CLUSTER, request)

    def swarm_unlock_key(self) -> Activity[api.UnlockKeyResponse]:
        yield from self._request()
        kek = yield from self._control(GET_UNLOCK_KEY, GetUnlockKeyRequest())
        return api.UnlockKeyResponse(key=unlockkey.shown(kek.key) if kek.key else "")

    def swarm_unlock(self, request: api.UnlockRequest) -> Activity[None]:
        """Start the locked manager anew with a key. Answers when it is in the swarm again, however long that takes."""
        yield from self._request()
        node = self.engine.node
        if node is None or not node.locked:
            self._manager()
            raise texts.NOT_LOCKED.refusal()
        try:
            key = unlockkey.parsed(request.key)
        except ValueError:
            raise texts.BAD_UNLOCK_KEY.refusal() from None
        yield node.stop()
        node = SwarmNode(self.engine.process, self.engine, node.disk, key)
        self._adopt(node)
        ready = node.wait_ready()
        node.resume()
        if node.locked:
            raise texts.WRONG_UNLOCK_KEY.refusal()
        if node.error:
            raise texts.NOT_STARTED.refusal(error=node.error)
        yield ready

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

    def logs(self, reference: str, kind: str, query: LogQuery) -> Activity[Pipe[bytes]]:
        """What the containers of a service's tasks, or of one task, printed: lines as ``docker service logs`` reads them.

        Without ``follow`` the stream ends with what is there now; with it, nodes are asked again every 0.5 s.
        """
        yield from self._request()
        if kind == "service":
            service = yield from self._service(reference)
            wanted, key = service.id, "service_id"
        else:
            tasks = yield from self._tasks()
            wanted, key = find("task", reference, [(task.id, "", task) for task in tasks]).id, "id"
        pipe: Pipe[bytes] = Pipe(self.host.clock)
        self.engine.process.spawn(self._collect(pipe, lambda task: getattr(task, key) == wanted, query))
        return pipe

    def _collect(self, pipe: Pipe[bytes], fits: Callable[[Task], bool], query: LogQuery) -> Activity[None]:
        since, first = query.since, True
        while True:
            asked = self.host.wall.now
            try:
                tasks = [task for task in (yield from self._tasks()) if fits(task)]
                lines, missing = yield from self._printed(tasks)
            except ApiError as error:
                pipe.put(log_frame(SYSTEM_ERROR, f"Error grabbing logs: {error.message}\n"))
                break
            entries = []
            for task, printed in lines:
                new = [line for line in printed if (line[0] >= since if first else line[0] > since)]
                if first and query.tail is not None:
                    new = new[len(new) - min(query.tail, len(new)) :]
                entries += [(at, log_line(task, at, text, query)) for at, text in new]
            for _, line in sorted(entries, key=lambda entry: entry[0]):
                pipe.put(log_frame(STDOUT, line))
            if missing and first:
                reasons = "\n".join(f"\tnode {id} is not available" for id in missing)
                pipe.put(log_frame(SYSTEM_ERROR, f"Error grabbing logs: {INCOMPLETE}{reasons.strip()}\n"))
            if not query.follow or pipe.closed:
                break
            since, first = asked, False
            yield FOLLOW_INTERVAL
        pipe.end()

    def _printed(self, tasks: list[Task]) -> Activity[tuple[list[tuple[Task, list[tuple[float, str]]]], list[str]]]:
        """The lines of tasks, node by node, and the nodes that did not answer."""
        found: list[tuple[Task, list[tuple[float, str]]]] = []
        missing: list[str] = []
        for view in (yield from self._nodes()):
            own = [task for task in tasks if task.node_id == view.node.id]
            if not own:
                continue
            request = SubscribeLogsRequest(tuple(task.id for task in own))
            try:
                address = self.host.ctx.hosts[view.node.hostname].address
                logs = yield from ask_once(
                    self.engine.process, f"{address}:{LOG_PORT}", SUBSCRIBE_LOGS, request, STATS_TIMEOUT
                )
            except RpcError:
                missing.append(view.node.id)
                continue
            found += [(task, logs.lines.get(task.id, [])) for task in own]
        return found, missing

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

    # -- helpers

    def _cluster(self) -> Activity[Cluster]:
        return (yield from self._control(control.GET_CLUSTER, control.GetClusterRequest())).cluster

    def _nodes(self) -> Activity[list[NodeView]]:
        return (yield from self._control(control.LIST_NODES, control.ListNodesRequest())).nodes

    def _services(self) -> Activity[list[Service]]:
        return (yield from self._control(control.LIST_SERVICES, control.ListServicesRequest())).services

    def _tasks(self, up_to_date: bool = False) -> Activity[list[Task]]:
        """But for places of plain containers on networks (daemon/cluster/tasks.go: runtimes container and plugin)."""
        found = yield from self._control(control.LIST_TASKS, control.ListTasksRequest(up_to_date))
        return [task for task in found.tasks if not task.is_attachment]

    def _node(self, reference: str) -> Activity[NodeView]:
        if reference == "self" and self.engine.node is not None:
            reference = self.engine.node.certificate.node_id
        views = yield from self._nodes()
        return find("node", reference, [(v.node.id, v.node.hostname, v) for v in views])

    def _service(self, reference: str) -> Activity[Service]:
        services = yield from self._services()
        return find("service", reference, [(s.id, s.spec.name, s) for s in services])

    def _adopt(self, node: SwarmNode) -> None:
        self.engine.node = node
        self.host.disk["swarm"] = node.disk
        self.host.clock.quiescence.invalidate(SwarmNode)

    def _forget(self) -> None:
        self.engine.node = None
        self.engine.overlays.clear()
        self.host.disk.pop("swarm", None)
        self.host.ctx.journal.note(rows.SwarmLeft, host=self.host.name)

    def _own_address(self, given: str) -> str:
        address, port = _split(given or self.host.address)
        if address in ("0.0.0.0", ""):
            address = self.host.address
        numeric = all(part.isdigit() for part in address.split("."))
        if address != self.host.address and not _is_interface(address) and not numeric:
            raise ApiError(
                400, "advertise address must be a non-zero IP address or network interface (with optional port number)"
            )
        if _is_interface(address):
            address = self.host.address
        return f"{address}:{port or SWARM_PORT}"

    def _target(self, given: str) -> str:
        """Address and port that ``given`` means, which may be a host's name and lack the port."""
        address, port = _split(given)
        named = self.host.ctx.hosts.get(address)
        return f"{named.address if named is not None else address}:{port or SWARM_PORT}"


def _address_pools(request: api.InitRequest) -> AddressPools:
    """Where networks get their subnets from (daemon/cluster/swarm.go validateDefaultAddrPool). Raises :class:`ApiError`."""
    size = request.subnet_size or DEFAULT_SUBNET_SIZE
    if not request.address_pool:
        return AddressPools(subnet_size=size)
    if size > MAX_SUBNET_SIZE:
        raise texts.SUBNET_SIZE.refusal(size=size)
    for pool in request.address_pool:
        if int(pool.partition("/")[2]) > size:
            raise texts.SUBNET_TOO_BIG.refusal(pool=pool, size=size)
    return AddressPools(tuple(request.address_pool), size)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port) if port.isdigit() else 0


def _is_interface(name: str) -> bool:
    return name.startswith(("eth", "enp", "ens"))


def _digest_of(digits: str) -> bytes:
    return int(digits, 36).to_bytes(33, "big")[-32:]


def _availability(text: str) -> Availability:
    """Active if nothing is said (daemon/cluster/noderunner.go)."""
    if not text:
        return Availability.ACTIVE
    try:
        return Availability(text.lower())
    except ValueError:
        raise ApiError(400, f'invalid Availability: "{text}"') from None


def _engine_id(name: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    letters = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in (digest + digest)[:48])
    return ":".join(letters[i : i + 4] for i in range(0, 48, 4))
