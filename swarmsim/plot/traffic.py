"""What became of requests over time: a panel for every traffic, with the faults marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarmsim.plot.figures import Span, legend, mark_faults, shortened, span_of, time_axis, title_of
from swarmsim.plot.picture import Picture
from swarmsim.replay.requests import OUTCOMES
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 120
"""So many at most in a picture; each is at least a second."""
MOST = 12


def traffic(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Requests a second by when they began and how they ended; from ``begin`` to ``end`` in seconds. Raises :class:`TraceError` if
    the trace has no requests."""
    from matplotlib.patches import Patch

    rows = [row for row in trace.rows if row["kind"] == "request"]
    if not rows:
        raise TraceError("no requests in this trace: a scenario makes them with traffic:")
    names = list(dict.fromkeys(row["traffic"] for row in rows))[:MOST]
    span = span_of(trace, begin, end)
    figure = Picture(10, 0.9 + 1.5 * len(names))
    all_axes: list[Axes] = list(figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0])
    occurring: dict[str, None] = {}
    for axes, name in zip(all_axes, names, strict=True):
        occurring.update(_bars(axes, [row for row in rows if row["traffic"] == name], trace.begin, span))
        axes.set_ylabel(f"{shortened(name)}\nrequests/s", fontsize=8)
    legend(all_axes[0], [Patch(color=colour, label=name) for name, colour in OUTCOMES.items() if name in occurring])
    mark_faults(figure, all_axes, trace, span)
    time_axis(all_axes, span)
    figure.suptitle(f"requests: {title_of(trace)}", fontsize=11)
    return figure.settle()


def _bars(axes: Axes, rows: list[Row], begin: float, span: Span) -> dict[str, None]:
    """One traffic's panel; the outcomes that occur."""
    width = max(1.0, span.length / BARS)
    count = int(span.length / width) + 1
    lefts = [span.begin + width * place for place in range(count)]
    bottom = [0.0] * count
    occurring: dict[str, None] = {}
    for outcome, colour in OUTCOMES.items():
        heights = [0.0] * count
        for row in rows:
            at = row["began"] - begin
            if row["out"] == outcome and span.holds(at):
                heights[int((at - span.begin) / width)] += 1 / width
        if any(heights):
            occurring[outcome] = None
            axes.bar(lefts, heights, width, bottom, align="edge", color=colour, linewidth=0)
            bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_ylim(bottom=0)
    return occurring
