"""One daemon's answers (daemon.json), for the real client and for ours: what both make of them can be compared.

``python -m tests.docker.canned`` asks the docker client of this machine (28.2.2) for every command line of shown.yaml,
and writes what it printed beside it. The bodies are what this project's own engine says of a small swarm, and a few
things more that it never says.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from swarmsim.apitypes.http import Request, Response
from swarmsim.docker.client import Result, run_docker
from swarmsim.docker.errors import CommandError
from swarmsim.sim.future import Activity
from tests import loopback

HERE = Path(__file__).parent
BODIES: dict[str, Any] = json.loads((HERE / "daemon.json").read_text(encoding="utf-8"))
ASKED = datetime(2026, 11, 26, 3, tzinfo=UTC)
"""When the real client was asked: its tables say how long ago things were."""


def answer(method: str, path: str) -> tuple[int, Any]:
    body = BODIES.get(path) if method == "GET" else None
    return (404, {"message": f"{path} not found"}) if body is None else (200, body)


class CannedTransport:
    def __init__(self) -> None:
        self.requests: list[str] = []

    def handle(self, request: Request) -> Activity[Response]:
        self.requests.append(f"{request.method} {request.path}")
        return Response(*answer(request.method, request.path))
        yield


class Desk(NamedTuple):
    """A machine at that time."""

    now: datetime = ASKED

    def first_of(self, futures: Any, seconds: float | None = None) -> Any:
        raise CommandError("nothing waits here")

    def shuffle(self, items: list[str]) -> None:
        items.sort()


def ours(line: str) -> Result:
    """What our client prints for a command line."""
    activity = run_docker(CannedTransport(), Desk(), shlex.split(line))
    try:
        next(activity)
    except StopIteration as end:
        result: Result = end.value
        return result
    raise AssertionError("a command that waits")


def main() -> None:
    yaml = YAML()
    yaml.width = 10_000
    path = HERE / "shown.yaml"
    cases = yaml.load(path.read_text(encoding="utf-8"))
    with loopback.daemon(lambda asked: answer(asked.method, asked.path)) as address:
        for case in cases:
            command = ["docker", "-H", address, *shlex.split(case["in"])]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=False)
            line, differs = case["in"], case.get("differs")
            case.clear()
            case.update({"in": line, **({"differs": differs} if differs else {}), "code": done.returncode})
            case.update({key: text for key, text in (("out", done.stdout), ("err", done.stderr)) if text})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(cases, file)


if __name__ == "__main__":
    main()
