"""The timeline of a long run is told in fewer lines, and says how many it left out."""

from __future__ import annotations

import re

from swarmsim.replay.timeline import ALWAYS, DAY, LINES_A_PERIOD, PERIODS, told
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario

WEEK = 7 * DAY


def test_a_week_is_folded_and_every_line_is_told_or_counted():
    rows: list[dict] = []
    run_scenario(load_scenario("rolling-failures"), 1, rows.append)
    whole, folded = list(told(rows)), list(told(rows, WEEK))
    notices = [line for line in folded if re.search(r"\d+ more lines until", line.text)]
    counted = sum(int(re.search(r"(\d+) more lines until", line.text)[1]) for line in notices)
    assert notices
    assert not any(line.text.startswith("… 1 more") for line in notices)
    assert len(folded) - len(notices) + counted == len(whole)
    for period in range(PERIODS):
        begin, end = period * WEEK / PERIODS, (period + 1) * WEEK / PERIODS
        shown = [line for line in folded if begin <= line.t < end and line.sort not in ALWAYS]
        assert len(shown) <= LINES_A_PERIOD + 2


def task(t: float, state: str, desired: str) -> dict:
    return {
        "t": t, "kind": "task", "task": "t1", "service": "web", "slot": 1, "node": "w1", "state": state,
        "desired": desired, "err": None,
    }  # fmt: skip


def test_what_is_to_become_of_a_task_is_said_in_words():
    states = [
        ("assigned", "running"), ("ready", "ready"), ("pending", "ready"), ("ready", "running"), ("running", "running"),
        ("running", "shutdown"), ("shutdown", "shutdown"), ("failed", "shutdown"), ("running", "remove"),
    ]  # fmt: skip
    rows = [{"t": 0.0, "kind": "begin", "scenario": "x"}]
    rows += [task(1.0 + number, *state) for number, state in enumerate(states)]
    assert [line.text.partition(": ")[2] for line in told(rows)][1:] == [
        "assigned", "ready", "pending, not to start yet", "ready, to start now", "running", "running, to be shut down",
        "shutdown", "failed, not to run again", "running, to be removed",
    ]  # fmt: skip


def test_a_command_that_blocked_stands_before_its_effects():
    command = {"t": 5.0, "kind": "docker", "on": "m1", "cmd": "x", "rc": 0, "out": "done", "err": "", "s": 4.0}
    rows = [{"t": 0.0, "kind": "begin", "scenario": "x"}, task(3.0, "running", "running"), command]
    assert [line.text for line in told(rows)] == [
        "-- x begins",
        "m1$ docker x",
        "web.1 on w1: running",
        "m1$ docker x   (4 s)\n    done",
    ]


def test_tabs_of_what_a_command_printed_are_told_as_columns():
    row = {
        "t": 1.0,
        "kind": "docker",
        "on": "m1",
        "cmd": "exec c nslookup web",
        "rc": 0,
        "out": "Name:\tweb",
        "err": "",
        "s": 0.1,
    }
    (line,) = (each for each in told([{"t": 0.0, "kind": "begin", "scenario": "x"}, row]) if each.sort == "command")
    assert line.text.splitlines()[1] == "    Name:   web"
