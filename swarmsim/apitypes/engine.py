"""What the API shows and takes of one engine (moby api/types): containers, networks, volumes, events, itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import field

from swarmsim.apitypes.base import Always, ApiType, Int64, Newer, Pointer, Time
from swarmsim.apitypes.specs import Platform
from swarmsim.apitypes.swarm import ConfigFrom, Meta, SwarmInfo
from swarmsim.go.duration import NO_TIME
from swarmsim.go.reflect import UINT16, named

# -- containers


class Port(ApiType, frozen=True):
    GO: ClassVar[str] = "container.Port"

    ip: str = field(name="IP", default="")
    private: Always[Annotated[int, UINT16]] = field(name="PrivatePort", default=0)
    public: Annotated[int, UINT16] = field(name="PublicPort", default=0)
    type: Always[str] = field(name="Type", default="")


class Change(ApiType, frozen=True):
    """Of ``GET /containers/{id}/changes``: 0 changed, 1 added, 2 deleted."""

    path: Always[str] = field(name="Path", default="")
    kind: Always[int] = field(name="Kind", default=0)


class ExecConfig(ApiType, frozen=True):
    """Of ``POST /containers/{id}/exec``: a program to run in a container."""

    user: Always[str] = field(name="User", default="")
    privileged: Always[bool] = field(name="Privileged", default=False)
    tty: Always[bool] = field(name="Tty", default=False)
    attach_stdin: Always[bool] = field(name="AttachStdin", default=False)
    attach_stderr: Always[bool] = field(name="AttachStderr", default=False)
    attach_stdout: Always[bool] = field(name="AttachStdout", default=False)
    detach: Always[bool] = field(name="Detach", default=False)
    detach_keys: Always[str] = field(name="DetachKeys", default="")
    env: Always[list[str] | None] = field(name="Env", default=None)
    working_dir: Always[str] = field(name="WorkingDir", default="")
    cmd: Always[list[str] | None] = field(name="Cmd", default=None)


class ExecStart(ApiType, frozen=True):
    """Of ``POST /exec/{id}/start``."""

    detach: Always[bool] = field(name="Detach", default=False)
    tty: Always[bool] = field(name="Tty", default=False)


class ExecInspect(ApiType, frozen=True):
    id: Always[str] = field(name="ID", default="")
    running: Always[bool] = field(name="Running", default=False)
    exit_code: Always[int | None] = field(name="ExitCode", default=None)
    container_id: Always[str] = field(name="ContainerID", default="")


class EndpointIPAM(ApiType, frozen=True):
    """``ipv4`` is the address that is asked for."""

    ipv4: str = field(name="IPv4Address", default="")


class EndpointSettings(ApiType, frozen=True):
    """What a container is to have on a network."""

    ipam: EndpointIPAM | None = field(name="IPAMConfig", default=None)
    aliases: Always[list[str] | None] = field(name="Aliases", default=None)


class NetworkingConfig(ApiType, frozen=True):
    endpoints_config: Always[dict[str, EndpointSettings]] = field(name="EndpointsConfig", default_factory=dict)


class HostConfig(ApiType, frozen=True):
    """Of a container, what is modelled."""

    network_mode: Always[str] = field(name="NetworkMode", default="")
    auto_remove: Always[bool] = field(name="AutoRemove", default=False)


class ContainerCreateRequest(ApiType, frozen=True):
    """Of ``POST /containers/create``, what is modelled."""

    hostname: Always[str] = field(name="Hostname", default="")
    user: Always[str] = field(name="User", default="")
    tty: Always[bool] = field(name="Tty", default=False)
    env: Always[list[str] | None] = field(name="Env", default=None)
    cmd: Always[list[str] | None] = field(name="Cmd", default=None)
    image: Always[str] = field(name="Image", default="")
    labels: Always[dict[str, str] | None] = field(name="Labels", default=None)
    host_config: Pointer[HostConfig] = field(name="HostConfig", default=HostConfig())
    networking_config: Pointer[NetworkingConfig] = field(name="NetworkingConfig", default=NetworkingConfig())


class ContainerCreateResponse(ApiType, frozen=True):
    id: Always[str] = field(name="Id", default="")


class MountPoint(ApiType, frozen=True):
    GO: ClassVar[str] = "container.MountPoint"

    type: Annotated[str, named("mount.Type")] = field(name="Type", default="")
    name: str = field(name="Name", default="")
    source: Always[str] = field(name="Source", default="")
    driver: str = field(name="Driver", default="")
    writable: Always[bool] = field(name="RW", default=False)


class Container(ApiType, frozen=True):
    """A line of ``docker ps``; ``created`` in seconds since 1970, ``status`` as people read it."""

    GO: ClassVar[str] = "container.Summary"
    GO_FIELDS: ClassVar[dict[str, str]] = {"id": "ID"}

    id: Always[str] = field(name="Id", default="")
    names: Always[list[str]] = field(name="Names", default_factory=list)
    image: Always[str] = field(name="Image", default="")
    command: Always[str] = field(name="Command", default="")
    created: Always[Int64] = field(name="Created", default=0)
    ports: Always[list[Port]] = field(name="Ports", default_factory=list)
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)
    state: Always[str] = field(name="State", default="")
    status: Always[str] = field(name="Status", default="")
    mounts: Always[list[MountPoint]] = field(name="Mounts", default_factory=list)


class Health(ApiType, frozen=True):
    GO: ClassVar[str] = "container.Health"

    status: Always[str] = field(name="Status", default="")
    failing_streak: Always[int] = field(name="FailingStreak", default=0)


class ContainerState(ApiType, frozen=True):
    GO: ClassVar[str] = "container.State"

    status: Always[str] = field(name="Status", default="")
    running: Always[bool] = field(name="Running", default=False)
    paused: Always[bool] = field(name="Paused", default=False)
    restarting: Always[bool] = field(name="Restarting", default=False)
    oom_killed: Always[bool] = field(name="OOMKilled", default=False)
    dead: Always[bool] = field(name="Dead", default=False)
    pid: Always[int] = field(name="Pid", default=0)
    exit_code: Always[int] = field(name="ExitCode", default=0)
    error: Always[str] = field(name="Error", default="")
    started_at: Always[str] = field(name="StartedAt", default=NO_TIME)
    finished_at: Always[str] = field(name="FinishedAt", default=NO_TIME)
    health: Health | None = field(name="Health", default=None)


class ContainerConfig(ApiType, frozen=True):
    GO: ClassVar[str] = "container.Config"

    hostname: Always[str] = field(name="Hostname", default="")
    env: Always[list[str]] = field(name="Env", default_factory=list)
    command: Always[list[str]] = field(name="Cmd", default_factory=list)
    image: Always[str] = field(name="Image", default="")
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)


class PortBinding(ApiType, frozen=True):
    GO: ClassVar[str] = "nat.PortBinding"
    GO_FIELDS: ClassVar[dict[str, str]] = {"ip": "HostIP"}

    ip: Always[str] = field(name="HostIp", default="")
    port: Always[str] = field(name="HostPort", default="")


class NetworkSettings(ApiType, frozen=True):
    """``ports`` that are exposed, and the host's that lead to them; ``None`` for one that is not published."""

    GO: ClassVar[str] = "container.NetworkSettings"

    ports: Always[dict[str, list[PortBinding] | None]] = field(name="Ports", default_factory=dict)


