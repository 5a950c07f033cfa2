"""Traces: determinism, reading, and what is no trace."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim import load_trace
from swarmsim.scenario import load_scenario, run_scenario
from swarmsim.scenario.runner import trace_header
from swarmsim.trace import TraceError, TraceWriter


def traced(path, name="first-service", seed=3, **options):
    loaded = load_scenario(name)
    with TraceWriter(path, trace_header(loaded, seed)) as writer:
        run_scenario(loaded, seed, writer.write, **options)
    return path


@pytest.mark.parametrize("name", ["first-service", "leader-power-loss"])
def test_the_same_seed_gives_the_same_trace_byte_for_byte_in_another_process(tmp_path, name):
    here = traced(tmp_path / "here.jsonl", name, messages=True)
    there = tmp_path / "there.jsonl"
    code = (
        "from tests.trace.test_trace import traced; from pathlib import Path; "
        f"traced(Path({str(there)!r}), {name!r}, messages=True)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONHASHSEED": "123", "PATH": ""})
    assert here.read_bytes() == there.read_bytes()


def test_another_seed_gives_another_trace(tmp_path):
    assert traced(tmp_path / "a", seed=1).read_bytes() != traced(tmp_path / "b", seed=2).read_bytes()


def test_two_scenarios_that_differ_in_one_step_share_their_luck_until_then(tmp_path):
    from swarmsim.scenario.loader import parse_scenario

    text = "name: a\ncluster: {managers: 3, workers: 2}\nsteps:\n  - docker: service create -d --name web --replicas 4 mini:1 sleep 999\n  - sleep: 10s\n  - docker: %s\n"
    rows = []
    for last in ("node ls", "service scale -d web=9"):
        found = []
        run_scenario(parse_scenario(text % last, "x"), 5, found.append)
        rows.append(found)
    fork = next(n for n, (a, b) in enumerate(zip(*rows, strict=False)) if a != b)
    assert rows[0][fork]["t"] > rows[0][0]["t"] + 10


def test_a_trace_is_data_frames(tmp_path):
    trace = load_trace(traced(tmp_path / "t.jsonl"))
    assert trace.header["scenario"] == "first-service"
    assert trace.header["seed"] == 3
    assert set(trace.tasks.columns) >= {"t", "task", "service", "slot", "state", "desired", "node", "exit"}
    assert (trace.tasks["t"] >= 0).all()
    assert "raft.role" in trace.kinds()


def test_a_simulated_run_has_all_columns_of_a_recorded_one(records, tmp_path):
    real = load_trace(records / "quorum_loss" / "run1.jsonl")
    simulated = load_trace(traced(tmp_path / "t.jsonl"))
    for frame in ("tasks", "nodes", "commands"):
        assert set(getattr(real, frame).columns) <= set(getattr(simulated, frame).columns)


def test_parquet_and_back(tmp_path):
    path = traced(tmp_path / "t.jsonl")
    trace = load_trace(path)
    trace.to_parquet(tmp_path / "t.parquet")
    again = load_trace(tmp_path / "t.parquet")
    assert (again.header, again.rows) == (trace.header, trace.rows)


def test_parquet_has_a_column_for_every_field(tmp_path):
    path = traced(tmp_path / "t.jsonl")
    load_trace(path).to_parquet(tmp_path / "t.parquet")
    table = pandas.read_parquet(tmp_path / "t.parquet")
    tasks = table[table["kind"] == "task"]
    assert set(tasks["state"]) >= {"assigned", "running"}
    assert tasks["slot"].notna().all()
    assert table[table["kind"] == "docker"]["rc"].eq(0).all()
    assert table["hosts"].dropna().map(list).map(len).ge(0).all()


def test_an_existing_trace_stays_whole_until_the_new_one_is(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("old\n")
    writer = TraceWriter(path, {"t": 0.0, "kind": "header"})
    writer.write({"t": 1.0, "kind": "begin"})
    assert path.read_text() == "old\n"
    writer.close()
    assert len(path.read_text().splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place(tmp_path):
    with pytest.raises(TraceError, match=r"nowhere/t\.jsonl: cannot be written: No such file or directory"):
        TraceWriter(tmp_path / "nowhere" / "t.jsonl", {})


BAD = [
    (b"", "empty"),
    (b"{\n", r":1: not a JSON object"),
    (b'{"t": 1.0, "kind": "begin"}\n{"t": 2.0, "ki', ":2: the trace is cut off here"),
    (b'{"kind": "begin"}\n', "a row needs a number 't' and a text 'kind'"),
    (b"[1]\n", "not a JSON object"),
    (b"\xff\xfe\n", ":1: not"),
    (b'{"t": 0.0, "kind": "header", "format": 99}\n', "trace format 99; this swarmsim reads format 1"),
]


@pytest.mark.parametrize(("content", "complaint"), BAD)
def test_what_is_no_trace_is_refused_with_its_place(tmp_path, content, complaint):
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=complaint):
        load_trace(path)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    path.write_bytes(content)
    with contextlib.suppress(TraceError):
        load_trace(path)


def test_a_trace_goes_into_a_pipe_without_taking_its_place(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        with TraceWriter(pipe, {"t": 0.0, "kind": "header"}) as writer:
            writer.write({"t": 1.0, "kind": "end"})
        assert read.result().count(b"\n") == 2
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_not_replaced():
    with pytest.raises(TraceError, match=r"/dev/full: cannot be written: No space left on device"):
        TraceWriter(Path("/dev/full"), {"t": 0.0, "kind": "header"}).close()
    assert Path("/dev/full").is_char_device()
