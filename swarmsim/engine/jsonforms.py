"""Engine API bodies (moby api/types/swarm, daemon/cluster/convert): store objects as JSON-like values.

Keys come in the order Go's structs have them, because ``docker inspect`` prints them so.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.specs import (
    DEFAULT_RESTART,
    DEFAULT_STOP_GRACE,
    DEFAULT_UPDATE,
    DNSConfig,
    EndpointSpec,
    PortConfig,
    RestartPolicy,
    ServiceSpec,
    UpdateConfig,
    replace,
)
from swarmsim.engine.containers import Container
from swarmsim.engine.localresources import LocalNetwork, mountpoint
from swarmsim.engine.overlays import Half
from swarmsim.go.duration import NO_TIME
from swarmsim.go.units import human_duration
from swarmsim.sim.clock import EPOCH, timestamp
from swarmsim.swarm.api import control
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.ca.certificates import RootCA
from swarmsim.swarm.objects import Cluster, Config, Meta, Network, NodeSpec, Secret, Service, Task

Json = dict[str, Any]


def with_defaults(spec: ServiceSpec) -> ServiceSpec:
    """The spec as ``inspect`` shows it, SwarmKit's defaults filled in (api/defaults/service.go)."""
    task = spec.task
    container = task.container
    if container.stop_grace_period is None:
        container = replace(container, stop_grace_period=DEFAULT_STOP_GRACE)
    if container.dns is None:
        container = replace(container, dns=DNSConfig())
    restart = task.restart or RestartPolicy()
    restart = replace(
        restart,
        condition=restart.condition or DEFAULT_RESTART.condition,
        delay=DEFAULT_RESTART.delay if restart.delay is None else restart.delay,
        max_attempts=DEFAULT_RESTART.max_attempts if restart.max_attempts is None else restart.max_attempts,
    )
    endpoint = spec.endpoint or EndpointSpec()
    job = spec.mode.name.endswith("job")
    return replace(
        spec,
        task=replace(task, container=container, restart=restart),
        update=spec.update if job else _update_defaults(spec.update),
        rollback=spec.rollback if job else _update_defaults(spec.rollback),
        endpoint=replace(endpoint, mode=endpoint.mode or "vip"),
    )


def _update_defaults(config: UpdateConfig | None) -> UpdateConfig:
    if config is None:
        return DEFAULT_UPDATE
    return replace(
        config,
        failure_action=config.failure_action or DEFAULT_UPDATE.failure_action,
        monitor=config.monitor or DEFAULT_UPDATE.monitor,
        order=config.order or DEFAULT_UPDATE.order,
    )


def _meta(meta: Meta) -> Json:
    return {
        "Version": {"Index": meta.version},
        "CreatedAt": timestamp(meta.created_at),
        "UpdatedAt": timestamp(meta.updated_at),
    }


def _ports(ports: tuple[PortConfig, ...]) -> list[Json]:
    return [as_json(port) for port in ports]


def service_json(service: Service, insert_defaults: bool = False) -> Json:
    spec = with_defaults(service.spec) if insert_defaults else service.spec
    body: Json = {"ID": service.id, **_meta(service.meta), "Spec": as_json(spec)}
    if service.previous_spec is not None:
        body["PreviousSpec"] = as_json(service.previous_spec)
    endpoint: Json = {"Spec": {}}
    if service.ports or service.virtual_ips:
        endpoint["Spec"] = as_json(with_defaults(service.spec).endpoint)
        if service.ports:
            endpoint["Ports"] = _ports(service.ports)
        if service.virtual_ips:
            endpoint["VirtualIPs"] = [{"NetworkID": v.network_id, "Addr": v.address} for v in service.virtual_ips]
    body["Endpoint"] = endpoint
    status = service.update_status
    if status is not None:
        body["UpdateStatus"] = {
            "State": status.state,
            "StartedAt": timestamp(status.started_at),
            **({"CompletedAt": timestamp(status.completed_at)} if status.completed_at is not None else {}),
            "Message": status.message,
        }
    if service.job_status is not None:
        body["JobStatus"] = {
            "JobIteration": {"Index": service.job_status.iteration} if service.job_status.iteration else {},
            "LastExecution": timestamp(service.job_status.last_execution),
        }
    return body


def with_status(body: Json, status: control.ServiceStatus) -> Json:
    """A service with its ``ServiceStatus``, which stands before that of a job."""
    shown = {"RunningTasks": status.running, "DesiredTasks": status.desired, "CompletedTasks": status.completed}
    job = {"JobStatus": body["JobStatus"]} if "JobStatus" in body else {}
    return {**{key: part for key, part in body.items() if key not in job}, "ServiceStatus": shown, **job}


