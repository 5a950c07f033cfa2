"""The fault verbs of the simulated world: one table from a verb to what it does. See :meth:`swarmsim.world.World.fault`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmsim.engine.containers import Container
from swarmsim.sim.future import Activity
from swarmsim.world import ContainerChoice, FaultError, backups
from swarmsim.world.cluster import SimulatedCluster

Verb = Callable[[SimulatedCluster, Any], Activity[list[str]]]


def _power_off(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    for host in hosts:
        world.power_off(host)
    return hosts
    yield


def _kill_engine(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    for host in hosts:
        world.kill_engine(host)
    return hosts
    yield


def _kill_host(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    for host in hosts:
        yield from world.kill_host(host)
    return hosts


def _power_on(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    for started in [world.scope.spawn(world.power_on(host)) for host in hosts]:
        yield started
    return hosts


def _stop_engine(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    for stopped in [world.scope.spawn(world.stop_engine(host)) for host in hosts]:
        yield stopped
    return hosts


def _cut(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    a, b = hosts
    world.ctx.fabric.cut(a, b)
    return hosts
    yield


def _heal(world: SimulatedCluster, hosts: list[str]) -> Activity[list[str]]:
    if hosts and world.ctx.fabric.partitioned:
        raise FaultError("a partition is healed as a whole: write heal: all")
    world.ctx.fabric.heal(*hosts)
    return hosts
    yield


def _partition(world: SimulatedCluster, groups: list[list[str]]) -> Activity[list[str]]:
    world.ctx.fabric.partition(groups)
    return [host for group in groups for host in group]
    yield


def _latency(world: SimulatedCluster, argument: tuple[str, float]) -> Activity[list[str]]:
    host, seconds = argument
    world.add_latency(host, seconds)
    return [host]
    yield


def _loss(world: SimulatedCluster, argument: tuple[str, float]) -> Activity[list[str]]:
    host, share = argument
    world.set_loss(host, share)
    return [host]
    yield


def _block(world: SimulatedCluster, argument: tuple[str, tuple[tuple[str, int], ...]]) -> Activity[list[str]]:
    host, ports = argument
    for protocol, port in ports:
        world.engines[host].host.close_port(protocol, port)
    return [host]
    yield


def _unblock(world: SimulatedCluster, argument: tuple[str, tuple[tuple[str, int], ...]]) -> Activity[list[str]]:
    host, ports = argument
    for protocol, port in ports:
        world.engines[host].host.open_port(protocol, port)
    return [host]
    yield


def _mtu(world: SimulatedCluster, argument: tuple[str, int | None]) -> Activity[list[str]]:
    host, size = argument
    world.ctx.fabric.set_mtu(host, size)
    return [host]
    yield


def _clock(world: SimulatedCluster, argument: tuple[str, float, float]) -> Activity[list[str]]:
    host, seconds, drift = argument
    world.ctx.hosts[host].wall.set(seconds, drift)
    world.ctx.mark_changed()
    return [host]
    yield


def _authority(world: SimulatedCluster, argument: tuple[str, str, float | None]) -> Activity[list[str]]:
    name, answers, takes = argument
    authority = world.authorities.get(name)
    if authority is None:
        raise FaultError(f"{name} is no certificate authority")
    authority.answers = answers
    authority.takes = authority.spec.takes if takes is None else takes
    return [name]
    yield


def _chosen(
    world: SimulatedCluster, choice: ContainerChoice, fits: Callable[[Container], bool] = lambda _: True
) -> tuple[str, Container] | None:
    """The first running container that is meant, and its host."""
    hosts = list(world.engines) if choice.on is None else [choice.on]
    for name in hosts:
        for container in world.engines[name].containers.values():
            if container.alive and container.name.startswith(choice.prefix) and fits(container):
                return name, container
    return None


def _kill_container(world: SimulatedCluster, choice: ContainerChoice) -> Activity[list[str]]:
    found = _chosen(world, choice)
    if found is None:
        raise FaultError(f"no running container {choice}")
    host, container = found
    yield from world.docker(host, f"kill {container.id[:12]}")
    return [host]


def _fail_healthcheck(world: SimulatedCluster, choice: ContainerChoice) -> Activity[list[str]]:
    found = _chosen(world, choice, lambda container: bool(container.health))
    if found is None:
        raise FaultError(f"no running container with a health check {choice}")
    host, container = found
    container.fail_probes()
    return [host]
    yield


VERBS: dict[str, Verb] = {
    "power-off": _power_off,
    "kill-host": _kill_host,
    "power-on": _power_on,
    "kill-engine": _kill_engine,
    "stop-engine": _stop_engine,
    "start-engine": _power_on,
    "cut": _cut,
    "heal": _heal,
    "partition": _partition,
    "latency": _latency,
    "loss": _loss,
    "block": _block,
    "unblock": _unblock,
    "mtu": _mtu,
    "clock": _clock,
    "authority": _authority,
    "kill-container": _kill_container,
    "fail-healthcheck": _fail_healthcheck,
    "backup": backups.take,
    "restore": backups.put_back,
}
"""What the model can do."""
