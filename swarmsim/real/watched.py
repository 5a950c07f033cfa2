"""A running cluster as a world: whoever made it types by hand, and what comes of it is told in rows."""

from __future__ import annotations

import asyncio
from typing import Any

from swarmsim.real.world import RealWorld

POWER_LOOK = 1.0
"""Seconds between two looks whether hosts have power."""


class WatchedWorld(RealWorld):
    """Hosts that stay as they are, unless something is done to them by name. Power that hosts lose and get by other hands is told too."""

    title = ""
    """What people call it."""
    touchable = False
    """Whether anything may be done to it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._lit = dict.fromkeys(self.machines, True)

    def observe(self) -> None:
        super().observe()
        self.keep(self._watching_power())

    async def _watching_power(self) -> None:
        while True:
            for name, machine in self.machines.items():
                self.power(name, on=machine.powered)
            await asyncio.sleep(POWER_LOOK)

    def power(self, host: str, *, on: bool) -> None:
        if self._lit[host] is not on:
            self._lit[host] = on
            super().power(host, on=on)
