"""From names to ids: the networks, secrets and configs a service refers to (command/service/parse.go)."""

from __future__ import annotations

from typing import Any

from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.reference import InvalidReference, parse_reference
from swarmsim.apitypes.specs import NetworkAttachment, ServiceSpec, replace
from swarmsim.docker.command import CommandContext
from swarmsim.docker.errors import CommandError
from swarmsim.sim.future import Activity


def resolved(command: CommandContext, spec: ServiceSpec, networks: bool = True) -> Activity[Any]:
    """The spec with every id filled in; those of networks only if asked for (the daemon does it, too). Raises :class:`CommandError` for what is not there or named twice."""
    container, task = spec.task.container, spec.task
    attachments = (yield from _networks(command, task.networks or [])) if networks else task.networks
    secrets = yield from _files(command, "secret", container.secrets or [])
    configs = yield from _files(command, "config", container.configs or [])
    container = replace(container, secrets=secrets or None, configs=configs or None)
    return replace(spec, task=replace(task, container=container, networks=attachments or None))


def pinned(command: CommandContext, spec: ServiceSpec) -> Activity[ServiceSpec]:
    """The spec with its image under the digest that the registry knows (moby client/service_create.go)."""
    image = spec.task.container.image
    if "@" in image:
        return spec
    try:
        name = parse_reference(image).familiar
        found = yield from command.api.distribution_inspect(name)
    except (ApiError, InvalidReference):
        command.err(
            f"image {image} could not be accessed on a registry to record\nits digest. Each node will access "
            f"{image} independently,\npossibly leading to different nodes running different\nversions of the image.\n"
        )
        return spec
    container = replace(spec.task.container, image=f"{name}@{found['Descriptor']['digest']}")
    return replace(spec, task=replace(spec.task, container=container))


def _networks(command: CommandContext, wanted: list[NetworkAttachment]) -> Activity[Any]:
    if not wanted:
        return wanted
    known = yield from command.api.network_list()
    found: dict[str, NetworkAttachment] = {}
    for attachment in wanted:
        network = next((n for n in known if attachment.target in (n["Id"], n["Name"])), None)
        if network is None:
            raise CommandError(f"Error response from daemon: network {attachment.target} not found")
        if network["Id"] in found:
            raise CommandError(f"service is already attached to network {attachment.target}")
        found[network["Id"]] = replace(attachment, target=network["Id"])
    return sorted(found.values(), key=lambda attachment: attachment.target)


def _files(command: CommandContext, kind: str, wanted: list[Any]) -> Activity[Any]:
    """References without an id get it; those that have one are kept."""
    if all(getattr(reference, f"{kind}_id") for reference in wanted):
        return wanted
    listed = yield from command.api.secret_list(kind)
    ids = {obj["Spec"]["Name"]: obj["ID"] for obj in listed}
    result = []
    targets: set[str] = set()
    for reference in wanted:
        name = getattr(reference, f"{kind}_name")
        if not getattr(reference, f"{kind}_id"):
            if reference.file.name in targets:
                raise CommandError(f"duplicate {kind} target for {name} not allowed")
            targets.add(reference.file.name)
            if name not in ids:
                raise CommandError(f"{kind} not found: {name}")
            reference = replace(reference, **{f"{kind}_id": ids[name]})
        result.append(reference)
    return result
