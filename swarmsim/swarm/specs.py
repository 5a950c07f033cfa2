"""Specifications: what a user wants of services and their tasks (api/specs.proto, moby api/types/swarm).

Kept in the Engine API's form and under its names and order, so that what ``docker service inspect`` prints is the
spec itself: durations are integers of nanoseconds, CPUs of 10⁻⁹, memory of bytes. ``None`` means "not given", and
the defaults below apply (api/defaults/service.go).
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import field

SECOND = 1_000_000_000
R = TypeVar("R", bound=msgspec.Struct)


def replace(obj: R, **changes: Any) -> R:
    """A copy of a record with some fields changed."""
    return msgspec.structs.replace(obj, **changes)


class _Spec(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A part of a specification: what the user wrote, without what was left at its default."""


# -- what a task is made from


class Driver(_Spec, frozen=True, kw_only=True):
    name: str = field(name="Name", default="")
    options: dict[str, str] | None = field(name="Options", default=None)


class BindOptions(_Spec, frozen=True, kw_only=True):
    propagation: str = field(name="Propagation", default="")
    non_recursive: bool = field(name="NonRecursive", default=False)


class VolumeOptions(_Spec, frozen=True, kw_only=True):
    no_copy: bool = field(name="NoCopy", default=False)
    labels: dict[str, str] | None = field(name="Labels", default=None)
    driver: Driver | None = field(name="DriverConfig", default=None)


class TmpfsOptions(_Spec, frozen=True, kw_only=True):
    """``mode`` is an octal permission written as an integer."""

    size_bytes: int = field(name="SizeBytes", default=0)
    mode: int = field(name="Mode", default=0)


class Mount(_Spec, frozen=True, kw_only=True):
    type: str = field(name="Type")
    source: str = field(name="Source", default="")
    target: str = field(name="Target", default="")
    read_only: bool = field(name="ReadOnly", default=False)
    consistency: str = field(name="Consistency", default="")
    bind: BindOptions | None = field(name="BindOptions", default=None)
    volume: VolumeOptions | None = field(name="VolumeOptions", default=None)
    tmpfs: TmpfsOptions | None = field(name="TmpfsOptions", default=None)


class HealthConfig(_Spec, frozen=True, kw_only=True):
    """``test`` is ``["CMD-SHELL", command]``, ``["CMD", …]`` or ``["NONE"]``; empty inherits the image's."""

    test: list[str] | None = field(name="Test", default=None)
    interval: int = field(name="Interval", default=0)
    timeout: int = field(name="Timeout", default=0)
    start_period: int = field(name="StartPeriod", default=0)
    retries: int = field(name="Retries", default=0)


class DNSConfig(_Spec, frozen=True, kw_only=True):
    nameservers: list[str] | None = field(name="Nameservers", default=None)
    search: list[str] | None = field(name="Search", default=None)
    options: list[str] | None = field(name="Options", default=None)


class FileTarget(_Spec, frozen=True, kw_only=True):
    """Where a secret or config appears in the container; ``mode`` is an octal permission as an integer."""

    name: str = field(name="Name")
    uid: str = field(name="UID")
    gid: str = field(name="GID")
    mode: int = field(name="Mode")


class SecretReference(_Spec, frozen=True, kw_only=True):
    file: FileTarget | None = field(name="File", default=None)
    secret_id: str = field(name="SecretID")
    secret_name: str = field(name="SecretName")


class ConfigReference(_Spec, frozen=True, kw_only=True):
    file: FileTarget | None = field(name="File", default=None)
    config_id: str = field(name="ConfigID")
    config_name: str = field(name="ConfigName")


class CredentialSpec(_Spec, frozen=True, kw_only=True):
    config: str = field(name="Config", default="")
    file: str = field(name="File", default="")
    registry: str = field(name="Registry", default="")


class Privileges(_Spec, frozen=True, kw_only=True):
    credential_spec: CredentialSpec | None = field(name="CredentialSpec")
    selinux_context: dict[str, str] | None = field(name="SELinuxContext")
    no_new_privileges: bool = field(name="NoNewPrivileges")


class Ulimit(_Spec, frozen=True, kw_only=True):
    name: str = field(name="Name")
    hard: int = field(name="Hard")
    soft: int = field(name="Soft")


