"""The overview of a run, a sweep's column, and what all plots share: axes of time, marks of faults, saving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from swarmsim.analysis.ensemble import Estimate, estimate
from swarmsim.plot.picture import OVER_ALL, Picture
from swarmsim.replay.looks import LEADER, LINES, NODES, TASKS, phase
from swarmsim.replay.timeline import DAY, watch_time
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vP*"
STACKED = ("running", "starting", "waiting", "leaving")
"""Phases of tasks that are not over, from the bottom up."""
WORDS = {"leaving": "no longer wanted"}
MOST_NODES = 40


class Span(NamedTuple):
    """The part of the time that is drawn, in seconds since the scenario began."""

    begin: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.begin

    def part(self, low: float, high: float) -> tuple[float, float] | None:
        """What is in it of the time from ``low`` to ``high``.

        >>> Span(5.0, 9.0).part(0.0, 7.0), Span(5.0, 9.0).part(9.0, 12.0)
        ((5.0, 7.0), None)
        """
        low, high = max(low, self.begin), min(high, self.end)
        return (low, high) if low < high else None

    def holds(self, t: float) -> bool:
        return self.begin <= t <= self.end


def span_of(trace: Trace, begin: float = 0.0, end: float | None = None) -> Span:
    """From ``begin`` to ``end``, or to the end of the run, at least a second."""
    return Span(begin, max(trace.duration, begin + 1.0) if end is None else end)


def plot_run(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Tasks by phase, nodes and leadership over time, with the faults marked; from ``begin`` to ``end`` in seconds."""
    span = span_of(trace, begin, end)
    nodes = list(dict.fromkeys(row["node"] for row in trace.rows if row["kind"] == "node"))
    shown = nodes[:MOST_NODES]
    figure = Picture(11, 3.2 + 0.32 * max(4, len(shown)))
    tasks, lanes = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 0.32 * max(4, len(shown)) + 0.4])
    plot_tasks(tasks, trace, span)
    plot_nodes(lanes, trace, shown, span)
    for axes in (tasks, lanes):
        shade_silence(axes, trace, span)
    mark_faults(figure, (tasks, lanes), trace, span)
    time_axis((tasks, lanes), span)
    figure.suptitle(title_of(trace), fontsize=12)
    return figure.settle()


def title_of(trace: Trace) -> str:
    """The scenario and its seed, or that it was recorded."""
    title = str(trace.header.get("scenario") or trace.scenario)
    return title + (f", seed {trace.header['seed']}" if trace.header.get("seed") else " (recorded)")


def shortened(name: str, most: int = 18) -> str:
    """A name in so many letters at most, without its middle: services of a stack begin alike.

    >>> shortened("web"), shortened("a-stack-of-mine_backend", 18)
    ('web', 'a-stack-o…_backend')
    """
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-((most - 1) // 2) :]}"


def legend(axes: Axes, handles: Sequence[Artist], columns: int = 1) -> None:
    """What the looks mean, beside the axes."""
    if handles:
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False, ncols=columns
        )


def time_axis(all_axes: Sequence[Axes], span: Span) -> None:
    """The time of a span on the x axis, in the unit it is read in; only the last is labelled.

    A short part of a long time is told by the clock.
    """
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    unit, name = unit_of_time(span.end)
    by_the_clock = unit_of_time(span.length)[0] < unit
    step = clock_step(span.length) if by_the_clock else tick_step(span.length, unit)
    for axes in all_axes:
        axes.xaxis.set_major_locator(MultipleLocator(step))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda t, _: watch_time(t, tenths=span.length < 10) if by_the_clock else f"{t / unit:g}")
        )
        axes.set_xlim(span.begin, span.end)
    all_axes[-1].set_xlabel(f"{'time' if by_the_clock else name} since the scenario began")


