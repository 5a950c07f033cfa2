"""Calls about the swarm as a whole and about being in it (moby api/server/router/swarm, daemon/cluster/swarm.go)."""

from __future__ import annotations

import re

from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.http import ApiError
from swarmsim.engine import present, texts
from swarmsim.engine.calls import refused
from swarmsim.engine.convert import cluster_spec
from swarmsim.engine.gossip import leave_duration, others_in_gossip
from swarmsim.engine.joining import Joining
from swarmsim.engine.lookups import Lookups
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.api import control
from swarmsim.swarm.api.ca import GET_UNLOCK_KEY, GetUnlockKeyRequest
from swarmsim.swarm.ca import unlockkey
from swarmsim.swarm.entering import init_swarm, join_swarm
from swarmsim.swarm.node import NodeDisk, SwarmNode
from swarmsim.swarm.objects import AddressPools, Availability, Role
from swarmsim.trace import rows

CONNECT_TIMEOUT = 20.0  # seconds, swarmConnectTimeout
STATS_TIMEOUT = 5.0  # seconds, managerStats
SWARM_PORT = 2377
DEFAULT_SUBNET_SIZE, MAX_SUBNET_SIZE = 24, 29  # bits, daemon/cluster/swarm.go

TOKEN = re.compile(r"SWMTKN-(?:1|2-(?P<fips>[01]))-(?P<digest>[0-9A-Za-z]{50})-(?P<secret>[^-]{25})")
"""swarmkit ca/config.go ParseJoinToken"""


