"""Where a scenario can be run for real: what ``--on`` names."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from swarmsim.real.lab import HOME, Lab, LabError, Plan
from swarmsim.real.links import delays_packets
from swarmsim.real.machine import MachineError
from swarmsim.world import Capability, HostSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from swarmsim.real.world import RealWorld

LABS = range(1, 250)
"""Numbers of labs: the third part of their addresses."""
OF_THE_MACHINE = ("cpus", "memory", "resources", "plugins", "platform", "paths")
"""What a scenario can say of a host and a lab cannot give it."""
NO_NETEM = "this machine's kernel cannot make packets late: it needs the module sch_netem, and tc (iproute2)"
VERSIONS = "engine {{.Server.Version}}, client {{.Client.Version}}, Linux {{.Server.KernelVersion}}"


class Place(Protocol):
    """Where hosts are to be had."""

    @property
    def capabilities(self) -> Collection[Capability]: ...

    @property
    def verbs(self) -> Collection[str]: ...

    @property
    def lacking(self) -> Mapping[str, str]:
        """Fault verbs that real hosts can have, but these cannot, and why."""

    def opened(self, specs: Sequence[HostSpec]) -> AbstractContextManager[RealWorld]:
        """Hosts as ``specs`` want them, until the end; then everything is undone. Raises :class:`MachineError`."""


def place_named(name: str) -> Place:
    """Raises :class:`MachineError` if there is no such place, or something that it needs is not installed."""
    if name != "lab":
        raise MachineError(f"--on {name}: there is no such place; write --on lab for hosts made on this machine")
    try:
        return LabPlace()
    except ModuleNotFoundError as lacking:
        raise MachineError(f"real hosts need the package {lacking.name}: pip install 'docker-swarmsim[real]'") from None


class LabPlace:
    """Hosts that are made for a run and taken away after it."""

    def __init__(self) -> None:
        from swarmsim.real.world import RealWorld

        self._world = RealWorld
        self.capabilities: Collection[Capability] = RealWorld.capabilities
        self.lacking: Mapping[str, str] = {} if delays_packets() else {"latency": NO_NETEM}
        self.verbs: Collection[str] = [verb for verb in RealWorld.verbs if verb not in self.lacking]

    @contextmanager
    def opened(self, specs: Sequence[HostSpec]) -> Iterator[RealWorld]:
        for spec in specs:
            given = [field for field in OF_THE_MACHINE if getattr(spec, field) != HostSpec._field_defaults[field]]
            if given:
                raise MachineError(
                    f"{spec.name}: a lab's hosts are all as this machine is: take out {', '.join(given)}"
                )
        lab = _free_lab()
        try:
            lab.up([Plan(spec.name, str(spec.role), dict(spec.engine_labels)) for spec in specs])
            machines = list(lab.machines.values())
            with self._world(machines, lab.journal, {spec.name: spec for spec in specs}, _versions(lab)) as world:
                yield world
        finally:
            lab.down()


def _free_lab() -> Lab:
    """The first that is neither up nor in anybody's hands; it is ours until this process ends."""
    for number in LABS:
        lab = Lab(number)
        if not lab.is_up and lab.lock():
            return lab
    raise LabError(f"no lab is free: see {HOME} and swarmsim lab status")


def _versions(lab: Lab) -> str:
    """Engine, client and kernel of a lab, in words."""
    words, _ = next(iter(lab.machines.values())).docker(["version", "--format", VERSIONS])
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return f"lab: {told}"
