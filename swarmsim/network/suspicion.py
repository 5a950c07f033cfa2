"""How long a member is suspected before it is called dead (memberlist suspicion.go, util.go; Lifeguard).

With few confirmations by others the suspicion lasts long: perhaps it is this member that does not hear. Each makes it shorter:

    t(c) = max - (max - min)·ln(c + 1)/ln(k + 1),  min = 4·max(1, log₁₀ n)·1 s,  max = 6·min,  k = 2

>>> [Suspicion.timeout_after(c, 2, *bounds(10)) for c in (0, 1, 2)]
[24.0, 11.381, 4.0]
>>> [round(bounds(n)[0], 3) for n in (3, 10, 100, 1000)]
[4.0, 4.0, 8.0, 12.0]

Where fewer than two others could confirm (up to three members), nobody waits for it, and it takes min from the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from swarmsim.network.ports import Transport

SUSPICION_MULT = 4  # DefaultLANConfig
SUSPICION_MAX_TIMEOUT_MULT = 6  # DefaultLANConfig
PROBE_INTERVAL = 1.0  # seconds, DefaultLANConfig


def bounds(nodes: int) -> tuple[float, float]:
    """The shortest and the longest suspicion among so many members, in seconds."""
    scale = max(1.0, math.log10(max(1.0, nodes)))
    shortest = SUSPICION_MULT * int(scale * 1000) * PROBE_INTERVAL / 1000
    return shortest, SUSPICION_MAX_TIMEOUT_MULT * shortest


def confirmations_wanted(nodes: int) -> int:
    """How many others should confirm a suspicion, of whoever is neither suspected nor suspects."""
    wanted = SUSPICION_MULT - 2
    return wanted if nodes - 2 >= wanted else 0


class Suspicion:
    """One member's suspicion of another, first heard from ``sender``. ``on_timeout`` is called when it has lasted long enough."""

    __slots__ = ("_began", "_confirmed_by", "_longest", "_on_timeout", "_shortest", "_timer", "_transport", "wanted")

    def __init__(self, transport: Transport, sender: str, nodes: int, on_timeout: Callable[[], object]) -> None:
        self._transport = transport
        self._confirmed_by = {sender}
        self.wanted = confirmations_wanted(nodes)
        self._shortest, self._longest = bounds(nodes)
        self._on_timeout = on_timeout
        self._began = transport.now
        self._timer = transport.after(self._longest if self.wanted else self._shortest, on_timeout)

    @staticmethod
    def timeout_after(confirmations: int, wanted: int, shortest: float, longest: float) -> float:
        """Seconds a suspicion lasts with so many confirmations (remainingSuspicionTime)."""
        share = math.log(confirmations + 1) / math.log(wanted + 1)
        milliseconds = math.floor(1000 * (longest - share * (longest - shortest)))
        return max(milliseconds / 1000, shortest)

    def confirm(self, sender: str) -> bool:
        """Somebody else suspects it, too; whether that is news."""
        confirmations = len(self._confirmed_by) - 1
        if confirmations >= self.wanted or sender in self._confirmed_by:
            return False
        self._confirmed_by.add(sender)
        timeout = self.timeout_after(confirmations + 1, self.wanted, self._shortest, self._longest)
        self._timer.cancel()
        left = timeout - (self._transport.now - self._began)
        self._timer = self._transport.after(max(0.0, left), self._on_timeout)
        return True

    def end(self) -> None:
        """It is over, one way or the other."""
        self._timer.cancel()
