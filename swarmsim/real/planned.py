"""What faults would do to hosts, without a host: every change is written down instead of made."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from swarmsim.real.cluster import RealCluster
from swarmsim.real.journal import Entry
from swarmsim.real.machine import Change, Completed, Machine
from swarmsim.real.running import Untouched
from swarmsim.real.verbs import VERBS
from swarmsim.world import HostSpec


class PlannedMachine:
    """A machine of which only words are wanted; whether it has power and an engine, somebody else knows."""

    def __init__(self, machine: Machine, powered: Callable[[], bool], engine_runs: Callable[[], bool]) -> None:
        self._machine = machine
        self._powered, self._engine_runs = powered, engine_runs
        self.name, self.address, self.role = machine.name, machine.address, machine.role
        self.socket: Path = machine.socket

    def __getattr__(self, name: str) -> Any:
        """How its changes are written is the machine's."""
        return getattr(self._machine, name)

    @property
    def powered(self) -> bool:
        return self._powered()

    @property
    def engine_runs(self) -> bool:
        return self._engine_runs()

    async def shell(self, script: str) -> Completed:
        raise AssertionError(f"{self.name}: nothing is run on a host that is only planned")


class PlannedCluster(RealCluster):
    """Machines to which nothing is done."""

    def __init__(self, machines: Sequence[PlannedMachine], specs: Mapping[str, HostSpec]) -> None:
        super().__init__(machines, Untouched(), specs)
        self._changes: list[Change] = []

    async def change(self, *changes: Change) -> list[Entry]:
        self._changes += changes
        return []

    async def start(self, hosts: Sequence[str]) -> None:
        await self.change(*(self.machines[host].start() for host in hosts))

    def of_fault(self, verb: str, argument: Any) -> list[Change]:
        """What a fault would change. Raises :class:`~swarmsim.world.FaultError` if it cannot be done then."""
        return self.written(VERBS[verb](self, argument))

    def of_cuts(self) -> list[Change]:
        """What would be changed so that cuts are as they shall be."""
        return self.written(self.apply_cuts())

    def written(self, work: Coroutine[Any, Any, Any]) -> list[Change]:
        self._changes = []
        self.loop.run_until_complete(work)
        return self._changes
