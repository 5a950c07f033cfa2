"""``docker network …`` and ``docker volume …`` (docker/cli command/network, command/volume): names, not packets."""

from __future__ import annotations

import ipaddress

from swarmsim.apitypes.engine import (
    IPAM,
    EndpointIPAM,
    EndpointSettings,
    IPAMConfig,
    Network,
    NetworkConnect,
    NetworkCreateRequest,
    NetworkDisconnect,
    Volume,
    VolumeCreateRequest,
)
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import replace
from swarmsim.docker.command import CommandContext, error_text, joined, key_values
from swarmsim.docker.errors import CommandError
from swarmsim.docker.output import Listing
from swarmsim.docker.tasks import natural
from swarmsim.go.duration import show_timestamp
from swarmsim.sim.future import Activity

NETWORKS = Listing(
    "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    {
        "ID": "NETWORK ID",
        "Name": "NAME",
        "Driver": "DRIVER",
        "Scope": "SCOPE",
        "IPv4": "IPV4",
        "IPv6": "IPV6",
        "Internal": "INTERNAL",
        "Labels": "LABELS",
        "CreatedAt": "CREATED AT",
    },
    "network.networkContext",
    labels=True,
    raw=r"network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
)
NOT_APPLICABLE = ("Availability", "Group", "Links", "Size", "Status")
"""Of volumes of the swarm, and of what ``docker system df`` counts."""
VOLUMES = Listing(
    "{{.Driver}}\t{{.Name}}",
    {
        "Driver": "DRIVER",
        "Name": "VOLUME NAME",
        "Scope": "SCOPE",
        "Mountpoint": "MOUNTPOINT",
        "Labels": "LABELS",
        **{name: name.upper() for name in NOT_APPLICABLE},
    },
    "formatter.volumeContext",
    quiet="Name",
    labels=True,
    raw=r"name: {{.Name}}\ndriver: {{.Driver}}\n",
)
PRUNE = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue? [y/N] "
)
REMOVE_INGRESS = (
    "WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same docker "
    "engine version. Otherwise, removal may not be effective and functionality of newly create ingress networks will "
    "be impaired.\nAre you sure you want to continue? [y/N] "
)


def create(command: CommandContext) -> Activity[None]:
    flags = command.flags
    spec = NetworkCreateRequest(
        name=command.arguments[0],
        check_duplicate=True,
        driver=flags.get("driver", "bridge"),
        ipam=IPAM(
            driver="default",
            options=key_values(flags.every("ipam-opt")),
            config=_pools(
                flags.every("subnet"),
                flags.every("gateway"),
                flags.every("ip-range"),
                key_values(flags.every("aux-address")),
            ),
        ),
        scope=flags.get("scope", ""),
        enable_ipv6=flags.get("ipv6"),
        internal=flags.on("internal"),
        attachable=flags.on("attachable"),
        ingress=flags.on("ingress"),
        options=key_values(flags.every("opt")),
        labels=key_values(flags.every("label")),
    )
    id = yield from command.api.network_create(spec)
    command.out(f"{id}\n")


def _pools(subnets: list[str], gateways: list[str], ranges: list[str], reserved: dict[str, str]) -> list[IPAMConfig]:
    """Each range, gateway and reserved address goes with the subnet it is in (command/network/create.go createIPAMConfig).

    Raises :class:`CommandError`.
    """
    if len(subnets) < max(len(gateways), len(ranges)):
        raise CommandError("every ip-range or gateway must have a corresponding subnet")
    pools = {subnet: IPAMConfig(subnet=subnet) for subnet in subnets}
    for number, subnet in enumerate(subnets):
        if any(_overlap(subnet, other) for other in subnets[:number]):
            raise CommandError("multiple overlapping subnet configuration is not supported")
    for part in ranges:
        subnet = next((each for each in subnets if _overlap(each, part)), "")
        if not subnet:
            raise CommandError(f"no matching subnet for range {part}")
        if pools[subnet].ip_range:
            raise CommandError(
                f"cannot configure multiple ranges ({part}, {pools[subnet].ip_range}) on the same subnet ({subnet})"
            )
        pools[subnet] = replace(pools[subnet], ip_range=part)
    for gateway in gateways:
        subnet = next((each for each in subnets if _overlap(each, gateway)), "")
        if not subnet:
            raise CommandError(f"no matching subnet for gateway {gateway}")
        if pools[subnet].gateway:
            raise CommandError(
                f"cannot configure multiple gateways ({gateway}, {pools[subnet].gateway}) on the same subnet ({subnet})"
            )
        pools[subnet] = replace(pools[subnet], gateway=gateway)
    for name, address in reserved.items():
        subnet = next((each for each in subnets if _overlap(each, address)), "")
        if not subnet:
            raise CommandError(f"no matching subnet for aux-address {address}")
        pools[subnet] = replace(pools[subnet], aux={**(pools[subnet].aux or {}), name: address})
    return [pools[subnet] for subnet in sorted(pools)]


