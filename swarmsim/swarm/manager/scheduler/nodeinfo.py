"""What the scheduler knows of one node (manager/scheduler/nodeinfo.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from swarmsim.apitypes.specs import DiscreteResource, GenericResource, NamedResource, Quantities
from swarmsim.swarm.objects import Node, Task
from swarmsim.swarm.states import TaskState

MONITOR_FAILURES = 300.0  # seconds, monitorFailures
MAX_FAILURES = 5  # maxFailures

_NOTHING = Quantities()


def reservations(task: Task) -> Quantities:
    return task.spec.resources.reservations or _NOTHING


class GenericStock:
    """User-defined resources by kind (api/genericresource): names that are handed out, or a number of things."""

    def __init__(self, resources: Iterable[GenericResource] = ()) -> None:
        self._names: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self.put_back(resources)

    def put_back(self, resources: Iterable[GenericResource]) -> None:
        for resource in resources:
            if resource.named is not None:
                self._names.setdefault(resource.named.kind, []).append(resource.named.value)
            elif resource.discrete is not None:
                kind = resource.discrete.kind
                self._counts[kind] = self._counts.get(kind, 0) + resource.discrete.value

    def has(self, wanted: Iterable[GenericResource]) -> bool:
        return all(self._free(each.kind) >= _number(each) for each in wanted)

    def _free(self, kind: str) -> int:
        return len(self._names[kind]) if kind in self._names else self._counts.get(kind, 0)

    def take(self, wanted: Iterable[GenericResource]) -> tuple[GenericResource, ...]:
        """Hand out what is wanted, by name where the node has names."""
        taken: list[GenericResource] = []
        for each in wanted:
            kind, number = each.kind, _number(each)
            if kind in self._names:
                names, self._names[kind] = self._names[kind][:number], self._names[kind][number:]
                taken += [GenericResource(named=NamedResource(kind=kind, value=name)) for name in names]
            elif kind in self._counts:
                self._counts[kind] -= number
                taken.append(GenericResource(discrete=DiscreteResource(kind=kind, value=number)))
        return tuple(taken)

    def remove(self, taken: Iterable[GenericResource]) -> None:
        """What tasks hold already is not there to be handed out."""
        for each in taken:
            if each.named is not None and each.named.value in self._names.get(each.kind, ()):
                self._names[each.kind].remove(each.named.value)
            elif each.discrete is not None and each.kind in self._counts:
                self._counts[each.kind] -= each.discrete.value


def _number(resource: GenericResource) -> int:
    return resource.discrete.value if resource.discrete is not None else 1


class Follower(Protocol):
    """Who keeps nodes in order and must know when a node's tasks change."""

    def on_count_changed(self, info: NodeInfo, service_id: str, change: int) -> None:
        """The node has ``change`` more active tasks of the service; its own counts are the new ones already."""


class NodeInfo:
    """A node, its tasks, and what is left of it: CPUs in 10⁻⁹, memory in bytes, host ports, generic resources."""

    __slots__ = (
        "active",
        "active_by_service",
        "failures",
        "follower",
        "free_cpus",
        "free_generic",
        "free_memory",
        "host_ports",
        "node",
        "position",
        "tasks",
    )

    def __init__(self, node: Node, tasks: Iterable[Task] = (), position: int = 0) -> None:
        self.tasks: dict[str, Task] = {}
        self.active = 0
        self.active_by_service: dict[str, int] = {}
        self.host_ports: set[tuple[str, int]] = set()
        self.failures: dict[tuple[str, int], list[float]] = {}
        self.position = position
        self.follower: Follower | None = None
        self.set_node(node)
        for task in tasks:
            self.add(task)

    def set_node(self, node: Node) -> None:
        self.node = node
        description = node.description
        self.free_cpus = description.nano_cpus if description else 0
        self.free_memory = description.memory_bytes if description else 0
        self.free_generic = GenericStock(description.generic) if description and description.generic else None
        for task in self.tasks.values():
            self._reserve(task, -1)

    def _reserve(self, task: Task, sign: int) -> None:
        reserved = task.spec.resources.reservations
        if reserved is not None:
            self.free_cpus += sign * reserved.nano_cpus
            self.free_memory += sign * reserved.memory_bytes
        if task.generic and self.free_generic is not None:
            if sign > 0:
                self.free_generic.put_back(task.generic)
            else:
                self.free_generic.remove(task.generic)

    def claim(self, task: Task) -> tuple[GenericResource, ...]:
        """The generic resources of this node that ``task`` would get; they stay here until it is added."""
        wanted = reservations(task).generic
        if not wanted or self.free_generic is None:
            return ()
        taken = self.free_generic.take(wanted)
        self.free_generic.put_back(taken)
        return taken

    def _count(self, task: Task, change: int) -> None:
        service_id = task.service_id
        self.active += change
        count = self.active_by_service.get(service_id, 0) + change
        if count:
            self.active_by_service[service_id] = count
        else:
            self.active_by_service.pop(service_id, None)
        if self.follower is not None:
            self.follower.on_count_changed(self, service_id, change)

    def add(self, task: Task) -> None:
        """The task is on this node, or changed on it."""
        old = self.tasks.get(task.id)
        if old is not None:
            is_active, was_active = task.desired_state <= TaskState.COMPLETE, old.desired_state <= TaskState.COMPLETE
            if is_active != was_active:
                self.tasks[task.id] = task
                self._count(task, 1 if is_active else -1)
            return
        self.tasks[task.id] = task
        self._reserve(task, -1)
        for port in task.ports:
            if port.publish_mode == "host" and port.published_port:
                self.host_ports.add((port.protocol, port.published_port))
        if task.desired_state <= TaskState.COMPLETE:
            self._count(task, 1)

    def remove(self, task: Task) -> bool:
        old = self.tasks.pop(task.id, None)
        if old is None:
            return False
        if old.desired_state <= TaskState.COMPLETE:
            self._count(old, -1)
        for port in old.ports:
            if port.publish_mode == "host" and port.published_port:
                self.host_ports.discard((port.protocol, port.published_port))
        self._reserve(old, 1)
        return True

    def failed(self, task: Task, now: float) -> None:
        """Note that a task of this service version failed here."""
        key = (task.service_id, task.spec_version)
        recent = [at for at in self.failures.get(key, ()) if now - at < MONITOR_FAILURES]
        self.failures[key] = [*recent, now]

    def recent_failures(self, task: Task, now: float) -> int:
        failures = self.failures.get((task.service_id, task.spec_version)) if self.failures else None
        return sum(1 for at in failures if now - at <= MONITOR_FAILURES) if failures else 0

    def rank(self, task: Task, now: float) -> tuple[int, int, int]:
        """The lower, the better: many recent failures of the service, its tasks here, all tasks here."""
        failures = self.recent_failures(task, now)
        return (
            failures if failures >= MAX_FAILURES else 0,
            self.active_by_service.get(task.service_id, 0),
            self.active,
        )
