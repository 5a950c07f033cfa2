"""Requests over time, as bars."""

from __future__ import annotations

import pytest
from matplotlib.patches import Rectangle

from swarmsim import plot
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row


def request(began: float, out: str, traffic: str = "clients") -> Row:
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
