"""How busy a host is: as the kernel counts, told by whoever runs lines of shell on it."""

from __future__ import annotations

import asyncio

from swarmsim.real.busy import Busyness
from swarmsim.real.machine import Completed


class Told:
    """A host whose kernel says these lines, one after the other."""

    powered = True

    def __init__(self, name: str, *lines: str) -> None:
        self.name, self._lines = name, list(lines)

    async def shell(self, script: str) -> Completed:
        return Completed(0, self._lines.pop(0), "")


def test_the_busiest_host_counts_and_one_started_anew_does_not():
    hosts = {
        "m1": Told("m1", "cpu  10 0 0 90 0 0 0 0", "cpu  20 0 0 180 0 0 0 0", "cpu  30 0 0 270 0 0 0 0"),
        "w1": Told("w1", "cpu  10 0 0 90 0 0 0 0", "cpu  70 0 0 120 10 0 0 0", "cpu  1 0 0 1 0 0 0 0"),
    }
    busyness = Busyness(hosts)
    assert [asyncio.run(busyness.share()) for _ in range(3)] == [None, 0.6, 0.1]
