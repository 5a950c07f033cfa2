"""A swarm node (moby/swarmkit node/node.go): the agent every node has, and the manager some have.

Lives in the Docker engine's process. What it must find again after a restart is on disk: who it is, which
managers it knows, the Raft log and the agent's tasks. Its role follows what the managers say: a promoted
node gets a manager's certificate and joins Raft, a demoted one stops its manager.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import NamedTuple, TypeVar

from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.net.channel import ask_once
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.quiescence import Subject
from swarmsim.sim.streams import new_id
from swarmsim.swarm.agent.agent import Agent
from swarmsim.swarm.agent.remotes import Remotes
from swarmsim.swarm.agent.worker import Executor, TaskDisk
from swarmsim.swarm.api.ca import (
    GET_ROOT_CA_CERTIFICATE,
    ISSUE_NODE_CERTIFICATE,
    GetRootCACertificateRequest,
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
)
from swarmsim.swarm.api.dispatcher import Peer
from swarmsim.swarm.api.raft import JOIN, JoinRequest
from swarmsim.swarm.ca.certificates import RootCA, create_root
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.manager.raftnode import RaftDisk
from swarmsim.swarm.objects import Availability, Node, Role

CA_ATTEMPTS = 5
CA_RETRY = 2.0  # seconds, ca/config.go GetCertRetryInterval
CA_TIMEOUT = 5.0  # seconds, certificates.go GetRemoteCA, GetRemoteSignedCertificate
JOIN_TIMEOUT = 10.0  # seconds, raft.go joinCluster: the manager is asked to be made a member
RENEWAL_PAUSE = 0.5  # seconds, ca/renewer.go: before a certificate of another role is asked for
CONTROL_POLL = 0.5  # seconds, node.go initManagerConnection
WAL_SYNCS = 3  # etcd wal.Create: the directory, the first record, an empty snapshot
JOIN_RETRY = 5.0  # seconds between a promoted node's attempts to join Raft

T = TypeVar("T")


class Identity(NamedTuple):
    """A node's certificate, for what the model needs of it: CN, O, OU."""

    node_id: str
    cluster_id: str
    role: Role


class NodeDisk:
    """The swarm directory of one engine."""

    def __init__(self, identity: Identity, root: RootCA, advertise: str, remotes: Remotes) -> None:
        self.identity = identity
        self.root = root
        self.advertise = advertise
        self.remotes = remotes
        self.raft = RaftDisk()
        self.tasks: TaskDisk = {}


class SwarmNode(Subject):
    """One node from the start of its engine to its end, or until it leaves."""

    def __init__(self, process: Process, executor: Executor, disk: NodeDisk) -> None:
        self.process = process
        self.executor = executor
        self.disk = disk
        process.identity = disk.identity.node_id
        self.scope = process.child("swarm")
        self.manager: Manager | None = None
        self.control: Manager | None = None
        """The manager, as long as there is a connection to its control socket: for the engine, and the agent prefers it."""
        self.agent: Agent | None = None
        self._stopping: Future[None] | None = None
        self._rng: Random = process.host.rng("node")
        self._ready: list[Future[None]] = []
        self._promoting = False

    @property
    def identity(self) -> Identity:
        return self.disk.identity

    # -- starting

    def resume(self) -> None:
        """Start from disk, as after a restart of the engine. Manager and agent start side by side:
        which is first decides whether the agent's first session goes to its own manager."""
        if self.identity.role is Role.MANAGER:
            self.scope.after(self._sample_duration("manager_start"), self._resume_manager)
        self.scope.after(self._sample_duration("node_start"), self._start_agent)

    def _resume_manager(self) -> None:
        manager = self._start_manager()
        manager.raft.restart()
        manager.scope.spawn(self._connect_control(manager))

    def wait_registered(self) -> Future[None]:
        """Happens when the agent has its first session."""
        ready: Future[None] = self.scope.clock.future()
        self._ready.append(ready)
        return ready

    def _start_agent(self) -> None:
        self.agent = Agent(
            self.process,
            self.scope.child("agent"),
            self.identity.node_id,
            self.executor,
            self.disk.tasks,
            self.disk.remotes,
            lambda: self.control is not None,
            self._on_session_message,
        )

    def _start_manager(self, availability: Availability = Availability.ACTIVE) -> Manager:
        self.manager = manager = Manager(
            self.process,
            self.scope.child("manager"),
            self.identity.node_id,
            self.disk.advertise,
            self.disk.raft,
            self._removed_from_raft,
            availability,
            self.disk.root,
        )
        self.executor.managing(manager.raft.store)
        manager.scope.on_end(self._disconnect_control)
        return manager

    def _connect_control(self, manager: Manager, dial: float = 0.0) -> Activity[None]:
        """Look whether the manager serves its control socket, and again after a while (initManagerConnection).

        ``dial`` is how long the first look takes, in seconds, where Raft may have started by then.
        """
        yield dial
        while not manager.raft.started:
            yield CONTROL_POLL
        self.control = manager

    def _disconnect_control(self) -> None:
        self.control = None

    def _sample_duration(self, what: str) -> float:
        return self.process.host.profile.samplers[what](self._rng)

    # -- what the managers say

    def _on_session_message(self, node: Node) -> None:
        self.executor.configure(node, self.disk.remotes.addresses(without=self.identity.node_id))
        ready, self._ready = self._ready, []
        for event in ready:
            event.succeed()
        if node.role is self.identity.role:
            return
        self.disk.identity = self.identity._replace(role=node.role)
        if node.role is Role.MANAGER:
            if not self._promoting:
                self._promoting = True
                self.scope.spawn(self._promote())
        else:
            self._stop_manager()

    def _promote(self) -> Activity[None]:
        """A new certificate, then join Raft through any known manager, until it works."""
        yield RENEWAL_PAUSE + self._sample_duration("certificate")
        yield from self.join_raft()
        self._promoting = False

    def join_raft(self, availability: Availability = Availability.ACTIVE, through: str = "") -> Activity[None]:
        """Start a manager and make it a Raft member; tries until it works or the role is taken back.

        A node that joins ``through`` a manager tries once. Raises :class:`RpcError` if that refuses.
        """
        if self._stopping is not None:
            yield self._stopping
        self.disk.raft = RaftDisk()
        manager = self._start_manager(availability)
        connected = manager.scope.spawn(self._connect_control(manager))

        def join(address: str, timeout: float) -> Activity[None]:
            request = JoinRequest(self.identity.node_id, self.process.host.name, self.disk.advertise)
            raft_id, members = yield from ask_once(self.process, address, JOIN, request, timeout)
            manager.raft.join(raft_id, members)
            yield self.scope.clock.first_of((connected, manager.scope.ended))

        if through:
            yield from join(through, JOIN_TIMEOUT)
            return
        while self.manager is manager:
            remote = self.disk.remotes.select(self._rng)
            if remote is not None:
                try:
                    yield from join(remote.addr, JOIN_RETRY)
                    return
                except RpcError:
                    self.disk.remotes.observe(remote, good=False)
            yield JOIN_RETRY * self._rng.random()

    def _removed_from_raft(self) -> None:
        self._stop_manager()
        self.disk.raft = RaftDisk()

    def _stop_manager(self) -> None:
        """The manager stops in order; until it has, its control socket stays the agent's first choice."""
        manager, self.manager = self.manager, None
        if manager is not None:
            self._stopping = manager.stop()

    def stop(self) -> Future[None]:
        """Leave; happens when everything of this node has ended."""
        return self.process.spawn(self._stop())

    def _stop(self) -> Activity[None]:
        if self.agent is not None:
            self.agent.scope.end()
        self._stop_manager()
        if self._stopping is not None:
            yield self._stopping
        self.scope.end()


