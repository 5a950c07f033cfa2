"""``docker node …`` (docker/cli command/node)."""

from __future__ import annotations

from functools import partial
from typing import Any

from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import replace
from swarmsim.apitypes.swarm import Node, NodeSpec
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
        own = (yield from command.api.info())["Swarm"]["NodeID"]
    nodes.sort(key=lambda node: tasks.natural(node["Description"].get("Hostname", "")))
    rows = []
    for node in nodes:
        manager = node.get("ManagerStatus")
        status = ""
        if manager is not None:
            status = "Leader" if manager.get("Leader") else manager["Reachability"].capitalize()
        rows.append(
            {
                "ID": node["ID"],
                "Self": node["ID"] == own,
                "Hostname": node["Description"].get("Hostname", ""),
                "Status": node["Status"]["State"].capitalize(),
                "Availability": node["Spec"]["Availability"].capitalize(),
                "ManagerStatus": status,
                "EngineVersion": node["Description"].get("Engine", {}).get("EngineVersion", ""),
                "TLSStatus": "Ready",
            }
        )
    command.render(lambda: LISTING.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def ps(command: CommandContext) -> Activity[None]:
    """As docker does it, each named node's filter stays set for the next: tasks of several nodes repeat."""
    filters = command.filters()
    found: list[dict[str, Any]] = []
    errors = []
    for reference in command.arguments or ["self"]:
        try:
            node = yield from look(command, reference)
        except ApiError as error:
            errors.append(error_text(error))
            continue
        filters.add("node", node["ID"])
        found += yield from command.api.task_list(filters)
    if found or not errors:
        yield from tasks.print_tasks(command, found, truncate=not command.flags.on("no-trunc"))
    if errors:
        raise CommandError("\n".join(errors))


def look(command: CommandContext, reference: str) -> Activity[dict[str, Any]]:
    """A node; ``self`` is the one of this engine (command/node/cmd.go Reference)."""
    if reference == "self":
        info = yield from command.api.info()
        reference = info["Swarm"]["NodeID"]
        if not reference:
            yield from command.api.node_list()  # says better what is wrong
            raise CommandError("node ID not found in /info")
    node: dict[str, Any] = yield from command.api.node_inspect(reference)
    return node


def inspect(command: CommandContext) -> Activity[None]:
    yield from command.inspect(
        partial(look, command), lambda _, error: error_text(error), Node, lambda node: _pretty(node) + "\n"
    )


def pretty_time(timestamp: str) -> str:
    """``2026-11-23 12:45:40.991457655 +0000 utc``: docker makes it lower-case."""
    return show_timestamp(timestamp).lower()


def _pretty(node: dict[str, Any]) -> str:
    description = node["Description"]
    lines = [f"ID:\t\t\t{node['ID']}"]
    labels = node["Spec"]["Labels"]
    if labels:
        lines.append("Labels:")
        lines += pairs(labels, " - ")
    lines += [
        f"Hostname:              \t{description.get('Hostname', '')}",
        f"Joined at:             \t{pretty_time(node['CreatedAt'])}",
        "Status:",
        f" State:\t\t\t{node['Status']['State'].capitalize()}",
    ]
    if node["Status"].get("Message"):
        lines.append(f" Message:              \t{node['Status']['Message'].capitalize()}")
    lines.append(f" Availability:         \t{node['Spec']['Availability'].capitalize()}")
    if node["Status"].get("Addr"):
        lines.append(f" Address:\t\t{node['Status']['Addr']}")
    manager = node.get("ManagerStatus")
    if manager is not None:
        lines += [
            "Manager Status:",
            f" Address:\t\t{manager['Addr']}",
            f" Raft Status:\t\t{manager['Reachability'].capitalize()}",
            f" Leader:\t\t{'Yes' if manager.get('Leader') else 'No'}",
        ]
    resources, engine = description["Resources"], description["Engine"]
    lines += [
        "Platform:",
        f" Operating System:\t{description['Platform'].get('OS', '')}",
        f" Architecture:\t\t{description['Platform'].get('Architecture', '')}",
        "Resources:",
        f" CPUs:\t\t\t{resources.get('NanoCPUs', 0) // 10**9}",
        f" Memory:\t\t{bytes_size(resources.get('MemoryBytes', 0))}",
    ]
    plugins: dict[str, list[str]] = {}
    for plugin in engine.get("Plugins", ()):
        plugins.setdefault(plugin["Type"], []).append(plugin["Name"])
    if plugins:
        lines.append("Plugins:")
        lines += [f" {kind}:\t\t{', '.join(names)}" for kind, names in sorted(plugins.items())]
    lines.append(f"Engine Version:\t\t{engine.get('EngineVersion', '')}")
    if engine.get("Labels"):
        lines.append("Engine Labels:")
        lines += pairs(engine["Labels"], " - ")
    tls = description.get("TLSInfo")
    if tls:
        lines += [
            "TLS Info:",
            " TrustRoot:",
            tls["TrustRoot"],
            f" Issuer Subject:\t{tls['CertIssuerSubject']}",
            f" Issuer Public Key:\t{tls['CertIssuerPublicKey']}",
        ]
    return "\n".join(lines)


def _spec(node: dict[str, Any]) -> NodeSpec:
    spec = node["Spec"]
    return NodeSpec(labels=dict(spec["Labels"]), role=spec["Role"], availability=spec["Availability"])


def _update(command: CommandContext, node: dict[str, Any], spec: NodeSpec) -> Activity[None]:
    yield from command.api.node_update(node["ID"], node["Version"]["Index"], spec)


def update(command: CommandContext) -> Activity[None]:
    flags = command.flags
    node = yield from command.api.node_inspect(command.arguments[0])
    spec = _spec(node)
    labels = dict(spec.labels)
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
        node = yield from command.api.node_inspect(reference)
        spec = _spec(node)
        if spec.role == role:
            command.out(already.format(node["ID"]) + "\n")
            continue
        yield from _update(command, node, replace(spec, role=role))
        command.out(done.format(reference) + "\n")


def rm(command: CommandContext) -> Activity[None]:
    def remove(reference: str) -> Activity[None]:
        yield from command.api.node_remove(reference, command.flags.on("force"))
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, remove)
