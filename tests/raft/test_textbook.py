"""Raft by the paper and by etcd's rules, driven by hand."""

from __future__ import annotations

import pytest

from swarmsim.raft.core import ProposalDropped, Raft, RaftRole
from swarmsim.raft.log import Log
from swarmsim.raft.messages import ChangeType, ConfChange, Entry, HardState, Kind, Message, Snapshot
from swarmsim.raft.progress import Progress, State
from tests.raft.driver import Group, between


def log_of(*terms: int) -> list[Entry]:
    return [Entry(index, term, f"{term}.{index}") for index, term in enumerate(terms, 1)]


def test_a_member_alone_elects_itself_and_commits_at_once():
    group = Group(1)
    group.elect(1)
    group.propose(1, "x")
    assert group.data(1) == ["x"]


def test_a_proposal_is_committed_when_a_majority_has_it():
    group = Group(3)
    group.elect(1)
    group.propose(1, "x", drop=between(3))
    assert group.data(1) == ["x"]
    assert group.data(2) == ["x"]  # the leader tells of the commit at once
    assert group.data(3) == []
    group.tick(1)  # what member 3 missed comes with the answer to its next heartbeat
    group.settle()
    assert group.data(3) == ["x"]


def test_without_a_majority_nothing_is_committed():
    group = Group(3)
    group.elect(1)
    group.propose(1, "x", drop=between(2, 3))
    assert group.data(1) == []


FIGURE_7 = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}
LEADER_OF_FIGURE_7 = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)


@pytest.mark.parametrize("name", FIGURE_7)
def test_figure_7_a_leader_brings_every_follower_to_its_own_log(name):
    group = Group(3)
    for id, terms in ((1, LEADER_OF_FIGURE_7), (2, FIGURE_7[name]), (3, LEADER_OF_FIGURE_7)):
        group.disks[id].entries = log_of(*terms)
        group.disks[id].hard = HardState(term=7)
        group.start(id)
    group.elect(1, drop=lambda m: m.type is Kind.VOTE and m.to == 2)
    group.propose(1, "new")
    group.tick(1)
    group.settle()
    terms = [entry.term for entry in group.rafts[2].log.entries]
    assert terms == [*LEADER_OF_FIGURE_7, 8, 8]
    assert group.applied[2] == group.applied[1]


@pytest.mark.parametrize(
    ("leader", "follower", "rejections"),
    [
        ((1, 3, 3, 3, 5, 5, 5, 5, 5), (1, 1, 1, 1, 2, 2), 1),
        ((1, 3, 3, 3, 3, 3, 3, 3, 7), (1, 3, 3, 4, 4, 5, 5, 5, 6), 2),
    ],
    ids=["the leader skips by the follower's term", "the follower skips by the leader's"],
)
def test_rejections_skip_whole_terms(leader, follower, rejections):
    group = Group(3)
    for id, terms in ((1, leader), (2, follower), (3, leader)):
        group.disks[id].entries = log_of(*terms)
        group.disks[id].hard = HardState(term=7)
        group.start(id)
    rejected: list[Message] = []

    def note(message: Message) -> bool:
        if message.type is Kind.APP_RESP and message.reject:
            rejected.append(message)
        return False

    group.elect(1, note)
    group.tick(1)
    group.settle(note)
    assert [entry.term for entry in group.rafts[2].log.entries] == [*leader, 8]
    assert len(rejected) == rejections


def test_figure_8_an_entry_of_an_earlier_term_is_not_committed_by_counting():
    group = Group(5)
    for id, terms in ((1, (1, 2)), (2, (1, 2)), (3, (1, 2)), (4, (1,)), (5, (1, 3))):
        group.disks[id].entries = log_of(*terms)
        group.disks[id].hard = HardState(term=4 if id == 1 else 3)
        group.start(id)
    leader = group.rafts[1]
    leader._become_candidate()
    leader._become_leader()
    # Entry 2 of term 2 is on a majority (1, 2, 3), entry 3 of the leader's own term only here.
    for follower in (2, 3):
        leader.step(Message(Kind.APP_RESP, 1, follower, leader.term, index=2))
    assert leader.log.committed == 0
    for follower in (2, 3):
        leader.step(Message(Kind.APP_RESP, 1, follower, leader.term, index=3))
    assert leader.log.committed == 3


