"""``swarmsim …``: the command line. Thin: it wires rooms together and turns errors into exit codes.

Exit codes: 0 all expectations hold, 1 one does not, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from swarmsim.analysis.availability import Meter
from swarmsim.analysis.availability import as_json as availability_as_json
from swarmsim.analysis.ensemble import RunResult, estimates, percentile, pooled, precise, record_many, run_ensemble
from swarmsim.analysis.milestones import milestones
from swarmsim.analysis.trial import Until
from swarmsim.commands.doctoring import doctor
from swarmsim.commands.drawing import plot
from swarmsim.commands.dryrun import show_dry_run
from swarmsim.commands.given import UNMET, Eager, ProfileNamed, with_profile
from swarmsim.commands.given import fail as _fail
from swarmsim.commands.given import guarded as _guarded
from swarmsim.commands.given import load as _load
from swarmsim.commands.given import load_to_run as _load_to_run
from swarmsim.commands.given import seconds as _seconds
from swarmsim.commands.healing import heal
from swarmsim.commands.importing import import_
from swarmsim.commands.moments import cert, net, pki
from swarmsim.commands.running import calibrate, record
from swarmsim.commands.truth import check_lazy, client, fidelity, transcript
from swarmsim.exercise.command import correct_sessions, exercise_app
from swarmsim.pki import ExportError, export_pki, refuse_folder
from swarmsim.real.command import lab_app
from swarmsim.real.machine import MachineError
from swarmsim.replay.texts import Texts, language_named
from swarmsim.scenario.loader import (
    LoadedScenario,
    ScenarioError,
    parse_scenario,
    read_scenario,
    shipped_scenarios,
)
from swarmsim.scenario.runner import Outcome, build_world, run_on, trace_header
from swarmsim.scenario.schema import Scenario
from swarmsim.terminal import (
    PERCENTILES,
    Bar,
    Screen,
    Terminal,
    show_ensemble,
    show_in_one_line,
    show_story,
    show_timeline,
    show_title,
    show_verdict,
)
from swarmsim.trace.reader import Trace, TraceError, load_trace
from swarmsim.trace.state import state_of
from swarmsim.trace.writer import TraceWriter, write_trace
from swarmsim.version import VERSION
from swarmsim.world import World

INTERRUPTED = 130
RUNS = Path("runs")

app = typer.Typer(
    name="swarmsim",
    help="A Docker Swarm you can break: run scenarios on a simulated cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.add_typer(exercise_app, name="exercise")
app.add_typer(lab_app, name="lab")

Form = Literal["story", "timeline", "line", "json"]
"""What a run is told as; with the timeline comes the story too."""
Lang = Annotated[str | None, typer.Option(help="en or zh; default: the locale's")]

On = Annotated[
    str | None,
    typer.Option(
        "--on",
        help="on real engines instead of the model: lab, hosts made on this machine (root); lab:2, those of a lab that is up; "
        "hosts.yaml, an inventory of hosts behind ssh",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="with --on: agreed to what is done to its hosts; nobody is asked")]


def _texts(lang: str | None) -> Texts:
    try:
        return Texts(language_named(lang))
    except ValueError as problem:
        raise _fail(problem) from None


@app.command()
def run(
    files: Annotated[list[str], typer.Argument(help="scenario files, or names of shipped scenarios")],
    seed: Annotated[int, typer.Option(help="seed of the run; the same seed gives the same trace")] = 1,
    seeds: Annotated[int, typer.Option(min=0, help="run this many seeds and show percentiles of every milestone")] = 0,
    trace: Annotated[Path | None, typer.Option(help="where to write the trace")] = None,
    plot: Annotated[Path | None, typer.Option(help="where to draw the picture (PNG, SVG or PDF)")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="the whole timeline, not only the story")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="one line a run")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a run instead of text")] = False,
    speed: Annotated[
        float, typer.Option(min=0.0, help="follow the timeline at this multiple of real time (0: as fast as it goes)")
    ] = 0.0,
    until: Annotated[str | None, typer.Option(help="stop after this much simulated time, such as 90s or 5m")] = None,
    messages: Annotated[
        bool, typer.Option(help="write every Raft message and every agent's report into the trace")
    ] = False,
    precision: Annotated[
        str | None, typer.Option(help="with --seeds: stop early once every share is known this well, such as 5%")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="another value at a path, such as cluster.managers=5; repeatable")
    ] = None,
    export_pki: Annotated[
        Path | None,
        typer.Option(
            "--export-pki", help="a new folder for each host's certificate, key and root, as they are at the end"
        ),
    ] = None,
    profile: ProfileNamed = None,
    eager: Eager = False,
    on: On = None,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="with --on: print every command with its undo, and touch nothing")
    ] = False,
    lang: Lang = None,
) -> None:
    """Run scenarios: tell what happened, check what they expect, leave a trace and a picture."""
    limit = _until(until)
    wanted = _precision(precision)
    texts = _texts(lang)
    if wanted is not None and not seeds:
        raise _fail("--precision is reached with more runs: give --seeds, how many at most")
    loaded = [_load_to_run(file, with_profile(set_, profile)) for file in files]
    single = {
        "--trace": trace, "--plot": plot, "--speed": speed, "--until": until, "--messages": messages, "--verbose": verbose,
        "--export-pki": export_pki,
    }  # fmt: skip
    given = [option for option, value in single.items() if value]
    if seeds and given:
        raise _fail(f"{given[0]} is for a single run, --seeds for many: leave one of them out")
    if speed and (quiet or as_json):
        raise _fail("--speed sets the pace of the timeline, which --quiet and --json leave out")
    if verbose and (quiet or as_json):
        raise _fail("--verbose shows the timeline, which --quiet and --json leave out")
    model = {
        "--seed": seed != 1,
        "--seeds": seeds,
        "--messages": messages,
        "--eager": eager,
        "--speed": speed,
        "--export-pki": export_pki,
        "--profile": profile,
    }
    if on is not None and (unfit := [option for option, value in model.items() if value]):
        raise _fail(f"{unfit[0]} is for the model, --on for real hosts: leave one of them out")
    if on is None and (yes or dry_run):
        raise _fail(f"{'--dry-run' if dry_run else '--yes'} is for real hosts: say which with --on")
    if on is not None and dry_run:
        for scenario in loaded:
            show_dry_run(scenario, on)
        return
    if (trace or plot) and len(loaded) > 1:
        raise _fail("--trace and --plot need a single scenario")
    if export_pki is not None:
        if len(loaded) > 1:
            raise _fail("--export-pki needs a single scenario")
        _guarded(lambda: refuse_folder(export_pki))
    code = 0
    for scenario in loaded:
        if seeds:
            code = max(code, _ensemble(texts, scenario, range(seed, seed + seeds), as_json, quiet, eager, wanted))
            continue
        form: Form = "json" if as_json else "line" if quiet else "timeline" if verbose or speed else "story"
        outcome = _run_once(
            texts, scenario, seed, trace, plot, form, speed, limit, messages, eager, export_pki, on, yes
        )
        if outcome.interrupted:
            raise typer.Exit(INTERRUPTED)
        code = max(code, UNMET if outcome.failures else 0)
    raise typer.Exit(code)


def _precision(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise _fail(f"--precision {text}: write a part of the mean, such as 5%")
    return share


def _until(text: str | None) -> float | None:
    seconds = _seconds("--until", text)
    if seconds is not None and seconds <= 0:
        raise _fail(f"--until {text}: must be longer than 0")
    return seconds


def _run_once(
    texts: Texts,
    loaded: LoadedScenario,
    seed: int,
    trace_path: Path | None,
    plot_path: Path | None,
    form: Form,
    speed: float,
    until: float | None,
    messages: bool,
    eager: bool,
    export: Path | None,
    on: str | None,
    yes: bool,
) -> Outcome:
    name = loaded.scenario.name
    # What was changed by --set does not take the place of the scenario's own trace.
    changed = f"{name}-{loaded.digest[:6]}" if loaded.changed else name
    stem = f"{changed}-{seed if on is None else _file_name(on)}"
    rows: list[dict[str, Any]] = []
    length = loaded.scenario.duration
    follows = speed > 0 or (on is not None and form == "timeline")
    screen = Screen(texts, speed or math.inf, length) if follows else None
    meter = Meter()
    try:
        trace_path = trace_path or _in_runs(f"{stem}.jsonl")
        plot_path = plot_path or _in_runs(f"{stem}.png")
        with _world(loaded, seed, eager, on, yes) as (world, header):
            if form in ("story", "timeline"):
                show_title(texts, header)
            bar = Bar(name, None if screen else length)
            with TraceWriter(trace_path, header) as writer, bar:

                def sink(row: dict[str, Any]) -> None:
                    writer.write(row)
                    rows.append(row)
                    meter.add(row)
                    (screen or bar).show(row)

                outcome = run_on(world, loaded, sink, messages=messages, until=until)
        trace = Trace(header, rows)
        if screen is not None:
            screen.finish()
        if rows:
            from swarmsim import plot as pictures

            pictures.save(pictures.run(trace), plot_path)
        if export is not None:
            export_pki(state_of(rows).trust, export)
    except (TraceError, ExportError, ScenarioError, MachineError) as problem:
        raise _fail(problem) from None
    if form == "json":
        summary = _summary(loaded, header["seed"], outcome, trace)
        summary["availability"] = availability_as_json(meter.read())
        print(json.dumps({**summary, "trace": str(trace_path), "plot": str(plot_path)}))
    elif form == "line":
        show_in_one_line(texts, header, outcome, meter.read(), trace_path)
    else:
        if form == "timeline" and not screen:
            show_timeline(texts, trace, length)
        show_story(texts, trace)
        show_verdict(texts, outcome, meter.read(), trace_path, plot_path)
    return outcome


@contextmanager
def _world(
    loaded: LoadedScenario, seed: int, eager: bool, on: str | None, yes: bool
) -> Iterator[tuple[World, dict[str, Any]]]:
    """What a scenario is run on, and the first row of the trace."""
    if on is None:
        yield build_world(loaded.scenario, seed, eager=eager), trace_header(loaded, seed)
        return
    from swarmsim.analysis.reality import real_hosts

    with real_hosts(on, loaded, yes=yes) as real:
        yield real, trace_header(loaded, 0, real.described, **real.told)


def _file_name(place: str) -> str:
    """A place as part of a file's name."""
    return Path(place).stem.replace(":", "-")


