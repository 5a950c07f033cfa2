"""Calm: what rests, what wakes it, and the law of the phase it wakes in."""

from __future__ import annotations

import math
from random import Random

import pytest

from swarmsim.sim.clock import Clock
from swarmsim.sim.quiescence import Dormant, Phase, Quiescence, Renewals, Route, Subject, ticks_until
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import Deadline, PeriodicTimer

NOISE = Subject()


class EverySecond:
    """A law for a tick of one second that rests until its scope ends or there is noise."""

    def dormant(self, timer: PeriodicTimer) -> Dormant:
        clock, due = timer.scope.clock, timer.due
        return Dormant(
            clock.quiescence,
            (timer.scope, NOISE),
            lambda: timer.wake(due + ticks_until(due, 1.0, clock.now)),
        )


def ticking() -> tuple[Clock, Scope, list[float]]:
    beats: list[float] = []
    clock = Clock(Quiescence())

    def tick() -> float:
        beats.append(round(clock.now, 9))
        return 1.0

    clock.quiescence.rules[tick] = EverySecond()
    scope = Scope(clock, "s")
    PeriodicTimer(scope, 0.25, tick)
    return clock, scope, beats


def test_a_dormant_timer_costs_no_event():
    clock, _, beats = ticking()
    clock.run(1e9)
    assert beats == [0.25]
    assert len(clock.quiescence.dormants) == 1


def test_an_invalidated_timer_goes_on_in_its_phase_and_is_dormant_again():
    clock, scope, beats = ticking()
    scope.after(1000.5, clock.quiescence.invalidate, NOISE)
    clock.run(5000)
    assert beats == [0.25, 1001.25]
    assert len(clock.quiescence.dormants) == 1


def test_the_end_of_its_scope_ends_the_rest():
    clock, scope, beats = ticking()
    scope.after(10, scope.end)
    clock.run(100)
    assert beats == [0.25]
    assert len(clock.quiescence.dormants) == 0


def test_whoever_touches_a_sleeping_deadline_wakes_what_pushes_it_back():
    clock = Clock(Quiescence())
    scope = Scope(clock, "s")
    expired: list[float] = []
    deadline = Deadline(scope, 3.0, lambda: expired.append(clock.now))
    dormant = Dormant(clock.quiescence, (), lambda: deadline.wake(clock.now + 0.5, 0.5))
    deadline.sleep(dormant)
    clock.run(50)
    assert not expired
    deadline.extend(1.0)
    clock.run(100)
    assert expired == [51.0]


def test_only_rests_on_the_way_between_two_hosts_are_disturbed():
    quiescence = Quiescence()
    woken: list[str] = []
    for name, routes in {"near": [("a", "b")], "far": [("a", "c")], "through": [("c", "a"), ("a", "b")]}.items():
        Dormant(quiescence, [Route(*pair) for pair in routes], lambda name=name: woken.append(name))
    quiescence.invalidate_route("b", "a")
    assert woken == ["near", "through"]
    quiescence.invalidate_routes_of("c")
    assert woken == ["near", "through", "far"]


def distance(values: list[float], law) -> float:
    """The Kolmogorov-Smirnov distance between a sample and a distribution function."""
    ordered, n = sorted(values), len(values)
    return max(max((i + 1) / n - law(v), law(v) - i / n) for i, v in enumerate(ordered))


def age_law(age: float) -> float:
    """The stationary age of a renewal process with periods uniform on 4.5..5.5 s."""
    if age <= 4.5:
        return age / 5
    return (4.5 + (age - 4.5) - (age - 4.5) ** 2 / 2) / 5


ENOUGH = 20_000
CRITICAL = 1.95 / math.sqrt(ENOUGH)
"""Exceeded by chance once in a thousand."""


def ages(elapsed: float) -> list[float]:
    rng, renewals = Random(1), Renewals(4.5, 5.5)
    known = Phase(0.0, 5.0, 5.0)
    return [elapsed - renewals.phase(known, elapsed, rng).last for _ in range(ENOUGH)]


@pytest.mark.parametrize("elapsed", [1_200.0, 1e7], ids=["drawn one by one", "stationary"])
def test_the_age_of_a_heartbeat_is_that_of_a_renewal_process(elapsed):
    assert distance(ages(elapsed), age_law) < CRITICAL


def test_a_uniform_phase_would_be_told_from_it():
    rng = Random(1)
    assert distance([5 * rng.random() for _ in range(ENOUGH)], age_law) > CRITICAL


def test_soon_after_a_known_beat_the_phase_is_still_known():
    rng, renewals = Random(1), Renewals(4.5, 5.5, gap=0.001)
    known = Phase(10.0, 5.0, 15.0)
    assert renewals.phase(known, 14.9, rng) is known
    after = renewals.phase(known, 16.0, rng)
    assert after.last == 15.0
    assert 19.5 <= after.next - 0.001 <= 20.5


def test_the_interval_that_is_met_is_met_in_proportion_to_its_length():
    rng, renewals = Random(2), Renewals(4.5, 5.5)
    known = Phase(0.0, 5.0, 5.0)
    met = [renewals.phase(known, 1e7, rng).interval for _ in range(ENOUGH)]
    assert distance(met, lambda x: (x * x - 4.5**2) / (5.5**2 - 4.5**2)) < CRITICAL
