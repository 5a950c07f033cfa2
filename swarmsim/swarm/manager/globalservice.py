"""The global orchestrator (manager/orchestrator/global/): one task on every node that may have one.

A node takes part if it is neither DOWN nor drained and fits the service's constraints. Tasks are assigned to their
node from the start; the scheduler only confirms that they fit. On a paused node nothing is added, updated or
restarted. When a node comes or changes, its tasks are brought up to date at once, outside of any rolling update: an
outdated task gets a new one beside it and is shut down.

| what happened | what is done |
|---|---|
| a service changed | every node: shut down where it does not fit, add where a task is missing, update the rest; nothing where paused |
| a node changed | drained or DOWN: its tasks end; active and fitting: missing and outdated tasks are replaced |
| a node was removed | its tasks are deleted |
| a task stopped | restarted by its policy; ended for good if its node is paused or fits no more |
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from swarmsim.sim.future import Activity
from swarmsim.swarm.constraint import node_matches, parsed
from swarmsim.swarm.manager.orchestrator import delete_task, is_dirty, new_task, want
from swarmsim.swarm.manager.reconciler import Reconciler
from swarmsim.swarm.manager.update import Slot
from swarmsim.swarm.objects import Availability, Node, Service, Task, node_invalid
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Step, Transaction


def _fits(service: Service, node: Node) -> bool:
    found = parsed(tuple(service.spec.task.placement.constraints or ()))
    return found is None or node_matches(found, node)


def _end(slot: Iterable[Task]) -> list[Step]:
    return [partial(want, task.id, TaskState.SHUTDOWN) for task in slot]


class GlobalOrchestrator(Reconciler):
    """Keeps global services."""

    def is_ours(self, service: Service) -> bool:
        return service.is_global

    def must_restart(self, task: Task) -> bool:
        return task.status.state > TaskState.RUNNING

    def found(self, task: Task) -> Step | None:
        if task.desired_state <= TaskState.RUNNING and node_invalid(self.store.get(Node, task.node_id)):
            return partial(want, task.id, TaskState.SHUTDOWN)
        return super().found(task)

    def node_changed(self, action: str, node: Node) -> list[Step]:
        services = [service for service in self.store.table(Service).values() if service.is_global]
        if not services:
            return []
        own = [task for task in self.store.tasks_on_node(node.id) if self.owns(task)]
        if action == "delete":
            return [partial(delete_task, task.id) for task in own]
        if node_invalid(node):
            return _end(own)
        if node.spec.availability is Availability.PAUSE:
            return []
        steps: list[Step] = []
        for service in services:
            if _fits(service, node):
                steps += self._refresh(service, node, [task for task in own if task.service_id == service.id])
        return steps

    def _refresh(self, service: Service, node: Node, slot: Slot) -> list[Step]:
        """Have one up-to-date task of the service on the node, outside of its rolling updates."""
        updatable = self.restarts.updatable_tasks(slot, service)
        clean = [task for task in updatable if not is_dirty(service, task, node)]
        surplus = [task for task in updatable if task not in clean[:1]]
        steps: list[Step] = [] if clean else [partial(self._create, service, node.id)]
        return steps + _end(surplus)

    def reconcile(self, service: Service) -> Activity[None]:
        by_node: dict[str, Slot] = {}
        for task in self.store.tasks_of_service(service.id):
            by_node.setdefault(task.node_id, []).append(task)
        slots = {id: self.restarts.updatable_tasks(slot, service) for id, slot in by_node.items()}
        steps: list[Step] = []
        to_update: list[Slot] = []
        for node in self.store.table(Node).values():
            if node_invalid(node):
                continue
            slot = slots.pop(node.id, [])
            if not _fits(service, node):
                steps += _end(slot)
            elif node.spec.availability is Availability.PAUSE:
                continue
            elif slot:
                to_update.append(slot)
            else:
                steps.append(partial(self._create, service, node.id))
        for slot in slots.values():
            # Their nodes are drained, down or gone.
            steps += _end(slot)
        if to_update:
            self.updater.update(service, to_update)
        if steps:
            yield self.store.batch(steps)

    def restart(self, tx: Transaction, service: Service, task: Task) -> None:
        node = tx.get(Node, task.node_id)
        if node_invalid(node):
            return
        assert node is not None
        if node.spec.availability is Availability.PAUSE or not _fits(service, node):
            want(task.id, TaskState.SHUTDOWN, tx)
        else:
            super().restart(tx, service, task)

    def _create(self, service: Service, node_id: str, tx: Transaction) -> None:
        if tx.get(Service, service.id) is not None:
            tx.create(new_task(service, 0, node_id, self.ids, self.store.wall.now))
