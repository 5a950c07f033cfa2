"""Fault laws at work: hosts that fail and are mended again, at random, as long as a scenario lasts.

Every host a law is about has a life of its own and a random stream of its own: it is well for a time drawn from
``every``, then broken for a time drawn from ``for``, and so on. The hosts of a ``site`` fail together.

Laws may overlap. A host that two laws have left without power gets it back when both are over; its engine, killed by
another law meanwhile, starts with the power.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, NamedTuple

from swarmsim.scenario.faults import fault_step
from swarmsim.scenario.schema import Scenario
from swarmsim.sim.distribution import Sampler
from swarmsim.sim.future import Activity
from swarmsim.trace import rows
from swarmsim.world.simulated import SimulatedWorld


class FaultInjector:
    """Puts the laws of a scenario in force now. After ``ends`` (simulated seconds) nothing more breaks; what is broken is still mended."""

    def __init__(self, world: SimulatedWorld, scenario: Scenario, ends: float) -> None:
        self.world = world
        self.ends = ends
        self._without_power: dict[str, int] = {}
        for number, process in enumerate(scenario.faults):
            kind = KINDS[process.fault]
            for hosts in process.victims(scenario.cluster):
                rng = world.ctx.streams.stream(f"faults/{number}/{' '.join(hosts)}")
                world.scope.spawn(self._life(kind, hosts, process.every.sampler(), process.for_.sampler(), rng))

    def _life(
        self, kind: Kind, hosts: list[str], every: Sampler, sample_duration: Sampler, rng: Random
    ) -> Activity[Any]:
        while True:
            yield every(rng)
            if self.world.clock.now >= self.ends:
                return
            self._note(kind.verb, hosts)
            mend = kind.strike(self, hosts)
            yield sample_duration(rng)
            self._note(kind.mending, hosts)
            yield from mend()

    def _note(self, verb: str, hosts: list[str]) -> None:
        what = f"{verb.replace('-', ' ')} {' '.join(hosts)}"
        single = hosts[0] if len(hosts) == 1 else None
        self.world.journal.note(rows.Step, **fault_step(what, verb, hosts, single))

    def power_off(self, hosts: list[str]) -> Mend:
        for host in hosts:
            self._without_power[host] = self._without_power.get(host, 0) + 1
            self.world.power_off(host)
        return partial(self._power_on, hosts)

    def _power_on(self, hosts: list[str]) -> Activity[Any]:
        for host in hosts:
            self._without_power[host] -= 1
        return self._start([host for host in hosts if not self._without_power[host]])

    def kill_engine(self, hosts: list[str]) -> Mend:
        for host in hosts:
            self.world.kill_engine(host)
        return lambda: self._start([host for host in hosts if self.world.engines[host].host.powered])

    def _start(self, hosts: list[str]) -> Activity[Any]:
        for started in [self.world.scope.spawn(self.world.power_on(host)) for host in hosts]:
            yield started

    def cut(self, hosts: list[str]) -> Mend:
        fabric = self.world.ctx.fabric
        number = fabric.separate(hosts)

        def rejoin() -> Activity[Any]:
            fabric.rejoin(number)
            return
            yield

        return rejoin


Mend = Callable[[], Activity[Any]]
"""What ends a fault; it may take time."""


class Kind(NamedTuple):
    """A sort of fault: the verb of what breaks and of what mends it, and how."""

    verb: str
    mending: str
    strike: Callable[[FaultInjector, list[str]], Mend]


KINDS: dict[str, Kind] = {
    "power-off": Kind("power-off", "power-on", FaultInjector.power_off),
    "kill-engine": Kind("kill-engine", "start-engine", FaultInjector.kill_engine),
    "cut": Kind("cut-off", "heal", FaultInjector.cut),
}
"""The sorts of faults a law may be of."""
