"""The model tells the truth: what the same scenarios do on engines of this machine does not differ from what they do in it.

``make lab`` runs them all, in a quarter of an hour; ``make lab LAB=quick``, which every build does, those that fit into six minutes. A real run that is unusual
in something is followed by another, up to three: chance makes one unusual now and then, and not the same thing again.
"""

from __future__ import annotations

import os

import pytest

from swarmsim.analysis.ensemble import record_many
from swarmsim.analysis.reality import record_real
from swarmsim.analysis.trial import Trial, Until, told, verdict_told
from swarmsim.analysis.verdict import Standing
from swarmsim.real.lab import missing
from swarmsim.scenario import load_scenario

QUICK = ("create-scale", "global-agents", "worker-power-loss", "leader-power-loss", "drain-pause", "ca-rotation")
ALL = (*QUICK, "health-check", "quorum-loss", "rolling-update")
WANTED = {"quick": QUICK, "all": ALL}.get(os.environ.get("LAB", ""))
SEEDS = range(1, 201)
MOST_RUNS = 3

LACKING = missing()
pytestmark = [
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
    pytest.mark.skipif(WANTED is None, reason="takes minutes of real time: make lab, or make lab LAB=quick"),
]


@pytest.mark.parametrize("name", WANTED or ALL)
def test_engines_and_model_do_the_same(name):
    loaded = load_scenario(name)
    trial = Trial(record_many(loaded, SEEDS))
    while len(trial.real) < MOST_RUNS and not trial.enough(Until.NO_DOUBT):
        trial.heard(record_real("lab", loaded))
    said = "\n".join([*told(trial), f"{name}: {verdict_told(trial.verdict)}"])
    print(said)
    assert trial.verdict.standing is not Standing.DIFFERS, said
