"""Calls about secrets, configs, networks and volumes (moby api/server/router/swarm, network, volume)."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes import swarm as api
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import SECOND, SecretSpec, ServiceSpec, replace
from swarmsim.engine import filters as keep
from swarmsim.engine import present, presentlocal, texts
from swarmsim.engine.calls import Calls, find
from swarmsim.engine.convert import network_spec
from swarmsim.engine.localresources import GATEWAY_BRIDGE, LocalNetwork, Volume
from swarmsim.engine.overlays import Endpoint, Half, peer_name
from swarmsim.go.duration import parse_duration
from swarmsim.sim.future import Activity
from swarmsim.sim.method import Method
from swarmsim.sim.streams import hex_id
from swarmsim.swarm.addresses import AddressPool, IPv4
from swarmsim.swarm.api import control
from swarmsim.swarm.objects import Config, Network, NetworkSpec, Pool, Role, Secret

NETWORK_DRIVERS = ("bridge", "host", "ipvlan", "macvlan", "null", "overlay")
ON_EVERY_NODE = ("bridge", "host")
"""The swarm knows them as networks of its nodes (SwarmKit manager/allocator/network.go PredefinedNetworks)."""
PLUGIN_TIMEOUT = 15.0  # seconds, pkg/plugins/client.go defaultTimeOut: so long a plugin is looked for


class _SecretCalls(NamedTuple):
    list: Method[control.ListSecretsRequest, control.ListSecretsResponse]
    create: Method[control.CreateSecretRequest, control.CreateSecretResponse]
    update: Method[control.UpdateSecretRequest, None]
    remove: Method[control.RemoveSecretRequest, None]


SECRET_CALLS = {
    "secret": _SecretCalls(control.LIST_SECRETS, control.CREATE_SECRET, control.UPDATE_SECRET, control.REMOVE_SECRET),
    "config": _SecretCalls(control.LIST_CONFIGS, control.CREATE_CONFIG, control.UPDATE_CONFIG, control.REMOVE_CONFIG),
}


class ResourceCalls(Calls):
    """``kind`` is ``secret`` or ``config``: the two differ in nothing but what ``inspect`` shows."""

    # -- secrets and configs

    def secret_list(self, kind: str) -> Activity[list[api.Secret | api.Config]]:
        yield from self._request()
        return [present.secret(obj) for obj in (yield from self._secrets(kind))]

    def secret_create(self, kind: str, spec: SecretSpec) -> Activity[str]:
        """Returns the id."""
        yield from self._request()
        created = yield from self._control(SECRET_CALLS[kind].create, control.CreateSecretRequest(spec))
        return created.secret.id

    def secret_inspect(self, kind: str, reference: str) -> Activity[api.Secret | api.Config]:
        yield from self._request()
        return present.secret((yield from self._secret(kind, reference)))

    def secret_update(self, kind: str, id: str, version: int, spec: SecretSpec) -> Activity[None]:
        yield from self._request()
        yield from self._control(SECRET_CALLS[kind].update, control.UpdateSecretRequest(id, version, spec))

    def secret_remove(self, kind: str, reference: str) -> Activity[None]:
        yield from self._request()
        obj = yield from self._secret(kind, reference)
        yield from self._control(SECRET_CALLS[kind].remove, control.RemoveSecretRequest(obj.id))

    def _secrets(self, kind: str) -> Activity[list[Secret | Config]]:
        return (yield from self._control(SECRET_CALLS[kind].list, control.ListSecretsRequest())).secrets

    def _secret(self, kind: str, reference: str) -> Activity[Secret | Config]:
        found = yield from self._secrets(kind)
        return find(kind, reference, [(obj.id, obj.name, obj) for obj in found])

    # -- networks

    def network_list(self) -> Activity[list[engineapi.Network]]:
        """All networks this engine knows: the swarm's on a manager, and its own, of which some are halves of the swarm's."""
        yield from self._request()
        return [presentlocal.network(network) for network in (yield from self._networks())]

    def _listed(self) -> Activity[list[Network]]:
        return (yield from self._control(control.LIST_NETWORKS, control.ListNetworksRequest())).networks

    def _swarm_networks(self) -> Activity[list[Network]]:
        node = self.engine.node
        if node is None or node.control is None:
            return []
        return (yield from self._listed())

    def _networks(self) -> Activity[list[Network | LocalNetwork | Half]]:
        swarm: list[Network] = yield from self._swarm_networks()
        ids = {network.id for network in swarm}
        ids |= set(self.engine.dataplane.opening)
        halves = [half for id, half in self.engine.overlays.halves.items() if id not in ids]
        return [*self.engine.networks.values(), *halves, *swarm]

    def _network(self, reference: str) -> Activity[Network | LocalNetwork | Half]:
        """What is here comes before what the swarm has: it says who is on it."""
        halves = self.engine.overlays.halves
        networks = yield from self._networks()
        entries = [(network.id, network.name, network) for network in networks]
        found: Network | LocalNetwork | Half = find("network", reference, entries)
        return halves.get(found.id, found)

    def network_inspect(self, reference: str, scope: str = "", verbose: bool = False) -> Activity[engineapi.Network]:
        """With the scope ``swarm`` an engine's own networks are not known, but for those that each has. ``verbose``: also which
        endpoints elsewhere this engine has heard of."""
        yield from self._request()
        network = yield from self._network(reference)
        if scope == "swarm" and isinstance(network, LocalNetwork) and network.name not in ON_EVERY_NODE:
            raise texts.NOT_FOUND.refusal(kind="network", reference=reference)
        overlays = self.engine.overlays
        shown = presentlocal.network(network)
        if isinstance(network, Half):
            ends = presentlocal.endpoints(overlays.endpoints(network))
            services = presentlocal.services(self.engine.dataplane, network.id) if verbose else None
            return replace(shown, containers=ends, peers=self._peers(network), services=services)
        if isinstance(network, LocalNetwork):
            return replace(shown, containers=presentlocal.endpoints(self._ends(network)))
        return shown

    def _ends(self, network: LocalNetwork) -> list[Endpoint]:
        """Who is on one of this engine's own networks."""
        if network.name == GATEWAY_BRIDGE[0]:
            return self.engine.overlays.gateways()
        return []

    def _peers(self, half: Half) -> list[engineapi.PeerInfo]:
        """The nodes that gossip about the network, as this one knows them; where gossip is left out, those it reaches that have it."""
        ctx, own = self.host.ctx, self.host
        if self.engine.gossip is not None:
            return [
                engineapi.PeerInfo(name=peer.name, ip=peer.address)
                for peer in self.engine.gossip.db.peers(half.network.id)
            ]
        found = []
        for other in ctx.hosts.values():
            overlays = other.disk.get("overlays")
            theirs = overlays.halves.get(half.network.id) if overlays is not None else None
            if theirs is not None and (other is own or (other.powered and ctx.fabric.reaches(own.name, other.name))):
                found.append((theirs.created_at, other))
        found.sort(key=lambda each: (each[0], each[1].name))
        seed = ctx.streams.seed
        return [engineapi.PeerInfo(name=peer_name(other.name, seed), ip=other.address) for _, other in found]

    def network_create(self, request: engineapi.NetworkCreateRequest) -> Activity[str]:
        """Returns the id; only overlay networks are the swarm's, others stay on this engine."""
        yield from self._request()
        spec = network_spec(request)
        for pool in spec.pools:
            try:
                subnet = ipaddress.ip_network(pool.subnet, strict=False)
                if "/" not in pool.subnet:
                    raise ValueError
            except ValueError:
                raise texts.BAD_SUBNET.refusal(subnet=pool.subnet) from None
            if subnet.version == 6:
                raise ApiError(501, f"swarmsim: IPv6 subnets like {pool.subnet} are real, but not modelled yet")
        if any(network.name == spec.name for network in (yield from self._networks())):
            raise texts.NETWORK_EXISTS.refusal(name=spec.name)
        if spec.driver not in NETWORK_DRIVERS:
            yield PLUGIN_TIMEOUT
            raise texts.NO_PLUGIN.refusal(name=spec.driver)
        if spec.driver == "overlay":
            if request.scope == "local":
                raise texts.DOWNGRADE.refusal(driver=spec.driver)
            if self.engine.node is not None and self.engine.node.certificate.role is Role.WORKER:
                raise texts.ON_A_WORKER.refusal()
            self._manager()
            created = yield from self._control(control.CREATE_NETWORK, control.CreateNetworkRequest(spec))
            return created.network.id
        if spec.driver in ("host", "null"):
            raise texts.ONE_INSTANCE.refusal(driver=spec.driver)
        if request.scope == "swarm" or spec.driver != "bridge":
            what = f"a network of driver {spec.driver}{' and scope swarm' if request.scope == 'swarm' else ''}"
            raise ApiError(501, f"swarmsim: {what} is real, but not modelled yet")
        if request.scope not in ("", "local"):
            raise texts.NOT_IN_SWARM.refusal()
        if spec.ingress:
            raise texts.LOCAL_INGRESS.refusal()
        spec = replace(spec, pools=self._local_pools(spec))
        local = LocalNetwork(hex_id(self.engine.ids), self.host.wall.now, spec)
        self.engine.networks[local.id] = local
        return local.id

    def _local_pools(self, spec: NetworkSpec) -> tuple[Pool, ...]:
        """The wanted pools, or one of docker's own, with their gateways. Raises :class:`ApiError`."""
        wanted = spec.pools or (self.engine.local_subnet(),)
        taken = [IPv4(p.subnet, strict=False) for each in self.engine.networks.values() for p in each.spec.pools]
        if any(IPv4(pool.subnet, strict=False).overlaps(other) for pool in wanted for other in taken):
            raise texts.POOL_OVERLAPS.refusal()
        return tuple(replace(pool, gateway=AddressPool(pool).gateway) for pool in wanted)

    def network_prune(self, filters: Filters) -> Activity[list[str]]:
        """Remove what nobody uses: of the swarm's networks on a manager, then of this engine's (daemon/prune.go). Returns their
        names."""
        yield from self._request()
        deleted = []
        limit = self._until(filters)
        swarm: list[Network] = yield from self._swarm_networks()
        for network in swarm:
            old = limit is None or network.meta.created_at < limit
            if network.spec.ingress or not old or not keep.prunable(network.spec.labels, filters):
                continue
            try:
                yield from self._control(control.REMOVE_NETWORK, control.RemoveNetworkRequest(network.id))
            except ApiError as error:
                if "is in use" not in error.message:
                    raise
            else:
                deleted.append(network.name)
        for local in list(self.engine.networks.values()):
            old = limit is None or local.created_at < limit
            if old and not local.predefined and not self._ends(local) and keep.prunable(local.spec.labels, filters):
                del self.engine.networks[local.id]
                deleted.append(local.name)
        return deleted

    def _until(self, filters: Filters) -> float | None:
        """Before which moment a network must have been made, in simulated seconds. Raises :class:`ApiError`."""
        values = filters.values("until")
        if not values:
            return None
        if len(values) > 1:
            raise ApiError(400, "more than one until filter specified")
        try:
            return self.host.clock.now - parse_duration(values[0]) / SECOND
        except ValueError as problem:
            raise ApiError(400, str(problem)) from None

    def network_remove(self, reference: str) -> Activity[None]:
        yield from self._request()
        network = yield from self._network(reference)
        if isinstance(network, LocalNetwork):
            if self._ends(network) and (network.name == GATEWAY_BRIDGE[0] or not network.predefined):
                raise texts.ACTIVE_ENDPOINTS.refusal(name=network.name, id=network.id)
            if network.predefined and network.name != GATEWAY_BRIDGE[0]:
                raise texts.PREDEFINED_REMOVE.refusal(name=network.name)
            del self.engine.networks[network.id]
            return
        yield from self._control(control.REMOVE_NETWORK, control.RemoveNetworkRequest(network.id))

    def with_network_ids(self, spec: ServiceSpec) -> Activity[ServiceSpec]:
        """The spec with the ids of its networks for their names (cluster/networks.go populateNetworkID). Raises
        :class:`ApiError`: a network that is only left on this engine is none of the swarm's."""
        if not spec.task.networks:
            return spec
        listed = [(network.id, network.name, network) for network in (yield from self._listed())]
        targets = []
        for each in spec.task.networks:
            try:
                target = find("network", each.target, listed).id
            except ApiError:
                local = next((n for n in self.engine.networks.values() if each.target in (n.id, n.name)), None)
                if local is None:
                    raise
                if not local.predefined:
                    raise texts.NOT_FOR_SERVICES.refusal(name=local.name) from None
                target = local.id
            targets.append(replace(each, target=target))
        return replace(spec, task=replace(spec.task, networks=targets))

    # -- volumes

    def volume_list(self) -> Activity[list[engineapi.Volume]]:
        yield from self._request()
        return [presentlocal.volume(volume) for _, volume in sorted(self.engine.volumes.items())]

    def volume_create(self, request: engineapi.VolumeCreateRequest) -> Activity[engineapi.Volume]:
        """Returns the volume; one that is there already is not made again, one without a name gets a random one."""
        yield from self._request()
        driver = request.driver or "local"
        if driver != "local":
            yield PLUGIN_TIMEOUT
            raise texts.NO_VOLUME_DRIVER.refusal(volume=request.name, name=driver)
        name = request.name or hex_id(self.engine.ids)
        return presentlocal.volume(self.engine.volume(name, request.labels or None, request.options or None))

    def volume_inspect(self, reference: str) -> Activity[engineapi.Volume]:
        yield from self._request()
        return presentlocal.volume(self._volume(reference))

    def volume_remove(self, reference: str, force: bool) -> Activity[None]:
        yield from self._request()
        if force and reference not in self.engine.volumes:
            return
        volume = self._volume(reference)
        users = [c.id for c in self.engine.containers.values() if volume.name in c.volumes]
        if users:
            raise texts.VOLUME_IN_USE.refusal(name=volume.name, users=", ".join(users))
        del self.engine.volumes[volume.name]

    def _volume(self, reference: str) -> Volume:
        volume = self.engine.volumes.get(reference)
        if volume is None:
            raise texts.NO_SUCH_VOLUME.refusal(name=reference)
        return volume