def test_the_vote_goes_only_to_a_log_at_least_as_complete():
    group = Group(3)
    group.disks[2].entries = log_of(1, 1)
    group.start(2)
    group.rafts[1].step(Message(Kind.VOTE, 1, 2, term=5, index=2, log_term=1))
    group.rafts[2].step(Message(Kind.VOTE, 2, 3, term=5, index=1, log_term=1))
    for id, reject in ((1, False), (2, True)):
        (answer,) = group.rafts[id].ready().messages
        assert answer.reject is reject


def test_a_follower_with_a_living_leader_ignores_a_candidate():
    """The lease: without it a member that comes back would depose a healthy leader by asking."""
    group = Group(3)
    group.elect(1)
    term = group.rafts[2].term
    group.deliver(Message(Kind.VOTE, 2, 3, term=term + 1, index=99, log_term=99))
    assert group.rafts[2].term == term
    group.tick(2, 10)
    group.deliver(Message(Kind.VOTE, 2, 3, term=term + 1, index=99, log_term=99))
    assert group.rafts[2].term == term + 1


def test_a_leader_that_hears_nobody_for_ten_ticks_steps_down():
    group = Group(3)
    group.elect(1)
    ticks = 0
    while group.rafts[1].role is RaftRole.LEADER:
        group.tick(1)
        group.wire.clear()
        ticks += 1
    assert 10 <= ticks <= 20


def test_there_is_no_prevote_a_lonely_member_raises_its_term_and_deposes_the_leader_on_return():
    group = Group(3)
    group.elect(1)
    group.tick(3, 60)
    group.wire.clear()
    lonely = group.rafts[3].term
    assert lonely >= 4
    group.tick(1)
    group.settle()
    assert group.rafts[1].role is not RaftRole.LEADER
    assert group.rafts[1].term == lonely


@pytest.mark.parametrize("seed", range(5))
def test_election_time_outs_are_drawn_from_ten_to_nineteen_ticks(seed):
    seen = set()
    for draw in range(200):
        seen.add(Group(1, seed=seed * 1000 + draw).rafts[1].randomized_timeout)
    assert min(seen) == 10
    assert max(seen) == 19


def test_a_restarted_member_votes_no_second_time_in_a_term():
    group = Group(3)
    group.deliver(Message(Kind.VOTE, 1, 2, term=5))
    group.start(1)
    group.wire.clear()
    group.deliver(Message(Kind.VOTE, 1, 3, term=5))
    assert [message.reject for message in group.wire] == [True]


def test_entries_are_saved_before_the_messages_that_depend_on_them():
    group = Group(3)
    group.elect(1)
    group.rafts[1].propose("x")
    ready = group.rafts[1].ready()
    assert [entry.data for entry in ready.entries] == ["x"]
    assert all(message.type is Kind.APP for message in ready.messages)
    assert ready.must_sync


def test_how_far_entries_are_committed_is_written_but_not_waited_for():
    """etcd's MustSync: a follower that hears that an entry is committed needs no disk before it applies it."""
    group = Group(3)
    group.elect(1)
    leader, follower = group.rafts[1], group.rafts[2]
    index = leader.log.last_index
    follower.step(Message(Kind.HEARTBEAT, 2, 1, leader.term, commit=index))
    leader.propose("x")
    append = next(m for m in leader.ready().messages if m.to == 2)
    follower.step(append)
    told = follower.ready()
    assert told.must_sync
    follower.advance(told)
    follower.step(Message(Kind.HEARTBEAT, 2, 1, leader.term, commit=index + 1))
    committed = follower.ready()
    assert [entry.data for entry in committed.committed] == ["x"]
    assert committed.hard_state.commit == index + 1
    assert not committed.must_sync


