"""The filter pipeline (manager/scheduler/filter.go, pipeline.go): which nodes a task may go to.

Filters run in :data:`FILTERS`' order; the first that a node fails is the one that is counted. The counts
make the sentence a pending task shows. As in SwarmKit they start again from zero whenever a node passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swarmsim.swarm.constraint import Constraint, NoConstraints, node_matches, parse
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo, reservations
from swarmsim.swarm.objects import Availability, NodeState, Task

Check = Callable[[NodeInfo], bool]


def ready(task: Task) -> Check | None:
    return lambda info: info.node.status.state is NodeState.READY and info.node.spec.availability is Availability.ACTIVE


def resources(task: Task) -> Check | None:
    wanted = reservations(task)
    if not (wanted.nano_cpus or wanted.memory_bytes):
        return None
    return lambda info: wanted.nano_cpus <= info.free_cpus and wanted.memory_bytes <= info.free_memory


def constraints(task: Task) -> Check | None:
    texts = task.spec.placement.constraints
    if not texts:
        return None
    try:
        parsed: list[Constraint] = parse(texts)
    except NoConstraints:
        return None
    return lambda info: node_matches(parsed, info.node)


def host_ports(task: Task) -> Check | None:
    wanted = {(p.protocol, p.published_port) for p in task.ports if p.publish_mode == "host" and p.published_port}
    return (lambda info: wanted.isdisjoint(info.host_ports)) if wanted else None


def max_replicas(task: Task) -> Check | None:
    limit = task.spec.placement.max_replicas
    return (lambda info: info.active_by_service.get(task.service_id, 0) < limit) if limit else None


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


class Filter(NamedTuple):
    """``prepare(task)`` gives the check for one task, or ``None`` if the filter has no say."""

    name: str
    prepare: Callable[[Task], Check | None]
    explain: Callable[[int], str]


FILTERS: tuple[Filter, ...] = (
    Filter("ready", ready, lambda n: f"{_nodes(n)} not available for new tasks"),
    Filter("resource", resources, lambda n: f"insufficient resources on {_nodes(n)}"),
    # The plugin, platform and volume filters have their places here and after the constraints.
    Filter("constraint", constraints, lambda n: f"scheduling constraints not satisfied on {_nodes(n)}"),
    Filter("host port", host_ports, lambda n: f"host-mode port already in use on {_nodes(n)}"),
    Filter("max replicas", max_replicas, lambda n: "max replicas per node limit exceed"),
)


class Pipeline:
    """The filters that have a say about one task, and how many nodes each has turned away."""

    def __init__(self, task: Task) -> None:
        self._checks = [(f, check, [0]) for f in FILTERS if (check := f.prepare(task)) is not None]

    def process(self, info: NodeInfo) -> bool:
        for _, check, count in self._checks:
            if not check(info):
                count[0] += 1
                return False
        for _, _, count in self._checks:
            count[0] = 0
        return True

    def explain(self) -> str:
        """Why nodes were turned away, most frequent reason first; empty if none were."""
        failed = [(count[0], f) for f, _, count in self._checks if count[0]]
        failed.sort(key=lambda pair: -pair[0])
        return "; ".join(f.explain(count) for count, f in failed)
