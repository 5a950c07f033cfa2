"""``docker events`` and ``docker service logs`` (docker/cli command/system/events.go, command/service/logs.go)."""

from __future__ import annotations

from collections import deque
from typing import Any

from swarmsim.docker.command import CommandContext, CommandError
from swarmsim.docker.templates import FUNCTIONS
from swarmsim.engine.calls import ApiError
from swarmsim.engine.events import EngineEvent
from swarmsim.go.duration import parse_duration, parse_timestamp
from swarmsim.go.json import compact
from swarmsim.go.template import Template
from swarmsim.sim.clock import EPOCH, timestamp
from swarmsim.sim.future import Activity

FILTERS = (
    *(
        "config",
        "container",
        "daemon",
        "event",
        "id",
        "image",
        "label",
        "network",
        "node",
        "scope",
        "secret",
        "service",
    ),
    *("type", "volume"),
)
NAMED = ("config", "container", "network", "node", "secret", "service", "volume")
SEPARATOR = "    | "


def _moment(command: CommandContext, text: str) -> float:
    """A time as docker's clients may write it: ``10m`` ago, seconds since 1970, RFC 3339; simulated seconds."""
    now = command.api.host.clock.now
    try:
        return now - parse_duration(text) / 1e9
    except ValueError:
        pass
    try:
        return float(text) - EPOCH.timestamp()
    except ValueError:
        pass
    try:
        return (parse_timestamp(text if text.endswith("Z") else f"{text}Z") - EPOCH).total_seconds()
    except (ValueError, IndexError):
        raise CommandError(f'Error response from daemon: invalid value for "{text}": failed to parse value') from None


def _fits(event: EngineEvent, filters: dict[str, list[str]]) -> bool:
    for key, values in filters.items():
        if key == "type" and event.type not in values:
            return False
        if key == "event" and not any(
            event.action == value or event.action.startswith(f"{value}:") for value in values
        ):
            return False
        if key == "scope" and event.scope not in values:
            return False
        if key == "image" and event.attributes.get("image") not in values:
            return False
        if key == "label":
            for value in values:
                name, equals, wanted = value.partition("=")
                if name not in event.attributes or (equals and event.attributes[name] != wanted):
                    return False
        if key == "id" and event.id not in values:
            return False
        if key in NAMED:
            name = event.attributes.get("name", "")
            if event.type != key or not any(
                value in (event.id, name) or event.id.startswith(value) for value in values
            ):
                return False
    return True


def _body(event: EngineEvent) -> dict[str, Any]:
    nanoseconds = round((EPOCH.timestamp() + event.at) * 1e9)
    body: dict[str, Any] = {}
    if event.type == "container":
        body = {"status": event.action, "id": event.id, "from": event.attributes.get("image", "")}
    return {
        **body,
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": dict(sorted(event.attributes.items()))},
        "scope": event.scope,
        "time": nanoseconds // 10**9,
        "timeNano": nanoseconds,
    }


def _line(event: EngineEvent) -> str:
    attributes = ", ".join(f"{key}={value}" for key, value in sorted(event.attributes.items()))
    told = f" ({attributes})" if attributes else ""
    return f"{timestamp(event.at)[:-1].ljust(29, '0')}Z {event.type} {event.action} {event.id}{told}"


def events(command: CommandContext) -> Activity[Any]:
    flags = command.flags
    filters = command.checked_filters(FILTERS)
    format = flags.get("format", "")
    clock, log = command.api.host.clock, command.api.engine.events
    template = Template(format, FUNCTIONS, "*events.Message") if format and format != "json" else None

    def show(event: EngineEvent) -> None:
        if not _fits(event, filters):
            return
        if format == "json":
            command.out(compact(_body(event)) + "\n")
        elif template is not None:
            command.render(lambda: template.execute(_body(event)) + "\n")
        else:
            command.out(_line(event) + "\n")

    until = _moment(command, flags.get("until")) if flags.changed("until") else None
    if flags.changed("since") or (until is not None and until <= clock.now):
        since = _moment(command, flags.get("since")) if flags.changed("since") else 0.0
        for event in tuple(log.past):
            if event.at >= since and (until is None or event.at <= until):
                show(event)
    if until is not None and until <= clock.now:
        return
    stop = log.listen(show)
    try:
        while until is None or clock.now < until:
            wait = 1.0 if until is None else min(1.0, until - clock.now)
            if (yield from command.pause(wait)):
                return
    finally:
        stop()


def logs(command: CommandContext) -> Activity[Any]:
    """The logs of a service's tasks, or of one task, in the order the nodes answer."""
    flags, reference = command.flags, command.arguments[0]
    since = _moment(command, flags.get("since")) if flags.changed("since") else 0.0
    shown = 0.0
    first = True
    while True:
        try:
            found, missing = yield from command.api.logs(reference)
        except ApiError as error:
            if error.status != 404:
                raise
            raise CommandError(error.message) from None  # the client's own words, not the daemon's
        services = {s["ID"]: s["Spec"]["Name"] for s in (yield from command.api.service_list())}
        slots = [len(str(task.get("Slot", 0))) for task, _, _ in found]
        entries: list[tuple[float, str]] = []
        for task, host, lines in found:
            if task["Spec"]["ContainerSpec"].get("TTY") and not flags.on("raw"):
                raise CommandError("tty service logs only supported with --raw")
            prefix = "" if flags.on("raw") else _prefix(command, task, host, services, max(slots))
            lines = [(at, text) for at, text in lines if at >= since and (first or at > shown)]
            entries += [(at, f"{prefix}{text}") for at, text in (_tail(command, lines) if first else lines)]
        entries.sort(key=lambda entry: entry[0])
        for at, text in entries:
            command.out(f"{timestamp(at) + ' ' if flags.on('timestamps') else ''}{text}\n")
        shown = command.api.host.clock.now
        if missing and first:
            reasons = "\n".join(f"\tnode {id} is not available" for id in missing)
            command.err(
                "error from daemon in stream: Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete "
                "log stream. some logs could not be retrieved for the following reasons: "
                f"{reasons.strip()}\n"
            )
        first = False
        if not flags.on("follow") or (yield from command.pause(0.5)):
            return


def _tail(command: CommandContext, lines: list[tuple[float, str]]) -> list[tuple[float, str]]:
    text = command.flags.get("tail", "all")
    return list(deque(lines, maxlen=int(text))) if text.isdigit() else lines


def _prefix(command: CommandContext, task: dict[str, Any], host: str, services: dict[str, str], width: int) -> str:
    """``web.1.c1i6t2fpi28x@m2    | ``."""
    slot = str(task.get("Slot", 0))
    service = (
        task["ServiceID"] if command.flags.on("no-resolve") else services.get(task["ServiceID"], task["ServiceID"])
    )
    node = task["NodeID"] if command.flags.on("no-resolve") else host
    name = f"{service}.{slot}"
    if not command.flags.on("no-task-ids"):
        name += f".{task['ID'] if command.flags.on('no-trunc') else task['ID'][:12]}"
    return f"{name}@{node}{' ' * (width - len(slot))}{SEPARATOR}"
