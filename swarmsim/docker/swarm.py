"""``docker swarm …`` (docker/cli command/swarm)."""

from __future__ import annotations

import msgspec

from swarmsim.docker.cli import Cli, CommandError
from swarmsim.docker.grammar import BY_PATH
from swarmsim.docker.output import command_help
from swarmsim.docker.pflag import Flags
from swarmsim.engine.calls import ApiError
from swarmsim.sim.scope import Activity
from swarmsim.swarm.objects import ClusterSpec, Role

SETTINGS = {
    "cert-expiry": "node_cert_expiry",
    "dispatcher-heartbeat": "heartbeat_period",
    "max-snapshots": "keep_old_snapshots",
    "snapshot-interval": "snapshot_interval",
    "task-history-limit": "task_history_limit",
}
"""Flags of ``swarm update`` and the fields of :class:`ClusterSpec` they set."""


def _settings(flags: Flags, spec: ClusterSpec) -> ClusterSpec:
    changes = {field: flags.get(flag) for flag, field in SETTINGS.items() if flags.changed(flag)}
    return msgspec.structs.replace(spec, **changes)


def init(cli: Cli) -> Activity:
    flags = cli.flags
    listen = flags.get("listen-addr", "0.0.0.0:2377")
    try:
        node_id = yield from cli.api.swarm_init(
            listen, flags.get("advertise-addr", ""), flags.get("availability", "active")
        )
    except ApiError as error:
        if "could not choose an IP address to advertise" in error.message:
            raise CommandError(f"{error.message} - specify one with --advertise-addr") from None
        raise
    if flags.changed(*SETTINGS):
        version, spec = yield from cli.api.cluster_spec()
        yield from cli.api.swarm_update(version, _settings(flags, spec))
    cli.out(f"Swarm initialized: current node ({node_id}) is now a manager.\n\n")
    yield from _print_join_command(cli, "worker")
    cli.out("To add a manager to this swarm, run 'docker swarm join-token manager' and follow the instructions.\n\n")


def _print_join_command(cli: Cli, role: str) -> Activity:
    body = yield from cli.api.swarm_inspect()
    node = yield from cli.api.node_inspect("self")
    token = body["JoinTokens"][role.capitalize()]
    if node.get("ManagerStatus"):
        cli.out(
            f"To add a {role} to this swarm, run the following command:\n\n"
            f"    docker swarm join --token {token} {node['ManagerStatus']['Addr']}\n\n"
        )


def join(cli: Cli) -> Activity:
    flags = cli.flags
    role = yield from cli.api.swarm_join(
        [cli.arguments[0]],
        flags.get("token", ""),
        flags.get("listen-addr", "0.0.0.0:2377"),
        flags.get("advertise-addr", ""),
        flags.get("availability", "active"),
    )
    cli.out(f"This node joined a swarm as a {'manager' if role is Role.MANAGER else 'worker'}.\n")


def join_token(cli: Cli) -> Activity:
    role = cli.arguments[0]
    if role not in ("worker", "manager"):
        raise CommandError(f"unknown role {role}")
    if cli.flags.on("rotate"):
        version, spec = yield from cli.api.cluster_spec()
        yield from cli.api.swarm_update(version, spec, role == "worker", role == "manager")
        if not cli.flags.on("quiet"):
            cli.out(f"Successfully rotated {role} join token.\n\n")
    if cli.flags.on("quiet"):
        body = yield from cli.api.swarm_inspect()
        cli.out(body["JoinTokens"][role.capitalize()] + "\n")
        return
    yield from _print_join_command(cli, role)


def leave(cli: Cli) -> Activity:
    yield from cli.api.swarm_leave(cli.flags.on("force"))
    cli.out("Node left the swarm.\n")


def update(cli: Cli) -> Activity:
    if not cli.flags.names():
        cli.out(command_help(BY_PATH["swarm update"]))
        return
    version, spec = yield from cli.api.cluster_spec()
    yield from cli.api.swarm_update(version, _settings(cli.flags, spec))
    cli.out("Swarm updated.\n")


def ca(cli: Cli) -> Activity:
    body = yield from cli.api.swarm_inspect()
    cli.out(body["TLSInfo"]["TrustRoot"])


def unlock(cli: Cli) -> Activity:
    info = yield from cli.api.info()
    if info["Swarm"]["LocalNodeState"] == "inactive":
        raise CommandError("Error: This node is not part of a swarm")
    raise CommandError("Error: swarm is not locked")


def unlock_key(cli: Cli) -> Activity:
    yield from cli.api.swarm_inspect()
    raise CommandError("no unlock key is set")
