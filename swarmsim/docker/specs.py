"""From flags to a service's specification (docker/cli command/service/opts.go, update.go).

Networks, secrets and configs are named here; their ids are filled in by :mod:`swarmsim.docker.references`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from swarmsim.docker.command import CommandError, key_values
from swarmsim.go.pflag import Flags
from swarmsim.swarm.specs import (
    DEFAULT_RESTART,
    DEFAULT_UPDATE,
    ContainerSpec,
    DiscreteResource,
    DNSConfig,
    Driver,
    EndpointSpec,
    GenericResource,
    HealthConfig,
    Mode,
    Placement,
    PortConfig,
    Privileges,
    Quantities,
    Replicated,
    ReplicatedJob,
    Resources,
    RestartPolicy,
    ServiceSpec,
    TaskSpec,
    UpdateConfig,
    replace,
)

RESTART_FLAGS = ("restart-condition", "restart-delay", "restart-max-attempts", "restart-window")


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


HEALTH_FLAGS = ("health-cmd", "health-interval", "health-retries", "health-start-period", "health-timeout")
T = TypeVar("T")


def _quantities(flags: Flags, kind: str, old: Quantities | None) -> Quantities:
    old = old or Quantities()
    return replace(
        old,
        nano_cpus=flags.get(f"{kind}-cpu", old.nano_cpus),
        memory_bytes=flags.get(f"{kind}-memory", old.memory_bytes),
        pids=flags.get("limit-pids", old.pids) if kind == "limit" else 0,
    )


def _generic_resources(texts: list[str]) -> list[GenericResource]:
    """``SSD=3``; names are for nodes only (command/service/generic_resource_opts.go)."""
    resources = []
    for text in texts:
        kind, _, value = text.partition("=")
        if not value.isdigit():
            raise CommandError(
                f"invalid generic-resource request `{kind}={value}`, "
                "Named Generic Resources is not supported for service create or update"
            )
        resources.append(GenericResource(discrete=DiscreteResource(kind=kind, value=int(value))))
    return resources


def _mode(flags: Flags) -> Mode:
    mode = flags.get("mode", "replicated")
    one_a_node = mode in ("global", "global-job")
    if one_a_node and flags.changed("replicas"):
        raise CommandError("replicas can only be used with replicated or replicated-job mode")
    if one_a_node and flags.get("replicas-max-per-node", 0):
        raise CommandError("replicas-max-per-node can only be used with replicated or replicated-job mode")
    if mode != "replicated-job" and flags.changed("max-concurrent"):
        raise CommandError("max-concurrent can only be used with replicated-job mode")
    if mode == "global":
        return Mode(global_={})
    if mode == "global-job":
        return Mode(global_job={})
    replicas = flags.get("replicas", 1)
    if mode == "replicated-job":
        concurrent = flags.get("max-concurrent", replicas)
        return Mode(replicated_job=ReplicatedJob(max_concurrent=concurrent, total_completions=replicas))
    if mode != "replicated":
        raise CommandError(f"Unknown mode: {mode}, only replicated and global supported")
    return Mode(replicated=Replicated(replicas=replicas))


def _health(flags: Flags, old: HealthConfig | None) -> HealthConfig | None:
    if not flags.changed("no-healthcheck", *HEALTH_FLAGS):
        return old
    if flags.on("no-healthcheck"):
        if flags.changed(*HEALTH_FLAGS):
            raise CommandError("--no-healthcheck conflicts with --health-* options")
        return HealthConfig(test=["NONE"])
    config = old or HealthConfig()
    test = None if config.test and config.test[0] == "NONE" else config.test
    if flags.changed("health-cmd"):
        test = ["CMD-SHELL", flags.get("health-cmd")] if flags.get("health-cmd") else None
    return HealthConfig(
        test=test,
        interval=flags.get("health-interval", config.interval),
        timeout=flags.get("health-timeout", config.timeout),
        start_period=flags.get("health-start-period", config.start_period),
        retries=flags.get("health-retries", config.retries),
    )


def _log_driver(flags: Flags, old: Driver | None) -> Driver | None:
    name = flags.get("log-driver", "")
    return Driver(name=name, options=key_values(flags.every("log-opt"))) if name else old


def capability(name: str) -> str:
    """A Linux capability under its full name; ``ALL`` and ``RESET`` stand for themselves."""
    name = name.upper()
    return name if name in ("ALL", "RESET") or name.startswith("CAP_") else f"CAP_{name}"


def _capabilities(flags: Flags, old: ContainerSpec | None) -> tuple[list[str] | None, list[str] | None]:
    """Added and dropped ones: adding what was dropped only takes it from the dropped, and the other way round."""
    to_add = {capability(name): None for name in flags.every("cap-add")}
    to_drop = {capability(name): None for name in flags.every("cap-drop")}
    added = dict.fromkeys(old.capability_add or ()) if old and "RESET" not in to_add else {}
    dropped = dict.fromkeys(old.capability_drop or ()) if old and "RESET" not in to_drop else {}
    to_add.pop("RESET", None)
    to_drop.pop("RESET", None)
    for name in to_drop:
        if name not in to_add:
            if name in added:
                del added[name]
            else:
                dropped[name] = None
    for name in to_add:
        if name in dropped:
            del dropped[name]
        else:
            added[name] = None

    def listed(names: dict[str, None]) -> list[str] | None:
        return ["ALL"] if "ALL" in names else sorted(names) or None

    return listed(added), listed(dropped)


def _hosts(texts: list[str]) -> list[str]:
    """``name:address`` as /etc/hosts has it: ``address name``."""
    return [f"{address} {name}" for name, _, address in (text.partition(":") for text in texts)]


def read_env_file(text: str, name: str) -> list[str]:
    """Lines ``KEY=value`` of a file; empty ones and comments are left out. Raises :class:`CommandError`."""
    entries = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        key, equals, _ = line.partition("=")
        if not key:
            raise CommandError(f"invalid env file ({name}): no variable name on line '{line}' (line {number})")
        if any(letter in " \t" for letter in key):
            raise CommandError(f"invalid env file ({name}): variable '{key}' contains whitespaces (line {number})")
        if equals:
            entries.append(line)
    return entries


def _environment(old: list[str], added: list[str]) -> list[str] | None:
    """A variable that is given again takes the old one's place at the end."""
    by_key: dict[str, str] = {}
    for entry in [*old, *added]:
        key = entry.partition("=")[0]
        if by_key.get(key) != entry:
            by_key.pop(key, None)
        by_key[key] = entry
    return [*by_key.values()] or None


