"""What the recorder costs a real manager, and whether it misses anything: ``python -m benchmarks.recorder`` (root, docker; two minutes).

A lab of three managers and two workers runs a service of ten tasks. The processor time of the leader's daemon is read, for :data:`SPAN` seconds each,
alone, under looks every 0.1 s as the recorder makes them (nodes, services, tasks), and under its event stream. Then the service is scaled up and down, and what lasts
longer than a poll, as who looks without any pause sees it, must have been seen by who looks every 0.1 s.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiodocker

from swarmsim.real.lab import Lab, LabMachine, Plan
from swarmsim.real.looking import API, Onlooker
from swarmsim.real.places import LABS
from swarmsim.world import POLL

SPAN = 20.0
"""Seconds of each measurement."""
PLANS = [Plan(name, "manager" if name[0] == "m" else "worker") for name in ("m1", "m2", "m3", "w1", "w2")]
TICKS = os.sysconf("SC_CLK_TCK")


def processor_time(machine: LabMachine) -> float:
    """Seconds that the host's daemon has been at work."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().decode(errors="replace").split("\0")
            if words[0].endswith("dockerd") and f"/{machine.cgroup}" in words:
                fields = (each.parent / "stat").read_text().rsplit(") ", 1)[1].split()
                return (int(fields[11]) + int(fields[12])) / TICKS
        except OSError:
            continue
    raise LookupError(f"no daemon runs on {machine.name}")


async def looks(machines: list[LabMachine]) -> None:
    onlooker = Onlooker(machines)
    try:
        while True:
            await onlooker.look()
            await asyncio.sleep(POLL)
    finally:
        await onlooker.close()


@asynccontextmanager
async def listening(machine: LabMachine) -> AsyncIterator[tuple[aiodocker.Docker, Any]]:
    async with aiodocker.Docker(url=f"unix://{machine.socket}", api_version=API) as engine:
        events = engine.events.subscribe(create_task=False)  # type: ignore[no-untyped-call]
        running = asyncio.ensure_future(engine.events.run())
        try:
            yield engine, events
        finally:
            running.cancel()


async def events(machines: list[LabMachine]) -> None:
    async with listening(machines[0]) as (_, told):
        while await told.get() is not None:
            pass


async def measured(
    machines: list[LabMachine], watch: Callable[[list[LabMachine]], Coroutine[Any, Any, None]] | None
) -> tuple[float, float]:
    """The shares of a core that the leader's daemon and this process are at work."""
    task = asyncio.ensure_future(watch(machines)) if watch is not None else None
    await asyncio.sleep(2)
    began, theirs, ours = time.monotonic(), processor_time(machines[0]), time.process_time()
    await asyncio.sleep(SPAN)
    passed = time.monotonic() - began
    shares = (processor_time(machines[0]) - theirs) / passed, (time.process_time() - ours) / passed
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return shares


Lasted = dict[tuple[str, str, str], tuple[float, float]]
"""When a state of a task, and what it was wanted for, was seen first and last."""


async def seen(machines: list[LabMachine], pause: float, found: Lasted) -> None:
    """Look at tasks for as long as one likes."""
    onlooker = Onlooker(machines)
    try:
        while True:
            view = await onlooker.look()
            now = time.monotonic()
            for task in view.tasks if view is not None else []:
                key = task.id, task.status.state, task.desired_state
                found[key] = found.get(key, (now, now))[0], now
            await asyncio.sleep(pause)
    finally:
        await onlooker.close()


async def missed(machines: list[LabMachine]) -> tuple[int, int]:
    """How many states lasted longer than a poll while a service grew and shrank, as who looks without a pause sees it, and how many of them the recorder missed."""
    close: Lasted = {}
    recorded: Lasted = {}
    watching = [
        asyncio.ensure_future(seen(machines, 0.0, close)),
        asyncio.ensure_future(seen(machines, POLL, recorded)),
    ]
    for replicas in (14, 3, 10):
        await asyncio.to_thread(docker, machines[0], f"service scale -d web={replicas}")
        await asyncio.sleep(14)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    long = [key for key, (first, last) in close.items() if last - first > 1.5 * POLL]
    return len(long), sum(key not in recorded for key in long)


def docker(machine: LabMachine, line: str) -> str:
    words, _ = machine.docker(line.split())
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def form(machines: list[LabMachine]) -> None:
    first = machines[0]
    docker(first, f"swarm init --advertise-addr {first.address}")
    for machine in machines[1:]:
        token = docker(first, f"swarm join-token -q {machine.role}")
        docker(machine, f"swarm join --token {token} {first.address}:2377")
    docker(first, "service create -d --no-resolve-image --name web --replicas 10 mini:1 sleep 100000")
    time.sleep(8)


def main() -> None:
    lab = next(lab for lab in map(Lab, LABS) if not lab.is_up and lab.lock())
    lab.up(PLANS)
    try:
        machines = list(lab.machines.values())
        form(machines)
        for name, watch in (
            ("alone", None),
            (f"looks every {POLL:g} s", looks),
            ("its events", events),
            ("alone", None),
            (f"looks every {POLL:g} s", looks),
        ):
            daemon, recorder = asyncio.run(measured(machines, watch))
            print(f"{name:<20} daemon {daemon:6.2%} of a core, recorder {recorder:6.2%}", flush=True)
        long, lost = asyncio.run(missed(machines))
        print(f"of {long} states that lasted longer than {1.5 * POLL:g} s the recorder missed {lost}")
    finally:
        lab.down()


if __name__ == "__main__":
    main()
