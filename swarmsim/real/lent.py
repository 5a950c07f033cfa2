"""Hosts that are somebody's, lent for a run: examined, agreed to, and as they were at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from swarmsim.real.careful import Terms, admitted, chosen, told_in_header
from swarmsim.real.journal import Journal
from swarmsim.real.lab import Lab
from swarmsim.real.machine import Machine, MachineError
from swarmsim.real.places import LabPlace, plans_of
from swarmsim.real.versions import versions
from swarmsim.real.waits import Happening
from swarmsim.real.world import RealWorld
from swarmsim.world import HostSpec

AS_BEFORE = "the {n} hosts of {name} are as before: rules, links, services, containers, networks, volumes, swarm, clock"


@contextmanager
def lent(
    name: str,
    machines: Sequence[Machine],
    journal: Journal,
    specs: Mapping[str, HostSpec],
    described: str,
    terms: Terms,
) -> Iterator[RealWorld]:
    """Hosts of a place ``name`` that are somebody's. What an earlier run left is undone first; then they are examined, somebody has to agree, and
    at the end ``terms.tell`` is told what is otherwise than before, whatever happened."""
    if journal.entries and not journal.undo_all():
        raise MachineError(
            f"{name}: an earlier run is not undone: {', '.join(journal.entries)}; see {journal.folder}/undone.log"
        )
    examined = asyncio.run(admitted(name, machines, terms))
    world = RealWorld(machines, journal, specs, described)
    world.told = told_in_header(examined)
    try:
        with world:
            world.advance(Happening.of(world.keep(world.remember())))
            yield world
    finally:
        if world.before is not None:
            for sentence in world.left or [AS_BEFORE.format(n=len(machines), name=name)]:
                terms.tell(sentence)


class LentLab(LabPlace):
    """The hosts of a lab that somebody has brought up: they stay, and shall be as they were."""

    borrowed = True

    def __init__(self, number: int) -> None:
        super().__init__()
        self._lab = Lab(number)
        self._name = f"lab:{number}"

    def planned(self, specs: Sequence[HostSpec]) -> list[Machine]:
        plans_of(specs)
        if not self._lab.is_up:
            raise MachineError(
                f"--on {self._name}: it is not up; bring it up with: swarmsim lab up --lab {self._lab.number}"
            )
        return chosen(self._name, list(self._lab.machines.values()), specs)

    @contextmanager
    def opened(self, specs: Sequence[HostSpec], terms: Terms) -> Iterator[RealWorld]:
        machines = self.planned(specs)
        if not self._lab.lock():
            raise MachineError(f"{self._name} is in use by another swarmsim: end that first, or take another lab")
        try:
            journal, named = self._lab.journal, {spec.name: spec for spec in specs}
            with lent(self._name, machines, journal, named, f"lab: {versions(machines)}", terms) as world:
                yield world
        finally:
            self._lab.unlock()
