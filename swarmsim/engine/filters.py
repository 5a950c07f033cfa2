"""What the daemon makes of ``filters=`` in each list (moby daemon/cluster/filters.go, daemon/list.go, daemon/network/filter.go, …).

Each function says whether one body of a list passes; :data:`KNOWN` are the keys a list knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.filters import Filters, InvalidFilter
from swarmsim.engine.containers import Container

KNOWN: dict[str, Collection[str]] = {
    "nodes": ("id", "label", "membership", "name", "node.label", "role"),
    "services": ("id", "label", "mode", "name", "runtime"),
    "tasks": ("desired-state", "id", "label", "name", "node", "service", "runtime", "_up-to-date"),
    "secrets": ("id", "label", "name", "names"),
    "configs": ("id", "label", "name"),
    "networks": ("driver", "id", "label", "name", "scope", "type", "dangling"),
    "pruned networks": ("label", "label!", "until"),
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


def node(body: api.Node, filters: Filters) -> bool:
    description = body.description
    return (
        filters.prefix("id", body.id)
        and filters.prefix("name", description.hostname)
        and filters.exact("role", body.spec.role)
        and filters.exact("membership", "accepted")
        and filters.labels("node.label", body.spec.labels)
        and filters.labels("label", description.engine.labels)
    )


def service(body: api.Service, filters: Filters) -> bool:
    spec = body.spec
    return (
        filters.prefix("id", body.id)
        and filters.prefix("name", spec.name)
        and filters.exact("mode", spec.mode.name)
        and filters.exact("runtime", "container")
        and filters.labels("label", spec.labels)
    )


def check_tasks(filters: Filters) -> None:
    """Raises :class:`InvalidFilter` for a wanted state there is not."""
    for state in filters.values("desired-state"):
        if state not in DESIRED:
            raise InvalidFilter(f"Invalid desired-state filter: '{state}'")


def task(
    body: api.Task, filters: Filters, services: Mapping[str, api.Service], node_ids: Collection[str] | None
) -> bool:
    """``services`` by id; ``node_ids`` are those that ``node`` means, if it was asked for."""
    of = services.get(body.service_id)
    service = of.spec.name if of is not None else ""
    if "service" in filters and not filters.exact("service", body.service_id, service):
        return False
    wanted = filters.values("desired-state")
    if wanted and not any(body.desired_state in DESIRED[state] for state in wanted):
        return False
    if node_ids is not None and body.node_id not in node_ids:
        return False
    return filters.prefix("id", body.id) and filters.prefix("name", f"{service}.{body.slot or body.node_id}.{body.id}")


def secret(body: api.Secret | api.Config, filters: Filters) -> bool:
    spec = body.spec
    return (
        filters.prefix("id", body.id)
        and filters.prefix("name", spec.name)
        and filters.exact("names", spec.name)
        and filters.labels("label", spec.labels)
    )


def network(body: engineapi.Network, filters: Filters) -> bool:
    return (
        filters.exact("driver", body.driver)
        and filters.match("id", body.id)
        and filters.match("name", body.name)
        and filters.exact("scope", body.scope)
        and filters.exact("type", "builtin" if body.name in PREDEFINED else "custom")
        and filters.labels("label", body.labels)
    )


def prunable(labels: Mapping[str, str] | None, filters: Filters) -> bool:
    """Whether ``prune`` may take what has these labels (daemon/prune.go matchLabels)."""
    unwanted = filters.values("label!")
    return filters.labels("label", labels) and not any(
        (labels or {}).get(key) == value if equals else key in (labels or {})
        for key, equals, value in (each.partition("=") for each in unwanted)
    )


def volume(body: engineapi.Volume, filters: Filters) -> bool:
    return (
        filters.match("name", body.name)
        and filters.exact("driver", body.driver)
        and filters.labels("label", body.labels)
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


def event(body: engineapi.Message, filters: Filters) -> bool:
    """Of kinds that are named, the named ones only, by id or name or their beginning."""
    id, attributes = body.actor.id, body.actor.attributes
    actions = (body.action, body.action.partition(":")[0])
    return (
        filters.exact("type", body.type)
        and filters.exact("event", *actions)
        and filters.exact("scope", body.scope)
        and filters.exact("image", attributes.get("image", ""))
        and filters.labels("label", attributes)
        and filters.exact("id", id)
        and all(
            body.type == kind and filters.prefix(kind, id, attributes.get("name", ""))
            for kind in NAMED
            if kind in filters
        )
    )
