"""The page of a comparison: a real run and a simulated one side by side, chapter by chapter, and where the real times lie."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from pathlib import Path

from swarmsim import plot
from swarmsim.analysis.trial import Trial, loads, verdict_told
from swarmsim.analysis.verdict import Standing
from swarmsim.plot.study import against_bands
from swarmsim.replay.story import Chapter, story
from swarmsim.replay.texts import Texts
from swarmsim.replay.timeline import Line
from swarmsim.replay.timeline import told as lines_of
from swarmsim.report.pieces import page, svg, table
from swarmsim.report.timeline import by_cause, when
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.writer import write_whole

MOST_LINES = 400
"""Lines of the timeline under one chapter; the traces have all."""


def write_comparison(trial: Trial, path: Path, texts: Texts) -> None:
    """Write the page, whole or not at all. Raises :class:`TraceError`."""
    write_whole(path, render_comparison(trial, texts).encode())


def render_comparison(trial: Trial, texts: Texts) -> str:
    """The page of a trial in which at least one real run was heard."""
    shown, typical = trial.real[0], trial.typical
    title = str(shown.header.get("title") or shown.scenario)
    return page(
        title,
        [
            _head(trial, title, texts),
            _verdict(trial, texts),
            _against(trial, texts),
            _milestones(trial, texts),
            _differences(trial, texts),
            _side_by_side(shown, typical, texts),
            _pictures(shown, typical, texts),
        ],
        texts,
    )


def _head(trial: Trial, title: str, texts: Texts) -> str:
    where = dict.fromkeys(str(trace.header.get("profile", texts("recorded"))) for trace in trial.real)
    said = texts("page worlds", real=len(trial.real), where="; ".join(where), simulated=len(trial.simulated))
    return f"<h1>{escape(title)}</h1><p class=sub>{escape(said)}</p>"


def _verdict(trial: Trial, texts: Texts) -> str:
    verdict = trial.verdict
    sort = {Standing.DIFFERS: "bad", Standing.DOUBT: "fault"}.get(verdict.standing, "good")
    notes = "".join(f"<li>{escape(said)}" for said in loads(trial))
    return (
        f"<h2>{texts('verdict')}</h2><p class={sort}><b>{texts(f'standing {verdict.standing}')}</b></p>"
        f"<p class=sub>{escape(verdict_told(verdict))}</p>"
    ) + (f"<ul>{notes}</ul>" if notes else "")


def _against(trial: Trial, texts: Texts) -> str:
    try:
        drawn = svg(against_bands(trial.comparison.bands, len(trial.real), len(trial.simulated), " "))
    except TraceError:
        return ""
    return f"<figure id=against>{drawn}<figcaption>{texts('picture against')}</figcaption></figure>"


def _milestones(trial: Trial, texts: Texts) -> str:
    verdict, rows = trial.verdict, []
    for band in trial.comparison.bands:
        item = verdict.of(band.name)
        standing = texts(f"standing {item.standing}") if item is not None else ""
        real = ", ".join(f"{value:.1f}" for value in sorted(band.real)[:8]) + (" …" if len(band.real) > 8 else "")
        rows.append(
            (
                texts.told(band.name),
                real,
                f"{band.low_median:.1f}–{band.high_median:.1f}",
                f"{band.low:.1f}–{band.high:.1f}",
                standing,
            )
        )
    heads = [texts("milestone"), texts("real seconds"), "80 %", "98 %", texts("verdict")]
    return table(texts("milestones"), heads, rows)


def _differences(trial: Trial, texts: Texts) -> str:
    found = trial.comparison.differences
    if not found:
        return ""
    return (
        f"<h2>{texts('never simulated')}</h2><ul>{''.join(f'<li>{escape(said)}' for said in found)}</ul>"
        f"<p class=sub>{escape(texts('as new', n=len(trial.model.once), of=len(trial.simulated)))}</p>"
    )


def _side_by_side(real: Trace, simulated: Trace, texts: Texts) -> str:
    """A row for every chapter of either; what both have stands in one row."""
    ours, theirs = (_told(trace, texts) for trace in (real, simulated))
    head = "".join(f"<th>{texts(side)}" for side in ("side real", "side simulated"))
    body = "".join(f"<tr><td>{one}<td>{other}" for one, other in _paired(ours, theirs))
    return f"<h2>{texts('side by side')}</h2><table class=worlds><thead><tr>{head}</thead><tbody>{body}</tbody></table>"


def _paired(ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    matcher = SequenceMatcher(None, [what for what, _ in ours], [what for what, _ in theirs], autojunk=False)
    for _, low, high, their_low, their_high in matcher.get_opcodes():
        for place in range(max(high - low, their_high - their_low)):
            yield (
                ours[low + place][1] if low + place < high else "",
                theirs[their_low + place][1] if their_low + place < their_high else "",
            )


def _told(trace: Trace, texts: Texts) -> list[tuple[str, str]]:
    """Every chapter: its cause, and the cell that tells it."""
    chapters = story(trace)
    lines = {cause.number: cause.lines for cause in by_cause(list(lines_of(trace.rows)), chapters)}
    return [
        (chapter.what, _cell(chapter, lines.get(number, []), trace, texts)) for number, chapter in enumerate(chapters)
    ]


def _cell(chapter: Chapter, lines: list[Line], trace: Trace, texts: Texts) -> str:
    said = [texts.told(sentence.text) for sentence in chapter.sentences] or [texts("unnoticed")]
    sentences = "".join(f"<li>{escape(text)}" for text in said)
    rows = "".join(
        f"<tr class={line.sort}><td>{when(line.t, trace.duration)}<td>{escape(texts.line(line))}"
        for line in lines[:MOST_LINES]
    )
    return (
        f"<section class=chapter><p><span class=when>{when(chapter.t, trace.duration)}</span> <b>{escape(texts.told(chapter.what))}</b></p>"
        f"<ul>{sentences}</ul><details class=cause><summary>{texts('timeline')}</summary><table>{rows}</table></details></section>"
    )


def _pictures(real: Trace, simulated: Trace, texts: Texts) -> str:
    cells = "".join(
        f"<figure>{svg(plot.run(trace))}<figcaption>{texts(side)}</figcaption></figure>"
        for trace, side in ((real, "side real"), (simulated, "side simulated"))
    )
    return f"<h2>{texts('pictures')}</h2><div class=worlds>{cells}</div>"
