"""What a daemon makes of the endpoints it knows: load balancers, names, published ports (libnetwork service_common.go).

An endpoint of a service is *added* when its task runs, *disabled* when the task is to stop, *removed* when its container is gone. Its
own node does so itself; the others hear of it by networkdb.

=========  =======================================  ===========================================================
endpoint   load balancer of the network             names
=========  =======================================  ===========================================================
added      a destination of weight 1; with the      its own, ``tasks.SERVICE``; with the first ``SERVICE``
           first one the virtual service comes,
           and on the ingress network the ports
disabled   weight 0                                 all gone but ``SERVICE`` with a virtual address
removed    gone; with the last one (disabled ones   with the last one ``SERVICE`` too
           count) the virtual service and the
           ports too
=========  =======================================  ===========================================================

An endpoint of no service, a plain container's, has names of its own and no more.

Two endpoints may have one address for a moment, when an address was given out again before everybody heard of it: then what is done
to the address waits for the last of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from swarmsim.apitypes.specs import PortConfig
from swarmsim.network.icmp import RateLimit
from swarmsim.network.loadbalancer import FIRST_MARK, LoadBalancer
from swarmsim.network.records import EndpointRecord
from swarmsim.network.resolver import Names

PortKey = tuple[str, int]
"""Protocol and published port."""


class Sandbox:
    """The load-balancing namespace of one network on one node (``ingress_sbox``, ``lb_NETWORK``), and its names.

    ``address`` is the node's own on the network: what is sent on has it as its source. ``encrypted``: what goes to other nodes is wrapped in ESP.
    """

    __slots__ = (
        "address",
        "encrypted",
        "ingress",
        "load_balancer",
        "masquerades",
        "names",
        "ports",
        "target_ports",
        "unreachable",
        "virtual_ips",
    )

    def __init__(self, address: str, ingress: bool, encrypted: bool = False) -> None:
        self.address = address
        self.encrypted = encrypted
        self.ingress = ingress
        self.load_balancer = LoadBalancer()
        self.masquerades = False
        """Whether there has ever been something to balance: the rule that the node's address takes the client's place stays."""
        self.names = Names()
        self.unreachable = RateLimit()
        """Of the messages that a port cannot be reached."""
        self.ports: dict[PortKey, int] = {}
        """Marks by published port, on the ingress network."""
        self.target_ports: dict[PortKey, int] = {}
        """The port of the tasks behind a published one."""
        self.virtual_ips: dict[str, int] = {}
        """Marks by virtual address."""

    def publish(self, ports: tuple[PortConfig, ...], mark: int) -> None:
        for port in ports:
            self.ports[port.protocol, port.published_port] = mark
            self.target_ports[port.protocol, port.published_port] = port.target_port

    def withdraw(self, ports: tuple[PortConfig, ...], mark: int) -> None:
        for port in ports:
            if self.ports.get((port.protocol, port.published_port)) == mark:
                del self.ports[port.protocol, port.published_port]
                del self.target_ports[port.protocol, port.published_port]


class _Balanced:
    """A service on one network: its mark, and its endpoints' addresses. ``disabled`` are those being stopped."""

    __slots__ = ("disabled", "endpoints", "mark")

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.endpoints: dict[str, str] = {}
        self.disabled: set[str] = set()


class _Bound:
    """A service with one set of published ports: per network what it is balanced over; which endpoints have an address."""

    __slots__ = ("by_address", "by_network")

    def __init__(self) -> None:
        self.by_network: dict[str, _Balanced] = {}
        self.by_address: dict[str, set[str]] = {}


ServiceKey = tuple[str, tuple[PortConfig, ...]]


