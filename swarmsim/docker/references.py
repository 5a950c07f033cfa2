"""From names to ids: the networks, secrets and configs a service refers to (docker/cli command/service/parse.go)."""

from __future__ import annotations

from typing import Any

from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.specs import (
    ConfigReference,
    NetworkAttachment,
    RuntimeTarget,
    ServiceSpec,
    replace,
)
from swarmsim.docker.command import CommandContext
from swarmsim.docker.errors import CommandError
from swarmsim.sim.future import Activity


def resolved(command: CommandContext, spec: ServiceSpec) -> Activity[ServiceSpec]:
    """The spec with every id filled in. Raises :class:`CommandError` for what is not there or named twice."""
    networks: list[NetworkAttachment] = []
    for attachment in spec.task.networks or ():
        networks += [(yield from _network(command, attachment))]
    networks.sort(key=lambda attachment: attachment.target)
    spec = replace(spec, task=replace(spec.task, networks=networks or None))
    return (yield from with_files(command, spec))


def _network(command: CommandContext, attachment: NetworkAttachment) -> Activity[NetworkAttachment]:
    network = yield from command.api.network(attachment.target, scope="swarm")
    return replace(attachment, target=network.id)


def with_networks(
    command: CommandContext, spec: ServiceSpec, added: list[NetworkAttachment], removed: list[str]
) -> Activity[ServiceSpec]:
    """The spec with other networks (command/service/update.go updateNetworks)."""
    if not added and not removed:
        return spec
    gone = set()
    for reference in sorted(set(removed)):
        gone.add((yield from command.api.network(reference, scope="swarm")).id)
    networks = {each.target: each for each in spec.task.networks or () if each.target not in gone}
    for attachment in added:
        found = yield from _network(command, attachment)
        if found.target in networks:
            raise CommandError(f"service is already attached to network {attachment.target}")
        networks[found.target] = found
    ordered = sorted(networks.values(), key=lambda attachment: attachment.target)
    return replace(spec, task=replace(spec.task, networks=ordered or None))


def with_files(command: CommandContext, spec: ServiceSpec) -> Activity[ServiceSpec]:
    """The spec with the ids of secrets and configs, the one of a credential spec among them."""
    container = spec.task.container
    secrets = yield from _files(command, "secret", container.secrets or [])
    privileges = container.privileges
    credential = privileges.credential_spec if privileges else None
    config = credential.config if credential is not None else ""
    configs = list(container.configs or [])
    used = [each for each in configs if each.runtime is None or config in (each.config_id, each.config_name)]
    if config and not any(each.runtime is not None for each in used):
        used.append(ConfigReference(config_id="", config_name=config, runtime=RuntimeTarget()))
    configs = yield from _files(command, "config", used)
    if privileges is not None and credential is not None and config:
        id = next((each.config_id for each in configs if each.config_name == config), config)
        privileges = replace(privileges, credential_spec=replace(credential, config=id))
    container = replace(container, secrets=secrets or None, configs=configs or None, privileges=privileges)
    return replace(spec, task=replace(spec.task, container=container))


def _files(command: CommandContext, kind: str, wanted: list[Any]) -> Activity[list[Any]]:
    """References without an id get it; those that have one are kept."""
    unknown = [reference for reference in wanted if not getattr(reference, f"{kind}_id")]
    if not unknown:
        return wanted
    targets: set[str] = set()
    filters = Filters()
    for reference in unknown:
        name = getattr(reference, f"{kind}_name")
        if reference.file is not None:
            if reference.file.name in targets:
                raise CommandError(f"duplicate {kind} target for {name} not allowed")
            targets.add(reference.file.name)
        filters.add("name", name)
    listed = yield from command.api.secret_list(kind, filters)
    ids = {obj.spec.name: obj.id for obj in listed}
    found = []
    for reference in unknown:
        name = getattr(reference, f"{kind}_name")
        if name not in ids:
            raise CommandError(f"{kind} not found: {name}")
        found.append(replace(reference, **{f"{kind}_id": ids[name]}))
    return [*(reference for reference in wanted if getattr(reference, f"{kind}_id")), *found]
