"""Values of a stack file's long form as the API has them: one function a kind of value, without a look at the rest."""

from __future__ import annotations

from typing import Any

from swarmsim.apitypes.specs import (
    DiscreteResource,
    Driver,
    GenericResource,
    PlacementPreference,
    PortConfig,
    SpreadOver,
    Ulimit,
)
from swarmsim.docker.errors import CommandError
from swarmsim.docker.merges import etc_hosts
from swarmsim.docker.values import parse_cpus


def same(value: Any) -> Any:
    return value


def or_none(value: Any) -> Any:
    return value or None


def hosts(value: list[str]) -> list[str] | None:
    """``host:ip`` as a line of /etc/hosts."""
    return etc_hosts(value) or None


def ulimits(value: dict[str, dict[str, int]]) -> list[Ulimit] | None:
    return [
        Ulimit(
            name=name,
            soft=limit.get("single") or limit.get("soft", 0),
            hard=limit.get("single") or limit.get("hard", 0),
        )
        for name, limit in sorted(value.items())
    ] or None


def checked_health(value: dict[str, Any]) -> dict[str, Any]:
    """A health check that is disabled is the test ``NONE`` and nothing else."""
    if not value.get("disable"):
        return value
    if value.get("test"):
        raise CommandError("test and disable can't be set at the same time")
    return {"test": ["NONE"]}


def cpus(value: str) -> int:
    return parse_cpus(value) if value else 0


def generic_resources(value: list[Any]) -> list[GenericResource] | None:
    specs = [each.get("discrete_resource_spec") for each in value]
    return [
        GenericResource(discrete=DiscreteResource(kind=spec.get("kind", ""), value=spec.get("value", 0)))
        for spec in specs
        if spec is not None
    ] or None


def preferences(value: list[Any]) -> list[PlacementPreference] | None:
    return [PlacementPreference(spread=SpreadOver(spread_descriptor=each.get("spread", ""))) for each in value] or None


def log_driver(value: dict[str, Any]) -> Driver:
    return Driver(name=value.get("driver", ""), options=value.get("options"))


def ports(entries: list[dict[str, Any]]) -> list[PortConfig] | None:
    found = [
        PortConfig(
            protocol=entry.get("protocol", ""),
            target_port=entry.get("target", 0),
            published_port=entry.get("published", 0),
            publish_mode=entry.get("mode", ""),
        )
        for entry in entries
    ]
    return sorted(found, key=lambda port: port.published_port) or None
