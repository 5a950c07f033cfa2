"""An ICMP echo request and its reply: what ``ping`` sends.

Both go host by host as a packet of :mod:`.connection` does, but nothing is balanced: a virtual address belongs to the load balancer of
the network on the very node that asks, which answers itself, whatever becomes of the tasks.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.network.connection import Door, Wires

ECHO = 84
"""Bytes of a packet of ``ping``, if it is not told otherwise."""


class Echo:
    """One request from ``source`` to ``address``; if the reply comes, ``heard`` is called."""

    __slots__ = ("_wires", "address", "client", "door", "heard", "source")

    def __init__(
        self, wires: Wires, client: str, door: Door, source: str, address: str, heard: Callable[[], object]
    ) -> None:
        self._wires = wires
        self.client = client
        self.door = door
        self.source = source
        self.address = address
        self.heard = heard

    def send(self) -> None:
        self._wires.hop(self.client, self.door.host, self._at_door)

    def _at_door(self) -> None:
        wires, door = self._wires, self.door
        if not wires.powered(door.host):
            return
        if not door.network:
            wires.hop(door.host, self.client, self.heard)
            return
        kernel = wires.kernels[door.host]
        sandbox = kernel.bindings.sandboxes.get(door.network)
        if sandbox is not None and self.address in sandbox.virtual_ips:
            wires.hop(door.host, self.client, self.heard)
            return
        host = kernel.host_of(door.network, self.address)
        if host is not None:
            wires.tunnel(door.network, kernel.host, host, ECHO, self._at_target, host)

    def _at_target(self, host: str) -> None:
        wires, network = self._wires, self.door.network
        kernel = wires.kernels[host]
        if wires.powered(host) and kernel.has(network, self.address):
            back = kernel.host_of(network, self.source)
            if back == self.client:
                wires.tunnel(network, host, back, ECHO, self.heard)
