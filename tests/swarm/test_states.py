"""The task state machine's table."""

from __future__ import annotations

from functools import partial

import pytest

from swarmsim.apitypes.specs import replace
from swarmsim.sim.clock import Clock
from swarmsim.swarm.manager.allocator import Allocator
from swarmsim.swarm.objects import Task
from swarmsim.swarm.states import (
    MOVES,
    NEXT,
    TERMINAL,
    BackwardsDesire,
    IllegalMove,
    TaskState,
    Who,
    may,
    may_in_steps,
)
from swarmsim.swarm.store import MemoryStore
from tests.conftest import Lab
from tests.swarm.build import task

S = TaskState
NUMBERS = {
    "NEW": 0, "PENDING": 64, "ASSIGNED": 192, "ACCEPTED": 256, "PREPARING": 320, "READY": 384, "STARTING": 448,
    "RUNNING": 512, "COMPLETE": 576, "SHUTDOWN": 640, "FAILED": 704, "REJECTED": 768, "REMOVE": 800, "ORPHANED": 832,
}  # fmt: skip


def test_states_have_swarmkits_numbers():
    assert {state.name: int(state) for state in TaskState} == NUMBERS


@pytest.mark.parametrize("move", MOVES, ids=lambda move: f"{move.target.name}-{move.message or 'error'}")
def test_every_move_goes_forward(move):
    assert all(source < move.target for source in move.sources)


def test_above_assigned_only_the_agent_writes_except_for_orphans_and_rejections():
    for move in MOVES:
        if any(source >= S.ASSIGNED for source in move.sources):
            assert move.who is Who.AGENT or move.target in (S.ORPHANED, S.REJECTED)


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in NEXT.items() if s >= S.ASSIGNED])
def test_the_agents_way_forward_is_in_the_table(source, target):
    assert may(Who.AGENT, source, target)


@pytest.mark.parametrize(
    ("who", "source", "target"),
    [
        (Who.SCHEDULER, S.NEW, S.ASSIGNED),
        (Who.AGENT, S.PENDING, S.ASSIGNED),
        (Who.AGENT, S.RUNNING, S.STARTING),
        (Who.AGENT, S.RUNNING, S.REJECTED),
        (Who.AGENT, S.PREPARING, S.FAILED),
        (Who.DISPATCHER, S.COMPLETE, S.ORPHANED),
    ],
)
def test_moves_that_nobody_may_make(who, source, target):
    assert not may(who, source, target)


def test_an_agents_reports_may_leave_out_states_but_not_go_round_the_table():
    assert may_in_steps(Who.AGENT, S.ASSIGNED, S.FAILED)
    assert may_in_steps(Who.AGENT, S.READY, S.REJECTED)
    assert not may_in_steps(Who.AGENT, S.STARTING, S.REJECTED)
    assert not may_in_steps(Who.AGENT, S.COMPLETE, S.FAILED)
    assert not may_in_steps(Who.AGENT, S.PENDING, S.RUNNING)


def test_no_two_components_make_the_same_move():
    """Tasks.tla has one owner for each state; orphaning and the constraint enforcer are the running code's exceptions."""
    makers = {}
    for move in MOVES:
        for source in move.sources:
            makers.setdefault((source, move.target), set()).add(move.who)
    shared = {move: who for move, who in makers.items() if len(who) > 1}
    assert {target for _, target in shared} == {S.ORPHANED, S.REJECTED}
    assert set().union(*shared.values()) == {Who.DISPATCHER, Who.CONTROL, Who.ENFORCER, Who.AGENT}


def test_nobody_leaves_a_terminal_state():
    assert not [move for move in MOVES if TERMINAL & set(move.sources)]
    assert {S.COMPLETE, S.SHUTDOWN, S.FAILED, S.REJECTED, S.REMOVE, S.ORPHANED} == TERMINAL


def test_the_store_refuses_an_illegal_move_with_its_place():
    store = MemoryStore(Clock())
    store.update(lambda tx: tx.create(task("t1", state=S.PENDING)))

    def move(target, who, tx):
        old = tx.get(Task, "t1")
        tx.update(replace(old, status=replace(old.status, state=target)), who)

    with pytest.raises(IllegalMove, match="task t1: agent may not move it from pending to running"):
        store.update(partial(move, S.RUNNING, Who.AGENT))
    store = MemoryStore(Clock())
    store.update(lambda tx: tx.create(task("t1", state=S.PENDING)))
    with pytest.raises(IllegalMove, match="task t1: somebody unnamed may not move it from pending to assigned"):
        store.batch([partial(move, S.ASSIGNED, None)])


def test_the_store_refuses_to_want_a_task_to_run_again():
    store = MemoryStore(Clock())
    store.update(lambda tx: tx.create(task("t1", desired=S.SHUTDOWN)))
    with pytest.raises(BackwardsDesire, match="task t1: desired state shutdown would go back to running"):
        store.update(lambda tx: tx.update(replace(tx.get(Task, "t1"), desired_state=S.RUNNING)))


def serve(lab):
    lab.service()
    lab.sleep(5)


def test_a_run_ends_with_an_illegal_move_though_nobody_waits_for_the_write(monkeypatch):
    """As if the allocator assigned tasks."""

    def allocate(self, id, tx):
        old = tx.get(Task, id)
        if old is not None and old.status.state is S.NEW:
            tx.update(replace(old, status=replace(old.status, state=S.ASSIGNED)), Who.ALLOCATOR)

    monkeypatch.setattr(Allocator, "_allocate_task", allocate)
    lab = Lab(managers=1, workers=1)
    with pytest.raises(IllegalMove, match="allocator may not move it from new to assigned"):
        serve(lab)


def test_a_run_ends_with_an_agents_illegal_step(monkeypatch):
    """As if an agent started a container it has not prepared."""
    monkeypatch.setitem(NEXT, S.ACCEPTED, S.READY)
    lab = Lab(managers=1, workers=1)
    with pytest.raises(IllegalMove, match="agent may not move it from accepted to ready"):
        serve(lab)
