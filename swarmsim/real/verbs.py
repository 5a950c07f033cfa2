"""The fault verbs of real hosts: one table from a verb to the changes it is. See :meth:`swarmsim.world.World.fault`.

==================  ================================================================================================
verb                what the others see
==================  ================================================================================================
``power-off``       silence: packets vanish from the first moment, then everything on the host ends
``kill-host``       every process ends at once, and its kernel resets their connections
``kill-engine``     the daemon is killed; containers go on until an engine starts again
``cut, partition``  silence between the hosts named, in both directions
==================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from swarmsim.real.cluster import RealCluster
from swarmsim.world import ContainerChoice, FaultError

Verb: TypeAlias = "Callable[[RealCluster, Any], Coroutine[Any, Any, list[str]]]"


async def _power_off(world: RealCluster, hosts: list[str]) -> list[str]:
    for host in hosts:
        machine = world.machines[host]
        if machine.powered:
            await world.change(machine.silence())
            await world.change(machine.kill_everything())
            world.power(host, on=False)
    return hosts


async def _kill_host(world: RealCluster, hosts: list[str]) -> list[str]:
    for host in hosts:
        if world.machines[host].powered:
            await world.change(world.machines[host].kill_everything())
            world.power(host, on=False)
    return hosts


async def _start(world: RealCluster, hosts: list[str]) -> list[str]:
    await world.start(hosts)
    return hosts


async def _kill_engine(world: RealCluster, hosts: list[str]) -> list[str]:
    for host in _running(world, hosts):
        await world.change(world.machines[host].kill_engine())
    return hosts


async def _stop_engine(world: RealCluster, hosts: list[str]) -> list[str]:
    await world.change(*(world.machines[host].stop_engine() for host in _running(world, hosts)))
    return hosts


def _running(world: RealCluster, hosts: list[str]) -> list[str]:
    return [host for host in hosts if world.machines[host].engine_runs]


async def _cut(world: RealCluster, hosts: list[str]) -> list[str]:
    world.cuts.cut(*hosts)
    await world.apply_cuts()
    return hosts


async def _heal(world: RealCluster, hosts: list[str]) -> list[str]:
    if hosts and world.cuts.partitioned:
        raise FaultError("a partition is healed as a whole: write heal: all")
    world.cuts.heal(*hosts)
    await world.apply_cuts()
    return hosts


async def _partition(world: RealCluster, groups: list[list[str]]) -> list[str]:
    world.cuts.partition(groups)
    await world.apply_cuts()
    return [host for group in groups for host in group]


async def _kill_container(world: RealCluster, choice: ContainerChoice) -> list[str]:
    for host in [choice.on] if choice.on is not None else list(world.machines):
        if not world.machines[host].engine_runs:
            continue
        listed = await world.ask(host, "ps --format '{{.ID}} {{.Names}}'")
        for line in reversed(listed.out.splitlines()):
            container, _, name = line.partition(" ")
            if name.startswith(choice.prefix):
                await world.type(host, f"kill {container}")
                return [host]
    raise FaultError(f"no running container {choice}")


VERBS: dict[str, Verb] = {
    "power-off": _power_off,
    "kill-host": _kill_host,
    "power-on": _start,
    "kill-engine": _kill_engine,
    "stop-engine": _stop_engine,
    "start-engine": _start,
    "cut": _cut,
    "heal": _heal,
    "partition": _partition,
    "kill-container": _kill_container,
}
"""What can be done to real hosts."""
