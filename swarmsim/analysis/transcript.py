"""The recorded transcript of docker commands, typed into a simulated cluster set up alike.

The hosts are those of the transcript, under their names and with the addresses it shows; one that was told the managers'
token is a manager. Exit code, stdout and stderr are compared with ids, tokens, times, addresses and column widths masked
and the choice of a node among equals left free. Of help texts the usage line and the flags with types and
defaults are compared, not the descriptions, which are our own. What differs is reported, never hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from swarmsim.analysis.clientrecord import is_help, usage_facts
from swarmsim.analysis.compare import TOKEN, masked
from swarmsim.docker.client import Result
from swarmsim.scenario.runner import build_world
from swarmsim.scenario.schema import ClusterLayout, HostSettings, Scenario
from swarmsim.sim.future import Activity
from swarmsim.world.simulated import SimulatedWorld

NO_SERVERS = "no servers could be reached"
"""What a program in a container says where the hosts' own name servers do not answer."""
LIMIT = 25.0  # seconds after which the recorder stopped a command that waits
MATCHED, DIFFERING, NOT_MODELLED = "matched", "differing", "not modelled yet"


class Typed(NamedTuple):
    """One command of the transcript and how the model answered."""

    number: int
    host: str
    command: str
    verdict: str
    difference: str


