"""A host's certificate, key and trusted root at a moment of a run, as files in its swarm directory have them."""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.swarm.ca.certificates import Certificate, RootCA
from swarmsim.swarm.role import Role
from swarmsim.trace.rows import Row
from swarmsim.trace.trust import Trust


class NoCertificate(Exception):
    """The host has none; the message says which hosts have one."""


class Papers(NamedTuple):
    """All three are PEM, made by a simulation, as each certificate says in itself."""

    certificate: str
    """swarm-node.crt: the node's certificate, during a rotation with the cross-signed root behind it."""
    key: str
    """swarm-node.key"""
    root: str
    """swarm-root-ca.crt: the root that the node trusts."""


def papers_of(trust: Trust, host: str) -> Papers:
    """Of one host, the same from the same rows. Raises :class:`NoCertificate`."""
    row = trust.certificates.get(host)
    if row is None:
        have = ", ".join(trust.certificates) or "none"
        raise NoCertificate(f"{host} has no certificate then; hosts that have one: {have}")
    certificate = certificate_from(trust, row)
    return Papers(certificate.pem, certificate.private_key, root_from(trust.roots[trust.trusted[host]]).pem)


def certificate_from(trust: Trust, row: Row) -> Certificate:
    """The certificate that a row of the trace tells of."""
    return Certificate(
        node_id=row["node"],
        cluster_id=row["cluster"],
        role=Role(row["role"]),
        issuer=root_from(trust.roots[row["issuer"]]),
        through=root_from(trust.roots[row["through"]]) if row["through"] is not None else None,
        serial=int(row["serial"], 16),
        key=int(row["key"], 16),
        not_before=row["since"],
        not_after=row["until"],
        given=row.get("given", ""),
    )


def root_from(row: Row) -> RootCA:
    """The root that a row of the trace tells of."""
    return RootCA(int(row["serial"], 16), int(row["key"], 16), row["since"], row["until"], row.get("given", ""))
