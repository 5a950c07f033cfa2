"""What ``swarmsim watch`` looks like: panels, which of them there is room for, and when they are drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widgets import Footer, Input, Static

from swarmsim.exercise.watched import Desk
from swarmsim.replay.looks import LEADER, NODES, TASKS
from swarmsim.replay.recording import Recording
from swarmsim.replay.timeline import watch_time
from swarmsim.trace.state import ClusterState
from swarmsim.tui.certificates import PkiPanel
from swarmsim.tui.clustermap import ClusterMap
from swarmsim.tui.keys import KEY_NAMES, KEYS, SEEKS
from swarmsim.tui.packets import GossipPanel, TrafficPanel
from swarmsim.tui.page import Page
from swarmsim.tui.panels import Details, RaftPanel, Story, TaskTable
from swarmsim.tui.player import Player
from swarmsim.tui.prompt import Prompt
from swarmsim.tui.services import ServiceTable, StackTable
from swarmsim.tui.session import ShellSession
from swarmsim.tui.texts import Texts
from swarmsim.tui.themes import DARK, LIGHT
from swarmsim.tui.timebar import TimeBar

PATIENCE = 3.0
"""The panels are drawn anew after so many times as long as it took: of a large cluster a few times a second, so that time and
keys are never held up for long."""
SMALL = (100, 30)
"""Below this many columns or lines, one panel is shown beside the map, not all."""
TINY = (60, 18)
LARGE = (180, 50)
"""From this many columns and lines on there is room for every panel at once."""
PANELS = ("map", "tasks", "raft", "story", "details", "services", "stacks", "traffic", "gossip", "pki")
ASIDE = ("services", "stacks", "traffic", "gossip", "pki")
"""Panels shown in the place of the tasks; on a large screen beside them."""
IN_TURN = ("traffic", "gossip", "pki")
"""Of those, the ones that take the place of services and stacks on a large screen."""


def number_of(panel: str) -> int:
    """The key that leads to a panel: 1 to 9, the tenth 0."""
    return (PANELS.index(panel) + 1) % 10


class Stage(App[None]):
    """``text`` is the scenario's, to be saved with what was done; ``where`` is the folder to save to."""

    CSS_PATH = "app.tcss"
    TITLE = "swarmsim"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, as those of the panels, keys do their work in the order they are typed, whatever has the focus.
        *(Binding(key, action, show=False, priority=True) for key, action in SEEKS),
        Binding("ctrl+c", "interrupt", show=False),
    ]

    def __init__(
        self,
        player: Player,
        texts: Texts,
        *,
        title: str,
        text: str = "",
        where: Path = Path("runs"),
        playing: bool = True,
        clock: Callable[[], float] = time.monotonic,
        desk: Desk | None = None,
    ) -> None:
        super().__init__()
        self.desk = desk
        self._answers_kept = desk.given if desk is not None else {}
        self.player = player
        self.texts = texts
        self.scenario_title = title
        self.scenario_text = text
        self.where = where
        self.playing = playing
        self.frames = 0
        self.selected: tuple[str, str] | None = None
        self._clock = clock
        self._shown: tuple[Any, ...] = ()
        self._stale = self._moved = True
        self._drawn = self._cost = 0.0
        self._tenths = True
        self._balance = (0, 0)
        self._kept: dict[str, int] = {}
        """How many actions of each future are saved."""
        self.session = ShellSession(player, texts, lambda: self.host)
        for _, key, action, about, shown in KEYS:
            shows = KEY_NAMES.get(key, key)
            self._bindings.bind(key, action, texts(about), show=shown, key_display=shows, priority=True)

    # -- the screen

    def compose(self) -> ComposeResult:
        yield Page(id="status")
        with Horizontal(id="panels"):
            with Vertical(id="left"):
                yield ClusterMap(self.texts, id="map")
                yield TaskTable(self.texts, id="tasks")
                yield ServiceTable(self.texts, id="services")
                yield StackTable(self.texts, id="stacks")
                yield TrafficPanel(self.texts, id="traffic")
                yield GossipPanel(self.texts, id="gossip")
                yield PkiPanel(self.texts, id="pki")
                yield Story(self.texts, id="story")
            with Vertical(id="right"):
                yield RaftPanel(self.texts, id="raft")
                yield Details(self.texts, id="details")
        yield TimeBar(id="timebar")
        yield Input(placeholder=self.texts("filter prompt"), id="find", compact=True)
        yield Prompt(self.session, self.texts, id="prompt")
        yield Static(id="small")
        yield Footer()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        for panel in PANELS:
            self.query_one(f"#{panel}").border_title = self._title(panel)
        self.query_one("#raft", RaftPanel).messages = self.player.messages
        self.query_one("#raft").can_focus = True
        for panel in ("details", *IN_TURN):
            self.query_one(f"#{panel}").can_focus = True
        self.screen.add_class("-show-tasks")
        self.screen.set_focus(self.query_one("#map"))
        # What is drawn line by line has the theme's colours in it.
        self.theme_changed_signal.subscribe(self, lambda theme: self.call_after_refresh(self.show))
        self._fit(self.size)
        self.player.play(self.playing)

    def _title(self, panel: str) -> str:
        """With the key that goes there."""
        return f"{number_of(panel)} {self.texts(panel)}"

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        width, height = size
        screen = self.screen_stack[0]
        screen.set_class(width < SMALL[0] or height < SMALL[1], "-small")
        screen.set_class(width >= LARGE[0] and height >= LARGE[1], "-large")
        tiny = width < TINY[0] or height < TINY[1]
        screen.set_class(tiny, "-tiny")
        if tiny:
            screen.query_one("#small", Static).update(self.texts("too small", w=width, h=height))
        self._shown = ()
        self._tell_hidden()

    def _tell_hidden(self) -> None:
        """Say on the map which keys show the panels there is no room for."""
        screen = self.screen_stack[0]
        hidden = [panel for panel in PANELS[1:] if not self._is_shown(panel)]
        words = [f"{number_of(panel)} {self.texts(f'{panel} short' if panel in ASIDE else panel)}" for panel in hidden]
        screen.query_one("#map").border_subtitle = "  ".join(words)

    def _is_shown(self, panel: str) -> bool:
        """Whether there is room for a panel, as app.tcss has it."""
        screen = self.screen_stack[0]
        if screen.has_class(f"-show-{panel}"):
            return True
        if screen.has_class("-large"):
            in_turn = any(screen.has_class(f"-show-{other}") for other in IN_TURN)
            return panel not in IN_TURN and not (in_turn and panel in ASIDE)
        aside = any(screen.has_class(f"-show-{other}") for other in ASIDE)
        return not screen.has_class("-small") and panel not in ASIDE and not (panel == "tasks" and aside)

    def draw(self, now: float) -> None:
        """Show what is the case, if it is not what is shown; ``now`` in seconds of the wall clock."""
        player = self.player
        recording = player.recording
        place = recording.place(player.t)
        # A clock that runs shows seconds, unless time is slow or an election is counted down to.
        self._tenths = not player.playing or player.speed < 1 or player.state.counting
        grain = 10 if self._tenths else 1
        moving, known = int(player.since_begin * grain), int(self._known * grain)
        rows = (id(recording), place, self.selected, self.size)
        panels = (*rows, moving // grain)
        shown = (*panels, moving, known, player.known_key, player.playing, player.speed)
        if shown == self._shown and not self._stale:
            return
        self._moved = self._moved or self._shown[: len(rows)] != rows
        self._stale = self._stale or self._shown[: len(panels)] != panels
        self._shown = shown
        if self._stale and now - self._drawn >= PATIENCE * self._cost:
            self.show(moved=self._moved)
            self._drawn = self._clock()
            self._cost, self._stale, self._moved = self._drawn - now, False, False
        else:
            self.show(fresh=False)

    @property
    def _known(self) -> float:
        """Until when the time line goes: what is known ahead of now is no past yet."""
        return self.player.t if self.player.at_end else self.player.future.known

    def show(self, *, fresh: bool = True, moved: bool = True) -> None:
        """Draw the moment; with ``fresh`` the panels too, not only the time; unless something has ``moved``, only those that tell
        how long something has lasted."""
        screen = self.screen_stack[0]
        player = self.player
        state, recording = player.state, player.recording
        if fresh:
            self._balance = state.balance()
        screen.query_one("#status", Page).write(self._status(state))
        screen.query_one("#timebar", TimeBar).show_time(recording, player.t, self._known)
        raft = screen.query_one("#raft", RaftPanel)
        if fresh or state.counting or raft.messages:
            raft.show_state(state, player.t)
        if not fresh:
            return
        screen.query_one("#tasks", TaskTable).show_state(state, player.t)
        self._show_details(state, recording)
        traffic = screen.query_one("#traffic", TrafficPanel)
        if traffic.display:
            traffic.show_traffic(recording, state, player.t)
        certificates = screen.query_one("#pki", PkiPanel)
        if certificates.display:
            certificates.show_state(state, player.t)
        if not moved:
            return
        gossip = screen.query_one("#gossip", GossipPanel)
        if gossip.display:
            gossip.show_state(state)
        screen.query_one("#map", ClusterMap).put(state)
        for table in (screen.query_one("#services", ServiceTable), screen.query_one("#stacks", StackTable)):
            if table.display:
                table.show_state(state)
        screen.query_one("#story", Story).show_story(recording, player.t)

    def _show_details(self, state: ClusterState, recording: Recording) -> None:
        details = self.screen_stack[0].query_one("#details", Details)
        if self.selected is None:
            details.show_nothing(recording.header.get("title") or "", recording.header.get("about") or "")
            return
        kind, which = self.selected
        if kind == "host":
            details.show_host(state, which, self.player.t)
        elif kind == "service":
            details.show_service(state, which)
        else:
            details.show_task(state, recording, which, self.player.t)

    def _status(self, state: ClusterState) -> Text:
        t, player = self.texts, self.player
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        sign = "▶" if player.playing else "‖"
        text.append(f"{sign} {watch_time(player.since_begin, tenths=self._tenths)} ", style="bold")
        text.append(f"{t('skipping')} " if player.skipping else f"{player.speed:g}× ", style="dim")
        if player.opening is not None:
            text.append(f"{t('opening')} {player.opening:.0%} ", style=TASKS["waiting"].colour)
        elif player.busy:
            text.append(f"{t('catching up')} ", style=TASKS["waiting"].colour)
        else:
            where = "recorded" if player.recorded else "live" if player.at_end else "past"
            text.append(f"{t(where)} ", style="bold" if where == "live" else "italic")
        leader = state.leader
        if state.begin is None and not player.recorded:
            text.append(f" {t('forming short')} ", style=TASKS["starting"].colour)
        elif not state.nodes:
            text.append(f" {t('no swarm')} ", style=TASKS["waiting"].colour)
        elif state.quorum is not None and not state.quorum["quorum"]:
            text.append(f" {t('no quorum')} ", style=f"reverse {NODES['down'].colour}")
        elif leader is not None:
            text.append(f" {LEADER.sign} {leader} ", style=LEADER.colour)
        else:
            text.append(f" {t('no leader')} ", style=NODES["down"].colour)
        if not state.answering:
            text.append(f"{t('no answer')} ", style=NODES["unknown"].colour)
        running, wanted = self._balance
        text.append(f" {running}/{wanted} ", style=TASKS["running" if running >= wanted else "waiting"].colour)
        if believed := state.believed():
            text.append(f" {t.told(believed)} ", style=f"bold {TASKS['lost'].colour}")
        if self.desk is not None:
            points = self.desk.points(player.recording, player.t, player.future.known)
            left = max(0, int(self.desk.exercise.limit - player.since_begin))
            told = t(
                "exercise status", points=points, of=self.desk.exercise.points, left=watch_time(left, tenths=False)
            )
            text.append(f" {told} ", style="bold" if left else f"bold {NODES['down'].colour}")
        future = f"{t('future')} {player.future.name} " if len(player.futures) > 1 else ""
        seed = f"{t('seed')} {player.future.seed_now} " if player.future.loaded is not None else ""
        text.append(f" {future}{seed}{self.scenario_title}", style="dim")
        return text

    @property
    def host(self) -> str | None:
        """The host that keys and commands are about."""
        return self.query_one("#map", ClusterMap).selected

    def _show_panel(self, panel: str) -> None:
        """On a small screen, show this one beside the map."""
        if panel == "map":
            return
        for other in PANELS:
            self.screen_stack[0].set_class(other == panel, f"-show-{other}")
        self._tell_hidden()
        self._stale = self._moved = True
