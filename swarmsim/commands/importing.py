"""``swarmsim import``: a scenario of somebody's own cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from swarmsim.commands.given import fail
from swarmsim.real.machine import MachineError
from swarmsim.scenario.loader import ScenarioError, parse_scenario


def import_(
    files: Annotated[
        list[str] | None, typer.Argument(help="files with what docker printed; none, or -: what is piped in")
    ] = None,
    name: Annotated[str, typer.Option(help="the scenario's name")] = "imported",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="where to write the scenario; default: to standard output")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="ask a running cluster itself: lab, or lab:2 for that number")
    ] = None,
) -> None:
    """Make a scenario of your own cluster from what docker prints: node ls|inspect, service ls|inspect, network, secret and config ls|inspect, stack config.

    What had to be assumed is said, and stands in its first lines.
    """
    from swarmsim.importer import ImportFailed, import_cluster, read_outputs

    if files and on is not None:
        raise fail("--on asks a cluster itself, files have what it printed: leave one of them out")
    if not files and on is None and sys.stdin.isatty():
        raise fail(
            "import what? docker node inspect $(docker node ls -q) | swarmsim import, or name files with such output, "
            "or a running cluster with --on"
        )
    try:
        texts = _asked(on) if on is not None else [_read_output(file) for file in files or ["-"]]
        made = import_cluster(read_outputs(texts), name, [where for where, _ in texts])
        parse_scenario(made.text, str(out or name))
        if out is not None:
            out.write_text(made.text, encoding="utf-8")
    except (ImportFailed, ScenarioError, MachineError) as problem:
        raise fail(problem) from None
    except OSError as problem:
        raise fail(f"{out}: cannot be written: {problem.strerror}") from None
    if out is None:
        print(made.text, end="")
    for sentence in made.assumed:
        print(f"assumed: {sentence}", file=sys.stderr)
    if out is not None:
        print(f"scenario: {out} (swarmsim run {out})")


def _read_output(file: str) -> tuple[str, str]:
    """A file's name for complaints, and its text; ``-`` is what is piped in."""
    if file == "-":
        return "stdin", sys.stdin.read()
    try:
        return file, Path(file).read_text(encoding="utf-8")
    except OSError as problem:
        raise fail(f"{file}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise fail(f"{file}: not UTF-8 text; save the file as UTF-8") from None


def _asked(name: str) -> list[tuple[str, str]]:
    """What a running cluster says of itself, as :func:`_read_output`. Raises :class:`MachineError`."""
    from swarmsim.real.running import running_named
    from swarmsim.real.telling import told

    with running_named(name) as found:
        return told(found.machines)
