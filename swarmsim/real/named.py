"""What ``--on`` names."""

from __future__ import annotations

from pathlib import Path

from swarmsim.real.lab import LABS
from swarmsim.real.machine import MachineError
from swarmsim.real.places import LabPlace, Place


def place_named(name: str) -> Place:
    """Raises :class:`MachineError` if there is no such place, or something that it needs is not installed."""
    head, _, number = name.partition(":")
    inventory = name.endswith((".yaml", ".yml"))
    if not inventory and (head != "lab" or (":" in name and not (number.isdigit() and int(number) in LABS))):
        raise MachineError(
            f"--on {name}: there is no such place; write --on lab for hosts made on this machine, lab:2 for a lab that is up, "
            "hosts.yaml for an inventory of hosts behind ssh"
        )
    try:
        if inventory:
            from swarmsim.real.hosts import HostsPlace

            return HostsPlace(Path(name))
        if not number:
            return LabPlace()
        from swarmsim.real.lent import LentLab

        return LentLab(int(number))
    except ModuleNotFoundError as lacking:
        raise MachineError(f"real hosts need the package {lacking.name}: pip install 'docker-swarmsim[real]'") from None
