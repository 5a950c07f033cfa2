"""Clients of servers: kept connections by name, how an image's server answers and ends, and what of a traffic step is refused."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.rows import Row

HEAD = "name: x\ncluster: {managers: 1, workers: 2, profile: lab, gossip: true}\n"
SHOP = """
  - docker: network create -d overlay shop
  - docker: >
      service create -d --no-resolve-image --name rr --endpoint-mode dnsrr --replicas 3 --network shop mini:1 /serve
  - docker: service create -d --no-resolve-image --name cli --network shop mini:1 sleep 100000
  - wait: {service: rr, running: 3}
  - wait: {service: cli, running: 1}
  - sleep: 2s
"""


def requests(text: str) -> list[Row]:
    rows: list[Row] = []
    run_scenario(parse_scenario(text, "x"), 1, rows.append)
    return [row for row in rows if row["kind"] == "request"]


@pytest.mark.parametrize(("connections", "tasks"), [("new", 3), ("kept", 1)])
def test_a_kept_connection_stays_with_the_address_it_was_told_first(connections: str, tasks: int) -> None:
    traffic = f"  - traffic: {{from: {{service: cli}}, to: rr, port: 80, rate: 20/s, duration: 5s, connections: {connections}}}"
    made = requests(f"{HEAD}steps:{SHOP}{traffic}\n")
    assert len(made) == 100
    assert {row["out"] for row in made} == {"ok"}
    assert len({row["by"] for row in made}) == tasks


def test_when_it_breaks_the_name_is_asked_again() -> None:
    made = requests(
        f"{HEAD}steps:{SHOP}"
        "  - traffic: {from: {service: cli}, to: rr, port: 80, rate: 20/s, duration: 40s, connections: kept}\n"
        "  - sleep: 2s\n"
        "  - docker: service scale -d rr=0\n"
        "  - sleep: 15s\n"
        "  - docker: service scale -d rr=3\n"
    )
    outs = [row["out"] for row in made]
    assert {"unknown", "ok"} <= set(outs), "for a while nobody has the name"
    assert set(outs[-100:]) == {"ok"}, "the new tasks have other addresses"


IMAGES = """
images:
  - {name: shop/api, source: local, answers: 4s, finishes: %s}
steps:
  - docker: service create -d --no-resolve-image --name api -p 8080:80 shop/api
  - wait: {service: api, running: 1}
  - sleep: 2s
  - traffic: {to: m1, port: 8080, rate: 10/s, duration: 2s, timeout: 9s}
  - sleep: 2s
  - docker: service scale -d api=0
"""


def test_an_image_says_how_long_its_server_takes_and_what_becomes_of_requests_when_it_is_stopped() -> None:
    finishing, leaving = requests(HEAD + IMAGES % "true"), requests(HEAD + IMAGES % "false")
    for made in (finishing, leaving):
        answered = [row["ms"] for row in made if row["out"] == "ok"]
        assert all(4000 < ms < 4100 for ms in answered)
    assert {row["out"] for row in finishing} == {"ok"}
    assert "eof" in {row["out"] for row in leaving}


REFUSED = [
    ("{port: 8888, rate: -5/s, duration: 3s}", "'-5/s' is no rate"),
    ("{port: 8888, rate: 0, duration: 3s}", "a rate is more than 0"),
    ("{port: 8888, rate: 20000/s, duration: 3s}", "at most 10000/s"),
    ("{port: 0, rate: 5/s, duration: 3s}", "greater than or equal to 1"),
    ("{port: 65536, rate: 5/s, duration: 3s}", "less than or equal to 65535"),
    ("{port: 8888, rate: 5/s}", "'duration' is missing"),
    ("{port: 8888, rate: 5/s, duration: inf}", "is no duration"),
    ("{port: 8888, rate: 10000/s, duration: 365d}", "315,360,000,000 requests never end"),
    ("{to: m9, port: 8888, rate: 5/s, duration: 3s}", "unknown host 'm9'"),
    ("{to: [], port: 8888, rate: 5/s, duration: 3s}", "to: names no host"),
    ("{from: m9, port: 8888, rate: 5/s, duration: 3s}", "unknown host 'm9'"),
    ("{from: {service: cli}, port: 8888, rate: 5/s, duration: 3s}", "say to: which name is asked"),
    ("{port: 8888, rate: 5/s, duration: 3s, connections: {pool: 0}}", "greater than or equal to 1"),
    ("{port: 8888, rate: 5/s, duration: 3s, timeout: -1s}", "cannot be negative"),
]


@pytest.mark.parametrize(("traffic", "complaint"), REFUSED)
def test_traffic_that_makes_no_sense_is_refused_with_its_place(traffic: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(f"name: x\nsteps:\n  - traffic: {traffic}\n", "x.yaml")
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("x.yaml:3:")


def test_asking_from_a_service_that_no_step_makes_is_refused_at_its_place() -> None:
    text = (
        "name: x\nsteps:\n  - docker: service create -d --name web mini:1\n"
        "  - traffic: {from: {service: nope}, to: web, port: 80, rate: 5/s, duration: 3s}\n"
    )
    with pytest.raises(ScenarioError, match=r"x:4:22: no step makes a service 'nope'; there are web"):
        parse_scenario(text, "x")


def test_asking_from_a_service_without_tasks_is_no_success() -> None:
    text = (
        "name: x\nsteps:\n  - docker: service create -d --name nope --replicas 0 mini:1\n"
        "  - traffic: {from: {service: nope}, to: web, port: 80, rate: 5/s, duration: 3s}\n"
        "expect:\n  - {traffic: traffic, success: 0}\n"
    )
    (failure,) = run_scenario(parse_scenario(text, "x"), 1).failures
    assert failure.seen == "traffic: no request has ended"
