"""Specifications: what a user wants of services and their tasks (moby api/types/swarm, api/types/mount, …).

The swarm's store keeps them in this form, so that what ``docker service inspect`` prints is the spec itself: durations
are integers of nanoseconds, CPUs of 10⁻⁹, memory of bytes. What a daemon fills in when a spec comes in at its door is in
:mod:`swarmsim.engine.convert`; ``None`` means "not given", and the defaults below apply where the spec is used
(SwarmKit api/defaults/service.go).
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import field

from swarmsim.apitypes.base import Always, ApiType

SECOND = 1_000_000_000
R = TypeVar("R", bound=msgspec.Struct)


def replace(obj: R, **changes: Any) -> R:
    """A copy of a record with some fields changed."""
    return msgspec.structs.replace(obj, **changes)


# -- what a task is made from


class Driver(ApiType, frozen=True):
    name: str = field(name="Name", default="")
    options: dict[str, str] | None = field(name="Options", default=None)


class BindOptions(ApiType, frozen=True):
    propagation: str = field(name="Propagation", default="")
    non_recursive: bool = field(name="NonRecursive", default=False)


class VolumeOptions(ApiType, frozen=True):
    no_copy: bool = field(name="NoCopy", default=False)
    labels: dict[str, str] | None = field(name="Labels", default=None)
    driver: Driver | None = field(name="DriverConfig", default=None)


class TmpfsOptions(ApiType, frozen=True):
    """``mode`` is an octal permission written as an integer."""

    size_bytes: int = field(name="SizeBytes", default=0)
    mode: int = field(name="Mode", default=0)


class Mount(ApiType, frozen=True):
    type: str = field(name="Type", default="")
    source: str = field(name="Source", default="")
    target: str = field(name="Target", default="")
    read_only: bool = field(name="ReadOnly", default=False)
    consistency: str = field(name="Consistency", default="")
    bind: BindOptions | None = field(name="BindOptions", default=None)
    volume: VolumeOptions | None = field(name="VolumeOptions", default=None)
    tmpfs: TmpfsOptions | None = field(name="TmpfsOptions", default=None)


class HealthConfig(ApiType, frozen=True):
    """``test`` is ``["CMD-SHELL", command]``, ``["CMD", …]`` or ``["NONE"]``; empty inherits the image's."""

    test: list[str] | None = field(name="Test", default=None)
    interval: int = field(name="Interval", default=0)
    timeout: int = field(name="Timeout", default=0)
    start_period: int = field(name="StartPeriod", default=0)
    retries: int = field(name="Retries", default=0)


class DNSConfig(ApiType, frozen=True):
    nameservers: list[str] | None = field(name="Nameservers", default=None)
    search: list[str] | None = field(name="Search", default=None)
    options: list[str] | None = field(name="Options", default=None)


class FileTarget(ApiType, frozen=True):
    """Where a secret or config appears in the container; ``mode`` is an octal permission as an integer."""

    name: Always[str] = field(name="Name", default="")
    uid: Always[str] = field(name="UID", default="")
    gid: Always[str] = field(name="GID", default="")
    mode: Always[int] = field(name="Mode", default=0)


class SecretReference(ApiType, frozen=True):
    file: Always[FileTarget | None] = field(name="File", default=None)
    secret_id: Always[str] = field(name="SecretID", default="")
    secret_name: Always[str] = field(name="SecretName", default="")


class ConfigReference(ApiType, frozen=True):
    file: FileTarget | None = field(name="File", default=None)
    config_id: Always[str] = field(name="ConfigID", default="")
    config_name: Always[str] = field(name="ConfigName", default="")


class CredentialSpec(ApiType, frozen=True):
    config: Always[str] = field(name="Config", default="")
    file: Always[str] = field(name="File", default="")
    registry: Always[str] = field(name="Registry", default="")


class SELinuxContext(ApiType, frozen=True):
    disable: Always[bool] = field(name="Disable", default=False)
    user: Always[str] = field(name="User", default="")
    role: Always[str] = field(name="Role", default="")
    type: Always[str] = field(name="Type", default="")
    level: Always[str] = field(name="Level", default="")


class Privileges(ApiType, frozen=True):
    credential_spec: Always[CredentialSpec | None] = field(name="CredentialSpec", default=None)
    selinux_context: Always[SELinuxContext | None] = field(name="SELinuxContext", default=None)
    no_new_privileges: Always[bool] = field(name="NoNewPrivileges", default=False)


