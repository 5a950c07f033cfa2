"""The global orchestrator (manager/orchestrator/global/): one task on every node that may have one.

A node takes part if it is neither DOWN nor drained and fits the service's constraints. Paused nodes keep
what they have and get nothing new. Tasks are assigned to their node from the start; the scheduler only
confirms that they fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from swarmsim.sim.future import Activity
from swarmsim.swarm.constraint import NoConstraints, node_matches, parse
from swarmsim.swarm.manager.orchestrator import new_task, want
from swarmsim.swarm.manager.reconciler import Reconciler
from swarmsim.swarm.manager.update import Slot
from swarmsim.swarm.objects import Availability, Node, Service, Task, node_invalid
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Transaction


class GlobalOrchestrator(Reconciler):
    """Keeps global services."""

    def is_ours(self, service: Service) -> bool:
        return service.is_global

    def must_restart(self, task: Task) -> bool:
        return task.status.state > TaskState.RUNNING and not node_invalid(self.store.get(Node, task.node_id))

    def node_changed(self, action: str, node: Node) -> None:
        # A node that came, changed or went concerns every global service.
        self.look_at(service for service in self.store.table(Service).values() if service.is_global)

    def reconcile(self, service: Service) -> Activity[None]:
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
            if node_invalid(node) or not node_matches(constraints, node):
                # There is nothing to start elsewhere: the tasks of a node that takes no part just end.
                steps += self._end(slot)
                continue
            updatable = self.restarts.updatable_tasks(slot, service)
            if updatable:
                to_update.append(updatable)
            elif node.spec.availability is Availability.ACTIVE:
                steps.append(partial(self._create, service, node.id))
        for slot in by_node.values():
            steps += self._end(slot)
        self.updater.update(service, to_update)
        if steps:
            yield self.store.batch(steps)

    def _end(self, slot: Slot) -> list[Callable[[Transaction], None]]:
        wanted = [task for task in slot if task.desired_state <= TaskState.RUNNING]
        return [partial(want, task.id, TaskState.SHUTDOWN) for task in wanted]

    def _create(self, service: Service, node_id: str, tx: Transaction) -> None:
        tx.create(new_task(service, 0, node_id, self.ids, self.scope.clock.now))
