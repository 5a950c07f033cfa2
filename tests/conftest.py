"""What all tests share: where the records are, and small worlds to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from swarmsim.check import CHECKED, Checker
from swarmsim.docker.client import Result
from swarmsim.scenario.runner import build_world
from swarmsim.scenario.schema import ClusterLayout, Scenario
from swarmsim.sim.journal import Journal
from swarmsim.trace.rows import KINDS, fault_in
from swarmsim.world.simulated import SimulatedWorld

ANY_PACE = settings(print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""No test bounds wall time: a busy machine is no failure."""
settings.register_profile("fixed", ANY_PACE, derandomize=True)
settings.register_profile("explore", ANY_PACE, max_examples=500)
settings.load_profile("fixed")
"""Every run tries the same examples; ``pytest --hypothesis-profile=explore`` looks for new ones."""

RECORDS = Path(__file__).parent / "records"


class Lab:
    """A formed cluster one can type on. Time passes only while something is asked to run."""

    def __init__(
        self,
        managers: int = 3,
        workers: int = 2,
        seed: int = 1,
        formed: bool = True,
        *,
        eager: bool = False,
        gossip: bool = False,
        profile: str = "lab",
    ) -> None:
        cluster = ClusterLayout(managers=managers, workers=workers, gossip=gossip, profile=profile)
        self.world: SimulatedWorld = build_world(Scenario(name="lab", cluster=cluster), seed, eager=eager)
        if formed:
            self.world.run(self.world.form())
            self.sleep(1.0)

    @property
    def now(self) -> float:
        return self.world.clock.now

    def sleep(self, seconds: float) -> None:
        self.world.clock.run(self.world.clock.now + seconds)

    def docker(self, line: str, on: str = "m1", limit: float | None = None) -> Result:
        return self.world.run(self.world.docker(on, line, limit=limit))

    def service(self, replicas: int = 3, name: str = "web", flags: str = "", command: str = "sleep 100000") -> None:
        result = self.docker(
            f"service create -d --no-resolve-image --name {name} --replicas {replicas} {flags} mini:1 {command}"
        )
        assert result.code == 0, result.err

    def view(self) -> Any:
        return self.world.run(self.world.view())

    def tasks(self, service: str = "web") -> list[Any]:
        return [task for task in self.view().tasks if task.service_name == service]

    def running(self, service: str = "web") -> int:
        return self.view().running(service)

    def wait(self, condition: Callable[[], bool], within: float = 60.0, step: float = 0.2) -> float:
        """Let time pass until the condition holds; how long it took."""
        start = self.now
        while not condition():
            assert self.now - start < within, f"not within {within} s"
            self.sleep(step)
        return self.now - start

    def leader(self) -> str | None:
        for name, engine in self.world.engines.items():
            if engine.running and engine.node and engine.node.manager and engine.node.manager.raft.is_leader:
                return name
        return None

    def status(self, host: str) -> str:
        return str(self.view().node(host).node.status.state)


@pytest.fixture(autouse=True)
def _held_against_the_rules(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every row that a test's worlds write is as its type says, and what they tell breaks none of SwarmKit's invariants."""
    write = Journal.note
    checkers: dict[Journal, Checker] = {}

    def note(self: Journal, row_type: Any, **fields: Any) -> None:
        row = {"t": round(self.clock.now, 6), "kind": KINDS[row_type], **fields}
        fault = fault_in(row)
        assert fault is None, fault
        if row["kind"] in CHECKED:
            checker = checkers.get(self)
            if checker is None:
                checker = checkers[self] = Checker()
            checker.take(row)
        write(self, row_type, **fields)

    monkeypatch.setattr(Journal, "note", note)
    yield
    if request.node.get_closest_marker("broken_model") is None:
        assert [str(broken) for checker in checkers.values() for broken in checker.finish()] == []


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def records() -> Path:
    return RECORDS
