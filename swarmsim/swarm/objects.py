"""What a swarm's store holds (api/objects.proto, api/specs.proto).

All objects are frozen records, replaced rather than changed; managers share them. Specs are kept in the
Engine API's form and under its names, so that what ``docker service inspect`` prints is the spec itself:
durations are integers of nanoseconds, CPUs of 10⁻⁹, memory of bytes. ``None`` means "not given", and the
defaults below apply (api/defaults/service.go). Status times are simulated seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import field

from swarmsim.swarm.states import TaskState

SECOND = 1_000_000_000
R = TypeVar("R", bound=msgspec.Struct)


class Role(StrEnum):
    WORKER = "worker"
    MANAGER = "manager"


class Availability(StrEnum):
    ACTIVE = "active"
    PAUSE = "pause"
    DRAIN = "drain"


class NodeState(StrEnum):
    UNKNOWN = "unknown"
    DOWN = "down"
    READY = "ready"
    DISCONNECTED = "disconnected"


class _Spec(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A part of a specification: what the user wrote, without what was left at its default."""


# -- what a task is made from


class Mount(_Spec, frozen=True, kw_only=True):
    type: str = field(name="Type")
    source: str = field(name="Source", default="")
    target: str = field(name="Target")
    read_only: bool = field(name="ReadOnly", default=False)


class ContainerSpec(_Spec, frozen=True, kw_only=True):
    image: str = field(name="Image")
    labels: dict[str, str] | None = field(name="Labels", default=None)
    command: list[str] | None = field(name="Command", default=None)
    args: list[str] | None = field(name="Args", default=None)
    hostname: str = field(name="Hostname", default="")
    env: list[str] | None = field(name="Env", default=None)
    dir: str = field(name="Dir", default="")
    user: str = field(name="User", default="")
    groups: list[str] | None = field(name="Groups", default=None)
    init: bool | None = field(name="Init", default=None)
    stop_signal: str = field(name="StopSignal", default="")
    tty: bool = field(name="TTY", default=False)
    read_only: bool = field(name="ReadOnly", default=False)
    mounts: list[Mount] | None = field(name="Mounts", default=None)
    stop_grace_period: int | None = field(name="StopGracePeriod", default=None)
    hosts: list[str] | None = field(name="Hosts", default=None)
    dns_config: dict[str, list[str]] = field(name="DNSConfig")
    isolation: str = field(name="Isolation")


class Quantities(_Spec, frozen=True, kw_only=True):
    nano_cpus: int = field(name="NanoCPUs", default=0)
    memory_bytes: int = field(name="MemoryBytes", default=0)


class Resources(_Spec, frozen=True, kw_only=True):
    limits: Quantities | None = field(name="Limits", default=None)
    reservations: Quantities | None = field(name="Reservations", default=None)


class RestartPolicy(_Spec, frozen=True, kw_only=True):
    condition: str = field(name="Condition", default="")
    delay: int | None = field(name="Delay", default=None)
    max_attempts: int | None = field(name="MaxAttempts", default=None)
    window: int | None = field(name="Window", default=None)


class SpreadOver(_Spec, frozen=True, kw_only=True):
    spread_descriptor: str = field(name="SpreadDescriptor")


class PlacementPreference(_Spec, frozen=True, kw_only=True):
    spread: SpreadOver = field(name="Spread")


class Placement(_Spec, frozen=True, kw_only=True):
    constraints: list[str] | None = field(name="Constraints", default=None)
    preferences: list[PlacementPreference] | None = field(name="Preferences", default=None)
    max_replicas: int = field(name="MaxReplicas", default=0)


class TaskSpec(_Spec, frozen=True, kw_only=True):
    container: ContainerSpec = field(name="ContainerSpec")
    resources: Resources = field(name="Resources")
    restart: RestartPolicy | None = field(name="RestartPolicy", default=None)
    placement: Placement = field(name="Placement")
    force_update: int = field(name="ForceUpdate")
    runtime: str = field(name="Runtime")


# -- services


class Replicated(_Spec, frozen=True, kw_only=True):
    replicas: int = field(name="Replicas")


class Mode(_Spec, frozen=True, kw_only=True):
    replicated: Replicated | None = field(name="Replicated", default=None)
    global_: dict[str, str] | None = field(name="Global", default=None)


class UpdateConfig(_Spec, frozen=True, kw_only=True):
    parallelism: int = field(name="Parallelism")
    delay: int = field(name="Delay", default=0)
    failure_action: str = field(name="FailureAction", default="")
    monitor: int = field(name="Monitor", default=0)
    max_failure_ratio: float = field(name="MaxFailureRatio")
    order: str = field(name="Order")


