"""A manager (manager/manager.go): serves the API on every manager, and runs the swarm on the leader.

What the leader runs lives in one scope. Losing leadership ends it, and with it every timer, delay and
history of restarts: the next leader rebuilds what it needs from the store.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from swarmsim.raft.messages import ChangeType
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import CallInfo, Handler, Method, Reply, Request
from swarmsim.sim.net.channel import Channel, ask_once
from swarmsim.sim.net.connection import ANY_ADDRESS, Address
from swarmsim.sim.net.server import Server
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import new_id
from swarmsim.swarm.api import LOCAL_SOCKET, ca, dispatcher, health, raft, resource
from swarmsim.swarm.api.raft import Member
from swarmsim.swarm.ca.certificates import Certificate, RootCA, join_token
from swarmsim.swarm.ca.reconciler import RootRotationReconciler
from swarmsim.swarm.ca.server import CAServer, Signer
from swarmsim.swarm.manager.allocator import Allocator
from swarmsim.swarm.manager.constraintenforcer import ConstraintEnforcer
from swarmsim.swarm.manager.controlapi import ControlAPI
from swarmsim.swarm.manager.controlserver import register
from swarmsim.swarm.manager.dispatcher import Dispatcher
from swarmsim.swarm.manager.globalservice import GlobalOrchestrator
from swarmsim.swarm.manager.jobs import JobsOrchestrator
from swarmsim.swarm.manager.keymanager import KeyManager, first_keys
from swarmsim.swarm.manager.overview import OVERVIEW, overview
from swarmsim.swarm.manager.proxy import Proxy
from swarmsim.swarm.manager.raftdisk import RaftDisk
from swarmsim.swarm.manager.raftnode import LOST_LEADERSHIP, RaftNode
from swarmsim.swarm.manager.replicated import ReplicatedOrchestrator
from swarmsim.swarm.manager.resourceapi import ResourceAPI
from swarmsim.swarm.manager.rolemanager import RoleManager
from swarmsim.swarm.manager.scheduler.scheduler import Scheduler
from swarmsim.swarm.manager.taskreaper import TaskReaper
from swarmsim.swarm.objects import (
    AddressPools,
    Availability,
    Cluster,
    ClusterSpec,
    IssuanceState,
    IssuedCertificate,
    Network,
    NetworkSpec,
    Node,
    NodeSpec,
    Role,
)
from swarmsim.swarm.store import AlreadyExists, Change, NameConflict, Transaction

STOP_TIMEOUT = 8.0  # seconds, stopTimeout
JOIN_CHECK_TIMEOUT = 5.0  # seconds, raft.go Join
JOIN_CHECK_FAILED = "could not connect to prospective new cluster member using its advertised address"


class Manager:
    """One manager inside a Docker engine's process, until ``scope`` ends or it is stopped.

    ``cluster_id`` and ``address_pools`` are only set on the manager that starts a new swarm: it creates the cluster object, with
    its ``unlock_key`` if managers are to lock.
    """

    def __init__(
        self,
        process: Process,
        scope: Scope,
        certificate: Certificate,
        addr: str,
        disk: RaftDisk,
        on_removed: Callable[[], object],
        availability: Availability,
        root: RootCA,
    ) -> None:
        self.process = process
        self.scope = scope
        self.node_id = node_id = certificate.node_id
        self.certificate = certificate
        self.availability = availability
        self.root = root
        self.cluster_id = ""
        self.unlock_key = b""
        self.address_pools = AddressPools()
        self.journal = process.ctx.journal
        self.ids: Random = process.host.rng("ids")
        self.server = Server(process, scope, f"{ANY_ADDRESS}:{Address.parse(addr).port}", LOCAL_SOCKET)
        self.local = Channel(process, scope, LOCAL_SOCKET)
        """What this host's engine asks through."""
        self.raft = RaftNode(process, scope.child("raft"), self.server, node_id, addr, disk)
        self.raft.on_leadership = self._leadership_changed
        self.raft.on_removed = on_removed
        self.control = ControlAPI(self.raft, self.ids, process.host.rng("root-ca"))
        self.dispatcher: Dispatcher | None = None
        self.roles: RoleManager | None = None
        self.stopped: Future[None] | None = None
        """Once it is to stop: happens when it has."""
        self._leadership: Scope | None = None
        self._locked_until = 0.0
        self.ca = CAServer(self.raft.store, root, self.ids, process.host.rng("certificates"), scope.clock)
        self.resources = ResourceAPI(self.raft.store, self.ids)
        self.proxy = Proxy(process, scope, self.server, self.raft)
        scope.on_end(self.raft.store.watch_object(certificate.cluster_id, self._cluster_changed))
        self._serve()

    def _cluster_changed(self, change: Change) -> None:
        self.server.removed = change.obj.removed

    def _serve(self) -> None:
        """Everything a manager answers (manager.go Run)."""
        register(self._serve_elected, self.control)
        self._serve_elected(OVERVIEW, partial(overview, self.control))
        self._serve_elected(ca.ISSUE_NODE_CERTIFICATE, self.ca.issue_node_certificate)
        self._serve_elected(ca.NODE_CERTIFICATE_STATUS, self.ca.node_certificate_status)
        self._serve_elected(ca.GET_UNLOCK_KEY, self.ca.get_unlock_key)
        self.proxy.serve(raft.JOIN, lambda: self._join if self.raft.is_leader else None)
        self.proxy.serve(dispatcher.HEARTBEAT, lambda: self.dispatcher.heartbeat if self.dispatcher else None)
        self.proxy.serve(
            dispatcher.UPDATE_TASK_STATUS, lambda: self.dispatcher.update_task_status if self.dispatcher else None
        )
        self._serve_elected(resource.ATTACH_NETWORK, self.resources.attach_network)
        self._serve_elected(resource.DETACH_NETWORK, self.resources.detach_network)
        self.proxy.serve_stream(dispatcher.SESSION, lambda: self.dispatcher.session if self.dispatcher else None)
        self.server.serve(health.CHECK, self._check)
        self.server.serve(ca.GET_ROOT_CA_CERTIFICATE, self.ca.get_root_certificate)

    def _serve_elected(self, method: Method[Request, Reply], handler: Handler[Request, Reply]) -> None:
        """From its election on, though the log may not be applied to its end."""
        self.proxy.serve(method, lambda: handler if self.raft.is_elected else None)

    def call(self, method: Method[Request, Reply], request: Request, timeout: float) -> Future[Reply]:
        """A call from this host's engine; ``timeout`` seconds at most."""
        return self.local.call(method, request, timeout).reply

    def _check(self, request: health.HealthCheckRequest, call: CallInfo) -> health.HealthCheckResponse:
        return health.HealthCheckResponse(health.ServingStatus.SERVING)

    def _join(self, request: raft.JoinRequest, call: CallInfo) -> Future[raft.JoinResponse]:
        """A manager asks to become a Raft member."""
        return self.scope.spawn(self._add_member(request.node_id, request.host, request.addr))

    def _add_member(self, node_id: str, host: str, addr: str) -> Activity[raft.JoinResponse]:
        member = self.raft.member_of(node_id)
        if member is None or (member.host, member.addr) != (host, addr):
            raft_id = member.raft_id if member else self.raft.new_raft_id()
            change = ChangeType.UPDATE if member else ChangeType.ADD
            member = Member(raft_id, node_id, host, addr)
            yield from self._check_joining(addr)
            if not self.raft.is_leader:
                raise RpcError("FailedPrecondition", LOST_LEADERSHIP)
            yield self.raft.change_member(change, member)
        return raft.JoinResponse(member.raft_id, tuple(self.raft.members.values()))

    def _check_joining(self, addr: str) -> Activity[None]:
        """Whoever cannot be reached at the address it gave does not become a member (raft.go checkHealth)."""
        try:
            yield from ask_once(self.process, addr, health.CHECK, health.HealthCheckRequest(), JOIN_CHECK_TIMEOUT)
        except RpcError as error:
            raise RpcError("Unknown", f"{JOIN_CHECK_FAILED}: {error}") from None

    # -- stopping

    def stop(self) -> Future[None]:
        """Stop in order (manager.go Stop); happens when every client is gone, or was hung up on after 8 s."""
        if self.stopped is None:
            self.stopped = self.scope.spawn(self._stop())
        return self.stopped

    def _stop(self) -> Activity[None]:
        """No new clients, no Raft. Calls and streams under way may end: those for the leader break with the connection
        they were passed on over, those that still look for it do until their client gives up.
        """
        clock = self.scope.clock
        yield max(0.0, self._locked_until - clock.now)
        drained = self.server.graceful_stop()
        self._stop_leading()
        self.raft.stop()
        yield clock.first_of((drained, clock.timeout(STOP_TIMEOUT)))
        self.server.stop()
        self.local.close()
        self.scope.end()

    # -- leading

    def _leadership_changed(self, leading: bool) -> None:
        if leading:
            self._leadership = self.raft.scope.child("leadership")
            self._leadership.spawn(self._become_leader(self._leadership))
            return
        if self.roles is not None:
            # becomeFollower waits for the role manager with the manager locked, so that it cannot be stopped meanwhile.
            self._locked_until = self.roles.next_poll
        self._stop_leading()

    def _stop_leading(self) -> None:
        if self.dispatcher is not None:
            self.dispatcher.stop()
        if self._leadership is not None:
            self._leadership.end()
        self._leadership = None
        self.dispatcher = None
        self.roles = None

    def _become_leader(self, scope: Scope) -> Activity[None]:
        store, host = self.raft.store, self.process.host
        yield store.update(self._ensure_basics)
        self.dispatcher = Dispatcher(self.process, scope, self.raft)
        Allocator(scope, store)
        Scheduler(scope, store, self.journal, host.rng("scheduler"))
        ConstraintEnforcer(scope, store)
        TaskReaper(scope, store)
        update_order = host.rng("update order")
        ReplicatedOrchestrator(scope, store, self.ids, update_order, host.rng("orchestrator"))
        JobsOrchestrator(scope, store, self.ids)
        GlobalOrchestrator(scope, store, self.ids, update_order)
        if host.ctx.gossip:
            KeyManager(scope, store)
        self.roles = RoleManager(scope, self.raft)
        Signer(self.process, scope, self.ca)
        RootRotationReconciler(self.process, scope, store, self.ids, host.rng("root rotation"))

    def _ensure_basics(self, tx: Transaction) -> None:
        """The cluster object, the own node and the ingress network, where they are missing."""
        if self.cluster_id:
            cluster = Cluster(
                id=self.cluster_id,
                address_pools=self.address_pools.subnets,
                subnet_size=self.address_pools.subnet_size,
                spec=ClusterSpec(autolock=bool(self.unlock_key)),
                root=self.root,
                worker_token=join_token(self.root.digest, self.ids),
                manager_token=join_token(self.root.digest, self.ids),
                unlock_key=self.unlock_key,
                network_keys=first_keys(self.process.host.rng("network keys")),
            )
            self._create(tx, cluster)
        spec = NodeSpec(role=Role.MANAGER, availability=self.availability)
        issued = IssuedCertificate(IssuanceState.ISSUED, Role.MANAGER, self.certificate)
        fresh = self._create(tx, Node(id=self.node_id, spec=spec, role=Role.MANAGER, certificate=issued))
        if fresh:
            self._create(
                tx,
                Network(id=new_id(self.ids), spec=NetworkSpec(name="ingress", labels={}, ingress=True)),
            )

    def _create(self, tx: Transaction, obj: Any) -> bool:
        try:
            tx.create(obj)
        except (AlreadyExists, NameConflict):
            return False
        return True
