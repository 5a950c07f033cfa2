"""The journal: what the model says about itself while it runs.

Components note facts (``note(rows.RaftVote, host="m1", term=3, candidate="m2")``); whoever wants to know subscribes.
What facts there are, and their fields, is :mod:`swarmsim.trace.rows`.
A kind that nobody subscribed to costs a dictionary look-up, so detail can be generous.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from swarmsim.sim.clock import Clock
from swarmsim.trace.rows import KINDS, Row

Fields = ParamSpec("Fields")
Reader = Callable[[Row], object]


class Journal:
    """Rows ``{"t": seconds, "kind": …, …}`` in the order they happened, pushed to subscribers."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._readers: list[tuple[Reader, frozenset[str], frozenset[str] | None]] = []
        self._wanted: dict[str, tuple[Reader, ...]] = {}

    def subscribe(
        self, reader: Reader, without: frozenset[str] = frozenset(), only: frozenset[str] | None = None
    ) -> None:
        """Send every row to ``reader`` from now on, except kinds in ``without``, or ``only`` those kinds."""
        self._readers.append((reader, without, only))
        self._wanted.clear()

    def wants(self, kind: str) -> bool:
        """Whether anybody reads this kind; ask before building an expensive row."""
        readers = self._wanted.get(kind)
        return bool(self._readers_of(kind) if readers is None else readers)

    def note(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None:
        """Write a row of one of the types of :mod:`swarmsim.trace.rows`, with its fields by name."""
        kind = KINDS[row_type]
        readers = self._wanted.get(kind)
        if readers is None:
            readers = self._readers_of(kind)
        if readers:
            row: Row = {"t": round(self.clock.now, 6), "kind": kind, **fields}
            for reader in readers:
                reader(row)

    def _readers_of(self, kind: str) -> tuple[Reader, ...]:
        readers = self._wanted[kind] = tuple(
            reader for reader, without, only in self._readers if kind not in without and (only is None or kind in only)
        )
        return readers
