"""Commands about one host: ``docker ps``, ``kill``, ``info``, ``version``, ``inspect``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from swarmsim.apitypes.base import ApiType, Json, as_json, go_type
from swarmsim.apitypes.engine import ContainerInspect, EngineVersion, Info, Network, Port, Volume
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.swarm import ClusterInfo, Config, Node, Secret, Service, SwarmInfo, Task
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


def _port(port: Port) -> str:
    """A line of formatter.DisplayablePorts; adjacent ports are not put together."""
    inside = f"{port.private}/{port.type}"
    if not port.public:
        return inside
    address = f"[{port.ip}]" if ":" in port.ip else port.ip
    return f"{address}:{port.public}->{inside}"


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
        created = datetime.fromtimestamp(container.created, UTC)
        age = (command.now - created).total_seconds()
        rows.append(
            {
                "ID": container.id[:12] if truncate else container.id,
                "Image": container.image,
                "Command": quote(shortened(container.command, MAX_COMMAND)),
                "CreatedAt": created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
                "RunningFor": f"{human_duration(age)} ago",
                "Status": container.status,
                "State": container.state,
                "Ports": ", ".join(map(_port, container.ports)),
                "Names": ",".join(name.removeprefix("/") for name in container.names),
                "Labels": ",".join(sorted(f"{key}={value}" for key, value in container.labels.items())),
                "Size": "0B",
                "Mounts": ",".join(shortened(mount.name or mount.source, MAX_MOUNT) for mount in container.mounts),
                "LocalVolumes": str(sum(1 for mount in container.mounts if mount.driver == "local")),
                "Networks": "",
                "Platform": reflect.Value(PLATFORM, None),
                "labels": container.labels,
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
    info = yield from command.api.info()
    format = command.flags.get("format", "")
    if format:
        _templated(command, format, reflect.make(_INFO, as_json(info)))
        return
    lines = [
        "Client:",
        f" Version:    {CLI_VERSION}",
        " Context:    default",
        " Debug Mode: false",
        "",
        "Server:",
        f" Containers: {info.containers}",
        f"  Running: {info.containers_running}",
        f"  Paused: {info.containers_paused}",
        f"  Stopped: {info.containers_stopped}",
        f" Images: {info.images}",
        f" Server Version: {info.server_version}",
        f" Swarm: {info.swarm.state}",
        *_swarm_lines(info.swarm),
        f" CPUs: {info.cpus:g}",
        f" Total Memory: {bytes_size(info.memory)}",
        f" Name: {info.name}",
        f" ID: {info.id}",
    ]
    if info.labels:
        lines += [" Labels:", *(f"  {label}" for label in info.labels)]
    command.out("\n".join(lines) + "\n")
    command.warn(info.swarm.warnings)


def _pool_lines(cluster: ClusterInfo) -> list[str]:
    if cluster.address_pool is None:
        return []
    pools = "".join(f"{pool}  " for pool in cluster.address_pool)
    return [f"  Default Address Pool: {pools}", f"  SubnetSize: {cluster.subnet_size}"]


def _swarm_lines(swarm: SwarmInfo) -> list[str]:
    if swarm.state in ("inactive", "locked"):
        return []
    lines = [f"  NodeID: {swarm.node_id}"]
    if swarm.error:
        lines.append(f"  Error: {swarm.error}")
    lines.append(f"  Is Manager: {'true' if swarm.is_manager else 'false'}")
    cluster = swarm.cluster
    if cluster is not None and not swarm.error:
        spec = cluster.spec
        lines += [
            f"  ClusterID: {cluster.id}",
            f"  Managers: {swarm.managers}",
            f"  Nodes: {swarm.nodes}",
            *_pool_lines(cluster),
            f"  Data Path Port: {cluster.data_path_port}",
            "  Orchestration:",
            f"   Task History Retention Limit: {spec.orchestration.task_history_limit or 0}",
            "  Raft:",
            f"   Snapshot Interval: {spec.raft.snapshot_interval}",
            f"   Number of Old Snapshots to Retain: {spec.raft.keep_old_snapshots or 0}",
            f"   Heartbeat Tick: {spec.raft.heartbeat_tick}",
            f"   Election Tick: {spec.raft.election_tick}",
            "  Dispatcher:",
            f"   Heartbeat Period: {human_duration(spec.dispatcher.heartbeat_period / 1e9)}",
            "  CA Configuration:",
            f"   Expiry Duration: {human_duration(spec.ca.node_cert_expiry / 1e9)}",
            f"   Force Rotate: {spec.ca.force_rotate}",
            f"  Autolock Managers: {str(spec.encryption.autolock).lower()}",
            f"  Root Rotation In Progress: {str(cluster.root_rotation).lower()}",
        ]
    lines.append(f"  Node Address: {swarm.node_address}")
    managers = sorted(manager.address for manager in swarm.remote_managers or ())
    return [*lines, "  Manager Addresses:", *(f"   {address}" for address in managers)]


def version(command: CommandContext) -> Activity[None]:
    server = yield from command.api.version()
    client = {
        "Version": CLI_VERSION,
        "ApiVersion": server.api_version,
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
        _templated(command, format, reflect.make(_VERSION, {"Client": client, "Server": as_json(server)}), "version")
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
        f"  Version:          {server.version}",
        f"  API version:      {server.api_version} (minimum version {server.min_api_version})",
        f"  Go version:       {server.go_version}",
        f"  Git commit:       {server.git_commit}",
        f"  Built:            {server.build_time}",
        f"  OS/Arch:          {server.os}/{server.arch}",
        "  Experimental:     false",
    ]
    for component in server.components:
        lines += [
            f" {component.name}:",
            f"  Version:          {component.version}",
            f"  GitCommit:        {component.details.get('GitCommit', '')}",
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
                is_manager = (yield from command.api.info()).swarm.is_manager
            if not is_manager:
                continue
        try:
            return name, (yield from look(reference))
        except ApiError as error:
            if error.status != 404:
                raise
    return "", None
