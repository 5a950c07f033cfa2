"""A service's slots as lanes: which task was there when, on which node, of which image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from swarmsim.docker.tasks import natural
from swarmsim.plot.figures import (
    legend,
    mark_faults,
    mark_updates,
    shade_silence,
    shortened,
    silences,
    span_of,
    time_axis,
    title_of,
)
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import FAILED, LINES, phase
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row
from swarmsim.trace.state import slot

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_LANES = 60
COLOURS = (*LINES[:-1], "#F0E442")
"""Of hosts: those of lines, but for black, which crosses are drawn in."""
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo")
"""Laid over the colours, so that seven times as many hosts look different."""
NO_NODE = "#DDDDDD"
GREYS = ("#000000", "#BBBBBB", "#666666", "#E4E4E4", "#333333", "#999999")
"""Of a service's images, in the order they came: a strip under its tasks."""
MOST_NAMES = 40


class Bar(NamedTuple):
    """A task in its slot's lane: seconds since the scenario began, where it was, in which phase."""

    start: float
    stop: float
    node: str | None
    phase: str
    image: str | None


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

    Colour and hatch are the node, whose name is on the bar if there is room; pale before the task runs and while it stops; a cross
    where it failed; if the service had several images, a grey strip is the task's; a triangle where an update or a rollback of the
    service began. ``begin`` and ``end`` are the part of the time that is shown, in seconds. Raises :class:`TraceError` if there is no
    such service.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    service, lives = _lives(trace, service)
    span = span_of(trace, begin, end)
    slots = sorted({slot(rows[0]) for rows in lives.values()}, key=lambda s: (isinstance(s, str), s))[:MOST_LANES]
    places = {name: place for place, name in enumerate(slots)}
    hosts = sorted({row["node"] for rows in lives.values() for row in rows if row["node"]}, key=natural)
    looks = {name: look_of(number) for number, name in enumerate(hosts)}
    images = dict.fromkeys(row["image"] for rows in lives.values() for row in rows if row["image"])
    greys = {image: GREYS[number % len(GREYS)] for number, image in enumerate(images)} if len(images) > 1 else {}
    figure = Picture(10, 1.4 + 0.3 * max(4, len(slots)))
    axes = figure.subplots()
    shown: list[Bar] = []
    failures: list[tuple[float, int]] = []
    for rows in lives.values():
        place = places.get(slot(rows[0]))
        if place is None:
            continue
        for bar in bars(rows, trace.begin, span.end):
            part = span.part(bar.start, bar.stop)
            if part is not None:
                bar = bar._replace(start=part[0], stop=part[1])
                shown.append(bar)
                _draw(figure, axes, place, bar, looks, greys)
        if rows[-1]["state"] in FAILED and span.holds(rows[-1]["t"] - trace.begin):
            failures.append((rows[-1]["t"] - trace.begin, place))
    axes.plot(
        [t for t, _ in failures], [place for _, place in failures], "X",
        color="black", markeredgecolor="white", markeredgewidth=0.6, markersize=6,
    )  # fmt: skip
    updates = mark_updates(axes, trace, span, service)
    axes.set_yticks(range(len(slots)), [f"{shortened(service, 30)}.{name}" for name in slots], fontsize=8)
    axes.set_ylim(len(slots) - 0.4, -0.6)
    shade_silence(axes, trace, span)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)

    there = {bar.node for bar in shown}
    named = [name for name in hosts if name in there]
    handles: list[Artist] = [
        Patch(facecolor=looks[name][0], hatch=looks[name][1], edgecolor="white", linewidth=0, label=name)
        for name in named[:MOST_NAMES]
    ]
    if len(named) > MOST_NAMES:
        handles.append(Patch(color="none", label=f"… and {len(named) - MOST_NAMES} more"))
    if None in there:
        handles.append(Patch(color=NO_NODE, label="no node yet"))
    handles += [
        Line2D([], [], color=grey, linewidth=2.5, label=image.rpartition("/")[2].partition("@")[0])
        for image, grey in greys.items()
        if image in {bar.image for bar in shown}
    ]
    if failures:
        handles.append(Line2D([], [], marker="X", linestyle="", color="black", markeredgecolor="white", label="failed"))
    handles += updates
    if silences(trace, span):
        handles.append(Patch(color="black", alpha=0.08, label="no manager answers"))
    legend(axes, handles)
    figure.suptitle(f"tasks of {service}: {title_of(trace)}", fontsize=11)
    return figure.settle()


def look_of(number: int) -> tuple[str, str]:
    """Colour and hatch of a host by its place among the hosts.

    >>> look_of(0), look_of(8)
    (('#0072B2', ''), ('#D55E00', '///'))
    """
    return COLOURS[number % len(COLOURS)], HATCHES[number // len(COLOURS) % len(HATCHES)]


def _lives(trace: Trace, service: str | None) -> tuple[str, dict[str, list[Row]]]:
    """The service, and the rows of each of its tasks. Raises :class:`TraceError`."""
    lives: dict[str, list[Row]] = {}
    services: dict[str, None] = {}
    for row in trace.of("task"):
        services[row["service"]] = None
        service = row["service"] if service is None else service
        if row["service"] == service:
            lives.setdefault(row["task"], []).append(row)
    if service is None or not lives:
        raise TraceError(f"no service {service!r} in this trace; there are: {', '.join(services) or 'none'}")
    return service, lives


def _draw(
    figure: Picture, axes: Axes, place: int, bar: Bar, looks: dict[str, tuple[str, str]], greys: dict[str, str]
) -> None:
    runs = bar.phase == "running"
    colour, hatch = looks[bar.node] if bar.node else (NO_NODE, "")
    height = 0.7 if runs else 0.4
    axes.barh(
        place, bar.stop - bar.start, left=bar.start, height=height,
        color=colour, alpha=0.9 if runs else 0.4, hatch=hatch, edgecolor="white", linewidth=0,
    )  # fmt: skip
    if bar.image in greys:
        axes.plot(
            [bar.start, bar.stop], [place + 0.41] * 2, color=greys[bar.image], linewidth=2.5, solid_capstyle="butt"
        )
    if runs and bar.node:
        figure.inside(axes, bar.start, bar.stop, place, [bar.node])
