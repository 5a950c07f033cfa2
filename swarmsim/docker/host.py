"""Commands about one host: ``docker ps``, ``kill``, ``info``, ``version``, ``inspect``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from swarmsim.apitypes.base import ApiType, go_type
from swarmsim.apitypes.engine import ContainerInspect, EngineVersion, Info, Network, Volume
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.swarm import Config, Node, Secret, Service, Task
from swarmsim.docker.apiclient import Json
from swarmsim.docker.command import CommandContext, added, error_text
from swarmsim.docker.errors import CommandError, NotModelled
from swarmsim.docker.output import Listing, ellipsis
from swarmsim.docker.templates import FUNCTIONS
from swarmsim.go import reflect
from swarmsim.go.strconv import quote
from swarmsim.go.template import Template, TemplateError
from swarmsim.go.units import bytes_size, human_duration
from swarmsim.sim.future import Activity

CLI_VERSION = "28.2.2"
CLI_COMMIT = "e6534b4"

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
        "Size": "SIZE",
        "Mounts": "MOUNTS",
        "LocalVolumes": "LOCAL VOLUMES",
        "Networks": "NETWORKS",
        "Platform": "PLATFORM",
    },
    "formatter.ContainerContext",
    labels=True,
    raw=r"container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
    r"state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\n"
    r"ports: {{- pad .Ports 1 0}}\n",
)
MAX_COMMAND, MAX_MOUNT = 20, 15
PLATFORM = reflect.pointer_to(reflect.Type("formatter.Platform", "struct"))


def _port(port: dict[str, Any]) -> str:
    """A line of formatter.DisplayablePorts; adjacent ports are not put together."""
    inside = f"{port['PrivatePort']}/{port['Type']}"
    if not port.get("PublicPort"):
        return inside
    address = f"[{port['IP']}]" if ":" in port["IP"] else port["IP"]
    return f"{address}:{port['PublicPort']}->{inside}"


_NOTHING = {**dict.fromkeys(LISTING.headers, ""), "Platform": reflect.Value(PLATFORM, None), "labels": {}}


def _try_template(format: str) -> None:
    """The client runs a template over nothing at all before it asks. Raises :class:`CommandError`."""
    try:
        template = Template(format, FUNCTIONS)
    except TemplateError as problem:
        raise CommandError(f"failed to parse template: {problem}") from None
    try:
        template.execute(reflect.Value(LISTING.type, _NOTHING))
    except TemplateError as problem:
        raise CommandError(f"failed to execute template: {problem}") from None


def ps(command: CommandContext) -> Activity[None]:
    flags = command.flags
    last = flags.get("last", -1)
    if flags.on("latest"):
        last = 1
    format = flags.get("format", "")
    if format:
        if flags.on("quiet"):
            command.err("WARNING: Ignoring custom format, because both --format and --quiet are set.\n")
        _try_template(format)
    containers = yield from command.api.container_list(flags.on("all"), last, command.filters())
    truncate = not flags.on("no-trunc")
    rows = []

    def shortened(text: str, most: int) -> str:
        return ellipsis(text, most) if truncate else text

    for container in containers:
        created = datetime.fromtimestamp(container["Created"], UTC)
        age = (command.now - created).total_seconds()
        rows.append(
            {
                "ID": container["Id"][:12] if truncate else container["Id"],
                "Image": container["Image"],
                "Command": quote(shortened(container["Command"], MAX_COMMAND)),
                "CreatedAt": created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
                "RunningFor": f"{human_duration(age)} ago",
                "Status": container["Status"],
                "State": container["State"],
                "Ports": ", ".join(map(_port, container["Ports"])),
                "Names": ",".join(name.removeprefix("/") for name in container["Names"]),
                "Labels": ",".join(sorted(f"{key}={value}" for key, value in container["Labels"].items())),
                "Size": "0B",
                "Mounts": ",".join(
                    shortened(mount.get("Name") or mount["Source"], MAX_MOUNT) for mount in container["Mounts"]
                ),
                "LocalVolumes": str(sum(1 for mount in container["Mounts"] if mount.get("Driver") == "local")),
                "Networks": "",
                "Platform": reflect.Value(PLATFORM, None),
                "labels": container["Labels"],
            }
        )
    if flags.on("quiet") and format != "raw":
        format = "table"
    command.render(lambda: LISTING.render(rows, format, flags.on("quiet")))


def kill(command: CommandContext) -> Activity[None]:
    def one(reference: str) -> Activity[None]:
        yield from command.api.container_kill(reference, command.flags.get("signal", ""))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, one)


_INFO = reflect.Type(
    "system.dockerInfo",
    "struct",
    fields=(
        reflect.StructField("Info", "", go_type(Info), embedded=True),
        reflect.StructField("ServerErrors", "ServerErrors", reflect.STRINGS, omitempty=True),
        reflect.StructField("ClientErrors", "ClientErrors", reflect.STRINGS, omitempty=True),
    ),
)
_CLIENT = reflect.Type(
    "system.clientVersion",
    "struct",
    fields=tuple(
        reflect.StructField(name, key, reflect.STRING, omitempty=name != "Context")
        for name, key in [
            ("Version", "Version"),
            ("APIVersion", "ApiVersion"),
            ("DefaultAPIVersion", "DefaultAPIVersion"),
            ("GitCommit", "GitCommit"),
            ("GoVersion", "GoVersion"),
            ("Os", "Os"),
            ("Arch", "Arch"),
            ("BuildTime", "BuildTime"),
            ("Context", "Context"),
        ]
    ),
)
_VERSION = reflect.Type(
    "system.versionInfo",
    "struct",
    fields=(
        reflect.StructField("Client", "Client", _CLIENT),
        reflect.StructField("Server", "Server", reflect.pointer_to(go_type(EngineVersion))),
    ),
)


def _templated(command: CommandContext, format: str, value: reflect.Value, name: str = "") -> None:
    """``--format`` of ``info`` and ``version``: what was written before a mistake stays."""
    try:
        template = Template("{{json .}}" if format == "json" else format, FUNCTIONS, name)
    except TemplateError as problem:
        raise CommandError(f"template parsing error: {problem}", 64) from None
    try:
        command.out(template.execute(value) + "\n")
    except TemplateError as problem:
        command.out(problem.written + "\n")
        raise CommandError(str(problem)) from None


def info(command: CommandContext) -> Activity[None]:
    body = yield from command.api.info()
    format = command.flags.get("format", "")
    if format:
        _templated(command, format, reflect.make(_INFO, body))
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
    command.warn(swarm.get("Warnings", []))


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


def version(command: CommandContext) -> Activity[None]:
    server = yield from command.api.version()
    client = {
        "Version": CLI_VERSION,
        "ApiVersion": server["ApiVersion"],
        "GitCommit": CLI_COMMIT,
        "GoVersion": "go1.24.3",
        "Os": "linux",
        "Arch": "amd64",
        "BuildTime": "Fri May 30 12:07:14 2025",
        "Context": "default",
        "DefaultAPIVersion": "1.50",
    }
    format = command.flags.get("format", "")
    if format:
        _templated(command, format, reflect.make(_VERSION, {"Client": client, "Server": server}), "version")
        return
    lines = [
        "Client:",
        f" Version:           {client['Version']}",
        f" API version:       {client['ApiVersion']} (downgraded from {client['DefaultAPIVersion']})",
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


Look = tuple[type[ApiType], Callable[[str], Activity[Json]]]
"""What a kind of thing is, and how it is looked up."""


def inspect(command: CommandContext) -> Activity[None]:
    """Anything by name or id; of several kinds that have it, the first of docker's order.

    What is the swarm's is only asked of a manager (command/system/inspect.go).
    """
    api, size = command.api, command.flags.on("size")
    looks: dict[str, Look] = {
        "container": (ContainerInspect, partial(api.container_inspect, size=size)),
        "image": (ApiType, api.image_inspect),
        "network": (Network, api.network_inspect),
        "volume": (Volume, api.volume_inspect),
        "service": (Service, lambda reference: api.service_inspect(reference, insert_defaults=True)),
        "task": (Task, api.task_inspect),
        "node": (Node, api.node_inspect),
        "plugin": (ApiType, api.plugin_inspect),
        "secret": (Secret, partial(api.secret_inspect, "secret")),
        "config": (Config, partial(api.secret_inspect, "config")),
    }
    wanted = command.flags.get("type", "")
    if wanted and wanted not in looks:
        choices = ", ".join(f'"{kind}"' for kind in sorted(looks))
        raise CommandError(f'unknown type: "{wanted}": must be one of {choices}')
    errors = []
    inspection = command.inspection()
    body: Json | None
    for reference in command.arguments:
        try:
            if wanted:
                found, body = wanted, (yield from looks[wanted][1](reference))
            else:
                found, body = yield from _first_of(command, looks, reference)
        except ApiError as error:
            errors.append(error_text(error))
            continue
        if body is None:
            errors.append(f"Error: No such object: {reference}")
        else:
            if size and found == "container":
                raise NotModelled("the flag --size of 'docker inspect', of a container,")
            if size:
                command.err(f"WARNING: --size ignored for {found}\n")
            errors += added(inspection, looks[found][0], body, raw=True)
    command.out(inspection.text())
    if errors:
        raise CommandError("\n".join(errors))


SWARM_KINDS = ("service", "task", "node", "secret", "config")


def _first_of(command: CommandContext, looks: dict[str, Look], reference: str) -> Activity[tuple[str, Json | None]]:
    """Kind and body of what is found first; ``None`` if nothing is. Raises :class:`ApiError` for what is more than not there."""
    is_manager: bool | None = None
    for name, (_, look) in looks.items():
        if name in SWARM_KINDS:
            if is_manager is None:
                is_manager = (yield from command.api.info())["Swarm"]["ControlAvailable"]
            if not is_manager:
                continue
        try:
            return name, (yield from look(reference))
        except ApiError as error:
            if error.status != 404:
                raise
    return "", None
