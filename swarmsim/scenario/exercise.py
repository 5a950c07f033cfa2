"""The form of ``exercise:`` in a scenario, and of the ``session:`` of a student who did it.

What is to be done, in words (:class:`Told`); what is judged, as conditions (:class:`Goal`) and questions (:class:`Question`); what a
student may do. What is hidden, and the answers, stand in a key of the lecturer's (:mod:`swarmsim.exercise.key`): here they are put away
(``hidden``, ``sealed``).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from swarmsim.scenario.duration import Duration, PositiveDuration
from swarmsim.scenario.parts import Condition, Name, Strict

FIGURE = re.compile(r"(no quorum|no leader|[\w.-]+ (below replicas|at zero)): (share|incidents|longest)")
"""Figures of availability that an exercise may ask for (:meth:`swarmsim.analysis.availability.Availability.figures`)."""


class Told(Strict):
    """A text in both languages; a plain text is the same in both."""

    en: str = Field(description="in English")
    zh: str = Field("", description="in Simplified Chinese; default: the English one")

    def __call__(self, language: str) -> str:
        """The text in a language, a line for each paragraph.

        >>> Told(en="One\\nparagraph.\\n\\nAnother.", zh="一\\n段。")("en"), Told(en="…", zh="一\\n段。")("zh")
        ('One paragraph.\\nAnother.', '一段。')
        """
        text, glue = (self.zh, "") if language == "zh" and self.zh else (self.en, " ")
        return "\n".join(glue.join(part.split("\n")) for part in text.strip().split("\n\n"))


_Text = Annotated[
    Told,
    BeforeValidator(
        lambda value: {"en": value} if isinstance(value, str) else value, json_schema_input_type=str | Told
    ),
]


def _figure(value: Any) -> str:
    if not isinstance(value, str) or not FIGURE.fullmatch(value):
        raise ValueError(
            f"{value!r} is no figure: write 'no quorum: longest', 'no leader: share', 'SERVICE below replicas: incidents' "
            "or 'SERVICE at zero: longest'"
        )
    return value


Figure = Annotated[str, BeforeValidator(_figure, json_schema_input_type=str)]


class Goal(Strict):
    """Something that shall be so, and the points for it: ``reach``, ``keep`` or ``leave`` a condition, or a ``figure``."""

    text: _Text = Field(description="in words, for the student")
    points: int = Field(1, ge=0, le=1000, description="what it counts")
    reach: Condition | None = Field(None, description="must come true")
    within: PositiveDuration | None = Field(
        None, description="with reach: at the latest so long after the beginning; default: the limit"
    )
    keep: Condition | None = Field(None, description="once it is true, must be so all the time")
    leave: Condition | None = Field(None, description="must be true when time is up")
    since: Duration = Field(0.0, description="with reach and keep: only what is so from then on counts")
    figure: Figure | None = Field(
        None, description="a figure of availability: 'no quorum: longest' in seconds, 'web at zero: share', …"
    )
    at_most: float | None = Field(None, alias="at-most", ge=0, description="with figure: its bound")
    trial: bool = Field(False, description="with figure: its mean over the runs of the trial, not of this run")

    @model_validator(mode="after")
    def _one_sort(self) -> Goal:
        if self.sort is None:
            raise ValueError("a goal has exactly one of reach, keep, leave, figure")
        for key, sorts in (
            ("within", ("reach",)),
            ("since", ("reach", "keep")),
            ("at_most", ("figure",)),
            ("trial", ("figure",)),
        ):
            if key in self.model_fields_set and self.sort not in sorts:
                raise ValueError(f"{key.replace('_', '-')!r} goes with {' and '.join(sorts)}")
        if self.sort == "figure" and self.at_most is None:
            raise ValueError("a figure needs at-most: its bound")
        return self

    @property
    def sort(self) -> str | None:
        """``reach``, ``keep``, ``leave`` or ``figure``."""
        given = [name for name in ("reach", "keep", "leave", "figure") if getattr(self, name) is not None]
        return given[0] if len(given) == 1 else None

    @property
    def condition(self) -> Condition | None:
        return self.reach or self.keep or self.leave


class Number(Strict):
    """A number is asked for."""

    tolerance: float = Field(gt=0, description="a right answer is at most so far off")
    unit: str = Field("", description="what it is counted in; s: durations such as 1m30s are understood as well")


class Question(Strict):
    """A question, answered by a ``number``, a ``choice`` or a ``host``; right is what the key says, or a ``figure`` of the run."""

    name: Name = Field(description="what answers and keys call it")
    text: _Text = Field(description="what is asked")
    points: int = Field(1, ge=0, le=1000, description="what the right answer counts")
    number: Number | None = Field(None, description="it is a number")
    choice: dict[Name, _Text] | None = Field(None, min_length=2, description="it is one of these")
    host: Literal[True] | None = Field(None, description="true: it is a host")
    figure: Figure | None = Field(None, description="with number: right is this figure of the student's own run")
    sealed: list[str] = Field([], description="what swarmsim exercise build wrote: the answers, sealed")

    @model_validator(mode="after")
    def _one_sort(self) -> Question:
        given = [name for name in ("number", "choice", "host") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a question has exactly one of number, choice, host")
        if self.figure is not None and self.number is None:
            raise ValueError("'figure' goes with number")
        return self


class Trial(Strict):
    """What a session leaves behind is run on, with the scenario's ``faults`` for its ``duration``, with several seeds."""

    runs: int = Field(8, ge=2, le=500, description="how many seeds")


class Exercise(Strict):
    """A task for students; ``swarmsim watch`` shows it, ``swarmsim check`` judges what they did."""

    task: _Text = Field(description="what is to be done")
    hints: list[_Text] = Field([], description="told one after the other, when asked for")
    limit: PositiveDuration = Field(
        1800.0, description="simulated time from the beginning; what is so then is what counts"
    )
    sight: Literal["all", "managers"] = Field(
        "all", description="managers: only what docker tells is shown, not power, links, containers and Raft"
    )
    allowed: list[str] = Field(
        ["docker"], description="what may be done: docker, docker node ls, …, and verbs of faults; default: docker"
    )
    seed: int | Literal["student"] = Field(1, description="seed of the run; student: another for each --student")
    goals: list[Goal] = Field([], description="what shall be so")
    questions: list[Question] = Field([], description="what is asked")
    trial: Trial | None = Field(None, description="judge the session's end by an ensemble")
    hidden: str = Field("", description="what swarmsim exercise build put away: faults nobody is told of")

    @model_validator(mode="after")
    def _sound(self) -> Exercise:
        if not self.goals and not self.questions:
            raise ValueError("an exercise needs goals or questions")
        names = [question.name for question in self.questions]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two questions are called {twice[0]!r}")
        if (self.trial is None) == any(goal.trial for goal in self.goals):
            raise ValueError("'trial' here goes with goals that have trial: true")
        return self

    @property
    def points(self) -> int:
        """All there are."""
        return sum(goal.points for goal in self.goals) + sum(question.points for question in self.questions)


class Session(Strict):
    """Who did an exercise: saved by ``swarmsim watch``; what was done stands under ``meanwhile``."""

    exercise: Name = Field(description="name of the exercise")
    student: str = Field("", max_length=100, description="who did it")
    seed: int = Field(description="seed of the run")
    answers: dict[Name, str | float] = Field({}, description="by the names of the questions")
