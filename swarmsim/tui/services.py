"""Services as ``docker service ls`` and ``docker stack ls`` have them: how far each is, its update, and what it hangs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rich.text import Text

from swarmsim.replay.looks import TASKS, phase
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState, Service, slot
from swarmsim.tui.rows import RowList
from swarmsim.tui.texts import Texts

BAR = 10
"""Characters of an update's progress."""


def without_digest(image: str) -> str:
    """An image as one reads it.

    >>> without_digest("nginx:1.23@sha256:af296b188c7b7df99ba960ca614439c99cb7cf252ed7bbc23e90cfda59092305")
    'nginx:1.23'
    """
    return image.partition("@")[0]


def updated(service: Service, tasks: list[Row]) -> tuple[int, int]:
    """How many slots run what the service is now, and how many there are.

    >>> row = {"slot": 1, "node": "w1", "image": "nginx:1", "state": "running", "desired": "running"}
    >>> updated(Service("web", image="nginx:2"), [row, {**row, "slot": 2, "image": "nginx:2"}])
    (1, 2)
    """
    newest: dict[Any, Row] = {slot(row): row for row in tasks}
    done = sum(1 for row in newest.values() if row["image"] == service.image and phase(row) == "running")
    return done, len(newest)


def bar(done: int, all: int, width: int) -> Text:
    """Progress as a bar."""
    full = round(width * done / max(1, all))
    return Text.assemble(("█" * full, TASKS["running"].colour), "░" * (width - full), (f" {done}/{all}", "dim"))


class ServiceRow(NamedTuple):
    """A line of the services: ``running`` of ``wanted`` tasks, ``done`` of ``slots`` updated while an update is on."""

    service: Service
    running: int
    wanted: int
    believed: str
    done: int
    slots: int


SERVICE_SORTS: dict[str, Callable[[ServiceRow], Any]] = {
    "name": lambda row: row.service.name,
    "stack": lambda row: (row.service.stack or "~", row.service.name),
    "missing": lambda row: (row.running - row.wanted, row.service.name),
    "update": lambda row: (row.service.update is None, row.service.name),
}


class ServiceTable(RowList[ServiceRow | None]):
    """A header, and a line for every service."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts
        self.sort = "name"

    def identity(self, item: ServiceRow | None) -> Any:
        return item and item.service.name

    def show_state(self, state: ClusterState) -> None:
        """Show the services of this moment."""
        under_way = {service.name for service in state.services.values() if service.update}
        tasks: dict[str, list[Row]] = {name: [] for name in under_way}
        for row in state.tasks.values() if under_way else ():
            if row["service"] in under_way:
                tasks[row["service"]].append(row)
        lines = [
            ServiceRow(
                service,
                state.running(service.name),
                state.wanted(service.name),
                state.believed(service.name),
                *(updated(service, tasks[service.name]) if service.update else (0, 0)),
            )
            for service in state.services.values()
        ]
        self.put([None, *sorted(lines, key=SERVICE_SORTS[self.sort])])

    def draw(self, item: ServiceRow | None, width: int) -> Text:
        wide = width >= 100
        name = 24 if wide else 16
        image = 24 if wide else 14
        if item is None:
            words = [self.texts(word).upper() for word in ("name", "mode", "tasks", "image", "stack", "ports")]
            columns = zip(words, (name, 11, 9, image, 10, 0), strict=True)
            return Text("".join(f"{word:<{room}} " for word, room in columns), style="dim")
        service = item.service
        text = Text(no_wrap=True)
        text.append(f"{service.name:<{name}.{name}} ", style="bold")
        text.append(f"{_mode(service.mode):<11.11} ", style="dim")
        colour = TASKS["running" if item.running >= item.wanted else "failed"].colour
        text.append(f"{f'{item.running}/{item.wanted}':<9} ", style=colour)
        text.append(f"{without_digest(service.image):<{image}.{image}} {service.stack or '—':<10.10} ", style="dim")
        text.append(" ".join(service.ports))
        if item.believed:
            text.append(f" {self.texts.told(item.believed)}", style=f"bold {TASKS['lost'].colour}")
        if service.update:
            text.append(f" {service.update} ", style="italic")
            text.append_text(bar(item.done, item.slots, BAR))
        return text


def _mode(mode: str) -> str:
    """As ``service ls`` writes it, in few characters."""
    return {"replicated-job": "repl. job", "global-job": "global job"}.get(mode, mode)


class Piece(NamedTuple):
    """A line of the stacks: what it is (``stack``, ``network``, ``volume``), its name, the services that belong to it."""

    kind: str
    name: str
    services: tuple[str, ...]
    running: int = 0
    wanted: int = 0


class StackTable(RowList[Piece]):
    """Stacks, then the networks and the named volumes that services use."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def identity(self, item: Piece) -> Any:
        return item[:2]

    def show_state(self, state: ClusterState) -> None:
        """Show what there is at this moment."""
        found: dict[tuple[str, str], list[str]] = {}
        for service in state.services.values():
            used = [("stack", service.stack)] if service.stack else []
            used += [("network", name) for name in service.networks] + [("volume", name) for name in service.volumes]
            for piece in used:
                found.setdefault(piece, []).append(service.name)
        pieces = [
            Piece(kind, name, tuple(services), sum(map(state.running, services)), sum(map(state.wanted, services)))
            for (kind, name), services in found.items()
        ]
        order = ("stack", "network", "volume")
        self.put(sorted(pieces, key=lambda piece: (order.index(piece.kind), piece.name)))

    def draw(self, item: Piece, width: int) -> Text:
        text = Text.assemble((f"{self.texts(item.kind):<8} ", "dim"), (f"{item.name:<20.28} ", "bold"), no_wrap=True)
        if item.kind == "stack":
            ok = item.running >= item.wanted
            text.append(f"{item.running}/{item.wanted}  ", style=TASKS["running" if ok else "failed"].colour)
        text.append("  ".join(item.services), style="dim")
        return text