class NetworkConnect(ApiType, frozen=True):
    GO: ClassVar[str] = "network.ConnectOptions"

    container: Always[str] = field(name="Container", default="")
    endpoint: EndpointSettings | None = field(name="EndpointConfig", default=None)


class NetworkDisconnect(ApiType, frozen=True):
    GO: ClassVar[str] = "network.DisconnectOptions"

    container: Always[str] = field(name="Container", default="")
    force: Always[bool] = field(name="Force", default=False)


class NetworkPruneReport(ApiType, frozen=True):
    deleted: Always[list[str] | None] = field(name="NetworksDeleted", default=None)


class ContainerInspect(ApiType, frozen=True):
    """Of a container, what is modelled."""

    GO: ClassVar[str] = "container.InspectResponse"
    GO_FIELDS: ClassVar[dict[str, str]] = {"id": "ID"}

    id: Always[str] = field(name="Id", default="")
    created: Always[str] = field(name="Created", default="")
    path: Always[str] = field(name="Path", default="")
    args: Always[list[str]] = field(name="Args", default_factory=list)
    state: Pointer[ContainerState] = field(name="State", default=ContainerState())
    name: Always[str] = field(name="Name", default="")
    restart_count: Always[int] = field(name="RestartCount", default=0)
    driver: Always[str] = field(name="Driver", default="")
    platform: Always[str] = field(name="Platform", default="")
    mounts: Always[list[MountPoint]] = field(name="Mounts", default_factory=list)
    config: Pointer[ContainerConfig] = field(name="Config", default=ContainerConfig())
    network_settings: Pointer[NetworkSettings] = field(name="NetworkSettings", default=NetworkSettings())


