"""The global orchestrator (manager/orchestrator/global/): one task on every node that may have one.

A node takes part if it is neither DOWN nor drained and fits the service's constraints. Paused nodes keep
what they have and get nothing new. Tasks are assigned to their node from the start; the scheduler only
confirms that they fit.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.sim.scope import Activity, Scope
from swarmsim.swarm.constraint import NoConstraints, node_matches, parse
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.orchestrator import new_task
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.taskinit import check_tasks
from swarmsim.swarm.manager.update import Slot, UpdateSupervisor
from swarmsim.swarm.objects import Availability, Node, Service, Task, node_invalid, replace
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, Transaction


class GlobalOrchestrator:
    def __init__(self, scope: Scope, store: MemoryStore, ids: Random) -> None:
        self.scope = scope
        self.store = store
        self.ids = ids
        self.restarts = RestartSupervisor(scope, store, ids)
        self.updater = UpdateSupervisor(scope, store, self.restarts, ids)
        self._to_restart: dict[str, None] = {}
        CommitLoop(scope, store, self._on_commit, self._start())

    def _start(self) -> Activity:
        steps = check_tasks(self.store, self.restarts, lambda service: service.is_global, self._check)
        if steps:
            yield self.store.batch(steps)
        yield from self._tick([s.id for s in self.store.table(Service).values() if s.is_global], [])

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity | None:
        services: dict[str, None] = {}
        removed: list[str] = []
        for action, obj, _ in changes:
            kind = type(obj)
            if kind is Service and obj.is_global:
                if action == "delete":
                    removed.append(obj.id)
                else:
                    services[obj.id] = None
            elif kind is Node:
                # A node that came, changed or went concerns every global service.
                services.update((s.id, None) for s in self.store.table(Service).values() if s.is_global)
            elif kind is Task:
                if action == "delete":
                    if obj.desired_state <= TaskState.RUNNING and self._is_ours(obj):
                        services[obj.service_id] = None
                    self.restarts.cancel(obj.id)
                else:
                    self._check(obj)
        if services or removed or self._to_restart:
            return self._tick(list(services), removed)
        return None

    def _is_ours(self, task: Task) -> bool:
        service = self.store.get(Service, task.service_id)
        return service is not None and service.is_global

    def _check(self, task: Task) -> None:
        if task.desired_state > TaskState.RUNNING or task.status.state <= TaskState.RUNNING:
            return
        if self._is_ours(task) and not node_invalid(self.store.get(Node, task.node_id)):
            self._to_restart[task.id] = None

    def _tick(self, services: list[str], removed: list[str]) -> Activity:
        for service_id in removed:
            tasks = self.store.tasks_of_service(service_id)
            yield self.store.batch([partial(self._want, task.id, TaskState.REMOVE) for task in tasks])
            self.restarts.forget_service(service_id)
        restart, self._to_restart = self._to_restart, {}
        if restart:
            yield self.store.batch([partial(self._restart, id) for id in restart])
        for service_id in services:
            service = self.store.get(Service, service_id)
            if service is not None:
                yield from self._reconcile(service)

    def _restart(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is None or task.desired_state > TaskState.RUNNING:
            return
        service = tx.get(Service, task.service_id)
        if service is not None and service.is_global:
            self.restarts.restart(tx, service, task)

    def _reconcile(self, service: Service) -> Activity:
        by_node: dict[str, Slot] = {}
        for task in self.store.tasks_of_service(service.id):
            by_node.setdefault(task.node_id, []).append(task)
        try:
            constraints = parse(service.spec.task.placement.constraints or [])
        except NoConstraints:
            constraints = []
        steps = []
        to_update: list[Slot] = []
        for node in self.store.table(Node).values():
            slot = by_node.pop(node.id, [])
            if node_invalid(node):
                # There is nothing to start elsewhere: the tasks of a node that left just end.
                steps += [
                    partial(self._want, t.id, TaskState.SHUTDOWN) for t in slot if t.desired_state <= TaskState.RUNNING
                ]
                continue
            if not node_matches(constraints, node):
                steps += [
                    partial(self._want, t.id, TaskState.SHUTDOWN) for t in slot if t.desired_state <= TaskState.RUNNING
                ]
                continue
            updatable = self.restarts.updatable_tasks(slot, service)
            if updatable:
                to_update.append(updatable)
            elif node.spec.availability is Availability.ACTIVE:
                steps.append(partial(self._create, service, node.id))
        for slot in by_node.values():
            steps += [
                partial(self._want, t.id, TaskState.SHUTDOWN) for t in slot if t.desired_state <= TaskState.RUNNING
            ]
        self.updater.update(service, to_update)
        if steps:
            yield self.store.batch(steps)

    def _create(self, service: Service, node_id: str, tx: Transaction) -> None:
        tx.create(new_task(service, 0, node_id, self.ids, self.scope.clock.now))

    def _want(self, task_id: str, state: TaskState, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is not None and task.desired_state < state:
            tx.update(replace(task, desired_state=state))
