"""Stack files recorded with the real docker client, deployed and printed with ours.

The rows are those of :mod:`swarmsim.analysis.clientrecord`. The order in which services, networks, secrets and configs are
made is that of Go's maps, that is, any: requests and lines of output are compared sorted.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from swarmsim.analysis.clientrecord import Daemon, Judged, Typed, judge, read_lines, type_line
from swarmsim.docker.files import Files

FILES = "files.txt"
DIRECTORY = "/home/me"
"""Where the commands were typed."""
ENVIRONMENT = {"HOME": DIRECTORY, "WHO": "world", "EMPTY": "", "NUMBER": "2", "PORT": "8080", "YES": "yes"}
SWARM = {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "node"}
OBJECTS: dict[str, Any] = {
    "info": {"Swarm": SWARM, "OSType": "linux", "ServerVersion": "20.10.24"},
    "version": {"ApiVersion": "1.41", "Version": "20.10.24", "Os": "linux"},
    "networks": [
        {"Name": name, "Id": name, "Scope": "swarm", "Driver": "overlay", "Labels": {}} for name in ("outside", "other")
    ],
    "services": [
        {
            "ID": "oldweb",
            "Version": {"Index": 7},
            "CreatedAt": "2026-01-02T13:20:00Z",
            "UpdatedAt": "2026-01-02T13:20:00Z",
            "Endpoint": {},
            "Spec": {
                "Name": "old_web",
                "Labels": {"com.docker.stack.image": "nginx:1", "com.docker.stack.namespace": "old"},
                "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1@sha256:" + "cd" * 32}, "ForceUpdate": 5},
                "Mode": {"Replicated": {"Replicas": 1}},
                "EndpointSpec": {},
            },
        }
    ],
}


class StackDaemon(Daemon):
    """Has every secret and config that a list asks for by name, and none that is looked at before it is made."""

    def __init__(self) -> None:
        super().__init__(OBJECTS)

    def _listed(self, kind: str, query: dict[str, str]) -> Any:
        if kind not in ("secrets", "configs"):
            return super()._listed(kind, query)
        names = json.loads(query.get("filters") or "{}").get("name", {})
        return [{"ID": f"ID-{name}", "Version": {"Index": 1}, "Spec": {"Name": name, "Labels": {}}} for name in names]


def read_files(path: Path) -> dict[str, str]:
    """Many small files in one: each after a line ``-- NAME --``."""
    parts = re.split(r"^-- (\S+) --\n", path.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def in_one_order(row: Typed) -> Typed:
    """What Go's maps decide, sorted."""
    row.out = (
        "".join(sorted(row.out.splitlines(True))) if row.line.startswith(("stack deploy", "stack up")) else row.out
    )
    row.asked = sorted(row.asked, key=lambda asked: (asked.method, asked.path, json.dumps(asked.body, sort_keys=True)))
    return row


def words_of_docker(text: str) -> str:
    """Without our own remarks, a line each."""
    return "".join(line for line in text.splitlines(True) if not line.startswith("swarmsim: "))


def deploy_all(folder: Path) -> list[Judged]:
    """Type every recorded line of ``folder`` to our client."""
    files = Files(read_files(folder / FILES), environment=ENVIRONMENT, directory=DIRECTORY)
    judged = []
    for recorded in read_lines(folder / "lines.jsonl"):
        ours = type_line(StackDaemon(), recorded, shlex.split(recorded.line), files)
        ours.err = words_of_docker(ours.err)
        judged.append(judge(in_one_order(recorded), in_one_order(ours)))
    return judged
