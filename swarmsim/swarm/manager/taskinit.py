"""What an orchestrator does with the tasks it finds when it starts (manager/orchestrator/taskinit/init.go).

The former leader may have died between two steps: tasks of services that are gone are deleted, tasks
that need replacing are noted, replacements still waiting to start get their delay again (what is left of
it), and the history of restarts is counted from the tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from swarmsim.swarm.manager.orchestrator import Restart, SlotTuple, delete_task
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.objects import Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import MemoryStore, Step


def check_tasks(
    store: MemoryStore,
    restarts: RestartSupervisor,
    is_related: Callable[[Service], bool],
    fix: Callable[[Task], Step | None],
) -> list[Step]:
    """The writes to make first; ``fix`` is told every related task and may add one. Delays are started on the way."""
    steps: list[Step] = []
    instances: dict[SlotTuple, list[Task]] = {}
    now = store.wall.now
    for task in store.table(Task).values():
        if task.is_attachment:
            continue  # of no service, and of no orchestrator
        service = store.get(Service, task.service_id)
        if service is None:
            steps.append(partial(delete_task, task.id))
            continue
        if not is_related(service):
            continue
        instances.setdefault(SlotTuple.of(service, task), []).append(task)
        step = fix(task)
        if step is not None:
            steps.append(step)
        if task.desired_state is not TaskState.READY or task.status.state > TaskState.COMPLETE:
            continue
        delay = Restart.of(task.spec.restart).delay
        since = task.status.timestamp if task.status.applied_at is None else task.status.applied_at
        left = min(delay, since + delay - now)
        if left > 0:
            restarts.delay_start(None, task.id, left)
        else:
            steps.append(partial(restarts.start_now, task.id))
    for tuple, tasks in instances.items():
        newest = max(task.spec_version for task in tasks)
        current = sorted((task for task in tasks if task.spec_version == newest), key=lambda task: task.meta.created_at)
        for task in current[1:]:
            restarts.record(tuple, task, task.meta.created_at)
    return steps
