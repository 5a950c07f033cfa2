"""The timeline of a long run is told in fewer lines, and says how many it left out."""

from __future__ import annotations

import re

from swarmsim.replay.timeline import ALWAYS, DAY, LINES_A_PERIOD, PERIODS, Line, Timeline
from swarmsim.scenario.loader import load_scenario
from swarmsim.scenario.runner import run_scenario

WEEK = 7 * DAY


def told(rows: list[dict], duration: float) -> list[Line]:
    timeline = Timeline(duration)
    lines = [line for row in rows for line in timeline.add(row)]
    return lines + timeline.finish()


def test_a_week_is_folded_and_every_line_is_told_or_counted():
    rows: list[dict] = []
    run_scenario(load_scenario("rolling-failures"), 1, rows.append)
    whole, folded = told(rows, 0.0), told(rows, WEEK)
    notices = [line for line in folded if re.search(r"\d+ more lines until", line.text)]
    counted = sum(int(re.search(r"(\d+) more lines until", line.text)[1]) for line in notices)
    assert notices
    assert len(folded) - len(notices) + counted == len(whole)
    for period in range(PERIODS):
        begin, end = period * WEEK / PERIODS, (period + 1) * WEEK / PERIODS
        shown = [line for line in folded if begin <= line.t < end and line.sort not in ALWAYS]
        assert len(shown) <= LINES_A_PERIOD + 2
