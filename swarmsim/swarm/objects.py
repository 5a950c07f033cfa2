"""What a swarm's store holds (api/objects.proto).

All objects are frozen records, replaced rather than changed; managers share them. Status times are simulated
seconds. What users write is in :mod:`swarmsim.apitypes.specs`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, NamedTuple

import msgspec
from msgspec import field

from swarmsim.apitypes.specs import SECOND, EndpointSpec, GenericResource, PortConfig, SecretSpec, ServiceSpec, TaskSpec
from swarmsim.swarm.ca.certificates import Certificate, RootCA
from swarmsim.swarm.ca.unlockkey import KEK
from swarmsim.swarm.role import Role as Role
from swarmsim.swarm.states import TaskState


class Availability(StrEnum):
    ACTIVE = "active"
    PAUSE = "pause"
    DRAIN = "drain"


class NodeState(StrEnum):
    UNKNOWN = "unknown"
    DOWN = "down"
    READY = "ready"
    DISCONNECTED = "disconnected"


class Meta(msgspec.Struct, frozen=True, gc=False):
    """``version`` is the Raft commit index at the last write's start; times in simulated seconds."""

    version: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0


class StoreObject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Anything the store holds."""

    table: ClassVar[str] = ""
    id: str
    meta: Meta = Meta()

    @property
    def name(self) -> str:
        """The name that must be unique in its table; empty if there is none."""
        return ""


class ContainerStatus(msgspec.Struct, frozen=True, gc=False):
    container_id: str = ""
    pid: int = 0
    exit_code: int = 0


class TaskStatus(msgspec.Struct, frozen=True, gc=False):
    """``timestamp`` is the writer's own clock; ``applied_at`` the leader's when it stored the report.

    ``ports`` are the host's that lead to its container: one for each binding, for IPv4 and for IPv6.
    """

    state: TaskState
    timestamp: float
    message: str = ""
    err: str = ""
    container: ContainerStatus | None = None
    applied_at: float | None = None
    ports: tuple[PortConfig, ...] = ()


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """A task's, a service's or a node's place on a network: ``address`` with its prefix, ``10.0.1.7/24``.

    ``network`` is the network as it was then: agents know of networks what tasks bring along.
    """

    network_id: str
    name: str
    driver: str
    address: str = ""
    network: Network | None = None


class Task(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "task"
    spec: TaskSpec
    spec_version: int = 0
    service_id: str = ""
    service_name: str = ""
    service_labels: dict[str, str] | None = None
    slot: int = 0
    node_id: str = ""
    status: TaskStatus
    desired_state: TaskState
    ports: tuple[PortConfig, ...] = ()
    endpoint_spec: EndpointSpec | None = None
    networks: tuple[Attachment, ...] = ()
    virtual_ips: tuple[Attachment, ...] = ()
    """Its service's."""
    generic: tuple[GenericResource, ...] = ()
    job_iteration: int | None = None
    wanted_address: str = ""
    """The only address it will take, if it stands for a container's place on a network."""

    @property
    def is_attachment(self) -> bool:
        """Whether it is no container, but the place on a network of one that no service has."""
        return self.spec.attachment is not None

    @property
    def label(self) -> str:
        """``web.3``, or ``agent.<node id>`` for a global service's task."""
        return f"{self.service_name}.{self.slot or self.node_id}"


class JobStatus(msgspec.Struct, frozen=True):
    """A job's present execution: ``iteration`` grows with each (the version at the write), started when it says."""

    iteration: int
    last_execution: float


class UpdateStatus(msgspec.Struct, frozen=True):
    state: str
    started_at: float
    message: str
    completed_at: float | None = None


