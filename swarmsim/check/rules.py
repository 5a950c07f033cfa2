"""The rules, one function each: what they are asked is :class:`Seen`, what they answer is what is wrong, in words.

Those of a row are asked before the row is taken in, those of a moment once all its rows are; see
:mod:`swarmsim.check.invariants` for the table, and for what the running code may do beyond the specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from swarmsim.check.seen import NEVER, STATES, WANTED, Seen, Slot, called, runnable, slot_of, state_of
from swarmsim.swarm.states import MOVES, NODE_DELETED_MESSAGE, TERMINAL, TaskState, Who, may
from swarmsim.trace.rows import Row
from swarmsim.trace.state import UPDATING

S = TaskState
ONE_LOOK = 0.02
"""Seconds in which rows are of one look; a recorder of a real cluster writes them one after the other."""
LOOK = 0.5
"""Seconds that two looks and the batches of reports between them may take."""
ORPHANED_AFTER = 24 * 3600.0
"""Seconds a node is down before its tasks are orphaned (dispatcher.go, defaultNodeDownPeriod)."""
OLD_TASK_TIMEOUT = 60.0
"""Seconds a delayed start waits for the old task at most (restart.go, defaultOldTaskTimeout)."""
STOPPING = 60.0
"""Seconds a container of a node in touch with its manager may outlive its task: a retry, the signal, the grace period."""
SETTLED = 60.0
"""Seconds without a cause after which a cluster has settled: heartbeats 15 s, restart delay 5 s, images, a stop."""


class Moment(NamedTuple):
    """What one look changed: tasks, with the row before (``None``: new)."""

    tasks: dict[str, Row | None]


# -- A: states


def known_states(seen: Seen, row: Row) -> str | None:
    if row["state"] == "remove":
        return f"{called(row)}: its observed state is remove, which can only be wanted"
    if row["state"] not in STATES:
        return f"{called(row)}: there is no state {row['state']}"
    if row["desired"] not in ("ready", "running", "shutdown", "remove", "complete"):
        return f"{called(row)}: its desired state is {row['desired']}"
    if row["slot"] is not None and row["slot"] < 1:
        return f"{called(row)}: there is no slot {row['slot']}"
    return None


def known_node_status(seen: Seen, row: Row) -> str | None:
    if row["status"] not in ("unknown", "down", "ready", "disconnected"):
        return f"node {row['node']}: there is no status {row['status']}"
    return None


def service_exists(seen: Seen, row: Row) -> str | None:
    if row["service"] in seen.services or row["service"] in seen.removed:
        return None
    return f"{called(row)}: there never was a service {row['service']}"


def assigned_has_node(seen: Seen, row: Row) -> str | None:
    # Rejected tasks need no node by the specification, those shut down or orphaned while pending never had one.
    if state_of(row) >= S.ASSIGNED and row["node"] is None and row["state"] not in ("rejected", "shutdown", "orphaned"):
        return f"{called(row)}: is {row['state']} on no node"
    return None


def same_task(seen: Seen, row: Row) -> str | None:
    if row["task"] in seen.gone:
        return f"{called(row)}: is listed again after it was gone"
    old = seen.tasks.get(row["task"])
    if old is None:
        return None
    for field in ("service", "slot"):
        if old[field] != row[field]:
            return f"{called(row)}: its {field} was {old[field]}"
    if old["node"] is not None and row["node"] != old["node"]:
        return f"{called(row)}: moves from {old['node']} to {row['node'] or 'no node'}"
    return None


# -- B: moves


def _reachable() -> dict[TaskState, frozenset[TaskState]]:
    """Every state one can get to from each, whoever moves the task."""
    after: dict[TaskState, set[TaskState]] = {state: set() for state in TaskState}
    for state in sorted(TaskState, reverse=True):
        for move in MOVES:
            if state in move.sources:
                after[state] |= {move.target} | after[move.target]
    return {state: frozenset(states) for state, states in after.items()}


REACHABLE = _reachable()


def legal_move(seen: Seen, row: Row) -> str | None:
    old = seen.tasks.get(row["task"])
    if old is None or old["state"] == row["state"]:
        return None
    before, now = state_of(old), state_of(row)
    if before in TERMINAL:
        return f"{called(row)}: leaves {before}, which is terminal, for {now}"
    if now < before:
        return f"{called(row)}: goes back from {before} to {now}"
    if now not in REACHABLE[before]:
        return f"{called(row)}: nobody may move it from {before} to {now}"
    return None


def desire_grows(seen: Seen, row: Row) -> str | None:
    old = seen.tasks.get(row["task"])
    if old is not None and STATES[row["desired"]] < STATES[old["desired"]]:
        return f"{called(row)}: was wanted {old['desired']}, now {row['desired']}"
    return None


def not_beyond_ready(seen: Seen, row: Row) -> str | None:
    if row["desired"] == "ready" and row["state"] in ("starting", "running"):
        return f"{called(row)}: is {row['state']} though it is only wanted ready"
    return None


def one_step_at_a_time(seen: Seen, row: Row) -> str | None:
    before, now = seen.reported.get(row["task"]), state_of(row)
    if before is not None and not may(Who.AGENT, before, now):
        return f"task {row['task']}: its agent on {row['host']} moves it from {before} to {now}"
    return None


def ends_as_wanted(seen: Seen, row: Row) -> str | None:
    """ShutdownComplete: what is shut down was to be; what an agent was told to shut down does not fail any more."""
    if row["state"] == "shutdown" and row["desired"] in WANTED:
        return f"task {row['task']}: is shut down though it is wanted {row['desired']}"
    if row["kind"] == "agent.report" and row["state"] in ("failed", "rejected") and row["desired"] not in WANTED:
        return f"task {row['task']}: its agent reports {row['state']} though it was told {row['desired']}"
    return None


# -- C: guards of single actions


def new_without_a_choice(seen: Seen, row: Row) -> str | None:
    """CreateSlot: a new task has a node if, and only if, its service is global."""
    if row["task"] in seen.tasks or row["state"] != "new" or (row["slot"] is None) == (row["node"] is not None):
        return None
    return f"{called(row)}: is new, and {'on ' + row['node'] if row['node'] else 'on no node though its service is global'}"


def reaped_when_over(seen: Seen, row: Row) -> str | None:
    old = seen.tasks.get(row["task"])
    if old is None or not S.ASSIGNED <= state_of(old) <= S.RUNNING or old["desired"] not in WANTED:
        return None
    if seen.unanswered > seen.t - LOOK or seen.node_gone.get(old["node"], NEVER) > seen.t - LOOK:
        return None  # it may have ended meanwhile
    if old["service"] in seen.removed or seen.status(old["node"]) == "down":
        return None
    newer = any(seen.first[row["task"]] > seen.first[old["task"]] for row in seen.in_slot(slot_of(old)))
    if newer and old["task"] not in seen.container_of:
        return None  # it ended, was replaced and reaped between two looks
    return f"{called(old)}: is gone while it was {old['state']} and wanted {old['desired']}"


def mode_is_fixed(seen: Seen, row: Row) -> str | None:
    old = seen.services.get(row["service"])
    if old is not None and None not in (old["mode"], row["mode"]) and old["mode"] != row["mode"]:
        return f"service {row['service']}: was {old['mode']}, is {row['mode']}"
    return None


def orphaned_when_lost(seen: Seen, row: Row) -> str | None:
    if row["state"] != "orphaned" or row["msg"] == NODE_DELETED_MESSAGE:
        return None
    standing = seen.hosts.get(row["node"])
    if standing is None or (standing.status == "down" and seen.t - standing.since >= ORPHANED_AFTER - LOOK):
        return None
    return f"{called(row)}: is orphaned, but {row['node']} is {standing.status} since {seen.t - standing.since:.1f} s"


def agent_needs_a_node(seen: Seen, row: Row) -> str | None:
    """A node that is down tells nothing: its tasks stay as they are."""
    old = seen.tasks.get(row["task"])
    if old is None or old["state"] == row["state"] or state_of(old) < S.ASSIGNED:
        return None
    if row["state"] in ("rejected", "orphaned"):
        return None  # the managers' own
    standing = seen.hosts.get(row["node"])
    if standing is not None and standing.status == "down" and seen.t - standing.since > LOOK:
        return f"{called(row)}: becomes {row['state']} on {row['node']}, which is down since {seen.t - standing.since:.1f} s"
    return None


def agent_needs_power(seen: Seen, row: Row) -> str | None:
    if row["host"] in seen.powerless:
        return f"task {row['task']}: the agent on {row['host']} reports {row['state']} without power"
    return None


def _new_slots(seen: Seen, moment: Moment) -> Iterator[tuple[str, Row]]:
    for id, before in moment.tasks.items():
        row = seen.tasks.get(id)
        if before is None and row is not None and len(seen.slots[slot_of(row)]) == 1 and row["desired"] in WANTED:
            yield row["service"], row


def slots_are_wanted(seen: Seen, moment: Moment) -> Iterator[str]:
    """CreateSlot: a slot is only added while there are fewer than replicas."""
    last = dict(_new_slots(seen, moment))
    for service, row in last.items():
        if not seen.is_replicated(service) or row["slot"] is None:
            continue
        most = max(replicas or 0 for replicas in seen.replicas[service])
        slots = seen.wanted_slots(service)
        if slots > most:
            yield f"{called(row)}: is made in a new slot, the {slots}. of {most}"


def _touched(seen: Seen, moment: Moment) -> list[Slot]:
    return list(dict.fromkeys(slot_of(seen.tasks[id]) for id in moment.tasks if id in seen.tasks))


def _start_first(seen: Seen, service: str, since: float) -> bool:
    """Whether an update may have put a second task into a slot."""
    known = seen.services.get(service)
    updating = known is not None and known["update"] in UPDATING
    return updating or seen.updating.get(service, NEVER) >= since - LOOK


def one_wanted_in_a_slot(seen: Seen, moment: Moment) -> Iterator[str]:
    """ReplaceTask, RestartTask: a replacement comes only when what it replaces is given up."""
    for slot in _touched(seen, moment):
        wanted = [row for row in seen.in_slot(slot) if row["desired"] in WANTED and runnable(row)]
        if len(wanted) < 2 or slot[1] is None or len(seen.entries.get(str(slot[1]), ())) > 1:
            continue
        newest = max(wanted, key=lambda row: seen.first[row["task"]])
        if not _start_first(seen, slot[0], seen.first[newest["task"]]):
            yield f"{called(newest)}: is wanted besides {', '.join(row['task'] for row in wanted if row is not newest)}"


def one_runs_in_a_slot(seen: Seen, moment: Moment) -> Iterator[str]:
    """ReleaseReady: a replacement starts only when the old task has ended, unless that one's node is lost."""
    for slot in _touched(seen, moment):
        # What is to be removed is not replaced: its slot was given back, by a scaling or with its service.
        running = [row for row in seen.in_slot(slot) if row["state"] == "running" and row["desired"] != "remove"]
        if len(running) < 2 or slot[1] is None or len(seen.entries.get(str(slot[1]), ())) > 1:
            continue
        *old, new = sorted(running, key=lambda row: seen.first[row["task"]])
        began = seen.first[new["task"]]
        if new["task"] not in moment.tasks or _start_first(seen, slot[0], began) or seen.led >= began:
            continue
        for row in old:
            given_up = seen.since[row["task"]]
            if seen.ready_since(row["node"], given_up) and seen.t - given_up < OLD_TASK_TIMEOUT:
                yield f"{called(new)}: runs while {row['task']} still does on {row['node']}, which is ready"


