"""What is one host's own, as the Engine API shows it (moby daemon/inspect.go, container/state.go, daemon/network): a record of
:mod:`swarmsim.apitypes.engine` from each network, volume, container and event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle

from swarmsim.apitypes import engine as api
from swarmsim.apitypes.specs import PortConfig, replace
from swarmsim.engine.containers import Container
from swarmsim.engine.dataplane import DataPlane
from swarmsim.engine.events import EngineEvent
from swarmsim.engine.localresources import LocalNetwork, Volume, mountpoint
from swarmsim.engine.overlays import Endpoint, Half, endpoint_id, mac_address
from swarmsim.go.duration import NO_TIME
from swarmsim.go.units import human_duration
from swarmsim.sim.clock import EPOCH, timestamp
from swarmsim.sim.host import Host
from swarmsim.swarm.manager.allocator import VXLAN_IDS
from swarmsim.swarm.objects import Network, Pool

BRIDGE_OPTIONS = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
"""Of the bridge every engine has."""


# -- networks and volumes


def network(obj: Network | LocalNetwork | Half) -> api.Network:
    if isinstance(obj, Half):
        return replace(
            network(obj.network),
            created=timestamp(obj.created_at),
            containers={},
            labels=obj.network.spec.labels or {},
        )
    if isinstance(obj, LocalNetwork):
        return replace(
            _network(obj),
            created=timestamp(obj.created_at),
            scope="local",
            driver=obj.spec.driver,
            ipam=api.IPAM(driver="default", options=_ipam_options(obj), config=_pools(obj.spec.pools)),
            containers={},
            options=obj.spec.options or (BRIDGE_OPTIONS if obj.name == "bridge" else {}),
            labels=obj.spec.labels or {},
        )
    shown = replace(_network(obj), created=timestamp(obj.meta.created_at), scope="swarm", labels=obj.spec.labels)
    if not obj.pools:  # the allocator has not seen it yet, or had no room
        return shown
    vxlan = {VXLAN_IDS: ",".join(map(str, obj.vxlan_ids))} if obj.vxlan_ids else {}
    serial = {**obj.spec.ipam_options, "com.docker.network.ipam.serial": "true"} if obj.spec.ipam_options else None
    return replace(
        shown,
        driver=obj.spec.driver,
        ipam=api.IPAM(
            driver="default", options=serial, config=_pools([replace(each, reserved=None) for each in obj.pools])
        ),
        options={**(obj.spec.options or {}), **vxlan},
    )


def _network(obj: Network | LocalNetwork) -> api.Network:
    """What is the same of every network."""
    spec = obj.spec
    return api.Network(
        name=spec.name,
        id=obj.id,
        enable_ipv6=spec.ipv6,
        internal=spec.internal,
        attachable=spec.attachable,
        ingress=spec.ingress,
    )


def _pools(pools: Iterable[Pool]) -> list[api.IPAMConfig]:
    return [
        api.IPAMConfig(subnet=pool.subnet, ip_range=pool.ip_range, gateway=pool.gateway, aux=pool.reserved)
        for pool in pools
    ]


def _ipam_options(obj: LocalNetwork) -> dict[str, str] | None:
    """Networks that somebody made have options, if none."""
    return obj.spec.ipam_options or (None if obj.predefined else {})


def services(dataplane: DataPlane, network: str) -> dict[str, api.ServiceInfo]:
    """Of ``network inspect --verbose``: what the engine has heard of the network's endpoints, by service (libnetwork agent.go
    Services). Endpoints of containers that belong to none are under the empty name."""
    bindings = dataplane.kernel.bindings
    found: dict[str, api.ServiceInfo] = {}
    for endpoint, host in dataplane.known(network):
        task = api.NetworkTask(
            name=endpoint.name, endpoint_id=endpoint.endpoint_id, endpoint_ip=endpoint.address, info={"Host IP": host}
        )
        ports = [f"Target: {port.target_port}, Publish: {port.published_port}" for port in endpoint.ingress_ports]
        mark = bindings.mark(network, endpoint)
        info = found.get(endpoint.service_name) or api.ServiceInfo(
            vip=endpoint.vip or "<nil>", ports=ports, load_balancer=mark, tasks=[]
        )
        found[endpoint.service_name] = replace(info, tasks=[*(info.tasks or ()), task])
    return dict(sorted(found.items()))


def endpoints(ends: list[Endpoint]) -> dict[str, api.EndpointResource]:
    """Who is on a network, by the container's id or the load balancer's name."""
    return {end.key: _endpoint_resource(end) for end in ends}


def _endpoint_resource(end: Endpoint) -> api.EndpointResource:
    return api.EndpointResource(
        name=end.name,
        endpoint_id=endpoint_id(end.network, end.key),
        mac_address=mac_address(end.address or "0.0.0.0"),
        ipv4=end.address,
    )


def volume(obj: Volume) -> api.Volume:
    return api.Volume(
        created_at=timestamp(obj.created_at)[:19] + "Z",
        driver="local",
        labels=obj.labels,
        mountpoint=mountpoint(obj.name),
        name=obj.name,
        options=obj.options,
        scope="local",
    )


# -- containers


def container(obj: Container, now: float) -> api.Container:
    """A line of ``docker ps``; ``now`` in simulated seconds, for how long it is up (container/state.go)."""
    bound = [f"{port.target_port}/{port.protocol}" for port in obj.bindings]
    exposed = [port.partition("/") for port in obj.ports if port not in bound] if obj.state == "running" else []
    return api.Container(
        id=obj.id,
        names=[f"/{obj.name}"],
        image=obj.image,
        command=" ".join([*obj.command[:1], *(f"'{word}'" if " " in word else word for word in obj.command[1:])]),
        created=int(EPOCH.timestamp() + obj.host.wall.at(obj.created_at)),
        ports=[
            *(
                api.Port(ip=ip, private=port.target_port, public=port.published_port, type=port.protocol)
                for port, ip in _bound(obj)
            ),
            *(api.Port(private=int(number), type=protocol) for number, _, protocol in exposed),
        ],
        labels=obj.labels,
        state=obj.state,
        status=_status(obj, now),
        mounts=_mounts(obj),
    )


def _status(obj: Container, now: float) -> str:
    if obj.state == "running":
        health = {"starting": " (health: starting)", "healthy": " (healthy)", "unhealthy": " (unhealthy)"}
        return f"Up {human_duration(now - (obj.started_at or 0.0))}{health.get(obj.health, '')}"
    if obj.state == "exited":
        return f"Exited ({obj.exit_code}) {human_duration(now - (obj.finished_at or 0.0))} ago"
    return "Created"


def _mounts(obj: Container) -> list[api.MountPoint]:
    return [
        api.MountPoint(type="volume", name=name, source=mountpoint(name), driver="local", writable=True)
        for name in obj.volumes
    ]


def container_inspect(obj: Container) -> api.ContainerInspect:
    """As far as the model knows it."""
    running = obj.state == "running"
    return api.ContainerInspect(
        id=obj.id,
        created=_moment(obj.host, obj.created_at),
        path=obj.command[0] if obj.command else "",
        args=obj.command[1:],
        state=api.ContainerState(
            status=obj.state,
            running=running,
            pid=obj.pid if running else 0,
            exit_code=obj.exit_code,
            started_at=_moment(obj.host, obj.started_at),
            finished_at=_moment(obj.host, obj.finished_at),
            health=api.Health(status=obj.health, failing_streak=obj.failing_streak) if obj.health else None,
        ),
        name=f"/{obj.name}",
        driver="overlay2",
        platform="linux",
        mounts=_mounts(obj),
        config=api.ContainerConfig(
            hostname=obj.hostname, env=obj.env, command=obj.command, image=obj.image, labels=obj.labels
        ),
        network_settings=api.NetworkSettings(ports=_port_map(obj)),
    )


def _bound(obj: Container) -> Iterator[tuple[PortConfig, str]]:
    """Bindings and the addresses of the host they are at: each is there for IPv4, then for IPv6."""
    return zip(obj.bindings, cycle(("0.0.0.0", "::")), strict=False)


def _port_map(obj: Container) -> dict[str, list[api.PortBinding] | None]:
    """Which port of the container which ports of the host lead to."""
    ports: dict[str, list[api.PortBinding] | None] = dict.fromkeys(obj.ports)
    for port, ip in _bound(obj):
        name = f"{port.target_port}/{port.protocol}"
        binding = api.PortBinding(ip=ip, port=str(port.published_port))
        ports[name] = [*(ports.get(name) or ()), binding]
    return ports


def _moment(host: Host, seconds: float | None) -> str:
    """A simulated second as the host's clock had it."""
    return NO_TIME if seconds is None else timestamp(host.wall.at(seconds))


# -- events


def message(event: EngineEvent) -> api.Message:
    """The event as ``GET /events`` tells it; the first three fields only of containers."""
    nanoseconds = round((EPOCH.timestamp() + event.at) * 1e9)
    attributes = event.attributes
    of_container = event.type == "container"
    return api.Message(
        status=event.action if of_container else "",
        id=event.id if of_container else "",
        from_=attributes.get("image", "") if of_container else "",
        type=event.type,
        action=event.action,
        actor=api.Actor(id=event.id, attributes=attributes),
        scope=event.scope,
        time=nanoseconds // 10**9,
        time_nano=nanoseconds,
    )
