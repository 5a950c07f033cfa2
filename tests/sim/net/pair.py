from __future__ import annotations

from swarmsim.profile import load_profile
from swarmsim.sim.clock import Clock
from swarmsim.sim.host import Host, Process, SimContext
from swarmsim.sim.streams import RandomStreams


class Pair:
    """Two hosts at one switch, a millisecond from each other, with a process on each."""

    def __init__(self, loss: float = 0.0) -> None:
        self.ctx = SimContext(Clock(), RandomStreams(1), load_profile("lab"))
        self.clock = self.ctx.clock
        self.fabric = self.ctx.fabric
        self.a, self.b = (Host(self.ctx, name, f"10.0.0.{n}", 1, 1) for n, name in enumerate("ab", 1))
        for host in (self.a, self.b):
            self.fabric.link(host.name, "switch", lambda rng: 0.0005, loss)
        self.client, self.server = Process(self.a, "client"), Process(self.b, "server")

    def at(self, when: float, fn, *args) -> None:
        """Do something ``when`` seconds after now, whoever lives then."""
        Process(self.b, "hand of fate").after(when, fn, *args) if self.b.powered else None

    def run(self, seconds: float) -> None:
        self.clock.run(self.clock.now + seconds)
