"""Messages on their way to everybody: each is handed on a number of times and then forgotten (memberlist queue.go).

>>> [transmit_limit(nodes) for nodes in (1, 2, 9, 10, 99, 100, 1000)]
[4, 4, 4, 8, 8, 12, 16]
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

RETRANSMIT_MULT = 4  # memberlist DefaultLANConfig, networkdb JoinNetwork

T = TypeVar("T")


def transmit_limit(nodes: int) -> int:
    """How often a message is handed on among so many nodes (util.go retransmitLimit)."""
    return RETRANSMIT_MULT * math.ceil(math.log10(nodes + 1))


class _Item(Generic[T]):
    __slots__ = ("finished", "id", "key", "message", "size", "transmits")

    def __init__(self, message: T, size: int, key: Hashable, id: int, finished: Callable[[], object] | None) -> None:
        self.message = message
        self.size = size
        self.key = key
        self.id = id
        self.finished = finished
        self.transmits = 0

    def finish(self) -> None:
        if self.finished is not None:
            self.finished()


class Broadcasts(Generic[T]):
    """A TransmitLimitedQueue. ``nodes()``: how many there are to hear it; ``wanted``: called when there is something to send.

    Messages that were sent equally often and are equally large are one *shelf*, the newest at its end; shelves are in the order in
    which packets are filled from them. So filling one looks at what it takes, not at all that waits.
    """

    def __init__(self, nodes: Callable[[], int], wanted: Callable[[], object] = lambda: None) -> None:
        self._nodes = nodes
        self._wanted = wanted
        self._shelves: dict[tuple[int, int], list[tuple[int, _Item[T]]]] = {}
        self._order: list[tuple[int, int]] = []
        """The shelves that are not empty: how often sent, and the size, negative."""
        self._by_key: dict[Hashable, _Item[T]] = {}
        self._ids = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

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
            self._remove(older)
            older.finish()
        self._insert(item)
        self._wanted()

    def _insert(self, item: _Item[T]) -> None:
        self._shelve((item.transmits, -item.size), [(item.id, item)])
        self._count += 1

    def _shelve(self, where: tuple[int, int], run: list[tuple[int, _Item[T]]]) -> None:
        """Put messages, the newest last, where they belong."""
        shelf = self._shelves.get(where)
        if shelf is None:
            self._shelves[where] = run
            insort(self._order, where)
            return
        among = bisect_left(shelf, run[0])
        shelf[among:] = sorted(shelf[among:] + run) if among < len(shelf) else run

    def _remove(self, item: _Item[T]) -> None:
        where = (item.transmits, -item.size)
        shelf = self._shelves[where]
        del shelf[bisect_left(shelf, (item.id,))]
        self._count -= 1
        if not shelf:
            self._clear_away(where)

    def _clear_away(self, where: tuple[int, int]) -> None:
        del self._shelves[where]
        self._order.remove(where)

    def take(self, overhead: int, limit: int) -> list[tuple[T, int]]:
        """What to put into one packet of ``limit`` bytes, with ``overhead`` for each message: those sent least often first, of these
        the largest that fit, of these the newest. With their sizes."""
        free = limit - overhead
        taken: list[tuple[tuple[int, int], list[tuple[int, _Item[T]]]]] = []
        for where in self._order:
            size = -where[1]
            if size <= free:
                shelf = self._shelves[where]
                fit = min(len(shelf), (free - size) // (overhead + size) + 1)
                taken.append((where, shelf[-fit:]))
                free -= fit * (overhead + size)
            if free <= 0:
                break
        if not taken:
            return []
        for where, run in taken:
            shelf = self._shelves[where]
            del shelf[-len(run) :]
            if not shelf:
                self._clear_away(where)
        times = transmit_limit(self._nodes())
        found = [(item.message, item.size) for _, run in taken for _, item in reversed(run)]
        over: list[_Item[T]] = []
        for (transmits, size), run in taken:
            for _, item in run:
                item.transmits = transmits + 1
            if transmits + 1 < times:
                self._shelve((transmits + 1, size), run)
            else:
                over += [item for _, item in reversed(run)]
        for item in over:
            self._count -= 1
            if self._by_key.get(item.key) is item:
                del self._by_key[item.key]
        for item in over:
            item.finish()
        return found

    def clear(self) -> None:
        """Send nothing of it."""
        items = [item for where in self._order for _, item in reversed(self._shelves[where])]
        self._shelves.clear()
        self._order.clear()
        self._by_key.clear()
        self._count = 0
        for item in items:
            item.finish()
