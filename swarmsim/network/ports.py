"""What the cores need of the world around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from swarmsim.network.messages import Packet, Reply, Request


class Cancellable(Protocol):
    def cancel(self) -> object: ...


class Transport(Protocol):
    """One member's kernel: its clock, its UDP socket and its TCP connections."""

    @property
    def now(self) -> float:
        """Seconds."""

    def after(self, delay: float, fn: Callable[..., object], *args: Any) -> Cancellable:
        """Call ``fn(*args)`` in ``delay`` seconds."""

    def send(self, address: str, packet: Packet) -> None:
        """One datagram. It arrives or it does not."""

    def call(
        self,
        address: str,
        request: Callable[[], Request],
        timeout: float,
        answered: Callable[[Reply], object],
        failed: Callable[[], object],
        ago: float = 0.0,
    ) -> None:
        """Connect within ``timeout`` seconds, say what ``request`` is then and, if it has an answer, wait ``timeout`` seconds for it.
        One of the two other functions is called, once; a bulk sync is ``answered`` when it has been said. ``ago``: it began so many
        seconds before, and nobody has answered so far."""
