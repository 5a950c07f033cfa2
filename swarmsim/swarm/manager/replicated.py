"""The replicated orchestrator (manager/orchestrator/replicated/): as many slots as the service asks for.

Wanted and actual are compared after every commit that touched the service. Scaling up fills the lowest
free slot numbers. Scaling down takes first what does not run, then what crowds a node. Tasks that
stopped or whose node is lost are handed to the restart supervisor.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.sim.scope import Activity, Scope
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.orchestrator import new_task
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.taskinit import check_tasks
from swarmsim.swarm.manager.update import Slot, UpdateSupervisor
from swarmsim.swarm.objects import Node, Service, Task, node_invalid, replace
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, Transaction


def slots_to_keep(slots: list[Slot], count: int, rng: Random) -> tuple[list[Slot], list[Slot]]:
    """Which slots stay when only ``count`` may: (kept, removed).

    Running slots come first; within them, each is numbered as the n-th of the service on its node, and
    low numbers stay. What ties is luck, as the order of Go's maps is.
    """
    slots = list(slots)
    rng.shuffle(slots)
    slots.sort(key=lambda slot: not any(task.status.state is TaskState.RUNNING for task in slot))
    on_node: dict[str, int] = {}
    indexed: list[tuple[int, Slot]] = []
    for slot in slots:
        if len(slot) == 1 and slot[0].node_id:
            node = slot[0].node_id
            on_node[node] = on_node.get(node, 0) + 1
            indexed.append((on_node[node], slot))
        else:
            indexed.append((-1, slot))
    indexed.sort(key=lambda pair: (pair[0] < 0, pair[0]))
    ordered = [slot for _, slot in indexed]
    return ordered[:count], ordered[count:]


class ReplicatedOrchestrator:
    def __init__(self, scope: Scope, store: MemoryStore, ids: Random, luck: Random) -> None:
        self.scope = scope
        self.store = store
        self.ids = ids
        self.luck = luck
        self.restarts = RestartSupervisor(scope, store, ids)
        self.updater = UpdateSupervisor(scope, store, self.restarts, ids)
        self._to_reconcile: dict[str, None] = {}
        self._to_restart: dict[str, None] = {}
        CommitLoop(scope, store, self._on_commit, self._start())

    def _start(self) -> Activity:
        for service in self.store.table(Service).values():
            if service.is_replicated:
                self._to_reconcile[service.id] = None
        steps = check_tasks(self.store, self.restarts, lambda service: service.is_replicated, self._check)
        if steps:
            yield self.store.batch(steps)
        yield from self._tick()

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity | None:
        removed: list[str] = []
        for action, obj, _ in changes:
            kind = type(obj)
            if kind is Task:
                self._task_changed(action, obj)
            elif kind is Node:
                if action == "delete" or node_invalid(obj):
                    self._restart_on_node(obj.id)
            elif kind is Service and obj.is_replicated:
                if action == "delete":
                    removed.append(obj.id)
                else:
                    self._to_reconcile[obj.id] = None
        if removed or self._to_restart or self._to_reconcile:
            return self._tick(removed)
        return None

    def _task_changed(self, action: str, task: Task) -> None:
        if action == "delete":
            if task.desired_state <= TaskState.RUNNING and self._is_ours(task):
                self._to_reconcile[task.service_id] = None
            self.restarts.cancel(task.id)
        else:
            self._check(task)

    def _check(self, task: Task) -> None:
        """Note a task that must be replaced."""
        if task.desired_state > TaskState.RUNNING:
            return
        if (
            task.status.state > TaskState.RUNNING or (task.node_id and node_invalid(self.store.get(Node, task.node_id)))
        ) and self._is_ours(task):
            self._to_restart[task.id] = None

    def _is_ours(self, task: Task) -> bool:
        service = self.store.get(Service, task.service_id)
        return service is not None and service.is_replicated

    def _restart_on_node(self, node_id: str) -> None:
        for task in self.store.tasks_on_node(node_id):
            if task.desired_state <= TaskState.RUNNING and self._is_ours(task):
                self._to_restart[task.id] = None

    def _tick(self, removed: list[str] | None = None) -> Activity:
        for service_id in removed or ():
            self._to_reconcile.pop(service_id, None)
            yield self.store.batch(
                [partial(self._want, task.id, TaskState.REMOVE) for task in self.store.tasks_of_service(service_id)]
            )
            self.restarts.forget_service(service_id)
        restart, self._to_restart = self._to_restart, {}
        if restart:
            yield self.store.batch([partial(self._restart, id) for id in restart])
        reconcile, self._to_reconcile = self._to_reconcile, {}
        for service_id in reconcile:
            service = self.store.get(Service, service_id)
            if service is not None:
                yield from self._reconcile(service)

    def _restart(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is None or task.desired_state > TaskState.RUNNING:
            return
        service = tx.get(Service, task.service_id)
        if service is not None and service.is_replicated:
            self.restarts.restart(tx, service, task)

    def _reconcile(self, service: Service) -> Activity:
        slots: dict[int, Slot] = {}
        for task in self.store.tasks_of_service(service.id):
            slots.setdefault(task.slot, []).append(task)
        running: dict[int, Slot] = {}
        dead: dict[int, Slot] = {}
        for number, slot in slots.items():
            updatable = self.restarts.updatable_tasks(slot, service)
            if updatable:
                running[number] = updatable
            else:
                dead[number] = slot
        wanted = service.replicas
        steps = []
        if wanted > len(running):
            self.updater.update(service, list(running.values()))
            number = 0
            for _ in range(wanted - len(running)):
                number += 1
                while number in running:
                    number += 1
                dead.pop(number, None)
                steps.append(partial(self._create, service, number))
            steps += [partial(self._delete, task.id) for slot in dead.values() for task in slot]
        elif wanted < len(running):
            kept, surplus = slots_to_keep(list(running.values()), wanted, self.luck)
            self.updater.update(service, kept)
            steps += [partial(self._delete, task.id) for slot in dead.values() for task in slot]
            steps += [partial(self._want, task.id, TaskState.REMOVE) for slot in surplus for task in slot]
        else:
            steps += [partial(self._delete, task.id) for slot in dead.values() for task in slot]
            self.updater.update(service, list(running.values()))
        if steps:
            yield self.store.batch(steps)

    def _create(self, service: Service, slot: int, tx: Transaction) -> None:
        tx.create(new_task(service, slot, "", self.ids, self.scope.clock.now))

    def _delete(self, task_id: str, tx: Transaction) -> None:
        tx.delete(Task, task_id)

    def _want(self, task_id: str, state: TaskState, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is not None and task.desired_state < state:
            tx.update(replace(task, desired_state=state))
