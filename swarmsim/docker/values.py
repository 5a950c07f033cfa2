"""What flags' values mean: one parser a type of value (docker/cli opts, opts/swarmopts).

A parser returns the value, or of a repeatable flag a list of one or more; it raises :class:`ValueError` with the
client's own complaint.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from fractions import Fraction
from functools import partial
from typing import Any

from swarmsim.apitypes.specs import (
    BindOptions,
    ConfigReference,
    CredentialSpec,
    Driver,
    FileTarget,
    Mount,
    NetworkAttachment,
    PlacementPreference,
    PortConfig,
    SecretReference,
    SpreadOver,
    TmpfsOptions,
    Ulimit,
    VolumeOptions,
)
from swarmsim.docker.ports import parse_port_spec
from swarmsim.go import csv
from swarmsim.go.duration import parse_duration
from swarmsim.go.pflag import FlagType
from swarmsim.go.strconv import parse_bool, parse_float, parse_int, parse_uint
from swarmsim.go.units import ram_in_bytes


def parse_cpus(text: str) -> int:
    try:
        cpus = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"failed to parse {text} as a rational number") from None
    nano = cpus * 10**9
    if nano.denominator != 1:
        raise ValueError("value is too precise")
    return int(nano)


def parse_ports(text: str) -> list[PortConfig]:
    """``8888:80``, ``80/udp``, ``8000-8002:80-82``, ``published=8888,target=80,mode=host``."""
    if re.search(r"\w+=\w+(,\w+=\w+)*", text):
        return [_long_port(text)]
    bindings = parse_port_spec(text)
    if any(binding.ip for binding in bindings):
        raise ValueError("hostip is not supported")
    return [
        PortConfig(
            protocol=binding.protocol, target_port=binding.port, published_port=published, publish_mode="ingress"
        )
        for binding in bindings
        for published in binding.published
    ]


def _long_port(text: str) -> PortConfig:
    values = {"protocol": "tcp", "mode": "ingress", "published": "0", "target": "0"}
    for field in text.split(","):
        key, equals, value = field.partition("=")
        if not equals:
            raise ValueError(f"invalid field: {field}")
        key, value = key.lower(), value.lower()
        if key not in values:
            raise ValueError(f"invalid field key: {key}")
        if key in ("published", "target"):
            try:
                parse_uint(value, bits=16)
            except ValueError as problem:
                complaint = str(problem).rpartition(": ")[2]
                raise ValueError(f"invalid {key} port ({value}): value must be an integer: {complaint}") from None
        if key == "protocol" and value not in ("tcp", "udp", "sctp"):
            raise ValueError(f"invalid protocol value '{value}'")
        if key == "mode" and value not in ("ingress", "host"):
            raise ValueError(f"invalid publish mode value ({value}): must be either 'ingress' or 'host'")
        values[key] = value
    if values["target"] == "0":
        raise ValueError("missing mandatory field 'target'")
    return PortConfig(
        protocol=values["protocol"],
        target_port=int(values["target"]),
        published_port=int(values["published"]),
        publish_mode=values["mode"],
    )


MOUNT_FIELDS = {
    "type": "type",
    "source": "source",
    "src": "source",
    "target": "target",
    "dst": "target",
    "destination": "target",
    "consistency": "consistency",
}
RECURSIVE: dict[str, dict[str, bool]] = {
    "enabled": {},
    "disabled": {"non_recursive": True},
    "writable": {"read_only_non_recursive": True},
    "readonly": {"read_only_force_recursive": True},
}
SWITCHES = ("readonly", "ro", "volume-nocopy", "bind-nonrecursive")


def _mount(text: str) -> list[Mount]:
    """``type=volume,source=data,target=/data,volume-driver=local`` (opts/mount.go)."""
    mount: dict[str, Any] = {"type": "volume"}
    bind: dict[str, Any] = {}
    volume: dict[str, Any] = {}
    tmpfs: dict[str, Any] = {}
    driver: dict[str, Any] = {}
    for field in csv.read_line(text):
        key, equals, value = field.partition("=")
        key = key.lower()
        if not equals and key not in SWITCHES:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        if key in ("readonly", "ro"):
            mount["read_only"] = _switch(key, value, equals)
        elif key in MOUNT_FIELDS:
            mount[MOUNT_FIELDS[key]] = value.lower() if key in ("type", "consistency") else value
        elif key == "bind-propagation":
            bind["propagation"] = value.lower()
        elif key == "bind-nonrecursive":
            bind["non_recursive"] = _switch(key, value, equals)
        elif key == "bind-recursive":
            if value not in RECURSIVE:
                choices = '"enabled", "disabled", "writable", or "readonly"'
                raise ValueError(f"invalid value for {key}: {value} (must be {choices})")
            bind |= RECURSIVE[value]
        elif key == "volume-nocopy":
            volume["no_copy"] = _switch(key, value, equals)
        elif key == "volume-label":
            _into(volume.setdefault("labels", {}), value)
        elif key == "volume-subpath":
            volume["subpath"] = value
        elif key == "volume-driver":
            driver["name"] = value
        elif key == "volume-opt":
            _into(driver.setdefault("options", {}), value)
        elif key == "tmpfs-size":
            try:
                tmpfs["size_bytes"] = ram_in_bytes(value)
            except ValueError:
                raise ValueError(f"invalid value for {key}: {value}") from None
        elif key == "tmpfs-mode":
            if not re.fullmatch("[0-7]+", value):
                raise ValueError(f"invalid value for {key}: {value}")
            tmpfs["mode"] = int(value, 8)
        else:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    if not mount.get("type"):
        raise ValueError("type is required")
    if not mount.get("target"):
        raise ValueError("target is required")
    if driver or volume:
        volume["driver"] = Driver(**driver)
    for type, options in (("bind", bind), ("volume", volume), ("tmpfs", tmpfs)):
        if options and mount["type"] != type:
            raise ValueError(f"cannot mix '{type}-*' options with mount type '{mount['type']}'")
    if bind:
        mount["bind"] = _bind_options(BindOptions(**bind), mount.get("read_only", False))
    if volume:
        mount["volume"] = VolumeOptions(**volume)
    if tmpfs:
        mount["tmpfs"] = TmpfsOptions(**tmpfs)
    return [Mount(**mount)]


def _bind_options(options: BindOptions, read_only: bool) -> BindOptions:
    for given, choice in (
        (options.read_only_non_recursive, "writable"),
        (options.read_only_force_recursive, "readonly"),
    ):
        if given and not read_only:
            raise ValueError(f"option 'bind-recursive={choice}' requires 'readonly' to be specified in conjunction")
    if options.read_only_force_recursive and options.propagation != "rprivate":
        raise ValueError(
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction"
        )
    return options


def _switch(key: str, value: str, equals: str) -> bool:
    if not equals:
        return True
    try:
        return parse_bool(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _into(pairs: dict[str, str], text: str) -> None:
    key, _, value = text.partition("=")
    pairs[key] = value


def _file_reference(text: str, kind: str) -> tuple[str, FileTarget]:
    """A secret's or a config's name and where it appears: ``NAME`` or ``source=…,target=…,uid=…,gid=…,mode=…``."""
    fields = csv.read_line(text)
    if len(fields) == 1 and "=" not in fields[0]:
        return fields[0], FileTarget(name=fields[0], uid="0", gid="0", mode=0o444)
    values = {"uid": "0", "gid": "0"}
    mode = 0o444
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals or not key:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        key = {"src": "source"}.get(key.lower(), key.lower())
        if key == "mode":
            try:
                mode = int(value, 8) if value.startswith("0") else int(value)
            except ValueError:
                raise ValueError(
                    f'invalid mode specified: strconv.ParseUint: parsing "{value}": invalid syntax'
                ) from None
        elif key in ("source", "target", "uid", "gid"):
            values[key] = value
        else:
            raise ValueError(f"invalid field in {kind} request: {key}")
    if not values.get("source"):
        raise ValueError("source is required")
    target = values.get("target") or values["source"]
    return values["source"], FileTarget(name=target, uid=values["uid"], gid=values["gid"], mode=mode)


def _secret(text: str) -> list[SecretReference]:
    """The secret's id is not known yet."""
    name, file = _file_reference(text, "secret")
    return [SecretReference(file=file, secret_id="", secret_name=name)]


