"""The control API for secrets, configs and networks (manager/controlapi/secret.go, config.go, network.go)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from swarmsim.apitypes.specs import ContainerSpec, NetworkAttachment, ServiceSpec, replace
from swarmsim.sim.future import Future
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.streams import new_id
from swarmsim.swarm.api import control
from swarmsim.swarm.objects import Config, Network, Secret, Service, Task
from swarmsim.swarm.states import TaskState
from swarmsim.swarm.store import NameConflict, Transaction

if TYPE_CHECKING:
    from swarmsim.swarm.manager.controlapi import ControlAPI

MAX_SECRET = 500 * 1024  # bytes, api/validation MaxSecretSize
MAX_CONFIG = 1000 * 1024  # bytes, MaxConfigSize
_NAME = re.compile(r"^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$")


def _invalid(message: str) -> RpcError:
    return RpcError("InvalidArgument", message)


def _check_name(name: str) -> None:
    if not name:
        raise _invalid("name must be provided")
    if len(name) > 64 or not _NAME.match(name):
        raise _invalid(
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
        raise _invalid(f"{table.table} data must be larger than 0 and less than {limit} bytes")
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
            raise _invalid("only updates to Labels are allowed")
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
            raise _invalid(f"{table.table} '{obj.name}' is in use by the following {services}: {', '.join(users)}")
        tx.delete(table, id)

    return api.write(remove)


def _referenced(container: ContainerSpec, table: type[Secret] | type[Config]) -> list[str]:
    if table is Secret:
        return [secret.secret_id for secret in container.secrets or ()]
    return [config.config_id for config in container.configs or ()]


# -- what a service refers to


def check_references(spec: ServiceSpec) -> None:
    """Refuse references that two files of one name come from, or that lead nowhere. Raises :class:`RpcError`."""
    container = spec.task.container
    secrets = [(s.secret_id, s.secret_name, s.file) for s in container.secrets or ()]
    configs = [(c.config_id, c.config_name, c.file) for c in container.configs or ()]
    for kind, references in (("secret", secrets), ("config", configs)):
        targets: dict[str, str] = {}
        for id, name, file in references:
            if not id or not name:
                raise _invalid(f"malformed {kind} reference")
            if file is None:
                continue
            if not file.name:
                raise _invalid(f"malformed file {kind} reference, invalid target file name provided")
            if file.name in targets:
                raise _invalid(
                    f"{kind} references '{targets[file.name]}' and '{name}' have a conflicting target: '{file.name}'"
                )
            targets[file.name] = name


def check_existence(tx: Transaction, spec: ServiceSpec) -> None:
    """Every secret and config must be there under the name it is referred to by. Raises :class:`RpcError`."""
    container = spec.task.container
    wanted: tuple[tuple[type[Secret] | type[Config], list[tuple[str, str]]], ...] = (
        (Secret, [(s.secret_id, s.secret_name) for s in container.secrets or ()]),
        (Config, [(c.config_id, c.config_name) for c in container.configs or ()]),
    )
    for table, references in wanted:
        missing = [name for id, name in references if (there := tx.get(table, id)) is None or there.name != name]
        if missing:
            noun = table.table if len(missing) == 1 else f"{table.table}s"
            raise _invalid(f"{noun} not found: {', '.join(missing)}")


def check_networks(api: ControlAPI, spec: ServiceSpec) -> None:
    for attachment in spec.task.networks or ():
        network = api.store.get(Network, attachment.target)
        if network is not None and network.spec.ingress:
            raise _invalid(f'Service cannot be explicitly attached to the ingress network "{network.name}"')


# -- networks


def list_networks(
    api: ControlAPI, request: control.ListNetworksRequest, call: CallInfo
) -> control.ListNetworksResponse:
    return control.ListNetworksResponse(list(api.store.table(Network).values()))


def create_network(
    api: ControlAPI, request: control.CreateNetworkRequest, call: CallInfo
) -> Future[control.CreateNetworkResponse]:
    spec = request.spec
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
