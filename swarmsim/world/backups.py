"""Backups as docker's manual has them: the swarm directory of a host whose engine is stopped, copied, and put back later.

In it are the node's certificate and key, its Raft log, which managers it knows, and its agent's tasks. Containers and volumes are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarmsim.engine.engine import Engine
from swarmsim.sim.future import Activity
from swarmsim.swarm.node import NodeDisk
from swarmsim.world import BackupRequest, FaultError

if TYPE_CHECKING:
    from swarmsim.world.cluster import SimulatedCluster


class Backups:
    """All copies that were made in a world, by name; a later one takes the place of an earlier one of its name."""

    def __init__(self, world: SimulatedCluster) -> None:
        self.world = world
        self._copies: dict[str, tuple[str, NodeDisk]] = {}

    def take(self, request: BackupRequest) -> Activity[list[str]]:
        """Copy what a host has. Its engine is stopped meanwhile, if it runs. Raises :class:`FaultError`."""
        engine = self._engine(request.on)
        if "swarm" not in engine.host.disk:
            raise FaultError(f"{request.on} is in no swarm: there is nothing to copy")
        running = engine.running
        if running:
            yield from self.world.stop_engine(request.on)
        disk: NodeDisk = engine.host.disk["swarm"]
        self._copies[request.name] = (request.on, disk.copy(engine.host.wall))
        if running:
            yield from self.world.power_on(request.on)
        return [request.on]

    def put_back(self, request: BackupRequest) -> Activity[list[str]]:
        """Put a copy in the place of what a host has, and start its engine. Raises :class:`FaultError`."""
        if request.name not in self._copies:
            raise FaultError(f"there is no backup {request.name!r}: it was not made, or failed")
        taken_of, disk = self._copies[request.name]
        host = request.on or taken_of
        engine = self._engine(host)
        if engine.running:
            yield from self.world.stop_engine(host)
        engine.host.disk["swarm"] = disk.copy(engine.host.wall)
        yield from self.world.power_on(host)
        return [host]

    def _engine(self, host: str) -> Engine:
        engine = self.world.engines[host]
        if not engine.host.powered:
            raise FaultError(f"{host} has no power")
        return engine
