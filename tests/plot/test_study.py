"""Pictures show what is in the trace: read back off the axes, not compared as images."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from swarmsim import Scenario, load_trace, plot
from swarmsim.plot.lanes import bars, look_of
from swarmsim.plot.study import gaps
from swarmsim.replay.looks import LEADER, TASKS
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row


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
    crosses = [line for line in axes.lines if line.get_marker() == "X"]
    failed = {row["task"] for row in trace.of("task") if row["state"] == "failed"}
    assert len(crosses[0].get_xdata()) == len(failed) > 0


def test_a_bar_lasts_until_the_next_change_and_none_after_the_end():
    rows = [
        {"t": 10.0, "state": "assigned", "desired": "running", "node": "w1", "image": "a"},
        {"t": 12.0, "state": "running", "desired": "running", "node": "w1", "image": "a"},
        {"t": 20.0, "state": "failed", "desired": "running", "node": "w1", "image": "a"},
    ]
    assert bars(rows, 5.0, 99.0) == [(5.0, 7.0, "w1", "starting", "a"), (7.0, 15.0, "w1", "running", "a")]


def task(n: int, node: str, t: float = 0.0, image: str = "a", state: str = "running") -> Row:
    return {
        "t": t, "kind": "task", "task": f"t{n}", "service": "web", "slot": n, "image": image, "state": state,
        "desired": "running", "node": node,
    }  # fmt: skip


def made(*rows: Row, end: float = 60.0) -> Trace:
    """A trace of these rows."""
    return Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}, *rows, {"t": end, "kind": "end"}])


def shown_labels(axis) -> list[Text]:
    """Labels of an axis' ticks, but for those beyond its ends, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    return [
        label for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False) if low <= place <= high
    ]


def boxes(figure) -> list[Bbox]:
    """Where words are on the picture: labels of bars, of faults, of ticks, titles, the legend."""
    figure.draw_without_rendering()
    words = [text for axes in figure.axes for text in axes.texts if text.get_visible()]
    for axes in figure.axes:
        words += [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title]
        words += shown_labels(axes.xaxis) + shown_labels(axes.yaxis)
        words += axes.get_legend().get_texts() if axes.get_legend() else []
    # Text's own extent: an annotation's has the line to its place too.
    return [Text.get_window_extent(text) for text in [*words, figure._suptitle] if text.get_text()]


def test_twenty_four_hosts_look_different():
    assert len({look_of(number) for number in range(24)}) == 24
    axes = plot.lanes(made(*(task(n, f"w{n}") for n in range(1, 25)))).axes[0]
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in axes.patches}) == 24
    assert [text.get_text() for text in axes.texts] == [f"w{n}" for n in range(1, 25)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [f"w{n}" for n in range(1, 25)]


def test_a_bar_that_is_too_short_for_its_name_has_none():
    figure = plot.lanes(made(task(1, "w1"), task(1, "w1", 0.5, state="failed"), task(2, "a-host-with-a-long-name")))
    assert [text.get_text() for text in figure.axes[0].texts if text.get_visible()] == ["a-host-with-a-long-name"]


@pytest.mark.parametrize("kind", ["run", "tasks", "lanes", "raft", "nodes", "availability"])
@pytest.mark.parametrize("part", [(0.0, None), (50.0, 70.0)])
def test_no_words_are_over_others_or_off_the_edge(trace, kind, part):
    figure = getattr(plot, kind)(trace, begin=part[0], end=part[1])
    found = boxes(figure)
    assert len(found) > 10
    for one, other in combinations(found, 2):
        assert not Bbox.intersection(one, other), (one, other)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in found)


