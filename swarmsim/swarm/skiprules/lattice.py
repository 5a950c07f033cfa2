"""Timers of constant period: their phase is arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from swarmsim.sim.host import SimContext
from swarmsim.sim.quiescence import Dormant, Skippable, Source


class LatticeRule:
    """Dormant while ``futile(owner)``: firing would do nothing. ``sources`` could change that."""

    def __init__(
        self, ctx: SimContext, period: float, futile: Callable[[Any], bool], sources: tuple[Source, ...]
    ) -> None:
        self.ctx = ctx
        self.period = period
        self.futile = futile
        self.sources = sources

    def dormant(self, timer: Skippable) -> Dormant | None:
        if not self.futile(timer.owner):
            return None
        sources = (timer.scope, *self.sources)
        return Dormant(self.ctx.clock.quiescence, sources, partial(timer.fast_forward, self.period))
