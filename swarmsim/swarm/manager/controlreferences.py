"""What a service refers to, as the control API checks it: secrets, configs, networks (manager/controlapi/service.go)."""

from __future__ import annotations

from swarmsim.apitypes.specs import ServiceSpec
from swarmsim.sim.net.status import RpcError, invalid_argument
from swarmsim.swarm.objects import Config, Network, Secret
from swarmsim.swarm.store import MemoryStore, Transaction


def check_references(spec: ServiceSpec) -> None:
    """Refuse references that two files of one name come from, or that lead nowhere. Raises :class:`RpcError`."""
    container = spec.task.container
    secrets = [(s.secret_id, s.secret_name, s.file) for s in container.secrets or ()]
    configs = [(c.config_id, c.config_name, c.file) for c in container.configs or ()]
    for kind, references in (("secret", secrets), ("config", configs)):
        targets: dict[str, str] = {}
        for id, name, file in references:
            if not id or not name:
                raise invalid_argument(f"malformed {kind} reference")
            if file is None:
                continue
            if not file.name:
                raise invalid_argument(f"malformed file {kind} reference, invalid target file name provided")
            if file.name in targets:
                raise invalid_argument(
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
            raise invalid_argument(f"{noun} not found: {', '.join(missing)}")


def check_networks(store: MemoryStore, spec: ServiceSpec) -> None:
    """The ingress network is nobody's to attach to, but has to be there for published ports. Raises :class:`RpcError`."""
    ports = (spec.endpoint.ports if spec.endpoint else None) or ()
    needed = any(port.publish_mode == "ingress" for port in ports)
    if needed and not any(network.spec.ingress for network in store.table(Network).values()):
        raise RpcError("FailedPrecondition", "service needs ingress network, but no ingress network is present")
    for attachment in spec.task.networks or ():
        network = store.get(Network, attachment.target)
        if network is not None and network.spec.ingress:
            raise invalid_argument(f'Service cannot be explicitly attached to the ingress network "{network.name}"')
