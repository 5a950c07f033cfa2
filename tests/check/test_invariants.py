"""Every invariant finds the trace that breaks it, and none finds fault with what a real Swarm did."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from msgspec import json
from typer.testing import CliRunner

from swarmsim import load_trace
from swarmsim.check import INVARIANTS, Checker, check_trace
from swarmsim.cli import app
from swarmsim.engine.containers import Container
from swarmsim.scenario import run_scenario
from swarmsim.scenario.loader import parse_scenario
from swarmsim.swarm.manager.replicated import ReplicatedOrchestrator
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.scheduler.scheduler import Scheduler
from swarmsim.swarm.states import TaskState as S
from swarmsim.trace.rows import fault_in

RECORDED = sorted((Path(__file__).parents[1] / "records").glob("*/run*.jsonl"))


def node(t=0.0, node="w1", status="ready", **fields):
    about = {"msg": None, "avail": "active", "role": "worker", "leader": False, "reach": None, "id": f"id-{node}"}
    return {"t": t, "kind": "node", "node": node, "status": status, **about, **fields}


def service(t=0.0, service="web", replicas=1, mode="replicated", update=None):
    return {"t": t, "kind": "service", "service": service, "update": update, "umsg": None, "mode": mode, "replicas": replicas, "image": "mini:1"}  # fmt: skip


def task(t, state, desired="running", task="t1", **fields):
    about = {
        "service": "web",
        "slot": 1,
        "ts": "",
        "image": "mini:1",
        "msg": "",
        "err": None,
        "node": "w1",
        "exit": None,
    }
    return {"t": t, "kind": "task", "task": task, "state": state, "desired": desired, **about, **fields}


def gone(t, task="t1"):
    return {"t": t, "kind": "task_gone", "task": task}


def report(t, state, desired="running"):
    return {"t": t, "kind": "agent.report", "host": "w1", "task": "t1", "state": state, "desired": desired, "err": None}


def container(t, what, id="c1"):
    return {"t": t, "kind": f"container.{what}", "host": "w1", "container": id, "service": "web", "task": "t1"}


def power(t, on):
    return {"t": t, "kind": "power", "host": "w1", "on": on}


def end(t):
    return {"t": t, "kind": "end"}


DAY = 24 * 3600.0
START = [node(), node(node="w2"), service()]
BAD = [
    ("A1 types", [task(1, "remove")], "task t1 (web.1): its observed state is remove, which can only be wanted"),
    ("A1 types", [task(1, "asleep")], "task t1 (web.1): there is no state asleep"),
    ("A1 types", [task(1, "running", "starting")], "task t1 (web.1): its desired state is starting"),
    ("A1 types", [task(1, "running", slot=-3)], "task t1 (web.-3): there is no slot -3"),
    ("A1 types", [node(1, status="ill")], "node w1: there is no status ill"),
    ("A2 service", [task(1, "new", service="db")], "task t1 (db.1): there never was a service db"),
    ("A3 node", [task(1, "assigned", node=None)], "task t1 (web.1): is assigned on no node"),
    ("A5 identity", [task(1, "shutdown", "shutdown"), gone(2), task(3, "shutdown", "shutdown")], "task t1 (web.1): is listed again after it was gone"),
    ("A5 identity", [task(1, "running"), task(2, "running", slot=2)], "task t1 (web.2): its slot was 1"),
    ("A5 identity", [task(1, "running"), task(2, "running", node="w2")], "task t1 (web.1): moves from w1 to w2"),
    ("B move", [task(1, "running"), task(2, "starting")], "task t1 (web.1): goes back from running to starting"),
    ("B move", [task(1, "complete"), task(2, "failed")], "task t1 (web.1): leaves complete, which is terminal, for failed"),
    ("B move", [task(1, "new", node=None), task(2, "shutdown", "shutdown"), task(3, "orphaned")], "task t1 (web.1): leaves shutdown, which is terminal, for orphaned"),
    ("B desire", [task(1, "running", "shutdown"), task(2, "running")], "task t1 (web.1): was wanted shutdown, now running"),
    ("B ready", [task(1, "starting", "ready")], "task t1 (web.1): is starting though it is only wanted ready"),
    ("B step", [report(1, "accepted"), report(2, "ready")], "task t1: its agent on w1 moves it from accepted to ready"),
    ("B step", [report(1, "running"), report(2, "rejected")], "task t1: its agent on w1 moves it from running to rejected"),
    ("B end", [task(1, "shutdown")], "task t1: is shut down though it is wanted running"),
    ("B end", [report(1, "running"), report(2, "failed", "shutdown")], "task t1: its agent reports failed though it was told shutdown"),
    ("C new", [task(1, "new")], "task t1 (web.1): is new, and on w1"),
    ("C new", [task(1, "new", slot=None, node=None)], "task t1 (web.?): is new, and on no node though its service is global"),
    ("C reaper", [task(1, "running"), gone(5)], "task t1 (web.1): is gone while it was running and wanted running"),
    ("C mode", [service(1, mode="global", replicas=None)], "service web: was replicated, is global"),
    ("C orphan", [task(1, "running"), node(2, status="down"), task(2 + DAY / 2, "orphaned")], "task t1 (web.1): is orphaned, but w1 is down since 43200.0 s"),
    ("C agent", [task(1, "running"), node(2, status="down"), task(4, "failed")], "task t1 (web.1): becomes failed on w1, which is down since 2.0 s"),
    ("C agent", [power(1, False), report(2, "accepted")], "task t1: the agent on w1 reports accepted without power"),
    ("C create", [task(1, "new"), task(2, "new", task="t2", slot=2)], "task t2 (web.2): is made in a new slot, the 2. of 1"),
    ("C replace", [task(1, "running"), task(2, "new", task="t2")], "task t2 (web.1): is wanted besides t1"),
    ("C release", [task(1, "running", "shutdown"), task(2, "running", task="t2", node="w2")], "task t2 (web.1): runs while t1 still does on w1, which is ready"),
    ("C remove", [task(1, "running"), task(2, "running", "remove")], "task t1 (web.1): is to be removed, which leaves 0 slots of 1"),
    ("D container", [power(1, False), container(2, "started")], "container c1: starts on w1, which has no power"),
    ("D container", [container(1, "started"), power(2, False)], "container c1: runs on w1, which has no power"),
    ("D container", [task(1, "running"), container(1, "started"), task(2, "running", "shutdown"), container(99, "ended")], "container c1: runs on w1, in touch with a manager, 97.0 s after its task was over"),
    ("D container", [task(1, "shutdown", "shutdown"), container(1, "started"), gone(2), end(99)], "container c1: runs on w1, in touch with a manager, 97.0 s after its task was over"),
    ("D single", [container(1, "started"), container(2, "started", "c2")], "container c2: is the second of task t1, besides c1"),
    ("D running", [task(1, "running"), container(1, "started"), container(2, "ended"), end(99)], "task t1 (web.1): is running without a container since 97.0 s, on w1, which is ready"),
    ("E history", [*(task(n, "failed", "shutdown", f"f{n}") for n in range(1, 7)), task(7, "running"), end(99)], "web.1: 6 tasks that are over are kept, of 5 at most"),
    ("E desired", [service(1, replicas=2), task(1, "running"), end(99)], "service web: 1 tasks of 2 run, though nothing happens since 98.0 s"),
    ("E desired", [task(1, "preparing"), end(99)], "task t1 (web.1): is preparing and stays so, though nothing happens since 99.0 s"),
    ("E desired", [service(1, "g", None, "global"), task(1, "running"), *(task(1, "running", task=id, service="g", slot=None) for id in ("g1", "g2")), end(99)],
     "service g: is global, and runs more than once on a node"),
]  # fmt: skip
"""Small bad traces, after START: the invariant, the rows, what is said of them."""


@pytest.mark.parametrize(("invariant", "rows", "what"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_trace_that_breaks_an_invariant_is_found(invariant, rows, what):
    assert [fault for row in rows if (fault := fault_in(row))] == []
    assert (invariant, what) in [(broken.invariant, broken.what) for broken in check_trace([*START, *rows])]


def test_every_invariant_has_a_trace_that_breaks_it():
    assert {invariant for invariant, _, _ in BAD} == {invariant.name for invariant in INVARIANTS}


GOOD = {
    "states between two looks are missing": [task(1, "new", node=None), task(2, "running")],
    "starting fails": [task(1, "starting"), task(2, "failed", "shutdown")],
    "the constraint enforcer rejects what runs": [task(1, "running"), task(2, "rejected", "shutdown")],
    "a day later it is orphaned": [task(1, "running"), node(2, status="down"), task(2 + DAY, "orphaned")],
    "two in a slot during a start-first update": [task(1, "running"), service(1, update="updating"), task(2, "running", task="t2")],
    "the old task's node is lost": [task(1, "running"), node(2, status="down"), task(2, "running", "shutdown"), task(3, "running", task="t2", node="w2")],
    "a replacement comes in the look that gives the old task up": [task(1, "running"), task(2, "ready", "ready", "t2"), task(2.001, "failed", "shutdown")],
    "nowhere to go": [service(1, replicas=2), task(1, "running"), task(1, "pending", task="t2", slot=2, node=None, err="no suitable node"), end(99)],
    "a service is scaled down": [task(1, "running"), service(2, replicas=0), task(2, "running", "remove"), task(9, "shutdown", "remove"), gone(10), end(99)],
}  # fmt: skip


@pytest.mark.parametrize("rows", GOOD.values(), ids=GOOD)
def test_what_the_running_code_allows_is_allowed(rows):
    assert check_trace([*START, *rows]) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_real_swarm_keeps_them_all(path):
    assert check_trace(load_trace(path).rows) == []


STORY = """
name: story
cluster: {managers: 1, workers: 3}
steps:
  - docker: service create -d --name web --replicas 6 mini:1 sleep 100000
  - wait: {service: web, running: 6}
  - docker: node update --availability drain w1
  - sleep: 30s
  - docker: service scale -d web=3
  - fault: {power-off: w3}
  - sleep: 3m
