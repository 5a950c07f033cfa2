"""What a running cluster says of itself: docker is typed on its managers, and only asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from swarmsim.real.machine import Machine, MachineError

PATIENCE = 30.0
"""Seconds a command gets; a manager without a quorum needs 20 to say so."""
LISTED = ("node", "network", "service", "secret", "config")
"""What is asked about, in this order: ids are listed, and each is inspected."""
NO_MANAGER = "no manager answers: the cluster can be asked only while its managers have a quorum"


def docker(machine: Machine, *words: str) -> str | None:
    """What ``docker <words>`` prints on a host; ``None`` if it fails."""
    typed, environment = machine.docker(words)
    try:
        done = subprocess.run(
            typed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def told(machines: Sequence[Machine]) -> list[tuple[str, str]]:
    """What ``inspect`` prints of all nodes, networks, services, secrets and configs, each with the command that was typed.

    Raises :class:`MachineError` if no manager answers.
    """
    for machine in machines:
        if machine.powered and machine.engine_runs and docker(machine, "node", "ls", "-q"):
            return [text for what in LISTED if (text := _inspected(machine, what)) is not None]
    raise MachineError(NO_MANAGER)


def _inspected(machine: Machine, what: str) -> tuple[str, str] | None:
    listed = docker(machine, what, "ls", "-q")
    if listed is None:
        raise MachineError(f"{machine.name}: docker {what} ls fails; see what it says there")
    if not listed.split():
        return None
    inspected = docker(machine, what, "inspect", *dict.fromkeys(listed.split()))
    if inspected is None:
        raise MachineError(f"{machine.name}: docker {what} inspect fails; perhaps one was just removed: try again")
    return f"docker {what} inspect on {machine.name}", inspected
