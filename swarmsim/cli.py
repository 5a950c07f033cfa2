"""``swarmsim …``: the command line. Thin: it wires rooms together and turns errors into exit codes.

Exit codes: 0 all expectations hold, 1 one does not, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from swarmsim.analysis.ensemble import Run, percentile, pooled, run_ensemble
from swarmsim.analysis.milestones import milestones
from swarmsim.analysis.timeline import Line, Timeline
from swarmsim.scenario.duration import parse_duration
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, load_scenario, parse_scenario, shipped_scenarios
from swarmsim.scenario.runner import Outcome, run_scenario, trace_header
from swarmsim.scenario.schema import Scenario
from swarmsim.trace.reader import Trace, TraceError, load_trace
from swarmsim.trace.writer import TraceWriter
from swarmsim.version import VERSION

UNMET, BAD_INPUT, INTERRUPTED = 1, 2, 130
RUNS = Path("runs")
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

app = typer.Typer(
    name="swarmsim",
    help="A Docker Swarm you can break: run scenarios on a simulated cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


Eager = Annotated[bool, typer.Option("--eager", help="run every heartbeat and tick, also those that change nothing")]


class _Terminal(Console):
    """Where people read. If the reader goes (``| head``), the run still ends in order and keeps its exit code."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: object) -> typer.Exit:
    print(f"swarmsim: {message}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)


def _load(file: str) -> LoadedScenario:
    try:
        return load_scenario(file)
    except ScenarioError as problem:
        raise _fail(problem) from None


@app.command()
def run(
    files: Annotated[list[str], typer.Argument(help="scenario files, or names of shipped scenarios")],
    seed: Annotated[int, typer.Option(help="seed of the run; the same seed gives the same trace")] = 1,
    seeds: Annotated[int, typer.Option(min=0, help="run this many seeds and show percentiles of every milestone")] = 0,
    trace: Annotated[Path | None, typer.Option(help="where to write the trace")] = None,
    plot: Annotated[Path | None, typer.Option(help="where to draw the picture (PNG, SVG or PDF)")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no timeline")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a run instead of text")] = False,
    speed: Annotated[
        float, typer.Option(min=0.0, help="follow at this multiple of real time (0: as fast as it goes)")
    ] = 0.0,
    until: Annotated[str | None, typer.Option(help="stop after this much simulated time, such as 90s or 5m")] = None,
    messages: Annotated[bool, typer.Option(help="write every Raft message into the trace")] = False,
    eager: Eager = False,
) -> None:
    """Run scenarios: show what happens, check what they expect, leave a trace and a picture."""
    limit = _until(until)
    loaded = [_load(file) for file in files]
    single = {"--trace": trace, "--plot": plot, "--speed": speed, "--until": until, "--messages": messages}
    given = [option for option, value in single.items() if value]
    if seeds and given:
        raise _fail(f"{given[0]} is for a single run, --seeds for many: leave one of them out")
    if speed and (quiet or as_json):
        raise _fail("--speed sets the pace of the timeline, which --quiet and --json leave out")
    if (trace or plot) and len(loaded) > 1:
        raise _fail("--trace and --plot need a single scenario")
    code = 0
    for scenario in loaded:
        if seeds:
            code = max(code, _ensemble(scenario, range(seed, seed + seeds), as_json, quiet, eager))
            continue
        outcome = _run_once(scenario, seed, trace, plot, quiet or as_json, as_json, speed, limit, messages, eager)
        if outcome.interrupted:
            raise typer.Exit(INTERRUPTED)
        code = max(code, UNMET if outcome.failures else 0)
    raise typer.Exit(code)


