"""``swarmsim exercise …`` and what ``swarmsim check EXERCISE SESSION…`` says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from swarmsim.exercise.correction import Correction, as_csv, correct, read_handin, solutions
from swarmsim.exercise.key import Key, build, keyed, read_key
from swarmsim.replay.words import duration
from swarmsim.scenario.loader import LoadedScenario, ScenarioError, load_scenario, parse_scenario, shipped_exercises
from swarmsim.trace.reader import TraceError
from swarmsim.trace.writer import write_whole

BAD_INPUT = 2
exercise_app = typer.Typer(help="Exercises for students: list them, build them from a key.", no_args_is_help=True)


def _fail(message: object) -> typer.Exit:
    print(f"swarmsim: {message}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)


@exercise_app.command("list")
def list_exercises() -> None:
    """Show the exercises that come with swarmsim."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    for column in ("name", "points", "title"):
        table.add_column(column)
    for name, text in shipped_exercises().items():
        scenario = parse_scenario(text, name).scenario
        table.add_row(name, str(scenario.exercise.points if scenario.exercise is not None else 0), scenario.title)
    Console(highlight=False).print(table)


@exercise_app.command("build")
def build_exercise(
    exercise: Annotated[str, typer.Argument(help="the exercise: a scenario file with exercise:, or a shipped one")],
    key: Annotated[Path, typer.Argument(help="its key: what is hidden, and the answers")],
    out: Annotated[Path, typer.Option(help="the student's file to write")],
    exam: Annotated[
        bool, typer.Option("--exam", help="no answers in it, not even sealed: swarmsim check needs --key then")
    ] = False,
) -> None:
    """Put an exercise and its key together: the file students get, with answers sealed and faults put away."""
    try:
        loaded = load_scenario(exercise)
        if loaded.scenario.exercise is None:
            raise ScenarioError(f"{exercise}: {loaded.scenario.name} is no exercise: it has no exercise:")
        text = build(loaded, read_key(key, loaded), sealed=not exam)
        parse_scenario(text, str(out))
        write_whole(out, text.encode())
    except (ScenarioError, TraceError) as problem:
        raise _fail(problem) from None
    print(out)


@exercise_app.command("try")
def try_exercise(
    exercise: Annotated[str, typer.Argument(help="the exercise")],
    key: Annotated[Path, typer.Argument(help="its key, with solutions")],
    student: Annotated[str, typer.Option(help="as whom, where every student has another seed")] = "",
) -> None:
    """Play the solution of the key, and do nothing: how many points are there for each?

    The exit code is 1 unless the solution gets all points, and who does nothing does not.
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        loaded = load_scenario(exercise)
        read = read_key(key, loaded)
        solved, idle = (correct(handin, loaded, read) for handin in solutions(loaded, read, student))
    except ScenarioError as problem:
        raise _fail(problem) from None
    show(console, solved)
    show(console, idle)
    raise typer.Exit(0 if solved.points == solved.of > idle.points else 1)


def correct_sessions(
    loaded: LoadedScenario, sessions: list[str], key_file: Path | None, table: Path | None, traces: Path | None
) -> int:
    """Tell what sessions of an exercise are worth; 0 if all have all points, 1 if not. ``table`` is a CSV file to write."""
    console = Console(highlight=False, soft_wrap=True)
    corrections = []
    try:
        key = read_key(key_file, loaded) if key_file is not None else None
        _check_answers(loaded, key)
        handins = [read_handin(session, loaded) for session in sessions]
        if traces is not None:
            traces.mkdir(parents=True, exist_ok=True)
        for handin in handins:
            path = traces / f"{Path(handin.source).stem}.jsonl" if traces is not None else None
            corrections.append(correct(handin, loaded, key, path))
            show(console, corrections[-1])
        if table is not None:
            write_whole(table, as_csv(corrections).encode())
    except OSError as problem:
        raise _fail(f"{traces}: {problem.strerror}") from None
    except (ScenarioError, TraceError) as problem:
        raise _fail(problem) from None
    return 0 if all(one.points == one.of for one in corrections) else 1


def _check_answers(loaded: LoadedScenario, key: Key | None) -> None:
    missing = [question.name for question in keyed(loaded) if not question.sealed]
    if missing and key is None:
        raise ScenarioError(f"{loaded.source}: the answer to {missing[0]} is not in it; name the key with --key")


def show(console: Console, one: Correction) -> None:
    """A verdict: points, each part, the first moment something was missed."""
    whose = f"{one.student}, seed {one.seed}" if one.student else f"seed {one.seed}"
    style = "bold green" if one.points == one.of else "bold red"
    console.print(Text(f"{one.source}: {one.points} of {one.of} points ({whose})", style=style))
    for part in one.parts:
        mark = Text("  ✓", "green") if part.full else Text("  ✗", "red")
        when = f"{duration(part.at)}: " if part.at is not None else ""
        console.print(mark, f"{part.points}/{part.of}", Text(part.what), Text(f"({when}{part.seen})", "dim"))
    missed = one.first_missed
    if missed is not None:
        console.print(Text(f"  missed first at {duration(missed.at or 0.0)}: {missed.what}: {missed.seen}"))
    for reason in one.refused:
        console.print(Text(f"  no points: {reason}", style="red"))
