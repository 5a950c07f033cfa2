"""Rolling updates and rollbacks (manager/orchestrator/update/updater.go).

One updater per service works towards one spec. It takes the dirty slots, ``parallelism`` at a time and in the
order of a Go map, which is chance: replaces the slot's task, waits until the new one runs, waits the delay. A new
task that leaves RUNNING within the monitoring period, or never reaches it, is a failure; too many of them trigger
the failure action. Failures are looked at while slots are left to be handed out, and again once the last of them
has had its delay: for one more monitoring period, or for a second more than the delay if that is not shorter. Then
the update is completed.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.orchestrator import UpdatePlan, is_dirty, new_task
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.objects import Node, Service, Task, UpdateStatus
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, NotFound, StoreError, Transaction

Slot = list[Task]


class AlreadyShutDown(StoreError):
    """An update reached a slot whose tasks somebody else has shut down meanwhile."""


def _wanted(slot: Slot) -> Slot:
    return [task for task in slot if task.desired_state <= TaskState.RUNNING]


class UpdateSupervisor:
    """At most one updater a service."""

    def __init__(
        self, scope: Scope, store: MemoryStore, restarts: RestartSupervisor, ids: Random, order: Random
    ) -> None:
        self.scope = scope
        self.store = store
        self.restarts = restarts
        self.ids = ids
        self.order = order
        """Where the order of slots comes from: orchestrators keep them in Go maps."""
        self._updates: dict[str, Updater] = {}

    def update(self, service: Service, slots: list[Slot]) -> None:
        """Bring ``slots`` to the service's spec, unless that is already under way."""
        current = self._updates.get(service.id)
        if current is not None:
            if current.service.spec == service.spec:
                return
            current.cancel()
        updater = self._updates[service.id] = Updater(self, service)
        updater.scope.spawn(updater.run(slots))

    def finished(self, updater: Updater) -> None:
        if self._updates.get(updater.service.id) is updater:
            del self._updates[updater.service.id]


