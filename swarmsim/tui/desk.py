"""The exercise in ``swarmsim watch``: the task, how far it is solved, questions, hints."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Select, Static

from swarmsim.exercise.marking import Standing
from swarmsim.exercise.watched import Desk
from swarmsim.replay.looks import NODES, TASKS
from swarmsim.replay.timeline import watch_time
from swarmsim.scenario.exercise import Question
from swarmsim.tui.player import Player
from swarmsim.tui.texts import Texts

MARKS = {
    "met": ("✓", TASKS["running"].colour),
    "missed": ("✗", NODES["down"].colour),
    "open": ("·", TASKS["waiting"].colour),
}
"""Signs of what is decided, and not yet."""


class DeskScreen(ModalScreen[None]):
    """All of an exercise at the moment shown; it goes on meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c,q", "dismiss(None)"),
        Binding("h", "hint"),
    ]

    def __init__(self, texts: Texts, desk: Desk, player: Player, title: str, about: str) -> None:
        super().__init__()
        self.texts = texts
        self.desk = desk
        self.player = player
        self.exercise_title = title
        self.about = about
        self._shown: object = None

    def compose(self) -> ComposeResult:
        t, exercise = self.texts, self.desk.exercise
        with VerticalScroll(classes="dialog", id="desk") as dialog:
            dialog.border_title = self.exercise_title
            dialog.border_subtitle = t("close")
            yield Static(Text(self.about, style="dim"), classes="about")
            yield Static(Text(exercise.task(t.language).strip()), classes="task")
            yield Static(Text(t("exercise allowed", what=", ".join(exercise.allowed)), style="dim"))
            yield Static(id="goals")
            for question in exercise.questions:
                yield from self._question(question)
            yield Static(id="hints")
            with Horizontal(id="desk-buttons"):
                yield Button(f"{t('exercise hint')} (h)", id="hint", compact=True, disabled=not exercise.hints)
                yield Button(t("exercise check"), id="check", compact=True, variant="primary")

    def _question(self, question: Question) -> ComposeResult:
        answered = self.desk.answers.get(question.name)
        with Vertical(classes="question"):
            yield Static(id=f"asked-{question.name}")
            if question.number is not None:
                unit = self.texts("exercise number", unit=question.number.unit)
                given = answered.given if answered is not None else ""
                yield Input(given, placeholder=unit, compact=True, id=f"answer-{question.name}")
                return
            if question.choice is not None:
                options = [(text(self.texts.language), name) for name, text in question.choice.items()]
            else:
                options = [(host, host) for host in self.desk.sitting.hosts]
            known = answered is not None and answered.given in [value for _, value in options]
            yield Select(
                options,
                prompt=self.texts("exercise choose"),
                value=answered.given if known and answered is not None else Select.NULL,
                compact=True,
                id=f"answer-{question.name}",
            )

    def on_mount(self) -> None:
        self.query_one("#desk").focus()
        self.follow()
        self.set_interval(0.5, self.follow)

    # -- what is shown

    def follow(self) -> None:
        """Show how it stands now, if that is something new."""
        player, desk = self.player, self.desk
        standing = desk.standing(player.recording, player.t, player.future.known)
        left = max(0, int(desk.exercise.limit - player.since_begin))
        shown = (standing, left, dict(desk.answers), desk.hints)
        if shown == self._shown:
            return
        self._shown = shown
        points = desk.points(player.recording, player.t, player.future.known)
        text = Text()
        text.append(self.texts("exercise points", points=points, of=desk.exercise.points), style="bold")
        text.append(f"   {self.texts('exercise left', left=watch_time(left, tenths=False))}", style="dim")
        for one in standing:
            text.append("\n")
            text.append_text(self._line(one))
        self.query_one("#goals", Static).update(text)
        for question in desk.exercise.questions:
            self.query_one(f"#asked-{question.name}", Static).update(self._asked(question))
        hints = [
            f"{number}. {hint(self.texts.language)}" for number, hint in enumerate(desk.exercise.hints[: desk.hints], 1)
        ]
        self.query_one("#hints", Static).update(Text("\n".join(hints), style="italic"))
        self.query_one("#hint", Button).disabled = desk.hints >= len(desk.exercise.hints)

    def _line(self, one: Standing) -> Text:
        sign, colour = MARKS[one.verdict]
        text = Text()
        text.append(f"{sign} ", style=colour)
        text.append(one.goal.text(self.texts.language))
        text.append(f"  {self.texts('exercise worth', points=one.goal.points)}", style="dim")
        if one.goal.trial:
            text.append(f"\n    {self.texts('exercise trial', name=self.desk.sitting.name)}", style="dim")
        elif one.seen:
            when = self.texts("exercise now") if one.verdict == "open" else watch_time(one.at, tenths=False)
            text.append(f"\n    {when}: {one.seen}", style="dim")
        return text

    def _asked(self, question: Question) -> Text:
        answered = self.desk.answers.get(question.name)
        if answered is None or answered.problem:
            sign, colour, told = *MARKS["open"], answered.problem if answered is not None else ""
        elif answered.right is None:
            sign, colour, told = *MARKS["open"], self.texts("exercise noted")
        elif answered.right:
            sign, colour, told = *MARKS["met"], self.texts("exercise right")
        else:
            sign, colour, told = *MARKS["missed"], self.texts("exercise wrong")
        text = Text()
        text.append(f"{sign} ", style=colour)
        text.append(question.text(self.texts.language))
        text.append(f"  {self.texts('exercise worth', points=question.points)}", style="dim")
        if told:
            text.append(f"  {told}", style=colour)
        return text

    # -- what is done

    def action_hint(self) -> None:
        """One more hint."""
        self.desk.hints = min(self.desk.hints + 1, len(self.desk.exercise.hints))
        self.follow()
        self.query_one("#hints").scroll_visible()

    def check(self) -> None:
        """Take all answers, and say how it stands."""
        for question in self.desk.exercise.questions:
            widget = self.query_one(f"#answer-{question.name}")
            given = widget.value.strip() if isinstance(widget, Input) else _chosen(widget)
            known = self.desk.answers.get(question.name)
            # What is measured may have changed since; what the key says has not.
            if given and (known is None or known.given != given or known.right is None or question.figure):
                self.desk.answer(question, given, self.player.recording)
            elif not given:
                self.desk.answers.pop(question.name, None)
        self.follow()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "hint":
            self.action_hint()
        else:
            self.check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.check()


def _chosen(widget: Any) -> str:
    return "" if widget.value is Select.NULL else str(widget.value)