def secret_json(secret: Secret | Config) -> Json:
    """A config shows its data, a secret never does."""
    spec: Json = {"Name": secret.spec.name, "Labels": secret.spec.labels}
    if isinstance(secret, Config):
        spec["Data"] = base64.b64encode(secret.spec.data).decode()
    return {"ID": secret.id, **_meta(secret.meta), "Spec": spec}


def network_json(network: Network | LocalNetwork | Half) -> Json:
    if isinstance(network, Half):
        return network_json(network.network) | {
            "Created": timestamp(network.created_at),
            "Containers": {},
            "Labels": network.network.spec.labels or {},
        }
    spec = network.spec
    if isinstance(network, Network):
        scope, created = "swarm", network.meta.created_at
        config = [{"Subnet": network.subnet, "Gateway": network.gateway}] if network.subnet else None
        vxlan = {"com.docker.network.driver.overlay.vxlanid_list": str(network.vxlan_id)} if network.vxlan_id else {}
        containers: Json | None = None
        labels = dict(sorted(spec.labels.items())) if spec.labels is not None else None
    else:
        scope, created = "local", network.created_at
        config = [{"Subnet": spec.subnet, **({"Gateway": spec.gateway} if spec.gateway else {})}] if spec.subnet else []
        vxlan = {}
        containers, labels = {}, spec.labels or {}
    allocated = config is not None
    return {
        "Name": spec.name,
        "Id": network.id,
        "Created": timestamp(created),
        "Scope": scope,
        "Driver": spec.driver if allocated else "",
        "EnableIPv6": False,
        "IPAM": {"Driver": "default" if allocated else "", "Options": None, "Config": config},
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "Ingress": spec.ingress,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": containers,
        "Options": {**(spec.options or {}), **vxlan} if allocated else None,
        "Labels": labels,
    }


def node_json(view: NodeView, root: RootCA | None) -> Json:
    node = view.node
    body: Json = {"ID": node.id, **_meta(node.meta), "Spec": _node_spec(node.spec)}
    description = node.description
    if description is not None:
        body["Description"] = {
            "Hostname": description.hostname,
            "Platform": {"Architecture": description.architecture, "OS": description.os},
            "Resources": {"NanoCPUs": description.nano_cpus, "MemoryBytes": description.memory_bytes},
            "Engine": {
                "EngineVersion": description.engine_version,
                **({"Labels": description.engine_labels} if description.engine_labels else {}),
                "Plugins": [{"Type": kind, "Name": name} for kind, name in description.plugins],
            },
            "TLSInfo": _tls_info(root),
        }
    else:
        body["Description"] = {"Platform": {}, "Resources": {}, "Engine": {}, "TLSInfo": {}}
    body["Status"] = {
        "State": str(node.status.state),
        **({"Message": node.status.message} if node.status.message else {}),
        **({"Addr": node.status.addr} if node.status.addr else {}),
    }
    if view.manager is not None:
        body["ManagerStatus"] = {
            **({"Leader": True} if view.manager.leader else {}),
            "Reachability": view.manager.reachability,
            "Addr": view.manager.addr,
        }
    return body


def _node_spec(spec: NodeSpec) -> Json:
    return {
        "Labels": dict(sorted(spec.labels.items())),
        "Role": str(spec.role),
        "Availability": str(spec.availability),
    }


def _tls_info(root: RootCA | None) -> Json:
    if root is None:
        return {}
    return {
        "TrustRoot": root.certificate,
        "CertIssuerSubject": base64.b64encode(root.subject).decode(),
        "CertIssuerPublicKey": base64.b64encode(root.public_key).decode(),
    }


def task_json(task: Task) -> Json:
    status = task.status
    body: Json = {
        "ID": task.id,
        **_meta(task.meta),
        "Labels": {},
        "Spec": as_json(task.spec),
        "ServiceID": task.service_id,
        **({"Slot": task.slot} if task.slot else {}),
        **({"NodeID": task.node_id} if task.node_id else {}),
        "Status": {
            "Timestamp": timestamp(status.timestamp),
            "State": str(status.state),
            "Message": status.message,
            **({"Err": status.err} if status.err else {}),
        },
        "DesiredState": str(task.desired_state),
    }
    if status.container is not None:
        body["Status"]["ContainerStatus"] = {
            "ContainerID": status.container.container_id,
            "PID": status.container.pid,
            "ExitCode": status.container.exit_code,
        }
    if task.networks:
        body["NetworksAttachments"] = [
            {"Network": {"ID": each.network_id, "DriverState": {"Name": each.driver}}, "Addresses": [each.address]}
            for each in task.networks
        ]
    if task.generic:
        body["GenericResources"] = [as_json(resource) for resource in task.generic]
    if task.job_iteration is not None:
        body["JobIteration"] = {"Index": task.job_iteration} if task.job_iteration else {}
    body["Status"]["PortStatus"] = {"Ports": _ports(status.ports)} if status.ports else {}
    return body


