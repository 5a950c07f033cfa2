"""What the form of an exercise alone cannot tell: whether what it names is there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from swarmsim.scenario.exercise import Exercise
from swarmsim.scenario.names import Complaint
from swarmsim.scenario.parts import Condition
from swarmsim.scenario.schema import DockerStep, Fault, Scenario
from swarmsim.yamldoc import KeyPath

VERBS = tuple(field.alias or name for name, field in Fault.model_fields.items())


def complaints(scenario: Scenario) -> Iterator[Complaint]:
    """What is wrong with a scenario's exercise and session, and where."""
    exercise, session = scenario.exercise, scenario.session
    if exercise is None:
        if session is not None:
            yield ("session",), "a session is one of an exercise, and there is no exercise here"
        return
    if scenario.expect:
        yield ("expect",), "what an exercise expects are its goals"
    if exercise.trial is not None and (scenario.duration is None or not scenario.faults):
        yield ("exercise", "trial"), "a trial needs the scenario's faults and duration: how it is tried"
    yield from _allowed(exercise)
    yield from _goals(scenario, exercise)
    if session is not None:
        names = [question.name for question in exercise.questions]
        for name in session.answers:
            if name not in names:
                yield ("session", "answers", name), f"there is no question {name!r}; there are {', '.join(names)}"


def _allowed(exercise: Exercise) -> Iterator[Complaint]:
    for number, what in enumerate(exercise.allowed):
        try:
            word = shlex.split(what)[0]
        except (ValueError, IndexError):
            word = ""
        if word != "docker" and what not in VERBS:
            yield (
                ("exercise", "allowed", number),
                f"{what!r}: write docker, the beginning of a command such as docker node update, or one of {', '.join(VERBS)}",
            )


def _goals(scenario: Scenario, exercise: Exercise) -> Iterator[Complaint]:
    managers, workers = scenario.cluster.names()
    hosts = {*managers, *workers, "leader", "follower"}
    results = {step.as_ for step in scenario.steps if isinstance(step, DockerStep)}
    for number, goal in enumerate(exercise.goals):
        path: KeyPath = ("exercise", "goals", number)
        for key, seconds in (("within", goal.within or 0.0), ("since", goal.since)):
            if seconds > exercise.limit:
                yield (*path, key), f"{key} is after the limit of {exercise.limit:g} s"
        if goal.condition is None:
            continue
        path = (*path, goal.sort)
        for key, host in _named(goal.condition):
            if host not in hosts:
                yield (*path, key), f"unknown host {host!r}; there are {', '.join(sorted(hosts)[:14])}"
        command = goal.condition.command
        if command is not None and command not in results:
            yield (*path, "command"), f"no step was given the name {command!r} with as"


def _named(condition: Condition) -> Iterator[tuple[str, str]]:
    """Hosts a condition names, and the keys they stand at."""
    leader = condition.leader if isinstance(condition.leader, str) else None
    for key, host in (("node", condition.node), ("containers", condition.containers), ("leader", leader)):
        if host is not None and host not in ("elected", "none"):
            yield key, host
