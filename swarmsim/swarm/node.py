"""A swarm node (moby/swarmkit node/node.go): the agent every node has, and the manager some have.

Lives in the Docker engine's process. What it must find again after a restart is on disk: who it is, which
managers it knows, the Raft log and the agent's tasks. Its role follows what the managers say: a promoted
node gets a manager's certificate and joins Raft, a demoted one stops its manager.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TypeVar

from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import Method, Reply, Request
from swarmsim.sim.net.channel import Channel, ask_once
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.net.tls import ANONYMOUS, Credentials
from swarmsim.sim.quiescence import Subject
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.agent.agent import Agent
from swarmsim.swarm.agent.remotes import Remotes
from swarmsim.swarm.agent.worker import Executor, TaskDisk
from swarmsim.swarm.api.ca import IssueNodeCertificateRequest
from swarmsim.swarm.api.dispatcher import SessionMessage
from swarmsim.swarm.api.raft import JOIN, JoinRequest
from swarmsim.swarm.ca.certificates import (
    Certificate,
    CertificateError,
    RootCA,
    UnknownAuthority,
)
from swarmsim.swarm.ca.client import (
    Question,
    asked,
    current_root,
    five_times,
    signed_certificate,
    unlock_key,
)
from swarmsim.swarm.ca.renewer import Renewer
from swarmsim.swarm.ca.security import SecurityConfig
from swarmsim.swarm.ca.told import note_certificate, note_trust
from swarmsim.swarm.ca.unlockkey import KEK
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.manager.raftdisk import RaftDisk
from swarmsim.swarm.objects import Availability, Cluster, IssuanceState, Role, TLSInfo
from swarmsim.swarm.store import Change
from swarmsim.trace import rows

LOCKED = "node is locked, and needs a valid unlock key"  # node.go ErrInvalidUnlockKey
CERTIFICATE_FILE = "/var/lib/docker/swarm/certificates/swarm-node.crt"
JOIN_TIMEOUT = 10.0  # seconds, raft.go joinCluster: the manager is asked to be made a member
CONTROL_POLL = 0.5  # seconds, node.go initManagerConnection
ROLE_CHANGE_TIMEOUT = 16.0  # seconds, node.go roleChangeTimeout
JOIN_RETRY = 5.0  # seconds between a promoted node's attempts to join Raft

T = TypeVar("T")


class NodeDisk:
    """The swarm directory of one engine."""

    def __init__(self, security: SecurityConfig, advertise: str, remotes: Remotes) -> None:
        self.security = security
        self.advertise = advertise
        self.remotes = remotes
        self.kek = KEK()
        """What the certificate's key is encrypted with, and that of the Raft log."""
        self.raft = RaftDisk()
        self.tasks: TaskDisk = {}

    def copy(self, wall: WallClock) -> NodeDisk:
        """All of it on the disk of a host with this clock; nothing that changes is shared."""
        security = SecurityConfig(wall, self.security.certificate, self.security.root)
        other = NodeDisk(security, self.advertise, Remotes())
        other.remotes.weights = dict(self.remotes.weights)
        other.kek, other.raft, other.tasks = self.kek, self.raft.copy(), dict(self.tasks)
        return other


