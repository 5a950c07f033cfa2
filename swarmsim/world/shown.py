"""What a world shows, as rows: of the model's objects and of what real engines answer, the same."""

from __future__ import annotations

from collections.abc import Iterable

from swarmsim.apitypes.specs import STACK_LABEL, PortConfig, ServiceSpec
from swarmsim.docker.client import Result
from swarmsim.trace import rows

INGRESS = "ingress"


def command_row(on: str, line: str, result: Result, seconds: float, name: str | None) -> rows.Docker:
    """A command that was typed, without its program's name, and what came of it; ``name`` is what the scenario calls it. A row of
    curl has the same fields."""
    row: rows.Docker = {
        "on": on,
        "cmd": line,
        "rc": result.code,
        "out": result.out.strip(),
        "err": result.err.strip(),
        "s": round(seconds, 3),
    }
    if name is not None:
        row["name"] = name
    return row


def service_row(
    spec: ServiceSpec,
    replicas: int | None,
    update: tuple[str, str] | None,
    ports: Iterable[PortConfig],
    networks: Iterable[str],
) -> rows.Service:
    """A service as ``service ls`` and ``service inspect`` show it; what it does not have is left out.

    ``replicas`` is ``None`` unless it is replicated, ``update`` the state and the message of its update, ``networks`` are names of
    those it has an address on.
    """
    state, message = update or (None, None)
    row: rows.Service = {
        "service": spec.name,
        "update": state,
        "umsg": message,
        "mode": spec.mode.name,
        "replicas": replicas,
        "image": spec.task.container.image,
    }
    stack = (spec.labels or {}).get(STACK_LABEL)
    if stack:
        row["stack"] = stack
    published = [port for port in ports if port.publish_mode == "ingress"]
    if published:
        row["ports"] = [f"*:{port.published_port}->{port.target_port}/{port.protocol}" for port in published]
    named = [name for name in networks if name != INGRESS]
    if named:
        row["networks"] = named
    volumes = [mount.source for mount in spec.task.container.mounts or () if mount.type == "volume" and mount.source]
    if volumes:
        row["volumes"] = volumes
    return row