class SwarmCalls(Lookups):
    def swarm_init(self, request: api.InitRequest) -> Activity[str]:
        """Returns the node's id."""
        yield from self._request()
        if request.force_new_cluster and self.engine.node is not None:
            node = yield from self._force_new_cluster(self.engine.node, request)
        else:
            address, available = self._entering(request)
            process, pools = self.engine.process, _address_pools(request)
            node = yield from init_swarm(process, self.engine, address, available, pools, autolock=request.autolock)
            self._adopt(node)
        if request.force_new_cluster or request.autolock or request.spec != api.SwarmSpec():
            cluster = yield from self._cluster()
            wanted = cluster_spec(request.spec, cluster.spec)
            update = control.UpdateClusterRequest(cluster.meta.version, wanted)
            yield from self._control(control.UPDATE_CLUSTER, update)
        return node.certificate.node_id

    def _force_new_cluster(self, node: SwarmNode, request: api.InitRequest) -> Activity[SwarmNode]:
        """Start a manager anew as the only one, from what it has on disk. Raises :class:`ApiError`."""
        if node.manager is None:
            raise texts.NOT_A_MANAGER.refusal()
        node.disk.advertise = self._own_address(request.advertise_addr or request.listen_addr)
        yield node.stop()
        self.engine.node = None
        gossip = self.engine.end_gossip()
        if gossip is not None:
            gossip.leave()
        self.engine.stop_task_containers()
        node = SwarmNode(self.engine.process, self.engine, node.disk)
        ready = node.wait_ready()
        node.resume(force_new_cluster=True)
        if node.locked:
            # The key is not asked for: the engine is in no swarm any more, until it is restarted.
            raise texts.SWARM_LOCKED.refusal()
        self._adopt(node)
        yield ready
        return node

    def _entering(self, request: api.InitRequest | api.JoinRequest) -> tuple[str, Availability]:
        """Where the others will find this engine, and what it is there for. Raises :class:`ApiError`, also if it is in a swarm."""
        if self.engine.node is not None or self.engine.joining is not None:
            raise texts.SWARM_EXISTS.refusal()
        left: NodeDisk | None = self.host.disk.get("swarm")
        if left is not None and left.kek.key:
            # What a failed attempt at a new cluster left on disk cannot be read; it is cleared away.
            del self.host.disk["swarm"]
            raise texts.SWARM_LOCKED.refusal()
        address = self._own_address(request.advertise_addr or request.listen_addr)
        return address, _availability(request.availability)

    def swarm_join(self, request: api.JoinRequest) -> Activity[None]:
        yield from self._request()
        address, available = self._entering(request)
        token = request.token
        parts = TOKEN.fullmatch(token)
        if parts is None:
            raise texts.BAD_TOKEN.refusal()
        if parts["fips"] == "1":
            raise texts.FIPS_TOKEN.refusal()
        remote = self._target(request.remotes[0])
        process, digest = self.engine.process, _digest_of(parts["digest"])
        attempt = join_swarm(process, self.engine, address, remote, digest, token, available, self._adopt)
        joining = self.engine.joining = Joining(process, remote, attempt, self._joined)
        yield self.host.clock.first_of((joining.ended, self.host.clock.timeout(CONNECT_TIMEOUT)))
        if not joining.ended.triggered:
            raise texts.JOIN_TIMEOUT.refusal()
        if not joining.done.ok:
            self.engine.joining = None
            error = joining.done._value
            if isinstance(error, RpcError) and not error.broken:
                raise refused(error)
            raise ApiError(503, str(error))

    def _joined(self, node: SwarmNode | None) -> None:
        if node is not None:
            self.engine.joining = None
        elif self.engine.node is not None:
            self.engine.node.stop()
            self._forget()

    def swarm_leave(self, force: bool) -> Activity[None]:
        yield from self._request()
        node, joining = self.engine.node, self.engine.joining
        if joining is not None:
            joining.give_up()
            self.engine.joining = None
        if node is None:
            if joining is None:
                raise texts.NO_SWARM.refusal()
            return
        if node.locked and not force:
            raise texts.LEAVING_LOCKED.refusal()
        if node.certificate.role is Role.MANAGER and joining is None and not force:
            yield from self._refuse_to_leave(node)
        yield node.stop()
        if node.error:
            # A node that did not start has no id here by which its containers would be found.
            if node.locked:
                node.note_lock(locked=False)
            self._forget()
            return
        farewell = self._say_farewell()
        self._forget()
        for task_id, container in list(self.engine.task_containers.items()):
            container.signal("SIGKILL")
            yield self.engine.sample_duration("container_stop")
            self.engine.remove_container(container, task_id)
        yield farewell
        yield self.engine.sample_duration("ingress_remove")

    def _say_farewell(self) -> Future[None]:
        """The node leaves the gossip; happens when it has said so."""
        clock, gossip = self.host.clock, self.engine.end_gossip()
        if gossip is None:
            return clock.timeout(leave_duration(others_in_gossip(self.host), self.host.rng("gossip")))
        said: Future[None] = clock.future()
        gossip.leave(said.succeed)
        return said

    def _refuse_to_leave(self, node: SwarmNode) -> Activity[None]:
        message = texts.LEAVING_MANAGER.words
        if node.control is None:
            message += texts.LOSES_CONSENSUS.words
        else:
            try:
                answer = yield from node.control.call(control.LIST_NODES, control.ListNodesRequest(), STATS_TIMEOUT)
                views = answer.nodes
            except RpcError:
                views = []
            statuses = [view.manager.reachability for view in views if view.manager is not None]
            reachable = statuses.count("reachable")
            unreachable = len(statuses) - reachable
            if statuses and reachable - 2 <= unreachable:
                if reachable == 1 and unreachable == 0:
                    raise ApiError(503, message + texts.LAST_MANAGER.words)
                message += texts.LEAVES_MANAGERS.fill(left=reachable - 1, all=reachable + unreachable)
        raise ApiError(503, message + texts.NO_OTHER_WAY.words)

    def swarm_inspect(self) -> Activity[api.Swarm]:
        yield from self._request()
        cluster = yield from self._cluster()
        return present.swarm(cluster)

    def swarm_update(
        self, version: int, given: api.SwarmSpec, rotate_worker: bool, rotate_manager: bool, rotate_key: bool = False
    ) -> Activity[None]:
        yield from self._request()
        cluster = yield from self._cluster()
        request = control.UpdateClusterRequest(
            version,
            cluster_spec(given, cluster.spec),
            rotate_worker,
            rotate_manager,
            rotate_key,
            given.ca.signing_ca_cert,
            given.ca.signing_ca_key,
        )
        yield from self._control(control.UPDATE_CLUSTER, request)

    def swarm_unlock_key(self) -> Activity[api.UnlockKeyResponse]:
        yield from self._request()
        kek = yield from self._control(GET_UNLOCK_KEY, GetUnlockKeyRequest())
        return api.UnlockKeyResponse(key=unlockkey.shown(kek.key) if kek.key else "")

    def swarm_unlock(self, request: api.UnlockRequest) -> Activity[None]:
        """Start the locked manager anew with a key. Answers when it is in the swarm again, however long that takes."""
        yield from self._request()
        node = self.engine.node
        if node is None or not node.locked:
            self._manager()
            raise texts.NOT_LOCKED.refusal()
        try:
            key = unlockkey.parsed(request.key)
        except ValueError:
            raise texts.BAD_UNLOCK_KEY.refusal() from None
        yield node.stop()
        node = SwarmNode(self.engine.process, self.engine, node.disk, key)
        self._adopt(node)
        ready = node.wait_ready()
        node.resume()
        if node.locked:
            raise texts.WRONG_UNLOCK_KEY.refusal()
        if node.error:
            raise texts.NOT_STARTED.refusal(error=node.error)
        yield ready

    def _adopt(self, node: SwarmNode) -> None:
        self.engine.node = node
        self.host.disk["swarm"] = node.disk
        self.host.clock.quiescence.invalidate(SwarmNode)

    def _forget(self) -> None:
        self.engine.node = None
        self.engine.overlays.clear()
        self.host.disk.pop("swarm", None)
        self.host.ctx.journal.note(rows.SwarmLeft, host=self.host.name)

    def _own_address(self, given: str) -> str:
        address, port = _split(given or self.host.address)
        if address in ("0.0.0.0", ""):
            address = self.host.address
        numeric = all(part.isdigit() for part in address.split("."))
        if address != self.host.address and not _is_interface(address) and not numeric:
            raise ApiError(
                400, "advertise address must be a non-zero IP address or network interface (with optional port number)"
            )
        if _is_interface(address):
            address = self.host.address
        return f"{address}:{port or SWARM_PORT}"

    def _target(self, given: str) -> str:
        """Address and port that ``given`` means, which may be a host's name and lack the port."""
        address, port = _split(given)
        named = self.host.ctx.hosts.get(address)
        return f"{named.address if named is not None else address}:{port or SWARM_PORT}"


def _address_pools(request: api.InitRequest) -> AddressPools:
    """Where networks get their subnets from (daemon/cluster/swarm.go validateDefaultAddrPool). Raises :class:`ApiError`."""
    size = request.subnet_size or DEFAULT_SUBNET_SIZE
    if not request.address_pool:
        return AddressPools(subnet_size=size)
    if size > MAX_SUBNET_SIZE:
        raise texts.SUBNET_SIZE.refusal(size=size)
    for pool in request.address_pool:
        if int(pool.partition("/")[2]) > size:
            raise texts.SUBNET_TOO_BIG.refusal(pool=pool, size=size)
    return AddressPools(tuple(request.address_pool), size)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port) if port.isdigit() else 0


def _is_interface(name: str) -> bool:
    return name.startswith(("eth", "enp", "ens"))


def _digest_of(digits: str) -> bytes:
    return int(digits, 36).to_bytes(33, "big")[-32:]


def _availability(text: str) -> Availability:
    """Active if nothing is said (daemon/cluster/noderunner.go)."""
    if not text:
        return Availability.ACTIVE
    try:
        return Availability(text.lower())
    except ValueError:
        raise ApiError(400, f'invalid Availability: "{text}"') from None
