"""One student at one exercise: with which seed, with which of the hidden variants, and what may be done."""

from __future__ import annotations

import hashlib
import io
import shlex

from pydantic import ValidationError
from ruamel.yaml import YAML

from swarmsim.exercise.sealing import found
from swarmsim.scenario.exercise import Exercise, Question, Session
from swarmsim.scenario.loader import LoadedScenario, ScenarioError
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.trace.rows import Row, is_internal


class Sitting:
    """Raises :class:`ScenarioError` if it is no exercise, or one that needs to know who does it.

    ``loaded`` is what is run: the scenario with what is hidden in it, and without what is only for the judges. ``variants`` of what is
    hidden are those of a key, if one is at hand.
    """

    def __init__(
        self, loaded: LoadedScenario, student: str = "", variants: list[list[MeanwhileStep]] | None = None
    ) -> None:
        scenario = loaded.scenario
        if scenario.exercise is None:
            raise ScenarioError(f"{loaded.source}: {scenario.name} is no exercise: it has no exercise:")
        self.exercise: Exercise = scenario.exercise
        self.name = scenario.name
        self.student = student.strip()
        self.hosts = [name for group in scenario.cluster.names() for name in group]
        self.own = scenario.meanwhile
        """What happens at set times in everybody's sight."""
        if self.exercise.seed != "student":
            self.seed = self.exercise.seed
        elif self.student:
            self.seed = _number(f"{self.name}/{self.student.lower()}")
        else:
            raise ScenarioError(
                f"{scenario.name} is another one for every student: say who you are with --student NAME"
            )
        variants = variants if variants is not None else self._variants(loaded.source)
        self.variant = _number(f"{self.name}/{self.seed}") % len(variants)
        self.hidden = variants[self.variant]
        changes = {"meanwhile": [*self.own, *self.hidden], "exercise": None, "session": None}
        if self.exercise.trial is not None:
            changes |= {"faults": [], "duration": None}
        self.loaded = loaded._replace(scenario=scenario.model_copy(update=changes))

    def _variants(self, source: str) -> list[list[MeanwhileStep]]:
        if not self.exercise.hidden:
            return [[]]
        try:
            return [[MeanwhileStep.model_validate(step) for step in steps] for steps in found(self.exercise.hidden)]
        except (ValueError, ValidationError) as problem:
            raise ScenarioError(f"{source}: exercise: hidden: {problem}") from None

    def sealed(self, question: Question) -> str | None:
        """The answer in the student's file, if it is there."""
        if not question.sealed:
            return None
        return question.sealed[self.variant % len(question.sealed)]

    def written(self, text: str, answers: dict[str, str | float]) -> str:
        """The text of a scenario that was saved, as a session of this sitting: who did it, and the answers."""
        yaml = YAML()
        yaml.width = 120
        document = yaml.load(text)
        session = Session(exercise=self.name, student=self.student, seed=self.seed, answers=answers)
        document["session"] = session.model_dump()
        out = io.StringIO()
        yaml.dump(document, out)
        return out.getvalue()

    # -- what may be done

    def forbids(self, step: MeanwhileStep) -> bool:
        """Whether a student may not do it."""
        if step.note is not None:
            return False
        if step.docker is not None:
            try:
                words = shlex.split(step.docker)
            except ValueError:
                return False  # docker says what is wrong with it
            words = ["docker", *(words[1:] if words[:1] == ["docker"] else words)]
            begun = [shlex.split(what) for what in self.exercise.allowed]
            return not any(words[: len(beginning)] == beginning for beginning in begun)
        return step.fault is None or step.fault.verb not in self.exercise.allowed

    def too_late(self, step: MeanwhileStep) -> bool:
        """Whether the time is up."""
        return step.at > self.exercise.limit

    # -- what is seen

    def shows(self, row: Row, begin: float | None) -> bool:
        """Whether the student is told of a row; ``begin`` is when the scenario began, in seconds, if it has."""
        kind = row["kind"]
        if self.exercise.sight == "managers" and kind != "host" and is_internal(kind):
            return False
        if begin is None or not self.hidden:
            return True
        if kind == "step":
            return not any(
                _same_time(row["t"], begin + at) for step in self.hidden if step.fault for at in step.moments
            )
        if kind == "docker":
            began = row["t"] - row["s"]
            return not any(
                step.docker == row["cmd"] and abs(began - begin - at) < 0.01
                for step in self.hidden
                for at in step.moments
            )
        return True


def _same_time(a: float, b: float) -> bool:
    return abs(a - b) < 2e-6


def _number(text: str) -> int:
    """A number that is the same everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1
