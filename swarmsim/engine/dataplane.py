"""An engine's part in load balancing: what it tells of its own tasks, and what it makes of others' (libnetwork agent.go, sandbox.go).

The life of a task's endpoint, on each of its networks:

=======================  ================================================  ===============================================
its container            here                                              told to others (networkdb)
=======================  ================================================  ===============================================
starts                   its namespace has the address                     where the address is (overlay_peer_table)
runs, or is healthy      added to load balancer and names                  the endpoint (endpoint_table): CREATE
is to stop               weight 0, names gone; 2 s later it is signalled   the endpoint, disabled: UPDATE
is gone                  removed                                           both: DELETE
=======================  ================================================  ===============================================

A container that dies by itself goes the same way without the third step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec.structs import replace

from swarmsim.engine.containers import Container
from swarmsim.engine.overlays import Half, endpoint_id, mac_address
from swarmsim.network.kernel import Kernel, Local
from swarmsim.network.messages import Change
from swarmsim.network.networkdb import NetworkDB
from swarmsim.network.records import ENDPOINT_TABLE, PEER_TABLE, EndpointRecord, PeerRecord
from swarmsim.network.tables import Event
from swarmsim.sim.host import Host
from swarmsim.sim.scope import Scope
from swarmsim.swarm.objects import Attachment, Task
from swarmsim.trace import rows

ENCRYPTED = "encrypted"
"""The driver's option, whatever its value (overlay.go CreateNetwork: secureOption)."""
LOAD_BALANCER = "lb"
"""What the node's own endpoint on a network is known by here."""


class _Part:
    """That the engine takes part in what is said of a network. ``joined``: it has compared with the others."""

    __slots__ = ("joined",)

    def __init__(self) -> None:
        self.joined = False


