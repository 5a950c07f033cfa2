"""What the command line is given: scenarios, traces, moments; and how it refuses them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from swarmsim.pki import ExportError
from swarmsim.replay.words import duration
from swarmsim.scenario.duration import parse_seconds
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, parse_scenario, read_scenario
from swarmsim.scenario.runner import run_scenario, trace_header
from swarmsim.trace.reader import TRACE_FILES, Trace, TraceError, load_trace

UNMET, BAD_INPUT = 1, 2
"""Exit codes: something is not as it should be; there is no telling, for the command makes no sense."""

Source = Annotated[str, typer.Argument(help="a trace, a scenario file, or the name of a shipped scenario")]
At = Annotated[str | None, typer.Option("--at", help="the moment, such as 90s or 3d; default: the end")]
Eager = Annotated[bool, typer.Option("--eager", help="run every heartbeat and tick, also those that change nothing")]
Seed = Annotated[int | None, typer.Option(help="of a scenario: seed of the run (1)")]


ProfileNamed = Annotated[
    str | None,
    typer.Option("--profile", help="how quick machines are: lab, uml, vm, or a file (swarmsim calibrate)"),
]


def fail(message: object) -> typer.Exit:
    print(f"swarmsim: {message}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)


def with_profile(settings: list[str] | None, profile: str | None) -> list[str]:
    """What ``--set`` and ``--profile`` give, in the words of ``--set``."""
    return [*(settings or []), *([f"cluster.profile={profile}"] if profile is not None else [])]


def load(file: str, settings: list[str] | None = None) -> LoadedScenario:
    """A scenario, with other values at the paths that ``--set`` names."""
    from swarmsim.analysis.sweep import SweepError, parse_changes

    try:
        text, source = read_scenario(file)
        return parse_scenario(text, source, parse_changes(settings or []))
    except (ScenarioError, SweepError) as problem:
        raise fail(problem) from None


def load_to_run(file: str, settings: list[str] | None = None) -> LoadedScenario:
    """An exercise is not run: that would tell what it hides, and ask nobody."""
    loaded = load(file, settings)
    if loaded.scenario.exercise is not None:
        name = loaded.scenario.name
        what = f"swarmsim check {name} {file}" if loaded.scenario.session is not None else f"swarmsim watch {file}"
        raise fail(f"{name} is an exercise: {what}")
    return loaded


def seconds(option: str, text: str | None) -> float | None:
    """A duration that an option gives; a bare number is of seconds."""
    if text is None:
        return None
    try:
        return parse_seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as problem:
        raise fail(f"{option} {problem}") from None


def until_then(source: str, at: str | None, seed: int | None) -> Trace:
    """A trace, or a run of a scenario, until a moment."""
    limit = seconds("--at", at)
    if source.endswith(TRACE_FILES):
        if seed is not None:
            raise fail("--seed is for scenarios: a trace has its own")
        try:
            trace = load_trace(source)
        except TraceError as problem:
            raise fail(problem) from None
    else:
        loaded, number = load_to_run(source), 1 if seed is None else seed
        rows: list[dict[str, Any]] = []
        run_scenario(loaded, number, rows.append)
        trace = Trace(trace_header(loaded, number), rows)
    if limit is None:
        return trace
    if limit > trace.duration:
        raise fail(f"--at {at}: it is over after {duration(trace.duration)}")
    return Trace(trace.header, [row for row in trace.rows if row["t"] <= trace.begin + limit])


def guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except (TraceError, ExportError) as problem:
        raise fail(problem) from None
