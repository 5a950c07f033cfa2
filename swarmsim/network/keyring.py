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

The keys of encrypted overlays (``networking:ipsec``) come and go with them, in the kernel (:class:`OverlayKeys`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from swarmsim.swarm.objects import GOSSIP_KEYS, IPSEC_KEYS, EncryptionKey

Keys = tuple[EncryptionKey, ...]
NO_KEY = 0
"""A Lamport time that no key has."""


def made(*times: int) -> Keys:
    """Gossip's keys of these Lamport times."""
    return tuple(EncryptionKey(GOSSIP_KEYS, time) for time in times)


class OverlayKeys:
    """What a kernel encrypts encrypted overlays with (drivers/overlay/encryption.go): the first of its keys; it reads what any of them wrote.

    A rotation brings one, makes another the first and drops a third. If one of these is not there it fails, as after two rotations missed, and
    the kernel goes on with the keys it had:

    >>> there, cut_off = OverlayKeys([1, 2, 3]), OverlayKeys([1, 2, 3])
    >>> there.change(4, 3, 1)
    >>> there.understands(cut_off), there.primary, cut_off.primary
    (True, 3, 2)
    >>> there.change(5, 4, 2)
    >>> cut_off.change(5, 4, 2)
    >>> there.understands(cut_off), there.primary, cut_off.primary
    (False, 4, 2)

    The next brings it back, for the key that came in vain is then the first (what the indices of Go's lists come to then is not followed):

    >>> there.change(6, 5, 3)
    >>> cut_off.change(6, 5, 3)
    >>> there.understands(cut_off), cut_off.primary
    (True, 5)
    """

    __slots__ = ("_kept", "_reads", "primary")

    def __init__(self, times: Sequence[int] = ()) -> None:
        self.primary = times[1] if len(times) > 1 else NO_KEY
        self._kept = set(times)
        self._reads = set(times)

    def understands(self, other: OverlayKeys) -> bool:
        """Whether each can read what the other writes."""
        return self.reads(other) and other.reads(self)

    def reads(self, other: OverlayKeys) -> bool:
        """Whether this one can read what the other writes."""
        return other.primary in self._reads

    def change(self, new: int | None, primary: int, pruned: int | None) -> None:
        """Lamport times: of the key that is new, of the one to encrypt with, of the one to forget."""
        if new is not None:
            self._kept.add(new)
        if primary not in self._kept or (pruned is not None and pruned not in self._kept) or primary == pruned:
            return
        self.primary = primary
        if pruned is not None:
            self._kept.discard(pruned)
        self._reads = set(self._kept)


class Keyring:
    """One engine's. Keys are told apart by their Lamport times; :attr:`primary` is the one it encrypts with. ``overlays``: what it has told
    its kernel."""

    __slots__ = ("_installed", "_known", "overlays", "primary")

    def __init__(self, keys: Keys) -> None:
        self._known = _by_time(keys)
        self.primary = self._second()
        self.overlays = OverlayKeys([key.lamport_time for key in self._known if key.subsystem == IPSEC_KEYS])
        self._installed = {key.lamport_time for key in keys if key.subsystem == GOSSIP_KEYS}

    def opens(self, key: int) -> bool:
        """Whether one can read what is encrypted with that key."""
        return key in self._installed

    def understands(self, other: Keyring) -> bool:
        """Whether each can read what the other writes."""
        return self.opens(other.primary) and other.opens(self.primary)

    def change(self, keys: Keys) -> None:
        """The managers tell of these keys. What is done with them is what libnetwork does, with its oversights."""
        forgotten = self._forget({key.lamport_time for key in keys})
        deleted = forgotten.get(GOSSIP_KEYS)
        added: dict[str, int] = {}
        known = {key.lamport_time for key in self._known}
        for key in keys:
            if key.lamport_time not in known:
                self._known.append(key)
                added[key.subsystem] = key.lamport_time  # the last one
        if GOSSIP_KEYS in added:
            self._installed.add(added[GOSSIP_KEYS])
        self._known = _by_time(self._known)
        second = self._second()
        self.overlays.change(added.get(IPSEC_KEYS), self._second(IPSEC_KEYS), forgotten.get(IPSEC_KEYS))
        if second in self._installed:
            self.primary = second
        if deleted is not None and deleted != self.primary:
            self._installed.discard(deleted)

    def _forget(self, told: set[int]) -> dict[str, int]:
        """Forget keys of which nothing is told any more; the last of each use. The one moved to a forgotten one's place is not looked at."""
        known, deleted = self._known, dict[str, int]()
        place, end = 0, len(known)
        while place < end:
            key = known[place]
            if key.lamport_time not in told:
                deleted[key.subsystem] = key.lamport_time
                end -= 1
                known[place] = known[end]
            place += 1
        del known[end:]
        return deleted

    def _second(self, use: str = GOSSIP_KEYS) -> int:
        times = [key.lamport_time for key in self._known if key.subsystem == use]
        return times[1] if len(times) > 1 else NO_KEY


def _by_time(keys: Iterable[EncryptionKey]) -> list[EncryptionKey]:
    return sorted(keys, key=lambda key: key.lamport_time)
