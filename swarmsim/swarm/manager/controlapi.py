"""The control API (manager/controlapi/): what the leader does for a user, and every way it refuses.

Methods return their reply or a future for it; refusals are :class:`RpcError` with SwarmKit's codes and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar

from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.apitypes.specs import SECOND, EndpointSpec, HealthConfig, Resources, ServiceSpec, replace
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError, invalid_argument
from swarmsim.sim.streams import new_id
from swarmsim.swarm.api import control
from swarmsim.swarm.api.control import ManagerStatus, NodeView
from swarmsim.swarm.ca.certificates import join_token
from swarmsim.swarm.ca.unlockkey import new_key
from swarmsim.swarm.constraint import NoConstraints, parse
from swarmsim.swarm.manager.carotation import Findings, ask_around, desired, needed
from swarmsim.swarm.manager.controlreferences import check_existence, check_networks, check_references
from swarmsim.swarm.manager.raftnode import RaftNode, reachability
from swarmsim.swarm.objects import (
    Cluster,
    JobStatus,
    Node,
    NodeState,
    Role,
    Service,
    Task,
    TaskStatus,
    UpdateStatus,
)
from swarmsim.swarm.states import NODE_DELETED_MESSAGE, TaskState, Who
from swarmsim.swarm.store import AlreadyExists, NameConflict, StoreError, Transaction

MIN_CPUS = 1_000_000  # 10⁻⁹ CPUs
MIN_MEMORY = 4 * 1024 * 1024  # bytes
MIN_HEALTH_DURATION = 1_000_000  # nanoseconds, minimumDuration
EXPIRED_GRACE = 7 * 24 * 3600.0  # seconds, controlapi/cluster.go expiredCertGrace
MIN_CERT_EXPIRY = 3600 * SECOND  # ca.MinNodeCertExpiration
R = TypeVar("R")

_DNS_NAME = re.compile(r"^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$")


# -- validation


def validate_resources(resources: Resources) -> None:
    for quantities in (resources.limits, resources.reservations):
        if quantities is None:
            continue
        if 0 < quantities.nano_cpus < MIN_CPUS or quantities.nano_cpus < 0:
            raise invalid_argument(
                f"invalid cpu value {quantities.nano_cpus / 1e9:g}: Must be at least {MIN_CPUS / 1e9:g}"
            )
        if 0 < quantities.memory_bytes < MIN_MEMORY or quantities.memory_bytes < 0:
            raise invalid_argument(f"invalid memory value {quantities.memory_bytes}: Must be at least 4MiB")


def check_dns_name(name: str) -> None:
    """Refuse what cannot be a part of a name in DNS (common.go validateAnnotations). Raises :class:`RpcError`."""
    if not name:
        raise invalid_argument("meta: name must be provided")
    if not _DNS_NAME.match(name):
        raise invalid_argument("name must be valid as a DNS name component")
    if len(name) > 63:
        raise invalid_argument("name must be 63 characters or fewer")


def validate_service_spec(spec: ServiceSpec) -> None:
    """Refuse what SwarmKit refuses, in its order. Raises :class:`RpcError`."""
    check_dns_name(spec.name)
    task = spec.task
    validate_resources(task.resources)
    if task.restart is not None:
        if (task.restart.delay or 0) < 0:
            raise invalid_argument("TaskSpec: restart-delay cannot be negative")
        if (task.restart.window or 0) < 0:
            raise invalid_argument("TaskSpec: restart-window cannot be negative")
    try:
        parse(task.placement.constraints or [])
    except NoConstraints as problem:
        raise RpcError("Unknown", str(problem)) from None
    if not task.container.image:
        raise invalid_argument("ContainerSpec: image reference must be provided")
    try:
        parse_reference(task.container.image)
    except InvalidReference:
        raise invalid_argument(f'ContainerSpec: "{task.container.image}" is not a valid repository/tag') from None
    _validate_health(task.container.health)
    targets: set[str] = set()
    for mount in task.container.mounts or ():
        if mount.target in targets:
            raise invalid_argument(f"ContainerSpec: duplicate mount point: {mount.target}")
        targets.add(mount.target)
    check_references(spec)
    job = spec.mode.replicated_job is not None or spec.mode.global_job is not None
    if job and spec.update is not None:
        raise invalid_argument("Jobs may not have an update config")
    if spec.update is not None:
        if spec.update.delay < 0:
            raise invalid_argument("TaskSpec: update-delay cannot be negative")
        if spec.update.monitor < 0:
            raise invalid_argument("TaskSpec: update-monitor cannot be negative")
        if not 0 <= spec.update.max_failure_ratio <= 1:
            raise invalid_argument("TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1")
    validate_endpoint(spec.endpoint)


def _validate_health(health: HealthConfig | None) -> None:
    if health is None:
        return
    for name, duration in (
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
    ):
        if duration and duration < MIN_HEALTH_DURATION:
            raise invalid_argument(f"ContainerSpec: {name} in HealthConfig cannot be less than 1ms")
    if health.retries < 0:
        raise invalid_argument("ContainerSpec: Retries in HealthConfig cannot be negative")


def validate_endpoint(endpoint: EndpointSpec | None) -> None:
    ports = set()
    for port in (endpoint.ports if endpoint else None) or ():
        if endpoint is not None and endpoint.mode == "dnsrr" and port.publish_mode == "ingress":
            raise invalid_argument("EndpointSpec: port published with ingress mode can't be used with dnsrr mode")
        if port.published_port:
            key = (port.published_port, port.protocol)
            if key in ports:
                raise invalid_argument("EndpointSpec: duplicate published ports provided")
            ports.add(key)


class ControlAPI:
    """The leader's answers; :func:`register` is what a manager serves."""

    def __init__(self, raft: RaftNode, ids: Random, roots: Random) -> None:
        """``roots`` is where keys of new roots come from."""
        self.raft = raft
        self.store = raft.store
        self.ids = ids
        self.roots = roots
        self._workers: dict[str, NodeView] = {}
        """Workers as they were listed last. A change replaces a stored node, and with it what is kept of it here."""

    # -- nodes

    def _view(self, node: Node) -> NodeView:
        member = self.raft.member_of(node.id)
        if member is None:
            return NodeView(node, None)
        leads = member.raft_id == self.raft.core.leader
        return NodeView(node, ManagerStatus(leads, reachability(self.raft, member), member.addr))

    def list_nodes(self, request: control.ListNodesRequest, call: CallInfo) -> control.ListNodesResponse:
        return control.ListNodesResponse(self.views())

    def views(self) -> list[NodeView]:
        members, workers = {member.node_id for member in self.raft.members.values()}, self._workers
        views = []
        for id, node in self.store.table(Node).items():
            if id in members:
                views.append(self._view(node))
                continue
            view = workers.get(id)
            if view is None or view.node is not node:
                view = workers[id] = NodeView(node, None)
            views.append(view)
        return views

    def update_node(self, request: control.UpdateNodeRequest, call: CallInfo) -> Future[control.UpdateNodeResponse]:
        return self.write(partial(self._update_node, request))

    def _update_node(self, request: control.UpdateNodeRequest, tx: Transaction) -> control.UpdateNodeResponse:
        node = tx.get(Node, request.node_id)
        if node is None:
            raise RpcError("NotFound", f"node {request.node_id} not found")
        if node.spec.role is Role.MANAGER and request.spec.role is Role.WORKER:
            managers = [other for other in tx.all(Node) if other.role is Role.MANAGER]
            if [other.id for other in managers] == [node.id]:
                raise RpcError("FailedPrecondition", "attempting to demote the last manager of the swarm")
            member = self.raft.member_of(node.id)
            if member is None:
                raise RpcError("NotFound", "can't find manager in raft memberlist")
            if not self.raft.can_remove(member.raft_id):
                raise RpcError(
                    "FailedPrecondition",
                    "can't remove member from the raft: this would result in a loss of quorum",
                )
        node = replace(node, spec=request.spec, meta=replace(node.meta, version=request.version))
        tx.update(node)
        return control.UpdateNodeResponse(node)

    def remove_node(self, request: control.RemoveNodeRequest, call: CallInfo) -> Future[None]:
        return self.write(partial(self._remove_node, request))

    def _remove_node(self, request: control.RemoveNodeRequest, tx: Transaction) -> None:
        node = tx.get(Node, request.node_id)
        if node is None:
            raise RpcError("NotFound", f"node {request.node_id} not found")
        if node.spec.role is Role.MANAGER and self.raft.member_of(node.id) is not None:
            raise RpcError(
                "FailedPrecondition",
                f"node {node.id} is a cluster manager and is a member of the raft cluster. "
                "It must be demoted to worker before removal",
            )
        if not request.force and node.status.state is NodeState.READY:
            raise RpcError("FailedPrecondition", f"node {node.id} is not down and can't be removed")
        for task in self.store.tasks_on_node(node.id):
            if task.status.state < TaskState.COMPLETE:
                status = TaskStatus(TaskState.ORPHANED, self.store.wall.now, NODE_DELETED_MESSAGE)
                tx.update(replace(task, status=status), Who.CONTROL)
        cluster = next(tx.all(Cluster), None)
        if cluster is not None:
            certificate = node.certificate.certificate
            removed = {**cluster.removed, node.id: certificate.not_after if certificate is not None else None}
            tx.update(self._without_expired(replace(cluster, removed=removed)))
        tx.delete(Node, node.id)

    def _without_expired(self, cluster: Cluster) -> Cluster:
        """Removed nodes are forgotten a week after their certificates expired, when the cluster is changed for whatever reason."""
        limit = self.store.wall.now - EXPIRED_GRACE
        left = {id: until for id, until in cluster.removed.items() if until is None or until >= limit}
        return cluster if len(left) == len(cluster.removed) else replace(cluster, removed=left)

    # -- services

    def list_services(self, request: control.ListServicesRequest, call: CallInfo) -> control.ListServicesResponse:
        return control.ListServicesResponse(list(self.store.table(Service).values()))

    def list_service_statuses(
        self, request: control.ListServiceStatusesRequest, call: CallInfo
    ) -> control.ListServiceStatusesResponse:
        return control.ListServiceStatusesResponse({id: self._status(id) for id in request.services})

    def _status(self, id: str) -> control.ServiceStatus:
        """Counted by what tasks say of themselves: one on a node that is down runs, as far as it is known."""
        service = self.store.get(Service, id)
        tasks = self.store.tasks_of_service(id)
        mode = service.spec.mode if service is not None else None
        if service is not None and service.job_status is not None:
            tasks = [task for task in tasks if task.job_iteration == service.job_status.iteration]
        if mode is None:
            desired = 0
        elif mode.replicated is not None:
            desired = mode.replicated.replicas or 0
        elif mode.replicated_job is not None:
            desired = mode.replicated_job.max_concurrent or 0
        else:
            desired = sum(
                task.desired_state == TaskState.RUNNING
                or (task.desired_state == TaskState.COMPLETE != task.status.state)
                for task in tasks
            )
        states = [task.status.state for task in tasks]
        of_job = service is not None and service.job_status is not None
        completed = states.count(TaskState.COMPLETE) if of_job else 0
        return control.ServiceStatus(states.count(TaskState.RUNNING), desired, completed)

    def create_service(
        self, request: control.CreateServiceRequest, call: CallInfo
    ) -> Future[control.CreateServiceResponse]:
        spec = request.spec
        validate_service_spec(spec)
        check_networks(self.store, spec)
        self._check_ports(spec, "")
        service = Service(id=new_id(self.ids), spec=spec)
        if service.is_job:
            service = replace(service, job_status=JobStatus(0, self.store.wall.now))

        def create(tx: Transaction) -> control.CreateServiceResponse:
            check_existence(tx, spec)
            try:
                tx.create(service)
            except (AlreadyExists, NameConflict) as conflict:
                raise RpcError("AlreadyExists", f"{conflict}: service {spec.name} already exists") from None
            return control.CreateServiceResponse(service)

        return self.write(create)

    def update_service(
        self, request: control.UpdateServiceRequest, call: CallInfo
    ) -> Future[control.UpdateServiceResponse]:
        validate_service_spec(request.spec)
        service = self.store.get(Service, request.service_id)
        if service is None:
            raise RpcError("NotFound", f"service {request.service_id} not found")
        check_networks(self.store, request.spec)
        if request.spec.endpoint is not None and request.spec.endpoint != service.spec.endpoint:
            self._check_ports(request.spec, request.service_id)
        return self.write(partial(self._update_service, request))

    def _update_service(self, request: control.UpdateServiceRequest, tx: Transaction) -> control.UpdateServiceResponse:
        service = tx.get(Service, request.service_id)
        if service is None:
            raise RpcError("NotFound", f"service {request.service_id} not found")
        check_existence(tx, request.spec)
        if service.spec.mode.name != request.spec.mode.name:
            raise RpcError("Unimplemented", "service mode change is not allowed")
        if service.spec.name != request.spec.name:
            raise RpcError("Unimplemented", "renaming services is not supported")
        meta = replace(service.meta, version=request.version)
        if service.job_status is not None:
            job_status = JobStatus(service.job_status.iteration + 1, self.store.wall.now)
            service = replace(service, job_status=job_status)
        if request.rollback:
            if service.previous_spec is None:
                raise RpcError("FailedPrecondition", f"service {service.id} does not have a previous spec")
            service = replace(
                service,
                meta=meta,
                spec=service.previous_spec,
                spec_version=service.previous_spec_version,
                previous_spec=service.spec,
                previous_spec_version=service.spec_version,
                update_status=UpdateStatus("rollback_started", self.store.wall.now, "manually requested rollback"),
            )
        else:
            service = replace(
                service,
                meta=meta,
                spec=request.spec,
                spec_version=request.version,
                previous_spec=service.spec,
                previous_spec_version=service.spec_version,
                update_status=None,
            )
        tx.update(service)
        return control.UpdateServiceResponse(service)

    def remove_service(self, request: control.RemoveServiceRequest, call: CallInfo) -> Future[None]:
        id = request.service_id

        def remove(tx: Transaction) -> None:
            if tx.get(Service, id) is None:
                raise RpcError("NotFound", f"service {id} not found")
            tx.delete(Service, id)

        return self.write(remove)

    def _check_ports(self, spec: ServiceSpec, service_id: str) -> None:
        """No two services may publish a port as an ingress port, nor one as ingress and one as host port."""
        ingress: set[tuple[str, int]] = set()
        host: set[tuple[str, int]] = set()
        for port in (spec.endpoint.ports if spec.endpoint else None) or ():
            if port.published_port:
                (ingress if port.publish_mode == "ingress" else host).add((port.protocol, port.published_port))
        for service in self.store.table(Service).values():
            if service.id == service_id:
                continue
            for port in service.ports or (service.spec.endpoint and service.spec.endpoint.ports) or ():
                key = (port.protocol, port.published_port)
                where = (
                    f"port '{port.published_port}' is already in use by service '{service.spec.name}' ({service.id})"
                )
                if port.publish_mode == "host" and key in ingress:
                    raise invalid_argument(f"{where} as a host-published port")
                if port.publish_mode == "ingress" and (key in ingress or key in host):
                    raise invalid_argument(f"{where} as an ingress port")

    # -- tasks, networks, the cluster

    def list_tasks(self, request: control.ListTasksRequest, call: CallInfo) -> control.ListTasksResponse:
        tasks = list(self.store.table(Task).values())
        if request.up_to_date:
            services = self.store.table(Service)
            tasks = [t for t in tasks if t.service_id in services and t.spec == services[t.service_id].spec.task]
        return control.ListTasksResponse(tasks)

    def get_cluster(self, request: control.GetClusterRequest, call: CallInfo) -> control.GetClusterResponse:
        cluster = self.store.cluster
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        return control.GetClusterResponse(cluster)

    def update_cluster(
        self, request: control.UpdateClusterRequest, call: CallInfo
    ) -> Future[control.UpdateClusterResponse]:
        if request.spec.node_cert_expiry < MIN_CERT_EXPIRY:
            raise invalid_argument("minimum certificate expiry time is: 1h0m0s")
        if request.spec.heartbeat_period < 0:
            raise invalid_argument("heartbeat time period cannot be a negative duration")
        cluster = self.store.cluster
        if cluster is not None and needed(cluster, request):
            return self.raft.scope.spawn(self._ask_authorities(request, cluster))
        return self.write(partial(self._update_cluster, request, Findings()))

    def _ask_authorities(
        self, request: control.UpdateClusterRequest, cluster: Cluster
    ) -> Activity[control.UpdateClusterResponse]:
        findings = yield from ask_around(self.raft.process, self.raft.scope, request, cluster, self.roots)
        answer: control.UpdateClusterResponse = yield self.write(partial(self._update_cluster, request, findings))
        return answer

    def _update_cluster(
        self, request: control.UpdateClusterRequest, findings: Findings, tx: Transaction
    ) -> control.UpdateClusterResponse:
        cluster = next(tx.all(Cluster), None)
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        digest = cluster.worker_token.split("-")[2]
        cluster = replace(cluster, spec=request.spec, meta=replace(cluster.meta, version=request.version))
        if request.rotate_worker_token:
            cluster = replace(cluster, worker_token=join_token(digest, self.ids))
        if request.rotate_manager_token:
            cluster = replace(cluster, manager_token=join_token(digest, self.ids))
        cluster = self._without_expired(replace(cluster, unlock_key=self._unlock_key(cluster, request)))
        cluster = desired(cluster, request, findings, self.roots, self.store.wall.now)
        tx.update(cluster)
        return control.UpdateClusterResponse(cluster)

    def _unlock_key(self, cluster: Cluster, request: control.UpdateClusterRequest) -> bytes:
        """There is one as long as managers lock; it is made when they begin to, and on request."""
        if not request.spec.autolock:
            return b""
        return new_key(self.roots) if request.rotate_unlock_key or not cluster.unlock_key else cluster.unlock_key

    def write(self, change: Callable[[Transaction], R]) -> Future[R]:
        """One transaction; what the store refuses is a refusal of the API."""

        def attempt(tx: Transaction) -> R:
            try:
                return change(tx)
            except StoreError as error:
                raise RpcError("Unknown", str(error)) from None

        return self.store.update(attempt)