def swarm_json(cluster: Cluster, root: RootCA | None, tokens: bool) -> Json:
    spec = cluster.spec
    body: Json = {
        "ID": cluster.id,
        **_meta(cluster.meta),
        "Spec": {
            "Name": "default",
            "Labels": {},
            "Orchestration": {"TaskHistoryRetentionLimit": spec.task_history_limit},
            "Raft": {
                "SnapshotInterval": spec.snapshot_interval,
                "KeepOldSnapshots": spec.keep_old_snapshots,
                "LogEntriesForSlowFollowers": spec.log_entries_for_slow_followers,
                "ElectionTick": spec.election_tick,
                "HeartbeatTick": spec.heartbeat_tick,
            },
            "Dispatcher": {"HeartbeatPeriod": spec.heartbeat_period},
            "CAConfig": {"NodeCertExpiry": spec.node_cert_expiry},
            "TaskDefaults": {},
            "EncryptionConfig": {"AutoLockManagers": False},
        },
        "TLSInfo": _tls_info(root),
        "RootRotationInProgress": False,
        "DefaultAddrPool": ["10.0.0.0/8"],
        "SubnetSize": 24,
        "DataPathPort": 4789,
    }
    if tokens:
        body["JoinTokens"] = {"Worker": cluster.worker_token, "Manager": cluster.manager_token}
    return body


def container_json(container: Container, now: float) -> Json:
    """A line of ``docker ps``; ``now`` in simulated seconds, for how long it is up (container/state.go)."""
    running = container.state == "running"
    bound = [f"{port.target_port}/{port.protocol}" for port in container.bindings]
    ports = [port.partition("/") for port in container.ports if port not in bound] if running else []
    published = [
        {"IP": ip, "PrivatePort": port.target_port, "PublicPort": port.published_port, "Type": port.protocol}
        for port, ip in _bound(container)
    ]
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.image,
        "Command": " ".join(container.command),
        "Created": int(EPOCH.timestamp() + container.created_at),
        "Ports": [
            *published,
            *({"PrivatePort": int(number), "Type": protocol} for number, _, protocol in ports),
        ],
        "Labels": dict(sorted(container.labels.items())),
        "State": container.state,
        "Status": _status(container, now),
        "Mounts": _mounts(container),
    }


def _status(container: Container, now: float) -> str:
    if container.state == "running":
        health = {"starting": " (health: starting)", "healthy": " (healthy)", "unhealthy": " (unhealthy)"}
        return f"Up {human_duration(now - (container.started_at or 0.0))}{health.get(container.health, '')}"
    if container.state == "exited":
        return f"Exited ({container.exit_code}) {human_duration(now - (container.finished_at or 0.0))} ago"
    return "Created"


def _mounts(container: Container) -> list[Json]:
    return [
        {"Type": "volume", "Name": name, "Source": mountpoint(name), "Driver": "local", "RW": True}
        for name in container.volumes
    ]


def container_inspected(container: Container) -> Json:
    """``docker inspect`` of a container, as far as the model knows it."""
    state: Json = {
        "Status": container.state,
        "Running": container.state == "running",
        "Paused": False,
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "Pid": container.pid if container.state == "running" else 0,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": _moment(container.started_at),
        "FinishedAt": _moment(container.finished_at),
    }
    if container.health:
        state["Health"] = {"Status": container.health, "FailingStreak": container.failing_streak}
    return {
        "Id": container.id,
        "Created": timestamp(container.created_at),
        "Path": container.command[0] if container.command else "",
        "Args": container.command[1:],
        "State": state,
        "Name": f"/{container.name}",
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "Mounts": _mounts(container),
        "Config": {
            "Hostname": container.hostname,
            "Env": container.env,
            "Cmd": container.command,
            "Image": container.image,
            "Labels": container.labels,
        },
        "NetworkSettings": {"Ports": _port_map(container)},
    }


def _bound(container: Container) -> Iterator[tuple[PortConfig, str]]:
    """Bindings and the addresses of the host they are at: each is there for IPv4, then for IPv6."""
    return zip(container.bindings, cycle(("0.0.0.0", "::")), strict=False)


def _port_map(container: Container) -> Json:
    """Which port of the container which ports of the host lead to."""
    ports: Json = dict.fromkeys(container.ports)
    for port, ip in _bound(container):
        name = f"{port.target_port}/{port.protocol}"
        ports[name] = [*(ports.get(name) or ()), {"HostIp": ip, "HostPort": str(port.published_port)}]
    return ports


def _moment(seconds: float | None) -> str:
    return NO_TIME if seconds is None else timestamp(seconds)
