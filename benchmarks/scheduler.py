"""SwarmKit's own scheduler benchmark (manager/scheduler/scheduler_test.go benchScheduler), each task a service of its own."""

from __future__ import annotations

import time
from random import Random

from swarmsim.apitypes.specs import ContainerSpec, DNSConfig, Placement, Resources, TaskSpec
from swarmsim.sim.clock import Clock
from swarmsim.sim.journal import Journal
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.scheduler.scheduler import Scheduler
from swarmsim.swarm.objects import (
    Node,
    NodeDescription,
    NodeSpec,
    NodeState,
    NodeStatus,
    Role,
    Task,
    TaskStatus,
)
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import MemoryStore, Transaction


def schedule(nodes: int, tasks: int, *, constraints: bool = False) -> float:
    """CPU seconds from the commit that brings nodes and pending tasks until every task is assigned.

    Every third node has the label that constrained tasks ask for.
    """
    store = MemoryStore(Clock())
    Scheduler(Scope(store.clock, "leadership"), store, Journal(store.clock), Random(1))
    spec = TaskSpec(
        container=ContainerSpec(image="mini:1", dns=DNSConfig(), isolation="default"),
        resources=Resources(),
        placement=Placement(constraints=["node.labels.third==yes"] if constraints else None),
        force_update=0,
        runtime="container",
    )
    there = [
        Node(
            id=f"node{n}",
            spec=NodeSpec({"third": "yes"} if n % 3 == 0 else {}),
            role=Role.WORKER,
            description=NodeDescription(f"name{n}", 0, 0, ""),
            status=NodeStatus(NodeState.READY),
        )
        for n in range(nodes)
    ]
    wanted = [
        Task(
            id=f"task{n}",
            spec=spec,
            service_id=f"service{n}",
            service_name=f"service{n}",
            status=TaskStatus(TaskState.PENDING, 0.0),
            desired_state=TaskState.RUNNING,
        )
        for n in range(tasks)
    ]

    def create(tx: Transaction) -> None:
        for obj in (*there, *wanted):
            tx.create(obj)

    start = time.process_time()
    store.update(create)
    while any(not task.node_id for task in store.table(Task).values()):
        store.clock.run(store.clock.now + 1.0)
    return time.process_time() - start