def spec_from_create_flags(flags: Flags, image: str, args: list[str], env_files: list[str]) -> ServiceSpec:
    """The spec of ``docker service create``; ``env_files`` are the entries read from ``--env-file``.

    Raises :class:`CommandError`.
    """
    health = _health(flags, None)
    mode = _mode(flags)
    update, rollback = update_config(flags, "update", None), update_config(flags, "rollback", None)
    if mode.name.endswith("job") and (update or rollback):
        raise CommandError("update and rollback configuration is not supported for jobs")
    added, dropped = _capabilities(flags, None)
    credentials = flags.get("credential-spec")
    container = ContainerSpec(
        image=image,
        args=args or None,
        command=flags.get("entrypoint") or None,
        env=_environment(env_files, flags.every("env")),
        hostname=flags.get("hostname", ""),
        labels=key_values(flags.every("container-label")) or None,
        dir=flags.get("workdir", ""),
        user=flags.get("user", ""),
        groups=flags.every("group") or None,
        privileges=_privileges(credentials) if credentials else None,
        stop_signal=flags.get("stop-signal", ""),
        tty=flags.on("tty"),
        read_only=flags.on("read-only"),
        mounts=flags.every("mount") or None,
        init=flags.on("init"),
        stop_grace_period=flags.get("stop-grace-period"),
        health=health,
        hosts=_hosts(flags.every("host")) or None,
        dns=DNSConfig(
            nameservers=flags.every("dns") or None,
            search=flags.every("dns-search") or None,
            options=flags.every("dns-option") or None,
        ),
        secrets=flags.every("secret") or None,
        configs=flags.every("config") or None,
        isolation=flags.get("isolation", "default") or "default",
        sysctls=key_values(flags.every("sysctl")) or None,
        capability_add=added,
        capability_drop=dropped,
        ulimits=_by_name(flags.every("ulimit")),
    )
    reservations = _quantities(flags, "reserve", None)
    generic = _generic_resources(flags.every("generic-resource"))
    task = TaskSpec(
        container=container,
        resources=Resources(
            limits=_quantities(flags, "limit", None), reservations=replace(reservations, generic=generic or None)
        ),
        restart=restart_policy(flags, None),
        placement=Placement(
            constraints=flags.every("constraint") or None,
            preferences=flags.every("placement-pref") or None,
            max_replicas=flags.get("replicas-max-per-node", 0),
        ),
        networks=flags.every("network") or None,
        log_driver=_log_driver(flags, None),
        force_update=0,
        runtime="container",
    )
    return ServiceSpec(
        name=flags.get("name", ""),
        labels=key_values(flags.every("label")),
        task=task,
        mode=mode,
        update=update,
        rollback=rollback,
        endpoint=EndpointSpec(mode=flags.get("endpoint-mode", "vip"), ports=flags.every("publish") or None),
    )


