"""``swarmsim watch``: a cluster one watches, breaks, rewinds.

The app is thin: a :class:`~swarmsim.tui.player.Player` has the time and the rows, each frame the panels are given the picture
of the moment shown, and keys become seeks or actions. Messages go up, data goes down.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from swarmsim.replay.looks import LEADER, NODES, TASKS, phase
from swarmsim.replay.recording import Recording
from swarmsim.replay.timeline import watch_time
from swarmsim.trace.reader import TraceError
from swarmsim.trace.state import ClusterState, name
from swarmsim.tui.clustermap import ClusterMap
from swarmsim.tui.keys import ACTIONS, KEY_NAMES, KEYS, SEEKS, WHILE_TYPING
from swarmsim.tui.page import Page
from swarmsim.tui.panels import SORTS, Details, RaftPanel, Story, TaskRow, TaskTable
from swarmsim.tui.player import Future, Player
from swarmsim.tui.prompt import Prompt
from swarmsim.tui.rows import RowList
from swarmsim.tui.screens import AskName, AskSeed, Broken, Compare, HelpScreen, Question
from swarmsim.tui.services import SERVICE_SORTS, ServiceRow, ServiceTable, StackTable
from swarmsim.tui.session import ShellSession
from swarmsim.tui.texts import Texts
from swarmsim.tui.themes import DARK, LIGHT
from swarmsim.tui.timebar import TimeBar

FRAMES = 30
"""Looks a second whether there is something to draw."""
PATIENCE = 3.0
"""The panels are drawn anew after so many times as long as it took: of a large cluster a few times a second, so that time and
keys are never held up for long."""
SMALL = (100, 30)
"""Below this many columns or lines, one panel is shown beside the map, not all."""
TINY = (60, 18)
LARGE = (180, 50)
"""From this many columns and lines on there is room for every panel at once."""
PANELS = ("map", "tasks", "raft", "story", "details", "services", "stacks")
ASIDE = ("services", "stacks")
"""Panels shown in the place of the tasks, unless the screen is large."""


class WatchApp(App[None]):
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
    ) -> None:
        super().__init__()
        self.player = player
        self.texts = texts
        self.scenario_title = title
        self.scenario_text = text
        self.where = where
        self.playing = playing
        self.frames = 0
        self.selected: tuple[str, str] | None = None
        self._clock = clock
        self._last = clock()
        self._shown: tuple[Any, ...] = ()
        self._stale = self._moved = True
        self._drawn = self._cost = 0.0
        self._tenths = True
        self._balance = (0, 0)
        self._kept: dict[str, int] = {}
        """How many deeds of each future are saved."""
        self.session = ShellSession(player, texts, lambda: self.host)
        self._told_crash = self._told_idle = False
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
        self.query_one("#details").can_focus = True
        self.screen.add_class("-show-tasks")
        self.screen.set_focus(self.query_one("#map"))
        # What is drawn line by line has the theme's colours in it.
        self.theme_changed_signal.subscribe(self, lambda theme: self.call_after_refresh(self.show))
        self._fit(self.size)
        self.player.play(self.playing)
        self.set_interval(1 / FRAMES, self.frame)

    def _title(self, panel: str) -> str:
        """With the key that goes there."""
        return f"{PANELS.index(panel) + 1} {self.texts(panel)}"

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
        words = [
            f"{PANELS.index(panel) + 1} {self.texts(f'{panel} short' if panel in ASIDE else panel)}" for panel in hidden
        ]
        screen.query_one("#map").border_subtitle = "  ".join(words)

    def _is_shown(self, panel: str) -> bool:
        """Whether there is room for a panel, as app.tcss has it."""
        screen = self.screen_stack[0]
        if screen.has_class(f"-show-{panel}") or screen.has_class("-large"):
            return True
        aside = any(screen.has_class(f"-show-{other}") for other in ASIDE)
        return not screen.has_class("-small") and panel not in ASIDE and not (panel == "tasks" and aside)

    def frame(self) -> None:
        """Let time pass and show what is the case now."""
        if not self.screen_stack or not self.screen_stack[0].is_running:
            return  # it is being closed
        now = self._clock()
        self.player.tick(now - self._last)
        self._last = now
        self._answer_prompt()
        if self.player.crash and not self._told_crash:
            self._told_crash = True
            self._tell_crash()
        self.frames += 1
        player = self.player
        if player.idle is not None and not self._told_idle:
            self._tell_idle(player.idle)
        self._told_idle = player.idle is not None
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
        if not moved:
            return
        screen.query_one("#map", ClusterMap).put(state)
        for table in (screen.query_one("#services", ServiceTable), screen.query_one("#stacks", StackTable)):
            if table.display:
                table.show_state(state)
        screen.query_one("#story", Story).show_story(recording, player.t)

    def _show_details(self, state: ClusterState, recording: Recording) -> None:
        details = self.screen_stack[0].query_one("#details", Details)
        if self.selected is None:
            details.show_nothing()
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
        future = f"{t('future')} {player.future.name} " if len(player.futures) > 1 else ""
        seed = f"{t('seed')} {player.future.seed_now} " if not player.recorded else ""
        text.append(f" {future}{seed}{self.scenario_title}", style="dim")
        return text

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are the app's, unless a dialog is open or a line is typed."""
        typing = isinstance(self.focused, Input) and action not in WHILE_TYPING
        if action in ACTIONS and (typing or len(self.screen_stack) > 1):
            return False
        return super().check_action(action, parameters)

    # -- what is selected

    def on_cluster_map_selected(self, event: ClusterMap.Selected) -> None:
        self.selected = ("host", event.host)
        self.show()
        if event.chosen:
            self._show_panel("details")

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        if isinstance(event.item, TaskRow):
            row = event.item.row
            self.selected = ("service", event.item.service) if row is None else ("task", row["task"])
        elif isinstance(event.item, ServiceRow):
            self.selected = ("service", event.item.service.name)
        else:
            return
        self.show()
        if event.chosen:
            self._show_panel("details")

    def on_time_bar_sought(self, event: TimeBar.Sought) -> None:
        self.player.seek(event.t)

    @property
    def host(self) -> str | None:
        """The host that keys and commands are about."""
        return self.query_one("#map", ClusterMap).selected

    # -- time

    def _tell_idle(self, seconds: float) -> None:
        """Nothing happens by itself any more, or not soon: the next event may be years away."""
        if seconds == math.inf:
            self.notify(self.texts("nothing ever"))
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.player.next(far=True)

        self.push_screen(Question(self.texts, self.texts("nothing more", hours=f"{seconds / 3600:g}")), answered)

    def action_play(self) -> None:
        self.player.play()

    def action_next(self) -> None:
        self.player.play(False)
        self.player.next()

    def action_previous(self) -> None:
        self.player.play(False)
        self.player.previous()

    def action_seek(self, by: float) -> None:
        self.player.play(False)
        self.player.seek(self.player.t + by)

    def action_begin(self) -> None:
        self.player.play(False)
        self.player.seek(self.player.recording.begin)

    def action_now(self) -> None:
        self.player.seek(self.player.future.known)

    def action_faster(self, by: int) -> None:
        self.player.faster(by)

    def action_skip(self) -> None:
        self.player.skipping = not self.player.skipping
        self.player.play(True)

    def action_branch(self) -> None:
        self.player.play(False)  # it begins at the moment the dialog names
        at = watch_time(self.player.since_begin)

        def answered(seed: int | None) -> None:
            if seed is not None and self._act(seed=seed):
                self.notify(self.texts("branch made", name=self.player.future.name, t=at, seed=seed))

        self.push_screen(AskSeed(self.texts, at, self.player.future.seed + len(self.player.futures)), answered)

    def action_compare(self) -> None:
        if len(self.player.futures) < 2:
            self.notify(self.texts("only one"), severity="warning")
            return

        def chosen(future: Future | None) -> None:
            if future is not None:
                self.player.switch(future)

        self.push_screen(Compare(self.texts, self.player.futures, self.player.future), chosen)

    # -- doing

    def _act(self, **action: Any) -> bool:
        """Do it at the moment shown; whether it can be done."""
        try:
            made = self.player.act(**action)
        except ValueError as problem:
            self.notify(self._refusal(problem), severity="warning")
            return False
        if made is not None and "seed" not in action:
            at = watch_time(made.forked - made.recording.begin)
            self.notify(self.texts("branch act", name=made.name, t=at))
        return True

    def _refusal(self, problem: ValueError) -> str:
        """Why the player does not do something, in the user's language where it is the player who says so."""
        reason = str(problem)
        return self.texts(reason) if reason in ("record", "forming") else reason

    def _break(self, what: str, host: str, action: dict[str, Any]) -> None:
        """Do what takes a host away, after a question if that costs the quorum."""
        state = self.player.state
        managers = state.managers()
        up = [name for name in state.managers_up() if not state.links.cut_off(name)]
        majority = len(managers) // 2 + 1
        left = len([name for name in up if name != host])
        if host not in up or left >= majority or self.player.recorded:
            self._act(**action)
            return
        question = self.texts(
            "sure quorum", what=self.texts.told(what), left=left, all=len(managers), majority=majority
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(**action)

        self.push_screen(Question(self.texts, question), answered)

    def _chosen_host(self) -> str | None:
        if self.host is None:
            self.notify(self.texts("select host"), severity="warning")
        return self.host

    def action_power(self) -> None:
        host = self._chosen_host()
        known = self.player.state.hosts.get(host or "")
        if host is None or known is None:
            return
        if known.power:
            self._break(f"power off {host}", host, {"fault": {"power-off": host}})
        else:
            self._act(fault={"power-on": host})

    def action_engine(self) -> None:
        host = self._chosen_host()
        known = self.player.state.hosts.get(host or "")
        if host is None or known is None:
            return
        if known.engine and known.power:
            self._break(f"kill engine {host}", host, {"fault": {"kill-engine": host}})
        else:
            self._act(fault={"start-engine": host})

    def action_cut(self) -> None:
        host = self._chosen_host()
        if host is None:
            return
        groups = [list(group) for group in self.player.state.links.isolated]
        if [host] in groups:
            groups.remove([host])
            self._act(fault={"partition": groups} if groups else {"heal": "all"})
        else:
            self._break(f"cut off {host}", host, {"fault": {"partition": [*groups, [host]]}})

    def action_heal(self) -> None:
        self._act(fault={"heal": "all"})

    def action_drain(self) -> None:
        host = self._chosen_host()
        if host is None:
            return
        node = self.player.state.node_of(host)
        availability = "active" if node is not None and node["avail"] == "drain" else "drain"
        self._act(docker=f"node update --availability {availability} {host}")

    def action_kill(self) -> None:
        state = self.player.state
        if self.selected is not None and self.selected[0] == "task":
            row = state.tasks.get(self.selected[1])
            if row is not None and phase(row) == "running":
                self._act(fault={"kill-container": name(row)})
                return
        host = self._chosen_host()
        running = [row for row in state.tasks_by_host().get(host or "", ()) if phase(row) == "running"]
        if not running:
            self.notify(self.texts("no container"), severity="warning")
            return
        self._act(fault={"kill-container": name(running[0])})

    def action_save(self) -> None:
        if self.player.recorded:
            self.notify(self.texts("record"), severity="warning")
            return
        future = self.player.future
        assert future.loaded is not None
        self.player.play(False)
        name = f"{future.loaded.scenario.name}-watched"
        names = (name if n == 1 else f"{name}-{n}" for n in count(1))
        free = next(name for name in names if not (self.where / f"{name}.yaml").exists())

        def answered(name: str | None) -> None:
            if name is not None:
                self._save(name)

        self.push_screen(AskName(self.texts, free, self.where), answered)

    def _save(self, name: str) -> None:
        future, path = self.player.future, self.where / f"{name}.yaml"
        try:
            self.where.mkdir(exist_ok=True, parents=True)
            path.write_text(self.player.scenario_text(self.scenario_text, name), encoding="utf-8")
            # As a run of it would call it, so that the one is not taken for the other.
            self.player.save_trace(self.where / f"{name}-{future.seed}.jsonl", name)
        except (OSError, TraceError) as problem:
            self.notify(str(problem), severity="error")
            return
        self._kept[future.name] = len(future.actions)
        command = f"swarmsim run {path} --seed {future.seed}"
        self.notify(self.texts("saved", path=path.resolve(), command=command), timeout=12)

    @property
    def _unsaved(self) -> bool:
        """Whether something was done by hand that is nowhere written down."""
        return any(len(future.actions) > self._kept.get(future.name, 0) for future in self.player.futures)

    def action_leave(self) -> None:
        """Quit; what was done by hand is asked about first."""
        if not self._unsaved:
            self.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        self.push_screen(Question(self.texts, self.texts("sure quit")), answered)

    # -- the prompt

    def action_prompt(self) -> None:
        self.query_one("#prompt", Prompt).open()

    def on_prompt_entered(self, event: Prompt.Entered) -> None:
        prompt = self.query_one("#prompt", Prompt)
        entry = self.session.enter(event.line)
        if self.session.closed:
            self.session.closed = False
            self.action_close()
        elif entry.bad:
            prompt.failed(entry.line)
        prompt.show()

    def _answer_prompt(self) -> None:
        """Show what docker answered to what was typed, as it does."""
        prompt = self.query_one("#prompt", Prompt)
        for entry in self.session.tick():
            if entry.job is not None and entry.job.code and entry is self.session.entries[-1]:
                prompt.failed(entry.line)
        if prompt.display:
            prompt.show()

    def action_interrupt(self) -> None:
        """Ctrl+C is the command's that runs; if none does, it says how to quit."""
        if not self.session.interrupt():
            self.notify(self.texts("quit how"))

    def action_close(self) -> None:
        self.query_one("#prompt", Prompt).close()
        find = self.query_one("#find", Input)
        find.value = ""
        find.display = False
        self.screen.set_focus(self.query_one("#map"))

    # -- looking

    def action_panel(self, number: int) -> None:
        self._show_panel(PANELS[number])
        self.screen.set_focus(self.query_one(f"#{PANELS[number]}"))

    def _show_panel(self, panel: str) -> None:
        """On a small screen, show this one beside the map."""
        if panel == "map":
            return
        for other in PANELS:
            self.screen_stack[0].set_class(other == panel, f"-show-{other}")
        self._tell_hidden()
        self._stale = self._moved = True

    def action_only_running(self) -> None:
        table = self.query_one("#tasks", TaskTable)
        table.only_running = not table.only_running
        self._tasks_changed(table)

    def action_history(self) -> None:
        table = self.query_one("#tasks", TaskTable)
        table.whole_history = not table.whole_history
        self._tasks_changed(table)

    def action_logs(self) -> None:
        """What docker says of the task or service that is selected."""
        if self.selected is None or self.selected[0] == "host":
            self.notify(self.texts("select task"), severity="warning")
            return
        self.action_prompt()
        self.query_one("#prompt", Prompt).post_message(Prompt.Entered(f"service logs {self.selected[1]}"))

    def action_sort(self) -> None:
        if isinstance(self.focused, ServiceTable):
            self._sort_services(self.focused)
            return
        table = self.query_one("#tasks", TaskTable)
        names = list(SORTS)
        table.sort = names[(names.index(table.sort) + 1) % len(names)]
        self._tasks_changed(table)

    def _sort_services(self, services: ServiceTable) -> None:
        names = list(SERVICE_SORTS)
        services.sort = names[(names.index(services.sort) + 1) % len(names)]
        services.border_title = f"{self._title('services')} · {self.texts('key sort')}: {self.texts(services.sort)}"
        services.show_state(self.player.state)

    def action_follow(self) -> None:
        table = self.query_one("#tasks", TaskTable)
        table.following = not table.following
        self._tasks_changed(table)

    def _tasks_changed(self, table: TaskTable) -> None:
        marks = [self._title("tasks")]
        marks += [self.texts("key only running")] if table.only_running else []
        marks += [self.texts("key history")] if table.whole_history else []
        marks += [self.texts("key follow")] if table.following else []
        marks += [f"{self.texts('key sort')}: {self.texts(table.sort)}"] if table.sort != "name" else []
        marks += [f"/{table.wanted}"] if table.wanted else []
        table.border_title = " · ".join(marks)
        table.show_state(self.player.state, self.player.t)

    def action_find(self) -> None:
        find = self.query_one("#find", Input)
        find.display = True
        self.screen.set_focus(find)  # at once: the next key is its

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "find":
            table = self.query_one("#tasks", TaskTable)
            table.wanted = event.value.strip()
            self._tasks_changed(table)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "find":
            event.input.display = False
            self.screen.set_focus(self.query_one("#tasks"))

    def action_theme(self) -> None:
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_help(self) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for group, key, _, about, _ in KEYS:
            groups.setdefault(group, []).append((KEY_NAMES.get(key, key), self.texts(about)))
        self.push_screen(HelpScreen(self.texts, groups))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for _, key, action, about, _ in KEYS:
            name, _, argument = action.partition("(")
            method = getattr(self, f"action_{name}")
            arguments = (int(argument[:-1]),) if argument else ()
            told = self.texts(f"about {about.removeprefix('key ')}")
            yield SystemCommand(self.texts(about), f"{KEY_NAMES.get(key, key)}  {told}", _call(method, *arguments))
        yield from super().get_system_commands(screen)

    # -- the end

    def _tell_crash(self) -> None:
        future = self.player.future
        stem = future.loaded.scenario.name if future.loaded is not None else "trace"
        path = self.where / f"{stem}-{future.seed}-crash.jsonl"
        try:
            self.where.mkdir(exist_ok=True)
            self.player.save_trace(path)
            where = str(path)
        except (OSError, TraceError) as problem:
            where = str(problem)
        self.push_screen(Broken(self.texts("crash", problem=self.player.crash.strip(), path=where)))

    def on_unmount(self) -> None:
        self.player.close()


def _call(method: Callable[..., object], *arguments: Any) -> Callable[[], None]:
    def run() -> None:
        method(*arguments)

    return run
