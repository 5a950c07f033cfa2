"""``docker network …`` and ``docker volume …`` (docker/cli command/network, command/volume): names, not packets."""

from __future__ import annotations

from typing import Any

from swarmsim.docker.command import CommandContext, CommandError, begins, error_text, joined, key_values, matches_label
from swarmsim.docker.output import Listing
from swarmsim.docker.tasks import natural
from swarmsim.engine.calls import ApiError
from swarmsim.sim.future import Activity
from swarmsim.sim.streams import hex_id
from swarmsim.swarm.objects import NetworkSpec

NETWORKS = Listing(
    "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    {"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE", "Labels": "LABELS"},
    "ID",
    "*network.networkContext",
    ("Driver", "ID", "Labels", "Name", "Scope"),
)
VOLUMES = Listing(
    "{{.Driver}}\t{{.Name}}",
    {"Driver": "DRIVER", "Name": "VOLUME NAME", "Scope": "SCOPE", "Mountpoint": "MOUNTPOINT", "Labels": "LABELS"},
    "Name",
    "*formatter.volumeContext",
    ("Driver", "Labels", "Mountpoint", "Name", "Scope"),
)
NETWORK_FILTERS = ("driver", "id", "label", "name", "scope", "type", "dangling")
VOLUME_FILTERS = ("dangling", "driver", "label", "name")
REMOVE_INGRESS = (
    "WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same docker "
    "engine version. Otherwise, removal may not be effective and functionality of newly create ingress networks will "
    "be impaired.\nAre you sure you want to continue? [y/N] "
)


def create(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    subnets, gateways = flags.every("subnet"), flags.every("gateway")
    if len(subnets) < len(gateways):
        raise CommandError("every ip-range or gateway must have a corresponding subnet")
    spec = NetworkSpec(
        name=command.arguments[0],
        labels=key_values(flags.every("label")) or None,
        driver=flags.get("driver", "bridge"),
        subnet=subnets[0] if subnets else "",
        gateway=gateways[0] if gateways else "",
        internal=flags.on("internal"),
        attachable=flags.on("attachable"),
        ingress=flags.on("ingress"),
        options=key_values(flags.every("opt")) or None,
    )
    id = yield from command.api.network_create(spec)
    command.out(f"{id}\n")


def ls(command: CommandContext) -> Activity[Any]:
    filters = command.checked_filters(NETWORK_FILTERS)
    networks = [network for network in (yield from command.api.network_list()) if _keep(network, filters)]
    networks.sort(key=lambda network: natural(network["Name"]))
    rows = [
        {
            "ID": network["Id"] if command.flags.on("no-trunc") else network["Id"][:12],
            "Name": network["Name"],
            "Driver": network["Driver"],
            "Scope": network["Scope"],
            "Labels": joined(network["Labels"]),
        }
        for network in networks
    ]
    command.render(lambda: NETWORKS.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def _keep(network: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    predefined = network["Name"] in ("bridge", "host", "none", "ingress", "docker_gwbridge")
    return (
        ("driver" not in filters or network["Driver"] in filters["driver"])
        and begins(filters, "id", network["Id"])
        and ("name" not in filters or any(name in network["Name"] for name in filters["name"]))
        and ("scope" not in filters or network["Scope"] in filters["scope"])
        and ("type" not in filters or ("builtin" if predefined else "custom") in filters["type"])
        and matches_label(network["Labels"] or {}, filters.get("label", []))
    )


def inspect(command: CommandContext) -> Activity[Any]:
    yield from command.inspect(
        command.api.network_inspect, lambda _, error: error_text(error), "network.Inspect", lambda body: ""
    )


def rm(command: CommandContext) -> Activity[Any]:
    errors = []
    for reference in command.arguments:
        try:
            body = yield from command.api.network_inspect(reference)
            if body["Ingress"]:
                command.out(REMOVE_INGRESS)
                if not command.files.read("-").strip().lower().startswith("y"):
                    continue
            yield from command.api.network_remove(reference)
            command.out(f"{reference}\n")
        except ApiError as error:
            if not (command.flags.on("force") and error.status == 404):
                errors.append(error_text(error))
    if errors:
        raise CommandError("\n".join([*errors, "exit status 1"]))


# -- volumes


def volume_create(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    if flags.changed("name") and command.arguments:
        raise CommandError(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg"
        )
    name = flags.get("name") or (command.arguments[0] if command.arguments else hex_id(command.api.engine.ids))
    volume = yield from command.api.volume_create(
        name, flags.get("driver", "local"), key_values(flags.every("label")), key_values(flags.every("opt"))
    )
    command.out(f"{volume['Name']}\n")


def volume_ls(command: CommandContext) -> Activity[Any]:
    filters = command.checked_filters(VOLUME_FILTERS)
    rows = [
        {**volume, "Labels": joined(volume["Labels"])}
        for volume in (yield from command.api.volume_list())
        if ("name" not in filters or any(name in volume["Name"] for name in filters["name"]))
        and ("driver" not in filters or volume["Driver"] in filters["driver"])
        and matches_label(volume["Labels"] or {}, filters.get("label", []))
    ]
    command.render(lambda: VOLUMES.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def volume_inspect(command: CommandContext) -> Activity[Any]:
    yield from command.inspect(
        command.api.volume_inspect, lambda _, error: error_text(error), "volume.Volume", lambda body: ""
    )


def volume_rm(command: CommandContext) -> Activity[Any]:
    def remove(reference: str) -> Activity[Any]:
        yield from command.api.volume_remove(reference, command.flags.on("force"))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, remove)
