"""The command line: exit codes, files, errors in one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import typer

from swarmsim.cli import PANELS, app
from tests.commandline import swarmsim

QUICK = "name: quick\ntitle: Quick\nsteps:\n  - docker: service create -d --name web mini:1 sleep 99\n  - wait: {service: web, running: 1}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "unmet.yaml").write_text(QUICK + "expect:\n  - {service: web, running: 9}\n")
    return tmp_path


def test_a_run_leaves_a_story_trace_and_picture(folder):
    about = QUICK.replace("steps:", "about: What there is to see.\nsteps:", 1)
    (folder / "quick.yaml").write_text(about + "  - sleep: 5s\n")
    done = swarmsim("run", "quick.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    first, second, *story = done.stdout.splitlines()
    assert (first, second) == ("Quick", "What there is to see.")
    assert "A task of web came up" in done.stdout
    assert "all expectations hold" in done.stdout
    assert "=> 1 running" not in done.stdout
    assert len(story) < 15
    assert (folder / "runs" / "quick-1.jsonl").exists()
    assert (folder / "runs" / "quick-1.png").read_bytes().startswith(b"\x89PNG")


def test_an_unmet_expectation_is_exit_code_1(folder):
    done = swarmsim("run", "unmet.yaml", "-q", cwd=folder)
    assert done.returncode == 1
    assert "expected service web" not in done.stderr
    assert "seen service web: 1 running" in done.stdout


def test_quiet_is_one_line_and_an_unmet_expectation_is_told_once(folder):
    for form in ("-q", "-v", "--json"):
        done = swarmsim("run", "unmet.yaml", form, cwd=folder)
        assert done.stdout.count("1 running") - done.stdout.count("=> 1 running") == (2 if form == "--json" else 1)
        assert (len(done.stdout.splitlines()) == 1) == (form != "-v")


def test_the_whole_timeline(folder):
    done = swarmsim("run", "quorum-loss", "-v", cwd=folder)
    lines = [line.strip() for line in done.stdout.splitlines()]
    typed = next(n for n, line in enumerate(lines) if line.endswith("m1$ docker node ls"))
    answered = next(n for n, line in enumerate(lines) if line.endswith("m1$ docker node ls   (20 s)"))
    assert any(line.endswith("no manager answers") for line in lines[typed:answered])
    assert not any("wanted" in line for line in lines)
    assert any(line.endswith("failed, not to run again (task: non-zero exit (137))") for line in lines)


def test_json(folder):
    done = swarmsim("run", "quick.yaml", "--json", "--seed", "4", "--trace", "t.jsonl", "--plot", "p.svg", cwd=folder)
    result = json.loads(done.stdout)
    assert (result["ok"], result["seed"], result["trace"]) == (True, 4, "t.jsonl")
    assert result["milestones"]["wait: 1 running"]


def test_a_run_with_another_value_at_a_path_has_a_trace_of_its_own(folder):
    done = swarmsim("run", "quick.yaml", "--json", "--set", "cluster.workers=2", "--set", "steps=[]", cwd=folder)
    trace = folder / json.loads(done.stdout)["trace"]
    rows = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [row["host"] for row in rows if row["kind"] == "host"] == ["m1", "w1", "w2"]
    assert not any("service create" in row["cmd"] for row in rows if row["kind"] == "docker")
    assert trace.name not in ("quick-1.jsonl", "quick.jsonl")


def test_an_ensemble(folder):
    done = swarmsim("run", "quick.yaml", "--seeds", "4", "--json", cwd=folder)
    result = json.loads(done.stdout)
    assert result["seeds"] == [1, 4]
    assert set(result["percentiles"]["wait: 1 running"]) == {"1%", "10%", "50%", "90%", "99%"}


BAD = [
    (["run", "nosuch"], "nosuch: no such file, and no shipped scenario of that name"),
    (["run", "broken.yaml"], "broken.yaml:1:1: 'name' is missing"),
    (["run", "quick.yaml", "--set", "cluster.managers=1,3"], "a run has one value there; swarmsim sweep tries several"),
    (["run", "quick.yaml", "--set", "cluster.wrkers=1"], "unknown key 'wrkers'; did you mean 'workers'?"),
    (["run", "quick.yaml", "--set", "name=a", "--set", "name=b"], "--set name=b: name is given twice"),
    (["advise", "nosuch"], "nosuch: no such file, and no shipped scenario"),
    (["run", "quick.yaml", "--until", "soon"], "--until 'soon' is no duration"),
    (["run", "quick.yaml", "--trace", "no/where.jsonl"], "no/where.jsonl: cannot be written"),
    (["run", "quick.yaml", "--plot", "picture.xyz"], "picture.xyz: the picture cannot be written"),
    (["run", "quick.yaml", "unmet.yaml", "--trace", "t"], "--trace and --plot need a single scenario"),
    (["run", "quick.yaml", "--seeds", "3", "--trace", "t"], "--trace is for a single run, --seeds for many"),
    (["run", "quick.yaml", "-q", "--speed", "2"], "--speed sets the pace of the timeline"),
    (["run", "quick.yaml", "-q", "-v"], "--verbose shows the timeline, which --quiet and --json leave out"),
    (["run", "quick.yaml", "-v", "--seeds", "2"], "--verbose is for a single run, --seeds for many"),
    (["plot", "nosuch.jsonl", "run"], "nosuch.jsonl: cannot be read"),
    (["export", "broken.yaml", "--out", "p.parquet"], "broken.yaml:1: "),
    (["fidelity", "nosuch"], "no such folder of recorded runs"),
    (["plot", "t.jsonl", "picture"], "plot picture: the last word says what to draw: run, tasks"),
    (["plot", "raft"], "plot raft: of what?"),
    (["plot", "a.jsonl", "b.jsonl", "raft"], "raft draws one source, not 2"),
    (["plot", "a.jsonl", "raft", "--service", "web"], "--service says nothing about raft; it is for lanes"),
    (["plot", "quick.yaml", "against", "--seeds", "2"], "against needs --records"),
    (
        ["plot", "quick.yaml", "milestones"],
        "quick.yaml:1: not a JSON object; is it a scenario? swarmsim run quick.yaml",
    ),
    (["report", "nosuch.jsonl"], "nosuch.jsonl: cannot be read"),
    (["export", "nosuch.jsonl", "--perfetto"], "nosuch.jsonl: cannot be read"),
    (["watch", "quick.yaml"], "watch needs a terminal; without one: swarmsim run quick.yaml"),
    (["watch", "nosuch"], "nosuch: no such file, and no shipped scenario"),
    (["watch", "nosuch.jsonl"], "nosuch.jsonl: cannot be read"),
    (["watch", "--lang", "fr"], "--lang fr: there are en, zh"),
    (["watch", "huge.jsonl"], "huge.jsonl: 5.0 GB; a trace is held in memory"),
    (["watch", "empty.jsonl"], "empty.jsonl: empty; a trace has at least one row"),
    (["watch", "cut.jsonl"], "cut.jsonl:2: the trace is cut off here"),
    (["watch", "old.jsonl"], "old.jsonl:1: trace format 99; this swarmsim reads format 1"),
    (["watch", "--web", "--host", "no.such.host.invalid"], "--host no.such.host.invalid: no such address"),
]


@pytest.mark.parametrize(("words", "complaint"), BAD)
def test_bad_input_is_one_line_and_exit_code_2(folder, words, complaint):
    (folder / "broken.yaml").write_text("title: no name\n")
    with (folder / "huge.jsonl").open("wb") as huge:
        huge.truncate(5_000_000_000)
    (folder / "empty.jsonl").write_text("")
    (folder / "cut.jsonl").write_text('{"t": 0.0, "kind": "begin"}\n{"t": 1.0, "ki')
    (folder / "old.jsonl").write_text('{"t": 0.0, "kind": "header", "format": 99}\n')
    done = swarmsim(*words, cwd=folder)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_an_interrupt_keeps_the_partial_trace(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "swarmsim", "run", "quorum-loss", "--speed", "1", "--trace", "t.jsonl"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    assert process.stdout is not None
    while b"begins" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    from swarmsim import load_trace

    assert load_trace(folder / "t.jsonl").scenario == "quorum-loss"


def test_a_reader_who_goes_early_does_not_end_the_run(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "swarmsim", "run", "quorum-loss", "--trace", "t.jsonl"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr.read() == b""
    from swarmsim import load_trace

    assert load_trace(folder / "t.jsonl").rows[-1]["kind"] == "end"


def test_list_schema_export_plot(folder):
    assert "quorum-loss" in swarmsim("list", cwd=folder).stdout
    assert json.loads(swarmsim("schema", cwd=folder).stdout)["title"] == "Scenario"
    swarmsim("run", "quick.yaml", "-q", "--trace", "t.jsonl", cwd=folder)
    assert swarmsim("export", "t.jsonl", "--out", "t.parquet", cwd=folder).returncode == 0
    assert swarmsim("plot", "t.parquet", "run", "--out", "t.pdf", cwd=folder).returncode == 0
    assert (folder / "t.pdf").read_bytes().startswith(b"%PDF")


FAILING = "name: failing\ncluster: {managers: 2}\nduration: 1d\nfaults: {hosts: managers, every: {exponential: 4h}, for: {exponential: 1h}}\n"


def test_an_ensemble_stops_when_it_is_precise_enough(folder):
    (folder / "failing.yaml").write_text(FAILING)
    done = swarmsim("run", "failing.yaml", "--seeds", "200", "--precision", "20%", "--json", cwd=folder)
    result = json.loads(done.stdout)
    assert 10 <= result["seeds"][1] < 200
    share = result["availability"]["no quorum: share"]
    assert share["half_width_95%"] <= 0.2 * share["mean"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["run", "quick.yaml", "--precision", "5%"], "--precision is reached with more runs: give --seeds"),
        (["run", "quick.yaml", "--seeds", "3", "--precision", "most"], "--precision most: write a part of the mean"),
        (
            ["sweep", "quick.yaml", "--set", "cluster.managers=1,3", "--out", "r.csv"],
            "name a file that ends in .parquet",
        ),
        (["sweep", "nosuch", "--set", "a=1", "--out", "r.parquet"], "nosuch: no such file"),
        (["sweep", "quick.yaml", "--set", "cluster.mangers=1", "--out", "r.parquet"], "did you mean 'managers'?"),
        (
            ["sweep", "quick.yaml", "--set", "cluster.managers=1", "--out", "no/r.parquet"],
            "--out no/r.parquet: cannot be",
        ),
        (["plot", "quick.yaml", "sweep", "--x", "seed"], "sweep needs --y"),
        (["plot", "quick.yaml", "sweep", "--y", "seed"], "quick.yaml: cannot be read"),
    ],
)
def test_what_is_refused_of_ensembles_and_sweeps(folder, words, complaint):
    done = swarmsim(*words, cwd=folder)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(folder.glob("*.parquet*"))


def test_a_sweep_and_its_picture(folder):
    words = ["sweep", "quick.yaml", "--set", "cluster.managers=1,3", "--seeds", "2", "--out", "r.parquet"]
    done = swarmsim(*words, cwd=folder)
    assert done.stdout == "4 runs: r.parquet\n", done.stderr
    drawn = swarmsim("plot", "r.parquet", "sweep", "--y", "wait: 1 running", "--out", "p.png", cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_port_in_use_is_told(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = swarmsim("watch", "--web", "--port", str(port), cwd=folder)
    assert done.returncode == 2
    assert done.stderr == f"swarmsim: port {port} at 127.0.0.1 is in use; choose another with --port\n"


def test_report_and_perfetto(folder):
    swarmsim("run", "quick.yaml", "-q", "--trace", "t.jsonl", cwd=folder)
    assert swarmsim("report", "t.jsonl", cwd=folder).stdout == "t.html\n"
    assert (folder / "t.html").read_text("utf-8").startswith("<!doctype html>")
    assert swarmsim("export", "t.jsonl", "--perfetto", cwd=folder).stdout == "t.perfetto.json\n"
    assert json.loads((folder / "t.perfetto.json").read_text())["traceEvents"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["run", "first-service", "--on", "moon"],
            "--on moon: there is no such place; write --on lab for hosts made on this machine",
        ),
        (
            ["run", "first-service", "--on", "lab", "--eager"],
            "--eager is for the model, --on for real hosts: leave one of them out",
        ),
        (["run", "how-many-managers", "--on", "lab"], "this needs jumps in time"),
        (["run", "external-ca", "--on", "lab"], "this needs authorities outside the swarm"),
        (["run", "first-service", "--yes"], "--yes is for real hosts: say which with --on"),
        (["run", "first-service", "--dry-run"], "--dry-run is for real hosts: say which with --on"),
        (["run", "first-service", "--on", "lab:249", "--yes"], "--on lab:249: it is not up"),
        (["doctor", "moon"], "there is no such cluster"),
        (
            ["run", "pending-memory", "--on", "lab", "--set", "cluster.hosts.w1.cpus=8"],
            "w1: a lab's hosts are all as this machine is: take out cpus",
        ),
        (["compare", "first-service"], "compare with what?"),
        (["compare", "first-service", "--from", "x.jsonl", "--runs", "2"], "--runs is for new runs"),
    ],
)
def test_what_real_hosts_cannot_do_is_refused_before_anything_is_done(words, told, tmp_path):
    done = swarmsim(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


def test_the_headings_of_help_name_commands_that_there_are():
    there = typer.main.get_command(app).commands
    assert [name for names in PANELS.values() for name in names if name not in there] == []
