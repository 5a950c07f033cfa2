"""Links that are bad, and ports that are closed: what of a host's packets is late, lost or dropped.

Lost and dropped packets are rules of a table of our own in the host's packet filter. Late ones need ``netem``, a module of the kernel that not every machine has
(:func:`delays_packets`). Packets to and from other hosts than those of the cluster are left alone by loss, so one's own way to the host is too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from swarmsim.real.machine import Change, Machine

TABLE = "swarmsim_links"
"""Name of the packet filter's table; no other is touched (that of cuts is another one)."""
PARTS = 100_000
"""Of so many packets, how many are lost, is a whole number."""
OUTWARDS = "$(ip -o route get {other} | sed 's/.* dev \\([^ ]*\\).*/\\1/')"
"""The interface through which a host reaches another."""


class Link(NamedTuple):
    """What is not as usual about a host's packets: seconds that each is late, the share that is lost (0..1), protocols and ports that its firewall closes."""

    late: float = 0.0
    lost: float = 0.0
    closed: tuple[tuple[str, int], ...] = ()

    def without(self, ports: Sequence[tuple[str, int]]) -> Link:
        return self._replace(closed=tuple(port for port in self.closed if port not in ports))


class Links:
    """Of all hosts, as far as they are not as usual."""

    def __init__(self) -> None:
        self.by_host: dict[str, Link] = {}

    def of(self, host: str) -> Link:
        return self.by_host.get(host, Link())

    def put(self, host: str, link: Link) -> None:
        self.by_host = {**{name: known for name, known in self.by_host.items() if name != host}, host: link}

    @property
    def row(self) -> Mapping[str, Any]:
        """The fields of a row of links that are about them."""
        closed = [(host, _port(each)) for host, link in self.by_host.items() for each in link.closed]
        return {
            "slow": [host for host, link in self.by_host.items() if link.late],
            "lossy": {host: round(100 * link.lost, 3) for host, link in self.by_host.items() if link.lost},
            **({"closed": closed} if closed else {}),
        }


def _port(port: tuple[str, int]) -> str:
    protocol, number = port
    return f"{number}/{protocol}" if number else protocol


def filtered(machine: Machine, link: Link, others: Sequence[str]) -> Change:
    """Have the packet filter lose and drop as ``link`` says; ``others`` are the addresses of the other hosts."""
    empty = f"nft 'add table inet {TABLE}; delete table inet {TABLE}'"
    undo = machine.inside(f"! command -v nft >/dev/null || {empty}")
    if not (link.lost or link.closed):
        return Change(machine.name, f"open links of {machine.name}", machine.inside(empty), ":")
    chains = []
    if link.lost:
        lose = "drop" if link.lost >= 1 else f"numgen random mod {PARTS} < {round(link.lost * PARTS)} drop"
        peers = f"{{ {', '.join(others)} }}"
        chains += [
            f"chain from {{ type filter hook prerouting priority -290; ip saddr {peers} {lose}; }}",
            f"chain to {{ type filter hook postrouting priority 290; ip daddr {peers} {lose}; }}",
        ]
    if link.closed:
        closed = "; ".join(
            f"{protocol} dport {number} drop" if number else f"meta l4proto {protocol} drop"
            for protocol, number in link.closed
        )
        chains.append(f"chain closed {{ type filter hook input priority -10; {closed}; }}")
    rules = f"add table inet {TABLE}; delete table inet {TABLE}; table inet {TABLE} {{\n" + "\n".join([*chains, "}"])
    return Change(machine.name, f"filter packets of {machine.name}", machine.inside(f"nft '{rules}'"), undo)


def delayed(machine: Machine, link: Link, other: str) -> Change:
    """Have every packet be late that goes out through the interface that leads to the address ``other``.

    A slow link is slow both ways, but a host can hold back only what it sends: that is late twice as long, so that an answer comes when it should.
    """
    device = OUTWARDS.format(other=other)
    undo = machine.inside(f"tc qdisc del dev {device} root netem 2>/dev/null || true")
    if not link.late:
        return Change(machine.name, f"hurry packets of {machine.name}", undo, ":")
    do = machine.inside(f"tc qdisc replace dev {device} root netem delay {2 * link.late * 1e6:.0f}us limit 100000")
    return Change(machine.name, f"delay packets of {machine.name}", do, undo)


def delays_packets() -> bool:
    """Whether this machine's kernel can make packets late."""
    tried = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    try:
        return subprocess.run(tried, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
