"""The scheduler's nodes, kept in order while tasks come and go (manager/scheduler/nodeset.go).

The best nodes for a task are those with the lowest rank: few recent failures of its service, few of its service's
tasks, few tasks at all. Equals are chosen at random. SwarmKit walks all nodes for every group of tasks, in the order of
a Go map: a fixed order, entered at a random place. So do we: nodes stand on a ring, and a choice begins at a random
point of it.

Walking all nodes for every task costs nodes × tasks. So nodes that can take the same tasks (by the filters that look at
nothing but the node) are kept sorted, and the walk ends at the first that fit: by (tasks, place on the ring) for all
services that have something on a few nodes only, which are stepped over; by (tasks of the service, tasks, place) for
each service that is on many.

Law: an order holds exactly the nodes that pass its fixed filters, each under its present counts. It is corrected
whenever a task is counted (:meth:`NodeSet.counted`) or a node changes (:meth:`NodeSet.put`), and the law that
:meth:`NodeSet.best` chooses what sorting all nodes would is tested.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from random import Random

from swarmsim.swarm.manager.scheduler.filters import Pipeline, fixed_wants
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo
from swarmsim.swarm.objects import Node, Task

RING_BITS = 40
RING = 1 << RING_BITS
COUNT_BITS = 24  # tasks a node can have
MAX_ORDERS = 32
"""Orders kept; the one that was not used for longest is dropped, and made anew when needed."""

FEW = 8
"""On up to so many nodes a service's tasks are stepped over; on more it gets an order of its own."""


class _Order:
    """Nodes that pass the same fixed filters, sorted by (tasks of one service, tasks, place): one number a node."""

    def __init__(self, service_id: str, pipeline: Pipeline, nodes: Iterator[NodeInfo]) -> None:
        self._service_id = service_id
        self._pipeline = pipeline
        self._keys: list[int] = []
        self._key_of: dict[int, int] = {}
        self._at: dict[int, NodeInfo] = {}
        for info in nodes:
            if pipeline.fits(info, fixed=True):
                self._at[info.position] = info
                self._key_of[info.position] = self._key(info)
        self._keys = sorted(self._key_of.values())

    def _key(self, info: NodeInfo) -> int:
        of_service = info.active_by_service.get(self._service_id, 0) if self._service_id else 0
        return (of_service << COUNT_BITS | info.active) << RING_BITS | info.position

    def update(self, info: NodeInfo) -> None:
        """The node itself has changed, or is new."""
        self.discard(info)
        if self._pipeline.fits(info, fixed=True):
            self._at[info.position] = info
            self._insert(info)

    def discard(self, info: NodeInfo) -> None:
        if self._at.pop(info.position, None) is not None:
            self._take(info)

    def moved(self, info: NodeInfo) -> None:
        """The node's counts have changed."""
        if info.position in self._at:
            self._take(info)
            self._insert(info)

    def _insert(self, info: NodeInfo) -> None:
        key = self._key_of[info.position] = self._key(info)
        insort(self._keys, key)

    def _take(self, info: NodeInfo) -> None:
        del self._keys[bisect_left(self._keys, self._key_of.pop(info.position))]

    def walk(self, start: int) -> Iterator[NodeInfo]:
        """Lowest counts first; equals in the ring's order from ``start``. Nothing may change meanwhile."""
        keys, at, low = self._keys, self._at, 0
        while low < len(keys):
            level = keys[low] >> RING_BITS << RING_BITS
            high = bisect_left(keys, level + RING, low)
            turn = bisect_left(keys, level + start, low, high)
            for index in range(turn, high):
                yield at[keys[index] - level]
            for index in range(low, turn):
                yield at[keys[index] - level]
            low = high


