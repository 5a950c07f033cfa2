"""Backups as docker's manual has them: the swarm directory of a host whose engine is stopped, copied, and put back later.

In it are the node's certificate and key, its Raft log, which managers it knows, and its agent's tasks. Containers and volumes are not.
"""

from __future__ import annotations

from swarmsim.engine.engine import Engine
from swarmsim.sim.future import Activity
from swarmsim.swarm.node import NodeDisk
from swarmsim.world import BackupRequest, FaultError
from swarmsim.world.cluster import SimulatedCluster


def take(world: SimulatedCluster, request: BackupRequest) -> Activity[list[str]]:
    """Copy what a host has, in the place of an earlier copy of that name. Its engine is stopped meanwhile, if it runs. Raises
    :class:`FaultError`."""
    engine = _engine(world, request.on)
    if "swarm" not in engine.host.disk:
        raise FaultError(f"{request.on} is in no swarm: there is nothing to copy")
    running = engine.running
    if running:
        yield from world.stop_engine(request.on)
    disk: NodeDisk = engine.host.disk["swarm"]
    world.backups[request.name] = (request.on, disk.copy(engine.host.wall))
    if running:
        yield from world.power_on(request.on)
    return [request.on]


def put_back(world: SimulatedCluster, request: BackupRequest) -> Activity[list[str]]:
    """Put a copy in the place of what a host has, and start its engine. Raises :class:`FaultError`."""
    if request.name not in world.backups:
        raise FaultError(f"there is no backup {request.name!r}: it was not made, or failed")
    taken_of, disk = world.backups[request.name]
    host = request.on or taken_of
    engine = _engine(world, host)
    if engine.running:
        yield from world.stop_engine(host)
    engine.host.disk["swarm"] = disk.copy(engine.host.wall)
    yield from world.power_on(host)
    return [host]


def _engine(world: SimulatedCluster, host: str) -> Engine:
    engine = world.engines[host]
    if not engine.host.powered:
        raise FaultError(f"{host} has no power")
    return engine
