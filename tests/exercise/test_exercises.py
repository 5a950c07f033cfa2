"""Every exercise that ships: its solution gets all points, who does nothing does not, and its file is what its key builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmsim.exercise.correction import correct, solutions
from swarmsim.exercise.key import Key, keyed, read_key
from swarmsim.exercise.sealing import found
from swarmsim.scenario.loader import LoadedScenario, load_scenario, shipped_exercises, shipped_scenarios

KEYS = Path(__file__).parent.parent.parent / "exercises" / "keys"


def shipped(name: str) -> tuple[LoadedScenario, Key]:
    loaded = load_scenario(name)
    return loaded, read_key(KEYS / f"{name}.yaml", loaded)


@pytest.mark.parametrize("name", sorted(shipped_exercises()))
def test_the_solution_gets_all_points_and_doing_nothing_does_not(name):
    loaded, key = shipped(name)
    solved, idle = (correct(handin, loaded) for handin in solutions(loaded, key, "ann"))
    assert [part for part in solved.parts if not part.full] == []
    assert solved.refused == []
    assert solved.points == loaded.scenario.exercise.points
    assert idle.points <= solved.points / 2
    assert any(not part.full for part in idle.parts)


@pytest.mark.parametrize("name", sorted(shipped_exercises()))
def test_what_ships_was_built_from_its_key(name):
    loaded, key = shipped(name)
    hidden = [
        [step.model_dump(by_alias=True, exclude_none=True, exclude_unset=True) for step in v.hidden]
        for v in key.variants
    ]
    packed = loaded.scenario.exercise.hidden
    assert (found(packed) if packed else [[]]) == hidden
    for question in keyed(loaded):
        assert len(question.sealed) == len(key.variants)


@pytest.mark.parametrize("name", sorted(shipped_exercises()))
def test_every_text_is_there_in_both_languages(name):
    exercise = load_scenario(name).scenario.exercise
    choices = [text for question in exercise.questions for text in (question.choice or {}).values()]
    parts = [part.text for part in (*exercise.goals, *exercise.questions)]
    assert [text.en for text in (exercise.task, *exercise.hints, *parts, *choices) if not text.zh] == []


def test_no_exercise_hides_a_scenario():
    """Both are found by their names alone."""
    assert not {*shipped_exercises()} & {*shipped_scenarios()}
