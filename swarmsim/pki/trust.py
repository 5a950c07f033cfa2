"""Who trusts whom at a moment: hosts that are alike as one group, the roots, and who would not take whose certificate.

What decides is what a handshake compares: the roots that vouch for a certificate, the one that the other side trusts, and the time; the true time, not
that of a host whose clock is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import networkx as nx

from swarmsim.replay.words import counted
from swarmsim.sim.clock import EPOCH
from swarmsim.trace.trust import Trust

MOST_NAMES = 8


class Group(NamedTuple):
    """Hosts whose certificates are of the same roots, that trust the same root, and whose certificates have expired, or not."""

    trusts: str
    issuer: str
    through: str | None
    expired: bool
    hosts: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """The hosts by name, of many the first."""
        shown = ", ".join(self.hosts[:MOST_NAMES])
        return shown if len(self.hosts) <= MOST_NAMES else f"{shown} and {len(self.hosts) - MOST_NAMES} more"

    def takes(self, other: Group) -> bool:
        """Whether a host of this group takes a certificate of the other for genuine and valid."""
        return not other.expired and self.trusts in (other.issuer, other.through)


def groups(trust: Trust, t: float) -> list[Group]:
    """All hosts that have a certificate at ``t`` (seconds since the run began), in the order in which they got their first."""
    found: dict[Group, list[str]] = {}
    for host, row in trust.certificates.items():
        alike = Group(trust.trusted[host], row["issuer"], row["through"], t > row["until"])
        found.setdefault(alike, []).append(host)
    return [alike._replace(hosts=tuple(hosts)) for alike, hosts in found.items()]


def trust_graph(trust: Trust, t: float) -> nx.DiGraph[str | Group]:
    """Nodes are roots (texts) and :class:`Group`; an edge's ``kind`` says what its beginning does to its end: ``trusts``, ``issued``, ``cross-signed``,
    ``refuses``."""
    graph: nx.DiGraph[str | Group] = nx.DiGraph()
    everybody = groups(trust, t)
    graph.add_nodes_from(_roots(trust, everybody))
    graph.add_nodes_from(everybody)
    for group in everybody:
        graph.add_edge(group, group.trusts, kind="trusts")
        graph.add_edge(group.issuer, group, kind="issued")
        if group.through is not None and not graph.has_edge(group.through, group.issuer):
            graph.add_edge(group.through, group.issuer, kind="cross-signed")
        for other in everybody:
            if not group.takes(other):
                graph.add_edge(group, other, kind="refuses")
    return graph


def _roots(trust: Trust, everybody: list[Group]) -> list[str]:
    """Roots that still matter, the oldest first."""
    named = {root for group in everybody for root in (group.trusts, group.issuer, group.through)}
    return [root for root in trust.roots if root in named or root == trust.wanted]


def trust_text(trust: Trust, t: float) -> str:
    """Who trusts whom in words, at ``t`` (seconds since the run began)."""
    return "\n".join(_lines(trust, t))


def _lines(trust: Trust, t: float) -> Iterator[str]:
    everybody = groups(trust, t)
    if not everybody:
        yield "no host has a certificate"
        return
    if trust.wanted is not None:
        done, all_of_them = len(trust.turned()), len(trust.certificates)
        yield f"The root is being replaced: {done} of {all_of_them} hosts have a certificate of the new one."
    yield "roots"
    for root in _roots(trust, everybody):
        holders = [host for host, trusted in trust.trusted.items() if trusted == root]
        facts = [f"until {_day(trust.roots[root]['until'])}", f"trusted by {counted(len(holders), 'host')}"]
        signer = next(
            (group.through for group in everybody if group.issuer == root and group.through is not None), None
        )
        facts += [f"cross-signed by {signer}"] if signer is not None else []
        facts += ["to be the next one"] if root == trust.wanted else []
        yield f"  {root}  {', '.join(facts)}"
    yield "hosts"
    for group in everybody:
        certificate = "a certificate" if len(group.hosts) == 1 else "certificates"
        verbs = ("trusts", "has") if len(group.hosts) == 1 else ("trust", "have")
        through = f" through {group.through}" if group.through is not None else ""
        expired = ", expired" if group.expired else ""
        yield f"  {group.names}: {verbs[0]} {group.trusts}, {verbs[1]} {certificate} of {group.issuer}{through}{expired}"
    yield "connections"
    refusals = [(one, other) for one in everybody for other in everybody if not one.takes(other)]
    for one, other in refusals:
        why = "it has expired" if other.expired else "signed by an unknown authority"
        yield f"  {one.names} {'refuses' if len(one.hosts) == 1 else 'refuse'} the certificate of {other.names}: {why}"
    if not refusals:
        yield "  all take each other's certificates"


def _day(t: float) -> str:
    return f"{EPOCH + timedelta(seconds=t):%Y-%m-%d}"
