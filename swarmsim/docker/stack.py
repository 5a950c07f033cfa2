"""``docker stack …`` (docker/cli command/stack): services, networks, secrets and configs of one compose file."""

from __future__ import annotations

import io
import posixpath
from typing import Any

from ruamel.yaml import YAML

from swarmsim.docker import service as services
from swarmsim.docker import tasks
from swarmsim.docker.cli import Cli, CommandError, said
from swarmsim.docker.compose.convert import IMAGE, NAMESPACE, Stack
from swarmsim.docker.compose.load import Loaded, load
from swarmsim.docker.node import node_names
from swarmsim.docker.output import Listing
from swarmsim.docker.progress import wait_on_service
from swarmsim.docker.references import resolved
from swarmsim.engine.calls import ApiError
from swarmsim.sim.scope import Activity
from swarmsim.swarm.specs import SecretSpec, ServiceSpec, replace

LISTING = Listing(
    "{{.Name}}\t{{.Services}}",
    {"Name": "NAME", "Services": "SERVICES"},
    "Name",
    "*stack.stackContext",
    ("Name", "Services"),
)
IN_BACKGROUND = (
    "Since --detach=false was not specified, tasks will be created in the background.\n"
    "In a future release, --detach=false will become the default.\n"
)
RESOLVE = ("always", "changed", "never")


def _loaded(cli: Cli) -> Loaded:
    files = cli.flags.every("compose-file")
    if not files:
        raise CommandError("specify a Compose file (with --compose-file)")
    return load(files, cli.files.read, cli.files.environment)


def _check_name(name: str) -> None:
    if not name.strip():
        raise CommandError(f'invalid stack name: "{name}"')


def deploy(cli: Cli) -> Activity:
    name, flags = cli.arguments[0], cli.flags
    _check_name(name)
    resolve = flags.get("resolve-image", "always")
    if resolve not in RESOLVE:
        raise CommandError(f"Invalid option {resolve} for flag --resolve-image")
    if not flags.changed("detach"):
        cli.err(IN_BACKGROUND)
    loaded = _loaded(cli)
    for warning in loaded.warnings:
        cli.err(warning)
    stack = Stack(name, loaded, posixpath.dirname(flags.every("compose-file")[0]), cli.files.read)
    stack.check_images()
    yield from _must_be_manager(cli)
    done: list[str] = []
    try:
        ids = yield from _deploy(cli, stack, resolve, done)
    except (CommandError, ApiError) as problem:
        told = f"\nswarmsim: done before that: {', '.join(done)}" if done else ""
        raise CommandError(f"{said(problem)}{told}") from None
    if flags.changed("detach") and not flags.on("detach"):
        errors = []
        for id in ids:
            try:
                yield from wait_on_service(cli, id, flags.on("quiet"))
            except (CommandError, ApiError) as problem:
                errors.append(f"{id}: {said(problem)}")
        if errors:
            raise CommandError("\n".join(errors))


def _must_be_manager(cli: Cli) -> Activity:
    info = yield from cli.api.info()
    if not info["Swarm"]["ControlAvailable"]:
        raise CommandError(
            'this node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
            "swarm and try again"
        )


def _deploy(cli: Cli, stack: Stack, resolve: str, done: list[str]) -> Activity:
    """Networks, secrets, configs, then services; ``done`` grows with what was made."""
    if cli.flags.on("prune"):
        yield from _prune(cli, stack)
    yield from _make_networks(cli, stack, done)
    for kind in ("secret", "config"):
        for file in stack.files(f"{kind}s"):
            yield from _make_file(cli, kind, file, done)
    specs: dict[str, ServiceSpec] = {}
    for service in stack.services:
        specs[service] = yield from resolved(cli, stack.service(service))
    existing = {s["Spec"]["Name"]: s for s in (yield from _of_stack(cli, cli.api.service_list, stack.name))}
    # The order is that of a Go map.
    order = list(specs)
    cli.api.host.rng("stack").shuffle(order)
    ids = []
    for service in order:
        spec = specs[service]
        if spec.name in existing:
            ids.append((yield from _update(cli, existing[spec.name], spec, resolve)))
        else:
            cli.out(f"Creating service {spec.name}\n")
            try:
                id, warnings = yield from cli.api.service_create(spec, resolve != "never")
            except ApiError as error:
                raise CommandError(f"failed to create service {spec.name}: {said(error)}") from None
            for warning in warnings:
                cli.err(warning + "\n")
            ids.append(id)
        done.append(f"service {spec.name}")
    return ids


def _update(cli: Cli, existing: dict[str, Any], spec: ServiceSpec, resolve: str) -> Activity:
    id = existing["ID"]
    cli.out(f"Updating service {spec.name} (id: {id})\n")
    current = yield from cli.api.service_spec(id)
    query = resolve == "always"
    if resolve != "always":
        if spec.task.container.image != current.spec.labels.get(IMAGE):
            query = resolve == "changed"
        else:
            container = replace(spec.task.container, image=current.spec.task.container.image)
            spec = replace(spec, task=replace(spec.task, container=container))
    spec = replace(spec, task=replace(spec.task, force_update=current.spec.task.force_update))
    try:
        warnings = yield from cli.api.service_update(id, current.meta.version, spec, query)
    except ApiError as error:
        raise CommandError(f"failed to update service {spec.name}: {said(error)}") from None
    for warning in warnings:
        cli.err(warning + "\n")
    return id


