"""What a trace has shown so far, as the invariants ask for it: tasks, nodes, services, containers, and since when.

Rows of one moment (the same ``t``) are one look at the managers' API. All times are seconds since the run began.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from swarmsim.swarm.states import TaskState
from swarmsim.trace.rows import Row
from swarmsim.trace.state import UPDATING

STATES: dict[str, TaskState] = {str(state): state for state in TaskState}
WANTED = frozenset(("ready", "running", "complete"))
"""Desired states of a task that has not been given up."""
NEVER = float("-inf")
HISTORY = 5
"""Tasks of a slot that are kept at most, unless it is said otherwise (Cluster.TaskHistoryRetentionLimit)."""
_LIMITS = re.compile(r"--(?:task-history-limit|restart-max-attempts)[= ](\d+)")


class Container(NamedTuple):
    """A container that runs."""

    host: str
    task: str
    since: float


class Standing(NamedTuple):
    """A node's status and since when it has it; ``unready`` is when it was last seen not to be ready."""

    status: str
    since: float
    unready: float


Slot = tuple[str, int | str | None]
"""A service, and the slot of a replicated task or the host of a global one (the specification's vslot)."""


def slot_of(row: Row) -> Slot:
    return (row["service"], row["slot"] or row["node"])


def state_of(row: Row) -> TaskState:
    return STATES[row["state"]]


def runnable(row: Row) -> bool:
    """Whether a task may run yet or runs (Tasks.tla)."""
    return state_of(row) <= TaskState.RUNNING


def called(row: Row) -> str:
    """A task in messages."""
    return f"task {row['task']} ({row['service']}.{slot_of(row)[1] or '?'})"


