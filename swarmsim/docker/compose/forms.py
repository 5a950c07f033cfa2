"""The long form of everything in a stack file, as one table: what short forms become, and how ``stack config`` prints it.

A :class:`Form` is a type of docker/cli's cli/compose/types. Reading makes of what the schema let through one shape: mappings
with known keys, durations in nanoseconds, sizes in bytes. A key that is not in the table is passed over, as docker's
decoder does. Printing goes the other way, in the order of the table, without what is empty.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from swarmsim.docker.compose.volumes import parse_volume
from swarmsim.docker.ports import parse_port_spec
from swarmsim.go.duration import format_duration, parse_duration
from swarmsim.go.fmt import sprint
from swarmsim.go.strconv import parse_float
from swarmsim.go.units import ram_in_bytes
from swarmsim.go.yaml import print_time

Warn = Callable[[str], None]


class Misfit(NamedTuple):
    """A value that cannot be decoded, in docker's words; ``path`` are keys and numbers."""

    path: tuple[Any, ...]
    said: str


class Form(NamedTuple):
    """``read`` takes a value and where it stands; ``show`` makes it printable; what is ``empty`` is not printed.

    What does not fit is told to the :class:`Where`, and reading goes on: docker tells of all such values at once.
    """

    read: Callable[[Any, Where], Any]
    show: Callable[[Any], Any] = lambda value: value
    empty: Callable[[Any], bool] = lambda value: not value


class Where(NamedTuple):
    """A place in a service or another object; ``go`` is its name in the decoder's complaints, ``misfits`` are all so far."""

    path: tuple[Any, ...]
    go: str
    warn: Warn
    misfits: list[Misfit]

    def key(self, key: str) -> Where:
        name = GO_NAMES.get(key) or (key if "_" in key or key in TAGGED else key.title())
        return self._replace(path=(*self.path, key), go=f"{self.go}.{name}".lstrip("."))

    def item(self, number: int) -> Where:
        return self._replace(path=(*self.path, number), go=f"{self.go}[{number}]")

    def complain(self, said: str) -> None:
        self.misfits.append(Misfit(self.path, said))

    def refuse(self, problem: object) -> None:
        self.complain(f"error decoding '{self.go}': {problem}")


GO_NAMES = {"healthcheck": "HealthCheck", "dns": "DNS", "uid": "UID", "gid": "GID"}
TAGGED = ("cpus", "memory", "pids", "nocopy", "subpath", "isolation", "tty")


def text(value: Any) -> str:
    """A scalar as ``fmt.Sprint`` shows it."""
    return print_time(value) if isinstance(value, datetime) else sprint(value)


def _mapping(value: Any, separator: str = "=", no_value: str | None = "") -> dict[str, str | None]:
    if isinstance(value, list):
        split = ((key, mark, rest) for key, mark, rest in (str(entry).partition(separator) for entry in value))
        return {key: rest if mark else no_value for key, mark, rest in split}
    return {key: no_value if item is None else text(item) for key, item in value.items()}


def _in_order(value: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(value.items()))


def _free(value: Any) -> Any:
    """What stands under ``x-…``: Go's maps are printed in the order of their keys."""
    if isinstance(value, dict):
        return {key: _free(item) for key, item in sorted(value.items())}
    return [_free(item) for item in value] if isinstance(value, list) else value


def _duration(value: Any, where: Where) -> int:
    try:
        return parse_duration(value)
    except ValueError as problem:
        where.refuse(problem)
        return 0


def _size(value: Any, where: Where) -> int:
    try:
        return ram_in_bytes(value) if isinstance(value, str) else int(value)
    except ValueError as problem:
        where.refuse(problem)
        return 0


def _unsigned(value: Any, where: Where) -> int:
    if value < 0:
        where.complain(f"cannot parse '{where.go}', {int(value)} overflows uint")
    return int(value)


def _words(value: Any, where: Where) -> list[str]:
    try:
        words: list[str] = shlex.split(value, comments=True) if isinstance(value, str) else _as_is(value, where)
    except ValueError:
        where.refuse("EOF found when expecting closing quote")
        return []
    return words


