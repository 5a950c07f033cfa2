"""What comes over the main screen: help, a question, the choice of another future, futures side by side, a crash."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from swarmsim.replay.looks import CUT, LEADER, NO_POWER, NODES, TASKS
from swarmsim.replay.timeline import Line, watch_time
from swarmsim.scenario.faults import in_words, resolved
from swarmsim.scenario.parts import NAME
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.tui.player import Future
from swarmsim.tui.texts import Texts

SIGNS_TOLD = (
    (LEADER.sign, LEADER.colour, "sign leader"),
    (NO_POWER.sign, NO_POWER.colour, "sign power"),
    (CUT.sign, CUT.colour, "sign cut"),
    ("↯", NODES["down"].colour, "sign unreachable"),
    ("+1", TASKS["waiting"].colour, "sign behind"),
    ("m1 ← m2", "italic", "sign votes"),
    ("web.1 (2)", "", "sign older"),
    ("▲ ★ ✗", "", "sign marks"),
)
"""Signs beside those of tasks, and the texts that explain them."""


class HelpScreen(ModalScreen[None]):
    """All keys, by what they are for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss(None)")]

    def __init__(self, texts: Texts, groups: dict[str, list[tuple[str, str]]]) -> None:
        super().__init__()
        self.texts = texts
        self.groups = groups

    def compose(self) -> ComposeResult:
        t = self.texts
        hints = {"help time": "help seek", "help look": "help select", "help do": "help undo"}
        parts: list[Text | Table] = []
        for group, keys in self.groups.items():
            parts.append(Text(t(group), style="bold"))
            table = Table.grid(padding=(0, 2))
            for start in range(0, len(keys), 3):
                cells = [cell for key, about in keys[start : start + 3] for cell in (Text(f" {key}", "bold"), about)]
                table.add_row(*cells)
            parts += [table, Text(f"{t(hints[group])}\n", style="dim")]
        signs = Text()
        for name, look in TASKS.items():
            signs.append(f"{look.sign} ", style=look.colour)
            signs.append(f"{t(name)}   ")
        parts.append(signs)
        for sign, colour, about in SIGNS_TOLD:
            signs = Text(f"{sign} ", style=colour)
            signs.append(t(about), style="")
            parts.append(signs)
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = t("help title")
            dialog.border_subtitle = t("close")
            yield Static(Group(*parts))


class Question(ModalScreen[bool]):
    """Yes or no; no unless the user says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)"),
        Binding("y", "dismiss(True)"),
        Binding("left,right", "app.focus_next"),
    ]

    def __init__(self, texts: Texts, question: str) -> None:
        super().__init__()
        self.texts = texts
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static(self.question)
            with Horizontal():
                yield Button(f"{self.texts('no')} (n)", id="no")
                yield Button(f"{self.texts('yes')} (y)", id="yes", variant="error")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


Answer = TypeVar("Answer")


class Ask(ModalScreen[Answer | None]):
    """One line to fill in; what is wrong with it is said below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)")]

    def __init__(self, texts: Texts, title: str, proposed: str) -> None:
        super().__init__()
        self.texts = texts
        self.question = title
        self.proposed = proposed

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static(self.question)
            yield Input(self.proposed, id="answer")
            yield Static(id="problem")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(self.read(event.value))
        except ValueError as problem:
            self.query_one("#problem", Static).update(str(problem))

    def read(self, text: str) -> Answer:
        """What the line means. Raises :class:`ValueError` in the words that are shown."""
        raise NotImplementedError


