"""What the scheduler knows of one node (manager/scheduler/nodeinfo.go)."""

from __future__ import annotations

from swarmsim.swarm.objects import Node, Quantities, Task
from swarmsim.swarm.states import TaskState

MONITOR_FAILURES = 300.0  # seconds, monitorFailures
MAX_FAILURES = 5  # maxFailures

_NOTHING = Quantities()


def reservations(task: Task) -> Quantities:
    return task.spec.resources.reservations or _NOTHING


class NodeInfo:
    """A node, its tasks, and what is left of it: CPUs in 10⁻⁹, memory in bytes, host ports."""

    __slots__ = ("active", "active_by_service", "failures", "free_cpus", "free_memory", "host_ports", "node", "tasks")

    def __init__(self, node: Node, tasks: list[Task] | None = None) -> None:
        self.tasks: dict[str, Task] = {}
        self.active = 0
        self.active_by_service: dict[str, int] = {}
        self.host_ports: set[tuple[str, int]] = set()
        self.failures: dict[tuple[str, int], list[float]] = {}
        self.node = node
        self.free_cpus = 0
        self.free_memory = 0
        self.set_node(node)
        for task in tasks or ():
            self.add(task)

    def set_node(self, node: Node) -> None:
        self.node = node
        description = node.description
        self.free_cpus = description.nano_cpus if description else 0
        self.free_memory = description.memory_bytes if description else 0
        for task in self.tasks.values():
            self._reserve(task, -1)

    def _reserve(self, task: Task, sign: int) -> None:
        reserved = reservations(task)
        self.free_cpus += sign * reserved.nano_cpus
        self.free_memory += sign * reserved.memory_bytes

    def _count(self, task: Task, change: int) -> None:
        self.active += change
        self.active_by_service[task.service_id] = self.active_by_service.get(task.service_id, 0) + change

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
        failures = self.failures.get((task.service_id, task.spec_version))
        return sum(1 for at in failures if now - at <= MONITOR_FAILURES) if failures else 0

    def rank(self, task: Task, now: float) -> tuple[int, int, int]:
        """The lower, the better: many recent failures of the service, its tasks here, all tasks here."""
        failures = self.recent_failures(task, now)
        return (
            failures if failures >= MAX_FAILURES else 0,
            self.active_by_service.get(task.service_id, 0),
            self.active,
        )
