"""The options of a service, as one table: what create and update call them, what they are in the specification, and where
a stack file has them.

A row is an :class:`Option`. From the table follow

* the flags of ``service create`` and ``service update`` (:mod:`swarmsim.docker.grammar`),
* the specification they make and change (:mod:`swarmsim.docker.specs`), each by its :data:`Merge`,
* that of a service of a stack file (:mod:`swarmsim.docker.compose.convert`),
* what ``service inspect --pretty`` shows of it.

So a new flag is a row. What takes more than one value of one place is a function that the row names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from swarmsim.apitypes.specs import (
    DEFAULT_RESTART,
    DEFAULT_UPDATE,
    EndpointSpec,
    HealthConfig,
    Limit,
    Quantities,
    RestartPolicy,
    UpdateConfig,
)
from swarmsim.docker import merges as m
from swarmsim.docker import pretty as p
from swarmsim.docker.compose import values as c
from swarmsim.docker.merges import Collect, Merge
from swarmsim.docker.pretty import Lines
from swarmsim.go.fmt import show
from swarmsim.go.pflag import Flag
from swarmsim.go.units import bytes_size

BOTH, CREATE, UPDATE = ("create", "update"), ("create",), ("update",)


class Option(NamedTuple):
    """``path`` leads from a :class:`ServiceSpec` to the value; an option without one tells the command what to do.

    ``compose`` leads from a service of a stack file to the value there, and ``read`` makes the specification's of it;
    without ``read``, what is read depends on the rest of the file (compose/convert.py says how). ``one`` is what a list has;
    ``pretty`` makes the lines of ``inspect --pretty``, in the order of :data:`PRETTY`.
    """

    flag: str
    type: str
    about: str
    path: str = ""
    merge: Merge = m.REPLACE
    compose: str = ""
    read: Callable[[Any], Any] | None = None
    short: str = ""
    default: str = ""
    one: str = ""
    commands: tuple[str, ...] = BOTH
    since: str = ""
    pretty: Lines | None = None

    def flags(self, command: str) -> list[Flag]:
        """The flags of ``create`` or ``update``: a list's are ``-add`` and ``-rm`` there."""
        if command not in self.commands:
            return []
        if command == "update" and isinstance(self.merge, Collect):
            removed = self.type if self.type in ("port", "pref") else "list"
            return [
                Flag(f"{self.flag}-add", self.type, f"Add or change {self.one}", default=self.default),
                Flag(f"{self.flag}-rm", removed, f"Remove {self.one}"),
            ]
        default = self.default if command == "create" else ""
        return [Flag(self.flag, self.type, self.about, self.short, default, since=self.since)]


class Record(NamedTuple):
    """What is not in a specification until one of its options is given.

    ``begun`` makes the record that flags then change, of the old one or ``None``; ``compose`` is the key of a stack file
    that makes it be there, as ``written``, before its options are read.
    """

    path: str
    begun: Callable[[Any], Any]
    compose: str = ""
    written: Any = None


def _or(record: Any) -> Callable[[Any], Any]:
    return lambda old: record if old is None else old


FILE_UPDATE = UpdateConfig(parallelism=1, max_failure_ratio=0, order="")
RECORDS = (
    Record("update", _or(DEFAULT_UPDATE), "deploy.update_config", FILE_UPDATE),
    Record("rollback", _or(DEFAULT_UPDATE), "deploy.rollback_config", FILE_UPDATE),
    Record("endpoint", _or(EndpointSpec())),
    Record("task.restart", _or(DEFAULT_RESTART), "deploy.restart_policy", RestartPolicy()),
    Record("task.resources.limits", _or(Limit()), "deploy.resources.limits", Limit()),
    Record("task.resources.reservations", _or(Quantities()), "deploy.resources.reservations", Quantities()),
    Record("task.container.health", m.no_check, "healthcheck", HealthConfig()),
)


