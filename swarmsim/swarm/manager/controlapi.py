"""The control API (manager/controlapi/): what the leader does for a user, and every way it refuses.

Methods take one payload and return the answer or an event for it; refusals are :class:`RpcError` with
SwarmKit's codes and words. Lists are oldest first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, NamedTuple

from swarmsim.sim.future import Future
from swarmsim.sim.rpc import RpcError
from swarmsim.sim.streams import new_id
from swarmsim.swarm.ca.certificates import join_token
from swarmsim.swarm.constraint import NoConstraints, parse
from swarmsim.swarm.manager.controlresources import RESOURCE_METHODS, check_existence, check_networks, check_references
from swarmsim.swarm.manager.raftnode import RaftNode, reachability
from swarmsim.swarm.objects import (
    Cluster,
    ClusterSpec,
    JobStatus,
    Node,
    NodeSpec,
    NodeState,
    Role,
    Service,
    Task,
    TaskStatus,
    UpdateStatus,
)
from swarmsim.swarm.reference import InvalidReference, parse_reference
from swarmsim.swarm.specs import SECOND, EndpointSpec, HealthConfig, Resources, ServiceSpec, replace
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import AlreadyExists, NameConflict, StoreError, Transaction

MIN_CPUS = 1_000_000  # 10⁻⁹ CPUs
MIN_MEMORY = 4 * 1024 * 1024  # bytes
MIN_HEALTH_DURATION = 1_000_000  # nanoseconds, minimumDuration
MIN_CERT_EXPIRY = 3600 * SECOND  # ca.MinNodeCertExpiration
_DNS_NAME = re.compile(r"^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$")


class ManagerStatus(NamedTuple):
    """What a node is in Raft; shown only for managers."""

    leader: bool
    reachability: str
    addr: str


class NodeView(NamedTuple):
    node: Node
    manager: ManagerStatus | None


class Overview(NamedTuple):
    nodes: list[NodeView]
    services: list[Service]
    tasks: list[Task]


class UpdateNode(NamedTuple):
    id: str
    version: int
    spec: NodeSpec


class RemoveNode(NamedTuple):
    id: str
    force: bool


class UpdateService(NamedTuple):
    id: str
    version: int
    spec: ServiceSpec
    rollback: bool = False


class UpdateCluster(NamedTuple):
    version: int
    spec: ClusterSpec
    rotate_worker_token: bool = False
    rotate_manager_token: bool = False


def _invalid(message: str) -> RpcError:
    return RpcError("InvalidArgument", message)


# -- validation


def validate_resources(resources: Resources) -> None:
    for quantities in (resources.limits, resources.reservations):
        if quantities is None:
            continue
        if 0 < quantities.nano_cpus < MIN_CPUS or quantities.nano_cpus < 0:
            raise _invalid(f"invalid cpu value {quantities.nano_cpus / 1e9:g}: Must be at least {MIN_CPUS / 1e9:g}")
        if 0 < quantities.memory_bytes < MIN_MEMORY or quantities.memory_bytes < 0:
            raise _invalid(f"invalid memory value {quantities.memory_bytes}: Must be at least 4MiB")


def validate_service_spec(spec: ServiceSpec) -> None:
    """Refuse what SwarmKit refuses, in its order. Raises :class:`RpcError`."""
    if not spec.name:
        raise _invalid("meta: name must be provided")
    if not _DNS_NAME.match(spec.name):
        raise _invalid("name must be valid as a DNS name component")
    if len(spec.name) > 63:
        raise _invalid("name must be 63 characters or fewer")
    task = spec.task
    validate_resources(task.resources)
    if task.restart is not None:
        if (task.restart.delay or 0) < 0:
            raise _invalid("TaskSpec: restart-delay cannot be negative")
        if (task.restart.window or 0) < 0:
            raise _invalid("TaskSpec: restart-window cannot be negative")
    try:
        parse(task.placement.constraints or [])
    except NoConstraints as problem:
        raise RpcError("Unknown", str(problem)) from None
    if not task.container.image:
        raise _invalid("ContainerSpec: image reference must be provided")
    try:
        parse_reference(task.container.image)
    except InvalidReference:
        raise _invalid(f'ContainerSpec: "{task.container.image}" is not a valid repository/tag') from None
    _validate_health(task.container.health)
    targets: set[str] = set()
    for mount in task.container.mounts or ():
        if mount.target in targets:
            raise _invalid(f"ContainerSpec: duplicate mount point: {mount.target}")
        targets.add(mount.target)
    check_references(spec)
    job = spec.mode.replicated_job is not None or spec.mode.global_job is not None
    if job and spec.update is not None:
        raise _invalid("Jobs may not have an update config")
    if spec.update is not None:
        if spec.update.delay < 0:
            raise _invalid("TaskSpec: update-delay cannot be negative")
        if spec.update.monitor < 0:
            raise _invalid("TaskSpec: update-monitor cannot be negative")
        if not 0 <= spec.update.max_failure_ratio <= 1:
            raise _invalid("TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1")
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
            raise _invalid(f"ContainerSpec: {name} in HealthConfig cannot be less than 1ms")
    if health.retries < 0:
        raise _invalid("ContainerSpec: Retries in HealthConfig cannot be negative")


def validate_endpoint(endpoint: EndpointSpec | None) -> None:
    ports = set()
    for port in (endpoint.ports if endpoint else None) or ():
        if endpoint is not None and endpoint.mode == "dnsrr" and port.publish_mode == "ingress":
            raise _invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode")
        if port.published_port:
            key = (port.published_port, port.protocol)
            if key in ports:
                raise _invalid("EndpointSpec: duplicate published ports provided")
            ports.add(key)


class ControlAPI:
    """The leader's answers. ``METHODS`` is what a manager serves."""

    def __init__(self, raft: RaftNode, ids: Random) -> None:
        self.raft = raft
        self.store = raft.store
        self.ids = ids
        self._workers: dict[str, NodeView] = {}
        """Workers as they were listed last. A change replaces a stored node, and with it what is kept of it here."""

    # -- nodes

    def _view(self, node: Node) -> NodeView:
        member = self.raft.member_of(node.id)
        if member is None:
            return NodeView(node, None)
        leads = member.raft_id == self.raft.core.leader
        return NodeView(node, ManagerStatus(leads, reachability(self.raft, member), member.addr))

    def list_nodes(self, _: None) -> list[NodeView]:
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

    def overview(self, _: None) -> Overview:
        """All three lists as they are at one moment, for who looks again and again."""
        return Overview(self.list_nodes(None), self.list_services(None), self.list_tasks(None))

    def update_node(self, request: UpdateNode) -> Future[Any]:
        return self.write(partial(self._update_node, request))

    def _update_node(self, request: UpdateNode, tx: Transaction) -> Node:
        node = tx.get(Node, request.id)
        if node is None:
            raise RpcError("NotFound", f"node {request.id} not found")
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
        return node

    def remove_node(self, request: RemoveNode) -> Future[Any]:
        return self.write(partial(self._remove_node, request))

    def _remove_node(self, request: RemoveNode, tx: Transaction) -> None:
        node = tx.get(Node, request.id)
        if node is None:
            raise RpcError("NotFound", f"node {request.id} not found")
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
                status = TaskStatus(
                    TaskState.ORPHANED, self.store.clock.now, "Task belonged to a node that has been deleted"
                )
                tx.update(replace(task, status=status))
        tx.delete(Node, node.id)

    # -- services

    def list_services(self, _: None) -> list[Service]:
        return list(self.store.table(Service).values())

    def create_service(self, spec: ServiceSpec) -> Future[Any]:
        validate_service_spec(spec)
        check_networks(self, spec)
        self._check_ports(spec, "")
        service = Service(id=new_id(self.ids), spec=spec)
        if service.is_job:
            service = replace(service, job_status=JobStatus(0, self.store.clock.now))

        def create(tx: Transaction) -> Service:
            check_existence(tx, spec)
            try:
                tx.create(service)
            except (AlreadyExists, NameConflict) as conflict:
                raise RpcError("AlreadyExists", f"{conflict}: service {spec.name} already exists") from None
            return service

        return self.write(create)

    def update_service(self, request: UpdateService) -> Future[Any]:
        validate_service_spec(request.spec)
        service = self.store.get(Service, request.id)
        if service is None:
            raise RpcError("NotFound", f"service {request.id} not found")
        check_networks(self, request.spec)
        if request.spec.endpoint is not None and request.spec.endpoint != service.spec.endpoint:
            self._check_ports(request.spec, request.id)
        return self.write(partial(self._update_service, request))

    def _update_service(self, request: UpdateService, tx: Transaction) -> Service:
        service = tx.get(Service, request.id)
        if service is None:
            raise RpcError("NotFound", f"service {request.id} not found")
        check_existence(tx, request.spec)
        if service.spec.mode.name != request.spec.mode.name:
            raise RpcError("Unimplemented", "service mode change is not allowed")
        if service.spec.name != request.spec.name:
            raise RpcError("Unimplemented", "renaming services is not supported")
        meta = replace(service.meta, version=request.version)
        if service.job_status is not None:
            job_status = JobStatus(service.job_status.iteration + 1, self.store.clock.now)
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
                update_status=UpdateStatus("rollback_started", self.store.clock.now, "manually requested rollback"),
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
        return service

    def remove_service(self, id: str) -> Future[Any]:
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
                    raise _invalid(f"{where} as a host-published port")
                if port.publish_mode == "ingress" and (key in ingress or key in host):
                    raise _invalid(f"{where} as an ingress port")

    # -- tasks, networks, the cluster

    def list_tasks(self, _: None) -> list[Task]:
        return list(self.store.table(Task).values())

    def get_cluster(self, _: None) -> Cluster:
        cluster = self.store.cluster
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        return cluster

    def update_cluster(self, request: UpdateCluster) -> Future[Any]:
        if request.spec.node_cert_expiry < MIN_CERT_EXPIRY:
            raise _invalid("minimum certificate expiry time is: 1h0m0s")
        if request.spec.heartbeat_period < 0:
            raise _invalid("heartbeat time period cannot be a negative duration")
        return self.write(partial(self._update_cluster, request))

    def _update_cluster(self, request: UpdateCluster, tx: Transaction) -> Cluster:
        cluster = next(tx.all(Cluster), None)
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        digest = cluster.worker_token.split("-")[2]
        cluster = replace(cluster, spec=request.spec, meta=replace(cluster.meta, version=request.version))
        if request.rotate_worker_token:
            cluster = replace(cluster, worker_token=join_token(digest, self.ids))
        if request.rotate_manager_token:
            cluster = replace(cluster, manager_token=join_token(digest, self.ids))
        tx.update(cluster)
        return cluster

    # -- the certificate authority's side of joining

    def issue_certificate(self, request: tuple[str, str]) -> Future[Any]:
        """A joining node shows ``(token, availability)``; the answer is its new node and cluster id."""
        token, availability = request
        cluster = self.get_cluster(None)
        roles = {cluster.worker_token: Role.WORKER, cluster.manager_token: Role.MANAGER}
        role = roles.get(token)
        if role is None:
            raise _invalid("A valid join token is necessary to join this cluster")
        spec = NodeSpec(role=role, availability=type(NodeSpec().availability)(availability))
        node = Node(id=new_id(self.ids), spec=spec, role=role)

        def create(tx: Transaction) -> tuple[str, str, Role]:
            tx.create(node)
            return node.id, cluster.id, role

        return self.write(create)

    def write(self, change: Callable[[Transaction], Any]) -> Future[Any]:
        """One transaction; what the store refuses is a refusal of the API."""

        def attempt(tx: Transaction) -> Any:
            try:
                return change(tx)
            except StoreError as error:
                raise RpcError("Unknown", str(error)) from None

        return self.store.update(attempt)


METHODS: dict[str, Callable[[ControlAPI, Any], Any]] = {
    "control.list_nodes": ControlAPI.list_nodes,
    "control.overview": ControlAPI.overview,
    "control.update_node": ControlAPI.update_node,
    "control.remove_node": ControlAPI.remove_node,
    "control.list_services": ControlAPI.list_services,
    "control.create_service": ControlAPI.create_service,
    "control.update_service": ControlAPI.update_service,
    "control.remove_service": ControlAPI.remove_service,
    "control.list_tasks": ControlAPI.list_tasks,
    "control.get_cluster": ControlAPI.get_cluster,
    "control.update_cluster": ControlAPI.update_cluster,
    "ca.issue_certificate": ControlAPI.issue_certificate,
    **RESOURCE_METHODS,
}