def _config(text: str) -> list[ConfigReference]:
    """The config's id is not known yet."""
    name, file = _file_reference(text, "config")
    return [ConfigReference(file=file, config_id="", config_name=name)]


def _subnets(text: str) -> list[str]:
    """``net.ParseCIDR`` of each: the networks, without the bits of hosts."""
    found = []
    for each in text.split(","):
        try:
            if "/" not in each:
                raise ValueError
            found.append(str(ipaddress.ip_network(each.strip(), strict=False)))
        except ValueError:
            raise ValueError(f"invalid string being converted to CIDR: {each}") from None
    return found


def _network(text: str) -> list[NetworkAttachment]:
    """``NAME`` or ``name=NAME,alias=A,driver-opt=k=v``; ``target`` is the network's name as yet (opts/network.go)."""
    if not re.search(r"\w+=\w+(,\w+=\w+)*", text):
        return [NetworkAttachment(target=text)]
    name, aliases, options = "", [], {}
    for field in csv.read_line(text):
        key, equals, value = field.partition("=")
        if not equals or not key:
            raise ValueError(f"invalid field {field}")
        key = key.strip().lower()
        if key == "name":
            name = value
        elif key == "alias":
            aliases.append(value)
        elif key == "driver-opt":
            option, has_value, setting = value.partition("=")
            if not has_value:
                raise ValueError("invalid key value pair format in driver options")
            options[option.strip().lower()] = setting.strip()
        else:
            raise ValueError(f"invalid field key {key}")
    if not name:
        raise ValueError("network name/id is not specified")
    return [NetworkAttachment(target=name, aliases=aliases or None, driver_opts=options or None)]


