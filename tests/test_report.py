"""The page of a run, and the file for Perfetto's viewer."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from swarmsim import Scenario, load_trace
from swarmsim.replay.perfetto import events, write_perfetto
from swarmsim.report import render_report, write_report
from swarmsim.trace.reader import Trace, TraceError


@pytest.fixture(scope="module")
def trace():
    return Scenario.load("quorum-loss").run(seed=1)


def test_a_page_needs_no_network(trace):
    page = render_report(trace, "runs/quorum-loss-1.jsonl")
    assert page.count("<svg") == 4
    addresses = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(https?:[^"' )]+)""", page))
    assert addresses == set()
    assert "swarmsim run quorum-loss --seed 1" in page
    assert "swarmsim watch runs/quorum-loss-1.jsonl" in page


def test_the_same_run_makes_the_same_page(trace):
    assert render_report(trace, "x") == render_report(trace, "x")


def test_what_a_run_says_cannot_break_the_page():
    rows = [
        {"t": 0.0, "kind": "begin", "scenario": "<b>"},
        {"t": 1.0, "kind": "docker", "on": "m1", "cmd": "x", "rc": 1, "out": "", "err": "<script>alert(1)</script>", "s": 0.1},
        {"t": 2.0, "kind": "step", "what": "<i>", "verb": None, "hosts": []},
    ]  # fmt: skip
    page = render_report(Trace({}, rows), "a&b.jsonl")
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "a&amp;b.jsonl" in page


def test_a_record_of_a_real_cluster_has_a_page_too(records):
    page = render_report(load_trace(records / "quorum_loss" / "run1.jsonl"), "run1.jsonl")
    assert "recorded on a real cluster" in page
    assert page.count("<svg") == 2  # Raft and what really runs cannot be seen from outside


def test_a_page_that_cannot_be_written_leaves_nothing(trace, tmp_path):
    with pytest.raises(TraceError, match="cannot be written"):
        write_report(trace, tmp_path / "t.jsonl", tmp_path / "no" / "where.html")


def test_perfetto_shows_every_task_on_its_host(trace, tmp_path):
    write_perfetto(trace, tmp_path / "p.json")
    found = json.loads((tmp_path / "p.json").read_text())["traceEvents"]
    hosts = {e["pid"]: e["args"]["name"] for e in found if e["ph"] == "M" and e["name"] == "process_name"}
    slices = [e for e in found if e["ph"] == "X" and e["name"] == "web.1 running"]
    told = [row for row in trace.rows if row["kind"] == "task" and row["slot"] == 1 and row["state"] == "running"]
    assert {hosts[e["pid"]] for e in slices} == {row["node"] for row in told}
    assert {e["name"] for e in found if e["ph"] == "i" and e["s"] == "g"} == {row["what"] for row in trace.of("step")}
    assert all(e["dur"] >= 0 for e in found if e["ph"] == "X")


def test_perfetto_slices_of_one_track_do_not_overlap(trace):
    tracks: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events(trace):
        if event["ph"] == "X" and event["pid"] != 1:
            tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    assert tracks
    for spans in tracks.values():
        spans.sort()
        assert all(end <= start + 1e-3 for (_, end), (start, _) in pairwise(spans))
