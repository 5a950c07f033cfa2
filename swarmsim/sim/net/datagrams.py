"""UDP: a packet to an address and a port. It arrives or it does not; nobody is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from swarmsim.sim.clock import FOREVER, Timer
from swarmsim.sim.errors import ModelError
from swarmsim.sim.net.connection import Address, NetStack
from swarmsim.sim.net.fabric import Carrier
from swarmsim.sim.scope import Scope

T = TypeVar("T")


class DatagramSocket(Generic[T]):
    """A bound UDP socket, until ``scope`` ends: ``on_datagram(payload, sender)`` for each packet that arrives at ``port``.

    ``carrier`` is who carries its packets, if not the host's fabric. ``heeds(payload)`` says whether a packet sent now could change
    anything here: those that cannot are lost or carried by the same luck, but nobody waits for their arrival. Raises :class:`ModelError` if the port is in use.
    """

    def __init__(
        self,
        host: NetStack,
        scope: Scope,
        port: int,
        on_datagram: Callable[[T, Address], object],
        carrier: Carrier | None = None,
        heeds: Callable[[T], bool] | None = None,
    ) -> None:
        self.host = host
        self.carrier = carrier or host.fabric
        self.at = Address("udp", host.address, port)
        self.on_datagram = on_datagram
        self.heeds = heeds
        if self.at in host.receivers:
            raise ModelError(f"listen udp {self.at}: bind: address already in use")
        host.receivers[self.at] = self
        scope.on_end(self.close)

    def close(self) -> None:
        if self.host.receivers.get(self.at) is self:
            del self.host.receivers[self.at]

    def send(self, to: Address, payload: T) -> None:
        """Send one packet. Packets may overtake each other."""
        remote = self.host.by_address.get(to.address)
        if remote is None:
            return
        delay = self.carrier.transit(self.host.name, remote.name)
        if delay is not None:
            receiver = remote.receivers.get(to)
            if receiver is not None and receiver.heeds is not None and not receiver.heeds(payload):
                return
            Timer(self.host.clock.env, self.host.clock.now + delay, self._arrive, (remote, to, payload), FOREVER)

    def _arrive(self, remote: NetStack, to: Address, payload: T) -> None:
        receiver = remote.receivers.get(to)
        if receiver is not None and remote.powered and remote.fabric.lets_in(remote.name, to.protocol, to.port):
            receiver.on_datagram(payload, self.at)
