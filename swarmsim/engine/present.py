"""What is the swarm's, as the Engine API shows it (moby daemon/cluster/convert): a record of :mod:`swarmsim.apitypes.swarm` from
each object of the store. JSON follows from those types. The other way round is :mod:`swarmsim.engine.convert`.
"""

from __future__ import annotations

from typing import TypedDict

from swarmsim.apitypes import specs
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.specs import DEFAULT_RESTART, DEFAULT_STOP_GRACE, DEFAULT_UPDATE, replace
from swarmsim.sim.clock import timestamp
from swarmsim.swarm.api import control
from swarmsim.swarm.ca.certificates import RootCA
from swarmsim.swarm.objects import (
    Attachment,
    Cluster,
    ClusterSpec,
    Config,
    JobStatus,
    NodeDescription,
    NodeSpec,
    Secret,
    Service,
    StoreObject,
    Task,
    TaskStatus,
    UpdateStatus,
)


class _Meta(TypedDict):
    id: str
    version: api.Version
    created_at: str
    updated_at: str


def _meta(obj: StoreObject) -> _Meta:
    return {
        "id": obj.id,
        "version": api.Version(index=obj.meta.version),
        "created_at": timestamp(obj.meta.created_at),
        "updated_at": timestamp(obj.meta.updated_at),
    }


# -- services


def with_defaults(spec: specs.ServiceSpec) -> specs.ServiceSpec:
    """The spec as ``inspect`` shows it, SwarmKit's defaults filled in (api/defaults/service.go)."""
    task = spec.task
    container = task.container
    if container.stop_grace_period is None:
        container = replace(container, stop_grace_period=DEFAULT_STOP_GRACE)
    if container.dns is None:
        container = replace(container, dns=specs.DNSConfig())
    restart = task.restart or specs.RestartPolicy()
    restart = replace(
        restart,
        condition=restart.condition or DEFAULT_RESTART.condition,
        delay=DEFAULT_RESTART.delay if restart.delay is None else restart.delay,
        max_attempts=DEFAULT_RESTART.max_attempts if restart.max_attempts is None else restart.max_attempts,
    )
    endpoint = spec.endpoint or specs.EndpointSpec()
    job = spec.mode.name.endswith("job")
    return replace(
        spec,
        task=replace(task, container=container, restart=restart),
        update=spec.update if job else _update_defaults(spec.update),
        rollback=spec.rollback if job else _update_defaults(spec.rollback),
        endpoint=replace(endpoint, mode=endpoint.mode or "vip"),
    )


def _update_defaults(config: specs.UpdateConfig | None) -> specs.UpdateConfig:
    if config is None:
        return DEFAULT_UPDATE
    return replace(
        config,
        failure_action=config.failure_action or DEFAULT_UPDATE.failure_action,
        monitor=config.monitor or DEFAULT_UPDATE.monitor,
        order=config.order or DEFAULT_UPDATE.order,
    )


def service(obj: Service, insert_defaults: bool = False) -> api.Service:
    return api.Service(
        **_meta(obj),
        spec=with_defaults(obj.spec) if insert_defaults else obj.spec,
        previous_spec=obj.previous_spec,
        endpoint=_endpoint(obj),
        update_status=_update_status(obj.update_status),
        job_status=_job_status(obj.job_status),
    )


def _endpoint(obj: Service) -> api.Endpoint:
    if not obj.ports and not obj.virtual_ips:
        return api.Endpoint()
    return api.Endpoint(
        spec=with_defaults(obj.spec).endpoint or specs.EndpointSpec(),
        ports=list(obj.ports),
        virtual_ips=[api.VirtualIP(network_id=each.network_id, address=each.address) for each in obj.virtual_ips],
    )


def _update_status(status: UpdateStatus | None) -> api.UpdateStatus | None:
    if status is None:
        return None
    return api.UpdateStatus(
        state=status.state,
        started_at=timestamp(status.started_at),
        completed_at=None if status.completed_at is None else timestamp(status.completed_at),
        message=status.message,
    )


def service_status(status: control.ServiceStatus) -> api.ServiceStatus:
    """What is shown of a service to who asks for its status."""
    return api.ServiceStatus(running=status.running, desired=status.desired, completed=status.completed)


def _job_status(status: JobStatus | None) -> api.JobStatus | None:
    if status is None:
        return None
    return api.JobStatus(iteration=api.Version(index=status.iteration), last_execution=timestamp(status.last_execution))


# -- tasks


def task(obj: Task) -> api.Task:
    return api.Task(
        **_meta(obj),
        spec=obj.spec,
        service_id=obj.service_id,
        slot=obj.slot,
        node_id=obj.node_id,
        status=_task_status(obj.status),
        desired_state=str(obj.desired_state),
        attachments=[_attachment(each) for each in obj.networks],
        generic=list(obj.generic),
        iteration=None if obj.job_iteration is None else api.Version(index=obj.job_iteration),
    )


