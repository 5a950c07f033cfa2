"""The filter pipeline (manager/scheduler/filter.go, pipeline.go): which nodes a task may go to.

Filters run in :data:`FILTERS`' order; the first that a node fails is the one that is counted. The counts
make the sentence a pending task shows. As in SwarmKit they start again from zero whenever a node passes.

What a filter asks for is either fixed in the node (its state, plugins, labels, platform) or depends on the tasks
there by now (resources, host ports, replicas). :func:`fixed_wants` is the first kind as a key: nodes that pass it
for one task pass it for every task with the same key, until the node itself changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from swarmsim.apitypes.specs import Platform
from swarmsim.swarm.constraint import node_matches, parsed
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo, reservations
from swarmsim.swarm.objects import Availability, Node, NodeState, Task

Check = Callable[[NodeInfo], bool]

PLAIN: Hashable = None
"""The key of tasks that ask nothing of a node but to be ready."""


def ready(task: Task) -> Check | None:
    return lambda info: info.node.status.state is NodeState.READY and info.node.spec.availability is Availability.ACTIVE


def resources(task: Task) -> Check | None:
    wanted = reservations(task)
    cpus, memory, generic = wanted.nano_cpus, wanted.memory_bytes, wanted.generic
    if not (cpus or memory or generic):
        return None

    def enough(info: NodeInfo) -> bool:
        if cpus > info.free_cpus or memory > info.free_memory:
            return False
        return not generic or (info.free_generic is not None and info.free_generic.has(generic))

    return enough


def _wanted_plugins(task: Task) -> tuple[tuple[str, str], ...]:
    """(type, name) of each plugin the task cannot do without; built-in volumes count as there."""
    spec = task.spec
    wanted = [
        ("Volume", mount.volume.driver.name)
        for mount in spec.container.mounts or ()
        if mount.type == "volume"
        and mount.volume is not None
        and mount.volume.driver is not None
        and mount.volume.driver.name not in ("", "local")
    ]
    wanted += [("Network", attachment.driver) for attachment in task.networks if attachment.driver]
    if spec.log_driver is not None and spec.log_driver.name not in ("", "none"):
        wanted.append(("Log", spec.log_driver.name))
    return tuple(wanted)


def plugins(task: Task) -> Check | None:
    wanted = _wanted_plugins(task)
    return (lambda info: _has_plugins(info.node, wanted)) if wanted else None


def _has_plugins(node: Node, wanted: tuple[tuple[str, str], ...]) -> bool:
    there = node.description.plugins if node.description else ()
    if not there:
        return True  # a node that says nothing of its plugins is believed to have them
    for kind, name in wanted:
        names = [known for other, known in there if other == kind]
        if kind == "Log" and not names:
            continue  # an engine too old to list its log drivers
        if name not in names and f"{name}:latest" not in names:
            return False
    return True


def constraints(task: Task) -> Check | None:
    found = parsed(tuple(task.spec.placement.constraints or ()))
    return (lambda info: node_matches(found, info.node)) if found else None


_SAME_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}


def platforms(task: Task) -> Check | None:
    wanted = task.spec.placement.platforms
    return (lambda info: any(_runs(info.node, platform) for platform in wanted)) if wanted else None


def _runs(node: Node, wanted: Platform) -> bool:
    if node.description is None:
        return False
    here = node.description.architecture
    same = _SAME_ARCHITECTURE.get(wanted.architecture, wanted.architecture) == _SAME_ARCHITECTURE.get(here, here)
    return (not wanted.architecture or same) and (not wanted.os or wanted.os == node.description.os)


def host_ports(task: Task) -> Check | None:
    wanted = {(p.protocol, p.published_port) for p in task.ports if p.publish_mode == "host" and p.published_port}
    return (lambda info: wanted.isdisjoint(info.host_ports)) if wanted else None


def max_replicas(task: Task) -> Check | None:
    limit = task.spec.placement.max_replicas
    return (lambda info: info.active_by_service.get(task.service_id, 0) < limit) if limit else None


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


class Filter(NamedTuple):
    """``prepare(task)`` gives the check for one task, or ``None`` if the filter has no say.

    ``fixed`` filters look only at what is fixed in a node.
    """

    name: str
    fixed: bool
    prepare: Callable[[Task], Check | None]
    explain: Callable[[int], str]


FILTERS: tuple[Filter, ...] = (
    Filter("ready", True, ready, lambda n: f"{_nodes(n)} not available for new tasks"),
    Filter("resource", False, resources, lambda n: f"insufficient resources on {_nodes(n)}"),
    Filter("plugin", True, plugins, lambda n: f"missing plugin on {_nodes(n)}"),
    Filter("constraint", True, constraints, lambda n: f"scheduling constraints not satisfied on {_nodes(n)}"),
    Filter("platform", True, platforms, lambda n: f"unsupported platform on {_nodes(n)}"),
    Filter("host port", False, host_ports, lambda n: f"host-mode port already in use on {_nodes(n)}"),
    Filter("max replicas", False, max_replicas, lambda n: "max replicas per node limit exceed"),
    # The volume filter is about CSI cluster volumes, which the modelled engine does not have.
)


def fixed_wants(task: Task) -> Hashable:
    """What the ``fixed`` filters look at, as a key."""
    placement, wanted = task.spec.placement, _wanted_plugins(task)
    if not (placement.constraints or placement.platforms or wanted):
        return PLAIN
    return (tuple(placement.constraints or ()), tuple(placement.platforms or ()), wanted)


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

    def fits(self, info: NodeInfo, fixed: bool) -> bool:
        """Whether the node passes the fixed filters, or the others; nothing is counted."""
        return all(check(info) for f, check, _ in self._checks if f.fixed is fixed)

    def explain(self) -> str:
        """Why nodes were turned away, most frequent reason first; empty if none were."""
        failed = [(count[0], f) for f, _, count in self._checks if count[0]]
        failed.sort(key=lambda pair: -pair[0])
        return "; ".join(f.explain(count) for count, f in failed)