def test_words_of_faults_that_come_close_are_over_each_other_each_beside_its_line():
    faults = [
        {"t": float(t), "kind": "step", "what": f"power off w{t} and more", "verb": "power-off", "hosts": []}
        for t in (1, 2, 3, 59)
    ]
    figure = plot.tasks(made(task(1, "w1"), *faults))
    found = boxes(figure)
    assert not any(Bbox.intersection(one, other) for one, other in combinations(found, 2))
    figure.draw_without_rendering()
    words = [text for text in figure.axes[0].texts if text.get_text().startswith("power")]
    x = [figure.axes[0].transData.transform((t, 0))[0] for t in (1, 2, 3, 59)]
    left = [Text.get_window_extent(text).x0 for text in words]
    assert left == pytest.approx([place + 2 * figure.dpi / 72 for place in x])


def test_words_stand_before_lines(trace):
    for kind in ("lanes", "raft"):
        axes = getattr(plot, kind)(trace).axes[0]
        assert min(text.get_zorder() for text in axes.texts) > max(line.get_zorder() for line in axes.lines)


def test_many_faults_are_marks_that_hide_nothing():
    faults = [{"t": float(t), "kind": "step", "what": "x", "verb": "power-off", "hosts": []} for t in range(1, 40)]
    axes = plot.tasks(made(task(1, "w1"), *faults)).axes[0]
    marks = [line for line in axes.lines if line.get_marker() == "|"]
    assert [len(line.get_xdata()) for line in marks] == [39]
    assert set(marks[0].get_ydata()) == {1.0}  # of the axes' height: at the top
    assert axes.get_title(loc="left") == "39 faults and mendings, each a mark"


def test_images_and_updates_of_a_service_are_marked():
    service = {"kind": "service", "service": "web", "update": None, "umsg": None}
    figure = plot.lanes(
        made(
            task(1, "w1", image="shop:1"), {"t": 0.0, **service},
            {"t": 20.0, **service, "update": "updating"}, {"t": 21.0, **service, "update": "updating"},
            task(1, "w1", 30.0, image="shop:2@sha256:00"), {"t": 40.0, **service, "update": "rollback_started"},
        )
    )  # fmt: skip
    axes = figure.axes[0]
    marks = [(line.get_marker(), list(line.get_xdata())) for line in axes.lines if line.get_marker() in ("v", "^")]
    assert marks == [("v", [20.0]), ("^", [40.0])]
    strips = [
        (list(line.get_xdata()), line.get_color())
        for line in axes.lines
        if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert [times for times, _ in strips] == [[0.0, 30.0], [30.0, 60.0]]
    assert strips[0][1] != strips[1][1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "w1",
        "shop:1",
        "shop:2",
        "update begins",
        "rollback begins",
    ]


def test_a_legend_has_only_what_occurs_in_the_part_that_is_shown(trace):
    def said(figure) -> list[str]:
        return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]

    assert said(plot.tasks(trace, 5.0, 9.0)) == ["running"]
    assert said(plot.tasks(trace, 30.0, 60.0)) == ["running", "no manager answers"]
    assert said(plot.raft(trace, 5.0, 9.0)) == ["follower", "leader"]
    assert said(plot.nodes(trace, 5.0, 9.0)) == ["ready", "leader"]
    assert said(plot.lanes(trace, None, 5.0, 9.0)) == ["m1", "m2", "m3", "w1", "w2"]
    assert said(plot.availability(trace, 5.0, 9.0)) == ["running", "wanted"]


@pytest.mark.parametrize("kind", ["run", "tasks", "lanes", "raft", "nodes", "availability"])
def test_a_part_of_the_time(trace, kind):
    figure = getattr(plot, kind)(trace, begin=5.0, end=9.0)
    assert {axes.get_xlim() for axes in figure.axes} == {(5.0, 9.0)}


def test_a_short_part_of_a_week_is_told_by_the_clock():
    figure = plot.tasks(made(task(1, "w1"), end=7 * 86_400.0), 86_400.0, 86_400.0 + 120.0)
    figure.draw_without_rendering()
    assert [text.get_text() for text in shown_labels(figure.axes[0].xaxis)][:2] == ["1d 00:00:00", "1d 00:00:20"]


