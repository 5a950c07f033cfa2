"""Certificates over time, a lane for every host; and who trusts whom at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from swarmsim.pki.trust import Group, trust_graph
from swarmsim.plot.figures import MOST_NODES, Span, legend, mark_faults, span_of, time_axis, title_of, unit_of_time
from swarmsim.plot.picture import Picture
from swarmsim.replay.looks import LINES, TASKS
from swarmsim.trace.reader import Trace, TraceError
from swarmsim.trace.state import state_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

GOT = ("certificate.issued", "certificate.renewed")
EXPIRED = TASKS["failed"].colour
ROOTS = tuple(colour for colour in LINES if colour != EXPIRED)
"""Colours of roots, in the order there were."""
LONGEST_LABEL = 26


class Held(NamedTuple):
    """Something a host had from ``start`` to ``stop``, in seconds since the scenario began: a certificate of a root that is valid ``until`` then, or
    a root that it trusted."""

    host: str
    root: str
    start: float
    stop: float
    until: float = float("inf")
    first: bool = False
    """Whether it is the host's first since it joined."""


def _held(trace: Trace, end: float) -> tuple[list[Held], list[Held]]:
    """The certificates of all hosts, and the roots they trusted, until ``end`` (seconds since the scenario began)."""
    certificates: list[Held] = []
    roots: list[Held] = []
    having: dict[str, Held] = {}
    trusting: dict[str, Held] = {}

    def over(table: dict[str, Held], done: list[Held], host: str, t: float) -> None:
        if host in table:
            done.append(table.pop(host)._replace(stop=t))

    for row in trace.rows:
        t, kind = row["t"] - trace.begin, row["kind"]
        if t > end:
            break
        if kind in GOT:
            over(having, certificates, row["host"], t)
            until = row["until"] - trace.begin
            having[row["host"]] = Held(row["host"], row["issuer"], t, t, until, first=kind == "certificate.issued")
        elif kind == "root.trusted":
            over(trusting, roots, row["host"], t)
            trusting[row["host"]] = Held(row["host"], row["root"], t, t)
        elif kind == "swarm.left":
            over(having, certificates, row["host"], t)
            over(trusting, roots, row["host"], t)
    certificates += [held._replace(stop=end) for held in having.values()]
    roots += [held._replace(stop=end) for held in trusting.values()]
    return certificates, roots


