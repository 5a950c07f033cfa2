"""The fault verbs: one table from a verb to what it does to the world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmsim.engine.containers import Container
from swarmsim.scenario.schema import AnyContainer
from swarmsim.sim.future import Activity
from swarmsim.trace import rows
from swarmsim.world.simulated import SimulatedWorld

Resolve = Callable[[str], str]


class FaultError(Exception):
    """The fault cannot be done now (no such container, …)."""


def _each(argument: str | list[str]) -> list[str]:
    return [argument] if isinstance(argument, str) else argument


def _at_once(act: Callable[[SimulatedWorld, str], object]) -> Callable[[SimulatedWorld, Any, Resolve], Activity[Any]]:
    def apply(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
        hosts = [resolve(host) for host in _each(argument)]
        for host in hosts:
            act(world, host)
        return hosts
        yield

    return apply


def _taking_time(
    act: Callable[[SimulatedWorld, str], Activity[Any]],
) -> Callable[[SimulatedWorld, Any, Resolve], Activity[Any]]:
    def apply(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
        hosts = [resolve(host) for host in _each(argument)]
        for done in [world.scope.spawn(act(world, host)) for host in hosts]:
            yield done
        return hosts

    return apply


def _one_by_one(
    act: Callable[[SimulatedWorld, str], Activity[Any]],
) -> Callable[[SimulatedWorld, Any, Resolve], Activity[Any]]:
    def apply(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
        hosts = [resolve(host) for host in _each(argument)]
        for host in hosts:
            yield from act(world, host)
        return hosts

    return apply


def _cut(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    a, b = (resolve(host) for host in argument)
    world.ctx.fabric.cut(a, b)
    return [a, b]
    yield


def _heal(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    hosts = [] if argument == "all" else [resolve(host) for host in argument]
    if hosts and world.ctx.fabric.partitioned:
        raise FaultError("a partition is healed as a whole: write heal: all")
    world.ctx.fabric.heal(*hosts)
    return hosts
    yield


def _partition(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    groups = [[resolve(host) for host in group] for group in argument]
    world.ctx.fabric.partition(groups)
    return [host for group in groups for host in group]
    yield


def _latency(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    host = resolve(argument.host)
    world.add_latency(host, argument.by)
    return [host]
    yield


def _loss(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    host = resolve(argument.host)
    world.set_loss(host, argument.percent / 100)
    return [host]
    yield


def _some_container(
    world: SimulatedWorld, argument: Any, resolve: Resolve, fits: Callable[[Container], bool] = lambda _: True
) -> tuple[str, Container] | None:
    """The first running container that ``argument`` means, a slot's or any of a host, and its host."""
    task = argument if isinstance(argument, str) else None
    hosts = list(world.engines) if task is not None else [resolve(argument.on)]
    prefix = f"{task}." if task is not None else f"{argument.service}." if argument.service else ""
    for name in hosts:
        for container in world.engines[name].containers.values():
            if container.alive and container.name.startswith(prefix) and fits(container):
                return name, container
    return None


def _kill_container(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    found = _some_container(world, argument, resolve)
    if found is None:
        raise FaultError(f"no running container {words('', argument).strip()}")
    host, container = found
    yield from world.docker(host, f"kill {container.id[:12]}")
    return [host]


def _fail_healthcheck(world: SimulatedWorld, argument: Any, resolve: Resolve) -> Activity[Any]:
    found = _some_container(world, argument, resolve, lambda container: bool(container.health))
    if found is None:
        raise FaultError(f"no running container with a health check {words('', argument).strip()}")
    host, container = found
    container.probes_fail = True
    return [host]
    yield


FAULTS: dict[str, Callable[[SimulatedWorld, Any, Resolve], Activity[Any]]] = {
    "power-off": _at_once(SimulatedWorld.power_off),
    "kill-host": _one_by_one(SimulatedWorld.kill_host),
    "power-on": _taking_time(SimulatedWorld.power_on),
    "kill-engine": _at_once(SimulatedWorld.kill_engine),
    "stop-engine": _taking_time(SimulatedWorld.stop_engine),
    "start-engine": _taking_time(SimulatedWorld.power_on),
    "cut": _cut,
    "heal": _heal,
    "partition": _partition,
    "latency": _latency,
    "loss": _loss,
    "kill-container": _kill_container,
    "fail-healthcheck": _fail_healthcheck,
}


def words(verb: str, argument: Any) -> str:
    """The fault in words, as the timeline shows it."""
    if verb in ("latency", "loss"):
        amount = f"{argument.by:g} s" if verb == "latency" else f"{argument.percent:g} %"
        return f"{verb} {argument.host} {amount}"
    if verb == "partition":
        return "partition " + " | ".join(" ".join(group) for group in argument)
    if verb in ("kill-container", "fail-healthcheck", "") and not isinstance(argument, str):
        return f"{verb.replace('-', ' ')} {argument.service or 'any'} on {argument.on}"
    return f"{verb.replace('-', ' ')} {' '.join(_each(argument))}"


def named_hosts(verb: str, argument: Any) -> list[str]:
    """The hosts that a fault names; none where it means all, or a container wherever that is."""
    if isinstance(argument, str):
        return [] if argument == "all" or verb in ("kill-container", "fail-healthcheck") else [argument]
    if isinstance(argument, list):
        return [host for item in argument for host in named_hosts(verb, item)]
    return [argument.on if isinstance(argument, AnyContainer) else argument.host]


def fault_step(what: str, verb: str, hosts: list[str], single: str | None) -> rows.Step:
    """The row of a fault; ``single`` is the host that it is all about."""
    if single is None:
        return {"what": what, "verb": verb, "hosts": hosts}
    return {"what": what, "node": single, "verb": verb, "hosts": hosts}
