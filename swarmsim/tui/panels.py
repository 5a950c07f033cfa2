"""The panels beside the map: tasks, Raft, the story, and details of what is selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rich.text import Text

from swarmsim.replay.looks import CUT, LEADER, NODES, TASKS, phase
from swarmsim.replay.recording import Recording
from swarmsim.replay.timeline import Line, watch_time
from swarmsim.trace.rows import Row
from swarmsim.trace.state import TERMINAL, ClusterState, Member, Service, name, slot
from swarmsim.tui.certificates import certificate_lines
from swarmsim.tui.page import Page
from swarmsim.tui.rows import RowList
from swarmsim.tui.services import bar, updated, without_digest
from swarmsim.tui.texts import Texts

STORY_STYLES = {
    "command": "bold",
    "error": f"bold {TASKS['failed'].colour}",
    "fault": "bold #CC79A7",
    "reached": f"bold {TASKS['running'].colour}",
    "unmet": f"bold reverse {TASKS['failed'].colour}",
    "good": TASKS["running"].colour,
    "bad": TASKS["failed"].colour,
    "note": "italic",
    "info": "dim",
    "session": "dim",
}


MOST_DESTINATIONS = 20
"""Of a load balancer, in Details."""


def span(seconds: float) -> str:
    """How long, in few characters.

    >>> span(3.21), span(75), span(7300), span(200_000)
    ('3.2s', '1m15s', '2h01m', '2d07h')
    """
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 24 else f"{hours // 24}d{hours % 24:02}h"


class TaskRow(NamedTuple):
    """A line of the tasks: of a service (``row`` is ``None``) or of one task."""

    service: str
    row: Row | None
    history: int = 0
    """How many older tasks of the slot are not shown."""


SORTS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: (row["slot"] or 0, "" if row["slot"] else row["node"] or "~"),
    "node": lambda row: (row["node"] or "~", slot(row) or 0),
    "state": lambda row: (list(TASKS).index(phase(row)), row["node"] or ""),
    "since": lambda row: -row["t"],
}


class TaskTable(RowList[TaskRow]):
    """As ``docker service ps`` of all services: by default the newest task of every slot, and what still stops."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts
        self.only_running = False
        self.whole_history = False
        self.wanted = ""
        self.sort = "name"
        self.following = False
        self._state = ClusterState()
        self._t = 0.0

    def identity(self, item: TaskRow) -> Any:
        if item.row is None:
            return item.service
        return (item.service, slot(item.row)) if self.following else item.row["task"]

    def show_state(self, state: ClusterState, t: float) -> None:
        """Show the tasks of this moment."""
        self._state, self._t = state, t
        by_service: dict[str, list[Row]] = {service: [] for service in state.services}
        for row in state.tasks.values():
            by_service.setdefault(row["service"], []).append(row)
        items: list[TaskRow] = []
        shown = total = 0
        for service, rows in by_service.items():
            items.append(TaskRow(service, None))
            newest: dict[Any, Row] = {}
            count: dict[Any, int] = {}
            for row in rows:
                place = slot(row)
                newest[place] = row
                count[place] = count.get(place, 0) + 1
            kept = [row for row in rows if self._keeps(row, newest)]
            total += len(rows)
            shown += len(kept)
            kept.sort(key=SORTS[self.sort])
            if len(newest) == len(rows):  # no slot has a history
                items += [TaskRow(service, row) for row in kept]
            else:
                items += [
                    TaskRow(service, row, count[slot(row)] - 1 if newest[slot(row)] is row else 0) for row in kept
                ]
        self.put(items)
        self.border_subtitle = self.texts("filtered", n=shown, all=total) if shown < total else ""

    def _keeps(self, row: Row, newest: dict[Any, Row]) -> bool:
        if not self.whole_history and row["state"] in TERMINAL and newest[slot(row)] is not row:
            return False
        if self.only_running and phase(row, self._state.lost) not in ("running", "lost"):
            return False
        if self.wanted:
            text = f"{name(row)} {row['node']} {row['state']} {row['err']} {row['msg']} {row['image']}"
            return self.wanted.lower() in text.lower()
        return True

    def draw(self, item: TaskRow, width: int) -> Text:
        if item.row is None:
            return self._draw_service(self._state.services.get(item.service, Service(item.service)))
        row = item.row
        look = TASKS[phase(row, self._state.lost)]
        wide = width >= 76
        older = f" ({item.history})" if item.history and not self.whole_history else ""
        text = Text(" ")
        text.append(f"{look.sign} ", style=look.colour)
        text.append(f"{name(row) + older:<{18 if wide else 13}.{18 if wide else 13}} ")
        text.append(f"{row['node'] or '—':<6.8} ")
        text.append(f"{row['state']:<10}", style=look.colour)
        if row["desired"] not in ("running", row["state"]):
            text.append(f"→{row['desired']:<9}", style="italic")
        elif wide:
            text.append(" " * 10)
        text.append(f"{span(self._t - row['t']):>6} ", style="dim")
        why = row["err"] or (row["msg"] if look is TASKS["waiting"] else "")
        text.append(str(why or ""), style=look.colour if row["err"] else "dim")
        return text

    def _draw_service(self, service: Service) -> Text:
        running, wanted = self._state.running(service.name), self._state.wanted(service.name)
        text = Text.assemble((f"{service.name} ", "bold"))
        ok = running == wanted
        text.append(f"{running}/{wanted}", style=TASKS["running" if ok else "failed"].colour)
        if believed := self._state.believed(service.name):
            text.append(f"  {self.texts.told(believed)}", style=f"bold {TASKS['lost'].colour}")
        text.append(f"  {service.mode}  {without_digest(service.image)}", style="dim")
        if service.update:
            text.append(f"  {service.update}", style="italic")
        return text


