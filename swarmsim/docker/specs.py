"""From flags to a service's specification (docker/cli command/service/opts.go, update.go)."""

from __future__ import annotations

from typing import Any

from swarmsim.docker.cli import CommandError, NotModelled
from swarmsim.docker.pflag import Flags
from swarmsim.swarm.specs import (
    DEFAULT_RESTART,
    DEFAULT_UPDATE,
    ContainerSpec,
    DNSConfig,
    EndpointSpec,
    Mode,
    Placement,
    PortConfig,
    Quantities,
    Replicated,
    Resources,
    RestartPolicy,
    ServiceSpec,
    TaskSpec,
    UpdateConfig,
    replace,
)

RESTART_FLAGS = ("restart-condition", "restart-delay", "restart-max-attempts", "restart-window")


def _pairs(texts: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (text.partition("=") for text in texts)}


def restart_policy(flags: Flags, old: RestartPolicy | None) -> RestartPolicy | None:
    """``old`` with the restart flags applied; ``None`` stays ``None`` if none was given."""
    if not flags.changed(*RESTART_FLAGS):
        return old
    policy = old or DEFAULT_RESTART
    return RestartPolicy(
        condition=flags.get("restart-condition", policy.condition),
        delay=flags.get("restart-delay", policy.delay),
        max_attempts=flags.get("restart-max-attempts", policy.max_attempts),
        window=flags.get("restart-window", policy.window),
    )


def update_config(flags: Flags, kind: str, old: UpdateConfig | None) -> UpdateConfig | None:
    """``old`` with the ``--update-…`` or ``--rollback-…`` flags applied."""
    names = ("parallelism", "delay", "monitor", "failure-action", "max-failure-ratio", "order")
    if not flags.changed(*(f"{kind}-{name}" for name in names)):
        return old
    config = old or DEFAULT_UPDATE
    return UpdateConfig(
        parallelism=flags.get(f"{kind}-parallelism", config.parallelism),
        delay=flags.get(f"{kind}-delay", config.delay),
        monitor=flags.get(f"{kind}-monitor", config.monitor),
        failure_action=flags.get(f"{kind}-failure-action", config.failure_action),
        max_failure_ratio=flags.get(f"{kind}-max-failure-ratio", config.max_failure_ratio),
        order=flags.get(f"{kind}-order", config.order),
    )


def _quantities(flags: Flags, kind: str, old: Quantities | None) -> Quantities:
    old = old or Quantities()
    return Quantities(
        nano_cpus=flags.get(f"{kind}-cpu", old.nano_cpus), memory_bytes=flags.get(f"{kind}-memory", old.memory_bytes)
    )


def _mode(flags: Flags) -> Mode:
    mode = flags.get("mode", "replicated")
    if mode == "global":
        if flags.changed("replicas"):
            raise CommandError("replicas can only be used with replicated or replicated-job mode")
        if flags.changed("replicas-max-per-node"):
            raise CommandError("replicas-max-per-node can only be used with replicated or replicated-job mode")
        return Mode(global_={})
    if mode in ("replicated-job", "global-job"):
        raise NotModelled(f"the service mode {mode!r}")
    if mode != "replicated":
        raise CommandError(f"Unknown mode: {mode}, only replicated and global supported")
    return Mode(replicated=Replicated(replicas=flags.get("replicas", 1)))


def created(flags: Flags, image: str, args: list[str]) -> ServiceSpec:
    """The spec of ``docker service create``. Raises :class:`CommandError`."""
    mode = _mode(flags)
    container = ContainerSpec(
        image=image,
        args=args or None,
        command=flags.get("entrypoint") or None,
        env=flags.every("env") or None,
        hostname=flags.get("hostname", ""),
        labels=_pairs(flags.every("container-label")) or None,
        dir=flags.get("workdir", ""),
        user=flags.get("user", ""),
        stop_signal=flags.get("stop-signal", ""),
        tty=flags.on("tty"),
        read_only=flags.on("read-only"),
        mounts=flags.every("mount") or None,
        init=flags.on("init"),
        stop_grace_period=flags.get("stop-grace-period"),
        dns=DNSConfig(),
        isolation="default",
    )
    task = TaskSpec(
        container=container,
        resources=Resources(limits=_quantities(flags, "limit", None), reservations=_quantities(flags, "reserve", None)),
        restart=restart_policy(flags, None),
        placement=Placement(
            constraints=flags.every("constraint") or None, max_replicas=flags.get("replicas-max-per-node", 0)
        ),
        force_update=0,
        runtime="container",
    )
    return ServiceSpec(
        name=flags.get("name", ""),
        labels=_pairs(flags.every("label")),
        task=task,
        mode=mode,
        update=update_config(flags, "update", None),
        rollback=update_config(flags, "rollback", None),
        endpoint=EndpointSpec(mode=flags.get("endpoint-mode", "vip"), ports=flags.every("publish") or None),
    )


