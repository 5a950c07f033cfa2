"""Commands about clusters that are there already: ``swarmsim record``, ``swarmsim calibrate``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from swarmsim.commands.given import fail, seconds
from swarmsim.real.machine import MachineError
from swarmsim.replay.texts import Texts, language_named
from swarmsim.scenario.loader import ScenarioError
from swarmsim.terminal import Screen, Terminal
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


def calibrate(
    out: Annotated[Path, typer.Option("--out", "-o", help="where to write the profile, such as my-vms.yaml")],
    on: RunningOn = "lab",
    image: Annotated[
        str | None, typer.Option(help="an image all hosts have, with sleep and true; default: the smallest there is")
    ] = None,
    base: Annotated[str, typer.Option(help="a shipped profile, for what cannot be measured")] = "lab",
) -> None:
    """Measure how quick a running cluster is, without harm, and write a profile that the model takes with --profile."""
    import asyncio
    from datetime import UTC, datetime

    from swarmsim.analysis.calibration import ENOUGH, beside, calibrated
    from swarmsim.profile import FILES, profile_names
    from swarmsim.real.running import running_named
    from swarmsim.real.versions import versions
    from swarmsim.trace.writer import write_whole

    if out.suffix not in FILES:
        raise fail(f"--out {out}: the name of a profile ends with .yaml")
    if not out.absolute().parent.is_dir():
        raise fail(f"--out {out}: there is no folder {out.absolute().parent}")
    if base not in profile_names():
        raise fail(f"--base {base}: there are {', '.join(profile_names())}")
    try:
        with running_named(on) as found:
            try:
                from swarmsim.real.measuring import measured
            except ModuleNotFoundError as lacking:
                raise MachineError(
                    f"real hosts need the package {lacking.name}: pip install 'docker-swarmsim[real]'"
                ) from None
            samples = asyncio.run(measured(found.machines, image))
            day = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
            hosts = " ".join(machine.name for machine in found.machines)
            about = f"{found.title} ({hosts}), measured on {day}. {versions(found.machines)}."
        made, text = calibrated(samples, out.stem, json.dumps(about), base)
        write_whole(out, text.encode())
    except (MachineError, TraceError) as problem:
        raise fail(problem) from None
    table = Table(box=None, padding=(0, 3, 0, 0))
    for column in ("median, ms", out.stem, "lab", "vm"):
        table.add_column(column, justify="left" if column == "median, ms" else "right")
    known = [field for field, seconds in samples.items() if len(seconds) >= ENOUGH]
    for row in beside(made, known, ("lab", "vm")):
        table.add_row(*row)
    Terminal(highlight=False).print(table)
    print(f"profile {out}: {len(known)} laws measured, the others from {base}, as the file says")
    print(f"next: swarmsim compare SCENARIO --from TRACE --profile {out}")
