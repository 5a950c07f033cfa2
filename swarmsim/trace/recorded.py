"""Rows as they were written before, or by the recorder of real clusters, made into rows as :mod:`swarmsim.trace.rows` has them.

This is the only place that knows what such rows lack, and the only one that reads a step's words:

- a step has only words: the verb and the hosts are read from them;
- a recorded node has no id, a recorded service no mode, replicas and image, a recorded task at times no image;
- once its service is removed, a recorded task has the service's id where its name was.
"""

from __future__ import annotations

import re
from typing import Any

from swarmsim.trace.rows import Row

_STEP = re.compile(
    r"(?P<verb>power off|power on|kill host|kill engine|stop engine|start engine|cut off|cut|heal|partition|latency|loss"
    r"|kill a container|kill container|fail healthcheck)\b(?P<rest>[^,(:]*)"
)
_ID = re.compile(r"[a-z0-9]{25}")
_NO_HOSTS = frozenset(("a", "all", "any", "container", "follower", "leader", "on", "second", "worker", "|"))
_CONTAINERS = ("kill container", "fail healthcheck")

_LACKING: dict[str, dict[str, Any]] = {
    "service": {"mode": None, "replicas": None, "image": None},
    "task": {"image": None},
    "container.started": {"task": None},
    "container.ended": {"task": None},
    "container.health": {"task": None},
}
"""What recorded or older rows of a kind lack."""


def upgrade(row: Row) -> Row:
    """The row with all fields of its kind; the very same if it has them.

    >>> upgrade({"t": 1.0, "kind": "step", "what": "power off m2 m3"})["hosts"]
    ['m2', 'm3']
    >>> upgrade({"t": 1.0, "kind": "step", "what": "kill a container on w1"})["verb"]
    'kill-container'
    """
    kind = row["kind"]
    if kind == "step" and "verb" not in row:
        verb, hosts = _read_step(str(row.get("what", "")))
        return {**row, "verb": verb, "hosts": hosts}
    if kind == "node" and "id" not in row:
        return {**row, "id": row.get("node")}
    lacking = _LACKING.get(kind)
    if lacking is not None and not lacking.keys() <= row.keys():
        return {**lacking, **row}
    return row


def upgraded(rows: list[Row]) -> list[Row]:
    """All rows of a recorded cluster."""
    services: dict[str, str] = {}
    found = []
    for row in map(upgrade, rows):
        if row["kind"] == "task":
            name = services.setdefault(row["task"], row["service"])
            if name != row["service"] and _ID.fullmatch(row["service"]):
                row = {**row, "service": name}
        found.append(row)
    return found


def _read_step(what: str) -> tuple[str | None, list[str]]:
    found = _STEP.match(what)
    if found is None:
        return None, []
    verb, words = found["verb"].replace("kill a ", "kill "), found["rest"].split()
    if verb in ("latency", "loss"):
        words = words[:1]
    elif verb in _CONTAINERS:
        words = words[words.index("on") + 1 :] if "on" in words else []
    return verb.replace(" ", "-"), [word for word in words if word not in _NO_HOSTS]
