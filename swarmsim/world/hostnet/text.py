"""A host's network in the words of its own tools: iproute2 6.1, iptables 1.8.9, ipvsadm 1.31."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from enum import StrEnum

from swarmsim.engine.overlays import mac_address
from swarmsim.network.bindings import Sandbox
from swarmsim.network.loadbalancer import Connection, Flow, State
from swarmsim.sim.clock import EPOCH
from swarmsim.world.hostnet.layout import HOST, INGRESS, HostNet, Link, Namespace

NETNS = "/var/run/docker/netns"


class Part(StrEnum):
    """What may be asked for alone."""

    ADDR = "addr"
    ROUTE = "route"
    BRIDGE = "bridge"
    RULES = "rules"
    IPVS = "ipvs"


def shown(net: HostNet, parts: Collection[Part] = tuple(Part), netns: str | None = None) -> str:
    """All of it, or some ``parts`` of it, or one namespace; before each the command that shows it on a real host."""
    out: list[str] = []
    for space in net.namespaces:
        if netns is not None and netns != space.name:
            continue
        inside = "" if space.name == HOST else f"nsenter --net={NETNS}/{space.name} "
        out.append(f"# {space.name}: {space.about}\n")
        for part in (part for part in Part if part in parts):
            for command, text in _PARTS[part](net, space):
                out.append(f"$ {inside}{command}\n{text}")
        if space.name == HOST and netns is None:
            out.append(f"$ ls {NETNS}\n" + "".join(f"{each.name}\n" for each in net.namespaces[1:]))
        out.append("\n")
    return "".join(out)


# -- addresses, routes, bridges


def _addr(net: HostNet, space: Namespace) -> Iterator[tuple[str, str]]:
    yield "ip addr", "".join(_link(link, space) for link in space.links)


def _link(link: Link, space: Namespace) -> str:
    is_host, loopback = space.name == HOST, link.name == "lo"
    if loopback:
        flags, state = "LOOPBACK,UP,LOWER_UP", "UNKNOWN"
    elif not link.carries:
        flags, state = "NO-CARRIER,BROADCAST,MULTICAST,UP", "DOWN"
    else:
        flags, state = "BROADCAST,MULTICAST,UP,LOWER_UP", "UNKNOWN" if link.is_vxlan else "UP"
    name = f"{link.name}@if{link.other}" if link.other else link.name
    master = f"master {link.master} " if link.master else ""
    queue = "qlen 1000" if loopback else ""
    kind, everybody = ("loopback", "00:00:00:00:00:00") if loopback else ("ether", "ff:ff:ff:ff:ff:ff")
    beyond = f" link-netnsid {_number(link, space)}" if link.beyond else ""
    lines = [
        f"{link.number}: {name}: <{flags}> mtu {link.mtu} qdisc noqueue {master}state {state} group default {queue}",
        f"    link/{kind} {link.mac} brd {everybody}{beyond}",
    ]
    for address in link.addresses:
        network = ipaddress.ip_interface(address).network
        brd = f"brd {network.broadcast_address} " if network.prefixlen < 31 and not loopback else ""
        lines.append(f"    inet {address} {brd}scope {'host' if loopback else 'global'} {link.name}")
        lines.append("       valid_lft forever preferred_lft forever")
    if is_host and link.carries:
        lines.append(
            "    inet6 ::1/128 scope host " if loopback else f"    inet6 {_link_local(link.mac)}/64 scope link "
        )
        lines.append("       valid_lft forever preferred_lft forever")
    return "".join(f"{line}\n" for line in lines)


def _number(link: Link, space: Namespace) -> int:
    """What a namespace calls another one: those its devices lead to are counted, as they come."""
    met = list(dict.fromkeys(each.beyond for each in space.links if each.beyond))
    return met.index(link.beyond)


def _link_local(mac: str) -> str:
    """The address that IPv6 makes of a hardware address.

    >>> _link_local("02:42:6c:9b:1b:f7")
    'fe80::42:6cff:fe9b:1bf7'
    """
    octets = [int(octet, 16) for octet in mac.split(":")]
    middle = [octets[0] ^ 2, octets[1], octets[2], 0xFF, 0xFE, *octets[3:]]
    words = [middle[n] << 8 | middle[n + 1] for n in range(0, 8, 2)]
    return str(ipaddress.IPv6Address("fe80::" + ":".join(f"{word:x}" for word in words)))


def _route(net: HostNet, space: Namespace) -> Iterator[tuple[str, str]]:
    routes = [
        (
            network,
            f"{network} dev {link.name} proto kernel scope link src {own} {'' if link.carries else 'linkdown '}\n",
        )
        for link in space.links
        for network, own in link.networks
        if link.name != "lo"
    ]
    default = f"default via {space.gateway[0]} dev {space.gateway[1]} \n" if space.gateway is not None else ""
    yield "ip route", default + "".join(text for _, text in sorted(routes))


def _bridge(net: HostNet, space: Namespace) -> Iterator[tuple[str, str]]:
    if any(link.master for link in space.links) or space.neighbours is not None:
        yield "bridge link", "".join(_port(link) for link in space.links if link.master)
    if space.neighbours is not None:
        by_mac = [(mac_address(address), address, host) for address, host in space.neighbours]
        yield (
            "bridge fdb | grep dst",
            "".join(f"{mac} dev vxlan0 dst {host} link-netnsid 0 self permanent\n" for mac, _, host in by_mac),
        )
        yield "ip neigh", "".join(f"{address} dev vxlan0 lladdr {mac} PERMANENT \n" for mac, address, _ in by_mac)


def _port(link: Link) -> str:
    """The kernel reckons a VXLAN device dear, as it has no speed of its own."""
    cost = 100 if link.is_vxlan else 2
    return (
        f"{link.number}: {link.name}@if{link.other}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu {link.mtu} master {link.master} "
        f"state forwarding priority 32 cost {cost} \n"
    )


# -- rules


def _rules(net: HostNet, space: Namespace) -> Iterator[tuple[str, str]]:
    when = (EPOCH + timedelta(seconds=net.clock)).strftime("%a %b %e %H:%M:%S %Y")
    text = ""
    for name, chains, rules in space.tables:
        text += f"# Generated by iptables-save v1.8.9 (nf_tables) on {when}\n*{name}\n"
        text += "".join(f":{chain} {policy} [0:0]\n" for chain, policy in chains)
        text += "".join(f"-A {rule}\n" for rule in rules)
        text += f"COMMIT\n# Completed on {when}\n"
    if text:
        yield "iptables-save", text


# -- load balancers

ACTIVE = frozenset((State.ESTABLISHED,))
"""Of which the kernel counts connections as active."""


def _ipvs(net: HostNet, space: Namespace) -> Iterator[tuple[str, str]]:
    if space.sandbox is None:
        return
    connections = space.sandbox.load_balancer.table(net.now)
    yield "ipvsadm -ln", _services(space.sandbox, connections)
    if connections:
        at_door = net.ingress_address if space.name == INGRESS else ""
        head = "IPVS connection entries\npro expire state       source             virtual            destination\n"
        yield "ipvsadm -lnc", head + "".join(_connection(net, at_door, *each) for each in connections)


def _services(sandbox: Sandbox, connections: list[tuple[Flow, Connection]]) -> str:
    """ipvsadm sorts: services by mark, destinations by address, whatever order the kernel has them in."""
    text = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
    text += "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
    counts: dict[int, list[int]] = {}
    for _, entry in connections:
        counts.setdefault(id(entry.destination), [0, 0])[entry.state not in ACTIVE] += 1
    for mark, service in sorted(sandbox.load_balancer.services.items()):
        text += f"FWM  {mark} rr\n"
        for each in sorted(service.destinations, key=lambda each: ipaddress.IPv4Address(each.address)):
            active, inactive = counts.get(id(each), (0, 0))
            text += f"  -> {each.address + ':0':<28} {'Masq':<7} {each.weight:<6} {active:<10} {inactive:<10}\n"
    return text


def _connection(net: HostNet, at_door: str, flow: Flow, entry: Connection) -> str:
    """At the door of the mesh the node's address has become the sandbox's already, and a client on the node itself the bridge."""
    virtual, client = flow.address, flow.client
    if at_door:
        virtual = at_door
        if client == net.address:
            client = str(ipaddress.ip_interface(f"{at_door}/16").network[1])
    left = max(0, int(entry.expires - net.now))
    source, to = f"{client}:{flow.client_port}", f"{virtual}:{flow.port}"
    where = f"{entry.destination.address}:{flow.port}"
    return f"{flow.protocol.upper():<3} {left // 60:02d}:{left % 60:02d}  {entry.state:<11} {source:<18} {to:<18} {where}\n"


_PARTS: dict[Part, Callable[[HostNet, Namespace], Iterator[tuple[str, str]]]] = {
    Part.ADDR: _addr,
    Part.ROUTE: _route,
    Part.BRIDGE: _bridge,
    Part.RULES: _rules,
    Part.IPVS: _ipvs,
}