def _hosts(value: Any, where: Where) -> list[str]:
    """``host:ip`` each; brackets of addresses are taken off, entries without a separator left out."""
    if isinstance(value, dict):
        entries = sorted((name, text(address)) for name, address in value.items() if address is not None)
    else:
        split = (entry.partition("=") if "=" in entry else entry.partition(":") for entry in value)
        entries = [(name, address) for name, mark, address in split if mark]
    bare = ((name, a[1:-1] if len(a) > 2 and a[0] == "[" and a[-1] == "]" else a) for name, a in entries)
    return [f"{name}:{address}" for name, address in bare]


def _ports(value: list[Any], where: Where) -> list[dict[str, Any]]:
    ports = []
    for number, entry in enumerate(value):
        if isinstance(entry, dict):
            ports.append(PORT.read(entry, where.item(number)))
            continue
        if isinstance(entry, float):
            where.refuse("invalid type float64 for port")
            return []
        bindings = parse_port_spec(str(entry))
        for binding in sorted(bindings, key=lambda each: f"{each.port}/{each.protocol}"):
            if binding.warning:
                where.warn(binding.warning)
            for published in binding.published:
                port = {"mode": "ingress", "target": binding.port, "published": published}
                ports.append({**port, "protocol": binding.protocol})
    return ports


def _volume(value: Any, where: Where) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            return parse_volume(value)
        except ValueError as problem:
            where.refuse(problem)
            return {}
    found: dict[str, Any] = VOLUME_KEYS.read(value, where)
    return found


def _ulimit(value: Any, where: Where) -> dict[str, int]:
    return {"single": value} if isinstance(value, int) else {"soft": value["soft"], "hard": value["hard"]}


def _external(value: Any, where: Where) -> dict[str, Any]:
    return {"external": value} if isinstance(value, bool) else {"external": True, "name": value.get("name", "")}


def either(form: Form, single: str) -> Form:
    """A struct that may be written as one text: its ``single`` key."""
    return form._replace(
        read=lambda value, where: form.read({single: value} if isinstance(value, str) else value, where)
    )


def struct(keys: dict[str, Form], extras: bool = False) -> Form:
    """A mapping with known keys; with ``extras`` also those that begin with ``x-``."""

    def read(value: Any, where: Where) -> dict[str, Any]:
        found = {key: form.read(value[key], where.key(key)) for key, form in keys.items() if value and key in value}
        if extras and value:
            found |= {key: item for key, item in value.items() if key.startswith("x-") and key not in keys}
        return found

    def show(value: dict[str, Any]) -> dict[str, Any]:
        shown = {
            key: form.show(value[key])
            for key, form in keys.items()
            if value.get(key) is not None and not form.empty(value[key])
        }
        for key in sorted(value.keys() - keys.keys()):
            shown[key] = _free(value[key])
        return shown

    return Form(read, show, lambda value: not show(value))


def pointer(form: Form) -> Form:
    """What is printed also if it is empty."""
    return form._replace(empty=lambda value: value is None)


def listed(form: Form) -> Form:
    return Form(
        lambda value, where: [form.read(item, where.item(number)) for number, item in enumerate(value)],
        lambda value: [form.show(item) for item in value],
    )


def named(form: Form) -> Form:
    return Form(
        lambda value, where: {key: form.read(item, where) for key, item in value.items()},
        lambda value: {key: form.show(item) for key, item in sorted(value.items())},
    )


def _as_is(value: Any, where: Where) -> Any:
    """Text, numbers, booleans and lists of text; a date is no text."""
    if isinstance(value, list):
        return [_as_is(item, where.item(number)) for number, item in enumerate(value)]
    if isinstance(value, datetime):
        got = f"got unconvertible type 'time.Time', value: '{print_time(value)}'"
        where.complain(f"'{where.go}' expected type 'string', {got}")
    return value