def _privileges(credentials: Any) -> Privileges:
    return Privileges(credential_spec=credentials, selinux_context=None, no_new_privileges=False)


def _by_name(items: list[Any]) -> list[Any] | None:
    return sorted({item.name: item for item in items}.values(), key=lambda item: item.name) or None


# -- update: what -add puts in and -rm takes out


def _merged_pairs(old: dict[str, str] | None, flags: Flags, name: str) -> dict[str, str]:
    merged = dict(old or {})
    for key in flags.every(f"{name}-rm"):
        merged.pop(key.partition("=")[0] if name == "sysctl" else key, None)
    return {**merged, **key_values(flags.every(f"{name}-add"))}


def _merged(
    old: list[T] | None, flags: Flags, name: str, key: Callable[[T], Hashable], order: Callable[[T], Any] | None
) -> list[T] | None:
    """``-add`` replaces what has the same key, ``-rm`` names keys."""
    if not flags.changed(f"{name}-add", f"{name}-rm"):
        return old
    by_key = {key(item): item for item in [*(old or ()), *flags.every(f"{name}-add")]}
    for removed in flags.every(f"{name}-rm"):
        by_key.pop(removed, None)
    items = list(by_key.values())
    if order is not None:
        items.sort(key=order)
    return items or None


def _listed(old: list[str] | None, flags: Flags, name: str) -> list[str] | None:
    return _merged(old, flags, name, lambda item: item, lambda item: item)


def _env(old: list[str] | None, flags: Flags) -> list[str] | None:
    removed = flags.every("env-rm")
    kept = [entry for entry in old or () if entry.partition("=")[0] not in removed]
    by_key = {entry.partition("=")[0]: entry for entry in [*kept, *flags.every("env-add")]}
    return [*by_key.values()] or None


def _etc_hosts(old: list[str] | None, flags: Flags) -> list[str] | None:
    kept = []
    for line in old or ():
        address, *names = line.split()
        for removed in flags.every("host-rm"):
            name, _, only = removed.partition(":")
            if not only or only == address:
                names = [other for other in names if other != name]
        if names:
            kept.append(f"{address} {' '.join(names)}")
    return [*dict.fromkeys([*kept, *_hosts(flags.every("host-add"))])] or None


def _generic(old: list[GenericResource] | None, flags: Flags) -> list[GenericResource] | None:
    by_kind = {resource.kind: resource for resource in old or ()}
    by_kind.update((resource.kind, resource) for resource in _generic_resources(flags.every("generic-resource-add")))
    for kind in flags.every("generic-resource-rm"):
        if kind not in by_kind:
            raise CommandError(f"could not find generic-resource `{kind}` to remove it")
        del by_kind[kind]
    return [*by_kind.values()] or None


def _ports(old: list[PortConfig] | None, flags: Flags) -> list[PortConfig] | None:
    def removed(port: PortConfig) -> bool:
        return any(
            (port.protocol or "tcp", port.target_port, port.publish_mode or "ingress")
            == (given.protocol or "tcp", given.target_port, given.publish_mode or "ingress")
            for given in flags.every("publish-rm")
        )

    def shown(port: PortConfig) -> str:
        return f"{port.published_port}:{port.target_port}/{port.protocol}/{port.publish_mode}"

    ports = {shown(port): port for port in old or ()}
    kept = [port for port in ports.values() if not removed(port)]
    kept += [port for port in flags.every("publish-add") if shown(port) not in ports]
    return sorted(kept, key=shown) or None


def _updated_mode(flags: Flags, mode: Mode) -> Mode:
    if not flags.changed("replicas"):
        return mode
    if mode.replicated is None:
        raise CommandError("replicas can only be used with replicated mode")
    return Mode(replicated=Replicated(replicas=flags.get("replicas")))


