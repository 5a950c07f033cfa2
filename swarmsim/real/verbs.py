"""The fault verbs of real hosts: one table from a verb to the changes it is. See :meth:`swarmsim.world.World.fault`.

==================  ================================================================================================
verb                what the others see
==================  ================================================================================================
``power-off``       silence: packets vanish from the first moment, then everything on the host ends
``kill-host``       every process ends at once, and its kernel resets their connections
``kill-engine``     the daemon is killed; containers go on until an engine starts again
``stop-engine``     the daemon ends in order, and its containers with it
``cut, partition``  silence between the hosts named, in both directions
``latency, loss``   answers that come late, or not
``block``           silence from one port, or one protocol, of a host
==================  ================================================================================================

``fail-healthcheck`` takes away from a container the program that its health check runs; what runs in it already does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from swarmsim.real.cluster import RealCluster
from swarmsim.real.health import WITH_HEALTH, without_its_check
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


async def _latency(world: RealCluster, argument: tuple[str, float]) -> list[str]:
    host, seconds = argument
    await world.relink(host, world.links.of(host)._replace(late=seconds))
    return [host]


async def _loss(world: RealCluster, argument: tuple[str, float]) -> list[str]:
    host, share = argument
    await world.relink(host, world.links.of(host)._replace(lost=share))
    return [host]


async def _block(world: RealCluster, argument: tuple[str, tuple[tuple[str, int], ...]]) -> list[str]:
    host, ports = argument
    link = world.links.of(host).without(ports)
    await world.relink(host, link._replace(closed=(*link.closed, *ports)))
    return [host]


async def _unblock(world: RealCluster, argument: tuple[str, tuple[tuple[str, int], ...]]) -> list[str]:
    host, ports = argument
    await world.relink(host, world.links.of(host).without(ports))
    return [host]


async def _chosen(world: RealCluster, choice: ContainerChoice, filters: str = "") -> tuple[str, str] | None:
    """The first running container that is meant, and its host."""
    for host in [choice.on] if choice.on is not None else list(world.machines):
        if not world.machines[host].engine_runs:
            continue
        listed = await world.ask(host, f"ps {filters} --format '{{{{.ID}}}} {{{{.Names}}}}'")
        for line in reversed(listed.out.splitlines()):
            container, _, name = line.partition(" ")
            if name.startswith(choice.prefix):
                return host, container
    return None


async def _kill_container(world: RealCluster, choice: ContainerChoice) -> list[str]:
    found = await _chosen(world, choice)
    if found is None:
        raise FaultError(f"no running container {choice}")
    host, container = found
    await world.type(host, f"kill {container}")
    return [host]


async def _fail_healthcheck(world: RealCluster, choice: ContainerChoice) -> list[str]:
    found = await _chosen(world, choice, WITH_HEALTH)
    if found is None:
        raise FaultError(f"no running container with a health check {choice}")
    host, container = found
    await world.change(await without_its_check(world.machines[host], container))
    return [host]


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
    "latency": _latency,
    "loss": _loss,
    "block": _block,
    "unblock": _unblock,
    "kill-container": _kill_container,
    "fail-healthcheck": _fail_healthcheck,
}
"""What can be done to real hosts."""
