"""Values of a compose file as the API has them: one function a kind of value, without a look at the rest of the file."""

from __future__ import annotations

import shlex
from typing import Any

from swarmsim.apitypes.specs import (
    CredentialSpec,
    DiscreteResource,
    Driver,
    GenericResource,
    PlacementPreference,
    PortConfig,
    Privileges,
    SpreadOver,
    Ulimit,
)
from swarmsim.docker import merges
from swarmsim.docker.errors import CommandError
from swarmsim.docker.values import parse_cpus, parse_ports
from swarmsim.go.duration import parse_duration
from swarmsim.go.units import ram_in_bytes


def pairs(value: Any) -> dict[str, str | None]:
    """``KEY=value`` lists and mappings alike; ``None`` for a key without a value."""
    if isinstance(value, list):
        split = (str(entry).partition("=") for entry in value)
        return {key: (text if equals else None) for key, equals, text in split}
    return {str(key): None if item is None else text(item) for key, item in (value or {}).items()}


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def texts(mapping: Any) -> dict[str, str] | None:
    return {key: str(value) for key, value in (mapping or {}).items()} or None


def full_pairs(value: Any) -> dict[str, str] | None:
    """As :func:`pairs`, empty text for a key without a value."""
    return {key: item or "" for key, item in pairs(value).items()} or None


def listed(value: Any) -> list[str] | None:
    return [value] if isinstance(value, str) else (value or None)


def same(value: Any) -> Any:
    return value


def or_none(value: Any) -> Any:
    return value or None


def words(value: Any) -> list[str] | None:
    return (shlex.split(value) if isinstance(value, str) else value) or None


def duration(value: Any) -> int:
    return parse_duration(str(value))


def hosts(value: Any) -> list[str] | None:
    entries = [tuple(entry.split(":", 1)) for entry in value] if isinstance(value, list) else list(value.items())
    return [f"{address} {name}" for name, address in entries] or None


def ulimits(value: Any) -> list[Ulimit] | None:
    limits = []
    for name, limit in sorted(value.items()):
        soft, hard = (limit, limit) if isinstance(limit, int) else (limit["soft"], limit["hard"])
        limits.append(Ulimit(name=name, soft=soft, hard=hard))
    return limits or None


def health_test(value: Any) -> Any:
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def checked_health(value: dict[str, Any]) -> dict[str, Any]:
    """A health check that is disabled is the test ``NONE`` and nothing else."""
    if not value.get("disable"):
        return value
    if value.get("test"):
        raise CommandError("test and disable can't be set at the same time")
    return {"test": ["NONE"]}


def cpus(value: Any) -> int:
    return parse_cpus(str(value)) if value else 0


def memory(value: Any) -> int:
    return ram_in_bytes(value) if value else 0


def generic_resources(value: list[Any]) -> list[GenericResource] | None:
    specs = [each["discrete_resource_spec"] for each in value]
    return [
        GenericResource(discrete=DiscreteResource(kind=spec["kind"], value=int(spec["value"]))) for spec in specs
    ] or None


def preferences(value: list[Any]) -> list[PlacementPreference] | None:
    return [PlacementPreference(spread=SpreadOver(spread_descriptor=each["spread"])) for each in value] or None


def privileges(value: dict[str, str]) -> Privileges:
    return merges.privileges(CredentialSpec(**value) if value else None)


def log_driver(value: dict[str, Any]) -> Driver | None:
    return Driver(name=value.get("driver", ""), options=texts(value.get("options"))) if value else None


def ports(entries: list[Any]) -> list[PortConfig] | None:
    found: list[PortConfig] = []
    for entry in entries:
        if isinstance(entry, dict):
            if not entry.get("target"):
                raise CommandError("missing mandatory field 'target' of a port")
            port = PortConfig(
                protocol=entry.get("protocol", "tcp"),
                target_port=int(entry["target"]),
                published_port=int(entry.get("published", 0)),
                publish_mode=entry.get("mode", "ingress"),
            )
            found.append(port)
        else:
            found += parse_ports(str(entry))
    return sorted(found, key=lambda port: port.published_port) or None
