"""What the replicated and the global orchestrator do alike: after every commit, bring services to what they ask for.

A commit may remove a service, change a node, call for restarts, and make services worth another look; they are
served in that order. What "as many as it asks for" means is the business of each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from random import Random

from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.orchestrator import want
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.taskinit import check_tasks
from swarmsim.swarm.manager.update import UpdateSupervisor
from swarmsim.swarm.objects import Node, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, Step, Transaction


class Reconciler(ABC):
    """Lives as long as its manager leads. ``ids`` is where the ids of new tasks come from, ``order`` where the order of
    slots does in which they are updated."""

    def __init__(self, scope: Scope, store: MemoryStore, ids: Random, order: Random) -> None:
        self.scope = scope
        self.store = store
        self.ids = ids
        self.restarts = RestartSupervisor(scope, store, ids)
        self.updater = UpdateSupervisor(scope, store, self.restarts, ids, order)
        self._to_reconcile: dict[str, None] = {}
        self._to_restart: dict[str, None] = {}
        CommitLoop(scope, store, self._on_commit, self._start())

    @abstractmethod
    def is_ours(self, service: Service) -> bool:
        """Whether the service is of this orchestrator's kind."""

    @abstractmethod
    def must_restart(self, task: Task) -> bool:
        """Whether a task that shall run has stopped or lost its node for good."""

    @abstractmethod
    def node_changed(self, action: str, node: Node) -> list[Step]:
        """Note what a change of a node means for services and tasks; what must be written for it at once."""

    @abstractmethod
    def reconcile(self, service: Service) -> Activity[None]:
        """Make, remove and update tasks until the service has what it asks for."""

    # -- noting

    def _start(self) -> Activity[None]:
        services = self.store.table(Service).values()
        self._to_reconcile.update((service.id, None) for service in services if self.is_ours(service))
        steps = check_tasks(self.store, self.restarts, self.is_ours, self.found)
        yield from self._tick([], steps)

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        removed: list[str] = []
        steps: list[Step] = []
        for action, obj, _ in changes:
            kind = type(obj)
            if kind is Task:
                self._task_changed(action, obj)
            elif kind is Node:
                steps += self.node_changed(action, obj)
            elif kind is Service and self.is_ours(obj):
                if action == "delete":
                    removed.append(obj.id)
                else:
                    self._to_reconcile[obj.id] = None
        if removed or steps or self._to_restart or self._to_reconcile:
            return self._tick(removed, steps)
        return None

    def _task_changed(self, action: str, task: Task) -> None:
        if action == "delete":
            if task.desired_state <= TaskState.RUNNING and self.owns(task):
                self._to_reconcile[task.service_id] = None
            self.restarts.cancel(task.id)
        else:
            self.note_restart(task)

    def note_restart(self, task: Task) -> None:
        """Hand the task to the restart supervisor soon, if that is due."""
        if task.desired_state <= TaskState.RUNNING and self.must_restart(task) and self.owns(task):
            self._to_restart[task.id] = None

    def found(self, task: Task) -> Step | None:
        """Note what a task needs that is there when the orchestrator starts; what must be written for it at once."""
        self.note_restart(task)
        return None

    def owns(self, task: Task) -> bool:
        """Whether the task belongs to a service of this orchestrator's kind."""
        service = self.store.get(Service, task.service_id)
        return service is not None and self.is_ours(service)

    def restart_soon(self, task: Task) -> None:
        """Hand the task to the restart supervisor soon."""
        self._to_restart[task.id] = None

    # -- doing

    def _tick(self, removed: list[str], steps: list[Step]) -> Activity[None]:
        for service_id in removed:
            self._to_reconcile.pop(service_id, None)
            tasks = self.store.tasks_of_service(service_id)
            yield self.store.batch([partial(want, task.id, TaskState.REMOVE) for task in tasks])
            self.restarts.forget_service(service_id)
        if steps:
            yield self.store.batch(steps)
        restart, self._to_restart = self._to_restart, {}
        if restart:
            yield self.store.batch([partial(self._restart, id) for id in restart])
        reconcile, self._to_reconcile = self._to_reconcile, {}
        for service_id in reconcile:
            service = self.store.get(Service, service_id)
            if service is not None:
                yield from self.reconcile(service)

    def _restart(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is None or task.desired_state > TaskState.RUNNING:
            return
        service = tx.get(Service, task.service_id)
        if service is not None and self.is_ours(service):
            self.restart(tx, service, task)

    def restart(self, tx: Transaction, service: Service, task: Task) -> None:
        """Shut a task down that has stopped and put another in its place, if its policy says so."""
        self.restarts.restart(tx, service, task)