class Ulimit(ApiType, frozen=True):
    name: Always[str] = field(name="Name", default="")
    hard: Always[int] = field(name="Hard", default=0)
    soft: Always[int] = field(name="Soft", default=0)


class ContainerSpec(ApiType, frozen=True):
    image: str = field(name="Image", default="")
    labels: dict[str, str] | None = field(name="Labels", default=None)
    command: list[str] | None = field(name="Command", default=None)
    args: list[str] | None = field(name="Args", default=None)
    hostname: str = field(name="Hostname", default="")
    env: list[str] | None = field(name="Env", default=None)
    dir: str = field(name="Dir", default="")
    user: str = field(name="User", default="")
    groups: list[str] | None = field(name="Groups", default=None)
    privileges: Privileges | None = field(name="Privileges", default=None)
    init: bool | None = field(name="Init", default=None)
    stop_signal: str = field(name="StopSignal", default="")
    tty: bool = field(name="TTY", default=False)
    open_stdin: bool = field(name="OpenStdin", default=False)
    read_only: bool = field(name="ReadOnly", default=False)
    mounts: list[Mount] | None = field(name="Mounts", default=None)
    stop_grace_period: int | None = field(name="StopGracePeriod", default=None)
    health: HealthConfig | None = field(name="Healthcheck", default=None)
    hosts: list[str] | None = field(name="Hosts", default=None)
    dns: DNSConfig = field(name="DNSConfig", default=DNSConfig())
    secrets: list[SecretReference] | None = field(name="Secrets", default=None)
    configs: list[ConfigReference] | None = field(name="Configs", default=None)
    isolation: str = field(name="Isolation", default="")
    sysctls: dict[str, str] | None = field(name="Sysctls", default=None)
    capability_add: list[str] | None = field(name="CapabilityAdd", default=None)
    capability_drop: list[str] | None = field(name="CapabilityDrop", default=None)
    ulimits: list[Ulimit] | None = field(name="Ulimits", default=None)


class NamedResource(ApiType, frozen=True):
    kind: str = field(name="Kind", default="")
    value: str = field(name="Value", default="")


class DiscreteResource(ApiType, frozen=True):
    kind: str = field(name="Kind", default="")
    value: int = field(name="Value", default=0)


class GenericResource(ApiType, frozen=True):
    """Exactly one of the two: a named one (``GPU=UUID1``, only nodes have these) or a count (``SSD=3``)."""

    named: NamedResource | None = field(name="NamedResourceSpec", default=None)
    discrete: DiscreteResource | None = field(name="DiscreteResourceSpec", default=None)

    @property
    def kind(self) -> str:
        resource = self.named or self.discrete
        return resource.kind if resource else ""


class Quantities(ApiType, frozen=True):
    nano_cpus: int = field(name="NanoCPUs", default=0)
    memory_bytes: int = field(name="MemoryBytes", default=0)
    pids: int = field(name="Pids", default=0)
    generic: list[GenericResource] | None = field(name="GenericResources", default=None)


class Resources(ApiType, frozen=True):
    limits: Quantities | None = field(name="Limits", default=None)
    reservations: Quantities | None = field(name="Reservations", default=None)


class RestartPolicy(ApiType, frozen=True):
    condition: str = field(name="Condition", default="")
    delay: int | None = field(name="Delay", default=None)
    max_attempts: int | None = field(name="MaxAttempts", default=None)
    window: int | None = field(name="Window", default=None)


class SpreadOver(ApiType, frozen=True):
    spread_descriptor: Always[str] = field(name="SpreadDescriptor", default="")


class PlacementPreference(ApiType, frozen=True):
    spread: Always[SpreadOver] = field(name="Spread", default=SpreadOver())


class Platform(ApiType, frozen=True):
    architecture: str = field(name="Architecture", default="")
    os: str = field(name="OS", default="")


class Placement(ApiType, frozen=True):
    constraints: list[str] | None = field(name="Constraints", default=None)
    preferences: list[PlacementPreference] | None = field(name="Preferences", default=None)
    max_replicas: int = field(name="MaxReplicas", default=0)
    platforms: list[Platform] | None = field(name="Platforms", default=None)


