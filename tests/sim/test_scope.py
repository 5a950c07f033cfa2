"""Lifetimes: what runs in a scope ends with it."""

from __future__ import annotations

from swarmsim.sim.clock import Clock
from swarmsim.sim.errors import ModelError
from swarmsim.sim.scope import Scope


def test_timer_of_an_ended_scope_does_not_fire():
    clock, said = Clock(), []
    scope = Scope(clock, "power")
    scope.after(1.0, said.append, "never")
    scope.end()
    clock.run(5.0)
    assert said == []


def test_ending_a_scope_ends_the_scopes_inside_innermost_first():
    clock, said = Clock(), []
    power = Scope(clock, "power")
    process = power.child("process")
    session = process.child("session")
    for scope in (power, process, session):
        scope.on_end(lambda scope=scope: said.append(scope.name))
    power.end()
    assert said == ["session", "process", "power"]
    assert not session.alive


def test_a_sibling_lives_on():
    clock, said = Clock(), []
    power = Scope(clock, "power")
    engine, container = power.child("engine"), power.child("container")
    container.after(1.0, said.append, "container")
    engine.end()
    clock.run(2.0)
    assert said == ["container"]


def test_an_activity_waits_for_seconds_events_and_other_activities():
    clock = Clock()
    scope = Scope(clock, "s")
    event = clock.future()
    scope.after(3.0, event.succeed, "news")

    def inner():
        yield 1.0
        return clock.now

    def outer():
        first = yield scope.spawn(inner())
        news = yield event
        return first, news, clock.now

    assert clock.run(scope.spawn(outer())) == (1.0, "news", 3.0)


def test_an_activity_of_an_ended_scope_stops_where_it_stands_and_is_not_unwound():
    clock, said = Clock(), []
    scope = Scope(clock, "s")

    def activity():
        said.append("started")
        yield 1.0
        said.append("never")

    scope.spawn(activity())
    clock.run(0.5)
    scope.end()
    clock.run(5.0)
    assert said == ["started"]


def test_a_failure_reaches_whoever_waits_and_nobody_else():
    clock = Clock()
    scope = Scope(clock, "s")

    def failing():
        yield 1.0
        raise ModelError("broken")

    def caller():
        try:
            yield scope.spawn(failing())
        except ModelError as failure:
            return str(failure)

    scope.spawn(failing())  # nobody waits: it just ends
    assert clock.run(scope.spawn(caller())) == "broken"
