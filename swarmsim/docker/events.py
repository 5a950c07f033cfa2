"""``docker events`` and ``docker service logs`` (docker/cli command/system/events.go, command/service/logs.go)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import partial

from swarmsim.apitypes.base import Json, go_type
from swarmsim.apitypes.engine import Message
from swarmsim.apitypes.http import ApiError
from swarmsim.docker.command import CommandContext
from swarmsim.docker.errors import CommandError
from swarmsim.docker.tasks import Names
from swarmsim.docker.templates import FUNCTIONS
from swarmsim.go import reflect
from swarmsim.go.duration import parse_duration
from swarmsim.go.template import Template, TemplateError
from swarmsim.sim.future import Activity

SEPARATOR = "    | "
MESSAGE = reflect.pointer_to(go_type(Message))
BAD_FORMAT = 64  # exit code
STDERR, SYSTEM_ERROR = 2, 3  # moby pkg/stdcopy
CONTEXT = frozenset(f"com.docker.swarm.{kind}.id" for kind in ("node", "service", "task"))
"""Details that tell whose line it is: they become its prefix."""


def _moment(command: CommandContext, text: str) -> str:
    """A time as docker's clients send it, in seconds since 1970 (api/types/time/timestamp.go GetTimestamp).

    ``10m`` are ten minutes ago; what is a number already stays as it is. Raises :class:`CommandError`.
    """
    try:
        ago = parse_duration(text) if text != "0" else None
    except ValueError:
        ago = None
    if ago is not None:
        return str(math.floor((command.now - timedelta(microseconds=ago // 1000)).timestamp()))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    day, dash, time = text.partition("T")
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00'}" if dash or "-" in day else text)
    except ValueError:
        raise CommandError(f'failed to parse value as time or duration: "{text}"') from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{math.floor(moment.timestamp())}.{moment.microsecond * 1000:09d}"


def _query(command: CommandContext, *names: str) -> dict[str, str]:
    return {name: _moment(command, command.flags.get(name)) for name in names if command.flags.changed(name)}


def _line(event: Json) -> str:
    attributes = ", ".join(f"{key}={value}" for key, value in sorted(event["Actor"]["Attributes"].items()))
    told = f" ({attributes})" if attributes else ""
    seconds, nanoseconds = divmod(event["timeNano"], 10**9)
    moment = f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{nanoseconds:09d}Z"
    return f"{moment} {event['Type']} {event['Action']} {event['Actor']['ID']}{told}"


def events(command: CommandContext) -> Activity[None]:
    format = command.flags.get("format", "")
    try:
        template = Template("{{json .}}" if format == "json" else format, FUNCTIONS) if format else None
        if template is not None:
            template.execute(reflect.make(MESSAGE, {}))
    except TemplateError as problem:
        raise CommandError(f"Error parsing format: {problem}", BAD_FORMAT) from None
    query = {**_query(command, "since", "until"), "filters": command.filters().to_json()}
    stream = yield from command.api.events(query)
    while (event := (yield from command.read(stream))) is not None:
        if template is not None:
            command.render(partial(_templated, template, event))
        else:
            command.out(_line(event) + "\n")


def _templated(template: Template, event: Json) -> str:
    return template.execute(reflect.make(MESSAGE, event)) + "\n"


def logs(command: CommandContext) -> Activity[None]:
    """The logs of a service's tasks, or of one task, in the order the daemon sends them."""
    flags, reference = command.flags, command.arguments[0]
    kind = "service"
    try:
        service = yield from command.api.service(reference)
        width, container = len(str(service.replicas)), service.spec.task.container
    except ApiError as error:
        if error.status != 404:
            raise
        kind = "task"
        try:
            task = yield from command.api.task(reference)
        except ApiError as problem:
            if problem.status != 404:
                raise
            # the client's own words, not the daemon's
            raise CommandError(f"no such task or service: {reference}") from None
        width, container = len(str(task.slot)), task.spec.container
    if container.tty and not flags.on("raw"):
        raise CommandError("tty service logs only supported with --raw")
    try:
        since = _query(command, "since")
    except CommandError as problem:
        raise CommandError(f'invalid value for "since": {problem.message}') from None
    query = {
        **since,
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1" if flags.on("timestamps") else "",
        "follow": "1" if flags.on("follow") else "",
        "details": "" if flags.on("raw") else "1",
        "tail": flags.get("tail", "all"),
    }
    stream = yield from command.api.logs(kind, reference, query)
    prefixes = _Prefixes(command, width)
    while (frame := (yield from command.read(stream))) is not None:
        text = frame[8:].decode()
        if frame[0] == SYSTEM_ERROR:
            command.err(f"error from daemon in stream: {text}")
            continue
        write = command.err if frame[0] == STDERR else command.out
        if flags.on("raw"):
            write(text)
            continue
        moment = ""
        if flags.on("timestamps"):
            moment, _, text = text.partition(" ")
            moment += " "
        details, _, text = text.partition(" ")
        context = dict(pair.split("=", 1) for pair in details.split(","))
        more = ",".join(f"{key}={value}" for key, value in sorted(context.items()) if key not in CONTEXT)
        write(
            f"{moment}{(yield from prefixes.of(context))}{SEPARATOR}{more + ' ' if flags.on('details') else ''}{text}"
        )


class _Prefixes:
    """``web.1.c1i6t2fpi28x@m2``, asked for once for each task."""

    def __init__(self, command: CommandContext, width: int) -> None:
        self.command = command
        self.width = width
        self._known: dict[str, str] = {}
        self._names = Names(command)

    def of(self, context: dict[str, str]) -> Activity[str]:
        task_id = context["com.docker.swarm.task.id"]
        if task_id not in self._known:
            node = yield from self._names.node(context["com.docker.swarm.node.id"])
            service = yield from self._names.service(context["com.docker.swarm.service.id"])
            task = yield from self.command.api.task(task_id)
            slot = str(task.slot)
            name = f"{service}.{slot}"
            if not self.command.flags.on("no-task-ids"):
                name += f".{task_id if self.command.flags.on('no-trunc') else task_id[:12]}"
            self._known[task_id] = f"{name}@{node}{' ' * (self.width - len(slot))}"
        return self._known[task_id]
