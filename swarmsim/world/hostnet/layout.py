"""Which namespaces a host of a swarm has, and what is in them.

==================  ==============================================================================================
namespace           what it is
==================  ==============================================================================================
the host's          ``docker0``, ``docker_gwbridge`` and bridges of its own networks; an end of every pair on them
``1-NETWORK``       an overlay: its bridge ``br0``, ``vxlan0`` to the other hosts, an end for everybody here on it
``ingress_sbox``    where published ports are balanced
``lb_NETWORK``      where the virtual addresses of an overlay are
``CONTAINER``       a container's own
==================  ==============================================================================================

Names, numbers and hardware addresses that a real host draws by chance are made of what they belong to: they are the
model's own, and the same in every run. The host's own network card is left out: the model knows no more of it than its address.
"""

from __future__ import annotations

import ipaddress
from hashlib import sha256
from typing import NamedTuple

from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.engine.localresources import GATEWAY_BRIDGE, LocalNetwork
from swarmsim.engine.overlays import INGRESS_SANDBOX, Half, mac_address
from swarmsim.network.bindings import Sandbox
from swarmsim.world.hostnet import rules
from swarmsim.world.hostnet.rules import Bridge, Published, Table
from swarmsim.world.interfaces import BRIDGE_MTU, DOCKER0, Interface, interfaces, next_index, overlay_mtu

HOST = "host"
"""What the host's own namespace is called here."""
INGRESS = "ingress_sbox"
INGRESS_INDEX, GATEWAY_INDEX, FIRST_OVERLAY = 5, 8, 11
"""Numbers on a host that has joined a swarm and then made an overlay: of ``vxlan0`` and ``docker_gwbridge``, and of the next ``vxlan0``."""


class NoPower(Exception):
    """A host that is off has no network."""


class Link(NamedTuple):
    """A device. ``addresses`` have their prefixes; ``other`` is the number of a pair's other end, which is in namespace ``beyond``, or in
    that of ``master``'s the bridge it is on."""

    number: int
    name: str
    mac: str
    mtu: int
    addresses: tuple[str, ...] = ()
    other: int = 0
    beyond: str = ""
    master: str = ""
    carries: bool = True
    """Whether a bridge has anything on it."""
    is_vxlan: bool = False

    @property
    def networks(self) -> list[tuple[ipaddress.IPv4Network, str]]:
        """Those it is on, with its own address there; aliases are on none."""
        ends = [ipaddress.IPv4Interface(address) for address in self.addresses]
        return [(end.network, str(end.ip)) for end in ends if end.network.prefixlen < 32]


class Namespace(NamedTuple):
    """``about`` says what it is for; ``gateway`` is where the world is. ``neighbours`` are addresses elsewhere and their hosts' addresses."""

    name: str
    about: str
    links: tuple[Link, ...]
    tables: tuple[Table, ...] = ()
    gateway: tuple[str, str] | None = None
    neighbours: tuple[tuple[str, str], ...] | None = None
    sandbox: Sandbox | None = None


class HostNet(NamedTuple):
    """All of them, the host's own first, the others by name; ``now`` is simulated, ``clock`` what the host's clock shows, both in seconds."""

    host: str
    address: str
    now: float
    clock: float
    namespaces: tuple[Namespace, ...]
    ingress_address: str
    """Of ``ingress_sbox`` on ``docker_gwbridge``; empty while there is none."""


def host_net(engine: Engine) -> HostNet:
    """Raises :class:`NoPower`."""
    if not engine.host.powered:
        raise NoPower(engine.host.name)
    return _Survey(engine).net()


