"""Whether the model is true: to recorded clusters (``fidelity``), to itself with every heartbeat (``check-lazy``), to docker's answers
(``transcript``) and to its client (``client``). Each judges by records and ends with 1 if something differs more than it may."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarmsim.commands.given import UNMET, Eager, fail


def fidelity(
    records: Annotated[Path, typer.Argument(help="folder with a folder of recorded runs for each scenario")],
    seeds: Annotated[int, typer.Option(min=1, help="simulated runs of each scenario")] = 200,
    only: Annotated[str | None, typer.Option(help="one of the recorded scenarios")] = None,
    eager: Eager = False,
) -> None:
    """Hold the model against recorded runs of a real cluster."""
    from swarmsim.analysis.fidelity import RECORDED, judge, judge_ranks, report, report_ranks

    if only is not None and only not in RECORDED:
        raise fail(f"--only {only}: there are {', '.join(RECORDED)}")
    verdicts = []
    for folder in RECORDED if only is None else (only,):
        if not (records / folder).is_dir():
            raise fail(f"{records / folder}: no such folder of recorded runs")
        verdicts.append(judge(records, folder, range(1, seeds + 1), eager=eager))
        print(report(verdicts[-1]), flush=True)
    ranks = judge_ranks(verdicts)
    print(report_ranks(ranks))
    raise typer.Exit(0 if ranks.ok and all(verdict.ok for verdict in verdicts) else UNMET)


def check_lazy(
    schedules: Annotated[int, typer.Option(min=1, help="random fault schedules, each run in both modes")] = 1000,
) -> None:
    """Show that leaving out what changes nothing changes nothing: eager and lazy runs of random faults."""
    from swarmsim.analysis.agreement import agree, report

    agreement = agree(range(schedules))
    print(report(agreement))
    raise typer.Exit(0 if agreement.ok else UNMET)


def transcript(
    recorded: Annotated[Path, typer.Argument(help="a recorded transcript of docker commands (JSON Lines)")],
) -> None:
    """Type a recorded transcript of docker commands into the model and compare the answers."""
    from swarmsim.analysis.clientrecord import read_exceptions
    from swarmsim.analysis.transcript import read_transcript, report, type_transcript

    try:
        rows = read_transcript(recorded)
        reasons = read_exceptions(recorded.parent)
    except (OSError, ValueError) as problem:
        raise fail(f"{recorded}: cannot be read: {problem}") from None
    print(report(type_transcript(rows), reasons))


def client(
    folder: Annotated[Path, typer.Argument(help="a folder with what the real docker client did (lines.jsonl)")],
) -> None:
    """Type recorded command lines to our client and compare what it prints and asks for with the real one."""
    from swarmsim.analysis.clientrecord import is_true_to, read_exceptions, report, type_lines
    from swarmsim.analysis.stackrecord import FILES, deploy_all

    try:
        judged = deploy_all(folder) if (folder / FILES).exists() else type_lines(folder)
        reasons = read_exceptions(folder)
    except (OSError, ValueError) as problem:
        raise fail(f"{folder}: cannot be read: {problem}") from None
    print(report(judged, reasons))
    raise typer.Exit(0 if is_true_to(judged, reasons) else UNMET)
