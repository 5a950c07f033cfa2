"""Commands about one host: ``docker ps``, ``kill``, ``info``, ``version``, ``inspect``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from swarmsim.apitypes.http import ApiError
from swarmsim.docker.command import CommandContext, joined
from swarmsim.docker.errors import CommandError, NotModelled
from swarmsim.docker.output import Listing, render_inspected
from swarmsim.docker.templates import FUNCTIONS
from swarmsim.go.json import compact
from swarmsim.go.template import Template
from swarmsim.go.units import bytes_size, human_duration
from swarmsim.sim.future import Activity

CLI_VERSION = "28.2.2"

LISTING = Listing(
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
    {
        "ID": "CONTAINER ID",
        "Image": "IMAGE",
        "Command": "COMMAND",
        "CreatedAt": "CREATED AT",
        "RunningFor": "CREATED",
        "Status": "STATUS",
        "State": "STATE",
        "Ports": "PORTS",
        "Names": "NAMES",
        "Labels": "LABELS",
    },
    "ID",
    "*formatter.ContainerContext",
    ("Command", "CreatedAt", "ID", "Image", "Labels", "Names", "Ports", "RunningFor", "State", "Status"),
)
MAX_COMMAND = 20


def ps(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    last = flags.get("last", -1)
    if flags.on("latest"):
        last = 1
    containers = yield from command.api.container_list(flags.on("all"), last, command.filters())
    truncate = not flags.on("no-trunc")
    rows = []
    for container in containers:
        line = container["Command"]
        if truncate and len(line) > MAX_COMMAND:
            line = line[: MAX_COMMAND - 1] + "…"
        created = datetime.fromtimestamp(container["Created"], UTC)
        age = (command.now - created).total_seconds()
        rows.append(
            {
                "ID": container["Id"][:12] if truncate else container["Id"],
                "Image": container["Image"],
                "Command": f'"{line}"',
                "CreatedAt": created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
                "RunningFor": f"{human_duration(age)} ago",
                "Status": container["Status"],
                "State": container["State"],
                "Ports": ", ".join(f"{port['PrivatePort']}/{port['Type']}" for port in container["Ports"]),
                "Names": ",".join(name.removeprefix("/") for name in container["Names"]),
                "Labels": joined(dict(sorted(container["Labels"].items()))),
            }
        )
    command.render(lambda: LISTING.render(rows, flags.get("format", ""), flags.on("quiet")))


def kill(command: CommandContext) -> Activity[Any]:
    def one(reference: str) -> Activity[Any]:
        yield from command.api.container_kill(reference, command.flags.get("signal", "SIGKILL"))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, one)


def info(command: CommandContext) -> Activity[Any]:
    body = yield from command.api.info()
    format = command.flags.get("format", "")
    if format:
        command.render(
            lambda: (
                (compact(body) if format == "json" else Template(format, FUNCTIONS, "system.dockerInfo").execute(body))
                + "\n"
            )
        )
        return
    swarm = body["Swarm"]
    lines = [
        "Client:",
        f" Version:    {CLI_VERSION}",
        " Context:    default",
        " Debug Mode: false",
        "",
        "Server:",
        f" Containers: {body['Containers']}",
        f"  Running: {body['ContainersRunning']}",
        f"  Paused: {body['ContainersPaused']}",
        f"  Stopped: {body['ContainersStopped']}",
        f" Images: {body['Images']}",
        f" Server Version: {body['ServerVersion']}",
        f" Swarm: {swarm['LocalNodeState']}",
        *_swarm_lines(swarm),
        f" CPUs: {body['NCPU']:g}",
        f" Total Memory: {bytes_size(body['MemTotal'])}",
        f" Name: {body['Name']}",
        f" ID: {body['ID']}",
    ]
    if body["Labels"]:
        lines += [" Labels:", *(f"  {label}" for label in body["Labels"])]
    command.out("\n".join(lines) + "\n")
    command.err("".join(f"{warning}\n" for warning in swarm.get("Warnings", ())))


def _swarm_lines(swarm: dict[str, Any]) -> list[str]:
    if swarm["LocalNodeState"] in ("inactive", "locked"):
        return []
    lines = [f"  NodeID: {swarm['NodeID']}"]
    if swarm["Error"]:
        lines.append(f"  Error: {swarm['Error']}")
    lines.append(f"  Is Manager: {'true' if swarm['ControlAvailable'] else 'false'}")
    cluster = swarm.get("Cluster")
    if cluster is not None and not swarm["Error"]:
        spec = cluster["Spec"]
        lines += [
            f"  ClusterID: {cluster['ID']}",
            f"  Managers: {swarm['Managers']}",
            f"  Nodes: {swarm['Nodes']}",
            f"  Data Path Port: {cluster['DataPathPort']}",
            "  Orchestration:",
            f"   Task History Retention Limit: {spec['Orchestration']['TaskHistoryRetentionLimit']}",
            "  Raft:",
            f"   Snapshot Interval: {spec['Raft']['SnapshotInterval']}",
            f"   Number of Old Snapshots to Retain: {spec['Raft']['KeepOldSnapshots']}",
            f"   Heartbeat Tick: {spec['Raft']['HeartbeatTick']}",
            f"   Election Tick: {spec['Raft']['ElectionTick']}",
            "  Dispatcher:",
            f"   Heartbeat Period: {human_duration(spec['Dispatcher']['HeartbeatPeriod'] / 1e9)}",
            "  CA Configuration:",
            f"   Expiry Duration: {human_duration(spec['CAConfig']['NodeCertExpiry'] / 1e9)}",
            "   Force Rotate: 0",
            "  Autolock Managers: false",
            "  Root Rotation In Progress: false",
        ]
    lines.append(f"  Node Address: {swarm['NodeAddr']}")
    managers = sorted(manager["Addr"] for manager in swarm["RemoteManagers"] or ())
    return [*lines, "  Manager Addresses:", *(f"   {address}" for address in managers)]


def version(command: CommandContext) -> Activity[Any]:
    server = yield from command.api.version()
    client = {
        "Version": CLI_VERSION,
        "ApiVersion": server["ApiVersion"],
        "GitCommit": "e6534b4",
        "GoVersion": "go1.24.3",
        "Os": "linux",
        "Arch": "amd64",
        "BuildTime": "Fri May 30 12:07:14 2025",
        "Context": "default",
    }
    format = command.flags.get("format", "")
    if format:
        body = {"Client": client, "Server": server}
        command.render(
            lambda: (
                (compact(body) if format == "json" else Template(format, FUNCTIONS, "system.versionInfo").execute(body))
                + "\n"
            )
        )
        return
    lines = [
        "Client:",
        f" Version:           {client['Version']}",
        f" API version:       {client['ApiVersion']} (downgraded from 1.50)",
        f" Go version:        {client['GoVersion']}",
        f" Git commit:        {client['GitCommit']}",
        f" Built:             {client['BuildTime']}",
        f" OS/Arch:           {client['Os']}/{client['Arch']}",
        f" Context:           {client['Context']}",
        "",
        "Server:",
        " Engine:",
        f"  Version:          {server['Version']}",
        f"  API version:      {server['ApiVersion']} (minimum version {server['MinAPIVersion']})",
        f"  Go version:       {server['GoVersion']}",
        f"  Git commit:       {server['GitCommit']}",
        f"  Built:            {server['BuildTime']}",
        f"  OS/Arch:          {server['Os']}/{server['Arch']}",
        "  Experimental:     false",
    ]
    for component in server["Components"]:
        lines += [
            f" {component['Name']}:",
            f"  Version:          {component['Version']}",
            f"  GitCommit:        {component['GitCommit']}",
        ]
    command.out("\n".join(lines) + "\n")


def inspect(command: CommandContext) -> Activity[Any]:
    """Anything by name or id; of several kinds that have it, the first of docker's order."""
    found: list[Any] = []
    errors = []
    kinds: dict[str, Callable[[str], Activity[Any]]] = {
        "container": command.api.container_inspect,
        "network": command.api.network_inspect,
        "volume": command.api.volume_inspect,
        "service": lambda reference: command.api.service_inspect(reference, insert_defaults=True),
        "task": command.api.task_inspect,
        "node": command.api.node_inspect,
        "secret": partial(command.api.secret_inspect, "secret"),
        "config": partial(command.api.secret_inspect, "config"),
    }
    wanted = command.flags.get("type")
    if wanted is not None:
        if wanted not in (*kinds, "image", "plugin"):
            raise CommandError(f'"{wanted}" is not a valid value for --type')
        if wanted not in kinds:
            raise NotModelled(f"'docker inspect --type {wanted}'")
        kinds = {wanted: kinds[wanted]}
    for reference in command.arguments:
        for look in kinds.values():
            try:
                found.append((yield from look(reference)))
                break
            except ApiError as error:
                if error.status not in (404, 503):
                    raise
        else:
            what = f"no such {wanted}" if wanted else "no such object"
            errors.append(f"Error: {what}: {reference}")
    command.render(lambda: render_inspected(found, command.flags.get("format", ""), "map[string]interface {}"))
    if errors:
        raise CommandError("\n".join(errors))
