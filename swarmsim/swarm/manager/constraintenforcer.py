"""The constraint enforcer (manager/orchestrator/constraintenforcer/): tasks whose node no longer fits go.

When a node's labels, role or resources change, tasks there that would not be placed there now are
rejected, and their orchestrator replaces them elsewhere.
"""

from __future__ import annotations

from functools import partial

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.constraint import NoConstraints, node_matches, parse
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.scheduler.nodeinfo import reservations
from swarmsim.swarm.objects import Availability, Node, Service, Task, TaskStatus
from swarmsim.swarm.states import REJECTED_MESSAGE, TaskState, Who
from swarmsim.swarm.store import Change, MemoryStore, Transaction

REJECTED_ERROR = "assigned node no longer meets constraints"


class ConstraintEnforcer:
    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        CommitLoop(scope, store, self._on_commit, self._reject([node.id for node in store.table(Node).values()]))

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        nodes = [
            obj.id
            for action, obj, old in changes
            if type(obj) is Node
            and action == "update"
            and (obj.spec != old.spec or obj.role is not old.role or obj.description != old.description)
        ]
        return self._reject(nodes) if nodes else None

    def _reject(self, nodes: list[str]) -> Activity[None]:
        steps = [partial(self._reject_task, id) for node in nodes for id in self._misplaced(node)]
        if steps:
            yield self.store.batch(steps)

    def _misplaced(self, node_id: str) -> list[str]:
        node = self.store.get(Node, node_id)
        if node is None or node.spec.availability is Availability.DRAIN:
            return []  # draining is the orchestrators' business
        cpus = node.description.nano_cpus if node.description else 0
        memory = node.description.memory_bytes if node.description else 0
        misplaced = []
        for task in self.store.tasks_on_node(node_id):
            if not TaskState.ASSIGNED <= task.status.state <= TaskState.RUNNING:
                continue
            if task.desired_state < TaskState.ASSIGNED or task.desired_state > TaskState.RUNNING:
                continue
            service = self.store.get(Service, task.service_id)
            texts = task.spec.placement.constraints
            if service is not None and service.spec.task.placement.constraints != texts:
                continue  # an update is on its way
            try:
                if texts and not node_matches(parse(texts), node):
                    misplaced.append(task.id)
                    continue
            except NoConstraints:
                continue
            wanted = reservations(task)
            if wanted.nano_cpus > cpus or wanted.memory_bytes > memory:
                misplaced.append(task.id)
                continue
            cpus -= wanted.nano_cpus
            memory -= wanted.memory_bytes
        return misplaced

    def _reject_task(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is not None and task.desired_state <= TaskState.RUNNING and task.status.state <= TaskState.RUNNING:
            status = TaskStatus(TaskState.REJECTED, self.store.wall.now, REJECTED_MESSAGE, REJECTED_ERROR)
            tx.update(replace(task, status=status), Who.ENFORCER)
