"""What a swarm's API shows and takes (moby api/types/swarm): nodes, services, tasks, secrets, configs, the swarm itself.

Times are RFC 3339 with nanoseconds, periods integers of nanoseconds, ``Index`` the version a change must name.
"""

from __future__ import annotations

from msgspec import field

from swarmsim.apitypes.base import Always, ApiType
from swarmsim.apitypes.specs import (
    Driver,
    EndpointSpec,
    GenericResource,
    Platform,
    PortConfig,
    SecretSpec,
    ServiceSpec,
    TaskSpec,
)

NO_TIME = "0001-01-01T00:00:00Z"
"""Go's zero time."""


class Version(ApiType, frozen=True):
    index: int = field(name="Index", default=0)


class Meta(ApiType, frozen=True):
    """What every object of the swarm begins with."""

    id: Always[str] = field(name="ID", default="")
    version: Version = field(name="Version", default=Version())
    created_at: Always[str] = field(name="CreatedAt", default=NO_TIME)
    updated_at: Always[str] = field(name="UpdatedAt", default=NO_TIME)


# -- services


class VirtualIP(ApiType, frozen=True):
    network_id: str = field(name="NetworkID", default="")
    address: str = field(name="Addr", default="")


class Endpoint(ApiType, frozen=True):
    spec: EndpointSpec = field(name="Spec", default=EndpointSpec())
    ports: list[PortConfig] = field(name="Ports", default_factory=list)
    virtual_ips: list[VirtualIP] = field(name="VirtualIPs", default_factory=list)


class UpdateStatus(ApiType, frozen=True):
    state: str = field(name="State", default="")
    started_at: str | None = field(name="StartedAt", default=None)
    completed_at: str | None = field(name="CompletedAt", default=None)
    message: str = field(name="Message", default="")


class ServiceStatus(ApiType, frozen=True):
    """How many tasks run, shall run, have ended well; only told to who asks with ``status=true``."""

    running: Always[int] = field(name="RunningTasks", default=0)
    desired: Always[int] = field(name="DesiredTasks", default=0)
    completed: Always[int] = field(name="CompletedTasks", default=0)


class JobStatus(ApiType, frozen=True):
    iteration: Version = field(name="JobIteration", default=Version())
    last_execution: Always[str] = field(name="LastExecution", default=NO_TIME)


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
        return self.spec.mode.replicated.replicas if self.spec.mode.replicated else 0


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


class TaskStatus(ApiType, frozen=True):
    timestamp: Always[str] = field(name="Timestamp", default=NO_TIME)
    state: str = field(name="State", default="")
    message: str = field(name="Message", default="")
    err: str = field(name="Err", default="")
    container: ContainerStatus | None = field(name="ContainerStatus", default=None)
    port_status: PortStatus = field(name="PortStatus", default=PortStatus())


class AttachedNetwork(ApiType, frozen=True):
    """Of the network a task is on, what is modelled."""

    id: Always[str] = field(name="ID", default="")
    driver_state: Driver = field(name="DriverState", default=Driver())


class Attachment(ApiType, frozen=True):
    """A task's place on a network: addresses with their prefix, ``10.0.1.7/24``."""

    network: AttachedNetwork = field(name="Network", default=AttachedNetwork())
    addresses: list[str] = field(name="Addresses", default_factory=list)


class Task(Meta, frozen=True):
    """``iteration`` of a job's task only."""

    name: str = field(name="Name", default="")
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)
    spec: TaskSpec = field(name="Spec", default=TaskSpec())
    service_id: str = field(name="ServiceID", default="")
    slot: int = field(name="Slot", default=0)
    node_id: str = field(name="NodeID", default="")
    status: TaskStatus = field(name="Status", default=TaskStatus())
    desired_state: str = field(name="DesiredState", default="")
    attachments: list[Attachment] = field(name="NetworksAttachments", default_factory=list)
    generic: list[GenericResource] = field(name="GenericResources", default_factory=list)
    iteration: Version | None = field(name="JobIteration", default=None)


# -- nodes


class NodeSpec(ApiType, frozen=True):
    """``role`` is worker or manager, ``availability`` active, pause or drain."""

    name: str = field(name="Name", default="")
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)
    role: str = field(name="Role", default="")
    availability: str = field(name="Availability", default="")


class NodeResources(ApiType, frozen=True):
    """CPUs in 10⁻⁹, memory in bytes."""

    nano_cpus: int = field(name="NanoCPUs", default=0)
    memory_bytes: int = field(name="MemoryBytes", default=0)
    generic: list[GenericResource] = field(name="GenericResources", default_factory=list)


class Plugin(ApiType, frozen=True):
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


class NodeDescription(ApiType, frozen=True):
    hostname: str = field(name="Hostname", default="")
    platform: Platform = field(name="Platform", default=Platform())
    resources: NodeResources = field(name="Resources", default=NodeResources())
    engine: EngineDescription = field(name="Engine", default=EngineDescription())
    tls: TLSInfo = field(name="TLSInfo", default=TLSInfo())


