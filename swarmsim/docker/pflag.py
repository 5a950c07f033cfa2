"""Words to flags and arguments by pflag's rules, with its complaints (spf13/pflag).

``--name value``, ``--name=value``, ``-n value``, ``-nvalue``, ``-abc``; booleans take a value only after
``=``; ``--`` ends the flags; where a command says so, the first argument does too.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from swarmsim.docker.gotime import parse_bool, parse_bytes, parse_duration, parse_float, parse_int, parse_uint
from swarmsim.swarm.specs import Mount, PlacementPreference, PortConfig, SpreadOver


class FlagError(ValueError):
    """A word that is no flag, or a value that does not fit; the message is pflag's."""


class HelpAsked(Exception):
    """``-h`` or ``--help``."""


class Flag(NamedTuple):
    """One flag of a command. ``type`` is the name shown in help and the key of :data:`PARSERS`.

    ``modelled`` is false for real flags whose effect is not in the model yet.
    """

    name: str
    type: str
    about: str
    short: str = ""
    default: str = ""
    modelled: bool = True


def _nano_cpus(text: str) -> int:
    try:
        cpus = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"failed to parse {text} as a rational number") from None
    nano = cpus * 10**9
    if nano.denominator != 1:
        raise ValueError("value is too precise")
    return int(nano)


def _port_number(text: str, what: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 65535:
        raise ValueError(f"invalid {what}: {text}")
    return int(text)


def _port_range(text: str, what: str) -> list[int]:
    first, dash, last = text.partition("-")
    start = _port_number(first, what)
    end = _port_number(last, what) if dash else start
    if end < start:
        raise ValueError(f"invalid {what}: {text}")
    return list(range(start, end + 1))


def _ports(text: str) -> list[PortConfig]:
    """``8888:80``, ``80/udp``, ``8000-8002:80-82``, ``published=8888,target=80,mode=host``."""
    if re.search(r"\w+=\w+(,\w+=\w+)*", text):
        return [_long_port(text)]
    body, _, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    parts = body.split(":")
    targets = _port_range(parts[-1], "containerPort")
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"invalid proto: {protocol}")
    if len(parts) > 2:
        raise ValueError("hostip is not supported")
    published = _port_range(parts[0], "hostPort") if len(parts) == 2 and parts[0] else [0] * len(targets)
    if len(published) != len(targets):
        raise ValueError(f"invalid ranges specified for container and host Ports: {parts[-1]} and {parts[0]}")
    return [
        PortConfig(protocol=protocol, target_port=target, published_port=port, publish_mode="ingress")
        for port, target in zip(published, targets, strict=True)
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
        if key in ("published", "target") and not value.isdigit():
            raise ValueError(
                f"invalid {key} port ({value}): value must be an integer: "
                f'strconv.ParseUint: parsing "{value}": invalid syntax'
            )
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


def _mount(text: str) -> list[Mount]:
    mount: dict[str, Any] = {"type": "volume"}
    names = {
        "type": "type",
        "source": "source",
        "src": "source",
        "target": "target",
        "dst": "target",
        "destination": "target",
    }
    for field in next(csv.reader([text]), []):
        key, equals, value = field.partition("=")
        key = key.lower()
        if key in ("readonly", "ro"):
            mount["read_only"] = parse_bool(value) if equals else True
        elif not equals:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        elif key in names:
            mount[names[key]] = value.lower() if key == "type" else value
        else:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    if not mount.get("type"):
        raise ValueError("type is required")
    if not mount.get("target"):
        raise ValueError("target is required")
    return [Mount(**mount)]


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
    except ValueError as problem:
        raise ValueError(str(problem)) from None


def _one(text: str) -> list[str]:
    return [text]


PARSERS: dict[str, Callable[[str], Any]] = {
    "bool": parse_bool,
    "string": str,
    "node-addr": str,
    "uint": parse_uint,
    "int": parse_int,
    "int64": parse_int,
    "uint32": parse_uint,
    "float": parse_float,
    "duration": parse_duration,
    "bytes": parse_bytes,
    "decimal": _nano_cpus,
    "command": _words,
    "list": _one,
    "network": _one,
    "secret": _one,
    "config": _one,
    "port": _ports,
    "mount": _mount,
    "pref": _preference,
    "filter": _filter,
}
REPEATABLE = frozenset(("list", "network", "secret", "config", "port", "mount", "pref", "filter"))
"""Types whose values add up when the flag is given again."""


class Flags:
    """The flags that were given, by name."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def changed(self, *names: str) -> bool:
        """Whether any of the flags was given."""
        return any(name in self._values for name in names)

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def on(self, name: str) -> bool:
        return bool(self._values.get(name, False))

    def every(self, name: str) -> list[Any]:
        """All values of a repeatable flag."""
        return list(self._values.get(name, ()))

    def names(self) -> list[str]:
        return list(self._values)


def parse(words: list[str], flags: tuple[Flag, ...], interspersed: bool = True) -> tuple[Flags, list[str]]:
    """Flags and arguments. Raises :class:`FlagError` and :class:`HelpAsked`."""
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    values: dict[str, Any] = {}
    arguments: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments += rest
            break
        if len(word) < 2 or word[0] != "-":
            arguments.append(word)
            if not interspersed:
                arguments += rest
                break
            continue
        if word.startswith("--"):
            _parse_long(word, rest, by_name, values)
        else:
            _parse_shorts(word, rest, by_short, values)
    return Flags(values), arguments


def _parse_long(word: str, rest: list[str], by_name: dict[str, Flag], values: dict[str, Any]) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name[0] == "-":
        raise FlagError(f"bad flag syntax: {word}")
    flag = by_name.get(name)
    if flag is None:
        if name == "help":
            raise HelpAsked
        raise FlagError(f"unknown flag: --{name}")
    if not equals:
        if flag.type == "bool":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise FlagError(f"flag needs an argument: --{name}")
    _set(flag, value, values)


def _parse_shorts(word: str, rest: list[str], by_short: dict[str, Flag], values: dict[str, Any]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = by_short.get(letter)
        if flag is None:
            if letter == "h":
                raise HelpAsked
            raise FlagError(f"unknown shorthand flag: '{letter}' in {word}")
        if letters[:1] == "=":
            _set(flag, letters[1:], values)
            return
        if flag.type == "bool":
            _set(flag, "true", values)
        elif letters:
            _set(flag, letters, values)
            return
        elif rest:
            _set(flag, rest.pop(0), values)
            return
        else:
            raise FlagError(f"flag needs an argument: '{letter}' in {word}")


def _set(flag: Flag, text: str, values: dict[str, Any]) -> None:
    try:
        value = PARSERS.get(flag.type, str)(text)
    except ValueError as problem:
        shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        raise FlagError(f'invalid argument "{text}" for "{shown}" flag: {problem}') from None
    if flag.type in REPEATABLE:
        values.setdefault(flag.name, []).extend(value)
    else:
        values[flag.name] = value
