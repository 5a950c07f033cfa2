"""Rolling updates, and global services beside them, as orchestrator/update/updater.go and global/global.go have it."""

from __future__ import annotations

from random import Random

import pytest

from swarmsim.apitypes.specs import GlobalService, Mode, RestartPolicy, UpdateConfig, replace
from swarmsim.sim.clock import Clock
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.globalservice import GlobalOrchestrator
from swarmsim.swarm.manager.replicated import ReplicatedOrchestrator
from swarmsim.swarm.objects import Availability, Node, NodeState, Service, Task, TaskStatus
from swarmsim.swarm.states import TaskState as S
from swarmsim.swarm.states import Who
from swarmsim.swarm.store import MemoryStore
from tests.conftest import Lab
from tests.swarm.build import node, service, task, task_spec

ONCE = RestartPolicy(condition="any", delay=0)
OUTDATED = task_spec(image="mini:0", restart=ONCE)
UP_TO_DATE = task_spec(image="mini:1", restart=ONCE)


def filled(*objects) -> MemoryStore:
    store = MemoryStore(Clock())
    for obj in objects:
        store.update(lambda tx, obj=obj: tx.create(obj))
    return store


def settle(store: MemoryStore, seconds: float = 2.0) -> None:
    store.clock.run(store.clock.now + seconds)


def change(store: MemoryStore, obj) -> None:
    store.update(lambda tx: tx.update(obj, Who.AGENT) if isinstance(obj, Task) else tx.update(obj))


def wanted(store: MemoryStore, state: S = S.RUNNING) -> list[Task]:
    return [t for t in store.table(Task).values() if t.desired_state is state]


def ended(task: Task, at: float) -> Task:
    return replace(task, status=TaskStatus(S.FAILED, at, "started", "task: non-zero exit (1)"))


# -- global services

OWNER = replace(
    service(spec=UP_TO_DATE, version=1),
    spec=replace(service(spec=UP_TO_DATE).spec, mode=Mode(global_=GlobalService())),
)


def global_world(**node_settings) -> MemoryStore:
    store = filled(node("a", **node_settings), OWNER, task("old", slot=0, on="a", spec=OUTDATED))
    GlobalOrchestrator(Scope(store.clock, "leadership"), store, Random(1), Random(1))
    return store


def test_nothing_is_updated_on_a_paused_node():
    store = global_world(availability=Availability.PAUSE)
    settle(store, 30.0)
    assert [t.id for t in wanted(store)] == ["old"]


def test_a_node_that_is_active_again_gets_the_new_task_at_once_beside_the_old():
    """Outside of the rolling update: as a real Swarm did, the update's status says nothing of it."""
    store = global_world(availability=Availability.PAUSE)
    settle(store)
    change(store, replace(store.get(Node, "id-a"), spec=node("a").spec))
    settle(store, 0.1)
    assert [t.spec.container.image for t in wanted(store)] == ["mini:1"]
    assert [t.id for t in wanted(store, S.SHUTDOWN)] == ["old"]
    assert store.get(Service, OWNER.id).update_status is None


@pytest.mark.parametrize(
    ("settings", "restarted"),
    [({}, True), ({"availability": Availability.PAUSE}, False), ({"labels": {"x": "y"}}, True)],
)
def test_a_task_that_ends_on_a_paused_node_is_not_restarted(settings, restarted):
    store = filled(node("a", **settings), OWNER, task("t", slot=0, on="a", spec=UP_TO_DATE, version=1))
    GlobalOrchestrator(Scope(store.clock, "leadership"), store, Random(1), Random(1))
    settle(store)
    change(store, ended(store.get(Task, "t"), store.clock.now))
    settle(store, 0.1)
    assert store.get(Task, "t").desired_state is S.SHUTDOWN
    assert len(store.table(Task)) == 1 + restarted


