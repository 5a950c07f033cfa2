"""Who is at the other end of a connection: both sides show what they have, and each judges what it is shown (mutual TLS).

That happens once, when a connection is made: one that stands outlives what it was made with.
"""

from __future__ import annotations

from typing import Protocol


class Credentials(Protocol):
    """What a process shows, and how it judges."""

    @property
    def unit(self) -> str:
        """The organizational unit of its certificate; empty without one."""

    @property
    def name(self) -> str:
        """Its common name; empty without a certificate."""

    @property
    def organization(self) -> str:
        """Empty without a certificate."""

    def refusal_of(self, other: Credentials) -> str | None:
        """Why ``other`` is not trusted, in the words of Go's x509; ``None`` if it is."""


class Anonymous:
    """A process without a certificate: it takes everybody for whom they say they are."""

    unit = name = organization = ""

    def refusal_of(self, other: Credentials) -> str | None:
        return None


ANONYMOUS = Anonymous()


def handshake(client: Credentials, server: Credentials) -> str | None:
    """What the client is told if there is to be no connection; ``None`` if both trust each other."""
    refusal = client.refusal_of(server)
    if refusal is not None:
        return refusal
    return "remote error: tls: bad certificate" if server.refusal_of(client) is not None else None