"""


def broken_by_story():
    checker = Checker()
    run_scenario(parse_scenario(STORY, "story"), 1, checker.take)
    return {broken.invariant for broken in checker.finish()}


def test_the_story_keeps_them_all():
    assert broken_by_story() == set()


@pytest.mark.broken_model
def test_a_replacement_that_does_not_wait_is_found(monkeypatch):
    stopped = RestartSupervisor.delay_start
    monkeypatch.setattr(RestartSupervisor, "delay_start", lambda self, old, *more: stopped(self, None, *more))
    assert "C release" in broken_by_story()


@pytest.mark.broken_model
def test_an_orchestrator_that_makes_too_many_is_found(monkeypatch):
    create = ReplicatedOrchestrator._create

    def twice(self, service, slot, tx):
        create(self, service, slot, tx)
        create(self, service, slot + 100, tx)

    monkeypatch.setattr(ReplicatedOrchestrator, "_create", twice)
    assert "C create" in broken_by_story()


@pytest.mark.broken_model
def test_a_reaper_that_takes_what_runs_is_found(monkeypatch):
    monkeypatch.setattr("swarmsim.swarm.manager.taskreaper._removable", lambda task: task.status.state is S.RUNNING)
    assert "C reaper" in broken_by_story()


@pytest.mark.broken_model
def test_a_dispatcher_without_patience_is_found(monkeypatch):
    monkeypatch.setattr("swarmsim.swarm.manager.dispatcher.NODE_DOWN_PERIOD", 60.0)
    assert "C orphan" in broken_by_story()


@pytest.mark.broken_model
def test_containers_that_cannot_be_stopped_are_found(monkeypatch):
    monkeypatch.setattr(Container, "signal", lambda self, name: None)
    assert "D container" in broken_by_story()


@pytest.mark.broken_model
def test_a_scheduler_that_sleeps_is_found(monkeypatch):
    monkeypatch.setattr(Scheduler, "_on_commit", lambda self, changes: None)
    assert "E desired" in broken_by_story()


def test_the_command_names_the_trace_the_moment_and_the_rule(tmp_path):
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_bytes(b"\n".join(map(json.encode, START)))
    bad.write_bytes(b"\n".join(map(json.encode, [*START, task(1, "running", "shutdown"), task(2, "running")])))
    done = CliRunner().invoke(app, ["check", "--invariants", str(good)])
    assert (done.exit_code, done.stdout) == (0, f"1 trace: all {len(INVARIANTS)} invariants hold\n")
    done = CliRunner().invoke(app, ["check", "--invariants", str(good), str(bad)])
    assert done.exit_code == 1
    assert done.stdout == f"{bad}: 2.000: B desire: task t1 (web.1): was wanted shutdown, now running\n"


def test_the_document_has_them_all():
    """``REWRITE=1 pytest tests/check`` writes its table anew."""
    document = Path(__file__).parents[2] / "docs" / "invariants.md"
    lines = [f"| {each.name} | {each.demands} |" for each in INVARIANTS]
    table = "\n".join(["<!-- invariants -->\n", "| rule | demands |", "|---|---|", *lines, "\n<!-- end -->"])
    text = document.read_text("utf-8")
    new = re.sub(r"<!-- invariants -->.*<!-- end -->", lambda _: table, text, flags=re.S)
    if os.environ.get("REWRITE"):
        document.write_text(new, "utf-8")
    assert text == new