def _merged_pairs(old: dict[str, str], flags: Flags, name: str) -> dict[str, str]:
    merged = {**old, **_pairs(flags.every(f"{name}-add"))}
    for key in flags.every(f"{name}-rm"):
        merged.pop(key, None)
    return merged


def _env(old: list[str] | None, flags: Flags) -> list[str] | None:
    by_key = {entry.partition("=")[0]: entry for entry in [*(old or ()), *flags.every("env-add")]}
    for key in flags.every("env-rm"):
        by_key.pop(key, None)
    return [*by_key.values()] or None


def _listed(old: list[Any] | None, flags: Flags, name: str) -> list[Any] | None:
    removed = flags.every(f"{name}-rm")
    kept = [item for item in old or () if item not in removed]
    return [*kept, *(item for item in flags.every(f"{name}-add") if item not in kept)] or None


def _ports(old: list[PortConfig] | None, flags: Flags) -> list[PortConfig] | None:
    def same(a: PortConfig, b: PortConfig) -> bool:
        return (a.target_port, a.protocol, a.publish_mode) == (b.target_port, b.protocol, b.publish_mode)

    ports = list(flags.every("publish-add"))
    for port in old or ():
        replaced = any(same(port, new) and new.published_port == port.published_port for new in ports)
        removed = any(
            port.target_port == rm.target_port
            and port.protocol == rm.protocol
            and (not rm.published_port or rm.published_port == port.published_port)
            for rm in flags.every("publish-rm")
        )
        if not replaced and not removed:
            ports.append(port)
    return sorted(ports, key=lambda p: (p.target_port, p.protocol, p.published_port)) or None


def updated(flags: Flags, spec: ServiceSpec) -> ServiceSpec:
    """The spec after ``docker service update``. Raises :class:`CommandError`."""
    mode = spec.mode
    if flags.changed("replicas"):
        if mode.replicated is None:
            raise CommandError("replicas can only be used with replicated mode")
        mode = Mode(replicated=Replicated(replicas=flags.get("replicas")))
    task = spec.task
    old = task.container
    mounts = [m for m in old.mounts or () if m.target not in flags.every("mount-rm")]
    added = flags.every("mount-add")
    mounts = [m for m in mounts if all(m.target != new.target for new in added)] + added
    container = replace(
        old,
        image=flags.get("image", old.image),
        args=flags.get("args", old.args) or None,
        command=flags.get("entrypoint", old.command) or None,
        env=_env(old.env, flags),
        labels=_merged_pairs(old.labels or {}, flags, "container-label") or None,
        hostname=flags.get("hostname", old.hostname),
        dir=flags.get("workdir", old.dir),
        user=flags.get("user", old.user),
        stop_signal=flags.get("stop-signal", old.stop_signal),
        tty=flags.get("tty", old.tty),
        read_only=flags.get("read-only", old.read_only),
        mounts=mounts or None,
        init=flags.get("init", old.init),
        stop_grace_period=flags.get("stop-grace-period", old.stop_grace_period),
    )
    resources = task.resources
    if flags.changed("limit-cpu", "limit-memory"):
        resources = replace(resources, limits=_quantities(flags, "limit", resources.limits))
    if flags.changed("reserve-cpu", "reserve-memory"):
        resources = replace(resources, reservations=_quantities(flags, "reserve", resources.reservations))
    placement = replace(
        task.placement,
        constraints=_listed(task.placement.constraints, flags, "constraint"),
        max_replicas=flags.get("replicas-max-per-node", task.placement.max_replicas),
    )
    endpoint = spec.endpoint
    if flags.changed("endpoint-mode", "publish-add", "publish-rm"):
        endpoint = endpoint or EndpointSpec()
        endpoint = replace(
            endpoint, mode=flags.get("endpoint-mode", endpoint.mode), ports=_ports(endpoint.ports, flags)
        )
    return replace(
        spec,
        labels=_merged_pairs(spec.labels, flags, "label"),
        mode=mode,
        task=replace(
            task,
            container=container,
            resources=resources,
            placement=placement,
            restart=restart_policy(flags, task.restart),
            force_update=task.force_update + (1 if flags.on("force") else 0),
        ),
        update=update_config(flags, "update", spec.update),
        rollback=update_config(flags, "rollback", spec.rollback),
        endpoint=endpoint,
    )
