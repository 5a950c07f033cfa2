"""A run in words: rows of a trace as lines, those of one moment drawn together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from swarmsim.replay.words import counted, duration
from swarmsim.trace.rows import Row
from swarmsim.trace.state import TERMINAL

MAX_OUTPUT_LINES = 14
MAX_NAMES = 8
DAY = 86_400.0
PERIODS = 40
"""Into so many parts a long scenario is divided …"""
LINES_A_PERIOD = 12
"""… of each of which so many lines are shown, besides what is typed, said and expected."""
FOLDED_FROM = 6 * 3600.0
"""A scenario is long if it lasts longer than so many seconds."""
BLOCKS = 1.0
"""A command that takes so many seconds blocks the prompt: it stands where it was typed, and its answer where it came."""
ROUNDED = 0.001
"""How long a command took is known to so many seconds: it was not typed before the one before it was over."""
ALWAYS = ("command", "error", "reached", "unmet", "note")
"""Sorts of lines that are never left out."""


def clock_time(t: float) -> str:
    """A time since the beginning, in seconds, as the timeline has it: from one day on with days.

    >>> clock_time(59.5), clock_time(100_000.0)
    ('    59.50', '1d 03:46:40')
    """
    if t < DAY:
        return f"{t:9.2f}"
    days, rest = divmod(int(t), int(DAY))
    return f"{days}d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


GOSSIP = {
    "alive": ("info", "hears of"),
    "suspect": ("info", "suspects"),
    "dead": ("bad", "gives up"),
    "left": ("info", "has the farewell of"),
}
"""What one engine comes to think of another, by the new state: sort of line, and verb."""

TOLD = frozenset(
    [
        "docker",
        "curl",
        "traffic",
        "step",
        "reached",
        "not_reached",
        "unmet",
        "no_manager_answers",
        "manager_answers",
        "service",
        "note",
        "begin",
        "end",
        "node",
        "task",
        "task_gone",
        "raft.leading",
        "raft.role",
        "raft.vote",
        "node.silent",
        "session",
        "session.failed",
        "gossip.member",
        "engine.ended",
        "engine.started",
        "certificate.renewed",
        "signing.failed",
        "root.rotation",
        "swarm.failed",
        "keys.encrypted",
        "manager.locked",
        "container.health",
        "image.assumed",
        "scheduler.assigned",
        "scheduler.pending",
    ]
)
"""Kinds of rows that may make a line."""


def watch_time(t: float, *, tenths: bool = True) -> str:
    """A time since the beginning, in seconds, as a clock shows it: hours, minutes and seconds at every speed.

    >>> watch_time(-3.0), watch_time(59.5), watch_time(7384.04), watch_time(100_000.0)
    ('0:00:00.0', '0:00:59.5', '2:03:04.0', '1d 03:46:40.0')
    """
    days, rest = divmod(max(0, int(t * 10 + 1e-6)), int(DAY) * 10)
    seconds, tenth = divmod(rest, 10)
    clock = f"{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{tenth}" if tenths else "")
    hours = seconds // 3600
    return f"{days}d {hours:02}:{clock}" if days else f"{hours}:{clock}"


class Line(NamedTuple):
    """One line: when, what sort it is (for colours), the text."""

    t: float
    sort: str
    text: str

    def plain(self) -> str:
        head, *rest = self.text.split("\n")
        return "\n".join([f"{clock_time(self.t)}  {head}", *(f"{'':9}  {line}" for line in rest)])


class Timeline:
    """Give it rows in order; each :meth:`add` returns the lines that are complete by then.

    Of a scenario of a great ``length`` (seconds) only so many lines are shown in each part of it. With ``reasons`` the
    decisions inside are told too: votes, sessions, what the scheduler chose and why.
    """

    def __init__(self, length: float = 0.0, *, reasons: bool = False) -> None:
        self._reasons = reasons
        self._begin = 0.0
        self._began = False
        self._moment: list[Row] = []
        self._period = length / PERIODS if length > FOLDED_FROM else 0.0
        self._number = 0
        self._shown = 0
        self._folded: list[Line] = []
        self._updates: dict[str, tuple[Any, Any]] = {}

    def add(self, row: Row) -> list[Line]:
        if row["kind"] == "begin":
            self._began, self._begin = True, row["t"]
        if not self._began:
            return []
        if row["kind"] == "service":
            update = (row["update"], row["umsg"])
            if self._updates.get(row["service"], (None, None)) == update:
                return []
            self._updates[row["service"]] = update
        lines = []
        if self._moment and row["t"] != self._moment[0]["t"]:
            lines = self.flush()
        self._moment.append(row)
        return self._some(lines) if self._period else lines

    def finish(self) -> list[Line]:
        """The lines of the last moment, and how many were left out before."""
        lines = self.flush()
        return [*self._some(lines), *self._unfold(lines[-1].t if lines else 0.0)] if self._period else lines

    def _some(self, lines: list[Line]) -> list[Line]:
        """What of these lines there is room for in their part of a long scenario."""
        kept: list[Line] = []
        for line in lines:
            number = int(line.t / self._period)
            if number != self._number:
                kept += self._unfold(number * self._period)
                self._number, self._shown = number, 0
            if line.sort in ALWAYS:
                kept.append(line)
            elif self._shown < LINES_A_PERIOD:
                self._shown += 1
                kept.append(line)
            else:
                self._folded.append(line)
        return kept

    def _unfold(self, t: float) -> list[Line]:
        folded, self._folded = self._folded, []
        if len(folded) < 2:
            return folded
        return [Line(t, "info", f"… {len(folded)} more lines until here; the trace has it all")]

    def flush(self) -> list[Line]:
        """The lines of the last moment."""
        rows, self._moment = self._moment, []
        if not rows:
            return []
        t = rows[0]["t"] - self._begin
        lines = [Line(t, *said) for row in rows if row["kind"] not in ("task", "node") for said in _words(row)]
        if self._reasons:
            lines += [Line(t, *said) for row in rows for said in _reason(row)]
            lines += [Line(t, *said) for said in _choices(rows)]
        return [*lines, *(Line(t, *said) for said in _nodes(rows)), *(Line(t, *said) for said in _tasks(rows))]


def told(rows: Iterable[Row], length: float = 0.0, *, reasons: bool = False) -> Iterator[Line]:
    """The lines of a run that is over, as of :class:`Timeline`; a command that blocked stands before its effects."""
    timeline = Timeline(length, reasons=reasons)
    rows = list(rows)
    blocked = [row for row in rows if row["kind"] == "docker" and row["s"] >= BLOCKS]
    typed = sorted(({**row, "kind": "typed", "t": row["t"] - row["s"] + ROUNDED} for row in blocked), key=_time)
    for row in merge(rows, typed, key=_time):
        yield from timeline.add(row)
    yield from timeline.finish()


def _time(row: Row) -> float:
    return float(row["t"])


def _words(row: Row) -> list[tuple[str, str]]:
    kind = row["kind"]
    if kind == "typed":
        return [("command", f"{row['on']}$ docker {row['cmd']}")]
    if kind in ("docker", "curl"):
        return [_command(row)]
    if kind == "traffic":
        return [_traffic(row)]
    if kind == "step":
        return [("fault", f"!! {row['what']}")]
    if kind == "reached":
        after = f"=> {row['what']} (after {duration(row['after'])})"
        if "believed" in row:
            return [("bad", f"{after}, so managers believe; {row['believed']}")]
        return [("reached", after)]
    if kind == "not_reached":
        return [("unmet", f"=> {row['what']}: not reached in {duration(row['after'])}")]
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
    if kind == "image.assumed":
        return [("info", f"image {row['image']} is not known here: assumed to be there")]
    if kind == "raft.leading":
        return [("good", f"{row['host']} leads (Raft term {row['term']})")]
    if kind == "raft.role" and row["role"] == "candidate":
        return [("info", f"{row['host']} stands for election (term {row['term']})")]
    if kind == "node.silent":
        after = f" (no heartbeat for {duration(row['after'])})" if row.get("after") else ""
        return [("bad", f"{row['node']}: {row['reason']}{after}")]
    if kind == "root.rotation":
        if row["over"]:
            return [("good", f"{row['host']}: every node has a certificate of the new root")]
        return [("info", f"{row['host']} has nodes ask for certificates of a new root")]
    if kind == "signing.failed":
        return [("bad", f"{row['host']}: no certificate for {row['node']}: {row['error']}")]
    if kind == "swarm.failed":
        return [("bad", f"{row['host']} is not in the swarm any more: {row['error'].strip(' :')}")]
    if kind == "manager.locked":
        if row["locked"]:
            return [("bad", f"{row['host']} is locked: it waits for the unlock key")]
        return [("good", f"{row['host']} is no longer locked")]
    if kind == "begin":
        return [("note", f"-- {row['scenario']} begins")]
    if kind == "end":
        return [("note", "-- end")]
    return []


def _reason(row: Row) -> list[tuple[str, str]]:
    kind = row["kind"]
    if kind == "raft.vote" and row["candidate"] != row["host"]:
        return [("info", f"{row['host']} votes for {row['candidate']} (term {row['term']})")]
    if kind == "session":
        return [("session", f"{row['node']} registers with {row['manager']}")]
    if kind == "session.failed":
        return [("session", f"{row['host']} loses its session with {row['manager']}: {row['reason']}")]
    if kind == "gossip.member":
        sort, words = GOSSIP[row["state"]]
        return [(sort, f"{row['host']} {words} {row['peer']} (gossip)")]
    if kind == "container.health":
        sort = {"healthy": "good", "unhealthy": "bad"}.get(row["health"], "info")
        return [(sort, f"{row['host']}: a container of {row['service']} is {row['health']}")]
    if kind == "engine.ended":
        return [("bad", f"{row['host']}: the engine has ended")]
    if kind == "engine.started":
        return [("good", f"{row['host']}: the engine answers")]
    if kind == "certificate.renewed":
        return [("session", f"{row['host']} has a new {row['role']}'s certificate")]
    if kind == "keys.encrypted":
        how = "will ask for an unlock key" if row["locked"] else "will ask for no unlock key any more"
        return [("session", f"{row['host']} {how} when it starts again")]
    return []


MOST_CHOICES = 3


def _choices(rows: list[Row]) -> list[tuple[str, str]]:
    """Where the scheduler put tasks and why, and which it could put nowhere."""
    chosen = [f"{row['name']} → {row['node']}: {row['reason']}" for row in rows if row["kind"] == "scheduler.assigned"]
    lines = [("info", said) for said in chosen[:MOST_CHOICES]]
    if len(chosen) > MOST_CHOICES:
        lines.append(("info", f"… and {len(chosen) - MOST_CHOICES} more tasks got a node"))
    waiting: dict[str, list[str]] = {}
    for row in rows:
        if row["kind"] == "scheduler.pending":
            waiting.setdefault(row["reason"], []).append(row["name"])
    return [*lines, *(("bad", f"{_listed('task', names)}: {reason}") for reason, names in waiting.items())]


def _command(row: Row) -> tuple[str, str]:
    took = f"   ({duration(row['s'])})" if row["s"] >= BLOCKS else ""
    lines = [f"{row['on']}$ {row['kind']} {row['cmd']}{took}"]
    output = _collapsed("\n".join(text for text in (row["out"], row["err"]) if text).splitlines())
    if len(output) > MAX_OUTPUT_LINES:
        output = [*output[:MAX_OUTPUT_LINES], f"… {len(output) - MAX_OUTPUT_LINES} more lines"]
    lines += [f"    {line.expandtabs().rstrip()}" for line in output]
    return "error" if row["rc"] else "command", "\n".join(lines)


def traffic_in_words(row: Row) -> str:
    """What became of the requests of one traffic: ``1494 requests, 28 lost (27 timeout, 1 refused)``."""
    outcomes: dict[str, int] = row["outcomes"]
    bad = {out: count for out, count in outcomes.items() if out != "ok"}
    kinds = ", ".join(f"{count} {out}" for out, count in sorted(bad.items(), key=lambda each: -each[1]))
    lost = f"{sum(bad.values())} lost" + (f" ({kinds})" if kinds else "")
    took = f"; median {row['median']:.3g} ms, 99 % within {row['p99']:.4g} ms" if row["median"] is not None else ""
    return f"{counted(row['requests'], 'request')}, {lost}{took}"


def _traffic(row: Row) -> tuple[str, str]:
    lost = row["requests"] - row["outcomes"].get("ok", 0)
    return "bad" if lost else "good", f"traffic {row['traffic']}: {traffic_in_words(row)}"


def _collapsed(lines: list[str]) -> list[str]:
    """Lines that repeat, as progress does, once with their number."""
    return [line if (count := len(list(same))) == 1 else f"{line}  (×{count})" for line, same in groupby(lines)]


def _nodes(rows: list[Row]) -> list[tuple[str, str]]:
    groups: dict[tuple[str, bool], list[str]] = {}
    for row in rows:
        if row["kind"] == "node":
            well = row["status"] == "ready" and row["reach"] != "unreachable"
            groups.setdefault((_node_in_words(row), well), []).append(row["node"])
    return [
        ("good" if well else "bad", f"{_listed('node', names)}: {about}") for (about, well), names in groups.items()
    ]


def _node_in_words(row: Row) -> str:
    """All that is unusual: ``ready, leader, drain``, ``ready, to be a manager``."""
    role, is_manager = row["role"], row["reach"] is not None
    facts = [
        row["status"],
        "unreachable" if row["reach"] == "unreachable" else "",
        "leader" if row["leader"] else "",
        row["avail"] if row["avail"] != "active" else "",
        f"to be a {role}" if is_manager != (role == "manager") else "",
    ]
    return ", ".join(fact for fact in facts if fact)


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
        about = state + ("" if desired == state else _wish(state, desired))
        about += f" ({error})" if error else ""
        sort = "bad" if state in ("failed", "rejected", "orphaned") else "good" if state == "running" else "info"
        lines.append((sort, f"{_listed('task', names)}: {about}"))
    if gone:
        lines.append(("info", f"{gone} task{'' if gone == 1 else 's'} removed"))
    return lines


def _wish(state: str, desired: str) -> str:
    """What is to become of a task, if that is not plain from its state."""
    if desired == "running":
        return ", to start now" if state == "ready" else ""
    if desired == "shutdown":
        return ", not to run again" if state in TERMINAL else ", to be shut down"
    return {"ready": ", not to start yet", "remove": ", to be removed"}.get(desired, "")


def _listed(what: str, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{len(names)} {what}s: {shown}{more}"
