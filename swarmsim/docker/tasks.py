"""Lists of tasks: ``docker service ps``, ``docker node ps`` (docker/cli command/task)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.reference import InvalidReference, parse_reference
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

    def _of(self, id: str, look: Callable[[], Activity[dict[str, Any]]], name: Callable[[Any], str]) -> Activity[str]:
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
        return self._of(id, lambda: self._api.service_inspect(id), lambda body: str(body["Spec"]["Name"]))

    def node(self, id: str) -> Activity[str]:
        return self._of(
            id, lambda: self._api.node_inspect(id), lambda body: str(body["Description"].get("Hostname", ""))
        )


def print_tasks(command: CommandContext, tasks: list[dict[str, Any]], truncate: bool) -> Activity[None]:
    """The table of tasks, newest first in each slot, older ones indented."""
    format = command.flags.get("format", "")
    names = Names(command)
    called: dict[str, str] = {}
    for task in tasks:
        service = yield from names.service(task["ServiceID"])
        called[task["ID"]] = f"{service}.{task.get('Slot') or task.get('NodeID', '')}"

    ordered = sorted(tasks, key=lambda task: task["CreatedAt"], reverse=True)
    ordered.sort(key=lambda task: natural(called[task["ID"]]))
    rows = []
    shown: dict[str, str] = {}
    previous = None
    for task in ordered:
        name = called[task["ID"]]
        error = task["Status"].get("Err", "")
        if error:
            error = f'"{ellipsis(error, MAX_ERROR) if truncate else error}"'
        node = yield from names.node(task.get("NodeID", ""))
        image = task["Spec"]["ContainerSpec"]["Image"]
        state = task["Status"]["State"]
        indent = r" \_ " if name == previous and (not format or format.startswith("table")) else ""
        rows.append(
            {
                "ID": task["ID"][:12] if truncate else task["ID"],
                "Name": "",
                "Image": familiar_image(image) if truncate else image,
                "Node": node,
                "DesiredState": task["DesiredState"].capitalize(),
                "CurrentState": f"{state.capitalize()} {command.ago(task['Status']['Timestamp']).lower()} ago",
                "Error": error,
                "Ports": ",".join(
                    f"*:{port['PublishedPort']}->{port['TargetPort']}/{port['Protocol']}"
                    for port in task["Status"]["PortStatus"].get("Ports", ())
                ),
            }
        )
        # Kept by id: of a task that is listed twice both rows get the later name.
        shown[task["ID"]] = indent + name
        previous = name
    for row, task in zip(rows, ordered, strict=True):
        row["Name"] = shown[task["ID"]]
    command.render(lambda: LISTING.render(rows, format, command.flags.on("quiet")))