class NodeSet:
    """All nodes by id. ``rng`` gives each its place on the ring and each choice its start."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.by_id: dict[str, NodeInfo] = {}
        self._ring: list[int] = []
        self._at: dict[int, NodeInfo] = {}
        self._orders: dict[Hashable, _Order] = {}
        self._with_service: dict[str, dict[str, NodeInfo]] = {}
        self._with_failures: dict[tuple[str, int], dict[str, NodeInfo]] = {}

    def get(self, id: str) -> NodeInfo | None:
        return self.by_id.get(id)

    # -- nodes and tasks come and go

    def put(self, node: Node, tasks: list[Task] | None = None) -> None:
        """The node is new, or has changed."""
        info = self.by_id.get(node.id)
        if info is None:
            position = self.rng.getrandbits(RING_BITS)
            while position in self._at:
                position = self.rng.getrandbits(RING_BITS)
            info = NodeInfo(node, tasks or (), position)
            info.follower = self
            for service_id in info.active_by_service:
                self._with_service.setdefault(service_id, {})[node.id] = info
            self.by_id[node.id] = info
            self._at[position] = info
            insort(self._ring, position)
        else:
            info.set_node(node)
        for order in self._orders.values():
            order.update(info)

    def drop(self, id: str) -> None:
        info = self.by_id.pop(id, None)
        if info is None:
            return
        for order in self._orders.values():
            order.discard(info)
        del self._at[info.position]
        del self._ring[bisect_left(self._ring, info.position)]
        info.follower = None
        for nodes in (*self._with_service.values(), *self._with_failures.values()):
            nodes.pop(id, None)

    def on_count_changed(self, info: NodeInfo, service_id: str, change: int) -> None:
        for order in self._orders.values():
            order.moved(info)
        if service_id in info.active_by_service:
            self._with_service.setdefault(service_id, {})[info.node.id] = info
        else:
            nodes = self._with_service.get(service_id, {})
            nodes.pop(info.node.id, None)
            if not nodes:
                self._with_service.pop(service_id, None)

    def failed(self, info: NodeInfo, task: Task, now: float) -> None:
        """A task of this service version failed on the node."""
        info.failed(task, now)
        self._with_failures.setdefault((task.service_id, task.spec_version), {})[info.node.id] = info

    # -- choosing

    def best(self, task: Task, count: int, pipeline: Pipeline, now: float) -> list[NodeInfo]:
        """The ``count`` nodes of lowest rank that pass, best first; fewer if fewer pass."""
        start = self.rng.getrandbits(RING_BITS)
        if count <= len(self.by_id) // 4:
            chosen = self._first_in_order(task, count, pipeline, now, start)
            if len(chosen) == count:
                return chosen
        passing = [info for info in self.from_(start) if pipeline.process(info)]
        passing.sort(key=lambda info: info.rank(task, now))  # stable: equals stay in the ring's order
        return passing[:count]

    def from_(self, start: int) -> Iterator[NodeInfo]:
        """Every node once, along the ring."""
        turn = bisect_left(self._ring, start)
        for places in (self._ring[turn:], self._ring[:turn]):
            for place in places:
                yield self._at[place]

    def _first_in_order(self, task: Task, count: int, pipeline: Pipeline, now: float, start: int) -> list[NodeInfo]:
        """The best nodes, if there are enough of those an order knows the rank of; the others come after them."""
        on = self._with_service.get(task.service_id, {})
        failing = self._with_failures.get((task.service_id, task.spec_version), {})
        of_service = len(on) > FEW
        marked = failing if of_service else {**on, **failing}
        chosen: list[NodeInfo] = []
        for info in self._order(task, pipeline, task.service_id if of_service else "").walk(start):
            if marked and info.node.id in marked:
                failures, own, _ = info.rank(task, now)
                if failures or (own and not of_service):
                    continue
            if pipeline.fits(info, fixed=False):
                chosen.append(info)
                if len(chosen) == count:
                    break
        return chosen

    def _order(self, task: Task, pipeline: Pipeline, service_id: str) -> _Order:
        which = (fixed_wants(task), service_id)
        order = self._orders.pop(which, None)
        if order is None:
            if len(self._orders) == MAX_ORDERS:
                del self._orders[next(iter(self._orders))]
            order = _Order(service_id, pipeline, (self._at[place] for place in self._ring))
        self._orders[which] = order
        return order
