"""Specifications: what a user wants of services and their tasks (moby api/types/swarm, api/types/mount, …).

The swarm's store keeps them in this form, so that what ``docker service inspect`` prints is the spec itself: durations
are integers of nanoseconds, CPUs of 10⁻⁹, memory of bytes. What a daemon fills in when a spec comes in at its door is in
:mod:`swarmsim.engine.convert`; ``None`` means "not given", and the defaults below apply where the spec is used
(SwarmKit api/defaults/service.go).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import field

from swarmsim.apitypes.base import (
    Always,
    ApiType,
    Duration,
    FileMode,
    Float32,
    InAnnotations,
    Int64,
    Pointer,
    UInt32,
    UInt64,
    go_type,
)
from swarmsim.go.reflect import named, pointer_to

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
    """The last three are of later engines."""

    GO: ClassVar[str] = "mount.BindOptions"

    propagation: Annotated[str, named("mount.Propagation")] = field(name="Propagation", default="")
    non_recursive: bool = field(name="NonRecursive", default=False)
    create_mountpoint: bool = field(name="CreateMountpoint", default=False)
    read_only_non_recursive: bool = field(name="ReadOnlyNonRecursive", default=False)
    read_only_force_recursive: bool = field(name="ReadOnlyForceRecursive", default=False)


class VolumeOptions(ApiType, frozen=True):
    GO: ClassVar[str] = "mount.VolumeOptions"

    no_copy: bool = field(name="NoCopy", default=False)
    labels: dict[str, str] | None = field(name="Labels", default=None)
    subpath: str = field(name="Subpath", default="")
    driver: Annotated[Driver | None, pointer_to(go_type(Driver, "mount.Driver"))] = field(
        name="DriverConfig", default=None
    )


class TmpfsOptions(ApiType, frozen=True):
    """``size_bytes`` in bytes; ``options`` are of later engines."""

    GO: ClassVar[str] = "mount.TmpfsOptions"

    size_bytes: Int64 = field(name="SizeBytes", default=0)
    mode: FileMode = field(name="Mode", default=0)
    options: list[list[str]] | None = field(name="Options", default=None)


class ImageOptions(ApiType, frozen=True):
    GO: ClassVar[str] = "mount.ImageOptions"

    subpath: str = field(name="Subpath", default="")


class ClusterOptions(ApiType, frozen=True):
    """Nothing so far."""

    GO: ClassVar[str] = "mount.ClusterOptions"


class Mount(ApiType, frozen=True):
    GO: ClassVar[str] = "mount.Mount"

    type: Annotated[str, named("mount.Type")] = field(name="Type", default="")
    source: str = field(name="Source", default="")
    target: str = field(name="Target", default="")
    read_only: bool = field(name="ReadOnly", default=False)
    consistency: Annotated[str, named("mount.Consistency")] = field(name="Consistency", default="")
    bind: BindOptions | None = field(name="BindOptions", default=None)
    volume: VolumeOptions | None = field(name="VolumeOptions", default=None)
    image: ImageOptions | None = field(name="ImageOptions", default=None)
    tmpfs: TmpfsOptions | None = field(name="TmpfsOptions", default=None)
    cluster: ClusterOptions | None = field(name="ClusterOptions", default=None)


class HealthConfig(ApiType, frozen=True):
    """``test`` is ``["CMD-SHELL", command]``, ``["CMD", …]`` or ``["NONE"]``; empty inherits the image's."""

    GO: ClassVar[str] = "v1.HealthcheckConfig"

    test: list[str] | None = field(name="Test", default=None)
    interval: Duration = field(name="Interval", default=0)
    timeout: Duration = field(name="Timeout", default=0)
    start_period: Duration = field(name="StartPeriod", default=0)
    start_interval: Duration = field(name="StartInterval", default=0)
    retries: int = field(name="Retries", default=0)


class DNSConfig(ApiType, frozen=True):
    nameservers: list[str] | None = field(name="Nameservers", default=None)
    search: list[str] | None = field(name="Search", default=None)
    options: list[str] | None = field(name="Options", default=None)


