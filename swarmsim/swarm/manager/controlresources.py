"""The control API for secrets, configs and networks (manager/controlapi/secret.go, config.go, network.go)."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface

from swarmsim.apitypes.specs import ContainerSpec, NetworkAttachment, replace
from swarmsim.sim.future import Future
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError, invalid_argument
from swarmsim.sim.streams import new_id
from swarmsim.swarm.addresses import IPv4
from swarmsim.swarm.api import control
from swarmsim.swarm.manager.controlapi import ControlAPI, check_dns_name
from swarmsim.swarm.objects import Config, Network, NetworkSpec, Secret, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import NameConflict, Transaction

MAX_SECRET = 500 * 1024  # bytes, api/validation MaxSecretSize
MAX_CONFIG = 1000 * 1024  # bytes, MaxConfigSize
_NAME = re.compile(r"^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$")


def _check_name(name: str) -> None:
    if not name:
        raise invalid_argument("name must be provided")
    if len(name) > 64 or not _NAME.match(name):
        raise invalid_argument(
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]"
        )


def list_secrets(
    api: ControlAPI, table: type[Secret] | type[Config], request: control.ListSecretsRequest, call: CallInfo
) -> control.ListSecretsResponse:
    return control.ListSecretsResponse(list(api.store.table(table).values()))


def create_secret(
    api: ControlAPI,
    table: type[Secret] | type[Config],
    limit: int,
    request: control.CreateSecretRequest,
    call: CallInfo,
) -> Future[control.CreateSecretResponse]:
    spec = request.spec
    _check_name(spec.name)
    if not 0 < len(spec.data) < limit:
        raise invalid_argument(f"{table.table} data must be larger than 0 and less than {limit} bytes")
    obj = table(id=new_id(api.ids), spec=spec)

    def create(tx: Transaction) -> control.CreateSecretResponse:
        try:
            tx.create(obj)
        except NameConflict:
            raise RpcError("AlreadyExists", f"{table.table} {spec.name} already exists") from None
        return control.CreateSecretResponse(obj)

    return api.write(create)


def update_secret(
    api: ControlAPI, table: type[Secret] | type[Config], request: control.UpdateSecretRequest, call: CallInfo
) -> Future[None]:
    def update(tx: Transaction) -> None:
        obj = tx.get(table, request.secret_id)
        if obj is None:
            raise RpcError("NotFound", f"{table.table} {request.secret_id} not found")
        if request.spec.name != obj.spec.name or (request.spec.data and request.spec.data != obj.spec.data):
            raise invalid_argument("only updates to Labels are allowed")
        spec = replace(obj.spec, labels=request.spec.labels)
        tx.update(replace(obj, spec=spec, meta=replace(obj.meta, version=request.version)))

    return api.write(update)


def remove_secret(
    api: ControlAPI, table: type[Secret] | type[Config], request: control.RemoveSecretRequest, call: CallInfo
) -> Future[None]:
    id = request.secret_id

    def remove(tx: Transaction) -> None:
        obj = tx.get(table, id)
        if obj is None:
            raise RpcError("NotFound", f"could not find {table.table} {id}")
        users = [s.spec.name for s in tx.all(Service) if id in _referenced(s.spec.task.container, table)]
        if users:
            services = "service" if len(users) == 1 else "services"
            raise invalid_argument(
                f"{table.table} '{obj.name}' is in use by the following {services}: {', '.join(users)}"
            )
        tx.delete(table, id)

    return api.write(remove)


def _referenced(container: ContainerSpec, table: type[Secret] | type[Config]) -> list[str]:
    if table is Secret:
        return [secret.secret_id for secret in container.secrets or ()]
    return [config.config_id for config in container.configs or ()]


# -- networks


def _check_network(spec: NetworkSpec) -> None:
    """Refuse what SwarmKit refuses of a network, in its order (network.go validateNetworkSpec). Raises :class:`RpcError`."""
    if spec.attachable and spec.ingress:
        raise invalid_argument("ingress network cannot be attachable")
    check_dns_name(spec.name)
    for pool in spec.pools:
        subnet = IPv4(pool.subnet, strict=False)
        for what, text in (("range", pool.ip_range), ("gateway", pool.gateway)):
            if not text:
                continue
            try:
                address = IPv4Interface(text).ip
            except ValueError:
                raise invalid_argument(f"ipam configuration: invalid {what} {text}") from None
            if address not in subnet:
                raise invalid_argument(f"ipam configuration: subnet {pool.subnet} does not contain {what} {text}")


def list_networks(
    api: ControlAPI, request: control.ListNetworksRequest, call: CallInfo
) -> control.ListNetworksResponse:
    return control.ListNetworksResponse(list(api.store.table(Network).values()))


def create_network(
    api: ControlAPI, request: control.CreateNetworkRequest, call: CallInfo
) -> Future[control.CreateNetworkResponse]:
    spec = request.spec
    _check_network(spec)
    network = Network(id=new_id(api.ids), spec=spec)

    def create(tx: Transaction) -> control.CreateNetworkResponse:
        present = next((other for other in tx.all(Network) if other.spec.ingress), None)
        if spec.ingress and present is not None:
            raise RpcError("AlreadyExists", f"ingress network ({present.id}) is already present")
        try:
            tx.create(network)
        except NameConflict:
            raise RpcError("AlreadyExists", f"network with name {spec.name} already exists") from None
        return control.CreateNetworkResponse(network)

    return api.write(create)


def remove_network(api: ControlAPI, request: control.RemoveNetworkRequest, call: CallInfo) -> Future[None]:
    id = request.network_id

    def attached(attachments: list[NetworkAttachment] | None) -> bool:
        return any(attachment.target == id for attachment in attachments or ())

    def remove(tx: Transaction) -> None:
        network = tx.get(Network, id)
        if network is None:
            raise RpcError("NotFound", f"network {id} not found")
        for service in tx.all(Service):
            if network.spec.ingress and any(port.publish_mode == "ingress" for port in service.ports):
                raise RpcError(
                    "FailedPrecondition",
                    f"ingress network cannot be removed because service {service.id} depends on it",
                )
            if attached(service.spec.task.networks):
                raise RpcError("FailedPrecondition", f"network {id} is in use by service {service.id}")
        for task in tx.all(Task):
            alive = task.desired_state <= TaskState.RUNNING and task.status.state <= TaskState.RUNNING
            if alive and attached(task.spec.networks):
                raise RpcError("FailedPrecondition", f"network {id} is in use by task {task.id}")
        tx.delete(Network, id)

    return api.write(remove)