class SwarmNode(Subject):
    """One node from the start of its engine to its end, or until it leaves."""

    def __init__(self, process: Process, executor: Executor, disk: NodeDisk, unlock_key: bytes = b"") -> None:
        self.process = process
        self._unlock_key = unlock_key
        self.executor = executor
        self.disk = disk
        process.identity = disk.security
        self.scope = process.child("swarm")
        self.manager: Manager | None = None
        self.control: Manager | None = None
        """The manager, as long as there is a connection to its control socket: for the engine, and the agent prefers it."""
        self.agent: Agent | None = None
        self._stopping: Future[None] | None = None
        self.error = ""
        """Why it could not start."""
        self.renewer: Renewer | None = None
        self._desired_role = disk.security.certificate.role
        self._rng: Random = process.host.rng("node")
        self.wall = process.host.wall
        self._ready: list[Future[None]] = []
        self._registered = False
        self._promoting = False

    @property
    def certificate(self) -> Certificate:
        return self.disk.security.certificate

    # -- starting

    def resume(self, *, force_new_cluster: bool = False) -> None:
        """Start from disk, as after a restart of the engine. Manager and agent start side by side:
        which is first decides whether the agent's first session goes to its own manager. With a key that is encrypted otherwise, or a certificate
        that is not valid now, neither starts (node.go loadSecurityConfig): ``error`` says so, and nothing is tried again."""
        self.error = self._why_not(expired_too=force_new_cluster)
        if self.error:
            if not self.locked:
                self.process.ctx.journal.note(rows.SwarmFailed, host=self.process.host.name, error=self.error)
            elif not self._unlock_key:
                self.note_lock(locked=True)
            return
        if self._unlock_key:
            self.note_lock(locked=False)
        if self.certificate.role is Role.MANAGER:
            self.scope.after(self.sample_duration("manager_start"), self._resume_manager, force_new_cluster)
        self.scope.after(self.sample_duration("node_start"), self.start_agent)

    def _why_not(self, *, expired_too: bool) -> str:
        """Why it cannot start from what is on disk; empty if it can. A new cluster may begin with certificates that have expired: the
        renewer sees to it."""
        key = self.disk.kek.key
        if key and key != self._unlock_key:
            return LOCKED
        if expired_too:
            return ""
        security, now = self.disk.security, self.wall.now
        try:
            security.root.load(now)
        except CertificateError as error:
            return str(error)
        try:
            security.certificate.verify(security.root, now)
        except CertificateError as error:
            return f"error while loading TLS certificate in {CERTIFICATE_FILE}: {error}"
        return ""

    @property
    def locked(self) -> bool:
        """Whether it waits for another key than it was given."""
        return self.error == LOCKED

    def note_lock(self, *, locked: bool) -> None:
        """Write down that the manager waits for a key, or no more."""
        self.process.ctx.journal.note(rows.ManagerLocked, host=self.process.host.name, locked=locked)

    def _resume_manager(self, force_new_cluster: bool) -> None:
        manager = self.start_manager()
        manager.raft.restart(force_new_cluster=force_new_cluster)
        manager.scope.spawn(self.connect_control(manager))

    @property
    def ready(self) -> bool:
        """Whether its agent has had a session, and its manager, if it is one, serves its control socket (node.go Ready)."""
        return self._registered and (self.certificate.role is Role.WORKER or self.control is not None)

    def wait_ready(self) -> Future[None]:
        """Happens when it is :attr:`ready`, or looked at just after that."""
        registered = self.wait_registered()

        def wait() -> Activity[None]:
            yield registered
            while not self.ready:
                yield CONTROL_POLL

        return self.scope.spawn(wait())

    def wait_registered(self) -> Future[None]:
        """Happens when the agent has its first session."""
        ready: Future[None] = self.scope.clock.future()
        self._ready.append(ready)
        return ready

    def start_agent(self) -> None:
        """The agent, and what renews the certificate it shows."""
        self.renewer = Renewer(
            self.scope,
            self.process.host.rng("renewals"),
            self.wall,
            lambda: self.certificate,
            self._renew_certificate,
            self._certificate_renewed,
            self._renewal_drawn,
        )
        self.agent = Agent(
            self.process,
            self.scope.child("agent"),
            self.certificate.node_id,
            self.executor,
            self.disk.tasks,
            self.disk.remotes,
            lambda: self.control is not None,
            self._on_session_message,
            lambda: TLSInfo(self.disk.security.root, self.certificate.issuer),
        )

    def ask(self, method: Method[Request, Reply], request: Request, limit: float) -> Activity[Reply]:
        """What any node may ask the managers, through its agent's session. Raises :class:`RpcError` after ``limit`` seconds."""
        if self.agent is None:
            raise RpcError("Unavailable", "the node is not ready")
        return (yield from self.agent.ask(method, request, limit))

    def start_manager(self, availability: Availability = Availability.ACTIVE) -> Manager:
        """A manager that has no part in Raft yet."""
        self.manager = manager = Manager(
            self.process,
            self.scope.child("manager"),
            self.certificate,
            self.disk.advertise,
            self.disk.raft,
            self._removed_from_raft,
            availability,
            self.disk.security.root,
        )
        self.executor.managing(manager.raft.store)
        manager.raft.on_panic = self.executor.panic
        manager.scope.on_end(self._disconnect_control)
        manager.scope.on_end(manager.raft.store.watch_object(self.certificate.cluster_id, self._cluster_changed))
        return manager

    def connect_control(self, manager: Manager, dial: float = 0.0) -> Activity[None]:
        """Look whether the manager serves its control socket, and again after a while (initManagerConnection).

        ``dial`` is how long the first look takes, in seconds, where Raft may have started by then.
        """
        yield dial
        while not manager.raft.started:
            yield CONTROL_POLL
        self.control = manager

    def _disconnect_control(self) -> None:
        self.control = None

    def sample_duration(self, what: str) -> float:
        return self.process.host.profile.samplers[what](self._rng)

    # -- what the managers say

    def _on_session_message(self, message: SessionMessage) -> None:
        node = message.node
        self.executor.set_network_keys(message.network_keys)
        self.executor.configure(node, self.disk.remotes.addresses(without=self.certificate.node_id))
        self._trust(message.root)
        self._registered = True
        ready, self._ready = self._ready, []
        for event in ready:
            event.succeed()
        renewer = self.renewer
        assert renewer is not None
        if node.spec.role is not self._desired_role:
            self._desired_role = renewer.expected_role = node.spec.role
            renewer.request()
        elif node.certificate.state is IssuanceState.ROTATE:
            renewer.request()

    # -- certificates

    def _trust(self, root: RootCA) -> None:
        """Another root is to be trusted: so it is, if it vouches for the own certificate (ca/config.go UpdateRootCA)."""
        if root == self.disk.security.root:
            return
        now = self.wall.now
        try:
            root.load(now)
            self.certificate.verify(root, now)
        except CertificateError:
            return
        self.disk.security.root = root
        note_trust(self.process, root)
        self._tls_changed()

    def _tls_changed(self) -> None:
        if self.agent is not None:
            self.agent.check_description()

    def _renew_certificate(self) -> Activity[Certificate]:
        """The next certificate: from the own manager, then from any (ca/certificates.go RequestAndSaveNewCertificates). Raises
        :class:`RpcError` after five attempts, between which there is no pause, and :class:`CertificateError` if it is not valid here and now.

        A worker that does not know who signed it asks for the root: it may have missed the end of a rotation (ca/config.go updateRootThenUpdateCert).
        """
        yield self.sample_duration("certificate")
        certificate = yield from self._request_certificate()
        try:
            certificate.verify(self.disk.security.root, self.wall.now)
        except UnknownAuthority:
            if certificate.role is Role.MANAGER:
                raise
            yield from self._download_root()
            certificate = yield from self._request_certificate()
            certificate.verify(self.disk.security.root, self.wall.now)
        kek = KEK()  # a worker's key is never encrypted, not even one that was a manager's
        if certificate.role is Role.MANAGER:
            shown = SecurityConfig(self.wall, certificate, self.disk.security.root)
            latest = yield from five_times(partial(self._ask, unlock_key, shown), 0.0)
            kek = self.disk.kek.replaced_by(latest)
        self.encrypt(kek)
        return certificate

    def _renew_now(self) -> Activity[None]:
        """Another certificate beside the usual ones; if there is none, never mind (manager.go updateKEK)."""
        try:
            certificate = yield from self._renew_certificate()
        except (RpcError, CertificateError):
            return
        self._certificate_renewed(certificate)

    def _download_root(self) -> Activity[None]:
        """Trust what a manager says is the root, if it vouches for the certificate there is."""
        root = yield from self._ask_another(current_root, ANONYMOUS)
        self._trust(root)

    def _request_certificate(self) -> Activity[Certificate]:
        request = IssueNodeCertificateRequest(shown=self.certificate)
        question = partial(signed_certificate, request=request, rng=self._rng)
        return (yield from five_times(partial(self._ask, question, self.disk.security), 0.0))

    def _ask(self, question: Question[T], identity: Credentials, first: bool) -> Activity[T]:
        """Ask the own manager the first time, if it serves, and any other time another."""
        if self.control is not None and first:
            return (yield from question(self.control.local))
        return (yield from self._ask_another(question, identity))

    def _ask_another(self, question: Question[T], identity: Credentials) -> Activity[T]:
        """Ask some manager that is known, and remember what came of it (connectionbroker's Conn.Close): one that does not answer is chosen less
        often. Raises :class:`RpcError`, also if none is known."""
        remotes = self.disk.remotes
        remote = remotes.select(self._rng)
        if remote is None:
            raise RpcError("Unavailable", "no remote managers are known")
        try:
            answer = yield from asked(Channel(self.process, self.scope, remote.addr, identity=identity), question)
        except RpcError:
            remotes.observe(remote, good=False)
            raise
        remotes.observe(remote, good=True)
        return answer

    def _cluster_changed(self, change: Change) -> None:
        """Managers follow the swarm's key. What lay readable on the disk until now is replaced: the certificate with its key at once, the log
        by a snapshot."""
        if change.action == "delete":
            return
        cluster: Cluster = change.obj
        lay_open = not self.disk.kek.key
        self.encrypt(self.disk.kek.replaced_by(cluster.kek))
        if lay_open and self.disk.kek.key and self.manager is not None:
            self.manager.raft.rotate_data_key()
            self.manager.scope.spawn(self._renew_now())

    def encrypt(self, kek: KEK) -> None:
        """From now on the keys on the disk are encrypted with this one."""
        before, self.disk.kek = self.disk.kek, kek
        if kek.key != before.key:
            self.process.ctx.journal.note(rows.KeysEncrypted, host=self.process.host.name, locked=bool(kek.key))

    def note_certificate(self) -> None:
        """It has its first certificate, and the first root that it trusts."""
        note_certificate(self.process, self.certificate, rows.CertificateIssued)
        note_trust(self.process, self.disk.security.root)

    def _renewal_drawn(self, at: float) -> None:
        self.process.ctx.journal.note(rows.RenewalDrawn, host=self.process.host.name, at=round(at, 3))

    def _certificate_renewed(self, certificate: Certificate) -> None:
        before, self.disk.security.certificate = self.certificate, certificate
        note_certificate(self.process, certificate)
        self._tls_changed()
        if certificate.role is before.role:
            return
        if certificate.role is Role.MANAGER:
            if not self._promoting:
                self._promoting = True
                self.scope.spawn(self._promote())
        else:
            self._stop_manager()

    def _promote(self) -> Activity[None]:
        """Join Raft through any known manager, until it works."""
        yield from self.join_raft()
        self._promoting = False

    def join_raft(self, availability: Availability = Availability.ACTIVE, through: str = "") -> Activity[None]:
        """Start a manager and make it a Raft member; tries until it works or the role is taken back.

        A node that joins ``through`` a manager tries once. Raises :class:`RpcError` if that refuses.
        """
        if self._stopping is not None:
            yield self._stopping
        self.disk.raft = RaftDisk()
        manager = self.start_manager(availability)
        connected = manager.scope.spawn(self.connect_control(manager))

        def join(address: str, timeout: float) -> Activity[None]:
            request = JoinRequest(self.certificate.node_id, self.process.host.name, self.disk.advertise)
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
        self.scope.spawn(self._await_other_role(self.certificate))

    def _await_other_role(self, shown: Certificate) -> Activity[None]:
        """Who is no member any more will soon be a worker. If not, the node asks whether it is, and if it is still to be a manager it joins
        again: a new cluster may have begun without it (node.go superviseManager)."""
        yield ROLE_CHANGE_TIMEOUT
        if self.certificate is not shown or self.manager is not None or self.renewer is None:
            return
        self.renewer.request()
        yield ROLE_CHANGE_TIMEOUT
        if self.certificate.role is Role.MANAGER and self.manager is None and not self._promoting:
            self._promoting = True
            yield from self._promote()

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
        self.process.identity = ANONYMOUS
