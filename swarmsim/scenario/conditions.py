"""Whether a condition holds, and in words what was seen instead: one function a subject, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swarmsim.docker.client import Result
from swarmsim.scenario.schema import Condition
from swarmsim.world.simulated import SimulatedWorld, View


class Seen(NamedTuple):
    """The verdict and what was seen."""

    holds: bool
    what: str


class Facts(NamedTuple):
    """What conditions are judged by. ``view`` is ``None`` while no manager answers."""

    world: SimulatedWorld
    view: View | None
    host: Callable[[str], str]
    results: dict[str, Result]
    counts: dict[str, int]


NO_MANAGER = Seen(False, "no manager answers")


def _service(condition: Condition, facts: Facts) -> Seen:
    if facts.view is None:
        return NO_MANAGER
    name = condition.service or ""
    service = next((s for s in facts.view.services if s.spec.name == name), None)
    if service is None:
        return Seen(False, f"there is no service {name}")
    running = facts.view.running(name)
    update = service.update_status.state if service.update_status else "none"
    said = [f"service {name}"]
    holds = True
    if condition.running is not None:
        holds &= running == condition.running
        said.append(f"{running} running")
    if condition.replicas is not None:
        holds &= service.replicas == condition.replicas
        said.append(f"{service.replicas} replicas wanted")
    if condition.update is not None:
        holds &= update == condition.update
        said.append(f"update {update}")
    return Seen(holds, ": ".join((said[0], ", ".join(said[1:]))))


def _node(condition: Condition, facts: Facts) -> Seen:
    if facts.view is None:
        return NO_MANAGER
    host = facts.host(condition.node or "")
    view = facts.view.node(host)
    if view is None:
        return Seen(False, f"there is no node {host}")
    actual = {
        "status": str(view.node.status.state),
        "availability": str(view.node.spec.availability),
        "role": str(view.node.spec.role),
        "reachability": view.manager.reachability if view.manager else "none",
        "leader": bool(view.manager and view.manager.leader),
    }
    wanted = {key: getattr(condition, key) for key in actual if key in condition.model_fields_set}
    said = ", ".join(f"{key} {actual[key]}" for key in wanted)
    return Seen(all(actual[key] == value for key, value in wanted.items()), f"node {host}: {said}")


def _leader(condition: Condition, facts: Facts) -> Seen:
    leader = facts.view.leader if facts.view is not None else None
    wanted = condition.leader
    said = f"{leader} leads" if leader else "nobody leads"
    if wanted == "elected" or wanted is True:
        return Seen(leader is not None, said)
    if wanted == "none" or wanted is False:
        return Seen(leader is None, said)
    return Seen(leader is not None and leader == facts.host(str(wanted)), said)


def _task(condition: Condition, facts: Facts) -> Seen:
    """The newest task of the slot."""
    if facts.view is None:
        return NO_MANAGER
    tasks = [task for task in facts.view.tasks if task.label == condition.task]
    if not tasks:
        return Seen(False, f"there is no task {condition.task}")
    task = max(tasks, key=lambda task: (task.meta.created_at, task.id))
    status = task.status
    holds = (
        (condition.state is None or str(status.state) == condition.state)
        and (condition.desired is None or str(task.desired_state) == condition.desired)
        and (condition.error is None or condition.error in status.err)
    )
    said = f"task {condition.task}: {status.state}, wanted {task.desired_state}"
    return Seen(holds, said + (f', error "{status.err}"' if status.err else ""))


def _command(condition: Condition, facts: Facts) -> Seen:
    result = facts.results.get(condition.command or "")
    if result is None:
        return Seen(False, f"{condition.command} has not run")
    holds = (
        (condition.code is None or result.code == condition.code)
        and (condition.output is None or condition.output in result.out)
        and (condition.error is None or condition.error in result.err)
    )
    return Seen(holds, f"{condition.command}: exit code {result.code}, said {(result.err or result.out).strip()!r}")


def _containers(condition: Condition, facts: Facts) -> Seen:
    host = facts.host(condition.containers or "")
    running = sum(1 for container in facts.world.engines[host].containers.values() if container.alive)
    return Seen(running == condition.running, f"{host}: {running} containers running")


def _internal(condition: Condition, facts: Facts) -> Seen:
    count = facts.counts.get(condition.internal or "", 0)
    return Seen(count == condition.count, f"{count} rows of {condition.internal}")


CHECKS: dict[str, Callable[[Condition, Facts], Seen]] = {
    "service": _service,
    "node": _node,
    "leader": _leader,
    "task": _task,
    "command": _command,
    "containers": _containers,
    "internal": _internal,
}


def check(condition: Condition, facts: Facts) -> Seen:
    return CHECKS[condition.subject](condition, facts)


def describe(condition: Condition) -> str:
    """The condition in words, as milestones are called."""
    if condition.subject == "service" and condition.model_fields_set == {"service", "running"}:
        return f"{condition.running} running"
    if condition.subject == "node" and condition.model_fields_set == {"node", "status"}:
        return f"{condition.node} {condition.status}"
    if condition.subject == "leader":
        return f"leader {condition.leader}"
    given = condition.model_dump(exclude_unset=True)
    return ", ".join(f"{key} {value}" for key, value in given.items())
