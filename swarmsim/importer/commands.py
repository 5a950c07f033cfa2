"""The ``docker service create`` that makes a service as it is: the way back through the table of options.

:func:`create_words` writes the words; :func:`lost` reads them as docker would and tells what of the specification they do not say.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.specs import (
    DEFAULT_RESTART,
    DEFAULT_STOP_GRACE,
    DEFAULT_UPDATE,
    CredentialSpec,
    FileTarget,
    Mount,
    NetworkAttachment,
    PortConfig,
    ServiceSpec,
    UpdateConfig,
    replace,
)
from swarmsim.docker.errors import CommandError
from swarmsim.docker.options import flags
from swarmsim.docker.specs import spec_from_create_flags, value_at
from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.duration import format_duration
from swarmsim.go.pflag import FlagError, FlagSet

Words = Iterator[str]


def create_words(spec: ServiceSpec) -> list[str]:
    """What stands after ``docker service create``. Networks are named by ``target``; a digest of the image is left out."""
    container = spec.task.container
    words = ["--name", spec.name]
    for flag, path, default, text in PLAIN:
        value = value_at(spec, path)
        if value is not None and value != default:
            words += [f"--{flag}", text(value)]
    for flag, path, several in LISTS:
        for entry in several(value_at(spec, path) or ()):
            words += [f"--{flag}", entry]
    words += [
        *_mode(spec),
        *_rolling("update", spec.update),
        *_rolling("rollback", spec.rollback),
        *_health(spec),
        *_log(spec),
    ]
    words += [f"--{flag}" for flag, path in SWITCHES if value_at(spec, path)]
    return [*words, image_name(container.image), *(container.args or ())]


def image_name(image: str) -> str:
    """
    >>> image_name("nginx:1.25@sha256:00")
    'nginx:1.25'
    """
    return image.partition("@")[0]


def lost(spec: ServiceSpec, words: list[str]) -> list[str]:
    """What the words do not say of a specification, each by its place in ``docker service inspect``."""
    try:
        given, rest = FlagSet(flags("create"), FLAG_TYPES).parse(words, interspersed=False)
        made = spec_from_create_flags(given, rest[0], rest[1:], [])
    except (FlagError, CommandError, ValueError) as problem:
        return [f"all, as docker refuses it: {problem}"]
    said = dict(_leaves(as_json(_plain(made))))
    wanted = dict(_leaves(as_json(_plain(spec))))
    return [f"{path} ({value})" for path, value in wanted.items() if said.get(path) != value]


def _plain(spec: ServiceSpec) -> ServiceSpec:
    """Without what a daemon fills in, and with names for ids."""
    container = spec.task.container
    check = container.health
    if check is not None and (check.test or [""])[0] == "CMD":
        check = replace(check, test=["CMD-SHELL", shlex.join((check.test or [])[1:])])
    container = replace(
        container,
        image=image_name(container.image),
        isolation="" if container.isolation == "default" else container.isolation,
        stop_grace_period=None if container.stop_grace_period == DEFAULT_STOP_GRACE else container.stop_grace_period,
        init=container.init or None,
        health=check,
        secrets=[replace(each, secret_id="") for each in container.secrets or ()],
        configs=[replace(each, config_id="") for each in container.configs or ()],
    )
    placement = replace(spec.task.placement, platforms=None)
    restart = spec.task.restart
    if (
        restart is not None
        and replace(restart, max_attempts=restart.max_attempts or 0, window=restart.window or None) == DEFAULT_RESTART
    ):
        restart = None
    task = replace(spec.task, container=container, placement=placement, restart=restart, runtime="", force_update=0)
    if not task.networks and spec.networks:
        task = replace(task, networks=spec.networks)
    endpoint = spec.endpoint
    if endpoint is not None:
        ports = [
            replace(each, protocol=each.protocol or "tcp", publish_mode=each.publish_mode or "ingress")
            for each in endpoint.ports or ()
        ]
        endpoint = replace(endpoint, mode="" if endpoint.mode == "vip" else endpoint.mode, ports=ports)
    return replace(
        spec,
        task=task,
        networks=None,
        endpoint=endpoint,
        update=None if spec.update == DEFAULT_UPDATE else spec.update,
        rollback=None if spec.rollback == DEFAULT_UPDATE else spec.rollback,
    )


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Single values by their path; what is zero or empty is not there."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, f"{path}[{number}]")
    elif value:
        yield path, value


# -- values as flags have them


def _cpus(nano: int) -> str:
    return f"{nano / 1e9:.9f}".rstrip("0").rstrip(".")


def _pairs(pairs: Any) -> Words:
    return (f"{key}={value}" for key, value in dict(pairs).items())


def _port(port: PortConfig) -> str:
    published = f"published={port.published_port}," if port.published_port else ""
    return (
        f"{published}target={port.target_port},protocol={port.protocol or 'tcp'},mode={port.publish_mode or 'ingress'}"
    )


def _credential_spec(given: CredentialSpec) -> str:
    kind = "config" if given.config else "file" if given.file else "registry"
    return f"{kind}://{getattr(given, kind)}"


def _csv(fields: Iterable[str]) -> str:
    return ",".join('"' + field.replace('"', '""') + '"' if set(',"\n') & set(field) else field for field in fields)


def _mount(mount: Mount) -> str:
    fields = [f"type={mount.type or 'volume'}"]
    fields += [f"{key}={value}" for key, value in (("source", mount.source), ("target", mount.target)) if value]
    if mount.read_only:
        fields.append("readonly")
    if mount.consistency:
        fields.append(f"consistency={mount.consistency}")
    if mount.bind is not None:
        fields += [f"bind-propagation={mount.bind.propagation}"] if mount.bind.propagation else []
        fields += ["bind-nonrecursive=true"] if mount.bind.non_recursive else []
    if mount.volume is not None:
        fields += ["volume-nocopy=true"] if mount.volume.no_copy else []
        fields += [f"volume-label={pair}" for pair in _pairs(mount.volume.labels or {})]
        if mount.volume.driver is not None:
            fields += [f"volume-driver={mount.volume.driver.name}"] if mount.volume.driver.name else []
            fields += [f"volume-opt={pair}" for pair in _pairs(mount.volume.driver.options or {})]
    if mount.tmpfs is not None:
        fields += [f"tmpfs-size={mount.tmpfs.size_bytes}"] if mount.tmpfs.size_bytes else []
        fields += [f"tmpfs-mode={mount.tmpfs.mode:o}"] if mount.tmpfs.mode else []
    return _csv(fields)


def _file(name: str, file: FileTarget | None) -> str:
    if file is None:
        return name
    return _csv(
        (
            f"source={name}",
            f"target={file.name}",
            f"uid={file.uid}",
            f"gid={file.gid}",
            f"mode={file.mode:#o}".replace("0o", "0"),
        )
    )


def _network(network: NetworkAttachment) -> str:
    fields = [f"alias={alias}" for alias in network.aliases or ()]
    fields += [f"driver-opt={pair}" for pair in _pairs(network.driver_opts or {})]
    return _csv((f"name={network.target}", *fields)) if fields else network.target


def _lines_of_hosts(lines: Iterable[str]) -> Words:
    for line in lines:
        address, *names = line.split()
        yield from (f"{name}:{address}" for name in names)


def _each(text: Callable[[Any], str]) -> Callable[[Any], Words]:
    return lambda values: (text(value) for value in values)


PLAIN: tuple[tuple[str, str, Any, Callable[[Any], str]], ...] = (
    ("endpoint-mode", "endpoint.mode", "vip", str),
    ("replicas-max-per-node", "task.placement.max_replicas", 0, str),
    ("restart-condition", "task.restart.condition", DEFAULT_RESTART.condition, str),
    ("restart-delay", "task.restart.delay", DEFAULT_RESTART.delay, format_duration),
    ("restart-max-attempts", "task.restart.max_attempts", 0, str),
    ("restart-window", "task.restart.window", 0, format_duration),
    ("entrypoint", "task.container.command", None, shlex.join),
    ("workdir", "task.container.dir", "", str),
    ("user", "task.container.user", "", str),
    ("hostname", "task.container.hostname", "", str),
    ("stop-signal", "task.container.stop_signal", "", str),
    ("stop-grace-period", "task.container.stop_grace_period", DEFAULT_STOP_GRACE, format_duration),
    ("credential-spec", "task.container.privileges.credential_spec", None, _credential_spec),
    ("isolation", "task.container.isolation", "default", str),
    ("reserve-cpu", "task.resources.reservations.nano_cpus", 0, _cpus),
    ("reserve-memory", "task.resources.reservations.memory_bytes", 0, str),
    ("limit-cpu", "task.resources.limits.nano_cpus", 0, _cpus),
    ("limit-memory", "task.resources.limits.memory_bytes", 0, str),
    ("limit-pids", "task.resources.limits.pids", 0, str),
)
"""Flags, where their value is in the specification, what it is without them, and how it is written."""

LISTS: tuple[tuple[str, str, Callable[[Any], Iterable[str]]], ...] = (
    ("label", "labels", _pairs),
    ("publish", "endpoint.ports", _each(_port)),
    ("constraint", "task.placement.constraints", _each(str)),
    ("placement-pref", "task.placement.preferences", _each(lambda each: f"spread={each.spread.spread_descriptor}")),
    ("env", "task.container.env", _each(str)),
    ("group", "task.container.groups", _each(str)),
    ("host", "task.container.hosts", _lines_of_hosts),
    ("dns", "task.container.dns.nameservers", _each(str)),
    ("dns-search", "task.container.dns.search", _each(str)),
    ("dns-option", "task.container.dns.options", _each(str)),
    ("container-label", "task.container.labels", _pairs),
    ("mount", "task.container.mounts", _each(_mount)),
    ("secret", "task.container.secrets", _each(lambda each: _file(each.secret_name, each.file))),
    ("config", "task.container.configs", _each(lambda each: _file(each.config_name, each.file))),
    ("sysctl", "task.container.sysctls", _pairs),
    ("cap-add", "task.container.capability_add", _each(str)),
    ("cap-drop", "task.container.capability_drop", _each(str)),
    ("ulimit", "task.container.ulimits", _each(lambda each: f"{each.name}={each.soft}:{each.hard}")),
    (
        "generic-resource",
        "task.resources.reservations.generic",
        _each(lambda each: f"{each.kind}={each.discrete.value}"),
    ),
    ("network", "task.networks", _each(_network)),
)
"""Flags that are given for each entry, where the entries are, and how they are written."""

SWITCHES = (("init", "task.container.init"), ("tty", "task.container.tty"), ("read-only", "task.container.read_only"))


def _mode(spec: ServiceSpec) -> Words:
    mode = spec.mode
    if mode.name != "replicated":
        yield from ("--mode", mode.name)
    if mode.replicated is not None and mode.replicated.replicas is not None:
        yield from ("--replicas", str(mode.replicated.replicas))
    if mode.replicated_job is not None:
        yield from ("--replicas", str(mode.replicated_job.total))
        yield from ("--max-concurrent", str(mode.replicated_job.concurrent))


def _rolling(kind: str, config: UpdateConfig | None) -> Words:
    if config is None:
        return
    for flag, field, text in (
        ("parallelism", "parallelism", str),
        ("delay", "delay", format_duration),
        ("failure-action", "failure_action", str),
        ("monitor", "monitor", format_duration),
        ("max-failure-ratio", "max_failure_ratio", str),
        ("order", "order", str),
    ):
        value = getattr(config, field)
        if value != getattr(DEFAULT_UPDATE, field):
            yield from (f"--{kind}-{flag}", text(value))


def _health(spec: ServiceSpec) -> Words:
    health = spec.task.container.health
    if health is None:
        return
    test = health.test or []
    if test[:1] == ["NONE"]:
        yield "--no-healthcheck"
        return
    if test:
        yield from ("--health-cmd", test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:]))
    for flag in ("interval", "timeout", "start_period", "start_interval"):
        if getattr(health, flag):
            yield from (f"--health-{flag.replace('_', '-')}", format_duration(getattr(health, flag)))
    if health.retries:
        yield from ("--health-retries", str(health.retries))


def _log(spec: ServiceSpec) -> Words:
    driver = spec.task.log_driver
    if driver is None or not driver.name:
        return
    yield from ("--log-driver", driver.name)
    for pair in _pairs(driver.options or {}):
        yield from ("--log-opt", pair)
