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

    def transmitted(self) -> None:
        self.transmits += 1
        self.order = (self.transmits, -self.size, -self.id)


class Broadcasts(Generic[T]):
    """A TransmitLimitedQueue. ``nodes()``: how many there are to hear it; ``wanted``: called when there is something to send."""

    def __init__(self, nodes: Callable[[], int], wanted: Callable[[], object] = lambda: None) -> None:
        self._nodes = nodes
        self._wanted = wanted
        self._items: list[_Item[T]] = []
        self._ids = 0

    def __len__(self) -> int:
        return len(self._items)

    def queue(self, message: T, size: int, key: Hashable = None, finished: Callable[[], object] | None = None) -> None:
        """Send ``message`` of ``size`` bytes from now on. It replaces an older one of the same ``key`` (``None``: of none).

        ``finished`` is called when it was sent often enough, or is replaced.
        """
        if key is not None:
            older = next((item for item in self._items if item.key == key), None)
            if older is not None:
                self._items.remove(older)
                self._finish(older)
        self._ids += 1
        insort(self._items, _Item(message, size, key, self._ids, finished), key=lambda item: item.order)
        self._wanted()

    def take(self, overhead: int, limit: int) -> list[tuple[T, int]]:
        """What to put into one packet of ``limit`` bytes, with ``overhead`` for each message: those sent least often first, of these
        the largest that fit, of these the newest. With their sizes."""
        if not self._items:
            return []
        times = transmit_limit(self._nodes())
        free = limit - overhead
        taken: list[_Item[T]] = []
        for item in self._items:
            if free <= 0:
                break
            if item.size <= free:
                taken.append(item)
                free -= overhead + item.size
        left = taken if len(taken) == len(self._items) else None
        self._items = [] if left is not None else [item for item in self._items if item not in taken]
        for item in taken:
            item.transmitted()
            if item.transmits < times:
                insort(self._items, item, key=lambda item: item.order)
        sent = [(item.message, item.size) for item in taken]
        for item in taken:
            if item.transmits >= times:
                self._finish(item)
        return sent

    def _finish(self, item: _Item[T]) -> None:
        if item.finished is not None:
            item.finished()
