"""Leafing through a run: every moment is what its rows add up to, however one got there."""

from __future__ import annotations

import random

import pytest

from swarmsim.replay.recording import Recording
from swarmsim.scenario import load_scenario, run_scenario
from swarmsim.trace.state import ClusterState, state_of


def rows_of(name: str, seed: int = 1, **options) -> list[dict]:
    rows: list[dict] = []
    run_scenario(load_scenario(name), seed, rows.append, **options)
    return rows


def same(a: ClusterState, b: ClusterState) -> bool:
    return all(getattr(a, name) == getattr(b, name) for name in ClusterState.__slots__)


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return rows_of("quorum-loss")


def test_any_moment_in_any_order_is_what_its_rows_add_up_to(rows, monkeypatch):
    monkeypatch.setattr("swarmsim.replay.recording.CHECKPOINT", 37)
    recording = Recording({}, rows)
    while recording.take_in(50):
        pass
    places = list(range(0, len(rows), 11))
    random.Random(4).shuffle(places)
    for place in places:
        t = rows[place]["t"]
        assert same(recording.at(t), state_of(row for row in rows if row["t"] <= t)), t


def test_rows_that_come_one_by_one_make_the_same_recording(rows):
    whole, live = Recording({}, rows), Recording({}, [])
    whole.take_in(len(rows))
    for row in rows:
        live.extend([row])
    assert same(whole.latest, live.latest)
    assert (whole.marks, whole.of_task) == (live.marks, live.of_task)


def test_the_picture_knows_what_happened(rows):
    recording = Recording({}, rows)
    recording.take_in(len(rows))
    hit = next(row["t"] for row in rows if row["kind"] == "step")
    before, after = recording.at(hit - 0.001), recording.at(hit + 0.5)
    assert before.leader == "m1"
    assert before.hosts["m2"].engine
    assert not after.hosts["m2"].engine
    assert after.hosts["m2"].power  # kill-host leaves the kernel
    alone = recording.at(hit + 19)
    assert alone.quorum is not None
    assert not alone.quorum["quorum"]
    assert recording.latest.balance() == (8, 8)


def test_an_election_is_counted_down_to(rows):
    due = [(row["t"], row["host"], row["due"]) for row in rows if row["kind"] == "raft.countdown"]
    stood = [(row["t"], row["host"]) for row in rows if row["kind"] == "raft.role" and row["role"] == "candidate"]
    assert stood
    for t, host in stood:
        told = [when for at, who, when in due if who == host and at < t - 0.1]
        assert told[-1] == pytest.approx(t, abs=0.05)  # standing waits for the disk


def test_the_time_line_says_how_long_a_node_was_silent(rows):
    recording = Recording({}, rows_of("worker-power-loss"))
    recording.take_in(len(recording.rows))
    said = [line.text for line in recording.lines if "no heartbeat for" in line.text]
    assert said
    assert 13.5 <= float(said[0].split("for ")[1].split()[0]) <= 16.5


def test_messages_are_on_their_way_until_they_arrive():
    rows = rows_of("leader-power-loss", messages=True)
    recording = Recording({}, rows)
    recording.take_in(len(rows))
    sent = next(row for row in rows if row["kind"] == "raft.sent" and row["t"] > 5)
    (message,) = [m for m in recording.at(sent["t"]).messages if m.arrived is None and m.dst == sent["to"]]
    assert (message.src, message.type) == (sent["host"], sent["type"])
    later = recording.at(sent["t"] + 0.001).messages
    assert [m.arrived is not None for m in later if (m.dst, m.sent) == (message.dst, message.sent)] == [True]


def test_a_recorded_real_cluster_is_a_recording_too(records):
    from swarmsim import load_trace

    trace = load_trace(records / "quorum_loss" / "run1.jsonl")
    recording = Recording(trace.header, trace.rows)
    recording.take_in(len(trace.rows))
    assert set(recording.latest.hosts) == {"m1", "m2", "m3", "w1", "w2"}
    assert recording.latest.balance()[0] > 0
    assert recording.lines