def unit_of_time(seconds: float) -> tuple[float, str]:
    """The unit in which a picture so many seconds wide is read, in seconds, and its name."""
    for unit, name in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 5 * unit:
            return (unit, name) if unit > 60.0 or seconds >= 1800.0 else (1.0, "seconds")
    return 1.0, "seconds"


def tick_step(seconds: float, unit: float) -> float:
    """Seconds between two ticks so that there are about ten of them, at round numbers of the unit."""
    wanted = seconds / unit / 10
    size = 10.0 ** math.floor(math.log10(wanted))
    return unit * next(size * step for step in (1, 2, 5, 10) if size * step >= wanted)


CLOCK_STEPS = (
    *(unit * step for unit in (1.0, 60.0) for step in (1, 2, 5, 10, 20, 30)),
    *(3600.0 * step for step in (1, 2, 6, 12)),
)
"""Seconds between two ticks that are labelled by the clock."""


def clock_step(seconds: float) -> float:
    """Seconds between two ticks so that there are six of them at most, at round times of a clock, if a day is enough."""
    return next((step for step in CLOCK_STEPS if step >= seconds / 6), DAY)


def plot_sweep(results: pd.DataFrame, y: str, x: str | None = None) -> Picture:
    """A column of a sweep's results against a parameter: means over the seeds with 95 % confidence intervals.

    ``x`` is the first parameter unless given; every combination of the other parameters is a line of its own.
    Raises :class:`TraceError` for a column that is not there.
    """

    parameters: list[str] = results.attrs["parameters"]
    x = x or parameters[0]
    if x not in parameters:
        raise TraceError(f"--x {x}: no parameter of this sweep; there are {', '.join(parameters)}")
    columns = [str(name) for name, values in results.items() if values.dtype.kind in "if" and name not in parameters]
    if y not in columns:
        raise TraceError(f"--y {y}: no column of numbers in these results; there are {', '.join(columns)}")
    others = [name for name in parameters if name != x]
    ticks = list(dict.fromkeys(results[x]))
    numeric = all(isinstance(tick, int | float) for tick in ticks)
    figure = Picture(8, 5)
    axes = figure.subplots()
    groups = list(results.groupby(others, sort=False)) if others else [((), results)]
    never_negative = bool((results[y].dropna() >= 0).all())
    for number, (values, group) in enumerate(groups):
        found = [estimate(list(group.loc[group[x] == tick, y].dropna()) or [math.nan]) for tick in ticks]
        axes.errorbar(
            ticks if numeric else [str(tick) for tick in ticks],
            [one.mean for one in found],
            list(zip(*(_whiskers(one, never_negative) for one in found), strict=True)),
            fmt=MARKERS[number % len(MARKERS)] + "-",
            capsize=3,
            linewidth=1.2,
            color=LINES[number % len(LINES)],
            label=", ".join(f"{name} = {value}" for name, value in zip(others, values, strict=True)),
        )
    if len(groups) > 1:
        legend(axes, axes.get_legend_handles_labels()[0])
    if numeric and len(ticks) < 13:
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    means = results.groupby([x, *others])[y].mean().dropna()
    if (means > 0).all() and means.max() > 100 * means.min():
        axes.set_yscale("log")
    elif (means >= 0).all():
        axes.set_ylim(bottom=0)
    axes.set_xlabel(x)
    axes.set_ylabel(_with_unit(y))
    axes.grid(axis="y", alpha=0.3)
    seeds = results["seed"].nunique()
    figure.suptitle(f"{y}: mean of {seeds} seeds and its 95 % confidence interval", fontsize=11)
    return figure


def _whiskers(one: Estimate, never_negative: bool) -> tuple[float, float]:
    """How far the interval reaches below the mean and above it; what cannot be negative has none below zero."""
    width = one.half_width if math.isfinite(one.half_width) else 0.0
    return (min(width, one.mean) if never_negative else width), width


def _with_unit(column: str) -> str:
    if column.endswith(": share"):
        return f"{column} of the time"
    return column if column.endswith((": incidents", ": nodes", "unmet")) else f"{column} [s]"


