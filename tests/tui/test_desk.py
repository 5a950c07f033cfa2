"""An exercise in the app: the task, how far it is solved, what is not allowed, what is handed in."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from swarmsim.exercise.correction import correct, read_handin
from swarmsim.exercise.key import Key, Variant, build
from swarmsim.scenario.loader import ScenarioError, load_scenario
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.tui.app import WatchApp
from swarmsim.tui.desk import DeskScreen
from swarmsim.tui.panels import Story
from swarmsim.tui.start import WatchError, app_for
from tests.tui.test_app import shown, until

EXERCISE = """\
name: one-lost
title: One is lost
cluster: {managers: 3, workers: 2}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 3 mini:1 sleep 100000
  - wait: {service: web, running: 3}
exercise:
  task:
    en: Bring w1 back
      to life.
    zh: 让 w1 恢复。
  hints: [{en: Look at the map., zh: 看地图。}]
  limit: 5m
  allowed: [docker node, power-on]
  goals:
    - {text: {en: w1 is ready, zh: w1 就绪}, points: 3, leave: {node: w1, status: ready}}
  questions:
    - {name: which, text: Which was lost?, points: 2, host: true}
    - {name: many, text: How many are there?, points: 1, number: {tolerance: 0.5}}
"""


@pytest.fixture
def exercise(tmp_path):
    source = tmp_path / "source.yaml"
    source.write_text(EXERCISE)
    hidden = [MeanwhileStep.model_validate({"at": 20, "fault": {"power-off": "w1"}})]
    key = Key(exercise="one-lost", variants=[Variant(hidden=hidden, answers={"which": "w1", "many": 5})])
    path = tmp_path / "one-lost.yaml"
    path.write_text(build(load_scenario(source), key, salt=b"twelve bytes"))
    return path


def app(exercise, language="en", **options) -> WatchApp:
    made = app_for(str(exercise), None, 20.0, False, language, **options)
    made.where = exercise.parent / "runs"
    return made


async def test_a_student_reads_does_checks_and_hands_in(exercise):
    made = app(exercise)
    async with made.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(made.screen, DeskScreen))
        text = shown(made)
        assert "Bring w1 back to life." in text
        assert "0 of 6 points" in text
        assert "Look at the map." not in text
        await pilot.press("h")
        await pilot.pause()
        assert "Look at the map." in shown(made)
        await pilot.press("escape")
        await until(pilot, lambda: made.player.since_begin > 40)
        await pilot.press("space", "4")
        lines = [line.text for line in made.player.recording.lines]
        assert not any("power off" in line for line in lines), "what is hidden is not told"
        assert made.player.state.hosts["w1"].power is False, "but what is so is shown"

        made._act(fault={"kill-engine": "m2"})
        await pilot.pause()
        assert made.player.future.actions == []
        assert ["not allowed" in toast.message for toast in made._notifications] == [True]
        made._act(fault={"power-on": "w1"})
        made.player.play(True)
        await until(pilot, lambda: made.player.state.node_of("w1")["status"] == "ready")
        await pilot.press("c")
        await pilot.pause()
        desk = made.screen
        desk.query_one("#answer-which").value = "w1"
        number = desk.query_one("#answer-many", Input)
        number.value = "4"
        number.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert "Which was lost?  [2]  right" in shown(made)
        assert "How many are there?  [1]  wrong" in shown(made)
        assert "2 of 6 points" in shown(made)
        assert "now: node w1: status ready" in shown(made)
        await pilot.press("escape", "ctrl+s", "enter")
        await pilot.pause()
    loaded = load_scenario(exercise)
    corrected = correct(read_handin(str(exercise.parent / "runs" / "one-lost-session.yaml"), loaded), loaded)
    assert [part.points for part in corrected.parts] == [3, 2, 0]


async def test_at_any_size_and_in_chinese_it_can_be_read_to_its_end(exercise):
    made = app(exercise, "zh")
    async with made.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(made.screen, DeskScreen))
        await pilot.pause()
        assert "让 w1 恢复。" in shown(made)
        assert "w1 就绪" in shown(made)
        await pilot.press("h", "end")
        await pilot.pause()
        assert "看地图。" in shown(made)
        assert "检查" in shown(made)


async def test_only_what_managers_tell_is_seen_if_the_exercise_says_so(exercise):
    exercise.write_text(exercise.read_text().replace("  limit: 5m", "  limit: 5m\n  sight: managers"))
    made = app(exercise)
    async with made.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(made.screen, DeskScreen))
        await pilot.press("escape")
        await until(pilot, lambda: made.player.since_begin > 40)
        state = made.player.state
        assert state.hosts["w1"].power is True
        assert state.node_of("w1")["status"] == "down"
        assert state.members == {}
        assert made.query_one(Story) is not None


async def test_time_turned_back_turns_the_points_back(exercise):
    made = app(exercise)
    async with made.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(made.screen, DeskScreen))
        await pilot.press("escape")
        await until(pilot, lambda: made.player.since_begin > 301)
        player = made.player
        begin = player.recording.begin
        verdicts = [
            made.desk.standing(player.recording, begin + t, player.future.known)[0].verdict for t in (10, 299, 300)
        ]
        assert verdicts == ["open", "open", "missed"]
        assert made.desk.standing(player.recording, begin + 10, player.future.known)[0].now
        made._act(fault={"power-on": "w1"})
        await pilot.pause()
        assert any("time of this exercise is up" in toast.message for toast in made._notifications)


def test_a_saved_session_goes_on_with_its_answers(exercise):
    made = app(exercise)
    text = made.desk.sitting.written(exercise.read_text(), {"which": "w2"})
    again = exercise.parent / "again.yaml"
    again.write_text(text)
    resumed = app(again)
    assert resumed.desk.given == {"which": "w2"}
    for one in (made, resumed):
        one.player.close()


def test_what_does_not_fit_an_exercise_is_refused(exercise):
    with pytest.raises(WatchError, match="a seed of its own"):
        app_for(str(exercise), 7, 1.0, False, "en")
    with pytest.raises(WatchError, match="first-service is none"):
        app_for("first-service", None, 1.0, False, "en", "ann")
    exercise.write_text(exercise.read_text().replace("  limit: 5m", "  limit: 5m\n  seed: student"))
    with pytest.raises(ScenarioError, match="say who you are with --student NAME"):
        app(exercise)
