"""A run as one page of HTML: what happened in words, the plots, a timeline to search, and how to do it again.

Nothing is fetched: pictures are inside as SVG, the few lines of script too.
"""

from __future__ import annotations

import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarmsim import plot
from swarmsim.analysis.availability import availability
from swarmsim.analysis.milestones import milestones
from swarmsim.replay.looks import TASKS
from swarmsim.replay.story import Chapter, story
from swarmsim.replay.timeline import Line, clock_time, told
from swarmsim.replay.words import duration, share
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.writer import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 5000
"""Lines of the timeline on the page; the trace has all."""
SORTS = {
    "fault": "faults",
    "command": "commands",
    "error": "commands",
    "good": "good news",
    "bad": "bad news",
    "info": "details",
    "session": "sessions",
    "reached": "waits",
    "unmet": "waits",
    "note": "notes",
}
"""Sorts of lines and the group their box is labelled with."""
UNNOTICED = "Nothing that a manager noticed."
PLOTS = ("run", "lanes", "raft", "availability")


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "swarmsim"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().split("?>", 1)[1].split(">", 1)[1]  # without the XML and DOCTYPE lines


def _pictures(trace: Trace) -> list[tuple[str, str]]:
    found = []
    for kind in PLOTS:
        try:
            found.append((kind, _svg(getattr(plot, kind)(trace))))
        except TraceError:
            continue  # a recorded run cannot show everything
    return found


def render_report(trace: Trace, name: str) -> str:
    """The page; ``name`` is how the trace is called in the commands on it."""
    title = str(trace.header.get("scenario") or trace.scenario or name)
    seed = trace.header.get("seed")
    parts = [f"<h1>{html.escape(title)}</h1>"]
    origin = (
        f"simulated, seed {seed}, profile {trace.header['profile']}"
        if seed is not None
        else "recorded on a real cluster"
    )
    parts.append(f"<p class=sub>{origin}; {clock_time(trace.duration).strip()} long</p>")
    parts.append("<h2>What happened</h2>" + "".join(_chapter(chapter) for chapter in story(trace)))
    parts.append(_missing(trace))
    parts.append("<h2>Pictures</h2>" + "".join(f"<figure id='{kind}'>{svg}</figure>" for kind, svg in _pictures(trace)))
    parts.append(_milestones(trace))
    parts.append(_timeline(list(told(trace.rows, reasons=True))))
    parts.append(_again(title, name, seed))
    return _PAGE.format(title=html.escape(title), body="\n".join(parts), style=_STYLE, script=_SCRIPT)


def _chapter(chapter: Chapter) -> str:
    sentences = "".join(
        f"<li>{html.escape(text)}" for text in [sentence.text for sentence in chapter.sentences] or [UNNOTICED]
    )
    when = clock_time(chapter.t).strip()
    return f"<p><b class=fault>{when}</b> <b>{html.escape(chapter.what)}</b><ul>{sentences}</ul>"


def _missing(trace: Trace) -> str:
    found = availability(trace)
    rows = "".join(
        f"<tr><td>{html.escape(name)}<td>{duration(out.seconds)}<td>{share(out.share(found.seconds))}<td>{out.incidents}<td>{duration(out.longest)}"
        for name, out in found.missing().items()
    )
    if not rows:
        return ""
    return f"<h2>What was missing</h2><table><tr><th>what<th>time<th>share<th>incidents<th>longest{rows}</table>"


def _milestones(trace: Trace) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}<td>{', '.join(f'{value:.2f}' for value in values[:12])}{' …' if len(values) > 12 else ''}"
        for name, values in milestones(trace).items()
    )
    return f"<h2>Milestones</h2><table><tr><th>what<th>seconds{rows}</table>" if rows else ""


def _timeline(lines: list[Line]) -> str:
    groups = list(dict.fromkeys(SORTS.values()))
    boxes = "".join(f"<label><input type=checkbox data-group='{group}' checked> {group}</label> " for group in groups)
    rows = "".join(
        f"<tr data-group='{SORTS.get(line.sort, 'details')}' class={line.sort}><td>{clock_time(line.t).strip()}<td>{html.escape(line.text)}"
        for line in lines[:MOST_LINES]
    )
    more = f"<p>{len(lines) - MOST_LINES} more lines are in the trace.</p>" if len(lines) > MOST_LINES else ""
    return (
        f"<h2>Timeline</h2><p class=filter><input id=find type=search placeholder='filter, such as web.3 or m2'> {boxes}"
        f"<span id=count></span></p><table id=timeline>{rows}</table>{more}"
    )


def _again(title: str, name: str, seed: Any) -> str:
    quoted = html.escape(name)
    commands = [f"swarmsim watch {quoted}", f"swarmsim plot {quoted} run", f"swarmsim export {quoted} --perfetto"]
    if seed is not None:
        commands.insert(0, f"swarmsim run {html.escape(title)} --seed {seed}")
    return "<h2>Do it again</h2><pre>" + "\n".join(commands) + "</pre>"


def write_report(trace: Trace, source: Path, path: Path) -> None:
    """Write the page of a trace, whole or not at all. Raises :class:`TraceError`."""
    text = render_report(trace, str(source))
    write_whole(path, text.encode())


_PAGE = """<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>{title} — swarmsim</title><style>{style}</style>
<main>{body}</main><script>{script}</script></html>
"""
_STYLE = f"""
:root {{ color-scheme: light dark; --fg: #1c2126; --bg: #fbfbf8; --dim: #667; --line: #ddd; }}
@media (prefers-color-scheme: dark) {{ :root {{ --fg: #e4e6e8; --bg: #14181d; --dim: #99a; --line: #333; }} figure {{ background: #fff; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); margin: 0; }}
main {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ margin-bottom: 0; }} .sub {{ color: var(--dim); margin-top: 0; }}
h2 {{ margin-top: 2.2rem; border-bottom: 1px solid var(--line); }}
figure {{ margin: 1rem 0; padding: .5rem; border-radius: 6px; overflow-x: auto; }} svg {{ max-width: 100%; height: auto; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .1rem .9rem .1rem 0; text-align: left; vertical-align: top; }}
#timeline {{ font: 13px/1.45 ui-monospace, monospace; width: 100%; }} #timeline td {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
#timeline td:first-child {{ color: var(--dim); white-space: nowrap; text-align: right; width: 6rem; }}
.fault {{ color: #b0568a; }} tr.bad, tr.error, tr.unmet {{ color: {TASKS["failed"].colour}; }} tr.good, tr.reached {{ color: {TASKS["running"].colour}; }}
tr.info {{ color: var(--dim); }} tr.fault, tr.command {{ font-weight: 600; }} pre {{ padding: .8rem; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; }}
.filter {{ position: sticky; top: 0; background: var(--bg); padding: .4rem 0; }} #find {{ font: inherit; padding: .2rem .5rem; width: 16rem; }}
"""
_SCRIPT = """
const rows = [...document.querySelectorAll('#timeline tr')], find = document.getElementById('find');
const boxes = [...document.querySelectorAll('input[data-group]')], count = document.getElementById('count');
function show() {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const on = new Set(boxes.filter(box => box.checked).map(box => box.dataset.group));
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(on.has(row.dataset.group) && words.every(word => text.includes(word)));
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${rows.length}`;
}
find.addEventListener('input', show);
boxes.forEach(box => box.addEventListener('change', show));
show();
"""
