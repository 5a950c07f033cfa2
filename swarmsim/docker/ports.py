"""Ports in their short form: ``127.0.0.1:8000-8002:80-82/udp`` (go-connections/nat, opts/swarmopts)."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from swarmsim.go.strconv import parse_uint


class Binding(NamedTuple):
    """One port of a container; ``host`` is a port, a range for one of its ports, or nothing."""

    ip: str
    host: str
    port: int
    protocol: str

    @property
    def warning(self) -> str:
        """Swarm publishes on every address."""
        if not self.ip or ipaddress.ip_address(self.ip).is_unspecified:
            return ""
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"ignoring IP-address ({ip}:{self.host}:{self.port}/{self.protocol}) service will listen on '0.0.0.0'"

    @property
    def published(self) -> list[int]:
        first, last = _range(self.host) if self.host else (0, 0)
        return list(range(first, last + 1))


def parse_port_spec(text: str) -> list[Binding]:
    """Raises :class:`ValueError` in docker's words."""
    *before, container = text.split(":")
    host = before.pop() if before else ""
    ip = ":".join(before)
    number, slash, protocol = container.partition("/")
    protocol = protocol.partition("/")[0] if number else ""
    if number and not (slash and protocol):
        protocol = "tcp"
    ip = _address(ip)
    if not number:
        raise ValueError(f"no port specified: {text}<empty>")
    first, last = _checked(number, "containerPort")
    first_host, last_host = _checked(host, "hostPort") if host else (0, 0)
    if host and last - first != last_host - first_host and first != last:
        raise ValueError(f"invalid ranges specified for container and host Ports: {number} and {host}")
    if protocol.lower() not in ("tcp", "udp", "sctp"):
        raise ValueError(f"invalid proto: {protocol}")
    bindings = []
    for offset in range(last - first + 1):
        shown = str(first_host + offset) if host else ""
        if first == last and first_host != last_host:
            shown = f"{shown}-{last_host}"
        bindings.append(Binding(ip, shown, first + offset, protocol.lower()))
    return bindings


def _address(ip: str) -> str:
    bare = ip[1:-1] if ip.startswith("[") and ip.endswith("]") else ip
    try:
        if bare:
            ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(f"invalid IP address: {bare}") from None
    return bare


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    start = parse_uint(first, bits=16)
    end = parse_uint(last.partition("-")[0], bits=16) if dash else start
    if end < start:
        raise ValueError(f"invalid range specified for port: {text}")
    return start, end


def _checked(text: str, what: str) -> tuple[int, int]:
    try:
        return _range(text)
    except ValueError:
        raise ValueError(f"invalid {what}: {text}") from None