def _rolling(kind: str) -> tuple[Option, ...]:
    """``--update-…`` and ``--rollback-…``."""
    actions = '"pause", "continue", "rollback"' if kind == "update" else '"pause", "continue"'
    noun = f"{kind}s"

    verb = kind.title()

    def row(
        name: str, type: str, about: str, field: str, read: Callable[[Any], Any], default: str, pretty: Lines
    ) -> Option:
        key = f"deploy.{kind}_config.{field}"
        return Option(
            f"{kind}-{name}", type, about, f"{kind}.{field}", m.REPLACE, key, read, default=default, pretty=pretty
        )

    return (
        row("parallelism", "uint", "How many tasks at once (0: all)", "parallelism", c.same, "1", p.line(" Parallelism:\t{}", always=True)),
        row("delay", "duration", f"Pause between two {noun} of tasks", "delay", c.same, "0s", p.duration(" Delay:\t\t{}")),
        row("failure-action", "string", f"What to do when a {kind} fails ({actions})", "failure_action", str, '"pause"', p.line(" On failure:\t{}", always=True)),
        row("monitor", "duration", "How long a new task is watched for failure", "monitor", c.same, "5s", p.duration(" Monitoring Period: {}")),
        row("max-failure-ratio", "float", f"Share of failed tasks a {kind} tolerates", "max_failure_ratio", c.same, "0", p.ratio),
        row("order", "string", 'Which task goes first ("start-first", "stop-first")', "order", str, '"stop-first"', p.line(f" {f'{verb} order:':<18} {{}}", always=True)),
    )  # fmt: skip