AS_IS = Form(_as_is)
FLOAT32 = Form(lambda value, where: parse_float(repr(value), bits=32))
INT = Form(lambda value, where: int(value))
UINT = Form(_unsigned)
TEXTS = Form(lambda value, where: _as_is([value] if isinstance(value, str) else value, where))
SCALARS = Form(lambda value, where: [text(item) for item in value])
WORDS = Form(_words)
PAIRS = Form(lambda value, where: _mapping(value), _in_order)
VARIABLES = Form(lambda value, where: _mapping(value, no_value=None), _in_order)
DURATION = Form(_duration, format_duration)
SIZE = Form(_size, str)
FILE = either(struct({"source": AS_IS, "target": AS_IS, "uid": AS_IS, "gid": AS_IS, "mode": pointer(UINT)}), "source")
PORT = struct({"mode": AS_IS, "target": UINT, "published": UINT, "protocol": AS_IS})
VOLUME_KEYS = struct(
    {
        "type": AS_IS,
        "source": AS_IS,
        "target": AS_IS,
        "read_only": AS_IS,
        "consistency": AS_IS,
        "bind": pointer(struct({"propagation": AS_IS})),
        "volume": pointer(struct({"nocopy": AS_IS, "subpath": AS_IS})),
        "image": pointer(struct({"subpath": AS_IS})),
        "tmpfs": pointer(struct({"size": INT})),
        "cluster": pointer(struct({})),
    }
)
UPDATE = struct(
    {
        "parallelism": pointer(UINT),
        "delay": DURATION,
        "failure_action": AS_IS,
        "monitor": DURATION,
        "max_failure_ratio": FLOAT32,
        "order": AS_IS,
    }
)
DEPLOY = struct(
    {
        "mode": AS_IS,
        "replicas": pointer(UINT),
        "labels": PAIRS,
        "update_config": pointer(UPDATE),
        "rollback_config": pointer(UPDATE),
        "resources": struct(
            {
                "limits": pointer(struct({"cpus": AS_IS, "memory": SIZE, "pids": INT})),
                "reservations": pointer(
                    struct(
                        {
                            "cpus": AS_IS,
                            "memory": SIZE,
                            "generic_resources": listed(
                                struct({"discrete_resource_spec": pointer(struct({"kind": pointer(AS_IS), "value": pointer(INT)}))})
                            ),
                        }
                    )
                ),
            }
        ),
        "restart_policy": pointer(
            struct(
                {
                    "condition": AS_IS,
                    "delay": pointer(DURATION),
                    "max_attempts": pointer(UINT),
                    "window": pointer(DURATION),
                }
            )
        ),
        "placement": struct(
            {"constraints": AS_IS, "preferences": listed(struct({"spread": AS_IS})), "max_replicas_per_node": UINT}
        ),
        "endpoint_mode": AS_IS,
    }
)  # fmt: skip
HEALTHCHECK = struct(
    {
        "test": Form(lambda value, where: ["CMD-SHELL", value] if isinstance(value, str) else value),
        "timeout": pointer(DURATION),
        "interval": pointer(DURATION),
        "retries": pointer(UINT),
        "start_period": pointer(DURATION),
        "start_interval": pointer(DURATION),
        "disable": AS_IS,
    }
)
BUILD = struct(
    {
        "context": AS_IS,
        "dockerfile": AS_IS,
        "args": VARIABLES,
        "labels": PAIRS,
        "cache_from": TEXTS,
        "extra_hosts": Form(_hosts),
        "network": AS_IS,
        "target": AS_IS,
    }
)
ATTACHMENT = pointer(struct({"aliases": AS_IS, "driver_opts": PAIRS, "ipv4_address": AS_IS, "ipv6_address": AS_IS}))
NETWORKS = Form(
    lambda value, where: {
        name: None
        if not isinstance(value, dict) or value[name] is None
        else ATTACHMENT.read(value[name], where.key(name))
        for name in value
    },
    lambda value: {name: None if item is None else ATTACHMENT.show(item) for name, item in sorted(value.items())},
)
ULIMITS = named(Form(_ulimit, lambda value: value.get("single") or {key: n for key, n in value.items() if n}))
SERVICE = struct(
    {
        "build": either(BUILD, "context"),
        "cap_add": AS_IS,
        "cap_drop": AS_IS,
        "cgroupns_mode": AS_IS,
        "cgroup_parent": AS_IS,
        "command": WORDS,
        "configs": listed(FILE),
        "container_name": AS_IS,
        "credential_spec": struct({"config": AS_IS, "file": AS_IS, "registry": AS_IS}),
        "depends_on": AS_IS,
        "deploy": DEPLOY,
        "devices": AS_IS,
        "dns": TEXTS,
        "dns_search": TEXTS,
        "domainname": AS_IS,
        "entrypoint": WORDS,
        "environment": VARIABLES,
        "env_file": TEXTS,
        "expose": SCALARS,
        "external_links": AS_IS,
        "extra_hosts": Form(_hosts),
        "hostname": AS_IS,
        "healthcheck": pointer(HEALTHCHECK),
        "image": AS_IS,
        "init": pointer(AS_IS),
        "ipc": AS_IS,
        "isolation": AS_IS,
        "labels": PAIRS,
        "links": AS_IS,
        "logging": pointer(struct({"driver": AS_IS, "options": PAIRS})),
        "mac_address": AS_IS,
        "network_mode": AS_IS,
        "networks": NETWORKS,
        "pid": AS_IS,
        "ports": Form(_ports, lambda value: [PORT.show(port) for port in value]),
        "privileged": AS_IS,
        "read_only": AS_IS,
        "restart": AS_IS,
        "secrets": listed(FILE),
        "security_opt": AS_IS,
        "shm_size": AS_IS,
        "stdin_open": AS_IS,
        "stop_grace_period": pointer(DURATION),
        "stop_signal": AS_IS,
        "sysctls": PAIRS,
        "tmpfs": TEXTS,
        "tty": AS_IS,
        "ulimits": ULIMITS,
        "user": AS_IS,
        "userns_mode": AS_IS,
        "volumes": listed(Form(_volume, VOLUME_KEYS.show)),
        "working_dir": AS_IS,
    },
    extras=True,
)
"""``oom_score_adj`` is not here: docker's decoder does not find it either."""
EXTERNAL = Form(
    _external,
    lambda value: {"name": value["name"]} if value.get("name") else value["external"],
    lambda value: not value["external"],
)
SEGMENTS = listed(struct({"segments": PAIRS}))
CLUSTER_VOLUME = struct(
    {
        "group": AS_IS,
        "access_mode": pointer(
            struct(
                {
                    "scope": AS_IS,
                    "sharing": AS_IS,
                    "mount_volume": pointer(struct({"fs_type": AS_IS, "mount_flags": AS_IS})),
                    "block_volume": pointer(struct({})),
                }
            )
        ),
        "accessibility_requirements": pointer(struct({"requisite": SEGMENTS, "preferred": SEGMENTS})),
        "capacity_range": pointer(struct({"required_bytes": SIZE, "limit_bytes": SIZE})),
        "availability": AS_IS,
    }
)
NETWORK = struct(
    {
        "name": AS_IS,
        "driver": AS_IS,
        "driver_opts": PAIRS,
        "ipam": struct({"driver": AS_IS, "config": listed(struct({"subnet": AS_IS}))}),
        "external": EXTERNAL,
        "internal": AS_IS,
        "attachable": AS_IS,
        "labels": PAIRS,
    },
    extras=True,
)
VOLUME = struct(
    {
        "name": AS_IS,
        "driver": AS_IS,
        "driver_opts": PAIRS,
        "external": EXTERNAL,
        "labels": PAIRS,
        "x-cluster-spec": pointer(CLUSTER_VOLUME),
    },
    extras=True,
)
FILE_OBJECT = struct(
    {
        "name": AS_IS,
        "file": AS_IS,
        "external": EXTERNAL,
        "labels": PAIRS,
        "driver": AS_IS,
        "driver_opts": PAIRS,
        "template_driver": AS_IS,
    },
    extras=True,
)
CONFIG = struct(
    {
        "version": AS_IS,
        "services": pointer(named(SERVICE)),
        "networks": named(NETWORK),
        "volumes": named(VOLUME),
        "secrets": named(FILE_OBJECT),
        "configs": named(FILE_OBJECT),
    },
    extras=True,
)
SECTIONS = {"services": SERVICE, "networks": NETWORK, "volumes": VOLUME, "secrets": FILE_OBJECT, "configs": FILE_OBJECT}