def _make_networks(cli: Cli, stack: Stack, done: list[str]) -> Activity:
    wanted, external = stack.networks()
    known = {network["Name"]: network for network in (yield from cli.api.network_list())}
    for name in external:
        if name in ("host", "bridge", "none"):
            continue
        if name not in known:
            raise CommandError(
                f'network "{name}" is declared as external, but could not be found. '
                "You need to create a swarm-scoped network before the stack is deployed"
            )
        if known[name]["Scope"] != "swarm":
            raise CommandError(
                f'network "{name}" is declared as external, but it is not in the right scope: '
                f'"{known[name]["Scope"]}" instead of "swarm"'
            )
    for spec in wanted:
        if (known.get(spec.name, {}).get("Labels") or {}).get(NAMESPACE) == stack.name:
            continue
        cli.out(f"Creating network {spec.name}\n")
        try:
            yield from cli.api.network_create(spec)
        except ApiError as error:
            raise CommandError(f"failed to create network {spec.name}: {said(error)}") from None
        done.append(f"network {spec.name}")


def _make_file(cli: Cli, kind: str, spec: SecretSpec, done: list[str]) -> Activity:
    try:
        there = yield from cli.api.secret_inspect(kind, spec.name)
    except ApiError as error:
        if error.status != 404:
            raise
        cli.out(f"Creating {kind} {spec.name}\n")
        try:
            yield from cli.api.secret_create(kind, spec)
        except ApiError as problem:
            raise CommandError(f"failed to create {kind} {spec.name}: {said(problem)}") from None
        done.append(f"{kind} {spec.name}")
        return
    try:
        yield from cli.api.secret_update(kind, there["ID"], there["Version"]["Index"], spec)
    except ApiError as error:
        raise CommandError(f"failed to update {kind} {spec.name}: {said(error)}") from None


def _prune(cli: Cli, stack: Stack) -> Activity:
    wanted = {stack.scope(name) for name in stack.services}
    gone = [s for s in (yield from _of_stack(cli, cli.api.service_list, stack.name)) if s["Spec"]["Name"] not in wanted]
    yield from _remove_services(cli, gone)


def _of_stack(cli: Cli, listing: Any, name: str) -> Activity:
    """What of a list carries the stack's label."""
    found = yield from listing()
    return [body for body in found if (_labels(body) or {}).get(NAMESPACE) == name]


def _labels(body: dict[str, Any]) -> dict[str, str] | None:
    labels: dict[str, str] | None = body["Spec"]["Labels"] if "Spec" in body else body["Labels"]
    return labels


def _remove_services(cli: Cli, found: list[dict[str, Any]]) -> Activity:
    for service in sorted(found, key=lambda service: service["Spec"]["Name"]):
        cli.out(f"Removing service {service['Spec']['Name']}\n")
        yield from cli.api.service_remove(service["ID"])


def rm(cli: Cli) -> Activity:
    for name in cli.arguments:
        _check_name(name)
    for name in cli.arguments:
        own = yield from _of_stack(cli, cli.api.service_list, name)
        secrets = yield from _of_stack(cli, lambda: cli.api.secret_list("secret"), name)
        configs = yield from _of_stack(cli, lambda: cli.api.secret_list("config"), name)
        networks = yield from _of_stack(cli, cli.api.network_list, name)
        if not (own or secrets or configs or networks):
            cli.err(f"Nothing found in stack: {name}\n")
            continue
        yield from _remove_services(cli, own)
        for kind, found in (("secret", secrets), ("config", configs)):
            for obj in found:
                cli.out(f"Removing {kind} {obj['Spec']['Name']}\n")
                yield from cli.api.secret_remove(kind, obj["ID"])
        for network in networks:
            cli.out(f"Removing network {network['Name']}\n")
            try:
                yield from cli.api.network_remove(network["Id"])
            except ApiError as error:
                cli.err(f"Failed to remove network {network['Id']}: {said(error)}")
                raise CommandError(f"Failed to remove some resources from stack: {name}") from None


def ls(cli: Cli) -> Activity:
    counts: dict[str, int] = {}
    for service in (yield from cli.api.service_list()):
        stack = service["Spec"]["Labels"].get(NAMESPACE)
        if stack:
            counts[stack] = counts.get(stack, 0) + 1
    rows = [{"Name": name, "Services": str(counts[name])} for name in sorted(counts, key=tasks.natural)]
    cli.render(lambda: LISTING.render(rows, cli.flags.get("format", ""), quiet=False))


def ps(cli: Cli) -> Activity:
    name = cli.arguments[0]
    _check_name(name)
    filters = cli.checked_filters(tasks.FILTERS)
    own = yield from _of_stack(cli, cli.api.service_list, name)
    names = {service["ID"]: service["Spec"]["Name"] for service in own}
    every = yield from cli.api.task_list()
    nodes = yield from node_names(cli)
    listed = [t for t in every if t["ServiceID"] in names and tasks.keep(t, filters, names[t["ServiceID"]], None)]
    if not listed:
        raise CommandError(f"nothing found in stack: {name}")
    tasks.print_tasks(cli, listed, names, nodes)


def list_services(cli: Cli) -> Activity:
    name = cli.arguments[0]
    _check_name(name)
    own = yield from _of_stack(cli, cli.api.service_list, name)
    if not own:
        cli.err(f"Nothing found in stack: {name}\n")
        return
    yield from services.print_services(cli, own)


def config(cli: Cli) -> Activity:
    """The final compose file: merged, variables filled in."""
    loaded = _loaded(cli)
    for warning in loaded.warnings:
        cli.err(warning)
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(loaded.config, text)
    cli.out(text.getvalue())
    yield 0.0
