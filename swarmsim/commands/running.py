"""Commands about clusters that are there already: ``swarmsim record``, ``swarmsim calibrate``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from swarmsim.commands.given import fail, seconds
from swarmsim.real.machine import MachineError
from swarmsim.replay.texts import Texts, language_named
from swarmsim.scenario.loader import ScenarioError
from swarmsim.terminal import Screen
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row
from swarmsim.trace.writer import TraceWriter

RunningOn = Annotated[
    str, typer.Option("--on", help="the running cluster: lab, the one that is up, or lab:2 for that number")
]


def record(
    on: RunningOn = "lab",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="where to write the trace")] = None,
    plot: Annotated[Path | None, typer.Option(help="where to draw the picture (PNG, SVG or PDF)")] = None,
    length: Annotated[
        str | None, typer.Option("--for", help="end after this long, such as 10m; default: at Ctrl-C")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no timeline while it happens")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: the locale's")] = None,
) -> None:
    """Watch a running cluster, in which somebody types by hand, and write down what happens as a trace. Nothing is changed in it."""
    from swarmsim.scenario import watching

    try:
        texts = Texts(language_named(lang))
    except ValueError as problem:
        raise fail(problem) from None
    limit = seconds("--for", length)
    if limit is not None and limit <= 0:
        raise fail(f"--for {length}: must be longer than 0")
    path = out or _free(on)
    screen = None if quiet else Screen(texts, math.inf, limit)
    kept: list[Row] = []
    writers: list[TraceWriter] = []
    headers: list[Row] = []

    def begun(header: dict[str, Any]) -> Any:
        headers.append(header)
        writers.append(TraceWriter(path, header))
        if not quiet:
            print(f"watching {header['profile']}; Ctrl-C ends it")

        def sink(row: Row) -> None:
            writers[0].write(row)
            kept.append(row)
            if screen is not None:
                screen.show(row)

        return sink

    try:
        try:
            watching.record(on, begun, math.inf if limit is None else limit)
        finally:
            for writer in writers:
                writer.close()
        if screen is not None:
            screen.finish()
        if plot is not None:
            from swarmsim import plot as pictures

            pictures.save(pictures.run(Trace(headers[0], kept)), plot)
    except (MachineError, ScenarioError, TraceError) as problem:
        raise fail(problem) from None
    if not any(row["kind"] == "node" for row in kept):
        print("no manager answered: there was no swarm to see")
    print(f"trace {path}: {len(kept)} rows")


def _free(on: str) -> Path:
    """A place for a trace that takes no other's."""
    folder = Path("runs")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        raise fail(f"{folder}: cannot be made: {problem.strerror}; name a place with --out") from None
    stem = Path(on.replace(":", "-")).stem
    number = 1
    while (path := folder / f"{stem}-recorded-{number}.jsonl").exists():
        number += 1
    return path
