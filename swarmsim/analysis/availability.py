"""Availability: how long a swarm could not do what it is for, measured on what is true, not on what a manager shows.

- *quorum*: no majority of the managers was up and connected;
- *leader*: no manager led such a majority (includes the time an election takes);
- each service *below* its replicas, and *at zero*. Containers count while they run, also on hosts that no manager
  sees. A global service has no number of replicas: only *at zero* counts.

Each is counted from the moment it first was there: a service that starts is not down. A service that never had what it wants is
counted from the moment it wanted it.

Read off the rows ``quorum`` and ``serving`` of a trace (docs/trace.md), which a run gives out as it goes: a
:class:`Meter` needs no more memory for a century than for a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from swarmsim.trace.reader import Trace
from swarmsim.trace.rows import Row


class Outages(NamedTuple):
    """How long something was missing, in seconds, in how many incidents, and the longest of them."""

    seconds: float
    incidents: int
    longest: float

    def share(self, of: float) -> float:
        """The part of a time, in seconds."""
        return self.seconds / of if of else 0.0


class Availability(NamedTuple):
    """Of one run. ``silent`` is how often a node was given up because its heartbeats were lost."""

    seconds: float
    quorum: Outages
    leader: Outages
    below: Mapping[str, Outages]
    zero: Mapping[str, Outages]
    silent: int

    def outages(self) -> dict[str, Outages]:
        """All of them by name: ``no quorum``, ``no leader``, ``web below replicas``, ``web at zero``."""
        found = {"no quorum": self.quorum, "no leader": self.leader}
        for service in self.below:
            found[f"{service} below replicas"] = self.below[service]
            found[f"{service} at zero"] = self.zero[service]
        return found

    def missing(self) -> dict[str, Outages]:
        """Those of :meth:`outages` that happened."""
        return {name: found for name, found in self.outages().items() if found.incidents}

    def figures(self) -> dict[str, float]:
        """Every figure by name, for tables: shares of the time, incidents, the longest in seconds."""
        figures: dict[str, float] = {}
        for name, outages in self.outages().items():
            figures[f"{name}: share"] = outages.share(self.seconds)
            figures[f"{name}: incidents"] = outages.incidents
            figures[f"{name}: longest"] = round(outages.longest, 6)
        figures["heartbeats lost: nodes"] = self.silent
        return figures


class _Gauge:
    """Adds up the times something is missing that was there before; if ``wanted``, also if it never came."""

    def __init__(self, wanted: bool = False) -> None:
        self._counts_never = wanted
        self._begun = False
        self._wanted: float | None = None
        self._since: float | None = None
        self._ended = Outages(0.0, 0, 0.0)

    def set(self, missing: bool, at: float) -> None:
        if not missing:
            self._begun = True
            self._ended = self.read(at)
            self._since = None
        elif self._begun and self._since is None:
            self._since = at
        elif self._counts_never and self._wanted is None:
            self._wanted = at

    def read(self, at: float) -> Outages:
        """Until ``at``; what is missing now is an incident as well."""
        since = self._since if self._begun else self._wanted
        length = at - since if since is not None else 0.0
        if not length:
            return self._ended
        seconds, incidents, longest = self._ended
        return Outages(seconds + length, incidents + 1, max(longest, length))


class Meter:
    """Give it the rows of a run in order; :meth:`read` tells the availability from its beginning until the last row."""

    def __init__(self) -> None:
        self._begin: float | None = None
        self._last = 0.0
        self._quorum = _Gauge()
        self._leader = _Gauge()
        self._below: dict[str, _Gauge] = {}
        self._zero: dict[str, _Gauge] = {}
        self._silent = 0

    def add(self, row: Row) -> None:
        """Take notice of a row; of kinds other than those named above only the time counts."""
        at = self._last = row["t"]
        kind = row["kind"]
        if kind == "begin":
            self._begin = at
        elif kind == "quorum":
            self._quorum.set(not row["quorum"], at)
            self._leader.set(row["leader"] is None, at)
        elif kind == "serving":
            service, running, replicas = row["service"], row["running"], row["replicas"]
            self._below.setdefault(service, _Gauge(wanted=True)).set(replicas is not None and running < replicas, at)
            self._zero.setdefault(service, _Gauge(wanted=True)).set(running == 0 and replicas != 0, at)
        elif kind == "node.silent":
            self._silent += 1

    def read(self) -> Availability:
        at = self._last
        return Availability(
            seconds=at - (self._begin if self._begin is not None else at),
            quorum=self._quorum.read(at),
            leader=self._leader.read(at),
            below={name: gauge.read(at) for name, gauge in self._below.items()},
            zero={name: gauge.read(at) for name, gauge in self._zero.items()},
            silent=self._silent,
        )


def availability(trace: Trace) -> Availability:
    """The availability of a simulated run; a recorded one has no such rows and shows no outage."""
    meter = Meter()
    for row in trace.rows:
        meter.add(row)
    return meter.read()


def as_json(found: Availability) -> dict[str, Any]:
    """For ``--json``: seconds and shares of all outages by name."""
    return {
        "seconds": round(found.seconds, 3),
        "outages": {
            name: {
                "seconds": round(outages.seconds, 3),
                "share": outages.share(found.seconds),
                "incidents": outages.incidents,
                "longest": round(outages.longest, 3),
            }
            for name, outages in found.outages().items()
        },
        "heartbeats_lost": found.silent,
    }
