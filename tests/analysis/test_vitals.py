"""What is true of quorum and leader is written down whenever it changes, however the swarm came to be."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import load_scenario, parse_scenario
from swarmsim.scenario.runner import run_scenario

BARE = """\
name: bare
cluster: {managers: [m1], workers: [w1, w2], formed: false, hosts: {m1: {address: 10.0.0.1}, w1: {address: 10.0.0.2}}}
steps:
"""
INIT = "  - docker: swarm init --advertise-addr 10.0.0.1\n    on: m1\n"


def quorums(text: str) -> list[tuple[int, int, bool, str | None]]:
    rows: list[dict] = []
    loaded = load_scenario(text) if text == "course-cluster" else parse_scenario(text, "bare.yaml")
    run_scenario(loaded, 1, rows.append)
    return [(row["managers"], row["up"], row["quorum"], row["leader"]) for row in rows if row["kind"] == "quorum"]


@pytest.mark.parametrize("text", [BARE + INIT, "course-cluster"], ids=["bare", "course"])
def test_the_first_manager_of_a_new_swarm_is_a_quorum(text):
    leader = "m1" if "bare" in text else "master"
    assert quorums(text) == [(1, 0, False, None), (1, 1, True, leader)]


def test_managers_that_join_are_counted():
    steps = INIT + (
        "  - docker: swarm join-token -q manager\n    on: m1\n    as: token\n"
        "  - docker: swarm join --token {token} 10.0.0.1:2377\n    on: w1\n  - sleep: 5s\n"
    )
    found = quorums(BARE + steps)
    assert found[1] == (1, 1, True, "m1")
    assert found[-1] == (2, 2, True, "m1")


def test_a_swarm_that_was_left_and_begun_anew_elsewhere_has_another_leader():
    steps = INIT + (
        "  - docker: swarm leave --force\n    on: m1\n  - docker: swarm init --advertise-addr 10.0.0.2\n    on: w1\n"
        "  - sleep: 5s\n"
    )
    found = quorums(BARE + steps)
    assert [leader for _, _, _, leader in found] == [None, "m1", None, "w1"]
    assert found[-1] == (1, 1, True, "w1")