@pytest.mark.parametrize(
    "changes", [{"state": NodeState.DOWN}, {"availability": Availability.DRAIN}], ids=["down", "drained"]
)
def test_tasks_of_a_node_that_takes_no_part_end(changes):
    store = filled(node("a"), OWNER, task("t", slot=0, on="a", spec=UP_TO_DATE, version=1))
    GlobalOrchestrator(Scope(store.clock, "leadership"), store, Random(1), Random(1))
    settle(store)
    change(store, node("a", **changes))
    settle(store)
    assert [t.id for t in wanted(store, S.SHUTDOWN)] == ["t"]
    assert not wanted(store)


def test_tasks_of_a_node_that_is_removed_are_deleted():
    store = filled(node("a"), OWNER, task("t", slot=0, on="a", spec=UP_TO_DATE, version=1))
    GlobalOrchestrator(Scope(store.clock, "leadership"), store, Random(1), Random(1))
    settle(store)
    store.update(lambda tx: tx.delete(Node, "id-a"))
    settle(store)
    assert not store.table(Task)


# -- the order of a rolling update


def updating(seed: int, replicas: int = 5, **config) -> MemoryStore:
    """A replicated service whose running tasks are all outdated, and an orchestrator that begins to update them."""
    owner = service(replicas=replicas, spec=UP_TO_DATE, version=1)
    owner = replace(owner, spec=replace(owner.spec, update=UpdateConfig(parallelism=1, **config)))
    olds = [task(f"old{slot}", slot=slot, on="a", spec=OUTDATED) for slot in range(1, replicas + 1)]
    store = filled(node("a"), owner, *olds)
    ReplicatedOrchestrator(Scope(store.clock, "leadership"), store, Random(1), Random(seed), Random(1))
    return store


def test_every_slot_comes_first_now_and_then():
    """Real updates began 2 6 3 1, 2 1 6 3, 6 2 3 5 and 3 5 2 1: an orchestrator keeps slots in a Go map."""
    firsts = []
    for seed in range(60):
        store = updating(seed)
        settle(store)
        firsts += [t.slot for t in wanted(store, S.SHUTDOWN)]
    assert len(firsts) == 60
    assert all(4 <= firsts.count(slot) <= 24 for slot in range(1, 6))


def test_a_slot_whose_task_was_just_restarted_gets_no_third_one():
    """The task an update would replace has been shut down by the restart supervisor: the updater leaves the slot alone."""
    store = updating(1, replicas=2)
    settle(store, 0.1)
    first = wanted(store, S.SHUTDOWN)[0].slot
    other = next(t for t in store.table(Task).values() if t.slot != first)
    change(store, ended(other, store.clock.now))
    settle(store, 0.1)
    assert len([t for t in store.table(Task).values() if t.slot == other.slot]) == 2  # it and what replaces it
    new = next(t for t in store.table(Task).values() if t.slot == first and t.desired_state < S.SHUTDOWN)
    change(store, ended(store.get(Task, f"old{first}"), store.clock.now))
    settle(store, 0.1)
    for state in (S.PENDING, S.ASSIGNED, S.RUNNING):
        new = replace(store.get(Task, new.id), status=TaskStatus(state, store.clock.now))
        who = {S.PENDING: Who.ALLOCATOR, S.ASSIGNED: Who.SCHEDULER, S.RUNNING: Who.AGENT}[state]
        store.update(lambda tx, new=new, who=who: tx.update(new, who))
    settle(store, 1.0)
    assert len([t for t in store.table(Task).values() if t.slot == other.slot]) == 2


# -- failures while the last task has its delay


def test_a_failure_in_the_last_delay_is_looked_at_after_it():
    """Real: with a delay of 15 s, a task that fails after 2 s is restarted, and the update goes on ``updating`` till then."""
    lab = Lab(1, 0)
    lab.service(1, flags="--update-delay 15s --update-monitor 3s --update-failure-action pause --stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 1)
    lab.docker("service update -d --args \"sh -c 'sleep 2; exit 4'\" web")
    lab.wait(lambda: any(t.status.state is S.FAILED for t in lab.tasks()), within=10)

    def state() -> str:
        return lab.view().services[0].update_status.state

    lab.sleep(10.0)
    assert state() == "updating"
    assert len([t for t in lab.tasks() if t.status.state is S.FAILED]) > 1  # restarted meanwhile
    lab.wait(lambda: state() == "paused", within=15)