class ServiceBindings:
    """Of one daemon. Networks are known by their ids; endpoints on one that has no :meth:`sandbox` here are not heard of."""

    __slots__ = ("_bound", "_next_mark", "sandboxes")

    def __init__(self) -> None:
        self.sandboxes: dict[str, Sandbox] = {}
        self._bound: dict[ServiceKey, _Bound] = {}
        self._next_mark = FIRST_MARK

    def open(self, network: str, address: str, *, ingress: bool = False, encrypted: bool = False) -> Sandbox:
        """This node is on a network now, with this address of its own."""
        return self.sandboxes.setdefault(network, Sandbox(address, ingress, encrypted))

    def close(self, network: str) -> None:
        """This node is on it no more; all that was known of it is gone."""
        if self.sandboxes.pop(network, None) is None:
            return
        for key, bound in list(self._bound.items()):
            balanced = bound.by_network.pop(network, None)
            if balanced is not None:
                for endpoint, address in balanced.endpoints.items():
                    _forget(bound.by_address, address, endpoint)
            if not bound.by_network:
                del self._bound[key]

    def add(self, network: str, endpoint: EndpointRecord) -> None:
        sandbox = self.sandboxes.get(network)
        if sandbox is None:
            return
        if not endpoint.service_id:
            self._name(sandbox, endpoint, first=False)
            return
        bound = self._bound.setdefault(_key(endpoint), _Bound())
        balanced = bound.by_network.get(network)
        first = balanced is None
        if balanced is None:
            balanced = bound.by_network[network] = _Balanced(self._next_mark)
            self._next_mark += 1
        balanced.endpoints[endpoint.endpoint_id] = endpoint.address
        balanced.disabled.discard(endpoint.endpoint_id)
        bound.by_address.setdefault(endpoint.address, set()).add(endpoint.endpoint_id)
        if endpoint.vip:
            service = sandbox.load_balancer.services.get(balanced.mark)
            if service is None:
                service = sandbox.load_balancer.add_service(balanced.mark)
                sandbox.masquerades = True
                sandbox.virtual_ips[endpoint.vip] = balanced.mark
                if sandbox.ingress:
                    sandbox.publish(endpoint.ingress_ports, balanced.mark)
            service.add(endpoint.address)
        self._name(sandbox, endpoint, first)

    def disable(self, network: str, endpoint: EndpointRecord) -> None:
        self._take_out(network, endpoint, full=False)

    def remove(self, network: str, endpoint: EndpointRecord) -> None:
        self._take_out(network, endpoint, full=True)

    def weight(self, network: str, endpoint: EndpointRecord) -> int | None:
        """The weight of the endpoint's address in its service's load balancer; ``None`` if it is not in there."""
        sandbox, bound = self.sandboxes.get(network), self._bound.get(_key(endpoint))
        balanced = bound.by_network.get(network) if bound is not None else None
        if sandbox is None or balanced is None:
            return None
        service = sandbox.load_balancer.services.get(balanced.mark)
        return service.weight(endpoint.address) if service is not None else None

    def mark(self, network: str, endpoint: EndpointRecord) -> int:
        """What marks packets for the endpoint's service here; 0 if it has none."""
        bound = self._bound.get(_key(endpoint))
        balanced = bound.by_network.get(network) if bound is not None else None
        return balanced.mark if balanced is not None else 0

    def knows(self, network: str, endpoint: EndpointRecord) -> bool:
        """Whether the endpoint is among those that get something new."""
        bound = self._bound.get(_key(endpoint))
        balanced = bound.by_network.get(network) if bound is not None else None
        return (
            balanced is not None
            and endpoint.endpoint_id in balanced.endpoints
            and endpoint.endpoint_id not in balanced.disabled
        )

    def _take_out(self, network: str, endpoint: EndpointRecord, full: bool) -> None:
        sandbox, key, id = self.sandboxes.get(network), _key(endpoint), endpoint.endpoint_id
        if sandbox is not None and not endpoint.service_id:
            self._unname(sandbox, endpoint, last=False, shared=True)
            return
        bound = self._bound.get(key)
        balanced = bound.by_network.get(network) if bound is not None else None
        if sandbox is None or bound is None or balanced is None or id not in balanced.endpoints:
            return
        if full:
            del balanced.endpoints[id]
            balanced.disabled.discard(id)
        else:
            balanced.disabled.add(id)
        last = not balanced.endpoints
        if last:
            del bound.by_network[network]
        shared = _forget(bound.by_address, endpoint.address, id)
        if endpoint.vip and not shared:
            self._unbalance(sandbox, endpoint, balanced.mark, last, full)
        self._unname(sandbox, endpoint, last, shared)
        if not bound.by_network:
            del self._bound[key]

    def _unbalance(self, sandbox: Sandbox, endpoint: EndpointRecord, mark: int, last: bool, full: bool) -> None:
        service = sandbox.load_balancer.services.get(mark)
        if service is not None:
            (service.remove if full else service.quiesce)(endpoint.address)
        if last:
            sandbox.load_balancer.remove_service(mark)
            if sandbox.virtual_ips.get(endpoint.vip) == mark:
                del sandbox.virtual_ips[endpoint.vip]
            if sandbox.ingress:
                sandbox.withdraw(endpoint.ingress_ports, mark)

    def _name(self, sandbox: Sandbox, endpoint: EndpointRecord, first: bool) -> None:
        if sandbox.ingress:
            return
        for known in (*_own_names(endpoint), *_service_names(endpoint, vip=first)):
            sandbox.names.add(*known)

    def _unname(self, sandbox: Sandbox, endpoint: EndpointRecord, last: bool, shared: bool) -> None:
        if sandbox.ingress:
            return
        for known in _own_names(endpoint):
            sandbox.names.remove(*known)
        if not shared:
            for known in _service_names(endpoint, vip=last):
                sandbox.names.remove(*known)


def _own_names(endpoint: EndpointRecord) -> Iterator[tuple[str, str, str]]:
    """What only this endpoint is called: name, whose it is, address."""
    for name in (endpoint.name, *endpoint.task_aliases):
        yield name, endpoint.endpoint_id, endpoint.address


def _service_names(endpoint: EndpointRecord, *, vip: bool) -> Iterator[tuple[str, str, str]]:
    """What it is called with the others of its service; the service's virtual address only with ``vip``."""
    if not endpoint.service_id:
        return  # a plain container's
    owner = endpoint.service_id
    for name in (endpoint.service_name, *endpoint.aliases):
        yield f"tasks.{name}", owner, endpoint.address
        if not endpoint.vip:
            yield name, owner, endpoint.address
        elif vip:
            yield name, owner, endpoint.vip


def _key(endpoint: EndpointRecord) -> ServiceKey:
    return endpoint.service_id, endpoint.ingress_ports


def _forget(by_address: dict[str, set[str]], address: str, endpoint: str) -> bool:
    """Take an endpoint from those that have an address; whether others have it."""
    owners = by_address.get(address)
    if owners is None:
        return False
    owners.discard(endpoint)
    if not owners:
        del by_address[address]
    return bool(owners)
