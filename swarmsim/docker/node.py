"""``docker node …`` (docker/cli command/node)."""

from __future__ import annotations

import base64

from swarmsim.apitypes.base import Json, from_json
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import replace
from swarmsim.apitypes.swarm import Node, NodeSpec, Task, TLSInfo
from swarmsim.docker import tasks
from swarmsim.docker.command import CommandContext, error_text
from swarmsim.docker.errors import CommandError
from swarmsim.docker.output import Listing
from swarmsim.docker.pretty import pairs
from swarmsim.go.duration import show_timestamp
from swarmsim.go.units import bytes_size
from swarmsim.sim.future import Activity

LISTING = Listing(
    "{{.ID}} {{if .Self}}*{{else}} {{end}}\t{{.Hostname}}\t{{.Status}}\t{{.Availability}}\t{{.ManagerStatus}}\t{{.EngineVersion}}",
    {
        "ID": "ID",
        "Self": "",
        "Hostname": "HOSTNAME",
        "Status": "STATUS",
        "Availability": "AVAILABILITY",
        "ManagerStatus": "MANAGER STATUS",
        "EngineVersion": "ENGINE VERSION",
        "TLSStatus": "TLS STATUS",
    },
    "node.nodeContext",
    raw=r"node_id: {{.ID}}\nhostname: {{.Hostname}}\nstatus: {{.Status}}\navailability: {{.Availability}}\n"
    r"manager_status: {{.ManagerStatus}}\n",
)


