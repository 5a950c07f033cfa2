"""The overview of a run, a sweep's column, and what all plots share: axes of time, marks of faults, saving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarmsim.analysis.ensemble import estimate
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import LEADER, LINES, NODES, TASKS, phase
from swarmsim.trace.reader import Trace, TraceError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
MARKERS = "osD^vP*"
STACKED = ("running", "starting", "waiting", "leaving")
"""Phases of tasks that are not over, from the bottom up."""
WORDS = {"leaving": "no longer wanted"}


def plot_run(trace: Trace) -> Picture:
    """Tasks by phase, nodes and leadership over time, with the faults marked."""
    nodes = list(dict.fromkeys(row["node"] for row in trace.rows if row["kind"] == "node"))
    shown = nodes[:40]
    figure = Picture(figsize=(11, 3.2 + 0.32 * max(4, len(shown))), layout="constrained")
    tasks, lanes = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 0.32 * max(4, len(shown)) + 0.4])
    end = max(trace.duration, 1.0)
    plot_tasks(tasks, trace, end)
    plot_nodes(lanes, trace, shown, end)
    for axes in (tasks, lanes):
        shade_silence(axes, trace, end)
    mark_faults((tasks, lanes), trace)
    time_axis((tasks, lanes), end)
    figure.suptitle(title_of(trace), fontsize=12)
    return figure


def title_of(trace: Trace) -> str:
    """The scenario and its seed, or that it was recorded."""
    title = str(trace.header.get("scenario") or trace.scenario)
    return title + (f", seed {trace.header['seed']}" if "seed" in trace.header else " (recorded)")


def time_axis(all_axes: Sequence[Axes], end: float, begin: float = 0.0) -> None:
    """Time from ``begin`` to ``end`` seconds on the x axis, in the unit it is read in; only the last is labelled."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    unit, name = unit_of_time(end)
    step = tick_step(end - begin, unit_of_time(end - begin)[0])
    for axes in all_axes:
        axes.xaxis.set_major_locator(MultipleLocator(step))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{t / unit:g}"))
        axes.set_xlim(begin, end)
    all_axes[-1].set_xlabel(f"{name} since the scenario began")


def zoom(figure: Figure, begin: float, end: float) -> None:
    """Show only what was between two times, in seconds since the scenario began."""
    time_axis(figure.axes, end, begin)


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
    figure = Picture(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    groups = results.groupby(others, sort=False) if others else [((), results)]
    for number, (values, group) in enumerate(groups):
        found = [estimate(list(group.loc[group[x] == tick, y].dropna()) or [math.nan]) for tick in ticks]
        axes.errorbar(
            ticks if numeric else [str(tick) for tick in ticks],
            [one.mean for one in found],
            [one.half_width if math.isfinite(one.half_width) else 0.0 for one in found],
            fmt=MARKERS[number % len(MARKERS)] + "-",
            capsize=3,
            linewidth=1.2,
            color=LINES[number % len(LINES)],
            label=", ".join(f"{name} = {value}" for name, value in zip(others, values, strict=True)),
        )
    if others:
        axes.legend(frameon=False, fontsize=8)
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


def plot_tasks(axes: Axes, trace: Trace, end: float) -> None:
    from matplotlib.ticker import MaxNLocator

    state: dict[str, str] = {}
    number = dict.fromkeys(TASKS, 0)
    times: list[float] = [0.0]
    counts: list[tuple[int, ...]] = [(0,) * len(STACKED)]
    failures: list[float] = []
    for row in trace.rows:
        if row["t"] < trace.begin:
            continue
        t = row["t"] - trace.begin
        if row["kind"] == "task":
            before, now = state.get(row["task"]), phase(row)
            if now == "failed" != before:
                failures.append(t)
            state[row["task"]] = now
            number[now] += 1
            if before is not None:
                number[before] -= 1
        elif row["kind"] == "task_gone":
            gone = state.pop(row["task"], None)
            if gone is not None:
                number[gone] -= 1
        else:
            continue
        times.append(t)
        counts.append(tuple(number[name] for name in STACKED))
    times.append(end)
    counts.append(counts[-1])
    columns = list(zip(*counts, strict=True))
    labels = [WORDS.get(name, name) for name in STACKED]
    colours = [TASKS[name].colour for name in STACKED]
    axes.stackplot(times, *columns, step="post", labels=labels, colors=colours, alpha=0.85)
    top = max((sum(count) for count in counts), default=1) or 1
    if failures:
        axes.plot(
            failures,
            [top * 1.06] * len(failures),
            "x",
            color=TASKS["failed"].colour,
            markersize=6,
            label="a task failed",
        )
    axes.set_ylim(0, top * 1.14)
    axes.set_ylabel("tasks")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False)


