"""A host as the docker client sees it that runs there: a clock, and chance."""

from __future__ import annotations

from datetime import datetime, timedelta

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import AnyFuture, Future
from swarmsim.sim.host import Host


class SimulatedMachine:
    """What docker is given by the machine it runs on (:class:`swarmsim.docker.command.Machine`)."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._host.wall.now)

    def first_of(self, futures: list[AnyFuture], seconds: float | None = None) -> Future[object]:
        clock = self._host.clock
        return clock.first_of(futures if seconds is None else [*futures, clock.timeout(seconds)])

    def shuffle(self, items: list[str]) -> None:
        self._host.rng("stack").shuffle(items)
