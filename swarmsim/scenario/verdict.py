"""The verdict of a scenario, from a trace alone: simulated, recorded, or of a scenario written after it.

The steps are walked along the rows. A command, a fault or a sleep says where in time one is; a wait or an expectation is judged by
what the rows up to then add up to, with the conditions a run is judged by (:mod:`swarmsim.scenario.conditions`). What a trace
cannot tell is said by name and is no failure.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

from swarmsim.docker.client import Result
from swarmsim.scenario.conditions import Facts, Seen, check, describe, on_belief
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.schema import (
    BackupStep,
    DockerStep,
    ExpectStep,
    FaultStep,
    RestoreStep,
    Scenario,
    SleepStep,
    Step,
    WaitStep,
)
from swarmsim.scenario.steps import SHOWN_BY_MANAGERS, UnmetExpectation, without_fault
from swarmsim.scenario.traffic import CurlStep, Tally
from swarmsim.trace.rows import INTERNALS, Row
from swarmsim.trace.state import CONTAINER_ROWS, MOVES, ClusterState

SLACK = 0.5
"""Seconds by which a row may come later than what it tells: two polls of 0.1 s and the look itself."""
CHANGES = MOVES | {"node", "node_gone"}
HOST_LOST = ("kill-host", "power-off")
"""What the recorder of the real clusters calls power off kills every process of a host."""
_PLACEHOLDER = re.compile(r"\\\{[a-z][a-z0-9\\-]*\\\}")


class Verdict(NamedTuple):
    """What does not hold, what the trace does not tell, and what held by what managers believed while less ran; a sentence each."""

    failures: list[UnmetExpectation]
    unknown: list[str]
    believed: list[str]

    @property
    def ok(self) -> bool:
        return not self.failures


def judge(scenario: Scenario, rows: list[Row]) -> Verdict:
    """The verdict on a scenario by the rows of one run of it.

    >>> judge(Scenario(name="x"), [{"t": 0.0, "kind": "begin", "scenario": "x"}])
    Verdict(failures=[], unknown=[], believed=[])
    """
    reading = _Reading(scenario, rows)
    reading.play()
    return Verdict(reading.failures, reading.unknown, reading.believed)


class _Reading:
    """A trace that is read up to a moment, ``at``."""

    def __init__(self, scenario: Scenario, rows: list[Row]) -> None:
        self.scenario = scenario
        self.rows = rows
        self.kinds = {row["kind"] for row in rows}
        self.state = ClusterState()
        self.failures: list[UnmetExpectation] = []
        self.unknown: list[str] = []
        self.believed: list[str] = []
        self._position = 0
        self._used = 0
        """Rows before this one belong to steps that are done."""
        self._results: dict[str, Result] = {}
        self._hosts: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._traffic: dict[str, Tally] = {}
        self.at = next((row["t"] for row in rows if row["kind"] == "begin"), rows[0]["t"] if rows else 0.0)
        self._used = next((number for number, row in enumerate(rows) if row["kind"] == "begin"), 0)

    def play(self) -> None:
        begin, first = self.at, self._used
        for step in self.scenario.steps:
            self._step(step)
        if self.scenario.duration is not None:
            self.at = max(self.at, begin + self.scenario.duration)
        used = self._used
        for beside in sorted(self.scenario.meanwhile, key=lambda beside: beside.at):
            self._used = first
            self.at = max(self.at, begin + beside.at)
            self._step(beside.step)
            used = max(used, self._used)
        self._used = used
        for expectation in self.scenario.expect:
            self._expect(expectation)

    def _step(self, step: Step | None) -> None:
        if isinstance(step, DockerStep):
            self._docker(step)
        elif isinstance(step, CurlStep):
            self._curl(step)
        elif isinstance(step, FaultStep):
            self._fault(step.fault.verb, step.as_)
        elif isinstance(step, BackupStep | RestoreStep):
            self._fault("backup" if isinstance(step, BackupStep) else "restore")
        elif isinstance(step, SleepStep):
            self.at += step.sleep
        elif isinstance(step, WaitStep):
            self._wait(step)
        elif isinstance(step, ExpectStep):
            self._expect(step)

    # -- where one is

    def _docker(self, step: DockerStep) -> None:
        number = self._command("docker", step.docker.removeprefix("docker "), step.as_)
        if number is not None:
            self._look_for_fault(step, number)

    def _curl(self, step: CurlStep) -> None:
        self._command("curl", step.curl.removeprefix("curl "), step.as_)

    def _command(self, kind: str, words: str, name: str | None) -> int | None:
        """Come to the row of a command; which it is, if there is one."""
        pattern = re.compile(_PLACEHOLDER.sub(".*", re.escape(words)), re.DOTALL)
        number = self._next(
            lambda row: (
                row["kind"] == kind
                and (row["name"] == name if "name" in row else pattern.fullmatch(row["cmd"]) is not None)
            )
        )
        if number is None:
            self.unknown.append(f"the trace has no such command: {words}")
            return None
        row = self.rows[number]
        self._come_to(number)
        if name is not None:
            self._results[name] = Result(row["rc"], row["out"], row["err"])
        return number

    def _look_for_fault(self, step: DockerStep, number: int) -> None:
        """A fault of our own docker left a row at the moment the command ended."""
        at, expected = self.rows[number]["t"], without_fault(step)
        for row in itertools.takewhile(lambda row: row["t"] <= at, itertools.islice(self.rows, number + 1, None)):
            if row["kind"] == "unmet" and row["expected"] == expected:
                self.failures.append(UnmetExpectation(expected, row["seen"], at))
                return

    def _fault(self, verb: str, name: str | None = None) -> None:
        verbs = HOST_LOST if verb in HOST_LOST else (verb,)
        number = self._next(lambda row: row["kind"] == "step" and row["verb"] in verbs)
        if number is None:
            self.unknown.append(f"the trace has no such fault: {verb}")
            return
        hosts: list[str] = self.rows[number]["hosts"]
        if name is not None and hosts:
            self._hosts[name] = hosts[0]
        self._come_to(number)

    def _next(self, wanted: Callable[[Row], bool]) -> int | None:
        return next((number for number in range(self._used, len(self.rows)) if wanted(self.rows[number])), None)

    def _come_to(self, number: int) -> None:
        self._used = number + 1
        self.at = max(self.at, self.rows[number]["t"])

    def _read(self, until: float) -> bool:
        """Take the next row into account if it is not later than ``until``."""
        if self._position >= len(self.rows) or self.rows[self._position]["t"] > until:
            return False
        row = self.rows[self._position]
        self._position += 1
        self.state.apply(row)
        self._counts[row["kind"]] = self._counts.get(row["kind"], 0) + 1
        if row["kind"] in ("request", "requests"):
            self._traffic.setdefault(row["traffic"], Tally()).count(row)
        return True

    # -- conditions

    # The run's own looks may have seen more than the recorder's looks show, so the rows they left count.

    def _wait(self, step: WaitStep) -> None:
        what = step.as_ or describe(step.wait)
        reached = self._next(lambda row: row["kind"] == "reached" and row["what"] == what)
        if reached is not None and self.rows[reached]["t"] <= self.at + step.within + SLACK:
            self._come_to(reached)
            self._note_belief(what, self.rows[reached].get("believed"))
            return
        expected = f"{what} within {step.within:g} s"
        if not self._judged_by_the_run(expected):
            self._judge(step.wait, step.within, expected)

    def _expect(self, step: ExpectStep) -> None:
        limit = f" within {step.within:g} s" if step.within is not None else ""
        what = describe(step.expect) + limit
        if not self._judged_by_the_run(what):
            self._judge(step.expect, step.within or 0.0, what)

    def _judged_by_the_run(self, expected: str) -> bool:
        """Whether the run itself had this expectation; then its row says what came of it, and when."""
        number = self._next(lambda row: row["kind"] in ("met", "unmet") and row["expected"] == expected)
        if number is None:
            return False
        row = self.rows[number]
        self._come_to(number)
        if row["kind"] == "unmet":
            self.failures.append(UnmetExpectation(expected, row["seen"], self.at))
        self._note_belief(expected, row.get("believed"))
        return True

    def _note_belief(self, what: str, believed: str | None) -> None:
        if believed is not None:
            self.believed.append(on_belief(what, believed))

    def _judge(self, condition: Condition, within: float, what: str) -> None:
        """Whether a condition comes true in time; if so that is the moment one is at."""
        if (missing := self._not_told(condition)) is not None:
            self.unknown.append(f"{what}: {missing}")
            return
        while self._position < self._used or self._read(self.at):
            if self._position < self._used:
                self._read(math.inf)
        deadline, now = self.at + within + SLACK, self.at
        seen = self._seen(condition, now)
        while not seen.holds:
            if seen.in_seconds is not None and now + seen.in_seconds <= min(deadline, self._quiet_until()):
                now += seen.in_seconds
                seen = self._seen(condition, now)
                break
            if not self._read(deadline):
                break
            now = self.rows[self._position - 1]["t"]
            if self._position < len(self.rows) and self.rows[self._position]["t"] == now:
                continue  # what one look shows is judged together
            seen = self._seen(condition, now)
        if seen.holds:
            self.at = max(self.at, now)
            self._note_belief(what, seen.believed)
            return
        if condition.subject in SHOWN_BY_MANAGERS and self._moving_at_the_end(deadline):
            self.unknown.append(f"{what}: the trace ends while things still change; last seen: {seen.what}")
            return
        self.at += within
        self.failures.append(UnmetExpectation(what, seen.what, self.at))

    def _quiet_until(self) -> float:
        """When the next row is due; after the last one nothing is known."""
        return self.rows[min(self._position, len(self.rows) - 1)]["t"] if self.rows else self.at

    def _moving_at_the_end(self, deadline: float) -> bool:
        """Whether the trace ends before ``deadline``, with rows so fresh that others may have been on their way."""
        end = self.rows[-1]["t"]
        return end < deadline and any(
            row["kind"] in CHANGES and row["t"] > end - SLACK for row in reversed(self.rows[-200:])
        )

    def _seen(self, condition: Condition, now: float) -> Seen:
        shown = self.state if condition.subject in SHOWN_BY_MANAGERS and self.state.answering else None
        real = self.state if CONTAINER_ROWS & self.kinds else None
        return check(condition, Facts(now, shown, self._host, self._results, real, self._counts, self._traffic))

    def _not_told(self, condition: Condition) -> str | None:
        asks_for_truth = condition.subject == "containers" or condition.alive is not None
        if asks_for_truth and not CONTAINER_ROWS & self.kinds:
            return "this trace does not tell which containers run"
        if condition.subject == "internal" and not INTERNALS.keys() & self.kinds:
            return "this trace does not tell of the inside"
        if condition.subject == "command" and condition.command not in self._results:
            return f"this trace does not tell what came of {condition.command}"
        if condition.replicas is not None and all(
            row["replicas"] is None for row in self.rows if row["kind"] == "service"
        ):
            return "this trace does not tell how many replicas are wanted"
        return None

    def _host(self, name: str) -> str:
        if name == "leader":
            return self.state.leader or name
        if name == "follower":
            return next((host for host in self.state.managers_up() if host != self.state.leader), name)
        return self._hosts.get(name, name)
