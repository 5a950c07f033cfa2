"""What rows tell of certificates: who has which, which roots there are, who trusts which of them.

>>> trust = Trust().after({"t": 1.0, "kind": "root.trusted", "host": "m1", "root": "0f3a"})
>>> trust.trusted
{'m1': '0f3a'}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from swarmsim.trace.rows import Row

T = TypeVar("T")


class Trust(msgspec.Struct, frozen=True):
    """The public key infrastructure at one moment. Hosts are by name, roots by what rows call them."""

    certificates: dict[str, Row] = {}
    """By host: the newest row about its certificate, ``certificate.issued`` or ``certificate.renewed``."""
    roots: dict[str, Row] = {}
    """Every root there has been, the oldest first: its ``root`` row."""
    trusted: dict[str, str] = {}
    """By host: the root it trusts."""
    due: dict[str, float] = {}
    """By host: when it will ask for its next certificate, in seconds since the run began."""
    wanted: str | None = None
    """The root of a rotation that is not over."""
    rotating_since: float | None = None
    """When that rotation began, in seconds since the run began."""

    def after(self, row: Row) -> Trust:
        """The same with one more row taken into account."""
        change = TRUST.get(row["kind"])
        return self if change is None else change(self, row)

    # -- questions

    @property
    def root(self) -> str | None:
        """The root that most hosts trust, of several the newest; ``None`` before there is one."""
        names = list(self.trusted.values())
        return max(self.roots, key=lambda name: (names.count(name), list(self.roots).index(name)), default=None)

    def members(self) -> list[str]:
        """Hosts that have a certificate."""
        return list(self.certificates)

    def turned(self) -> list[str]:
        """Hosts whose certificate is of the root that is wanted, or of the newest."""
        root = self.wanted or self.root
        return [host for host, row in self.certificates.items() if row["issuer"] == root]

    def vouched(self, host: str, by: str) -> bool:
        """Whether a host takes another's certificate for genuine: one of the two roots that vouch for it is the one it trusts."""
        row = self.certificates.get(by)
        return row is not None and self.trusted.get(host) in (row["issuer"], row["through"])

    # -- changes

    def _certificate(self, row: Row) -> Trust:
        return msgspec.structs.replace(self, certificates={**self.certificates, row["host"]: row})

    def _due(self, row: Row) -> Trust:
        return msgspec.structs.replace(self, due={**self.due, row["host"]: row["at"]})

    def _root(self, row: Row) -> Trust:
        return msgspec.structs.replace(self, roots={**self.roots, row["root"]: row})

    def _trusts(self, row: Row) -> Trust:
        return msgspec.structs.replace(self, trusted={**self.trusted, row["host"]: row["root"]})

    def _rotation(self, row: Row) -> Trust:
        if row["over"]:
            return msgspec.structs.replace(self, wanted=None, rotating_since=None)
        since = self.rotating_since if self.wanted == row["root"] else row["t"]
        return msgspec.structs.replace(self, wanted=row["root"], rotating_since=since)

    def _left(self, row: Row) -> Trust:
        def without(table: dict[str, T]) -> dict[str, T]:
            return {host: value for host, value in table.items() if host != row["host"]}

        return msgspec.structs.replace(
            self, certificates=without(self.certificates), trusted=without(self.trusted), due=without(self.due)
        )


TRUST: dict[str, Callable[[Trust, Row], Trust]] = {
    "certificate.issued": Trust._certificate,
    "certificate.renewed": Trust._certificate,
    "renewal.drawn": Trust._due,
    "root": Trust._root,
    "root.trusted": Trust._trusts,
    "root.rotation": Trust._rotation,
    "swarm.left": Trust._left,
}
"""What each kind of row changes."""
