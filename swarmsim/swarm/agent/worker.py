"""The tasks of one node (agent/worker.go): kept on disk, so that a restarted agent goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from swarmsim.sim.scope import Scope
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.agent.taskmanager import Controller, TaskManager
from swarmsim.swarm.api.dispatcher import AssignmentsMessage
from swarmsim.swarm.objects import EncryptionKey, Node, NodeDescription, Task, TaskStatus
from swarmsim.swarm.store import MemoryStore

TaskDisk = dict[str, Task]
"""The agent's task database: each assigned task with the last status it reached here."""


class Executor(Protocol):
    """What runs tasks (agent/exec/executor.go): here, the Docker engine."""

    def describe(self) -> NodeDescription: ...

    def controller(self, task: Task) -> Controller: ...

    def configure(self, node: Node, managers: tuple[str, ...]) -> None:
        """What the managers say of the node (executor.go Configure), and the addresses of those elsewhere."""

    def set_network_keys(self, keys: tuple[EncryptionKey, ...]) -> None:
        """What nodes encrypt with what they tell each other of networks (executor.go SetNetworkBootstrapKeys)."""

    def managing(self, store: MemoryStore) -> None:
        """A manager with this store runs on the host now."""

    def panic(self, why: str) -> None:
        """Nothing goes on from here: the whole engine ends."""


class Worker:
    """``report(task's id, status, moved)``: ``moved`` if it is in another state, not only told more of."""

    def __init__(
        self,
        scope: Scope,
        wall: WallClock,
        executor: Executor,
        disk: TaskDisk,
        report: Callable[[str, TaskStatus, bool], object],
    ) -> None:
        self.scope = scope
        self.wall = wall
        self.executor = executor
        self.disk = disk
        self._report = report
        self.managers: dict[str, TaskManager] = {}
        for task in list(disk.values()):
            self._start(task)

    def assign(self, assignments: AssignmentsMessage) -> None:
        for task in assignments.tasks:
            manager = self.managers.get(task.id)
            if manager is not None:
                self.disk[task.id] = msgspec.structs.replace(task, status=manager.status)
                manager.update(task)
            else:
                self.disk[task.id] = task
                self._start(task)
        if assignments.complete:
            wanted = {task.id for task in assignments.tasks}
            gone = [id for id in self.managers if id not in wanted]
        else:
            gone = list(assignments.removed)
        for id in gone:
            self.disk.pop(id, None)
            manager = self.managers.pop(id, None)
            if manager is not None:
                manager.close()

    def statuses(self) -> list[tuple[str, TaskStatus]]:
        return [(id, manager.status) for id, manager in self.managers.items()]

    def _start(self, task: Task) -> None:
        controller = self.executor.controller(task)
        self.managers[task.id] = TaskManager(
            self.scope.child(f"task {task.id}"), self.wall, task, controller, self._status_changed
        )

    def _status_changed(self, task_id: str, status: TaskStatus) -> None:
        task = self.disk.get(task_id)
        moved = task is not None and task.status.state is not status.state
        if task is not None:
            self.disk[task_id] = msgspec.structs.replace(task, status=status)
        self._report(task_id, status, moved)
