"""Pictures: ``swarmsim plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarmsim.analysis.ensemble import record_many
from swarmsim.commands.given import fail, load_to_run
from swarmsim.scenario.duration import parse_seconds
from swarmsim.trace.reader import Trace, TraceError, load_trace

TRACE_KINDS = (
    *("run", "tasks", "lanes", "raft", "nodes", "availability", "certificates"),
    *("traffic", "shares", "latency", "reach", "views"),
)
OF_A_SERVICE = ("lanes", "views")
PLOTS = (*TRACE_KINDS, "milestones", "against", "sweep")


def plot(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE... KIND",
            help="traces (or a scenario with --seeds, or the results of a sweep), then what to draw: "
            + ", ".join(PLOTS),
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="PNG, SVG or PDF to write; default: SOURCE-KIND.png")] = None,
    service: Annotated[str | None, typer.Option(help="lanes, views: of which service")] = None,
    seeds: Annotated[int, typer.Option(min=0, help="milestones, against: run a scenario this often")] = 0,
    records: Annotated[Path | None, typer.Option(help="against: a folder of recorded real runs")] = None,
    y: Annotated[str | None, typer.Option(help="sweep: the column to draw, such as 'no quorum: share'")] = None,
    x: Annotated[str | None, typer.Option(help="sweep: the parameter to draw it against")] = None,
    since: Annotated[str | None, typer.Option("--from", help="of a trace: draw from then on (90s, 1m30s, 2h)")] = None,
    until: Annotated[str | None, typer.Option(help="of a trace: draw until then")] = None,
) -> None:
    """Draw a picture of a trace, of many runs, or of a sweep."""
    *sources, kind = what
    if kind not in PLOTS:
        raise fail(f"plot {kind}: the last word says what to draw: {', '.join(PLOTS)}")
    if not sources:
        raise fail(f"plot {kind}: of what? write a trace before {kind}")
    for option, value, of in (
        ("--service", service, OF_A_SERVICE),
        ("--seeds", seeds, ("milestones", "against")),
        ("--records", records, ("against",)),
        ("--y", y, ("sweep",)),
        ("--x", x, ("sweep",)),
        ("--from", since, TRACE_KINDS),
        ("--until", until, TRACE_KINDS),
    ):
        if value and kind not in of:
            raise fail(f"{option} says nothing about {kind}; it is for {' and '.join(of)}")
    if len(sources) > 1 and kind not in ("milestones", "against"):
        raise fail(f"{kind} draws one source, not {len(sources)}")
    target = out or Path(f"{Path(sources[0]).stem}-{kind}.png")
    _draw(sources, kind, target, service, seeds, records, y, x, _window(since, until))
    print(target)


def _window(since: str | None, until: str | None) -> tuple[float, float | None] | None:
    """Seconds from and until which to draw; ``None`` for all of it."""
    if since is None and until is None:
        return None
    try:
        low = parse_seconds(since) if since is not None else 0.0
        high = parse_seconds(until) if until is not None else None
    except ValueError as problem:
        raise fail(f"--from, --until: {problem}") from None
    if high is not None and high <= low:
        raise fail(f"--until {until} is not after --from {since}")
    return low, high


def _draw(
    sources: list[str],
    kind: str,
    target: Path,
    service: str | None,
    seeds: int,
    records: Path | None,
    y: str | None,
    x: str | None,
    window: tuple[float, float | None] | None,
) -> None:
    from swarmsim import plot as pictures
    from swarmsim.analysis.fidelity import recorded_runs
    from swarmsim.analysis.sweep import SweepError, load_results

    try:
        if kind == "sweep":
            if y is None:
                raise fail("sweep needs --y: which column to draw, such as 'no quorum: share'")
            figure = pictures.sweep(load_results(sources[0]), y, x)
        elif kind in TRACE_KINDS:
            trace = load_trace(sources[0])
            part = {"begin": window[0], "end": window[1]} if window is not None else {}
            of_what = {"service": service} if kind in OF_A_SERVICE else {}
            figure = getattr(pictures, kind)(trace, **of_what, **part)
        else:
            runs = _many(sources, seeds)
            name = Path(sources[0]).stem
            if kind == "milestones":
                figure = pictures.milestones(pictures.pooled_milestones(runs), f"{name}: {len(runs)} runs")
            elif records is None or not records.is_dir():
                raise fail("against needs --records: a folder of recorded real runs")
            else:
                figure = pictures.against(recorded_runs(records), runs, name)
        pictures.save(figure, target)
    except (TraceError, SweepError) as problem:
        raise fail(problem) from None


def _many(sources: list[str], seeds: int) -> list[Trace]:
    """The traces, or as many runs of the scenario."""
    if not seeds:
        return [load_trace(source) for source in sources]
    if len(sources) > 1:
        raise fail("--seeds runs one scenario; leave it out to draw several traces")
    return record_many(load_to_run(sources[0]), range(1, seeds + 1))