def serving(t: float, running: int) -> Row:
    return {"t": t, "kind": "serving", "service": "web", "running": running, "replicas": 12}


def test_three_bad_hours_are_seen_in_seven_days():
    hour = 3600.0
    week = made(
        serving(0.0, 12),
        serving(70 * hour, 8),
        serving(73 * hour, 12),
        serving(90 * hour, 11),
        serving(90 * hour + 5, 12),
        end=168 * hour,
    )
    figure = plot.availability(week)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    red = next(
        found
        for found in axes.collections
        if found.get_facecolor()[0][:3] == pytest.approx(to_rgba(TASKS["failed"].colour)[:3])
    )
    box = axes.transData.transform(red.get_paths()[0].get_extents().get_points())
    assert box[1][0] - box[0][0] > 8  # pixels, of about 700
    (short,) = axes.patches  # five seconds are less than a pixel, and are drawn wider
    assert short.get_width() == pytest.approx(0.005 * 168 * hour)
    assert [text.get_text() for text in axes.texts if text.get_visible()] == ["3 h, down to 8", "5 s, down to 11"]
    assert "(short gaps are drawn wider)" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_services_with_long_names_have_room_beside_their_panels():
    names = [f"a-stack-with-a-long-name_service-with-a-long-name-{n}" for n in range(3)]
    figure = plot.availability(made(*({**serving(0.0, 12), "service": name} for name in names)))
    found = boxes(figure)
    assert not any(Bbox.intersection(one, other) for one, other in combinations(found, 2))
    assert len({axes.get_ylabel() for axes in figure.axes}) == 3


def test_error_bars_begin_at_the_mean_and_end_at_nought_where_nothing_is_less():
    results = pd.DataFrame({"seed": [1, 2] * 2, "managers": [1, 1, 3, 3], "no quorum: share": [0.0, 0.2, 0.30, 0.32]})
    results.attrs["parameters"] = ["managers"]
    axes = plot.sweep(results, "no quorum: share").axes[0]
    (means,) = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
    assert list(means) == pytest.approx([0.1, 0.31])
    (bars,) = [found for found in axes.collections if hasattr(found, "get_segments")]
    for mean, segment in zip(means, bars.get_segments(), strict=True):
        (_, low), (_, high) = segment
        width = high - mean
        assert width > 0
        assert low == pytest.approx(max(0.0, mean - width))
    assert axes.get_legend() is None  # one line needs none


def test_a_gap_lasts_until_none_is_missing():
    rows = [serving(10.0, 11), serving(12.0, 9), serving(20.0, 12), serving(30.0, 11)]
    assert gaps(rows, 10.0, 99.0) == [(0.0, 10.0, 9, 12), (20.0, 99.0, 11, 12)]


def test_lanes_of_a_service_that_is_not_there(trace):
    with pytest.raises(TraceError, match="no service 'db' in this trace; there are: web"):
        plot.lanes(trace, "db")


def test_raft_shows_who_led_for_how_long(trace):
    axes = plot.raft(trace).axes[0]
    led = [bar for bar in axes.patches if bar.get_facecolor() == to_rgba(LEADER.colour) and bar.get_height() == 0.6]
    leading = sum(bar.get_width() for bar in led)
    without = sum(row["after"] for row in trace.of("reached") if row["what"] == "leader again")
    assert 0.5 * trace.duration < leading < trace.duration
    assert without >= 0
    assert {text.get_text() for text in axes.texts} >= {f"term {row['term']}" for row in trace.of("raft.leading")}


def test_what_only_a_model_knows_is_not_drawn_of_a_record(records):
    real = load_trace(records / "quorum_loss" / "run1.jsonl")
    for kind in ("raft", "availability"):
        with pytest.raises(TraceError, match="only simulated runs"):
            getattr(plot, kind)(real)
    for kind in ("run", "tasks", "lanes", "nodes"):
        assert getattr(plot, kind)(real).axes


def test_missing_containers_are_red_for_as_long_as_they_are_missing(trace):
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