def removed_when_too_many(seen: Seen, moment: Moment) -> Iterator[str]:
    """RequestRemoval: tasks are wanted removed only while there are more than replicas."""
    for id, before in moment.tasks.items():
        row = seen.tasks.get(id)
        if row is None or before is None or row["desired"] != "remove" or before["desired"] not in WANTED:
            continue
        service = row["service"]
        if not seen.is_replicated(service):
            continue
        fewest = min(replicas for replicas in seen.replicas[service] if replicas is not None)
        slots = seen.wanted_slots(service)
        if slots < fewest:
            yield f"{called(row)}: is to be removed, which leaves {slots} slots of {fewest}"


# -- D: containers


def container_needs_power(seen: Seen, row: Row) -> str | None:
    if row["host"] in seen.powerless:
        return f"container {row['container']}: starts on {row['host']}, which has no power"
    return None


def one_container_a_task(seen: Seen, row: Row) -> str | None:
    other = seen.container_of.get(row["task"])
    if other is not None:
        return f"container {row['container']}: is the second of task {row['task']}, besides {other}"
    return None


def containers_end_with_the_power(seen: Seen, moment: Moment) -> Iterator[str]:
    lost = {host for host, t in seen.powerless.items() if seen.t - t <= ONE_LOOK}
    for id, known in seen.containers.items() if lost else ():
        if known.host in lost:
            yield f"container {id}: runs on {known.host}, which has no power"