# -- networks


class IPAMConfig(ApiType, frozen=True):
    GO: ClassVar[str] = "network.IPAMConfig"
    GO_FIELDS: ClassVar[dict[str, str]] = {"aux": "AuxAddress"}

    subnet: str = field(name="Subnet", default="")
    ip_range: str = field(name="IPRange", default="")
    gateway: str = field(name="Gateway", default="")
    aux: dict[str, str] | None = field(name="AuxiliaryAddresses", default=None)


class IPAM(ApiType, frozen=True):
    GO: ClassVar[str] = "network.IPAM"

    driver: Always[str] = field(name="Driver", default="")
    options: Always[dict[str, str] | None] = field(name="Options", default=None)
    config: Always[list[IPAMConfig] | None] = field(name="Config", default=None)


class EndpointResource(ApiType, frozen=True):
    GO: ClassVar[str] = "network.EndpointResource"

    name: Always[str] = field(name="Name", default="")
    endpoint_id: Always[str] = field(name="EndpointID", default="")
    mac_address: Always[str] = field(name="MacAddress", default="")
    ipv4: Always[str] = field(name="IPv4Address", default="")
    ipv6: Always[str] = field(name="IPv6Address", default="")


class PeerInfo(ApiType, frozen=True):
    """An engine on which tasks use an overlay network."""

    GO: ClassVar[str] = "network.PeerInfo"

    name: Always[str] = field(name="Name", default="")
    ip: Always[str] = field(name="IP", default="")


class NetworkTask(ApiType, frozen=True):
    GO: ClassVar[str] = "network.Task"

    name: Always[str] = field(name="Name", default="")
    endpoint_id: Always[str] = field(name="EndpointID", default="")
    endpoint_ip: Always[str] = field(name="EndpointIP", default="")
    info: Always[dict[str, str] | None] = field(name="Info", default=None)


class ServiceInfo(ApiType, frozen=True):
    """Of ``network inspect --verbose``."""

    GO: ClassVar[str] = "network.ServiceInfo"

    vip: Always[str] = field(name="VIP", default="")
    ports: Always[list[str] | None] = field(name="Ports", default=None)
    load_balancer: Always[int] = field(name="LocalLBIndex", default=0)
    tasks: Always[list[NetworkTask] | None] = field(name="Tasks", default=None)


