"""UDP: a packet to an address and a port. It arrives or it does not; nobody is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from swarmsim.sim.clock import FOREVER, Timer
from swarmsim.sim.net.connection import Address
from swarmsim.sim.scope import ModelError, Scope

if TYPE_CHECKING:
    from swarmsim.sim.host import Host

T = TypeVar("T")


class DatagramSocket(Generic[T]):
    """A bound UDP socket, until ``scope`` ends: ``on_datagram(payload, sender)`` for each packet that arrives at ``port``.

    Raises :class:`ModelError` if the port is in use.
    """

    def __init__(self, host: Host, scope: Scope, port: int, on_datagram: Callable[[T, Address], object]) -> None:
        self.host = host
        self.at = Address("udp", host.address, port)
        self.on_datagram = on_datagram
        if self.at in host.datagram_sockets:
            raise ModelError(f"listen udp {self.at}: bind: address already in use")
        host.datagram_sockets[self.at] = self
        scope.on_end(self.close)

    def close(self) -> None:
        if self.host.datagram_sockets.get(self.at) is self:
            del self.host.datagram_sockets[self.at]

    def send(self, to: Address, payload: T) -> None:
        """Send one packet. Packets may overtake each other."""
        remote = self.host.ctx.by_address.get(to.address)
        if remote is None:
            return
        delay = self.host.ctx.fabric.transit(self.host.name, remote.name)
        if delay is not None:
            Timer(self.host.clock.env, delay, self._arrive, (remote, to, payload), FOREVER)

    def _arrive(self, remote: Host, to: Address, payload: T) -> None:
        socket = remote.datagram_sockets.get(to)
        if socket is not None and remote.powered:
            socket.on_datagram(payload, self.at)
