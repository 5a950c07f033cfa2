"""A trace for Perfetto's viewer (the Trace Event Format, JSON): hosts as processes, tasks as slices, Raft roles, faults.

Load the file at ui.perfetto.dev, which keeps it in the browser. Times are microseconds since the run began.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from swarmsim.replay.looks import FAILED, phase
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row
from swarmsim.trace.state import name
from swarmsim.trace.writer import write_whole

CLUSTER, RAFT, FIRST_HOST = 1, 2, 10
"""Numbers of the tracks: of the whole cluster, of Raft, and from where on hosts are counted."""
WAITING = "no node yet"

Event = dict[str, Any]


def events(trace: Trace) -> list[Event]:
    """All events of the viewer, in no particular order."""
    end = trace.rows[-1]["t"] if trace.rows else 0.0
    tracks = _Tracks()
    found: list[Event] = []
    lives: dict[str, list[Row]] = {}
    roles: dict[str, tuple[float, str, int]] = {}
    for row in trace.rows:
        kind, ts = row["kind"], row["t"] * 1e6
        if kind == "task":
            lives.setdefault(row["task"], []).append(row)
        elif kind == "step":
            found.append({"ph": "i", "s": "g", "name": row["what"], "ts": ts, "pid": CLUSTER, "tid": 0})
        elif kind == "docker":
            start = ts - row["s"] * 1e6
            command = f"{row['on']}$ docker {row['cmd']}"
            args = {"exit code": row["rc"], "stdout": row["out"], "stderr": row["err"]}
            found.append(_slice(command, start, row["s"] * 1e6, CLUSTER, 1, args))
        elif kind == "serving":
            counts = {"running": row["running"]}
            found.append({"ph": "C", "name": row["service"], "ts": ts, "pid": CLUSTER, "args": counts})
        elif kind == "raft.role":
            _close_role(found, roles, row["host"], row["t"], tracks)
            roles[row["host"]] = (row["t"], row["role"], row["term"])
        elif kind == "engine.ended":
            _close_role(found, roles, row["host"], row["t"], tracks)
    for host in list(roles):
        _close_role(found, roles, host, end, tracks)
    for rows in lives.values():
        found += _life(rows, end, tracks)
    return [*tracks.names(), *found]


class _Tracks:
    """Numbers for hosts and, within them, for tasks."""

    def __init__(self) -> None:
        self._hosts: dict[str, int] = {}
        self._threads: dict[tuple[int, str], int] = {}

    def host(self, host: str) -> int:
        return self._hosts.setdefault(host, FIRST_HOST + len(self._hosts))

    def thread(self, track: int, of: str) -> int:
        return self._threads.setdefault((track, of), 1 + len(self._threads))

    def names(self) -> list[Event]:
        named = {CLUSTER: "cluster", RAFT: "Raft", **{number: host for host, number in self._hosts.items()}}
        return [
            *({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": text}} for pid, text in named.items()),
            *(
                {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": of}}
                for (pid, of), tid in self._threads.items()
            ),
        ]


def _slice(text: str, ts: float, duration: float, pid: int, tid: int, args: dict[str, Any]) -> Event:
    return {"ph": "X", "name": text, "ts": ts, "dur": max(duration, 0.0), "pid": pid, "tid": tid, "args": args}


def _close_role(
    found: list[Event], roles: dict[str, tuple[float, str, int]], host: str, at: float, tracks: _Tracks
) -> None:
    known = roles.pop(host, None)
    if known is not None:
        since, role, term = known
        thread = tracks.thread(RAFT, host)
        found.append(_slice(f"{role} (term {term})", since * 1e6, (at - since) * 1e6, RAFT, thread, {"term": term}))


def _life(rows: list[Row], end: float, tracks: _Tracks) -> list[Event]:
    """A task as one slice for each state it was in."""
    found = []
    for number, row in enumerate(rows):
        now = phase(row)
        track = tracks.host(row["node"] or WAITING)
        thread = tracks.thread(track, f"{name(row)} {row['task']}")
        args = {"desired": row["desired"], "message": row["msg"], "error": row["err"], "image": row["image"]}
        if now in ("done", "failed"):
            sign = "✗ " if row["state"] in FAILED else ""
            found.append(
                {"ph": "i", "s": "t", "name": sign + row["state"], "ts": row["t"] * 1e6, "pid": track, "tid": thread, "args": args}
            )  # fmt: skip
            break
        stop = rows[number + 1]["t"] if number + 1 < len(rows) else end
        text = f"{name(row)} {row['state']}"
        found.append(_slice(text, row["t"] * 1e6, (stop - row["t"]) * 1e6, track, thread, args))
    return found


def write_perfetto(trace: Trace, path: Path) -> None:
    """Write the viewer's file, whole or not at all. Raises :class:`TraceError`."""
    text = msgspec.json.encode({"displayTimeUnit": "ms", "traceEvents": events(trace)})
    write_whole(path, text)