def _until(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as problem:
        raise _fail(f"--until {problem}") from None
    if seconds <= 0:
        raise _fail(f"--until {text}: must be longer than 0")
    return seconds


def _run_once(
    loaded: LoadedScenario,
    seed: int,
    trace_path: Path | None,
    plot_path: Path | None,
    silent: bool,
    as_json: bool,
    speed: float,
    until: float | None,
    messages: bool,
    eager: bool,
) -> Outcome:
    name = loaded.scenario.name
    header = trace_header(loaded, seed)
    rows: list[dict[str, Any]] = []
    screen = None if silent else _Screen(speed)
    try:
        trace_path = trace_path or _in_runs(f"{name}-{seed}.jsonl")
        plot_path = plot_path or _in_runs(f"{name}-{seed}.png")
        if screen is not None:
            screen.say(Text(f"{loaded.scenario.title or name}", style="bold"))
            screen.say(Text(f"scenario {name}, seed {seed}, profile {header['profile']}", style="dim"))
        with TraceWriter(trace_path, header) as writer:

            def sink(row: dict[str, Any]) -> None:
                writer.write(row)
                rows.append(row)
                if screen is not None:
                    screen.show(row)

            outcome = run_scenario(loaded, seed, sink, messages=messages, until=until, eager=eager)
        trace = Trace(header, rows)
        if screen is not None:
            screen.finish()
        if rows:
            from swarmsim.analysis.plots import plot_run, save

            save(plot_run(trace), plot_path)
    except TraceError as problem:
        raise _fail(problem) from None
    if as_json:
        print(json.dumps(_summary(loaded, seed, outcome, trace, trace_path, plot_path)))
    else:
        _verdict(outcome, trace_path, plot_path)
    return outcome


def _in_runs(name: str) -> Path:
    try:
        RUNS.mkdir(exist_ok=True)
    except OSError as problem:
        raise TraceError(f"{RUNS}: cannot be made: {problem.strerror}; name places with --trace and --plot") from None
    return RUNS / name


def _summary(
    loaded: LoadedScenario, seed: int, outcome: Outcome, trace: Trace, trace_path: Path, plot_path: Path
) -> dict[str, Any]:
    return {
        "scenario": loaded.scenario.name,
        "seed": seed,
        "ok": outcome.ok,
        "interrupted": outcome.interrupted,
        "simulated": round(outcome.simulated, 3),
        "unmet": [{"expected": f.expected, "seen": f.seen, "t": round(f.at, 3)} for f in outcome.failures],
        "milestones": milestones(trace),
        "trace": str(trace_path),
        "plot": str(plot_path),
    }


def _verdict(outcome: Outcome, trace_path: Path, plot_path: Path) -> None:
    console = _Terminal(highlight=False, soft_wrap=True)
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
    console.print(f"trace: {trace_path}", markup=False)
    console.print(f"plot:  {plot_path}", markup=False)


class _Screen:
    """The live timeline, at the chosen multiple of real time."""

    def __init__(self, speed: float) -> None:
        self._console = _Terminal(highlight=False, soft_wrap=True)
        self._timeline = Timeline()
        self._speed = speed
        self._origin: tuple[float, float] | None = None

    def say(self, text: Text) -> None:
        self._console.print(text)

    def show(self, row: dict[str, Any]) -> None:
        for line in self._timeline.add(row):
            self._print(line)

    def finish(self) -> None:
        for line in self._timeline.flush():
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


def _ensemble(loaded: LoadedScenario, seeds: range, as_json: bool, quiet: bool, eager: bool) -> int:
    console = _Terminal(highlight=False)
    runs: list[Run] = []
    with Progress(console=Console(stderr=True), disable=quiet or as_json, transient=True) as progress:
        bar = progress.add_task(loaded.scenario.name, total=len(seeds))
        try:
            for one in run_ensemble(loaded, seeds, eager=eager):
                runs.append(one)
                progress.advance(bar)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
    values = pooled(runs)
    unmet = [one for one in runs if one.failures]
    if as_json:
        print(
            json.dumps(
                {
                    "scenario": loaded.scenario.name,
                    "seeds": [seeds.start, seeds.stop - 1],
                    "ok": not unmet,
                    "unmet": {one.seed: one.failures for one in unmet},
                    "percentiles": {
                        name: {f"{p}%": round(percentile(found, p / 100), 3) for p in (1, 10, 50, 90, 99)}
                        for name, found in values.items()
                    },
                }
            )
        )
        return UNMET if unmet else 0
    table = Table(title=f"{loaded.scenario.name}: seeds {seeds.start}..{seeds.stop - 1}, seconds", title_justify="left")
    table.add_column("milestone")
    for heading in ("n", "1 %", "10 %", "50 %", "90 %", "99 %"):
        table.add_column(heading, justify="right")
    for name, found in values.items():
        cells = [f"{percentile(found, p):.2f}" for p in (0.01, 0.10, 0.50, 0.90, 0.99)]
        table.add_row(name, str(len(found)), *cells)
    console.print(table)
    if unmet:
        console.print(f"{len(unmet)} of {len(runs)} runs with unmet expectations:", style="bold red")
        for one in unmet[:5]:
            console.print(f"  seed {one.seed}: {one.failures[0]}", markup=False)
        return UNMET
    console.print(f"all expectations hold in all {len(runs)} runs", style="bold green")
    return 0


@app.command("list")
def list_scenarios() -> None:
    """Show the scenarios that come with swarmsim."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("name")
    table.add_column("title")
    for name, text in shipped_scenarios().items():
        table.add_row(name, parse_scenario(text, name).scenario.title)
    _Terminal(highlight=False).print(table)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    print(json.dumps(Scenario.model_json_schema(by_alias=True), indent=2))


@app.command()
def plot(
    trace: Annotated[Path, typer.Argument(help="a trace, simulated or recorded")],
    picture: Annotated[Path, typer.Argument(help="PNG, SVG or PDF to write")],
) -> None:
    """Draw the picture of a trace."""
    from swarmsim.analysis.plots import plot_run, save

    _guarded(lambda: save(plot_run(load_trace(trace)), picture))
    print(picture)


@app.command()
def export(
    trace: Annotated[Path, typer.Argument(help="a trace, simulated or recorded")],
    target: Annotated[Path, typer.Argument(help="Parquet file to write")],
) -> None:
    """Write a trace as one Parquet table."""
    _guarded(lambda: load_trace(trace).to_parquet(target))
    print(target)


@app.command()
def fidelity(
    records: Annotated[Path, typer.Argument(help="folder with a folder of recorded runs for each scenario")],
    seeds: Annotated[int, typer.Option(min=1, help="simulated runs of each scenario")] = 200,
    only: Annotated[str | None, typer.Option(help="one of the recorded scenarios")] = None,
    eager: Eager = False,
) -> None:
    """Hold the model against recorded runs of a real cluster."""
    from swarmsim.analysis.fidelity import RECORDED, judge, report

    if only is not None and only not in RECORDED:
        raise _fail(f"--only {only}: there are {', '.join(RECORDED)}")
    code = 0
    for folder in RECORDED if only is None else (only,):
        if not (records / folder).is_dir():
            raise _fail(f"{records / folder}: no such folder of recorded runs")
        verdict = judge(records, folder, range(1, seeds + 1), eager=eager)
        print(report(verdict), flush=True)
        code = max(code, 0 if verdict.ok else UNMET)
    raise typer.Exit(code)


@app.command("check-lazy")
def check_lazy(
    schedules: Annotated[int, typer.Option(min=1, help="random fault schedules, each run in both modes")] = 1000,
) -> None:
    """Show that leaving out what changes nothing changes nothing: eager and lazy runs of random faults."""
    from swarmsim.analysis.agreement import agree, report

    agreement = agree(range(schedules))
    print(report(agreement))
    raise typer.Exit(0 if agreement.ok else UNMET)


@app.command()
def transcript(
    recorded: Annotated[Path, typer.Argument(help="a recorded transcript of docker commands (JSON Lines)")],
) -> None:
    """Type a recorded transcript of docker commands into the model and compare the answers."""
    from swarmsim.analysis.transcript import read_transcript, report, type_transcript

    try:
        rows = read_transcript(recorded)
    except (OSError, ValueError) as problem:
        raise _fail(f"{recorded}: cannot be read: {problem}") from None
    print(report(type_transcript(rows)))


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except TraceError as problem:
        raise _fail(problem) from None


def _version(asked: bool) -> None:
    if asked:
        print(f"swarmsim {VERSION}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A Docker Swarm you can break."""


def main() -> None:
    """Entry point of the ``swarmsim`` command."""
    app()
