"""The certificate authority (ca/server.go): says who a joining node is, and signs members' next certificates.

Every manager answers, the leader's store is written: a joining node's request is a new node whose certificate is PENDING, a member's is the state
RENEW, and the leader's :class:`Signer` turns either into ISSUED. Those are two Raft commits for each join and each renewal.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.apitypes.specs import SECOND, replace
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import new_id
from swarmsim.sim.timers import AlignedTicker
from swarmsim.swarm.api.ca import (
    GetRootCACertificateRequest,
    GetRootCACertificateResponse,
    GetUnlockKeyRequest,
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
    NodeCertificateStatusRequest,
    NodeCertificateStatusResponse,
)
from swarmsim.swarm.ca.certificates import DEFAULT_EXPIRY, Certificate, CertificateError, RootCA, issue
from swarmsim.swarm.ca.external import SigningError, ask_to_sign
from swarmsim.swarm.ca.given import issued, sign_with, signed_through, signing_request
from swarmsim.swarm.ca.unlockkey import KEK
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.objects import Cluster, IssuanceState, IssuedCertificate, Node, NodeSpec, Role
from swarmsim.swarm.store import Change, MemoryStore, Transaction
from swarmsim.trace import rows

RETRY_INTERVAL = 10.0  # seconds, defaultReconciliationRetryInterval


class CAServer:
    """``rng`` is where keys and serial numbers come from."""

    def __init__(self, store: MemoryStore, root: RootCA, ids: Random, rng: Random, clock: Clock) -> None:
        self.store = store
        self._root = root
        self.ids = ids
        self.rng = rng
        self.clock = clock
        self._seen: tuple[object, ...] | None = None
        self._expiry = DEFAULT_EXPIRY

    @property
    def root(self) -> RootCA:
        """What nodes are to trust; of a manager that knows no cluster yet, what it trusts itself."""
        cluster = self.store.cluster
        return cluster.root if cluster is not None else self._root

    def get_root_certificate(
        self, request: GetRootCACertificateRequest, call: CallInfo
    ) -> GetRootCACertificateResponse:
        return GetRootCACertificateResponse(self.root)

    def issue_node_certificate(
        self, request: IssueNodeCertificateRequest, call: CallInfo
    ) -> Future[IssueNodeCertificateResponse]:
        """Raises :class:`RpcError` if a token is none of the two, or a member is none any more."""
        cluster = self.store.cluster
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        # Whoever was removed is nobody, and shows no token either.
        if request.shown is not None and request.shown.node_id not in cluster.removed:
            return self.store.update(partial(self._renew, request.shown.node_id))
        # The token says which role the new node is to have.
        role = {cluster.worker_token: Role.WORKER, cluster.manager_token: Role.MANAGER}.get(request.token)
        if role is None:
            raise RpcError("InvalidArgument", "A valid join token is necessary to join this cluster")
        node = Node(
            id=new_id(self.ids),
            spec=NodeSpec(role=role, availability=request.availability),
            role=role,
            certificate=IssuedCertificate(IssuanceState.PENDING, role),
        )

        def create(tx: Transaction) -> IssueNodeCertificateResponse:
            tx.create(node)
            return IssueNodeCertificateResponse(node.id)

        return self.store.update(create)

    def _renew(self, node_id: str, tx: Transaction) -> IssueNodeCertificateResponse:
        node = tx.get(Node, node_id)
        if node is None:
            raise RpcError("NotFound", f"node {node_id} not found when attempting to renew certificate")
        wanted = replace(node.certificate, state=IssuanceState.RENEW, role=node.role)
        tx.update(replace(node, certificate=wanted))
        return IssueNodeCertificateResponse(node_id)

    def node_certificate_status(
        self, request: NodeCertificateStatusRequest, call: CallInfo
    ) -> Future[NodeCertificateStatusResponse]:
        """Answered once the certificate is signed, or refused."""
        node = self.store.get(Node, request.node_id)
        if node is None:
            raise RpcError("NotFound", f"node {request.node_id} not found")
        answer: Future[NodeCertificateStatusResponse] = self.clock.future()

        def look(node: Node) -> bool:
            if node.certificate.state in (IssuanceState.ISSUED, IssuanceState.FAILED):
                answer.succeed(NodeCertificateStatusResponse(node.certificate, self.root))
                return True
            return False

        if not look(node):

            def changed(change: Change) -> None:
                assert isinstance(change.obj, Node)
                if change.action == "delete" or look(change.obj):
                    stop()

            stop = self.store.watch_object(request.node_id, changed)
        return answer

    def take_over(self, cluster: Cluster) -> None:
        """The leader signs with what the cluster says. How long certificates live is looked at together with the root (ca/server.go
        UpdateRootCA): another expiry holds once the root is another, or this manager has been started anew."""
        seen = (cluster.root, cluster.next_root, cluster.last_forced_rotation)
        if seen != self._seen:
            self._seen = seen
            self._expiry = cluster.spec.node_cert_expiry / SECOND

    def get_unlock_key(self, request: GetUnlockKeyRequest, call: CallInfo) -> KEK:
        """Raises :class:`RpcError`."""
        cluster = self.store.cluster
        if cluster is None:
            raise RpcError("NotFound", "cluster default not found")
        return cluster.kek

    def unsigned(self, node_id: str, role: Role, cluster: Cluster) -> Certificate:
        """What the node is to have, as far as it does not hang on the signature."""
        rotating = cluster.next_root is not None
        return issue(
            self.rng,
            self.store.wall.now,
            issuer=cluster.signer,
            through=cluster.root if rotating else None,
            node_id=node_id,
            cluster_id=cluster.id,
            role=role,
            expiry=self._expiry,
        )

    def sign(self, node_id: str, role: Role, cluster: Cluster) -> Certificate | None:
        """Signed with the key there is; ``None`` if there is none."""
        certificate = self.unsigned(node_id, role, cluster)
        key = cluster.root_key if cluster.next_root is None else cluster.next_root_key
        if key:
            return sign_with(key, certificate, cluster.cross_signed)
        if not cluster.signer.key:
            return None
        return certificate if not cluster.cross_signed else signed_through(certificate, cluster.cross_signed)


class Signer:
    """What the leader does for the authority as long as it leads: signs what was asked for, the oldest requests first, or has it signed.

    What an authority elsewhere did not sign, but may yet, is tried again every ten seconds.
    """

    def __init__(self, process: Process, scope: Scope, server: CAServer) -> None:
        self.process = process
        self.scope = scope
        self.server = server
        self.store = server.store
        self._pending: dict[str, None] = {}
        self._tick = AlignedTicker(scope, RETRY_INTERVAL, self._again)
        self._take_over()
        waiting = list(self.store.table(Node).values())
        self._loop = CommitLoop(scope, self.store, self._on_commit, self._sign(waiting))

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        if any(type(change.obj) is Cluster for change in changes):
            self._take_over()
        nodes = [obj for action, obj, _ in changes if type(obj) is Node and action != "delete"]
        return self._sign(nodes) if any(self._waits(node) for node in nodes) else None

    def _take_over(self) -> None:
        cluster = self.store.cluster
        if cluster is not None:
            self.server.take_over(cluster)

    def _waits(self, node: Node) -> bool:
        return node.certificate.state in (IssuanceState.PENDING, IssuanceState.RENEW)

    def _sign(self, nodes: list[Node], *, patient: bool = True) -> Activity[None]:
        """Sign for these; who is not ``patient`` stops at the first that cannot be signed now."""
        for node in nodes:
            cluster = self.store.cluster
            if not self._waits(node) or cluster is None:
                self._pending.pop(node.id, None)
                continue
            role = node.certificate.role or node.role
            urls = cluster.authorities_of(cluster.signer)
            if urls:
                try:
                    certificate: Certificate | None = yield from self._have_signed(node.id, role, cluster, urls)
                except SigningError as error:
                    self.process.ctx.journal.note(
                        rows.SigningFailed, host=self.process.host.name, node=node.hostname or node.id, error=str(error)
                    )
                    if not error.final:
                        self._pending[node.id] = None
                        self._tick.request()
                        if patient:
                            continue
                        return
                    certificate = None
            else:
                certificate = self.server.sign(node.id, role, cluster)
            self._pending.pop(node.id, None)
            yield self.store.update(partial(self._write, node.id, role, certificate))

    def _have_signed(self, node_id: str, role: Role, cluster: Cluster, urls: list[str]) -> Activity[Certificate]:
        wanted = self.server.unsigned(node_id, role, cluster)
        body = signing_request(wanted.key, node_id, cluster.id, role)
        trusted = (cluster.root.pem, cluster.signer.pem)
        pem = yield from ask_to_sign(self.process, self.scope, urls, body, trusted)
        try:
            return issued(pem, wanted=wanted, chain=cluster.cross_signed)
        except CertificateError as error:
            raise SigningError(str(error), final=True) from None

    def _again(self) -> None:
        self._loop.submit(lambda: self._sign(self._left(), patient=False))

    def _left(self) -> list[Node]:
        nodes = [self.store.get(Node, node_id) for node_id in self._pending]
        return [node for node in nodes if node is not None]

    def _write(self, node_id: str, role: Role, certificate: Certificate | None, tx: Transaction) -> None:
        node = tx.get(Node, node_id)
        if node is not None and self._waits(node):
            state = IssuanceState.FAILED if certificate is None else IssuanceState.ISSUED
            tx.update(replace(node, certificate=IssuedCertificate(state, role, certificate)))