class Service(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "service"
    spec: ServiceSpec
    spec_version: int = 0
    previous_spec: ServiceSpec | None = None
    previous_spec_version: int = 0
    update_status: UpdateStatus | None = None
    job_status: JobStatus | None = None
    ports: tuple[PortConfig, ...] = ()
    virtual_ips: tuple[Attachment, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def is_replicated(self) -> bool:
        return self.spec.mode.replicated is not None

    @property
    def is_global(self) -> bool:
        return self.spec.mode.global_ is not None

    @property
    def is_job(self) -> bool:
        return self.spec.mode.replicated_job is not None or self.spec.mode.global_job is not None

    @property
    def has_slots(self) -> bool:
        """Whether its tasks are numbered; else there is one a node."""
        return self.is_replicated or self.spec.mode.replicated_job is not None

    @property
    def replicas(self) -> int:
        return self.spec.mode.replicated.count if self.spec.mode.replicated else 0


class NodeSpec(msgspec.Struct, frozen=True):
    labels: dict[str, str] = field(name="Labels", default_factory=dict)
    role: Role = field(name="Role", default=Role.WORKER)
    availability: Availability = field(name="Availability", default=Availability.ACTIVE)


class TLSInfo(msgspec.Struct, frozen=True):
    """The root a node trusts, and the one that signed its certificate."""

    trust_root: RootCA
    issuer: RootCA


class NodeDescription(msgspec.Struct, frozen=True):
    """What an agent says of its host, and of its certificate, when it registers."""

    hostname: str
    nano_cpus: int
    memory_bytes: int
    engine_version: str
    os: str = "linux"
    architecture: str = "x86_64"
    engine_labels: dict[str, str] = {}
    plugins: tuple[tuple[str, str], ...] = ()
    generic: tuple[GenericResource, ...] = ()
    tls: TLSInfo | None = None


class NodeStatus(msgspec.Struct, frozen=True, gc=False):
    state: NodeState = NodeState.UNKNOWN
    message: str = ""
    addr: str = ""


class IssuanceState(StrEnum):
    """How far a node's certificate is (api/types.proto IssuanceStatus)."""

    UNKNOWN = "unknown"
    RENEW = "renew"
    """The node has asked for another."""
    PENDING = "pending"
    """The node has just joined and has none yet."""
    ISSUED = "issued"
    ROTATE = "rotate"
    """The node is to ask for another: the root is being rotated."""
    FAILED = "failed"
    """It was refused."""


class IssuedCertificate(msgspec.Struct, frozen=True):
    """A node's certificate as the store has it: the last one, and the ``role`` of the one that was asked for."""

    state: IssuanceState = IssuanceState.UNKNOWN
    role: Role | None = None
    certificate: Certificate | None = None


class Node(StoreObject, frozen=True, kw_only=True):
    """``spec.role`` is wanted, ``role`` is what the node's certificate says.

    ``attachments`` are the node's own places: its load balancers' on the networks its tasks are on, and on the ingress
    network.
    """

    table: ClassVar[str] = "node"
    spec: NodeSpec
    role: Role
    certificate: IssuedCertificate = IssuedCertificate()
    description: NodeDescription | None = None
    status: NodeStatus = NodeStatus()
    attachments: tuple[Attachment, ...] = ()

    @property
    def hostname(self) -> str:
        return self.description.hostname if self.description else ""


class ExternalCA(msgspec.Struct, frozen=True):
    """An authority outside the swarm that is asked as cfssl is; ``ca_cert`` is its root in PEM, empty: the swarm's."""

    url: str
    ca_cert: str = ""


class ClusterSpec(msgspec.Struct, frozen=True):
    """Defaults of a fresh swarm (manager/manager.go defaultClusterObject); periods in nanoseconds."""

    task_history_limit: int = 5
    snapshot_interval: int = 10_000
    keep_old_snapshots: int = 0
    log_entries_for_slow_followers: int = 500
    heartbeat_tick: int = 1
    election_tick: int = 10
    heartbeat_period: int = 5 * SECOND
    node_cert_expiry: int = 2160 * 3600 * SECOND
    force_rotate: int = 0
    """How often another root was asked for."""
    autolock: bool = False
    external_cas: tuple[ExternalCA, ...] = ()


class AddressPools(msgspec.Struct, frozen=True):
    """Where networks get their subnets from, if that is said, and how many bits those have (manager/manager.go)."""

    subnets: tuple[str, ...] = ()
    subnet_size: int = 24


GOSSIP_KEYS, IPSEC_KEYS = "networking:gossip", "networking:ipsec"
"""What keys of networks are for."""


class EncryptionKey(NamedTuple):
    """A key of networks. Its bytes are left out: keys are told apart by their Lamport times."""

    subsystem: str
    lamport_time: int


class Cluster(StoreObject, frozen=True, kw_only=True):
    """``root`` is what nodes are to trust; while it is being rotated, ``next_root`` signs. ``unlock_key`` is empty without autolock.
    Networks get subnets of ``subnet_size`` bits out of ``address_pools``, or of docker's own pool.
    ``network_keys`` are for what nodes tell each other of networks.

    Keys that do not follow from the seed are in PEM; a root without a key is an external authority's. ``cross_signed`` is the next root signed by
    the present one, in PEM, if one of them was brought along.
    """

    table: ClassVar[str] = "cluster"
    spec: ClusterSpec
    root: RootCA
    root_key: str = ""
    next_root: RootCA | None = None
    next_root_key: str = ""
    cross_signed: str = ""
    last_forced_rotation: int = 0
    removed: dict[str, float | None] = {}
    """Nodes that were removed, and until when their certificates would be valid: they are refused (BlacklistedCertificates)."""
    worker_token: str = ""
    manager_token: str = ""
    unlock_key: bytes = b""
    address_pools: tuple[str, ...] = AddressPools().subnets
    subnet_size: int = AddressPools().subnet_size
    network_keys: tuple[EncryptionKey, ...] = ()

    @property
    def name(self) -> str:
        return "default"

    @property
    def kek(self) -> KEK:
        """What managers' keys are to be encrypted with."""
        return KEK(self.meta.version, self.unlock_key)

    @property
    def signs_itself(self) -> bool:
        """Whether the key of its root is known here."""
        return bool(self.root.key or self.root_key)

    @property
    def signer(self) -> RootCA:
        """The root that signs now."""
        return self.next_root or self.root

    def authorities_of(self, root: RootCA) -> list[str]:
        """URLs of the external authorities that sign for a root (ca/server.go filterExternalCAURLS)."""
        return [each.url for each in self.spec.external_cas if (each.ca_cert or self.root.pem) == root.pem]


class Pool(msgspec.Struct, frozen=True, gc=False):
    """Addresses of a network (IPAMConfig): those of ``subnet``, or of the part of it that ``ip_range`` is; ``reserved`` are for
    others, by what they are called. What is empty of it is chosen when the network is made."""

    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    reserved: dict[str, str] | None = None


class NetworkSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is wanted of a network; without ``pools`` it gets a subnet of the swarm's, or of the engine's."""

    name: str
    labels: dict[str, str] | None = None
    driver: str = "overlay"
    pools: tuple[Pool, ...] = ()
    ipv6: bool = False
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    options: dict[str, str] | None = None
    ipam_options: dict[str, str] | None = None


class Network(StoreObject, frozen=True, kw_only=True):
    """``pools`` are what the allocator chose, ``vxlan_ids`` the overlay's number for each, from 4096 on; none until there was room."""

    table: ClassVar[str] = "network"
    spec: NetworkSpec
    pools: tuple[Pool, ...] = ()
    vxlan_ids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name


class Secret(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "secret"
    spec: SecretSpec

    @property
    def name(self) -> str:
        return self.spec.name


class Config(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "config"
    spec: SecretSpec

    @property
    def name(self) -> str:
        return self.spec.name


def node_invalid(node: Node | None) -> bool:
    """Whether tasks must leave the node (manager/orchestrator/node.go InvalidNode)."""
    return node is None or node.status.state is NodeState.DOWN or node.spec.availability is Availability.DRAIN