def _over_since(seen: Seen, task: str) -> float:
    """When a task was seen to be over or given up; never if it is not."""
    row = seen.tasks.get(task)
    if row is None:
        return seen.gone.get(task, float("inf"))
    return float("inf") if row["desired"] in WANTED and runnable(row) else seen.since[task]


def container_ends_with_its_task(seen: Seen, row: Row) -> str | None:
    known = seen.containers.get(row["container"])
    return _outlives(seen, row["container"], known.host, known.task) if known is not None else None


def _outlives(seen: Seen, container: str, host: str, task: str) -> str | None:
    over = _over_since(seen, task)
    if seen.t - over > STOPPING and seen.ready_since(host, over):
        return f"container {container}: runs on {host}, in touch with a manager, {seen.t - over:.1f} s after its task was over"
    return None


def containers_end_with_their_tasks(seen: Seen) -> Iterator[str]:
    for id, known in seen.containers.items():
        if (what := _outlives(seen, id, known.host, known.task)) is not None:
            yield what


def running_has_a_container(seen: Seen) -> Iterator[str]:
    """A task whose container has ended does not stay running, if its node can tell."""
    for id, row in seen.tasks.items():
        ended = seen.ended.get(id)
        if row["state"] != "running" or id in seen.container_of or ended is None:
            continue
        if seen.t - ended > SETTLED and seen.ready_since(row["node"], ended):
            yield f"{called(row)}: is running without a container since {seen.t - ended:.1f} s, on {row['node']}, which is ready"