OPTIONS: tuple[Option, ...] = (
    # What the command does.
    Option("detach", "bool", "Do not wait until the service has converged", short="d"),
    Option("quiet", "bool", "No progress while waiting", short="q"),
    Option("no-resolve-image", "bool", "Do not ask the registry for the image's digest"),
    Option("with-registry-auth", "bool", "Hand the registry's password to the agents"),
    Option("rollback", "bool", "Go back to the previous specification", commands=UPDATE),
    Option("env-file", "list", "File of environment variables", compose="env_file", commands=CREATE),
    # The service.
    Option("name", "string", "Name of the service", "name", commands=CREATE),
    Option("label", "label", "Label of the service", "labels", m.LABELS, "deploy.labels", short="l", one="a label", pretty=p.labels),
    Option("mode", "string", '"replicated", "global", "replicated-job", "global-job"', "mode", m.MODE, "deploy.mode", default='"replicated"', commands=CREATE, pretty=p.mode),
    Option("replicas", "uint", "Number of tasks", "mode", m.MODE, "deploy.replicas"),
    Option("max-concurrent", "uint", "Most tasks of a job at once (default equal to --replicas)", "mode", m.MODE),
    *_rolling("update"),
    *_rolling("rollback"),
    Option("endpoint-mode", "string", "vip or dnsrr", "endpoint.mode", m.REPLACE, "deploy.endpoint_mode", str.lower, default='"vip"', pretty=p.line("Endpoint Mode:\t{}", always=True)),
    Option("publish", "port", "Port to publish (published:target)", "endpoint.ports", m.PORTS, "ports", c.ports, short="p", one="a published port"),
    # Where its tasks run, and again.
    Option("constraint", "list", "Where tasks may run (node.role==worker)", "task.placement.constraints", m.CONSTRAINTS, "deploy.placement.constraints", c.or_none, one="a constraint", pretty=p.line(" Constraints:\t{}", show)),
    Option("placement-pref", "pref", "Placement preference (spread=...)", "task.placement.preferences", m.PREFERENCES, "deploy.placement.preferences", c.preferences, one="a placement preference", pretty=p.preferences),
    Option("replicas-max-per-node", "uint", "Most tasks on one node (default 0 = unlimited)", "task.placement.max_replicas", m.REPLACE, "deploy.placement.max_replicas_per_node", c.same, default="0", pretty=p.line(" Max Replicas Per Node:   {}")),
    Option("restart-condition", "string", 'When to restart ("none", "on-failure", "any")', "task.restart.condition", m.REPLACE, "deploy.restart_policy.condition", str, default='"any"'),
    Option("restart-delay", "duration", "Pause before a restart", "task.restart.delay", m.REPLACE, "deploy.restart_policy.delay", c.same, default="5s"),
    Option("restart-max-attempts", "uint", "Most restarts (0: any number)", "task.restart.max_attempts", m.REPLACE, "deploy.restart_policy.max_attempts", c.same),
    Option("restart-window", "duration", "Time in which restarts are counted", "task.restart.window", m.REPLACE, "deploy.restart_policy.window", c.same),
    Option("force", "bool", "Replace the tasks even if nothing changed", "task.force_update", m.ONE_MORE, commands=UPDATE),
    # The container.
    Option("image", "string", "Replace the image", "task.container.image", m.REPLACE, "image", str, commands=UPDATE, pretty=p.line(" Image:\t\t{}", always=True)),
    Option("entrypoint", "command", "Replace the image's entrypoint", "task.container.command", m.OR_NONE, "entrypoint", c.or_none),
    Option("args", "command", "Replace the container's arguments", "task.container.args", m.OR_NONE, "command", c.or_none, commands=UPDATE, pretty=p.words("Args")),
    Option("env", "env", "Environment variable", "task.container.env", m.ENVIRONMENT, "environment", short="e", one="an environment variable", pretty=p.words("Env")),
    Option("workdir", "string", "Working directory in the container", "task.container.dir", m.REPLACE, "working_dir", str, short="w", pretty=p.line(" Dir:\t\t{}")),
    Option("user", "string", "User (and group) the container runs as", "task.container.user", m.REPLACE, "user", str, short="u", pretty=p.line(" User: {}")),
    Option("group", "list", "Further groups of the container's user", "task.container.groups", m.GROUPS, one="a group"),
    Option("hostname", "string", "Host name inside the container", "task.container.hostname", m.REPLACE, "hostname", str),
    Option("host", "extra-host", "Line of /etc/hosts (host:ip)", "task.container.hosts", m.HOSTS, "extra_hosts", c.hosts, one="a line of /etc/hosts"),
    Option("dns", "ip", "DNS server", "task.container.dns.nameservers", m.TEXTS, "dns", c.or_none, one="a DNS server"),
    Option("dns-search", "domain", "DNS search domain", "task.container.dns.search", m.TEXTS, "dns_search", c.or_none, one="a DNS search domain"),
    Option("dns-option", "list", "DNS option", "task.container.dns.options", m.TEXTS, one="a DNS option"),
    Option("container-label", "label", "Label of the containers", "task.container.labels", m.PAIRS, "labels", one="a label of the containers"),
    Option("init", "bool", "Run an init in the container that forwards signals", "task.container.init", m.REPLACE, "init", bool, pretty=p.given(" Init:\t\t{}")),
    Option("tty", "bool", "Give the container a terminal", "task.container.tty", m.REPLACE, "tty", bool, short="t"),
    Option("read-only", "bool", "The container's root file system cannot be written", "task.container.read_only", m.REPLACE, "read_only", bool),
    Option("stop-signal", "string", "Signal that asks the container to stop", "task.container.stop_signal", m.REPLACE, "stop_signal", str),
    Option("stop-grace-period", "duration", "Time between the stop signal and SIGKILL", "task.container.stop_grace_period", m.REPLACE, "stop_grace_period", c.same, default="10s"),
    Option("mount", "mount", "File system to mount", "task.container.mounts", m.MOUNTS, "volumes", one="a mount", pretty=p.mounts),
    Option("secret", "secret", "Secrets the service may read", "task.container.secrets", m.SECRETS, "secrets", one="a secret", pretty=p.secrets),
    Option("config", "config", "Configs the service may read", "task.container.configs", m.CONFIGS, "configs", one="a config", pretty=p.configs),
    Option("credential-spec", "credential-spec", "Windows service account", "task.container.privileges", m.CREDENTIALS, "credential_spec"),
    Option("isolation", "string", "Container isolation of Windows", "task.container.isolation", m.REPLACE, "isolation", str),
    Option("sysctl", "list", "Kernel parameter", "task.container.sysctls", m.SYSCTLS, "sysctls", c.or_none, one="a kernel parameter", pretty=p.sysctls),
    Option("cap-add", "list", "Add a Linux capability", "task.container.capability_add", m.CAPABILITIES, "cap_add", pretty=p.line(" Add: {}", ", ".join)),
    Option("cap-drop", "list", "Take a Linux capability away", "task.container.capability_drop", m.CAPABILITIES, "cap_drop", pretty=p.line(" Drop: {}", ", ".join)),
    Option("ulimit", "ulimit", "Resource limit", "task.container.ulimits", m.ULIMITS, "ulimits", c.ulimits, default="[]", one="a resource limit", pretty=p.ulimits),
    Option("oom-score-adj", "int", "Preference of the kernel's out-of-memory killer", since="1.46"),
    Option("no-healthcheck", "bool", "Ignore the image's health check", "task.container.health", m.NO_HEALTH_CHECK),
    Option("health-cmd", "string", "Command of the health check", "task.container.health.test", m.HEALTH_COMMAND, "healthcheck.test", c.or_none, pretty=p.tests),
    Option("health-interval", "positive-duration", "Time between health checks", "task.container.health.interval", m.REPLACE, "healthcheck.interval", c.same, pretty=p.duration("  Interval = {}", always=True)),
    Option("health-timeout", "positive-duration", "Longest time of one check", "task.container.health.timeout", m.REPLACE, "healthcheck.timeout", c.same, pretty=p.duration("  Timeout =\t{}", always=True)),
    Option("health-start-period", "positive-duration", "Time to start before failures count", "task.container.health.start_period", m.REPLACE, "healthcheck.start_period", c.same, pretty=p.duration("  StartPeriod =\t{}", always=True)),
    Option("health-start-interval", "positive-duration", "Time between checks during the start period", "task.container.health.start_interval", m.REPLACE, "healthcheck.start_interval", c.same, since="1.44"),
    Option("health-retries", "int", "Failures in a row that mean unhealthy", "task.container.health.retries", m.REPLACE, "healthcheck.retries", int, pretty=p.line("  Retries = {}", always=True)),
    # What it is given, and may use.
    Option("log-driver", "string", "Logging driver", "task.log_driver", m.LOG_DRIVER, "logging", c.log_driver, pretty=p.log_driver),
    Option("log-opt", "list", "Option of the logging driver", "task.log_driver", m.LOG_DRIVER),
    Option("reserve-cpu", "decimal", "CPUs a node must have free", "task.resources.reservations.nano_cpus", m.REPLACE, "deploy.resources.reservations.cpus", c.cpus, default="0", pretty=p.cpus),
    Option("reserve-memory", "bytes", "Memory a node must have free", "task.resources.reservations.memory_bytes", m.REPLACE, "deploy.resources.reservations.memory", c.same, default="0", pretty=p.line("  Memory:\t{}", bytes_size)),
    Option("generic-resource", "generic-resource", "User-defined resource", "task.resources.reservations.generic", m.GENERIC, "deploy.resources.reservations.generic_resources", c.generic_resources, one="a generic resource"),
    Option("limit-cpu", "decimal", "Most CPUs a task may use", "task.resources.limits.nano_cpus", m.REPLACE, "deploy.resources.limits.cpus", c.cpus, default="0", pretty=p.cpus),
    Option("limit-memory", "bytes", "Most memory a task may use", "task.resources.limits.memory_bytes", m.REPLACE, "deploy.resources.limits.memory", c.same, default="0", pretty=p.line("  Memory:\t{}", bytes_size)),
    Option("limit-pids", "int", "Most processes a task may have (default 0 = unlimited)", "task.resources.limits.pids", m.REPLACE, "deploy.resources.limits.pids", c.same, default="0", pretty=p.line("  PIDs:\t\t{}")),
    Option("network", "network", "Network to attach to", "task.networks", m.NETWORKS, "networks", one="a network"),
)  # fmt: skip
BY_FLAG = {option.flag: option for option in OPTIONS}


