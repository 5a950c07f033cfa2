"""One question, one picture: tasks, lanes, Raft, nodes, availability, milestones of many runs, real against simulated.

Each function takes what it draws and returns a matplotlib figure; a notebook shows it, :func:`save` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from swarmsim.analysis.compare import compare as compare_runs
from swarmsim.analysis.ensemble import percentile
from swarmsim.analysis.milestones import Milestones, merged
from swarmsim.analysis.milestones import milestones as milestones_of
from swarmsim.docker.tasks import natural
from swarmsim.plot.figures import (
    mark_faults,
    plot_nodes,
    plot_tasks,
    shade_silence,
    time_axis,
    title_of,
)
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import FAILED, LEADER, LINES, TASKS, phase
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row
from swarmsim.trace.state import slot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LANES = 60
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo")
"""Laid over the colours, so that seven times as many nodes look different."""
MOST_NAMES = 40
LABEL_SHARE = 0.006
"""How much of the picture's width a letter takes: a bar that is too short for its label has none."""
ROLES = {"follower": "#BBBBBB", "candidate": TASKS["waiting"].colour, "leader": LEADER.colour}


def _figure(width: float, height: float) -> Picture:
    return Picture(figsize=(width, height), layout="constrained")


def _end(trace: Trace) -> float:
    return max(trace.duration, 1.0)


def tasks(trace: Trace) -> Picture:
    """How many tasks ran, started, waited, over time; failures as crosses, faults as lines."""
    figure = _figure(10, 3.6)
    axes = figure.subplots()
    plot_tasks(axes, trace, _end(trace))
    shade_silence(axes, trace, _end(trace))
    mark_faults((axes,), trace)
    time_axis((axes,), _end(trace))
    figure.suptitle(f"tasks: {title_of(trace)}", fontsize=11)
    return figure


def nodes(trace: Trace) -> Picture:
    """What the managers thought of every node, and who led, over time."""
    found = list(dict.fromkeys(row["node"] for row in trace.rows if row["kind"] == "node"))[:MOST_LANES]
    figure = _figure(10, 1.4 + 0.32 * max(4, len(found)))
    axes = figure.subplots()
    plot_nodes(axes, trace, found, _end(trace))
    shade_silence(axes, trace, _end(trace))
    mark_faults((axes,), trace)
    time_axis((axes,), _end(trace))
    figure.suptitle(f"nodes: {title_of(trace)}", fontsize=11)
    return figure


class Bar(NamedTuple):
    """A task in its slot's lane: seconds since the scenario began, where it was, in which phase."""

    start: float
    stop: float
    node: str | None
    phase: str
    image: str


def bars(rows: Sequence[Row], begin: float, end: float) -> list[Bar]:
    """The life of one task, from its rows in order, as bars of one phase each."""
    found = []
    for number, row in enumerate(rows):
        now = phase(row)
        if now in ("done", "failed"):
            break
        stop = rows[number + 1]["t"] - begin if number + 1 < len(rows) else end
        found.append(Bar(max(0.0, row["t"] - begin), stop, row["node"], now, row["image"]))
    return found