class Seen:
    """Grows by :meth:`take`, row by row."""

    def __init__(self) -> None:
        self.t = 0.0
        self.tasks: dict[str, Row] = {}
        self.since: dict[str, float] = {}
        """When a task's desired state was first seen as it is."""
        self.first: dict[str, float] = {}
        """When a task was first seen."""
        self.slots: dict[Slot, dict[str, None]] = {}
        self.gone: dict[str, float] = {}
        self.services: dict[str, Row] = {}
        self.removed: dict[str, float] = {}
        self.replicas: dict[str, tuple[int | None, int | None]] = {}
        """What a service wants now, and what it wanted before."""
        self.updating: dict[str, float] = {}
        """When a service was last seen to be updated."""
        self.nodes: dict[str, Row] = {}
        self.hosts: dict[str, Standing] = {}
        self.entries: dict[str, dict[str, None]] = {}
        """Node entries of a host, by id."""
        self.node_gone: dict[str, float] = {}
        self.unanswered = NEVER
        """When managers last began to answer again."""
        self.answering = True
        self.led = NEVER
        """When the leader last changed."""
        self.powerless: dict[str, float] = {}
        self.containers: dict[str, Container] = {}
        self.container_of: dict[str, str] = {}
        """The container that runs for a task."""
        self.ended: dict[str, float] = {}
        """When the last container of a task ended."""
        self.reported: dict[str, TaskState] = {}
        self.history = HISTORY
        """How many tasks of a slot are kept at most, by what was typed."""
        self.caused = NEVER
        """When a user, a fault, an exit or a node last gave the cluster something to do."""

    def take(self, row: Row) -> None:
        self.t = row["t"]
        change = TAKE.get(row["kind"])
        if change is not None:
            change(self, row)

    # -- questions

    def status(self, host: str | None) -> str | None:
        standing = self.hosts.get(host) if host is not None else None
        return standing.status if standing is not None else None

    def ready_since(self, host: str | None, t: float) -> bool:
        """Whether a host's node has been ready ever since ``t``, and so in touch with a manager."""
        standing = self.hosts.get(host) if host is not None else None
        return (
            standing is not None
            and standing.status == "ready"
            and standing.unready < t
            and self.answering
            and self.unanswered < t
            and self.led < t
            and host not in self.powerless
        )

    def in_slot(self, slot: Slot) -> list[Row]:
        return [self.tasks[id] for id in self.slots.get(slot, ())]

    def wanted_slots(self, service: str) -> int:
        """How many slots of a service have a task that has not been given up."""
        return sum(
            any(self.tasks[id]["desired"] in WANTED for id in ids)
            for (name, _), ids in self.slots.items()
            if name == service
        )

    def is_replicated(self, service: str) -> bool:
        known = self.services.get(service)
        return known is not None and known["mode"] == "replicated" and known["replicas"] is not None

    # -- changes

    def _task(self, row: Row) -> None:
        id = row["task"]
        old = self.tasks.get(id)
        if old is None or old["desired"] != row["desired"]:
            self.since[id] = row["t"]
        if old is not None and slot_of(old) != slot_of(row):
            self._leave(old)
        self.first.setdefault(id, row["t"])
        self.tasks[id] = row
        self.slots.setdefault(slot_of(row), {})[id] = None
        if row["state"] in ("failed", "rejected", "complete", "orphaned"):
            self.caused = row["t"]

    def _leave(self, row: Row) -> None:
        ids = self.slots.get(slot_of(row), {})
        ids.pop(row["task"], None)
        if not ids:
            self.slots.pop(slot_of(row), None)

    def _task_gone(self, row: Row) -> None:
        old = self.tasks.pop(row["task"], None)
        if old is not None:
            self._leave(old)
        self.gone[row["task"]] = row["t"]

    def _service(self, row: Row) -> None:
        name = row["service"]
        known = self.services.get(name)
        if known is None or known["replicas"] != row["replicas"]:
            self.replicas[name] = (row["replicas"], known["replicas"] if known is not None else None)
        if row["update"] in UPDATING or (known is not None and known["update"] in UPDATING):
            self.updating[name] = row["t"]
        if known != row:
            self.caused = row["t"]
        self.services[name] = row
        self.removed.pop(name, None)

    def _service_gone(self, row: Row) -> None:
        self.services.pop(row["service"], None)
        self.removed[row["service"]] = row["t"]
        self.caused = row["t"]

    def _node(self, row: Row) -> None:
        old = self.hosts.get(row["node"])
        status = row["status"]
        self.nodes[row["id"]] = row
        self.entries.setdefault(row["node"], {})[row["id"]] = None
        changed = old is None or old.status != status
        unready = row["t"] if status != "ready" or (old is not None and old.status != "ready") else NEVER
        self.hosts[row["node"]] = Standing(
            status,
            row["t"] if old is None or changed else old.since,
            max(unready, old.unready if old is not None else NEVER),
        )
        if changed:
            self.caused = row["t"]
        if row["leader"]:
            self.led = row["t"]

    def _node_gone(self, row: Row) -> None:
        self.nodes.pop(row["id"], None)
        self.node_gone[row["node"]] = row["t"]
        self.caused = row["t"]

    def _answers(self, row: Row) -> None:
        self.answering = row["kind"] == "manager_answers"
        self.unanswered = self.caused = row["t"]

    def _leading(self, row: Row) -> None:
        self.led = self.caused = row["t"]

    def _docker(self, row: Row) -> None:
        self.caused = row["t"]
        if not row["rc"]:
            # Of a service with limited attempts one more is kept (taskreaper), to count them.
            limits = [int(number) + 1 for number in _LIMITS.findall(row["cmd"])]
            self.history = max([self.history, *limits])

    def _cause(self, row: Row) -> None:
        self.caused = row["t"]

    def _power(self, row: Row) -> None:
        if row["on"]:
            self.powerless.pop(row["host"], None)
        else:
            self.powerless[row["host"]] = row["t"]
        self.caused = row["t"]

    def _started(self, row: Row) -> None:
        if row["task"] is not None:
            self.containers[row["container"]] = Container(row["host"], row["task"], row["t"])
            self.container_of[row["task"]] = row["container"]

    def _ended(self, row: Row) -> None:
        self.containers.pop(row["container"], None)
        if row["task"] is not None:
            self.ended[row["task"]] = row["t"]
            if self.container_of.get(row["task"]) == row["container"]:
                del self.container_of[row["task"]]
        self.caused = row["t"]

    def _reported(self, row: Row) -> None:
        self.reported[row["task"]] = state_of(row)


TAKE = {
    "task": Seen._task,
    "task_gone": Seen._task_gone,
    "service": Seen._service,
    "service_gone": Seen._service_gone,
    "node": Seen._node,
    "node_gone": Seen._node_gone,
    "no_manager_answers": Seen._answers,
    "manager_answers": Seen._answers,
    "raft.leading": Seen._leading,
    "step": Seen._cause,
    "docker": Seen._docker,
    "power": Seen._power,
    "container.started": Seen._started,
    "container.ended": Seen._ended,
    "agent.report": Seen._reported,
}
"""What each kind of row changes."""
