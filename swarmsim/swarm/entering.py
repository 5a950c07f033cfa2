"""How a host becomes a node (moby/swarmkit node/node.go loadSecurityConfig): as the first of a new swarm, or by joining one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar

from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.net.tls import ANONYMOUS, Credentials
from swarmsim.sim.streams import new_id
from swarmsim.swarm.agent.remotes import Remotes
from swarmsim.swarm.agent.worker import Executor
from swarmsim.swarm.api.ca import IssueNodeCertificateRequest
from swarmsim.swarm.api.dispatcher import Peer
from swarmsim.swarm.ca.certificates import CertificateError, create_root, issue
from swarmsim.swarm.ca.client import (
    RETRY,
    JoinError,
    Question,
    asked,
    download_root,
    five_times,
    signed_certificate,
    unlock_key,
)
from swarmsim.swarm.ca.security import Newcomer, SecurityConfig
from swarmsim.swarm.ca.told import note_root
from swarmsim.swarm.ca.unlockkey import KEK, new_key
from swarmsim.swarm.node import NodeDisk, SwarmNode
from swarmsim.swarm.objects import AddressPools, Availability, Role

WAL_SYNCS = 3  # etcd wal.Create: the directory, the first record, an empty snapshot

T = TypeVar("T")


def init_swarm(
    process: Process,
    executor: Executor,
    advertise: str,
    availability: Availability,
    pools: AddressPools,
    *,
    autolock: bool = False,
) -> Activity[SwarmNode]:
    """A new swarm with this host as its first manager; returns its :class:`SwarmNode`. Its networks get their subnets out of
    ``pools``."""
    rng: Random = process.host.rng("node")
    root = create_root(process.ctx.streams.stream("root-ca"), process.host.wall.now)
    certificate = issue(
        process.host.rng("certificates"),
        process.host.wall.now,
        issuer=root,
        node_id=new_id(rng),
        cluster_id=new_id(rng),
        role=Role.MANAGER,
    )
    remotes = Remotes(Peer(certificate.node_id, advertise))
    node = SwarmNode(
        process, executor, NodeDisk(SecurityConfig(process.host.wall, certificate, root), advertise, remotes)
    )
    note_root(process, root)
    node.note_certificate()
    yield node.sample_duration("cluster_init")
    manager = node.start_manager(availability)
    manager.cluster_id = certificate.cluster_id
    manager.address_pools = pools
    if autolock:
        manager.unlock_key = new_key(rng)
        node.encrypt(KEK(0, manager.unlock_key))
    # Whether Raft starts before the first look is why `swarm init` takes 0.2 s or half a second more.
    connected = manager.scope.spawn(node.connect_control(manager, dial=node.sample_duration("api")))
    yield sum(node.sample_duration("disk") for _ in range(WAL_SYNCS))
    manager.raft.start_cluster()
    yield connected
    registered = node.wait_registered()
    node.start_agent()
    yield registered
    return node


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
    wall, rng = process.host.wall, process.host.rng("node")

    def ask(question: Question[T], identity: Credentials) -> Activity[T]:
        channel = partial(Channel, process, process, remote, identity=identity)
        return (yield from five_times(lambda _: asked(channel(), question), RETRY))

    root = yield from ask(partial(download_root, digest=digest, wall=wall), ANONYMOUS)
    request = IssueNodeCertificateRequest(token, availability)
    certificate = yield from ask(partial(signed_certificate, request=request, rng=rng), Newcomer(wall, root))
    try:
        certificate.verify(root, wall.now)
    except CertificateError as error:
        raise JoinError(str(error)) from None
    security = SecurityConfig(wall, certificate, root)
    kek = KEK()
    if certificate.role is Role.MANAGER:
        kek = yield from ask(unlock_key, security)
    node = SwarmNode(process, executor, NodeDisk(security, advertise, Remotes(Peer("", remote))))
    node.encrypt(kek)
    node.note_certificate()
    adopt(node)
    # A host's first work in a swarm is as cold as its engine's first container.
    yield node.sample_duration("join") * process.host.machine.cold_factor
    registered = node.wait_registered()
    node.start_agent()
    if certificate.role is Role.MANAGER:
        try:
            yield from node.join_raft(availability, remote)
        except RpcError as error:
            raise JoinError(f"manager stopped: can't initialize raft node: {error}") from None
    yield registered
    return node
