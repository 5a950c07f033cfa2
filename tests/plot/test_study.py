"""Pictures show what is in the trace: read back off the axes, not compared as images."""

from __future__ import annotations

import pytest

from swarmsim import Scenario, load_trace, plot
from swarmsim.plot.study import bars
from swarmsim.replay.looks import LEADER, TASKS
from swarmsim.trace.reader import Trace, TraceError


@pytest.fixture(scope="module")
def trace():
    return Scenario.load("quorum-loss").run(seed=1)


@pytest.mark.parametrize("kind", ["run", "tasks", "lanes", "raft", "nodes", "availability"])
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_every_picture_can_be_written_in_every_form(trace, tmp_path, kind, ending):
    target = tmp_path / f"p.{ending}"
    plot.save(getattr(plot, kind)(trace), target)
    assert target.stat().st_size > 5000


@pytest.mark.parametrize("kind", ["tasks", "lanes", "raft", "nodes", "availability"])
def test_time_has_a_unit_and_ends_with_the_run(trace, kind):
    axes = getattr(plot, kind)(trace).axes[-1]
    assert axes.get_xlabel() == "seconds since the scenario began"
    assert axes.get_xlim() == pytest.approx((0, trace.duration))


def test_a_lane_for_every_slot_and_a_cross_for_every_failure(trace):
    axes = plot.lanes(trace).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"web.{n}" for n in range(1, 9)]
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    failed = {row["task"] for row in trace.of("task") if row["state"] == "failed"}
    assert len(crosses) == len(failed) > 0


def test_a_bar_lasts_until_the_next_change_and_none_after_the_end():
    rows = [
        {"t": 10.0, "state": "assigned", "desired": "running", "node": "w1", "image": "a"},
        {"t": 12.0, "state": "running", "desired": "running", "node": "w1", "image": "a"},
        {"t": 20.0, "state": "failed", "desired": "running", "node": "w1", "image": "a"},
    ]
    assert bars(rows, 5.0, 99.0) == [(5.0, 7.0, "w1", "starting", "a"), (7.0, 15.0, "w1", "running", "a")]


def test_twenty_nodes_look_different():
    tasks = [
        {
            "t": 0.0, "kind": "task", "task": f"t{n}", "service": "web", "slot": n, "image": "a", "state": "running",
            "desired": "running", "node": f"w{n}",
        }
        for n in range(1, 21)
    ]  # fmt: skip
    rows = [{"t": 0.0, "kind": "begin", "scenario": "x"}, *tasks, {"t": 60.0, "kind": "end"}]
    axes = plot.lanes(Trace({}, rows)).axes[0]
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in axes.patches}) == 20
    assert [text.get_text() for text in axes.texts] == [f"w{n}" for n in range(1, 21)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [f"w{n}" for n in range(1, 21)]


def test_a_part_of_the_time(trace):
    axes = plot.lanes(trace, "web", 5.0, 9.0).axes[0]
    assert axes.get_xlim() == (5.0, 9.0)
    figure = plot.run(trace)
    plot.zoom(figure, 5.0, 9.0)
    assert {axes.get_xlim() for axes in figure.axes} == {(5.0, 9.0)}


def test_lanes_of_a_service_that_is_not_there(trace):
    with pytest.raises(TraceError, match="no service 'db' in this trace; there are: web"):
        plot.lanes(trace, "db")


def test_raft_shows_who_led_for_how_long(trace):
    from matplotlib.colors import to_rgba

    axes = plot.raft(trace).axes[0]
    led = [bar for bar in axes.patches if bar.get_facecolor() == to_rgba(LEADER.colour) and bar.get_height() == 0.6]
    leading = sum(bar.get_width() for bar in led)
    without = sum(row["after"] for row in trace.of("reached") if row["what"] == "leader again")
    assert 0.5 * trace.duration < leading < trace.duration
    assert without >= 0
    assert {text.get_text() for text in axes.texts} >= {str(row["term"]) for row in trace.of("raft.leading")}


def test_what_only_a_model_knows_is_not_drawn_of_a_record(records):
    real = load_trace(records / "quorum_loss" / "run1.jsonl")
    for kind in ("raft", "availability"):
        with pytest.raises(TraceError, match="only simulated runs"):
            getattr(plot, kind)(real)
    for kind in ("run", "tasks", "lanes", "nodes"):
        assert getattr(plot, kind)(real).axes


def test_missing_containers_are_red_for_as_long_as_they_are_missing(trace):
    from matplotlib.colors import to_rgba

    from swarmsim.analysis.availability import availability

    axes = plot.availability(trace).axes[0]
    red = next(c for c in axes.collections if tuple(c.get_facecolor()[0][:3]) == to_rgba(TASKS["failed"].colour)[:3])
    times = [x for path in red.get_paths() for x in path.vertices[:, 0]]
    missing = availability(trace).below["web"]
    assert max(times) - min(times) >= missing.longest - 0.1


def test_milestones_of_many_runs():
    ensemble = Scenario.load("first-service").ensemble(6)
    axes = plot.milestones(ensemble.milestones).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert "wait: replaced (n=6)" in labels
    with pytest.raises(TraceError, match="no milestones"):
        plot.milestones({})


def test_real_against_simulated(records):
    real = [load_trace(path) for path in sorted((records / "create_scale").glob("*.jsonl"))]
    simulated = [Scenario.load("create-scale").run(seed=seed) for seed in range(1, 7)]
    axes = plot.against(real, simulated).axes[0]
    diamonds = [line for line in axes.lines if line.get_marker() == "D"]
    assert len(diamonds) == len(axes.get_yticklabels())
    assert all(len(line.get_xdata()) >= 3 for line in diamonds)


def test_a_picture_shows_itself_in_a_notebook(trace):
    assert plot.tasks(trace)._repr_png_().startswith(b"\x89PNG")
