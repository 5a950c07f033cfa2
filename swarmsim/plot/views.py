"""Each node's view of a service against the truth: whom its load balancer knows, and who is there.

What is there is what says so itself: a task whose container runs and that the load balancer of its own host gives its turn. All others
learn of it by gossip.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from swarmsim.docker.tasks import natural
from swarmsim.plot.figures import legend, mark_faults, mark_updates, span_of, time_axis, title_of
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import TASKS
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.rows import Row

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_LANES = 40


class Look(NamedTuple):
    colour: str
    hatch: str
    words: str


LOOKS = {
    (False, False): Look(TASKS["running"].colour, "", "knows all, and only, who is there"),
    (True, False): Look(TASKS["failed"].colour, "///", "sends to some that are gone"),
    (False, True): Look(TASKS["starting"].colour, "...", "lacks some that are there"),
    (True, True): Look(TASKS["lost"].colour, "xxx", "both"),
}
"""By whether it sends to one that is gone, and lacks one that is there."""


class Part(NamedTuple):
    """A node's view from ``start`` to ``stop`` (seconds since the scenario began): how many it gives their turn that are gone, how many it
    lacks."""

    host: str
    start: float
    stop: float
    gone: int
    lacking: int


class _Views:
    """What is true and what each node believes, as rows come."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.where: dict[str, str] = {}
        """Hosts of the containers that run, by the task's id."""
        self.balanced: dict[str, set[str]] = {}
        """By host: the tasks its load balancer gives their turn."""

    def take(self, row: Row) -> bool:
        """Whether the row may change a view."""
        kind = row["kind"]
        if kind in ("container.started", "container.ended") and row["service"] == self.service:
            if kind == "container.started":
                self.where[row["task"]] = row["host"]
            else:
                self.where.pop(row["task"], None)
        elif kind == "ipvs" and row["service"] == self.service:
            known = self.balanced.setdefault(row["host"], set())
            (known.add if row["weight"] else known.discard)(row["id"])
        elif kind == "overlay":
            if row["address"] is None:
                self.balanced.pop(row["host"], None)
        elif kind == "power" and not row["on"]:
            self.balanced.pop(row["host"], None)
            self.where = {task: host for task, host in self.where.items() if host != row["host"]}
        else:
            return False
        return True

    def views(self) -> dict[str, tuple[int, int]]:
        """By host: how many it sends to that are gone, how many it lacks."""
        there = {task for task, host in self.where.items() if task in self.balanced.get(host, ())}
        return {host: (len(known - there), len(there - known)) for host, known in self.balanced.items()}


def parts(trace: Trace, service: str, end: float) -> Iterator[Part]:
    """Each node's views one after the other, until ``end`` (seconds since the scenario began)."""
    views = _Views(service)
    shown: dict[str, tuple[float, tuple[int, int]]] = {}
    last = 0.0

    def change(t: float) -> Iterator[Part]:
        now = views.views()
        for host, (since, view) in list(shown.items()):
            if now.get(host) != view:
                del shown[host]
                if t > since:
                    yield Part(host, since, t, *view)
        for host, view in now.items():
            shown.setdefault(host, (t, view))

    dirty = False
    for row in trace.rows:
        t = row["t"] - trace.begin
        if dirty and t > last:
            yield from change(last)
            dirty = False
        if t > end:
            break
        if views.take(row):
            last, dirty = t, True
    if dirty:
        yield from change(last)
    yield from (Part(host, since, end, *view) for host, (since, view) in shown.items())


def views(trace: Trace, service: str | None = None, begin: float = 0.0, end: float | None = None) -> Picture:
    """A lane for every node: whether its load balancer for a service (the first, unless named) knows who is there; from ``begin`` to
    ``end`` in seconds. Raises :class:`TraceError` if no load balancer knows such a service."""
    from matplotlib.patches import Patch

    known = list(dict.fromkeys(row["service"] for row in trace.of("ipvs")))
    if not known:
        raise TraceError(
            "no load balancers in this trace: write gossip: true under cluster:, or traffic: among the steps"
        )
    service = known[0] if service is None else service
    if service not in known:
        raise TraceError(f"no service {service!r} in the load balancers of this trace; there are: {', '.join(known)}")
    span = span_of(trace, begin, end)
    seen = list(parts(trace, service, span.end))
    hosts = sorted({part.host for part in seen}, key=natural)[:MOST_LANES]
    figure = Picture(10, 1.5 + 0.34 * max(4, len(hosts)))
    axes = figure.subplots()
    occurring: dict[tuple[bool, bool], None] = {}
    for part in seen:
        within = span.part(part.start, part.stop)
        if part.host in hosts and within is not None:
            occurring[bool(part.gone), bool(part.lacking)] = None
            _draw(figure, axes, hosts.index(part.host), part, within)
    axes.set_yticks(range(len(hosts)), hosts, fontsize=8)
    axes.set_ylim(len(hosts) - 0.4, -0.6)
    handles: list[Artist] = [
        Patch(facecolor=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0, label=look.words)
        for key, look in LOOKS.items()
        if key in occurring
    ]
    handles += mark_updates(axes, trace, span, service)
    legend(axes, handles)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    figure.suptitle(f"what each node's load balancer knows of {service}: {title_of(trace)}", fontsize=11)
    return figure.settle()


def _draw(figure: Picture, axes: Axes, lane: int, part: Part, within: tuple[float, float]) -> None:
    look, (start, stop) = LOOKS[bool(part.gone), bool(part.lacking)], within
    axes.barh(
        lane, stop - start, left=start, height=0.7, color=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0
    )
    words = [f"{n} {what}" for n, what in ((part.gone, "gone"), (part.lacking, "missing")) if n]
    if words:
        figure.inside(axes, start, stop, lane, [", ".join(words), words[0]])