# -- E: liveness


def as_desired(seen: Seen) -> Iterator[str]:
    """EventuallyAsDesired: what nobody disturbs for a while is as its services want it."""
    if seen.t - seen.caused < SETTLED or not seen.answering:
        return
    for name, service in seen.services.items():
        if service["update"] in (*UPDATING, "paused", "rollback_paused") or service["mode"] in (
            None,
            "replicated-job",
            "global-job",
        ):
            continue
        mine = [row for row in seen.tasks.values() if row["service"] == name]
        wanted = [row for row in mine if row["desired"] in WANTED]
        if any(
            row["desired"] == "ready" or row["state"] == "new" or (row["state"] == "pending" and row["err"])
            for row in wanted
        ):
            continue  # a delay that was asked for, no address left, nowhere to go
        if any(row["node"] is not None and seen.status(row["node"]) != "ready" for row in wanted):
            continue  # nobody has heard of the node yet, or it has just gone
        running = [row for row in wanted if row["state"] == "running"]
        for row in wanted:
            if row["state"] != "running":
                yield f"{called(row)}: is {row['state']} and stays so, though nothing happens since {seen.t - seen.caused:.1f} s"
        if service["mode"] == "replicated" and service["replicas"] is not None:
            given_up = {slot_of(row) for row in mine} - {slot_of(row) for row in wanted}
            if not service["replicas"] - len(given_up) <= len(running) <= service["replicas"]:
                yield f"service {name}: {len(running)} tasks of {service['replicas']} run, though nothing happens since {seen.t - seen.caused:.1f} s"
        hosts = [row["node"] for row in running]
        if service["mode"] == "global" and len(set(hosts)) < len(hosts):
            yield f"service {name}: is global, and runs more than once on a node"


def history_is_short(seen: Seen) -> Iterator[str]:
    """CleanupTerminated: at most so many tasks of a slot that are over stay, once nothing happens."""
    if seen.t - seen.caused < SETTLED or not seen.answering:
        return
    for slot, ids in seen.slots.items():
        known = seen.services.get(slot[0])
        if known is None or known["mode"] not in ("replicated", "global"):
            continue  # jobs keep what they have done
        over = sum(not runnable(seen.tasks[id]) for id in ids)
        if over > seen.history:
            yield f"{slot[0]}.{slot[1]}: {over} tasks that are over are kept, of {seen.history} at most"
