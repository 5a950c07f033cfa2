"""The replicated orchestrator (manager/orchestrator/replicated/): as many slots as the service asks for.

Wanted and actual are compared after every commit that touched the service. Scaling up fills the lowest
free slot numbers. Scaling down takes first what does not run, then what crowds a node. Tasks that
stopped or whose node is lost are handed to the restart supervisor.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.orchestrator import delete_task, new_task, want
from swarmsim.swarm.manager.reconciler import Reconciler
from swarmsim.swarm.manager.update import Slot
from swarmsim.swarm.objects import Node, Service, Task, node_invalid
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import MemoryStore, Step, Transaction


def slots_to_keep(slots: list[Slot], count: int, rng: Random) -> tuple[list[Slot], list[Slot]]:
    """Which slots stay when only ``count`` may: (kept, removed).

    Running slots come first; within them, each is numbered as the n-th of the service on its node, and
    low numbers stay. What ties is decided at random, as the order of Go's maps is.
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


class ReplicatedOrchestrator(Reconciler):
    """Keeps replicated services; ``rng`` decides among slots that are as good as each other."""

    def __init__(self, scope: Scope, store: MemoryStore, ids: Random, order: Random, rng: Random) -> None:
        self.rng = rng
        super().__init__(scope, store, ids, order)

    def is_ours(self, service: Service) -> bool:
        return service.is_replicated

    def must_restart(self, task: Task) -> bool:
        if task.status.state > TaskState.RUNNING:
            return True
        return bool(task.node_id) and node_invalid(self.store.get(Node, task.node_id))

    def node_changed(self, action: str, node: Node) -> list[Step]:
        if action == "delete" or node_invalid(node):
            for task in self.store.tasks_on_node(node.id):
                if task.desired_state <= TaskState.RUNNING and self.owns(task):
                    self.restart_soon(task)
        return []

    def reconcile(self, service: Service) -> Activity[None]:
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
            steps += [partial(delete_task, task.id) for slot in dead.values() for task in slot]
        elif wanted < len(running):
            kept, surplus = slots_to_keep(list(running.values()), wanted, self.rng)
            self.updater.update(service, kept)
            steps += [partial(delete_task, task.id) for slot in dead.values() for task in slot]
            steps += [partial(want, task.id, TaskState.REMOVE) for slot in surplus for task in slot]
        else:
            steps += [partial(delete_task, task.id) for slot in dead.values() for task in slot]
            self.updater.update(service, list(running.values()))
        if steps:
            yield self.store.batch(steps)

    def _create(self, service: Service, slot: int, tx: Transaction) -> None:
        tx.create(new_task(service, slot, "", self.ids, self.store.wall.now))
