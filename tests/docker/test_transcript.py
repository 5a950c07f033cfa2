"""The recorded transcripts: of 209 commands about a swarm, of 52 about its networks."""

from __future__ import annotations

import pytest

from swarmsim.analysis.clientrecord import read_exceptions
from swarmsim.analysis.transcript import (
    DIFFERING,
    MATCHED,
    NOT_MODELLED,
    Recorded,
    read_transcript,
    report,
    type_transcript,
)

MATCH_NOW = 200
"""With the few seeds a test has time for; `make transcript` tries more."""


def test_the_recorded_transcript(records):
    reasons = read_exceptions(records / "cli")
    typed = type_transcript(read_transcript(records / "cli" / "swarm.jsonl"), range(1, 6))
    counts = {v: sum(1 for one in typed if one.verdict == v) for v in (MATCHED, DIFFERING, NOT_MODELLED)}
    assert len(typed) == 209
    assert counts[MATCHED] >= MATCH_NOW, report(typed, reasons)
    assert {one.command for one in typed if one.verdict == NOT_MODELLED} == set()


def test_the_recorded_transcript_of_networks_names_and_a_host_that_dies(records):
    typed = type_transcript(read_transcript(records / "cli" / "networks.jsonl"), range(1, 13))
    assert len(typed) == 52
    assert sum(one.verdict == MATCHED for one in typed) >= 48, report(typed, {})


def test_a_step_that_is_not_understood_is_said(records):
    rows = read_transcript(records / "cli" / "networks.jsonl")
    (step,) = [row for row in rows if row["kind"] == "step"]
    with pytest.raises(ValueError, match="pull the plug"):
        type_transcript([*rows[:2], {**step, "what": "pull the plug", "t": 3.0}], range(1, 2))


def test_a_wrong_answer_is_noticed(records):
    rows = read_transcript(records / "cli" / "swarm.jsonl")
    for row in rows:
        if row["kind"] == "docker" and row["cmd"] == "node inspect nosuch":
            row["err"] = "Error: something else"
    typed = type_transcript(rows, range(1, 2))
    (wrong,) = [one for one in typed if one.command == "node inspect nosuch"]
    assert wrong.verdict == DIFFERING
    assert "something else" in wrong.difference
    assert "a reason" in report([wrong], {"m1 node inspect nosuch": "a reason"})


def said(host: str, command: str, out: str = "", t: float = 0.5) -> dict:
    return {"t": t, "kind": "docker", "on": host, "cmd": command, "rc": 0, "out": out, "err": "", "s": 0.01}


TOKENS = {role: f"SWMTKN-1-{'0' * 50}-{digit * 25}" for role, digit in (("manager", "1"), ("worker", "2"))}
ELSEWHERE = [
    said("alpha", "swarm init --advertise-addr 192.168.5.7"),
    said("alpha", "swarm join-token -q manager", TOKENS["manager"] + "\n", t=1.5),
    said("alpha", "swarm join-token -q worker", TOKENS["worker"] + "\n", t=2),
    said(
        "gamma",
        f"swarm join --token {TOKENS['worker']} 192.168.5.7:2377",
        "This node joined a swarm as a worker.\n",
        t=3,
    ),
    said(
        "beta",
        f"swarm join --token {TOKENS['manager']} 192.168.5.7:2377",
        "This node joined a swarm as a manager.\n",
        t=4,
    ),
    said("gamma", "info --format '{{.Swarm.NodeAddr}}'", "192.168.5.9\n", t=9),
    said("beta", "info --format '{{json .Swarm}}'", '{"NodeAddr":"192.168.5.8"}', t=10),
    said(
        "alpha",
        "node ls --format '{{.Hostname}}: {{.ManagerStatus}}'",
        "alpha: Leader\nbeta: Reachable\ngamma: \n",
        t=12,
    ),
]
"""On other machines."""


def test_hosts_their_roles_and_addresses_are_those_of_the_record():
    recorded = Recorded.of(ELSEWHERE)
    assert recorded.hosts == ["alpha", "beta", "gamma"]
    assert recorded.managers == ["alpha", "beta"]
    assert recorded.addresses == {"alpha": "192.168.5.7", "beta": "192.168.5.8"}


@pytest.mark.parametrize("number", [3, 4, 7], ids=["worker joins", "manager joins", "node ls"])
def test_a_transcript_of_other_machines_is_followed(number):
    typed = type_transcript(ELSEWHERE, range(1, 2))
    assert typed[number].verdict == MATCHED, typed[number].difference
