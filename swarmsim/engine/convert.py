"""What comes in at the API's door, as the swarm keeps it (moby daemon/cluster/convert).

Services keep their spec in the API's form: what SwarmKit's protobuf makes of it on its way in and out is filled in here
(:func:`stored`). Small specs are taken over field by field.
"""

from __future__ import annotations

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import (
    EndpointSpec,
    Mode,
    Replicated,
    ReplicatedJob,
    RestartPolicy,
    ServiceSpec,
    UpdateConfig,
    replace,
)
from swarmsim.swarm.ca.given import normalized
from swarmsim.swarm.objects import Availability, ClusterSpec, ExternalCA, NetworkSpec, NodeSpec, Pool, Role

RESTART_CONDITIONS = ("", "none", "on-failure", "any")
FAILURE_ACTIONS = ("", "pause", "continue", "rollback")
MOUNT_TYPES = ("", "bind", "volume", "tmpfs", "npipe", "cluster")
ORDERS = ("", "stop-first", "start-first")
ISOLATIONS = ("process", "hyperv")
ENDPOINT_MODES = ("", "vip", "dnsrr")


def _refuse(message: str) -> ApiError:
    return ApiError(400, message)


def stored(spec: ServiceSpec) -> ServiceSpec:
    """A spec as it comes back from SwarmKit's protobuf. Raises :class:`ApiError` for what that cannot say."""
    task = spec.task
    container = task.container
    if task.runtime not in ("", "container"):
        raise _refuse("unsupported runtime")
    for mount in container.mounts or ():
        if mount.type not in MOUNT_TYPES:
            raise _refuse(f'invalid MountType: "{mount.type}"')
    isolation = container.isolation if container.isolation in ISOLATIONS else "default"
    return replace(
        spec,
        task=replace(
            task, container=replace(container, isolation=isolation), restart=_restart(task.restart), runtime="container"
        ),
        mode=_mode(spec.mode),
        update=_update_config(spec.update),
        rollback=_update_config(spec.rollback),
        endpoint=_endpoint(spec.endpoint),
    )


def _restart(policy: RestartPolicy | None) -> RestartPolicy | None:
    if policy is None:
        return None
    if policy.condition not in RESTART_CONDITIONS:
        raise _refuse(f'invalid RestartCondition: "{policy.condition}"')
    return replace(policy, condition=policy.condition or "any", max_attempts=policy.max_attempts or 0)


def _update_config(config: UpdateConfig | None) -> UpdateConfig | None:
    if config is None:
        return None
    if config.failure_action not in FAILURE_ACTIONS:
        raise _refuse(f"unrecognized update failure action {config.failure_action}")
    if config.order not in ORDERS:
        raise _refuse(f"unrecognized update order {config.order}")
    return replace(config, failure_action=config.failure_action or "pause", order=config.order or "stop-first")


def _endpoint(spec: EndpointSpec | None) -> EndpointSpec | None:
    if spec is None:
        return None
    if spec.mode not in ENDPOINT_MODES:
        raise _refuse(f'invalid resolution mode: "{spec.mode}"')
    ports = [
        replace(port, protocol=port.protocol or "tcp", publish_mode=port.publish_mode or "ingress")
        for port in spec.ports or ()
    ]
    return EndpointSpec(mode=spec.mode or "vip", ports=ports or None)


def _mode(mode: Mode) -> Mode:
    """Replicated with one task if nothing is said."""
    given = [each for each in (mode.replicated, mode.global_, mode.replicated_job, mode.global_job) if each is not None]
    if len(given) > 1:
        raise _refuse("must specify only one service mode")
    if mode.replicated_job is not None:
        job = mode.replicated_job
        return Mode(replicated_job=ReplicatedJob(max_concurrent=job.concurrent, total_completions=job.total))
    if mode.replicated is not None or not given:
        return Mode(replicated=Replicated(replicas=(mode.replicated or Replicated()).count))
    return mode


def node_spec(spec: api.NodeSpec) -> NodeSpec:
    """Raises :class:`ApiError` (convert/node.go)."""
    role, availability = spec.role.lower(), spec.availability.lower()
    if role not in list(Role):
        raise _refuse(f'invalid Role: "{spec.role}"')
    if availability not in list(Availability):
        raise _refuse(f'invalid Availability: "{spec.availability}"')
    return NodeSpec(dict(spec.labels), Role(role), Availability(availability))


def cluster_spec(given: api.SwarmSpec, present: ClusterSpec) -> ClusterSpec:
    """``present`` with what is given; a zero is not given (convert/swarm.go MergeSwarmSpecToGRPC)."""
    raft, limit = given.raft, given.orchestration.task_history_limit
    old_snapshots = raft.keep_old_snapshots
    return ClusterSpec(
        task_history_limit=present.task_history_limit if limit is None else limit,
        snapshot_interval=raft.snapshot_interval or present.snapshot_interval,
        keep_old_snapshots=present.keep_old_snapshots if old_snapshots is None else old_snapshots,
        log_entries_for_slow_followers=raft.log_entries_for_slow_followers or present.log_entries_for_slow_followers,
        heartbeat_tick=raft.heartbeat_tick or present.heartbeat_tick,
        election_tick=raft.election_tick or present.election_tick,
        heartbeat_period=given.dispatcher.heartbeat_period or present.heartbeat_period,
        node_cert_expiry=given.ca.node_cert_expiry or present.node_cert_expiry,
        force_rotate=given.ca.force_rotate,
        autolock=given.encryption.autolock,
        external_cas=tuple(ExternalCA(each.url, normalized(each.ca_cert)) for each in given.ca.external_cas or ()),
    )


def network_spec(given: engineapi.NetworkCreateRequest) -> NetworkSpec:
    ipam = given.ipam or engineapi.IPAM()
    return NetworkSpec(
        name=given.name,
        labels=given.labels or None,
        driver=given.driver or "bridge",
        pools=tuple(Pool(each.subnet, each.gateway, each.ip_range, each.aux) for each in ipam.config or ()),
        ipv6=bool(given.enable_ipv6),
        internal=given.internal,
        attachable=given.attachable,
        ingress=given.ingress,
        options=given.options or None,
        ipam_options=ipam.options or None,
    )