def save(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, SVG or PDF, by its name's ending. Raises :class:`TraceError`."""
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as problem:
        raise TraceError(f"{path}: the picture cannot be written: {problem}") from None


def plot_tasks(axes: Axes, trace: Trace, span: Span) -> None:
    """Tasks by phase, one over the other, and crosses where one failed."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    times, counts, failures = _phases(trace, span)
    colours = [TASKS[name].colour for name in STACKED]
    axes.stackplot(times, *zip(*counts, strict=True), step="post", colors=colours, alpha=0.85)
    top = max((sum(count) for count in counts), default=1) or 1
    occurring = [name for place, name in enumerate(STACKED) if any(count[place] for count in counts)]
    handles: list[Artist] = [
        Patch(color=TASKS[name].colour, alpha=0.85, label=WORDS.get(name, name)) for name in occurring
    ]
    if failures:
        axes.plot(failures, [top * 1.06] * len(failures), "x", color=TASKS["failed"].colour, markersize=6)
        handles.append(Line2D([], [], marker="x", linestyle="", color=TASKS["failed"].colour, label="a task failed"))
    if silences(trace, span):
        handles.append(Patch(color="black", alpha=0.08, label="no manager answers"))
    axes.set_ylim(0, top * 1.14)
    axes.set_ylabel("tasks")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes, handles)


def _phases(trace: Trace, span: Span) -> tuple[list[float], list[tuple[int, ...]], list[float]]:
    """Times in a span, how many tasks were in each stacked phase from then on, and when one failed."""
    state: dict[str, str] = {}
    number = dict.fromkeys(TASKS, 0)
    now: tuple[int, ...] = (0,) * len(STACKED)
    times, counts, failures = [span.begin], [now], []
    for row in trace.rows:
        t = row["t"] - trace.begin
        if row["kind"] not in ("task", "task_gone"):
            continue
        if t > span.end:
            break
        before = state.pop(row["task"], None)
        if before is not None:
            number[before] -= 1
        if row["kind"] == "task":
            state[row["task"]] = phase(row)
            number[phase(row)] += 1
            if phase(row) == "failed" != before and t >= span.begin:
                failures.append(t)
        now = tuple(number[name] for name in STACKED)
        if t <= span.begin:
            counts[0] = now
        else:
            times.append(t)
            counts.append(now)
    return [*times, span.end], [*counts, now], failures


def plot_nodes(axes: Axes, trace: Trace, nodes: list[str], span: Span) -> None:
    """What managers thought of every node: a lane each."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    silent = silences(trace, span)
    changes: dict[str, list[Row]] = {node: [] for node in nodes}
    for row in trace.rows:
        if row["kind"] == "node" and row["node"] in changes:
            changes[row["node"]].append(row)
    seen: list[Row] = []
    for lane, rows in enumerate(changes.values()):
        for number, row in enumerate(rows):
            stop = rows[number + 1]["t"] - trace.begin if number + 1 < len(rows) else span.end
            part = span.part(row["t"] - trace.begin, stop)
            if part is not None:
                seen.append(row)
                _node_bar(axes, lane, part, row, silent)
    axes.set_yticks(range(len(nodes)), nodes)
    axes.set_ylim(len(nodes) - 0.4, -0.6)
    axes.set_ylabel("nodes")
    occurring = {row["status"] for row in seen}
    handles: list[Artist] = [
        Patch(color=look.colour, alpha=0.75, label=name) for name, look in NODES.items() if name in occurring
    ]
    if any(row["reach"] == "unreachable" for row in seen):
        handles.append(Patch(facecolor="0.6", edgecolor="white", hatch="///", label="manager unreachable"))
    if any(row["leader"] for row in seen):
        handles.append(Line2D([], [], color=LEADER.colour, linewidth=3, label="leader"))
    if silent:
        handles.append(Patch(color="black", alpha=0.08, label="no manager answers"))
    legend(axes, handles)


def _node_bar(axes: Axes, lane: int, part: tuple[float, float], row: Row, silent: list[tuple[float, float]]) -> None:
    start, stop = part
    axes.barh(
        lane, stop - start, left=start, height=0.62,
        color=NODES[row["status"]].colour if row["status"] in NODES else TASKS["leaving"].colour, alpha=0.75,
        hatch="///" if row["reach"] == "unreachable" else None, edgecolor="white", linewidth=0,
    )  # fmt: skip
    if row["leader"]:
        # While no manager answers nobody is known to lead.
        for low, high in _without(start, stop, silent):
            axes.plot([low, high], [lane, lane], color=LEADER.colour, linewidth=3, solid_capstyle="butt")


def silences(trace: Trace, span: Span) -> list[tuple[float, float]]:
    """When no manager answered, in a span."""
    found = []
    since: float | None = None
    for row in trace.rows:
        if row["kind"] == "no_manager_answers":
            since = row["t"] - trace.begin
        elif row["kind"] == "manager_answers" and since is not None:
            found.append(span.part(since, row["t"] - trace.begin))
            since = None
    if since is not None:
        found.append(span.part(since, span.end))
    return [part for part in found if part is not None]


def _without(start: float, stop: float, holes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """An interval less the holes in it."""
    parts = []
    for low, high in holes:
        if low < stop and high > start:
            parts.append((start, low))
            start = high
    parts.append((start, stop))
    return [(low, high) for low, high in parts if high > low]


def shade_silence(axes: Axes, trace: Trace, span: Span) -> None:
    """Grey where no manager answered."""
    for low, high in silences(trace, span):
        axes.axvspan(low, high, color="black", alpha=0.08, linewidth=0)


MOST_WORDS = 12
"""With more faults than this there is no room for words, and lines would hide what they are about: marks at the top stay."""


def mark_faults(figure: Picture, all_axes: Sequence[Axes], trace: Trace, span: Span) -> None:
    """A line at every fault and mending with words over the first axes; of many, only a mark at the top."""
    top = all_axes[0]
    faults = [(row["t"] - trace.begin, row["what"]) for row in trace.of("step") if span.holds(row["t"] - trace.begin)]
    if len(faults) > MOST_WORDS:
        times = [t for t, _ in faults]
        top.plot(times, [1.0] * len(times), "|", color="black", markersize=9, markeredgewidth=0.8,
                 transform=top.get_xaxis_transform(), clip_on=False)  # fmt: skip
        top.set_title(f"{len(faults)} faults and mendings, each a mark", fontsize=8, loc="left", pad=8)
        return
    for t, what in faults:
        for axes in all_axes:
            axes.axvline(t, color="black", linewidth=0.9, linestyle="--")
        figure.above(top, t, what)


UPDATES = {"updating": ("v", "update begins"), "rollback_started": ("^", "rollback begins")}
"""States of an update that are marked, the mark, and what it means."""


def mark_updates(axes: Axes, trace: Trace, span: Span, service: str | None = None) -> list[Artist]:
    """A triangle at the top where an update or a rollback began, of one service or of any; what stands for them in a legend."""
    from matplotlib.lines import Line2D

    found: dict[str, None] = {}
    before: dict[str, str | None] = {}
    for row in trace.of("service"):
        name, state, t = row["service"], row["update"], row["t"] - trace.begin
        if service in (None, name) and state != before.get(name) and state in UPDATES and span.holds(t):
            found[state] = None
            axes.plot([t], [1.0], UPDATES[state][0], color="black", markersize=6, clip_on=False,
                      transform=axes.get_xaxis_transform(), zorder=OVER_ALL)  # fmt: skip
        before[name] = state
    return [
        Line2D([], [], marker=UPDATES[state][0], linestyle="", color="black", label=UPDATES[state][1])
        for state in found
    ]
