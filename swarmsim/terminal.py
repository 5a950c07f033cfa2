"""What the ``swarmsim`` command shows: stories, timelines, verdicts, tables. Nothing here decides anything."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from swarmsim.analysis.availability import Availability
from swarmsim.analysis.ensemble import RunResult, estimates, percentile, pooled
from swarmsim.replay.story import in_short, story
from swarmsim.replay.texts import Texts
from swarmsim.replay.timeline import Line, Timeline, clock_time, told
from swarmsim.replay.words import duration, share
from swarmsim.scenario.runner import Outcome
from swarmsim.trace.reader import Trace

STYLES = {
    "command": "bold",
    "error": "bold red",
    "fault": "bold magenta",
    "reached": "bold green",
    "unmet": "bold white on red",
    "good": "green",
    "bad": "red",
    "note": "italic cyan",
    "info": "dim",
}
PERCENTILES = (1, 10, 50, 90, 99)


class Terminal(Console):
    """Where people read. If the reader goes (``| head``), the run still ends in order and keeps its exit code."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Screen:
    """The live timeline, at the chosen multiple of real time, without unmet expectations: the verdict tells them.

    ``length`` of the scenario in seconds, if it has one: a long one is shown in fewer lines.
    """

    def __init__(self, texts: Texts, speed: float, length: float | None) -> None:
        self._texts = texts
        self._console = Terminal(highlight=False, soft_wrap=True)
        self._timeline = Timeline(length or 0.0)
        self._speed = speed
        self._origin: tuple[float, float] | None = None

    def show(self, row: dict[str, Any]) -> None:
        if row["kind"] == "unmet":
            return
        for line in self._timeline.add(row):
            self._keep_pace(line.t)
            _print(self._console, line, self._texts)

    def finish(self) -> None:
        for line in self._timeline.finish():
            _print(self._console, line, self._texts)

    def _keep_pace(self, t: float) -> None:
        if self._origin is None:
            self._origin = (time.monotonic(), t)
        wall, begin = self._origin
        ahead = (t - begin) / self._speed - (time.monotonic() - wall)
        if ahead > 0:
            time.sleep(ahead)


def _print(console: Console, line: Line, texts: Texts) -> None:
    said = line._replace(text=texts.line(line))
    console.print(Text(said.plain(), style=STYLES.get(line.sort, "")))


def show_timeline(texts: Texts, trace: Trace, length: float | None) -> None:
    """The timeline of a run that is over; as of :class:`Screen`."""
    console = Terminal(highlight=False, soft_wrap=True)
    for line in told((row for row in trace.rows if row["kind"] != "unmet"), length or 0.0):
        _print(console, line, texts)


def show_title(texts: Texts, header: dict[str, Any]) -> None:
    """What is run: title, what there is to see, seed."""
    console = Terminal(highlight=False)
    console.print(Text(header["title"] or header["scenario"], style="bold"))
    if header["about"]:
        console.print(Text(header["about"]))
    origin = texts("origin", scenario=header["scenario"], seed=header["seed"], profile=header["profile"])
    console.print(Text(origin, style="dim"))


