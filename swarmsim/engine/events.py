"""What ``docker events`` shows (moby daemon/events.go): the last things that happened on an engine.

Containers, networks and volumes are the host's own events; on a manager the changes of the swarm's objects come too,
as the manager's copy of the store sees them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.objects import Config, Network, Node, Secret, Service, StoreObject
from swarmsim.swarm.store import Change, MemoryStore

LIMIT = 256  # events kept, moby daemon/events eventsLimit
TOLD_OF = (Node, Service, Network, Secret, Config)
"""Tasks and the cluster, which change most, have no events."""

ACTIONS = {"create": "create", "update": "update", "delete": "remove"}


class EngineEvent(NamedTuple):
    """``at`` by the host's clock; ``scope`` is local or swarm; ``more`` is said besides what its container says."""

    at: float
    type: str
    action: str
    id: str
    more: dict[str, str]
    scope: str
    container: Container | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """Put together when it is read: most events never are."""
        if self.container is None:
            return self.more
        return {"image": self.container.image, "name": self.container.name, **self.container.labels, **self.more}


class EventLog:
    """The events of one engine since it started."""

    def __init__(self, wall: WallClock) -> None:
        self.wall = wall
        self.past: deque[EngineEvent] = deque(maxlen=LIMIT)
        self._listeners: list[Callable[[EngineEvent], object]] = []

    def emit(
        self,
        type: str,
        action: str,
        id: str,
        more: dict[str, str],
        scope: str = "local",
        container: Container | None = None,
    ) -> None:
        event = EngineEvent(self.wall.now, type, action, id, more, scope, container)
        self.past.append(event)
        for listener in tuple(self._listeners):
            listener(event)

    def listen(self, listener: Callable[[EngineEvent], object]) -> Callable[[], None]:
        """Call ``listener(event)`` for every event from now on; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def follow(self, store: MemoryStore) -> Callable[[], None]:
        """Tell of the swarm's objects as a manager's store changes; returns how to stop."""
        return store.watch(self._swarm_changed)

    def _swarm_changed(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if type(change.obj) in TOLD_OF:
                attributes = _attributes(change)
                self.emit(change.obj.table, ACTIONS[change.action], change.obj.id, attributes, "swarm")


def _attributes(change: Change) -> dict[str, str]:
    obj: StoreObject = change.obj
    updated = change.action == "update"
    if isinstance(obj, Node):
        return {"name": obj.hostname, **(_node_changes(obj, change.old) if updated else {})}
    if isinstance(obj, Service):
        return {"name": obj.name, **(_service_changes(obj, change.old) if updated else {})}
    return {"name": obj.name}


def _differing(name: str, old: Any, new: Any) -> dict[str, str]:
    return {f"{name}.old": str(old), f"{name}.new": str(new)} if old != new else {}


def _node_changes(node: Node, old: Node) -> dict[str, str]:
    return {
        **_differing("availability", old.spec.availability, node.spec.availability),
        **_differing("role", old.role, node.role),
        **_differing("state", old.status.state, node.status.state),
    }


def _service_changes(service: Service, old: Service) -> dict[str, str]:
    changes = _differing("image", old.spec.task.container.image, service.spec.task.container.image)
    if service.is_replicated and old.is_replicated:
        changes |= _differing("replicas", old.replicas, service.replicas)
    if service.update_status is not None:
        state = service.update_status.state
        before = old.update_status.state if old.update_status is not None else ""
        if before != state:
            changes |= {**({"updatestate.old": before} if before else {}), "updatestate.new": state}
    return changes
