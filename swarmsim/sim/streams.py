"""Named randomness: one seed, and for every component a stream of its own.

A stream is named by host and component (``"m1/raft"``), so that a new draw in one place does not move
the draws in another, and two scenarios that differ in one step share their random numbers until that step.
"""

from __future__ import annotations

from random import Random

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class RandomStreams:
    """Streams of random numbers by name.

    >>> RandomStreams(1).stream("m1/raft").random() == RandomStreams(1).stream("m1/raft").random()
    True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Random] = {}

    def stream(self, name: str) -> Random:
        stream = self._streams.get(name)
        if stream is None:
            # Seeding with a string goes through SHA-512: the same on every platform and Python.
            stream = self._streams[name] = Random(f"{self.seed}/{name}")
        return stream

    def reseed(self, seed: int) -> None:
        """From now on other random numbers: every stream goes on as the one of its name under ``seed``."""
        self.seed = seed
        for name, stream in self._streams.items():
            stream.seed(f"{seed}/{name}")


def base36(number: int, width: int) -> str:
    """``number`` in base 36, padded with zeros to ``width`` digits.

    >>> base36(35, 3)
    '00z'
    """
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_BASE36[digit])
    return "".join(reversed(digits)).rjust(width, "0")


def new_id(stream: Random) -> str:
    """A SwarmKit identifier: 25 base-36 digits of 128 random bits (identity/randomid.go, NewID)."""
    return base36(stream.getrandbits(128) | (1 << 127), 25)[:25]


def hex_id(stream: Random) -> str:
    """A container or endpoint identifier: 64 hexadecimal digits."""
    return f"{stream.getrandbits(256):064x}"
