"""The certificate authority (ca/server.go): tells joining nodes who they are."""

from __future__ import annotations

from random import Random

from swarmsim.sim.future import Future
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.streams import new_id
from swarmsim.swarm.api.ca import (
    GetRootCACertificateRequest,
    GetRootCACertificateResponse,
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
)
from swarmsim.swarm.ca.certificates import RootCA
from swarmsim.swarm.objects import Node, NodeSpec, Role
from swarmsim.swarm.store import MemoryStore, Transaction


class CAServer:
    """Every manager knows the root certificate; the leader issues certificates."""

    def __init__(self, store: MemoryStore, root: RootCA, ids: Random) -> None:
        self.store = store
        self.root = root
        self.ids = ids

    def get_root_certificate(
        self, request: GetRootCACertificateRequest, call: CallInfo
    ) -> GetRootCACertificateResponse:
        return GetRootCACertificateResponse(self.root)

    def issue_node_certificate(
        self, request: IssueNodeCertificateRequest, call: CallInfo
    ) -> Future[IssueNodeCertificateResponse]:
        """The token says which role the new node is to have. Raises :class:`RpcError` if it is none of the two."""
        cluster = self.store.cluster
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        role = {cluster.worker_token: Role.WORKER, cluster.manager_token: Role.MANAGER}.get(request.token)
        if role is None:
            raise RpcError("InvalidArgument", "A valid join token is necessary to join this cluster")
        spec = NodeSpec(role=role, availability=request.availability)
        node = Node(id=new_id(self.ids), spec=spec, role=role)

        def create(tx: Transaction) -> IssueNodeCertificateResponse:
            tx.create(node)
            return IssueNodeCertificateResponse(node.id, cluster.id, role)

        return self.store.update(create)
