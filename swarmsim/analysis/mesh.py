"""What can be measured on a run in which requests meet what breaks: how many failed, how, when, and what the load balancers knew.

A measure gives a run's values: one for each host, task or request it is about, none if the run has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from swarmsim.trace.rows import Row

KINDS = frozenset(("request", "ipvs", "task", "node", "docker", "step", "reached", "raft.role", "begin"))
"""Rows that figures are measured on."""


class Run:
    """One run's rows. Times are seconds; a *mark* is a command's name in the scenario or a fault's verb: when it was begun."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def of(self, kind: str, since: float = 0.0) -> Iterator[Row]:
        return (row for row in self.rows if row["kind"] == kind and row["t"] >= since)

    def at(self, mark: str) -> float:
        """Raises :class:`LookupError` if nothing is marked so."""
        for row in self.rows:
            if row["kind"] == "step" and row["verb"] == mark:
                return float(row["t"])
            if row["kind"] == "docker" and row.get("name") == mark:
                return float(row["t"] - row["s"])
        raise LookupError(f"no command or fault {mark!r}")

    def requests(self, traffic: str, to: str | None, since: str | None, until: str | None = None) -> list[Row]:
        """In the order in which they began, between two marks."""
        first = self.at(since) if since is not None else 0.0
        last = self.at(until) if until is not None else float("inf")
        found = [
            row
            for row in self.of("request")
            if row["traffic"] == traffic and to in (None, row["to"]) and first <= row["began"] < last
        ]
        return sorted(found, key=lambda row: float(row["began"]))


Measure = Callable[[Run], list[float]]
"""The values of one run; none where the run has none."""


class Figure(NamedTuple):
    """A number of a situation, in every real run; ``tolerance``: how finely the recorder could see it, ``known``: why it is not met."""

    name: str
    real: tuple[float, ...]
    measure: Measure
    tolerance: float = 0.05
    known: str = ""


class Kinds(NamedTuple):
    """How requests ended in the real runs, and what else may be seen, since the real runs were few."""

    name: str
    real: frozenset[str]
    measure: Callable[[Run], set[str]]
    possible: frozenset[str] = frozenset()


class Situation(NamedTuple):
    """One recording. ``scenario``: its file's name without ``.yaml``."""

    scenario: str
    recorded: str
    figures: tuple[Figure, ...]
    kinds: tuple[Kinds, ...] = ()


# -- what is measured


class Traffic(NamedTuple):
    """Requests that began after a mark (and before another), to some hosts: one value for each host."""

    since: str | None
    hosts: tuple[str | None, ...] = (None,)
    until: str | None = None
    name: str = "clients"

    def _each(self, run: Run) -> Iterator[list[Row]]:
        return (run.requests(self.name, host, self.since, self.until) for host in self.hosts)

    def lost(self, run: Run) -> list[float]:
        """How many failed."""
        return [float(sum(row["out"] != "ok" for row in rows)) for rows in self._each(run)]

    def number_of(self, outcome: str) -> Measure:
        """How many ended so."""
        return lambda run: [float(sum(row["out"] == outcome for row in rows)) for rows in self._each(run)]

    def last_lost(self, run: Run) -> list[float]:
        """When the last that failed began, after the mark."""
        return [ended[-1] for ended in (self._failed(run, rows) for rows in self._each(run)) if ended]

    def first_lost(self, run: Run) -> list[float]:
        """When the first that failed began, after the mark."""
        return [ended[0] for ended in (self._failed(run, rows) for rows in self._each(run)) if ended]

    def _failed(self, run: Run, rows: list[Row]) -> list[float]:
        start = run.at(self.since) if self.since is not None else 0.0
        return [row["began"] - start for row in rows if row["out"] != "ok"]

    def last_of(self, outcome: str) -> Measure:
        """When the last with this outcome began, after the mark."""

        def measure(run: Run) -> list[float]:
            start = run.at(self.since) if self.since is not None else 0.0
            began = ([row["began"] - start for row in rows if row["out"] == outcome] for rows in self._each(run))
            return [times[-1] for times in began if times]

        return measure

    def first_at_once(self, outcome: str) -> Measure:
        """When the first that ended so within half a second, without a second SYN, began after the mark."""

        def measure(run: Run) -> list[float]:
            start = run.at(self.since) if self.since is not None else 0.0
            began = (
                [row["began"] - start for row in rows if row["out"] == outcome and row["ms"] < 500]
                for rows in self._each(run)
            )
            return [times[0] for times in began if times]

        return measure

    def other_answers_until(self, run: Run) -> list[float]:
        """When a request was last answered by another task than the one that answers in the end."""
        start, found = run.at(self.since) if self.since is not None else 0.0, []
        for rows in self._each(run):
            others = [row["began"] - start for row in rows if row["by"] not in (None, rows[-1]["by"])]
            found += others[-1:]
        return found

    def first_after(self, outcome: str, failure: str | None = None) -> Measure:
        """When the first with this outcome began after the first that failed (with ``failure``)."""

        def measure(run: Run) -> list[float]:
            start = run.at(self.since) if self.since is not None else 0.0
            found = []
            for rows in self._each(run):
                failing = False
                for row in rows:
                    failing = failing or (row["out"] == failure if failure else row["out"] != "ok")
                    if failing and row["out"] == outcome:
                        found.append(row["began"] - start)
                        break
            return found

        return measure

    def share_while_stale(self, run: Run) -> list[float]:
        """Of those that began before the last that failed, the share that failed."""
        shares = []
        for rows in self._each(run):
            failed = [place for place, row in enumerate(rows) if row["out"] != "ok"]
            if failed:
                shares.append(len(failed) / (failed[-1] + 1))
        return shares

    def share_lost(self, run: Run) -> list[float]:
        return [sum(row["out"] != "ok" for row in rows) / len(rows) for rows in self._each(run) if rows]

    def slowest(self, run: Run) -> list[float]:
        """Milliseconds of those that were answered, though only by a second SYN."""
        return [row["ms"] for rows in self._each(run) for row in rows if row["out"] == "ok" and row["ms"] > 500]

    def shares_differ(self, run: Run) -> list[float]:
        """How many more requests one task answered than another."""
        found = []
        for rows in self._each(run):
            answered: dict[str, int] = {}
            for row in rows:
                if row["by"] is not None:
                    answered[row["by"]] = answered.get(row["by"], 0) + 1
            found.append(float(max(answered.values()) - min(answered.values())))
        return found

    def outcomes(self, run: Run) -> set[str]:
        """How they ended."""
        return {row["out"] for rows in self._each(run) for row in rows}

    def failures(self, run: Run) -> set[str]:
        """How they failed."""
        return self.outcomes(run) - {"ok"}