def _updated_container(flags: Flags, old: ContainerSpec) -> ContainerSpec:
    if len({mount.target for mount in flags.every("mount-add")}) < len(flags.every("mount-add")):
        raise CommandError("duplicate mount target")
    added, dropped = _capabilities(flags, old)
    credentials = flags.get("credential-spec")
    return replace(
        old,
        image=flags.get("image", old.image),
        args=flags.get("args", old.args) or None,
        command=flags.get("entrypoint", old.command) or None,
        env=_env(old.env, flags),
        labels=_merged_pairs(old.labels, flags, "container-label") or None,
        hostname=flags.get("hostname", old.hostname),
        dir=flags.get("workdir", old.dir),
        user=flags.get("user", old.user),
        groups=_listed(old.groups, flags, "group"),
        privileges=_privileges(credentials) if credentials else old.privileges,
        stop_signal=flags.get("stop-signal", old.stop_signal),
        tty=flags.get("tty", old.tty),
        read_only=flags.get("read-only", old.read_only),
        mounts=_merged(old.mounts, flags, "mount", lambda m: m.target, lambda m: (m.source, m.target)),
        init=flags.get("init", old.init),
        stop_grace_period=flags.get("stop-grace-period", old.stop_grace_period),
        health=_health(flags, old.health),
        hosts=_etc_hosts(old.hosts, flags) if flags.changed("host-add", "host-rm") else old.hosts,
        dns=DNSConfig(
            nameservers=_listed(old.dns.nameservers, flags, "dns"),
            search=_listed(old.dns.search, flags, "dns-search"),
            options=_listed(old.dns.options, flags, "dns-option"),
        ),
        secrets=_references(old.secrets, flags, "secret", lambda secret: secret.secret_name),
        configs=_references(old.configs, flags, "config", lambda config: config.config_name),
        isolation=flags.get("isolation", old.isolation),
        sysctls=_merged_pairs(old.sysctls, flags, "sysctl") or None,
        capability_add=added,
        capability_drop=dropped,
        ulimits=_merged(old.ulimits, flags, "ulimit", lambda u: u.name, lambda u: u.name),
    )


def _references(old: list[T] | None, flags: Flags, name: str, key: Callable[[T], str]) -> list[T] | None:
    """Removed by name first, then added: so one may be replaced by another under the same file."""
    removed = flags.every(f"{name}-rm")
    return [*(item for item in old or () if key(item) not in removed), *flags.every(f"{name}-add")] or None


def _updated_resources(flags: Flags, old: Resources) -> Resources:
    if flags.changed("limit-cpu", "limit-memory", "limit-pids"):
        old = replace(old, limits=_quantities(flags, "limit", old.limits))
    if flags.changed("reserve-cpu", "reserve-memory"):
        old = replace(old, reservations=_quantities(flags, "reserve", old.reservations))
    if flags.changed("generic-resource-add", "generic-resource-rm"):
        reservations = old.reservations or Quantities()
        old = replace(old, reservations=replace(reservations, generic=_generic(reservations.generic, flags)))
    return old


def _updated_placement(flags: Flags, old: Placement) -> Placement:
    removed = flags.every("placement-pref-rm")
    preferences = [pref for pref in old.preferences or () if pref not in removed]
    constraints = old.constraints
    if flags.changed("constraint-add", "constraint-rm"):
        every = [*(constraints or ()), *flags.every("constraint-add")]
        constraints = sorted(text for text in every if text not in flags.every("constraint-rm")) or None
    return replace(
        old,
        constraints=constraints,
        preferences=[*preferences, *flags.every("placement-pref-add")] or None,
        max_replicas=flags.get("replicas-max-per-node", old.max_replicas),
    )


def apply_update_flags(flags: Flags, spec: ServiceSpec) -> ServiceSpec:
    """The spec after ``docker service update``. Raises :class:`CommandError`."""
    task = spec.task
    endpoint = spec.endpoint
    if flags.changed("endpoint-mode", "publish-add", "publish-rm"):
        endpoint = endpoint or EndpointSpec()
        endpoint = replace(
            endpoint, mode=flags.get("endpoint-mode", endpoint.mode), ports=_ports(endpoint.ports, flags)
        )
    return replace(
        spec,
        labels=_merged_pairs(spec.labels, flags, "label"),
        mode=_updated_mode(flags, spec.mode),
        task=replace(
            task,
            container=_updated_container(flags, task.container),
            resources=_updated_resources(flags, task.resources),
            placement=_updated_placement(flags, task.placement),
            networks=[*(task.networks or ()), *flags.every("network-add")] or None,
            restart=restart_policy(flags, task.restart),
            log_driver=_log_driver(flags, task.log_driver),
            force_update=task.force_update + (1 if flags.on("force") else 0),
        ),
        update=update_config(flags, "update", spec.update),
        rollback=update_config(flags, "rollback", spec.rollback),
        endpoint=endpoint,
    )