def _in_runs(name: str) -> Path:
    try:
        RUNS.mkdir(exist_ok=True)
    except OSError as problem:
        raise TraceError(f"{RUNS}: cannot be made: {problem.strerror}; name places with --trace and --plot") from None
    return RUNS / name


def _summary(loaded: LoadedScenario, seed: int, outcome: Outcome, trace: Trace) -> dict[str, Any]:
    return {
        "scenario": loaded.scenario.name,
        "seed": seed,
        "ok": outcome.ok,
        "interrupted": outcome.interrupted,
        "simulated": round(outcome.simulated, 3),
        "unmet": [{"expected": f.expected, "seen": f.seen, "t": round(f.at, 3)} for f in outcome.failures],
        "believed": list(outcome.believed),
        "warnings": list(outcome.warnings),
        "traffic": {name: dict(sorted(tally.outcomes.items())) for name, tally in outcome.traffic.items()},
        "milestones": milestones(trace),
    }


def _ensemble(
    texts: Texts, loaded: LoadedScenario, seeds: range, as_json: bool, quiet: bool, eager: bool, precision: float | None
) -> int:
    runs: list[RunResult] = []
    with Progress(console=Console(stderr=True), disable=quiet or as_json, transient=True) as progress:
        bar = progress.add_task(loaded.scenario.name, total=len(seeds))
        try:
            for one in run_ensemble(loaded, seeds, eager=eager):
                runs.append(one)
                progress.advance(bar)
                if precision is not None and precise(runs, precision):
                    break
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print(json.dumps(_ensemble_summary(loaded, runs)))
    else:
        show_ensemble(texts, loaded.scenario.name, runs, len(seeds))
    return UNMET if any(one.failures for one in runs) else 0


