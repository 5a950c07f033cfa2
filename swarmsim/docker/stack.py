"""``docker stack …`` (docker/cli command/stack): services, networks, secrets and configs of one compose file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import STACK_LABEL, SecretSpec, ServiceSpec, replace
from swarmsim.apitypes.swarm import Service
from swarmsim.docker import service as services
from swarmsim.docker import tasks
from swarmsim.docker.command import CommandContext, error_text
from swarmsim.docker.compose.convert import IMAGE, PREDEFINED, Stack
from swarmsim.docker.compose.forms import CONFIG
from swarmsim.docker.compose.load import Forbidden, Loaded, advice, load
from swarmsim.docker.errors import CommandError
from swarmsim.docker.output import Listing
from swarmsim.docker.progress import wait_on_service
from swarmsim.docker.references import with_files
from swarmsim.go.strconv import quote
from swarmsim.go.yaml import dump
from swarmsim.sim.future import Activity

LISTING = Listing(
    "{{.Name}}\t{{.Services}}",
    {"Name": "NAME", "Services": "SERVICES"},
    "formatter.stackContext",
)
IN_BACKGROUND = (
    "Since --detach=false was not specified, tasks will be created in the background.\n"
    "In a future release, --detach=false will become the default.\n"
)
RESOLVE = ("always", "changed", "never")
Listed = TypeVar("Listed")


def _loaded(command: CommandContext) -> Loaded:
    names = command.flags.every("compose-file")
    if not names:
        raise CommandError("Specify a Compose file (with --compose-file)")

    def warn(text: str) -> None:
        command.err(f'time="{command.now:%Y-%m-%dT%H:%M:%SZ}" level=warning msg={quote(text)}\n')

    return load(names, command.files, warn, interpolates=not command.flags.on("skip-interpolation"))


def _loaded_for_a_swarm(command: CommandContext, name: str) -> Stack:
    """The files under the stack's name; what a stack passes over is told."""
    try:
        loaded = _loaded(command)
    except Forbidden as problem:
        raise CommandError(f"Compose file contains unsupported options:\n\n{problem.told}\n") from None
    if loaded.ignored:
        command.err(f"Ignoring unsupported options: {', '.join(loaded.ignored)}\n\n")
    if loaded.deprecated:
        command.err(f"Ignoring deprecated options:\n\n{advice(loaded.deprecated)}\n\n")
    waits = [name for name, service in loaded.config["services"].items() if service.get("depends_on")]
    if waits:
        command.err(f"swarmsim: depends_on of {', '.join(waits)} is ignored: a stack's services start all at once\n")
    stack = Stack(name, loaded, command.files.read)
    stack.check_images()
    return stack


def _check_name(name: str) -> None:
    if not name.strip():
        raise CommandError(f'invalid stack name: "{name}"')


def deploy(command: CommandContext) -> Activity[None]:
    name, flags = command.arguments[0], command.flags
    _check_name(name)
    stack = _loaded_for_a_swarm(command, name)
    resolve = flags.get("resolve-image", "always")
    if resolve not in RESOLVE:
        raise CommandError(f"Invalid option {resolve} for flag --resolve-image")
    if not flags.changed("detach"):
        command.err(IN_BACKGROUND)
    yield from _must_be_manager(command)
    done: list[str] = []
    try:
        ids = yield from _deploy(command, stack, resolve, done)
    except (CommandError, ApiError) as problem:
        told = f"\nswarmsim: done before that: {', '.join(done)}" if done else ""
        raise CommandError(f"{error_text(problem)}{told}") from None
    if flags.changed("detach") and not flags.on("detach"):
        errors = []
        for id in ids:
            try:
                yield from wait_on_service(command, id, flags.on("quiet"))
            except (CommandError, ApiError) as problem:
                errors.append(f"{id}: {error_text(problem)}")
        if errors:
            raise CommandError("\n".join(errors))


def _must_be_manager(command: CommandContext) -> Activity[None]:
    info = yield from command.api.info()
    if not info.swarm.is_manager:
        raise CommandError(
            'this node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
            "swarm and try again"
        )