class Section(NamedTuple):
    """A part of ``inspect --pretty``: its title, and whose lines it has. ``record`` must be there, or ``always`` is set,
    or there must be lines, for the title to be shown."""

    title: str
    options: tuple[str, ...]
    record: str = ""
    always: bool = False


def _rolling_rows(kind: str) -> tuple[str, ...]:
    return tuple(option.flag for option in OPTIONS if option.path.startswith(f"{kind}."))


PRETTY_HEAD = (Section("", ("label", "mode")),)
"""Before the state of an update; the rest comes after it, and then what the service has in fact: its ports."""
PRETTY = (
    Section("Placement:", ("constraint", "placement-pref", "replicas-max-per-node"), always=True),
    Section("UpdateConfig:", _rolling_rows("update"), record="update"),
    Section("RollbackConfig:", _rolling_rows("rollback"), record="rollback"),
    Section("ContainerSpec:", ("image", "args", "env", "workdir", "init", "user"), always=True),
    Section("Capabilities:", ("cap-add", "cap-drop")),
    Section("", ("sysctl", "ulimit", "mount", "config", "secret", "log-driver")),
    Section("Resources:", (), always=True),
    Section(" Reservations:", ("reserve-cpu", "reserve-memory")),
    Section(" Limits:", ("limit-cpu", "limit-memory", "limit-pids")),
)
PRETTY_ENDPOINT = (Section("", ("endpoint-mode",)),)
PRETTY_HEALTH = (
    Section(
        " Healthcheck:",
        ("health-interval", "health-retries", "health-start-period", "health-timeout", "health-cmd"),
        record="task.container.health",
    ),
)


def flags(command: str) -> tuple[Flag, ...]:
    """The flags of ``service create`` or ``service update``."""
    return tuple(flag for option in OPTIONS for flag in option.flags(command))
