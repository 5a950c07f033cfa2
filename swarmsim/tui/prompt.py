"""The prompt: a line to type, what was typed before with its answers, and words a line may be completed with.

What lines mean and what runs is the :class:`~swarmsim.tui.session.ShellSession`'s; this draws it.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from swarmsim.replay.looks import TASKS
from swarmsim.tui.session import Entry, ShellSession
from swarmsim.tui.shell import said_after_host
from swarmsim.tui.texts import Texts

MOST_CHOICES = 60
MOST_ENTRIES = 100
"""So many answers can be scrolled back to."""


def _stem(line: str) -> str:
    """A line without its last word."""
    return line[: line.rfind(" ") + 1]


class _Ghost(Suggester):
    """Shows how the last word may go on, while one types."""

    def __init__(self, session: ShellSession) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._session = session

    async def get_suggestion(self, value: str) -> str | None:
        found = self._session.complete(value) if value else []
        return _stem(value) + found[0] if found else None


class _Line(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", show=False),
        Binding("shift+tab", "complete(-1)", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
        Binding("ctrl+r", "search", show=False),
        Binding("ctrl+c", "interrupt", show=False),
        Binding("ctrl+l", "clear_answers", show=False),
    ]

    @property
    def prompt(self) -> Prompt:
        assert isinstance(self.parent, Prompt)
        return self.parent

    def put(self, value: str) -> None:
        self.value = value
        self.cursor_position = len(value)

    def action_complete(self, by: int) -> None:
        self.prompt.complete(by)

    def action_recall(self, by: int) -> None:
        self.put(self.prompt.recalled(by))

    def action_search(self) -> None:
        self.prompt.search()

    def action_interrupt(self) -> None:
        self.prompt.interrupt()

    def action_clear_answers(self) -> None:
        self.prompt.session.enter("clear")
        self.prompt.show()


class Prompt(Vertical):
    """Shown while one types. :class:`Entered` is posted with each line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll_answers(-1)", show=False),
        Binding("pagedown", "scroll_answers(1)", show=False),
        Binding("ctrl+c", "interrupt", show=False),
    ]

    class Entered(Message):
        """A line, as it was typed."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def __init__(self, session: ShellSession, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self.texts = texts
        self._place = 0
        self._cycle: list[str] = []
        self._turn = -1
        self._stem = self._common = ""
        self._needle: str | None = None
        self._found = 0
        self._titles = ("", "")
        self._height = 0
        self._following = True
        """Whether the newest answer is kept in sight."""
        self._drawn: dict[Entry, tuple[object, ...]] = {}

    def compose(self) -> ComposeResult:
        yield VerticalScroll(id="answers", can_focus=False)
        yield Static(id="choices")
        yield _Line(suggester=_Ghost(self.session), id="line", compact=True)

    @property
    def line(self) -> _Line:
        return self.query_one("#line", _Line)

    @property
    def answers(self) -> VerticalScroll:
        return self.query_one("#answers", VerticalScroll)

    def open(self) -> None:
        """Let the user type."""
        self.display = True
        self._place = len(self.session.history)
        self.show()
        self.screen.set_focus(self.line)  # at once: the next key is its

    def close(self) -> None:
        self._end_search()
        self._say("")
        self.display = False

    # -- what is shown

    def show(self) -> None:
        """Draw what has changed: where one types, what runs, what was answered."""
        session = self.session
        host = session.host
        self.line.placeholder = f"{host}$ docker …"
        running = "  ".join(
            f"[{n}] {job.command[:24]}… {max(0.0, session.player.t - job.began):.0f} s"
            for n, job in enumerate(session.running, 1)
        ).replace("[", "\\[")
        running += f"  {self.texts('shell interrupt')}" if running else ""
        titles = (self.texts("docker prompt", host=host), running)
        if titles != self._titles:  # setting them draws the prompt anew, the same or not
            self._titles = titles
            self.border_title, self.border_subtitle = titles
        answers = self.answers
        entries = session.entries[-MOST_ENTRIES:]
        for gone in [entry for entry in self._drawn if entry not in entries]:
            del self._drawn[gone]
            answers.query_one(f"#{_id(gone)}").remove()
        for entry in entries:
            job = entry.job
            looks = (entry.note, id(job), job and len(job.pieces), job and job.code, entry.stopped)
            if self._drawn.get(entry) == looks:
                continue
            if entry not in self._drawn:
                answers.mount(Static(self._text(entry), id=_id(entry)))
            else:
                answers.query_one(f"#{_id(entry)}", Static).update(self._text(entry))
            self._drawn[entry] = looks
        # As high as the answers, up to half the screen; how high they are is known only once they are laid out.
        height = min(answers.virtual_size.height, self.app.size.height // 2)
        if height != self._height:
            self._height = height
            answers.styles.height = height
        if self._following and answers.scroll_offset.y < answers.max_scroll_y:
            answers.scroll_end(animate=False)

    def _text(self, entry: Entry) -> Text:
        job = entry.job
        where = f"{job.host}$ " if job is not None else "$ "
        text = Text(where + (said_after_host(entry.line) if job is not None else entry.line), style="dim")
        if entry.every is not None:
            mark = self.texts("shell over") if entry.stopped else self.texts("shell every", seconds=f"{entry.every:g}")
            text.append(f"   {mark}", style="italic")
        lines = entry.lines
        for line in lines:
            text.append(f"\n{line.text}", style=TASKS["failed"].colour if line.bad else "not dim")
        if job is not None and job.running and not lines:
            text.append(" …")
        return text

    def _say(self, text: str | Text) -> None:
        choices = self.query_one("#choices", Static)
        choices.update(text)
        choices.display = bool(text)

    def action_scroll_answers(self, by: int) -> None:
        answers = self.answers
        answers.scroll_relative(y=by * max(1, answers.size.height - 1), animate=False)
        self._following = by > 0 and answers.scroll_target_y >= answers.max_scroll_y

    # -- what is typed

    def recalled(self, by: int) -> str:
        """A line typed before, or the empty line after the last."""
        history = self.session.history
        self._place = min(max(self._place + by, 0), len(history))
        return history[self._place] if self._place < len(history) else ""

    def failed(self, line: str) -> None:
        """A line with a mistake is there again, selected: the next letter replaces it, an arrow key lets one mend it."""
        if not self.line.value:
            self.line.value = line
            self.line.selection = Selection(0, len(line))

    def interrupt(self) -> None:
        """Ctrl+C: end the search, or the command, or clear the line."""
        if self._needle is not None:
            self._end_search()
        elif not self.session.interrupt():
            self.line.value = ""
        self._say("")

    def complete(self, by: int) -> None:
        """Complete the last word; if there are several, list them, then one after the other."""
        line = self.line
        if self._needle is not None:
            self._take()
            return
        if self._cycle and line.value == self._completed():
            self._turn = (self._turn + by) % len(self._cycle) if self._turn >= 0 or by > 0 else len(self._cycle) - 1
        else:
            found = self.session.complete(line.value)
            self._stem = _stem(line.value)
            self._cycle, self._turn = found, -1
            if not found:
                self._say("")
                return
            self._common = _common_start(found)
            if len(found) == 1:
                self._turn = 0
        line.put(self._completed())
        if len(self._cycle) == 1:
            self._cycle = []
            self._say("")
            return
        choices = Text()
        for place, word in enumerate(self._cycle[:MOST_CHOICES]):
            choices.append(word, style="reverse" if place == self._turn else "")
            choices.append("  ")
        self._say(choices)

    def _completed(self) -> str:
        if self._turn < 0:
            return self._stem + self._common
        word = self._cycle[self._turn]
        return f"{self._stem}{word}{'' if word.endswith('=') or len(self._cycle) > 1 else ' '}"

    # -- searching what was typed

    def search(self) -> None:
        """Look for a line typed before; again: for one before that."""
        if self._needle is None:
            self._needle, self._found = self.line.value, len(self.session.history)
        self._look(self._found - 1)

    def _look(self, start: int) -> None:
        history, needle = self.session.history, self._needle or ""
        place = next((n for n in range(min(start, len(history) - 1), -1, -1) if needle in history[n]), None)
        if place is not None:
            self._found = place
        shown = history[self._found] if self._found < len(history) and needle in history[self._found] else ""
        self._say(Text(f"(reverse-i-search)'{needle}': {shown}", no_wrap=True))

    def _take(self) -> None:
        history, needle = self.session.history, self._needle or ""
        found = history[self._found] if self._found < len(history) and needle in history[self._found] else needle
        self._end_search()
        self.line.put(found)

    def _end_search(self) -> None:
        self._needle = None
        self._say("")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._needle is not None:
            self._needle = event.value
            self._look(len(self.session.history) - 1)
        elif self._cycle and event.value != self._completed():
            self._cycle = []
            self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._needle is not None:
            self._take()
        line = self.line.value.strip()
        self._cycle = []
        self._say("")
        self.line.value = ""
        if line:
            self._following = True
            self.post_message(self.Entered(line))


def _common_start(words: list[str]) -> str:
    """What all of the words begin with.

    >>> _common_start(["secret", "service"])
    'se'
    """
    first, last = min(words), max(words)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _id(entry: Entry) -> str:
    return f"entry-{id(entry)}"
