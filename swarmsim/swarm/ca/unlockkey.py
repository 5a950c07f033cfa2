"""The key that locks managers (ca/keyreadwriter.go, manager/deks.go, manager/encryption).

With autolock on, what a manager has on disk, the key of its certificate and with it that of its Raft log, is encrypted with a key that is
itself only in the swarm's store and in users' password managers. A manager that starts anew is told it, or does not start.
"""

from __future__ import annotations

import base64
from random import Random
from typing import NamedTuple

BYTES = 32
PREFIX = "SWMKEY-1-"


class KEK(NamedTuple):
    """A key encryption key, empty where nothing is encrypted, and the version of the cluster object that brought it."""

    version: int = 0
    key: bytes = b""

    def replaced_by(self, other: KEK) -> KEK:
        """The newer of the two if the key itself is another (manager/deks.go compareKEKs): a change of other settings is none of the key."""
        return other if other.version > self.version and other.key != self.key else self


def new_key(rng: Random) -> bytes:
    return rng.randbytes(BYTES)


def shown(key: bytes) -> str:
    """``SWMKEY-1-`` and 43 characters of base 64, as users keep it."""
    return PREFIX + base64.b64encode(key).decode("ascii").rstrip("=")


def parsed(text: str) -> bytes:
    """The key that users gave. Raises :class:`ValueError` if it has not the form of one, whatever its length."""
    digits = text.removeprefix(PREFIX)
    if digits == text or "=" in digits:
        raise ValueError("invalid key string")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError:
        raise ValueError("invalid key string") from None
