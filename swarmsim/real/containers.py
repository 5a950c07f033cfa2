"""Which containers run on real hosts, whether or not a manager can tell: asked of each engine itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import aiodocker
import aiohttp

from swarmsim.real.looking import API, SHORT
from swarmsim.real.machine import Machine
from swarmsim.trace import rows
from swarmsim.trace.rows import KINDS, Row

SERVICE = "com.docker.swarm.service.name"
TASK = "com.docker.swarm.task.id"
WANTED = json.dumps({"type": ["container"], "event": ["start", "die"]})
RETRY = 0.1
"""Seconds until an engine that does not answer is asked again."""
SHORT_CONTAINER = 12
"""Characters of a container's id that a row has."""


class Containers:
    """What runs on one host, told in rows by ``tell``.

    The engine lists its containers once and then tells of every start and end. While no engine runs, containers are believed
    to go on if there is power, as they do.
    """

    def __init__(self, machine: Machine, tell: Callable[[Row], object]) -> None:
        self._machine = machine
        self._tell = tell
        self._alive: dict[str, Mapping[str, str]] = {}

    async def watch(self) -> None:
        """For as long as one likes."""
        while True:
            if self._machine.powered and self._machine.engine_runs:
                with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
                    async with aiodocker.Docker(url=f"unix://{self._machine.socket}", api_version=API) as engine:
                        await self._follow(engine)
            await asyncio.sleep(RETRY)

    async def _follow(self, engine: aiodocker.Docker) -> None:
        events = engine.events.subscribe(create_task=False)  # type: ignore[no-untyped-call]
        listening = asyncio.ensure_future(engine.events.run(filters=WANTED))
        try:
            while engine.events.json_stream is None and not listening.done():
                await asyncio.sleep(0.005)  # what starts between the list and the stream would be missed
            running = {each["Id"]: each["Labels"] for each in await engine.containers.list()}
            for container in [each for each in self._alive if each not in running]:
                self._ended(container)
            for container, labels in running.items():
                self._started(container, labels)
            while (event := await events.get()) is not None:
                if event["Action"] == "start":
                    self._started(event["Actor"]["ID"], event["Actor"]["Attributes"])
                else:
                    self._ended(event["Actor"]["ID"])
        finally:
            listening.cancel()

    def lost_power(self) -> None:
        """Everything has ended."""
        for container in list(self._alive):
            self._ended(container)

    def _started(self, container: str, labels: Mapping[str, str]) -> None:
        if container not in self._alive:
            self._alive[container] = labels
            self._note(rows.ContainerStarted, container, labels)

    def _ended(self, container: str) -> None:
        labels = self._alive.pop(container, None)
        if labels is not None:
            self._note(rows.ContainerEnded, container, labels)

    def _note(self, kind: object, container: str, labels: Mapping[str, str]) -> None:
        row: dict[str, Any] = {
            "host": self._machine.name,
            "container": container[:SHORT_CONTAINER],
            "service": labels.get(SERVICE),
            "task": task[:SHORT] if (task := labels.get(TASK)) else None,
        }
        self._tell({"kind": KINDS[kind], **row})
