"""The resource allocator service (manager/resourceapi/allocator.go): places of plain containers on attachable networks.

Each is a task without a service, that is on its node from the start: the allocator gives it an address, the dispatcher tells its
agent, and it is deleted when the container leaves.
"""

from __future__ import annotations

from random import Random

from swarmsim.apitypes.specs import NetworkAttachment, NetworkAttachmentSpec, TaskSpec
from swarmsim.sim.future import Future
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.streams import new_id
from swarmsim.swarm.api.resource import AttachNetworkRequest, AttachNetworkResponse, DetachNetworkRequest
from swarmsim.swarm.objects import Network, Task, TaskStatus
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import MemoryStore, Transaction

ATTACHMENT = "attachment"
"""The runtime of such a task."""


class ResourceAPI:
    def __init__(self, store: MemoryStore, ids: Random) -> None:
        self.store = store
        self.ids = ids

    def attach_network(self, request: AttachNetworkRequest, call: CallInfo) -> Future[AttachNetworkResponse]:
        name = request.network
        network = self.store.get(Network, name) or next(
            (each for each in self.store.table(Network).values() if each.name == name), None
        )
        if network is None:
            raise RpcError("NotFound", f"network {name} not found")
        if not network.spec.attachable:
            raise RpcError("PermissionDenied", f"network {name} not manually attachable")
        task = Task(
            id=new_id(self.ids),
            spec=TaskSpec(
                attachment=NetworkAttachmentSpec(container_id=request.container_id),
                networks=[NetworkAttachment(target=network.id)],
                runtime=ATTACHMENT,
            ),
            node_id=request.node_id,
            status=TaskStatus(TaskState.NEW, self.store.wall.now, "created"),
            desired_state=TaskState.RUNNING,
            wanted_address=request.address,
        )

        def create(tx: Transaction) -> AttachNetworkResponse:
            tx.create(task)
            return AttachNetworkResponse(task.id)

        return self.store.update(create)

    def detach_network(self, request: DetachNetworkRequest, call: CallInfo) -> Future[None]:
        id = request.attachment_id

        def delete(tx: Transaction) -> None:
            task = tx.get(Task, id)
            if task is None:
                raise RpcError("NotFound", f"attachment {id} not found")
            if task.node_id != request.node_id:
                raise RpcError("PermissionDenied", f"attachment {id} doesn't belong to this node")
            tx.delete(Task, id)

        return self.store.update(delete)
