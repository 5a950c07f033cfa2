"""The store: transactions, versions, batches, watches."""

from __future__ import annotations

import pytest

from swarmsim.apitypes.specs import replace
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Future
from swarmsim.swarm.objects import Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import (
    AlreadyExists,
    Change,
    MemoryStore,
    NameConflict,
    NotFound,
    OutOfSequence,
)
from tests.swarm.build import service, task


class SlowRaft:
    """Agrees on everything after a second; counts versions as Raft counts commits."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.version = 10
        self.proposals: list[tuple[Change, ...]] = []

    def propose(self, changes: tuple[Change, ...]) -> Future:
        done = self.store.clock.future()
        self.proposals.append(changes)

        def commit(_: Future) -> None:
            self.version += 1
            self.store.apply(changes)
            done.succeed()

        self.store.clock.timeout(1.0).callbacks.append(commit)
        return done


def with_raft() -> tuple[MemoryStore, SlowRaft]:
    store = MemoryStore(Clock())
    raft = SlowRaft(store)
    store.proposer = raft
    return store, raft


def outcome(store: MemoryStore, event: Future) -> object:
    try:
        return store.clock.run(event)
    except Exception as error:
        return type(error)


def test_a_write_is_seen_only_when_it_is_committed():
    store, _ = with_raft()
    done = store.update(lambda tx: tx.create(service()))
    assert store.named(Service, "web") is None
    store.clock.run(done)
    assert store.named(Service, "web").meta.version == 10


def test_writers_wait_for_each_other_and_see_what_came_before():
    store, _ = with_raft()
    store.update(lambda tx: tx.create(service()))
    seen = store.update(lambda tx: tx.get(Service, "svc-web").spec.name)
    assert store.clock.run(seen) == "web"
    assert store.clock.now == 1.0


def test_update_out_of_sequence():
    store, _ = with_raft()
    store.clock.run(store.update(lambda tx: tx.create(service())))
    old = store.named(Service, "web")
    store.clock.run(store.update(lambda tx: tx.update(old)))
    assert outcome(store, store.update(lambda tx: tx.update(old))) is OutOfSequence
    assert str(OutOfSequence()) == "update out of sequence"


REFUSALS = [
    (lambda tx: tx.create(service()), AlreadyExists),
    (lambda tx: tx.create(replace(service(), id="other")), NameConflict),
    (lambda tx: tx.update(service("nobody")), NotFound),
    (lambda tx: tx.delete(Service, "nobody"), NotFound),
]


@pytest.mark.parametrize(("write", "error"), REFUSALS)
def test_refusals_leave_nothing_behind(write, error):
    store, raft = with_raft()
    store.clock.run(store.update(lambda tx: tx.create(service())))
    assert outcome(store, store.update(write)) is error
    assert len(raft.proposals) == 1


def test_a_batch_makes_proposals_of_at_most_200_changes():
    store, raft = with_raft()
    steps = [lambda tx, n=n: tx.create(task(f"t{n}", slot=n)) for n in range(450)]
    store.clock.run(store.batch(steps))
    assert [len(changes) for changes in raft.proposals] == [200, 200, 50]
    assert len(store.table(Task)) == 450


def test_a_step_that_cannot_be_is_left_out_of_its_batch():
    store, _ = with_raft()
    store.clock.run(store.batch([lambda tx: tx.delete(Task, "none"), lambda tx: tx.create(task("t1"))]))
    assert list(store.table(Task)) == ["t1"]


def test_lost_leadership_fails_all_who_wait():
    store, _ = with_raft()
    store.update(lambda tx: tx.create(service()))
    second = store.update(lambda tx: tx.create(service("other")))
    store.cancel_writers(NotFound())
    assert outcome(store, second) is NotFound


def test_indexes_follow_tasks_to_their_node_and_away():
    store = MemoryStore(Clock())
    store.clock.run(store.update(lambda tx: tx.create(task("t1", slot=2, state=TaskState.PENDING))))
    assert store.tasks_on_node("id-w1") == []
    placed = replace(store.get(Task, "t1"), node_id="id-w1")
    store.clock.run(store.update(lambda tx: tx.update(placed)))
    assert [t.id for t in store.tasks_on_node("id-w1")] == ["t1"]
    assert [t.id for t in store.tasks_in_slot("svc-web", 2)] == ["t1"]
    store.clock.run(store.update(lambda tx: tx.delete(Task, "t1")))
    assert store.tasks_on_node("id-w1") == store.tasks_of_service("svc-web") == []


def test_watchers_see_each_commit_once_and_whole():
    store, seen = MemoryStore(Clock()), []
    stop = store.watch(lambda changes: seen.append([change.obj.id for change in changes]))
    store.clock.run(store.batch([lambda tx, n=n: tx.create(task(f"t{n}")) for n in range(3)]))
    stop()
    store.clock.run(store.update(lambda tx: tx.delete(Task, "t0")))
    assert seen == [["t0", "t1", "t2"]]


def test_a_restored_store_is_the_saved_one():
    store, other = MemoryStore(Clock()), MemoryStore(Clock())
    store.clock.run(store.batch([lambda tx, n=n: tx.create(task(f"t{n}", slot=n)) for n in range(5)]))
    other.restore(store.save())
    assert other.save() == store.save()
    assert other.tasks_of_service("svc-web") == store.tasks_of_service("svc-web")