class RaftPanel(Page):
    """What each manager's Raft member is at, elections as they come, messages on their way."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts
        self.messages = False

    def show_state(self, state: ClusterState, t: float) -> None:
        """Show Raft as it is at this moment."""
        text = Text(no_wrap=True, overflow="ellipsis")
        managers = state.managers()
        reached = state.managers_up()
        majority = len(managers) // 2 + 1
        text.append(self.texts("members", up=len(reached), all=len(managers), majority=majority) + "\n", style="dim")
        for host in managers:
            member = state.members.get(host)
            off = state.hosts.get(host) is not None and host not in reached
            self._member(text, host, member, off, t)
        self._votes(text, state)
        self._messages(text, state, t)
        if not state.links.usual:
            self._links(text, state)
        self.write(text)

    def _member(self, text: Text, host: str, member: Member | None, off: bool, t: float) -> None:
        leads = member is not None and member.role == "leader" and not off
        text.append(f"{LEADER.sign if leads else ' '} ", style=LEADER.colour)
        text.append(f"{host:<6} ", style="bold" if leads else "dim" if off else "")
        if member is None or off:
            text.append("—\n", style="dim")
            return
        colour = {"leader": LEADER.colour, "candidate": TASKS["waiting"].colour}.get(member.role, "")
        text.append(f"{member.role:<10}", style=colour)
        text.append(f"{self.texts('term')} {member.term:<3} {self.texts('commit')} {member.commit}")
        behind = member.log - member.commit
        text.append(f" +{behind}" if behind else "", style=TASKS["waiting"].colour)
        if member.unreachable:
            text.append(f" ↯{' '.join(sorted(member.unreachable))}", style=NODES["down"].colour)
        if member.due is not None and member.due >= t:
            left = member.due - t
            full = min(12, int(left) + 1)
            text.append(f"\n         {self.texts('stands in')} {left:4.1f} s ", style=TASKS["waiting"].colour)
            text.append("▮" * full, style=TASKS["waiting"].colour)
        text.append("\n")

    def _votes(self, text: Text, state: ClusterState) -> None:
        """Who voted for whom in the newest term, while it has no leader."""
        term = max((member.vote_term for member in state.members.values()), default=0)
        standing = any(m.role == "candidate" and m.term == term for m in state.members.values())
        if state.leader is not None or not standing:
            return
        votes: dict[str, list[str]] = {}
        for host, member in state.members.items():
            if member.vote_term == term and member.vote is not None:
                votes.setdefault(member.vote, []).append(host)
        for candidate, voters in votes.items():
            text.append(f"{self.texts('term')} {term}: {candidate} ← {' '.join(voters)}\n", style="italic")

    def _messages(self, text: Text, state: ClusterState, t: float) -> None:
        if not self.messages:
            text.append(self.texts("messages off") + "\n", style="dim")
            return
        under_way = [message for message in state.messages if message.arrived is None and t - message.sent < 5]
        text.append(f"{self.texts('on its way')}: {len(under_way)}\n", style="dim")
        for message in list(state.messages)[-5:]:
            arrow = "──▷" if message.arrived is None else "──▶"
            text.append(f"  {message.src} {arrow} {message.dst}  {message.type} ({message.term})\n")

    def _links(self, text: Text, state: ClusterState) -> None:
        links = state.links
        parts = [f"{a} {CUT.sign} {b}" for a, b in links.cuts]
        parts += [f"{CUT.sign} {{{' '.join(group)}}}" for group in links.isolated]
        parts += [f"{host}: {self.texts('slow')}" for host in links.slow]
        parts += [f"{host}: {self.texts('loss', share=f'{loss:g}')}" for host, loss in links.lossy]
        parts += [f"{host}: {self.texts('closed port', port=port)}" for host, port in links.closed]
        parts += [f"{host}: {self.texts('mtu', size=size)}" for host, size in links.mtu]
        text.append(f"{self.texts('links')}: {', '.join(parts)}\n", style=CUT.colour)


class Told(NamedTuple):
    """One row of the story; an output of several lines is several rows."""

    at: str
    text: str
    sort: str


class Story(RowList[Told]):
    """What happened by now, and why."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(tail=True, id=id)
        self.texts = texts
        self._of: Recording | None = None
        self._all: list[Told] = []
        self._starts: list[int] = [0]

    def show_story(self, recording: Recording, t: float) -> None:
        """Show what was told by ``t`` (seconds since the run began)."""
        if recording is not self._of:
            self._of, self._all, self._starts = recording, [], [0]
        for line in recording.lines[len(self._starts) - 1 :]:
            self._all += _rows_of(line, self.texts)
            self._starts.append(len(self._all))
        stop = self._starts[min(recording.told(t), len(self._starts) - 1)]
        self.put(self._all if stop == len(self._all) else self._all[:stop])

    def draw(self, item: Told, width: int) -> Text:
        return Text.assemble((f"{item.at:>11} ", "dim"), (item.text, STORY_STYLES.get(item.sort, "")))


