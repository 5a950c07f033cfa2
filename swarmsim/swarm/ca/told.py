"""What a run's trace is told of certificates: all that makes one, so that whoever reads the trace can make it again."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from swarmsim.sim.host import Process
from swarmsim.swarm.ca.certificates import Certificate, RootCA
from swarmsim.trace import rows

SHORT = 12
"""Hexadecimal digits by which rows name a root."""


def root_digest(root: RootCA) -> str:
    """SHA-256 of a root's PEM, in hexadecimal digits, as ``docker swarm ca`` shows it."""
    return sha256(root.pem.encode()).hexdigest()


def note_certificate(
    process: Process,
    certificate: Certificate,
    row_type: Callable[..., rows.NodeCertificate] = rows.CertificateRenewed,
) -> None:
    """The node of this process has another certificate, or its first."""
    process.ctx.journal.note(
        row_type,
        host=process.host.name,
        node=certificate.node_id,
        cluster=certificate.cluster_id,
        role=str(certificate.role),
        serial=f"{certificate.serial:x}",
        key=f"{certificate.key:x}",
        since=certificate.not_before,
        until=certificate.not_after,
        issuer=root_digest(certificate.issuer)[:SHORT],
        through=root_digest(certificate.through)[:SHORT] if certificate.through is not None else None,
        **_given(certificate),
    )


def note_root(process: Process, root: RootCA) -> str:
    """There is such a root; how rows name it."""
    digest = root_digest(root)
    process.ctx.journal.note(
        rows.RootCertificate,
        host=process.host.name,
        root=digest[:SHORT],
        digest=digest,
        serial=f"{root.serial:x}",
        key=f"{root.key:x}",
        since=root.not_before,
        until=root.not_after,
        **_given(root),
    )
    return digest[:SHORT]


def _given(what: Certificate | RootCA) -> dict[str, str]:
    return {"given": what.given} if what.given else {}


def note_trust(process: Process, root: RootCA) -> None:
    """The node of this process trusts another root, or its first."""
    process.ctx.journal.note(rows.RootTrusted, host=process.host.name, root=root_digest(root)[:SHORT])
