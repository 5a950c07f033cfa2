"""``docker swarm …`` (docker/cli command/swarm)."""

from __future__ import annotations

from typing import Any

import msgspec

from swarmsim.docker.command import CommandContext, CommandError
from swarmsim.docker.grammar import BY_PATH
from swarmsim.docker.help import command_help
from swarmsim.engine.calls import ApiError
from swarmsim.go.pflag import Flags
from swarmsim.sim.future import Activity
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


def init(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    listen = flags.get("listen-addr", "0.0.0.0:2377")
    try:
        node_id = yield from command.api.swarm_init(
            listen, flags.get("advertise-addr", ""), flags.get("availability", "active")
        )
    except ApiError as error:
        if "could not choose an IP address to advertise" in error.message:
            raise CommandError(f"{error.message} - specify one with --advertise-addr") from None
        raise
    if flags.changed(*SETTINGS):
        version, spec = yield from command.api.cluster_spec()
        yield from command.api.swarm_update(version, _settings(flags, spec))
    command.out(f"Swarm initialized: current node ({node_id}) is now a manager.\n\n")
    yield from _print_join_command(command, "worker")
    command.out(
        "To add a manager to this swarm, run 'docker swarm join-token manager' and follow the instructions.\n\n"
    )


def _print_join_command(command: CommandContext, role: str) -> Activity[Any]:
    body = yield from command.api.swarm_inspect()
    node = yield from command.api.node_inspect("self")
    token = body["JoinTokens"][role.capitalize()]
    if node.get("ManagerStatus"):
        command.out(
            f"To add a {role} to this swarm, run the following command:\n\n"
            f"    docker swarm join --token {token} {node['ManagerStatus']['Addr']}\n\n"
        )


def join(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    role = yield from command.api.swarm_join(
        [command.arguments[0]],
        flags.get("token", ""),
        flags.get("listen-addr", "0.0.0.0:2377"),
        flags.get("advertise-addr", ""),
        flags.get("availability", "active"),
    )
    command.out(f"This node joined a swarm as a {'manager' if role is Role.MANAGER else 'worker'}.\n")


def join_token(command: CommandContext) -> Activity[Any]:
    role = command.arguments[0]
    if role not in ("worker", "manager"):
        raise CommandError(f"unknown role {role}")
    if command.flags.on("rotate"):
        version, spec = yield from command.api.cluster_spec()
        yield from command.api.swarm_update(version, spec, role == "worker", role == "manager")
        if not command.flags.on("quiet"):
            command.out(f"Successfully rotated {role} join token.\n\n")
    if command.flags.on("quiet"):
        body = yield from command.api.swarm_inspect()
        command.out(body["JoinTokens"][role.capitalize()] + "\n")
        return
    yield from _print_join_command(command, role)


def leave(command: CommandContext) -> Activity[Any]:
    yield from command.api.swarm_leave(command.flags.on("force"))
    command.out("Node left the swarm.\n")


def update(command: CommandContext) -> Activity[Any]:
    if not command.flags.names():
        command.out(command_help(BY_PATH["swarm update"]))
        return
    version, spec = yield from command.api.cluster_spec()
    yield from command.api.swarm_update(version, _settings(command.flags, spec))
    command.out("Swarm updated.\n")


def ca(command: CommandContext) -> Activity[Any]:
    body = yield from command.api.swarm_inspect()
    command.out(body["TLSInfo"]["TrustRoot"])


def unlock(command: CommandContext) -> Activity[Any]:
    info = yield from command.api.info()
    if info["Swarm"]["LocalNodeState"] == "inactive":
        raise CommandError("Error: This node is not part of a swarm")
    raise CommandError("Error: swarm is not locked")


def unlock_key(command: CommandContext) -> Activity[Any]:
    yield from command.api.swarm_inspect()
    raise CommandError("no unlock key is set")