class NodeStatus(ApiType, frozen=True):
    state: str = field(name="State", default="")
    message: str = field(name="Message", default="")
    address: str = field(name="Addr", default="")


class ManagerStatus(ApiType, frozen=True):
    leader: bool = field(name="Leader", default=False)
    reachability: str = field(name="Reachability", default="")
    address: str = field(name="Addr", default="")


class Node(Meta, frozen=True):
    spec: NodeSpec = field(name="Spec", default=NodeSpec())
    description: NodeDescription = field(name="Description", default=NodeDescription())
    status: NodeStatus = field(name="Status", default=NodeStatus())
    manager_status: ManagerStatus | None = field(name="ManagerStatus", default=None)


# -- secrets and configs


class Secret(Meta, frozen=True):
    spec: SecretSpec = field(name="Spec", default=SecretSpec())


class Config(Secret, frozen=True):
    """Shows its data."""


class IDResponse(ApiType, frozen=True):
    id: Always[str] = field(name="ID", default="")


# -- the swarm


class OrchestrationConfig(ApiType, frozen=True):
    task_history_limit: int | None = field(name="TaskHistoryRetentionLimit", default=None)


class RaftConfig(ApiType, frozen=True):
    """Intervals and limits in log entries, ticks in seconds."""

    snapshot_interval: int = field(name="SnapshotInterval", default=0)
    keep_old_snapshots: int | None = field(name="KeepOldSnapshots", default=None)
    log_entries_for_slow_followers: int = field(name="LogEntriesForSlowFollowers", default=0)
    election_tick: Always[int] = field(name="ElectionTick", default=0)
    heartbeat_tick: Always[int] = field(name="HeartbeatTick", default=0)


class DispatcherConfig(ApiType, frozen=True):
    heartbeat_period: int = field(name="HeartbeatPeriod", default=0)


class CAConfig(ApiType, frozen=True):
    node_cert_expiry: int = field(name="NodeCertExpiry", default=0)


class TaskDefaults(ApiType, frozen=True):
    log_driver: Driver | None = field(name="LogDriver", default=None)


class EncryptionConfig(ApiType, frozen=True):
    autolock: Always[bool] = field(name="AutoLockManagers", default=False)


class SwarmSpec(ApiType, frozen=True):
    name: str = field(name="Name", default="")
    labels: Always[dict[str, str] | None] = field(name="Labels", default=None)
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
    address_pool: Always[list[str]] = field(name="DefaultAddrPool", default_factory=list)
    subnet_size: Always[int] = field(name="SubnetSize", default=0)
    data_path_port: Always[int] = field(name="DataPathPort", default=0)


class JoinTokens(ApiType, frozen=True):
    worker: Always[str] = field(name="Worker", default="")
    manager: Always[str] = field(name="Manager", default="")


class Swarm(ClusterInfo, frozen=True):
    join_tokens: JoinTokens = field(name="JoinTokens", default=JoinTokens())


class InitRequest(ApiType, frozen=True):
    listen_addr: Always[str] = field(name="ListenAddr", default="")
    advertise_addr: Always[str] = field(name="AdvertiseAddr", default="")
    data_path_addr: Always[str] = field(name="DataPathAddr", default="")
    data_path_port: Always[int] = field(name="DataPathPort", default=0)
    force_new_cluster: Always[bool] = field(name="ForceNewCluster", default=False)
    spec: SwarmSpec = field(name="Spec", default=SwarmSpec())
    autolock: Always[bool] = field(name="AutoLockManagers", default=False)
    availability: Always[str] = field(name="Availability", default="")
    address_pool: Always[list[str]] = field(name="DefaultAddrPool", default_factory=list)
    subnet_size: Always[int] = field(name="SubnetSize", default=0)


class JoinRequest(ApiType, frozen=True):
    listen_addr: Always[str] = field(name="ListenAddr", default="")
    advertise_addr: Always[str] = field(name="AdvertiseAddr", default="")
    data_path_addr: Always[str] = field(name="DataPathAddr", default="")
    remotes: Always[list[str]] = field(name="RemoteAddrs", default_factory=list)
    token: Always[str] = field(name="JoinToken", default="")
    availability: Always[str] = field(name="Availability", default="")


# -- what an engine says of its swarm


class Peer(ApiType, frozen=True):
    node_id: Always[str] = field(name="NodeID", default="")
    address: Always[str] = field(name="Addr", default="")


class SwarmInfo(ApiType, frozen=True):
    node_id: Always[str] = field(name="NodeID", default="")
    node_address: Always[str] = field(name="NodeAddr", default="")
    state: Always[str] = field(name="LocalNodeState", default="")
    is_manager: Always[bool] = field(name="ControlAvailable", default=False)
    error: Always[str] = field(name="Error", default="")
    remote_managers: Always[list[Peer] | None] = field(name="RemoteManagers", default=None)
    nodes: int = field(name="Nodes", default=0)
    managers: int = field(name="Managers", default=0)
    cluster: ClusterInfo | None = field(name="Cluster", default=None)
    warnings: list[str] = field(name="Warnings", default_factory=list)
