"""Channels that try to connect to whoever is gone (grpc-go's backoff)."""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.sim.host import SimContext
from swarmsim.sim.net.channel import CONNECT_TIMEOUT, Channel
from swarmsim.sim.quiescence import Dormant, Phase, Route, Skippable


class ReconnectRule:
    """Each attempt fails, and the pause after it is the longest, give or take a fifth."""

    def __init__(self, ctx: SimContext) -> None:
        self.ctx = ctx
        self._rng: Random = ctx.streams.stream("calm/reconnects")

    def dormant(self, timer: Skippable) -> Dormant | None:
        channel: Channel = timer.owner
        here, there = channel.process.host.name, channel.remote
        if there is None or not channel.patient:
            return None
        if not there.powered or not self.ctx.fabric.reaches(here, there.name):
            duration = CONNECT_TIMEOUT
        elif there.listener_at(channel.address) is None and self.ctx.fabric.healthy(here, there.name):
            duration = 2 * self.ctx.fabric.delay(here, there.name)
        else:
            return None
        pause = timer.due - self.ctx.clock.now
        known = Phase(timer.due - pause - duration, pause, timer.due)
        return Dormant(
            self.ctx.clock.quiescence,
            (timer.scope, there, there.power, Route(here, there.name)),
            partial(self._wake, channel, duration, known),
        )

    def _wake(self, channel: Channel, duration: float, known: Phase) -> None:
        attempt = channel.attempts(duration).phase(known, self.ctx.clock.now, self._rng)
        channel.fast_forward(attempt, duration)