def _rows_of(line: Line, texts: Texts) -> list[Told]:
    first, *rest = texts.line(line).split("\n")
    return [Told(watch_time(line.t), first, line.sort), *(Told("", part, line.sort) for part in rest)]


class Details(Page):
    """All there is to know of the host, task or service that is selected."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def show_nothing(self, title: str = "", about: str = "") -> None:
        """What there is to see in the run, as long as nothing is selected."""
        text = Text(f"{title}\n" if title else "", style="bold")
        text.append(f"{about}\n" if about else "", style="not bold")
        text.append(("\n" if text else "") + self.texts("nothing selected"), style="dim not bold")
        self.write(text)

    def show_host(self, state: ClusterState, host: str, t: float) -> None:
        known, node = state.hosts.get(host), state.node_of(host)
        text = Text.assemble((f"{self.texts('host')} {host}", "bold"))
        if known is not None and known.site:
            text.append(f"  {self.texts('site')} {known.site}", style="dim")
        if known is not None and known.cpus:
            text.append(f"\n{known.address}  {known.cpus:g} CPU  {known.memory / 1024**3:.1f} GiB", style="dim")
        if known is not None:
            power = "" if known.power else self.texts("no power")
            engine = self.texts("engine up" if known.engine else "engine down")
            text.append(f"\n{power or engine}", style="" if known.power and known.engine else NODES["down"].colour)
        if state.links.cut_off(host):
            text.append(f"  {CUT.sign} {self.texts('cut off')}", style=CUT.colour)
        if node is None:
            text.append(f"\n{self.texts('not in swarm')}", style="dim")
        else:
            colour = NODES[node["status"]].colour if node["status"] in NODES else ""
            text.append(f"\n{node['role']}  {node['status']}", style=colour)
            text.append(f"  {node['avail']}")
            if node["reach"]:
                text.append(f"  {node['reach']}" + ("  leader" if node["leader"] else ""))
            if node["msg"]:
                text.append(f"\n{node['msg']}", style="italic")
        entries = [row for row in state.nodes.values() if row["node"] == host]
        for old in entries[:-1]:
            text.append(f"\n{old.get('id', '')} {old['status']}", style="dim")
        rows = [row for row in state.tasks.values() if row["node"] == host and phase(row) not in ("done", "failed")]
        for row in rows:
            look = TASKS[phase(row, state.lost)]
            text.append(f"\n{look.sign} {name(row)} ", style=look.colour)
            text.append(f"{row['state']} {span(t - row['t'])}", style="dim")
        if not rows:
            text.append(f"\n{self.texts('no tasks')}", style="dim")
        self._networks(text, state, host)
        if lines := certificate_lines(state, host):
            text.append(f"\n{lines}", style="dim")
        self.write(text)

    def _networks(self, text: Text, state: ClusterState, host: str) -> None:
        """The overlays a host is on, and where its load balancers send requests, as ``ipvsadm -ln`` lists it."""
        by_service: dict[tuple[str, str], list[Row]] = {}
        for row in state.balanced.get(host, {}).values():
            by_service.setdefault((row["network"], row["service"]), []).append(row)
        for network, address in state.overlays.get(host, {}).items():
            text.append(f"\n{self.texts('network')} {network}  {address}", style="bold")
            for (on, service), rows in sorted(by_service.items()):
                if on == network:
                    text.append(f"\n IPVS {service} rr")
                    self._destinations(text, state, rows)

    def _destinations(self, text: Text, state: ClusterState, rows: list[Row]) -> None:
        """In red what has no container any more, wherever the load balancer sends."""
        for row in reversed(rows[-MOST_DESTINATIONS:]):
            known = state.tasks.get(row["id"])
            look = TASKS[phase(known, state.lost)] if known is not None else TASKS["failed"]
            text.append(f"\n  {look.sign} ", style=look.colour)
            text.append(f"{row['address']:<11} {row['task']} ", style="" if row["weight"] else "dim")
            text.append(f"{self.texts('weight', n=row['weight'])}", style="dim")
            if not row["weight"]:
                text.append(f" {self.texts('not balanced')}", style="italic dim")
        if len(rows) > MOST_DESTINATIONS:
            text.append(f"\n  {self.texts('more', n=len(rows) - MOST_DESTINATIONS)}", style="dim")

    def show_task(self, state: ClusterState, recording: Recording, task: str, t: float) -> None:
        life = recording.life(task, t)
        if not life:
            self.show_nothing()
            return
        row = life[-1]
        look = TASKS[phase(row, state.lost)]
        text = Text.assemble((f"{name(row)} ", "bold"), (task, "dim"), f"  {row['node'] or '—'}  ")
        text.append(f"{look.sign} {row['state']}", style=look.colour)
        if task not in state.tasks:
            text.append(f" ({self.texts('gone')})", style="dim")
        if task in state.lost:
            text.append(f" {self.texts('why lost')}", style=TASKS["lost"].colour)
        text.append(f"\n{self.texts('image')} {without_digest(row['image'] or '')}", style="dim")
        reason = state.reasons.get(task)
        if reason:
            text.append(f"\n{self.texts('placed')} {row['node']}: {self.texts.told(reason)}", style="dim")
        if row["err"]:
            text.append(f"\n{row['err']}", style=TASKS["failed"].colour)
        text.append(f"\n{self.texts('life')}: ")
        before: tuple[str, str] | None = None
        for step in life:
            now = (step["state"], step["desired"])
            if now != before:
                arrow = "" if before is None else " ─▶ "
                wanted = f" ({step['desired']})" if step["desired"] not in ("running", step["state"]) else ""
                look = TASKS[phase(step)]
                text.append(arrow, style="dim")
                text.append(f"{look.sign} {step['state']}{wanted}", style=look.colour)
                text.append(f" {step['t'] - recording.begin:.1f}", style="dim")
            before = now
        others = [
            other
            for other in state.tasks.values()
            if other["service"] == row["service"] and slot(other) == slot(row) and other["task"] != task
        ]
        if others:
            text.append(f"\n{self.texts('history')}:")
        for other in others:
            look = TASKS[phase(other)]
            text.append(f"\n  {look.sign} {other['task']} {other['node'] or '—'} {other['state']}", style=look.colour)
            text.append(f"  {other['err'] or ''}", style="dim")
        self.write(text)

    def show_service(self, state: ClusterState, service: str) -> None:
        known = state.services.get(service)
        if known is None:
            self.show_nothing()
            return
        rows = [row for row in state.tasks.values() if row["service"] == service]
        running, wanted = state.running(service), state.wanted(service)
        text = Text.assemble((f"{self.texts('service')} {service}", "bold"), f"  {known.mode}")
        text.append(f"\n{self.texts('image')} {without_digest(known.image)}", style="dim")
        text.append(f"\n{running} {self.texts('running')}, {wanted} {self.texts('wanted')}")
        for word, names in (
            ("stack", [known.stack]),
            ("ports", known.ports),
            ("networks", known.networks),
            ("volumes", known.volumes),
        ):
            if any(names):
                text.append(f"\n{self.texts(word)} {' '.join(names)}", style="dim")
        if known.update:
            text.append(f"\n{self.texts('update')}: {known.update}", style="italic")
            text.append(f"\n{known.update_message or ''}", style="dim")
            text.append("\n").append_text(bar(*updated(known, rows), 20))
            text.append(f" {without_digest(known.image)}", style="dim")
        counts: dict[str, int] = {}
        for row in rows:
            counts[phase(row, state.lost)] = counts.get(phase(row, state.lost), 0) + 1
        for found in TASKS:
            if found in counts:
                text.append(f"\n{TASKS[found].sign} {self.texts(found)} {counts[found]}", style=TASKS[found].colour)
        self.write(text)
