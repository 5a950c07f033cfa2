"""A run as one page of HTML: what happened in words, the pictures, a timeline to search and to zoom, and how to do it again.

The page of a comparison with real engines is made in :mod:`swarmsim.report.comparison`.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from swarmsim import plot
from swarmsim.analysis.availability import availability
from swarmsim.analysis.milestones import milestones
from swarmsim.replay.story import Chapter, in_short, story
from swarmsim.replay.texts import Texts
from swarmsim.replay.words import duration, share
from swarmsim.report.pieces import page, svg, table
from swarmsim.report.timeline import timeline, when
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.writer import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

ENGLISH = Texts("en")
MOST_SERVICES = 6
"""So many services have a picture of their lanes."""
MOST_CHAPTERS = 20
"""With more chapters than this the story has only those that matter most."""


def write_report(trace: Trace, source: Path, path: Path, texts: Texts = ENGLISH) -> None:
    """Write the page of a trace, whole or not at all. Raises :class:`TraceError`."""
    write_whole(path, render_report(trace, str(source), texts).encode())


def render_report(trace: Trace, name: str, texts: Texts = ENGLISH) -> str:
    """The page; ``name`` is how the trace is called in the commands on it."""
    title = str(trace.header.get("title") or trace.header.get("scenario") or trace.scenario or name)
    chapters = story(trace)
    parts = [
        _head(trace, title, texts),
        _story(trace, chapters, texts),
        _verdict(trace, texts),
        _missing(trace, texts),
        _pictures(trace, texts),
        _milestones(trace, texts),
        timeline(trace, chapters, texts),
        _again(trace, name, texts),
    ]
    return page(title, parts, texts)


def _head(trace: Trace, title: str, texts: Texts) -> str:
    """Title, where it is from, what there is to see."""
    header = trace.header
    origin = (
        texts("origin", scenario=header["scenario"], seed=header["seed"], profile=header["profile"])
        if "seed" in header
        else texts("recorded")
    )
    about = header.get("about")
    return (
        f"<h1>{escape(title)}</h1><p class=sub>{escape(origin + texts('line between'))}{escape(texts('long', took=duration(trace.duration)))}</p>"
        + (f"<p class=about>{escape(about)}</p>" if about else "")
    )


def _story(trace: Trace, chapters: list[Chapter], texts: Texts) -> str:
    """The chapters; of many those that matter most, all are in the timeline."""
    numbers = {chapter.t: number for number, chapter in enumerate(chapters)}
    shown, others = in_short(chapters, MOST_CHAPTERS) if len(chapters) > MOST_CHAPTERS else (chapters, 0)
    parts = []
    for chapter in shown:
        said = [texts.told(sentence.text) for sentence in chapter.sentences] or [texts("unnoticed")]
        time = f"<a class=when href='#cause-{numbers[chapter.t]}'>{when(chapter.t, trace.duration)}</a>"
        sentences = "".join(f"<li>{escape(text)}" for text in said)
        what = escape(texts.told(chapter.what))
        parts.append(f"<section class=chapter><p>{time} <b>{what}</b></p><ul>{sentences}</ul></section>")
    if others:
        parts.append(f"<p class=sub>{texts('others below', n=others)}</p>")
    return f"<h2>{texts('happened')}</h2>{''.join(parts)}" if parts else ""


def _verdict(trace: Trace, texts: Texts) -> str:
    """What was expected and does not hold, or that all of it does."""
    if not any(row["kind"] in ("met", "unmet") for row in trace.rows):
        return ""
    unmet = [
        texts("page unmet", expected=texts.told(row["expected"]), seen=texts.told(row["seen"]))
        for row in trace.of("unmet")
    ]
    said = "".join(f"<p class=bad>{escape(text)}</p>" for text in unmet) or f"<p class=good>{texts('page hold')}</p>"
    return f"<h2>{texts('verdict')}</h2>{said}"


def _missing(trace: Trace, texts: Texts) -> str:
    found = availability(trace)
    rows = [
        (
            texts.told(name),
            duration(out.seconds),
            share(out.share(found.seconds)),
            str(out.incidents),
            duration(out.longest),
        )
        for name, out in found.missing().items()
    ]
    heads = [texts(f"missing {head}") for head in ("what", "time", "share", "incidents", "longest")]
    return table(texts("was missing"), heads, rows)


def _milestones(trace: Trace, texts: Texts) -> str:
    rows = [
        (texts.told(name), ", ".join(f"{value:.2f}" for value in values[:12]) + (" …" if len(values) > 12 else ""))
        for name, values in milestones(trace).items()
    ]
    return table(texts("milestones"), [texts("missing what"), texts("seconds")], rows)


class _Picture(NamedTuple):
    """A picture, how it is drawn, and what it shows."""

    name: str
    draw: Callable[[], Figure]
    caption: str


def _drawn(trace: Trace, texts: Texts) -> Iterator[_Picture]:
    yield _Picture("run", lambda: plot.run(trace), texts("picture run"))
    for service in list(dict.fromkeys(row["service"] for row in trace.of("task")))[:MOST_SERVICES]:
        caption = texts("picture lanes", service=service)
        yield _Picture(f"lanes-{service}", lambda service=service: plot.lanes(trace, service), caption)  # type: ignore[misc]
    yield _Picture("raft", lambda: plot.raft(trace), texts("picture raft"))
    yield _Picture("availability", lambda: plot.availability(trace), texts("picture availability"))
    if any(row["kind"] in ("certificate.renewed", "swarm.failed") for row in trace.rows):
        yield _Picture("certificates", lambda: plot.certificates(trace), texts("picture certificates"))
    for name in ("traffic", "shares", "latency", "reach"):
        yield _Picture(name, lambda name=name: getattr(plot, name)(trace), texts(f"picture {name}"))  # type: ignore[misc]
    for service in list(dict.fromkeys(row["service"] for row in trace.of("ipvs")))[:MOST_SERVICES]:
        caption = texts("picture views", service=service)
        yield _Picture(f"views-{service}", lambda service=service: plot.views(trace, service), caption)  # type: ignore[misc]


def _pictures(trace: Trace, texts: Texts) -> str:
    found = []
    for picture in _drawn(trace, texts):
        try:
            drawn = svg(picture.draw())
        except TraceError:
            continue  # a recorded run cannot show everything
        found.append(
            f"<figure id='{escape(picture.name)}'>{drawn}<figcaption>{escape(picture.caption)}</figcaption></figure>"
        )
    return f"<h2>{texts('pictures')}</h2>{''.join(found)}"


def _again(trace: Trace, name: str, texts: Texts) -> str:
    commands = [f"swarmsim watch {name}", f"swarmsim plot {name} run", f"swarmsim export {name} --perfetto"]
    if "seed" in trace.header:
        commands.insert(0, f"swarmsim run {trace.header['scenario']} --seed {trace.header['seed']}")
    return f"<h2>{texts('again')}</h2><pre>{escape(chr(10).join(commands))}</pre>"