ULIMITS = (
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
)  # fmt: skip


def _ulimit(text: str) -> list[Ulimit]:
    """``nofile=1024:2048`` (go-units ulimit.go)."""
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    numbers = [parse_int(part) for part in parts]
    soft, hard = numbers[0], numbers[-1]
    if hard != -1 and (soft == -1 or soft > hard):
        shown = f"soft: -1 (unlimited), hard: {hard}" if soft == -1 else f"{soft} > {hard}"
        raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {shown}")
    return [Ulimit(name=name, hard=hard, soft=soft)]


def _credential_spec(text: str) -> CredentialSpec | None:
    if not text:
        return None
    kind, separator, value = text.partition("://")
    if not separator or kind not in ("config", "file", "registry"):
        raise ValueError(
            'invalid credential spec: value must be prefixed with "config://", "file://", or "registry://"'
        )
    return CredentialSpec(**{kind: value})


def _positive_duration(text: str) -> int:
    duration = parse_duration(text)
    if duration < 0:
        raise ValueError("duration cannot be negative")
    return duration


def _label(text: str) -> list[str]:
    if not text.partition("=")[0]:
        raise ValueError(f"invalid label '{text}': empty name")
    return [text]


def _env(text: str) -> list[str]:
    if not text.partition("=")[0]:
        raise ValueError(f"invalid environment variable: {text}")
    return [text]


def _ip(text: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(text.strip()))]
    except ValueError:
        raise ValueError(f"IP address is not correctly formatted: {text}") from None


def _extra_host(text: str) -> list[str]:
    host, colon, address = text.partition(":")
    if not colon:
        host, colon, address = text.partition("=")
    if not colon or not host:
        raise ValueError(f'bad format for add-host: "{text}"')
    if address != "host-gateway":
        try:
            ipaddress.ip_address(address.strip("[]"))
        except ValueError:
            raise ValueError(f'invalid IP address in add-host: "{address}"') from None
    return [f"{host}:{address.strip('[]')}"]


