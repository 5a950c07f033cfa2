"""The allocator (manager/allocator/): subnets, addresses, published ports; and lets new tasks go on.

A task is NEW until what it needs of the network is allocated, then PENDING. Published ports without a number come
from 30000..32767 (allocator/portallocator.go). Each network has a subnet of the default pool, each service a virtual
IP on each of its networks (unless its endpoint mode is dnsrr), each task an address, the ingress network included
if it publishes ports there. So has each node, for its load balancer: on the ingress network from the start, on others
as long as its tasks are on them. Addresses and the numbers of overlays are given in turn, so that one that was freed
is not used again at once; a new leader begins again with the lowest that is free.

A network whose subnet overlaps another's is not allocated until that is gone; what needs it waits.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import chain

from swarmsim.apitypes.specs import PortConfig, replace
from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.objects import Attachment, Network, Node, Service, Task, TaskStatus
from swarmsim.swarm.states import PENDING_MESSAGE, TaskState, Who
from swarmsim.swarm.store import Change, MemoryStore, Transaction

DYNAMIC_PORT_START, DYNAMIC_PORT_END = 30000, 32767
DEFAULT_POOL = ipaddress.ip_network("10.0.0.0/8")
SUBNET_SIZE = 24
FIRST_VXLAN, END_VXLAN = 4096, 1 << 24  # ovmanager.go: numbers below are not for overlays


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


class AddressPool:
    """The addresses of one subnet; the first is the gateway's."""

    def __init__(self, subnet: str, gateway: str) -> None:
        self.network = ipaddress.ip_network(subnet, strict=False)
        self._used = {int(ipaddress.ip_address(gateway))}
        self._last = int(self.network.network_address)

    def keep(self, address: str) -> None:
        """Somebody has this one already."""
        self._used.add(int(ipaddress.ip_interface(address).ip))

    def take_wanted(self, address: str) -> str | None:
        """This very address, with its prefix; ``None`` if it is taken, or not of this subnet."""
        wanted = ipaddress.ip_address(address)
        if wanted not in self.network or int(wanted) in self._used:
            return None
        self._used.add(int(wanted))
        return f"{wanted}/{self.network.prefixlen}"

    def take(self) -> str | None:
        """The next free address after the last one given, with its prefix; ``None`` if all are taken."""
        first, last = int(self.network.network_address) + 1, int(self.network.broadcast_address) - 1
        for step in range(last - first + 1):
            number = first + (self._last + 1 + step - first) % (last - first + 1)
            if number not in self._used:
                self._used.add(number)
                self._last = number
                return f"{ipaddress.ip_address(number)}/{self.network.prefixlen}"
        return None

    def free(self, address: str) -> None:
        self._used.discard(int(ipaddress.ip_interface(address).ip))


def _is_dead(task: Task) -> bool:
    """Whether the task no longer needs its addresses (allocator/network.go taskDead)."""
    return task.desired_state > TaskState.COMPLETE and task.status.state > TaskState.RUNNING


def _publishes(ports: Iterable[PortConfig]) -> bool:
    return any(port.publish_mode == "ingress" for port in ports)


