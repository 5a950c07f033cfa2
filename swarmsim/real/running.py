"""Clusters that are there already: looked at as they are, and left as they are.

``lab`` names the lab that is up, ``lab:4`` the one of that number. A lab is ours, so whoever asks for it may also do things to it: they are
undone at the end. Of any other cluster nothing is changed, which its journal sees to: no change is made that is not written down before, and in
an :class:`Untouched` one nothing can be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from swarmsim.real.hosts import connected, machines_of
from swarmsim.real.journal import Entry, Journal
from swarmsim.real.lab import HOME, Lab
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.versions import versions
from swarmsim.world import FaultError, HostSpec

if TYPE_CHECKING:
    from swarmsim.real.watched import WatchedWorld


class Untouched(Journal):
    """The journal of hosts to which nothing is done."""

    def __init__(self) -> None:
        self.folder = Path()

    def write(self, what: str, undo: str) -> Entry:
        raise FaultError(f"{what}: this cluster is only watched")

    def arm(self, patience: float = 0.0) -> None:
        """There is nothing to undo."""

    def still_here(self, patience: float = 0.0) -> None:
        """Nobody waits for it."""

    def disarm(self) -> None:
        """There is no switch."""

    def undo_all(self) -> bool:
        return True


class Running(NamedTuple):
    """A running cluster. ``journal`` is where it is written how to undo what is done to it; ``title`` is what people call it."""

    title: str
    machines: list[Machine]
    journal: Journal

    @property
    def touchable(self) -> bool:
        """Whether anything may be done to it."""
        return not isinstance(self.journal, Untouched)


@contextmanager
def running_named(name: str, *, touching: bool = False) -> Iterator[Running]:
    """The cluster of this name, for as long as it is looked at; with ``touching``, if it is ours and nobody else has it, one to which something may be done.

    Raises :class:`MachineError` if there is none.
    """
    head, _, number = name.partition(":")
    if head == "lab":
        yield _lab(name, number, touching)
    elif name.endswith((".yaml", ".yml")):
        machines = machines_of(Path(name))
        with connected(machines):
            for machine in machines:
                machine.identify()
            yield Running(name, list(machines), Untouched())
    else:
        raise MachineError(
            f"--on {name}: there is no such cluster; write --on lab for the lab that is up, lab:2 for that number, "
            "or the file of an inventory"
        )


def _lab(name: str, number: str, touching: bool) -> Running:
    if number and not number.isdigit():
        raise MachineError(f"--on {name}: after lab: comes its number, such as lab:2")
    numbers = [int(number)] if number else sorted(int(each.name) for each in HOME.glob("*") if each.name.isdigit())
    up = [lab for lab in map(Lab, numbers) if lab.is_up]
    if not up:
        wanted = f" --lab {number}" if number else ""
        raise MachineError(f"--on {name}: it is not up; bring it up with: swarmsim lab up{wanted}")
    if len(up) > 1:
        several = ", ".join(f"lab:{lab.number}" for lab in up)
        raise MachineError(f"--on {name}: several are up; say which of {several}")
    lab = up[0]
    journal = lab.journal if touching and lab.lock() else Untouched()
    return Running(f"lab {lab.number}", list(lab.machines.values()), journal)


@contextmanager
def watched(name: str, *, touching: bool = False) -> Iterator[WatchedWorld]:
    """The world of a running cluster, as of :func:`running_named`."""
    try:
        from swarmsim.real.watched import WatchedWorld
    except ModuleNotFoundError as lacking:
        raise MachineError(f"real hosts need the package {lacking.name}: pip install 'docker-swarmsim[real]'") from None

    with running_named(name, touching=touching) as found:
        specs = {machine.name: HostSpec(machine.name, machine.address, machine.role) for machine in found.machines}
        with WatchedWorld(found.machines, found.journal, specs, f"{found.title}: {versions(found.machines)}") as world:
            world.title, world.touchable = found.title, found.touchable
            yield world
