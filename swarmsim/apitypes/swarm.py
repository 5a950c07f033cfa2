"""What a swarm's API shows and takes (moby api/types/swarm): nodes, services, tasks, secrets, configs, the swarm itself.

Times are RFC 3339 with nanoseconds, periods integers of nanoseconds, ``Index`` the version a change must name.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import field

from swarmsim.apitypes.base import (
    Always,
    ApiType,
    Duration,
    InAnnotations,
    InMeta,
    Int64,
    Newer,
    Pointer,
    Time,
    UInt32,
    UInt64,
    go_type,
)
from swarmsim.apitypes.specs import (
    ConfigSpec,
    Driver,
    EndpointSpec,
    GenericResource,
    Platform,
    PortConfig,
    SecretSpec,
    ServiceSpec,
    TaskSpec,
)
from swarmsim.go.duration import NO_TIME
from swarmsim.go.reflect import Method, named


class Version(ApiType, frozen=True):
    METHODS: ClassVar[dict[str, Method]] = {"String": Method(lambda data: str((data or {}).get("Index", 0)))}

    index: UInt64 = field(name="Index", default=0)


class Meta(ApiType, frozen=True):
    """What every object of the swarm begins with."""

    id: Always[str] = field(name="ID", default="")
    version: InMeta[Version] = field(name="Version", default=Version())
    created_at: InMeta[Always[Time]] = field(name="CreatedAt", default=NO_TIME)
    updated_at: InMeta[Always[Time]] = field(name="UpdatedAt", default=NO_TIME)


# -- services


class VirtualIP(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.EndpointVirtualIP"

    network_id: str = field(name="NetworkID", default="")
    address: str = field(name="Addr", default="")


class Endpoint(ApiType, frozen=True):
    spec: EndpointSpec = field(name="Spec", default=EndpointSpec())
    ports: list[PortConfig] = field(name="Ports", default_factory=list)
    virtual_ips: list[VirtualIP] = field(name="VirtualIPs", default_factory=list)


class UpdateStatus(ApiType, frozen=True):
    state: Annotated[str, named("swarm.UpdateState")] = field(name="State", default="")
    started_at: Time | None = field(name="StartedAt", default=None)
    completed_at: Time | None = field(name="CompletedAt", default=None)
    message: str = field(name="Message", default="")


class ServiceStatus(ApiType, frozen=True):
    """How many tasks run, shall run, have ended well; only told to who asks with ``status=true``."""

    running: Always[UInt64] = field(name="RunningTasks", default=0)
    desired: Always[UInt64] = field(name="DesiredTasks", default=0)
    completed: Always[UInt64] = field(name="CompletedTasks", default=0)


class JobStatus(ApiType, frozen=True):
    iteration: Version = field(name="JobIteration", default=Version())
    last_execution: Always[Time] = field(name="LastExecution", default=NO_TIME)


class Service(Meta, frozen=True):
    spec: ServiceSpec = field(name="Spec", default=ServiceSpec())
    previous_spec: ServiceSpec | None = field(name="PreviousSpec", default=None)
    endpoint: Endpoint = field(name="Endpoint", default=Endpoint())
    update_status: UpdateStatus | None = field(name="UpdateStatus", default=None)
    service_status: ServiceStatus | None = field(name="ServiceStatus", default=None)
    job_status: JobStatus | None = field(name="JobStatus", default=None)

    @property
    def is_replicated(self) -> bool:
        return self.spec.mode.replicated is not None

    @property
    def is_job(self) -> bool:
        return self.spec.mode.name.endswith("job")

    @property
    def has_slots(self) -> bool:
        """Whether its tasks are numbered; else there is one a node."""
        return self.is_replicated or self.spec.mode.replicated_job is not None

    @property
    def replicas(self) -> int:
        return self.spec.mode.replicated.count if self.spec.mode.replicated else 0


class ServiceCreateResponse(ApiType, frozen=True):
    id: str = field(name="ID", default="")
    warnings: list[str] = field(name="Warnings", default_factory=list)


class ServiceUpdateResponse(ApiType, frozen=True):
    warnings: Always[list[str] | None] = field(name="Warnings", default=None)


# -- tasks


class ContainerStatus(ApiType, frozen=True):
    container_id: Always[str] = field(name="ContainerID", default="")
    pid: Always[int] = field(name="PID", default=0)
    exit_code: Always[int] = field(name="ExitCode", default=0)


class PortStatus(ApiType, frozen=True):
    ports: list[PortConfig] = field(name="Ports", default_factory=list)


TaskState = Annotated[str, named("swarm.TaskState")]


class TaskStatus(ApiType, frozen=True):
    timestamp: Always[Time] = field(name="Timestamp", default=NO_TIME)
    state: TaskState = field(name="State", default="")
    message: str = field(name="Message", default="")
    err: str = field(name="Err", default="")
    container: ContainerStatus | None = field(name="ContainerStatus", default=None)
    port_status: PortStatus = field(name="PortStatus", default=PortStatus())


class IPAMConfig(ApiType, frozen=True):
    subnet: str = field(name="Subnet", default="")
    range: str = field(name="Range", default="")
    gateway: str = field(name="Gateway", default="")


class IPAMOptions(ApiType, frozen=True):
    driver: Driver = field(name="Driver", default=Driver())
    configs: list[IPAMConfig] = field(name="Configs", default_factory=list)


class ConfigFrom(ApiType, frozen=True):
    GO: ClassVar[str] = "network.ConfigReference"

    network: Always[str] = field(name="Network", default="")


class NetworkSpec(ApiType, frozen=True):
    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str] | None]] = field(name="Labels", default=None)
    driver: Driver | None = field(name="DriverConfiguration", default=None)
    ipv6: bool = field(name="IPv6Enabled", default=False)
    internal: bool = field(name="Internal", default=False)
    attachable: bool = field(name="Attachable", default=False)
    ingress: bool = field(name="Ingress", default=False)
    ipam: IPAMOptions | None = field(name="IPAMOptions", default=None)
    config_from: ConfigFrom | None = field(name="ConfigFrom", default=None)
    scope: str = field(name="Scope", default="")


class AttachedNetwork(ApiType, frozen=True):
    """Of the network a task is on, what is modelled: the rest is not written."""

    GO: ClassVar[str] = "swarm.Network"

    id: Always[str] = field(name="ID", default="")
    version: InMeta[Annotated[Version | None, go_type(Version)]] = field(name="Version", default=None)
    created_at: InMeta[Time] = field(name="CreatedAt", default="")
    updated_at: InMeta[Time] = field(name="UpdatedAt", default="")
    spec: Annotated[NetworkSpec | None, go_type(NetworkSpec)] = field(name="Spec", default=None)
    driver_state: Driver = field(name="DriverState", default=Driver())
    ipam: IPAMOptions | None = field(name="IPAMOptions", default=None)


class Attachment(ApiType, frozen=True):
    """A task's place on a network: addresses with their prefix, ``10.0.1.7/24``."""

    GO: ClassVar[str] = "swarm.NetworkAttachment"

    network: AttachedNetwork = field(name="Network", default=AttachedNetwork())
    addresses: list[str] = field(name="Addresses", default_factory=list)


