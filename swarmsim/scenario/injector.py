"""Fault processes at work: hosts that fail and are mended again, at random, as long as a scenario lasts.

Every host a process is about has a life of its own and a random stream of its own: it is healthy for a time drawn from
``every``, then broken for a time drawn from ``for``, and so on. The hosts of a ``site`` fail together.

Processes may overlap. A host that two of them have left without power gets it back when both are over; its engine, killed by
another meanwhile, starts with the power.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from swarmsim.distribution import Sampler
from swarmsim.scenario.schema import Scenario
from swarmsim.trace import rows
from swarmsim.world import Activity, World


class FaultInjector:
    """Puts the fault processes of a scenario in force now. After ``ends`` (seconds) nothing more breaks; what is broken is still mended."""

    def __init__(self, world: World, scenario: Scenario, ends: float) -> None:
        self.world = world
        self.ends = ends
        self._without_power: dict[str, int] = {}
        for number, process in enumerate(scenario.faults):
            kind = KINDS[process.fault]
            for hosts in process.victims(scenario.cluster):
                rng = world.rng(f"faults/{number}/{' '.join(hosts)}")
                world.spawn(self._life(kind, hosts, process.every.sampler(), process.for_.sampler(), rng))

    def _life(
        self, kind: Kind, hosts: list[str], every: Sampler, sample_duration: Sampler, rng: Random
    ) -> Activity[None]:
        while True:
            yield every(rng)
            if self.world.now >= self.ends:
                return
            self._note(kind.verb, hosts)
            mend = yield from kind.strike(self, hosts)
            yield sample_duration(rng)
            self._note(kind.mending, hosts)
            yield from mend()

    def _note(self, verb: str, hosts: list[str]) -> None:
        row: rows.Step = {"what": f"{verb.replace('-', ' ')} {' '.join(hosts)}", "verb": verb, "hosts": hosts}
        if len(hosts) == 1:
            row["node"] = hosts[0]
        self.world.note(rows.Step, **row)

    def power_off(self, hosts: list[str]) -> Activity[Mend]:
        for host in hosts:
            self._without_power[host] = self._without_power.get(host, 0) + 1
        yield from self.world.fault("power-off", hosts)
        return partial(self._power_on, hosts)

    def _power_on(self, hosts: list[str]) -> Activity[None]:
        for host in hosts:
            self._without_power[host] -= 1
        yield from self.world.fault("power-on", [host for host in hosts if not self._without_power[host]])

    def kill_engine(self, hosts: list[str]) -> Activity[Mend]:
        yield from self.world.fault("kill-engine", hosts)
        return partial(self._start_engine, hosts)

    def _start_engine(self, hosts: list[str]) -> Activity[None]:
        yield from self.world.fault("start-engine", [host for host in hosts if self.world.powered(host)])

    def cut(self, hosts: list[str]) -> Activity[Mend]:
        return self.world.isolate(hosts)


Mend = Callable[[], Activity[None]]
"""What ends a fault; it may take time."""


class Kind(NamedTuple):
    """A sort of fault: the verb of what breaks and of what mends it, and how."""

    verb: str
    mending: str
    strike: Callable[[FaultInjector, list[str]], Activity[Mend]]


KINDS: dict[str, Kind] = {
    "power-off": Kind("power-off", "power-on", FaultInjector.power_off),
    "kill-engine": Kind("kill-engine", "start-engine", FaultInjector.kill_engine),
    "cut": Kind("cut-off", "heal", FaultInjector.cut),
}
"""The sorts of faults a law may be of."""