def read_transcript(path: Path) -> list[dict[str, Any]]:
    """The rows of a transcript file."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    return [decode(line) for line in path.read_bytes().splitlines() if line.strip()]


SEEDS = range(1, 101)


def type_transcript(rows: list[dict[str, Any]], seeds: Iterable[int] = SEEDS) -> list[Typed]:
    """Type the transcript with several seeds; a command matches if the recorded answer is among the model's.

    How many tasks already run two seconds after a command, say, is chance in both worlds; so is, one time in
    twenty, whether a node still sent a heartbeat between two commands.
    """
    tries = [_type_once(rows, seed) for seed in seeds]
    return [next((typed for typed in same if typed.verdict == MATCHED), same[0]) for same in zip(*tries, strict=True)]


def _type_once(rows: list[dict[str, Any]], seed: int) -> list[Typed]:
    """Type every docker row into a simulated cluster of the same hosts, at the recorded moments."""
    recorded = Recorded.of(rows)
    settings = {
        host: HostSettings(address=recorded.addresses.get(host), cpus=2, memory=25276063744) for host in recorded.hosts
    }
    workers = [host for host in recorded.hosts if host not in recorded.managers]
    asks = any(row["kind"] == "docker" and row["cmd"].startswith("exec ") for row in rows)
    cluster = ClusterLayout(managers=recorded.managers, workers=workers, formed=False, hosts=settings, gossip=asks)
    world = build_world(Scenario(name="transcript", cluster=cluster), seed)
    world.clients.name_servers = not any(NO_SERVERS in row.get("out", "") for row in rows)
    result: list[Typed] = world.run(_type_all(world, rows, recorded))
    return result


class Recorded(NamedTuple):
    """What a transcript shows of the machines it was typed on."""

    hosts: list[str]
    managers: list[str]
    addresses: dict[str, str]
    """Of a host that named its own, or was told it."""
    data_roots: list[str]
    """Where its engines keep what is theirs, if not in the usual place."""

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> Recorded:
        typed = [row for row in rows if row["kind"] == "docker"]
        hosts = list(dict.fromkeys(row["on"] for row in typed))
        addresses: dict[str, str] = {}
        managers: list[str] = []
        tokens: set[str] = set()
        roots: list[str] = []
        for row in typed:
            tokens |= (
                set(re.findall(TOKEN, row["out"])) if {"join-token", "manager"} <= set(row["cmd"].split()) else set()
            )
            if row["cmd"].startswith("swarm init") or any(token in row["cmd"] for token in tokens):
                managers.append(row["on"])
            own = _ADVERTISED.search(row["cmd"]) or _NODE_ADDRESS.search(row["out"])
            if own is not None:
                addresses.setdefault(row["on"], own[1])
            roots += _DATA_ROOT.findall(row["out"])
        return cls(sorted(hosts), sorted(dict.fromkeys(managers)), addresses, roots)


_ADVERTISED = re.compile(r"--advertise-addr[ =]((?:\d+\.){3}\d+)")
_NODE_ADDRESS = re.compile(r"(?:Node Address: |\"NodeAddr\": ?\")((?:\d+\.){3}\d+)")
_DATA_ROOT = re.compile(r"Docker Root Dir: (\S+)")
DATA_ROOT = "/var/lib/docker"


def _type_all(world: SimulatedWorld, rows: list[dict[str, Any]], recorded: Recorded) -> Activity[list[Typed]]:
    known: dict[str, str] = {}
    typed: list[Typed] = []
    for number, row in enumerate(rows):
        if row["kind"] == "file":
            world.files.inline[row["name"]] = row["text"]
        if row["kind"] == "step":
            yield max(0.0, row["t"] - world.clock.now)
            _step(world, row["what"])
        if row["kind"] != "docker":
            continue
        start = row["t"] - row["s"]
        if start > world.clock.now:
            yield start - world.clock.now
        line = _translate(row["cmd"], known)
        try:
            result: Result = yield from world.docker(row["on"], line, limit=LIMIT)
        except ValueError as problem:
            result = Result(2, "", f"{problem}")
        _learn(row, result, known)
        typed.append(_judge(number, row, result, recorded))
    return typed


def _step(world: SimulatedWorld, what: str) -> None:
    """What was done to a machine between commands. Raises :class:`ValueError` for what is not known."""
    found = re.fullmatch(r"power off (\S+)", what)
    if found is None:
        raise ValueError(f"a step of the transcript is not understood: {what}")
    world.power_off(found[1])


_ID = re.compile(TOKEN + r"|\b[0-9a-z]{25}\b|\b[0-9a-f]{12}\b")


def _translate(command: str, known: dict[str, str]) -> str:
    """The recorded cluster's ids and tokens become the simulated one's."""
    for real, ours in known.items():
        command = command.replace(real, ours)
    return command


def _learn(row: dict[str, Any], result: Result, known: dict[str, str]) -> None:
    """Pair ids and tokens that stand at the same place of both outputs."""
    real, ours = _ID.findall(row["out"]), _ID.findall(result.out)
    if len(real) == len(ours):
        for a, b in zip(real, ours, strict=True):
            known.setdefault(a, b)


def _judge(number: int, row: dict[str, Any], result: Result, recorded: Recorded) -> Typed:
    comparable = partial(_comparable, command=row["cmd"], recorded=recorded)
    real = (row["rc"], comparable(row["out"]), comparable(row["err"]))
    ours = (result.code, comparable(result.out), comparable(result.err))
    if real == ours:
        return Typed(number, row["on"], row["cmd"], MATCHED, "")
    verdict = NOT_MODELLED if result.not_modelled else DIFFERING
    return Typed(number, row["on"], row["cmd"], verdict, _first_difference(real, ours))


_BASE64 = re.compile(r"\b[A-Za-z0-9+/]{24,}={0,2}")
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")
_MILLISECONDS = re.compile(r"\d+\.\d+(?:/\d+\.\d+)*(?= ms\b)")
"""How long a ping took."""
_SLOT = re.compile(r"(?<=\.)\d+(?=\s|$|\.[0-9a-z]{25}\b)", re.M)
"""The number in a task's or its container's name."""


def _comparable(text: str, command: str, recorded: Recorded) -> str:
    if is_help(text):
        return usage_facts(text)
    # What the model adds to docker's words (where in a file it is, say) is marked as its own.
    text = re.sub(r"(?m)^swarmsim: (?!.*not modelled yet).*\n?", "", text)
    for root in recorded.data_roots:
        text = text.replace(root, DATA_ROOT)
    text = _BASE64.sub(lambda m: "<key>" if len(m[0]) > 40 or m[0].endswith("=") else m[0], text)
    text = _MAC.sub("<mac>", text)
    text = re.sub(r'("Index": ?)\d+', r"\1<version>", text)
    text = _MILLISECONDS.sub("<ms>", text)
    text = re.sub(r"swarm-\d+", "swarm", text)
    if command.startswith(("node ps", "ps")):
        # Which slots are on a node is a choice among equals.
        text = _SLOT.sub("<slot>", text)
    if command.startswith("network inspect") and "--format" not in command:
        text = _in_order(text)
    lines = masked(text).splitlines()
    if command.startswith(("service ps", "stack ps", "node ps")):
        # So is which node a task is on.
        names = "|".join(re.escape(host) for host in recorded.hosts)
        lines = [re.sub(rf"\b(?:{names})\b", "<node>", line) for line in lines]
        if "--filter node=" in command:
            lines = lines[:1]
    if lines and lines[0].startswith("CONTAINER ID"):
        lines = [lines[0], *sorted(lines[1:])]
    return "\n".join(lines)


def _in_order(text: str) -> str:
    """``network inspect`` with the maps that Go walks in no order, or in that of random ids, in the order of names."""
    try:
        bodies = json.loads(text)
    except ValueError:
        return text
    for body in bodies:
        ends = (body.get("Containers") or {}).values()
        body["Containers"] = sorted(ends, key=lambda end: end["Name"])
        body["Peers"] = sorted(body.get("Peers") or (), key=lambda peer: peer["IP"])
        for service in body.get("Services", {}).values():
            service["Tasks"].sort(key=lambda task: task["Name"])
    return json.dumps(bodies, indent=4)


def _first_difference(real: tuple[Any, ...], ours: tuple[Any, ...]) -> str:
    for name, a, b in zip(("exit code", "stdout", "stderr"), real, ours, strict=True):
        if a == b:
            continue
        if name == "exit code":
            return f"exit code {a} recorded, {b} here"
        real_lines, our_lines = a.splitlines(), b.splitlines()
        for number in range(max(len(real_lines), len(our_lines))):
            left = real_lines[number] if number < len(real_lines) else "(nothing)"
            right = our_lines[number] if number < len(our_lines) else "(nothing)"
            if left != right:
                return f"{name} line {number + 1}: recorded {left!r}, here {right!r}"
    return ""


def report(typed: list[Typed], reasons: Mapping[str, str]) -> str:
    """Counts, then every command that does not match with its first difference and the reason, if one is known.

    ``reasons`` are by host and command, ``m1 node ps``.
    """
    counts = {verdict: sum(1 for t in typed if t.verdict == verdict) for verdict in (MATCHED, DIFFERING, NOT_MODELLED)}
    lines = [f"{len(typed)} commands: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())]
    for verdict in (DIFFERING, NOT_MODELLED):
        lines += [f"\n{verdict}:"] if counts[verdict] else []
        for t in typed:
            if t.verdict == verdict:
                lines.append(f"  #{t.number} [{t.host}] docker {t.command[:100]}\n      {t.difference[:300]}")
                reason = reasons.get(f"{t.host} {t.command}")
                lines += [f"      {reason}"] if reason else []
    return "\n".join(lines)