def _generic_resource(text: str) -> list[str]:
    if "=" not in text:
        raise ValueError(f"invalid generic-resource format `{text}` expected `name=value`")
    return [text]


def _preference(text: str) -> list[PlacementPreference]:
    strategy, equals, argument = text.partition("=")
    if not equals:
        raise ValueError('placement preference must be of the format "<strategy>=<arg>"')
    if strategy != "spread":
        raise ValueError(f"unsupported placement preference {strategy} (only spread is supported)")
    return [PlacementPreference(spread=SpreadOver(spread_descriptor=argument))]


def _filter(text: str) -> list[tuple[str, str]]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return [(name.lower().strip(), value.strip())]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise ValueError("EOF found when expecting closing quote") from None


_DOMAIN = re.compile(r"(:?[a-zA-Z0-9][a-zA-Z0-9-]*(?<!-)(:?\.:?[a-zA-Z0-9][a-zA-Z0-9-]*(?<!-))*)\.?\s*")


def _domain(text: str) -> list[str]:
    text = text.strip()
    if text == ".":
        return [text]
    match = _DOMAIN.fullmatch(text)
    if match is None or not re.search("[a-zA-Z]", text) or len(match[1]) >= 255:
        raise ValueError(f"{text} is not a valid domain")
    return [match[1]]


def _listen_address(text: str) -> str:
    """With docker's own host and port where they are not given (swarm/opts.go NodeAddrOption)."""
    host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    return f"{host or '0.0.0.0'}:{port if colon else '2377'}"


def _one(text: str) -> list[str]:
    return [text]


FLAG_TYPES: dict[str, FlagType] = {
    "bool": FlagType(parse_bool),
    "string": FlagType(str),
    "node-addr": FlagType(_listen_address),
    "external-ca": FlagType(str, repeatable=True),  # this and the next read files: docker/authority.py
    "pem-file": FlagType(str),
    "ipNetSlice": FlagType(_subnets, repeatable=True),
    "uint": FlagType(partial(parse_uint, base=0)),
    "uint32": FlagType(partial(parse_uint, base=0, bits=32)),
    "int": FlagType(partial(parse_int, base=0)),
    "int64": FlagType(partial(parse_int, base=0)),
    "float": FlagType(partial(parse_float, bits=32), zero=""),
    "duration": FlagType(parse_duration),
    "positive-duration": FlagType(_positive_duration, shown_as="duration"),
    "bytes": FlagType(ram_in_bytes),
    "decimal": FlagType(parse_cpus),
    "command": FlagType(_words),
    "credential-spec": FlagType(_credential_spec),
    "list": FlagType(_one, repeatable=True),
    "map": FlagType(_one, repeatable=True),
    "strings": FlagType(csv.read_line, repeatable=True),
    "label": FlagType(_label, repeatable=True, shown_as="list"),
    "env": FlagType(_env, repeatable=True, shown_as="list"),
    "ip": FlagType(_ip, repeatable=True, shown_as="list"),
    "domain": FlagType(_domain, repeatable=True, shown_as="list"),
    "extra-host": FlagType(_extra_host, repeatable=True, shown_as="list"),
    "generic-resource": FlagType(_generic_resource, repeatable=True, shown_as="list"),
    "network": FlagType(_network, repeatable=True),
    "secret": FlagType(_secret, repeatable=True),
    "config": FlagType(_config, repeatable=True),
    "port": FlagType(parse_ports, repeatable=True),
    "mount": FlagType(_mount, repeatable=True),
    "pref": FlagType(_preference, repeatable=True),
    "filter": FlagType(_filter, repeatable=True),
    "ulimit": FlagType(_ulimit, repeatable=True),
}
"""The types of flags, by the name that the grammar and help use."""