def certificates(trace: Trace, begin: float = 0.0, end: float | None = None) -> Picture:
    """A lane for every host: which root its certificate is of, when it was renewed, when it expired, and below it the root it trusts; from ``begin``
    to ``end`` in seconds. Raises :class:`TraceError` if the trace tells of no certificates."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    span = span_of(trace, begin, end)
    having, trusting = _held(trace, span.end)
    if not having:
        raise TraceError("no certificates in this trace: simulated runs have them")
    names = [row["root"] for row in trace.rows if row["kind"] == "root"]
    colours = {root: ROOTS[place % len(ROOTS)] for place, root in enumerate(dict.fromkeys(names))}
    with_one = {held.host for held in having}
    hosts = [row["host"] for row in trace.rows if row["kind"] == "host" and row["host"] in with_one][:MOST_NODES]
    figure = Picture(10, 1.6 + 0.36 * max(4, len(hosts)))
    axes = figure.subplots()
    seen: dict[str, None] = {}
    for held in having:
        if held.host in hosts:
            _bar(axes, hosts.index(held.host), held, colours, span, seen)
    for held in trusting:
        part = span.part(held.start, held.stop)
        if held.host in hosts and part is not None:
            seen[held.root] = None
            axes.barh(
                hosts.index(held.host) + 0.33, part[1] - part[0], left=part[0], height=0.14, color=colours[held.root]
            )
    axes.set_yticks(range(len(hosts)), hosts, fontsize=8)
    axes.set_ylim(len(hosts) - 0.4, -0.6)
    handles: list[Artist] = [
        Patch(color=colour, alpha=0.6, label=f"root {root}") for root, colour in colours.items() if root in seen
    ]
    handles += [Patch(color="0.35", label="thin: the root it trusts")]
    if "renewed" in seen:
        handles.append(Line2D([], [], marker="|", linestyle="", color="black", markersize=9, label="renewed"))
    if "expired" in seen:
        handles.append(Patch(facecolor="white", edgecolor=EXPIRED, hatch="///", label="expired"))
    legend(axes, handles)
    mark_faults(figure, (axes,), trace, span)
    time_axis((axes,), span)
    figure.suptitle(f"certificates: {title_of(trace)}", fontsize=11)
    return figure.settle()


def _bar(axes: Axes, lane: int, held: Held, colours: dict[str, str], span: Span, seen: dict[str, None]) -> None:
    valid = span.part(held.start, min(held.stop, held.until))
    if valid is not None:
        seen[held.root] = None
        axes.barh(lane - 0.06, valid[1] - valid[0], left=valid[0], height=0.5, color=colours[held.root], alpha=0.6)
    if not held.first and span.holds(held.start):
        seen["renewed"] = None
        axes.plot([held.start], [lane - 0.06], "|", color="black", markersize=10, markeredgewidth=1.1)
    gone = span.part(held.until, held.stop)
    if gone is not None:
        seen["expired"] = None
        axes.barh(
            lane - 0.06, gone[1] - gone[0], left=gone[0], height=0.5,
            facecolor="white", edgecolor=EXPIRED, hatch="///", linewidth=0.6,
        )  # fmt: skip


Style = Literal["solid", "dashed", "dotted"]
EDGES: dict[str, tuple[Style, str, str]] = {
    "trusts": ("solid", "black", "trusts"),
    "issued": ("dashed", "0.55", "signed the certificate of"),
    "cross-signed": ("dotted", "#0072B2", "vouches for"),
    "refuses": ("solid", EXPIRED, "refuses"),
}
"""How an edge of the graph is drawn, and what it means."""


def pki(trace: Trace, at: float | None = None) -> Picture:
    """Who trusts whom ``at`` a moment (seconds since the scenario began; by default at the end): roots above, hosts that are alike below. Raises
    :class:`TraceError` if the trace tells of no certificates then."""
    import networkx as nx
    from matplotlib.lines import Line2D

    at = trace.duration if at is None else at
    trust = state_of(row for row in trace.rows if row["t"] <= trace.begin + at).trust
    graph: Any = trust_graph(trust, trace.begin + at)
    groups = [node for node in graph if isinstance(node, Group)]
    roots = [node for node in graph if not isinstance(node, Group)]
    if not groups:
        raise TraceError("no certificates in this trace by then: simulated runs have them")
    figure = Picture(max(7.0, 2.4 * max(len(groups), len(roots)) + 2.5), 4.2)
    axes = figure.subplots()
    places = {
        node: ((place + 0.5) / len(row), height)
        for row, height in ((roots, 1.0), (groups, 0.0))
        for place, node in enumerate(row)
    }
    for kind, (style, colour, _) in EDGES.items():
        edges = [(one, other) for one, other, is_kind in graph.edges(data="kind") if is_kind == kind and one != other]
        bend = {"trusts": 0.08, "issued": 0.08, "refuses": 0.25, "cross-signed": -0.25}[kind]
        nx.draw_networkx_edges(
            graph, places, edges, ax=axes, style=style, edge_color=colour, arrowsize=13, width=1.4, node_size=3400,
            connectionstyle=f"arc3,rad={bend}",
        )  # fmt: skip
    for root in roots:
        colour = ROOTS[list(trust.roots).index(root) % len(ROOTS)]
        words = f"root\n{root}" + ("\n(wanted)" if root == trust.wanted else "")
        _box(axes, places[root], words, colour, "square")
    for group in groups:
        colour = ROOTS[list(trust.roots).index(group.issuer) % len(ROOTS)]
        words = _folded(group.names) + ("\n(expired)" if group.expired else "")
        _box(axes, places[group], words, EXPIRED if group.expired else colour, "round")
    occurring = {kind for _, _, kind in graph.edges(data="kind")}
    legend(
        axes,
        [
            Line2D([], [], linestyle=style, color=colour, label=words)
            for kind, (style, colour, words) in EDGES.items()
            if kind in occurring
        ],
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.35, 1.35)
    axes.axis("off")
    unit, name = unit_of_time(at)
    figure.suptitle(f"who trusts whom after {at / unit:.4g} {name}: {title_of(trace)}", fontsize=11)
    return figure


def _box(axes: Axes, place: tuple[float, float], words: str, colour: str, form: str) -> None:
    axes.text(
        *place, words, ha="center", va="center", fontsize=8, zorder=5,
        bbox={"boxstyle": f"{form},pad=0.6", "facecolor": "white", "edgecolor": colour, "linewidth": 2},
    )  # fmt: skip


def _folded(names: str) -> str:
    from textwrap import fill

    return fill(names, LONGEST_LABEL)
