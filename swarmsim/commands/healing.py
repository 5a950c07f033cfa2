"""``swarmsim heal``: what faults have done to somebody's own hosts, and nobody undid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarmsim.commands.given import fail
from swarmsim.real import hosts
from swarmsim.real.machine import MachineError


def heal(
    inventory: Annotated[
        Path | None, typer.Argument(help="the inventory; without one, all hosts that there are journals of")
    ] = None,
) -> None:
    """Undo what runs on real hosts left behind, from the journals alone. It may be run any number of times."""
    try:
        undone = hosts.heal(inventory)
    except MachineError as problem:
        raise fail(problem) from None
    print(f"undone: {', '.join(reversed(undone))}" if undone else "there was nothing to undo")
