"""What the managers of real hosts show: asked of their engines' API, told in the rows of a trace.

A look asks the managers in order, each for :data:`PATIENCE` seconds, and takes the first answer. The answers are read as the records of
:mod:`swarmsim.apitypes`, the same that the model's engines answer with. (The API's
events tell neither of tasks nor of a manager that lost its quorum, so they cannot take the place of looks.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import aiodocker
import aiohttp

from swarmsim.apitypes.base import from_json
from swarmsim.apitypes.swarm import Node, Service, Task
from swarmsim.real.machine import Machine
from swarmsim.trace import rows
from swarmsim.trace.rows import KINDS, Row
from swarmsim.world.shown import service_row

PATIENCE = 5.0
"""Seconds an engine gets to answer a look."""
API = "v1.41"
"""Version of the API: that of engine 20.10, which later ones speak too."""
BOOT = 60.0
"""Seconds an engine that listens gets until it answers."""
SHORT = 8
"""Characters of an id that a row has."""


async def answers(machine: Machine) -> bool:
    """Whether its engine answers now; waits for the answer of one that listens, up to :data:`BOOT` seconds."""
    if not machine.engine_runs:
        return False
    try:
        async with asyncio.timeout(BOOT):
            reader, writer = await asyncio.open_unix_connection(str(machine.socket))
            writer.write(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            said = await reader.readline()
            writer.close()
    except OSError:  # a time-out is one
        return False
    return b" 200 " in said


class View(NamedTuple):
    """What a manager's API showed with one look. ``networks`` are names by id."""

    nodes: list[Node]
    services: list[Service]
    tasks: list[Task]
    networks: Mapping[str, str]


class Onlooker:
    """Asks the engines of ``machines``; their connections are kept."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self._machines = list(machines)
        self._engines: dict[str, aiodocker.Docker] = {}
        self._networks: dict[str, str] = {}

    async def look(self) -> View | None:
        """What the first manager that answers shows; ``None`` if none does."""
        for machine in self._machines:
            if not (machine.powered and machine.engine_runs):
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._ask(machine)
            except (aiodocker.DockerError, aiohttp.ClientError, OSError):  # a time-out is an OSError
                continue
        return None

    async def _ask(self, machine: Machine) -> View:
        engine = self._engines.get(machine.name)
        if engine is None:
            engine = self._engines[machine.name] = aiodocker.Docker(url=f"unix://{machine.socket}", api_version=API)
        nodes = from_json(await engine.nodes.list(), list[Node])
        services = from_json(await engine.services.list(), list[Service])
        tasks = from_json(await engine.tasks.list(), list[Task])
        used = [vip.network_id for service in services for vip in service.endpoint.virtual_ips]
        if any(network not in self._networks for network in used):
            self._networks.update((network["Id"], network["Name"]) for network in await engine.networks.list())
        return View(nodes, services, tasks, self._networks)

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.close()


class Shown(NamedTuple):
    """One thing that a manager shows, as a row of this ``kind``; ``gone`` is the row of its end."""

    kind: object
    fields: Mapping[str, Any]
    gone: tuple[object, Mapping[str, Any]]


class Differences:
    """The rows by which each view differs from the one before."""

    def __init__(self) -> None:
        self._known: dict[str, Shown] = {}

    def rows(self, view: View) -> list[Row]:
        """Without times: those of nodes, of services that are gone, then of services, of tasks, of what else is gone."""
        now = {**_nodes(view), **_services(view), **_tasks(view)}
        gone = [(id, shown) for id, shown in self._known.items() if id not in now]
        ended = {
            kind: [_row(*shown.gone) for _, shown in gone if shown.kind is kind]
            for kind in (rows.Node, rows.Service, rows.Task)
        }
        changed = {
            kind: [
                _row(kind, shown.fields)
                for id, shown in now.items()
                if shown.kind is kind and self._known.get(id) != shown
            ]
            for kind in (rows.Node, rows.Service, rows.Task)
        }
        self._known = now
        return [
            *changed[rows.Node],
            *ended[rows.Service],
            *changed[rows.Service],
            *changed[rows.Task],
            *ended[rows.Node],
            *ended[rows.Task],
        ]


def _row(kind: object, fields: Mapping[str, Any]) -> Row:
    return {"kind": KINDS[kind], **fields}


def _nodes(view: View) -> dict[str, Shown]:
    found = {}
    for node in view.nodes:
        manager, name = node.manager_status, node.description.hostname
        if not name:  # it is joining: nobody has heard of it yet
            continue
        row: rows.Node = {
            "node": name,
            "status": node.status.state,
            "msg": node.status.message or None,
            "avail": node.spec.availability,
            "role": node.spec.role,
            "leader": manager is not None and manager.leader,
            "reach": manager.reachability if manager is not None else None,
            "id": node.id[:SHORT],
        }
        gone: rows.NodeGone = {"node": name, "id": node.id[:SHORT]}
        found[node.id] = Shown(rows.Node, row, (rows.NodeGone, gone))
    return found


def _services(view: View) -> dict[str, Shown]:
    found = {}
    for service in view.services:
        update = service.update_status
        row = service_row(
            service.spec,
            service.replicas if service.is_replicated else None,
            (update.state, update.message) if update is not None and update.state else None,
            service.endpoint.ports,
            (view.networks.get(vip.network_id, vip.network_id) for vip in service.endpoint.virtual_ips),
        )
        gone: rows.ServiceGone = {"service": service.spec.name}
        found[service.id] = Shown(rows.Service, row, (rows.ServiceGone, gone))
    return found


def _tasks(view: View) -> dict[str, Shown]:
    hosts = {node.id: node.description.hostname for node in view.nodes}
    services = {service.id: service.spec.name for service in view.services}
    found = {}
    for task in view.tasks:
        status, container = task.status, task.status.container
        row: rows.Task = {
            "task": task.id[:SHORT],
            "service": services.get(task.service_id, task.service_id),
            "slot": task.slot or None,
            "ts": status.timestamp,
            "image": task.spec.container.image if task.spec.container is not None else None,
            "state": status.state,
            "desired": task.desired_state,
            "msg": status.message,
            "err": status.err or None,
            "node": hosts.get(task.node_id, task.node_id) or None,
            "exit": container.exit_code if container is not None else None,
        }
        gone: rows.TaskGone = {"task": task.id[:SHORT]}
        found[task.id] = Shown(rows.Task, row, (rows.TaskGone, gone))
    return found
