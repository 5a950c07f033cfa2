"""Several stack files in long form made one: the later file wins, lists grow (cli/compose/loader/merge.go, mergo)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

Config = dict[str, Any]
SECTIONS = ("networks", "volumes", "secrets", "configs")
BY_KEY = {"ports": "published", "volumes": "target", "secrets": "source", "configs": "source"}
"""Entries of a list that share this are the same; the list is sorted by it then."""
WHOLE = ("command", "entrypoint")
COUNTS = ("replicas", "parallelism", "max_attempts", "retries")
"""Numbers that may be zero on purpose."""


def merged(configs: list[Config]) -> Config:
    """The first file with what the others change."""
    base, *others = deepcopy(configs)
    for other in others:
        for name, service in other["services"].items():
            there = base["services"].get(name)
            base["services"][name] = service if there is None else _merge_mapping(there, service)
        for section in SECTIONS:
            base[section] |= other[section]
    if others:
        base["services"] = dict(sorted(base["services"].items()))
    return base


def _merge_mapping(base: Config, other: Config) -> Config:
    return {**base, **{key: _merge(key, base[key], item) if key in base else item for key, item in other.items()}}


def _merge(key: str, base: Any, other: Any) -> Any:
    special = SPECIAL.get(key)
    if special is not None and base is not None:
        return special(base, other)
    if isinstance(base, dict) and isinstance(other, dict):
        return _merge_mapping(base, other)
    if isinstance(base, list) and isinstance(other, list):
        return [*base, *other]
    return base if not other and not (other == 0 and key in COUNTS and other is not False) else other


def _by_key(name: str) -> Callable[[Any, Any], Any]:
    def merge(base: list[Config], other: list[Config]) -> list[Config]:
        found = {entry.get(name, 0 if name == "published" else ""): entry for entry in (*base, *other)}
        return [found[key] for key in sorted(found)]

    return merge


def _logging(base: Config, other: Config) -> Config:
    """Options of another driver are others."""
    drivers = [each.get("driver") for each in (base, other)]
    if all(drivers) and drivers[0] != drivers[1]:
        return other
    return {
        "driver": drivers[0] or drivers[1] or "",
        "options": (base.get("options") or {}) | (other.get("options") or {}),
    }


def _networks(base: Config, other: Config) -> Config:
    """Of a network both have, aliases and addresses are the later file's."""
    result = dict(base)
    for name, item in other.items():
        there = base.get(name)
        if there is None or item is None:
            result[name] = there if item is None else item
            continue
        addresses = {key: item[key] for key in ("ipv4_address", "ipv6_address") if item.get(key)}
        result[name] = {**there, "aliases": item.get("aliases"), **addresses}
    return result


def _ulimits(base: Config, other: Config) -> Config:
    return base | other


SPECIAL: dict[str, Callable[[Any, Any], Any]] = {
    **{key: _by_key(name) for key, name in BY_KEY.items()},
    **dict.fromkeys(WHOLE, lambda base, other: other or base),
    "logging": _logging,
    "networks": _networks,
    "ulimits": _ulimits,
}