class FileTarget(ApiType, frozen=True):
    """Where a secret or a config appears in the container."""

    GO: ClassVar[str] = "swarm.SecretReferenceFileTarget"

    name: Always[str] = field(name="Name", default="")
    uid: Always[str] = field(name="UID", default="")
    gid: Always[str] = field(name="GID", default="")
    mode: Always[FileMode] = field(name="Mode", default=0)


_CONFIG_FILE = pointer_to(go_type(FileTarget, "swarm.ConfigReferenceFileTarget"))


class RuntimeTarget(ApiType, frozen=True):
    """Of a config that the engine itself uses."""

    GO: ClassVar[str] = "swarm.ConfigReferenceRuntimeTarget"


class SecretReference(ApiType, frozen=True):
    file: Always[FileTarget | None] = field(name="File", default=None)
    secret_id: Always[str] = field(name="SecretID", default="")
    secret_name: Always[str] = field(name="SecretName", default="")


class ConfigReference(ApiType, frozen=True):
    file: Annotated[FileTarget | None, _CONFIG_FILE] = field(name="File", default=None)
    runtime: RuntimeTarget | None = field(name="Runtime", default=None)
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


class SeccompOpts(ApiType, frozen=True):
    mode: Annotated[str, named("swarm.SeccompMode")] = field(name="Mode", default="")
    profile: bytes = field(name="Profile", default=b"")


class AppArmorOpts(ApiType, frozen=True):
    mode: Annotated[str, named("swarm.AppArmorMode")] = field(name="Mode", default="")


class Privileges(ApiType, frozen=True):
    credential_spec: Always[CredentialSpec | None] = field(name="CredentialSpec", default=None)
    selinux_context: Always[SELinuxContext | None] = field(name="SELinuxContext", default=None)
    seccomp: SeccompOpts | None = field(name="Seccomp", default=None)
    app_armor: AppArmorOpts | None = field(name="AppArmor", default=None)
    no_new_privileges: Always[bool] = field(name="NoNewPrivileges", default=False)


class Ulimit(ApiType, frozen=True):
    GO: ClassVar[str] = "units.Ulimit"

    name: Always[str] = field(name="Name", default="")
    hard: Always[Int64] = field(name="Hard", default=0)
    soft: Always[Int64] = field(name="Soft", default=0)


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
    stop_grace_period: Duration | None = field(name="StopGracePeriod", default=None)
    health: HealthConfig | None = field(name="Healthcheck", default=None)
    hosts: list[str] | None = field(name="Hosts", default=None)
    dns: Pointer[DNSConfig] = field(name="DNSConfig", default=DNSConfig())
    secrets: list[Pointer[SecretReference]] | None = field(name="Secrets", default=None)
    configs: list[Pointer[ConfigReference]] | None = field(name="Configs", default=None)
    isolation: Annotated[str, named("container.Isolation")] = field(name="Isolation", default="")
    sysctls: dict[str, str] | None = field(name="Sysctls", default=None)
    capability_add: list[str] | None = field(name="CapabilityAdd", default=None)
    capability_drop: list[str] | None = field(name="CapabilityDrop", default=None)
    ulimits: list[Pointer[Ulimit]] | None = field(name="Ulimits", default=None)
    oom_score_adj: Int64 = field(name="OomScoreAdj", default=0)


