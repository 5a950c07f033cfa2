"""Advice as a page to read. Every figure has a number in brackets; the commands that show them again are at its end."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

from swarmsim.analysis.advice import PATIENCE, Advice, Figure, Lacking, Loss, ManagerCount
from swarmsim.analysis.variant import flow
from swarmsim.replay.words import counted, duration

WIDTH = 110
TWINS_NAMED = 6


def page(advice: Advice) -> str:
    """All of it, in lines of :data:`WIDTH` but for the commands."""
    references = _References()
    parts = [
        _head(advice),
        _managers(advice, references),
        *([_losses(advice, references), _single_points(advice)] if advice.services else [_no_services()]),
        *([_worker(advice, references)] if advice.worker is not None else []),
        references.told(),
    ]
    return "\n\n".join(parts)


class _References:
    """The commands of a page, numbered in the order they are first needed."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def to(self, command: str) -> str:
        return f"[{self._numbers.setdefault(command, len(self._numbers) + 1)}]"

    def told(self) -> str:
        lines = ["THE SAME AGAIN"]
        lines += [f"{f'[{number}]':>6} {command}" for command, number in self._numbers.items()]
        return "\n".join(lines)


def _head(advice: Advice) -> str:
    lines = [f"ADVICE ON {advice.scenario}" + (f": {advice.title}" if advice.title else ""), ""]
    lines += [line for sentence in advice.assumed for line in _folded(sentence)]
    lines.append("Hosts fail by these laws:")
    lines += [f"  {flow(law)}" for law in advice.laws]
    return "\n".join(lines)


# -- how many managers


def _managers(advice: Advice, references: _References) -> str:
    sites = list(advice.managers[0].sites)
    rows = [["", "managers", *sites, "without quorum", "incidents", ""]]
    for each in advice.managers:
        figure = each.no_quorum
        rows.append([
            "now" if each.now else "",
            str(each.managers),
            *(str(each.sites[site]) for site in sites),
            minutes(figure),
            f"{_number(figure.incidents)} a year" if figure.incidents else "",
            references.to(figure.again),
        ])  # fmt: skip
    lines = ["HOW MANY MANAGERS", *_table(rows, left={0})]
    return "\n".join([*lines, *(line for sentence in _on_managers(advice.managers) for line in _folded(sentence))])


def minutes(figure: Figure) -> str:
    """Minutes a year and how well they are known."""
    if not figure.incidents:
        return f"none in {counted(round(figure.years) or 1, 'year')}"
    return f"{_number(figure.minutes)} ± {_number(figure.half_width)} min a year"


def _number(value: float) -> str:
    """With two digits that say something.

    >>> [_number(value) for value in (0.0, 0.0123, 1.26, 38.4, 1234.5)]
    ['0', '0.012', '1.3', '38', '1,234']
    """
    if not value:
        return "0"
    places = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def better(one: Figure, other: Figure) -> bool:
    """Whether the first is better by more than chance: by more than both half widths together make."""
    return one.minutes + math.hypot(one.half_width, other.half_width) < other.minutes


def fewest(counts: list[ManagerCount]) -> ManagerCount:
    """The fewest managers that no other number beats by more than chance; the present ones rather than as many elsewhere.

    A number is none to take if fewer do better, by however little.
    """

    def beaten(each: ManagerCount) -> bool:
        return any(
            better(other.no_quorum, each.no_quorum)
            or (other.managers < each.managers and other.no_quorum.minutes < each.no_quorum.minutes)
            for other in counts
        )

    good = [each for each in counts if not beaten(each)]
    return min(good, key=lambda each: (each.managers, not each.now))


def _on_managers(counts: list[ManagerCount]) -> Iterator[str]:
    now = next(each for each in counts if each.now)
    best = fewest(counts)
    if best.now:
        yield f"{_managers_are(best)}, as now, the fewest that no other number beats by more than chance."
    else:
        spread = ", ".join(f"{count} in {site}" for site, count in best.sites.items() if count)
        where = f" ({spread})" if spread else ""
        told = f"{_managers_are(best)}{where} the fewest that no other number beats by more than chance."
        if better(best.no_quorum, now.no_quorum):
            saved = now.no_quorum.minutes - best.no_quorum.minutes
            told += f" Instead of the {now.managers} of now they save {_number(saved)} minutes a year."
        else:
            told += f" The {now.managers} of now do no better."
        yield told
    one, two = (next(each for each in counts if each.managers == count) for count in (1, 2))
    if better(one.no_quorum, two.no_quorum):
        yield "Two are worse than one: both are needed, and either can fail."


def _managers_are(count: ManagerCount) -> str:
    return "1 manager is" if count.managers == 1 else f"{count.managers} managers are"


# -- what is lost with what


