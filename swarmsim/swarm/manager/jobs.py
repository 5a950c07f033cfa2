"""The jobs orchestrator (manager/orchestrator/jobs/): services whose tasks are meant to end.

A replicated job runs until ``total_completions`` tasks have ended well, ``max_concurrent`` at a time, each in a slot
of its own, counted from 0; a global job runs one task to its end on every node that fits. Tasks are wanted COMPLETE.
Failed ones are handed to the restart supervisor. Every update of a job is a new iteration: the tasks of the former
are removed, and it all begins again.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.constraint import node_matches, parse
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.orchestrator import new_task, want
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.taskinit import check_tasks
from swarmsim.swarm.objects import Availability, Node, NodeState, Service, Task, node_invalid
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Change, MemoryStore, Step, Transaction


class JobsOrchestrator:
    """Lives as long as its manager leads. ``ids`` is where the ids of new tasks come from."""

    def __init__(self, scope: Scope, store: MemoryStore, ids: Random) -> None:
        self.scope = scope
        self.store = store
        self.ids = ids
        self.restarts = RestartSupervisor(scope, store, ids)
        CommitLoop(scope, store, self._on_commit, self._start())

    def _start(self) -> Activity[None]:
        steps = check_tasks(self.store, self.restarts, lambda service: service.is_job, self._fix)
        if steps:
            yield self.store.batch(steps)
        yield from self._reconcile([service.id for service in self.store.table(Service).values() if service.is_job])

    def _fix(self, task: Task) -> Step | None:
        """A global job's task on a node that was drained or went down while nobody led."""
        service = self.store.get(Service, task.service_id)
        lost = service is not None and not service.has_slots and node_invalid(self.store.get(Node, task.node_id))
        return partial(want, task.id, TaskState.SHUTDOWN) if lost else None

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        concerned: dict[str, None] = {}
        removed: dict[str, None] = {}
        for action, obj, _ in changes:
            if type(obj) is Service and obj.is_job:
                (removed if action == "delete" else concerned)[obj.id] = None
            elif type(obj) is Task and action == "update" and obj.job_iteration is not None and self._ended(obj):
                concerned[obj.service_id] = None
        return self._work(list(removed), list(concerned)) if removed or concerned else None

    def _ended(self, task: Task) -> bool:
        """Only an end that nobody asked for makes a difference (jobs/orchestrator.go handleEvent)."""
        return task.status.state > TaskState.RUNNING and task.desired_state <= TaskState.COMPLETE

    def _work(self, removed: list[str], concerned: list[str]) -> Activity[None]:
        for service_id in removed:
            tasks = self.store.tasks_of_service(service_id)
            yield self.store.batch([partial(want, task.id, TaskState.REMOVE) for task in tasks])
            self.restarts.forget_service(service_id)
        yield from self._reconcile(concerned)

    def _reconcile(self, services: list[str]) -> Activity[None]:
        for service_id in services:
            service = self.store.get(Service, service_id)
            if service is None or service.job_status is None:
                continue
            steps = self._replicated(service) if service.has_slots else self._global(service)
            if steps:
                yield self.store.batch(steps)

    def _former(self, service: Service, task: Task) -> bool:
        """Whether the task belongs to an earlier iteration of the job."""
        return service.job_status is not None and task.job_iteration != service.job_status.iteration

    def _replicated(self, service: Service) -> list[Step]:
        job = service.spec.mode.replicated_job
        assert job is not None
        running = complete = 0
        taken: set[int] = set()
        restart: list[Step] = []
        remove: list[Step] = []
        for task in self.store.tasks_of_service(service.id):
            state = task.status.state
            if self._former(service, task):
                if state <= TaskState.RUNNING and task.desired_state is not TaskState.REMOVE:
                    remove.append(partial(want, task.id, TaskState.REMOVE))
            elif state is TaskState.COMPLETE:
                complete += 1
                taken.add(task.slot)
            elif task.desired_state <= TaskState.COMPLETE:
                running += 1
                taken.add(task.slot)
                if state > TaskState.COMPLETE:
                    restart.append(partial(self._restart, task.id))
        wanted = min(job.concurrent - running, job.total - complete - running)
        free = (slot for slot in range(job.total) if slot not in taken)
        create = [partial(self._create, service, next(free), "") for _ in range(max(0, wanted))]
        return [*create, *restart, *remove]

    def _global(self, service: Service) -> list[Step]:
        constraints = parse(service.spec.task.placement.constraints or [])
        fitting = [node for node in self.store.table(Node).values() if node_matches(constraints, node)]
        on_node: dict[str, Task] = {}
        restart: list[Step] = []
        remove: list[Step] = []
        for task in self.store.tasks_of_service(service.id):
            if self._former(service, task):
                if task.desired_state is not TaskState.REMOVE:
                    remove.append(partial(want, task.id, TaskState.REMOVE))
            elif task.desired_state <= TaskState.COMPLETE:
                if task.status.state > TaskState.COMPLETE:
                    restart.append(partial(self._restart, task.id))
                on_node[task.node_id] = task
        create = [
            partial(self._create, service, 0, node.id)
            for node in fitting
            if node.id not in on_node
            and node.spec.availability is Availability.ACTIVE
            and node.status.state is NodeState.READY
        ]
        lost = [on_node[node.id] for node in fitting if node_invalid(node) and node.id in on_node]
        end = [partial(want, task.id, TaskState.SHUTDOWN) for task in lost if task.status.state <= TaskState.RUNNING]
        return [*create, *restart, *remove, *end]

    # -- writes

    def _create(self, service: Service, slot: int, node_id: str, tx: Transaction) -> None:
        tx.create(
            replace(new_task(service, slot, node_id, self.ids, self.store.wall.now), desired_state=TaskState.COMPLETE)
        )

    def _restart(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        service = tx.get(Service, task.service_id) if task is not None else None
        if task is not None and service is not None and task.desired_state <= TaskState.COMPLETE:
            self.restarts.restart(tx, service, task)
