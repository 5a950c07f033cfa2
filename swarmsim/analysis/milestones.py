"""Milestones: the moments of a run that are worth a number, read off any trace, simulated or recorded.

A milestone has a name and one or more values in seconds; of something that happens more than once in a
run (each crash, each replacement) every occurrence counts. Waits have places: the second wait for `6 running` is
another milestone than the first, for what it waits for began otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from swarmsim.trace.reader import Trace

Milestones = dict[str, list[float]]
SLOW_COMMAND = 1.0  # seconds: a command that takes longer is a milestone
FEWEST_QUESTIONS = 20
"""A host that is asked for its nodes at least so often tells from when on it answers."""
FAULT_VERBS = {
    "power-off": "power off",
    "kill-host": "power off",
    "power-on": "power on",
    "kill-engine": "kill engine",
    "start-engine": "start engine",
    "cut": "cut",
    "cut-off": "cut",
    "heal": "heal",
    "partition": "partition",
    "kill-container": "kill container",
}
"""Verbs of ``step`` rows from which on is measured, and the name their milestones have: the same for both kinds of power-off."""


def milestones(trace: Trace) -> Milestones:
    """All milestones of a run."""
    found: Milestones = {}
    rows = [row for row in trace.rows if row["t"] >= trace.begin]
    _waits(rows, found)
    _commands(rows, found)
    _after_faults(rows, found)
    _answers(rows, found)
    _tasks(rows, found)
    return found


def merged(many: Iterable[Milestones]) -> Milestones:
    """All values of several runs by name, in order of first appearance."""
    values: Milestones = {}
    for one in many:
        for name, found in one.items():
            values.setdefault(name, []).extend(found)
    return values


def _add(found: Milestones, name: str, value: float) -> None:
    found.setdefault(name, []).append(round(value, 3))


def _waits(rows: list[dict[str, Any]], found: Milestones) -> None:
    places: Counter[str] = Counter()
    for row in rows:
        if row["kind"] == "reached":
            _add(found, placed(f"wait: {row['what']}", places), row["after"])


def _commands(rows: list[dict[str, Any]], found: Milestones) -> None:
    for row in rows:
        if row["kind"] == "docker" and row["s"] >= SLOW_COMMAND:
            _add(found, f"docker {_short(row['cmd'])} takes", row["s"])


def placed(name: str, places: Counter[str]) -> str:
    """The name of the next occurrence of ``name`` in a run, counted in ``places``.

    >>> places = Counter()
    >>> [placed(name, places) for name in ("web ready", "leader", "web ready")]
    ['web ready', 'leader', 'web ready (2)']
    """
    places[name] += 1
    return name if places[name] == 1 else f"{name} ({places[name]})"


def _short(command: str) -> str:
    return " ".join(word for word in command.split()[:3] if not word.startswith("-"))


def _after_faults(rows: list[dict[str, Any]], found: Milestones) -> None:
    """For every fault: how long until nodes are seen unreachable, unknown, down, ready; until nobody answers."""
    fault: str | None = None
    at = 0.0
    seen: set[str] = set()
    status: dict[str, str] = {}
    hit: set[str] = set()
    for row in rows:
        if row["kind"] == "step" and row["verb"] in FAULT_VERBS:
            fault, at, seen = FAULT_VERBS[row["verb"]], row["t"], set()
            if fault in ("power off", "power on"):
                hit |= set(row["hosts"])
            continue
        if row["kind"] == "node":
            before = status.get(row["node"])
            status[row["node"]] = row["status"]
            marks = [row["status"]] if row["status"] != before and before is not None else []
            if marks == ["down"] and row["node"] not in hit:
                marks = ["a node down that was not hit"]
            if row["reach"] == "unreachable":
                marks.append("unreachable")
        elif row["kind"] in ("no_manager_answers", "manager_answers"):
            marks = [row["kind"].replace("_", " ")]
        else:
            continue
        for mark in marks:
            if fault is not None and mark not in seen:
                seen.add(mark)
                _add(found, f"{fault} to {mark}", row["t"] - at)


def _answers(rows: list[dict[str, Any]], found: Milestones) -> None:
    """A manager that is asked again and again: when, after the first fault, a question begins that fares otherwise than the one before."""
    broken = next((row["t"] for row in rows if row["kind"] == "step" and row["verb"] in FAULT_VERBS), None)
    asked: dict[str, list[tuple[float, str]]] = {}
    for row in rows:
        if row["kind"] == "probe":
            asked.setdefault(row["on"], []).append((row["began"], _fared(row["s"], row["status"] == 200)))
        elif row["kind"] == "docker" and row["cmd"] == "node ls":
            asked.setdefault(row["on"], []).append((row["t"] - row["s"], _fared(row["s"], row["rc"] == 0)))
    for questions in asked.values():
        if broken is None or len(questions) < FEWEST_QUESTIONS:
            continue
        questions.sort()
        before = questions[0][1]
        for began, fared in questions:
            if fared != before and began > broken:
                _add(found, f"what is asked after the fault {fared}", began - broken)
            before = fared


def _fared(seconds: float, ok: bool) -> str:
    if seconds >= SLOW_COMMAND:
        return "hangs"
    return "is answered" if ok else "is refused"


def _tasks(rows: list[dict[str, Any]], found: Milestones) -> None:
    """A replacement's life, the end of what failed, and how long removed tasks linger."""
    first_seen: dict[str, float] = {}
    wanted_running: dict[str, float] = {}
    running: dict[str, float] = {}
    down_at: float | None = None
    failed_at: dict[tuple[str, Any], float] = {}
    scaled_at: float | None = None
    for row in rows:
        if row["kind"] == "docker" and row["cmd"].startswith("service scale") and row["rc"] == 0:
            scaled_at = row["t"]
        elif row["kind"] == "node" and row["status"] == "down":
            down_at = row["t"]
        elif row["kind"] == "task_gone" and scaled_at is not None:
            _add(found, "scale down to task gone", row["t"] - scaled_at)
        elif row["kind"] == "task":
            id, slot, t = row["task"], (row["service"], row["slot"]), row["t"]
            if id not in first_seen:
                first_seen[id] = t
                if row["desired"] == "ready":
                    if slot in failed_at:
                        _add(found, "failed to replacement created", t - failed_at[slot])
                    elif down_at is not None:
                        _add(found, "down to replacement created", t - down_at)
            if row["desired"] == "running" and id not in wanted_running:
                wanted_running[id] = t
                if t > first_seen[id]:
                    _add(found, "replacement created to wanted running", t - first_seen[id])
            if row["state"] == "running" and row["desired"] == "running" and id not in running:
                running[id] = t
                if wanted_running[id] > first_seen[id]:
                    _add(found, "replacement wanted running to running", t - wanted_running[id])
                    if slot in failed_at and first_seen[id] >= failed_at[slot]:
                        _add(found, "failed to replacement running", t - failed_at[slot])
            if row["state"] == "failed" and slot not in failed_at and row["exit"] == 1 and id in running:
                _add(found, "running to failed", t - running[id])
            if row["state"] == "failed":
                failed_at[slot] = t
            elif row["state"] == "running":
                failed_at.pop(slot, None)