class NamedResource(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.NamedGenericResource"

    kind: str = field(name="Kind", default="")
    value: str = field(name="Value", default="")


class DiscreteResource(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.DiscreteGenericResource"

    kind: str = field(name="Kind", default="")
    value: Int64 = field(name="Value", default=0)


class GenericResource(ApiType, frozen=True):
    """Exactly one of the two: a named one (``GPU=UUID1``, only nodes have these) or a count (``SSD=3``)."""

    named: NamedResource | None = field(name="NamedResourceSpec", default=None)
    discrete: DiscreteResource | None = field(name="DiscreteResourceSpec", default=None)

    @property
    def kind(self) -> str:
        resource = self.named or self.discrete
        return resource.kind if resource else ""


class Limit(ApiType, frozen=True):
    nano_cpus: Int64 = field(name="NanoCPUs", default=0)
    memory_bytes: Int64 = field(name="MemoryBytes", default=0)
    pids: Int64 = field(name="Pids", default=0)


class Quantities(ApiType, frozen=True):
    """What a task reserves, or a node has."""

    GO: ClassVar[str] = "swarm.Resources"

    nano_cpus: Int64 = field(name="NanoCPUs", default=0)
    memory_bytes: Int64 = field(name="MemoryBytes", default=0)
    generic: list[GenericResource] | None = field(name="GenericResources", default=None)


class Resources(ApiType, frozen=True):
    GO: ClassVar[str] = "swarm.ResourceRequirements"

    limits: Limit | None = field(name="Limits", default=None)
    reservations: Quantities | None = field(name="Reservations", default=None)


class RestartPolicy(ApiType, frozen=True):
    condition: Annotated[str, named("swarm.RestartPolicyCondition")] = field(name="Condition", default="")
    delay: Duration | None = field(name="Delay", default=None)
    max_attempts: UInt64 | None = field(name="MaxAttempts", default=None)
    window: Duration | None = field(name="Window", default=None)


class SpreadOver(ApiType, frozen=True):
    spread_descriptor: Always[str] = field(name="SpreadDescriptor", default="")


class PlacementPreference(ApiType, frozen=True):
    spread: Always[Pointer[SpreadOver]] = field(name="Spread", default=SpreadOver())


class Platform(ApiType, frozen=True):
    architecture: str = field(name="Architecture", default="")
    os: str = field(name="OS", default="")


class Placement(ApiType, frozen=True):
    constraints: list[str] | None = field(name="Constraints", default=None)
    preferences: list[PlacementPreference] | None = field(name="Preferences", default=None)
    max_replicas: UInt64 = field(name="MaxReplicas", default=0)
    platforms: list[Platform] | None = field(name="Platforms", default=None)


class NetworkAttachment(ApiType, frozen=True):
    """``target`` is a network's id."""

    GO: ClassVar[str] = "swarm.NetworkAttachmentConfig"

    target: str = field(name="Target", default="")
    aliases: list[str] | None = field(name="Aliases", default=None)
    driver_opts: dict[str, str] | None = field(name="DriverOpts", default=None)


class PluginPrivilege(ApiType, frozen=True):
    GO: ClassVar[str] = "runtime.PluginPrivilege"
    GO_FIELDS: ClassVar[dict[str, str]] = {"name": "Name", "description": "Description", "value": "Value"}

    name: str = field(name="name", default="")
    description: str = field(name="description", default="")
    value: list[str] | None = field(name="value", default=None)


class PluginSpec(ApiType, frozen=True):
    """A task that is a plugin of the engine."""

    GO: ClassVar[str] = "runtime.PluginSpec"
    GO_FIELDS: ClassVar[dict[str, str]] = {
        name.lower(): name for name in ("Name", "Remote", "Privileges", "Disabled", "Env")
    }

    name: str = field(name="name", default="")
    remote: str = field(name="remote", default="")
    privileges: list[Pointer[PluginPrivilege]] | None = field(name="privileges", default=None)
    disabled: bool = field(name="disabled", default=False)
    env: list[str] | None = field(name="env", default=None)


class NetworkAttachmentSpec(ApiType, frozen=True):
    """A task that is a container's place on a network."""

    container_id: Always[str] = field(name="ContainerID", default="")


class TaskSpec(ApiType, frozen=True):
    container: Pointer[ContainerSpec] = field(name="ContainerSpec", default=ContainerSpec())
    plugin: PluginSpec | None = field(name="PluginSpec", default=None)
    attachment: NetworkAttachmentSpec | None = field(name="NetworkAttachmentSpec", default=None)
    resources: Pointer[Resources] = field(name="Resources", default=Resources())
    restart: RestartPolicy | None = field(name="RestartPolicy", default=None)
    placement: Pointer[Placement] = field(name="Placement", default=Placement())
    networks: list[NetworkAttachment] | None = field(name="Networks", default=None)
    log_driver: Driver | None = field(name="LogDriver", default=None)
    force_update: Always[UInt64] = field(name="ForceUpdate", default=0)
    runtime: Annotated[str, named("swarm.RuntimeType")] = field(name="Runtime", default="")


# -- services


class Replicated(ApiType, frozen=True):
    """``replicas`` of ``None`` are one."""

    GO: ClassVar[str] = "swarm.ReplicatedService"

    replicas: UInt64 | None = field(name="Replicas", default=None)

    @property
    def count(self) -> int:
        return 1 if self.replicas is None else self.replicas


class GlobalService(ApiType, frozen=True):
    """One task a node: there is nothing to say."""


class ReplicatedJob(ApiType, frozen=True):
    """One at a time if nothing is said, and as many in all as run at once (convert/service.go)."""

    max_concurrent: UInt64 | None = field(name="MaxConcurrent", default=None)
    total_completions: UInt64 | None = field(name="TotalCompletions", default=None)

    @property
    def concurrent(self) -> int:
        return 1 if self.max_concurrent is None else self.max_concurrent

    @property
    def total(self) -> int:
        return self.concurrent if self.total_completions is None else self.total_completions


class GlobalJob(ApiType, frozen=True):
    """One task a node, to its end."""


class Mode(ApiType, frozen=True):
    """Exactly one of the four."""

    GO: ClassVar[str] = "swarm.ServiceMode"

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
    parallelism: Always[UInt64] = field(name="Parallelism", default=0)
    delay: Duration = field(name="Delay", default=0)
    failure_action: str = field(name="FailureAction", default="")
    monitor: Duration = field(name="Monitor", default=0)
    max_failure_ratio: Always[Float32] = field(name="MaxFailureRatio", default=0.0)
    order: Always[str] = field(name="Order", default="")


class PortConfig(ApiType, frozen=True):
    name: str = field(name="Name", default="")
    protocol: Annotated[str, named("swarm.PortConfigProtocol")] = field(name="Protocol", default="")
    target_port: UInt32 = field(name="TargetPort", default=0)
    published_port: UInt32 = field(name="PublishedPort", default=0)
    publish_mode: Annotated[str, named("swarm.PortConfigPublishMode")] = field(name="PublishMode", default="")


class EndpointSpec(ApiType, frozen=True):
    mode: Annotated[str, named("swarm.ResolutionMode")] = field(name="Mode", default="")
    ports: list[PortConfig] | None = field(name="Ports", default=None)


class ServiceSpec(ApiType, frozen=True):
    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str]]] = field(name="Labels", default_factory=dict)
    task: TaskSpec = field(name="TaskTemplate", default=TaskSpec())
    mode: Mode = field(name="Mode", default=Mode())
    update: UpdateConfig | None = field(name="UpdateConfig", default=None)
    rollback: UpdateConfig | None = field(name="RollbackConfig", default=None)
    networks: list[NetworkAttachment] | None = field(name="Networks", default=None)
    endpoint: EndpointSpec | None = field(name="EndpointSpec", default=None)


STACK_LABEL = "com.docker.stack.namespace"
"""Label of all that belongs to a stack, containers too; its value is the stack's name."""
DEFAULT_STOP_GRACE = 10 * SECOND
DEFAULT_RESTART = RestartPolicy(condition="any", delay=5 * SECOND, max_attempts=0)
DEFAULT_UPDATE = UpdateConfig(
    parallelism=1, failure_action="pause", monitor=5 * SECOND, max_failure_ratio=0, order="stop-first"
)


# -- what else users make


class SecretSpec(ApiType, frozen=True):
    """A secret's: the API takes the data (base64), and does not show it again."""

    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str]]] = field(name="Labels", default_factory=dict)
    data: bytes = field(name="Data", default=b"")
    driver: Driver | None = field(name="Driver", default=None)
    templating: Driver | None = field(name="Templating", default=None)


class ConfigSpec(ApiType, frozen=True):
    """A config's: its data is shown."""

    name: InAnnotations[str] = field(name="Name", default="")
    labels: InAnnotations[Always[dict[str, str]]] = field(name="Labels", default_factory=dict)
    data: bytes = field(name="Data", default=b"")
    templating: Driver | None = field(name="Templating", default=None)