class DataPlane:
    """Of one engine. ``kernel`` are the tables of its host, which outlive the engine's process."""

    __slots__ = (
        "_active",
        "_db",
        "_endpoints",
        "_here",
        "_names",
        "_opening",
        "_parts",
        "_peers",
        "_power",
        "_process",
        "_unwatch",
        "first_opened",
        "host",
        "kernel",
    )

    def __init__(self, host: Host) -> None:
        self.host = host
        self.first_opened: Callable[[], object] = _nothing
        """Called before this node is on another network."""
        self.kernel = Kernel(host.name)
        self._power = host.power
        self._db: NetworkDB | None = None
        self._unwatch: Callable[[], None] = _nothing
        self._names: dict[str, str] = {}
        """What networks are called, by id."""
        self._parts: dict[str, _Part] = {}
        """In what is said of networks."""
        self._process: Scope | None = None
        self._opening: dict[str, Half] = {}
        """Networks that are being made."""
        self._peers: dict[tuple[str, str], PeerRecord] = {}
        """The endpoints that are here, by network and endpoint id."""
        self._endpoints: dict[tuple[str, str], EndpointRecord] = {}
        """Those of services that have been added, likewise."""
        self._here: dict[str, Container] = {}
        """Containers that run, by id: those of a network that is not there yet get their end when it is."""
        self._active: dict[str, Task | None] = {}
        """The tasks of those that may be asked; ``None`` of a plain container."""

    # -- the engine's own life

    def engine_starts(self, process: Scope) -> None:
        """If the power has been away nothing is left of what the kernel had."""
        self._process = process
        if self._power is not self.host.power:
            self._power = self.host.power
            self.clear()

    def clear(self) -> None:
        """The daemon makes its networks anew."""
        self.gossip_ended()
        self._opening.clear()
        for network in self.kernel.bindings.sandboxes:
            self._note_overlay(network, None)
        self.kernel.clear()
        for table in (self._peers, self._endpoints, self._here, self._active):
            table.clear()

    # -- gossip

    def gossip_began(self, db: NetworkDB) -> None:
        """The engine is one of the gossip's members."""
        self._db = db
        self._unwatch = db.watch(self._heard)
        for network in self.kernel.bindings.sandboxes:
            self._join(network)

    def _join(self, network: str) -> None:
        """Take part in what is said of a network; what there is to say of this node's own part comes after that."""
        db = self._db
        if db is None:
            return
        part = self._parts[network] = _Part()

        def joined() -> None:
            if self._parts.get(network) is not part:
                return
            part.joined = True
            for (where, id), peer in self._peers.items():
                if where == network:
                    db.create_entry(PEER_TABLE, network, id, peer)
            for (where, id), endpoint in self._endpoints.items():
                if where == network:
                    db.create_entry(ENDPOINT_TABLE, network, id, endpoint)

        db.join_network(network, joined)

    def _said(self, network: str) -> NetworkDB | None:
        """Where to say something of a network; ``None``: nowhere, or later."""
        part = self._parts.get(network)
        return self._db if part is not None and part.joined else None

    def gossip_ended(self) -> None:
        """With the daemon: what was heard stays in the kernel."""
        self._unwatch()
        self._db, self._unwatch = None, _nothing
        self._parts.clear()

    def unbind(self, db: NetworkDB) -> None:
        """The node has left the gossip while its engine goes on: nothing is balanced here any more, and no name known, whatever runs
        (controller.go clusterAgentInit, EventNodeLeave: cleanupServiceBindings)."""
        for network in self.kernel.bindings.sandboxes:
            for element in db.entries(ENDPOINT_TABLE, network).values():
                if isinstance(element.value, EndpointRecord):
                    self._bind(self.kernel.bindings.remove, network, element.value)
        for (network, _), endpoint in self._endpoints.items():
            self._bind(self.kernel.bindings.remove, network, endpoint)

    def _heard(self, event: Event) -> None:
        value, kernel = event.value, self.kernel
        if isinstance(value, PeerRecord):
            at = (event.network, value.address)
            if event.change is Change.DELETE:
                kernel.neighbours.pop(at, None)
            elif event.change is Change.CREATE:
                kernel.neighbours[at] = self._host_at(value.tunnel)
            for watcher in kernel.watchers:
                watcher()
        elif event.change is Change.CREATE:
            self._bind(kernel.bindings.add, event.network, value)
        elif event.change is Change.DELETE:
            self._bind(kernel.bindings.remove, event.network, value)
        elif value.service_disabled:
            self._bind(kernel.bindings.disable, event.network, value)

    def _bind(self, change: Callable[[str, EndpointRecord], object], network: str, endpoint: EndpointRecord) -> None:
        """Change what is balanced here; what that does to where requests go is noted."""
        weight_of, ctx = self.kernel.bindings.weight, self.host.ctx
        if not ctx.gossip or not ctx.journal.wants("ipvs"):
            change(network, endpoint)
            return
        before = weight_of(network, endpoint)
        change(network, endpoint)
        after = weight_of(network, endpoint)
        if before != after:
            task, _, id = endpoint.name.rpartition(".")
            ctx.journal.note(
                rows.Ipvs,
                host=self.host.name,
                network=self._names[network],
                service=endpoint.service_name,
                task=task,
                id=id[:8],
                address=endpoint.address,
                weight=after,
            )

    def _note_overlay(self, network: str, address: str | None) -> None:
        if self.host.ctx.gossip:
            name = self._names[network]
            self.host.ctx.journal.note(rows.Overlay, host=self.host.name, network=name, address=address)

    def _host_at(self, address: str) -> str:
        return self.host.ctx.by_address[address].name

    # -- networks

    @property
    def opening(self) -> Collection[str]:
        """The networks that are being made: they are not there yet."""
        return self._opening

    def opened(self, half: Half) -> None:
        """This node is on an overlay, with an address of its own."""
        if half.id in self.kernel.bindings.sandboxes or half.id in self._opening or not half.address:
            return
        if half.network.spec.ingress and self.host.ctx.gossip:
            self._opening[half.id] = half
            assert self._process is not None
            takes = self.host.profile.samplers["ingress_setup"](self.host.rng("ingress"))
            self._process.after(takes, self._make_ingress, half)
        else:
            self._open(half)

    def _make_ingress(self, half: Half) -> None:
        if self._opening.pop(half.id, None) is half:
            self._open(half)

    def _open(self, half: Half) -> None:
        network, address, ingress = half.id, _bare(half.address), half.network.spec.ingress
        self._names[network] = half.name
        self.first_opened()
        encrypted = ENCRYPTED in (half.network.spec.options or {})
        self.kernel.bindings.open(network, address, ingress=ingress, encrypted=encrypted)
        self._note_overlay(network, address)
        if ingress:
            self.kernel.ingress = network
        # Made anew, it is another: members of the gossip still have the one before.
        balancer = f"{LOAD_BALANCER}{self.host.name}@{self.host.clock.now}"
        self._arrived(network, endpoint_id(half.name, balancer), address)
        for container in self._here.values():
            for attachment in container.attachments:
                if attachment.network_id == network:
                    self._plug(container, attachment)
                    if container.id in self._active:
                        self._announce(container, self._active[container.id], attachment)
        self._join(network)

    def closed(self, network: str) -> None:
        """Nobody here is on the network any more, or the node has left the swarm."""
        self._opening.pop(network, None)
        if network not in self.kernel.bindings.sandboxes:
            return
        for at in [at for at in self._peers if at[0] == network]:
            del self._peers[at]
        for at in [at for at in self._endpoints if at[0] == network]:
            del self._endpoints[at]
        for at in [at for at in self.kernel.endpoints if at[0] == network]:
            del self.kernel.endpoints[at]
        if self._parts.pop(network, None) is not None:
            assert self._db is not None
            self._db.leave_network(network)
        self.kernel.bindings.close(network)
        self._note_overlay(network, None)
        if self.kernel.ingress == network:
            self.kernel.ingress = ""
        for at in [at for at in self.kernel.neighbours if at[0] == network]:
            del self.kernel.neighbours[at]

    def _arrived(self, network: str, id: str, address: str) -> None:
        """An endpoint is here."""
        peer = self._peers[network, id] = PeerRecord(address, mac_address(address), self.host.address)
        db = self._said(network)
        if db is not None:
            db.create_entry(PEER_TABLE, network, id, peer)

    def _departed(self, network: str, id: str) -> None:
        db = self._said(network)
        if self._peers.pop((network, id), None) is not None and db is not None:
            db.delete_entry(PEER_TABLE, network, id)

    # -- containers of tasks

    def started(self, container: Container) -> None:
        """A container has its namespace; a plain one has it, and is on its network, before its process starts."""
        server = container.server
        if server is None or container.id in self._here:
            return
        self._here[container.id] = container
        for attachment in container.attachments:
            self._plug(container, attachment)
        for port in container.bindings:
            key = port.protocol, port.published_port
            self.kernel.host_ports[key] = Local(server, (port.protocol, port.target_port))

    def attached(self, container: Container, attachment: Attachment) -> None:
        """A container that runs is on one more network."""
        self._here[container.id] = container
        self._plug(container, attachment)
        self._announce(container, self._active.get(container.id), attachment)

    def detached(self, container: Container, attachment: Attachment) -> None:
        """It is on that network no more."""
        at = (attachment.network_id, endpoint_id(attachment.name, container.life))
        if at in self._endpoints:
            self._withdraw(at)
        self._unplug(container, attachment)

    def activate(self, container: Container, task: Task | None) -> None:
        """It runs, or is healthy: it may be asked. A plain container has no ``task``."""
        self._active[container.id] = task
        for attachment in container.attachments:
            self._announce(container, task, attachment)

    def _plug(self, container: Container, attachment: Attachment) -> None:
        """Its end on a network, if this node is on that by now."""
        network = attachment.network_id
        if network in self.kernel.bindings.sandboxes and container.server is not None:
            address = _bare(attachment.address)
            self.kernel.endpoints[network, address] = container.server
            self._arrived(network, endpoint_id(attachment.name, container.life), address)

    def _announce(self, container: Container, task: Task | None, attachment: Attachment) -> None:
        network = attachment.network_id
        if network in self.kernel.bindings.sandboxes:
            endpoint = self._endpoint(container, task, attachment)
            self._endpoints[network, endpoint.endpoint_id] = endpoint
            self._bind(self.kernel.bindings.add, network, endpoint)
            db = self._said(network)
            if db is not None:
                db.create_entry(ENDPOINT_TABLE, network, endpoint.endpoint_id, endpoint)

    def deactivate(self, container: Container) -> None:
        """It is to stop: it gets nothing new."""
        self._active.pop(container.id, None)
        for at in self._of(container):
            endpoint = self._endpoints[at] = replace(self._endpoints[at], service_disabled=True)
            db = self._said(at[0])
            if db is not None:
                db.update_entry(ENDPOINT_TABLE, *at, endpoint)
            self._bind(self.kernel.bindings.disable, at[0], endpoint)

    def release(self, container: Container) -> None:
        """It is gone, and its namespace with it."""
        self._active.pop(container.id, None)
        if self._here.pop(container.id, None) is None:
            return
        for at in self._of(container):
            self._withdraw(at)
        for attachment in container.attachments:
            self._unplug(container, attachment)
        for key in [key for key, local in self.kernel.host_ports.items() if local.server is container.server]:
            del self.kernel.host_ports[key]

    def _withdraw(self, at: tuple[str, str]) -> None:
        """An endpoint, by network and id, is gone."""
        endpoint = self._endpoints.pop(at)
        db = self._said(at[0])
        if db is not None:
            db.delete_entry(ENDPOINT_TABLE, *at)
        self._bind(self.kernel.bindings.remove, at[0], endpoint)

    def _unplug(self, container: Container, attachment: Attachment) -> None:
        at = (attachment.network_id, _bare(attachment.address))
        if self.kernel.endpoints.get(at) is container.server:
            del self.kernel.endpoints[at]
            self._departed(attachment.network_id, endpoint_id(attachment.name, container.life))

    def known(self, network: str) -> list[tuple[EndpointRecord, str]]:
        """The endpoints on a network that this node has heard of, in the order of their ids, and the addresses of their hosts. On the
        ingress network the nodes' own are among them."""
        if self._db is None:
            endpoints = {id: each for (where, id), each in self._endpoints.items() if where == network}
            peers = {id: each for (where, id), each in self._peers.items() if where == network}
        else:
            said = self._db.entries(ENDPOINT_TABLE, network).items()
            endpoints = {id: each.value for id, each in said if isinstance(each.value, EndpointRecord)}
            places = self._db.entries(PEER_TABLE, network).items()
            peers = {id: each.value for id, each in places if isinstance(each.value, PeerRecord)}
        if self.kernel.ingress == network:
            nodes = {id: EndpointRecord(id, "ingress-endpoint", peer.address) for id, peer in peers.items()}
            endpoints = {**nodes, **endpoints}
        return [(endpoints[id], peers[id].tunnel) for id in sorted(endpoints) if id in peers]

    def _of(self, container: Container) -> list[tuple[str, str]]:
        """Where the container's endpoints are."""
        keys = [(each.network_id, endpoint_id(each.name, container.life)) for each in container.attachments]
        return [key for key in keys if key in self._endpoints]

    def _endpoint(self, container: Container, task: Task | None, attachment: Attachment) -> EndpointRecord:
        network = attachment.network
        if task is None:
            return EndpointRecord(
                endpoint_id(attachment.name, container.life),
                container.name if container.is_named else container.id[:12],
                _bare(attachment.address),
                task_aliases=(*container.aliases, container.id[:12]),
            )
        ingress = network is not None and network.spec.ingress
        vips = (each.address for each in task.virtual_ips if each.network_id == attachment.network_id)
        names = (each.aliases or () for each in task.spec.networks or () if each.target == attachment.network_id)
        return EndpointRecord(
            endpoint_id(attachment.name, container.life),
            container.name,
            _bare(attachment.address),
            task.service_name,
            task.service_id,
            _bare(next(vips, "")),
            tuple(port for port in task.ports if port.publish_mode == "ingress") if ingress else (),
            tuple(next(names, ())),
            (container.id[:12],),
        )


def _nothing() -> None:
    """Nobody watches."""


def _bare(address: str) -> str:
    """Without the prefix."""
    return address.partition("/")[0]