def _deploy(command: CommandContext, stack: Stack, resolve: str, done: list[str]) -> Activity[list[str]]:
    """Networks, secrets, configs, then services, whose ids it returns; ``done`` grows with what was made."""
    if command.flags.on("prune"):
        yield from _prune(command, stack)
    yield from _make_networks(command, stack, done)
    for kind in ("secret", "config"):
        for file in stack.files(f"{kind}s"):
            yield from _make_file(command, kind, file, done)
    specs: dict[str, ServiceSpec] = {}
    for service in stack.services:
        specs[service] = yield from _spec(command, stack, service)
    existing = {service.spec.name: service for service in (yield from _of_stack(command.api.service_list, stack.name))}
    # The order is that of a Go map.
    order = list(specs)
    command.machine.shuffle(order)
    ids = []
    for service in order:
        spec = specs[service]
        if spec.name in existing:
            ids.append((yield from _update(command, existing[spec.name], spec, resolve)))
        else:
            command.out(f"Creating service {spec.name}\n")
            try:
                created = yield from command.api.service_create(spec, query_registry=resolve != "never")
            except ApiError as error:
                raise CommandError(f"failed to create service {spec.name}: {error_text(error)}") from None
            ids.append(created.id)
        done.append(f"service {spec.name}")
    return ids


def _spec(command: CommandContext, stack: Stack, name: str) -> Activity[ServiceSpec]:
    try:
        return stack.service(name, (yield from with_files(command, stack.begun(name))))
    except (ApiError, CommandError, ValueError) as problem:
        said = str(problem) if isinstance(problem, ValueError) else error_text(problem)
        raise CommandError(f"service {name}: {said}{stack.at(('services', name))}") from None


def _update(command: CommandContext, current: Service, spec: ServiceSpec, resolve: str) -> Activity[str]:
    command.out(f"Updating service {spec.name} (id: {current.id})\n")
    query = resolve == "always"
    if resolve != "always":
        if spec.task.container.image != current.spec.labels.get(IMAGE):
            query = resolve == "changed"
        else:
            container = replace(spec.task.container, image=current.spec.task.container.image)
            spec = replace(spec, task=replace(spec.task, container=container))
    spec = replace(spec, task=replace(spec.task, force_update=current.spec.task.force_update))
    try:
        warnings = yield from command.api.service_update(current.id, current.version.index, spec, query)
    except ApiError as error:
        raise CommandError(f"failed to update service {spec.name}: {error_text(error)}") from None
    command.warn(warnings)
    return current.id


def _make_networks(command: CommandContext, stack: Stack, done: list[str]) -> Activity[None]:
    wanted, external = stack.networks()
    for name in external:
        if name not in PREDEFINED:
            yield from _check_external(command, name)
    known = {network.name for network in (yield from _of_stack(command.api.network_list, stack.name))}
    for spec in wanted:
        if spec.name in known:
            continue
        command.out(f"Creating network {spec.name}\n")
        try:
            yield from command.api.network_create(spec)
        except ApiError as error:
            raise CommandError(f"failed to create network {spec.name}: {error_text(error)}") from None
        done.append(f"network {spec.name}")


def _check_external(command: CommandContext, name: str) -> Activity[None]:
    declared = f'network "{name}" is declared as external, but'
    try:
        network = yield from command.api.network(name)
    except ApiError as error:
        if error.status != 404:
            raise
        needs = "You need to create a swarm-scoped network before the stack is deployed"
        raise CommandError(f"{declared} could not be found. {needs}") from None
    if network.scope != "swarm":
        raise CommandError(f'{declared} it is not in the right scope: "{network.scope}" instead of "swarm"')