def lanes(trace: Trace, service: str | None = None, begin: float = 0.0, end: float | None = None) -> Picture:
    """A lane for every slot of a service (the first, unless named): which task was there when, on which node.

    Colour and hatch are the node, whose name is on the bar if there is room, with the image if the service had several; pale before
    the task runs and while it stops; a cross where it failed; a triangle where an update of the service began. ``begin`` and ``end``
    are the part of the time that is shown, in seconds. Raises :class:`TraceError` if there is no such service.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    lives: dict[str, list[Row]] = {}
    services: dict[str, None] = {}
    for row in trace.rows:
        if row["kind"] == "task":
            services[row["service"]] = None
            if service is None:
                service = row["service"]
            if row["service"] == service:
                lives.setdefault(row["task"], []).append(row)
    if not lives:
        there = ", ".join(services) or "none"
        raise TraceError(f"no service {service!r} in this trace; there are: {there}")
    slots = sorted({slot(rows[0]) for rows in lives.values()}, key=lambda s: (isinstance(s, str), s))[:MOST_LANES]
    places = {name: place for place, name in enumerate(slots)}
    names = sorted({row["node"] for rows in lives.values() for row in rows if row["node"]}, key=natural)
    colours = {name: LINES[number % len(LINES)] for number, name in enumerate(names)}
    hatches = {name: HATCHES[number // len(LINES) % len(HATCHES)] for number, name in enumerate(names)}
    images = dict.fromkeys(row["image"] for rows in lives.values() for row in rows)
    end = _end(trace) if end is None else end
    letter = LABEL_SHARE * (end - begin)
    occurring: dict[str | None, None] = {}
    failed = False
    figure = _figure(10, 1.4 + 0.3 * max(4, len(slots)))
    axes = figure.subplots()
    for rows in lives.values():
        place = places.get(slot(rows[0]))
        if place is None:
            continue
        for bar in bars(rows, trace.begin, end):
            if bar.stop <= begin or bar.start >= end:
                continue
            runs = bar.phase == "running"
            occurring[bar.node] = None
            axes.barh(
                place, bar.stop - bar.start, left=bar.start, height=0.7 if runs else 0.4,
                color=colours.get(bar.node or "", "#DDDDDD"), alpha=0.9 if runs else 0.4,
                hatch=hatches.get(bar.node or "", ""), edgecolor="white", linewidth=0,
            )  # fmt: skip
            label = f"{bar.node} {bar.image.rpartition('/')[2]}" if len(images) > 1 else bar.node or ""
            start = max(bar.start, begin)
            if runs and min(bar.stop, end) - start > letter * (len(label) + 2):
                axes.text(
                    start + letter, place, label, fontsize=6.5, va="center", clip_on=True,
                    bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
                )  # fmt: skip
        if rows[-1]["state"] in FAILED:
            failed = failed or begin <= rows[-1]["t"] - trace.begin <= end
            axes.plot(rows[-1]["t"] - trace.begin, place, "x", color="black", markersize=5)
    updates = [
        row["t"] - trace.begin
        for row in trace.of("service")
        if row["service"] == service and row["update"] == "updating"
    ]
    axes.plot(updates, [-0.5] * len(updates), "v", color="black", markersize=6, clip_on=False)
    axes.set_yticks(range(len(slots)), [f"{service}.{name}" for name in slots], fontsize=8)
    axes.set_ylim(len(slots) - 0.4, -0.6)
    shade_silence(axes, trace, end)
    mark_faults((axes,), trace)
    time_axis((axes,), end, begin)
    shown = [name for name in names if name in occurring]
    handles: list[Any] = [
        Patch(facecolor=colours[name], hatch=hatches[name], edgecolor="white", linewidth=0, label=name)
        for name in shown[:MOST_NAMES]
    ]
    if len(shown) > MOST_NAMES:
        handles.append(Patch(color="none", label=f"… and {len(shown) - MOST_NAMES} more"))
    if None in occurring:
        handles.append(Patch(color="#DDDDDD", label="no node yet"))
    if failed:
        handles.append(Line2D([], [], marker="x", linestyle="", color="black", label="failed"))
    if updates:
        handles.append(Line2D([], [], marker="v", linestyle="", color="black", label="update begins"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False)
    figure.suptitle(f"tasks of {service}: {title_of(trace)}", fontsize=11)
    return figure


def raft(trace: Trace) -> Picture:
    """Roles and terms of every manager over time; where nobody may write, the ground is red.

    Raises :class:`TraceError` for a recorded run: Raft cannot be seen from outside.
    """
    from matplotlib.patches import Patch

    rows = [row for row in trace.rows if row["kind"] == "raft.role"]
    if not rows:
        raise TraceError("no Raft in this trace: only simulated runs tell of it; nodes shows who led")
    hosts = sorted({row["host"] for row in rows})
    end = _end(trace)
    figure = _figure(10, 1.6 + 0.45 * max(3, len(hosts)))
    axes = figure.subplots()
    gone = [(row["t"] - trace.begin, row["host"]) for row in trace.rows if row["kind"] == "engine.ended"]
    for place, host in enumerate(hosts):
        steps = [(row["t"] - trace.begin, row["role"], row["term"]) for row in rows if row["host"] == host]
        steps += [(t, "", 0) for t, who in gone if who == host]
        steps.sort(key=lambda step: step[0])
        for number, (start, role, term) in enumerate(steps):
            stop = steps[number + 1][0] if number + 1 < len(steps) else end
            start = max(0.0, start)
            if stop <= start or not role:
                continue
            axes.barh(place, stop - start, left=start, height=0.6, color=ROLES[role], linewidth=0)
            if stop - start > 0.03 * end:
                axes.text(
                    (start + stop) / 2, place, str(term), ha="center", va="center", fontsize=8, zorder=5, clip_on=True,
                    bbox={"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 1.0},
                )  # fmt: skip
    without = _without_leader(trace, end)
    for low, high in without:
        axes.axvspan(low, high, color=TASKS["failed"].colour, alpha=0.15, linewidth=0)
    axes.set_yticks(range(len(hosts)), hosts)
    axes.set_ylim(len(hosts) - 0.4, -0.6)
    mark_faults((axes,), trace)
    time_axis((axes,), end)
    occurring = {row["role"] for row in rows}
    handles: list[Any] = [Patch(color=colour, label=role) for role, colour in ROLES.items() if role in occurring]
    if without:
        handles.append(Patch(color=TASKS["failed"].colour, alpha=0.15, label="nobody may write"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False)
    figure.suptitle(f"Raft roles and terms: {title_of(trace)}", fontsize=11)
    return figure


def _without_leader(trace: Trace, end: float) -> list[tuple[float, float]]:
    """When nobody led a majority."""
    found: list[tuple[float, float]] = []
    since: float | None = None
    for row in trace.rows:
        if row["kind"] != "quorum":
            continue
        t = max(0.0, row["t"] - trace.begin)
        if row["leader"] is None and since is None:
            since = t
        elif row["leader"] is not None and since is not None:
            found.append((since, t))
            since = None
    return [*found, (since, end)] if since is not None else found


def availability(trace: Trace) -> Picture:
    """Containers alive against replicas wanted, a panel for every service; red where some were missing.

    Raises :class:`TraceError` for a recorded run: what really runs is not seen from outside.
    """
    rows = [row for row in trace.rows if row["kind"] == "serving"]
    if not rows:
        raise TraceError(
            "no availability in this trace: only simulated runs tell what really runs; tasks shows what was seen"
        )
    services = list(dict.fromkeys(row["service"] for row in rows))[:12]
    end = _end(trace)
    figure = _figure(10, 0.9 + 1.5 * len(services))
    all_axes: list[Axes] = list(figure.subplots(len(services), 1, sharex=True, squeeze=False)[:, 0])
    for axes, service in zip(all_axes, services, strict=True):
        mine = [row for row in rows if row["service"] == service]
        times = [max(0.0, row["t"] - trace.begin) for row in mine] + [end]
        running = [row["running"] for row in mine]
        wanted = [row["replicas"] if row["replicas"] is not None else row["running"] for row in mine]
        x, have, want = _steps(times), _steps([*running, running[-1]])[:-1], _steps([*wanted, wanted[-1]])[:-1]
        x = x[1:]
        missing = [r < w for r, w in zip(have, want, strict=True)]
        axes.fill_between(x, have, color=TASKS["running"].colour, alpha=0.6, label="running", linewidth=0)
        colour = TASKS["failed"].colour
        axes.fill_between(x, have, want, where=missing, color=colour, alpha=0.5, label="missing", linewidth=0)
        axes.plot(x, want, color="black", linewidth=1, label="wanted")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(service)
    all_axes[0].legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=8, frameon=False)
    mark_faults(all_axes, trace)
    time_axis(all_axes, end)
    figure.suptitle(f"containers alive: {title_of(trace)}", fontsize=11)
    return figure


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
    figure = _figure(9, 1.0 + 0.38 * len(shown))
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
    bands = compare_runs(list(real), list(simulated)).bands
    if not bands:
        raise TraceError("nothing to compare: these runs have no milestones in common")
    figure = _figure(9, 1.0 + 0.36 * len(bands))
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
    axes.set_xlabel(
        f"seconds; bars: {len(simulated)} simulated runs (1–99 %, 10–90 %, median), diamonds: {len(real)} real runs"
    )
    axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title or "real against simulated", fontsize=11)
    return figure


def pooled_milestones(traces: Sequence[Trace]) -> Milestones:
    """The milestones of several runs together."""
    return merged(milestones_of(trace) for trace in traces)


__all__ = ["against", "availability", "lanes", "milestones", "nodes", "pooled_milestones", "raft", "tasks"]