class Network(ApiType, frozen=True):
    """``containers`` are those of this engine; ``None`` where it does not know the network's endpoints."""

    GO: ClassVar[str] = "network.Inspect"
    GO_FIELDS: ClassVar[dict[str, str]] = {"id": "ID"}

    name: Always[str] = field(name="Name", default="")
    id: Always[str] = field(name="Id", default="")
    created: Always[Time] = field(name="Created", default=NO_TIME)
    scope: Always[str] = field(name="Scope", default="")
    driver: Always[str] = field(name="Driver", default="")
    enable_ipv4: Newer[bool] = field(name="EnableIPv4", default=False)
    enable_ipv6: Always[bool] = field(name="EnableIPv6", default=False)
    ipam: IPAM = field(name="IPAM", default=IPAM())
    internal: Always[bool] = field(name="Internal", default=False)
    attachable: Always[bool] = field(name="Attachable", default=False)
    ingress: Always[bool] = field(name="Ingress", default=False)
    config_from: ConfigFrom = field(name="ConfigFrom", default=ConfigFrom())
    config_only: Always[bool] = field(name="ConfigOnly", default=False)
    containers: Always[dict[str, EndpointResource] | None] = field(name="Containers", default=None)
    options: Always[dict[str, str] | None] = field(name="Options", default=None)
    labels: Always[dict[str, str] | None] = field(name="Labels", default=None)
    peers: list[PeerInfo] | None = field(name="Peers", default=None)
    services: dict[str, ServiceInfo] | None = field(name="Services", default=None)


class NetworkCreateRequest(ApiType, frozen=True):
    name: Always[str] = field(name="Name", default="")
    check_duplicate: Always[bool] = field(name="CheckDuplicate", default=False)
    driver: Always[str] = field(name="Driver", default="")
    scope: Always[str] = field(name="Scope", default="")
    enable_ipv6: bool | None = field(name="EnableIPv6", default=None)
    ipam: Always[IPAM | None] = field(name="IPAM", default=None)
    internal: Always[bool] = field(name="Internal", default=False)
    attachable: Always[bool] = field(name="Attachable", default=False)
    ingress: Always[bool] = field(name="Ingress", default=False)
    config_only: Always[bool] = field(name="ConfigOnly", default=False)
    config_from: Always[ConfigFrom | None] = field(name="ConfigFrom", default=None)
    options: Always[dict[str, str] | None] = field(name="Options", default=None)
    labels: Always[dict[str, str] | None] = field(name="Labels", default=None)


class NetworkCreateResponse(ApiType, frozen=True):
    id: Always[str] = field(name="Id", default="")
    warning: Always[str] = field(name="Warning", default="")


# -- volumes


class ClusterVolume(Meta, frozen=True):
    """A volume of the swarm, of later engines; no engine here has one."""

    GO: ClassVar[str] = "volume.ClusterVolume"


class UsageData(ApiType, frozen=True):
    """``size`` in bytes."""

    GO: ClassVar[str] = "volume.UsageData"

    references: Always[Int64] = field(name="RefCount", default=0)
    size: Always[Int64] = field(name="Size", default=0)


class Volume(ApiType, frozen=True):
    GO: ClassVar[str] = "volume.Volume"

    cluster_volume: ClusterVolume | None = field(name="ClusterVolume", default=None)
    created_at: str = field(name="CreatedAt", default="")
    driver: Always[str] = field(name="Driver", default="")
    labels: Always[dict[str, str] | None] = field(name="Labels", default=None)
    mountpoint: Always[str] = field(name="Mountpoint", default="")
    name: Always[str] = field(name="Name", default="")
    options: Always[dict[str, str] | None] = field(name="Options", default=None)
    scope: Always[str] = field(name="Scope", default="")
    status: dict[str, Any] | None = field(name="Status", default=None)
    usage: UsageData | None = field(name="UsageData", default=None)


class VolumeList(ApiType, frozen=True):
    volumes: Always[list[Volume]] = field(name="Volumes", default_factory=list)
    warnings: Always[list[str] | None] = field(name="Warnings", default=None)


class VolumeCreateRequest(ApiType, frozen=True):
    """Without a name the daemon finds one."""

    driver: str = field(name="Driver", default="")
    options: dict[str, str] = field(name="DriverOpts", default_factory=dict)
    labels: dict[str, str] = field(name="Labels", default_factory=dict)
    name: str = field(name="Name", default="")


# -- images in a registry


