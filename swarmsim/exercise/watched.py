"""What a student sees of a run, beside how it is judged: live, and again when time is turned back."""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.exercise.correction import answer_is_right
from swarmsim.exercise.marking import Marking, Standing
from swarmsim.exercise.sealing import AnswerError
from swarmsim.exercise.sitting import Sitting
from swarmsim.replay.recording import Recording
from swarmsim.scenario.exercise import Question
from swarmsim.trace.rows import Row


class WatchedRecording(Recording):
    """Shows what the exercise lets be seen; judged is all that happens."""

    def __init__(self, header: Row, sitting: Sitting) -> None:
        super().__init__(header, [])
        self.sitting = sitting
        self.marking = Marking(sitting.exercise)

    def extend(self, rows: list[Row]) -> None:
        shown = []
        for row in rows:
            self.marking.add(row)
            if self.sitting.shows(row, self.marking.begin):
                shown.append(row)
        super().extend(shown)

    def anew(self) -> WatchedRecording:
        return WatchedRecording(self.header, self.sitting)


class Answered(NamedTuple):
    """What was answered; ``right`` is ``None`` if only the lecturer can tell. ``problem``: why it is no answer."""

    given: str
    right: bool | None = None
    problem: str = ""


class Desk:
    """Where a student sits: the task, how far it is solved, the answers."""

    def __init__(self, sitting: Sitting, answers: dict[str, str | float] | None = None) -> None:
        self.sitting = sitting
        self.exercise = sitting.exercise
        self.hints = 0
        """How many were asked for."""
        self.answers: dict[str, Answered] = {name: Answered(str(given)) for name, given in (answers or {}).items()}

    def answer(self, question: Question, given: str, recording: Recording) -> Answered:
        """Take an answer, and say whether it is right as far as that can be told here."""
        assert isinstance(recording, WatchedRecording)
        try:
            answered = Answered(given, answer_is_right(question, given, self.sitting, recording.marking))
        except AnswerError as problem:
            answered = Answered(given, problem=str(problem))
        self.answers[question.name] = answered
        return answered

    def standing(self, recording: Recording, t: float, known: float) -> list[Standing]:
        """Of all goals at ``t``, with all that happened by ``known`` (both in seconds since the run began)."""
        assert isinstance(recording, WatchedRecording)
        marking = recording.marking
        marking.until(known)
        return marking.standing(t - (marking.begin or 0.0))

    def points(self, recording: Recording, t: float, known: float) -> int:
        """So far: of goals that are decided, and of answers that are right."""
        goals = sum(one.goal.points for one in self.standing(recording, t, known) if one.verdict == "met")
        questions = {question.name: question.points for question in self.exercise.questions}
        return goals + sum(questions[name] for name, given in self.answers.items() if given.right)

    @property
    def given(self) -> dict[str, str | float]:
        """The answers, as they are saved."""
        return {name: answered.given for name, answered in self.answers.items() if not answered.problem}