class Bar:
    """Progress of a silent run in simulated time; jumps over what nothing happens in."""

    def __init__(self, name: str, length: float | None) -> None:
        console = Console(stderr=True)
        self._progress = Progress(console=console, disable=length is None or not console.is_terminal, transient=True)
        self._step = (length or 0.0) / 500
        self._task = self._progress.add_task(name, total=length)
        self._begin: float | None = None
        self._shown = 0.0

    def show(self, row: dict[str, Any]) -> None:
        if row["kind"] == "begin":
            self._begin = self._shown = row["t"]
        if self._begin is not None and row["t"] - self._shown >= self._step:
            self._shown = row["t"]
            self._progress.update(self._task, completed=row["t"] - self._begin)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def show_story(texts: Texts, trace: Trace) -> None:
    """What was done and what followed, in about ten lines."""
    chapters, others = in_short(story(trace))
    console = Terminal(highlight=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column()
    for chapter in chapters:
        table.add_row(clock_time(chapter.t).strip(), Text(texts.told(chapter.what), style="bold", overflow="fold"))
        if chapter.sentences:
            told_all = " ".join(texts.told(sentence.text) for sentence in chapter.sentences)
            table.add_row("", Text(told_all, overflow="fold"))
    if others:
        table.add_row("", Text(texts("others", n=others), style="dim"))
    console.print(table)


def show_verdict(texts: Texts, outcome: Outcome, availability: Availability, trace_path: Path, plot_path: Path) -> None:
    """What was missing, how a run ended, and where trace and picture are."""
    console = Terminal(highlight=False, soft_wrap=True)
    missing = availability.missing()
    if missing:
        title = texts("missing in", took=duration(availability.seconds))
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column(texts("missing what"))
        for heading in ("time", "share", "incidents", "longest"):
            table.add_column(texts(f"missing {heading}"), justify="right")
        for name, found in missing.items():
            part = share(found.share(availability.seconds))
            cells = (duration(found.seconds), part, str(found.incidents), duration(found.longest))
            table.add_row(texts.told(name), *cells)
        console.print(table)
    for name, tally in outcome.traffic.items():
        style = "yellow" if tally.lost else ""
        console.print(texts("traffic", name=name, what=texts.told(tally.in_words())), style=style, markup=False)
    if outcome.interrupted:
        console.print(texts("interrupted trace"), style="yellow")
    elif outcome.failures:
        many = len(outcome.failures)
        console.print(texts("unmet one") if many == 1 else texts("unmet many", n=many), style="bold red")
        for failure in outcome.failures:
            console.print(texts("expected", what=texts.told(failure.expected)), markup=False)
            console.print(texts("seen", what=texts.told(failure.seen)), markup=False)
    else:
        console.print(
            texts("all hold real" if outcome.real else "all hold", took=duration(outcome.simulated)), style="bold green"
        )
    for sentence in dict.fromkeys(outcome.believed):
        console.print(texts("but", what=texts.told(sentence)), style="yellow", markup=False)
    for sentence in outcome.warnings:
        console.print(texts("note", what=texts.told(sentence)), style="yellow", markup=False)
    console.print(texts("trace", path=trace_path), markup=False)
    console.print(texts("plot", path=plot_path), markup=False)


def show_in_one_line(
    texts: Texts, header: dict[str, Any], outcome: Outcome, availability: Availability, trace_path: Path
) -> None:
    """How a run ended and where its trace is."""
    if outcome.interrupted:
        verdict = texts("interrupted")
    elif outcome.failures:
        first, others = outcome.failures[0], len(outcome.failures) - 1
        verdict = texts("line unmet", expected=texts.told(first.expected), seen=texts.told(first.seen))
        verdict += texts("line more", n=others) if others else ""
    else:
        verdict = texts("all hold real" if outcome.real else "all hold", took=duration(outcome.simulated))
    parts = [verdict, *(texts("but", what=texts.told(sentence)) for sentence in dict.fromkeys(outcome.believed))]
    parts += [texts("note", what=texts.told(sentence)) for sentence in outcome.warnings]
    parts += [texts("traffic", name=name, what=texts.told(tally.in_words())) for name, tally in outcome.traffic.items()]
    for name, found in availability.missing().items():
        parts.append(f"{texts.told(name)} {share(found.share(availability.seconds))}")
    parts.append(texts("line trace", path=trace_path))
    style = "yellow" if outcome.interrupted else "red" if outcome.failures else "green"
    line = texts("line", scenario=header["scenario"], seed=header["seed"]) + texts("line between").join(parts)
    Terminal(highlight=False, soft_wrap=True).print(Text(line, style=style))


def show_ensemble(texts: Texts, name: str, runs: list[RunResult], of: int) -> None:
    """Percentiles of every milestone, means of what was missing, and the runs with unmet expectations.

    ``of`` seeds were asked for; fewer were run if the wanted precision was reached before.
    """
    console = Terminal(highlight=False)
    of_what = {"name": name, "first": runs[0].seed, "last": runs[-1].seed}
    values = pooled(runs)
    if values:
        table = Table(title=texts("seeds seconds", **of_what), title_justify="left")
        table.add_column(texts("milestone"))
        table.add_column("n", justify="right")
        for p in PERCENTILES:
            table.add_column(f"{p} %", justify="right")
        for milestone, found in values.items():
            cells = [f"{percentile(found, p / 100):.2f}" for p in PERCENTILES]
            table.add_row(texts.told(milestone), str(len(found)), *cells)
        console.print(table)
    means = {what: mean for what, mean in estimates(runs).items() if mean.mean}
    if means:
        table = Table(title=texts("seeds mean", **of_what), title_justify="left")
        table.add_column(texts("missing mean"))
        table.add_column(texts("mean"), justify="right")
        table.add_column("±", justify="right")
        for what, mean in means.items():
            table.add_row(texts.told(what), f"{mean.mean:.4g}", f"{mean.half_width:.2g}")
        console.print(table)
    if len(runs) < of:
        console.print(texts("stopped early", n=len(runs), all=of))
    unmet = [one for one in runs if one.failures]
    if unmet:
        console.print(texts("runs unmet", n=len(unmet), all=len(runs)), style="bold red")
        for one in unmet[:5]:
            console.print(texts("seed unmet", seed=one.seed, what=texts.told(one.failures[0])), markup=False)
    else:
        console.print(texts("runs hold", n=len(runs)), style="bold green")
    for sentence in dict.fromkeys(sentence for one in runs for sentence in one.warnings):
        console.print(texts("note", what=texts.told(sentence)), style="yellow", markup=False)
