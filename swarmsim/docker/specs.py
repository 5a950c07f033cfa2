"""A service's specification from flags, by the table of options (docker/cli command/service/opts.go, update.go).

Networks, secrets and configs are named here; their ids are filled in by :mod:`swarmsim.docker.references`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.specs import (
    ContainerSpec,
    DNSConfig,
    EndpointSpec,
    HealthConfig,
    Limit,
    Mode,
    Placement,
    Quantities,
    Replicated,
    Resources,
    ServiceSpec,
    TaskSpec,
    replace,
)
from swarmsim.docker.errors import CommandError
from swarmsim.docker.merges import Collect, Replace, Together, environment, sorted_dns
from swarmsim.docker.options import BY_FLAG, OPTIONS, RECORDS, Section
from swarmsim.go.pflag import Flags

BLANK = ServiceSpec(
    name="",
    labels={},
    task=TaskSpec(
        container=ContainerSpec(image="", init=False, dns=DNSConfig()),
        resources=Resources(limits=Limit(), reservations=Quantities()),
        placement=Placement(),
        force_update=0,
    ),
    mode=Mode(replicated=Replicated()),
    endpoint=EndpointSpec(mode="vip"),
)
"""What ``service create`` asks for without any flags."""
BEGUN = {record.path: record.begun for record in RECORDS}


def value_at(spec: Any, path: str) -> Any:
    """What a path of attributes leads to; ``None`` where it ends early."""
    for name in path.split("."):
        spec = None if spec is None else getattr(spec, name)
    return spec


S = TypeVar("S", bound=Struct)


def with_value(spec: S, path: str, value: Any, begin: bool = True) -> S:
    """``spec`` with another value at a path; with ``begin``, records on the way are begun where they are not there."""
    changed: S = _put(spec, "", path.split("."), value, begin)
    return changed


def _put(record: Any, walked: str, names: list[str], value: Any, begin: bool) -> Any:
    name, *rest = names
    if rest:
        here = f"{walked}.{name}".lstrip(".")
        inner = getattr(record, name)
        if begin and here in BEGUN:
            inner = BEGUN[here](inner)
        value = _put(inner, here, rest, value, begin)
    return replace(record, **{name: value})


def spec_from_create_flags(flags: Flags, image: str, args: list[str], env_files: list[str]) -> ServiceSpec:
    """The spec of ``docker service create``; ``env_files`` are the entries read from ``--env-file``.

    Raises :class:`CommandError`.
    """
    _check_health(flags)
    spec = with_value(BLANK, "task.container.image", image)
    spec = with_value(spec, "task.container.args", args or None)
    spec = with_value(spec, "task.container.env", environment(None, env_files))
    spec = _apply("create", spec, flags)
    if spec.task.container.health == HealthConfig():
        spec = with_value(spec, "task.container.health", None)
    if spec.mode.name.endswith("job") and (spec.update or spec.rollback):
        raise CommandError("update and rollback configuration is not supported for jobs")
    return spec


def apply_update_flags(flags: Flags, spec: ServiceSpec) -> ServiceSpec:
    """The spec after ``docker service update``. Raises :class:`CommandError`."""
    _check_health(flags)
    spec = _apply("update", spec, flags)
    if any(name.startswith("dns-") for name in flags.names()):
        spec = with_value(spec, "task.container.dns", sorted_dns(spec.task.container.dns))
    return spec


def _check_health(flags: Flags) -> None:
    if flags.on("no-healthcheck") and any(name.startswith("health-") for name in flags.names()):
        raise CommandError("--no-healthcheck conflicts with --health-* options")


def _apply(command: str, spec: ServiceSpec, flags: Flags) -> ServiceSpec:
    """One option after the other changes what is at its path."""
    together: dict[Together, None] = {}
    for option in OPTIONS:
        names = [flag.name for flag in option.flags(command)]
        merge = option.merge
        tidies = command == "update" and isinstance(merge, Collect) and merge.tidies
        if not option.path or not (flags.changed(*names) or tidies):
            continue
        if isinstance(merge, Together):
            if merge not in together:
                together[merge] = None
                spec = (merge.create if command == "create" else merge.update)(spec, flags)
            continue
        old = value_at(spec, option.path)
        if isinstance(merge, Replace):
            new = merge.new(old, flags.get(option.flag))
        elif command == "create":
            new = merge.create(old, flags.every(option.flag))
        else:
            new = merge.update(old, flags.every(f"{option.flag}-add"), flags.every(f"{option.flag}-rm"))
        spec = with_value(spec, option.path, new)
    return spec


def from_shell(entries: Iterable[str], variables: Mapping[str, str]) -> list[str]:
    """A variable without a value gets the shell's, if it has one (opts/env.go ValidateEnv)."""
    return [f"{entry}={variables[entry]}" if entry in variables else entry for entry in entries]


def read_env_file(text: str, name: str, variables: Mapping[str, str]) -> list[str]:
    """Lines ``KEY=value`` of a file, or ``KEY`` with the shell's value; empty ones and comments are left out.

    Raises :class:`CommandError`.
    """
    entries = []
    for line in text.removeprefix("\ufeff").splitlines():
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        key, equals, _ = line.partition("=")
        if not key:
            raise CommandError(f"invalid env file ({name}): no variable name on line '{line}'")
        if any(letter in " \t" for letter in key):
            raise CommandError(f"invalid env file ({name}): variable '{key}' contains whitespaces")
        if equals:
            entries.append(line)
        elif key in variables:
            entries.append(f"{key}={variables[key]}")
    return entries


def pretty(spec: ServiceSpec, sections: Iterable[Section]) -> list[str]:
    """The lines of ``service inspect --pretty``, section by section. A record that says nothing is as if it were not there."""
    lines: list[str] = []
    for section in sections:
        there = section.always or not section.record or bool(as_json(value_at(spec, section.record)))
        body: list[str] = []
        for flag in section.options:
            option = BY_FLAG[flag]
            if there and option.pretty is not None:
                body += option.pretty(value_at(spec, option.path))
        if section.title and there and (body or section.always or section.record):
            lines.append(section.title)
        lines += body
    return lines
