"""Scenarios on real hosts, and the model held against them: ``swarmsim run --on``, ``swarmsim compare``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from swarmsim.real.places import Place, place_named
from swarmsim.real.world import RealWorld
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.runner import refuse_what_is_not_possible, run_on, trace_header, wanted_hosts
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row


def refuse_for(place: str, loaded: LoadedScenario) -> Place:
    """The place; raises as :func:`real_hosts` if the scenario is not possible there. Nothing is touched."""
    found = place_named(place)
    refuse_what_is_not_possible(loaded, found.capabilities, found.verbs, found.lacking)
    return found


@contextmanager
def real_hosts(place: str, loaded: LoadedScenario) -> Iterator[RealWorld]:
    """The hosts a scenario wants, at a place; they are as before at the end.

    Raises :class:`~swarmsim.scenario.loader.ScenarioError` if the scenario needs what cannot be done there, before anything is touched, and
    :class:`~swarmsim.real.machine.MachineError` if there are no hosts to be had.
    """
    found = refuse_for(place, loaded)
    with found.opened(wanted_hosts(loaded.scenario)) as world:
        yield world


def record_real(place: str, loaded: LoadedScenario) -> Trace:
    """One run on real hosts. Raises as :func:`real_hosts`, and :class:`KeyboardInterrupt` if it was interrupted."""
    rows: list[Row] = []
    with real_hosts(place, loaded) as world:
        outcome = run_on(world, loaded, rows.append)
        header = trace_header(loaded, 0, world.described)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return Trace(header, rows)
