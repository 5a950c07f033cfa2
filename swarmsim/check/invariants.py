"""What SwarmKit's own specification demands of every run (design/tla: Types, Tasks, WorkerSpec, SwarmKit), held against a trace.

A trace is what was *seen*: a manager was asked every 0.1 s, so states that were left again in between are missing. A rule
about single steps is therefore checked with gaps on ``task`` rows, and step by step where an agent's own reports are in the
trace (``agent.report``, with ``swarmsim run --messages``).

:data:`INVARIANTS` is the table: name, what it demands, and where it applies: to every row of some kinds, before that row
is taken in; to every moment, once all its rows are; or to the end. The letters are the specification's parts: A states, B
moves, C guards of single actions, D containers, E liveness. The running code (20.10) allows more than the specification in
places; each such allowance stands where it is made, with its source:

- ``starting → failed``, ``assigned … starting → shutdown``, the constraint enforcer's ``running → rejected``, the
  scheduler's ``pending → shutdown`` and the orphans of a removed node are moves of the table in :mod:`swarmsim.swarm.states`;
- start-first updates let two tasks of a slot run at once;
- a delayed start waits for the old task no longer than a minute, and not at all after a change of leader (orchestrator/restart);
- jobs want ``complete``, and slots that no restart policy refills stay empty;
- what has nowhere to go (constraints, resources, drained or paused nodes), a paused update and lost leaders are beyond the
  specification: where they show, liveness says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from swarmsim.check import rules
from swarmsim.check.rules import ONE_LOOK, Moment
from swarmsim.check.seen import NEVER, TAKE, Seen
from swarmsim.trace.rows import Row


class Broken(NamedTuple):
    """An invariant that does not hold: when (seconds since the run began), which, and what was seen."""

    t: float
    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.t:.3f}: {self.invariant}: {self.what}"


RowCheck = Callable[[Seen, Row], str | None]
MomentCheck = Callable[[Seen, Moment], Iterable[str]]
EndCheck = Callable[[Seen], Iterable[str]]


class Invariant(NamedTuple):
    """A rule: its name, what it demands; ``rows`` are checks of kinds of rows, then those of moments and of the end."""

    name: str
    demands: str
    rows: dict[str, RowCheck] = {}
    moment: MomentCheck | None = None
    end: EndCheck | None = None


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("A1 types", "states, desired states, slots and node statuses are those there are; A4: no task is in state remove",
              {"task": rules.known_states, "node": rules.known_node_status}),
    Invariant("A2 service", "every task's service exists, or did before", {"task": rules.service_exists}),
    Invariant("A3 node", "a task from assigned on has a node", {"task": rules.assigned_has_node}),
    Invariant("A5 identity", "a task's id is its own for ever, and so are its service, its slot and the node it is assigned to",
              {"task": rules.same_task}),
    Invariant("B move", "a task never goes back, never leaves a terminal state, and moves only as the table says", {"task": rules.legal_move}),
    Invariant("B desire", "a desired state only grows", {"task": rules.desire_grows}),
    Invariant("B ready", "a task that is only wanted ready does not start", {"task": rules.not_beyond_ready}),
    Invariant("B step", "an agent moves a task one step at a time", {"agent.report": rules.one_step_at_a_time}),
    Invariant("B end", "a task is shut down if, and only if, it was to be", {"task": rules.ends_as_wanted, "agent.report": rules.ends_as_wanted}),
    Invariant("C new", "a new task has a node if, and only if, its service is global", {"task": rules.new_without_a_choice}),
    Invariant("C reaper", "no task is deleted while it should run", {"task_gone": rules.reaped_when_over}),
    Invariant("C mode", "a service's mode cannot change", {"service": rules.mode_is_fixed}),
    Invariant("C orphan", "tasks are orphaned when their node was down for a day, or is removed", {"task": rules.orphaned_when_lost}),
    Invariant("C agent", "an agent acts only on a node that is up", {"task": rules.agent_needs_a_node, "agent.report": rules.agent_needs_power}),
    Invariant("C create", "a slot is added only while there are too few", moment=rules.slots_are_wanted),
    Invariant("C replace", "one task in a slot is wanted, two during an update", moment=rules.one_wanted_in_a_slot),
    Invariant("C release", "a replacement runs only when the old task has ended or its node is lost", moment=rules.one_runs_in_a_slot),
    Invariant("C remove", "tasks are to be removed only while there are too many", moment=rules.removed_when_too_many),
    Invariant("D container", "a task has one container, it runs only with power, and ends with its task",
              {"container.started": rules.container_needs_power, "container.ended": rules.container_ends_with_its_task},
              rules.containers_end_with_the_power, rules.containers_end_with_their_tasks),
    Invariant("D single", "a task has no two containers", {"container.started": rules.one_container_a_task}),
    Invariant("D running", "a running task has a container, if its node can tell", end=rules.running_has_a_container),
    Invariant("E history", "of a slot only so many tasks that are over are kept", end=rules.history_is_short),
    Invariant("E desired", "what nobody disturbs becomes and stays as desired", end=rules.as_desired),
)  # fmt: skip

_ROWS: dict[str, list[tuple[str, RowCheck]]] = {}
for _invariant in INVARIANTS:
    for _kind, _check in _invariant.rows.items():
        _ROWS.setdefault(_kind, []).append((_invariant.name, _check))
CHECKED = frozenset((*_ROWS, *TAKE))
"""Kinds of rows that say something to an invariant."""
_MOMENT = [(each.name, each.moment) for each in INVARIANTS if each.moment is not None]
_END = [(each.name, each.end) for each in INVARIANTS if each.end is not None]


class Checker:
    """Give it rows in order; ``broken`` is what does not hold so far, :meth:`finish` adds what only the end can tell."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.broken: list[Broken] = []
        self._moment = Moment({})
        self._began = NEVER

    def take(self, row: Row) -> None:
        if row["t"] - self._began > ONE_LOOK:
            self._close()
            self._began = row["t"]
        kind = row["kind"]
        self.seen.t = row["t"]
        for name, check in _ROWS.get(kind, ()):
            what = check(self.seen, row)
            if what is not None:
                self.broken.append(Broken(row["t"], name, what))
                if check is rules.known_states:
                    return  # nothing more can be said of it
        if kind == "task":
            self._moment.tasks.setdefault(row["task"], self.seen.tasks.get(row["task"]))
        self.seen.take(row)

    def _close(self) -> None:
        """All rows of a moment are there."""
        for name, check in _MOMENT:
            self.broken += [Broken(self.seen.t, name, what) for what in check(self.seen, self._moment)]
        self._moment.tasks.clear()

    def finish(self) -> list[Broken]:
        """Everything that does not hold."""
        self._close()
        for name, check in _END:
            self.broken += [Broken(self.seen.t, name, what) for what in check(self.seen)]
        return self.broken


def check_trace(rows: Iterable[Row]) -> list[Broken]:
    """What of the invariants a trace breaks, in order.

    >>> row = {"t": 1.0, "kind": "node", "node": "m1", "id": "x", "status": "ill", "leader": True}
    >>> [str(broken) for broken in check_trace([row])]
    ['1.000: A1 types: node m1: there is no status ill']
    """
    checker = Checker()
    for row in rows:
        checker.take(row)
    return checker.finish()
