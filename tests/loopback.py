"""A daemon on loopback, for recording what a real docker client asks and prints: it answers as a function says."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import socketserver
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from swarmsim.analysis.clientrecord import Asked, Typed

PING = {"Api-Version": "1.41", "Ostype": "linux", "Swarm": "active/manager"}
"""What a manager's engine 20.10.24 says of itself to whoever asks first."""

Answer = Callable[[Asked], tuple[int, Any]]
"""Status code and body: bytes as they are, ``None`` for an empty one, anything else as JSON."""


@contextmanager
def daemon(answer: Answer) -> Iterator[str]:
    """The daemon's address, as the client's ``-H`` takes it."""
    server = _Server(("127.0.0.1", 0), type("Api", (_Api,), {"answer": staticmethod(answer)}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class _Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Answer

    def log_message(self, *_: Any) -> None:
        pass

    def handle_request(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", url.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/_ping":
            self._send(200, b"OK", PING)
            return
        status, body = self.answer(Asked(self.command, path, query, json.loads(raw) if raw else None))
        if isinstance(body, bytes):
            self._send(status, body, {"Content-Type": "application/octet-stream"})
        else:
            data = b"" if body is None else json.dumps(body).encode()
            self._send(status, data, {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_DELETE = handle_request  # noqa: N815


def type_line(client: str, line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Type a docker command line as a user in ``folder`` does; ``client`` is the command that runs docker."""
    return subprocess.run(
        [*shlex.split(client), *shlex.split(line)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def keep(rows: list[Typed], path: Path, *, shown: bool) -> None:
    """Write a record, a row a line; or only show it."""
    if shown:
        for row in rows:
            print(json.dumps(msgspec.to_builtins(row), indent=1))
        return
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    print(f"{len(rows)} lines recorded")
