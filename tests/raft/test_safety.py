"""The five safety properties of Raft (figure 3 of the paper) under lost, late, repeated and reordered messages,
crashes, restarts and cuts."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarmsim.raft.core import ProposalDropped, RaftRole
from tests.raft.driver import Group

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "tick",
                "tick",
                "tick",
                "deliver",
                "deliver",
                "deliver",
                "deliver",
                "lose",
                "repeat",
                "late",
                "propose",
                "crash",
                "start",
                "compact",
                "settle",
            )
        ),
        st.integers(0, 1000),
    ),
    min_size=50,
    max_size=400,
)


def check(group: Group, committed: dict[int, object]) -> None:
    # Election safety: at most one leader in a term.
    assert all(len(leaders) == 1 for leaders in group.leaders.values())
    # State machine safety and leader completeness: what was applied at an index once is what everybody applies there.
    for applied in group.applied.values():
        for entry in applied:
            assert committed.setdefault(entry.index, (entry.term, entry.data)) == (entry.term, entry.data)
        assert [entry.index for entry in applied] == list(range(1, len(applied) + 1))
    # Log matching: two logs with an entry of the same index and term are the same up to it.
    logs = {id: {entry.index: entry.term for entry in raft.log.entries} for id, raft in group.rafts.items()}
    for a in logs.values():
        for b in logs.values():
            same = [index for index in a if b.get(index) == a[index]]
            if same:
                last = max(same)
                assert all(a[i] == b[i] for i in a if i <= last and i in b)
    # Leader completeness: a leader's log holds everything that was applied anywhere.
    for raft in group.rafts.values():
        newest = max((r.term for r in group.rafts.values()), default=0)
        if raft.role is RaftRole.LEADER and raft.term == newest:
            for index, (term, _) in committed.items():
                assert index <= raft.log.offset or raft.log.term(index) == term


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.sampled_from((1, 2, 3, 5)), seed=st.integers(0, 10_000), actions=ACTIONS)
def test_the_five_safety_properties(size, seed, actions):
    group = Group(size, seed=seed)
    committed: dict[int, object] = {}
    last_index: dict[int, int] = {}
    for number, (action, rng) in enumerate(actions):
        alive = list(group.rafts)
        down = [id for id in group.members if id not in group.rafts]
        if action == "tick" and alive:
            group.tick(alive[rng % len(alive)], 1 + rng % 12)
        elif action == "deliver" and group.wire:
            group.deliver(group.wire.pop(rng % len(group.wire)))
        elif action == "lose" and group.wire:
            group.wire.pop(rng % len(group.wire))
        elif action == "repeat" and group.wire:
            group.wire.append(group.wire[rng % len(group.wire)])
        elif action == "late" and group.wire:
            group.wire.append(group.wire.pop(0))
        elif action == "propose":
            for id in alive:
                try:
                    group.rafts[id].propose(f"{number}")
                    group.pump(id)
                except ProposalDropped:
                    continue
        elif action == "crash" and len(alive) > 1:
            group.crash(alive[rng % len(alive)])
        elif action == "start" and down:
            group.start(down[rng % len(down)])
            group.pump(down[rng % len(down)])
        elif action == "compact" and alive:
            id = alive[rng % len(alive)]
            if group.rafts[id].log.applied > group.rafts[id].log.offset:
                group.compact(id)
        elif action == "settle":
            group.settle(limit=100_000)
        # Leader append-only: a leader never shortens its log.
        for id, raft in group.rafts.items():
            if raft.role is RaftRole.LEADER:
                key = (id, raft.term)
                assert raft.log.last_index >= last_index.get(key, 0)
                last_index[key] = raft.log.last_index
        check(group, committed)


@settings(max_examples=40, deadline=None)
@given(size=st.sampled_from((3, 5)), seed=st.integers(0, 10_000))
def test_a_healthy_group_elects_a_leader_and_commits(size, seed):
    group = Group(size, seed=seed)
    for _ in range(200):
        for id in group.members:
            group.tick(id)
        group.settle()
        leader = group.leader()
        if leader is not None:
            group.propose(leader, "x")
            assert group.data(leader)[-1] == "x"
            return
    raise AssertionError("no leader in 200 ticks")