class NetworkAttachment(ApiType, frozen=True):
    """``target`` is a network's id."""

    target: str = field(name="Target", default="")
    aliases: list[str] | None = field(name="Aliases", default=None)
    driver_opts: dict[str, str] | None = field(name="DriverOpts", default=None)


class TaskSpec(ApiType, frozen=True):
    container: ContainerSpec = field(name="ContainerSpec", default=ContainerSpec())
    resources: Resources = field(name="Resources", default=Resources())
    restart: RestartPolicy | None = field(name="RestartPolicy", default=None)
    placement: Placement = field(name="Placement", default=Placement())
    networks: list[NetworkAttachment] | None = field(name="Networks", default=None)
    log_driver: Driver | None = field(name="LogDriver", default=None)
    force_update: Always[int] = field(name="ForceUpdate", default=0)
    runtime: str = field(name="Runtime", default="")


# -- services


class Replicated(ApiType, frozen=True):
    replicas: Always[int] = field(name="Replicas", default=1)


class GlobalService(ApiType, frozen=True):
    """One task a node: there is nothing to say."""


class ReplicatedJob(ApiType, frozen=True):
    """``total_completions`` are as many as run at once if they are not given (convert/service.go)."""

    max_concurrent: Always[int] = field(name="MaxConcurrent", default=1)
    total_completions: Always[int] = field(name="TotalCompletions", default=-1)

    def __post_init__(self) -> None:
        if self.total_completions < 0:
            msgspec.structs.force_setattr(self, "total_completions", self.max_concurrent)


class GlobalJob(ApiType, frozen=True):
    """One task a node, to its end."""


class Mode(ApiType, frozen=True):
    """Exactly one of the four."""

    replicated: Replicated | None = field(name="Replicated", default=None)
    global_: GlobalService | None = field(name="Global", default=None)
    replicated_job: ReplicatedJob | None = field(name="ReplicatedJob", default=None)
    global_job: GlobalJob | None = field(name="GlobalJob", default=None)

    @property
    def name(self) -> str:
        """As ``--mode`` has it."""
        if self.replicated is not None:
            return "replicated"
        if self.global_ is not None:
            return "global"
        return "replicated-job" if self.replicated_job is not None else "global-job"


class UpdateConfig(ApiType, frozen=True):
    parallelism: Always[int] = field(name="Parallelism", default=0)
    delay: int = field(name="Delay", default=0)
    failure_action: str = field(name="FailureAction", default="")
    monitor: int = field(name="Monitor", default=0)
    max_failure_ratio: Always[float] = field(name="MaxFailureRatio", default=0.0)
    order: Always[str] = field(name="Order", default="")


class PortConfig(ApiType, frozen=True):
    name: str = field(name="Name", default="")
    protocol: str = field(name="Protocol", default="")
    target_port: int = field(name="TargetPort", default=0)
    published_port: int = field(name="PublishedPort", default=0)
    publish_mode: str = field(name="PublishMode", default="")


class EndpointSpec(ApiType, frozen=True):
    mode: str = field(name="Mode", default="")
    ports: list[PortConfig] | None = field(name="Ports", default=None)


class ServiceSpec(ApiType, frozen=True):
    name: str = field(name="Name", default="")
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)
    task: TaskSpec = field(name="TaskTemplate", default=TaskSpec())
    mode: Mode = field(name="Mode", default=Mode())
    update: UpdateConfig | None = field(name="UpdateConfig", default=None)
    rollback: UpdateConfig | None = field(name="RollbackConfig", default=None)
    endpoint: EndpointSpec | None = field(name="EndpointSpec", default=None)


DEFAULT_STOP_GRACE = 10 * SECOND
DEFAULT_RESTART = RestartPolicy(condition="any", delay=5 * SECOND, max_attempts=0)
DEFAULT_UPDATE = UpdateConfig(
    parallelism=1, failure_action="pause", monitor=5 * SECOND, max_failure_ratio=0, order="stop-first"
)


# -- what else users make


class SecretSpec(ApiType, frozen=True):
    """A secret or a config: the API shows the data (base64) of configs only."""

    name: str = field(name="Name", default="")
    labels: Always[dict[str, str]] = field(name="Labels", default_factory=dict)
    data: bytes = field(name="Data", default=b"")
