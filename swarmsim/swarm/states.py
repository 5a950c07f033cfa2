"""The task state machine: one table (api/types.proto TaskState, design/task_model.md).

States carry SwarmKit's numbers, and both the observed and the desired state only ever grow. Up to
ASSIGNED the managers write the observed state; from there on only the agent does, except for ORPHANED
(the dispatcher, a day after a node went down, and the control API, when a node is removed) and for what the
constraint enforcer rejects. Each move goes with a message that ``docker inspect`` of the task shows.

The table is enforced where states are written: the store refuses what is not in it (:func:`check_move`), the agent
refuses to make such a step. Both end the run, with an :class:`IllegalMove`.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import cache
from typing import NamedTuple

from swarmsim.sim.errors import BrokenRule


class TaskState(IntEnum):
    NEW = 0
    PENDING = 64
    ASSIGNED = 192
    ACCEPTED = 256
    PREPARING = 320
    READY = 384
    STARTING = 448
    RUNNING = 512
    COMPLETE = 576
    SHUTDOWN = 640
    FAILED = 704
    REJECTED = 768
    REMOVE = 800
    ORPHANED = 832

    def __str__(self) -> str:
        return self.name.lower()


S = TaskState


class Who(StrEnum):
    """Who may write an observed state."""

    ALLOCATOR = "allocator"
    SCHEDULER = "scheduler"
    AGENT = "agent"
    DISPATCHER = "dispatcher"
    ENFORCER = "constraint enforcer"
    CONTROL = "control API"


class Move(NamedTuple):
    """From any of ``sources`` to ``target``. An empty message means: the old one stays, an error is set."""

    sources: tuple[TaskState, ...]
    target: TaskState
    who: Who
    message: str


PENDING_MESSAGE = "pending task scheduling"
ASSIGNED_MESSAGE = "scheduler assigned task to node"
CONFIRMED_MESSAGE = "scheduler confirmed task can run on preassigned node"
REJECTED_MESSAGE = "task rejected by constraint enforcer"
NODE_DELETED_MESSAGE = "Task belonged to a node that has been deleted"

_ON_NODE = (S.ASSIGNED, S.ACCEPTED, S.PREPARING, S.READY, S.STARTING, S.RUNNING)

MOVES: tuple[Move, ...] = (
    Move((S.NEW,), S.PENDING, Who.ALLOCATOR, PENDING_MESSAGE),
    Move((S.PENDING,), S.ASSIGNED, Who.SCHEDULER, ASSIGNED_MESSAGE),
    Move((S.PENDING,), S.ASSIGNED, Who.SCHEDULER, CONFIRMED_MESSAGE),
    Move((S.PENDING,), S.SHUTDOWN, Who.SCHEDULER, ""),
    Move((S.ASSIGNED,), S.ACCEPTED, Who.AGENT, "accepted"),
    Move((S.ACCEPTED,), S.PREPARING, Who.AGENT, "preparing"),
    Move((S.PREPARING,), S.READY, Who.AGENT, "prepared"),
    Move((S.READY,), S.STARTING, Who.AGENT, "starting"),
    Move((S.STARTING,), S.RUNNING, Who.AGENT, "started"),
    Move((S.RUNNING,), S.COMPLETE, Who.AGENT, "finished"),
    Move(_ON_NODE, S.SHUTDOWN, Who.AGENT, "shutdown"),
    Move((S.STARTING, S.RUNNING), S.FAILED, Who.AGENT, ""),
    Move((S.ASSIGNED, S.ACCEPTED, S.PREPARING, S.READY), S.REJECTED, Who.AGENT, ""),
    Move(_ON_NODE, S.ORPHANED, Who.DISPATCHER, ""),
    Move(_ON_NODE, S.REJECTED, Who.ENFORCER, REJECTED_MESSAGE),
    Move((S.NEW, S.PENDING, *_ON_NODE), S.ORPHANED, Who.CONTROL, NODE_DELETED_MESSAGE),
)

MESSAGES: dict[TaskState, str] = {move.target: move.message for move in MOVES if move.who is Who.AGENT and move.message}
"""The agent's message by the state it moves to."""

NEXT: dict[TaskState, TaskState] = {
    S.NEW: S.ACCEPTED,
    S.PENDING: S.ACCEPTED,
    S.ASSIGNED: S.ACCEPTED,
    S.ACCEPTED: S.PREPARING,
    S.PREPARING: S.READY,
    S.READY: S.STARTING,
    S.STARTING: S.RUNNING,
    S.RUNNING: S.COMPLETE,
}
"""The agent's way forward (agent/exec/controller.go Do)."""


TERMINAL = frozenset(state for state in TaskState if state > S.RUNNING)
"""States that nobody moves a task from."""


class IllegalMove(BrokenRule):
    """Somebody writes a state of a task that the table does not let them write."""

    def __init__(self, task: str, source: TaskState, target: TaskState, who: Who | None) -> None:
        super().__init__(f"task {task}: {who or 'somebody unnamed'} may not move it from {source} to {target}")


class BackwardsDesire(BrokenRule):
    """Somebody wants a task to be in an earlier state again."""

    def __init__(self, task: str, source: TaskState, target: TaskState) -> None:
        super().__init__(f"task {task}: desired state {source} would go back to {target}")


@cache
def may(who: Who, source: TaskState, target: TaskState) -> bool:
    """Whether ``who`` may move a task from ``source`` to ``target`` in one step.

    >>> may(Who.AGENT, TaskState.STARTING, TaskState.RUNNING)
    True
    >>> may(Who.SCHEDULER, TaskState.STARTING, TaskState.RUNNING)
    False
    """
    return any(move.who is who and move.target is target and source in move.sources for move in MOVES)


@cache
def may_in_steps(who: Who, source: TaskState, target: TaskState) -> bool:
    """Whether ``who`` may move a task from ``source`` to ``target`` in one step or more.

    An agent's reports are batched on their way, so what the dispatcher writes for it leaves states out.

    >>> may_in_steps(Who.AGENT, TaskState.ASSIGNED, TaskState.RUNNING)
    True
    """
    return may(who, source, target) or any(
        may(who, source, between) and may_in_steps(who, between, target) for between in TaskState if between > source
    )


def check_move(task: str, source: TaskState, target: TaskState, who: Who | None) -> None:
    """Raises :class:`IllegalMove` unless ``who`` may write ``target`` where ``source`` is."""
    if who is None or not (may_in_steps if who is Who.AGENT else may)(who, source, target):
        raise IllegalMove(task, source, target, who)