def plot_nodes(axes: Axes, trace: Trace, nodes: list[str], end: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    silent = silences(trace, end)
    rows = [row for row in trace.rows if row["kind"] == "node"]
    for lane, node in enumerate(nodes):
        _spans(axes, lane, [(row["t"] - trace.begin, row) for row in rows if row["node"] == node], end, silent)
    axes.set_yticks(range(len(nodes)), nodes)
    axes.set_ylim(len(nodes) - 0.4, -0.6)
    axes.set_ylabel("nodes")
    seen = {row["status"] for row in rows}
    handles: list[Any] = [
        Patch(color=c, alpha=0.75, label=s)
        for s, c in ((name, look.colour) for name, look in NODES.items())
        if s in seen
    ]
    if any(row["reach"] == "unreachable" for row in rows):
        handles.append(Patch(facecolor="0.6", edgecolor="white", hatch="///", label="manager unreachable"))
    handles.append(Line2D([], [], color=LEADER.colour, linewidth=3, label="leader"))
    if silent:
        handles.append(Patch(color="black", alpha=0.08, label="no manager answers"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False)


def _spans(
    axes: Axes, lane: int, changes: list[tuple[float, dict[str, Any]]], end: float, silences: list[tuple[float, float]]
) -> None:
    for number, (start, row) in enumerate(changes):
        stop = changes[number + 1][0] if number + 1 < len(changes) else end
        start = max(0.0, start)
        if stop <= start:
            continue
        hatch = "///" if row["reach"] == "unreachable" else None
        colour = NODES[row["status"]].colour if row["status"] in NODES else TASKS["leaving"].colour
        axes.barh(
            lane,
            stop - start,
            left=start,
            height=0.62,
            color=colour,
            alpha=0.75,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
        )
        if row["leader"]:
            # While no manager answers nobody is known to lead.
            for low, high in _without(start, stop, silences):
                axes.plot([low, high], [lane, lane], color=LEADER.colour, linewidth=3, solid_capstyle="butt")


def silences(trace: Trace, end: float) -> list[tuple[float, float]]:
    """When no manager answered."""
    found = []
    since: float | None = None
    for row in trace.rows:
        if row["kind"] == "no_manager_answers":
            since = max(0.0, row["t"] - trace.begin)
        elif row["kind"] == "manager_answers" and since is not None:
            found.append((since, row["t"] - trace.begin))
            since = None
    if since is not None:
        found.append((since, end))
    return found


def _without(start: float, stop: float, holes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """An interval less the holes in it."""
    parts = []
    for low, high in holes:
        if low < stop and high > start:
            parts.append((start, low))
            start = high
    parts.append((start, stop))
    return [(low, high) for low, high in parts if high > low]


def shade_silence(axes: Axes, trace: Trace, end: float) -> None:
    """Grey where no manager answered."""
    for low, high in silences(trace, end):
        axes.axvspan(low, high, color="black", alpha=0.08, linewidth=0)


MOST_WORDS = 12
"""With more faults than this their words would cover each other: they are lines only."""
LETTER = 0.0075
"""How much of the width of the axes a letter of such words takes, at most."""


def mark_faults(all_axes: Sequence[Axes], trace: Trace) -> None:
    """A line at every fault and mending, with words over the first axes while there is room."""
    top = all_axes[0]
    faults = trace.of("step")
    crowded = len(faults) > MOST_WORDS
    free: list[float] = []
    """From when on each line of words is free."""
    for row in faults:
        t = row["t"] - trace.begin
        for axes in all_axes:
            axes.axvline(t, color="black", linewidth=0.4 if crowded else 0.9, linestyle="-" if crowded else "--")
        if crowded:
            continue
        width = LETTER * len(row["what"]) * trace.duration
        at_the_edge = t + width > trace.duration
        begin = t - width if at_the_edge else t
        level = next((level for level, end in enumerate(free) if end <= begin), len(free))
        free[level : level + 1] = [begin + width]
        top.annotate(
            row["what"], (t, 1.0), xycoords=("data", "axes fraction"),
            xytext=(-2 if at_the_edge else 2, 3 + 10 * level), textcoords="offset points",
            ha="right" if at_the_edge else "left", fontsize=7.5, annotation_clip=True,
        )  # fmt: skip
    if crowded:
        top.set_title(f"{len(faults)} faults and mendings, each a line", fontsize=8, loc="left")
