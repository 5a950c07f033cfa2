"""The restart supervisor (manager/orchestrator/restart/restart.go).

A task that must be replaced is told to shut down, and its replacement is created at once with desired
state READY, so that it is scheduled and its image is there. It moves to RUNNING after the restart delay
and once the old task has stopped, at most a minute later (not waited for when the old node is DOWN).
Drained nodes have no delay. The supervisor's memory (delays, history of attempts per slot and spec
version) is the leader's and dies with its leadership.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.orchestrator import Restart, SlotTuple, by_timestamp, new_task
from swarmsim.swarm.objects import Availability, Node, NodeState, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, Transaction

OLD_TASK_TIMEOUT = 60.0  # seconds, defaultOldTaskTimeout


class _Delay:
    """A replacement waiting for its turn."""

    __slots__ = ("done", "scope", "waiter")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.done: Future[None] = scope.clock.future()
        self.waiter = False


class _History:
    """Restarts of one slot since its spec version: how many, and when the recent ones were created."""

    __slots__ = ("recent", "spec_version", "total")

    def __init__(self, spec_version: int) -> None:
        self.spec_version = spec_version
        self.total = 0
        self.recent: deque[float] = deque()


class RestartSupervisor:
    def __init__(self, scope: Scope, store: MemoryStore, ids: Random) -> None:
        self.scope = scope
        self.store = store
        self.ids = ids
        self._delays: dict[str, _Delay] = {}
        self._history: dict[SlotTuple, _History] = {}

    # -- restarting

    def restart(self, tx: Transaction, service: Service, task: Task) -> None:
        """Shut ``task`` down and, if its policy says so, create its replacement."""
        delay = self._delays.get(task.id)
        if delay is not None:
            # The task is itself still waiting to start: replace it only then, or an image that does
            # not exist would be tried in a tight loop.
            if not delay.waiter:
                delay.waiter = True
                self.scope.spawn(self._restart_after(delay, task.id))
            return
        if task.desired_state > TaskState.COMPLETE:
            return
        task = replace(task, desired_state=TaskState.SHUTDOWN)
        tx.update(task)
        if not self.should_restart(task, service):
            return
        node_id = "" if service.has_slots else task.node_id
        replacement = replace(
            new_task(service, task.slot, node_id, self.ids, self.store.wall.now), desired_state=TaskState.READY
        )
        node = tx.get(Node, task.node_id)
        drained = node is not None and node.spec.availability is Availability.DRAIN
        seconds = 0.0 if drained else Restart.of(task.spec.restart).delay
        wait_stop = not (node is not None and node.status.state is NodeState.DOWN) and (
            task.status.state <= TaskState.RUNNING
        )
        tx.create(replacement)
        self.record(SlotTuple.of(service, replacement), replacement, self.store.wall.now)
        self.delay_start(task if wait_stop else None, replacement.id, seconds)

    def _restart_after(self, delay: _Delay, task_id: str) -> Activity[None]:
        yield delay.done
        yield self.store.update(partial(self._restart_task, task_id))

    def _restart_task(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is None or task.desired_state > TaskState.RUNNING:
            return
        service = tx.get(Service, task.service_id)
        if service is not None:
            self.restart(tx, service, task)

    def should_restart(self, task: Task, service: Service) -> bool:
        """Whether the restart policy lets the task be replaced."""
        policy = Restart.of(task.spec.restart)
        if policy.condition == "none":
            return False
        # A job that ended well is done, whatever the policy.
        if task.status.state is TaskState.COMPLETE and (policy.condition == "on-failure" or service.is_job):
            return False
        if policy.max_attempts == 0:
            return True
        history = self._history.get(SlotTuple.of(service, task))
        if history is None or history.spec_version != task.spec_version:
            return True
        if policy.window == 0:
            return history.total < policy.max_attempts
        ended = task.status.timestamp if task.status.applied_at is None else task.status.applied_at
        while history.recent and history.recent[0] <= ended - policy.window:
            history.recent.popleft()
        return sum(1 for created in history.recent if created < ended) < policy.max_attempts

    def record(self, tuple: SlotTuple, replacement: Task, created_at: float) -> None:
        """Count one restart of a slot, if its policy limits them."""
        policy = Restart.of(replacement.spec.restart)
        if policy.max_attempts == 0:
            return
        history = self._history.get(tuple)
        if history is None or history.spec_version != replacement.spec_version:
            history = self._history[tuple] = _History(replacement.spec_version)
        history.total += 1
        if policy.window:
            history.recent.append(created_at)

    def forget_service(self, service_id: str) -> None:
        for tuple in [tuple for tuple in self._history if tuple.service_id == service_id]:
            del self._history[tuple]

    # -- delayed starts

    def delay_start(self, old: Task | None, new_id: str, seconds: float) -> Future[None]:
        """Move ``new_id`` to RUNNING after ``seconds`` and once ``old`` has stopped; happens when done."""
        earlier = self._delays.pop(new_id, None)
        if earlier is not None:
            earlier.scope.end()
        delay = self._delays[new_id] = _Delay(self.scope.child(f"start {new_id}"))
        stopped: Future[None] | None = None
        if old is not None and old.status.state <= TaskState.RUNNING:
            stopped = self._stopped(delay.scope, old)
        delay.scope.spawn(self._start_later(delay, new_id, seconds, stopped))
        return delay.done

    def _stopped(self, scope: Scope, old: Task) -> Future[None]:
        """The old task stopped, or its node went down or away, or a minute has passed."""
        stopped: Future[None] = self.scope.clock.future()

        def on_task(change: Change) -> None:
            if not stopped.triggered and (change.action == "delete" or change.obj.status.state > TaskState.RUNNING):
                stopped.succeed()

        def on_node(change: Change) -> None:
            if not stopped.triggered and (change.action == "delete" or change.obj.status.state is NodeState.DOWN):
                stopped.succeed()

        scope.on_end(self.store.watch_object(old.id, on_task))
        scope.on_end(self.store.watch_object(old.node_id, on_node))
        scope.after(OLD_TASK_TIMEOUT, lambda: stopped.triggered or stopped.succeed())
        return stopped

    def _start_later(self, delay: _Delay, new_id: str, seconds: float, stopped: Future[None] | None) -> Activity[None]:
        if seconds > 0:
            yield seconds
        if stopped is not None:
            yield stopped
        yield self.store.update(partial(self.start_now, new_id))
        if self._delays.get(new_id) is delay:
            del self._delays[new_id]
        delay.done.succeed()
        delay.scope.end()

    def start_now(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is not None and task.desired_state < TaskState.RUNNING:
            wanted = TaskState.RUNNING if task.job_iteration is None else TaskState.COMPLETE
            tx.update(replace(task, desired_state=wanted))

    def cancel(self, task_id: str) -> None:
        delay = self._delays.pop(task_id, None)
        if delay is not None:
            delay.scope.end()
            delay.done.succeed()

    # -- what an update may touch

    def updatable_tasks(self, slot: list[Task], service: Service) -> list[Task]:
        """The tasks of a slot that an update replaces; none if the slot is dead."""
        wanted = [task for task in slot if task.desired_state <= TaskState.RUNNING]
        if wanted or not slot:
            return wanted
        if service.update_status is not None and service.update_status.state == "rollback_started":
            return []
        newest = max(slot, key=by_timestamp)
        return [] if self.should_restart(newest, service) else [newest]
