"""Looking at a simulated swarm as the recorder of the real clusters did: what a manager shows, as rows.

A :class:`View` is what one look saw; :class:`Differences` writes the rows by which each differs
from the one before, for the trace (:class:`Observer`) and for whoever looks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import compress
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from swarmsim.sim.clock import timestamp
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.objects import Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.trace import rows
from swarmsim.world import Fields
from swarmsim.world.shown import service_row

T = TypeVar("T")
LOOK_TIMEOUT = 5.0  # seconds a manager gets to answer one


class View(NamedTuple):
    """What a manager's API showed at one moment."""

    at: float
    nodes: list[NodeView]
    services: list[Service]
    tasks: list[Task]

    def running(self, service: str) -> int:
        """How many tasks of a service run and shall run, or of a job shall run to their end."""
        ids = {s.id for s in self.services if s.spec.name == service}
        return sum(
            1
            for task in self.tasks
            if task.service_id in ids
            and task.status.state is TaskState.RUNNING
            and task.desired_state in (TaskState.RUNNING, TaskState.COMPLETE)
        )

    def node(self, host: str) -> NodeView | None:
        """The node of a host: the newest, if it joined more than once."""
        found = [view for view in self.nodes if view.node.hostname == host]
        return found[-1] if found else None

    @property
    def leader(self) -> str | None:
        return next((v.node.hostname for v in self.nodes if v.manager is not None and v.manager.leader), None)


class Note(Protocol):
    """Writes a row of a type, with its fields by name."""

    def __call__(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None: ...


def _changed(now: list[T], before: list[T], differ: Callable[[T, T], bool] = operator.is_not) -> list[T]:
    """Those of ``now`` that were not in the same place before: all that changed, and perhaps some that did not.

    A look shows thousands of objects of which a handful are new; comparing places is a loop without Python.
    """
    return [*compress(now, map(differ, now, before)), *now[len(before) :]]


def _service_row(service: Service) -> rows.Service:
    update = service.update_status
    return service_row(
        service.spec,
        service.replicas if service.is_replicated else None,
        (update.state, update.message) if update else None,
        service.ports,
        (address.name for address in service.virtual_ips),
    )


class Differences:
    """Writes the rows by which each view differs from the one before."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self._nodes: dict[str, tuple[str, str | None, str, str, bool, str | None]] = {}
        self._specs: dict[str, rows.Service] = {}
        self._services: dict[str, Service] = {}
        self._tasks: dict[str, Task] = {}
        self._view = View(0.0, [], [], [])
        self._hosts: dict[str, str] = {}

    def write(self, view: View) -> None:
        for node in _changed(view.nodes, self._view.nodes, operator.ne):
            self._node(node)
        services = _changed(view.services, self._view.services)
        if services or len(self._services) > len(view.services):
            # First what went: a service may have been created again under its name between two looks.
            for id in sorted(self._services.keys() - {service.id for service in view.services}):
                gone = self._services.pop(id)
                del self._specs[id]
                self.note(rows.ServiceGone, service=gone.spec.name)
        for service in services:
            if self._services.get(service.id) is not service:
                self._service(service)
        for task in _changed(view.tasks, self._view.tasks):
            if self._tasks.get(task.id) is not task:
                self._task(task)
        if len(self._nodes) > len(view.nodes):
            for id in sorted(self._nodes.keys() - {each.node.id for each in view.nodes}):
                del self._nodes[id]
                self.note(rows.NodeGone, node=self._hosts[id], id=id[:8])
        if len(self._tasks) > len(view.tasks):
            for id in sorted(self._tasks.keys() - {task.id for task in view.tasks}):
                del self._tasks[id]
                self.note(rows.TaskGone, task=id[:8])
        self._view = view

    def _node(self, view: NodeView) -> None:
        node, manager = view.node, view.manager
        self._hosts[node.id] = node.hostname
        shown = (
            str(node.status.state),
            node.status.message or None,
            str(node.spec.availability),
            str(node.spec.role),
            bool(manager and manager.leader),
            manager.reachability if manager else None,
        )
        if node.description is None or self._nodes.get(node.id) == shown:
            return
        self._nodes[node.id] = shown
        status, message, availability, role, leader, reach = shown
        self.note(
            rows.Node,
            node=node.hostname,
            status=status,
            msg=message,
            avail=availability,
            role=role,
            leader=leader,
            reach=reach,
            id=node.id[:8],
        )

    def _service(self, service: Service) -> None:
        self._services[service.id] = service
        shown = _service_row(service)
        if self._specs.get(service.id) != shown:
            self._specs[service.id] = shown
            self.note(rows.Service, **shown)

    def _task(self, task: Task) -> None:
        old = self._tasks.get(task.id)
        self._tasks[task.id] = task
        if (
            old is not None
            and old.desired_state is task.desired_state
            and msgspec.structs.replace(old.status, applied_at=task.status.applied_at) == task.status
        ):
            return
        status = task.status
        self.note(
            rows.Task,
            task=task.id[:8],
            service=task.service_name,
            slot=task.slot or None,
            ts=timestamp(status.timestamp),
            image=task.spec.container.image,
            state=str(status.state),
            desired=str(task.desired_state),
            msg=status.message,
            err=status.err or None,
            node=self._hosts.get(task.node_id, task.node_id) or None,
            exit=status.container.exit_code if status.container else None,
        )
