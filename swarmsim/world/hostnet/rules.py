"""What an engine 20.10.24 tells iptables (libnetwork: bridge driver, service_linux.go, overlay driver's encryption.go, resolver_unix.go).

Rules are lines of ``iptables-save``, each chain's in its order. What is inserted comes first, so of two bridges, or of two published
ports, the later one's rules stand above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from swarmsim.apitypes.specs import PortConfig
from swarmsim.network.bindings import Sandbox
from swarmsim.network.connection import VXLAN_PORT

SPI_MARK = 0xD0C4E3
"""What marks packets of encrypted overlays (encryption.go mark)."""
FILTER = ("INPUT", "FORWARD", "OUTPUT")
NAT = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
MANGLE = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
EVERY_PROTOCOL = ("sctp", "udp", "tcp")
TO_LOCAL = "-m addrtype --dst-type LOCAL"


class Table(NamedTuple):
    """``chains`` with their policies, ``-`` for those that docker made; ``rules`` without ``-A``."""

    name: str
    chains: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]


class Bridge(NamedTuple):
    """A bridge of the host and its subnet. ``separates``: those on it do not reach each other over it (``docker_gwbridge``)."""

    name: str
    subnet: str
    internal: bool
    separates: bool


class Published(NamedTuple):
    """A port of the host that leads to a container's ``target`` on a bridge."""

    protocol: str
    port: int
    bridge: str
    address: str
    target: int


def _table(name: str, builtin: Sequence[str], own: Sequence[str], rules: Sequence[str], drops: str = "") -> Table:
    chains = [(chain, "DROP" if chain == drops else "ACCEPT") for chain in builtin]
    return Table(name, (*chains, *((chain, "-") for chain in sorted(own))), tuple(rules))


def host(
    bridges: Sequence[Bridge],
    published: Sequence[Published],
    ingress: Sandbox | None,
    ingress_address: str,
    encrypted: Sequence[int],
) -> tuple[Table, ...]:
    """The host's own tables: ``bridges`` the latest first, ``ingress_address`` that of ``ingress_sbox``, ``encrypted`` the VXLAN ids."""
    ports = list(ingress.ports)[::-1] if ingress is not None else []
    meshes = ingress is not None and ingress.masquerades
    tables = [_filter(bridges, published, ports, meshes, encrypted)]
    tables.append(_nat(bridges, published, ports, meshes, ingress_address))
    if encrypted:
        marks = [f"OUTPUT {_vxlan(id)} -j MARK --set-xmark {SPI_MARK:#x}/0xffffffff" for id in encrypted]
        tables.insert(0, _table("mangle", MANGLE, (), marks))
    return tuple(tables)


