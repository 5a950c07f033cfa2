"""Small cases of every orchestrator and of the scheduler, as tables: what SwarmKit's own tests cover, in our words."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from swarmsim.apitypes.specs import (
    DiscreteResource,
    Driver,
    GenericResource,
    GlobalJob,
    GlobalService,
    Mode,
    Mount,
    NamedResource,
    PlacementPreference,
    Platform,
    Quantities,
    ReplicatedJob,
    Resources,
    RestartPolicy,
    SpreadOver,
    VolumeOptions,
    replace,
)
from swarmsim.sim.clock import Clock
from swarmsim.sim.journal import Journal
from swarmsim.sim.scope import Scope
from swarmsim.swarm.addresses import AddressPool
from swarmsim.swarm.ca.certificates import create_root
from swarmsim.swarm.manager.allocator import Allocator
from swarmsim.swarm.manager.constraintenforcer import ConstraintEnforcer
from swarmsim.swarm.manager.globalservice import GlobalOrchestrator
from swarmsim.swarm.manager.jobs import JobsOrchestrator
from swarmsim.swarm.manager.orchestrator import SlotTuple, is_dirty
from swarmsim.swarm.manager.replicated import ReplicatedOrchestrator, slots_to_keep
from swarmsim.swarm.manager.restart import RestartSupervisor
from swarmsim.swarm.manager.scheduler.filters import Pipeline
from swarmsim.swarm.manager.scheduler.nodeinfo import GenericStock, NodeInfo
from swarmsim.swarm.manager.scheduler.scheduler import Scheduler
from swarmsim.swarm.manager.taskreaper import TaskReaper
from swarmsim.swarm.objects import (
    Attachment,
    Availability,
    Cluster,
    ClusterSpec,
    JobStatus,
    NodeState,
    Pool,
    Service,
    Task,
)
from swarmsim.swarm.states import TaskState as S
from swarmsim.swarm.store import MemoryStore
from tests.swarm.build import node, service, task, task_spec


def filled(*objects) -> MemoryStore:
    store = MemoryStore(Clock())
    for obj in objects:
        store.update(lambda tx, obj=obj: tx.create(obj))
    return store


def settle(store: MemoryStore, seconds: float = 2.0) -> None:
    store.clock.run(store.clock.now + seconds)


def scope_of(store: MemoryStore) -> Scope:
    return Scope(store.clock, "leadership")


# -- restart: whether a task that ended is replaced (restart.go shouldRestart)

ENDED = (S.COMPLETE, S.FAILED, S.REJECTED, S.SHUTDOWN)


@pytest.mark.parametrize(
    ("condition", "state", "attempts", "done", "is_job"),
    list(product(("any", "on-failure", "none"), ENDED, (0, 2), (1, 2), (False, True))),
)
def test_restart_policy(condition, state, attempts, done, is_job):
    policy = RestartPolicy(condition=condition, delay=0, max_attempts=attempts)
    spec = task_spec(restart=policy)
    owner = service(spec=spec)
    if is_job:
        mode = Mode(replicated_job=ReplicatedJob(max_concurrent=1, total_completions=1))
        owner = replace(owner, spec=replace(owner.spec, mode=mode), job_status=JobStatus(0, 0.0))
    ended = task("t", state=state, spec=spec)
    store = filled(owner)
    supervisor = RestartSupervisor(scope_of(store), store, Random(1))
    for _ in range(done):
        supervisor.record(SlotTuple.of(owner, ended), ended, 0.0)
    ended_well = state is S.COMPLETE
    wanted = condition != "none" and not (ended_well and (condition == "on-failure" or is_job))
    exhausted = attempts != 0 and done >= attempts
    assert supervisor.should_restart(ended, owner) is (wanted and not exhausted)


@pytest.mark.parametrize(
    ("window", "created", "ended", "again"),
    [
        (10, [1.0, 2.0], 3.0, False),
        (10, [1.0, 2.0], 13.0, True),
        (10, [1.0, 9.0], 10.5, False),
        (10, [1.0, 9.0], 11.5, True),
        (0, [1.0, 2.0], 1000.0, False),
        (5, [], 3.0, True),
        (5, [2.0], 3.0, True),
    ],
)
def test_restart_window_counts_only_recent_restarts(window, created, ended, again):
    policy = RestartPolicy(condition="any", delay=0, max_attempts=2, window=window * 10**9)
    spec = task_spec(restart=policy)
    owner, last = service(spec=spec), task("t", state=S.FAILED, spec=spec, at=ended)
    store = filled(owner)
    supervisor = RestartSupervisor(scope_of(store), store, Random(1))
    for at in created:
        supervisor.record(SlotTuple.of(owner, last), last, at)
    assert supervisor.should_restart(last, owner) is again


# -- replicated: how many tasks there are in the end

REPLICATED = [
    # replicas, tasks there (slot, state, desired), slots wanted RUNNING in the end
    (3, [], [1, 2, 3]),
    (0, [], []),
    (2, [(1, S.RUNNING, S.RUNNING)], [1, 2]),
    (2, [(2, S.RUNNING, S.RUNNING)], [1, 2]),
    (3, [(1, S.RUNNING, S.RUNNING), (3, S.RUNNING, S.RUNNING)], [1, 2, 3]),
    (1, [(1, S.RUNNING, S.RUNNING), (2, S.PENDING, S.RUNNING)], [1]),
    (1, [(1, S.PENDING, S.RUNNING), (2, S.RUNNING, S.RUNNING)], [2]),
    (2, [(1, S.RUNNING, S.SHUTDOWN), (2, S.RUNNING, S.RUNNING)], [1, 2]),
    (1, [(1, S.SHUTDOWN, S.SHUTDOWN)], [1]),
    (0, [(1, S.RUNNING, S.RUNNING), (2, S.RUNNING, S.RUNNING)], []),
    (2, [(1, S.RUNNING, S.RUNNING), (2, S.RUNNING, S.RUNNING)], [1, 2]),
    (3, [(1, S.RUNNING, S.REMOVE), (2, S.RUNNING, S.RUNNING)], [1, 2, 3]),
]


@pytest.mark.parametrize(("replicas", "there", "wanted"), REPLICATED)
def test_replicated_slots(replicas, there, wanted):
    tasks = [
        task(f"t{n}", slot=slot, on="a", state=state, desired=desired) for n, (slot, state, desired) in enumerate(there)
    ]
    store = filled(node("a"), service(replicas=replicas), *tasks)
    ReplicatedOrchestrator(scope_of(store), store, Random(1), Random(1), Random(1))
    settle(store)
    assert sorted(t.slot for t in store.table(Task).values() if t.desired_state <= S.RUNNING) == wanted


@pytest.mark.parametrize("state", [S.COMPLETE, S.FAILED, S.REJECTED, S.SHUTDOWN, S.ORPHANED])
@pytest.mark.parametrize("condition", ["any", "on-failure", "none"])
def test_a_replicated_task_that_ended(state, condition):
    spec = task_spec(restart=RestartPolicy(condition=condition, delay=0))
    store = filled(node("a"), service(spec=spec), task("t", on="a", state=state, spec=spec))
    ReplicatedOrchestrator(scope_of(store), store, Random(1), Random(1), Random(1))
    settle(store)
    replaced = condition == "any" or (condition == "on-failure" and state is not S.COMPLETE)
    assert [t.desired_state for t in store.table(Task).values()] == [S.SHUTDOWN, *([S.RUNNING] if replaced else [])]


@pytest.mark.parametrize(
    ("keep", "tasks", "gone"),
    [
        (1, [(1, "a", S.RUNNING), (2, "b", S.PENDING)], {2}),
        (2, [(1, "a", S.RUNNING), (2, "a", S.RUNNING), (3, "b", S.RUNNING)], None),
        (3, [(1, "a", S.RUNNING), (2, "a", S.RUNNING), (3, "b", S.RUNNING), (4, "c", S.STARTING)], None),
        (0, [(1, "a", S.RUNNING)], {1}),
        (2, [(1, "a", S.RUNNING), (2, "b", S.RUNNING)], set()),
        (1, [(1, "", S.PENDING), (2, "b", S.RUNNING)], {1}),
    ],
)
def test_which_slots_go_first(keep, tasks, gone):
    slots = [[task(f"t{slot}", slot=slot, on=on, state=state)] for slot, on, state in tasks]
    kept, removed = slots_to_keep(slots, keep, Random(3))
    assert len(kept) == min(keep, len(slots))
    if gone is not None:
        assert {slot[0].slot for slot in removed} == gone
    else:  # of what crowds a node, something goes
        assert max([slot[0].node_id for slot in kept].count(n) for n in ("id-a", "id-b")) == 1


# -- global: which nodes have a task

GLOBAL = [
    ({}, None, True),
    ({"availability": Availability.PAUSE}, None, False),
    ({"availability": Availability.DRAIN}, None, False),
    ({"state": NodeState.DOWN}, None, False),
    ({"labels": {"gpu": "yes"}}, ["node.labels.gpu==yes"], True),
    ({"labels": {"gpu": "no"}}, ["node.labels.gpu==yes"], False),
    ({}, ["node.hostname==a"], True),
    ({}, ["node.hostname!=a"], False),
    ({}, ["node.role==worker"], True),
    ({}, ["node.role==manager"], False),
    ({"labels": {"x": "1"}, "availability": Availability.DRAIN}, ["node.labels.x==1"], False),
]


def global_orchestrator(store: MemoryStore) -> GlobalOrchestrator:
    return GlobalOrchestrator(scope_of(store), store, Random(1), Random(1))


@pytest.mark.parametrize(("settings", "constraints", "takes_part"), GLOBAL)
@pytest.mark.parametrize("is_job", [False, True])
def test_where_global_tasks_are(settings, constraints, takes_part, is_job):
    owner = service(spec=task_spec(constraints=constraints))
    mode = Mode(global_job=GlobalJob()) if is_job else Mode(global_=GlobalService())
    owner = replace(owner, spec=replace(owner.spec, mode=mode), job_status=JobStatus(0, 0.0) if is_job else None)
    store = filled(node("a", **settings), owner)
    JobsOrchestrator(scope_of(store), store, Random(1)) if is_job else global_orchestrator(store)
    settle(store)
    tasks = list(store.table(Task).values())
    assert [t.node_id for t in tasks] == (["id-a"] if takes_part else [])
    assert all(t.desired_state is (S.COMPLETE if is_job else S.RUNNING) for t in tasks)


# -- jobs: how many tasks are started at once

JOBS = [
    # at once, in all, states of this iteration's tasks, new tasks
    (2, 5, [], 2),
    (5, 2, [], 2),
    (0, 5, [], 0),
    (2, 5, [S.RUNNING], 1),
    (2, 5, [S.RUNNING, S.RUNNING], 0),
    (2, 5, [S.COMPLETE], 2),
    (2, 5, [S.COMPLETE] * 3, 2),
    (2, 5, [S.COMPLETE] * 4, 1),
    (2, 5, [S.COMPLETE] * 5, 0),
    (2, 5, [S.COMPLETE] * 3 + [S.RUNNING], 1),
    (3, 3, [S.COMPLETE, S.PENDING], 1),
    (2, 4, [S.COMPLETE] * 3 + [S.RUNNING], 0),
]


@pytest.mark.parametrize(("concurrent", "total", "states", "new"), JOBS)
def test_a_replicated_job_starts_what_is_missing(concurrent, total, states, new):
    owner = service()
    mode = Mode(replicated_job=ReplicatedJob(max_concurrent=concurrent, total_completions=total))
    owner = replace(owner, spec=replace(owner.spec, mode=mode), job_status=JobStatus(3, 0.0))
    there = [
        replace(task(f"t{n}", slot=n, on="a", state=state, desired=S.COMPLETE), job_iteration=3)
        for n, state in enumerate(states)
    ]
    store = filled(node("a"), owner, *there)
    JobsOrchestrator(scope_of(store), store, Random(1))
    settle(store)
    made = [t for t in store.table(Task).values() if t not in there]
    assert len(made) == new
    assert len({t.slot for t in store.table(Task).values()}) == len(there) + new
    assert all(t.slot < total and t.job_iteration == 3 for t in made)


@pytest.mark.parametrize("state", [S.PENDING, S.RUNNING, S.COMPLETE, S.FAILED])
def test_tasks_of_a_former_iteration_are_removed_if_they_still_run(state):
    owner = service()
    mode = Mode(replicated_job=ReplicatedJob(max_concurrent=1, total_completions=1))
    owner = replace(owner, spec=replace(owner.spec, mode=mode), job_status=JobStatus(2, 0.0))
    old = replace(task("old", slot=0, on="a", state=state, desired=S.COMPLETE), job_iteration=1)
    store = filled(node("a"), owner, old)
    JobsOrchestrator(scope_of(store), store, Random(1))
    settle(store)
    assert store.get(Task, "old").desired_state is (S.REMOVE if state <= S.RUNNING else S.COMPLETE)


# -- updates: which tasks are stale

DIRTY = [
    ({}, {}, False),
    ({"image": "mini:2"}, {}, True),
    ({"cpus": 1}, {}, True),
    ({"constraints": ["node.labels.zone==a"]}, {"zone": "a"}, False),
    ({"constraints": ["node.labels.zone==a"]}, {"zone": "b"}, True),
    ({"constraints": ["node.labels.zone==a"]}, {}, True),
    ({"constraints": ["node.labels.zone==a"], "image": "mini:2"}, {"zone": "a"}, True),
    ({"max_replicas": 2}, {}, False),
]


@pytest.mark.parametrize(("changes", "labels", "dirty"), DIRTY)
def test_which_tasks_an_update_replaces(changes, labels, dirty):
    old = task("t", on="a", version=1)
    updated = service(spec=task_spec(**changes), version=2)
    assert is_dirty(updated, old, node("a", labels=labels)) is dirty


# -- the task reaper: what is kept

REAPER = [
    # limit, states of a slot's tasks oldest first (the last is wanted RUNNING), how many stay
    (5, [S.FAILED] * 3 + [S.RUNNING], 4),
    (5, [S.FAILED] * 6 + [S.RUNNING], 5),
    (2, [S.FAILED] * 6 + [S.RUNNING], 2),
    (1, [S.FAILED] * 6 + [S.RUNNING], 1),
    (0, [S.FAILED] * 6 + [S.RUNNING], 1),
    (-1, [S.FAILED] * 6 + [S.RUNNING], 7),
    (2, [S.COMPLETE, S.SHUTDOWN, S.REJECTED, S.ORPHANED, S.RUNNING], 2),
    (1, [S.RUNNING, S.RUNNING], 2),
]


@pytest.mark.parametrize(("limit", "states", "stay"), REAPER)
def test_how_much_history_is_kept(limit, states, stay):
    store = filled(
        Cluster(id="c", spec=ClusterSpec(task_history_limit=limit), root=create_root(Random(1), 0.0)),
        node("a"),
        service(),
    )
    TaskReaper(scope_of(store), store)
    for n, state in enumerate(states):
        desired = S.RUNNING if n == len(states) - 1 else S.SHUTDOWN
        store.update(
            lambda tx, n=n, state=state, desired=desired: tx.create(
                task(f"t{n}", on="a", state=state, desired=desired, at=float(n))
            )
        )
    settle(store)
    left = list(store.table(Task).values())
    assert len(left) == stay
    assert f"t{len(states) - 1}" in {t.id for t in left}


@pytest.mark.parametrize("state", list(S))
def test_a_task_to_be_removed_goes_once_it_has_stopped_or_never_began(state):
    store = filled(node("a"), service(replicas=0))
    TaskReaper(scope_of(store), store)
    gone = task("t", on="a", state=state)
    store.update(lambda tx: tx.create(gone))
    store.update(lambda tx: tx.update(replace(tx.get(Task, "t"), desired_state=S.REMOVE)))
    settle(store)
    assert (store.get(Task, "t") is None) is (state < S.ASSIGNED or state >= S.COMPLETE)


# -- the constraint enforcer: what is rejected when a node changes

ENFORCED = [
    ({"labels": {"zone": "a"}}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.RUNNING, False),
    ({"labels": {"zone": "b"}}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.RUNNING, True),
    ({"labels": {}}, {"constraints": ["node.labels.zone==a"]}, S.STARTING, S.RUNNING, True),
    ({"labels": {}}, {"constraints": ["node.labels.zone==a"]}, S.PENDING, S.RUNNING, False),
    ({"labels": {}}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.SHUTDOWN, False),
    ({"labels": {}}, {"constraints": ["node.labels.zone==a"]}, S.COMPLETE, S.RUNNING, False),
    ({"cpus": 4}, {"cpus": 2}, S.RUNNING, S.RUNNING, False),
    ({"cpus": 1}, {"cpus": 2}, S.RUNNING, S.RUNNING, True),
    ({"memory": 1 << 20}, {"memory": 1 << 30}, S.RUNNING, S.RUNNING, True),
    ({"availability": Availability.DRAIN}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.RUNNING, False),
    ({"availability": Availability.PAUSE}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.RUNNING, True),
    ({"labels": {"zone": "A"}}, {"constraints": ["node.labels.zone==a"]}, S.RUNNING, S.RUNNING, False),
]


@pytest.mark.parametrize(("settings", "wants", "state", "desired", "rejected"), ENFORCED)
def test_what_the_constraint_enforcer_rejects(settings, wants, state, desired, rejected):
    spec = task_spec(**wants)
    store = filled(
        node("a", **settings), service(spec=spec), task("t", on="a", state=state, desired=desired, spec=spec)
    )
    ConstraintEnforcer(scope_of(store), store)
    settle(store)
    assert (store.get(Task, "t").status.state is S.REJECTED) is rejected


# -- the scheduler's filters

PLUGINS = (
    ("Volume", "local"),
    ("Volume", "rexray"),
    ("Network", "overlay"),
    ("Log", "json-file"),
    ("Volume", "nfs:latest"),
)


def wanting(*, volume: str = "", network: str = "", log: str = "") -> Task:
    spec = task_spec()
    mounts = [Mount(type="volume", source="d", target="/d", volume=VolumeOptions(driver=Driver(name=volume)))]
    spec = replace(
        spec,
        container=replace(spec.container, mounts=mounts if volume else None),
        log_driver=Driver(name=log) if log else None,
    )
    networks = (Attachment("n", "n", network),) if network else ()
    return replace(task("t", state=S.PENDING, spec=spec), networks=networks)


@pytest.mark.parametrize(
    ("wants", "fits"),
    [
        ({}, True),
        ({"volume": "local"}, True),
        ({"volume": "rexray"}, True),
        ({"volume": "nfs"}, True),
        ({"volume": "ceph"}, False),
        ({"network": "overlay"}, True),
        ({"network": "weave"}, False),
        ({"log": "json-file"}, True),
        ({"log": "none"}, True),
        ({"log": "splunk"}, False),
    ],
)
def test_plugins(wants, fits):
    there = node("a")
    there = replace(there, description=replace(there.description, plugins=PLUGINS))
    pipeline = Pipeline(wanting(**wants))
    assert pipeline.process(NodeInfo(there)) is fits
    assert pipeline.explain() == ("" if fits else "missing plugin on 1 node")


@pytest.mark.parametrize(
    ("platforms", "fits"),
    [
        ([("", "")], True),
        ([("amd64", "linux")], True),
        ([("x86_64", "linux")], True),
        ([("arm64", "linux")], False),
        ([("amd64", "windows")], False),
        ([("arm64", "linux"), ("amd64", "linux")], True),
        ([("", "windows")], False),
    ],
)
def test_platforms(platforms, fits):
    spec = task_spec()
    wanted = [Platform(architecture=architecture, os=os) for architecture, os in platforms]
    spec = replace(spec, placement=replace(spec.placement, platforms=wanted))
    pipeline = Pipeline(task("t", state=S.PENDING, spec=spec))
    assert pipeline.process(NodeInfo(node("a"))) is fits
    assert pipeline.explain() == ("" if fits else "unsupported platform on 1 node")


def count(kind: str, value: int) -> GenericResource:
    return GenericResource(discrete=DiscreteResource(kind=kind, value=value))


def named(kind: str, value: str) -> GenericResource:
    return GenericResource(named=NamedResource(kind=kind, value=value))


@pytest.mark.parametrize(
    ("there", "wanted", "enough"),
    [
        ([count("SSD", 3)], [count("SSD", 3)], True),
        ([count("SSD", 3)], [count("SSD", 4)], False),
        ([count("SSD", 3)], [count("GPU", 1)], False),
        ([named("GPU", "a"), named("GPU", "b")], [count("GPU", 2)], True),
        ([named("GPU", "a"), named("GPU", "b")], [count("GPU", 3)], False),
        ([named("GPU", "a"), count("SSD", 1)], [count("GPU", 1), count("SSD", 1)], True),
        ([], [], True),
    ],
)
def test_generic_resources(there, wanted, enough):
    stock = GenericStock(there)
    assert stock.has(wanted) is enough
    if enough:
        taken = stock.take(wanted)
        assert all(resource in there for resource in taken if resource.named)
        stock.put_back(taken)
        assert stock.has(wanted)


SPREAD = [
    # racks of the nodes, replicas, tasks a rack in the end
    ("ab", 4, {"a": 2, "b": 2}),
    ("aab", 4, {"a": 2, "b": 2}),
    ("aaab", 6, {"a": 3, "b": 3}),
    ("aaab", 5, None),
    ("abc", 6, {"a": 2, "b": 2, "c": 2}),
    ("aabbc", 9, {"a": 3, "b": 3, "c": 3}),
    ("a", 3, {"a": 3}),
    ("ab_", 6, {"a": 2, "b": 2, "_": 2}),
]


def spreading(spec, *descriptors):
    preferences = [PlacementPreference(spread=SpreadOver(spread_descriptor=text)) for text in descriptors]
    return replace(spec, placement=replace(spec.placement, preferences=preferences))


@pytest.mark.parametrize(("racks", "replicas", "wanted"), SPREAD)
def test_spread_evens_out_racks(racks, replicas, wanted):
    nodes = [node(f"w{n}", labels={} if rack == "_" else {"rack": rack}) for n, rack in enumerate(racks)]
    spec = spreading(task_spec(), "node.labels.rack")
    tasks = [task(f"t{n}", slot=n, state=S.PENDING, spec=spec) for n in range(replicas)]
    store = filled(*nodes, service(spec=spec), *tasks)
    Scheduler(scope_of(store), store, Journal(store.clock), Random(1))
    settle(store)
    counts: dict[str, int] = {}
    for n, rack in enumerate(racks):
        counts[rack] = counts.get(rack, 0) + len(store.tasks_on_node(f"id-w{n}"))
    assert sum(counts.values()) == replicas
    if wanted is not None:
        assert counts == wanted
    assert max(counts.values()) - min(counts.values()) <= 1


def test_spread_in_two_levels():
    nodes = [node(f"w{n}", labels={"dc": "ab"[n // 4], "rack": "xy"[n // 2 % 2]}) for n in range(8)]
    spec = spreading(task_spec(), "node.labels.dc", "node.labels.rack")
    tasks = [task(f"t{n}", slot=n, state=S.PENDING, spec=spec) for n in range(8)]
    store = filled(*nodes, service(spec=spec), *tasks)
    Scheduler(scope_of(store), store, Journal(store.clock), Random(1))
    settle(store)
    assert all(len(store.tasks_on_node(each.id)) == 1 for each in nodes)


def test_a_full_rack_leaves_its_share_to_the_others():
    nodes = [node("w0", labels={"rack": "a"}, cpus=1), node("w1", labels={"rack": "b"}, cpus=8)]
    spec = spreading(task_spec(cpus=1), "node.labels.rack")
    tasks = [task(f"t{n}", slot=n, state=S.PENDING, spec=spec) for n in range(6)]
    store = filled(*nodes, service(spec=spec), *tasks)
    Scheduler(scope_of(store), store, Journal(store.clock), Random(1))
    settle(store)
    assert [len(store.tasks_on_node(each.id)) for each in nodes] == [1, 5]


def test_tasks_get_generic_resources_by_name():
    there = node("a")
    there = replace(there, description=replace(there.description, generic=(named("GPU", "g0"), named("GPU", "g1"))))
    spec = task_spec()
    spec = replace(spec, resources=Resources(reservations=Quantities(generic=[count("GPU", 1)])))
    tasks = [task(f"t{n}", slot=n, state=S.PENDING, spec=spec) for n in range(3)]
    store = filled(there, service(spec=spec), *tasks)
    Scheduler(scope_of(store), store, Journal(store.clock), Random(1))
    settle(store)
    got = sorted(t.generic[0].named.value for t in store.table(Task).values() if t.node_id)
    assert got == ["g0", "g1"]
    assert [t.status.err for t in store.table(Task).values() if not t.node_id] == [
        "no suitable node (insufficient resources on 1 node)"
    ]


# -- addresses


def test_addresses_are_given_in_turn_and_never_twice():
    pool = AddressPool(Pool("10.0.1.0/29", "10.0.1.1"))
    taken = [pool.take() for _ in range(5)]
    assert taken == [f"10.0.1.{n}/29" for n in range(2, 7)]
    assert pool.take() is None
    pool.free("10.0.1.3/29")
    assert pool.take() == "10.0.1.3/29"


def test_allocator_moves_new_tasks_on():
    store = filled(service(), task("t", state=S.NEW))
    Allocator(scope_of(store), store)
    settle(store)
    assert store.get(Task, "t").status.state is S.PENDING
    assert isinstance(store.get(Service, "svc-web"), Service)
