"""Processor sharing: work that is under way together ends together, later than alone, and none is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.sim.clock import Clock
from swarmsim.sim.machine import Machine
from swarmsim.sim.scope import Scope


def ends(processors, pieces):
    """When each of ``pieces``, (begin, seconds), is done."""
    clock = Clock()
    machine = Machine(clock, processors)
    found = {}

    def piece(number, at, seconds):
        yield clock.timeout(at)
        yield machine.work(seconds)
        found[number] = clock.now

    scope = Scope(clock, "work")
    for number, (at, seconds) in enumerate(pieces):
        scope.spawn(piece(number, at, seconds))
    clock.run(200.0)
    return [found[number] for number in range(len(pieces))]


@pytest.mark.parametrize(
    ("processors", "pieces", "expected"),
    [
        (1, [(0, 2)], [2]),
        (2, [(0, 2), (0, 2)], [2, 2]),
        (2, [(0, 1)] * 6, [3] * 6),
        (1, [(0, 2), (1, 2)], [3, 4]),
        (1, [(0, 1), (0, 3)], [2, 4]),
        (2, [(0, 4), (0, 4), (2, 1)], [4.5, 4.5, 3.5]),
    ],
)
def test_processor_sharing(processors, pieces, expected):
    assert ends(processors, pieces) == pytest.approx(expected)


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 5)), min_size=1, max_size=12),
)
def test_nothing_is_quicker_than_alone_and_the_processors_are_never_idle_while_there_is_work(processors, pieces):
    found = ends(processors, pieces)
    for (begin, seconds), end in zip(pieces, found, strict=True):
        assert end >= begin + seconds - 1e-6
    # All that is begun by the last beginning is worked off at no less than one processor's speed.
    assert max(found) <= max(begin for begin, _ in pieces) + sum(seconds for _, seconds in pieces) + 1e-6
