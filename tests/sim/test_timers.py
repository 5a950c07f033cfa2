"""Rhythms, beats and deadlines."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from swarmsim.sim.clock import Clock
from swarmsim.sim.quiescence import Dormant, Quiescence
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import AlignedTicker, Deadline, PeriodicTimer


def test_a_periodic_timer_goes_on_until_its_step_returns_none():
    clock, beats = Clock(), []

    def step():
        beats.append(clock.now)
        return 2.0 if len(beats) < 3 else None

    PeriodicTimer(Scope(clock, "s"), 1.0, step)
    clock.run(100)
    assert beats == [1.0, 3.0, 5.0]


def test_a_periodic_timer_is_dormant_until_it_is_told_to_go_on():
    clock, beats = Clock(), []
    timer = PeriodicTimer(Scope(clock, "s"), 1.0, lambda: beats.append(clock.now))
    clock.run(10)
    timer.again(5.0)
    clock.run(100)
    assert beats == [1.0, 15.0]


def test_a_beat_happens_at_the_next_instant_of_its_lattice_and_only_if_asked():
    clock, beats = Clock(), []
    scope = Scope(clock, "s")
    beat = AlignedTicker(scope, 0.1, lambda: beats.append(round(clock.now, 6)), origin=0.0)
    scope.after(0.25, beat.request)
    scope.after(0.26, beat.request)
    clock.run(10)
    assert beats == [0.3]


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=20), st.floats(0.5, 3))
def test_a_deadline_expires_exactly_its_length_after_the_last_extension(gaps, length):
    clock, fired = Clock(), []
    scope = Scope(clock, "s")
    deadline = Deadline(scope, length, lambda: fired.append(clock.now))
    last = 0.0
    for gap in gaps:
        if gap >= length:
            break
        clock.run(clock.now + gap)
        deadline.extend(length)
        last = clock.now
    clock.run(last + 2 * length)
    assert len(fired) == 1
    assert abs(fired[0] - (last + length)) < 1e-6


@given(first=st.floats(0.1, 30), period=st.floats(0.1, 30), until=st.floats(0, 2000))
def test_a_lattice_goes_on_where_every_firing_would_have_left_it(first, period, until):
    """Dormant from its first firing on, against one that fires for real."""
    assume(0.001 < until % period < period - 0.001)  # which side of an instant is a matter of rounding

    class Always:
        def dormant(self, timer):
            return Dormant(timer.scope.clock.quiescence, (timer.scope,), partial(timer.fast_forward, period))

    due, fired = [], []
    for skip in (False, True):
        clock, times = Clock(Quiescence()), []

        def step(clock=clock, times=times):
            times.append(clock.now)
            return period

        if skip:
            clock.quiescence.rules[step] = Always()
        timer = PeriodicTimer(Scope(clock, "s"), first, step)
        clock.run(first + until)
        for dormant in clock.quiescence.dormants:
            dormant.wake()
        due.append(timer.due)
        fired.append(len(times))
    assert due[0] == pytest.approx(due[1], abs=1e-6)
    assert fired[1] == 1
