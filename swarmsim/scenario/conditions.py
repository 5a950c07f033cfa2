"""Whether a condition holds, and in words what was seen instead: one function a subject, in one table.

All that is judged are rows and what they add up to, so the same condition can be judged in a run and in its trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from swarmsim.docker.client import Result
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.traffic import Tally
from swarmsim.trace.state import UPDATING, ClusterState, name


class Seen(NamedTuple):
    """The verdict and what was seen.

    ``believed`` says how what managers show differs from what runs, where a condition holds by the former. ``in_seconds``: it will
    hold then, if nothing changes.
    """

    holds: bool
    what: str
    believed: str | None = None
    in_seconds: float | None = None


class Facts(NamedTuple):
    """What conditions are judged by.

    ``now`` in seconds; ``shown`` is what a manager shows, ``None`` while none answers; ``host`` the host a name means; ``results``
    those of the commands that have a name; ``real`` are the containers that run, ``None`` where that is not told; ``counts`` how many
    rows of each kind there were; ``traffic`` what became of requests.
    """

    now: float
    shown: ClusterState | None
    host: Callable[[str], str]
    results: Mapping[str, Result]
    real: ClusterState | None
    counts: Mapping[str, int]
    traffic: Mapping[str, Tally] = {}

    def alive(self, service: str) -> int | None:
        """How many containers of a service run."""
        return self.real.alive.get(service, 0) if self.real is not None else None


def on_belief(what: str, believed: str) -> str:
    """That ``what`` held by what managers believe, as verdicts say it."""
    return f"{what}, by what managers believe: {believed}"


NO_MANAGER = Seen(False, "no manager answers")


def _service(condition: Condition, facts: Facts) -> Seen:
    if facts.shown is None:
        return NO_MANAGER
    wanted = condition.service or ""
    service = facts.shown.services.get(wanted)
    if service is None:
        return Seen(False, f"there is no service {wanted}")
    running, alive = facts.shown.running(wanted), facts.alive(wanted)
    replicas = service.replicas or 0
    update = service.update or "none"
    parts = []
    holds = True
    if condition.running is not None:
        holds &= running == condition.running
        parts.append(f"{running} running")
    if condition.alive is not None:
        holds &= alive == condition.alive
        parts.append(f"{alive} alive")
    if condition.replicas is not None:
        holds &= replicas == condition.replicas
        parts.append(f"{replicas} replicas wanted")
    if condition.update is not None:
        holds &= update == condition.update
        parts.append(f"update {update}")
    if condition.image is not None:
        image = service.image.partition("@")[0]
        holds &= image == condition.image
        parts.append(f"image {image}")
    believed = None
    if holds and condition.running is not None and condition.alive is None and alive is not None and alive < running:
        believed = f"{wanted}: {running} shown, {alive} alive"
    return Seen(holds, f"service {wanted}: {', '.join(parts)}", believed)


def _settled(condition: Condition, facts: Facts) -> Seen:
    if facts.shown is None:
        return NO_MANAGER
    for wanted, service in sorted(facts.shown.services.items()):
        running, replicas, alive = facts.shown.running(wanted), facts.shown.wanted(wanted), facts.alive(wanted)
        if running != replicas:
            return Seen(False, f"service {wanted}: {running} of {replicas} running")
        if alive is not None and alive != running:
            return Seen(False, f"service {wanted}: {running} shown, {alive} alive")
        if service.update in UPDATING:
            return Seen(False, f"service {wanted}: {service.update}")
    moved = max(facts.shown.moved, facts.real.moved if facts.real is not None else 0.0)
    quiet = facts.now - moved
    left = (condition.settled or 0.0) - quiet
    return Seen(left <= 1e-9, f"settled for {quiet:.1f} s", in_seconds=max(left, 0.0))


def _node(condition: Condition, facts: Facts) -> Seen:
    if facts.shown is None:
        return NO_MANAGER
    host = facts.host(condition.node or "")
    row = facts.shown.node_of(host)
    if row is None:
        return Seen(False, f"there is no node {host}")
    actual = {
        "status": row["status"],
        "availability": row["avail"],
        "role": row["role"],
        "reachability": row["reach"] or "none",
        "leader": bool(row["leader"]),
    }
    wanted = {key: getattr(condition, key) for key in actual if key in condition.model_fields_set}
    shown = ", ".join(f"{key} {actual[key]}" for key in wanted)
    return Seen(all(actual[key] == value for key, value in wanted.items()), f"node {host}: {shown}")


def _leader(condition: Condition, facts: Facts) -> Seen:
    leader = facts.shown.leader_shown if facts.shown is not None else None
    wanted = condition.leader
    what = f"{leader} leads" if leader else "nobody leads"
    if wanted == "elected" or wanted is True:
        return Seen(leader is not None, what)
    if wanted == "none" or wanted is False:
        return Seen(leader is None, what)
    return Seen(leader is not None and leader == facts.host(str(wanted)), what)


def _task(condition: Condition, facts: Facts) -> Seen:
    """The newest task of the slot."""
    if facts.shown is None:
        return NO_MANAGER
    tasks = [row for row in facts.shown.tasks.values() if name(row) == condition.task]
    if not tasks:
        return Seen(False, f"there is no task {condition.task}")
    row = tasks[-1]
    holds = (
        (condition.state is None or row["state"] == condition.state)
        and (condition.desired is None or row["desired"] == condition.desired)
        and (condition.error is None or condition.error in (row["err"] or ""))
    )
    what = f"task {condition.task}: {row['state']}, wanted {row['desired']}"
    return Seen(holds, what + (f', error "{row["err"]}"' if row["err"] else ""))


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
    running = facts.real.containers.get(host, 0) if facts.real is not None else 0
    return Seen(running == condition.running, f"{host}: {running} containers running")


def _traffic(condition: Condition, facts: Facts) -> Seen:
    tally = facts.traffic.get(condition.traffic or "")
    if tally is None:
        return Seen(False, f"{condition.traffic}: no request has ended")
    holds = (
        (condition.success is None or tally.success >= condition.success)
        and (condition.lost is None or tally.lost <= condition.lost)
        and (condition.fails is None or 1 - tally.success >= condition.fails)
        and (condition.tasks is None or len(tally.tasks) == condition.tasks)
        and (condition.median is None or tally.median <= condition.median)
    )
    seen = f"{condition.traffic}: {tally.in_words()}"
    if condition.tasks is not None:
        seen += f", by {', '.join(sorted(tally.tasks)) or 'no task'}"
    if condition.median is not None:
        seen += f", median {1000 * tally.median:.4g} ms"
    return Seen(holds, seen)


def _internal(condition: Condition, facts: Facts) -> Seen:
    count = facts.counts.get(condition.internal or "", 0)
    return Seen(count == condition.count, f"{count} rows of {condition.internal}")


CHECKS: dict[str, Callable[[Condition, Facts], Seen]] = {
    "service": _service,
    "settled": _settled,
    "node": _node,
    "leader": _leader,
    "task": _task,
    "command": _command,
    "containers": _containers,
    "traffic": _traffic,
    "internal": _internal,
}


def check(condition: Condition, facts: Facts) -> Seen:
    return CHECKS[condition.subject](condition, facts)


def describe(condition: Condition) -> str:
    """The condition in words, as milestones are called."""
    if condition.subject == "service" and condition.model_fields_set == {"service", "running"}:
        return f"{condition.running} running"
    if condition.subject == "settled":
        return f"settled for {condition.settled:g} s"
    if condition.subject == "node" and condition.model_fields_set == {"node", "status"}:
        return f"{condition.node} {condition.status}"
    if condition.subject == "leader":
        return f"leader {condition.leader}"
    given = condition.model_dump(exclude_unset=True)
    return ", ".join(f"{key} {value}" for key, value in given.items())