class VolumeAttachment(ApiType, frozen=True):
    id: str = field(name="ID", default="")
    source: str = field(name="Source", default="")
    target: str = field(name="Target", default="")


class Task(Meta, frozen=True):
    """``iteration`` of a job's task only."""

    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str]]] = field(name="Labels", default_factory=dict)
    spec: TaskSpec = field(name="Spec", default=TaskSpec())
    service_id: str = field(name="ServiceID", default="")
    slot: int = field(name="Slot", default=0)
    node_id: str = field(name="NodeID", default="")
    status: TaskStatus = field(name="Status", default=TaskStatus())
    desired_state: TaskState = field(name="DesiredState", default="")
    attachments: list[Attachment] = field(name="NetworksAttachments", default_factory=list)
    generic: list[GenericResource] = field(name="GenericResources", default_factory=list)
    iteration: Version | None = field(name="JobIteration", default=None)
    volumes: Newer[list[VolumeAttachment] | None] = field(name="Volumes", default=None)


# -- nodes


NodeAvailability = Annotated[str, named("swarm.NodeAvailability")]


class NodeSpec(ApiType, frozen=True):
    """``role`` is worker or manager, ``availability`` active, pause or drain."""

    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str]]] = field(name="Labels", default_factory=dict)
    role: Annotated[str, named("swarm.NodeRole")] = field(name="Role", default="")
    availability: NodeAvailability = field(name="Availability", default="")


class NodeResources(ApiType, frozen=True):
    """CPUs in 10⁻⁹, memory in bytes."""

    GO: ClassVar[str] = "swarm.Resources"

    nano_cpus: Int64 = field(name="NanoCPUs", default=0)
    memory_bytes: Int64 = field(name="MemoryBytes", default=0)
    generic: list[GenericResource] = field(name="GenericResources", default_factory=list)


