"""What a real Swarm showed: how long things took there, and whether it takes as long here. Inputs are in ``fidelity/``."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmsim.scenario import run_scenario
from swarmsim.scenario.loader import parse_scenario

CASES = Path(__file__).parent / "fidelity"


def rows_of(name, seed, **changes):
    """The trace of a case, whose expectations must hold; ``changes`` replace text in it."""
    text = (CASES / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    rows = []
    outcome = run_scenario(parse_scenario(text, name), seed, rows.append)
    assert outcome.failures == []
    return rows


def took(rows, command):
    return next(row["s"] for row in rows if row["kind"] == "docker" and row["cmd"] == command)


@pytest.mark.parametrize(
    ("cluster", "shortest", "longest"), [("managers: 3, workers: 2", 0.6, 1.05), ("managers: 1, workers: 1", 1.35, 1.9)]
)
def test_a_node_leaves_when_its_farewell_has_gone_round(cluster, shortest, longest):
    """Two messages of four hand-overs each: three others take them in two rounds of 0.2 s, a single other in four."""
    durations = [
        took(rows_of("leave-takes", seed, cluster=("managers: 3, workers: 2", cluster)), "swarm leave")
        for seed in range(1, 9)
    ]
    assert shortest < min(durations)
    assert max(durations) < longest
    assert max(durations) - min(durations) > 0.05  # the next round is due at any moment