def ls(command: CommandContext) -> Activity[None]:
    nodes = yield from command.api.node_list(command.filters())
    own = ""
    if not command.flags.on("quiet"):
        own = (yield from command.api.info()).swarm.node_id
    nodes.sort(key=lambda node: tasks.natural(node.description.hostname))
    rows = []
    for node in nodes:
        manager = node.manager_status
        status = ""
        if manager is not None:
            status = "Leader" if manager.leader else manager.reachability.capitalize()
        rows.append(
            {
                "ID": node.id,
                "Self": node.id == own,
                "Hostname": node.description.hostname,
                "Status": node.status.state.capitalize(),
                "Availability": node.spec.availability.capitalize(),
                "ManagerStatus": status,
                "EngineVersion": node.description.engine.version,
                "TLSStatus": "Ready",
            }
        )
    command.render(lambda: LISTING.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def ps(command: CommandContext) -> Activity[None]:
    """As docker does it, each named node's filter stays set for the next: tasks of several nodes repeat."""
    filters = command.filters()
    found: list[Task] = []
    errors = []
    for reference in command.arguments or ["self"]:
        try:
            node = yield from command.api.node((yield from _id(command, reference)))
        except ApiError as error:
            errors.append(error_text(error))
            continue
        filters.add("node", node.id)
        found += yield from command.api.task_list(filters)
    if found or not errors:
        yield from tasks.print_tasks(command, found, truncate=not command.flags.on("no-trunc"))
    if errors:
        raise CommandError("\n".join(errors))


def _id(command: CommandContext, reference: str) -> Activity[str]:
    """``self`` is the node of this engine (command/node/cmd.go Reference)."""
    if reference != "self":
        return reference
    info = yield from command.api.info()
    if not info.swarm.node_id:
        yield from command.api.node_list()  # says better what is wrong
        raise CommandError("node ID not found in /info")
    return info.swarm.node_id


def inspect(command: CommandContext) -> Activity[None]:
    def look(reference: str) -> Activity[Json]:
        return (yield from command.api.node_inspect((yield from _id(command, reference))))

    yield from command.inspect(
        look, lambda _, error: error_text(error), Node, lambda body: _pretty(from_json(body, Node)) + "\n"
    )


def pretty_time(timestamp: str) -> str:
    """``2026-11-23 12:45:40.991457655 +0000 utc``: docker makes it lower-case."""
    return show_timestamp(timestamp).lower()


def _pretty(node: Node) -> str:
    description = node.description
    lines = [f"ID:\t\t\t{node.id}"]
    if node.spec.labels:
        lines.append("Labels:")
        lines += pairs(node.spec.labels, " - ")
    lines += [
        f"Hostname:              \t{description.hostname}",
        f"Joined at:             \t{pretty_time(node.created_at)}",
        "Status:",
        f" State:\t\t\t{node.status.state.capitalize()}",
    ]
    if node.status.message:
        lines.append(f" Message:              \t{node.status.message.capitalize()}")
    lines.append(f" Availability:         \t{node.spec.availability.capitalize()}")
    if node.status.address:
        lines.append(f" Address:\t\t{node.status.address}")
    manager = node.manager_status
    if manager is not None:
        lines += [
            "Manager Status:",
            f" Address:\t\t{manager.address}",
            f" Raft Status:\t\t{manager.reachability.capitalize()}",
            f" Leader:\t\t{'Yes' if manager.leader else 'No'}",
        ]
    resources, engine = description.resources, description.engine
    lines += [
        "Platform:",
        f" Operating System:\t{description.platform.os}",
        f" Architecture:\t\t{description.platform.architecture}",
        "Resources:",
        f" CPUs:\t\t\t{resources.nano_cpus // 10**9}",
        f" Memory:\t\t{bytes_size(resources.memory_bytes)}",
    ]
    plugins: dict[str, list[str]] = {}
    for plugin in engine.plugins:
        plugins.setdefault(plugin.type, []).append(plugin.name)
    if plugins:
        lines.append("Plugins:")
        lines += [f" {kind}:\t\t{', '.join(names)}" for kind, names in sorted(plugins.items())]
    lines.append(f"Engine Version:\t\t{engine.version}")
    if engine.labels:
        lines.append("Engine Labels:")
        lines += pairs(engine.labels, " - ")
    tls = description.tls
    if tls != TLSInfo():
        lines += [
            "TLS Info:",
            " TrustRoot:",
            tls.trust_root,
            f" Issuer Subject:\t{base64.b64encode(tls.issuer_subject).decode()}",
            f" Issuer Public Key:\t{base64.b64encode(tls.issuer_public_key).decode()}",
        ]
    return "\n".join(lines)


def _update(command: CommandContext, node: Node, spec: NodeSpec) -> Activity[None]:
    yield from command.api.node_update(node.id, node.version.index, spec)


def update(command: CommandContext) -> Activity[None]:
    flags = command.flags
    node = yield from command.api.node(command.arguments[0])
    spec, labels = node.spec, dict(node.spec.labels)
    for text in flags.every("label-add"):
        key, _, value = text.partition("=")
        labels[key] = value
    for key in flags.every("label-rm"):
        if key not in labels:
            raise CommandError(f"key {key} doesn't exist in node's labels")
        del labels[key]
    role, availability = flags.get("role", spec.role), flags.get("availability", spec.availability)
    yield from _update(command, node, NodeSpec(labels=labels, role=role, availability=availability))
    command.out(f"{command.arguments[0]}\n")


def promote(command: CommandContext) -> Activity[None]:
    yield from _change_roles(
        command, "manager", "Node {} is already a manager.", "Node {} promoted to a manager in the swarm."
    )


def demote(command: CommandContext) -> Activity[None]:
    yield from _change_roles(command, "worker", "Node {} is already a worker.", "Manager {} demoted in the swarm.")


def _change_roles(command: CommandContext, role: str, already: str, done: str) -> Activity[None]:
    for reference in command.arguments:
        node = yield from command.api.node(reference)
        if node.spec.role == role:
            command.out(already.format(node.id) + "\n")
            continue
        yield from _update(command, node, replace(node.spec, role=role))
        command.out(done.format(reference) + "\n")


def rm(command: CommandContext) -> Activity[None]:
    def remove(reference: str) -> Activity[None]:
        yield from command.api.node_remove(reference, command.flags.on("force"))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, remove)