def _filter(
    bridges: Sequence[Bridge],
    published: Sequence[Published],
    ports: Sequence[tuple[str, int]],
    meshes: bool,
    encrypted: Sequence[int],
) -> Table:
    inner = "INPUT -p udp -m policy --dir in --pol {} " + "{}"
    lines = [inner.format("none", f"{_vxlan(id, udp=False)} -j DROP") for id in reversed(encrypted)]
    lines += [inner.format("ipsec", f"{_vxlan(id, udp=False)} -j ACCEPT") for id in encrypted]
    lines.append("FORWARD -j DOCKER-USER")
    if meshes:
        lines.append("FORWARD -j DOCKER-INGRESS")
    lines.append("FORWARD -j DOCKER-ISOLATION-STAGE-1")
    for name, _, internal, separates in bridges:
        if not internal:
            lines.append(f"FORWARD -o {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
            lines.append(f"FORWARD -o {name} -j DOCKER")
            lines.append(f"FORWARD -i {name} ! -o {name} -j ACCEPT")
        if not separates:
            lines.append(f"FORWARD -i {name} -o {name} -j ACCEPT")
    lines += [f"FORWARD -i {each.name} -o {each.name} -j DROP" for each in bridges if each.separates]
    lines += [
        f"DOCKER -d {to}/32 ! -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {target} -j ACCEPT"
        for protocol, _, bridge, to, target in published
    ]
    if meshes:
        for protocol, port in ports:
            match = f"DOCKER-INGRESS -p {protocol}"
            lines.append(f"{match} -m {protocol} --dport {port} -j ACCEPT")
            lines.append(f"{match} -m state --state RELATED,ESTABLISHED -m {protocol} --sport {port} -j ACCEPT")
        lines.append("DOCKER-INGRESS -j RETURN")
    for name, subnet, internal, _ in bridges:
        if internal:
            lines.append(f"DOCKER-ISOLATION-STAGE-1 ! -s {subnet} -o {name} -j DROP")
            lines.append(f"DOCKER-ISOLATION-STAGE-1 ! -d {subnet} -i {name} -j DROP")
        else:
            lines.append(f"DOCKER-ISOLATION-STAGE-1 -i {name} ! -o {name} -j DOCKER-ISOLATION-STAGE-2")
    lines.append("DOCKER-ISOLATION-STAGE-1 -j RETURN")
    lines += [f"DOCKER-ISOLATION-STAGE-2 -o {each.name} -j DROP" for each in bridges if not each.internal]
    lines += ["DOCKER-ISOLATION-STAGE-2 -j RETURN", "DOCKER-USER -j RETURN"]
    own = ["DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"]
    return _table("filter", FILTER, [*own, "DOCKER-INGRESS"] if meshes else own, lines, drops="FORWARD")


def _nat(
    bridges: Sequence[Bridge],
    published: Sequence[Published],
    ports: Sequence[tuple[str, int]],
    meshes: bool,
    ingress_address: str,
) -> Table:
    out = [each for each in bridges if not each.internal]
    lines = [f"PREROUTING {TO_LOCAL} -j DOCKER-INGRESS"] if meshes else []
    lines.append(f"PREROUTING {TO_LOCAL} -j DOCKER")
    if meshes:
        lines.append(f"OUTPUT {TO_LOCAL} -j DOCKER-INGRESS")
    lines.append(f"OUTPUT ! -d 127.0.0.0/8 {TO_LOCAL} -j DOCKER")
    if meshes:
        gateway = next(each.name for each in bridges if each.separates)
        lines.append(f"POSTROUTING -o {gateway} -m addrtype --src-type LOCAL -j MASQUERADE")
    lines += [f"POSTROUTING -s {subnet} ! -o {name} -j MASQUERADE" for name, subnet, _, _ in out]
    lines += [
        f"POSTROUTING -s {to}/32 -d {to}/32 -p {protocol} -m {protocol} --dport {target} -j MASQUERADE"
        for protocol, _, _, to, target in published
    ]
    lines += [f"DOCKER -i {each.name} -j RETURN" for each in out]
    lines += [
        f"DOCKER ! -i {bridge} -p {protocol} -m {protocol} --dport {port} -j DNAT --to-destination {to}:{target}"
        for protocol, port, bridge, to, target in published
    ]
    if meshes:
        lines += [
            f"DOCKER-INGRESS -p {protocol} -m {protocol} --dport {port} -j DNAT --to-destination {ingress_address}:{port}"
            for protocol, port in ports
        ]
        lines.append("DOCKER-INGRESS -j RETURN")
    return _table("nat", NAT, ["DOCKER", "DOCKER-INGRESS"] if meshes else ["DOCKER"], lines)


def _vxlan(id: int, udp: bool = True) -> str:
    """What matches the packets of an overlay by the id in their VXLAN header."""
    match = f'-m udp --dport {VXLAN_PORT} -m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00={id << 8:#x}"'
    return f"-p udp {match}" if udp else match


def balancer(sandbox: Sandbox, subnet: str, resolver: tuple[int, int]) -> tuple[Table, ...]:
    """Of a load balancer's namespace: marks by port and by virtual address, and the node's own address in the client's place."""
    nat = _names(resolver)
    if sandbox.masquerades:
        at = [line.startswith("DOCKER") for line in nat].index(True)
        nat.insert(at, f"POSTROUTING -d {subnet} -m ipvs --ipvs -j SNAT --to-source {sandbox.address}")
    marks = [
        f"PREROUTING -p {protocol} -m {protocol} --dport {port} -j MARK --set-xmark {mark:#x}/0xffffffff"
        for (protocol, port), mark in sandbox.ports.items()
    ]
    marks += [
        f"INPUT -d {vip}/32 -j MARK --set-xmark {mark:#x}/0xffffffff" for vip, mark in sandbox.virtual_ips.items()
    ]
    tables = [_table("mangle", MANGLE, (), marks)] if sandbox.masquerades else []
    return (*tables, _table("nat", NAT, ("DOCKER_OUTPUT", "DOCKER_POSTROUTING"), nat))


def container(address: str, ports: Sequence[PortConfig], resolver: tuple[int, int] | None) -> tuple[Table, ...]:
    """Of a container's namespace: ``address`` is its own on the ingress network, to which only published ports are open."""
    if resolver is None:
        return ()
    nat, tables = _names(resolver), []
    if ports and address:
        nat[:0] = [
            f"PREROUTING -d {address}/32 -p {port.protocol} -m {port.protocol} --dport {port.published_port} "
            f"-j REDIRECT --to-ports {port.target_port}"
            for port in ports
        ]
        lines = []
        for chain, side, port_of, states in (
            ("INPUT", "-d", "--dport", "NEW,ESTABLISHED"),
            ("OUTPUT", "-s", "--sport", "ESTABLISHED"),
        ):
            lines += [
                f"{chain} {side} {address}/32 -p {port.protocol} -m {port.protocol} {port_of} {port.target_port} "
                f"-m conntrack --ctstate {states} -j ACCEPT"
                for port in reversed(ports)
            ]
            lines += [f"{chain} {side} {address}/32 -p {protocol} -j DROP" for protocol in EVERY_PROTOCOL]
        tables.append(_table("filter", FILTER, (), lines))
    return (*tables, _table("nat", NAT, ("DOCKER_OUTPUT", "DOCKER_POSTROUTING"), nat))


def _names(resolver: tuple[int, int]) -> list[str]:
    """What leads questions for names to the daemon, which listens in the namespace on ports of TCP and UDP."""
    of = tuple(zip(("tcp", "udp"), resolver, strict=True))
    lines = ["OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT", "POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING"]
    lines += [
        f"DOCKER_OUTPUT -d 127.0.0.11/32 -p {protocol} -m {protocol} --dport 53 -j DNAT --to-destination 127.0.0.11:{port}"
        for protocol, port in of
    ]
    lines += [
        f"DOCKER_POSTROUTING -s 127.0.0.11/32 -p {protocol} -m {protocol} --sport {port} -j SNAT --to-source :53"
        for protocol, port in of
    ]
    return lines
