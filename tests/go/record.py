"""Asks a real docker client for the answers in this folder's YAML files: ``python -m tests.go.record [FILE…]``.

Each file has a list of inputs; the client of this machine is run on each against a daemon that knows one service, and
what it made of the input is written beside it. The tests only read the files. Recorded with docker 28.2.2 (Go 1.24.3).
"""

from __future__ import annotations

import copy
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from swarmsim.analysis.clientrecord import Asked
from tests import loopback

HERE = Path(__file__).parent
SERVICE = json.loads((HERE / "service.json").read_text(encoding="utf-8"))


class Daemon:
    """Says yes to everything, and knows the services it was given."""

    services: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []

    @classmethod
    def answer(cls, asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            cls.made.append(asked.body or {})
            return 201, {"ID": "id"}
        if asked.path == "/services":
            return 200, cls.services
        if asked.path.startswith("/services/"):
            return 200, cls.services[0]
        return 200, [] if asked.path in ("/tasks", "/nodes", "/networks") else {}


def docker(address: str, *words: str) -> tuple[int, str, str]:
    command = ["docker", "-H", address, *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=False)
    return done.returncode, done.stdout, done.stderr


def given(address: str, flag: str, *path: str) -> Any:
    """What a flag of ``service create`` puts into the request, by the path in its body; or the complaint."""
    Daemon.made.clear()
    code, _, err = docker(address, "service", "create", "-d", "--no-resolve-image", flag, "mini:1")
    if code:
        return {"error": err.splitlines()[0]}
    value: Any = Daemon.made[0]
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return {"value": value}


def service(**changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(SERVICE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = changed
        for part in parents:
            place = place[part]
        place[last] = value
    return changed


def pretty(address: str, pattern: str) -> str:
    found = re.search(pattern, docker(address, "service", "inspect", "--pretty", "web")[1])
    assert found is not None
    return found[1]


def ask(address: str, kind: str, case: dict[str, Any]) -> Any:
    """The client's answer to one case."""
    Daemon.services = [SERVICE]
    task = ("TaskTemplate", "ContainerSpec")
    if kind == "duration":
        return given(address, f"--restart-delay={case['in']}", "TaskTemplate", "RestartPolicy", "Delay")
    if kind == "duration_shown":
        Daemon.services = [service(Spec__UpdateConfig__Delay=case["in"])]
        return {"value": docker(address, "service", "inspect", "-f", "{{.Spec.UpdateConfig.Delay}}", "web")[1][:-1]}
    if kind == "human_duration":
        then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=case["in"])
        stamp = then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        Daemon.services = [service(UpdateStatus={"State": "updating", "StartedAt": stamp, "Message": ""})]
        return {"value": pretty(address, r"Started:\t(.*) ago")}
    if kind == "bytes":
        return given(address, f"--limit-memory={case['in']}", "TaskTemplate", "Resources", "Limits", "MemoryBytes")
    if kind == "bytes_shown":
        Daemon.services = [service(Spec__TaskTemplate__Resources__Limits__MemoryBytes=case["in"])]
        return {"value": pretty(address, r"Limits:\n(?:  CPU.*\n)?  Memory:\t(.*)\n")}
    if kind == "uint":
        return given(address, f"--replicas={case['in']}", "Mode", "Replicated", "Replicas")
    if kind == "int":
        return given(address, f"--health-retries={case['in']}", *task, "Healthcheck", "Retries")
    if kind == "bool":
        return given(address, f"--init={case['in']}", *task, "Init")
    if kind == "float":
        return given(address, f"--update-max-failure-ratio={case['in']}", "UpdateConfig", "MaxFailureRatio")
    if kind == "flags":
        Daemon.made.clear()
        code, _, err = docker(address, *case["in"])
        if code:
            return {"code": code, "error": err.splitlines()[0]}
        return {"body": Daemon.made[0] if Daemon.made else None}
    if kind == "template":
        code, out, err = docker(address, "service", "inspect", "--format", case["in"], "web")
        return {"error": err.removesuffix("\n"), **({"out": out} if out else {})} if code else {"out": out[:-1]}
    if kind == "table":
        Daemon.services = [service(Spec__Name=name, ID=id) for id, name in case["rows"]]
        return {"out": docker(address, "service", "ls", "--format", case["in"])[1]}
    raise SystemExit(f"no way to ask for {kind!r}")


def record(address: str, path: Path) -> None:
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(path.read_text(encoding="utf-8"))
    for kind, cases in document.items():
        for case in cases:
            asked = {key: case[key] for key in ("in", "rows", "differs") if key in case}
            case.clear()
            case.update({**asked, **ask(address, kind, asked)})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)


def main() -> None:
    with loopback.daemon(Daemon.answer) as address:
        for path in [Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.yaml")):
            record(address, path)


if __name__ == "__main__":
    main()
