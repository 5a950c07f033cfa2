"""Reading compose files: YAML with places, variables, the schema, several files merged (docker/cli cli/compose/loader)."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from swarmsim.docker.compose.interpolate import BadVariable, cast, substitute
from swarmsim.docker.compose.schema import DEPRECATED, FORBIDDEN, ROOT, UNSUPPORTED, Complaint, dotted
from swarmsim.docker.compose.values import pairs
from swarmsim.docker.errors import CommandError
from swarmsim.docker.values import parse_ports
from swarmsim.yamldoc import Document, DocumentError, DuplicateKey, KeyPath

SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
LATEST = 13  # version 3.13, what a file without a version is


class Loaded(NamedTuple):
    """A checked and merged file as plain values, and what docker says about it on the way."""

    config: dict[str, Any]
    warnings: list[str]
    at: Callable[[KeyPath], str]
    """Our own line for a complaint: where in which file a value stands."""


def load(names: list[str], read: Callable[[str], str], environment: Mapping[str, str]) -> Loaded:
    """Read, fill in, check and merge. Raises :class:`CommandError`, with the place in the file where there is one."""
    merged: dict[str, Any] = {}
    warnings: list[str] = []
    unset: dict[str, None] = {}
    documents: list[_Document] = []
    for number, name in enumerate(names):
        document = _Document(name, read(name))
        documents.append(document)
        config = document.plain
        if number == 0:
            _check_version(config.get("version"))
        _refuse_forbidden(config)
        config = document.filled_in(environment, unset)
        document.check(config)
        merged = _merge_configs(merged, config) if number else config
    warnings += [
        f'level=warning msg="The \\"{name}\\" variable is not set. Defaulting to a blank string."\n' for name in unset
    ]
    services = merged.get("services") or {}
    ignored = sorted({key for service in services.values() for key in service if key in UNSUPPORTED})
    if ignored:
        warnings.append(f"Ignoring unsupported options: {', '.join(ignored)}\n\n")
    deprecated = sorted({key for service in services.values() for key in service if key in DEPRECATED})
    if deprecated:
        told = "\n\n".join(f"{key}: {DEPRECATED[key]}" for key in deprecated)
        warnings.append(f"Ignoring deprecated options:\n\n{told}\n\n")
    waits = [name for name, service in services.items() if service.get("depends_on")]
    if waits:
        warnings.append(
            f"swarmsim: depends_on of {', '.join(waits)} is ignored: a stack's services start all at once\n"
        )

    def at(path: KeyPath) -> str:
        return max(documents, key=lambda document: document.depth(path)).at(path)

    return Loaded(merged, warnings, at)


def _check_version(version: Any) -> None:
    if version is None or not isinstance(version, str):
        return
    match = re.fullmatch(r"3(?:\.(\d+))?", version)
    if match is None or int(match[1] or 0) > LATEST:
        raise CommandError(f"unsupported Compose file version: {version}")


def _refuse_forbidden(config: dict[str, Any]) -> None:
    services = config.get("services")
    if not isinstance(services, dict):
        return
    found = {key for service in services.values() if isinstance(service, dict) for key in service if key in FORBIDDEN}
    if found:
        told = "\n\n".join(f"{key}: {FORBIDDEN[key]}" for key in sorted(found))
        raise CommandError(f"compose file contains unsupported options:\n\n{told}\n")


class _Document:
    """One YAML file, its values and where they stand."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        try:
            self._document = Document(text)
        except DuplicateKey as problem:
            told = f'mapping key "{problem.key}" already defined at line {problem.first.line}'
            raise CommandError(f"{name}: yaml: unmarshal errors:\n  line {problem.place.line}: {told}") from None
        except DocumentError as problem:
            raise CommandError(f"{name}: yaml: line {problem.place.line}: {problem.problem}") from None
        if not isinstance(self._document.data, dict):
            empty = self._document.data is None
            raise CommandError("empty compose file" if empty else "top-level object must be a mapping")
        self.plain: dict[str, Any] = self._document.data

    def filled_in(self, environment: Mapping[str, str], unset: dict[str, None]) -> dict[str, Any]:
        filled = dict(self.plain)
        for section in SECTIONS:
            if section in filled:
                filled[section] = self._fill(filled[section], (section,), environment, unset)
        return filled

    def _fill(self, value: Any, path: KeyPath, environment: Mapping[str, str], unset: dict[str, None]) -> Any:
        if isinstance(value, dict):
            return {key: self._fill(item, (*path, key), environment, unset) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, (*path, number), environment, unset) for number, item in enumerate(value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        try:
            text = substitute(value, environment, lambda name: unset.setdefault(name))
        except BadVariable as problem:
            if str(problem) != "invalid":
                raise CommandError(
                    f"invalid interpolation format for {dotted(path)}: {problem}{self.at(path)}"
                ) from None
            raise CommandError(
                f'invalid interpolation format for {dotted(path)}: "{value}"; '
                f"you may need to escape any $ with another ${self.at(path)}"
            ) from None
        try:
            return cast(path, text)
        except ValueError as problem:
            raise CommandError(f"failed to cast to expected type: {problem}{self.at(path)}") from None

    def check(self, config: dict[str, Any]) -> None:
        try:
            ROOT.check(config, ())
        except Complaint as complaint:
            path = complaint.path
            shown = path[:-1] if complaint.error_text.startswith("Additional property") else path
            wanted = (
                f"; {complaint.wanted}"
                if complaint.wanted.startswith(("did", "'", "known"))
                else (f"; wanted: {complaint.wanted}")
            )
            raise CommandError(f"{dotted(shown)} {complaint.error_text}{self.at(path, wanted)}") from None
        for name, service in (config.get("services") or {}).items():
            for number, port in enumerate(service.get("ports") or ()):
                self._check_port(("services", name, "ports", number), port)

    def _check_port(self, path: KeyPath, port: Any) -> None:
        try:
            if not isinstance(port, dict):
                parse_ports(str(port))
                return
            for key in ("target", "published"):
                text = str(port.get(key, 1))
                if not text.isdigit() or not int(text) <= 65535:
                    raise ValueError(f"invalid {key} port ({text})")
        except ValueError as problem:
            raise CommandError(f"{problem}{self.at(path, '; wanted: ports from 1 to 65535')}") from None

    def depth(self, path: KeyPath) -> int:
        """How far the path leads in this file."""
        return self._document.depth(path)

    def at(self, path: KeyPath, more: str = "") -> str:
        """Our own remark below docker's words: where it is, and what would be right."""
        return f"\nswarmsim: {self.name}, line {self._document.place(path).line}{more}"


# -- merging


AS_PAIRS = ("environment", "labels", "sysctls")
REPLACED = ("command", "entrypoint", "healthcheck", "test")


def _merge_configs(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if "version" in base and "version" in other and base["version"] != other["version"]:
        raise CommandError(f"version mismatched between two composefiles : {base['version']} and {other['version']}")
    merged = copy.deepcopy(base)
    for section in SECTIONS:
        for name, item in (other.get(section) or {}).items():
            into = merged.setdefault(section, {})
            into[name] = _merge(into.get(name), item, section) if section == "services" else item
    return merged


def _merge(base: Any, other: Any, key: str) -> Any:
    """The later file wins; lists grow, mappings grow key by key (cli/compose/loader/merge.go)."""
    if base is None or other is None or key in REPLACED:
        return base if other is None else other
    if key in AS_PAIRS:
        return {**pairs(base), **pairs(other)}
    if isinstance(base, dict) and isinstance(other, dict):
        return {**base, **{name: _merge(base.get(name), item, name) for name, item in other.items()}}
    if isinstance(base, list) and isinstance(other, list):
        if key in ("volumes", "ports", "secrets", "configs"):
            by_target = {_target(item, key): item for item in (*base, *other)}
            return list(by_target.values())
        return [*base, *(item for item in other if item not in base)]
    return other


def _target(item: Any, key: str) -> Any:
    """What two entries of a list must not share."""
    if isinstance(item, dict):
        return str(item.get("target") or item.get("source"))
    parts = str(item).split(":")
    if key == "volumes":
        return parts[1] if len(parts) > 1 else parts[0]
    return str(item)
