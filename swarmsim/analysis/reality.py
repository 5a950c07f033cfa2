"""Scenarios on real hosts, and the model held against them: ``swarmsim run --on``, ``swarmsim compare``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from swarmsim.analysis.compare import Band, Comparison
from swarmsim.real.places import place_named
from swarmsim.real.world import RealWorld
from swarmsim.scenario.loader import LoadedScenario
from swarmsim.scenario.runner import refuse_what_is_not_possible, run_on, trace_header, wanted_hosts
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row


@contextmanager
def real_hosts(place: str, loaded: LoadedScenario) -> Iterator[RealWorld]:
    """The hosts a scenario wants, at a place; they are as before at the end.

    Raises :class:`~swarmsim.scenario.loader.ScenarioError` if the scenario needs what cannot be done there, before anything is touched, and
    :class:`~swarmsim.real.machine.MachineError` if there are no hosts to be had.
    """
    found = place_named(place)
    refuse_what_is_not_possible(loaded, found.capabilities, found.verbs)
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


def told(comparison: Comparison) -> list[str]:
    """What a comparison found, a sentence for every milestone, then for every difference."""
    return [*map(_told, comparison.bands), *(f"differs: {difference}" for difference in comparison.differences)]


def _told(band: Band) -> str:
    real = sorted(band.real)
    seen = f"{real[0]:.1f} s" if len(real) == 1 else f"{real[0]:.1f}-{real[-1]:.1f} s"
    model = f"of {band.simulated} simulated ones 80 % lie between {band.low_median:.1f} and {band.high_median:.1f} s"
    if band.ok:
        return f"{band.name}: {seen} really; {model}"
    why = "but none is as far out" if not band.inside else "but the middle of the real ones is outside"
    return f"{band.name}: {seen} really; {model}, {why} (98 %: {band.low:.1f} to {band.high:.1f} s)"
