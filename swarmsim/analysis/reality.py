"""Scenarios on real hosts, and the model held against them: ``swarmsim run --on``, ``swarmsim compare``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from swarmsim.analysis.rehearsal import radius_of
from swarmsim.real.careful import Terms
from swarmsim.real.named import place_named
from swarmsim.real.places import Place
from swarmsim.real.world import RealWorld
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.runner import refuse_what_is_not_possible, run_on, trace_header, wanted_hosts
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row


def refuse_for(place: str, loaded: LoadedScenario) -> Place:
    """The place; raises as :func:`real_hosts` if the scenario is not possible there. Nothing is touched."""
    found = place_named(place)
    wanted = [str(need.what) for need in loaded.needs]
    refuse_what_is_not_possible(loaded, found.capabilities, found.verbs, found.lacking(wanted))
    return found


@contextmanager
def real_hosts(place: str, loaded: LoadedScenario, *, yes: bool = False) -> Iterator[RealWorld]:
    """The hosts a scenario wants, at a place; they are as before at the end. If they are somebody's, that one is asked, or has said ``yes``.

    Raises :class:`~swarmsim.scenario.loader.ScenarioError` if the scenario needs what cannot be done there, before anything is touched, and
    :class:`~swarmsim.real.machine.MachineError` if there are no hosts to be had.
    """
    found = refuse_for(place, loaded)
    specs = wanted_hosts(loaded.scenario)
    terms = Terms(radius_of(loaded, found.planned(specs)) if found.borrowed else None, yes)
    with found.opened(specs, terms) as world:
        yield world


def record_real(place: str, loaded: LoadedScenario, *, yes: bool = False) -> Trace:
    """One run on real hosts. Raises as :func:`real_hosts`, and :class:`KeyboardInterrupt` if it was interrupted."""
    rows: list[Row] = []
    with real_hosts(place, loaded, yes=yes) as world:
        outcome = run_on(world, loaded, rows.append)
        header = trace_header(loaded, 0, world.described, **world.told)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return Trace(header, rows)
