"""Lists of tasks: ``docker service ps``, ``docker node ps`` (docker/cli command/task)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.apitypes.swarm import Task
from swarmsim.docker.command import CommandContext
from swarmsim.docker.output import Listing, ellipsis
from swarmsim.sim.future import Activity

LISTING = Listing(
    "{{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Node}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Error}}\t{{.Ports}}",
    {
        "ID": "ID",
        "Name": "NAME",
        "Image": "IMAGE",
        "Node": "NODE",
        "DesiredState": "DESIRED STATE",
        "CurrentState": "CURRENT STATE",
        "Error": "ERROR",
        "Ports": "PORTS",
    },
    "task.taskContext",
    raw=r"id: {{.ID}}\nname: {{.Name}}\nimage: {{.Image}}\nnode: {{.Node}}\ndesired_state: {{.DesiredState}}\n"
    r"current_state: {{.CurrentState}}\nerror: {{.Error}}\nports: {{.Ports}}\n",
)
MAX_ERROR = 30
R = TypeVar("R")


def familiar_image(image: str) -> str:
    """An image as lists show it: without its digest, with its tag."""
    try:
        reference = parse_reference(image)
    except InvalidReference:
        return image
    return f"{reference.name}:{reference.tag}" if reference.tag else image


def natural(text: str) -> tuple[tuple[int, Any], ...]:
    """Sort key that puts ``web.2`` before ``web.10``."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part)


class Names:
    """Names of services and nodes by their ids, each asked for once (command/idresolver)."""

    def __init__(self, command: CommandContext) -> None:
        self._api = command.api
        self._no_resolve = command.flags.on("no-resolve")
        self._known: dict[str, str] = {}

    def _of(self, id: str, look: Callable[[], Activity[R]], name: Callable[[R], str]) -> Activity[str]:
        """The id itself, where nobody knows it, or nobody is to be asked."""
        if self._no_resolve or not id:
            return id
        if id not in self._known:
            try:
                self._known[id] = name((yield from look())) or id
            except ApiError:
                self._known[id] = id
        return self._known[id]

    def service(self, id: str) -> Activity[str]:
        return self._of(id, lambda: self._api.service(id), lambda service: service.spec.name)

    def node(self, id: str) -> Activity[str]:
        return self._of(id, lambda: self._api.node(id), lambda node: node.description.hostname)


def print_tasks(command: CommandContext, tasks: list[Task], truncate: bool) -> Activity[None]:
    """The table of tasks, newest first in each slot, older ones indented."""
    format = command.flags.get("format", "")
    names = Names(command)
    called: dict[str, str] = {}
    for task in tasks:
        service = yield from names.service(task.service_id)
        called[task.id] = f"{service}.{task.slot or task.node_id}"

    ordered = sorted(tasks, key=lambda task: task.created_at, reverse=True)
    ordered.sort(key=lambda task: natural(called[task.id]))
    rows = []
    shown: dict[str, str] = {}
    previous = None
    for task in ordered:
        name = called[task.id]
        error = task.status.err
        if error:
            error = f'"{ellipsis(error, MAX_ERROR) if truncate else error}"'
        node = yield from names.node(task.node_id)
        image = task.spec.container.image
        indent = r" \_ " if name == previous and (not format or format.startswith("table")) else ""
        rows.append(
            {
                "ID": task.id[:12] if truncate else task.id,
                "Name": "",
                "Image": familiar_image(image) if truncate else image,
                "Node": node,
                "DesiredState": task.desired_state.capitalize(),
                "CurrentState": f"{task.status.state.capitalize()} {command.ago(task.status.timestamp).lower()} ago",
                "Error": error,
                "Ports": ",".join(
                    f"*:{port.published_port}->{port.target_port}/{port.protocol}"
                    for port in task.status.port_status.ports
                ),
            }
        )
        # Kept by id: of a task that is listed twice both rows get the later name.
        shown[task.id] = indent + name
        previous = name
    for row, task in zip(rows, ordered, strict=True):
        row["Name"] = shown[task.id]
    command.render(lambda: LISTING.render(rows, format, command.flags.on("quiet")))
