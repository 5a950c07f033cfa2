"""What several groups of calls look up first: the swarm's objects, by id, by name or by the beginning of an id."""

from __future__ import annotations

from swarmsim.engine.calls import Calls, find
from swarmsim.sim.future import Activity
from swarmsim.swarm.api import control
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.objects import Cluster, Service, Task


class Lookups(Calls):
    """Each is asked of the manager here; all raise :class:`ApiError` where there is none, or no such object."""

    def _cluster(self) -> Activity[Cluster]:
        return (yield from self._control(control.GET_CLUSTER, control.GetClusterRequest())).cluster

    def _nodes(self) -> Activity[list[NodeView]]:
        return (yield from self._control(control.LIST_NODES, control.ListNodesRequest())).nodes

    def _services(self) -> Activity[list[Service]]:
        return (yield from self._control(control.LIST_SERVICES, control.ListServicesRequest())).services

    def _tasks(self, up_to_date: bool = False) -> Activity[list[Task]]:
        """But for places of plain containers on networks (daemon/cluster/tasks.go: runtimes container and plugin)."""
        found = yield from self._control(control.LIST_TASKS, control.ListTasksRequest(up_to_date))
        return [task for task in found.tasks if not task.is_attachment]

    def _node(self, reference: str) -> Activity[NodeView]:
        if reference == "self" and self.engine.node is not None:
            reference = self.engine.node.certificate.node_id
        views = yield from self._nodes()
        return find("node", reference, [(v.node.id, v.node.hostname, v) for v in views])

    def _service(self, reference: str) -> Activity[Service]:
        services = yield from self._services()
        return find("service", reference, [(s.id, s.spec.name, s) for s in services])