def _losses(advice: Advice, references: _References) -> str:
    lines = ["WHAT IS LOST WITH WHAT", *_folded(
        f"Each host and site loses power for good, alone; looked at {duration(PATIENCE)} later."
    )]  # fmt: skip
    if advice.lacking:
        lines += _folded(f"Before anything is lost: {'; '.join(map(_told, advice.lacking))}.")
    lost = [loss for loss in advice.losses if not loss.survived]
    if lost:
        lines.append("Lost with them, and not back:")
    for loss in lost:
        what, again = _consequences(loss, references)
        lines += _folded(f"  {_name(loss)}: {what} {again}", "    ")
    survived = [loss for loss in advice.losses if loss.survived]
    if survived:
        names = ", ".join(_name(loss) for loss in survived)
        lines += _folded(f"{'The others' if lost else 'All'} can be lost, one alone: {names}.")
        lines += [line for sentence in _gaps(survived, references) for line in _folded(sentence)]
    return "\n".join(lines)


def _consequences(loss: Loss, references: _References) -> tuple[str, str]:
    parts = [] if loss.quorum else ["the quorum: nothing can be changed, nothing is replaced"]
    parts += [_told(each, why=loss.quorum) for each in loss.lacking]
    return "; ".join(parts), references.to(loss.again)


def _told(lacking: Lacking, why: bool = True) -> str:
    of = "none runs" if lacking.replicas is None else f"{lacking.running} of {lacking.replicas}"
    return f"{lacking.service} ({of}" + (f": {lacking.why})" if why and lacking.why else ")")


def _name(loss: Loss) -> str:
    if loss.site:
        return (
            f"site {loss.name}" if " ".join(loss.hosts) == loss.name else f"site {loss.name} ({' '.join(loss.hosts)})"
        )
    if not loss.alike:
        return loss.name
    shown = " ".join(loss.alike[:TWINS_NAMED]) + (" …" if len(loss.alike) > TWINS_NAMED else "")
    return f"{loss.name} (and {len(loss.alike)} like it: {shown})"


def _gaps(survived: list[Loss], references: _References) -> Iterator[str]:
    """The longest times in which something was missing until it was made up for."""
    for what, gaps in (
        ("below its replicas", [(loss, loss.below) for loss in survived]),
        ("without any task that runs", [(loss, loss.zero) for loss in survived]),
    ):
        for service in sorted({service for _, of in gaps for service in of}):
            longest, number = max((of[service], -number) for number, (_, of) in enumerate(gaps) if service in of)
            worst = gaps[-number][0]
            again = references.to(worst.again)
            yield f"Then {service} is {what} for {duration(longest)} at most (with {worst.name}) {again}."


def _single_points(advice: Advice) -> str:
    lines = ["SINGLE POINTS OF FAILURE"]
    for loss in advice.losses:
        if not loss.survived:
            what = ([] if loss.quorum else ["the quorum"]) + [each.service for each in loss.lacking]
            lines.append(f"  {_name(loss)}: {', '.join(what)}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "  none"])


def _no_services() -> str:
    return "\n".join([
        "WHAT IS LOST WITH WHAT",
        "  No service is there when the steps (up to the first fault) are done, so there is nothing to lose.",
    ])  # fmt: skip


# -- one more worker


def _worker(advice: Advice, references: _References) -> str:
    worker = advice.worker
    assert worker is not None
    kind = f"like {worker.twin_of} in size, labels, site and laws" if worker.twin_of else "of default size"
    lines = ["ONE MORE WORKER", f"{worker.worker}, {kind}."]
    if worker.without:
        rows = [["missing", "as it is", "", f"with {worker.worker}", ""]]
        for name, figure in worker.without.items():
            more = worker.having[name]
            rows.append([name, minutes(figure), references.to(figure.again), minutes(more), references.to(more.again)])
        lines += _table(rows, left={0})
        if not any(better(worker.having[name], figure) for name, figure in worker.without.items()):
            lines.append("No difference that is more than chance.")
    else:
        lines.append("Nothing is ever missing, with it or without it.")
    for loss in worker.losses:
        without = next(each for each in advice.losses if each.name == loss.name)
        if loss.badness < without.badness:
            what = "everything comes back" if loss.survived else _consequences(loss, references)[0]
            lines += _folded(f"When {_name(loss)} is lost: {what} {references.to(loss.again)}.")
        else:
            lines.append(f"When {_name(loss)} is lost it is of no help {references.to(loss.again)}.")
    return "\n".join(lines)


# -- lines


def _folded(sentence: str, indent: str = "") -> list[str]:
    return textwrap.wrap(sentence, WIDTH, subsequent_indent=indent, break_long_words=False)


def _table(rows: list[list[str]], left: set[int]) -> list[str]:
    """In columns; those of ``left`` begin at one place, the others end at one."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