def init_swarm(process: Process, executor: Executor, advertise: str, availability: Availability) -> Activity[SwarmNode]:
    """A new swarm with this host as its first manager; returns its :class:`SwarmNode`."""
    rng: Random = process.host.rng("node")
    root = create_root(process.ctx.streams.stream("root-ca"), process.clock.now)
    identity = Identity(new_id(rng), new_id(rng), Role.MANAGER)
    node = SwarmNode(process, executor, NodeDisk(identity, root, advertise, Remotes(Peer(identity.node_id, advertise))))
    yield node._sample_duration("cluster_init")
    manager = node._start_manager(availability)
    manager.cluster_id = identity.cluster_id
    # Whether Raft starts before the first look is why `swarm init` takes 0.2 s or half a second more.
    connected = manager.scope.spawn(node._connect_control(manager, dial=node._sample_duration("api")))
    yield sum(node._sample_duration("disk") for _ in range(WAL_SYNCS))
    manager.raft.start_cluster()
    yield connected
    registered = node.wait_registered()
    node._start_agent()
    yield registered
    return node


class JoinError(ModelError):
    """The node could not become part of the swarm."""


def _five_times(attempt: Callable[[], Activity[T]]) -> Activity[T]:
    """The certificate authority is asked five times, two seconds apart (ca/config.go DownloadRootCA, certificates.go
    RequestAndSaveNewCertificates): the manager asked may just have been demoted. Also the last failure waits."""
    failure: ModelError | None = None
    for _ in range(CA_ATTEMPTS):
        try:
            return (yield from attempt())
        except ModelError as error:
            failure = error
        yield CA_RETRY
    assert failure is not None
    raise failure


def join_swarm(
    process: Process,
    executor: Executor,
    advertise: str,
    remote: str,
    digest: bytes,
    token: str,
    availability: Availability,
    adopt: Callable[[SwarmNode], object],
) -> Activity[SwarmNode]:
    """Join through the manager at ``remote``, whose root certificate must have this digest; the node once it is registered.

    ``adopt`` is given the node as soon as it has a certificate. Raises :class:`RpcError` and :class:`JoinError`.
    """

    def download_root() -> Activity[RootCA]:
        request = GetRootCACertificateRequest()
        root = (yield from ask_once(process, remote, GET_ROOT_CA_CERTIFICATE, request, CA_TIMEOUT)).root
        if sha256(root.certificate.encode()).digest() != digest:
            raise JoinError(f"remote CA does not match fingerprint. Expected: {digest.hex()}")
        return root

    def get_certificate() -> Activity[IssueNodeCertificateResponse]:
        request = IssueNodeCertificateRequest(token, availability)
        return (yield from ask_once(process, remote, ISSUE_NODE_CERTIFICATE, request, CA_TIMEOUT))

    root = yield from _five_times(download_root)
    issued = yield from _five_times(get_certificate)
    identity = Identity(issued.node_id, issued.cluster_id, issued.role)
    node = SwarmNode(process, executor, NodeDisk(identity, root, advertise, Remotes(Peer("", remote))))
    adopt(node)
    # A host's first work in a swarm is as cold as its engine's first container.
    yield node._sample_duration("join") * process.host.machine.cold_factor
    registered = node.wait_registered()
    node._start_agent()
    if issued.role is Role.MANAGER:
        try:
            yield from node.join_raft(availability, remote)
        except RpcError as error:
            raise JoinError(f"manager stopped: can't initialize raft node: {error}") from None
    yield registered
    return node