class ContainerSpec(_Spec, frozen=True, kw_only=True):
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
    dns: DNSConfig = field(name="DNSConfig")
    secrets: list[SecretReference] | None = field(name="Secrets", default=None)
    configs: list[ConfigReference] | None = field(name="Configs", default=None)
    isolation: str = field(name="Isolation")
    sysctls: dict[str, str] | None = field(name="Sysctls", default=None)
    capability_add: list[str] | None = field(name="CapabilityAdd", default=None)
    capability_drop: list[str] | None = field(name="CapabilityDrop", default=None)
    ulimits: list[Ulimit] | None = field(name="Ulimits", default=None)


class NamedResource(_Spec, frozen=True, kw_only=True):
    kind: str = field(name="Kind")
    value: str = field(name="Value")


class DiscreteResource(_Spec, frozen=True, kw_only=True):
    kind: str = field(name="Kind")
    value: int = field(name="Value")


class GenericResource(_Spec, frozen=True, kw_only=True):
    """Exactly one of the two: a named one (``GPU=UUID1``, only nodes have these) or a count (``SSD=3``)."""

    named: NamedResource | None = field(name="NamedResourceSpec", default=None)
    discrete: DiscreteResource | None = field(name="DiscreteResourceSpec", default=None)

    @property
    def kind(self) -> str:
        resource = self.named or self.discrete
        return resource.kind if resource else ""


class Quantities(_Spec, frozen=True, kw_only=True):
    nano_cpus: int = field(name="NanoCPUs", default=0)
    memory_bytes: int = field(name="MemoryBytes", default=0)
    pids: int = field(name="Pids", default=0)
    generic: list[GenericResource] | None = field(name="GenericResources", default=None)


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


class Platform(_Spec, frozen=True, kw_only=True):
    architecture: str = field(name="Architecture", default="")
    os: str = field(name="OS", default="")


class Placement(_Spec, frozen=True, kw_only=True):
    constraints: list[str] | None = field(name="Constraints", default=None)
    preferences: list[PlacementPreference] | None = field(name="Preferences", default=None)
    max_replicas: int = field(name="MaxReplicas", default=0)
    platforms: list[Platform] | None = field(name="Platforms", default=None)


class NetworkAttachment(_Spec, frozen=True, kw_only=True):
    """``target`` is a network's id."""

    target: str = field(name="Target")
    aliases: list[str] | None = field(name="Aliases", default=None)
    driver_opts: dict[str, str] | None = field(name="DriverOpts", default=None)


class TaskSpec(_Spec, frozen=True, kw_only=True):
    container: ContainerSpec = field(name="ContainerSpec")
    resources: Resources = field(name="Resources")
    restart: RestartPolicy | None = field(name="RestartPolicy", default=None)
    placement: Placement = field(name="Placement")
    networks: list[NetworkAttachment] | None = field(name="Networks", default=None)
    log_driver: Driver | None = field(name="LogDriver", default=None)
    force_update: int = field(name="ForceUpdate")
    runtime: str = field(name="Runtime")


# -- services


class Replicated(_Spec, frozen=True, kw_only=True):
    replicas: int = field(name="Replicas")


class ReplicatedJob(_Spec, frozen=True, kw_only=True):
    max_concurrent: int = field(name="MaxConcurrent")
    total_completions: int = field(name="TotalCompletions")


class Mode(_Spec, frozen=True, kw_only=True):
    """Exactly one of the four."""

    replicated: Replicated | None = field(name="Replicated", default=None)
    global_: dict[str, str] | None = field(name="Global", default=None)
    replicated_job: ReplicatedJob | None = field(name="ReplicatedJob", default=None)
    global_job: dict[str, str] | None = field(name="GlobalJob", default=None)

    @property
    def name(self) -> str:
        """As ``--mode`` has it."""
        if self.replicated is not None:
            return "replicated"
        if self.global_ is not None:
            return "global"
        return "replicated-job" if self.replicated_job is not None else "global-job"


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


# -- what else users make


class SecretSpec(_Spec, frozen=True, kw_only=True):
    """A secret or a config: the API shows the data (base64) of configs only."""

    name: str = field(name="Name")
    labels: dict[str, str] = field(name="Labels")
    data: str = field(name="Data", default="")


class NetworkSpec(_Spec, frozen=True, kw_only=True):
    """``subnet`` and ``gateway`` are empty until the allocator has chosen them."""

    name: str
    labels: dict[str, str] | None = None
    driver: str = "overlay"
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    options: dict[str, str] | None = None
