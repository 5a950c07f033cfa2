"""A mistake of ours inside a command is said to be one, and nothing else comes to harm."""

from __future__ import annotations

import pytest

from swarmsim.docker import client
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.scenario.verdict import judge
from tests.conftest import Lab

SCENARIO = """
name: faulty
cluster: {managers: 1}
steps:
  - docker: service ls
  - docker: node ls
"""


@pytest.fixture
def broken(monkeypatch):
    def ls(command):
        yield from command.api.service_list()
        raise KeyError("PublishedPort")

    monkeypatch.setitem(client.ACTIONS, "service ls", ls)


def test_a_fault_is_told_in_stderr_with_its_place(broken):
    lab = Lab(managers=1)
    result = lab.docker("service ls")
    assert result.code == 1
    assert result.err.startswith(
        "swarmsim: this is our fault, not docker's: KeyError: 'PublishedPort' (swarmsim/docker/"
    )
    assert result.fault in result.err
    assert lab.docker("node ls").code == 0


def test_the_run_goes_on_and_the_verdict_says_so(broken):
    loaded = parse_scenario(SCENARIO, "faulty.yaml")
    rows = []
    outcome = run_scenario(loaded, 1, rows.append)
    (failure,) = outcome.failures
    assert failure.expected == "docker service ls without a fault of ours"
    assert "KeyError" in failure.seen
    assert [row["rc"] for row in rows if row["kind"] == "docker"][-2:] == [1, 0]
    assert [each.expected for each in judge(loaded.scenario, rows).failures] == [failure.expected]
