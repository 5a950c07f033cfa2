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


def reached(rows):
    """How many seconds the case's last wait took."""
    return [row["after"] for row in rows if row["kind"] == "reached"][-1]


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


def test_a_demoted_leader_is_a_ready_worker_at_once_or_when_its_manager_has_stopped():
    """The manager stops when nobody waits for it any more. Its own agent does, if it asked for a session before the manager took
    no more: for the 5 s an agent waits for one. An agent that was refused comes back after pauses that double meanwhile.
    """
    durations = sorted(demoted_leader(seed) for seed in range(1, 41))  # the last kind comes in 3 to 5 of 100
    at_once = [seconds for seconds in durations if seconds < 3]
    after_a_session = [seconds for seconds in durations if 5 < seconds < 7]
    later = [seconds for seconds in durations if 8 < seconds < 40]
    assert len(at_once) + len(after_a_session) + len(later) == len(durations)
    assert at_once
    assert len(after_a_session) > len(at_once)
    assert later


def demoted_leader(seed):
    rows = rows_of("demoted-leader", seed)
    demoted = next(row["t"] for row in rows if row["kind"] == "docker" and row["cmd"] == "node demote m1")
    listed = next(row["out"] for row in rows if row["kind"] == "docker" and row["cmd"] == "node ls")
    seconds = next(row["t"] for row in rows if row["kind"] == "reached") - demoted
    unknown = any(" m1 " in line and "Unknown" in line for line in listed.splitlines())
    assert unknown or seconds < 0.5, "the list is asked for 0.1 s after"
    return seconds


def test_a_promoted_node_is_reachable_once_its_health_was_checked():
    """Half a second before it asks for its new certificate, then the way into Raft; inactive until the first answer."""
    for seed in range(1, 7):
        rows = rows_of("promote-unreachable", seed)
        assert 0.5 < reached(rows) < 0.9
        joined = next(row["t"] for row in rows if row["kind"] == "raft.member" and row["member"] == "w1")
        heard = next(row["t"] for row in rows if row["kind"] == "raft.peer" and row["peer"] == "w1")
        assert joined < heard < joined + 0.1


def test_a_manager_the_leader_cannot_reach_does_not_become_a_member(lab):
    """The leader asks a new member's health at the address it gave before it adds it (raft.go Join)."""
    leader = lab.leader()
    lab.world.ctx.fabric.cut(leader, "w1")
    lab.docker("node promote w1")
    lab.sleep(20)
    assert lab.view().node("w1").manager is None
    lab.world.ctx.fabric.heal()
    lab.wait(lambda: lab.view().node("w1").manager is not None, within=20)


def test_a_worker_that_was_cut_off_is_soon_back():
    durations = [reached(rows_of("worker-heal", seed)) for seed in range(1, 17)]
    assert min(durations) < 1.0
    assert max(durations) < 9.0
