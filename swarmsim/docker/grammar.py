"""The grammar of docker, as one table: commands, their arguments and flags.

Names, types, defaults and argument counts are docker/cli's; the descriptions are ours. A command or flag
that is real but not modelled yet is here too, and says so when it is used.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.docker.options import flags
from swarmsim.docker.runoptions import CREATE, RUN
from swarmsim.go.pflag import Flag as F

API_VERSION = "1.41"
"""Of the daemons that a swarm here is made of."""


def known_to_daemons(flag: F) -> bool:
    """Whether the API of our daemons has what the flag asks for."""

    def numbers(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(".")))

    return not flag.since or numbers(flag.since) <= numbers(API_VERSION)


class Command(NamedTuple):
    """``docker <path> <usage>``. ``most`` arguments of ``None`` means any number."""

    path: str
    usage: str
    about: str
    least: int = 0
    most: int | None = 0
    flags: tuple[F, ...] = ()
    interspersed: bool = True
    modelled: bool = True

    @property
    def use_line(self) -> str:
        return f"docker {self.path}{' ' + self.usage if self.usage else ''}"


FORMAT = F("format", "string", "Go template for the output, or 'table', 'table TEMPLATE', 'json'")
INSPECT_FORMAT = F("format", "string", "Go template for the output, or 'json'", "f")
FILTER = F("filter", "filter", "Show only what fits a condition (name=value)", "f")
QUIET_IDS = F("quiet", "bool", "Show ids only", "q")
ORCHESTRATOR = F("orchestrator", "string", "Who runs stacks", deprecated="option will be ignored")
PRETTY = F("pretty", "bool", "Show it for people to read")
DETACH = F("detach", "bool", "Do not wait until the service has converged", "d")
QUIET = F("quiet", "bool", "No progress while waiting", "q")
CERT_EXPIRY = F("cert-expiry", "duration", "How long node certificates are valid", default="2160h0m0s")
COMPOSE_FILE = F("compose-file", "strings", "Path to a Compose file, or '-' to read from stdin", "c")
NO_TRUNC = F("no-trunc", "bool", "Show ids and errors in full")
NO_RESOLVE = F("no-resolve", "bool", "Show ids instead of names")


SWARM_SETTINGS: tuple[F, ...] = (
    CERT_EXPIRY,
    F("dispatcher-heartbeat", "duration", "Time between an agent's heartbeats", default="5s"),
    F("external-ca", "external-ca", "Certificate signing services outside the swarm"),
    F("max-snapshots", "uint", "Old Raft snapshots to keep"),
    F("snapshot-interval", "uint", "Raft log entries between snapshots", default="10000"),
    F("task-history-limit", "int", "Old tasks to keep of each slot", default="5"),
)

LISTEN = F("listen-addr", "node-addr", "Address to listen on (ip|interface[:port])", default="0.0.0.0:2377")
ADVERTISE = F("advertise-addr", "string", "Address others reach this node at (ip|interface[:port])")
DATA_PATH = F("data-path-addr", "string", "Address for the containers' traffic", modelled=False)
AVAILABILITY = F("availability", "string", '"active", "pause" or "drain"', default='"active"')

COMMANDS: tuple[Command, ...] = (
    Command("swarm init", "[OPTIONS]", "Initialize a swarm", flags=(
        ADVERTISE,
        F("autolock", "bool", "Lock managers' keys"),
        AVAILABILITY,
        *SWARM_SETTINGS,
        DATA_PATH,
        F("data-path-port", "uint32", "UDP port of the containers' traffic", modelled=False),
        F("default-addr-pool", "ipNetSlice", "Address pools of networks", default="[]"),
        F("default-addr-pool-mask-length", "uint32", "Size of each network", default="24"),
        F("force-new-cluster", "bool", "Start anew from this node's state"),
        LISTEN,
    )),
    Command("swarm join", "[OPTIONS] HOST:PORT", "Join a swarm as a node and/or manager", 1, 1, (
        ADVERTISE, AVAILABILITY, DATA_PATH, LISTEN, F("token", "string", "Token that lets the node in"),
    )),
    Command("swarm join-token", "[OPTIONS] (worker|manager)", "Manage join tokens", 1, 1, (
        F("quiet", "bool", "Show the token only", "q"), F("rotate", "bool", "Make a new token"),
    )),
    Command("swarm leave", "[OPTIONS]", "Leave the swarm", flags=(F("force", "bool", "Leave whatever it costs", "f"),)),
    Command("swarm update", "[OPTIONS]", "Update the swarm", flags=(
        F("autolock", "bool", "Lock managers' keys (true|false)"), *SWARM_SETTINGS,
    )),
    Command("swarm ca", "[OPTIONS]", "Display and rotate the root CA", flags=(
        F("ca-cert", "pem-file", "Root certificate to use"),
        F("ca-key", "pem-file", "Key of the root certificate"),
        CERT_EXPIRY,
        F("detach", "bool", "Do not wait for the rotation", "d"),
        F("external-ca", "external-ca", "Certificate signing services outside the swarm"),
        QUIET,
        F("rotate", "bool", "Make a new root certificate"),
    )),
    Command("swarm unlock", "", "Unlock swarm"),
    Command("swarm unlock-key", "[OPTIONS]", "Manage the unlock key", flags=(
        F("quiet", "bool", "Show the key only", "q"), F("rotate", "bool", "Make a new key"),
    )),
    Command("node demote", "NODE [NODE...]", "Demote one or more nodes from manager in the swarm", 1, None),
    Command("node inspect", "[OPTIONS] self|NODE [NODE...]", "Display detailed information on one or more nodes", 1, None, (INSPECT_FORMAT, PRETTY)),
    Command("node ls", "[OPTIONS]", "List nodes in the swarm", flags=(FILTER, FORMAT, QUIET_IDS)),
    Command("node promote", "NODE [NODE...]", "Promote one or more nodes to manager in the swarm", 1, None),
    Command("node ps", "[OPTIONS] [NODE...]", "List tasks running on one or more nodes, defaults to current node", 0, None, (FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_IDS)),
    Command("node rm", "[OPTIONS] NODE [NODE...]", "Remove one or more nodes from the swarm", 1, None, (F("force", "bool", "Remove it even if it is not down", "f"),)),
    Command("node update", "[OPTIONS] NODE", "Update a node", 1, 1, (
        F("availability", "string", '"active", "pause" or "drain"'),
        F("label-add", "list", "Add or change a label (key=value)"),
        F("label-rm", "list", "Remove a label"),
        F("role", "string", '"worker" or "manager"'),
    )),
    Command("service create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new service", 1, None, flags("create"), interspersed=False),
    Command("service inspect", "[OPTIONS] SERVICE [SERVICE...]", "Display detailed information on one or more services", 1, None, (INSPECT_FORMAT, PRETTY)),
    Command("service logs", "[OPTIONS] SERVICE|TASK", "Fetch the logs of a service or task", 1, 1, (
        F("details", "bool", "Show extra details"),
        F("follow", "bool", "Go on as long as there is more", "f"),
        NO_RESOLVE,
        F("no-task-ids", "bool", "Leave out the ids of tasks"),
        NO_TRUNC,
        F("raw", "bool", "The lines alone"),
        F("since", "string", "Lines since a time (2026-01-02T13:23:37Z) or a while (42m)"),
        F("tail", "string", "Number of lines from the end", "n", '"all"'),
        F("timestamps", "bool", "Show when", "t"),
    )),
    Command("service ls", "[OPTIONS]", "List services", flags=(FILTER, FORMAT, QUIET_IDS)),
    Command("service ps", "[OPTIONS] SERVICE [SERVICE...]", "List the tasks of one or more services", 1, None, (FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_IDS)),
    Command("service rm", "SERVICE [SERVICE...]", "Remove one or more services", 1, None),
    Command("service rollback", "[OPTIONS] SERVICE", "Revert changes to a service's configuration", 1, 1, (DETACH, QUIET)),
    Command("service scale", "SERVICE=REPLICAS [SERVICE=REPLICAS...]", "Scale one or multiple replicated services", 1, None, (DETACH,)),
    Command("service update", "[OPTIONS] SERVICE", "Update a service", 1, 1, flags("update")),
    Command("secret create", "[OPTIONS] SECRET [file|-]", "Create a secret from a file or STDIN", 1, 2, (
        F("driver", "string", "Secret driver", "d", modelled=False), F("label", "label", "Labels of the secret", "l"),
        F("template-driver", "string", "Template driver", modelled=False),
    )),
    Command("secret inspect", "[OPTIONS] SECRET [SECRET...]", "Display detailed information on one or more secrets", 1, None, (INSPECT_FORMAT, PRETTY)),
    Command("secret ls", "[OPTIONS]", "List secrets", flags=(FILTER, FORMAT, QUIET_IDS)),
    Command("secret rm", "SECRET [SECRET...]", "Remove one or more secrets", 1, None),
    Command("config create", "[OPTIONS] CONFIG file|-", "Create a config from a file or STDIN", 2, 2, (
        F("label", "label", "Labels of the config", "l"),
        F("template-driver", "string", "Template driver", modelled=False),
    )),
    Command("config inspect", "[OPTIONS] CONFIG [CONFIG...]", "Display detailed information on one or more configs", 1, None, (INSPECT_FORMAT, PRETTY)),
    Command("config ls", "[OPTIONS]", "List configs", flags=(FILTER, FORMAT, QUIET_IDS)),
    Command("config rm", "CONFIG [CONFIG...]", "Remove one or more configs", 1, None),
    Command("network create", "[OPTIONS] NETWORK", "Create a network", 1, 1, (
        F("attachable", "bool", "Containers of no service may be attached by hand"),
        F("aux-address", "map", "Addresses kept for other uses", default="map[]"),
        F("config-from", "string", "Network whose configuration is copied", modelled=False),
        F("config-only", "bool", "Make a configuration only", modelled=False),
        F("driver", "string", "Driver of the network", "d", '"bridge"'),
        F("gateway", "strings", "Gateway of the subnet"),
        F("ingress", "bool", "Make the swarm's routing-mesh network"),
        F("internal", "bool", "No way out of the network"),
        F("ip-range", "strings", "Part of the subnet that addresses come from"),
        F("ipam-driver", "string", "Driver of address management", default='"default"', modelled=False),
        F("ipam-opt", "map", "Option of address management", default="map[]"),
        F("ipv4", "bool", "Give IPv4 addresses", default="true", modelled=False),
        F("ipv6", "bool", "Give IPv6 addresses"),
        F("label", "label", "Label of the network"),
        F("opt", "map", "Option of the driver", "o", "map[]"),
        F("scope", "string", "Scope of the network"),
        F("subnet", "strings", "Subnet in CIDR form"),
    )),
    Command("network connect", "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network", 2, 2, (
        F("alias", "strings", "Another name of it on that network"),
        F("driver-opt", "strings", "Option of the driver", modelled=False),
        F("gw-priority", "int", "Which network is the way out", modelled=False),
        F("ip", "string", 'Address on the network ("172.30.100.104")'),
        F("ip6", "string", "IPv6 address", modelled=False),
        F("link", "list", "Link to another container", modelled=False),
        F("link-local-ip", "strings", "Link-local address", modelled=False),
    )),
    Command("network disconnect", "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network", 2, 2, (
        F("force", "bool", "Whatever it costs", "f"),
    )),
    Command("network inspect", "[OPTIONS] NETWORK [NETWORK...]", "Display detailed information on one or more networks", 1, None, (
        INSPECT_FORMAT, F("verbose", "bool", "More detail", "v"),
    )),
    Command("network ls", "[OPTIONS]", "List networks", flags=(FILTER, FORMAT, NO_TRUNC, QUIET_IDS)),
    Command("network prune", "[OPTIONS]", "Remove all unused networks", flags=(
        F("filter", "filter", "Only what fits a condition (until=WHILE)"),
        F("force", "bool", "Do not ask", "f"),
    )),
    Command("network rm", "NETWORK [NETWORK...]", "Remove one or more networks", 1, None, (
        F("force", "bool", "Do not complain of networks that are not there", "f"),
    )),
    Command("stack config", "[OPTIONS]", "Outputs the final config file, after doing merges and interpolations", flags=(
        ORCHESTRATOR,
        COMPOSE_FILE,
        F("skip-interpolation", "bool", "Leave variables as they are"),
    )),
    Command("stack deploy", "[OPTIONS] STACK", "Deploy a new stack or update an existing stack", 1, 1, (
        ORCHESTRATOR,
        COMPOSE_FILE,
        DETACH._replace(default="true"),
        F("prune", "bool", "Remove services that are no longer in the file"),
        QUIET,
        F("resolve-image", "string", 'Ask the registry for digests ("always", "changed", "never")', default='"always"'),
        F("with-registry-auth", "bool", "Hand the registry's password to the agents"),
    )),
    Command("stack ls", "[OPTIONS]", "List stacks", flags=(FORMAT, ORCHESTRATOR)),
    Command("stack ps", "[OPTIONS] STACK", "List the tasks in the stack", 1, 1, (FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, ORCHESTRATOR, QUIET_IDS)),
    Command("stack rm", "[OPTIONS] STACK [STACK...]", "Remove one or more stacks", 1, None, (
        ORCHESTRATOR,
        F("detach", "bool", "Do not wait until the stack is gone", "d", "true"),
    )),
    Command("stack services", "[OPTIONS] STACK", "List the services in the stack", 1, 1, (FILTER, FORMAT, ORCHESTRATOR, QUIET_IDS)),
    Command("volume create", "[OPTIONS] [VOLUME]", "Create a volume", 0, 1, (
        F("driver", "string", "Driver of the volume", "d", '"local"'),
        F("label", "label", "Label of the volume"),
        F("name", "string", "Name of the volume", hidden=True),
        F("opt", "map", "Option of the driver", "o", "map[]"),
    )),
    Command("volume inspect", "[OPTIONS] VOLUME [VOLUME...]", "Display detailed information on one or more volumes", 1, None, (INSPECT_FORMAT,)),
    Command("volume ls", "[OPTIONS]", "List volumes", flags=(FILTER, FORMAT, QUIET_IDS)),
    Command("volume rm", "[OPTIONS] VOLUME [VOLUME...]", "Remove one or more volumes", 1, None, (
        F("force", "bool", "Do not complain of volumes that are not there", "f"),
    )),
    Command("ps", "[OPTIONS]", "List containers", flags=(
        F("all", "bool", "Show stopped containers too (default shows just running)", "a"),
        FILTER, FORMAT,
        F("last", "int", "Show the last containers created", "n", "-1"),
        F("latest", "bool", "Show the last container created", "l"),
        NO_TRUNC, QUIET_IDS,
        F("size", "bool", "Show sizes", "s", modelled=False),
    )),
    Command("kill", "[OPTIONS] CONTAINER [CONTAINER...]", "Kill one or more running containers", 1, None, (F("signal", "string", "Signal to send", "s"),)),
    Command("run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image", 1, None, RUN, interspersed=False),
    Command("create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container", 1, None, CREATE, interspersed=False),
    Command("start", "[OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers", 1, None, (
        F("attach", "bool", "Print what it prints", "a"),
        F("checkpoint", "string", "Restore from this checkpoint", modelled=False),
        F("checkpoint-dir", "string", "Where checkpoints are", modelled=False),
        F("detach-keys", "string", "Keys that leave it alone", modelled=False),
        F("interactive", "bool", "Keep its input open", "i"),
    )),
    Command("restart", "[OPTIONS] CONTAINER [CONTAINER...]", "Restart one or more containers", 1, None, (
        F("signal", "string", "Signal to send to it", "s"), F("timeout", "int", "Seconds to wait before it is killed", "t"),
    )),
    Command("wait", "CONTAINER [CONTAINER...]", "Block until one or more containers stop, then print their exit codes", 1, None),
    Command("rename", "CONTAINER NEW_NAME", "Rename a container", 2, 2),
    Command("diff", "CONTAINER", "Inspect changes to files or directories on a container's filesystem", 1, 1),
    Command("logs", "[OPTIONS] CONTAINER", "Fetch the logs of a container", 1, 1, (
        F("details", "bool", "Show extra details", modelled=False),
        F("follow", "bool", "Go on with what comes", "f"),
        F("since", "string", "Show what came since a time or a while"),
        F("tail", "string", "How many lines from the end", "n", '"all"'),
        F("timestamps", "bool", "Show when", "t"),
        F("until", "string", "Show what came before a time or a while", modelled=False),
    )),
    Command("stop", "[OPTIONS] CONTAINER [CONTAINER...]", "Stop one or more running containers", 1, None, (
        F("signal", "string", "Signal to send to it", "s"), F("timeout", "int", "Seconds to wait before it is killed", "t"),
    )),
    Command("rm", "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers", 1, None, (
        F("force", "bool", "Kill it if it runs", "f"),
        F("link", "bool", "Remove a link", "l", modelled=False),
        F("volumes", "bool", "Remove its anonymous volumes", "v"),
    )),
    Command("exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container", 2, None, (
        F("detach", "bool", "Do not wait for it, and print nothing", "d"),
        F("detach-keys", "string", "Keys that leave it alone", modelled=False),
        F("env", "env", "Set an environment variable", "e"),
        F("env-file", "list", "Read environment variables from a file", modelled=False),
        F("interactive", "bool", "Keep its input open", "i"),
        F("privileged", "bool", "Let it do anything", modelled=False),
        F("tty", "bool", "Give it a terminal", "t"),
        F("user", "string", "Who runs it (NAME|UID[:GROUP])", "u"),
        F("workdir", "string", "Folder it runs in", "w"),
    ), interspersed=False),
    Command("events", "[OPTIONS]", "Get real time events from the server", flags=(
        FILTER, INSPECT_FORMAT._replace(short=""),
        F("since", "string", "Show events since a time or a while"),
        F("until", "string", "Show events until a time"),
    )),
    Command("info", "[OPTIONS]", "Display system-wide information", flags=(INSPECT_FORMAT,)),
    Command("version", "[OPTIONS]", "Show the Docker version information", flags=(INSPECT_FORMAT,)),
    Command("inspect", "[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on Docker objects", 1, None, (
        INSPECT_FORMAT,
        F("size", "bool", "Show file sizes of containers", "s"),
        F("type", "string", "Look only for this kind of object"),
    )),
)  # fmt: skip

ALIASES = {
    "node list": "node ls",
    "node remove": "node rm",
    "service list": "service ls",
    "service remove": "service rm",
    **{f"{group} list": f"{group} ls" for group in ("secret", "config", "network", "volume", "stack")},
    **{f"{group} remove": f"{group} rm" for group in ("secret", "config", "network", "volume", "stack")},
    "stack up": "stack deploy",
    "stack down": "stack rm",
    "container ls": "ps",
    "container list": "ps",
    "container ps": "ps",
    "container kill": "kill",
    "container exec": "exec",
    "container run": "run",
    "container stop": "stop",
    "container rm": "rm",
    "container create": "create",
    "container start": "start",
    "container restart": "restart",
    "container wait": "wait",
    "container rename": "rename",
    "container diff": "diff",
    "container logs": "logs",
    "container remove": "rm",
    "system info": "info",
    "system events": "events",
    "container inspect": "inspect",
}

GLOBAL_FLAGS: tuple[F, ...] = (
    F("config", "string", "Folder of the client's configuration"),
    F("context", "string", "Context that names the daemon", "c"),
    F("debug", "bool", "Say more", "D"),
    F("host", "list", "Daemon to speak to", "H"),
    F("log-level", "string", "Least weight of a message that is shown", "l", default='"info"'),
    F("tls", "bool", "Use TLS"),
    F("tlscacert", "string", "Certificate of the authority that is trusted"),
    F("tlscert", "string", "The client's certificate"),
    F("tlskey", "string", "The client's key"),
    F("tlsverify", "bool", "Use TLS, and verify the daemon"),
    F("version", "bool", "Show the client's version", "v"),
)
"""Before the command. Which daemon is spoken to is the host's to say: here there is but one on each."""
ELSEWHERE: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("config", "tlscacert", "tlscert", "tlskey"), ()),
    **dict.fromkeys(("tls", "tlsverify"), (False,)),
    "context": ("default",),
    "host": (["unix:///var/run/docker.sock"],),
}
"""What would make the client speak to another daemon, or otherwise; and what does not."""
LOG_LEVELS = ("debug", "info", "warn", "warning", "error", "fatal", "panic", "trace")

GROUP_USE_LINES = {"stack": "docker stack [OPTIONS]", "volume": "docker volume COMMAND"}
"""What a complaint about the word after a group shows, where it is not the group alone."""
GROUPS: dict[str, str] = {
    "config": "Manage Swarm configs",
    "network": "Manage networks",
    "node": "Manage Swarm nodes",
    "secret": "Manage Swarm secrets",
    "service": "Manage Swarm services",
    "stack": "Manage Swarm stacks",
    "swarm": "Manage Swarm",
    "volume": "Manage volumes",
}

NOT_MODELLED = frozenset(
    [
        "build",
        "pull",
        "push",
        "images",
        "login",
        "logout",
        "search",
        "attach",
        "commit",
        "container",
        "cp",
        "volume prune",
        "volume update",
        "export",
        "history",
        "image",
        "import",
        "load",
        "manifest",
        "pause",
        "plugin",
        "port",
        "rmi",
        "save",
        "stats",
        "system",
        "tag",
        "top",
        "trust",
        "unpause",
        "update",
        "buildx",
        "compose",
        "context",
        "builder",
        "checkpoint",
    ]
)
"""Real commands (or groups of them) outside the table."""

BY_PATH: dict[str, Command] = {command.path: command for command in COMMANDS}
