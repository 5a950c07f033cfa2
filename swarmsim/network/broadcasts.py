"""Messages on their way to everybody: each is handed on a number of times and then forgotten (memberlist queue.go).

>>> [transmit_limit(nodes) for nodes in (1, 2, 9, 10, 99, 100, 1000)]
[4, 4, 4, 8, 8, 12, 16]
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

RETRANSMIT_MULT = 4  # memberlist DefaultLANConfig, networkdb JoinNetwork

T = TypeVar("T")


def transmit_limit(nodes: int) -> int:
    """How often a message is handed on among so many nodes (util.go retransmitLimit)."""
    return RETRANSMIT_MULT * math.ceil(math.log10(nodes + 1))


class _Item(Generic[T]):
    __slots__ = ("finished", "id", "key", "message", "order", "size", "transmits")

    def __init__(self, message: T, size: int, key: Hashable, id: int, finished: Callable[[], object] | None) -> None:
        self.message = message
        self.size = size
        self.key = key
        self.id = id
        self.finished = finished
        self.transmits = 0
        self.order = (0, -size, -id)

    def transmitted(self) -> int:
        """It was sent once more; how often that makes."""
        self.transmits += 1
        self.order = (self.transmits, -self.size, -self.id)
        return self.transmits

    def finish(self) -> None:
        if self.finished is not None:
            self.finished()


class Broadcasts(Generic[T]):
    """A TransmitLimitedQueue. ``nodes()``: how many there are to hear it; ``wanted``: called when there is something to send."""

    def __init__(self, nodes: Callable[[], int], wanted: Callable[[], object] = lambda: None) -> None:
        self._nodes = nodes
        self._wanted = wanted
        self._items: list[_Item[T]] = []
        self._by_key: dict[Hashable, _Item[T]] = {}
        self._ids = 0

    def __len__(self) -> int:
        return len(self._items)

    def queue(self, message: T, size: int, key: Hashable = None, finished: Callable[[], object] | None = None) -> None:
        """Send ``message`` of ``size`` bytes from now on. It replaces an older one of the same ``key`` (``None``: of none).

        ``finished`` is called when it was sent often enough, or is replaced.
        """
        self._ids += 1
        item = _Item(message, size, key, self._ids, finished)
        older = self._by_key.get(key) if key is not None else None
        if key is not None:
            self._by_key[key] = item
        if older is not None:
            self._items.remove(older)
            older.finish()
        self._insert(item)
        self._wanted()

    def _insert(self, item: _Item[T]) -> None:
        insort(self._items, item, key=lambda each: each.order)

    def take(self, overhead: int, limit: int) -> list[tuple[T, int]]:
        """What to put into one packet of ``limit`` bytes, with ``overhead`` for each message: those sent least often first, of these
        the largest that fit, of these the newest. With their sizes."""
        free = limit - overhead
        taken: list[_Item[T]] = []
        left: list[_Item[T]] = []
        for place, item in enumerate(self._items):
            if free <= 0:
                left += self._items[place:]
                break
            if item.size <= free:
                taken.append(item)
                free -= overhead + item.size
            else:
                left.append(item)
        if not taken:
            return []
        self._items = left
        times = transmit_limit(self._nodes())
        over = []
        for item in taken:
            if item.transmitted() < times:
                self._insert(item)
            else:
                over.append(item)
                if self._by_key.get(item.key) is item:
                    del self._by_key[item.key]
        for item in over:
            item.finish()
        return [(item.message, item.size) for item in taken]

    def clear(self) -> None:
        """Send nothing of it."""
        items, self._items = self._items, []
        self._by_key.clear()
        for item in items:
            item.finish()
