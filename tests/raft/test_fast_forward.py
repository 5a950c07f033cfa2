"""Many ticks of a healthy group at once leave leader and followers where single ticks would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from swarmsim.raft.core import RaftRole, Settings
from swarmsim.raft.messages import Kind
from tests.raft.driver import Group, between

LEADER = 1


def group_of(size: int, lost: int, ticks: int, election_tick: int, heartbeat_tick: int) -> Group:
    """A group that ``LEADER`` has led for some ticks; the last ``lost`` members have been gone since before that."""
    group = Group(size, settings=Settings(election_tick=election_tick, heartbeat_tick=heartbeat_tick))
    group.elect(LEADER)
    group.propose(LEADER, "x")
    for id in gone(group, lost):
        group.crash(id)
    group.tick(LEADER)
    group.settle()
    for id in gone(group, lost):
        group.rafts[LEADER].report_unreachable(id)
    beat(group, ticks)
    return group


def gone(group: Group, lost: int) -> tuple[int, ...]:
    return group.members[len(group.members) - lost :]


def beat(group: Group, ticks: int) -> None:
    """Tick everybody, the leader first; whoever lives hears the heartbeat and answers at once."""
    for _ in range(ticks):
        group.tick(LEADER)
        group.settle()
        for id in group.rafts:
            if id != LEADER:
                group.tick(id)


def where(group: Group, id: int) -> object:
    raft = group.rafts[id]
    progress = [
        (member, p.state, p.match, p.next, p.recent_active, p.is_paused, list(p.inflight))
        for member, p in raft.progress.items()
    ]
    return (
        raft.role,
        raft.term,
        raft.leader,
        raft.vote,
        raft.transferee,
        raft.election_elapsed,
        raft.heartbeat_elapsed,
        raft.log.committed,
        progress if raft.role is RaftRole.LEADER else None,
    )


@given(
    size=st.integers(1, 7),
    lost=st.integers(0, 3),
    before=st.integers(0, 25),
    ticks=st.integers(0, 60),
    election_tick=st.integers(3, 12),
    heartbeat_tick=st.integers(1, 2),
)
def test_a_leader_with_its_majority(size, lost, before, ticks, election_tick, heartbeat_tick):
    lost = min(lost, (size - 1) // 2)
    one, other = (group_of(size, lost, before, election_tick, heartbeat_tick) for _ in range(2))
    beat(one, ticks)
    answering = [id for id in other.rafts if id != LEADER]
    assert all(other.rafts[LEADER].in_step(id) for id in answering)
    other.rafts[LEADER].fast_forward_leader(ticks, answering)
    assert where(other, LEADER) == where(one, LEADER)


@given(size=st.integers(2, 5), before=st.integers(0, 25), ticks=st.integers(0, 60))
def test_a_follower_that_is_heard_of_before_its_own_tick(size, before, ticks):
    one, other = (group_of(size, 0, before, 10, 1) for _ in range(2))
    beat(one, ticks)
    for id in other.members[1:]:
        other.rafts[id].fast_forward_follower(ticks, 1 if ticks else None)
        assert where(other, id) == where(one, id)


@given(size=st.integers(2, 5), before=st.integers(0, 25), ticks=st.integers(0, 9))
def test_a_follower_that_has_heard_nothing_yet(size, before, ticks):
    """Heartbeats are on the way, or the leader's next tick is not due."""
    one, other = (group_of(size, 0, before, 10, 1) for _ in range(2))
    for id in one.members[1:]:
        one.tick(id, ticks - 1 if ticks else 0)
        other.rafts[id].fast_forward_follower(ticks - 1 if ticks else 0, None)
        assert where(other, id) == where(one, id)


@given(unheard=st.integers(0, 8), before=st.integers(1, 25))
def test_a_follower_counts_from_the_last_heartbeat(unheard, before):
    one, other = (group_of(3, 0, before, 10, 1) for _ in range(2))
    beat(one, 3)
    one.tick(LEADER)
    one.settle()
    one.tick(2, unheard)
    other.rafts[2].fast_forward_follower(3 + unheard, unheard)
    assert where(other, 2) == where(one, 2)


def test_a_leader_whose_member_just_missed_the_append_is_not_in_step():
    group = group_of(3, 0, 5, 10, 1)
    group.propose(LEADER, "y", drop=between(3))
    assert group.rafts[LEADER].in_step(2)
    assert not group.rafts[LEADER].in_step(3)


def test_a_member_that_returned_and_lacks_nothing_is_in_step():
    group = group_of(3, 1, 5, 10, 1)
    assert not group.wire
    group.start(3)
    beat(group, 2)
    assert group.rafts[LEADER].in_step(3)
    assert [message.type for message in group.wire if message.type is Kind.APP] == []
