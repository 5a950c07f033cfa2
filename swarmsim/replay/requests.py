"""What became of clients' requests, for whoever shows it: from rows of a trace alone.

The way of a request is a list of :class:`Stage`, from the client on: the node asked, what its load balancer (IPVS) chose, the
tunnel to that task's host (VXLAN), the task, and that the answer comes back the same way. It ends where the request ended.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.replay.looks import TASKS
from swarmsim.replay.recording import Recording
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState
from swarmsim.trace.state import name as task_name

OUTCOMES = {
    "ok": TASKS["running"].colour,
    "timeout": TASKS["failed"].colour,
    "refused": "#E69F00",
    "eof": "#F0E442",
    "reset": "#CC79A7",
    "unreachable": "#56B4E9",
    "unknown": "#999999",
}
"""How a request can end, the usual first, and the colours that show it."""
HATCHES = {"timeout": "///", "refused": "...", "eof": "\\\\\\", "reset": "xxx", "unreachable": "+++", "unknown": "ooo"}
"""Laid over the colours in plots, for whoever sees no colours."""
WINDOW = 5.0
"""Seconds over which the app counts requests a second."""


class Stage(NamedTuple):
    """A stage of a request's way: how it came ``by`` (``""``, ``IPVS``, ``VXLAN``, ``bridge``), and ``at`` what it was then."""

    by: str
    at: str


def way(row: Row, state: ClusterState) -> list[Stage]:
    """The way of a ``request``, as far as it is known; ``state`` is what was known when it ended."""
    stages = [Stage("", row["src"])]
    entry = row["to"] if row["to"] in state.hosts else _host_of(row["src"], state)
    if row["to"] in state.hosts or entry is None:
        stages.append(Stage("", f"{row['to']}:{row['port']}"))
    else:
        stages.append(Stage(f"{row['to']}:{row['port']}", entry))
    via = row.get("via")
    if via is None:
        if row["by"] is not None:
            stages.append(Stage("bridge", f"{row['by']} @ {row['node']}"))
        return stages
    known = state.task_at(entry, via) if entry is not None else None
    node, task = row["node"], row["by"]
    if task is None and known is not None:
        task, there = known["task"], state.tasks.get(known["id"])
        node = there["node"] if there is not None else None
    stages.append(Stage("IPVS", via))
    if task is not None:
        stages.append(Stage("bridge" if node == entry else "VXLAN", f"{task} @ {node}" if node else task))
    return stages


def _host_of(task: str, state: ClusterState) -> str | None:
    """Where a task of this name is that is not over."""
    found = [row["node"] for row in state.tasks.values() if task_name(row) == task and row["node"] is not None]
    return found[-1] if found else None


class Seen(NamedTuple):
    """One traffic over the last seconds: how many ended how, which task answered how many, the newest that ended so."""

    outcomes: dict[str, int]
    by: dict[str, int]
    last: dict[bool, Row]
    """The last request that was answered (``True``), and the last that was not."""


def last_seconds(recording: Recording, t: float, seconds: float = WINDOW) -> dict[str, Seen]:
    """What ended in the last ``seconds`` before ``t`` (since the run began), by traffic."""
    found: dict[str, Seen] = {}
    for place in range(recording.place(t - seconds), recording.place(t)):
        row = recording.rows[place]
        if row["kind"] not in ("request", "requests"):
            continue
        seen = found.setdefault(row["traffic"], Seen({}, {}, {}))
        out = row["out"]
        seen.outcomes[out] = seen.outcomes.get(out, 0) + row.get("n", 1)
        if row["kind"] == "requests":
            for task, number in row["by"].items():
                seen.by[task] = seen.by.get(task, 0) + number
            continue
        if row["by"] is not None:
            seen.by[row["by"]] = seen.by.get(row["by"], 0) + 1
        seen.last[out == "ok"] = row
    return found
