"""The role manager (manager/role_manager.go): makes a node's role what its spec asks for.

Promotion is a write; the node then asks for a manager's certificate and joins Raft. Demotion first takes
the member out of Raft (the leader hands over instead, and its successor does it), then writes the role.
What cannot be done yet is tried again every 5 s.
"""

from __future__ import annotations

from functools import partial

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.objects import Node, Role
from swarmsim.swarm.store import Change, Transaction

RECONCILE_INTERVAL = 5.0  # seconds, roleReconcileInterval
TRANSFER_POLL = 0.1  # seconds, raft.go TransferLeadership: a tenth of a tick
TRANSFER_TIMEOUT = 25.0  # seconds, raft.go reqTimeout


class RoleManager:
    def __init__(self, scope: Scope, raft: RaftNode) -> None:
        self.scope = scope
        self.raft = raft
        self.store = raft.store
        self._pending: dict[str, None] = {node.id: None for node in self.store.table(Node).values()}
        self._removals: dict[str, None] = {
            member.node_id: None for member in raft.members.values() if self.store.get(Node, member.node_id) is None
        }
        self.next_poll = 0.0
        """While it hands over leadership: the simulated second at which it looks next whether another leads."""
        self._timer: PeriodicTimer | None = None
        self._loop = CommitLoop(scope, self.store, self._on_commit, self._reconcile())

    @property
    def stuck(self) -> bool:
        """Whether all there is to do would cost the quorum, so that trying again does nothing."""
        members = [self.raft.member_of(node_id) for node_id in (*self._pending, *self._removals)]
        return bool(members) and all(
            member is not None and not self.raft.can_remove(member.raft_id) for member in members
        )

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        nodes = [(action, obj.id) for action, obj, _ in changes if type(obj) is Node and action != "create"]
        if not nodes:
            return None
        for action, id in nodes:
            if action == "delete":
                self._pending.pop(id, None)
                self._removals[id] = None
            else:
                self._pending[id] = None
        return self._reconcile()

    def beat(self) -> float | None:
        """Try again what could not be done; the seconds to the next try."""
        self._loop.submit(self._reconcile)
        return RECONCILE_INTERVAL

    def _reconcile(self) -> Activity[None]:
        for node_id in list(self._pending):
            yield from self._reconcile_role(node_id)
        for node_id in list(self._removals):
            member = self.raft.member_of(node_id)
            if member is None:
                del self._removals[node_id]
            else:
                yield from self._remove(member)
        if not (self._pending or self._removals):
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
        elif self._timer is None:
            self._timer = PeriodicTimer(self.scope, RECONCILE_INTERVAL, self.beat)

    def _reconcile_role(self, node_id: str) -> Activity[None]:
        node = self.store.get(Node, node_id)
        if node is None or node.role is node.spec.role:
            del self._pending[node_id]
            return
        if node.spec.role is Role.WORKER:
            member = self.raft.member_of(node_id)
            if member is not None:
                yield from self._remove(member)
                return
        try:
            yield self.store.update(partial(self._write_role, node_id, node.spec.role))
        except RpcError:
            return
        self._pending.pop(node_id, None)

    def _write_role(self, node_id: str, role: Role, tx: Transaction) -> None:
        node = tx.get(Node, node_id)
        if node is not None and node.spec.role is role and node.role is not role:
            tx.update(replace(node, role=role))

    def _remove(self, member: Member) -> Activity[None]:
        if not self.raft.can_remove(member.raft_id):
            return
        if member.raft_id == self.raft.core.id:
            if self.raft.transfer_leadership():
                yield from self._await_successor()
            return
        try:
            yield self.raft.remove_member(member.raft_id)
        except RpcError:
            return

    def _await_successor(self) -> Activity[None]:
        """With another leader this role manager has ended before it looks; without one it goes on after a while."""
        deadline = self.scope.clock.now + TRANSFER_TIMEOUT
        while self.scope.clock.now < deadline:
            self.next_poll = self.scope.clock.now + TRANSFER_POLL
            yield TRANSFER_POLL
