"""How quick the hosts of a running cluster are: measured without stopping or changing anything that is there.

What is made is one small container at a time, and one file of a block beside the engine's own; both are taken away again, and a container ends by itself
should whoever made it die.

=====================  ================================================================================================================
what                   how it is measured
=====================  ================================================================================================================
``link``               ping between every two hosts: a quarter of the time there and back, for it passes four links
``disk``               dd of one block of 4 KiB, written through to the disk (``oflag=dsync``), beside ``/var/lib/docker``
``api``                ``/_ping`` at the engine's socket
``look``               one look at nodes, services and tasks of a manager
``cli``                ``docker version`` on the host, less two requests
``container_create``   creating a container of an image that is there, less a request
``container_start``    starting it, less a request
``health_probe``       ``docker exec true`` in it, less two requests
``container_exit``     from SIGKILL to the engine's answer that it has ended, less a request
=====================  ================================================================================================================
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeAlias

import aiodocker
import aiohttp

from swarmsim.real.looking import API, Onlooker
from swarmsim.real.machine import Machine, MachineError

Samples: TypeAlias = dict[str, list[float]]
"""Seconds, by what was measured."""

LIFE = 60
"""Seconds after which a container that is measured ends by itself."""
LABEL = "swarmsim.calibrate"
PINGS, WRITES, REQUESTS, LOOKS, CONTAINERS = 10, 30, 20, 20, 6
LEAST = 1e-6
"""Seconds; what takes less, less what is taken off, counts as this."""
WRITE = f"""\
f=/var/lib/docker/.swarmsim-calibrate; trap 'rm -f $f' EXIT
n=0; while [ $n -lt {WRITES} ]; do LC_ALL=C dd if=/dev/zero of=$f bs=4096 count=1 oflag=dsync conv=notrunc 2>&1; n=$((n+1)); done"""
PING = "ping -n -q -c 1 {address} >/dev/null 2>&1; LC_ALL=C ping -n -c {count} -i 0.2 {address} || busybox ping -c {count} {address}"


async def measured(machines: Sequence[Machine], image: str | None) -> Samples:
    """All that can be measured; ``image`` is one that all hosts have and that has ``sleep`` and ``true`` (``None``: the first such).

    Raises :class:`MachineError`.
    """
    alive = [machine for machine in machines if machine.powered and machine.engine_runs]
    if not alive:
        raise MachineError("no engine answers: start one")
    found: Samples = {}

    def add(what: str, seconds: list[float], less: float = 0.0) -> None:
        found.setdefault(what, []).extend(max(LEAST, each - less) for each in seconds)

    for machine in alive:
        for other in alive:
            if other is not machine:
                add("link", [rtt / 4 for rtt in await _pinged(machine, other)])
        add("disk", await _written(machine))
        async with aiodocker.Docker(url=f"unix://{machine.socket}", api_version=API) as engine:
            try:
                await _of_engine(machine, engine, image, add)
            except (aiodocker.DockerError, aiohttp.ClientError, OSError) as problem:
                raise MachineError(f"{machine.name}: {problem}") from None
    onlooker = Onlooker(alive)
    for _ in range(LOOKS):
        began = time.perf_counter()
        if await onlooker.look() is None:
            break  # there is no swarm, so looks stay unmeasured
        add("look", [time.perf_counter() - began])
    await onlooker.close()
    return found


async def _pinged(machine: Machine, other: Machine) -> list[float]:
    done = await machine.shell(machine.inside(PING.format(address=other.address, count=PINGS)))
    return [float(ms) / 1000 for ms in re.findall(r"time=([\d.]+) ?ms", done.out)]


async def _written(machine: Machine) -> list[float]:
    done = await machine.shell(machine.inside(WRITE))
    return [float(seconds) for seconds in re.findall(r"copied, ([\d.e-]+) s", done.out)]


async def _timed(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _of_engine(machine: Machine, engine: aiodocker.Docker, image: str | None, add: Any) -> None:
    pings = [await _timed(engine._query_json("_ping", versioned_api=False)) for _ in range(REQUESTS)]
    request = statistics.median(pings)
    add("api", pings)
    words, environment = machine.docker(["version", "--format", "{{.Client.Version}}"])
    for _ in range(CONTAINERS):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *words, env=environment or None, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        await process.wait()
        add("cli", [time.perf_counter() - began], less=2 * request)
    image = image or await _some_image(machine, engine)
    for each in await engine.containers.list(all=True, filters={"label": [LABEL]}):
        await each.delete(force=True)  # of a calibration that was killed
    config: Any = {"Image": image, "Entrypoint": ["sleep"], "Cmd": [str(LIFE)], "Labels": {LABEL: ""}}
    for _ in range(CONTAINERS):
        began = time.perf_counter()
        container = await engine.containers.create(config)
        add("container_create", [time.perf_counter() - began], less=request)
        try:
            add("container_start", [await _timed(container.start())], less=request)
            add("health_probe", [await _timed(_true_in(container))], less=2 * request)
            add("container_exit", [await _timed(container.kill())], less=request)
        finally:
            await container.delete(force=True)


async def _true_in(container: Any) -> None:
    run = await container.exec(["true"])
    await run.start(detach=True)
    while (await run.inspect())["Running"]:
        await asyncio.sleep(0.001)


async def _some_image(machine: Machine, engine: aiodocker.Docker) -> str:
    """The smallest that is there."""
    tagged = [
        each for each in await engine.images.list() if each.get("RepoTags") and each["RepoTags"][0] != "<none>:<none>"
    ]
    if not tagged:
        raise MachineError(f"{machine.name} has no image: docker pull alpine there, or name one with --image")
    return str(min(tagged, key=lambda each: each["Size"])["RepoTags"][0])
