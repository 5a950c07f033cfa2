"""Scenarios run on a world that is not the model: recorded runs of real engines (:mod:`tests.world.recorded`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmsim.scenario import load_scenario
from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import ScenarioRun
from swarmsim.trace.reader import load_trace
from swarmsim.world import World
from tests.world.recorded import RecordedWorld

SCENARIOS = Path(__file__).parents[2] / "scenarios"
A_LOOK = 0.35
"""Seconds: the recorder's waits looked by themselves, ours see what its other looks wrote down."""


def recorded(path: Path) -> World:
    return RecordedWorld(load_trace(path).rows, ["m1", "m2", "m3"], ["w1", "w2"])


def reached(rows: list) -> list[float]:
    return [row["t"] for row in rows if row["kind"] == "reached"]


@pytest.mark.parametrize("record", ["drain_pause", "worker_power_loss"])
def test_a_scenario_runs_on_recorded_engines_and_goes_on_when_the_recorder_did(record, records):
    text = (SCENARIOS / f"{record.replace('_', '-')}.yaml").read_text()
    # The recorder did not look at containers.
    loaded = parse_scenario("\n".join(line for line in text.splitlines() if "containers:" not in line), "x.yaml")
    for path in sorted((records / record).glob("run*.jsonl")):
        rows: list = []
        run = ScenarioRun(loaded, recorded(path), rows.append)
        run.finish()
        assert run.failures == []
        assert rows[-1]["kind"] == "end"
        assert reached(rows) == pytest.approx(reached(load_trace(path).rows), abs=A_LOOK)


def test_a_command_prints_there_what_it_printed_on_the_engine(records):
    rows: list = []
    ScenarioRun(load_scenario("drain-pause"), recorded(records / "drain_pause" / "run1.jsonl"), rows.append).finish()
    last = [row for row in rows if row["kind"] == "docker"][-1]
    assert last["cmd"] == "node ls"
    assert last["out"].startswith("ID                            HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS")


@pytest.mark.parametrize(
    ("scenario", "refusal"),
    [
        ("leader-partition", "the fault partition is not possible here; possible are kill-host, power-on"),
        ("two-hands", "this needs random numbers from a seed, which there is not here; simulated clusters have it"),
    ],
)
def test_what_this_world_cannot_do_is_refused_before_anything_is_done(scenario, refusal, records):
    two_hands = "name: two-hands\nmeanwhile:\n  - {at: 5s, seed: 7}\n"
    loaded = parse_scenario(two_hands, "x.yaml") if scenario == "two-hands" else load_scenario(scenario)
    world = recorded(records / "drain_pause" / "run1.jsonl")
    with pytest.raises(ScenarioError, match=refusal):
        ScenarioRun(loaded, world)
    assert world.now == 0.0