def _task_status(status: TaskStatus) -> api.TaskStatus:
    container = status.container
    return api.TaskStatus(
        timestamp=timestamp(status.timestamp),
        state=str(status.state),
        message=status.message,
        err=status.err,
        container=None
        if container is None
        else api.ContainerStatus(container_id=container.container_id, pid=container.pid, exit_code=container.exit_code),
        port_status=api.PortStatus(ports=list(status.ports)),
    )


def _attachment(attachment: Attachment) -> api.Attachment:
    network = api.AttachedNetwork(id=attachment.network_id, driver_state=specs.Driver(name=attachment.driver))
    return api.Attachment(network=network, addresses=[attachment.address])


# -- nodes


class NodeRecords:
    """Records of nodes, made again only for those that are others: who waits for a rotation lists all nodes five times a second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[control.NodeView, api.Node]] = {}

    def of(self, view: control.NodeView) -> api.Node:
        known = self._known.get(view.node.id)
        if known is None or known[0].node is not view.node or known[0].manager != view.manager:
            known = self._known[view.node.id] = (view, node(view))
        return known[1]


def node(view: control.NodeView) -> api.Node:
    obj, manager = view.node, view.manager
    return api.Node(
        **_meta(obj),
        spec=_node_spec(obj.spec),
        description=api.NodeDescription() if obj.description is None else _description(obj.description),
        status=api.NodeStatus(state=str(obj.status.state), message=obj.status.message, address=obj.status.addr),
        manager_status=None
        if manager is None
        else api.ManagerStatus(leader=manager.leader, reachability=manager.reachability, address=manager.addr),
    )


def _node_spec(spec: NodeSpec) -> api.NodeSpec:
    return api.NodeSpec(labels=spec.labels, role=str(spec.role), availability=str(spec.availability))


def _description(description: NodeDescription) -> api.NodeDescription:
    return api.NodeDescription(
        hostname=description.hostname,
        platform=specs.Platform(architecture=description.architecture, os=description.os),
        resources=api.NodeResources(
            nano_cpus=description.nano_cpus,
            memory_bytes=description.memory_bytes,
            generic=list(description.generic),
        ),
        engine=api.EngineDescription(
            version=description.engine_version,
            labels=description.engine_labels,
            plugins=[api.Plugin(type=kind, name=name) for kind, name in description.plugins],
        ),
        tls=_tls_info(description.tls.trust_root, description.tls.issuer)
        if description.tls is not None
        else api.TLSInfo(),
    )


def _tls_info(trusted: RootCA, issuer: RootCA) -> api.TLSInfo:
    return api.TLSInfo(trust_root=trusted.pem, issuer_subject=issuer.subject, issuer_public_key=issuer.public_key)


# -- the swarm


def swarm(cluster: Cluster) -> api.Swarm:
    tokens = api.JoinTokens(worker=cluster.worker_token, manager=cluster.manager_token)
    return api.Swarm(**_cluster(cluster), join_tokens=tokens)


def cluster_info(cluster: Cluster) -> api.ClusterInfo:
    """The swarm without its tokens."""
    return api.ClusterInfo(**_cluster(cluster))


class _ClusterInfo(_Meta):
    spec: api.SwarmSpec
    tls: api.TLSInfo
    root_rotation: bool
    address_pool: list[str] | None
    subnet_size: int
    data_path_port: int


def _cluster(cluster: Cluster) -> _ClusterInfo:
    return {
        **_meta(cluster),
        "spec": _swarm_spec(cluster.spec),
        "tls": _tls_info(cluster.root, cluster.next_root or cluster.root),
        "root_rotation": cluster.next_root is not None,
        "address_pool": list(cluster.address_pools) or None,
        "subnet_size": cluster.subnet_size,
        "data_path_port": 4789,
    }


def _swarm_spec(spec: ClusterSpec) -> api.SwarmSpec:
    return api.SwarmSpec(
        name="default",
        labels={},
        orchestration=api.OrchestrationConfig(task_history_limit=spec.task_history_limit),
        raft=api.RaftConfig(
            snapshot_interval=spec.snapshot_interval,
            keep_old_snapshots=spec.keep_old_snapshots,
            log_entries_for_slow_followers=spec.log_entries_for_slow_followers,
            election_tick=spec.election_tick,
            heartbeat_tick=spec.heartbeat_tick,
        ),
        dispatcher=api.DispatcherConfig(heartbeat_period=spec.heartbeat_period),
        ca=api.CAConfig(
            node_cert_expiry=spec.node_cert_expiry,
            external_cas=[
                api.ExternalCA(protocol="cfssl", url=each.url, ca_cert=each.ca_cert) for each in spec.external_cas
            ]
            or None,
            force_rotate=spec.force_rotate,
        ),
        encryption=api.EncryptionConfig(autolock=spec.autolock),
    )


# -- secrets and configs


def secret(obj: Secret | Config) -> api.Secret | api.Config:
    """A config shows its data, a secret never does."""
    if isinstance(obj, Config):
        spec = specs.ConfigSpec(name=obj.spec.name, labels=obj.spec.labels, data=obj.spec.data)
        return api.Config(**_meta(obj), spec=spec)
    return api.Secret(**_meta(obj), spec=specs.SecretSpec(name=obj.spec.name, labels=obj.spec.labels))
