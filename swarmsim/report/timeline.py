"""The timeline of the page: lines by what caused them, over them a strip of the whole time to zoom into."""

from __future__ import annotations

from bisect import bisect_right
from html import escape
from typing import NamedTuple

from swarmsim.plot.figures import silences, span_of
from swarmsim.replay.story import Chapter
from swarmsim.replay.texts import Texts
from swarmsim.replay.timeline import Line, clock_time, told, watch_time
from swarmsim.trace.reader import Trace

MOST_LINES = 5000
"""Lines of the timeline on the page; the trace has all. What has too many is cut at the end of every cause, not of the run."""
FEWEST_LINES = 40
"""A cause has so many lines at least, if there are as many."""
UNFOLDED = 200
"""With more lines than this the causes are folded to begin with."""
GROUPS = {
    "fault": "faults",
    "command": "commands",
    "error": "commands",
    "good": "good",
    "bad": "bad",
    "info": "details",
    "session": "sessions",
    "reached": "waits",
    "unmet": "waits",
    "note": "notes",
}
"""Sorts of lines and the group whose box shows and hides them."""
HIDDEN = frozenset(("sessions",))
"""Groups that are hidden to begin with: there are as many as nodes whenever a leader changes."""
LANES = (("faults", "commands"), ("bad", "waits"), ("good",))
"""Which groups are marked in which row of the strip."""
LANE = 12
"""Height of a row of the strip, in its own units; its width is in seconds."""


BY_THE_CLOCK = 3600.0
"""Times of a run that is longer than so many seconds are told in hours, minutes and seconds."""


def when(t: float, length: float) -> str:
    """A time on the page of a run that is so long, both in seconds.

    >>> when(12.345, 90.0), when(4000.0, 90_000.0)
    ('12.35', '1:06:40')
    """
    return watch_time(t, tenths=False) if length >= BY_THE_CLOCK else clock_time(t).strip()


class Cause(NamedTuple):
    """A chapter of the story and the lines that followed it; number −1 is what was before the first."""

    number: int
    t: float
    what: str
    lines: list[Line]


def timeline(trace: Trace, chapters: list[Chapter], texts: Texts) -> str:
    """The section; ``chapters`` are the causes."""
    lines = list(told(trace.rows, reasons=True))
    if not lines:
        return ""
    fold = "open" if len(lines) <= UNFOLDED else ""
    most = max(FEWEST_LINES, MOST_LINES // (len(chapters) + 1))
    causes = [_cause(cause, most, fold, trace.duration, texts) for cause in by_cause(lines, chapters)]
    return (
        f"<section id=timeline><h2>{texts('timeline')}</h2>{_strip(trace, lines, texts)}{_controls(texts)}"
        f"{''.join(causes)}</section>"
    )


def by_cause(lines: list[Line], chapters: list[Chapter]) -> list[Cause]:
    """Each line under the last chapter that began before it."""
    begins = [chapter.t for chapter in chapters]
    held: dict[int, list[Line]] = {}
    for line in lines:
        held.setdefault(bisect_right(begins, line.t) - 1, []).append(line)
    return [
        Cause(number, *((chapters[number].t, chapters[number].what) if number >= 0 else (0.0, "")), found)
        for number, found in sorted(held.items())
    ]


def _cause(cause: Cause, most: int, fold: str, length: float, texts: Texts) -> str:
    rows = "".join(
        f"<tr data-group={GROUPS.get(line.sort, 'details')} data-t={line.t:.3f} class={line.sort}>"
        f"<td>{when(line.t, length)}<td>{escape(texts.line(line))}"
        for line in cause.lines[:most]
    )
    left = len(cause.lines) - most
    more = f"<p class=more>{texts('more lines', n=left)}</p>" if left > 0 else ""
    what = texts.told(cause.what) if cause.what else texts("before")
    return (
        f"<details class=cause id=cause-{cause.number} {fold}><summary><time>{when(cause.t, length)}</time> "
        f"<b>{escape(what)}</b> <span class=count></span></summary><table>{rows}</table>{more}</details>"
    )


def _strip(trace: Trace, lines: list[Line], texts: Texts) -> str:
    """The whole time from left to right, a mark for every line that is worth one; the script shows a part of it."""
    span = span_of(trace)
    marks = [
        f"<path class={line.sort} d='M{line.t:.3f} {row * LANE + 1}v{LANE - 2}'/>"
        for line in lines
        for row, groups in enumerate(LANES)
        if GROUPS.get(line.sort) in groups
    ]
    height = LANE * len(LANES)
    dark = [f"<rect x={low:.3f} width={high - low:.3f} y=0 height={height} />" for low, high in silences(trace, span)]
    return (
        f"<div id=zoom><svg id=strip tabindex=0 role=img aria-label='{texts('timeline')}' data-end={span.end:.3f} "
        f"viewBox='0 0 {span.end:.3f} {height}' preserveAspectRatio=none>{''.join(dark)}{''.join(marks)}</svg>"
        f"<div id=ticks></div><p class=help><button data-zoom=in>{texts('zoom in')}</button> "
        f"<button data-zoom=out>{texts('zoom out')}</button> <button data-zoom=all>{texts('zoom all')}</button> "
        f"{texts('zoom help')}</p></div>"
    )


def _controls(texts: Texts) -> str:
    boxes = " ".join(
        f"<label><input type=checkbox data-group={group}{'' if group in HIDDEN else ' checked'}> {texts(f'sort {group}')}</label>"
        for group in dict.fromkeys(GROUPS.values())
    )
    return (
        f"<p class=filter><input id=find type=search placeholder='{escape(texts('filter'))}'> {boxes} "
        f"<button data-fold=open>{texts('unfold')}</button> <button data-fold=closed>{texts('fold')}</button> <span id=count></span></p>"
    )
