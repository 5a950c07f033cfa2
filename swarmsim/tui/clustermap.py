"""The cluster as a map: hosts as boxes with their tasks as squares; many hosts as lines, a thousand as a heat map.

How much is shown of a host is a matter of room: the first of :data:`LEVELS` in which all hosts fit is taken, else the last,
and one can scroll.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from swarmsim.replay.looks import CUT, LEADER, NO_POWER, NODES, TASKS, phase
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState, Host
from swarmsim.trace.state import name as task_name
from swarmsim.tui.texts import Texts


class Level(NamedTuple):
    """The room a host takes: ``width`` at least and up to ``widest``, and its height in lines."""

    width: int
    widest: int
    height: int


LEVELS: tuple[Level, ...] = (
    Level(28, 40, 9),
    Level(18, 26, 5),
    Level(15, 26, 4),
    Level(26, 40, 1),
    Level(14, 25, 1),
    Level(3, 3, 1),
    Level(1, 1, 1),
)
CELL = 5
"""From this level on a host is but a cell, without its name."""
ROOM_FOR_SQUARES = 20
"""Characters a host's line needs for squares; with less, its tasks are counted."""


class Shown(NamedTuple):
    """All that a host's place on the map tells."""

    host: Host
    node: Row | None
    tasks: list[Row]
    leads: bool
    cut: bool