class Allocator:
    """Lives as long as its manager leads; what is given out is rebuilt from the store."""

    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        self._pools: dict[str, AddressPool] = {}
        self._waiting: dict[str, None] = {}
        """Tasks that stay NEW."""
        self._unallocated: dict[str, None] = {}
        """Networks that overlap others."""
        self._last_vxlan = FIRST_VXLAN - 1
        for network in store.table(Network).values():
            if network.subnet:
                self._pools[network.id] = AddressPool(network.subnet, network.gateway)
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
            pool = self._pools.get(attachment.network_id)
            if pool is not None and attachment.address:
                pool.keep(attachment.address)

    def _free(self, attachments: Iterable[Attachment]) -> None:
        for attachment in attachments:
            pool = self._pools.get(attachment.network_id)
            if pool is not None and attachment.address:
                pool.free(attachment.address)

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        networks: list[str] = []
        services: list[str] = []
        tasks: list[str] = []
        nodes: dict[str, None] = {}
        freed = False
        for action, obj, old in changes:
            kind = type(obj)
            if kind is Task:
                if obj.networks and obj.node_id and self._moved(obj, old):
                    nodes[obj.node_id] = None
                if action == "delete":
                    if not _is_dead(obj):
                        self._free(obj.networks)
                    self._waiting.pop(obj.id, None)
                elif obj.status.state is TaskState.NEW:
                    tasks.append(obj.id)
                elif obj.networks and _is_dead(obj) and not _is_dead(old):
                    self._free(obj.networks)
            elif kind is Service:
                if action == "delete":
                    self._free(obj.virtual_ips)
                elif self._needs_ports(obj) or self._needs_addresses(obj):
                    services.append(obj.id)
            elif kind is Network:
                if action == "delete":
                    self._pools.pop(obj.id, None)
                    self._unallocated.pop(obj.id, None)
                    freed = True
                    nodes.update((node.id, None) for node in self.store.table(Node).values() if node.attachments)
                elif not obj.subnet:
                    networks.append(obj.id)
                elif obj.spec.ingress and action == "update" and not old.subnet:
                    nodes.update(dict.fromkeys(self.store.table(Node)))
            elif kind is Node:
                if action == "delete":
                    self._free(obj.attachments)
                elif action == "create":
                    nodes[obj.id] = None
        if freed:
            networks += [id for id in self._unallocated if id not in networks]
        if not (networks or services or tasks or nodes):
            return None
        tasks += [id for id in self._waiting if id not in tasks]
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
        """The networks its tasks are on; the ingress network first."""
        wanted = [self.store.get(Network, each.target) for each in service.spec.task.networks or ()]
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
        if networks:
            waiting = bool(self._unallocated)
            yield self.store.batch([partial(self._allocate_network, id) for id in networks])
            if waiting:
                table = self.store.table(Service)
                services += [id for id in table if id not in services and self._needs_addresses(table[id])]
        steps: list[Callable[[Transaction], None]] = [partial(self._allocate_service, id) for id in services]
        steps += [partial(self._allocate_task, id) for id in tasks]
        steps += [partial(self._allocate_node, id) for id in nodes]
        if steps:
            yield self.store.batch(steps)

    def _allocate_network(self, id: str, tx: Transaction) -> None:
        network = tx.get(Network, id)
        if network is None or network.subnet:
            return
        others = [ipaddress.ip_network(n.subnet, strict=False) for n in tx.all(Network) if n.subnet]
        subnet = network.spec.subnet
        if subnet and any(map(ipaddress.ip_network(subnet, strict=False).overlaps, others)):
            self._unallocated[id] = None
            return
        self._unallocated.pop(id, None)
        if not subnet:
            free = (net for net in DEFAULT_POOL.subnets(new_prefix=SUBNET_SIZE) if not any(map(net.overlaps, others)))
            subnet = str(next(free))
        gateway = network.spec.gateway or str(ipaddress.ip_network(subnet, strict=False)[1])
        self._pools[id] = AddressPool(subnet, gateway)
        tx.update(replace(network, subnet=subnet, gateway=gateway, vxlan_id=self._next_vxlan(tx)))

    def _next_vxlan(self, tx: Transaction) -> int:
        """The next free number after the last one given (ovmanager.go obtainVxlanID)."""
        used = {network.vxlan_id for network in tx.all(Network)}
        after, before = range(self._last_vxlan + 1, END_VXLAN), range(FIRST_VXLAN, self._last_vxlan + 1)
        self._last_vxlan = next(number for number in chain(after, before) if number not in used)
        return self._last_vxlan

    def _allocate_service(self, id: str, tx: Transaction) -> None:
        service = tx.get(Service, id)
        if service is None:
            return
        if any(network.id in self._unallocated for network in self._wanted_networks(service, ())):
            return
        ports = service.ports
        if self._needs_ports(service):
            wanted = (service.spec.endpoint.ports if service.spec.endpoint else None) or []
            ports = allocate_ports(wanted, ports_in_use(self.store, id), ports)
        wanted_vips = self._wanted_vips(service, ports)
        vips = self._places(service.virtual_ips, wanted_vips)
        if (ports, vips) != (service.ports, service.virtual_ips):
            tx.update(replace(service, ports=ports, virtual_ips=vips))

    def _places(self, old: tuple[Attachment, ...], wanted: Collection[str]) -> tuple[Attachment, ...]:
        """A place on each of the wanted networks; those there were are kept, or freed."""
        kept = {each.network_id: each for each in old if each.network_id in wanted}
        self._free(each for each in old if each.network_id not in wanted)
        return tuple(kept.get(network) or self._attach(network) for network in wanted)

    def _attach(self, network_id: str, wanted: str = "") -> Attachment:
        """A place on the network, with the ``wanted`` address if there is one; without an address if none is left."""
        network, pool = self.store.get(Network, network_id), self._pools.get(network_id)
        name, driver = (network.name, network.spec.driver) if network is not None else ("", "")
        address = None
        if pool is not None:
            address = pool.take_wanted(wanted) if wanted else pool.take()
        return Attachment(network_id, name, driver, address or "", network)

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
        wanted.update((n.id, None) for n in tx.all(Network) if n.spec.ingress and n.subnet)
        attachments = self._places(node.attachments, wanted)
        if attachments != node.attachments:
            tx.update(replace(node, attachments=attachments))

    def _allocate_task(self, id: str, tx: Transaction) -> None:
        task = tx.get(Task, id)
        if task is None or task.status.state is not TaskState.NEW:
            self._waiting.pop(id, None)
            return
        service = tx.get(Service, task.service_id)
        ports = service.ports if service else task.ports
        networks: tuple[Attachment, ...] = ()
        vips = service.virtual_ips if service is not None else ()
        if task.is_attachment:
            networks = tuple(self._attach(each.target, task.wanted_address) for each in task.spec.networks or ())
        elif service is not None and (service.spec.task.networks or ports):
            networks = tuple(self._attach(network.id) for network in self._wanted_networks(service, ports))
        if networks and not all(attachment.address for attachment in networks):
            # The subnet is full: the task stays NEW until somebody leaves.
            self._free(networks)
            self._waiting[id] = None
            return
        self._waiting.pop(id, None)
        status = TaskStatus(TaskState.PENDING, self.store.wall.now, PENDING_MESSAGE)
        tx.update(replace(task, status=status, ports=ports, networks=networks, virtual_ips=vips), Who.ALLOCATOR)
