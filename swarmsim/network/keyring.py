"""The keys that members of the gossip encrypt with (libnetwork agent.go handleKeyChange, memberlist keyring.go).

The managers make three and tell them in the session (:mod:`swarmsim.swarm.manager.keymanager`); every 12 h the oldest goes and a
new one comes. The *second* oldest is the primary, which one encrypts with; all open. So a new key is everywhere before it is used, and
who has missed one rotation still understands and is understood:

>>> others, cut_off = Keyring(made(1, 2, 3)), Keyring(made(1, 2, 3))
>>> others.change(made(2, 3, 4))
>>> others.primary, cut_off.primary, cut_off.opens(others.primary), others.opens(cut_off.primary)
(3, 2, True, True)

Who has missed more does not, until a session tells it. As in real ones that is not enough: of several keys that are new only the last
is put on the ring, so the primary is not there and does not change. It stays deaf until the next rotation, or until its engine
starts anew:

>>> others.change(made(3, 4, 5))
>>> cut_off.change(made(3, 4, 5))
>>> cut_off.primary, cut_off.opens(others.primary), others.opens(cut_off.primary)
(2, False, False)
>>> for ring in (others, cut_off):
...     ring.change(made(4, 5, 6))
>>> cut_off.primary, cut_off.opens(others.primary), others.opens(cut_off.primary)
(5, True, True)

The keys of encrypted overlays (``networking:ipsec``) come and go with them; they are not used for anything here.
"""

from __future__ import annotations

from collections.abc import Iterable

from swarmsim.swarm.objects import GOSSIP_KEYS, EncryptionKey

Keys = tuple[EncryptionKey, ...]


def made(*times: int) -> Keys:
    """Gossip's keys of these Lamport times."""
    return tuple(EncryptionKey(GOSSIP_KEYS, time) for time in times)


class Keyring:
    """One engine's. Keys are told apart by their Lamport times; :attr:`primary` is the one it encrypts with."""

    __slots__ = ("_installed", "_known", "primary")

    def __init__(self, keys: Keys) -> None:
        self._known = _by_time(keys)
        self.primary = self._second()
        self._installed = {key.lamport_time for key in keys if key.subsystem == GOSSIP_KEYS}

    def opens(self, key: int) -> bool:
        """Whether one can read what is encrypted with that key."""
        return key in self._installed

    def understands(self, other: Keyring) -> bool:
        """Whether each can read what the other writes."""
        return self.opens(other.primary) and other.opens(self.primary)

    def change(self, keys: Keys) -> None:
        """The managers tell of these keys. What is done with them is what libnetwork does, with its oversights."""
        deleted = self._forget({key.lamport_time for key in keys})
        added = None
        known = {key.lamport_time for key in self._known}
        for key in keys:
            if key.lamport_time not in known:
                self._known.append(key)
                if key.subsystem == GOSSIP_KEYS:
                    added = key.lamport_time  # the last one
        if added is not None:
            self._installed.add(added)
        self._known = _by_time(self._known)
        second = self._second()
        if second in self._installed:
            self.primary = second
        if deleted is not None and deleted != self.primary:
            self._installed.discard(deleted)

    def _forget(self, told: set[int]) -> int | None:
        """Forget keys of which nothing is told any more; the last of gossip's. The one moved to a forgotten one's place is not looked at."""
        known, deleted = self._known, None
        place, end = 0, len(known)
        while place < end:
            key = known[place]
            if key.lamport_time not in told:
                if key.subsystem == GOSSIP_KEYS:
                    deleted = key.lamport_time
                end -= 1
                known[place] = known[end]
            place += 1
        del known[end:]
        return deleted

    def _second(self) -> int:
        return [key.lamport_time for key in self._known if key.subsystem == GOSSIP_KEYS][1]


def _by_time(keys: Iterable[EncryptionKey]) -> list[EncryptionKey]:
    return sorted(keys, key=lambda key: key.lamport_time)
