"""The scheduler's choice: filters, reasons, ordering."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.apitypes.specs import PortConfig, replace
from swarmsim.sim.clock import Clock
from swarmsim.sim.journal import Journal
from swarmsim.sim.scope import Scope
from swarmsim.swarm.constraint import NoConstraints, node_matches, parse
from swarmsim.swarm.manager.scheduler.filters import Pipeline
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo
from swarmsim.swarm.manager.scheduler.scheduler import Scheduler
from swarmsim.swarm.objects import Availability, Node, NodeState, Role, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import MemoryStore
from tests.swarm.build import node, service, task, task_spec

HOST_PORT = (PortConfig(protocol="tcp", target_port=80, published_port=8080, publish_mode="host"),)

EXPLANATIONS = [
    ([node("a", state=NodeState.DOWN)], {}, "1 node not available for new tasks"),
    (
        [node("a", availability=Availability.PAUSE), node("b", availability=Availability.DRAIN)],
        {},
        "2 nodes not available for new tasks",
    ),
    ([node("a", cpus=1), node("b", cpus=1)], {"cpus": 2}, "insufficient resources on 2 nodes"),
    ([node("a", memory=1 << 20)], {"memory": 1 << 30}, "insufficient resources on 1 node"),
    (
        [node("a"), node("b")],
        {"constraints": ["node.role==manager"]},
        "scheduling constraints not satisfied on 2 nodes",
    ),
    (
        [node("a"), node("b", state=NodeState.DOWN), node("c", state=NodeState.DOWN)],
        {"constraints": ["node.labels.x==y"]},
        "2 nodes not available for new tasks; scheduling constraints not satisfied on 1 node",
    ),
]


@pytest.mark.parametrize(("nodes", "wants", "text"), EXPLANATIONS)
def test_why_a_task_is_pending(nodes, wants, text):
    pipeline = Pipeline(task("t", state=TaskState.PENDING, spec=task_spec(**wants)))
    assert not any(pipeline.process(NodeInfo(each)) for each in nodes)
    assert pipeline.explain() == text


def test_host_ports_are_unique_on_a_node():
    info = NodeInfo(node("a"), [task("other", of="other", on="a", ports=HOST_PORT)])
    pipeline = Pipeline(task("t", state=TaskState.PENDING, ports=HOST_PORT))
    assert not pipeline.process(info)
    assert pipeline.explain() == "host-mode port already in use on 1 node"
    assert pipeline.process(NodeInfo(node("b")))


def test_max_replicas_per_node():
    info = NodeInfo(node("a"), [task("first", on="a")])
    pipeline = Pipeline(task("t", state=TaskState.PENDING, spec=task_spec(max_replicas=1)))
    assert not pipeline.process(info)
    assert pipeline.explain() == "max replicas per node limit exceed"


CONSTRAINTS = [
    ("node.hostname==w1", True),
    ("node.hostname!=w1", False),
    ("node.hostname == W1", True),
    ("node.role==worker", True),
    ("node.role!=manager", True),
    ("node.labels.zone==a", True),
    ("node.labels.zone!=a", False),
    ("node.labels.none!=a", True),
    ("node.labels.none==a", False),
    ("engine.labels.disk==ssd", True),
    ("node.platform.os==linux", True),
    ("node.platform.arch==x86_64", True),
    ("node.ip==10.0.0.7", True),
    ("node.ip==10.0.0.0/24", True),
    ("node.ip!=10.0.0.0/24", False),
    ("node.id==id-w1", True),
    ("node.colour==red", False),
]


@pytest.mark.parametrize(("text", "fits"), CONSTRAINTS)
def test_constraints(text, fits):
    assert node_matches(parse([text]), node("w1", labels={"zone": "a"}, addr="10.0.0.7")) is fits


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("node.role=manager", "constraint expected one operator from ==, !="),
        ("node role==x", "key 'node role' is invalid"),
        ("node.role==", "value '' is invalid"),
    ],
)
def test_what_is_no_constraint(text, complaint):
    with pytest.raises(NoConstraints, match=complaint.replace("(", r"\(")):
        parse([text])


def test_a_node_with_five_recent_failures_is_worse_than_a_full_one():
    failing, full = NodeInfo(node("a")), NodeInfo(node("b"), [task(f"t{n}", on="b") for n in range(9)])
    wanted = task("t", state=TaskState.PENDING)
    for _ in range(4):
        failing.failed(wanted, now=100.0)
    assert failing.rank(wanted, 110.0) < full.rank(wanted, 110.0)
    failing.failed(wanted, now=100.0)
    assert failing.rank(wanted, 110.0) > full.rank(wanted, 110.0)
    assert failing.rank(wanted, 401.0) < full.rank(wanted, 401.0)


def test_tasks_that_shall_stop_do_not_count_but_keep_their_reservation():
    leaving = task("t", on="a", desired=TaskState.SHUTDOWN, spec=task_spec(cpus=1))
    info = NodeInfo(node("a", cpus=4), [leaving])
    assert (info.active, info.free_cpus) == (0, 3_000_000_000)


def scheduled(nodes, tasks, services, seed=1):
    store = MemoryStore(Clock())
    for obj in (*nodes, *services, *tasks):
        store.clock.run(store.update(lambda tx, obj=obj: tx.create(obj)))
    Scheduler(Scope(store.clock, "leadership"), store, Journal(store.clock), Random(seed))
    store.clock.run(store.clock.now + 5)
    return store


def pending(count, **wants):
    return [task(f"t{n}", slot=n, state=TaskState.PENDING, spec=task_spec(**wants)) for n in range(count)]


@given(
    workers=st.integers(1, 12),
    replicas=st.integers(1, 40),
    busy=st.lists(st.integers(0, 5), min_size=12, max_size=12),
    seed=st.integers(0, 1000),
)
def test_a_service_is_spread_evenly(workers, replicas, busy, seed):
    """No two nodes differ by more than one task of the service, whatever else runs on them; the emptiest come first."""
    nodes = [node(f"w{n}") for n in range(workers)]
    others = [
        task(f"o{n}-{k}", of="other", slot=100 * n + k, on=f"w{n}") for n in range(workers) for k in range(busy[n])
    ]
    store = scheduled(nodes, [*others, *pending(replicas)], [service(replicas=replicas), service("other")], seed)
    counts = [sum(1 for t in store.tasks_on_node(n.id) if t.service_id == "svc-web") for n in nodes]
    assert sum(counts) == replicas
    assert max(counts) - min(counts) <= 1
    if replicas <= workers:
        chosen = [busy[n] for n in range(workers) if counts[n]]
        assert sorted(chosen) == sorted(busy[:workers])[:replicas]


@given(
    cpus=st.lists(st.sampled_from((1, 2, 4)), min_size=1, max_size=6),
    wanted=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_reservations_are_never_exceeded(cpus, wanted, seed):
    nodes = [node(f"w{n}", cpus=c) for n, c in enumerate(cpus)]
    store = scheduled(nodes, pending(wanted, cpus=1), [service(replicas=wanted, spec=task_spec(cpus=1))], seed)
    for each, limit in zip(nodes, cpus, strict=True):
        assert len(store.tasks_on_node(each.id)) <= limit
    placed = sum(len(store.tasks_on_node(each.id)) for each in nodes)
    assert placed == min(wanted, sum(cpus))
    left = [t for t in store.table(Task).values() if not t.node_id]
    assert all(t.status.err.startswith("no suitable node (insufficient resources on ") for t in left)


def test_a_pending_task_is_placed_when_a_node_fits_at_last():
    store = scheduled([node("w1", availability=Availability.DRAIN)], pending(1), [service()])
    assert next(iter(store.table(Task).values())).status.err == "no suitable node (1 node not available for new tasks)"
    old = store.get(Node, "id-w1")
    active = replace(old, spec=replace(old.spec, availability=Availability.ACTIVE))
    store.clock.run(store.update(lambda tx: tx.update(active)))
    store.clock.run(store.clock.now + 1)
    (placed,) = store.table(Task).values()
    assert placed.status.state is TaskState.ASSIGNED
    assert placed.status.message == "scheduler assigned task to node"
    assert placed.status.err == ""


def test_the_scheduler_runs_50_ms_after_the_last_commit():
    store = scheduled([node("w1", role=Role.WORKER)], [], [service()])
    start = store.clock.now
    store.clock.run(store.update(lambda tx: tx.create(pending(1)[0])))
    store.clock.run(start + 0.049)
    assert not store.tasks_on_node("id-w1")
    store.clock.run(start + 0.051)
    assert store.tasks_on_node("id-w1")


def test_under_constant_commits_it_runs_after_a_second():
    store = scheduled([node("w1")], [], [service()])
    start = store.clock.now
    store.clock.run(store.update(lambda tx: tx.create(pending(1)[0])))
    while store.clock.now < start + 1.2:
        current = store.get(Service, "svc-web")
        store.clock.run(store.update(lambda tx, current=current: tx.update(current)))
        store.clock.run(store.clock.now + 0.03)
        if store.clock.now < start + 0.9:
            assert not store.tasks_on_node("id-w1")
    assert store.tasks_on_node("id-w1")