class Place(NamedTuple):
    """Where a host is, in characters from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


def status_of(shown: Shown) -> tuple[str, str]:
    """How a host is, in one word, and its colour. What nobody in the cluster can know comes first."""
    if not shown.host.power:
        return "no power", NO_POWER.colour
    if not shown.host.engine:
        return "engine down", NODES["down"].colour
    if shown.node is None:
        return "not in swarm", TASKS["leaving"].colour
    status: str = shown.node["status"]
    return status, NODES[status].colour if status in NODES else TASKS["leaving"].colour


SIGNS = {
    "no power": NO_POWER.sign,
    "engine down": "◌",
    "not in swarm": " ",
    **{name: look.sign for name, look in NODES.items()},
}


def squares(tasks: Iterable[Row], lost: Container[str] = ()) -> Text:
    """Tasks as coloured squares, those that run first."""
    order = list(TASKS)
    text = Text()
    for name in sorted((phase(row, lost) for row in tasks), key=order.index):
        text.append(TASKS[name].sign, style=TASKS[name].colour)
    return text


class ClusterMap(ScrollView, can_focus=True):
    """Shows one :class:`ClusterState` at a time; arrows and clicks select a host."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "go(-1, 0)", show=False, priority=True),
        Binding("right", "go(1, 0)", show=False, priority=True),
        Binding("up", "go(0, -1)", show=False, priority=True),
        Binding("down", "go(0, 1)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]

    class Selected(Message):
        """A host was selected; ``chosen`` if the user says: this one."""

        def __init__(self, host: str, chosen: bool) -> None:
            super().__init__()
            self.host = host
            self.chosen = chosen

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts
        self.selected: str | None = None
        self.level = 0
        self._places: dict[str, Place] = {}
        self._labels: list[tuple[int, str]] = []
        self._shown: dict[str, Shown] = {}
        self._strips: dict[int, Strip] = {}
        self._for: tuple[Size, tuple[str, ...]] | None = None
        self._rows: dict[int, list[str]] = {}
        self._waiting: list[Row] = []
        self._lost: frozenset[str] = frozenset()
        """Tasks whose containers are gone without the managers' knowledge."""

    def put(self, state: ClusterState) -> None:
        """Show the cluster like this."""
        nodes, tasks, leader = state.nodes_by_host(), state.tasks_by_host(), state.leader
        cut = {host for pair in state.links.cuts for host in pair} | {
            h for group in state.links.isolated for h in group
        }
        self._lost = frozenset(state.lost)
        self._shown = {
            name: Shown(host, nodes.get(name), tasks.get(name, []), name == leader, name in cut)
            for name, host in state.hosts.items()
        }
        self._waiting = [row for row in state.tasks.values() if row["node"] is None and phase(row) == "waiting"]
        if self.selected not in self._shown:
            self.selected = None
        self._lay_out()
        self._strips.clear()
        self.refresh()

    # -- where hosts are

    def _lay_out(self) -> None:
        """Find every host a place; done again when the hosts or the room change."""
        key = (self.size, (*self._shown, *(shown.host.site or "" for shown in self._shown.values())))
        if key == self._for or not self.size.width:
            return
        self._for = key
        sites: dict[str, list[str]] = {}
        for name, shown in self._shown.items():
            sites.setdefault(shown.host.site or "", []).append(name)
        labelled = len(sites) > 1 or "" not in sites
        width, height = self.size.width, self.size.height - 1

        def lines(level: Level) -> int:
            columns = max(1, width // level.width)
            return sum(-(-len(hosts) // columns) * level.height + labelled for hosts in sites.values())

        fitting = (number for number, level in enumerate(LEVELS) if lines(level) <= height)
        self.level = number = next(fitting, len(LEVELS) - 1)
        level = LEVELS[number]
        columns = max(1, width // level.width)
        most = max((len(hosts) for hosts in sites.values()), default=1)
        rows = -(-most // columns)
        columns = min(columns, -(-most // rows)) if number < CELL else columns
        cell = min(level.widest, width // columns)
        self._places, self._labels, self._rows, y = {}, [], {}, 0
        for site, hosts in sites.items():
            if labelled:
                self._labels.append((y, site or "—"))
                y += 1
            for place, name in enumerate(hosts):
                row, column = divmod(place, columns)
                self._places[name] = Place(column * cell, y + row * level.height, cell, level.height)
            y += -(-len(hosts) // columns) * level.height
        for name, where in self._places.items():
            for line in range(where.y, where.y + where.height):
                self._rows.setdefault(line, []).append(name)
        self.virtual_size = Size(width, y + 1)

    def on_resize(self) -> None:
        self._lay_out()
        self._strips.clear()

    # -- drawing

    def render_line(self, y: int) -> Strip:
        line = y + self.scroll_offset.y
        width = self.size.width
        if y == self.size.height - 1:
            return self._strip(self._legend(), width)
        strip = self._strips.get(line)
        if strip is None:
            strip = self._strips[line] = self._strip(self._line(line), width)
        return strip

    def _strip(self, text: Text, width: int) -> Strip:
        text.truncate(width, overflow="ellipsis", pad=True)
        return Strip(Segment.apply_style(text.render(self.app.console), self.rich_style)).crop(0, width)

    def _line(self, y: int) -> Text:
        text = Text(no_wrap=True, end="")
        for at, site in self._labels:
            if at == y:
                text.append(f"── {site} ", style="bold")
        for name in self._rows.get(y, ()):
            where = self._places[name]
            text.append(" " * (where.x - text.cell_len))
            text.append_text(_DRAW[self.level](self, self._shown[name], where, y - where.y))
        return text

    def _box(self, shown: Shown, where: Place, line: int) -> Text:
        status, colour = status_of(shown)
        chosen = shown.host.name == self.selected
        corners = "╔═╗║╚╝" if chosen else "╭─╮│╰╯"
        border = Style(color=colour, bold=chosen)
        inner = where.width - 3
        if line == 0:
            name = Text(f" {shown.host.name} ", style="bold")
            if shown.leads:
                name.append(f"{LEADER.sign} ", style=Style(color=LEADER.colour, bold=True))
            role = self.role(shown)
            name.truncate(inner)
            fill = max(0, inner - name.cell_len - cell_len(role))
            return Text.assemble(
                (corners[0], border), name, (corners[1] * fill, border), (role, "dim"), (corners[2], border), " "
            )
        if line == where.height - 1:
            return Text.assemble((corners[4] + corners[1] * inner + corners[5], border), " ")
        if line == 1:
            content = Text(f"{SIGNS.get(status, '?')} {self._word(status)}", style=colour)
            if shown.cut:
                content.append(f" {CUT.sign}", style=CUT.colour)
            if shown.node is not None and shown.node["avail"] != "active":
                content.append(f" {shown.node['avail']}", style="italic")
            if shown.node is not None and shown.node["reach"] == "unreachable":
                content.append(" ↯", style=NODES["down"].colour)
        elif where.height == LEVELS[0].height:
            content = self._named(shown, line - 2, where.height - 3)
        else:
            lines, room = where.height - 3, inner
            all_tasks = squares(shown.tasks, self._lost)
            part = all_tasks[(line - 2) * room : (line - 1) * room]
            if line - 1 == lines and len(all_tasks) > lines * room:
                more = f"+{len(all_tasks) - lines * room + 4}"
                part = Text.assemble(part[: room - len(more)], (more, "dim"))
            content = part
        content.truncate(inner, overflow="ellipsis", pad=True)
        return Text.assemble((corners[3], border), content, (corners[3], border), " ")

    def _named(self, shown: Shown, line: int, lines: int) -> Text:
        """A line of a large box: what the host has, then its tasks by name; the last says how many more there are."""
        host = shown.host
        if line == 0:
            known = f"{host.cpus:g} CPU  {host.memory / 1024**3:.1f} GiB" if host.cpus else ""
            return Text(f"{known}  {host.address}", style="dim")
        room, order = lines - 1, list(TASKS)
        tasks = sorted(shown.tasks, key=lambda row: order.index(phase(row, self._lost)))
        if line == room and len(tasks) > room:
            return squares(tasks[line - 1 :], self._lost).append(f" +{len(tasks) - room + 1}", style="dim")
        if line > len(tasks):
            return Text("")
        row = tasks[line - 1]
        look = TASKS[phase(row, self._lost)]
        return Text.assemble((f"{look.sign} ", look.colour), task_name(row), (f"  {row['state']}", "dim"))

    def _row(self, shown: Shown, where: Place, line: int) -> Text:
        status, colour = status_of(shown)
        chosen = shown.host.name == self.selected
        text = Text("▶" if chosen else " ", style="bold")
        text.append(f"{shown.host.name:<6.12}", style="bold" if chosen else "")
        text.append(LEADER.sign if shown.leads else " ", style=LEADER.colour)
        text.append(f"{SIGNS.get(status, '?')}", style=colour)
        text.append(CUT.sign if shown.cut else " ", style=CUT.colour)
        drained = shown.node is not None and shown.node["avail"] != "active"
        text.append(str(shown.node["avail"])[0].upper() if drained and shown.node is not None else " ", style="italic")
        if where.width >= ROOM_FOR_SQUARES:
            text.append_text(squares(shown.tasks, self._lost))
        elif shown.tasks:
            text.append(str(len(shown.tasks)), style=colour)
        text.truncate(where.width - 1, overflow="ellipsis", pad=True)
        text.append(" ")
        return text

    def _cell(self, shown: Shown, where: Place, line: int) -> Text:
        """A host of a thousand: how it is by colour and sign, and how many tasks it has."""
        status, colour = status_of(shown)
        sign = LEADER.sign if shown.leads else SIGNS.get(status, "?")
        chosen = shown.host.name == self.selected
        style = Style(color=LEADER.colour if shown.leads else colour, reverse=chosen, bold=chosen)
        if where.width == 1:
            healthy = status == "ready" and not shown.leads
            return Text(_load(shown.tasks) if healthy else sign, style=style)
        return Text(f"{sign}{_load(shown.tasks)}", style=style) + Text(" ")

    def _legend(self) -> Text:
        if self._waiting:
            text = squares(self._waiting[:6])
            first = self._waiting[0]
            more = f" (+{len(self._waiting) - 1})" if len(self._waiting) > 1 else ""
            name = f"{first['service']}.{first['slot'] or ''}"
            text.append(f" {name}{more}: {first['err'] or first['msg']}", style=TASKS["waiting"].colour)
            return text
        text = Text()
        for name, look in list(TASKS.items())[:4]:
            text.append(f"{look.sign} ", style=look.colour)
            text.append(f"{self.texts(name)}  ", style="dim")
        return text

    def role(self, shown: Shown) -> str:
        role = shown.node["role"] if shown.node is not None else shown.host.role
        return self.texts("mgr" if role == "manager" else "wkr")

    def _word(self, status: str) -> str:
        return self.texts(status) if status in ("no power", "engine down", "not in swarm") else status

    # -- selecting

    def action_go(self, dx: int, dy: int) -> None:
        """Select the host before or behind, as one reads, or the nearest above or below; if none is selected, the first."""
        names = list(self._places)
        if self.selected not in self._places:
            if names:
                self.select(names[0], chosen=False)
            return
        here = self._places[self.selected]
        if dx:
            place = names.index(self.selected) + dx
            found = names[min(max(place, 0), len(names) - 1)]
        else:
            ahead = [name for name in names if dy * (self._places[name].y - here.y) > 0]
            found = min(ahead, key=lambda name: self._distance(here, name), default=self.selected)
        if found != self.selected:
            self.select(found, chosen=False)

    def _distance(self, here: Place, name: str) -> tuple[int, int]:
        """How far aside a host is, then how many lines away."""
        there = self._places[name]
        return abs(there.x - here.x), abs(there.y - here.y)

    def action_choose(self) -> None:
        if self.selected is not None:
            self.select(self.selected, chosen=True)

    def on_click(self, event: events.Click) -> None:
        x, y = event.x, event.y + self.scroll_offset.y
        for name, where in self._places.items():
            if where.x <= x < where.x + where.width and where.y <= y < where.y + where.height:
                self.select(name, chosen=True)

    def select(self, host: str, *, chosen: bool) -> None:
        self.selected = host
        where = self._places.get(host)
        if where is not None:
            self.scroll_to_region(Region(where.x, where.y, where.width, where.height), animate=False, immediate=True)
        self._strips.clear()
        self.refresh()
        self.post_message(self.Selected(host, chosen))


def _load(tasks: list[Row]) -> str:
    """How many tasks, in one character."""
    count = len(tasks)
    return "·" if not count else str(count) if count < 10 else "+"


_DRAW: tuple[Callable[[ClusterMap, Shown, Place, int], Text], ...] = (
    ClusterMap._box,
    ClusterMap._box,
    ClusterMap._box,
    ClusterMap._row,
    ClusterMap._row,
    ClusterMap._cell,
    ClusterMap._cell,
)
