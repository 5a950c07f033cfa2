"""A host's time of day: right until it is set wrong, and remembered as it was shown."""

from __future__ import annotations

import pytest

from swarmsim.sim.clock import Clock
from swarmsim.sim.wallclock import WallClock


@pytest.fixture
def clock():
    return Clock()


def test_a_clock_is_right_until_it_is_set(clock):
    wall = WallClock(clock)
    clock.run(until=5.0)
    assert (wall.now, wall.at(2.0)) == (5.0, 2.0)


def test_what_was_read_before_a_step_stays_what_it_was(clock):
    wall = WallClock(clock)
    clock.run(until=100.0)
    wall.set(-60.0)
    assert wall.now == 40.0
    clock.run(until=130.0)
    wall.set(0.0)
    assert [wall.at(moment) for moment in (99.0, 100.0, 129.0, 130.0)] == [99.0, 40.0, 69.0, 130.0]


def test_drift_adds_up_from_the_moment_it_began(clock):
    wall = WallClock(clock)
    clock.run(until=1000.0)
    wall.set(0.0, drift=20e-6)
    assert wall.now == 1000.0
    clock.run(until=1_001_000.0)
    assert wall.now == pytest.approx(1_001_020.0)
