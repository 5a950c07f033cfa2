"""What may stand in a compose file: versions 3.x and the compose specification as far as stacks know it.

One value a kind of node. A complaint carries docker's own words (those of its JSON schema validator), the path, and
what would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple


class Complaint(Exception):
    """``path`` leads to the value from the root; ``said`` are docker's words; ``wanted`` is what would be right."""

    def __init__(self, path: tuple[Any, ...], error_text: str, wanted: str) -> None:
        super().__init__(error_text)
        self.path = path
        self.error_text = error_text
        self.wanted = wanted


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in path) or "(root)"


HUMAN = {"object": "mapping", "array": "list"}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "string"


class Scalar(NamedTuple):
    """A value of one of these types: string, integer, number, boolean, null."""

    types: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return " or ".join(HUMAN.get(type, type) for type in self.types)

    def accepts(self, value: Any) -> bool:
        type = _type_of(value)
        return type in self.types or (type == "integer" and "number" in self.types)

    def check(self, value: Any, path: tuple[Any, ...]) -> None:
        if not self.accepts(value):
            expected = self.types[0] if len(self.types) == 1 else ", or ".join(self.types)
            raise Complaint(path, f"must be a {HUMAN.get(expected, expected)}", self.wanted)


class ListOf(NamedTuple):
    item: Any

    @property
    def wanted(self) -> str:
        return "a list"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list)

    def check(self, value: Any, path: tuple[Any, ...]) -> None:
        if not isinstance(value, list):
            raise Complaint(path, "must be a list", "a list")
        for number, item in enumerate(value):
            self.item.check(item, (*path, number))


class AnyMapping:
    """A mapping of any kind; :meth:`inside` checks what it holds."""

    wanted = "a mapping"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, value: Any, path: tuple[Any, ...]) -> None:
        if not isinstance(value, dict):
            raise Complaint(path, "must be a mapping", self.wanted)
        self.inside(value, path)

    def inside(self, value: dict[Any, Any], path: tuple[Any, ...]) -> None:
        raise NotImplementedError


class MapOf(AnyMapping):
    """Free keys."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def inside(self, value: dict[Any, Any], path: tuple[Any, ...]) -> None:
        for key, item in value.items():
            self.item.check(item, (*path, key))


class Named(MapOf):
    """Free keys that must be names; ``x-…`` is always allowed."""

    def inside(self, value: dict[Any, Any], path: tuple[Any, ...]) -> None:
        named = {key: item for key, item in value.items() if not str(key).startswith("x-")}
        for key, item in named.items():
            if not isinstance(key, str):
                raise Complaint((*path, key), f"Non-string key in {dotted(path)}: {key!r}", "a name")
            if not re.fullmatch(r"[a-zA-Z0-9._-]+", key):
                wanted = "letters, digits, '.', '_', '-'"
                raise Complaint((*path, key), f"Additional property {key} is not allowed", wanted)
            self.item.check(item, (*path, key))


class Keys(AnyMapping):
    """A mapping with known keys; ``x-…`` is always allowed. ``needed`` must be there."""

    def __init__(self, known: Mapping[str, Any], needed: tuple[str, ...] = ()) -> None:
        self.known = known
        self.needed = needed

    def inside(self, value: dict[Any, Any], path: tuple[Any, ...]) -> None:
        for key in self.needed:
            if key not in value:
                raise Complaint(path, f"{key} is required", f"a key {key!r}")
        for key, item in value.items():
            if key in self.known:
                self.known[key].check(item, (*path, key))
            elif not str(key).startswith("x-"):
                raise Complaint((*path, key), f"Additional property {key} is not allowed", self._hint(str(key)))

    def _hint(self, key: str) -> str:
        close = get_close_matches(key, self.known, 1)
        inside = [outer for outer, node in self.known.items() if isinstance(node, Keys) and key in node.known]
        if inside:
            return f"{key!r} belongs under {inside[0]!r}"
        return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(self.known))}"


class OneOf(NamedTuple):
    """Several forms of the same thing; the first that accepts the value's type checks it."""

    forms: tuple[Any, ...]

    @property
    def wanted(self) -> str:
        return " or ".join(form.wanted for form in self.forms)

    def accepts(self, value: Any) -> bool:
        return any(form.accepts(value) for form in self.forms)

    def check(self, value: Any, path: tuple[Any, ...]) -> None:
        for form in self.forms:
            if form.accepts(value):
                form.check(value, path)
                return
        first = self.forms[0]
        expected = first.types[0] if isinstance(first, Scalar) else "array" if isinstance(first, ListOf) else "object"
        raise Complaint(path, f"Invalid type. Expected: {expected}, given: {_type_of(value)}", self.wanted)