class _Survey:
    """What is found on one host on the way."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.kernel = engine.dataplane.kernel
        self.halves = [half for id, half in engine.overlays.halves.items() if id in self.kernel.bindings.sandboxes]
        self.alive = [c for c in engine.containers.values() if c.alive]
        self.ends = {c.id: interfaces(engine, c) for c in self.alive}
        self.names = {c.id: _made_of("sandbox", c.id)[:12] for c in self.alive}
        self.addresses = {stack.name: address for address, stack in engine.host.ctx.by_address.items()}
        self._next = next_index(engine)
        self.gateway_address = next(
            (each.address for each in engine.overlays.gateways() if each.key == INGRESS_SANDBOX), ""
        )
        if not self.kernel.ingress:
            self.gateway_address = ""

    def net(self) -> HostNet:
        host, found = self.engine.host, []
        for half in self._overlays_first_ingress():
            found += self._overlay(half)
        found += [self._container(c) for c in self.alive if self.ends[c.id]]
        found.sort(key=lambda each: each.name)
        address = self.gateway_address.partition("/")[0]
        return HostNet(
            host.name, host.address, host.clock.now, host.wall.now, (self._own(found), *found), address
        )  # fmt: skip

    def _overlays_first_ingress(self) -> list[Half]:
        return sorted(self.halves, key=lambda half: not half.network.spec.ingress)

    def _take(self, count: int) -> int:
        """The first of so many numbers that nothing has."""
        first, self._next = self._next, self._next + count
        return first

    # -- an overlay

    def _overlay(self, half: Half) -> list[Namespace]:
        """The overlay's own namespace and that of its load balancer."""
        network, sandbox = half.network, self.kernel.bindings.sandboxes[half.id]
        ingress = network.spec.ingress
        others = [each for each in self.halves if not each.network.spec.ingress]
        number = INGRESS_INDEX if ingress else FIRST_OVERLAY if half is others[0] else self._take(3)
        mtu, name = overlay_mtu(network.spec.options), f"1-{half.id[:10]}"
        pool = ipaddress.ip_interface(half.address).network
        balancer = INGRESS if ingress else f"lb_{half.id[:9]}"
        ports = [(number + 2, balancer)]
        ports += [
            (end.number + 1, self.names[c.id]) for c in self.alive for end in self.ends[c.id] if end.on == half.id
        ]
        links = [Link(number, "vxlan0", _hardware("vxlan", half.id, self.engine), mtu, other=number, beyond=HOST,
                      master="br0", is_vxlan=True)]  # fmt: skip
        links += [
            Link(index, f"veth{n}", _hardware(half.id, index, self.engine), mtu, (), index - 1, beyond, "br0")
            for n, (index, beyond) in enumerate(ports)
        ]
        # A bridge has the lowest hardware address of those on it.
        gateway = f"{_gateway(half) or pool[1]}/{pool.prefixlen}"
        bridge = Link(2, "br0", min(link.mac for link in links), mtu, (gateway,))
        vip_aliases = tuple(f"{vip}/32" for vip in sandbox.virtual_ips)
        end = Link(number + 1, "eth0", mac_address(sandbox.address), mtu,
                   (f"{sandbox.address}/{pool.prefixlen}", *vip_aliases), number + 2, name)  # fmt: skip
        here = [end]
        if ingress and self.gateway_address:
            here.append(Link(GATEWAY_INDEX + 1, "eth1", mac_address(self.gateway_address), BRIDGE_MTU,
                             (self.gateway_address,), GATEWAY_INDEX + 2, HOST))  # fmt: skip
        elsewhere = tuple(
            (address, self.addresses[host])
            for (where, address), host in self.kernel.neighbours.items()
            if where == half.id
        )
        out = (_first(self.gateway_address), "eth1") if len(here) > 1 else None
        return [
            Namespace(name, f"the overlay {half.name}, VXLAN {_vxlan_id(half)}", (_LOOPBACK, bridge, *links), neighbours=elsewhere),
            Namespace(
                balancer,
                "the load balancer of published ports" if ingress else f"the load balancer of {half.name}",
                (_LOOPBACK, *here),
                rules.balancer(sandbox, str(pool), self._resolver(half.id)),
                out,
                sandbox=sandbox,
            ),
        ]  # fmt: skip

    # -- a container

    def _container(self, container: Container) -> Namespace:
        ends, addresses = self.ends[container.id], {}
        links, out = [_LOOPBACK], None
        for end in ends:
            beyond = HOST if end.leads_out else f"1-{end.on[:10]}"
            links.append(Link(end.number, end.name, mac_address(end.address), end.mtu, (end.address,),
                              end.number + 1, beyond))  # fmt: skip
            addresses[end.on] = end.own
            if end.leads_out:
                out = (_first(end.address), end.name)
        has_names = any(end.on != DOCKER0 for end in ends)
        tables = rules.container(
            addresses.get(self.kernel.ingress, ""),
            container.ingress_ports,
            self._resolver(container.id) if has_names else None,
        )
        return Namespace(self.names[container.id], container.name, tuple(links), tables, out)

    def _resolver(self, of: str) -> tuple[int, int]:
        """The ports, of TCP and UDP, on which 127.0.0.11 listens in a namespace."""
        drawn = int(_made_of(self.engine.host.name, "resolver", of)[:8], 16)
        return 32768 + drawn % 28000, 32768 + drawn // 28000 % 28000

    # -- the host

    def _own(self, namespaces: list[Namespace]) -> Namespace:
        ends = [
            (link, space.name)
            for space in namespaces
            for link in space.links
            if link.beyond == HOST and link.other > link.number
        ]
        bridges, links = [], [_LOOPBACK]
        for network in self._bridges():
            name, pool = _bridge_name(network), ipaddress.ip_network(network.spec.pools[0].subnet)
            on = [(link, space) for link, space in ends if ipaddress.ip_interface(link.addresses[0]).network == pool]
            number = {DOCKER0: 3, GATEWAY_BRIDGE[0]: GATEWAY_INDEX}.get(name) or self._take(1)
            gateway = network.spec.pools[0].gateway or str(pool[1])
            mac = "02:42:" + _hardware(name, self.engine.host.name, self.engine)[6:]
            links.append(Link(number, name, mac, BRIDGE_MTU, (f"{gateway}/{pool.prefixlen}",), carries=bool(on)))
            links += [
                Link(link.other, f"veth{_made_of('veth', space, link.name)[:7]}", _hardware("host", link.other, self.engine),
                     BRIDGE_MTU, (), link.number, space, name)
                for link, space in on
            ]  # fmt: skip
            bridges.append(Bridge(name, str(pool), network.spec.internal, name == GATEWAY_BRIDGE[0]))
        links.sort(key=lambda link: link.number)
        encrypted = [_vxlan_id(half) for half in self.halves if self.kernel.bindings.sandboxes[half.id].encrypted]
        ingress = self.kernel.bindings.sandboxes.get(self.kernel.ingress)
        tables = rules.host(bridges[::-1], self._published(), ingress, _bare(self.gateway_address), encrypted)
        return Namespace(HOST, f"the host {self.engine.host.name}", tuple(links), tables)

    def _bridges(self) -> list[LocalNetwork]:
        """In the order they were made, as far as rules show it: the predefined one first."""
        found = [each for each in self.engine.networks.values() if each.spec.driver == "bridge"]
        return sorted(found, key=lambda each: (each.created_at, not each.predefined))

    def _published(self) -> list[Published]:
        """Ports of the host that lead to one container."""
        found = []
        for (protocol, port), local in self.kernel.host_ports.items():
            owner = next((c for c in self.alive if c.server is local.server), None)
            end: Interface | None = None
            if owner is not None:
                end = next((end for end in self.ends[owner.id] if end.leads_out), None)
            if end is not None:
                found.append(Published(protocol, port, end.on, end.own, local.port[1]))
        return found


_LOOPBACK = Link(1, "lo", "00:00:00:00:00:00", 65536, ("127.0.0.1/8",))


def _made_of(*parts: object) -> str:
    return sha256("/".join(map(str, parts)).encode()).hexdigest()


def _hardware(what: object, which: object, engine: Engine) -> str:
    """A hardware address as the kernel draws one: of one station, locally administered."""
    octets = bytes.fromhex(_made_of("mac", engine.host.name, what, which)[:12])
    return ":".join(f"{octet:02x}" for octet in (octets[0] & 0xFC | 0x02, *octets[1:]))


def _bare(address: str) -> str:
    return address.partition("/")[0]


def _first(address: str) -> str:
    """The first address of the network that one is on: its gateway's."""
    return str(ipaddress.ip_interface(address).network[1])


def _gateway(half: Half) -> str:
    return next((pool.gateway.partition("/")[0] for pool in half.network.pools), "")


def _vxlan_id(half: Half) -> int:
    return half.network.vxlan_ids[0] if half.network.vxlan_ids else 0


def _bridge_name(network: LocalNetwork) -> str:
    if network.predefined:
        return DOCKER0 if network.name == "bridge" else network.name
    return f"br-{network.id[:12]}"
