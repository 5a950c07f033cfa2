"""Record what a real docker client does with the command lines of lines.txt: python record.py CLIENT [LINE…]

CLIENT is the command that runs the client, `docker` say. It is run in a folder with the files of files.txt, against a
daemon on loopback that agrees to everything. Writes lines.jsonl beside this file: a row for each line, with what was
printed, the exit code and every request. With LINEs, those are shown instead of recorded.
"""

import http.server
import json
import os
import re
import shlex
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path

import msgspec

from swarmsim.analysis.clientrecord import Asked, Typed
from swarmsim.analysis.stackrecord import DIRECTORY, ENVIRONMENT, StackDaemon, read_files

HERE = Path(__file__).resolve().parent
PING = {"Api-Version": "1.41", "Ostype": "linux", "Swarm": "active/manager"}
AT, NOW = "2026-01-02T13:30:00+00:00", "2026-01-02T13:30:00Z"
"""When all of it happened, to the client's clock."""


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    daemon = StackDaemon()

    def log_message(self, *_):
        pass

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", url.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/_ping":
            self.send(200, b"OK", PING)
            return
        status, body = self.daemon.answer(Asked(self.command, path, query, json.loads(raw) if raw else None))
        self.send(status, b"" if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})

    def send(self, status, data, headers):
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def record(client, line, root, port):
    Api.daemon.asked = []
    folder = f"{root}{DIRECTORY}"
    environment = {"PATH": os.environ["PATH"], **ENVIRONMENT, "HOME": folder, "DOCKER_HOST": f"tcp://127.0.0.1:{port}"}
    done = subprocess.run(
        [*shlex.split(client), *shlex.split(line)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    row = Typed(line, AT, done.returncode, done.stdout, done.stderr, Api.daemon.asked)
    row.err = re.sub(r'^time="[^"]*"', f'time="{NOW}"', row.err, flags=re.M)
    return msgspec.json.decode(msgspec.json.encode(row).replace(root.encode(), b""), type=Typed)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    client, *shown = sys.argv[1:]
    lines = shown or (HERE / "lines.txt").read_text().splitlines()
    server = Server(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as root:
        for name, text in read_files(HERE / "files.txt").items():
            path = Path(root + DIRECTORY, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        rows = [record(client, line, root, server.server_address[1]) for line in lines]
    if shown:
        for row in rows:
            print(json.dumps(msgspec.to_builtins(row), indent=1))
        return
    (HERE / "lines.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    print(f"{len(rows)} lines recorded")


if __name__ == "__main__":
    main()
