"""Waiting for a service to converge (docker/cli command/service/progress): what is shown meanwhile.

Every 200 ms the client asks for service, tasks and nodes. Once all tasks run it watches for one more
monitoring period (5 s by default) before it says so; a job is done when it is done. Ctrl-C ends the waiting, not the
work. Each kind of service has its way of telling how far it is: a line for the whole, and a bar for each task if those are
not too many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.specs import SECOND
from swarmsim.apitypes.swarm import Service, Task
from swarmsim.docker.command import CommandContext
from swarmsim.docker.convergence import Convergence, Phase, Reaction, Say
from swarmsim.docker.display import Display, Shown
from swarmsim.docker.errors import CommandError
from swarmsim.docker.output import ellipsis
from swarmsim.sim.future import Activity

POLL = 0.2  # seconds
MONITOR = 5.0  # seconds, where an update does not say
MAX_ERROR = 75  # characters of a task's error
MAX_BARS = 20  # above that many tasks no line each
SHORT_ID = 12  # characters of a node's id, where it stands for the node
STEPS = {
    "new": 1, "allocated": 2, "pending": 3, "assigned": 4, "accepted": 5, "preparing": 6, "ready": 7, "starting": 8,
    "running": 9, "complete": 10, "shutdown": 11, "failed": 12, "rejected": 13,
}  # fmt: skip
RUNNING, COMPLETE = STEPS["running"], STEPS["complete"]
LONGEST = max(len(state) for state, step in STEPS.items() if step <= COMPLETE)
Place = TypeVar("Place", int, str)


class Updater(Protocol):
    """How far one kind of service is. ``done`` says so after each :meth:`update`."""

    done: bool

    def update(self, service: Service, tasks: list[Task], active: set[str], prefix: str) -> Iterator[Shown]:
        """What is to be shown at one poll. ``active`` are the ids of nodes that are not down."""


def wait_on_service(command: CommandContext, reference: str, quiet: bool) -> Activity[None]:
    """Show progress until the service has converged. Raises :class:`CommandError` if its update pauses."""
    display = Display(command.out, quiet)
    convergence = Convergence()
    updater: Updater | None = None
    while True:
        service = yield from command.api.service(reference)
        config = service.spec.update
        monitor = config.monitor / SECOND if config and config.monitor else MONITOR
        updater = updater or _updater(service)
        status = service.update_status
        reaction = convergence.on_update_state(status.state, status.message) if status is not None else Reaction()
        if reaction.fails:
            raise CommandError(reaction.fails)
        if reaction.says:
            display.show(Shown("rollback", reaction.says))
        if reaction.ends:
            return
        if convergence.is_verified(command.now.timestamp(), monitor):
            display.show(Shown("verify", f"Service {reference} converged"))
            if convergence.last_word:
                display.say(f"rollback: {convergence.last_word}")
            return
        tasks = yield from command.api.task_list(Filters([("service", service.id), ("_up-to-date", "true")]))
        nodes = yield from command.api.node_list()
        active = {node.id for node in nodes if node.status.state != "down"}
        prefix = "rolling back update: " if convergence.rolling_back else ""
        display.show(*updater.update(service, tasks, active, prefix))
        if service.is_job:
            if updater.done:
                display.say("job complete")
                return
        else:
            now = command.now.timestamp()
            say = convergence.on_tasks(updater.done, now)
            left = monitor - (now - convergence.since)
            if say is Say.WAITING and left >= 0:
                # Some time has always passed in a real client, so it never says one second more.
                seconds = int(left - 1e-9) + 1
                display.show(Shown("verify", f"Waiting {seconds} seconds to verify that tasks are stable..."))
            elif say is Say.FAILURE:
                display.show(Shown("verify", "Detected task failure"))
        if (yield from command.pause(POLL)):
            if convergence.phase is Phase.CONVERGING:
                display.say("Operation continuing in background.")
                display.say(f"Use `docker service ps {reference}` to check progress.")
            return


def _updater(service: Service) -> Updater:
    mode = service.spec.mode
    if mode.replicated_job is not None:
        return _ReplicatedJob(mode.replicated_job.total, mode.replicated_job.concurrent)
    if mode.global_job is not None:
        return _GlobalJob()
    return _Replicated() if service.is_replicated else _Global()


class _Replicated:
    """A line for all and a bar for each slot, numbered as they are first seen; no more once all have run, until one does not."""

    def __init__(self) -> None:
        self.done = False
        self._begun = False
        self._told = False
        """Whether all that is shown was told to run."""
        self._bars: dict[int, int] = {}

    def update(self, service: Service, tasks: list[Task], active: set[str], prefix: str) -> Iterator[Shown]:
        total = service.replicas
        if not self._begun:
            self._begun = True
            yield _overall(prefix, 0, total)
            for number in range(1, total + 1 if total <= MAX_BARS else 1):
                yield Shown(f"{number}/{total}", " ")
        chosen = _least_wanted(tasks, _slot, active)
        self._told = self._told and all(map(_is_running, chosen.values()))
        for slot in sorted(chosen):
            bar = self._bars.setdefault(slot, len(self._bars) + 1)
            if not self._told and bar <= total <= MAX_BARS:
                yield from _bar(f"{bar}/{total}", chosen[slot])
        running = sum(map(_runs, chosen.values()))
        self.done = running == total
        if not self._told:
            yield _overall(prefix, running, total)
            self._told = self.done


class _Global:
    """A line for all and a bar for each node, by the beginning of its id. How many there will be is known once they are there."""

    def __init__(self) -> None:
        self.done = False
        self._begun = False
        self._told = False

    def update(self, service: Service, tasks: list[Task], active: set[str], prefix: str) -> Iterator[Shown]:
        chosen = _least_wanted(tasks, _node)
        total = len(chosen)
        if not self._begun:
            if total == 0:
                yield Shown("overall progress", "waiting for new tasks")
                return
            self._begun = True
            yield _overall(prefix, 0, total)
        self._told = self._told and all(map(_is_running, chosen.values()))
        there = {node: task for node, task in chosen.items() if node in active}
        for node in sorted(there):
            if not self._told and total <= MAX_BARS:
                yield from _bar(node[:SHORT_ID], there[node])
        running = sum(map(_runs, there.values()))
        self.done = running == total
        if not self._told:
            yield _overall(prefix, running, total)
            self._told = self.done


class _ReplicatedJob:
    """A bar for the whole, a line for what is under way, and a bar for each of its tasks."""

    def __init__(self, total: int, concurrent: int) -> None:
        self.done = False
        self._total = total
        self._concurrent = concurrent
        self._begun = False

    def update(self, service: Service, tasks: list[Task], active: set[str], prefix: str) -> Iterator[Shown]:
        total = self._total
        if not self._begun:
            self._begun = True
            yield from self._overall(0, 0)
            for number in range(1, total + 1 if total <= MAX_BARS else 1):
                yield Shown(f"{number}/{total}", " ")
        chosen = _least_far([task for task in _of_iteration(service, tasks) if _is_known(task)], _slot)
        if total <= MAX_BARS:
            for slot in sorted(chosen):
                yield _job_bar(f"{slot + 1}/{total}", chosen[slot])
        under_way = sum(1 for task in chosen.values() if _step(task) < COMPLETE)
        complete = sum(map(_is_complete, chosen.values()))
        yield from self._overall(under_way, complete)
        self.done = complete == total

    def _overall(self, under_way: int, complete: int) -> Iterator[Shown]:
        width = len(str(self._concurrent))
        most = min(self._total - complete, self._concurrent)
        yield _job_overall(complete, self._total)
        yield Shown("active tasks", f"{under_way:>{width}} out of {most:>{width}} tasks")


class _GlobalJob:
    """A bar for the whole and one for each node that had a task at first, by its id."""

    def __init__(self) -> None:
        self.done = False
        self._nodes: set[str] | None = None

    def update(self, service: Service, tasks: list[Task], active: set[str], prefix: str) -> Iterator[Shown]:
        ours = _of_iteration(service, tasks)
        if self._nodes is None:
            if not tasks and active:
                yield Shown("job progress", "waiting for tasks")
                return
            self._nodes = {task.node_id for task in ours}
            yield _job_overall(0, len(self._nodes))
        chosen = _least_far([task for task in ours if task.node_id in self._nodes], _node)
        total = len(self._nodes)
        if total <= MAX_BARS:
            for node in sorted(chosen):
                yield _job_bar(node, chosen[node])
        complete = sum(map(_is_complete, chosen.values()))
        yield _job_overall(complete, total)
        self.done = complete == total


def _overall(prefix: str, running: int, total: int) -> Shown:
    return Shown("overall progress", f"{prefix}{running} out of {total} tasks")


def _job_overall(complete: int, total: int) -> Shown:
    return Shown("job progress", f"{complete:>{len(str(total))}} out of {total} complete", complete, total)


def _bar(name: str, task: Task) -> Iterator[Shown]:
    """Of a task that failed its error; nothing of one that is no longer wanted."""
    if task.status.err:
        yield Shown(name, truncated(task.status.err))
    elif _wanted(task) <= RUNNING and _step(task) <= RUNNING:
        yield Shown(name, task.status.state.ljust(LONGEST), _step(task), RUNNING)


def _job_bar(name: str, task: Task) -> Shown:
    if task.status.err:
        return Shown(name, truncated(task.status.err))
    return Shown(name, task.status.state.ljust(LONGEST), _step(task), COMPLETE)


def truncated(error: str) -> str:
    """An error as a bar shows it: one line of at most 75 characters."""
    return ellipsis(error.replace("\n", " "), MAX_ERROR)


def _slot(task: Task) -> int:
    return task.slot


def _node(task: Task) -> str:
    return task.node_id


def _step(task: Task) -> int:
    return STEPS.get(task.status.state, 0)


def _wanted(task: Task) -> int:
    return STEPS.get(task.desired_state, 0)


def _is_known(task: Task) -> bool:
    return _step(task) > 0 and _wanted(task) > 0


def _is_running(task: Task) -> bool:
    return _step(task) == RUNNING


def _is_complete(task: Task) -> bool:
    return _step(task) == COMPLETE


def _runs(task: Task) -> bool:
    return _is_running(task) and _wanted(task) <= RUNNING


def _least_wanted(
    tasks: list[Task], place_of: Callable[[Task], Place], active: set[str] | None = None
) -> dict[Place, Task]:
    """One task of every slot or node: of several the one that least is wanted of, then the least far.

    If ``active`` is given, tasks on other nodes are left out.
    """
    chosen: dict[Place, Task] = {}
    for task in filter(_is_known, tasks):
        place = place_of(task)
        other = chosen.get(place)
        if other is not None and (_wanted(other), _step(other)) <= (_wanted(task), _step(task)):
            continue
        if active is None or not task.node_id or task.node_id in active:
            chosen[place] = task
    return chosen


def _least_far(tasks: list[Task], place_of: Callable[[Task], Place]) -> dict[Place, Task]:
    chosen: dict[Place, Task] = {}
    for task in tasks:
        place = place_of(task)
        if place not in chosen or _step(task) < _step(chosen[place]):
            chosen[place] = task
    return chosen


def _of_iteration(service: Service, tasks: list[Task]) -> list[Task]:
    iteration = service.job_status.iteration.index if service.job_status else 0
    return [task for task in tasks if task.iteration is not None and task.iteration.index == iteration]