def _ensemble_summary(loaded: LoadedScenario, runs: list[RunResult]) -> dict[str, Any]:
    unmet = {one.seed: one.failures for one in runs if one.failures}
    return {
        "scenario": loaded.scenario.name,
        "seeds": [runs[0].seed, runs[-1].seed],
        "ok": not unmet,
        "unmet": unmet,
        "percentiles": {
            name: {f"{p}%": round(percentile(found, p / 100), 3) for p in PERCENTILES}
            for name, found in pooled(runs).items()
        },
        "availability": {
            name: {"mean": found.mean, "half_width_95%": found.half_width} for name, found in estimates(runs).items()
        },
    }


@app.command()
def sweep(
    file: Annotated[str, typer.Argument(help="a scenario file, or the name of a shipped scenario")],
    set_: Annotated[
        list[str], typer.Option("--set", help="values to try at a path, such as cluster.managers=1,3,5; repeatable")
    ],
    out: Annotated[Path, typer.Option(help="Parquet file for the results, a row for every run")],
    seeds: Annotated[int, typer.Option(min=1, help="runs at every point of the grid")] = 20,
    seed: Annotated[int, typer.Option(help="the first seed")] = 1,
    cluster: Annotated[
        str | None, typer.Option(help="run on a Dask cluster: tcp://HOST:PORT, or its scheduler file (.json)")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar")] = False,
) -> None:
    """Run a scenario with other values, each with many seeds. Interrupted, the same command goes on."""
    from swarmsim.analysis.sweep import Cores, DaskCluster, Results, SweepError, parse_setting, plan, run_sweep

    done, total = 0, 0
    try:
        text, source = read_scenario(file)
        planned = plan(text, source, [parse_setting(setting) for setting in set_])
        total = len(planned.points) * seeds
        place = DaskCluster(cluster) if cluster is not None else Cores()
        with (
            Results(out, planned) as results,
            Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress,
        ):
            bar = progress.add_task(planned.points[0][1].scenario.name, total=total)
            for done in run_sweep(planned, range(seed, seed + seeds), results, place):
                progress.update(bar, completed=done)
    except KeyboardInterrupt:
        print(f"swarmsim: interrupted: {done} of {total} runs are kept; the same command goes on", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except (ScenarioError, SweepError) as problem:
        kept = f" ({done} of {total} runs are kept; the same command goes on)" if done else ""
        raise _fail(f"{problem}{kept}") from None
    print(f"{total} runs: {out}")


@app.command()
def advise(
    file: Annotated[str, typer.Argument(help="a scenario file, or the name of a shipped scenario")],
    seeds: Annotated[int, typer.Option(min=2, help="runs behind every figure")] = 10,
    seed: Annotated[int, typer.Option(help="the first seed")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a page")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar")] = False,
) -> None:
    """Advise on a cluster: how many managers, what is lost with which host or site, what one more worker buys.

    By experiments on the model, about a minute of them; each figure comes with the command that shows it again.
    """
    import msgspec

    from swarmsim.analysis.advice import Adviser
    from swarmsim.analysis.advicetext import page

    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task(file, total=None)

        def told(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        try:
            text, source = read_scenario(file)
            found = Adviser(text, source, range(seed, seed + seeds), told).advice()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except ScenarioError as problem:
            raise _fail(problem) from None
    print(json.dumps(msgspec.to_builtins(found)) if as_json else page(found))


@app.command()
def compare(
    file: Annotated[str, typer.Argument(help="a scenario file, or the name of a shipped scenario")],
    on: On = None,
    yes: Yes = False,
    runs: Annotated[
        int | None, typer.Option(min=1, help="with --on: real runs at most, one after the other (1)")
    ] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option("--from", help="traces of real runs made earlier, instead of new ones; repeatable"),
    ] = None,
    until: Annotated[
        Until, typer.Option(help="stop before --runs as soon as nothing is in doubt, or more runs would change nothing")
    ] = Until.ALL,
    seeds: Annotated[int, typer.Option(min=2, help="simulated runs")] = 200,
    seed: Annotated[int, typer.Option(help="the first seed")] = 1,
    profile: ProfileNamed = None,
    page: Annotated[
        Path | None, typer.Option("--report", help="write a page of HTML too: both worlds side by side")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of sentences")] = False,
    lang: Lang = None,
) -> None:
    """Hold the model against real engines: the same scenario on both, milestone by milestone. Exit code 1: they differ.

    One real run tells little, for chance makes one unusual in something now and then: the verdict says how sure it is. The exit code is
    1 only if it is sure that they differ.
    """
    from swarmsim.analysis.reality import record_real, refuse_for
    from swarmsim.analysis.trial import Trial, as_json_object, told, verdict_told
    from swarmsim.analysis.verdict import Standing
    from swarmsim.report.comparison import write_comparison

    texts = _texts(lang)
    if (on is None) == (not records):
        raise _fail("compare with what? --on lab makes real runs, --from TRACE takes some made earlier")
    if records and runs is not None:
        raise _fail("--runs is for new runs, --from takes some made earlier: leave one of them out")
    if yes and on is None:
        raise _fail("--yes is for real hosts: say which with --on")
    if until is not Until.ALL and (runs or 1) == 1:
        raise _fail("--until ends a comparison before its last run: with --on, and --runs with how many at most")
    loaded = _load_to_run(file, with_profile(None, profile))
    try:
        made = [load_trace(path) for path in records or []]
        if on is not None:
            refuse_for(on, loaded)
        if page is not None and not page.parent.is_dir():
            raise TraceError(f"{page}: there is no folder {page.parent}")
        trial = Trial(record_many(loaded, range(seed, seed + seeds)), seed)
        for trace in made:
            trial.heard(trace)
        wanted = 0 if records else runs or 1
        while len(trial.real) < wanted and not trial.enough(until):
            number = len(trial.real) + 1
            print(f"real run {number} of {wanted} …", file=sys.stderr)
            trace = record_real(str(on), loaded, yes=yes)
            path = _in_runs(f"{loaded.scenario.name}-{_file_name(str(on))}-{number}.jsonl")
            write_trace(path, trace.header, trace.rows)
            print(f"trace {path}: {verdict_told(trial.heard(trace))}", file=sys.stderr)
        if page is not None:
            write_comparison(trial, page, texts)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (TraceError, ScenarioError, MachineError) as problem:
        raise _fail(problem) from None
    verdict = trial.verdict
    if as_json:
        print(json.dumps({"scenario": loaded.scenario.name, **as_json_object(trial)}))
    else:
        for sentence in told(trial):
            print(sentence)
        print(f"{loaded.scenario.name}: {verdict_told(verdict)}")
        if page is not None:
            print(f"report {page}")
    raise typer.Exit(UNMET if verdict.standing is Standing.DIFFERS else 0)


@app.command()
def watch(
    what: Annotated[
        str | None, typer.Argument(help="a scenario file, the name of a shipped scenario (playground), or a trace")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the run (1); the same seed gives the same future")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=10_000.0, help="multiple of real time to begin with")] = 1.0,
    messages: Annotated[bool, typer.Option(help="show every Raft message")] = False,
    lang: Lang = None,
    web: Annotated[bool, typer.Option("--web", help="in a browser instead of the terminal")] = False,
    student: Annotated[str | None, typer.Option(help="of an exercise: who you are")] = None,
    host: Annotated[str, typer.Option(help="with --web: address to listen at")] = "127.0.0.1",
    on: Annotated[
        str | None, typer.Option("--on", help="watch real hosts that are there: lab, the one that is up, or lab:2")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="with --web: port to listen at")] = 8000,
) -> None:
    """Watch a cluster, live or recorded, in a terminal app: break it, rewind it, try again."""
    from swarmsim.tui.start import WatchError, start, start_on
    from swarmsim.tui.web import serve

    if on is not None:
        model = {what: what, "--seed": seed, "--messages": messages, "--web": web, "--student": student}
        if unfit := [option for option, value in model.items() if value]:
            raise _fail(f"{unfit[0]} is for the model, --on for real hosts: leave one of them out")
    what = what or "playground"
    try:
        if on is not None:
            start_on(on, speed, lang)
        elif web:
            serve(what, seed, speed, messages, lang, host, port, student)
        else:
            start(what, seed, speed, messages, lang, student)
    except (WatchError, ScenarioError, TraceError, MachineError) as problem:
        raise _fail(problem) from None


@app.command("list")
def list_scenarios() -> None:
    """Show the scenarios that come with swarmsim."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("name")
    table.add_column("title")
    for name, text in shipped_scenarios().items():
        table.add_row(name, parse_scenario(text, name).scenario.title)
    Terminal(highlight=False).print(table)
    print("\nExercises: swarmsim exercise list")


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    print(json.dumps(dialect | Scenario.model_json_schema(by_alias=True), indent=2))


app.command("import")(import_)
app.command()(record)
app.command()(calibrate)
app.command()(doctor)
app.command()(heal)
app.command()(cert)
app.command()(pki)
app.command()(net)
app.command()(plot)


@app.command()
def report(
    trace: Annotated[Path, typer.Argument(help="a trace, simulated or recorded")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write; default: TRACE with .html")] = None,
    lang: Lang = None,
) -> None:
    """Write a run as one page: the story, the plots, the timeline to search. It needs no network."""
    from swarmsim.report import write_report

    target = out or trace.with_suffix(".html")
    texts = _texts(lang)
    _guarded(lambda: write_report(load_trace(trace), trace, target, texts))
    print(target)


@app.command()
def export(
    trace: Annotated[Path, typer.Argument(help="a trace, simulated or recorded")],
    out: Annotated[
        Path | None, typer.Option(help="file to write; default: TRACE with .parquet or .perfetto.json")
    ] = None,
    perfetto: Annotated[bool, typer.Option("--perfetto", help="as JSON for ui.perfetto.dev")] = False,
) -> None:
    """Write a trace as one Parquet table with a column for every field, or for Perfetto's viewer."""
    from swarmsim.replay.perfetto import write_perfetto

    path = out or trace.with_suffix(".perfetto.json" if perfetto else ".parquet")
    if perfetto:
        _guarded(lambda: write_perfetto(load_trace(trace), path))
    else:
        _guarded(lambda: load_trace(trace).to_parquet(path))
    print(path)


app.command()(fidelity)


@app.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(help="a scenario, then traces, simulated or recorded; or an exercise, then sessions"),
    ],
    invariants: Annotated[
        bool, typer.Option("--invariants", help="hold traces against what SwarmKit's own specification demands")
    ] = False,
    key: Annotated[Path | None, typer.Option(help="of an exercise: the lecturer's key")] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="of an exercise: a table of all points to write")] = None,
    traces: Annotated[Path | None, typer.Option(help="of an exercise: a folder for what was replayed")] = None,
) -> None:
    """Judge what happened; the exit code is 1 if something does not hold.

    With a scenario: whether traces are as it expects. With --invariants: whether what they tell is possible at all. With an
    exercise: how many points sessions of it get that swarmsim watch saved, and what was missed first.
    """
    for option, value in (("--key", key), ("--csv", table), ("--traces", traces)):
        if value is not None and (invariants or len(files) < 2):
            raise _fail(f"{option} goes with an exercise and sessions: swarmsim check EXERCISE SESSION…")
    if invariants:
        _guarded(lambda: _check_invariants(files))
    elif len(files) < 2:
        raise _fail("check what? write swarmsim check SCENARIO TRACE… or swarmsim check --invariants TRACE…")
    else:
        loaded = _load(str(files[0]))
        if loaded.scenario.exercise is not None:
            raise typer.Exit(correct_sessions(loaded, [str(file) for file in files[1:]], key, table, traces))
        if key or table or traces:
            raise _fail(f"--key, --csv and --traces are for exercises; {loaded.scenario.name} is none")
        _guarded(lambda: _check_scenario(loaded, files[1:]))