def _overlap(subnet: str, other: str) -> bool:
    """Whether two networks, or a network and an address, share addresses; what is neither is the daemon's to refuse."""
    try:
        return ipaddress.ip_network(subnet, strict=False).overlaps(ipaddress.ip_network(other, strict=False))
    except (ValueError, TypeError):
        return False


def ls(command: CommandContext) -> Activity[None]:
    networks = yield from command.api.network_list(command.filters())
    networks.sort(key=lambda network: natural(network.name))
    rows = [
        {
            "ID": network.id if command.flags.on("no-trunc") else network.id[:12],
            "Name": network.name,
            "Driver": network.driver,
            "Scope": network.scope,
            "IPv4": str(network.enable_ipv4).lower(),
            "IPv6": str(network.enable_ipv6).lower(),
            "Internal": str(network.internal).lower(),
            "Labels": joined(network.labels),
            "CreatedAt": show_timestamp(network.created),
            "labels": network.labels,
        }
        for network in networks
    ]
    command.render(lambda: NETWORKS.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def inspect(command: CommandContext) -> Activity[None]:
    yield from command.inspect(
        lambda reference: command.api.network_inspect(reference, verbose=command.flags.on("verbose")),
        lambda _, error: error_text(error),
        Network,
        lambda body: "",
        raw=True,
        bad_format=64,
    )


def rm(command: CommandContext) -> Activity[None]:
    errors = []
    for reference in command.arguments:
        try:
            if (yield from _is_ingress(command, reference)):
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


def _is_ingress(command: CommandContext, reference: str) -> Activity[bool]:
    try:
        return (yield from command.api.network(reference)).ingress
    except ApiError:
        return False  # its removal says what is wrong


def connect(command: CommandContext) -> Activity[None]:
    network, container = command.arguments
    address = command.flags.get("ip", "")
    settings = EndpointSettings(ipam=EndpointIPAM(ipv4=address), aliases=command.flags.every("alias") or None)
    yield from command.api.network_connect(network, NetworkConnect(container=container, endpoint=settings))


def disconnect(command: CommandContext) -> Activity[None]:
    network, container = command.arguments
    request = NetworkDisconnect(container=container, force=command.flags.on("force"))
    yield from command.api.network_disconnect(network, request)


def prune(command: CommandContext) -> Activity[None]:
    if not command.flags.on("force"):
        command.out(PRUNE)
        if not command.files.read("-").strip().lower().startswith("y"):
            raise CommandError("network prune has been cancelled")
    deleted = yield from command.api.network_prune(command.filters())
    if deleted:
        command.out("Deleted Networks:\n" + "".join(f"{name}\n" for name in deleted) + "\n")


# -- volumes


def volume_create(command: CommandContext) -> Activity[None]:
    flags = command.flags
    if flags.changed("name") and command.arguments:
        raise CommandError(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg"
        )
    request = VolumeCreateRequest(
        driver=flags.get("driver", "local"),
        options=key_values(flags.every("opt")),
        labels=key_values(flags.every("label")),
        name=flags.get("name") or (command.arguments[0] if command.arguments else ""),
    )
    volume = yield from command.api.volume_create(request)
    command.out(f"{volume.name}\n")


def volume_ls(command: CommandContext) -> Activity[None]:
    volumes = yield from command.api.volume_list(command.filters())
    rows = [
        {
            "Driver": volume.driver,
            "Name": volume.name,
            "Scope": volume.scope,
            "Mountpoint": volume.mountpoint,
            "Labels": joined(volume.labels),
            **dict.fromkeys(NOT_APPLICABLE, "N/A"),
            "labels": volume.labels,
        }
        for volume in volumes
    ]
    command.render(lambda: VOLUMES.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def volume_inspect(command: CommandContext) -> Activity[None]:
    yield from command.inspect(
        command.api.volume_inspect, lambda _, error: error_text(error), Volume, lambda body: "", bad_format=64
    )


def volume_rm(command: CommandContext) -> Activity[None]:
    def remove(reference: str) -> Activity[None]:
        yield from command.api.volume_remove(reference, command.flags.on("force"))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, remove)
