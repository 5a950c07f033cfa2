"""One question, one picture: tasks, lanes, Raft, nodes, availability, milestones of many runs, real against simulated.

Each function takes what it draws and returns a matplotlib figure; a notebook shows it, :func:`save` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from swarmsim.analysis.compare import Band
from swarmsim.analysis.compare import compare as compare_runs
from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.milestones import Milestones, merged
from swarmsim.analysis.milestones import milestones as milestones_of
from swarmsim.docker.tasks import natural
from swarmsim.plot.figures import (
    Span,
    legend,
    mark_faults,
    plot_nodes,
    plot_tasks,
    shade_silence,
    shortened,
    span_of,
    time_axis,
    title_of,
)
from swarmsim.plot.lanes import MOST_LANES, lanes
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import LEADER, LINES, TASKS
from swarmsim.replay.words import duration
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

ROLES = {"follower": "#BBBBBB", "candidate": TASKS["waiting"].colour, "leader": LEADER.colour}


def tasks(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """How many tasks ran, started, waited, over time; failures as crosses, faults as lines; from ``begin`` to ``end`` in seconds."""
    span = span_of(trace, begin, end)
    figure = Picture(10, 3.6)
    axes = figure.subplots()
    plot_tasks(axes, trace, span)
    shade_silence(axes, trace, span)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    figure.suptitle(f"tasks: {title_of(trace)}", fontsize=11)
    return figure.settle()


def nodes(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """What the managers thought of every node, and who led, over time; from ``begin`` to ``end`` in seconds."""
    span = span_of(trace, begin, end)
    found = list(dict.fromkeys(row["node"] for row in trace.rows if row["kind"] == "node"))[:MOST_LANES]
    figure = Picture(10, 1.4 + 0.32 * max(4, len(found)))
    axes = figure.subplots()
    plot_nodes(axes, trace, found, span)
    shade_silence(axes, trace, span)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    figure.suptitle(f"nodes: {title_of(trace)}", fontsize=11)
    return figure.settle()


def raft(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Roles and terms of every manager over time; where nobody may write, the ground is red; ``begin`` to ``end`` in seconds.

    Raises :class:`TraceError` for a recorded run: Raft cannot be seen from outside.
    """
    from matplotlib.patches import Patch

    rows = [row for row in trace.rows if row["kind"] == "raft.role"]
    if not rows:
        raise TraceError("no Raft in this trace: only simulated runs tell of it; nodes shows who led")
    hosts = sorted({row["host"] for row in rows}, key=natural)
    span = span_of(trace, begin, end)
    figure = Picture(10, 1.6 + 0.45 * max(3, len(hosts)))
    axes = figure.subplots()
    gone = [(row["t"] - trace.begin, row["host"]) for row in trace.rows if row["kind"] == "engine.ended"]
    occurring: set[str] = set()
    for place, host in enumerate(hosts):
        steps = [(row["t"] - trace.begin, row["role"], row["term"]) for row in rows if row["host"] == host]
        steps += [(t, "", 0) for t, who in gone if who == host]
        steps.sort(key=lambda step: step[0])
        for number, (start, role, term) in enumerate(steps):
            part = span.part(start, steps[number + 1][0] if number + 1 < len(steps) else span.end)
            if part is None or not role:
                continue
            occurring.add(role)
            axes.barh(place, part[1] - part[0], left=part[0], height=0.6, color=ROLES[role], linewidth=0)
            figure.inside(axes, *part, place, [f"term {term}", str(term)], centre=True)
    without = _without_leader(trace, span)
    for low, high in without:
        axes.axvspan(low, high, color=TASKS["failed"].colour, alpha=0.15, linewidth=0, zorder=0)
    axes.set_yticks(range(len(hosts)), hosts)
    axes.set_ylim(len(hosts) - 0.4, -0.6)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    handles: list[Artist] = [Patch(color=colour, label=role) for role, colour in ROLES.items() if role in occurring]
    if without:
        handles.append(Patch(color=TASKS["failed"].colour, alpha=0.15, label="nobody may write"))
    legend(axes, handles)
    figure.suptitle(f"Raft roles and terms: {title_of(trace)}", fontsize=11)
    return figure.settle()


def _without_leader(trace: Trace, span: Span) -> list[tuple[float, float]]:
    """When nobody led a majority, in a span."""
    found: list[tuple[float, float] | None] = []
    since: float | None = None
    for row in trace.rows:
        if row["kind"] != "quorum":
            continue
        t = row["t"] - trace.begin
        if row["leader"] is None and since is None:
            since = t
        elif row["leader"] is not None and since is not None:
            found.append(span.part(since, t))
            since = None
    if since is not None:
        found.append(span.part(since, span.end))
    return [part for part in found if part is not None]


