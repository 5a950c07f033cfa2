"""A run in a few sentences: what was done, and what followed from it.

A *chapter* begins with a cause, a fault or a command that changes something, and holds what followed until the next cause.
The report has all chapters; :func:`in_short` picks those that matter for a page of output.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from swarmsim.replay.looks import FAILED
from swarmsim.replay.words import counted, duration
from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row
from swarmsim.trace.state import LEAVING

TOGETHER = 0.05
"""Faults that are so many seconds apart at most are one cause."""
ONE_BREATH = 1.0
"""Commands that are typed so many seconds apart at most are one cause."""
ONLY_LOOK = frozenset(("ls", "ps", "inspect", "logs", "info", "version", "events", "services", "join-token"))
"""Docker commands, by their first or second word, that change nothing."""
STUCK = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
"""States of an update that nobody wished for."""
MOST_NAMES = 8
MOST_CHAPTERS = 5
"""In :func:`in_short`: chapters of two lines, so that a run is told in ten."""
MOST_SENTENCES = 3
MOST_COMMANDS = 3
LONGEST_COMMAND = 72


class Sentence(NamedTuple):
    """``weight`` is greater the more a reader must not miss it."""

    text: str
    weight: int


class Chapter(NamedTuple):
    """A cause and what followed. ``t`` in seconds since the scenario began; ``weight`` as of sentences."""

    t: float
    what: str
    sentences: list[Sentence]
    weight: int


class _Cause(NamedTuple):
    begin: float
    what: list[str]
    is_fault: bool


def story(trace: Trace) -> list[Chapter]:
    """The run in words, a chapter for every cause, and one for what was before if there is something to tell of it."""
    causes = [_Cause(trace.begin, ["the beginning"], is_fault=False), *_causes(trace)]
    begins = [cause.begin for cause in causes]
    rows: list[list[Row]] = [[] for _ in causes]
    for row in trace.rows:
        if row["t"] >= trace.begin:
            rows[max(0, bisect_right(begins, row["t"]) - 1)].append(row)
    chapters = []
    silent = False
    for cause, found in zip(causes, rows, strict=True):
        teller = _Teller(cause, silent)
        sentences = teller.tell(found)
        silent = teller.silent
        weight = max((sentence.weight for sentence in sentences), default=0) + 2 * cause.is_fault
        chapters.append(Chapter(cause.begin - trace.begin, _named(cause), sentences, weight))
    return [chapter for chapter in chapters if chapter.sentences or chapter.what != "the beginning"]


def in_short(chapters: list[Chapter], most: int = MOST_CHAPTERS) -> tuple[list[Chapter], int]:
    """The chapters that matter most, in order, with what matters most in them; and how many others tell something."""
    telling = [chapter for chapter in chapters if chapter.sentences or chapter.weight]
    chosen = sorted(telling, key=lambda chapter: (-chapter.weight, chapter.t))[:most]
    chosen.sort(key=lambda chapter: chapter.t)
    shortened = [chapter._replace(sentences=_weightiest(chapter.sentences)) for chapter in chosen]
    return shortened, len(telling) - len(chosen)


def _weightiest(sentences: list[Sentence]) -> list[Sentence]:
    kept = sorted(range(len(sentences)), key=lambda place: -sentences[place].weight)[:MOST_SENTENCES]
    return [sentences[place] for place in sorted(kept)]


def _named(cause: _Cause) -> str:
    if cause.is_fault or len(cause.what) <= MOST_COMMANDS:
        return "; ".join(cause.what)
    return f"{'; '.join(cause.what[:MOST_COMMANDS])} and {counted(len(cause.what) - MOST_COMMANDS, 'more command')}"


def _causes(trace: Trace) -> list[_Cause]:
    """Faults and commands that change something, those of one moment as one, in the order they began."""
    found: list[_Cause] = []
    for row in trace.rows:
        if row["t"] < trace.begin:
            continue
        if row["kind"] == "step":
            found.append(_Cause(row["t"], [row["what"]], is_fault=True))
        elif row["kind"] == "docker" and _changes(row["cmd"]):
            typed = max(trace.begin, row["t"] - row["s"])
            found.append(_Cause(typed, [_shortened(f"docker {row['cmd']}")], is_fault=False))
    faults = [cause.begin for cause in found if cause.is_fault]
    merged: list[_Cause] = []
    for cause in sorted(found, key=lambda each: each.begin):
        if cause.what[0].startswith("docker kill ") and any(abs(cause.begin - t) < ONE_BREATH for t in faults):
            continue  # the command the fault itself typed
        last = merged[-1] if merged else None
        apart = TOGETHER if cause.is_fault else ONE_BREATH
        if last and last.is_fault == cause.is_fault and cause.begin - last.begin <= apart:
            merged[-1] = last._replace(what=[*last.what, *cause.what])
        else:
            merged.append(cause)
    return merged


def _changes(command: str) -> bool:
    words = [word for word in command.split() if not word.startswith("-")][:2]
    return not ONLY_LOOK.intersection(words) and words != ["stack", "config"]


def _shortened(text: str) -> str:
    line = " ".join(re.sub(r"SWMTKN-\S+", "SWMTKN-…", text.splitlines()[0]).split())
    return line if len(line) <= LONGEST_COMMAND else line[: LONGEST_COMMAND - 1].rstrip() + "…"


def _reason(row: Row) -> str:
    """Why a command failed: the first sentence, without what every error of the engine begins with."""
    said = (row["err"] or row["out"]).splitlines() or [""]
    return re.sub(r"Error response from daemon: |rpc error: code = \w+ desc = ", "", said[0]).split(". ")[0].rstrip(".")


def _listed(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    if len(each) > MOST_NAMES:
        return f"{', '.join(each[:MOST_NAMES])} and {len(each) - MOST_NAMES} more"
    return " and ".join((", ".join(each[:-1]), each[-1])) if len(each) > 1 else each[0]


class _Teller:
    """The sentences about what followed one cause. ``silent``: no manager answers."""

    def __init__(self, cause: _Cause, silent: bool) -> None:
        self.silent = silent
        self._what = cause.what
        self._since = cause.begin
        self._told: dict[str, Sentence] = {}

    def _say(self, text: str, weight: int = 0) -> None:
        self._told.setdefault(text, Sentence(text, weight))

    def _after(self, t: float) -> str:
        return f"{duration(t - self._since)} later"

    def tell(self, rows: list[Row]) -> list[Sentence]:
        """What these rows say, in the order it began."""
        down: dict[str, float] = {}
        refused: dict[str, list[Row]] = {}
        ran: dict[str, list[float]] = {}
        failed: Counter[str] = Counter()
        waiting: dict[str, Row] = {}
        for row in rows:
            if row["kind"] == "task":
                waiting.pop(row["task"], None)
                if row["state"] == "pending" and row["err"] and row["desired"] not in LEAVING:
                    waiting[row["task"]] = row
            if row["kind"] == "node" and row["status"] == "down":
                down.setdefault(row["node"], row["t"])
            elif row["kind"] == "docker" and row["rc"]:
                refused.setdefault(_reason(row), []).append(row)
            elif row["kind"] == "task" and row["state"] == "running" and row["desired"] == "running":
                ran.setdefault(row["service"], []).append(row["t"])
            elif row["kind"] == "task" and row["state"] in FAILED:
                failed[row["service"]] += 1
        for row in rows:
            if row["kind"] == "node" and row["status"] == "down":
                first, last = duration(min(down.values()) - self._since), duration(max(down.values()) - self._since)
                when = first if first == last else f"{first} to {last}"
                self._say(f"{when} later the managers took {_listed(down)} for down.", 1)
            elif row["kind"] == "docker" and row["rc"]:
                self._refusal(refused[_reason(row)], _reason(row))
            else:
                self._event(row)
        for service, times in ran.items():
            many = (
                f"{len(times)} tasks of {service} came up, the last"
                if len(times) > 1
                else f"A task of {service} came up"
            )
            self._say(f"{many} {self._after(times[-1])}.")
        for service, count in failed.items():
            self._say(f"{counted(count, 'task')} of {service} failed.", 1)
        nowhere = Counter((row["service"], row["err"]) for row in waiting.values())
        for (service, reason), count in nowhere.items():
            self._say(f"{counted(count, 'task')} of {service} had to wait: {reason}.", 2)
        return list(self._told.values())

    def _refusal(self, rows: list[Row], reason: str) -> None:
        commands = _listed(_shortened(f"docker {row['cmd']}") for row in rows)
        if self._what == [commands]:
            commands = "It"
        waited = f" after {duration(rows[0]['s'])}" if rows[0]["s"] >= 1 else ""
        self._say(f"{commands} failed{waited}: {reason}.", 1)

    def _event(self, row: Row) -> None:
        kind, after = row["kind"], self._after(row["t"])
        if kind == "no_manager_answers":
            self.silent = True
            self._say(f"{after} no manager answered any more.", 4)
        elif kind == "manager_answers" and self.silent:
            self.silent = False
            self._say(f"{after} a manager answered again.", 3)
        elif kind == "raft.leading":
            self._say(f"{after} {row['host']} led, in term {row['term']}.", 1)
        elif kind == "quorum" and not row["quorum"] and row["up"]:
            self._say(f"{after} there was no quorum: {row['up']} of {row['managers']} managers were up.", 4)
        elif kind == "quorum" and not row["quorum"]:
            self._say(f"{after} there was no quorum: no manager was up.", 4)
        elif kind == "root.rotation" and row["over"]:
            self._say(f"{after} every node had a certificate of the new root, which was trusted from then on.", 2)
        elif kind == "root.rotation":
            self._say(f"{after} {row['host']} began to replace the root certificate.", 2)
        elif kind == "not_reached":
            self._say(f"{row['what']}: waited for in vain for {duration(row['after'])}.", 4)
        elif kind == "service" and row["update"] and row["umsg"]:
            self._say(f"{after} {row['service']}: {row['umsg']}.", int(row["update"] in STUCK))