def test_a_far_follower_gets_a_snapshot():
    group = Group(3)
    group.elect(1)
    for number in range(5):
        group.propose(1, number, drop=between(3))
    group.compact(1)
    group.tick(1)
    group.settle()
    group.propose(1, "after")
    group.tick(1)
    group.settle()
    assert group.data(3) == [0, 1, 2, 3, 4, "after"]


def test_leadership_is_handed_over_in_spite_of_the_lease():
    group = Group(3)
    group.elect(1)
    group.rafts[1].transfer_leadership(2)
    group.pump(1)
    group.settle()
    assert group.leader() == 2
    with pytest.raises(ProposalDropped):
        group.rafts[1].propose("x")


def test_members_come_and_go_one_at_a_time():
    group = Group(3)
    group.elect(1)
    group.rafts[1].propose(ConfChange(ChangeType.REMOVE, 3))
    with pytest.raises(ProposalDropped):
        group.rafts[1].propose(ConfChange(ChangeType.REMOVE, 2))
    group.pump(1)
    group.settle()
    assert group.rafts[1].members == (1, 2)
    group.propose(1, "x", drop=between(3))
    assert group.data(1)[-1] == "x"


def test_a_member_that_is_no_member_does_not_stand_for_election():
    raft = Raft(9, (1, 2), Group(1).rng)
    for _ in range(50):
        raft.tick()
    assert raft.role is RaftRole.FOLLOWER


PROGRESS = [
    # state, match, next, rejected, hint, changed, next after
    (State.PROBE, 0, 10, 9, 4, True, 5),
    (State.PROBE, 0, 10, 5, 4, False, 10),
    (State.PROBE, 3, 10, 9, 1, True, 4),
    (State.REPLICATE, 5, 10, 5, 5, False, 10),
    (State.REPLICATE, 5, 10, 9, 9, True, 6),
]


@pytest.mark.parametrize(("state", "match", "next_", "rejected", "hint", "changed", "after"), PROGRESS)
def test_a_rejected_append_moves_next_back(state, match, next_, rejected, hint, changed, after):
    progress = Progress(next_, 256)
    progress.state, progress.match = state, match
    assert progress.decrease(rejected, hint) is changed
    assert progress.next == after


APPENDS = [
    # log terms, previous (index, term), entry terms, commit → last new index or None, terms after
    ((1, 1), (2, 1), (2,), 0, 3, (1, 1, 2)),
    ((1, 1), (2, 2), (2,), 0, None, (1, 1)),
    ((1, 1, 1), (1, 1), (2,), 0, 2, (1, 2)),
    ((1, 1, 1), (1, 1), (1,), 0, 2, (1, 1, 1)),
    ((1, 1), (3, 1), (2,), 0, None, (1, 1)),
    ((), (0, 0), (1, 1), 2, 2, (1, 1)),
]


@pytest.mark.parametrize(("terms", "previous", "new", "commit", "last", "after"), APPENDS)
def test_a_follower_appends_only_where_the_previous_entry_matches(terms, previous, new, commit, last, after):
    log = Log(log_of(*terms))
    entries = tuple(Entry(previous[0] + n, term, "new") for n, term in enumerate(new, 1))
    assert log.maybe_append(*previous, commit, entries) == last
    assert tuple(entry.term for entry in log.entries) == after


def test_a_snapshot_older_than_what_is_committed_changes_nothing():
    group = Group(3)
    group.elect(1)
    group.propose(1, "x")
    group.tick(1)
    group.settle()
    before = group.rafts[2].log.last_index
    term = group.rafts[2].term
    group.deliver(Message(Kind.SNAP, 2, 1, term, snapshot=Snapshot(1, 1, (1, 2, 3), ())))
    assert group.rafts[2].log.last_index == before