def _make_file(command: CommandContext, kind: str, spec: SecretSpec, done: list[str]) -> Activity[None]:
    try:
        there = yield from command.api.secret(kind, spec.name)
    except ApiError as error:
        if error.status != 404:
            raise
        command.out(f"Creating {kind} {spec.name}\n")
        try:
            yield from command.api.secret_create(kind, spec)
        except ApiError as problem:
            raise CommandError(f"failed to create {kind} {spec.name}: {error_text(problem)}") from None
        done.append(f"{kind} {spec.name}")
        return
    try:
        yield from command.api.secret_update(kind, there.id, there.version.index, spec)
    except ApiError as error:
        raise CommandError(f"failed to update {kind} {spec.name}: {error_text(error)}") from None


def _prune(command: CommandContext, stack: Stack) -> Activity[None]:
    wanted = {stack.scope(name) for name in stack.services}
    own = yield from _of_stack(command.api.service_list, stack.name)
    yield from _remove_services(command, [service for service in own if service.spec.name not in wanted])


def _of_stack(listing: Callable[[Filters], Activity[Listed]], name: str) -> Activity[Listed]:
    """What of a list carries the stack's label."""
    return listing(Filters([("label", f"{STACK_LABEL}={name}")]))


def _remove_services(command: CommandContext, found: list[Service]) -> Activity[None]:
    for service in sorted(found, key=lambda service: service.spec.name):
        command.out(f"Removing service {service.spec.name}\n")
        yield from command.api.service_remove(service.id)


def rm(command: CommandContext) -> Activity[None]:
    for name in command.arguments:
        _check_name(name)
    for name in command.arguments:
        own = yield from _of_stack(command.api.service_list, name)
        networks = yield from _of_stack(command.api.network_list, name)
        secrets = yield from _of_stack(partial(command.api.secret_list, "secret"), name)
        configs = yield from _of_stack(partial(command.api.secret_list, "config"), name)
        if not (own or secrets or configs or networks):
            command.err(f"Nothing found in stack: {name}\n")
            continue
        yield from _remove_services(command, own)
        for kind, found in (("secret", secrets), ("config", configs)):
            for obj in found:
                command.out(f"Removing {kind} {obj.spec.name}\n")
                yield from command.api.secret_remove(kind, obj.id)
        for network in networks:
            command.out(f"Removing network {network.name}\n")
            try:
                yield from command.api.network_remove(network.id)
            except ApiError as error:
                command.err(f"Failed to remove network {network.id}: {error_text(error)}")
                raise CommandError(f"Failed to remove some resources from stack: {name}") from None


def ls(command: CommandContext) -> Activity[None]:
    counts: dict[str, int] = {}
    for service in (yield from command.api.service_list(Filters([("label", STACK_LABEL)]))):
        stack = service.spec.labels.get(STACK_LABEL)
        if stack is None:
            raise CommandError(f"cannot get label {STACK_LABEL} for service {service.id}")
        counts[stack] = counts.get(stack, 0) + 1
    rows = [{"Name": name, "Services": str(counts[name])} for name in sorted(counts, key=tasks.natural)]
    command.render(lambda: LISTING.render(rows, command.flags.get("format", ""), quiet=False))


def ps(command: CommandContext) -> Activity[None]:
    name = command.arguments[0]
    _check_name(name)
    filters = command.filters()
    filters.add("label", f"{STACK_LABEL}={name}")
    listed = yield from command.api.task_list(filters)
    if not listed:
        raise CommandError(f"nothing found in stack: {name}")
    yield from tasks.print_tasks(command, listed, truncate=not command.flags.on("no-trunc"))


def list_services(command: CommandContext) -> Activity[None]:
    name = command.arguments[0]
    _check_name(name)
    filters = command.filters()
    filters.add("label", f"{STACK_LABEL}={name}")
    own = yield from command.api.service_list(filters, status=not command.flags.on("quiet"))
    if not own:
        command.err(f"Nothing found in stack: {name}\n")
        return
    services.print_services(command, own)


def config(command: CommandContext) -> Activity[None]:
    """The files as docker understood them: merged, variables filled in, everything in long form."""
    command.out(dump(CONFIG.show(_loaded(command).config)))
    yield 0.0
