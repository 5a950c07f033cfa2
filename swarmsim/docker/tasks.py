"""Lists of tasks: ``docker service ps``, ``docker node ps`` (docker/cli command/task)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.docker.command import CommandContext
from swarmsim.docker.output import Listing

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


def print_tasks(
    command: CommandContext,
    tasks: list[dict[str, Any]],
    services: Mapping[str, str],
    nodes: Mapping[str, str],
    truncate: bool,
) -> None:
    """The table of tasks, newest first in each slot, older ones indented."""
    no_resolve = command.flags.on("no-resolve")
    format = command.flags.get("format", "")

    def name_of(task: dict[str, Any]) -> str:
        service = task["ServiceID"]
        if not no_resolve:
            service = services.get(service, service)
        return f"{service}.{task.get('Slot') or task.get('NodeID', '')}"

    ordered = sorted(tasks, key=lambda task: task["CreatedAt"], reverse=True)
    ordered.sort(key=lambda task: natural(name_of(task)))
    rows = []
    previous = None
    for task in ordered:
        name = name_of(task)
        error = task["Status"].get("Err", "")
        if error:
            if truncate and len(error) > MAX_ERROR:
                error = error[: MAX_ERROR - 1] + "…"
            error = f'"{error}"'
        node = task.get("NodeID", "")
        image = task["Spec"]["ContainerSpec"]["Image"]
        state = task["Status"]["State"]
        indent = r" \_ " if name == previous and (not format or format.startswith("table")) else ""
        rows.append(
            {
                "ID": task["ID"][:12] if truncate else task["ID"],
                "Name": indent + name,
                "Image": familiar_image(image) if truncate else image,
                "Node": node if no_resolve else nodes.get(node, node),
                "DesiredState": task["DesiredState"].capitalize(),
                "CurrentState": f"{state.capitalize()} {command.ago(task['Status']['Timestamp']).lower()} ago",
                "Error": error,
                "Ports": ",".join(
                    f"*:{port['PublishedPort']}->{port['TargetPort']}/{port['Protocol']}"
                    for port in task["Status"]["PortStatus"].get("Ports", ())
                ),
            }
        )
        previous = name
    command.render(lambda: LISTING.render(rows, format, command.flags.on("quiet")))
