"""Every benchmark runs, small: how fast, `make bench` says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks import mesh, run, scheduler, tui

SMALL: dict[str, Callable[[], float]] = {
    "healthy": lambda: run.healthy(5, 60.0),
    "quiet": lambda: run.quiet(5, run.HOUR),
    "faulty": lambda: run.faulty(3, 2, 5, "5d"),
    "scale": lambda: run.scale_up(5, 10),
    "update": lambda: run.rolling_update(5, 10),
    "schedule": lambda: scheduler.schedule(10, 20),
    "schedule with constraints": lambda: scheduler.schedule(10, 20, constraints=True),
    "mesh": lambda: mesh.requests(20, 3.0)[0],
    "mesh, rates": lambda: mesh.requests(20, 3.0, ", requests: rates")[0],
    "frames": lambda: tui.frames_a_second(5, 10, 0.5),
    "keys": lambda: tui.key_latency(5, 10, 2),
    "opening a trace": lambda: run.trace_open(100),
}


@pytest.mark.parametrize("name", SMALL)
def test_runs_small(name: str) -> None:
    assert SMALL[name]() > 0
