"""Calls about secrets, configs, networks and volumes (moby api/server/router/swarm, network, volume)."""

from __future__ import annotations

import ipaddress
from typing import Any, NamedTuple

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import SecretSpec
from swarmsim.engine.calls import Calls, find
from swarmsim.engine.convert import network_spec
from swarmsim.engine.jsonforms import Json, network_json, secret_json
from swarmsim.engine.localresources import LocalNetwork, Volume
from swarmsim.sim.future import Activity
from swarmsim.sim.method import Method
from swarmsim.sim.streams import hex_id
from swarmsim.swarm.api import control
from swarmsim.swarm.objects import Config, Network, NetworkSpec, Secret

NETWORK_DRIVERS = ("bridge", "host", "ipvlan", "macvlan", "null", "overlay")


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

    def secret_list(self, kind: str) -> Activity[Any]:
        yield from self._request()
        return [secret_json(obj) for obj in (yield from self._secrets(kind))]

    def secret_create(self, kind: str, spec: SecretSpec) -> Activity[Any]:
        """Returns the id."""
        yield from self._request()
        created = yield from self._control(SECRET_CALLS[kind].create, control.CreateSecretRequest(spec))
        return created.secret.id

    def secret_inspect(self, kind: str, reference: str) -> Activity[Any]:
        yield from self._request()
        return secret_json((yield from self._secret(kind, reference)))

    def secret_update(self, kind: str, id: str, version: int, spec: SecretSpec) -> Activity[Any]:
        yield from self._request()
        yield from self._control(SECRET_CALLS[kind].update, control.UpdateSecretRequest(id, version, spec))

    def secret_remove(self, kind: str, reference: str) -> Activity[Any]:
        yield from self._request()
        obj = yield from self._secret(kind, reference)
        yield from self._control(SECRET_CALLS[kind].remove, control.RemoveSecretRequest(obj.id))

    def _secrets(self, kind: str) -> Activity[list[Secret | Config]]:
        return (yield from self._control(SECRET_CALLS[kind].list, control.ListSecretsRequest())).secrets

    def _secret(self, kind: str, reference: str) -> Activity[Secret | Config]:
        found = yield from self._secrets(kind)
        return find(kind, reference, [(obj.id, obj.name, obj) for obj in found])

    # -- networks

    def network_list(self) -> Activity[Any]:
        """All networks this engine knows: its own, and of the swarm's on a manager all, on a worker those in use."""
        yield from self._request()
        return [network_json(network) for network in (yield from self._networks())]

    def _listed(self) -> Activity[list[Network]]:
        return (yield from self._control(control.LIST_NETWORKS, control.ListNetworksRequest())).networks

    def _swarm_networks(self) -> Activity[list[Network]]:
        node = self.engine.node
        if node is None:
            return []
        if node.control is not None:
            return (yield from self._listed())
        used = {each.network_id: each for task in node.tasks for each in task.networks}
        return [Network(id=id, spec=NetworkSpec(name=each.name, driver=each.driver)) for id, each in used.items()]

    def _networks(self) -> Activity[Any]:
        swarm: list[Network] = yield from self._swarm_networks()
        return [*self.engine.networks.values(), *swarm]

    def _network(self, reference: str) -> Activity[Any]:
        networks: list[Network | LocalNetwork] = yield from self._networks()
        return find("network", reference, [(network.id, network.name, network) for network in networks])

    def network_inspect(self, reference: str) -> Activity[Any]:
        yield from self._request()
        return network_json((yield from self._network(reference)))

    def network_create(self, request: engineapi.NetworkCreateRequest) -> Activity[str]:
        """Returns the id; only overlay networks are the swarm's, others stay on this engine."""
        yield from self._request()
        spec = network_spec(request)
        if spec.subnet:
            try:
                ipaddress.ip_network(spec.subnet, strict=False)
            except ValueError:
                raise ApiError(400, f"Invalid subnet {spec.subnet} : invalid CIDR address: {spec.subnet}") from None
        if spec.driver not in NETWORK_DRIVERS:
            raise ApiError(404, f'plugin "{spec.driver}" not found')
        if any(network.name == spec.name for network in self.engine.networks.values()):
            raise ApiError(409, f"network with name {spec.name} already exists")
        if spec.driver == "overlay":
            self._manager()
            existing = yield from self._listed()
            if any(network.name == spec.name for network in existing):
                raise ApiError(409, f"network with name {spec.name} already exists")
            created = yield from self._control(control.CREATE_NETWORK, control.CreateNetworkRequest(spec))
            return created.network.id
        if spec.driver in ("host", "null"):
            raise ApiError(403, f'only one instance of "{spec.driver}" network is allowed')
        local = LocalNetwork(hex_id(self.engine.ids), self.host.clock.now, spec)
        self.engine.networks[local.id] = local
        return local.id

    def network_remove(self, reference: str) -> Activity[Any]:
        yield from self._request()
        network: Network | LocalNetwork = yield from self._network(reference)
        if isinstance(network, LocalNetwork):
            if network.predefined:
                raise ApiError(403, f"{network.name} is a pre-defined network and cannot be removed")
            del self.engine.networks[network.id]
            return
        yield from self._control(control.REMOVE_NETWORK, control.RemoveNetworkRequest(network.id))

    # -- volumes

    def volume_list(self) -> Activity[Any]:
        yield from self._request()
        return [volume.json() for _, volume in sorted(self.engine.volumes.items())]

    def volume_create(self, request: engineapi.VolumeCreateRequest) -> Activity[Json]:
        """Returns the volume; one that is there already is not made again, one without a name gets a random one."""
        yield from self._request()
        driver = request.driver or "local"
        if driver != "local":
            raise ApiError(400, f'error looking up volume plugin {driver}: plugin "{driver}" not found')
        name = request.name or hex_id(self.engine.ids)
        return self.engine.volume(name, request.labels or None, request.options or None).json()

    def volume_inspect(self, reference: str) -> Activity[Any]:
        yield from self._request()
        return self._volume(reference).json()

    def volume_remove(self, reference: str, force: bool) -> Activity[Any]:
        yield from self._request()
        if force and reference not in self.engine.volumes:
            return
        volume = self._volume(reference)
        users = [c.id for c in self.engine.containers.values() if volume.name in c.volumes]
        if users:
            raise ApiError(409, f"remove {volume.name}: volume is in use - [{', '.join(users)}]")
        del self.engine.volumes[volume.name]

    def _volume(self, reference: str) -> Volume:
        volume = self.engine.volumes.get(reference)
        if volume is None:
            raise ApiError(404, f"get {reference}: no such volume")
        return volume
