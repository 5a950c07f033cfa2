"""Players that are driven by hand: a tick is a twentieth of a second, and nobody waits for it."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator

import pytest

from swarmsim.replay.recording import Recording
from swarmsim.scenario.loader import LoadedScenario, parse_scenario
from swarmsim.scenario.runner import trace_header
from swarmsim.tui.player import Future, Player

TEXT = """\
name: small
cluster: {managers: 3, workers: 2}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 4 mini:1 sleep 100000
  - wait: {service: web, running: 4}
"""


def loaded(text: str = TEXT) -> LoadedScenario:
    return parse_scenario(text, "small.yaml")


class Driven(Player):
    def until(self, condition: Callable[[], object], ticks: int = 4000) -> None:
        """Let wall-clock time pass, as fast as the simulation answers."""
        for _ in range(ticks):
            if condition():
                return
            live = self.future.live
            if live is not None and live.asked:
                select.select([live], [], [], 5)
            self.tick(0.05)
        raise AssertionError(f"not in {ticks} ticks; at {self.t}, known {self.future.known}")

    def play_to(self, t: float) -> None:
        self.play(True)
        self.until(lambda: self.t >= t)
        self.play(False)
        self.until(lambda: self.future.live is None or not self.future.live.asked)
        self.tick(0.05)


@pytest.fixture
def player() -> Iterator[Driven]:
    scenario = loaded()
    made = Driven(Future("1", Recording(trace_header(scenario, 1), []), scenario, seed=1))
    yield made
    made.close()
