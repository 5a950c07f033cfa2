"""Rotation of the root (ca/reconciler.go, controlapi/ca_rotation.go): the leader tells nodes to ask for certificates of the new root.

From the moment a new root is wanted it signs, cross-signed by the old one, which is still what nodes trust. Every three seconds at most
thirty nodes whose certificate has another issuer are told. When none is left the new root becomes the root, and there are new join tokens.
A node that is down is waited for, until it returns or is removed.
"""

from __future__ import annotations

from functools import partial
from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.swarm.ca.certificates import RootCA, join_token
from swarmsim.swarm.ca.told import note_root
from swarmsim.swarm.objects import Cluster, IssuanceState, Node
from swarmsim.swarm.store import Change, MemoryStore, Transaction
from swarmsim.trace import rows

BATCH_INTERVAL = 3.0  # seconds, defaultRootReconciliationInterval
BATCH = 30  # nodes, IssuanceStateRotateMaxBatchSize
UNDER_WAY = (IssuanceState.RENEW, IssuanceState.PENDING, IssuanceState.ROTATE)
"""Whose certificate is in one of these states gets another anyway."""


class RootRotationReconciler:
    """Runs as long as the leader leads; a successor begins with what the store says. ``rng`` chooses among more than thirty nodes."""

    def __init__(self, process: Process, scope: Scope, store: MemoryStore, ids: Random, rng: Random) -> None:
        self.process = process
        self.scope = scope
        self.store = store
        self._ids = ids
        self._rng = rng
        self._loop: Scope | None = None
        self._wanted: RootCA | None = None
        scope.on_end(store.watch(self._on_commit))
        self._root_changed()

    def _on_commit(self, changes: tuple[Change, ...]) -> None:
        if any(type(change.obj) is Cluster for change in changes):
            self._root_changed()

    def _root_changed(self) -> None:
        cluster = self.store.cluster
        wanted = cluster.next_root if cluster is not None else None
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if self._loop is not None:
            self._loop.end()
            self._loop = None
        if wanted is not None:
            self._loop = self.scope.child("root rotation")
            self._loop.spawn(self._rotate(wanted))

    def _note(self, wanted: RootCA, *, over: bool) -> None:
        name = note_root(self.process, wanted)
        self.process.ctx.journal.note(rows.RootRotation, host=self.process.host.name, root=name, over=over)

    def _rotate(self, wanted: RootCA) -> Activity[None]:
        self._note(wanted, over=False)
        while True:
            others = [node for node in self.store.table(Node).values() if not has_issuer(node, wanted)]
            try:
                if not others:
                    self._loop = None
                    yield self.store.update(partial(self._finish, wanted))
                    self._note(wanted, over=True)
                    return
                free = [node for node in others if node.certificate.state not in UNDER_WAY]
                told = free if len(free) <= BATCH else self._rng.sample(free, BATCH)
                yield self.store.batch([partial(self._tell, node.id) for node in told])
            except RpcError:
                pass  # as SwarmKit logs it and goes on
            yield BATCH_INTERVAL

    def _tell(self, node_id: str, tx: Transaction) -> None:
        node = tx.get(Node, node_id)
        if node is not None:
            tx.update(replace(node, certificate=replace(node.certificate, state=IssuanceState.ROTATE)))

    def _finish(self, wanted: RootCA, tx: Transaction) -> None:
        cluster = next(tx.all(Cluster))
        if cluster.next_root == wanted:
            tokens = (join_token(wanted.digest, self._ids) for _ in range(2))
            tx.update(
                replace(
                    cluster,
                    root=wanted,
                    root_key=cluster.next_root_key,
                    next_root=None,
                    next_root_key="",
                    cross_signed="",
                    worker_token=next(tokens),
                    manager_token=next(tokens),
                )
            )


def has_issuer(node: Node, root: RootCA) -> bool:
    """Whether a node says that its certificate was signed by this root."""
    tls = node.description.tls if node.description is not None else None
    return tls is not None and tls.issuer == root
