"""Making one swarm of a world's hosts, as one does by hand: ``swarm init``, ``swarm join``, labels."""

from __future__ import annotations

from swarmsim.docker.client import Result
from swarmsim.world import Activity, World

MANAGER, WORKER = "manager", "worker"
JOIN_WAVE = 1000
"""Workers that join at once; of many more some would run into the engine's 20 s."""


def form(world: World) -> Activity[None]:
    """Raises :class:`RuntimeError` if a command fails."""
    hosts = world.hosts
    first = next(name for name, spec in hosts.items() if spec.role == MANAGER)
    address = hosts[first].address
    yield from _must(world, first, f"swarm init --advertise-addr {address}")
    tokens = {}
    for role in (WORKER, MANAGER):
        result = yield from _must(world, first, f"swarm join-token -q {role}")
        tokens[role] = result.out.strip()
    for name, spec in hosts.items():
        if name != first and spec.role == MANAGER:
            yield from _join(world, name, tokens[MANAGER], address)
    workers = [name for name, spec in hosts.items() if spec.role == WORKER]
    if len(workers) > 10:
        for begin in range(0, len(workers), JOIN_WAVE):
            wave = workers[begin : begin + JOIN_WAVE]
            for joined in [world.spawn(_join(world, name, tokens[WORKER], address)) for name in wave]:
                yield joined
    else:
        for name in workers:
            yield from _join(world, name, tokens[WORKER], address)
    for name, spec in hosts.items():
        if spec.labels:
            labels = " ".join(f"--label-add {key}={value}" for key, value in spec.labels.items())
            yield from _must(world, first, f"node update {labels} {name}")


def _join(world: World, name: str, token: str, address: str) -> Activity[None]:
    own = world.hosts[name].address
    yield from _must(world, name, f"swarm join --token {token} --advertise-addr {own} {address}:2377")


def _must(world: World, host: str, line: str) -> Activity[Result]:
    result = yield from world.docker(host, line)
    if result.code:
        raise RuntimeError(f"forming the cluster failed: docker {line} on {host}: {result.err}")
    return result
