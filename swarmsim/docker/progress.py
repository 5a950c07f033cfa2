"""Waiting for a service to converge (docker/cli command/service/progress), as it reads through a pipe.

Every 200 ms the client asks for service, tasks and nodes. Once all tasks run it watches for one more
monitoring period (5 s by default) before it says so; a job is done when it is done. Ctrl-C ends the waiting, not the
work. What bars show on a terminal is not seen through a pipe, but the errors of tasks are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.specs import SECOND
from swarmsim.docker.command import CommandContext, CommandError
from swarmsim.sim.future import Activity
from swarmsim.swarm.objects import Service

POLL = 0.2  # seconds
MAX_ERROR = 75  # characters of a task's error
MAX_BARS = 20  # above that many tasks no line each
PROGRESS = {
    "new": 1, "pending": 3, "assigned": 4, "accepted": 5, "preparing": 6, "ready": 7, "starting": 8, "running": 9,
    "complete": 10, "shutdown": 11, "failed": 12, "rejected": 13,
}  # fmt: skip


def wait_on_service(command: CommandContext, reference: str, quiet: bool) -> Activity[Any]:
    """Print progress until the service has converged. Raises :class:`CommandError` if its update pauses."""

    def say(text: str) -> None:
        if not quiet:
            command.out(text + "\n")

    clock = command.api.host.clock
    converged_at: float | None = None
    converged = rolling_back = initialized = False
    last_message = ""
    bars: dict[Any, int] = {}
    in_background = f"Operation continuing in background.\nUse `docker service ps {reference}` to check progress."
    while True:
        service: Service = yield from command.api.service_spec(reference)
        config = service.spec.update
        monitor = config.monitor / SECOND if config and config.monitor else 5.0
        status = service.update_status
        if status is not None:
            if status.state == "updating":
                rolling_back = False
            elif status.state == "completed" and not converged:
                return
            elif status.state == "paused":
                raise CommandError(f"service update paused: {status.message}")
            elif status.state == "rollback_started":
                if not rolling_back and status.message:
                    say(f"rollback: {status.message}")
                rolling_back = True
            elif status.state == "rollback_paused":
                raise CommandError(f"service rollback paused: {status.message}")
            elif status.state == "rollback_completed":
                if not converged:
                    last_message = f"rollback: {status.message}"
                rolling_back = True
        if converged and converged_at is not None and clock.now - converged_at >= monitor:
            say(f"verify: Service {reference} converged")
            if last_message:
                say(last_message)
            return
        tasks = yield from command.api.task_list()
        nodes = yield from command.api.node_list()
        if service.is_job:
            if _job_progress(service, tasks, say, first=not initialized):
                say("job complete")
                return
            initialized = True
            if (yield from command.pause(POLL)):
                say(in_background)
                return
            continue
        wanted = _slots(service, tasks, nodes)
        total = service.replicas if service.is_replicated else len(wanted)
        prefix = "overall progress: rolling back update: " if rolling_back else "overall progress: "
        if not initialized:
            initialized = True
            say(f"{prefix}0 out of {total} tasks")
            if service.is_replicated and total <= MAX_BARS:
                for bar in range(1, total + 1):
                    say(f"{bar}/{total}:  ")
        was_converged = converged
        running = sum(1 for task in wanted.values() if _runs(task))
        converged = running == total and (total > 0 or service.is_replicated)
        if total <= MAX_BARS and not was_converged:
            hostnames = {node["ID"]: node["Description"].get("Hostname", "") for node in nodes}
            for slot in sorted(wanted):
                bar = bars.setdefault(slot, len(bars) + 1)
                error = wanted[slot]["Status"].get("Err", "")
                if error:
                    which = f"{bar}/{total}" if service.is_replicated else hostnames.get(slot, slot)
                    say(f"{which}: {truncated(error)}")
        if not (was_converged and converged):
            say(f"{prefix}{running} out of {total} tasks")
        if converged:
            if converged_at is None:
                converged_at = clock.now
            wait = monitor - (clock.now - converged_at)
            if wait >= 0:
                # Some time has always passed in a real client, so it never says one second more.
                say(f"verify: Waiting {int(wait - 1e-9) + 1} seconds to verify that tasks are stable...")
        else:
            if converged_at is not None:
                say("verify: Detected task failure")
            converged_at = None
        if (yield from command.pause(POLL)):
            if not converged:
                say(in_background)
            return


def _runs(task: dict[str, Any]) -> bool:
    return bool(task["DesiredState"] == "running" and task["Status"]["State"] == "running")


def truncated(error: str) -> str:
    """An error as a bar shows it: one line of at most 75 characters."""
    line = error.replace("\n", " ")
    return line if len(line) <= MAX_ERROR else line[: MAX_ERROR - 1] + "…"


def _job_progress(service: Service, tasks: list[dict[str, Any]], say: Callable[[str], None], first: bool) -> bool:
    """Tell how far a job is; whether it is done (replicatedJobProgressUpdater, globalJobProgressUpdater)."""
    iteration = {"Index": service.job_status.iteration} if service.job_status and service.job_status.iteration else {}
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
    total, concurrent = job.total_completions, job.max_concurrent
    width = len(str(concurrent))
    if first:
        say(f"active tasks: {0:>{width}} out of {min(total, concurrent):>{width}} tasks")
        if total <= MAX_BARS:
            for bar in range(1, total + 1):
                say(f"{bar}/{total}:  ")
    for slot in sorted(by_slot):
        if by_slot[slot]["Status"].get("Err") and total <= MAX_BARS:
            say(f"{slot + 1}/{total}: {truncated(by_slot[slot]['Status']['Err'])}")
    say(f"active tasks: {active:>{width}} out of {min(total - complete, concurrent):>{width}} tasks")
    return complete == total


def _slots(service: Service, tasks: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The up-to-date task of every slot (or node): of several the one that is further on, or newer."""
    active = {node["ID"] for node in nodes if node["Status"]["State"] != "down"}
    chosen: dict[Any, dict[str, Any]] = {}
    for task in tasks:
        if task["ServiceID"] != service.id or not _up_to_date(service, task):
            continue
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


def _up_to_date(service: Service, task: dict[str, Any]) -> bool:
    """Whether the task was made from the service's present spec (the API's ``_up-to-date`` filter)."""
    return bool(task["Spec"] == as_json(service.spec.task))