class Plugin(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.PluginDescription"

    type: str = field(name="Type", default="")
    name: str = field(name="Name", default="")


class EngineDescription(ApiType, frozen=True):
    version: str = field(name="EngineVersion", default="")
    labels: dict[str, str] = field(name="Labels", default_factory=dict)
    plugins: list[Plugin] = field(name="Plugins", default_factory=list)


class TLSInfo(ApiType, frozen=True):
    trust_root: str = field(name="TrustRoot", default="")
    issuer_subject: bytes = field(name="CertIssuerSubject", default=b"")
    issuer_public_key: bytes = field(name="CertIssuerPublicKey", default=b"")


class Topology(ApiType, frozen=True):
    segments: dict[str, str] | None = field(name="Segments", default=None)


class CSIInfo(ApiType, frozen=True):
    """A storage driver on a node, of later engines."""

    GO: ClassVar[str] = "swarm.NodeCSIInfo"

    plugin: str = field(name="PluginName", default="")
    node_id: str = field(name="NodeID", default="")
    max_volumes: Int64 = field(name="MaxVolumesPerNode", default=0)
    topology: Topology | None = field(name="AccessibleTopology", default=None)


class NodeDescription(ApiType, frozen=True):
    hostname: str = field(name="Hostname", default="")
    platform: Platform = field(name="Platform", default=Platform())
    resources: NodeResources = field(name="Resources", default=NodeResources())
    engine: EngineDescription = field(name="Engine", default=EngineDescription())
    tls: TLSInfo = field(name="TLSInfo", default=TLSInfo())
    csi: list[CSIInfo] | None = field(name="CSIInfo", default=None)


class NodeStatus(ApiType, frozen=True):
    state: Annotated[str, named("swarm.NodeState")] = field(name="State", default="")
    message: str = field(name="Message", default="")
    address: str = field(name="Addr", default="")


class ManagerStatus(ApiType, frozen=True):
    leader: bool = field(name="Leader", default=False)
    reachability: Annotated[str, named("swarm.Reachability")] = field(name="Reachability", default="")
    address: str = field(name="Addr", default="")


class Node(Meta, frozen=True):
    spec: NodeSpec = field(name="Spec", default=NodeSpec())
    description: NodeDescription = field(name="Description", default=NodeDescription())
    status: NodeStatus = field(name="Status", default=NodeStatus())
    manager_status: ManagerStatus | None = field(name="ManagerStatus", default=None)


# -- secrets and configs


class Secret(Meta, frozen=True):
    spec: SecretSpec = field(name="Spec", default=SecretSpec())


class Config(Meta, frozen=True):
    """Shows its data."""

    spec: ConfigSpec = field(name="Spec", default=ConfigSpec())


class IDResponse(ApiType, frozen=True):
    id: Always[str] = field(name="ID", default="")


# -- the swarm


class OrchestrationConfig(ApiType, frozen=True):
    task_history_limit: Int64 | None = field(name="TaskHistoryRetentionLimit", default=None)


class RaftConfig(ApiType, frozen=True):
    """Intervals and limits in log entries, ticks in seconds."""

    snapshot_interval: UInt64 = field(name="SnapshotInterval", default=0)
    keep_old_snapshots: UInt64 | None = field(name="KeepOldSnapshots", default=None)
    log_entries_for_slow_followers: UInt64 = field(name="LogEntriesForSlowFollowers", default=0)
    election_tick: Always[int] = field(name="ElectionTick", default=0)
    heartbeat_tick: Always[int] = field(name="HeartbeatTick", default=0)


class DispatcherConfig(ApiType, frozen=True):
    heartbeat_period: Duration = field(name="HeartbeatPeriod", default=0)


class ExternalCA(ApiType, frozen=True):
    protocol: Always[Annotated[str, named("swarm.ExternalCAProtocol")]] = field(name="Protocol", default="")
    url: Always[str] = field(name="URL", default="")
    options: dict[str, str] | None = field(name="Options", default=None)
    ca_cert: Always[str] = field(name="CACert", default="")


class CAConfig(ApiType, frozen=True):
    node_cert_expiry: Duration = field(name="NodeCertExpiry", default=0)
    external_cas: list[Pointer[ExternalCA]] | None = field(name="ExternalCAs", default=None)
    signing_ca_cert: str = field(name="SigningCACert", default="")
    signing_ca_key: str = field(name="SigningCAKey", default="")
    force_rotate: UInt64 = field(name="ForceRotate", default=0)


class TaskDefaults(ApiType, frozen=True):
    log_driver: Driver | None = field(name="LogDriver", default=None)


class EncryptionConfig(ApiType, frozen=True):
    autolock: Always[bool] = field(name="AutoLockManagers", default=False)


class SwarmSpec(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.Spec"

    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str] | None]] = field(name="Labels", default=None)
    orchestration: OrchestrationConfig = field(name="Orchestration", default=OrchestrationConfig())
    raft: RaftConfig = field(name="Raft", default=RaftConfig())
    dispatcher: DispatcherConfig = field(name="Dispatcher", default=DispatcherConfig())
    ca: CAConfig = field(name="CAConfig", default=CAConfig())
    task_defaults: TaskDefaults = field(name="TaskDefaults", default=TaskDefaults())
    encryption: EncryptionConfig = field(name="EncryptionConfig", default=EncryptionConfig())


