"""``swarmsim doctor``: whether a scenario can run on some hosts, and what to do where not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from swarmsim.commands.given import UNMET, fail
from swarmsim.real.doctor import Line, Verdict, examine, failures, judge
from swarmsim.real.doctortexts import CHECKS, FRAME
from swarmsim.real.lab import Plan, free_lab
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.running import running_named
from swarmsim.replay.texts import LANGUAGES, language_named
from swarmsim.terminal import Terminal

MARKS = {
    Verdict.OK: ("✓", "green"),
    Verdict.NOTE: ("·", "cyan"),
    Verdict.WARN: ("!", "yellow"),
    Verdict.FAIL: ("✗", "bold red"),
}


def doctor(
    place: Annotated[
        str,
        typer.Argument(
            help="lab: hosts made on this machine for it; lab:2: those of the lab that is up; hosts.yaml: an inventory"
        ),
    ],
    adopt: Annotated[bool, typer.Option("--adopt", help="the hosts are in use, and shall only be looked at")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: the locale's")] = None,
) -> None:
    """Examine hosts: login, docker, versions, swarm, names, ports between them, clocks, disk, memory, firewalls; with a remedy
    for each line. Exit code 0 only if a scenario can run."""
    try:
        language = language_named(lang)
        with _machines(place) as machines:
            examined = asyncio.run(examine(machines))
    except (ValueError, MachineError) as problem:
        raise fail(problem) from None
    lines = judge(examined, adopt=adopt)
    broken = failures(lines)
    if as_json:
        told = [
            {
                "check": line.check,
                "hosts": list(line.hosts) or list(examined.facts),
                "verdict": str(line.verdict),
                "found": line.found(language),
                "remedy": line.remedy(language) or None,
            }
            for line in lines
        ]
        print(json.dumps({"place": place, "ok": not broken, "lines": told}, ensure_ascii=False))
    else:
        _show(lines, language)
        words = FRAME["cannot" if broken else "can"][LANGUAGES.index(language)]
        print(words.format(n=len(broken)))
    raise typer.Exit(UNMET if broken else 0)


def _show(lines: Sequence[Line], language: str) -> None:
    column = LANGUAGES.index(language)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for title in ("check", "host", "found"):
        table.add_column(FRAME[title][column], overflow="fold")
    for line in lines:
        mark, style = MARKS[line.verdict]
        found = Text(line.found(language))
        if remedy := line.remedy(language):
            found.append(f"\n→ {remedy}", style="dim")
        hosts = " ".join(line.hosts) or FRAME["all"][column]
        table.add_row(Text(mark, style=style), CHECKS[line.check][column], Text(hosts), found)
    Terminal(highlight=False).print(table)


@contextmanager
def _machines(place: str) -> Iterator[Sequence[Machine]]:
    """The hosts of a place. Those of ``lab`` are made for as long as they are examined."""
    if place != "lab":
        with running_named(place) as found:
            yield found.machines
        return
    lab = free_lab()
    lab.up([Plan("m1", "manager"), Plan("w1", "worker")])
    try:
        yield list(lab.machines.values())
    finally:
        lab.down()
