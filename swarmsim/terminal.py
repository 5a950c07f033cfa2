"""What the ``swarmsim`` command shows: the live timeline, verdicts, tables. Nothing here decides anything."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from swarmsim.analysis.availability import Availability
from swarmsim.analysis.ensemble import RunResult, estimates, percentile, pooled
from swarmsim.replay.timeline import DAY, Line, Timeline, clock_time
from swarmsim.scenario.runner import Outcome

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
    """The live timeline, at the chosen multiple of real time (0: as fast as it goes).

    ``duration`` of the scenario in seconds, if it has one: a long one is shown in shorter words.
    """

    def __init__(self, speed: float, duration: float | None) -> None:
        self._console = Terminal(highlight=False, soft_wrap=True)
        self._timeline = Timeline(duration or 0.0)
        self._speed = speed
        self._origin: tuple[float, float] | None = None

    def say(self, text: Text) -> None:
        self._console.print(text)

    def show(self, row: dict[str, Any]) -> None:
        for line in self._timeline.add(row):
            self._print(line)

    def finish(self) -> None:
        for line in self._timeline.finish():
            self._print(line)

    def _print(self, line: Line) -> None:
        if self._speed > 0:
            self._keep_pace(line.t)
        self._console.print(Text(line.plain(), style=STYLES.get(line.sort, "")))

    def _keep_pace(self, t: float) -> None:
        if self._origin is None:
            self._origin = (time.monotonic(), t)
        wall, begin = self._origin
        ahead = (t - begin) / self._speed - (time.monotonic() - wall)
        if ahead > 0:
            time.sleep(ahead)


class Bar:
    """Progress of a silent run in simulated time; jumps over what nothing happens in."""

    def __init__(self, name: str, duration: float | None) -> None:
        console = Console(stderr=True)
        self._progress = Progress(console=console, disable=duration is None or not console.is_terminal, transient=True)
        self._step = (duration or 0.0) / 500
        self._task = self._progress.add_task(name, total=duration)
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


def _length(seconds: float) -> str:
    return f"{clock_time(seconds).strip()}{' s' if seconds < DAY else ''}"


def show_verdict(outcome: Outcome, availability: Availability, trace_path: Path, plot_path: Path) -> None:
    """How a run ended, what was missing meanwhile, and where trace and picture are."""
    console = Terminal(highlight=False, soft_wrap=True)
    missing = {name: found for name, found in availability.outages().items() if found.incidents}
    if missing:
        table = Table(title=f"missing in {_length(availability.seconds)}", title_justify="left")
        table.add_column("what")
        for heading in ("time", "share", "incidents", "longest"):
            table.add_column(heading, justify="right")
        for name, found in missing.items():
            share = f"{100 * found.share(availability.seconds):.4f} %"
            table.add_row(name, _length(found.seconds), share, str(found.incidents), _length(found.longest))
        console.print(table)
    if outcome.interrupted:
        console.print("interrupted: the trace holds what happened until then", style="yellow")
    elif outcome.failures:
        count = len(outcome.failures)
        console.print(f"{count} expectation{'s' if count > 1 else ''} not met:", style="bold red")
        for failure in outcome.failures:
            console.print(f"  expected {failure.expected}", markup=False)
            console.print(f"  seen     {failure.seen}", markup=False)
    else:
        console.print(f"all expectations hold ({outcome.simulated:.1f} simulated seconds)", style="bold green")
    for sentence in outcome.believed:
        console.print(f"but: {sentence}", style="yellow", markup=False)
    console.print(f"trace: {trace_path}", markup=False)
    console.print(f"plot:  {plot_path}", markup=False)


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
