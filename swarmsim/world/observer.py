"""The recorder of the simulated world: it looks at what managers show, and writes down what has changed."""

from __future__ import annotations

from swarmsim.sim.future import Activity
from swarmsim.trace import rows
from swarmsim.world import POLL
from swarmsim.world.cluster import SimulatedCluster
from swarmsim.world.views import LOOK_TIMEOUT, Differences, View


class Observer:
    """Writes rows whenever a look shows something else than the one before."""

    def __init__(self, world: SimulatedCluster) -> None:
        self.world = world
        self._differences = Differences(world.note)
        self._answering: bool | None = None

    def run(self) -> Activity[None]:
        world, ctx, clock = self.world, self.world.ctx, self.world.clock
        while True:
            changed, began = ctx.next_change(), clock.now
            view: View | None = yield from world.view()
            if view is None:
                if self._answering is not False:
                    self._answering = False
                    world.note(rows.NoManagerAnswers)
                if clock.now - began >= LOOK_TIMEOUT:  # whoever was too slow may be faster now
                    yield POLL
                    continue
            else:
                self._differences.write(view)
                if self._answering is not True:
                    self._answering = True
                    world.note(rows.ManagerAnswers)
            looked = clock.now
            yield changed
            # The recorder looks all the time; what it sees unchanged is left out here. A change comes at
            # no particular moment between two looks.
            if clock.now - looked < POLL:
                yield POLL - (clock.now - looked)
            else:
                yield world.until_next_look("observer")