class AskSeed(Ask[int]):
    """With which seed the other future shall be."""

    def __init__(self, texts: Texts, at: str, proposed: int) -> None:
        super().__init__(texts, texts("branch title", t=at), str(proposed))

    def read(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(self.texts("no number", text=text)) from None


class AskName(Ask[str]):
    """What to call the scenario that is saved. One that is there is not written over."""

    def __init__(self, texts: Texts, proposed: str, where: Path) -> None:
        super().__init__(texts, texts("save title", where=where), proposed)
        self.where = where

    def read(self, text: str) -> str:
        name = text.strip().removesuffix(".yaml")
        if not NAME.match(name):
            raise ValueError(self.texts("no name", text=name))
        if (self.where / f"{name}.yaml").exists():
            raise ValueError(self.texts("name taken", name=name))
        return name


class Compare(ModalScreen[Future | None]):
    """Two futures side by side, from where they part; Enter goes to one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)"),
        Binding("left", "choose(-1)"),
        Binding("right", "choose(1)"),
        Binding("tab", "other"),
        Binding("enter", "take"),
    ]

    def __init__(self, texts: Texts, futures: list[Future], current: Future) -> None:
        super().__init__()
        self.texts = texts
        self.futures = futures
        self.left = next(f for f in futures if f is not current) if len(futures) > 1 else current
        self.right = current
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = self.texts("compare title")
            dialog.border_subtitle = f"←→ Tab Enter   {self.texts('close')}"
            yield Static(id="compared")

    def on_mount(self) -> None:
        self._show()
        self.set_interval(0.5, self._follow)

    def _follow(self) -> None:
        """Time may go on meanwhile, or a future may still be being made."""
        if self._shown != self._looks:
            self._show()

    @property
    def _looks(self) -> tuple[object, ...]:
        """All that what is shown depends on."""
        return tuple((id(future.recording), future.known, len(future.actions)) for future in (self.left, self.right))

    def action_choose(self, by: int) -> None:
        place = self.futures.index(self.right) + by
        self.right = self.futures[place % len(self.futures)]
        self._show()

    def action_other(self) -> None:
        place = self.futures.index(self.left) + 1
        self.left = self.futures[place % len(self.futures)]
        self._show()

    def action_take(self) -> None:
        self.dismiss(self.right)

    def _show(self) -> None:
        self._shown = self._looks
        table = Table(expand=True, show_lines=False, pad_edge=False)
        begin = self.right.recording.begin
        fork = _parting(self.left, self.right)
        for future in (self.left, self.right):
            actions = "; ".join(_in_words(action, self.texts) for action in future.actions) or "—"
            head = f"{self.texts('future')} {future.name}, {self.texts('seed')} {future.seed}\n{actions}"
            table.add_column(head, ratio=1, overflow="fold")
        balance = []
        for future in (self.left, self.right):
            running, wanted = future.recording.at(future.known).balance()
            until = watch_time(future.known - begin)
            balance.append(f"{running}/{wanted} {self.texts('running')}, {until}")
        table.add_row(*balance, style="bold")
        table.add_section()
        sides = [
            [f"{watch_time(line.t)}  {self.texts.line(line)}" for line in _lines(future, fork)]
            for future in (self.left, self.right)
        ]
        table.add_row(*("\n".join(side[:200]) for side in sides))
        title = Text(self.texts("compare fork", t=watch_time(fork - begin)) + "\n", style="dim")
        self.query_one("#compared", Static).update(Group(title, table))


def _lines(future: Future, since: float) -> list[Line]:
    """What was told in a future from ``since`` on (seconds since the run began). A future that is still being made has the rows of
    the one it parted from, which go on beyond what it knows."""
    recording = future.recording
    begin = recording.begin
    return [line for line in recording.lines[: recording.told(future.known)] if line.t + begin >= since - 1e-6]


def _parting(a: Future, b: Future) -> float:
    """Until when two futures are the same, in seconds since the run began."""
    ours, theirs = a.recording.until(a.known), b.recording.until(b.known)
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            return float(min(one["t"], other["t"]))
    rest = max(ours, theirs, key=len)[min(len(ours), len(theirs)) :]
    return float(rest[0]["t"]) if rest else min(a.known, b.known)


def _in_words(action: MeanwhileStep, texts: Texts) -> str:
    """What was done by hand, as the timeline would say it."""
    if action.fault is not None:
        what = texts.told(in_words(action.fault.verb, resolved(action.fault, str)))
    elif action.docker is not None:
        what = f"{action.on}$ docker {action.docker}"
    else:
        what = f"{texts('seed')} {action.seed}"
    return f"{watch_time(action.at)} {what}"


class Broken(ModalScreen[None]):
    """The model crashed: what happened and where the trace is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss(None)")]

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog small"):
            yield Static(Text(self.message))
