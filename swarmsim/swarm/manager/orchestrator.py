"""What all orchestrators share (manager/orchestrator/): making a task, telling a stale one, ordering old ones."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from swarmsim.apitypes.specs import DEFAULT_RESTART, DEFAULT_UPDATE, SECOND, RestartPolicy, UpdateConfig, replace
from swarmsim.sim.streams import new_id
from swarmsim.swarm.constraint import node_matches, parsed
from swarmsim.swarm.objects import Node, Service, Task, TaskStatus
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import Transaction

CREATED_MESSAGE = "created"


class SlotTuple(NamedTuple):
    """The place a task fills: a slot of a replicated service, or a node of a global one."""

    service_id: str
    slot: int
    node_id: str

    @classmethod
    def of(cls, service: Service, task: Task) -> SlotTuple:
        return cls(service.id, task.slot, "" if service.has_slots else task.node_id)


class Restart(NamedTuple):
    """A restart policy with defaults filled in; seconds."""

    condition: str
    delay: float
    max_attempts: int
    window: float

    @classmethod
    def of(cls, policy: RestartPolicy | None) -> Restart:
        policy = policy or DEFAULT_RESTART
        delay = DEFAULT_RESTART.delay if policy.delay is None else policy.delay
        assert delay is not None
        return cls(policy.condition or "any", delay / SECOND, policy.max_attempts or 0, (policy.window or 0) / SECOND)


class UpdatePlan(NamedTuple):
    """An update or rollback configuration with defaults filled in; seconds."""

    parallelism: int
    delay: float
    failure_action: str
    monitor: float
    max_failure_ratio: float
    order: str

    @classmethod
    def of(cls, config: UpdateConfig | None) -> UpdatePlan:
        config = config or DEFAULT_UPDATE
        return cls(
            config.parallelism,
            config.delay / SECOND,
            config.failure_action or "pause",
            (config.monitor or DEFAULT_UPDATE.monitor) / SECOND,
            config.max_failure_ratio,
            config.order or "stop-first",
        )


def new_task(service: Service, slot: int, node_id: str, ids: Random, now: float) -> Task:
    """A task of ``service`` in state NEW, wanted RUNNING (orchestrator/task.go NewTask)."""
    return Task(
        id=new_id(ids),
        spec=service.spec.task,
        spec_version=service.spec_version,
        service_id=service.id,
        service_name=service.spec.name,
        service_labels=service.spec.labels,
        slot=slot,
        node_id=node_id,
        status=TaskStatus(TaskState.NEW, now, CREATED_MESSAGE),
        desired_state=TaskState.RUNNING,
        ports=service.ports,
        endpoint_spec=service.spec.endpoint,
        job_iteration=service.job_status.iteration if service.job_status else None,
    )


def delete_task(task_id: str, tx: Transaction) -> None:
    tx.delete(Task, task_id)


def want(task_id: str, state: TaskState, tx: Transaction) -> None:
    """Raise a task's desired state, in a transaction."""
    task = tx.get(Task, task_id)
    if task is not None and task.desired_state < state:
        tx.update(replace(task, desired_state=state))


def is_dirty(service: Service, task: Task, node: Node | None) -> bool:
    """Whether the task no longer is what the service asks for (orchestrator/task.go IsTaskDirty).

    A task whose only difference is its placement, and whose node still fits, is left where it is.
    """
    if task.spec_version == service.spec_version:
        return False
    spec = service.spec.task
    placed_the_same = replace(task.spec, placement=spec.placement)
    if placed_the_same == spec and task.spec.placement != spec.placement and node is not None:
        found = parsed(tuple(spec.placement.constraints or ()))
        if found is not None and node_matches(found, node):
            return task.endpoint_spec != service.spec.endpoint
    return task.spec != spec or task.endpoint_spec != service.spec.endpoint


def by_timestamp(task: Task) -> tuple[float, str]:
    """Order of old tasks (orchestrator/task.go TasksByTimestamp): by when their state was written."""
    status = task.status
    return (status.timestamp if status.applied_at is None else status.applied_at, task.id)
