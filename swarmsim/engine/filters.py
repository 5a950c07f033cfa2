"""What the daemon makes of ``filters=`` in each list (moby daemon/cluster/filters.go, daemon/list.go, daemon/network/filter.go, …).

Each function says whether one body of a list passes; :data:`KNOWN` are the keys a list knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from swarmsim.apitypes.filters import Filters, InvalidFilter
from swarmsim.engine.containers import Container
from swarmsim.engine.jsonforms import Json

KNOWN: dict[str, Collection[str]] = {
    "nodes": ("id", "label", "membership", "name", "node.label", "role"),
    "services": ("id", "label", "mode", "name", "runtime"),
    "tasks": ("desired-state", "id", "label", "name", "node", "service", "runtime", "_up-to-date"),
    "secrets": ("id", "label", "name", "names"),
    "configs": ("id", "label", "name"),
    "networks": ("driver", "id", "label", "name", "scope", "type", "dangling"),
    "volumes": ("dangling", "driver", "label", "name"),
    "containers": ("id", "label", "name", "status", "exited", "ancestor", "health", "volume", "is-task"),
    "events": (
        *("config", "container", "daemon", "event", "id", "image", "label", "network", "node", "scope", "secret"),
        *("service", "type", "volume"),
    ),
}
DESIRED = {"running": ("running", "ready", "complete"), "shutdown": ("shutdown", "remove"), "accepted": ("accepted",)}
"""The wanted states that ``desired-state`` means."""

PREDEFINED = ("bridge", "host", "none", "ingress", "docker_gwbridge")
NAMED = ("config", "container", "network", "node", "secret", "service", "volume")
MODES = {"Replicated": "replicated", "Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}


def node(body: Json, filters: Filters) -> bool:
    description = body["Description"]
    return (
        filters.prefix("id", body["ID"])
        and filters.prefix("name", description.get("Hostname", ""))
        and filters.exact("role", body["Spec"]["Role"])
        and filters.exact("membership", "accepted")
        and filters.labels("node.label", body["Spec"]["Labels"])
        and filters.labels("label", description.get("Engine", {}).get("Labels", {}))
    )


def service(body: Json, filters: Filters) -> bool:
    spec = body["Spec"]
    return (
        filters.prefix("id", body["ID"])
        and filters.prefix("name", spec["Name"])
        and filters.exact("mode", MODES[next(iter(spec["Mode"]))])
        and filters.exact("runtime", "container")
        and filters.labels("label", spec["Labels"])
    )


def check_tasks(filters: Filters) -> None:
    """Raises :class:`InvalidFilter` for a wanted state there is not."""
    for state in filters.values("desired-state"):
        if state not in DESIRED:
            raise InvalidFilter(f"Invalid desired-state filter: '{state}'")


def task(body: Json, filters: Filters, services: Mapping[str, Json], node_ids: Collection[str] | None) -> bool:
    """``services`` by id; ``node_ids`` are those that ``node`` means, if it was asked for."""
    of = services.get(body["ServiceID"])
    if "service" in filters and not filters.exact("service", body["ServiceID"], of["Spec"]["Name"] if of else ""):
        return False
    wanted = filters.values("desired-state")
    if wanted and not any(body["DesiredState"] in DESIRED[state] for state in wanted):
        return False
    if node_ids is not None and body.get("NodeID", "") not in node_ids:
        return False
    name = f"{of['Spec']['Name'] if of else ''}.{body.get('Slot') or body.get('NodeID', '')}.{body['ID']}"
    return filters.prefix("id", body["ID"]) and filters.prefix("name", name)


def secret(body: Json, filters: Filters) -> bool:
    spec = body["Spec"]
    return (
        filters.prefix("id", body["ID"])
        and filters.prefix("name", spec["Name"])
        and filters.exact("names", spec["Name"])
        and filters.labels("label", spec["Labels"])
    )


def network(body: Json, filters: Filters) -> bool:
    return (
        filters.exact("driver", body["Driver"])
        and filters.match("id", body["Id"])
        and filters.match("name", body["Name"])
        and filters.exact("scope", body["Scope"])
        and filters.exact("type", "builtin" if body["Name"] in PREDEFINED else "custom")
        and filters.labels("label", body["Labels"])
    )


def volume(body: Json, filters: Filters) -> bool:
    return (
        filters.match("name", body["Name"])
        and filters.exact("driver", body["Driver"])
        and filters.labels("label", body["Labels"])
    )


def container(obj: Container, filters: Filters, all: bool) -> bool:
    """Those that do not run only if all are asked for, or their state."""
    return (
        (all or obj.state == "running" or "status" in filters or "exited" in filters)
        and filters.match("id", obj.id)
        and filters.match("name", obj.name, f"/{obj.name}")
        and filters.exact("status", obj.state)
        and filters.exact("health", (obj.health if obj.state == "running" else "") or "none")
        and filters.exact("volume", *obj.volumes)
        and filters.exact("is-task", str("com.docker.swarm.task" in obj.labels).lower())
        and filters.exact("ancestor", obj.image)
        and ("exited" not in filters or (obj.state == "exited" and filters.exact("exited", str(obj.exit_code))))
        and filters.labels("label", obj.labels)
    )


def event(body: Json, filters: Filters) -> bool:
    """Of kinds that are named, the named ones only, by id or name or their beginning."""
    id, attributes = body["Actor"]["ID"], body["Actor"]["Attributes"]
    actions = (body["Action"], body["Action"].partition(":")[0])
    return (
        filters.exact("type", body["Type"])
        and filters.exact("event", *actions)
        and filters.exact("scope", body["scope"])
        and filters.exact("image", attributes.get("image", ""))
        and filters.labels("label", attributes)
        and filters.exact("id", id)
        and all(
            body["Type"] == kind and filters.prefix(kind, id, attributes.get("name", ""))
            for kind in NAMED
            if kind in filters
        )
    )
