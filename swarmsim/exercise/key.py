"""The lecturer's key of an exercise, and the student's file that is built from both.

.. code-block:: yaml

    exercise: which-link
    variants:
      - hidden: [{at: 2m, fault: {cut: [m1, w2]}}]
        answers: {host: w2, silent: 41}
      - hidden: [{at: 2m, fault: {cut: [m1, w3]}}]
        answers: {host: w3, silent: 44}

A sitting has one of the variants, by its seed. A ``solution`` says what one can do, for ``swarmsim exercise try``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from swarmsim.exercise.sealing import AnswerError, plain, put_away, seal
from swarmsim.scenario.exercise import Question
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, parse_scenario, read_scenario
from swarmsim.scenario.parts import Name, Strict
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.yamldoc import Document, DocumentError, KeyPath

WIDTH = 100


class Variant(Strict):
    """What is hidden, and the answers that are right then."""

    hidden: list[MeanwhileStep] = Field([], description="done at set times, and not told")
    answers: dict[Name, str | float] = Field({}, description="by the names of the questions")
    solution: list[MeanwhileStep] = Field(
        [], description="what one can do to get all points, for swarmsim exercise try"
    )
    measured: dict[Name, str | float] = Field({}, description="what the solution answers to questions about the run")


class Key(Strict):
    """The key of an exercise."""

    exercise: Name = Field(description="name of the exercise")
    variants: list[Variant] = Field(min_length=1, description="a sitting has one of them, by its seed")


def read_key(where: str | Path, loaded: LoadedScenario) -> Key:
    """The key of an exercise. Raises :class:`ScenarioError` with all mistakes and their places."""
    text, source = read_scenario(where)
    try:
        document = Document(text, text_keys=True)
    except DocumentError as problem:
        raise ScenarioError(f"{source}:{problem}") from None

    def at(path: KeyPath, message: str) -> str:
        line, column = document.place(path)
        return f"{source}:{line}:{column}: {message}"

    try:
        key = Key.model_validate(document.data)
    except ValidationError as problem:
        told = [at(error["loc"], str(error["msg"]).removeprefix("Value error, ")) for error in problem.errors()]
        raise ScenarioError("\n".join(told)) from None
    if key.exercise != loaded.scenario.name:
        raise ScenarioError(at(("exercise",), f"this is the key of {key.exercise}, not of {loaded.scenario.name}"))
    wrong = [
        at(("variants", number, *path), message)
        for number, variant in enumerate(key.variants)
        for path, message in _complaints(variant, loaded)
    ]
    if wrong:
        raise ScenarioError("\n".join(wrong))
    return key


def _complaints(variant: Variant, loaded: LoadedScenario) -> list[tuple[KeyPath, str]]:
    found: list[tuple[KeyPath, str]] = []
    questions = {question.name: question for question in keyed(loaded)}
    hosts = [name for group in loaded.scenario.cluster.names() for name in group]
    for name, answer in variant.answers.items():
        if name not in questions:
            there = ", ".join(questions) or "none that a key answers"
            found.append((("answers", name), f"there is no question {name!r}; there are {there}"))
            continue
        try:
            plain(questions[name], answer, hosts)
        except AnswerError as problem:
            found.append((("answers", name), str(problem)))
    found += [(("answers",), f"no answer to {name}") for name in questions if name not in variant.answers]
    text, source = read_scenario(loaded.source)
    own = loaded.scenario.meanwhile
    try:
        parse_scenario(text, source, {"meanwhile": [_as_data(step) for step in (*own, *variant.hidden)]})
    except ScenarioError as problem:
        found.append((("hidden",), str(problem).partition(": ")[2]))
    return found


def keyed(loaded: LoadedScenario) -> list[Question]:
    """The questions whose answers stand in a key; the others are measured."""
    exercise = loaded.scenario.exercise
    return [question for question in exercise.questions if question.figure is None] if exercise is not None else []


def _as_data(step: MeanwhileStep) -> dict[str, Any]:
    return step.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)


def build(loaded: LoadedScenario, key: Key, *, sealed: bool = True, salt: bytes | None = None) -> str:
    """The text of the student's file: the exercise with what is hidden put away, and the answers if they are to be ``sealed``.

    ``salt`` is for tests; otherwise every building has its own.
    """
    text, _ = read_scenario(loaded.source)
    yaml = YAML()
    yaml.width = 120
    document = yaml.load(text)
    exercise = document["exercise"]
    hidden = [[_as_data(step) for step in variant.hidden] for variant in key.variants]
    if any(hidden) or len(hidden) > 1:
        packed = put_away(hidden)
        lines = [packed[start : start + WIDTH] for start in range(0, len(packed), WIDTH)]
        exercise["hidden"] = LiteralScalarString("\n".join(lines) + "\n")
    hosts = [name for group in loaded.scenario.cluster.names() for name in group]
    for question, written in zip(loaded.scenario.exercise.questions, exercise.get("questions") or [], strict=True):  # type: ignore[union-attr]
        written.pop("sealed", None)
        if sealed and question.figure is None:
            own = salt or os.urandom(12)
            written["sealed"] = [seal(question, variant.answers[question.name], hosts, own) for variant in key.variants]
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