class PortConfig(_Spec, frozen=True, kw_only=True):
    name: str = field(name="Name", default="")
    protocol: str = field(name="Protocol", default="")
    target_port: int = field(name="TargetPort", default=0)
    published_port: int = field(name="PublishedPort", default=0)
    publish_mode: str = field(name="PublishMode", default="")


class EndpointSpec(_Spec, frozen=True, kw_only=True):
    mode: str = field(name="Mode", default="")
    ports: list[PortConfig] | None = field(name="Ports", default=None)


class ServiceSpec(_Spec, frozen=True, kw_only=True):
    name: str = field(name="Name")
    labels: dict[str, str] = field(name="Labels")
    task: TaskSpec = field(name="TaskTemplate")
    mode: Mode = field(name="Mode")
    update: UpdateConfig | None = field(name="UpdateConfig", default=None)
    rollback: UpdateConfig | None = field(name="RollbackConfig", default=None)
    endpoint: EndpointSpec | None = field(name="EndpointSpec", default=None)


DEFAULT_STOP_GRACE = 10 * SECOND
DEFAULT_RESTART = RestartPolicy(condition="any", delay=5 * SECOND, max_attempts=0)
DEFAULT_UPDATE = UpdateConfig(
    parallelism=1, failure_action="pause", monitor=5 * SECOND, max_failure_ratio=0, order="stop-first"
)


# -- stored objects


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
    """``timestamp`` is the writer's own clock; ``applied_at`` the leader's when it stored the report."""

    state: TaskState
    timestamp: float
    message: str = ""
    err: str = ""
    container: ContainerStatus | None = None
    applied_at: float | None = None


class Task(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "task"
    spec: TaskSpec
    spec_version: int = 0
    service_id: str = ""
    service_name: str = ""
    slot: int = 0
    node_id: str = ""
    status: TaskStatus
    desired_state: TaskState
    ports: tuple[PortConfig, ...] = ()
    endpoint_spec: EndpointSpec | None = None

    @property
    def label(self) -> str:
        """``web.3``, or ``agent.<node id>`` for a global service's task."""
        return f"{self.service_name}.{self.slot or self.node_id}"


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
    ports: tuple[PortConfig, ...] = ()

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
    def replicas(self) -> int:
        return self.spec.mode.replicated.replicas if self.spec.mode.replicated else 0


class NodeSpec(msgspec.Struct, frozen=True):
    labels: dict[str, str] = field(name="Labels", default_factory=dict)
    role: Role = field(name="Role", default=Role.WORKER)
    availability: Availability = field(name="Availability", default=Availability.ACTIVE)


class NodeDescription(msgspec.Struct, frozen=True):
    """What an agent says of its host when it registers."""

    hostname: str
    nano_cpus: int
    memory_bytes: int
    engine_version: str
    os: str = "linux"
    architecture: str = "x86_64"
    engine_labels: dict[str, str] = {}
    plugins: tuple[tuple[str, str], ...] = ()


class NodeStatus(msgspec.Struct, frozen=True, gc=False):
    state: NodeState = NodeState.UNKNOWN
    message: str = ""
    addr: str = ""


class Node(StoreObject, frozen=True, kw_only=True):
    """``spec.role`` is wanted, ``role`` is what the node's certificate says."""

    table: ClassVar[str] = "node"
    spec: NodeSpec
    role: Role
    description: NodeDescription | None = None
    status: NodeStatus = NodeStatus()

    @property
    def hostname(self) -> str:
        return self.description.hostname if self.description else ""


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


class Cluster(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "cluster"
    spec: ClusterSpec
    worker_token: str = ""
    manager_token: str = ""

    @property
    def name(self) -> str:
        return "default"


class Network(StoreObject, frozen=True, kw_only=True):
    table: ClassVar[str] = "network"
    network_name: str
    driver: str
    ingress: bool = False
    subnet: str = ""

    @property
    def name(self) -> str:
        return self.network_name


def replace(obj: R, **changes: Any) -> R:
    """A copy of a record with some fields changed."""
    return msgspec.structs.replace(obj, **changes)


def node_invalid(node: Node | None) -> bool:
    """Whether tasks must leave the node (manager/orchestrator/node.go InvalidNode)."""
    return node is None or node.status.state is NodeState.DOWN or node.spec.availability is Availability.DRAIN
