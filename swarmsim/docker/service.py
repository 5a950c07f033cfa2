"""``docker service …`` (docker/cli command/service)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import NamedTuple

from swarmsim.apitypes.base import Json, from_json
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError
from swarmsim.apitypes.specs import Mode, PortConfig, Replicated, ServiceSpec, replace
from swarmsim.apitypes.swarm import Service, ServiceStatus, UpdateStatus
from swarmsim.docker import tasks
from swarmsim.docker.command import CommandContext, error_text
from swarmsim.docker.errors import CommandError
from swarmsim.docker.options import PRETTY, PRETTY_ENDPOINT, PRETTY_HEAD, PRETTY_HEALTH
from swarmsim.docker.output import Listing
from swarmsim.docker.progress import wait_on_service
from swarmsim.docker.references import resolved, with_files, with_networks
from swarmsim.docker.specs import apply_update_flags, from_shell, pretty, read_env_file, spec_from_create_flags
from swarmsim.go.pflag import Flags
from swarmsim.go.strconv import format_float, parse_uint
from swarmsim.sim.future import Activity

LISTING = Listing(
    "{{.ID}}\t{{.Name}}\t{{.Mode}}\t{{.Replicas}}\t{{.Image}}\t{{.Ports}}",
    {"ID": "ID", "Name": "NAME", "Mode": "MODE", "Replicas": "REPLICAS", "Image": "IMAGE", "Ports": "PORTS"},
    "service.serviceContext",
    raw=r"id: {{.ID}}\nname: {{.Name}}\nmode: {{.Mode}}\nreplicas: {{.Replicas}}\nimage: {{.Image}}\n"
    r"ports: {{.Ports}}\n",
)


# -- create, update, scale, rollback, rm


def create(command: CommandContext) -> Activity[None]:
    variables = command.files.environment
    flags = _with_variables(command.flags, "env", variables)
    files = [
        entry for path in flags.every("env-file") for entry in read_env_file(command.files.read(path), path, variables)
    ]
    spec = spec_from_create_flags(flags, command.arguments[0], command.arguments[1:], files)
    spec = yield from resolved(command, spec)
    _refuse_what_json_cannot_say(spec)
    created = yield from command.api.service_create(spec, query_registry=not flags.on("no-resolve-image"))
    command.warn(created.warnings)
    yield from _settle(command, created.id)


def _refuse_what_json_cannot_say(spec: ServiceSpec) -> None:
    """Raises :class:`CommandError` for a share that is no number (encoding/json UnsupportedValueError)."""
    for config in (spec.update, spec.rollback):
        if config is not None and config.max_failure_ratio is not None and not isfinite(config.max_failure_ratio):
            raise CommandError(f"json: unsupported value: {format_float(config.max_failure_ratio, 'g')}")


def _with_variables(flags: Flags, name: str, variables: Mapping[str, str]) -> Flags:
    return flags.with_values(name, from_shell(flags.every(name), variables)) if flags.changed(name) else flags


def _change(
    command: CommandContext,
    service: Service,
    spec: ServiceSpec,
    query_registry: bool = False,
    rollback: bool = False,
    auth_from: str = "",
) -> Activity[None]:
    _refuse_what_json_cannot_say(spec)
    warnings = yield from command.api.service_update(
        service.id, service.version.index, spec, query_registry, rollback, auth_from
    )
    command.warn(warnings)


def update(command: CommandContext) -> Activity[None]:
    flags = _with_variables(command.flags, "env-add", command.files.environment)
    reference = command.arguments[0]
    service = yield from command.api.service(reference)
    if flags.on("rollback"):
        if set(flags.names()) - {"rollback", "detach", "quiet"}:
            raise CommandError("other flags may not be combined with --rollback")
        spec = apply_update_flags(flags, service.spec)
        yield from _change(command, service, spec, rollback=True, auth_from="spec")
    else:
        spec = apply_update_flags(flags, service.spec)
        spec = yield from with_networks(command, spec, flags.every("network-add"), flags.every("network-rm"))
        spec = yield from with_files(command, spec)
        query = flags.changed("image") and not flags.on("no-resolve-image")
        yield from _change(command, service, spec, query, auth_from="" if flags.on("with-registry-auth") else "spec")
    yield from _settle(command, reference)


def rollback(command: CommandContext) -> Activity[None]:
    reference = command.arguments[0]
    service = yield from command.api.service(reference)
    yield from _change(command, service, service.spec, rollback=True)
    yield from _settle(command, reference)


def _settle(command: CommandContext, reference: str) -> Activity[None]:
    """Print what was changed and, without ``-d``, wait until it has converged."""
    command.out(reference + "\n")
    if not command.flags.on("detach"):
        yield from wait_on_service(command, reference, command.flags.on("quiet"))


def scale(command: CommandContext) -> Activity[None]:
    for argument in command.arguments:
        name, equals, wanted = argument.partition("=")
        if not equals or not name or not wanted:
            raise CommandError(
                f"invalid scale specifier '{argument}'.\nSee 'docker service scale --help'.\n\n"
                "Usage:  docker service scale SERVICE=REPLICAS [SERVICE=REPLICAS...]\n\n"
                "Scale one or multiple replicated services"
            )
    errors: list[str] = []
    scaled: list[str] = []
    for argument in command.arguments:
        reference, _, text = argument.partition("=")
        try:
            count = parse_uint(text)
        except ValueError as problem:
            errors.append(f"{reference}: invalid replicas value {text}: {problem}")
            continue
        try:
            service = yield from command.api.service(reference)
            job = service.spec.mode.replicated_job
            if job is not None:
                mode = Mode(replicated_job=replace(job, total_completions=count))
            elif service.is_replicated:
                mode = Mode(replicated=Replicated(replicas=count))
            else:
                raise CommandError("scale can only be used with replicated or replicated-job mode")
            spec = replace(service.spec, mode=mode)
            yield from _change(command, service, spec)
        except (ApiError, CommandError) as error:
            errors.append(f"{reference}: {error_text(error)}")
            continue
        command.out(f"{reference} scaled to {count}\n")
        scaled.append(reference)
    if not command.flags.on("detach"):
        for reference in scaled:
            try:
                yield from wait_on_service(command, reference, quiet=False)
            except (ApiError, CommandError) as error:
                errors.append(f"{reference}: {error_text(error)}")
    if errors:
        raise CommandError("\n".join(errors))


def rm(command: CommandContext) -> Activity[None]:
    def remove(reference: str) -> Activity[None]:
        yield from command.api.service_remove(reference)
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, remove)


# -- ls, ps


def ls(command: CommandContext) -> Activity[None]:
    status = not command.flags.on("quiet")
    print_services(command, (yield from command.api.service_list(command.filters(), status)))


def print_services(command: CommandContext, services: list[Service]) -> None:
    """The table of services, sorted by name."""
    services = sorted(services, key=lambda service: tasks.natural(service.spec.name))
    rows = [
        {
            "ID": service.id[:12],
            "Name": service.spec.name,
            "Mode": service.spec.mode.name.replace("-", " "),
            "Replicas": _replicas(service),
            "Image": tasks.familiar_image(service.spec.task.container.image),
            "Ports": _published(service.endpoint.ports),
        }
        for service in services
    ]
    command.render(lambda: LISTING.render(rows, command.flags.get("format", ""), command.flags.on("quiet")))


def _replicas(service: Service) -> str:
    """``2/3``, with what limits or completes it (cli/command/service/formatter.go)."""
    mode, status = service.spec.mode, service.service_status or ServiceStatus()
    told = f"{status.running}/{status.desired}"
    if mode.replicated_job is not None:
        return f"{told} ({status.completed}/{mode.replicated_job.total} completed)"
    if mode.global_job is not None:
        return f"{told} ({status.completed}/{status.desired + status.completed} completed)"
    limit = service.spec.task.placement.max_replicas if service.is_replicated else 0
    return f"{told} (max {limit} per node)" if limit else told


def _published(ports: list[PortConfig]) -> str:
    """``*:8888->80/tcp``; neighbours are joined: ``*:80-82->80-82/tcp``."""
    ranges: list[_Range] = []
    for port in sorted(ports, key=lambda port: (port.protocol, port.published_port)):
        # One in host mode has a number on each node; what is no mode at all is treated so too (opts, odd-port-mode).
        if port.publish_mode != "ingress":
            continue
        if ranges and ranges[-1].goes_on(port):
            ranges[-1] = ranges[-1]._replace(last=port)
        else:
            ranges.append(_Range(port, port))
    return ", ".join(map(str, ranges))


class _Range(NamedTuple):
    """Ports that follow each other, from the first to the last of them."""

    first: PortConfig
    last: PortConfig

    def goes_on(self, port: PortConfig) -> bool:
        """Whether ``port`` is the next of them."""
        last = self.last
        return (
            last.protocol == port.protocol
            and port.published_port - last.published_port <= 1
            and port.target_port - last.target_port <= 1
            and not (last.target_port != self.first.target_port and port.target_port <= last.target_port)
        )

    def __str__(self) -> str:
        def span(start: int, end: int) -> str:
            return str(start) if start == end else f"{start}-{end}"

        first, last = self
        published = span(first.published_port, last.published_port)
        return f"*:{published}->{span(first.target_port, last.target_port)}/{first.protocol}"


def ps(command: CommandContext) -> Activity[None]:
    """A reference is the beginning of an id or of a name (command/service/ps.go createFilter)."""
    filters = command.filters()
    by_id = yield from command.api.service_list(Filters([("id", each) for each in command.arguments]))
    by_name = yield from command.api.service_list(Filters([("name", each) for each in command.arguments]))
    missing = []
    for reference in command.arguments:
        found = [each.id for each in by_id if each.id.startswith(reference)]
        found += [each.id for each in by_name if each.spec.name.startswith(reference)]
        for id in found:
            filters.add("service", id)
        if not found:
            missing.append(f"no such service: {reference}")
    if filters.values("service"):
        listed = yield from command.api.task_list(filters)
        truncate = not (command.flags.on("no-trunc") or command.flags.on("quiet"))
        yield from tasks.print_tasks(command, listed, truncate)
    if missing:
        raise CommandError("\n".join(missing))


# -- inspect


def inspect(command: CommandContext) -> Activity[None]:
    def complaint(reference: str, error: ApiError) -> str:
        return f"Error: no such service: {reference}" if error.status == 404 else error_text(error)

    if command.flags.on("pretty") and command.flags.changed("format"):
        raise CommandError("--format is incompatible with human friendly format")
    networks: dict[str, str] = {}

    def look(reference: str) -> Activity[Json]:
        service = yield from command.api.service_inspect(reference, insert_defaults=True)
        if command.flags.on("pretty"):
            for attachment in service["Spec"]["TaskTemplate"].get("Networks", ()):
                with suppress(ApiError):  # one that nobody knows is shown by its id
                    network = yield from command.api.network(attachment["Target"], scope="swarm")
                    networks[network.id] = network.name
        return service

    yield from command.inspect(
        look,
        complaint,
        Service,
        lambda body: _pretty(command, from_json(body, Service), networks) + "\n",
    )


def _pretty(command: CommandContext, service: Service, networks: dict[str, str]) -> str:
    spec = service.spec
    lines = ["", f"ID:\t\t{service.id}", f"Name:\t\t{spec.name}", *pretty(spec, PRETTY_HEAD)]
    lines += _pretty_update_status(command, service.update_status)
    lines += pretty(spec, PRETTY)
    if spec.task.networks:
        lines.append("Networks: " + " ".join(networks.get(n.target, n.target) for n in spec.task.networks) + " ")
    lines += pretty(spec, PRETTY_ENDPOINT)
    if service.endpoint.ports:
        lines.append("Ports:")
        for port in service.endpoint.ports:
            lines += [
                f" PublishedPort = {port.published_port}",
                f"  Protocol = {port.protocol}",
                f"  TargetPort = {port.target_port}",
                f"  PublishMode = {port.publish_mode}",
            ]
        lines[-1] += " "
    return "\n".join([*lines, *pretty(spec, PRETTY_HEALTH)]) + "\n"


def _pretty_update_status(command: CommandContext, status: UpdateStatus | None) -> list[str]:
    if status is None:
        return []
    lines = ["UpdateStatus:", f" State:\t\t{status.state}"]
    if status.started_at is not None:
        lines.append(f" Started:\t{command.ago(status.started_at)} ago")
    if status.state == "completed" and status.completed_at is not None:
        lines.append(f" Completed:\t{command.ago(status.completed_at)} ago")
    return [*lines, f" Message:\t{status.message}"]