class Gap(NamedTuple):
    """A time in which containers were missing: from when to when in seconds, how few ran, how many were wanted."""

    start: float
    stop: float
    running: int
    wanted: int


def gaps(rows: Sequence[Row], begin: float, end: float) -> list[Gap]:
    """When containers of a service were missing, by its rows of kind ``serving``; times since ``begin``, to ``end``."""
    found: list[Gap] = []
    for number, row in enumerate(rows):
        stop = rows[number + 1]["t"] - begin if number + 1 < len(rows) else end
        if row["replicas"] is None or row["running"] >= row["replicas"]:
            continue
        now = Gap(row["t"] - begin, stop, row["running"], row["replicas"])
        if found and found[-1].stop == now.start:
            last = found[-1]
            now = Gap(last.start, stop, min(last.running, now.running), max(last.wanted, now.wanted))
            found.pop()
        found.append(now)
    return found


NARROWEST = 0.005
"""A gap that is a smaller part of the picture's width is drawn so wide, to be seen at all."""
MOST_LABELS = 6
"""So many of the longest gaps have their length written over them, where there is room."""


def availability(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """Containers alive against replicas wanted, a panel for every service; red where some were missing, with how long.

    ``begin`` to ``end`` in seconds. Raises :class:`TraceError` for a recorded run: what really runs is not seen from outside.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    rows = [row for row in trace.rows if row["kind"] == "serving"]
    if not rows:
        raise TraceError(
            "no availability in this trace: only simulated runs tell what really runs; tasks shows what was seen"
        )
    services = list(dict.fromkeys(row["service"] for row in rows))[:12]
    span = span_of(trace, begin, end)
    figure = Picture(10, 0.9 + 1.5 * len(services))
    all_axes: list[Axes] = list(figure.subplots(len(services), 1, sharex=True, squeeze=False)[:, 0])
    occurring = {"wanted"}
    for axes, service in zip(all_axes, services, strict=True):
        occurring |= _serving(figure, axes, [row for row in rows if row["service"] == service], trace.begin, span)
        axes.set_ylabel(shortened(service), fontsize=8)
    looks: dict[str, Artist] = {
        "running": Patch(color=TASKS["running"].colour, alpha=0.6, label="running"),
        "missing": Patch(color=TASKS["failed"].colour, alpha=0.9, label="missing"),
        "widened": Patch(color="none", label="(short gaps are drawn wider)"),
        "wanted": Line2D([], [], color="black", linewidth=1, label="wanted"),
    }
    legend(all_axes[0], [look for name, look in looks.items() if name in occurring])
    mark_faults(figure, all_axes, trace, span)
    time_axis(all_axes, span)
    figure.suptitle(f"containers alive: {title_of(trace)}", fontsize=11)
    return figure.settle()


def _serving(figure: Picture, axes: Axes, rows: list[Row], begin: float, span: Span) -> set[str]:
    """One service's panel; what of running, missing, widened occurs in it."""
    from matplotlib.ticker import MaxNLocator

    times = [row["t"] - begin for row in rows] + [max(span.end, rows[-1]["t"] - begin)]
    running = [row["running"] for row in rows]
    wanted = [row["replicas"] if row["replicas"] is not None else row["running"] for row in rows]
    x, have, want = _steps(times)[1:], _steps([*running, running[-1]])[:-1], _steps([*wanted, wanted[-1]])[:-1]
    axes.fill_between(x, have, color=TASKS["running"].colour, alpha=0.6, linewidth=0)
    axes.plot(x, want, color="black", linewidth=1)
    colour = TASKS["failed"].colour
    axes.fill_between(
        x, have, want, where=[r < w for r, w in zip(have, want, strict=True)], color=colour, alpha=0.9, linewidth=0
    )
    occurring = {"running"} if any(running) else set()
    missing = [gap for gap in gaps(rows, begin, span.end) if span.part(gap.start, gap.stop)]
    narrowest = NARROWEST * span.length
    for gap in missing:
        occurring.add("missing")
        if gap.stop - gap.start < narrowest:
            occurring.add("widened")
            axes.bar(
                (gap.start + gap.stop) / 2, gap.wanted - gap.running, bottom=gap.running, width=narrowest,
                color=colour, linewidth=0,
            )  # fmt: skip
    top = max([*running, *wanted, 1])
    axes.set_ylim(0, top * 1.22)
    _say_how_long(figure, axes, missing, span, top * 0.1)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return occurring


def _say_how_long(figure: Picture, axes: Axes, missing: list[Gap], span: Span, above: float) -> None:
    """The length of the longest gaps a little over them, as far as they have room between each other."""
    longest = sorted(missing, key=lambda gap: gap.start - gap.stop)[:MOST_LABELS]
    longest.sort(key=lambda gap: gap.start)
    starts = [max(gap.start, span.begin) for gap in longest]
    for gap, start, stop in zip(longest, starts, [*starts, span.end][1:], strict=True):
        long = duration(gap.stop - gap.start)
        figure.inside(axes, start, stop, gap.wanted + above, [f"{long}, down to {gap.running}", long])


def _steps(values: Sequence[float]) -> list[float]:
    """Every value twice: the corners of a line of steps."""
    return [value for value in values for _ in (0, 1)]


def milestones(values: Milestones, title: str = "") -> Picture:
    """The distribution of every milestone of many runs: all values, the middle 80 % as a bar, the median as a line.

    ``values`` are seconds by name, as :func:`~swarmsim.analysis.ensemble.pooled` has them. Raises :class:`TraceError` if
    there are none.
    """
    shown = {name: found for name, found in values.items() if found}
    if not shown:
        raise TraceError("no milestones: nothing was waited for, and no fault had an effect")
    figure = Picture(9, 1.0 + 0.38 * len(shown))
    axes = figure.subplots()
    for place, found in enumerate(shown.values()):
        low, middle, high = (percentile(found, share) for share in (0.1, 0.5, 0.9))
        axes.barh(place, high - low, left=low, height=0.5, color=LINES[0], alpha=0.25, linewidth=0)
        axes.plot(
            found,
            [place + _jitter(number) for number in range(len(found))],
            ".",
            color=LINES[0],
            markersize=3,
            alpha=0.5,
        )
        axes.plot([middle, middle], [place - 0.32, place + 0.32], color=LINES[1], linewidth=2)
        axes.annotate(f"{middle:.3g} s", (1.01, place), xycoords=("axes fraction", "data"), fontsize=8, va="center")
    axes.set_yticks(range(len(shown)), [f"{name} (n={len(found)})" for name, found in shown.items()], fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds: every value, the middle 80 %, the median")
    axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title or "milestones", fontsize=11)
    return figure


def _jitter(number: int) -> float:
    """A place in −0.2..0.2 that spreads neighbours: multiples of the golden ratio."""
    return (number * 0.618034 % 1 - 0.5) * 0.4


def against(real: Sequence[Trace], simulated: Sequence[Trace], title: str = "") -> Picture:
    """What a real cluster did against the model: the simulated 1–99 % and 10–90 % as bars, every real value as a diamond."""
    return against_bands(compare_runs(list(real), list(simulated)).bands, len(real), len(simulated), title)


def against_bands(bands: Sequence[Band], real: int, simulated: int, title: str = "") -> Picture:
    """As :func:`against`, of a comparison of so many real and simulated runs that was made before."""
    if not bands:
        raise TraceError("nothing to compare: these runs have no milestones in common")
    figure = Picture(9, 1.0 + 0.36 * len(bands))
    axes = figure.subplots()
    for place, band in enumerate(bands):
        axes.barh(place, band.high - band.low, left=band.low, height=0.3, color=LINES[0], alpha=0.2, linewidth=0)
        axes.barh(
            place,
            band.high_median - band.low_median,
            left=band.low_median,
            height=0.5,
            color=LINES[0],
            alpha=0.4,
            linewidth=0,
        )
        axes.plot([band.median, band.median], [place - 0.3, place + 0.3], color=LINES[0], linewidth=1.5)
        colour = LINES[2] if band.ok else LINES[1]
        axes.plot(
            band.real,
            [place] * len(band.real),
            "D",
            color=colour,
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
    axes.set_yticks(range(len(bands)), [band.name for band in bands], fontsize=8)
    axes.set_ylim(len(bands) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"seconds; bars: {simulated} simulated runs (1–99 %, 10–90 %, median), diamonds: {real} real runs")
    axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title or "real against simulated", fontsize=11)
    return figure


def pooled_milestones(traces: Sequence[Trace]) -> Milestones:
    """The milestones of several runs together."""
    return merged(milestones_of(trace) for trace in traces)


__all__ = [
    "against",
    "against_bands",
    "availability",
    "lanes",
    "milestones",
    "nodes",
    "pooled_milestones",
    "raft",
    "tasks",
]
