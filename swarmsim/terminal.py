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
from swarmsim.replay.timeline import Line, Timeline, clock_time, told
from swarmsim.replay.words import counted, duration, share
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

    def __init__(self, speed: float, length: float | None) -> None:
        self._console = Terminal(highlight=False, soft_wrap=True)
        self._timeline = Timeline(length or 0.0)
        self._speed = speed
        self._origin: tuple[float, float] | None = None

    def show(self, row: dict[str, Any]) -> None:
        if row["kind"] == "unmet":
            return
        for line in self._timeline.add(row):
            self._keep_pace(line.t)
            _print(self._console, line)

    def finish(self) -> None:
        for line in self._timeline.finish():
            _print(self._console, line)

    def _keep_pace(self, t: float) -> None:
        if self._origin is None:
            self._origin = (time.monotonic(), t)
        wall, begin = self._origin
        ahead = (t - begin) / self._speed - (time.monotonic() - wall)
        if ahead > 0:
            time.sleep(ahead)


def _print(console: Console, line: Line) -> None:
    console.print(Text(line.plain(), style=STYLES.get(line.sort, "")))


def show_timeline(trace: Trace, length: float | None) -> None:
    """The timeline of a run that is over; as of :class:`Screen`."""
    console = Terminal(highlight=False, soft_wrap=True)
    for line in told((row for row in trace.rows if row["kind"] != "unmet"), length or 0.0):
        _print(console, line)


def show_title(header: dict[str, Any]) -> None:
    """What is run: title, what there is to see, seed."""
    console = Terminal(highlight=False)
    console.print(Text(header["title"] or header["scenario"], style="bold"))
    if header["about"]:
        console.print(Text(header["about"]))
    said = f"scenario {header['scenario']}, seed {header['seed']}, profile {header['profile']}"
    console.print(Text(said, style="dim"))


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


def show_story(trace: Trace) -> None:
    """What was done and what followed, in about ten lines."""
    chapters, others = in_short(story(trace))
    console = Terminal(highlight=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column()
    for chapter in chapters:
        table.add_row(clock_time(chapter.t).strip(), Text(chapter.what, style="bold", overflow="fold"))
        if chapter.sentences:
            table.add_row("", Text(" ".join(sentence.text for sentence in chapter.sentences)))
    if others:
        table.add_row("", Text(f"… and what followed from {others} more; --verbose tells all", style="dim"))
    console.print(table)


def show_verdict(outcome: Outcome, availability: Availability, trace_path: Path, plot_path: Path) -> None:
    """What was missing, how a run ended, and where trace and picture are."""
    console = Terminal(highlight=False, soft_wrap=True)
    missing = availability.missing()
    if missing:
        table = Table(title=f"missing in {duration(availability.seconds)}", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("what")
        for heading in ("time", "share", "incidents", "longest"):
            table.add_column(heading, justify="right")
        for name, found in missing.items():
            part = share(found.share(availability.seconds))
            table.add_row(name, duration(found.seconds), part, str(found.incidents), duration(found.longest))
        console.print(table)
    if outcome.interrupted:
        console.print("interrupted: the trace holds what happened until then", style="yellow")
    elif outcome.failures:
        console.print(f"{counted(len(outcome.failures), 'expectation')} not met:", style="bold red")
        for failure in outcome.failures:
            console.print(f"  expected {failure.expected}", markup=False)
            console.print(f"  seen     {failure.seen}", markup=False)
    else:
        console.print(f"all expectations hold ({duration(outcome.simulated)} simulated)", style="bold green")
    for sentence in outcome.believed:
        console.print(f"but: {sentence}", style="yellow", markup=False)
    console.print(f"trace: {trace_path}", markup=False)
    console.print(f"plot:  {plot_path}", markup=False)


def show_in_one_line(header: dict[str, Any], outcome: Outcome, availability: Availability, trace_path: Path) -> None:
    """How a run ended and where its trace is."""
    if outcome.interrupted:
        verdict = "interrupted"
    elif outcome.failures:
        first = outcome.failures[0]
        others = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
        verdict = f"not met: expected {first.expected}; seen {first.seen}{others}"
    else:
        verdict = f"all expectations hold ({duration(outcome.simulated)} simulated)"
    verdict += "".join(f"; but: {sentence}" for sentence in outcome.believed)
    missing = [f"{name} {share(found.share(availability.seconds))}" for name, found in availability.missing().items()]
    parts = [verdict, *missing, f"trace {trace_path}"]
    style = "yellow" if outcome.interrupted else "red" if outcome.failures else "green"
    text = Text(f"{header['scenario']}, seed {header['seed']}: {'; '.join(parts)}", style=style)
    Terminal(highlight=False, soft_wrap=True).print(text)


def show_ensemble(name: str, runs: list[RunResult], of: int) -> None:
    """Percentiles of every milestone, means of what was missing, and the runs with unmet expectations.

    ``of`` seeds were asked for; fewer were run if the wanted precision was reached before.
    """
    console = Terminal(highlight=False)
    seeds = f"seeds {runs[0].seed}..{runs[-1].seed}"
    values = pooled(runs)
    if values:
        table = Table(title=f"{name}: {seeds}, seconds", title_justify="left")
        table.add_column("milestone")
        table.add_column("n", justify="right")
        for p in PERCENTILES:
            table.add_column(f"{p} %", justify="right")
        for milestone, found in values.items():
            cells = [f"{percentile(found, p / 100):.2f}" for p in PERCENTILES]
            table.add_row(milestone, str(len(found)), *cells)
        console.print(table)
    means = {what: mean for what, mean in estimates(runs).items() if mean.mean}
    if means:
        table = Table(title=f"{name}: {seeds}, mean of a run and its 95 % confidence interval", title_justify="left")
        table.add_column("missing")
        table.add_column("mean", justify="right")
        table.add_column("±", justify="right")
        for what, mean in means.items():
            table.add_row(what, f"{mean.mean:.4g}", f"{mean.half_width:.2g}")
        console.print(table)
    if len(runs) < of:
        console.print(f"stopped after {len(runs)} of {of} seeds: every share is known as precisely as was asked")
    unmet = [one for one in runs if one.failures]
    if unmet:
        console.print(f"{len(unmet)} of {len(runs)} runs with unmet expectations:", style="bold red")
        for one in unmet[:5]:
            console.print(f"  seed {one.seed}: {one.failures[0]}", markup=False)
    else:
        console.print(f"all expectations hold in all {len(runs)} runs", style="bold green")
