"""``swarmsim watch``: a cluster one watches, breaks, rewinds.

The app is thin: a :class:`~swarmsim.tui.player.Player` has the time and the rows, each frame the panels are given the picture
of the moment shown, and keys become seeks or actions. Messages go up, data goes down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from textual.app import SystemCommand
from textual.screen import Screen
from textual.widgets import Input

from swarmsim.trace.reader import TraceError
from swarmsim.tui.actions import Doing
from swarmsim.tui.clustermap import ClusterMap
from swarmsim.tui.desk import DeskScreen
from swarmsim.tui.keys import ACTIONS, KEY_NAMES, KEYS, WHILE_TYPING
from swarmsim.tui.panels import SORTS, TaskRow, TaskTable
from swarmsim.tui.prompt import Prompt
from swarmsim.tui.rows import RowList
from swarmsim.tui.screens import Broken, HelpScreen, Question
from swarmsim.tui.services import SERVICE_SORTS, ServiceRow, ServiceTable
from swarmsim.tui.stage import PANELS
from swarmsim.tui.themes import DARK, LIGHT
from swarmsim.tui.timebar import TimeBar

FRAMES = 30
"""Looks a second whether there is something to draw."""


class WatchApp(Doing):
    """Time, the prompt, and what one looks at; ``text`` is the scenario's, to be saved with what was done; ``where`` is the folder to
    save to."""

    _last = 0.0
    _told_crash = _told_idle = False

    def on_mount(self) -> None:
        self._last = self._clock()
        self.set_interval(1 / FRAMES, self.frame)
        # Behind it the map has the focus by then. Time passes once the task was read.
        if self.desk is not None:
            self.call_after_refresh(self.action_desk)

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
        self.draw(now)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are the app's, unless a dialog is open or a line is typed."""
        if action == "desk" and self.desk is None:
            return False
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
        table.sort = _following(table.sort, SORTS)
        self._tasks_changed(table)

    def _sort_services(self, services: ServiceTable) -> None:
        services.sort = _following(services.sort, SERVICE_SORTS)
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

    # -- the exercise

    def action_desk(self) -> None:
        """The exercise: its text, how far it is solved, questions, hints."""
        loaded = self.player.future.loaded
        if self.desk is None:
            self.notify(self.texts("exercise none"))
        elif loaded is not None:
            scenario = loaded.scenario
            about = " ".join(scenario.about.split())
            screen = DeskScreen(self.texts, self.desk, self.player, scenario.title or scenario.name, about)
            self.push_screen(screen, lambda _: self._begin())

    def _begin(self) -> None:
        """The first time the task is put aside, time begins to pass."""
        if self.player.recording.latest.begin is None:
            self.player.play(True)

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


def _following(sort: str, sorts: Iterable[str]) -> str:
    """The one after it, in turn."""
    names = list(sorts)
    return names[(names.index(sort) + 1) % len(names)]


def _call(method: Callable[..., object], *arguments: Any) -> Callable[[], None]:
    def run() -> None:
        method(*arguments)

    return run