class Descriptor(ApiType, frozen=True):
    """``size`` in bytes."""

    media_type: str = field(name="mediaType", default="")
    digest: str = field(name="digest", default="")
    size: int = field(name="size", default=0)


class RegistryPlatform(ApiType, frozen=True):
    """The OCI's lower-case twin of :class:`~swarmsim.apitypes.specs.Platform`."""

    architecture: Always[str] = field(name="architecture", default="")
    os: Always[str] = field(name="os", default="")

    def as_platform(self) -> Platform:
        return Platform(architecture=self.architecture, os=self.os)


class DistributionInspect(ApiType, frozen=True):
    """What a registry says of an image."""

    descriptor: Descriptor = field(name="Descriptor", default=Descriptor())
    platforms: Always[list[RegistryPlatform]] = field(name="Platforms", default_factory=list)


# -- events


class Actor(ApiType, frozen=True):
    GO: ClassVar[str] = "events.Actor"

    id: Always[str] = field(name="ID", default="")
    attributes: Always[dict[str, str]] = field(name="Attributes", default_factory=dict)


class Message(ApiType, frozen=True):
    """One event; the first three fields are told of containers only, ``time`` is in seconds since 1970."""

    GO: ClassVar[str] = "events.Message"
    GO_FIELDS: ClassVar[dict[str, str]] = {
        "status": "Status",
        "id": "ID",
        "from_": "From",
        "scope": "Scope",
        "time": "Time",
        "time_nano": "TimeNano",
    }

    status: str = field(name="status", default="")
    id: str = field(name="id", default="")
    from_: str = field(name="from", default="")
    type: Always[Annotated[str, named("events.Type")]] = field(name="Type", default="")
    action: Always[Annotated[str, named("events.Action")]] = field(name="Action", default="")
    actor: Actor = field(name="Actor", default=Actor())
    scope: str = field(name="scope", default="")
    time: Int64 = field(name="time", default=0)
    time_nano: Int64 = field(name="timeNano", default=0)


# -- the engine itself


class Info(ApiType, frozen=True):
    """Of ``docker info``, what is modelled; memory in bytes."""

    GO: ClassVar[str] = "system.Info"

    id: Always[str] = field(name="ID", default="")
    containers: Always[int] = field(name="Containers", default=0)
    containers_running: Always[int] = field(name="ContainersRunning", default=0)
    containers_paused: Always[int] = field(name="ContainersPaused", default=0)
    containers_stopped: Always[int] = field(name="ContainersStopped", default=0)
    images: Always[int] = field(name="Images", default=0)
    cpus: Always[float] = field(name="NCPU", default=0.0)
    memory: Always[Int64] = field(name="MemTotal", default=0)
    name: Always[str] = field(name="Name", default="")
    labels: Always[list[str]] = field(name="Labels", default_factory=list)
    server_version: Always[str] = field(name="ServerVersion", default="")
    swarm: SwarmInfo = field(name="Swarm", default=SwarmInfo())


class ComponentVersion(ApiType, frozen=True):
    GO: ClassVar[str] = "types.ComponentVersion"

    name: Always[str] = field(name="Name", default="")
    version: Always[str] = field(name="Version", default="")
    details: dict[str, str] = field(name="Details", default_factory=dict)


class EngineVersion(ApiType, frozen=True):
    GO: ClassVar[str] = "types.Version"
    GO_FIELDS: ClassVar[dict[str, str]] = {"api_version": "APIVersion"}

    components: list[ComponentVersion] = field(name="Components", default_factory=list)
    version: Always[str] = field(name="Version", default="")
    api_version: Always[str] = field(name="ApiVersion", default="")
    min_api_version: str = field(name="MinAPIVersion", default="")
    git_commit: Always[str] = field(name="GitCommit", default="")
    go_version: Always[str] = field(name="GoVersion", default="")
    os: Always[str] = field(name="Os", default="")
    arch: Always[str] = field(name="Arch", default="")
    build_time: str = field(name="BuildTime", default="")


class ErrorResponse(ApiType, frozen=True):
    message: Always[str] = field(name="message", default="")
