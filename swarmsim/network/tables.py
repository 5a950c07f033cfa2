"""The entries one member knows, and whoever watches them (libnetwork networkdb/networkdb.go, watch.go).

Each entry has an owner and the Lamport time of its last change. A deleted entry stays for half an hour as a *tombstone*, so that
nobody who missed its end brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from swarmsim.network.digest import Digest
from swarmsim.network.messages import Change, Snapshot
from swarmsim.network.records import Entry, Record, Where

TOMBSTONE = 1800.0  # seconds, networkdb.go reapEntryInterval
REAP_PERIOD = 5.0  # seconds, cluster.go reapPeriod
REAP_MARGIN = 1.0  # second, cluster.go reapTableEntries: what is sent is whole seconds, and never 0


class LamportClock:
    """Time that only counts events (serf lamport.go)."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        self.time = 0

    def increment(self) -> int:
        self.time += 1
        return self.time

    def witness(self, time: int) -> None:
        """Somebody else is that far."""
        if time >= self.time:
            self.time = time + 1


class Event(NamedTuple):
    """What watchers are told: an entry has come, has changed, or is gone (``value``: as it was last)."""

    change: Change
    table: str
    network: str
    key: str
    value: Record


class _Watch(NamedTuple):
    on_event: Callable[[Event], object]
    table: str
    network: str
    key: str

    def wants(self, event: Event) -> bool:
        return self.table in ("", event.table) and self.network in ("", event.network) and self.key in ("", event.key)


class Tables:
    """All tables of all networks. Entries are listed in the order of their places, as libnetwork's radix trees do."""

    def __init__(self) -> None:
        self._networks: dict[str, dict[Where, Entry]] = {}
        self._lent: dict[str, None] = {}
        """Networks whose entries somebody else reads: they are copied before they change."""
        self._tombstones: dict[str, dict[Where, None]] = {}
        self._digests: dict[str, Digest] = {}
        self._watches: dict[_Watch, None] = {}

    def get(self, at: Where) -> Entry | None:
        """The entry there, a tombstone too."""
        entries = self._networks.get(at.network)
        return entries.get(at) if entries is not None else None

    def lend(self, network: str) -> Snapshot:
        """All entries of one network, in no order, as they are now and will be for whoever has them."""
        self._lent[network] = None
        known = None if self._tombstones.get(network) else self.digest(network)
        return Snapshot(self._networks.setdefault(network, {}), known)

    def differing(self, network: str, others: Snapshot) -> list[Where]:
        """Where others have something that is not here, or not known to be the same."""
        if others.known == self.digest(network):
            return []
        get = self._networks.get(network, {}).get
        return [at for at, entry in others.entries.items() if get(at) is not entry]

    def _own(self, network: str) -> dict[Where, Entry]:
        """A network's entries, to be changed."""
        entries = self._networks.setdefault(network, {})
        if network in self._lent:
            del self._lent[network]
            entries = self._networks[network] = entries.copy()
        return entries

    def put(self, at: Where, entry: Entry) -> None:
        entries = self._own(at.network)
        digest = self._digests.setdefault(at.network, Digest())
        for each in (entries.get(at), entry):
            if each is not None and not each.deleting:
                digest.toggle(at, each.ltime)
        entries[at] = entry
        tombstones = self._tombstones.setdefault(at.network, {})
        if entry.deleting:
            tombstones[at] = None
        elif tombstones:
            tombstones.pop(at, None)

    def remove(self, at: Where) -> None:
        entry = self._own(at.network).pop(at)
        self._tombstones[at.network].pop(at, None)
        if not entry.deleting:
            self._digests[at.network].toggle(at, entry.ltime)

    def digest(self, network: str) -> int:
        """What stands for a network's entries; tombstones do not count."""
        digest = self._digests.get(network)
        return digest.value if digest is not None else 0

    def of(self, network: str) -> list[tuple[Where, Entry]]:
        """All entries of one network, tombstones too."""
        return sorted(self._networks.get(network, {}).items(), key=lambda item: item[0])

    def all(self) -> Iterator[tuple[Where, Entry]]:
        for network in list(self._networks):
            yield from self.of(network)

    def reap(self, network: str, seconds: float = REAP_PERIOD) -> None:
        """So many seconds of a network's tombstones have passed; those at their end go."""
        for at in list(self._tombstones.get(network, ())):
            entry = self._networks[network][at]
            if entry.residual > seconds + REAP_MARGIN:
                self._own(network)[at] = entry._replace(residual=entry.residual - seconds)
            else:
                self.remove(at)

    def watch(
        self, on_event: Callable[[Event], object], table: str = "", network: str = "", key: str = ""
    ) -> Callable[[], None]:
        """Tell ``on_event`` of every change others make, or only of those of one table, network or key; the answer ends that."""
        watch = _Watch(on_event, table, network, key)
        self._watches[watch] = None

        def cancel() -> None:
            self._watches.pop(watch, None)

        return cancel

    def tell(self, change: Change, at: Where, value: Record) -> None:
        event = Event(change, at.table, at.network, at.key, value)
        for watch in list(self._watches):
            if watch.wants(event):
                watch.on_event(event)