def removed(mark: str, host: str, *balancers: str, network: str = "ingress", until: str | None = None) -> Measure:
    """When the last of a host's tasks leaves each of these hosts' load balancers, before another mark."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        end = run.at(until) if until is not None else float("inf")
        old = {row["task"] for row in run.of("task") if row["t"] <= start and row["node"] == host}
        latest: dict[str, float] = {}
        for row in run.of("ipvs", start):
            if row["weight"] is None and row["id"] in old and row["network"] == network and row["t"] < end:
                latest[row["host"]] = row["t"] - start
        return [latest[each] for each in balancers if each in latest]

    return measure


def weighed(mark: str, weight: int | None, *balancers: str, until: str | None = None, last: bool = False) -> Measure:
    """When an entry of these hosts' load balancers first (or last) gets a weight: 0 it stops, 1 it begins, ``None`` it is gone."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        end = run.at(until) if until is not None else float("inf")
        found = []
        for host in balancers:
            times = [
                row["t"] - start
                for row in run.of("ipvs", start)
                if row["host"] == host and row["weight"] == weight and row["t"] < end
            ]
            if times:
                found.append(times[-1 if last else 0])
        return found

    return measure


def node_is(mark: str, host: str, status: str) -> Measure:
    """When the managers first show a node so."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        rows = (row["t"] - start for row in run.of("node", start) if row["node"] == host and row["status"] == status)
        return list(rows)[:1]

    return measure


def new_tasks(mark: str, state: str, until: str | None = None, since: str | None = None) -> Measure:
    """When tasks that came after the mark are first shown in a state; after ``since``, if that is not the mark."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        end = run.at(until) if until is not None else float("inf")
        old = {row["task"] for row in run.of("task") if row["t"] <= start}
        first: dict[str, float] = {}
        for row in run.of("task", start):
            if row["task"] not in old and row["state"] == state and row["t"] < end:
                first.setdefault(row["task"], row["t"] - start)
        offset = 0.0
        if since is not None:
            down = node_is(mark, since, "down")(run)
            if not down:
                return []
            offset = down[0]
        return [time - offset for time in first.values()]

    return measure


def old_tasks(mark: str, state: str, until: str | None = None) -> Measure:
    """When tasks that were there at the mark are first shown in a state."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        end = run.at(until) if until is not None else float("inf")
        old = {row["task"] for row in run.of("task") if row["t"] <= start and row["state"] == "running"}
        first: dict[str, float] = {}
        for row in run.of("task", start):
            if row["task"] in old and row["state"] == state and row["t"] < end:
                first.setdefault(row["task"], row["t"] - start)
        return list(first.values())

    return measure


def known_before_running(mark: str, until: str | None = None) -> Measure:
    """How long before a new task is shown RUNNING the first load balancer has it."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        end = run.at(until) if until is not None else float("inf")
        entered: dict[str, float] = {}
        for row in run.of("ipvs", start):
            if row["weight"] == 1 and row["t"] < end:
                entered.setdefault(row["id"], row["t"])
        shown: dict[str, float] = {}
        for row in run.of("task", start):
            if row["state"] == "running" and row["task"] in entered:
                shown.setdefault(row["task"], row["t"])
        return [shown[task] - entered[task] for task in shown]

    return measure


def waited(mark: str, what: str) -> Measure:
    """When a wait of the scenario was over."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        return [row["t"] - start for row in run.of("reached", start) if row["what"] == what][:1]

    return measure


def elected(mark: str) -> Measure:
    """When somebody began to lead."""

    def measure(run: Run) -> list[float]:
        start = run.at(mark)
        return [row["t"] - start for row in run.of("raft.role", start) if row["role"] == "leader"][:1]

    return measure
