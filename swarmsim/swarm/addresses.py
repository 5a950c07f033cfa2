"""Which addresses are free: subnets in the swarm's pools, addresses in a network's (libnetwork ipam/allocator.go, bitseq/sequence.go).

Both are given in turn: the next free one after the last that was given, so that one which was freed is not used again at
once. Whoever begins anew, as a new leader does, begins with the lowest that is free.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from swarmsim.swarm.objects import Pool

IPv4 = ipaddress.IPv4Network


class SubnetPool:
    """Subnets of ``size`` bits out of ``pools``, one after the other."""

    def __init__(self, pools: Sequence[str], size: int) -> None:
        self._pools = [IPv4(pool, strict=False) for pool in pools]
        self._size = size
        self._next = 0

    def __len__(self) -> int:
        return sum(1 << max(0, self._size - pool.prefixlen) for pool in self._pools)

    def __getitem__(self, number: int) -> IPv4:
        for pool in self._pools:
            count = 1 << max(0, self._size - pool.prefixlen)
            if number < count:
                return IPv4((int(pool.network_address) + (number << (32 - self._size)), self._size))
            number -= count
        raise IndexError(number)

    def take(self, used: Iterable[IPv4]) -> IPv4 | None:
        """The next that overlaps none of those ``used``; ``None`` if there is none."""
        used = list(used)
        for step in range(len(self)):
            number = (self._next + step) % len(self)
            subnet = self[number]
            if not any(map(subnet.overlaps, used)):
                self._next = number + 1
                return subnet
        return None


class AddressPool:
    """The addresses of one pool of a network. The subnet's first and last are nobody's; what is taken without being asked for
    lies in the pool's range.

    >>> pool = AddressPool(Pool("10.0.1.0/24"))
    >>> pool.gateway, pool.take(), pool.take("10.0.1.77"), pool.take()
    ('10.0.1.1', '10.0.1.2/24', '10.0.1.77/24', '10.0.1.3/24')
    """

    def __init__(self, pool: Pool) -> None:
        self.network = IPv4(pool.subnet, strict=False)
        first, last = int(self.network.network_address), int(self.network.broadcast_address)
        self._used = {first, last}
        part = IPv4(pool.ip_range, strict=False) if pool.ip_range else self.network
        self._first, self._end = int(part.network_address), int(part.broadcast_address) + 1
        self._last = self._first - 1
        for address in (pool.reserved or {}).values():
            self.keep(address)
        gateway = pool.gateway or self.take()
        self.gateway = "" if gateway is None else gateway.partition("/")[0]
        if pool.gateway:
            self.keep(pool.gateway)

    def keep(self, address: str) -> None:
        """Somebody has this one already, with or without its prefix."""
        self._used.add(_number(address))

    def take(self, wanted: str = "") -> str | None:
        """``wanted``, or the next free address after the last one given, with its prefix; ``None`` if it, or all, are taken."""
        if wanted:
            number = _number(wanted)
            free = number not in self._used and ipaddress.IPv4Address(number) in self.network
            return self._given(number) if free else None
        size = self._end - self._first
        for step in range(size):
            number = self._first + (self._last + 1 + step - self._first) % size
            if number not in self._used:
                self._last = number
                return self._given(number)
        return None

    def _given(self, number: int) -> str:
        self._used.add(number)
        return f"{ipaddress.IPv4Address(number)}/{self.network.prefixlen}"

    def has(self, address: str) -> bool:
        """Whether it is one of the subnet's, with or without its prefix."""
        return ipaddress.IPv4Address(_number(address)) in self.network

    def free(self, address: str) -> None:
        self._used.discard(_number(address))


def _number(address: str) -> int:
    return int(ipaddress.IPv4Address(address.partition("/")[0]))
