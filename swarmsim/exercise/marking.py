"""How far a sitting has come, from the rows of its run alone: live in the app, and again when a session is replayed.

Every goal is looked at whenever something changed, by the conditions scenarios are judged by. What came of it is kept as a list of changes,
so the standing of any moment can be told: time can be turned back in the app.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Literal, NamedTuple

from swarmsim.analysis.availability import Meter
from swarmsim.docker.client import Result
from swarmsim.scenario.conditions import Facts, check
from swarmsim.scenario.exercise import Exercise, Goal
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.steps import SHOWN_BY_MANAGERS
from swarmsim.trace.rows import OBSERVATIONS, Row
from swarmsim.trace.state import CONTAINER_ROWS, ClusterState

TELLING = frozenset(OBSERVATIONS) | CONTAINER_ROWS | {"quorum", "serving"}
"""Kinds of rows after which a goal may be nearer, or farther."""
MICROSECOND = 1e-6
"""Times of rows are rounded to it."""


class Change(NamedTuple):
    """From ``t`` on, in seconds since the scenario began, a goal's condition holds, or does not for another reason; what was seen."""

    t: float
    holds: bool
    seen: str


class Standing(NamedTuple):
    """A goal at a moment: whether it is decided, whether it holds ``now``, and when (seconds since the beginning) and by what it was
    decided, or seen last."""

    goal: Goal
    verdict: Literal["met", "missed", "open"]
    now: bool
    at: float
    seen: str


class Marking:
    """Give it the rows of a run in order."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.begin: float | None = None
        self.meter = Meter()
        self._state = ClusterState()
        self._results: dict[str, Result] = {}
        self._counts: dict[str, int] = {}
        self._changes: list[list[Change]] = [[] for _ in exercise.goals]
        self._told = False
        """Whether the moment of the last row has something new."""
        self._due = math.inf
        """When a condition will hold if nothing changes (seconds since the run began)."""
        self._over = False

    # -- rows

    def add(self, row: Row) -> None:
        """Take a row into account, unless time is up."""
        if self._over:
            return
        self.until(row["t"])
        if self._over:
            return
        kind = row["kind"]
        self._state.apply(row)
        self.meter.add(row)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind == "begin":
            self.begin = row["t"]
        elif kind == "docker" and "name" in row:
            self._results[row["name"]] = Result(row["rc"], row["out"], row["err"])
        self._told = self._told or kind in TELLING

    def until(self, t: float) -> None:
        """Nothing more happened before ``t`` (seconds since the run began)."""
        if self.begin is None or self._over:
            return
        end = self.begin + self.exercise.limit
        if self._told and t > self._state.t:
            self._judge(self._state.t)
        while self._due <= min(t, end):
            self._judge(self._due)
        if t + MICROSECOND >= end:
            self.meter.add({"t": end, "kind": "limit"})
            self._judge(end)
            self._over = True

    @property
    def over(self) -> bool:
        """Whether time is up."""
        return self._over

    def _judge(self, now: float) -> None:
        self._told, self._due = False, math.inf
        for goal, changes in zip(self.exercise.goals, self._changes, strict=True):
            if goal.trial:
                continue
            change = self._measured(goal.figure, goal.at_most or 0.0, now) if goal.figure else self._seen(goal, now)
            last = changes[-1] if changes else None
            # Why something does not hold may change; so may figures that are within their bounds.
            news = goal.figure is not None or not change.holds
            if last is None or last.holds != change.holds or (news and last.seen != change.seen):
                changes.append(change._replace(t=change.t - (self.begin or 0.0)))

    def _measured(self, figure: str, bound: float, now: float) -> Change:
        value = self.figure(figure)
        if value is None:
            return Change(now, False, f"{figure}: there is nothing to measure")
        late = max(0.0, value - bound) if figure.endswith(": longest") else 0.0
        return Change(now - late, value <= bound, f"{figure} {value:.4g}")

    def _seen(self, goal: Goal, now: float) -> Change:
        condition = goal.condition
        assert condition is not None
        seen = check(condition, self._facts(condition, now))
        if not seen.holds and seen.in_seconds is not None:
            self._due = min(self._due, max(now + seen.in_seconds, math.nextafter(now, math.inf)))
        return Change(now, seen.holds, seen.what + (f"; but {seen.believed}" if seen.believed is not None else ""))

    def _facts(self, condition: Condition, now: float) -> Facts:
        state = self._state
        shown = state if condition.subject in SHOWN_BY_MANAGERS and state.answering else None
        return Facts(now, shown, self._host, self._results, state, self._counts)

    def _host(self, name: str) -> str:
        state = self._state
        if name == "leader":
            return state.leader or name
        if name == "follower":
            return next((host for host in state.managers_up() if host != state.leader), name)
        return name

    def figure(self, name: str) -> float | None:
        """A figure of availability until now; ``None`` if there is nothing it could be measured on."""
        return self.meter.read().figures().get(name)

    # -- how it stands

    def standing(self, t: float) -> list[Standing]:
        """Of every goal at ``t`` (seconds since the scenario began)."""
        pairs = zip(self.exercise.goals, self._changes, strict=True)
        return [self._standing(goal, changes, min(t, self.exercise.limit)) for goal, changes in pairs]

    def _standing(self, goal: Goal, changes: list[Change], t: float) -> Standing:
        known = changes[: bisect_right(changes, t + MICROSECOND, key=lambda change: change.t)]
        if goal.trial or not known:
            return Standing(goal, "open", False, t, "")
        last, over = known[-1], t + MICROSECOND >= self.exercise.limit
        still = Standing(goal, "open", last.holds, last.t, last.seen)
        if goal.reach is not None:
            deadline = goal.within if goal.within is not None else self.exercise.limit
            first = _first(known, goal.since, holds=True)
            if first is not None and first.t <= deadline + MICROSECOND:
                return Standing(goal, "met", last.holds, first.t, first.seen)
            return still if t < deadline else Standing(goal, "missed", last.holds, deadline, last.seen)
        if goal.keep is not None:
            first = _first(known, goal.since, holds=True)
            broken = _first(known, first.t, holds=False) if first is not None else None
            if broken is not None:
                return Standing(goal, "missed", last.holds, broken.t, broken.seen)
        if goal.figure is not None and not last.holds and not goal.figure.endswith(": share"):
            return still._replace(verdict="missed", at=_turned(known).t)  # it only grows
        if not over:
            return still
        turned = _turned(known)
        # What never was so is missed when time is up.
        at = turned.t if last.holds or turned is not known[0] else self.exercise.limit
        return still._replace(verdict="met" if last.holds else "missed", at=at)


def _turned(changes: list[Change]) -> Change:
    """Since when it is as it is at the end of ``changes``."""
    place = len(changes) - 1
    while place and changes[place - 1].holds == changes[place].holds:
        place -= 1
    return changes[place]


def _first(changes: list[Change], since: float, *, holds: bool) -> Change | None:
    """When it first holds (or does not) from ``since`` on: then, or at a later change."""
    at = bisect_right(changes, since, key=lambda change: change.t) - 1
    if at >= 0 and changes[at].holds == holds:
        return changes[at]._replace(t=max(changes[at].t, since))
    return next((change for change in changes[at + 1 :] if change.holds == holds), None)
