"""A run in words: rows of a trace as lines, those of one moment drawn together."""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

Row = dict[str, Any]
MAX_OUTPUT_LINES = 14
MAX_NAMES = 8


class Line(NamedTuple):
    """One line: when, what sort it is (for colours), the text."""

    t: float
    sort: str
    text: str

    def plain(self) -> str:
        head, *rest = self.text.split("\n")
        return "\n".join([f"{self.t:9.2f}  {head}", *(f"{'':9}  {line}" for line in rest)])


class Timeline:
    """Give it rows in order; each :meth:`add` returns the lines that are complete by then."""

    def __init__(self) -> None:
        self._begin = 0.0
        self._began = False
        self._moment: list[Row] = []

    def add(self, row: Row) -> list[Line]:
        if row["kind"] == "begin":
            self._began, self._begin = True, row["t"]
        if not self._began:
            return []
        lines = []
        if self._moment and row["t"] != self._moment[0]["t"]:
            lines = self.flush()
        self._moment.append(row)
        return lines

    def flush(self) -> list[Line]:
        """The lines of the last moment."""
        rows, self._moment = self._moment, []
        if not rows:
            return []
        t = rows[0]["t"] - self._begin
        lines = [Line(t, *said) for row in rows if row["kind"] not in ("task", "node") for said in _words(row)]
        return [*lines, *(Line(t, *said) for said in _nodes(rows)), *(Line(t, *said) for said in _tasks(rows))]


def _words(row: Row) -> list[tuple[str, str]]:
    kind = row["kind"]
    if kind == "docker":
        return [_command(row)]
    if kind == "step":
        return [("fault", f"!! {row['what']}")]
    if kind == "reached":
        return [("reached", f"=> {row['what']} (after {row['after']:.1f} s)")]
    if kind == "not_reached":
        return [("unmet", f"=> {row['what']}: not reached in {row['after']:.1f} s")]
    if kind == "unmet":
        return [("unmet", f"UNMET: expected {row['expected']}; seen: {row['seen']}")]
    if kind == "no_manager_answers":
        return [("bad", "no manager answers")]
    if kind == "manager_answers":
        return [("good", "a manager answers")]
    if kind == "service" and row["update"]:
        return [("info", f"service {row['service']}: {row['update']} ({row['umsg']})")]
    if kind == "note":
        return [("note", f"-- {row['text']}")]
    if kind == "raft.leading":
        return [("good", f"{row['host']} leads (Raft term {row['term']})")]
    if kind == "raft.role" and row["role"] == "candidate":
        return [("info", f"{row['host']} stands for election (term {row['term']})")]
    if kind == "node.silent":
        return [("bad", f"{row['node']}: {row['reason']}")]
    if kind == "begin":
        return [("note", f"-- {row['scenario']} begins")]
    if kind == "end":
        return [("note", "-- end")]
    return []


def _command(row: Row) -> tuple[str, str]:
    took = f"   ({row['s']:.1f} s)" if row["s"] >= 1 else ""
    lines = [f"{row['on']}$ docker {row['cmd']}{took}"]
    output = _collapsed("\n".join(text for text in (row["out"], row["err"]) if text).splitlines())
    if len(output) > MAX_OUTPUT_LINES:
        output = [*output[:MAX_OUTPUT_LINES], f"… {len(output) - MAX_OUTPUT_LINES} more lines"]
    lines += [f"    {line.rstrip()}" for line in output]
    return "error" if row["rc"] else "command", "\n".join(lines)


def _collapsed(lines: list[str]) -> list[str]:
    """Lines that repeat, as progress does, once with their number."""
    return [line if (count := len(list(same))) == 1 else f"{line}  (×{count})" for line, same in groupby(lines)]


def _nodes(rows: list[Row]) -> list[tuple[str, str]]:
    groups: dict[tuple[str, str | None, bool], list[str]] = {}
    for row in rows:
        if row["kind"] == "node":
            groups.setdefault((row["status"], row["reach"], row["leader"]), []).append(row["node"])
    lines = []
    for (status, reach, leader), names in groups.items():
        about = status + (f", {reach}" if reach == "unreachable" else "") + (", leader" if leader else "")
        sort = "good" if status == "ready" and reach != "unreachable" else "bad"
        lines.append((sort, f"{_listed('node', names)}: {about}"))
    return lines


def _tasks(rows: list[Row]) -> list[tuple[str, str]]:
    groups: dict[tuple[str, str, str | None], list[str]] = {}
    gone = 0
    for row in rows:
        if row["kind"] == "task":
            name = f"{row['service']}.{row['slot'] or row['node']}"
            where = f" on {row['node']}" if row["node"] and row["slot"] else ""
            groups.setdefault((row["state"], row["desired"], row["err"]), []).append(name + where)
        elif row["kind"] == "task_gone":
            gone += 1
    lines = []
    for (state, desired, error), names in groups.items():
        about = (
            state if desired == state or (desired == "running" and state != "ready") else f"{state}, wanted {desired}"
        )
        about += f" ({error})" if error else ""
        sort = "bad" if state in ("failed", "rejected", "orphaned") else "good" if state == "running" else "info"
        lines.append((sort, f"{_listed('task', names)}: {about}"))
    if gone:
        lines.append(("info", f"{gone} task{'' if gone == 1 else 's'} removed"))
    return lines


def _listed(what: str, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{len(names)} {what}s: {shown}{more}"