STRING = Scalar(("string",))
INTEGER = Scalar(("integer",))
BOOLEAN = Scalar(("boolean",))
TEXT_OR_NUMBER = Scalar(("string", "number"))
ANY_SCALAR = Scalar(("string", "number", "boolean", "null"))
STRINGS = ListOf(STRING)
STRING_OR_LIST = OneOf((STRING, STRINGS))
PAIRS = OneOf((MapOf(ANY_SCALAR), STRINGS))
COMMAND = OneOf((STRING, STRINGS, Scalar(("null",))))
DURATION = STRING
RESOURCES = {"cpus": TEXT_OR_NUMBER, "memory": STRING}
GENERIC = ListOf(Keys({"discrete_resource_spec": Keys({"kind": STRING, "value": Scalar(("number", "string"))})}))
UPDATE = Keys(
    {
        "parallelism": INTEGER,
        "delay": DURATION,
        "failure_action": STRING,
        "monitor": DURATION,
        "max_failure_ratio": Scalar(("number",)),
        "order": STRING,
    }
)
DEPLOY = Keys(
    {
        "mode": STRING,
        "endpoint_mode": STRING,
        "replicas": INTEGER,
        "labels": PAIRS,
        "update_config": UPDATE,
        "rollback_config": UPDATE,
        "resources": Keys(
            {
                "limits": Keys({**RESOURCES, "pids": INTEGER}),
                "reservations": Keys({**RESOURCES, "generic_resources": GENERIC}),
            }
        ),
        "restart_policy": Keys({"condition": STRING, "delay": DURATION, "max_attempts": INTEGER, "window": DURATION}),
        "placement": Keys(
            {"constraints": STRINGS, "preferences": ListOf(Keys({"spread": STRING})), "max_replicas_per_node": INTEGER}
        ),
    }
)
FILE_REFERENCES = ListOf(
    OneOf(
        (STRING, Keys({"source": STRING, "target": STRING, "uid": STRING, "gid": STRING, "mode": Scalar(("number",))}))
    )
)
PORTS = ListOf(
    OneOf(
        (
            TEXT_OR_NUMBER,
            Keys({"mode": STRING, "target": INTEGER, "published": Scalar(("integer", "string")), "protocol": STRING}),
        )
    )
)
VOLUMES = ListOf(
    OneOf(
        (
            STRING,
            Keys(
                {
                    "type": STRING,
                    "source": STRING,
                    "target": STRING,
                    "read_only": BOOLEAN,
                    "consistency": STRING,
                    "bind": Keys({"propagation": STRING}),
                    "volume": Keys({"nocopy": BOOLEAN, "subpath": STRING}),
                    "tmpfs": Keys({"size": Scalar(("integer", "string"))}),
                },
                ("type",),
            ),
        )
    )
)
SERVICE = Keys(
    {
        "build": OneOf((STRING, MapOf(OneOf((ANY_SCALAR, STRINGS, MapOf(ANY_SCALAR)))))),
        "cap_add": STRINGS,
        "cap_drop": STRINGS,
        "cgroup_parent": STRING,
        "cgroupns_mode": STRING,
        "command": COMMAND,
        "configs": FILE_REFERENCES,
        "container_name": STRING,
        "credential_spec": Keys({"config": STRING, "file": STRING, "registry": STRING}),
        "depends_on": OneOf((STRINGS, MapOf(MapOf(ANY_SCALAR)))),
        "deploy": DEPLOY,
        "devices": STRINGS,
        "dns": STRING_OR_LIST,
        "dns_search": STRING_OR_LIST,
        "domainname": STRING,
        "entrypoint": COMMAND,
        "env_file": STRING_OR_LIST,
        "environment": PAIRS,
        "expose": ListOf(TEXT_OR_NUMBER),
        "external_links": STRINGS,
        "extra_hosts": PAIRS,
        "healthcheck": Keys(
            {
                "disable": BOOLEAN,
                "interval": DURATION,
                "retries": Scalar(("number",)),
                "test": STRING_OR_LIST,
                "timeout": DURATION,
                "start_period": DURATION,
                "start_interval": DURATION,
            }
        ),
        "hostname": STRING,
        "image": STRING,
        "init": BOOLEAN,
        "ipc": STRING,
        "isolation": STRING,
        "labels": PAIRS,
        "links": STRINGS,
        "logging": Keys({"driver": STRING, "options": MapOf(ANY_SCALAR)}),
        "mac_address": STRING,
        "network_mode": STRING,
        "networks": OneOf(
            (
                STRINGS,
                MapOf(
                    OneOf(
                        (
                            Keys(
                                {
                                    "aliases": STRINGS,
                                    "driver_opts": MapOf(TEXT_OR_NUMBER),
                                    "ipv4_address": STRING,
                                    "ipv6_address": STRING,
                                }
                            ),
                            Scalar(("null",)),
                        )
                    )
                ),
            )
        ),
        "oom_score_adj": INTEGER,
        "pid": Scalar(("string", "null")),
        "ports": PORTS,
        "privileged": BOOLEAN,
        "read_only": BOOLEAN,
        "restart": STRING,
        "secrets": FILE_REFERENCES,
        "security_opt": STRINGS,
        "shm_size": TEXT_OR_NUMBER,
        "stdin_open": BOOLEAN,
        "stop_grace_period": DURATION,
        "stop_signal": STRING,
        "sysctls": PAIRS,
        "tmpfs": STRING_OR_LIST,
        "tty": BOOLEAN,
        "ulimits": MapOf(OneOf((INTEGER, Keys({"hard": INTEGER, "soft": INTEGER}, ("soft", "hard"))))),
        "user": STRING,
        "userns_mode": STRING,
        "volumes": VOLUMES,
        "working_dir": STRING,
    }
)
EXTERNAL = OneOf((BOOLEAN, Keys({"name": STRING})))
FILE_OBJECT = Keys(
    {
        "name": STRING,
        "file": STRING,
        "external": EXTERNAL,
        "labels": PAIRS,
        "template_driver": STRING,
        "driver": STRING,
        "driver_opts": MapOf(TEXT_OR_NUMBER),
    }
)
NULL = Scalar(("null",))
ROOT = Keys(
    {
        "version": STRING,
        "name": STRING,
        "services": Named(SERVICE),
        "networks": Named(
            OneOf(
                (
                    Keys(
                        {
                            "name": STRING,
                            "driver": STRING,
                            "driver_opts": MapOf(TEXT_OR_NUMBER),
                            "ipam": Keys(
                                {"driver": STRING, "config": ListOf(Keys({"subnet": STRING, "gateway": STRING}))}
                            ),
                            "external": EXTERNAL,
                            "internal": BOOLEAN,
                            "attachable": BOOLEAN,
                            "labels": PAIRS,
                        }
                    ),
                    NULL,
                )
            )
        ),
        "volumes": Named(
            OneOf(
                (
                    Keys(
                        {
                            "name": STRING,
                            "driver": STRING,
                            "driver_opts": MapOf(TEXT_OR_NUMBER),
                            "external": EXTERNAL,
                            "labels": PAIRS,
                        }
                    ),
                    NULL,
                )
            )
        ),
        "secrets": Named(FILE_OBJECT),
        "configs": Named(FILE_OBJECT),
    }
)

UNSUPPORTED = (
    "build",
    "cgroupns_mode",
    "cgroup_parent",
    "devices",
    "domainname",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "pid",
    "privileged",
    "restart",
    "security_opt",
    "shm_size",
    "userns_mode",
)
"""Keys of a service that are understood and passed over (cli/compose/types UnsupportedProperties)."""

DEPRECATED = {
    "container_name": "Setting the container name is not supported.",
    "expose": "Exposing ports is unnecessary - services on the same network can access each other's containers on any port.",
}
FORBIDDEN = {
    "extends": "Support for `extends` is not implemented yet.",
    "volume_driver": "Instead of setting the volume driver on the service, define a volume using the top-level `volumes` "
    "option and specify the driver there.",
    "volumes_from": "To share a volume between services, define it using the top-level `volumes` option and reference it "
    "from each service that shares it using the service-level `volumes` option.",
    "cpu_quota": "Set resource limits using deploy.resources",
    "cpu_shares": "Set resource limits using deploy.resources",
    "cpuset": "Set resource limits using deploy.resources",
    "mem_limit": "Set resource limits using deploy.resources",
    "memswap_limit": "Set resource limits using deploy.resources",
}
