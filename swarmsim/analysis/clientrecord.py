"""Command lines recorded with the real docker client, typed to ours.

Both speak to the same :class:`Daemon`, which has a few objects (bodies of a real engine) to show and says yes to every
change. What a client prints, how it ends and what it asks for, request by request, are compared without any mask, but for
help texts, of which the usage line and the flags with types and defaults are facts and the descriptions our own words.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from swarmsim.apitypes.http import Request, Response
from swarmsim.docker.client import Result, run_docker
from swarmsim.docker.files import Files
from swarmsim.engine.stream import Pipe, log_frame
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity, AnyFuture, Future

ENVIRONMENT = {"WHO": "world"}
"""The shell's variables that recorded lines may use."""

Json = Any


class Asked(Struct, omit_defaults=True):
    """One request, as the client made it."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: Json = None


class Typed(Struct, omit_defaults=True):
    """One command line and what came of it. ``at`` is when, to the client's own clock."""

    line: str
    at: str
    code: int = 0
    out: str = ""
    err: str = ""
    asked: list[Asked] = []


class Daemon:
    """An engine's API of unchanging answers: ``objects`` are bodies by the API's name of their kind."""

    def __init__(self, objects: dict[str, Json]) -> None:
        self.objects = objects
        self.asked: list[Asked] = []

    @classmethod
    def read(cls, path: Path) -> Daemon:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def answer(self, asked: Asked) -> tuple[int, Json]:
        """Status and body: a JSON value, or the bytes of a stream."""
        self.asked.append(asked)
        kind, _, rest = asked.path.strip("/").partition("/")
        body = asked.body if isinstance(asked.body, dict) else {}
        if "fails" in (body.get("Name"), body.get("name")):
            return 500, {"message": "the daemon refuses"}
        if rest == "create":
            return 201, {"ID": "created", "Id": "created", "Name": body.get("Name", ""), **_UNWARNED}
        if kind == "distribution":
            image = rest.removesuffix("/json")
            if "known" not in image:
                return 401, {"message": "unauthorized: authentication required"}
            return 200, {"Descriptor": {"digest": f"sha256:{'ab' * 32}"}, "Platforms": _PLATFORMS}
        if kind in ("info", "version", "swarm") and (asked.method == "GET" or rest):
            return self._about_all(asked, kind, rest)
        if kind == "events":
            return 200, "".join(json.dumps(event) + "\n" for event in self.objects["events"]).encode()
        if not rest or rest == "json":
            return 200, self._listed(kind, asked.query)
        name, _, verb = rest.removesuffix("/json").partition("/")
        found = self._named(kind, unquote(name))
        if found is None:
            return 404, {"message": f"{kind.removesuffix('s')} {unquote(name)} not found"}
        if verb == "logs":
            return 200, self._logs(asked.query)
        if asked.method == "DELETE":
            return 204, None
        return 200, found if asked.method == "GET" else {}

    def _about_all(self, asked: Asked, kind: str, rest: str) -> tuple[int, Json]:
        if rest == "init":
            return 200, self.objects["info"]["Swarm"]["NodeID"]
        if rest == "unlockkey":
            return 200, {"UnlockKey": ""}
        return 200, {} if asked.method == "POST" else self.objects[kind]

    def _listed(self, kind: str, query: dict[str, str]) -> Json:
        filters = json.loads(query.get("filters") or "{}")
        found = [one for one in self.objects.get(kind, []) if _fits(one, self._labels(one), filters)]
        return {"Volumes": found, "Warnings": None} if kind == "volumes" else found

    def _labels(self, body: Json) -> dict[str, str]:
        """A task has those of its service."""
        if "ServiceID" in body:
            body = self._named("services", body["ServiceID"])
        return body.get("Spec", {}).get("Labels") or body.get("Labels") or {}

    def _named(self, kind: str, name: str) -> Json:
        if kind == "nodes" and name == "self":
            name = self.objects["info"]["Swarm"]["NodeID"]
        return next((one for one in self.objects.get(kind, []) if name in _names(one)), None)

    def _logs(self, query: dict[str, str]) -> bytes:
        frames = b""
        for stream, moment, details, text in self.objects["logs"]:
            parts = [moment] * (query.get("timestamps") == "1") + [details] * (query.get("details") == "1") + [text]
            frames += log_frame(stream, " ".join(parts) + "\n")
        return frames


