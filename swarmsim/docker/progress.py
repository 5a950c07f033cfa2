"""Waiting for a service to converge (docker/cli command/service/progress), as it reads through a pipe.

Every 200 ms the client asks for service, tasks and nodes. Once all tasks run it watches for one more
monitoring period (5 s by default) before it says so; a job is done when it is done. Ctrl-C ends the waiting, not the
work. What bars show on a terminal is not seen through a pipe, but the errors of tasks are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.specs import SECOND
from swarmsim.apitypes.swarm import Service
from swarmsim.docker.command import CommandContext
from swarmsim.docker.convergence import Convergence, Phase, Reaction, Say
from swarmsim.docker.errors import CommandError
from swarmsim.docker.output import ellipsis
from swarmsim.sim.future import Activity

POLL = 0.2  # seconds
MONITOR = 5.0  # seconds, where an update does not say
MAX_ERROR = 75  # characters of a task's error
MAX_BARS = 20  # above that many tasks no line each
PROGRESS = {
    "new": 1, "pending": 3, "assigned": 4, "accepted": 5, "preparing": 6, "ready": 7, "starting": 8, "running": 9,
    "complete": 10, "shutdown": 11, "failed": 12, "rejected": 13,
}  # fmt: skip


class Bars(NamedTuple):
    """How far a service is: tasks that run of those wanted, and the errors of others, by what their bars are called."""

    running: int
    total: int
    errors: list[tuple[str, str]]

    @property
    def all_run(self) -> bool:
        return self.running == self.total


class _Display:
    """What is printed of it, through a pipe: a line whenever something is said."""

    def __init__(self, command: CommandContext, quiet: bool) -> None:
        self._command = command
        self._quiet = quiet

    def say(self, text: str) -> None:
        if not self._quiet:
            self._command.out(text + "\n")

    def begin(self, total: int, numbered: bool, prefix: str) -> None:
        self.say(f"{prefix}0 out of {total} tasks")
        if numbered and total <= MAX_BARS:
            self.numbers(total)

    def numbers(self, total: int) -> None:
        for bar in range(1, total + 1):
            self.say(f"{bar}/{total}:  ")

    def tell(self, what: Say, bars: Bars, prefix: str, left: float) -> None:
        """``left``: seconds it still has to wait."""
        match what:
            case Say.ERRORS:
                for name, error in bars.errors:
                    self.say(f"{name}: {truncated(error)}")
            case Say.OVERALL:
                self.say(f"{prefix}{bars.running} out of {bars.total} tasks")
            case Say.WAITING if left >= 0:
                # Some time has always passed in a real client, so it never says one second more.
                self.say(f"verify: Waiting {int(left - 1e-9) + 1} seconds to verify that tasks are stable...")
            case Say.FAILURE:
                self.say("verify: Detected task failure")


def wait_on_service(command: CommandContext, reference: str, quiet: bool) -> Activity[None]:
    """Print progress until the service has converged. Raises :class:`CommandError` if its update pauses."""
    display = _Display(command, quiet)
    convergence = Convergence()
    places: dict[Any, int] = {}
    begun = False
    while True:
        service: Service = yield from command.api.service(reference)
        config = service.spec.update
        monitor = config.monitor / SECOND if config and config.monitor else MONITOR
        status = service.update_status
        reaction = convergence.on_update_state(status.state, status.message) if status is not None else Reaction()
        if reaction.fails:
            raise CommandError(reaction.fails)
        if reaction.says:
            display.say(reaction.says)
        if reaction.ends:
            return
        if convergence.is_verified(command.now.timestamp(), monitor):
            display.say(f"verify: Service {reference} converged")
            if convergence.last_word:
                display.say(convergence.last_word)
            return
        tasks = yield from command.api.task_list(Filters([("service", service.id), ("_up-to-date", "true")]))
        nodes = yield from command.api.node_list()
        if service.is_job:
            if _job_progress(service, tasks, display, first=not begun):
                display.say("job complete")
                return
            begun = True
        else:
            bars = _bars(service, tasks, nodes, places if convergence.phase is Phase.CONVERGING else None)
            prefix = "overall progress: " + ("rolling back update: " if convergence.rolling_back else "")
            if not begun and not service.is_replicated and bars.total == 0:
                # How many a global service will have is only known once it has them.
                display.say("overall progress: waiting for new tasks")
            else:
                if not begun:
                    display.begin(bars.total, service.is_replicated, prefix)
                begun = True
                all_run = bars.all_run and (bars.total > 0 or service.is_replicated)
                now = command.now.timestamp()
                for what in convergence.on_tasks(all_run, now):
                    display.tell(what, bars, prefix, monitor - (now - convergence.since))
        if (yield from command.pause(POLL)):
            if convergence.phase is Phase.CONVERGING:
                display.say("Operation continuing in background.")
                display.say(f"Use `docker service ps {reference}` to check progress.")
            return


def _bars(
    service: Service, tasks: list[dict[str, Any]], nodes: list[dict[str, Any]], places: dict[Any, int] | None
) -> Bars:
    """``places`` keeps which bar is whose; above :data:`MAX_BARS` there are none, and none while it is verified."""
    wanted = _slots(tasks, nodes)
    total = service.replicas if service.is_replicated else len(wanted)
    errors = []
    if places is not None and total <= MAX_BARS:
        hostnames = {node["ID"]: node["Description"].get("Hostname", "") for node in nodes}
        for slot in sorted(wanted):
            bar = places.setdefault(slot, len(places) + 1)
            error = wanted[slot]["Status"].get("Err", "")
            if error:
                errors.append((f"{bar}/{total}" if service.is_replicated else hostnames.get(slot, slot), error))
    return Bars(sum(map(_runs, wanted.values())), total, errors)


def _runs(task: dict[str, Any]) -> bool:
    return bool(task["DesiredState"] == "running" and task["Status"]["State"] == "running")


def truncated(error: str) -> str:
    """An error as a bar shows it: one line of at most 75 characters."""
    return ellipsis(error.replace("\n", " "), MAX_ERROR)


def _job_progress(service: Service, tasks: list[dict[str, Any]], display: _Display, first: bool) -> bool:
    """Tell how far a job is; whether it is done (replicatedJobProgressUpdater, globalJobProgressUpdater)."""
    iteration = as_json(service.job_status.iteration) if service.job_status else {}
    of_job = [t for t in tasks if t["ServiceID"] == service.id and t.get("JobIteration") == iteration]
    by_slot: dict[Any, dict[str, Any]] = {}
    for task in of_job:
        slot = task.get("Slot", 0) if service.has_slots else task.get("NodeID")
        other = by_slot.get(slot)
        if other is None or PROGRESS.get(other["Status"]["State"], 0) > PROGRESS.get(task["Status"]["State"], 0):
            by_slot[slot] = task
    active = sum(1 for t in by_slot.values() if PROGRESS.get(t["Status"]["State"], 0) < PROGRESS["complete"])
    complete = sum(1 for t in by_slot.values() if t["Status"]["State"] == "complete")
    job = service.spec.mode.replicated_job
    if job is None:
        return bool(by_slot) and complete == len(by_slot)
    total, concurrent = job.total, job.concurrent
    width = len(str(concurrent))
    if first:
        display.say(f"active tasks: {0:>{width}} out of {min(total, concurrent):>{width}} tasks")
        if total <= MAX_BARS:
            display.numbers(total)
    for slot in sorted(by_slot):
        if by_slot[slot]["Status"].get("Err") and total <= MAX_BARS:
            display.say(f"{slot + 1}/{total}: {truncated(by_slot[slot]['Status']['Err'])}")
    display.say(f"active tasks: {active:>{width}} out of {min(total - complete, concurrent):>{width}} tasks")
    return complete == total


def _slots(tasks: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The task of every slot (or node): of several the one that is further on, or newer."""
    active = {node["ID"] for node in nodes if node["Status"]["State"] != "down"}
    chosen: dict[Any, dict[str, Any]] = {}
    for task in tasks:
        state, desired = PROGRESS.get(task["Status"]["State"], 0), PROGRESS.get(task["DesiredState"], 99)
        if state == 0 or (desired > PROGRESS["running"] and state > desired):
            continue
        if task["DesiredState"] in ("shutdown", "remove"):
            continue
        if task.get("NodeID") and task["NodeID"] not in active:
            continue
        slot = task.get("Slot") or task.get("NodeID")
        other = chosen.get(slot)
        if (
            other is None
            or PROGRESS.get(other["DesiredState"], 99) > desired
            or (PROGRESS.get(other["DesiredState"], 99) == desired and other["CreatedAt"] < task["CreatedAt"])
        ):
            chosen[slot] = task
    return chosen
