"""The task reaper (manager/orchestrator/taskreaper/task_reaper.go): history is kept short.

Per slot the last ``task_history_limit`` tasks stay. Tasks wanted REMOVE go once they have stopped, or at
once if they never reached a node. Work is done in batches: 250 ms after the first event of a batch, or
when more than 1,000 slots and tasks are noted.
"""

from __future__ import annotations

from functools import partial

from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.orchestrator import Restart, SlotTuple, by_timestamp, delete_task
from swarmsim.swarm.objects import Cluster, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore

MAX_DIRTY = 1000
BATCHING_INTERVAL = 0.250  # seconds, reaperBatchingInterval


def _removable(task: Task) -> bool:
    if task.is_attachment and task.status.state >= TaskState.ORPHANED:
        return True  # nobody replaces it
    return task.desired_state is TaskState.REMOVE and (
        task.status.state < TaskState.ASSIGNED or task.status.state >= TaskState.COMPLETE
    )


class TaskReaper:
    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        self._limit = store.cluster.spec.task_history_limit if store.cluster else 5
        self._dirty: dict[SlotTuple, None] = {}
        self._cleanup: dict[str, None] = {task.id: None for task in store.table(Task).values() if _removable(task)}
        self._timed = False
        scope.on_end(store.watch(self._on_commit))
        if self._cleanup:
            self._tick()

    def _on_commit(self, changes: tuple[Change, ...]) -> None:
        noticed = False
        for action, obj, _ in changes:
            kind = type(obj)
            if kind is Task:
                if action == "create":
                    self._dirty[SlotTuple(obj.service_id, obj.slot, "" if obj.slot else obj.node_id)] = None
                elif action == "update":
                    if _removable(obj):
                        self._cleanup[obj.id] = None
                else:
                    continue
                noticed = True
            elif kind is Cluster and action == "update":
                self._limit = obj.spec.task_history_limit
                noticed = True
        if not noticed or (not self._dirty and not self._cleanup):
            return
        if len(self._dirty) + len(self._cleanup) > MAX_DIRTY:
            self._tick()
        elif not self._timed:
            self._timed = True
            self.scope.after(BATCHING_INTERVAL, self._on_time)

    def _on_time(self) -> None:
        self._timed = False
        self._tick()

    def _tick(self) -> None:
        doomed = dict(self._cleanup)
        self._cleanup.clear()
        for slot in list(self._dirty):
            service = self.store.get(Service, slot.service_id)
            if service is None or self._reap_slot(service, slot, doomed):
                del self._dirty[slot]
        if doomed:
            self.store.batch([partial(delete_task, id) for id in doomed])

    def _reap_slot(self, service: Service, slot: SlotTuple, doomed: dict[str, None]) -> bool:
        """Choose what goes from one slot; whether the slot needs no further look."""
        if service.is_job:
            return True  # a job keeps what it has done until its next iteration
        limit = self._limit
        attempts = Restart.of(service.spec.task.restart).max_attempts
        if attempts > 0:
            limit = attempts + 1  # needed to count attempts after a change of leader
        if limit < 0:
            return True
        if service.is_global:
            history = [t for t in self.store.tasks_on_node(slot.node_id) if t.service_id == service.id]
        else:
            history = self.store.tasks_in_slot(slot.service_id, slot.slot)
        surplus = len(history) - limit
        if surplus <= 0:
            return True
        running = 0
        for task in sorted(history, key=by_timestamp):
            never_runs = task.status.state < TaskState.ASSIGNED and task.desired_state > TaskState.RUNNING
            if task.status.state > TaskState.RUNNING or never_runs:
                doomed[task.id] = None
                surplus -= 1
                if surplus <= 0:
                    break
            else:
                running += 1
        return running <= 1
