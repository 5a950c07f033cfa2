"""What became of requests over time: how they ended, who answered, how long it took, where it was asked.

A bin is a part of the time, at least a second wide; a request belongs to the one in which it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from swarmsim.docker.tasks import natural
from swarmsim.plot.figures import Span, legend, mark_faults, mark_updates, shortened, span_of, time_axis, title_of
from swarmsim.plot.lanes import look_of
from swarmsim.plot.picture import Picture
from swarmsim.replay.requests import HATCHES, OUTCOMES
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

BINS = 120
"""So many at most in a picture; each is at least a second."""
MOST = 12
"""Traffics that have a panel."""
MOST_TASKS = 40
"""Tasks that are told apart; the others are one."""
MOST_LANES = 40
OTHERS = "others"
EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0}


class Bins(NamedTuple):
    """The time of a picture in equal parts: their width and where they begin, in seconds since the scenario began."""

    span: Span
    width: float
    lefts: list[float]

    def place(self, t: float) -> int | None:
        """In which of them a moment is; ``None``: in none."""
        return int((t - self.span.begin) / self.width) if self.span.holds(t) else None

    def none(self) -> list[float]:
        """Nothing in any of them yet."""
        return [0.0] * len(self.lefts)


def bins_of(span: Span) -> Bins:
    """
    >>> bins_of(Span(5.0, 7.5)).lefts
    [5.0, 6.0, 7.0]
    """
    width = max(1.0, span.length / BINS)
    return Bins(span, width, [span.begin + width * place for place in range(int(span.length / width) + 1)])


def requests_of(trace: Trace) -> dict[str, list[Row]]:
    """Requests by traffic, of so many as have a panel. Raises :class:`TraceError` if there are none."""
    found: dict[str, list[Row]] = {}
    for row in trace.rows:
        if row["kind"] in ("request", "requests"):
            found.setdefault(row["traffic"], []).extend(_single(row))
    if not found:
        raise TraceError("no requests in this trace: a scenario makes them with traffic:")
    return dict(list(found.items())[:MOST])


def _single(row: Row) -> Iterator[Row]:
    """A row of requests that ended alike as one for each task that answered, with how many (``n``), begun in the middle of their time."""
    if row["kind"] == "request":
        yield row
        return
    middle = (row["began"] + row["until"]) / 2
    for task, number in row["by"].items() or [(None, row["n"])]:
        yield {**row, "began": middle, "by": task, "n": number, "ms": None}


def traffic(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Requests a second by when they began and how they ended; from ``begin`` to ``end`` in seconds. Raises :class:`TraceError` if
    the trace has no requests."""
    from matplotlib.patches import Patch

    panels = _Panels(trace, begin, end)
    occurring: dict[str, None] = {}
    for axes, rows in panels:
        heights: dict[str, list[float]] = {}
        for row, place in panels.begun(rows):
            heights.setdefault(row["out"], panels.bins.none())[place] += row.get("n", 1) / panels.bins.width
        occurring.update(dict.fromkeys(heights))
        bars = [(heights[out], colour, HATCHES.get(out, "")) for out, colour in OUTCOMES.items() if out in heights]
        _stacked(axes, panels.bins, bars)
    handles: list[Artist] = [
        Patch(facecolor=colour, hatch=HATCHES.get(name, ""), label=name, **EDGE)
        for name, colour in OUTCOMES.items()
        if name in occurring
    ]
    return panels.finished("requests", "requests/s", handles)