class ClusterInfo(Meta, frozen=True):
    """The swarm as ``docker info`` shows it."""

    spec: SwarmSpec = field(name="Spec", default=SwarmSpec())
    tls: TLSInfo = field(name="TLSInfo", default=TLSInfo())
    root_rotation: Always[bool] = field(name="RootRotationInProgress", default=False)
    address_pool: Always[list[str] | None] = field(name="DefaultAddrPool", default=None)
    subnet_size: Always[UInt32] = field(name="SubnetSize", default=0)
    data_path_port: Always[UInt32] = field(name="DataPathPort", default=0)


class JoinTokens(ApiType, frozen=True):
    worker: Always[str] = field(name="Worker", default="")
    manager: Always[str] = field(name="Manager", default="")


class Swarm(ClusterInfo, frozen=True):
    join_tokens: JoinTokens = field(name="JoinTokens", default=JoinTokens())


class UnlockKeyResponse(ApiType, frozen=True):
    """Empty where none is set."""

    key: Always[str] = field(name="UnlockKey", default="")


class UnlockRequest(ApiType, frozen=True):
    key: Always[str] = field(name="UnlockKey", default="")


class InitRequest(ApiType, frozen=True):
    listen_addr: Always[str] = field(name="ListenAddr", default="")
    advertise_addr: Always[str] = field(name="AdvertiseAddr", default="")
    data_path_addr: Always[str] = field(name="DataPathAddr", default="")
    data_path_port: Always[UInt32] = field(name="DataPathPort", default=0)
    force_new_cluster: Always[bool] = field(name="ForceNewCluster", default=False)
    spec: SwarmSpec = field(name="Spec", default=SwarmSpec())
    autolock: Always[bool] = field(name="AutoLockManagers", default=False)
    availability: Always[NodeAvailability] = field(name="Availability", default="")
    address_pool: Always[list[str]] = field(name="DefaultAddrPool", default_factory=list)
    subnet_size: Always[UInt32] = field(name="SubnetSize", default=0)


class JoinRequest(ApiType, frozen=True):
    listen_addr: Always[str] = field(name="ListenAddr", default="")
    advertise_addr: Always[str] = field(name="AdvertiseAddr", default="")
    data_path_addr: Always[str] = field(name="DataPathAddr", default="")
    remotes: Always[list[str]] = field(name="RemoteAddrs", default_factory=list)
    token: Always[str] = field(name="JoinToken", default="")
    availability: Always[NodeAvailability] = field(name="Availability", default="")


# -- what an engine says of its swarm


class Peer(ApiType, frozen=True):
    node_id: Always[str] = field(name="NodeID", default="")
    address: Always[str] = field(name="Addr", default="")


class SwarmInfo(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.Info"

    node_id: Always[str] = field(name="NodeID", default="")
    node_address: Always[str] = field(name="NodeAddr", default="")
    state: Always[Annotated[str, named("swarm.LocalNodeState")]] = field(name="LocalNodeState", default="")
    is_manager: Always[bool] = field(name="ControlAvailable", default=False)
    error: Always[str] = field(name="Error", default="")
    remote_managers: Always[list[Peer] | None] = field(name="RemoteManagers", default=None)
    nodes: int = field(name="Nodes", default=0)
    managers: int = field(name="Managers", default=0)
    cluster: ClusterInfo | None = field(name="Cluster", default=None)
    warnings: list[str] = field(name="Warnings", default_factory=list)
