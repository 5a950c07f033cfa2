"""Certificates in the app: a panel of all of them, and each written out in the details of its host."""

from __future__ import annotations

import re

import pytest

from swarmsim import Scenario
from swarmsim.trace.state import state_of
from swarmsim.tui.certificates import MOST, PkiPanel, certificate_lines
from swarmsim.tui.panels import Details
from swarmsim.tui.stage import PANELS, number_of
from swarmsim.tui.texts import Texts
from swarmsim.tui.themes import DARK
from tests.tui.test_app import looked_at, recorded_app, shown

KEY = "0"
DURING, BLOCKED = 0.66, 100.0
"""Seconds since the beginning: two of five have turned; all that are there have."""


@pytest.fixture(scope="module")
def rows():
    return Scenario.load("ca-rotation").run(seed=1).rows


@pytest.fixture(scope="module")
def blocked():
    return Scenario.load("ca-rotation-blocked").run(seed=1).rows


def begin_of(rows):
    return next(row["t"] for row in rows if row["kind"] == "begin")


def panel_at(rows, seconds, language="en"):
    t = begin_of(rows) + seconds
    panel, written = PkiPanel(Texts(language)), []
    panel.write = written.append
    panel.show_state(state_of(row for row in rows if row["t"] <= t), t)
    return written[-1].plain


def test_before_a_rotation_there_is_one_root_and_a_line_for_every_node(rows):
    first, *lines = panel_at(rows, 0.0).splitlines()
    assert first.startswith("root 88ee77af2862  7299d23h  sha256:88ee77af2862")
    assert [line.split()[:2] for line in lines] == [
        ["m1", "mgr"],
        ["m2", "mgr"],
        ["m3", "mgr"],
        ["w1", "wkr"],
        ["w2", "wkr"],
    ]
    assert all("  89d23h  ↻ " in line for line in lines)


def test_during_a_rotation_its_progress_and_who_has_turned(rows):
    _, rotation, *lines = panel_at(rows, DURING).splitlines()
    assert rotation == "rotation → 040f2bd505aa ▮▮▮▮▮▮▮▮▯▯▯▯▯▯▯▯▯▯▯▯ 2/5  0s"
    assert [line.split()[0] for line in lines if "040f2bd505aa ⇠" in line] == ["m3", "w2"]


def test_a_rotation_that_a_dead_node_holds_up(blocked):
    assert re.search(r"▮{16}▯{4} 4/5  1m\d\ds$", panel_at(blocked, BLOCKED), re.M)


def test_after_it_nothing_of_the_old_root_is_left(rows):
    assert "88ee77af2862" not in panel_at(rows, 30.0)
    assert "w2" not in panel_at(rows, 30.0)


def test_what_has_expired_says_so_in_both_languages():
    rows = Scenario.load("off-over-the-holidays").run(seed=1).rows
    assert panel_at(rows, 7200.0).count("expired") == 5
    assert panel_at(rows, 7200.0, "zh").count("已过期") == 5


def test_of_very_many_the_ones_that_matter_are_listed(rows):
    state = state_of(row for row in rows if row["kind"] != "swarm.left" and row["t"] <= begin_of(rows))
    (some,) = [row for row in rows if row["kind"] == "certificate.issued" and row["host"] == "w1"]
    for number in range(2 * MOST):
        state.apply({**some, "host": f"h{number}", "until": 10.0 if number == 77 else some["until"]})
    panel, written = PkiPanel(Texts("en")), []
    panel.write = written.append
    panel.show_state(state, 20.0)
    first, *lines = written[-1].plain.splitlines()[1:]
    assert first.startswith("h77")
    assert lines[-1] == f"… {2 * MOST + 5 - MOST} more"


def test_without_certificates_it_says_when_there_will_be():
    assert panel_at([{"t": 0.0, "kind": "begin", "scenario": "x"}], 1.0).startswith("No certificates yet")
    assert certificate_lines(state_of([]), "m1") == ""


async def test_a_key_leads_there_and_it_follows_the_moment(rows):
    assert KEY == str(number_of("pki")) == str((PANELS.index("pki") + 1) % 10)
    app = recorded_app(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        await looked_at(DURING, DARK.name, KEY)(pilot)
        assert "rotation → 040f2bd505aa" in shown(app)
        await looked_at(0.0, DARK.name, KEY)(pilot)
        assert "rotation →" not in shown(app)


def test_details_of_a_host_have_its_certificate(rows):
    state = state_of(row for row in rows if row["t"] <= begin_of(rows))
    details, written = Details(Texts("en")), []
    details.write = written.append
    details.show_host(state, "w1", begin_of(rows))
    assert "OU = swarm-worker, CN = 8ab9bqpevyr8e2z91bjcanj41" in written[-1].plain


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_looks(snap_compare, blocked, size):
    assert snap_compare(recorded_app(blocked), terminal_size=size, run_before=looked_at(BLOCKED, DARK.name, KEY))
