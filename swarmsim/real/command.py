"""``swarmsim lab …``: hosts on this machine to try things on, and their repair."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from swarmsim.real.lab import HOME, Lab, LabError, Plan

BAD_INPUT = 2
lab_app = typer.Typer(
    help="Real hosts on this machine, each with an engine of its own (needs root).", no_args_is_help=True
)
Number = Annotated[int, typer.Option("--lab", min=1, max=249, help="which lab, if there is more than one")]


def _fail(message: object) -> typer.Exit:
    print(f"swarmsim: {message}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)


@lab_app.command()
def up(
    managers: Annotated[int, typer.Option(min=0, max=99, help="hosts m1, m2, …")] = 3,
    workers: Annotated[int, typer.Option(min=0, max=99, help="hosts w1, w2, …")] = 2,
    lab: Number = 1,
) -> None:
    """Make hosts and start their engines. Their docker is typed with what `lab status` shows."""
    plans = [Plan(f"m{n}", "manager") for n in range(1, managers + 1)]
    plans += [Plan(f"w{n}", "worker") for n in range(1, workers + 1)]
    if not plans:
        raise _fail("a lab without hosts: give --managers or --workers")
    made = _locked(lab)
    try:
        made.up(plans)
    except LabError as problem:
        raise _fail(problem) from None
    _show(made)


@lab_app.command()
def down(lab: Number = 1) -> None:
    """Take the hosts away, with all that is on them."""
    _locked(lab).down()


@lab_app.command()
def status() -> None:
    """Show the labs there are, their hosts, and what has been done to them and not undone."""
    numbers = sorted(int(each.name) for each in HOME.glob("*") if each.name.isdigit())
    labs = [lab for lab in map(Lab, numbers) if lab.is_up]
    for lab in labs:
        _show(lab)
    if not labs:
        print("no lab is up: swarmsim lab up")


@lab_app.command()
def heal(lab: Number = 1) -> None:
    """Undo what faults have done and nobody undid, from the journal alone. It may be run any number of times."""
    found = _locked(lab)
    if not found.is_up:
        print(f"lab {lab} is not up: there is nothing to heal")
        return
    journal = found.journal
    before = journal.entries
    if not journal.undo_all():
        raise _fail(f"not undone: {', '.join(journal.entries)}; see {journal.folder}/undone.log")
    print(f"undone: {', '.join(reversed(before))}" if before else "there was nothing to undo")


def _locked(number: int) -> Lab:
    lab = Lab(number)
    try:
        if lab.lock():
            return lab
    except LabError as problem:
        raise _fail(problem) from None
    raise _fail(f"lab {number} is in use by another swarmsim: end that, or take another with --lab")


def _show(lab: Lab) -> None:
    print(f"lab {lab.number}:")
    for machine in lab.machines.values():
        how = "engine runs" if machine.engine_runs else "no engine" if machine.powered else "no power"
        typed = shlex.join(["docker", "-H", f"unix://{machine.socket}"])
        print(f"  {machine.name:<6} {machine.address:<12} {how:<12} {typed}")
    for entry in lab.journal.entries:
        print(f"  not undone: {entry}")
