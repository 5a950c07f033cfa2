"""The steps of a scenario, one after the other: commands, faults, waits, expectations.

An expectation that does not hold, and a wait that is not reached in time, is noted with what was seen
instead, and the next step follows: that is often what explains it.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from swarmsim.docker.client import Result
from swarmsim.docker.command import Write
from swarmsim.scenario.conditions import Facts, Seen, check, describe, on_belief
from swarmsim.scenario.faults import fault_row, resolved
from swarmsim.scenario.injector import FaultInjector
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.schema import (
    BackupStep,
    DockerStep,
    ExpectStep,
    FaultStep,
    NoteStep,
    RestoreStep,
    Scenario,
    SleepStep,
    WaitStep,
)
from swarmsim.scenario.traffic import CurlStep, Tally, TrafficStep
from swarmsim.trace import rows
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState
from swarmsim.world import OUTSIDE, POLL, Activity, BackupRequest, FaultError, Promise, Wait, World

SHOWN_BY_MANAGERS = ("service", "settled", "node", "leader", "task")
"""Subjects of conditions for which a manager is asked."""
_PLACEHOLDER = re.compile(r"(?<![{\w])\{([a-z][a-z0-9-]*)\}(?!\})")


class UnmetExpectation(NamedTuple):
    """An expectation that did not hold."""

    expected: str
    seen: str
    at: float


def without_fault(step: DockerStep) -> str:
    """What nobody writes down as an expectation: that our docker itself does not fail."""
    return f"docker {step.docker} without a fault of ours"


class StepRunner:
    """The steps of one scenario, one after the other."""

    def __init__(self, scenario: Scenario, world: World, open_ended: bool) -> None:
        self.scenario = scenario
        self.open_ended = open_ended
        self.world = world
        self.failures: list[UnmetExpectation] = []
        self.believed: list[str] = []
        self.results: dict[str, Result] = {}
        self.hosts: dict[str, str] = {}
        self._copied: dict[str, str] = {}
        """The host that each backup was taken of."""
        self.counts: dict[str, int] = {}
        self.traffic: dict[str, Tally] = {}
        self._flows: list[Wait] = []
        """Traffic that has begun."""
        self.real = ClusterState()
        """Containers, as rows told."""
        self.begin: float | None = None
        self.begun = world.promise()
        self.meanwhile_over = world.promise()

    def count(self, row: Row) -> None:
        self.counts[row["kind"]] = self.counts.get(row["kind"], 0) + 1
        if row["kind"] in ("request", "requests"):
            self.traffic.setdefault(row["traffic"], Tally()).count(row)

    def main(self) -> Activity[None]:
        world = self.world
        if self.scenario.cluster.formed:
            yield from world.form()
        world.observe()
        # Let everybody have heartbeated once, as in a cluster that has been up for a moment.
        yield 2.0
        world.note(rows.Begin, scenario=self.scenario.name)
        self.begin = world.now
        self.begun.succeed()
        duration = self.scenario.duration
        ends = world.now + duration if duration is not None else math.inf
        FaultInjector(world, self.scenario, ends)
        for step in self.scenario.steps:
            yield from self.step(step)
        if duration is not None:
            yield max(0.0, ends - world.now)
        if self.open_ended:
            return
        if self.scenario.meanwhile:
            yield self.meanwhile_over
        for flow in self._flows:
            yield flow
        for expectation in self.scenario.expect:
            yield from self._expect(expectation.expect, expectation.within)
        world.note(rows.End)

    def step(self, step: Any) -> Activity[None]:
        if isinstance(step, DockerStep):
            yield from self.docker(step)
        elif isinstance(step, CurlStep):
            yield from self.curl(step)
        elif isinstance(step, TrafficStep):
            self._flows.append(self.world.spawn(self._traffic(step)))
        elif isinstance(step, FaultStep):
            yield from self._fault(step)
        elif isinstance(step, BackupStep):
            yield from self._copy("backup", BackupRequest(step.as_, self._host(step.backup)))
        elif isinstance(step, RestoreStep):
            on = self._host(step.on) if step.on is not None else self._copied[step.restore]
            yield from self._copy("restore", BackupRequest(step.restore, on))
        elif isinstance(step, WaitStep):
            yield from self._wait(step)
        elif isinstance(step, ExpectStep):
            yield from self._expect(step.expect, step.within)
        elif isinstance(step, SleepStep):
            yield step.sleep
        elif isinstance(step, NoteStep):
            self.world.note(rows.Note, text=step.note)

    # -- names

    def _host(self, name: str) -> str:
        """The host a name means now."""
        if name == "leader":
            return self.world.leader() or self.world.managers()[0]
        if name == "follower":
            leader = self.world.leader()
            return next((host for host in self.world.managers_up() if host != leader), self.world.managers()[-1])
        return self.hosts.get(name, name)

    def _where(self, step: DockerStep) -> str:
        if step.on is not None:
            return self._host(step.on)
        up = self.world.managers_up()
        return up[0] if up else self.world.managers()[0]

    def _filled(self, line: str) -> str:
        """``{name}`` becomes the host of that name, or the first output line of that command."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.results:
                return self.results[name].out.strip()
            if name in self.hosts or name in ("leader", "follower"):
                return self._host(name)
            if name in self.world.hosts:
                return name
            return match[0]

        return _PLACEHOLDER.sub(value, line)

    # -- steps

    def docker(
        self, step: DockerStep, write: Write | None = None, interrupt: Promise | None = None
    ) -> Activity[Result]:
        host = self._where(step)
        result = yield from self.world.docker(
            host, self._filled(step.docker), step.within, self._filled(step.input), step.as_, write, interrupt
        )
        if result.fault:
            self._fail(without_fault(step), result.fault)
        if step.as_ is not None:
            self.results[step.as_] = result
        return result

    def curl(self, step: CurlStep, write: Write | None = None, interrupt: Promise | None = None) -> Activity[Result]:
        host = OUTSIDE if step.on == OUTSIDE else self._host(step.on)
        result = yield from self.world.curl(host, self._filled(step.curl), step.within, step.as_, write, interrupt)
        if step.as_ is not None:
            self.results[step.as_] = result
        return result

    def _traffic(self, step: TrafficStep) -> Activity[None]:
        traffic = step.traffic
        targets = traffic.targets(list(self.world.hosts))
        source = OUTSIDE
        if isinstance(traffic.from_, str):
            source = OUTSIDE if traffic.from_ == OUTSIDE else self._host(traffic.from_)
            targets = [self._host(name) for name in targets]
        yield from self.world.traffic(traffic.plan(step.as_, source, targets))

    def _fault(self, step: FaultStep) -> Activity[None]:
        verb, argument = step.fault.verb, resolved(step.fault, self._host, list(self.world.hosts))
        row = fault_row(step.fault, argument)
        self.world.note(rows.Step, **row)
        try:
            hosts = yield from self.world.fault(verb, argument)
        except FaultError as problem:
            self._fail(f"fault {row['what']}", str(problem))
            return
        if step.as_ is not None and hosts:
            self.hosts[step.as_] = hosts[0]

    def _copy(self, verb: str, request: BackupRequest) -> Activity[None]:
        words = f"back up {request.on} as" if verb == "backup" else f"restore {request.on} from"
        what = f"{words} {request.name}"
        if verb == "backup":
            self._copied[request.name] = request.on
        self.world.note(rows.Step, what=what, verb=verb, hosts=[request.on])
        try:
            yield from self.world.fault(verb, request)
        except FaultError as problem:
            self._fail(what, str(problem))

    # -- conditions

    def _check(self, condition: Condition) -> Activity[Seen]:
        shown: ClusterState | None = None
        if condition.subject in SHOWN_BY_MANAGERS:
            shown = yield from self.world.look()
        return check(
            condition, Facts(self.world.now, shown, self._host, self.results, self.real, self.counts, self.traffic)
        )

    def _until(self, condition: Condition, within: float) -> Activity[Seen]:
        """Look until the condition holds or time is up; the last :class:`Seen`."""
        world = self.world
        deadline = world.now + within
        while True:
            changed = world.next_change()
            seen = yield from self._check(condition)
            if seen.holds or world.now >= deadline:
                return seen
            left = max(0.0, deadline - world.now)
            timeout = world.timeout(left if seen.in_seconds is None else min(left, seen.in_seconds))
            looked = world.now
            yield world.first_of((changed, timeout))
            yield POLL if world.now - looked < POLL else world.until_next_look("scenario")

    def _wait(self, step: WaitStep) -> Activity[None]:
        started = self.world.now
        seen = yield from self._until(step.wait, step.within)
        after = round(self.world.now - started, 3)
        what = step.as_ or describe(step.wait)
        if seen.holds:
            row: rows.Reached = {"what": what, "after": after}
            self._note_belief(row, what, seen)
            self.world.note(rows.Reached, **row)
        else:
            self.world.note(rows.NotReached, what=what, after=after)
            self._fail(f"{what} within {step.within:g} s", seen.what)

    def _expect(self, condition: Condition, within: float | None) -> Activity[None]:
        if within is None:
            seen = yield from self._check(condition)
        else:
            seen = yield from self._until(condition, within)
        limit = f" within {within:g} s" if within is not None else ""
        what = describe(condition) + limit
        if seen.holds:
            row: rows.Met = {"expected": what, "seen": seen.what}
            self._note_belief(row, what, seen)
            self.world.note(rows.Met, **row)
        else:
            self._fail(what, seen.what)

    def _note_belief(self, row: rows.Reached | rows.Met, what: str, seen: Seen) -> None:
        if seen.believed is not None:
            row["believed"] = seen.believed
            self.believed.append(on_belief(what, seen.believed))

    def _fail(self, expected: str, seen: str) -> None:
        self.failures.append(UnmetExpectation(expected, seen, self.world.now))
        self.world.note(rows.Unmet, expected=expected, seen=seen)
