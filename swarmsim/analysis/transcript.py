"""The recorded transcript of docker commands, typed into a simulated cluster set up alike.

Exit code, stdout and stderr are compared with ids, tokens, times, addresses and column widths masked and
the choice of a node among equals left free. Of help texts the usage line and the flags with types and
defaults are compared, not the descriptions, which are our own. What differs is reported, never hidden.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from swarmsim.analysis.clientrecord import is_help, usage_facts
from swarmsim.analysis.compare import masked
from swarmsim.docker.client import Result
from swarmsim.scenario.runner import build_world
from swarmsim.scenario.schema import ClusterLayout, HostSettings, Scenario
from swarmsim.sim.future import Activity
from swarmsim.world.simulated import SimulatedWorld

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


SEEDS = range(1, 6)


def type_transcript(rows: list[dict[str, Any]], seeds: range = SEEDS) -> list[Typed]:
    """Type the transcript with several seeds; a command matches if the recorded answer is among the model's.

    How many tasks already run two seconds after a command, say, is chance in both worlds.
    """
    tries = [_type_once(rows, seed) for seed in seeds]
    return [next((typed for typed in same if typed.verdict == MATCHED), same[0]) for same in zip(*tries, strict=True)]


def _type_once(rows: list[dict[str, Any]], seed: int) -> list[Typed]:
    """Type every docker row into a simulated cluster of the same hosts, at the recorded moments."""
    hosts = list(dict.fromkeys(row["on"] for row in rows if row["kind"] == "docker"))
    managers = sorted(host for host in hosts if host.startswith("m"))
    workers = sorted(host for host in hosts if not host.startswith("m"))
    settings = {
        name: HostSettings(address=f"10.97.1.{number}", cpus=2, memory=25276063744)
        for number, name in enumerate([*managers, *workers], 1)
    }
    cluster = ClusterLayout(managers=managers, workers=workers, formed=False, hosts=settings)
    world = build_world(Scenario(name="transcript", cluster=cluster), seed)
    result: list[Typed] = world.run(_type_all(world, rows))
    return result


def _type_all(world: SimulatedWorld, rows: list[dict[str, Any]]) -> Activity[Any]:
    known: dict[str, str] = {}
    typed: list[Typed] = []
    for number, row in enumerate(rows):
        if row["kind"] == "file":
            world.files.inline[row["name"]] = row["text"]
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
        typed.append(_judge(number, row, result, known))
    return typed


_ID = re.compile(r"SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}|\b[0-9a-z]{25}\b|\b[0-9a-f]{12}\b")


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


def _judge(number: int, row: dict[str, Any], result: Result, known: dict[str, str]) -> Typed:
    command = row["cmd"]
    real = (row["rc"], _comparable(row["out"], command), _comparable(row["err"], command))
    ours = (result.code, _comparable(result.out, command), _comparable(result.err, command))
    if real == ours:
        return Typed(number, row["on"], row["cmd"], MATCHED, "")
    verdict = NOT_MODELLED if result.not_modelled else DIFFERING
    return Typed(number, row["on"], row["cmd"], verdict, _first_difference(real, ours))


_NODES = re.compile(r"\b[mw][1-5]\b")
_TLS = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----(?:\\n)?", re.S)
_BASE64 = re.compile(r"\b[A-Za-z0-9+/]{24,}={0,2}")


def _comparable(text: str, command: str) -> str:
    if is_help(text):
        return usage_facts(text)
    # What the model adds to docker's words (where in a file it is, say) is marked as its own.
    text = re.sub(r"(?m)^swarmsim: (?!.*not modelled yet).*\n?", "", text)
    text = _TLS.sub("<certificate>", text)
    text = _BASE64.sub(lambda m: "<key>" if len(m[0]) > 40 or m[0].endswith("=") else m[0], text)
    text = re.sub(r'("Index": ?)\d+', r"\1<version>", text)
    text = re.sub(r"swarm-\d+", "swarm", text)
    lines = masked(text).splitlines()
    if command.startswith(("service ps", "node ps")):
        # Which node a task is on is a choice among equals; so is which tasks a node has.
        lines = [_NODES.sub("<node>", line) for line in lines]
        if "--filter node=" in command:
            lines = lines[:1]
    if lines and lines[0].startswith("CONTAINER ID"):
        lines = [lines[0], *sorted(lines[1:])]
    return "\n".join(lines)


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


def report(typed: list[Typed]) -> str:
    """Counts, then every command that does not match with its first difference."""
    counts = {verdict: sum(1 for t in typed if t.verdict == verdict) for verdict in (MATCHED, DIFFERING, NOT_MODELLED)}
    lines = [f"{len(typed)} commands: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())]
    for verdict in (DIFFERING, NOT_MODELLED):
        lines += [f"\n{verdict}:"] if counts[verdict] else []
        lines += [
            f"  #{t.number} [{t.host}] docker {t.command[:100]}\n      {t.difference[:300]}"
            for t in typed
            if t.verdict == verdict
        ]
    return "\n".join(lines)
