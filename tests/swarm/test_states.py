"""The task state machine's table."""

from __future__ import annotations

import pytest

from swarmsim.swarm.states import MOVES, NEXT, TaskState, Who, may

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