def shares(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Answered requests a second by the task that answered; from ``begin`` to ``end`` in seconds. Raises :class:`TraceError` if the
    trace has no requests."""
    from matplotlib.patches import Patch

    panels = _Panels(trace, begin, end)
    answered = {row["by"] for rows in panels.rows.values() for row, _ in panels.begun(rows) if row["by"] is not None}
    tasks = sorted(answered, key=natural)
    looks = {task: look_of(number) for number, task in enumerate(tasks[:MOST_TASKS])}
    if len(tasks) > MOST_TASKS:
        looks[OTHERS] = ("#DDDDDD", "")
    for axes, rows in panels:
        heights = {task: panels.bins.none() for task in looks}
        for row, place in panels.begun(rows):
            if row["by"] is not None:
                heights[row["by"] if row["by"] in looks else OTHERS][place] += row.get("n", 1) / panels.bins.width
        _stacked(axes, panels.bins, [(heights[task], *look) for task, look in looks.items()])
    handles: list[Artist] = [
        Patch(facecolor=colour, hatch=hatch, label=shortened(task), **EDGE) for task, (colour, hatch) in looks.items()
    ]
    return panels.finished("who answered", "answers/s", handles, columns=1 + (len(looks) - 1) // LEGEND_LINES)


LEGEND_LINES = 20


def latency(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """How long answered requests took, by when they began: median, the middle 90 %, the longest; from ``begin`` to ``end`` in
    seconds. Raises :class:`TraceError` if the trace has no requests."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    panels = _Panels(trace, begin, end)
    for axes, rows in panels:
        took: dict[int, list[float]] = {}
        for row, place in panels.begun(rows):
            if row["out"] == "ok" and row["ms"] is not None:
                took.setdefault(place, []).append(row["ms"])
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        if not took:
            continue
        bins = panels.bins
        middles = [bins.lefts[place] + bins.width / 2 for place in sorted(took)]
        ordered = [sorted(took[place]) for place in sorted(took)]
        low, median, high = ([_at(values, share) for values in ordered] for share in (0.05, 0.5, 0.95))
        for left, below, above in zip(middles, low, high, strict=True):
            axes.fill_between([left - bins.width / 2, left + bins.width / 2], below, above, color=BAND, linewidth=0)
        axes.plot(middles, median, ".", color=MEDIAN, markersize=4)
        axes.plot(middles, [values[-1] for values in ordered], "x", color=LONGEST, markersize=3.5)
        axes.grid(axis="y", alpha=0.3)
    handles: list[Artist] = [
        Line2D([], [], marker="x", linestyle="", color=LONGEST, label="longest"),
        Patch(color=BAND, linewidth=0, label="middle 90 %"),
        Line2D([], [], marker=".", linestyle="", color=MEDIAN, label="median"),
    ]
    return panels.finished("latency of what was answered", "ms", handles)


BAND, MEDIAN, LONGEST = "#9CCBE8", "#0072B2", OUTCOMES["timeout"]


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def reach(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """From where which port of which host answered, over time: the share of the requests begun then that were answered; a cross where
    none was; from ``begin`` to ``end`` in seconds. Raises :class:`TraceError` if the trace has no requests."""
    from matplotlib.colors import LinearSegmentedColormap

    span, all_rows = span_of(trace, begin, end), [row for rows in requests_of(trace).values() for row in rows]
    bins = bins_of(span)
    asked: dict[tuple[str, str, int], tuple[list[float], list[float]]] = {}
    for row in all_rows:
        place = bins.place(row["began"] - trace.begin)
        if place is not None:
            sent, answered = asked.setdefault((row["src"], row["to"], row["port"]), (bins.none(), bins.none()))
            sent[place] += row.get("n", 1)
            answered[place] += row.get("n", 1) if row["out"] == "ok" else 0
    lanes = sorted(asked, key=lambda key: (natural(key[0]), natural(key[1]), key[2]))[:MOST_LANES]
    figure = Picture(10, 1.6 + 0.3 * max(3, len(lanes)))
    axes = figure.subplots()
    shares = [
        [done / sent if sent else float("nan") for sent, done in zip(*asked[lane], strict=True)] for lane in lanes
    ]
    colours = LinearSegmentedColormap.from_list(
        "reach", [OUTCOMES["timeout"], "#F6C9AE", "#E5F4EF", OUTCOMES["ok"]]
    ).with_extremes(bad="white")
    edges = [*bins.lefts, bins.lefts[-1] + bins.width]
    mesh = axes.pcolormesh(
        edges, [place - 0.4 for place in range(len(lanes) + 1)], shares, cmap=colours, vmin=0, vmax=1
    )
    axes.hlines([place + 0.6 for place in range(len(lanes) - 1)], *axes.get_xlim(), color="white", linewidth=3)
    for place, values in enumerate(shares):  # the shape of what nobody answered, for whoever sees no colours
        dead = [bins.lefts[n] + bins.width / 2 for n, share in enumerate(values) if share == 0]
        axes.plot(dead, [place + 0.1] * len(dead), "x", color="white", markersize=3.5)
    axes.set_yticks(
        [place + 0.1 for place in range(len(lanes))],
        [f"{shortened(src)} → {shortened(to)}:{port}" for src, to, port in lanes], fontsize=8,
    )  # fmt: skip
    axes.set_ylim(len(lanes) - 0.4, -0.4)
    figure.colorbar(mesh, ax=axes, label="answered (x: none)", format=lambda share, _: f"{share:.0%}", aspect=12)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    figure.suptitle(f"where requests are answered: {title_of(trace)}", fontsize=11)
    return figure.settle()


class _Panels:
    """A panel for every traffic, one over the other."""

    def __init__(self, trace: Trace, begin: float, end: float | None) -> None:
        self.trace = trace
        self.rows = requests_of(trace)
        self.bins = bins_of(span_of(trace, begin, end))
        self.figure = Picture(10, 1.0 + 1.5 * len(self.rows))
        self.axes: list[Axes] = list(self.figure.subplots(len(self.rows), 1, sharex=True, squeeze=False)[:, 0])

    def __iter__(self) -> Iterator[tuple[Axes, list[Row]]]:
        return iter(zip(self.axes, self.rows.values(), strict=True))

    def begun(self, rows: list[Row]) -> Iterator[tuple[Row, int]]:
        """Those that began in the time that is shown, and in which bin."""
        for row in rows:
            place = self.bins.place(row["began"] - self.trace.begin)
            if place is not None:
                yield row, place

    def finished(self, what: str, unit: str, handles: list[Artist], columns: int = 1) -> Picture:
        """With names, legend, faults, updates and the time."""
        span = self.bins.span
        for axes, name in zip(self.axes, self.rows, strict=True):
            axes.set_ylabel(f"{shortened(name)}\n{unit}", fontsize=8)
        marks = mark_updates(self.axes[0], self.trace, span)
        legend(self.axes[0], [*handles, *marks], columns)
        mark_faults(self.figure, self.axes, self.trace, span)
        time_axis(self.axes, span)
        self.figure.suptitle(f"{what}: {title_of(self.trace)}", fontsize=11)
        return self.figure.settle()


def _stacked(axes: Axes, bins: Bins, bars: Iterable[tuple[list[float], str, str]]) -> None:
    """Bars on bars: heights, colour, hatch."""
    bottom = bins.none()
    for heights, colour, hatch in bars:
        axes.bar(bins.lefts, heights, bins.width, bottom, align="edge", color=colour, hatch=hatch, **EDGE)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_ylim(bottom=0)