_PLATFORMS = [{"architecture": "amd64", "os": "linux"}]
_UNWARNED = {"Warning": "", "Warnings": None}


def _names(body: Json) -> list[str]:
    return [
        body.get("ID") or body.get("Id") or "",
        body.get("Name") or "",
        body.get("Spec", {}).get("Name") or "",
        body.get("Description", {}).get("Hostname") or "",
        *(name.removeprefix("/") for name in body.get("Names", ())),
    ]


def _fits(body: Json, labels: dict[str, str], filters: dict[str, dict[str, bool]]) -> bool:
    have = {
        "label": [*labels, *(f"{key}={value}" for key, value in labels.items())],
        "name": _names(body),
        "id": _names(body)[:1],
        "service": [body.get("ServiceID", "")],
        "node": [body.get("NodeID", "")],
    }
    return all(key not in have or any(value in have[key] for value in wanted) for key, wanted in filters.items())


def _frames(data: bytes) -> Iterable[bytes]:
    while data:
        size = 8 + int.from_bytes(data[4:8], "big")
        yield data[:size]
        data = data[size:]


class _Wire:
    """Our client's way to the daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def handle(self, request: Request) -> Activity[Response]:
        body = json.loads(request.content) if request.content else None
        status, answer = self.daemon.answer(Asked(request.method, request.path, dict(request.query), body))
        if not isinstance(answer, bytes):
            return Response(status, json.dumps(answer).encode() if answer is not None else None)
        pieces: Iterable[Any] = _frames(answer)
        if request.path == "/events":
            pieces = [json.loads(line) for line in answer.splitlines()]
        pipe: Pipe[Any] = Pipe(Clock())
        for piece in pieces:
            pipe.put(piece)
        pipe.end()
        return Response(status, stream=pipe)
        yield  # an activity that waits for nothing


class _Machine:
    """The machine that docker runs on, at the moment of the recording."""

    def __init__(self, at: str) -> None:
        self.now = datetime.fromisoformat(at).astimezone(UTC)

    def first_of(self, futures: list[AnyFuture], seconds: float | None = None) -> Future[object]:
        raise AssertionError("nobody presses Ctrl-C here")

    def shuffle(self, items: list[str]) -> None:
        """As they are."""


def type_line(daemon: Daemon, recorded: Typed, words: list[str], files: Files) -> Typed:
    """Type one line to our client, at the moment it was recorded."""
    daemon.asked = []
    machine = _Machine(recorded.at)
    activity = run_docker(_Wire(daemon), machine, words, files=files)
    value = None
    while True:
        try:
            waits_for = activity.send(value)
        except StopIteration as end:
            result: Result = end.value
            break
        value = None
        if isinstance(waits_for, Future):
            value = waits_for.value
        elif isinstance(waits_for, (int, float)):
            machine.now += timedelta(seconds=waits_for)
    return Typed(recorded.line, recorded.at, result.code, result.out, result.err, daemon.asked)


class Judged(NamedTuple):
    """A line and the first thing that differs, nothing if nothing does."""

    line: str
    difference: str


def judge(recorded: Typed, ours: Typed) -> Judged:
    for name, real, here in (
        ("exit code", recorded.code, ours.code),
        ("stderr", _comparable(recorded.err), _comparable(ours.err)),
        ("stdout", _comparable(recorded.out), _comparable(ours.out)),
    ):
        if real != here:
            return Judged(recorded.line, f"{name}: recorded {real!r}, here {here!r}")
    for side in (recorded, ours):
        side.asked = [_without_chance(asked) for asked in side.asked]
    for number, (asked, sent) in enumerate(zip(recorded.asked, ours.asked, strict=False), 1):
        for part in Asked.__struct_fields__:
            if getattr(asked, part) != getattr(sent, part):
                return Judged(
                    recorded.line,
                    f"request {number} {asked.method} {asked.path}, {part}: "
                    f"recorded {_first(getattr(asked, part), getattr(sent, part))}",
                )
    real_paths, our_paths = ([f"{each.method} {each.path}" for each in side.asked] for side in (recorded, ours))
    if real_paths != our_paths:
        return Judged(recorded.line, f"requests: recorded {real_paths}, here {our_paths}")
    return Judged(recorded.line, "")


def _without_chance(asked: Asked) -> Asked:
    """Go's maps have no order: neither have the secrets, configs, generic resources and ports of a new service, nor what
    an update leaves of its environment."""
    task = asked.body.get("TaskTemplate", {}) if isinstance(asked.body, dict) else {}
    container = task.get("ContainerSpec", {})
    if asked.path == "/services/create" and isinstance(asked.body, dict):
        asked.body.get("EndpointSpec", {}).get("Ports", []).sort(key=str)
    task.get("Resources", {}).get("Reservations", {}).get("GenericResources", []).sort(key=str)
    for key in ("Secrets", "Configs", *(("Env",) if asked.path.endswith("/update") else ())):
        if key in container:
            container[key].sort(key=str)
    return asked


def _first(real: Json, here: Json, path: str = "") -> str:
    """Where two JSON values differ first."""
    if isinstance(real, dict) and isinstance(here, dict):
        for key in [*real, *here]:
            if key not in real or key not in here or real[key] != here[key]:
                return _first(real.get(key), here.get(key), f"{path}.{key}")
    if isinstance(real, list) and isinstance(here, list) and len(real) == len(here):
        for number, (a, b) in enumerate(zip(real, here, strict=True)):
            if a != b:
                return _first(a, b, f"{path}.{number}")
    return f"{real!r} at {path or 'the top'}, here {here!r}"


def _comparable(text: str) -> str:
    return usage_facts(text) if is_help(text) else text


def is_help(text: str) -> bool:
    return bool(re.search(r"^Usage: ", text, re.M) and re.search(r"^(Options|Commands):", text, re.M))


def usage_facts(text: str) -> str:
    """What is fact in a help text: usage line, commands, flags with types and defaults."""
    use = re.search(r"^Usage: +(.*)$", text, re.M)
    commands = re.findall(r"^  ([a-z][a-z-]*)  +\S", text, re.M)
    flags = re.findall(r"^ +(?:(-\w), )?(--[a-z-]+)(?: ([a-zA-Z0-9-]+))?(?: {2,}|$)", text, re.M)
    flat = re.sub(r"\s+", " ", text)
    defaults = re.findall(r"\(default (.*?)\)", flat)
    return f"{use[1] if use else ''}|{commands}|{flags}|{defaults}"


def read_lines(path: Path) -> list[Typed]:
    """The rows of a record."""
    decoder = msgspec.json.Decoder(Typed)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]


def read_exceptions(folder: Path) -> dict[str, str]:
    """Why a line is not the same, by line: in exceptions.txt a reason, then the lines it holds for, indented."""
    reasons, reason = {}, ""
    named = folder / "exceptions.txt"
    for line in named.read_text(encoding="utf-8").splitlines() if named.exists() else ():
        if line.startswith("  "):
            reasons[line[2:]] = reason
        elif line:
            reason = line
    return reasons


def report(judged: list[Judged], reasons: dict[str, str]) -> str:
    """How many are the same, every other with its difference, and the exceptions with their reasons."""
    differ = [each for each in judged if each.difference]
    lines = [f"{len(judged) - len(differ)} of {len(judged)} command lines are the same"]
    for each in differ:
        if each.line not in reasons:
            lines += [f"  docker {each.line}", f"      {each.difference[:400]}"]
    known = [each.line for each in differ if each.line in reasons]
    if known:
        lines.append(f"{len(known)} exceptions:")
    for reason in dict.fromkeys(reasons.values()):
        for line in (line for line in known if reasons[line] == reason):
            lines.append(f"  docker {line}: {reason}")
    same = {each.line for each in judged if not each.difference}
    lines += [f"no exception any more: docker {line}" for line in reasons if line in same]
    return "\n".join(lines)


def is_true_to(judged: list[Judged], reasons: dict[str, str]) -> bool:
    """Whether what differs is what is named as an exception, no more and no less."""
    return {each.line for each in judged if each.difference} == reasons.keys()


def type_lines(folder: Path) -> list[Judged]:
    """Type every recorded line of ``folder`` to our client."""
    daemon = Daemon.read(folder / "answers.json")
    files = Files(folder=folder / "files", environment=ENVIRONMENT)
    return [
        judge(recorded, type_line(daemon, recorded, shlex.split(recorded.line), files))
        for recorded in read_lines(folder / "lines.jsonl")
    ]
