"""Requests over time, as bars."""

from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from swarmsim import Scenario, plot
from swarmsim.plot.views import Part, parts
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row
from tests.plot.test_study import boxes

KINDS = ("traffic", "shares", "latency", "reach", "views")


def request(began: float, out: str, traffic: str = "clients", **changes: object) -> Row:
    return {
        "t": began + 0.01,
        "kind": "request",
        "traffic": traffic,
        "src": "outside",
        "to": "m1",
        "port": 80,
        "began": began,
        "ms": 10.0,
        "out": out,
        "by": None,
        "node": None,
        "tries": 1,
        **changes,
    }


def test_a_bar_for_every_second_and_outcome_one_on_the_other() -> None:
    rows = [request(0.2, "ok"), request(0.4, "timeout"), request(0.6, "ok"), request(2.5, "refused")]
    begin = {"t": 0.0, "kind": "begin", "scenario": "x"}
    figure = plot.traffic(Trace({}, [begin, *rows, {"t": 4.0, "kind": "end"}]))
    (axes,) = figure.axes
    bars = [tuple(map(float, bar.get_bbox().bounds)) for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar for bar in bars if bar[3]] == [(0.0, 0.0, 1.0, 2.0), (0.0, 2.0, 1.0, 1.0), (2.0, 0.0, 1.0, 1.0)]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["ok", "timeout", "refused"]


def test_every_traffic_has_a_panel() -> None:
    rows = [request(0.2, "ok", "a"), request(0.4, "ok", "b")]
    assert len(plot.traffic(Trace({}, rows)).axes) == 2


def test_a_trace_without_requests_says_so() -> None:
    with pytest.raises(TraceError, match="a scenario makes them with traffic:"):
        plot.traffic(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}]))


@pytest.fixture(scope="module")
def trace() -> Trace:
    """A node dies under traffic."""
    return Scenario.load("node-dies-under-traffic").run(seed=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [(0.0, None), (8.0, 20.0)])
def test_no_words_are_over_others_or_off_the_edge(trace: Trace, kind: str, part: tuple[float, float | None]) -> None:
    figure = getattr(plot, kind)(trace, begin=part[0], end=part[1])
    found = boxes(figure)
    assert len(found) > 5
    for one, other in combinations(found, 2):
        assert not Bbox.intersection(one, other), (one, other)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_the_fault_and_its_time(trace: Trace, kind: str) -> None:
    axes = getattr(plot, kind)(trace, begin=8.0, end=20.0).axes[0]
    assert axes.get_xlim() == pytest.approx((8.0, 20.0))
    (fault,) = [row["t"] - trace.begin for row in trace.of("step")]
    assert fault in [float(line.get_xdata()[0]) for line in axes.lines if line.get_linestyle() == "--"]


def test_answers_are_stacked_by_task_and_look_different_without_colours() -> None:
    rows = [request(0.2, "ok", by="web.1"), request(0.4, "ok", by="web.2"), request(0.5, "timeout", by=None)]
    figure = plot.shares(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}, *rows, {"t": 2.0, "kind": "end"}]))
    (axes,) = figure.axes
    bars = [tuple(map(float, bar.get_bbox().bounds)) for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar for bar in bars if bar[3]] == [(0.0, 0.0, 1.0, 1.0), (0.0, 1.0, 1.0, 1.0)]


def test_latency_is_of_answers_only() -> None:
    rows = [request(0.2, "ok", ms=ms) for ms in (1.0, 3.0, 8.0)] + [request(0.3, "timeout", ms=2000.0)]
    figure = plot.latency(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}, *rows, {"t": 2.0, "kind": "end"}]))
    median, longest = figure.axes[0].lines
    assert list(median.get_ydata()) == [3.0]
    assert list(longest.get_ydata()) == [8.0]


def test_reach_is_the_share_that_was_answered_by_host_and_port() -> None:
    rows = [request(0.2, "ok"), request(0.4, "refused"), request(1.5, "refused"), request(0.5, "ok", to="w1")]
    figure = plot.reach(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}, *rows, {"t": 2.0, "kind": "end"}]))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["outside → m1:80", "outside → w1:80"]
    (mesh,) = [found for found in axes.collections if isinstance(found, QuadMesh)]
    assert [[None if x is None else float(x) for x in line[:2]] for line in mesh.get_array().tolist()] == [
        [0.5, 0.0],
        [1.0, None],
    ]


def container(t: float, kind: str, task: str, host: str) -> Row:
    return {"t": t, "kind": f"container.{kind}", "host": host, "container": "c", "service": "web", "task": task}


def knows(t: float, host: str, task: str, weight: int | None) -> Row:
    row = {"t": t, "kind": "ipvs", "host": host, "network": "ingress", "service": "web", "task": "web.1", "id": task}
    return {**row, "address": "10.0.0.7", "weight": weight}


def test_a_view_is_held_against_what_says_of_itself_that_it_is_there() -> None:
    rows: list[Row] = [
        {"t": 0.0, "kind": "begin", "scenario": "x"},
        knows(0.5, "m1", "other", 1),
        container(0.5, "started", "other", "m1"),
        container(1.0, "started", "t1", "w1"),  # not healthy yet: nobody lacks it
        knows(3.0, "w1", "t1", 1),
        knows(3.0, "w1", "other", 1),
        knows(5.0, "m1", "t1", 1),
        {"t": 8.0, "kind": "power", "host": "w1", "on": False},
        knows(12.0, "m1", "t1", None),
    ]
    found = [part for part in parts(Trace({}, rows), "web", 20.0) if part.host == "m1"]
    assert found == [
        Part("m1", 0.5, 3.0, 0, 0),
        Part("m1", 3.0, 5.0, 0, 1),
        Part("m1", 5.0, 8.0, 0, 0),
        Part("m1", 8.0, 12.0, 1, 0),
        Part("m1", 12.0, 20.0, 0, 0),
    ]


def test_views_of_a_service_that_no_load_balancer_knows(trace: Trace) -> None:
    with pytest.raises(TraceError, match="no service 'x' in the load balancers of this trace; there are: web"):
        plot.views(trace, "x")
    with pytest.raises(TraceError, match="no load balancers in this trace"):
        plot.views(Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}]))


def test_rates_are_drawn_as_so_many_requests() -> None:
    row: Row = {"t": 3.0, "kind": "requests", "traffic": "clients", "src": "outside", "to": "m1", "port": 80}
    told = [
        {**row, "began": 0.0, "until": 1.0, "out": "ok", "n": 9, "by": {"web.1": 6, "web.2": 3}},
        {**row, "began": 0.0, "until": 1.0, "out": "timeout", "n": 1, "by": {}},
    ]
    trace = Trace({}, [{"t": 0.0, "kind": "begin", "scenario": "x"}, *told, {"t": 2.0, "kind": "end"}])
    drawn = {
        kind: [
            float(bar.get_height()) for bar in getattr(plot, kind)(trace).axes[0].patches if isinstance(bar, Rectangle)
        ]
        for kind in ("traffic", "shares")
    }
    heights = [[height for height in found if height] for found in drawn.values()]
    assert heights == [[9.0, 1.0], [6.0, 3.0]]
    plot.latency(trace)
    (mesh,) = [found for found in plot.reach(trace).axes[0].collections if isinstance(found, QuadMesh)]
    assert float(mesh.get_array().tolist()[0][0]) == 0.9