class Updater:
    def __init__(self, supervisor: UpdateSupervisor, service: Service) -> None:
        self.supervisor = supervisor
        self.store = supervisor.store
        self.restarts = supervisor.restarts
        self.service = service
        self.scope = supervisor.scope.child(f"update {service.spec.name}")
        self.stopped = False
        self._queue: deque[Slot] = deque()
        self._started: dict[str, float | None] = {}
        self._failed: set[str] = set()
        self._ended: deque[Task] = deque()
        """Tasks that left RUNNING and that nobody has looked at."""
        self._watching = False
        self._acted: Future[None] = self.scope.clock.future()
        """Happens when failures triggered the failure action."""
        self._dirty = 0
        status = service.update_status
        self._rolling_back = status is not None and status.state == "rollback_started"
        self.plan = UpdatePlan.of(service.spec.rollback if self._rolling_back else service.spec.update)
        self._monitor = self.plan.monitor

    def cancel(self) -> None:
        self.scope.end()

    def run(self, slots: list[Slot]) -> Activity[None]:
        status = self.service.update_status
        if status is not None and status.state in ("paused", "rollback_paused"):
            self._end()
            return
        dirty = [slot for slot in slots if len(slot) > 1 or self._is_dirty(slot[0])]
        if not dirty:
            if status is not None and status.state in ("updating", "rollback_started"):
                yield self.store.update(self._complete)
            self._end()
            return
        if status is None:
            yield self.store.update(self._start)
        self.supervisor.order.shuffle(dirty)
        self._queue.extend(dirty)
        self._dirty = len(dirty)
        self._watching = True
        if self.plan.failure_action != "continue":
            self.scope.on_end(self.store.watch(self._watch_failures))
        workers = [self.scope.spawn(self._worker()) for _ in range(self.plan.parallelism or len(dirty))]
        for worker in workers:
            yield worker
        if not self.stopped:
            if self.plan.delay >= self._monitor:
                # Else it would stop watching before the last task has had its delay.
                self._monitor = self.plan.delay + 1.0
            self._watching = True
            self._look_at_failures()
            yield self.scope.clock.first_of((self._acted, self.scope.clock.timeout(self._monitor)))
        if not self.stopped:
            # It works on nothing any more: the look that its last write causes may find what came up meanwhile
            # (a restart and a replacement of one slot that crossed).
            self.supervisor.finished(self)
            yield self.store.update(self._complete)
        self._end()

    def _end(self) -> None:
        self.supervisor.finished(self)
        self.scope.end()

    # -- one slot

    def _worker(self) -> Activity[None]:
        while self._queue:
            slot = self._queue.popleft()
            self._watching = bool(self._queue)
            clean = [task for task in slot if not self._is_dirty(task)]
            existing = next((task for task in clean if task.desired_state is TaskState.RUNNING), None) or next(
                (task for task in clean if task.desired_state < TaskState.RUNNING), None
            )
            if existing is not None:
                yield from self._use_existing(slot, existing)
            else:
                yield from self._replace(slot)
            if self.plan.delay:
                yield self.plan.delay

    def _replace(self, slot: Slot) -> Activity[None]:
        node_id = slot[0].node_id if self.service.is_global else ""
        task = new_task(self.service, slot[0].slot, node_id, self.supervisor.ids, self.store.wall.now)
        task = replace(task, desired_state=TaskState.READY)
        self._started[task.id] = None
        running: Future[Task] = self.scope.clock.future()

        def on_change(change: Change) -> None:
            if not running.triggered and change.obj.status.state >= TaskState.RUNNING:
                self._started[task.id] = self.scope.clock.now
                running.succeed(change.obj)

        stop_watching = self.store.watch_object(task.id, on_change)
        self.scope.on_end(stop_watching)
        start_first = self.plan.order == "start-first"
        olds = _wanted(slot)

        def create(tx: Transaction) -> Task | None:
            if tx.get(Service, task.service_id) is None:
                raise NotFound
            tx.create(task)
            return None if start_first else self._remove_old(olds, tx)

        try:
            old = yield from self.store.update(create)
        except (NotFound, AlreadyShutDown):
            return
        yield self.restarts.delay_start(old, task.id, 0.0)
        if self.store.get(Task, task.id) is None:
            return
        updated = yield running
        stop_watching()
        if start_first and updated.status.state is TaskState.RUNNING:
            with suppress(AlreadyShutDown):
                yield self.store.update(partial(self._remove_old, olds))

    def _use_existing(self, slot: Slot, existing: Task) -> Activity[None]:
        old = None
        olds = _wanted([task for task in slot if task is not existing])
        if olds:
            try:
                old = yield from self.store.update(partial(self._remove_old, olds))
            except AlreadyShutDown:
                return
        if existing.desired_state is not TaskState.RUNNING:
            yield self.restarts.delay_start(old, existing.id, 0.0)

    def _remove_old(self, olds: list[Task], tx: Transaction) -> Task | None:
        """Shut down what an update replaces; one of it (removeOldTasks). Raises :class:`AlreadyShutDown` if nothing of
        it is left: then whoever shut it down has put something in its place."""
        left = [task for task in (tx.get(Task, old.id) for old in olds) if task is not None]
        left = [task for task in left if task.desired_state <= TaskState.RUNNING]
        if olds and not left:
            raise AlreadyShutDown
        for task in left:
            tx.update(replace(task, desired_state=TaskState.SHUTDOWN))
        return left[-1] if left else None

    def _is_dirty(self, task: Task) -> bool:
        return is_dirty(self.service, task, self.store.get(Node, task.node_id))

    # -- failures

    def _watch_failures(self, changes: tuple[Change, ...]) -> None:
        for action, obj, _ in changes:
            if (
                action == "update"
                and type(obj) is Task
                and obj.service_id == self.service.id
                and obj.status.state > TaskState.RUNNING
            ):
                self._ended.append(obj)
        self._look_at_failures()

    def _look_at_failures(self) -> None:
        while self._watching and self._ended:
            self._task_failed(self._ended.popleft())

    def _task_failed(self, task: Task) -> None:
        if task.id in self._failed or task.id not in self._started:
            return
        started = self._started[task.id]
        if started is not None and self.scope.clock.now - started > self._monitor:
            return
        self._failed.add(task.id)
        if len(self._failed) / self._dirty <= self.plan.max_failure_ratio:
            return
        self.stopped = True
        self._watching = False
        self._queue.clear()
        if self.plan.failure_action == "rollback" and not self._rolling_back:
            message = f"update rolled back due to failure or early termination of task {task.id}"
            self.store.update(partial(self._roll_back, message))
        else:
            # A rollback that fails says "update", too: its own word is for a failure action it cannot have.
            message = f"update paused due to failure or early termination of task {task.id}"
            self.store.update(partial(self._pause, message))
        self._acted.succeed()

    # -- the service's update status

    def _start(self, tx: Transaction) -> None:
        service = tx.get(Service, self.service.id)
        if service is not None and service.update_status is None:
            status = UpdateStatus("updating", self.store.wall.now, "update in progress")
            tx.update(replace(service, update_status=status))

    def _pause(self, message: str, tx: Transaction) -> None:
        service = tx.get(Service, self.service.id)
        if service is None or service.update_status is None:
            return
        state = "rollback_paused" if service.update_status.state == "rollback_started" else "paused"
        status = replace(service.update_status, state=state, message=message)
        tx.update(replace(service, update_status=status))

    def _roll_back(self, message: str, tx: Transaction) -> None:
        service = tx.get(Service, self.service.id)
        if service is None or service.update_status is None or service.previous_spec is None:
            return
        tx.update(
            replace(
                service,
                update_status=replace(service.update_status, state="rollback_started", message=message),
                spec=service.previous_spec,
                spec_version=service.previous_spec_version,
                previous_spec=None,
                previous_spec_version=0,
            )
        )

    def _complete(self, tx: Transaction) -> None:
        service = tx.get(Service, self.service.id)
        if service is None or service.update_status is None:
            return
        back = service.update_status.state == "rollback_started"
        status = replace(
            service.update_status,
            state="rollback_completed" if back else "completed",
            message="rollback completed" if back else "update completed",
            completed_at=self.store.wall.now,
        )
        tx.update(replace(service, update_status=status))
