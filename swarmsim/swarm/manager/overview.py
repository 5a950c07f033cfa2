"""What somebody sees who looks at the swarm again and again: no part of SwarmKit's API.

``docker node ls``, ``service ls`` and ``service ps`` asked at one moment, of the leader by way of any manager, as those are.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.method import CallInfo, Method
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.api.roles import MANAGERS
from swarmsim.swarm.manager.controlapi import ControlAPI
from swarmsim.swarm.objects import Service, Task


class OverviewRequest(NamedTuple):
    """Everything."""


class Overview(NamedTuple):
    """All three lists as they are at one moment, oldest first; places of plain containers are no tasks to whoever looks."""

    nodes: list[NodeView]
    services: list[Service]
    tasks: list[Task]


OVERVIEW = Method("swarmsim.Observer/Overview", OverviewRequest, Overview, MANAGERS)


def overview(api: ControlAPI, request: OverviewRequest, call: CallInfo) -> Overview:
    return Overview(
        api.views(),
        list(api.store.table(Service).values()),
        [task for task in api.store.table(Task).values() if not task.is_attachment],
    )
