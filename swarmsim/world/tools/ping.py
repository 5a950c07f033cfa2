"""``ping`` as busybox has it: one echo request a second, and what came back."""

from __future__ import annotations

import math

from swarmsim.sim.future import Activity, Future
from swarmsim.world.standpoint import Standpoint
from swarmsim.world.tools.console import Console, Refusal
from swarmsim.world.tools.options import Usage, number

NAME_PATIENCE = 10.0
"""Seconds without an answer after which a name is given up: twice the C library's five."""
USAGE = Usage(
    "ping",
    "c:i:W:w:q",
    """Usage: ping [OPTIONS] HOST

Send ICMP ECHO_REQUESTs to HOST

	-4,-6		Force IP or IPv6 name resolution
	-c CNT		Send only CNT pings
	-s SIZE		Send SIZE data bytes in packets (default 56)
	-i SECS		Interval
	-A		Ping as soon as reply is received
	-t TTL		Set TTL
	-I IFACE/IP	Source interface or IP address
	-W SEC		Seconds to wait for the first response (default 10)
			(after all -c CNT packets are sent)
	-w SEC		Seconds until ping exits (default:infinite)
			(can exit earlier with -c CNT)
	-q		Quiet, only display output at start/finish
	-p HEXBYTE	Payload pattern
""",
    real="46sAtIp",
)


def ping(console: Console, words: list[str]) -> Activity[int]:
    given, hosts = USAGE.read(console, words)
    if len(hosts) != 1:
        raise USAGE.refusal(console)
    count = number("ping", given["c"], whole=True) if "c" in given else math.inf
    interval = number("ping", given.get("i", "1"))
    linger = number("ping", given.get("W", "10"), whole=True)
    limit = number("ping", given["w"], whole=True) if "w" in given else math.inf
    name = hosts[0]
    found = yield from console.find(name, NAME_PATIENCE)
    if not found.addresses:
        raise Refusal(1, f"ping: bad address '{name}'\n")
    run = _Run(console, found.addresses[0], quiet="q" in given)
    console.out(f"PING {name} ({run.address}): 56 data bytes\n")
    yield from run.go(count, interval, linger, limit)
    console.out(run.statistics(name))
    return 0 if run.times else 1


class _Run:
    """``times`` are milliseconds between a request and its reply."""

    def __init__(self, console: Console, address: str, quiet: bool) -> None:
        self.console = console
        self.address = address
        self.quiet = quiet
        self.sent = 0
        self.times: list[float] = []
        self._all: Future[None] | None = None

    def go(self, count: float, interval: float, linger: float, limit: float) -> Activity[None]:
        """Send so many requests, or until ``limit`` seconds are over; after the last one wait ``linger`` seconds for what is missing."""
        clock = self.console.clock
        began = clock.now
        while self.sent < count and clock.now - began <= limit:
            self._send()
            if self.sent < count:
                yield interval
        if len(self.times) < self.sent:
            self._all = clock.future()
            yield clock.first_of((self._all, clock.timeout(linger)))

    def _send(self) -> None:
        number, began = self.sent, self.console.clock.now
        self.sent += 1
        self.console.standpoint.ping(self.address, lambda: self._heard(number, began))

    def _heard(self, number: int, began: float) -> None:
        took = 1000 * (self.console.clock.now - began)
        self.times.append(took)
        if not self.quiet:
            hops = _ttl(self.console.standpoint, self.address)
            self.console.out(f"64 bytes from {self.address}: seq={number} ttl={hops} time={took:.3f} ms\n")
        if self._all is not None and len(self.times) == self.sent and not self._all.triggered:
            self._all.succeed()

    def statistics(self, name: str) -> str:
        received = len(self.times)
        lost = 100 * (self.sent - received) // self.sent if self.sent else 0
        text = (
            f"\n--- {name} ping statistics ---\n"
            f"{self.sent} packets transmitted, {received} packets received, {lost}% packet loss\n"
        )
        if self.times:
            mean = sum(self.times) / received
            text += f"round-trip min/avg/max = {min(self.times):.3f}/{mean:.3f}/{max(self.times):.3f} ms\n"
        return text


def _ttl(standpoint: Standpoint, address: str) -> int:
    """What is left of 64 hops: a router is only between a container and what is on none of its networks."""
    door, _ = standpoint.way(address)
    return 64 if door.network or door.own is not None else 63
