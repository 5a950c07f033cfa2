"""How busy hosts are while something is measured on them: a time is worth little if its host had other work to do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from swarmsim.real.machine import Machine

EVERY = 5.0
"""Seconds between two readings."""
READ = "head -n 1 /proc/stat"
IDLE = (3, 4)
"""Where the kernel counts, among the numbers of that line, time without work: idle, and waiting for a disk."""


class Ticks(NamedTuple):
    """Of all processors since the host began: time at work and time in all, in the kernel's ticks."""

    at_work: int
    whole: int

    @classmethod
    def read(cls, line: str) -> Ticks:
        """
        >>> Ticks.read("cpu  10 0 5 80 5 0 0 0 0 0")
        Ticks(at_work=15, whole=100)
        """
        numbers = [int(word) for word in line.split()[1:9]]  # what guests used is in the first two already
        return cls(sum(number for place, number in enumerate(numbers) if place not in IDLE), sum(numbers))

    def share_since(self, before: Ticks) -> float | None:
        """The share of time at work, 0..1; ``None`` if the host was started anew.

        >>> Ticks(30, 200).share_since(Ticks(20, 100)), Ticks(1, 10).share_since(Ticks(20, 100))
        (0.1, None)
        """
        passed = self.whole - before.whole
        return (self.at_work - before.at_work) / passed if passed > 0 and self.at_work >= before.at_work else None


class Busyness:
    """Of some hosts, from one reading to the next."""

    def __init__(self, machines: Mapping[str, Machine]) -> None:
        self._machines = machines
        self._before: dict[str, Ticks] = {}

    async def share(self) -> float | None:
        """The busiest host's share of time at work since the reading before; ``None`` if none tells."""
        powered = [machine for machine in self._machines.values() if machine.powered]
        told = await asyncio.gather(*(machine.shell(READ) for machine in powered))
        now = {
            machine.name: Ticks.read(done.out)
            for machine, done in zip(powered, told, strict=True)
            if done.code == 0 and done.out.startswith("cpu ")
        }
        shares = [now[name].share_since(before) for name, before in self._before.items() if name in now]
        self._before = now
        return max((share for share in shares if share is not None), default=None)
