"""What was missing, and for how long: read off the rows of what is true."""

from __future__ import annotations

import pytest

from swarmsim.analysis.availability import Availability, Meter, Outages, as_json
from swarmsim.analysis.ensemble import RunResult, estimates, precise
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario


def measured(*rows: dict) -> Availability:
    meter = Meter()
    for row in rows:
        meter.add(row)
    return meter.read()


def quorum(t: float, there: bool, leader: str | None) -> dict:
    return {"t": t, "kind": "quorum", "managers": 3, "up": 2, "quorum": there, "leader": leader}


def serving(t: float, running: int, replicas: int | None, service: str = "web") -> dict:
    return {"t": t, "kind": "serving", "service": service, "running": running, "replicas": replicas}


BEGIN, END = {"t": 0.0, "kind": "begin", "scenario": "x"}, {"t": 100.0, "kind": "end"}


def test_quorum_and_leader_are_counted_apart():
    found = measured(
        BEGIN, quorum(0, True, "m1"), quorum(10, True, None), quorum(20, True, "m2"),
        quorum(50, False, None), quorum(55, True, None), quorum(60, True, "m2"), END,
    )  # fmt: skip
    assert found.quorum == Outages(5, 1, 5)
    assert found.leader == Outages(20, 2, 10)
    assert found.seconds == 100
    assert found.leader.share(found.seconds) == 0.2


@pytest.mark.parametrize(
    ("rows", "below", "zero"),
    [
        ([serving(0, 0, 3), serving(5, 3, 3)], Outages(0, 0, 0), Outages(0, 0, 0)),  # a start is no outage
        ([serving(0, 3, 3), serving(40, 2, 3), serving(45, 3, 3)], Outages(5, 1, 5), Outages(0, 0, 0)),
        ([serving(0, 3, 3), serving(40, 0, 3), serving(60, 1, 3), serving(70, 3, 3)], Outages(30, 1, 30), Outages(20, 1, 20)),
        ([serving(0, 3, 3), serving(90, 0, 3)], Outages(10, 1, 10), Outages(10, 1, 10)),  # not over at the end
        ([serving(0, 3, 3), serving(40, 3, 5), serving(50, 5, 5)], Outages(10, 1, 10), Outages(0, 0, 0)),
        ([serving(10, 0, 12)], Outages(90, 1, 90), Outages(90, 1, 90)),  # it never ran
        ([serving(10, 0, 3), serving(15, 1, 3)], Outages(90, 1, 90), Outages(0, 0, 0)),  # never all of it
        ([serving(0, 3, 3), serving(40, 0, 0)], Outages(0, 0, 0), Outages(0, 0, 0)),  # nothing is wanted
        ([serving(0, 2, None), serving(40, 1, None), serving(60, 0, None), serving(61, 1, None)], Outages(0, 0, 0), Outages(1, 1, 1)),
    ],
)  # fmt: skip
def test_a_service(rows, below, zero):
    found = measured(BEGIN, *rows, END)
    assert (found.below["web"], found.zero["web"]) == (below, zero)


def test_a_run_measures_what_its_faults_did():
    text = (
        "name: a\ncluster: {managers: 3, workers: 1}\nduration: 3h\n"
        "faults:\n  - {site: [m2, m3], fault: cut, every: 1h, for: 20m}\n"
        "steps:\n  - docker: service create -d --name web --replicas 4 mini:1 sleep 1000000\n"
        "  - wait: {service: web, running: 4}\n"
    )
    meter = Meter()
    run_scenario(parse_scenario(text, "a.yaml"), 1, meter.add)
    found = meter.read()
    # Two of three are on the other side, so there is a quorum, but no leader until they have elected one; and once more
    # when m1 comes back with the higher term of its own campaigns.
    assert found.quorum.seconds == 0
    assert 2 <= found.leader.incidents <= 4
    assert 9 < found.leader.longest < 60
    told = as_json(found)
    assert told["outages"]["no leader"]["incidents"] == found.leader.incidents
    assert set(told["outages"]) == {"no quorum", "no leader", "web below replicas", "web at zero"}


def run_with(share: float, seed: int) -> RunResult:
    nothing = Outages(0.0, 0, 0.0)
    return RunResult(seed, {}, [], 100.0, Availability(100.0, nothing, Outages(100 * share, 1, 1.0), {}, {}, 0))


def test_an_ensemble_is_precise_when_every_interval_is_narrow():
    alike = [run_with(0.2 + 0.001 * (seed % 2), seed) for seed in range(20)]
    unlike = [run_with(0.4 * (seed % 2), seed) for seed in range(20)]
    assert estimates(alike)["no leader: share"].mean == pytest.approx(0.2005)
    assert precise(alike, 0.05)
    assert not precise(alike[:9], 0.05)
    assert not precise(unlike, 0.05)
    assert not precise([run_with(0.0, seed) for seed in range(20)], 0.05), "what never happened is not known"
