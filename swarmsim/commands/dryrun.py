"""``swarmsim run SCENARIO --on PLACE --dry-run``: everything that would be done, and nothing of it."""

from __future__ import annotations

from swarmsim.commands.given import fail
from swarmsim.real.machine import MachineError
from swarmsim.scenario.loader import LoadedScenario, ScenarioError

SAME_LINES = "As it goes on the model with seed 1: times, and who leads, will be others; what is typed and changed, and how it is undone, will not."


def show_dry_run(loaded: LoadedScenario, place: str) -> None:
    """Print whom a run concerns, then each command and change in order, with its undo. No host is touched."""
    from swarmsim.analysis.reality import refuse_for
    from swarmsim.analysis.rehearsal import radius_of, rehearsed
    from swarmsim.scenario.runner import wanted_hosts

    try:
        found = refuse_for(place, loaded)
        machines = found.planned(wanted_hosts(loaded.scenario))
        for line in radius_of(loaded, machines).lines(place):
            print(line)
        if not found.borrowed:
            print("- make these hosts for it on this machine, and take them away at the end")
        print(f"\n{SAME_LINES}\n")
        for done in rehearsed(loaded, machines):
            for line in done.lines():
                print(line)
        print("\nNothing of this was done.")
    except (ScenarioError, MachineError) as problem:
        raise fail(problem) from None
