"""Where a scenario can be run for real: what ``--on`` names."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from swarmsim.real.careful import Terms, told_in_header
from swarmsim.real.doctor import examine
from swarmsim.real.lab import LABS, Lab, Plan, free_lab
from swarmsim.real.links import delays_packets
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.versions import versions
from swarmsim.world import Capability, HostSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from swarmsim.real.world import RealWorld

OF_THE_MACHINE = ("cpus", "memory", "resources", "plugins", "platform", "paths")
"""What a scenario can say of a host and a lab cannot give it."""
NO_NETEM = "this machine's kernel cannot make packets late: it needs the module sch_netem, and tc (iproute2)"


class Place(Protocol):
    """Where hosts are to be had."""

    @property
    def capabilities(self) -> Collection[Capability]: ...

    @property
    def verbs(self) -> Collection[str]: ...

    def lacking(self, wanted: Collection[str]) -> Mapping[str, str]:
        """Fault verbs of these that real hosts can have, but not these hosts, and why."""

    @property
    def borrowed(self) -> bool:
        """Whether its hosts are somebody's: then somebody must agree, and they stay as they were."""

    def planned(self, specs: Sequence[HostSpec]) -> list[Machine]:
        """The machines that these hosts will be. Nothing is touched. Raises :class:`MachineError` if there are none."""

    def opened(self, specs: Sequence[HostSpec], terms: Terms) -> AbstractContextManager[RealWorld]:
        """Hosts as ``specs`` want them, until the end; then everything is undone. Raises :class:`MachineError`."""


class LabPlace:
    """Hosts that are made for a run and taken away after it."""

    borrowed = False

    def __init__(self) -> None:
        from swarmsim.real.world import RealWorld

        self._world = RealWorld
        self.capabilities: Collection[Capability] = RealWorld.capabilities
        self.verbs: Collection[str] = RealWorld.verbs

    def lacking(self, wanted: Collection[str]) -> Mapping[str, str]:
        return {"latency": NO_NETEM} if "latency" in wanted and not delays_packets() else {}

    def planned(self, specs: Sequence[HostSpec]) -> list[Machine]:
        lab = next((lab for lab in map(Lab, LABS) if not lab.is_up), Lab(LABS[-1]))
        return list(lab.planned(plans_of(specs)).values())

    @contextmanager
    def opened(self, specs: Sequence[HostSpec], terms: Terms) -> Iterator[RealWorld]:
        plans = plans_of(specs)
        lab = free_lab()
        try:
            lab.up(plans)
            machines = list(lab.machines.values())
            examined = asyncio.run(examine(machines))
            with self._world(
                machines, lab.journal, {spec.name: spec for spec in specs}, f"lab: {versions(machines)}"
            ) as world:
                world.told = told_in_header(examined)
                yield world
        finally:
            lab.down()


def plans_of(specs: Sequence[HostSpec]) -> list[Plan]:
    """Raises :class:`MachineError` if a lab's hosts cannot be so."""
    for spec in specs:
        given = [field for field in OF_THE_MACHINE if getattr(spec, field) != HostSpec._field_defaults[field]]
        if given:
            raise MachineError(f"{spec.name}: a lab's hosts are all as this machine is: take out {', '.join(given)}")
    return [Plan(spec.name, str(spec.role), dict(spec.engine_labels)) for spec in specs]
