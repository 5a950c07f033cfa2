"""A session is done again and judged: its points, the first moment something was missed, what is not allowed."""

from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

from swarmsim.cli import app
from swarmsim.exercise.correction import correct, read_handin
from swarmsim.exercise.sitting import Sitting
from swarmsim.scenario.loader import ScenarioError, load_scenario, parse_scenario

EXERCISE = """\
name: two-of-three
cluster: {managers: 3, workers: 1}
meanwhile:
  - {at: 10s, fault: {power-off: [m2, m3]}}
exercise:
  task: Give the cluster a leader again.
  limit: 3m
  allowed: [docker node, power-on]
  seed: student
  goals:
    - {text: someone leads within 90 s, points: 3, reach: {leader: elected}, within: 90s, since: 60s}
    - {text: someone leads at the end, points: 2, leave: {leader: elected}}
    - {text: somebody always led, points: 1, keep: {leader: elected}}
  questions:
    - {name: gap, text: How long was there no leader?, points: 2, number: {tolerance: 1, unit: s}, figure: 'no leader: longest'}
"""
GOOD = "  - {at: 40s, fault: {power-on: m2}}\n"


@pytest.fixture
def exercise(tmp_path):
    path = tmp_path / "two-of-three.yaml"
    path.write_text(EXERCISE)
    return path


def session(tmp_path, actions="", student="ann", answers=None, name="ann.yaml", text=EXERCISE):
    text = text.replace("exercise:\n", actions + "exercise:\n", 1)
    sitting = Sitting(parse_scenario(EXERCISE, "x"), student)
    path = tmp_path / name
    path.write_text(sitting.written(text, answers or {}))
    return path


def points(path, exercise):
    loaded = load_scenario(exercise)
    corrected = correct(read_handin(str(path), loaded), loaded)
    return [part.points for part in corrected.parts], corrected


def test_power_in_time_makes_a_leader_and_the_first_moment_missed_is_told(tmp_path, exercise):
    found, corrected = points(session(tmp_path, GOOD), exercise)
    assert found == [3, 2, 0, 0]
    missed = corrected.first_missed
    assert missed.what == "somebody always led"
    assert 10 < missed.at < 40
    assert missed.seen == "nobody leads"


def test_who_does_nothing_misses_all_and_when_it_was_missed_is_when_it_was_due(tmp_path, exercise):
    found, corrected = points(session(tmp_path), exercise)
    assert found == [0, 0, 0, 0]
    assert corrected.parts[0].at == 90.0


def test_power_too_late_is_too_late_for_what_was_due(tmp_path, exercise):
    assert points(session(tmp_path, "  - {at: 110s, fault: {power-on: m2}}\n"), exercise)[0] == [0, 2, 0, 0]


def test_what_is_done_after_the_limit_does_not_count(tmp_path, exercise):
    assert points(session(tmp_path, "  - {at: 190s, fault: {power-on: m2}}\n"), exercise)[0] == [0, 0, 0, 0]


def test_a_figure_of_ones_own_run_is_asked_for_and_measured(tmp_path, exercise):
    _, corrected = points(session(tmp_path, GOOD), exercise)
    loaded = load_scenario(exercise)
    handin = read_handin(str(session(tmp_path, GOOD)), loaded)
    from swarmsim.exercise.correction import replay

    measured = replay(Sitting(loaded, "ann"), handin.actions).figure("no leader: longest")
    assert points(session(tmp_path, GOOD, answers={"gap": measured + 0.5}), exercise)[0][3] == 2
    assert points(session(tmp_path, GOOD, answers={"gap": measured + 1.5}), exercise)[0][3] == 0
    _, corrected = points(session(tmp_path, GOOD, answers={"gap": "long"}), exercise)
    assert corrected.parts[3].seen == "answered 'long' is no number of s"


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("{at: 40s, docker: service ls, on: m1}", "docker service ls at 40 s is not allowed"),
        ("{at: 40s, fault: {kill-engine: m1}}", "kill-engine at 40 s is not allowed"),
        ("{at: 40s, seed: 7}", "another seed at 40 s is not allowed"),
    ],
)
def test_what_is_not_allowed_gets_no_points(tmp_path, exercise, action, reason):
    _, corrected = points(session(tmp_path, f"{GOOD}  - {action}\n"), exercise)
    assert corrected.refused == [reason]
    assert corrected.points == 0


def test_everybody_has_another_seed_and_only_ones_own_counts(tmp_path, exercise):
    path = session(tmp_path, GOOD)
    path.write_text(path.read_text().replace("student: ann", "student: bo"))
    _, corrected = points(path, exercise)
    assert corrected.points == 0
    assert "that of bo is" in corrected.refused[0]
    with pytest.raises(ScenarioError, match="say who you are with --student NAME"):
        Sitting(load_scenario(exercise))


def test_only_deeds_and_answers_of_a_session_are_read(tmp_path, exercise):
    easier = EXERCISE.replace("limit: 3m", "limit: 4m").replace("someone leads at the end", "easy")
    _, corrected = points(session(tmp_path, GOOD, text=easier), exercise)
    assert [part.what for part in corrected.parts][1] == "someone leads at the end"
    harmless = EXERCISE.replace("power-off: [m2, m3]", "power-off: [m2]")
    with pytest.raises(ScenarioError, match="what the exercise itself does was changed"):
        read_handin(str(session(tmp_path, GOOD, text=harmless)), load_scenario(exercise))


def test_a_class_at_the_command_line(tmp_path, exercise, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good, idle = session(tmp_path, GOOD), session(tmp_path, student="bo", name="bo.yaml")
    files = [str(exercise), str(good), str(idle)]
    done = CliRunner().invoke(app, ["check", *files, "--csv", "class.csv", "--traces", "replays"])
    assert done.exit_code == 1, done.output
    assert f"{good}: 5 of 8 points" in done.output
    assert "missed first at" in done.output
    table = list(csv.DictReader((tmp_path / "class.csv").open()))
    assert [(row["student"], row["points"], row["of"]) for row in table] == [("ann", "5", "8"), ("bo", "0", "8")]
    assert sorted(path.name for path in (tmp_path / "replays").iterdir()) == ["ann.jsonl", "bo.jsonl"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("leave: {leader: elected}", "leave: {node: w9, status: down}"), "unknown host 'w9'"),
        (("allowed: [docker node, power-on]", "allowed: [pray]"), "'pray': write docker"),
        (("within: 90s, since", "within: 90m, since"), "within is after the limit of 180 s"),
        (("figure: 'no leader: longest'", "figure: luck"), "'luck' is no figure"),
        (("points: 2, leave", "keep: {leader: none}, leave"), "exactly one of reach, keep, leave, figure"),
    ],
)
def test_mistakes_in_an_exercise_are_told_with_their_place(change, complaint):
    with pytest.raises(ScenarioError, match=complaint) as problem:
        parse_scenario(EXERCISE.replace(*change), "x.yaml")
    assert str(problem.value).startswith("x.yaml:")


def test_an_exercise_is_not_run_and_a_scenario_is_no_exercise(exercise, tmp_path):
    done = CliRunner().invoke(app, ["run", str(exercise)])
    assert done.exit_code == 2
    assert "two-of-three is an exercise: swarmsim watch" in done.output
    done = CliRunner().invoke(app, ["check", "first-service", str(exercise), "--csv", "x.csv"])
    assert (done.exit_code, "first-service is none" in done.output) == (2, True)
