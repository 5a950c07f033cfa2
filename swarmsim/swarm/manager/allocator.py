"""The allocator (manager/allocator/): subnets, addresses, published ports; and lets new tasks go on.

A task is NEW until what it needs of the network is allocated, then PENDING. Published ports without a number come
from 30000..32767 (allocator/portallocator.go). Each network has a subnet of the default pool, each service a virtual
IP on each of its networks (unless its endpoint mode is dnsrr), each task an address, the ingress network included
if it publishes ports there. So has each node, for its load balancer: on the ingress network from the start, on others
as long as its tasks are on them. Addresses and the numbers of overlays are given in turn, so that one that was freed
is not used again at once; a new leader begins again with the lowest that is free.

What there is no room for waits, without a word, until something is freed that might make room: a network whose subnet
overlaps another's, or that the swarm's pools have no subnet for; a service without a virtual IP, and its tasks with it; a task
without an address. A node that gets no address for its load balancer is tried again when a task of it changes; its tasks
fail meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import chain
from typing import NamedTuple

from swarmsim.apitypes.specs import PortConfig, replace
from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.addresses import AddressPool, IPv4, SubnetPool
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.objects import Attachment, Cluster, Network, Node, Pool, Service, Task, TaskStatus
from swarmsim.swarm.states import PENDING_MESSAGE, TaskState, Who
from swarmsim.swarm.store import Change, MemoryStore, Transaction

DYNAMIC_PORT_START, DYNAMIC_PORT_END = 30000, 32767
DEFAULT_POOLS = ("10.0.0.0/8",)  # libnetwork ipamutils/utils.go
FIRST_VXLAN, END_VXLAN = 4096, 1 << 24  # ovmanager.go: numbers below are not for overlays
VXLAN_IDS = "com.docker.network.driver.overlay.vxlanid_list"
"""The option of an overlay that says which numbers it is to have."""


def ports_in_use(store: MemoryStore, except_service: str) -> set[tuple[str, int]]:
    """(protocol, published port) of every ingress port of other services."""
    return {
        (port.protocol, port.published_port)
        for service in store.table(Service).values()
        if service.id != except_service
        for port in service.ports
        if port.publish_mode == "ingress"
    }


def allocate_ports(
    wanted: list[PortConfig], used: set[tuple[str, int]], old: tuple[PortConfig, ...]
) -> tuple[PortConfig, ...]:
    """Give every ingress port without a number one: its old one if it had one, else the lowest free."""
    used = set(used)
    result = []
    for port in wanted:
        if port.published_port == 0 and port.publish_mode == "ingress":
            kept = next(
                (o.published_port for o in old if (o.target_port, o.protocol) == (port.target_port, port.protocol)), 0
            )
            number = kept or next(
                n for n in range(DYNAMIC_PORT_START, DYNAMIC_PORT_END + 1) if (port.protocol, n) not in used
            )
            port = replace(port, published_port=number)
        used.add((port.protocol, port.published_port))
        result.append(port)
    return tuple(result)


def _is_dead(task: Task) -> bool:
    """Whether the task no longer needs its addresses (allocator/network.go taskDead)."""
    return task.desired_state > TaskState.COMPLETE and task.status.state > TaskState.RUNNING


def _publishes(ports: Iterable[PortConfig]) -> bool:
    return any(port.publish_mode == "ingress" for port in ports)


class Wanted(NamedTuple):
    """A network to be on, and at which address, if that is not free to choose."""

    network_id: str
    address: str = ""


class Allocator:
    """Lives as long as its manager leads; what is given out is rebuilt from the store."""

    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        self._pools: dict[str, list[AddressPool]] = {}
        """Of each network."""
        self._subnets: SubnetPool | None = None
        self._waiting: dict[str, None] = {}
        """Tasks that stay NEW."""
        self._unallocated: dict[str, None] = {}
        """Networks there is no room for."""
        self._homeless: dict[str, None] = {}
        """Services without all of their virtual IPs."""
        self._lacking: dict[str, None] = {}
        """Nodes without a place that they should have."""
        self._freed = False
        """Whether what waits may find room now."""
        self._last_vxlan = FIRST_VXLAN - 1
        for network in store.table(Network).values():
            if network.pools:
                self._pools[network.id] = [AddressPool(pool) for pool in network.pools]
        for service in store.table(Service).values():
            self._keep(service.virtual_ips)
        for task in store.table(Task).values():
            if not _is_dead(task):
                self._keep(task.networks)
        for node in store.table(Node).values():
            self._keep(node.attachments)
        networks, services = list(store.table(Network)), list(store.table(Service))
        tasks = [task.id for task in store.table(Task).values() if task.status.state is TaskState.NEW]
        CommitLoop(scope, store, self._on_commit, self._allocate(networks, services, tasks, list(store.table(Node))))

    def _keep(self, attachments: Iterable[Attachment]) -> None:
        for attachment in attachments:
            for pool in self._pools.get(attachment.network_id, ()):
                if attachment.address and pool.has(attachment.address):
                    pool.keep(attachment.address)

    def _give_back(self, attachments: Iterable[Attachment]) -> None:
        for attachment in attachments:
            for pool in self._pools.get(attachment.network_id, ()):
                if attachment.address and pool.has(attachment.address):
                    pool.free(attachment.address)

    def _free(self, attachments: Iterable[Attachment]) -> None:
        """Give back what somebody had: who waits may get it."""
        self._give_back(attachments)
        self._freed = True

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        networks: list[str] = []
        services: list[str] = []
        tasks: list[str] = []
        nodes: dict[str, None] = {}
        for action, obj, old in changes:
            kind = type(obj)
            if kind is Task:
                if obj.networks and obj.node_id and (self._moved(obj, old) or obj.node_id in self._lacking):
                    nodes[obj.node_id] = None
                if action == "delete":
                    if obj.networks and not _is_dead(obj):
                        self._free(obj.networks)
                    self._waiting.pop(obj.id, None)
                elif obj.status.state is TaskState.NEW:
                    tasks.append(obj.id)
                elif obj.networks and _is_dead(obj) and not _is_dead(old):
                    self._free(obj.networks)
            elif kind is Service:
                if action == "delete":
                    if obj.virtual_ips:
                        self._free(obj.virtual_ips)
                    self._homeless.pop(obj.id, None)
                elif self._needs_ports(obj) or self._needs_addresses(obj):
                    services.append(obj.id)
            elif kind is Network:
                if action == "delete":
                    self._pools.pop(obj.id, None)
                    self._unallocated.pop(obj.id, None)
                    self._freed = True
                    nodes.update((node.id, None) for node in self.store.table(Node).values() if node.attachments)
                elif not obj.pools:
                    networks.append(obj.id)
                elif obj.spec.ingress and action == "update" and not old.pools:
                    nodes.update(dict.fromkeys(self.store.table(Node)))
            elif kind is Node:
                if action == "delete":
                    self._free(obj.attachments)
                    self._lacking.pop(obj.id, None)
                elif action == "create":
                    nodes[obj.id] = None
        waiting = self._freed and bool(self._unallocated or self._homeless or self._waiting)
        if not (networks or services or tasks or nodes or waiting):
            return None
        return self._allocate(networks, services, tasks, list(nodes))

    def _moved(self, task: Task, old: Task | None) -> bool:
        """Whether a task has come to its node, or is over there. One of a global service is there from the start, and gets its
        networks later."""
        over = task.status.state > TaskState.RUNNING
        return (
            old is None
            or task is old
            or task.node_id != old.node_id
            or not old.networks
            or over != (old.status.state > TaskState.RUNNING)
        )

    def _needs_ports(self, service: Service) -> bool:
        wanted = service.spec.endpoint.ports if service.spec.endpoint else None
        return [(p.target_port, p.protocol, p.publish_mode) for p in wanted or ()] != [
            (p.target_port, p.protocol, p.publish_mode) for p in service.ports
        ] or any(
            p.published_port and p.published_port != q.published_port
            for p, q in zip(wanted or (), service.ports, strict=False)
        )

    def _wanted_networks(self, service: Service, ports: tuple[PortConfig, ...]) -> list[Network]:
        """The networks its tasks are on, each once; the ingress network first."""
        targets = dict.fromkeys(each.target for each in service.spec.task.networks or ())
        wanted = [self.store.get(Network, target) for target in targets]
        if _publishes(ports):
            wanted = [next((n for n in self.store.table(Network).values() if n.spec.ingress), None), *wanted]
        return [network for network in wanted if network is not None]

    def _needs_addresses(self, service: Service) -> bool:
        return [vip.network_id for vip in service.virtual_ips] != self._wanted_vips(service, service.ports)

    def _wanted_vips(self, service: Service, ports: tuple[PortConfig, ...]) -> list[str]:
        if service.spec.endpoint is not None and service.spec.endpoint.mode == "dnsrr":
            return []
        return [network.id for network in self._wanted_networks(service, ports)]

    def _allocate(self, networks: list[str], services: list[str], tasks: list[str], nodes: list[str]) -> Activity[None]:
        if self._freed:
            networks += [id for id in self._unallocated if id not in networks]
        if networks:
            yield self.store.batch([partial(self._allocate_network, id) for id in networks])
        if self._freed:
            services += [id for id in self._homeless if id not in services]
            tasks += [id for id in self._waiting if id not in tasks]
            self._freed = False
        steps: list[Callable[[Transaction], None]] = [partial(self._allocate_service, id) for id in services]
        steps += [partial(self._allocate_task, id) for id in tasks]
        steps += [partial(self._allocate_node, id) for id in nodes]
        if steps:
            yield self.store.batch(steps)

    def _allocate_network(self, id: str, tx: Transaction) -> None:
        network = tx.get(Network, id)
        if network is None or network.pools:
            return
        taken = [IPv4(pool.subnet, strict=False) for other in tx.all(Network) for pool in other.pools]
        wanted = network.spec.pools or (self._subnet(tx, taken),)
        if None in wanted or any(IPv4(p.subnet, strict=False).overlaps(t) for p in wanted if p for t in taken):
            self._unallocated[id] = None
            return
        if id in self._unallocated:
            del self._unallocated[id]
            self._freed = True  # for what waits for it
        pools = [pool for pool in wanted if pool is not None]
        self._pools[id] = [AddressPool(pool) for pool in pools]
        chosen = tuple(
            replace(pool, gateway=addresses.gateway) for pool, addresses in zip(pools, self._pools[id], strict=True)
        )
        tx.update(replace(network, pools=chosen, vxlan_ids=self._vxlan_ids(tx, network.spec.options, len(pools))))

    def _subnet(self, tx: Transaction, taken: list[IPv4]) -> Pool | None:
        """The next of the swarm's own pools; ``None`` if they are used up."""
        if self._subnets is None:
            cluster = next(tx.all(Cluster), None)
            assert cluster is not None, "there is a cluster before there are networks"
            self._subnets = SubnetPool(cluster.address_pools or DEFAULT_POOLS, cluster.subnet_size)
        subnet = self._subnets.take(taken)
        return None if subnet is None else Pool(str(subnet))

    def _vxlan_ids(self, tx: Transaction, options: dict[str, str] | None, count: int) -> tuple[int, ...]:
        """Those it is to have, then the next free ones after the last one given (ovmanager.go obtainVxlanID)."""
        asked = (options or {}).get(VXLAN_IDS, "")
        chosen = [int(number) for number in asked.split(",") if number.strip().isdigit()][:count]
        used = {number for network in tx.all(Network) for number in network.vxlan_ids}
        while len(chosen) < count:
            after, before = range(self._last_vxlan + 1, END_VXLAN), range(FIRST_VXLAN, self._last_vxlan + 1)
            self._last_vxlan = next(number for number in chain(after, before) if number not in used)
            chosen.append(self._last_vxlan)
        return tuple(chosen)

    def _allocate_service(self, id: str, tx: Transaction) -> None:
        service = tx.get(Service, id)
        if service is None:
            return
        if any(network.id in self._unallocated for network in self._wanted_networks(service, ())):
            self._homeless[id] = None
            return
        ports = service.ports
        if self._needs_ports(service):
            wanted = (service.spec.endpoint.ports if service.spec.endpoint else None) or []
            ports = allocate_ports(wanted, ports_in_use(self.store, id), ports)
        wanted_vips = self._wanted_vips(service, ports)
        vips = self._places(service.virtual_ips, [Wanted(network) for network in wanted_vips])
        if not all(vip.address for vip in vips):
            self._give_back(vip for vip in vips if vip not in service.virtual_ips)
            self._homeless[id] = None
            return
        self._homeless.pop(id, None)
        if (ports, vips) != (service.ports, service.virtual_ips):
            tx.update(replace(service, ports=ports, virtual_ips=vips))

    def _places(self, old: tuple[Attachment, ...], wanted: Collection[Wanted]) -> tuple[Attachment, ...]:
        """A place on each of the wanted networks; those there were are kept, or freed."""
        networks = [each.network_id for each in wanted]
        kept = {each.network_id: each for each in old if each.network_id in networks}
        gone = [each for each in old if each.network_id not in networks]
        if gone:
            self._free(gone)
        return tuple(kept.get(each.network_id) or self._attach(each) for each in wanted)

    def _attach(self, wanted: Wanted) -> Attachment:
        """A place on the network; without an address if that is taken, or none is left."""
        network = self.store.get(Network, wanted.network_id)
        name, driver = (network.name, network.spec.driver) if network is not None else ("", "")
        taken = (pool.take(wanted.address) for pool in self._pools.get(wanted.network_id, ()))
        address = next((each for each in taken if each is not None), "")
        return Attachment(wanted.network_id, name, driver, address, network)

    def _allocate_node(self, id: str, tx: Transaction) -> None:
        """The node's places: on the overlays its tasks are on, then on the ingress network (getNodeNetworks)."""
        node = tx.get(Node, id)
        if node is None:
            return
        wanted = {
            each.network_id: None
            for task in self.store.tasks_on_node(id)
            if task.status.state <= TaskState.RUNNING
            for each in task.networks
            if each.driver == "overlay"
        }
        wanted.update((n.id, None) for n in tx.all(Network) if n.spec.ingress and n.pools)
        places = self._places(node.attachments, [Wanted(network) for network in wanted])
        attachments = tuple(each for each in places if each.address)
        if len(attachments) < len(places):
            self._lacking[id] = None
        else:
            self._lacking.pop(id, None)
        if attachments != node.attachments:
            tx.update(replace(node, attachments=attachments))

    def _allocate_task(self, id: str, tx: Transaction) -> None:
        task = tx.get(Task, id)
        if task is None or task.status.state is not TaskState.NEW:
            self._waiting.pop(id, None)
            return
        service = tx.get(Service, task.service_id)
        ports = service.ports if service else task.ports
        vips = service.virtual_ips if service is not None else ()
        networks = tuple(map(self._attach, self._wanted_of(task, service, ports)))
        if task.service_id in self._homeless or not all(attachment.address for attachment in networks):
            self._give_back(networks)
            self._waiting[id] = None
            return
        self._waiting.pop(id, None)
        status = TaskStatus(TaskState.PENDING, self.store.wall.now, PENDING_MESSAGE)
        tx.update(replace(task, status=status, ports=ports, networks=networks, virtual_ips=vips), Who.ALLOCATOR)

    def _wanted_of(self, task: Task, service: Service | None, ports: tuple[PortConfig, ...]) -> list[Wanted]:
        """Where a task is to be: on its service's networks; one that is a container's place, on that one."""
        if service is not None:
            if not (service.spec.task.networks or ports):
                return []
            return [Wanted(network.id) for network in self._wanted_networks(service, ports)]
        if task.service_id:
            return []
        return [Wanted(each.target, task.wanted_address) for each in task.spec.networks or ()]
