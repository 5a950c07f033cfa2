"""One daemon's answers (daemon.json), for the real client and for ours: what both make of them can be compared.

``python -m tests.docker.canned`` asks the docker client of this machine (28.2.2) for every command line of shown.yaml,
and writes what it printed beside it. The bodies are what this project's own engine says of a small swarm, and a few
things more that it never says.
"""

from __future__ import annotations

import http.server
import json
import re
import shlex
import socketserver
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from swarmsim.apitypes.http import Request, Response
from swarmsim.docker.client import Result, run_docker
from swarmsim.docker.errors import CommandError
from swarmsim.sim.future import Activity

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


class Daemon(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def reply(self) -> None:
        path = re.sub(r"^/v1\.\d+|\?.*$", "", self.path)
        code, body = (200, "OK") if path == "/_ping" else answer(self.command, path)
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(code)
        for key, value in {
            "Api-Version": "1.41",
            "Ostype": "linux",
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
        }.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_DELETE = reply  # noqa: N815


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def main() -> None:
    server = Server(("127.0.0.1", 0), Daemon)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yaml = YAML()
    yaml.width = 10_000
    path = HERE / "shown.yaml"
    cases = yaml.load(path.read_text(encoding="utf-8"))
    for case in cases:
        command = ["docker", "-H", f"tcp://127.0.0.1:{server.server_address[1]}", *shlex.split(case["in"])]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=False)
        line, differs = case["in"], case.get("differs")
        case.clear()
        case.update({"in": line, **({"differs": differs} if differs else {}), "code": done.returncode})
        case.update({key: text for key, text in (("out", done.stdout), ("err", done.stderr)) if text})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(cases, file)


if __name__ == "__main__":
    main()