def _check_scenario(loaded: LoadedScenario, traces: list[Path]) -> None:
    from swarmsim.scenario.verdict import judge

    code = 0
    for path in traces:
        verdict = judge(loaded.scenario, load_trace(path).rows)
        for failure in verdict.failures:
            print(f"{path}: after {failure.at:.1f} s expected {failure.expected}; seen: {failure.seen}")
        for sentence in verdict.unknown:
            print(f"{path}: cannot be told: {sentence}")
        for sentence in verdict.believed:
            print(f"{path}: but {sentence}")
        if verdict.ok:
            print(f"{path}: as {loaded.scenario.name} expects")
        else:
            code = UNMET
    raise typer.Exit(code)


def _check_invariants(traces: list[Path]) -> None:
    from swarmsim.check import INVARIANTS, check_trace

    code = 0
    for path in traces:
        broken = check_trace(load_trace(path).rows)
        if broken:
            code = UNMET
        for each in broken:
            print(f"{path}: {each}")
    if not code:
        print(f"{len(traces)} trace{'' if len(traces) == 1 else 's'}: all {len(INVARIANTS)} invariants hold")
    raise typer.Exit(code)


app.command("check-lazy")(check_lazy)
app.command()(transcript)
app.command()(client)


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


PANELS = {
    "Simulate": ("run", "watch", "list", "sweep", "advise", "import", "schema", "exercise"),
    "Look at a run": ("cert", "pki", "net", "plot", "report", "export", "check"),
    "Real hosts": ("compare", "record", "doctor", "lab"),
    "Is the model true?": ("fidelity", "check-lazy", "transcript", "client"),
}
"""What ``--help`` shows together; a command that is in none of them comes under another heading."""


def _sort_into_panels() -> None:
    panel_of = {name: panel for panel, names in PANELS.items() for name in names}
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback is not None else "")
        command.rich_help_panel = panel_of.get(name)
    for group in app.registered_groups:
        group.rich_help_panel = panel_of.get(group.name or "")


def main() -> None:
    """Entry point of the ``swarmsim`` command."""
    _sort_into_panels()
    # Whoever stops early (Ctrl-C, --precision) means to.
    warnings.filterwarnings("ignore", message=".*tasks which were still being processed", category=UserWarning)
    app()
