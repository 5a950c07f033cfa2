"""From sessions to points: what a student did is done again, on the lecturer's exercise, and judged.

Of a session only the actions and the answers are read. Whatever else stands in the file, the exercise is the lecturer's own.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from swarmsim.analysis.ensemble import run_ensemble
from swarmsim.exercise.key import Key
from swarmsim.exercise.marking import Marking
from swarmsim.exercise.sealing import AnswerError, fits, is_right
from swarmsim.exercise.sitting import Sitting
from swarmsim.replay.words import duration
from swarmsim.scenario.exercise import Goal, Question, Session
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, load_scenario
from swarmsim.scenario.runner import ScenarioRun, build_world, trace_header
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.trace.rows import Row
from swarmsim.trace.writer import write_trace


class Handin(NamedTuple):
    """What a student did, as it was saved."""

    source: str
    session: Session
    actions: list[MeanwhileStep]


class Part(NamedTuple):
    """What came of a goal or a question. ``at``: when it was reached or first missed, in seconds since the beginning."""

    what: str
    points: int
    of: int
    at: float | None
    seen: str

    @property
    def full(self) -> bool:
        return self.points == self.of


class Correction(NamedTuple):
    """The verdict on a session. ``refused``: why it gets no points, whatever it did."""

    source: str
    student: str
    seed: int
    parts: list[Part]
    refused: list[str]

    @property
    def points(self) -> int:
        return 0 if self.refused else sum(part.points for part in self.parts)

    @property
    def of(self) -> int:
        return sum(part.of for part in self.parts)

    @property
    def first_missed(self) -> Part | None:
        """The first moment at which something was missed."""
        missed = [part for part in self.parts if not part.full and part.at is not None]
        return min(missed, key=lambda part: part.at or 0.0, default=None)


def read_handin(where: str, exercise: LoadedScenario) -> Handin:
    """A session of an exercise. Raises :class:`ScenarioError`."""
    scenario = load_scenario(where).scenario
    session, name = scenario.session, exercise.scenario.name
    if session is None:
        raise ScenarioError(f"{where}: no session of an exercise; swarmsim watch {name} saves one with Ctrl+S")
    if session.exercise != name:
        raise ScenarioError(f"{where}: a session of {session.exercise}, not of {name}")
    own = exercise.scenario.meanwhile
    if scenario.meanwhile[: len(own)] != own:
        raise ScenarioError(f"{where}: meanwhile: what the exercise itself does was changed; do it again, or undo that")
    return Handin(where, session, scenario.meanwhile[len(own) :])


def solutions(exercise: LoadedScenario, key: Key, student: str = "") -> tuple[Handin, Handin]:
    """The solution of a key, and what somebody hands in who does nothing and answers nothing."""
    sitting = Sitting(exercise, student, [variant.hidden for variant in key.variants])
    name, variant = exercise.scenario.name, key.variants[sitting.variant]
    session = Session(exercise=name, student=student, seed=sitting.seed)
    solved = session.model_copy(update={"answers": {**variant.answers, **variant.measured}})
    return Handin("solution", solved, variant.solution), Handin("nothing done", session, [])


def correct(handin: Handin, exercise: LoadedScenario, key: Key | None = None, trace: Path | None = None) -> Correction:
    """The points of a session. ``key`` is needed where the answers are not in the exercise; ``trace`` is where to write the replay.
    Raises :class:`ScenarioError` and :class:`TraceError`."""
    session = handin.session
    variants = [variant.hidden for variant in key.variants] if key is not None else None
    sitting = Sitting(exercise, session.student, variants)
    refused = [
        f"{_action(step)} at {duration(step.at)} is not allowed" for step in handin.actions if sitting.forbids(step)
    ]
    if session.seed != sitting.seed:
        whose = session.student or "this exercise"
        refused.append(f"it was done with seed {session.seed}; that of {whose} is {sitting.seed}")
    rows: list[Row] = []
    marking = replay(sitting, handin.actions, rows.append if trace is not None else None)
    if trace is not None:
        write_trace(trace, trace_header(sitting.loaded, sitting.seed), rows)
    trial = tried(sitting, exercise, handin.actions) if sitting.exercise.trial is not None else {}
    parts = [
        _tried(standing.goal, trial)
        if standing.goal.trial
        else Part(
            standing.goal.text.en,
            standing.goal.points if standing.verdict == "met" else 0,
            standing.goal.points,
            standing.at,
            standing.seen,
        )
        for standing in marking.standing(sitting.exercise.limit)
    ]
    parts += [_answered(question, session, sitting, marking, key) for question in sitting.exercise.questions]
    return Correction(handin.source, session.student, session.seed, parts, refused)


def _action(step: MeanwhileStep) -> str:
    if step.docker is not None:
        return f"docker {step.docker}"
    return step.fault.verb if step.fault is not None else "another seed"


def _with_actions(sitting: Sitting, actions: Iterable[MeanwhileStep]) -> LoadedScenario:
    scenario = sitting.loaded.scenario
    done = [step for step in actions if not sitting.forbids(step) and not sitting.too_late(step)]
    meanwhile = [*scenario.meanwhile, *done]
    return sitting.loaded._replace(scenario=scenario.model_copy(update={"meanwhile": meanwhile}))


def replay(sitting: Sitting, actions: Iterable[MeanwhileStep], sink: Callable[[Row], object] | None = None) -> Marking:
    """Do again what was done, until time is up; ``sink`` is given the rows."""
    marking = Marking(sitting.exercise)

    def take(row: Row) -> None:
        marking.add(row)
        if sink is not None:
            sink(row)

    loaded = _with_actions(sitting, actions)
    run = ScenarioRun(loaded, build_world(loaded.scenario, sitting.seed), take, open_ended=True)
    while run.begin is None and run.next():
        pass
    end = (run.begin or 0.0) + sitting.exercise.limit
    run.advance(end)
    marking.until(end)
    return marking


def tried(sitting: Sitting, exercise: LoadedScenario, actions: Iterable[MeanwhileStep]) -> dict[str, float]:
    """The means of all figures, over the runs of the trial."""
    trial, scenario = sitting.exercise.trial, exercise.scenario
    assert trial is not None
    loaded = _with_actions(sitting, actions)
    changes: dict[str, Any] = {"faults": scenario.faults, "duration": scenario.duration}
    loaded = loaded._replace(scenario=loaded.scenario.model_copy(update=changes))
    runs = [run.availability.figures() for run in run_ensemble(loaded, range(1, trial.runs + 1))]
    return {name: statistics.fmean(run.get(name, 0.0) for run in runs) for name in runs[0]}


def _tried(goal: Goal, means: dict[str, float]) -> Part:
    mean = means.get(goal.figure or "")
    if mean is None:
        return Part(goal.text.en, 0, goal.points, None, f"{goal.figure}: there is nothing to measure")
    enough = mean <= (goal.at_most or 0.0)
    seen = f"{goal.figure} {mean:.4g} on average"
    return Part(goal.text.en, goal.points if enough else 0, goal.points, None, seen)


def _answered(question: Question, session: Session, sitting: Sitting, marking: Marking, key: Key | None) -> Part:
    given = session.answers.get(question.name)
    if given is None:
        return Part(question.text.en, 0, question.points, None, "no answer")
    try:
        right = answer_is_right(question, given, sitting, marking, key)
    except AnswerError as problem:
        return Part(question.text.en, 0, question.points, None, f"answered {problem}")
    if right is None:
        raise ScenarioError(
            f"{sitting.loaded.source}: the answer to {question.name} is not in it; name the key with --key"
        )
    return Part(question.text.en, question.points if right else 0, question.points, None, f"answered {given}")


def answer_is_right(
    question: Question, given: str | float, sitting: Sitting, marking: Marking, key: Key | None = None
) -> bool | None:
    """Whether an answer is right; ``None`` if that cannot be told here. Raises :class:`AnswerError`."""
    if question.figure is not None:
        measured = marking.figure(question.figure)
        return measured is not None and is_right(question, measured, given, sitting.hosts)
    if key is not None:
        variant = key.variants[sitting.variant % len(key.variants)]
        return is_right(question, variant.answers[question.name], given, sitting.hosts)
    sealed = sitting.sealed(question)
    return fits(question, sealed, given, sitting.hosts) if sealed is not None else None


def as_csv(corrections: list[Correction]) -> str:
    """A line for each session, with the points of each part."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    parts = [part.what for part in corrections[0].parts] if corrections else []
    table.writerow(["file", "student", "seed", "points", "of", "first missed (s)", "what", "seen", "refused", *parts])
    for one in corrections:
        missed = one.first_missed
        what = [f"{missed.at:.1f}", missed.what, missed.seen] if missed is not None else ["", "", ""]
        points = [part.points for part in one.parts]
        table.writerow([one.source, one.student, one.seed, one.points, one.of, *what, "; ".join(one.refused), *points])
    return out.getvalue()
