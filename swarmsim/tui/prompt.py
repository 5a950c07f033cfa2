"""The prompt: a docker command on a host, with completion and history, and what docker answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from swarmsim.docker.complete import completions
from swarmsim.replay.looks import TASKS

MOST_LINES = 12


class Completer(Suggester):
    """Completes the last word; ``names`` tells the nodes and services there are now."""

    def __init__(self, names: Callable[[], tuple[Sequence[str], Sequence[str]]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        return self.complete(value)

    def complete(self, value: str) -> str | None:
        """The line with its last word completed, if it can be."""
        found = completions(value, *self._names())
        if not found or not value:
            return None
        last = value.split(" ")[-1]
        return value + found[0][len(last) :]


class _Line(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    def action_complete(self) -> None:
        if isinstance(self.suggester, Completer):
            completed = self.suggester.complete(self.value)
            if completed is not None:
                self.value = completed
                self.cursor_position = len(completed)

    def action_recall(self, by: int) -> None:
        prompt = self.parent
        if isinstance(prompt, Prompt):
            self.value = prompt.recalled(by)
            self.cursor_position = len(self.value)


class Prompt(Vertical):
    """Shown while one types. :class:`Typed` is posted with each command; :meth:`answer` shows what came of it."""

    class Typed(Message):
        """A command, without the word docker."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    def __init__(self, names: Callable[[], tuple[Sequence[str], Sequence[str]]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names
        self.history: list[str] = []
        self._place = 0

    def compose(self) -> ComposeResult:
        yield Static(id="answer")
        yield _Line(suggester=Completer(self._names), id="line", compact=True)

    @property
    def line(self) -> Input:
        return self.query_one("#line", Input)

    def open(self, host: str, title: str) -> None:
        """Let the user type."""
        self.display = True
        self.border_title = title
        self.line.placeholder = f"{host}$ docker …"
        self.line.focus()

    def close(self) -> None:
        self.display = False

    def recalled(self, by: int) -> str:
        """A command typed before, or the empty line after the last."""
        self._place = min(max(self._place + by, 0), len(self.history))
        return self.history[self._place] if self._place < len(self.history) else ""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        command = event.value.strip().removeprefix("docker ").strip()
        if command:
            self.history.append(command)
            self._place = len(self.history)
            self.line.value = ""
            self.query_one("#answer", Static).update(Text(f"docker {command} …", style="dim"))
            self.post_message(self.Typed(command))

    def answer(self, command: str, out: str, err: str, code: int) -> None:
        """Show docker's words. A command with a mistake is there again, to be mended."""
        parts = [Text(f"$ docker {command}", style="dim")]
        for words, style, table in ((out, "", True), (err, TASKS["failed"].colour, False)):
            lines = words.splitlines()
            shown = lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more"]
            if shown:
                # A table is cut at the edge rather than wrapped; of an error every word counts.
                parts.append(Text("\n".join(shown), style, no_wrap=table, overflow="ellipsis" if table else "fold"))
        self.query_one("#answer", Static).update(Group(*parts))
        if code and not self.line.value:
            self.line.value = command
            self.line.cursor_position = len(command)

    def complain(self, problem: str) -> None:
        """Show why nothing was done."""
        self.query_one("#answer", Static).update(Text(problem, style=TASKS["failed"].colour))
        if self.history and not self.line.value:
            self.line.value = self.history[-1]
            self.line.cursor_position = len(self.line.value)
