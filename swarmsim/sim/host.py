"""Hosts: power, a disk that survives, and processes that do not.

A host's power is a scope and each process is a scope in it, so cutting the power ends everything on it
without a sound. Killing a process is different: the kernel lives on and closes the process's
connections, so peers hear of it at once. ``kill_all`` is a power-off with that courtesy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from swarmsim.profile import Profile
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Future
from swarmsim.sim.journal import Journal
from swarmsim.sim.machine import Machine
from swarmsim.sim.net.connection import NetStack
from swarmsim.sim.net.fabric import Fabric
from swarmsim.sim.net.rpc import TimeOuts
from swarmsim.sim.net.tls import ANONYMOUS, Credentials
from swarmsim.sim.quiescence import Subject
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import RandomStreams
from swarmsim.sim.wallclock import WallClock
from swarmsim.trace import rows


class SimContext(Subject):
    """What every component of one simulated world shares: clock, chance, fabric, profile, journal.

    It changes with everything an onlooker could see (:meth:`mark_changed`).
    """

    def __init__(self, clock: Clock, streams: RandomStreams, profile: Profile, *, gossip: bool = False) -> None:
        self.clock = clock
        self.gossip = gossip
        """Whether engines tell each other of networks, packet by packet."""
        self.streams = streams
        self.profile = profile
        self.fabric = Fabric(clock, streams)
        self.fabric.on_routes_lost = self._routes_lost
        self.journal = Journal(clock)
        self.time_outs = TimeOuts(clock)
        self.hosts: dict[str, Host] = {}
        self.by_address: dict[str, NetStack] = {}
        self._machine: Machine | None = None
        self._changed: Future[None] | None = None

    def mark_changed(self) -> None:
        """Something changed that an onlooker could see."""
        self.clock.quiescence.invalidate(self)
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.succeed()

    def next_change(self) -> Future[None]:
        """Happens with the next change."""
        if self._changed is None:
            self._changed = self.clock.future()
        return self._changed

    def _routes_lost(self, hosts: Sequence[str]) -> None:
        """Sockets whose packets no longer get through will notice by their keep-alive, if not before."""
        for name in hosts:
            if name in self.hosts:
                for socket in list(self.hosts[name].sockets):
                    if not self.fabric.reaches(name, socket.peer.host.name):
                        socket.expect_silence()
                        socket.peer.expect_silence()

    def machine_for_next_host(self) -> Machine:
        """Hosts share a computer by groups of the profile's ``hosts_per_machine``, in order."""
        if self._machine is None or len(self.hosts) % self.profile.hosts_per_machine == 0:
            stream = self.streams.stream(f"machine/{len(self.hosts)}")
            factors = [self.profile.samplers[name](stream) for name in ("speed_factor", "cold_factor")]
            self._machine = Machine(self.clock, self.profile.processors, *factors)
        return self._machine


class Host(NetStack):
    """One machine. ``disk`` holds what survives a power cut, keyed by who wrote it; ``wall`` is its idea of the time of day."""

    def __init__(
        self,
        ctx: SimContext,
        name: str,
        address: str,
        cpus: float,
        memory: int,
        profile: Profile | None = None,
    ) -> None:
        super().__init__(ctx.clock, ctx.fabric, ctx.by_address, name, address)
        self.ctx = ctx
        self.profile = profile or ctx.profile
        self.cpus = cpus
        self.memory = memory
        self.disk: dict[str, Any] = {}
        self.wall = WallClock(ctx.clock)
        self.machine = ctx.machine_for_next_host()
        ctx.hosts[name] = self

    def power_off(self) -> None:
        """Silence: nothing on this host runs any more, and nobody is told."""
        if self.power.alive:
            self.ctx.journal.note(rows.Power, host=self.name, on=False)
        self.power_lost()

    def power_on(self) -> None:
        """Give power again. Starting processes is for whoever boots the machine."""
        if not self.power.alive:
            self.clock.quiescence.invalidate(self)
            self.power_returned()
            self.ctx.journal.note(rows.Power, host=self.name, on=True)

    def kill_all(self) -> None:
        """Every process dies at once while the kernel stays: peers see their connections reset, and
        whoever calls is refused."""
        for child in self.power.children:
            child.end()

    def rng(self, component: str) -> Any:
        """The random stream of one component of this host."""
        return self.ctx.streams.stream(f"{self.name}/{component}")

    def __repr__(self) -> str:
        return f"<Host {self.name}{'' if self.powered else ' (off)'}>"


class Process(Scope):
    """An operating-system process. ``identity`` is who it says to be to whoever it connects with."""

    __slots__ = ("ctx", "host", "identity")

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host.clock, f"{host.name}/{name}", host.power)
        self.host = host
        self.ctx = host.ctx
        self.identity: Credentials = ANONYMOUS

    def kill(self) -> None:
        """SIGKILL: the process is gone, and the kernel closes its connections."""
        self.end()
