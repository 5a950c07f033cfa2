"""The time line: a run in one line, and where one is in it."""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from swarmsim.replay.looks import LEADER, TASKS
from swarmsim.replay.recording import Recording
from swarmsim.replay.timeline import watch_time

BARS = " ▁▂▃▄▅▆▇█"
MARKS = {"fault": ("▲", "#CC79A7"), "leader": (LEADER.sign, LEADER.colour), "unmet": ("✗", TASKS["failed"].colour)}


def _runs(signs: list[tuple[str, str]]) -> Text:
    """Signs with their styles as a text; neighbours of one style are written together."""
    runs = groupby(signs, key=lambda sign: sign[1])
    return Text.assemble(*(("".join(sign for sign, _ in run), style) for style, run in runs))


class TimeBar(Widget):
    """The whole run in one line: running against wanted tasks, faults and leaders, and where one is. A click goes there."""

    class Sought(Message):
        """The user wants to see this moment, in seconds since the run began."""

        def __init__(self, t: float) -> None:
            super().__init__()
            self.t = t

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._recording: Recording | None = None
        self._t = 0.0
        self._known = 0.0

    def show_time(self, recording: Recording, t: float, known: float) -> None:
        """Show ``t`` in a run that is known until ``known`` (seconds since it began)."""
        self._recording, self._t, self._known = recording, t, max(known, t)
        self.refresh()

    @property
    def _span(self) -> tuple[float, float]:
        begin = self._recording.begin if self._recording is not None else 0.0
        if self._t < begin:
            begin = 0.0
        return begin, max(self._known, begin + 1.0)

    def time_at(self, x: float) -> float:
        """The moment at a column."""
        begin, end = self._span
        return begin + (end - begin) * min(1.0, max(0.0, x / max(1, self.size.width - 1)))

    def column_of(self, t: float) -> int:
        begin, end = self._span
        return round((t - begin) / (end - begin) * max(1, self.size.width - 1))

    def render(self) -> Text:
        width = self.size.width
        recording = self._recording
        if recording is None or not width:
            return Text("")
        curve = self._curve(recording, width)
        cursor = self.column_of(self._t)
        marks: dict[int, str] = {}
        begin, _ = self._span
        for mark in recording.marks:
            if mark.t >= begin:
                marks[self.column_of(mark.t)] = mark.sort
        signs = [MARKS[marks[x]] if x in marks else ("─", "dim") for x in range(width)]
        if 0 <= cursor < width:
            signs[cursor] = ("┃", "bold")
        line = _runs(signs)
        end = watch_time(self._known - recording.begin)
        now = watch_time(self._t - recording.begin)
        label = Text(f"{now} / {end}", style="dim")
        if self.size.height >= 3:
            return Text("\n").join([curve, line, label])
        return Text("\n").join([curve, line])

    def _curve(self, recording: Recording, width: int) -> Text:
        samples = recording.samples
        top = max((sample.wanted for sample in samples), default=0)
        top = max(top, max((sample.running for sample in samples), default=0), 1)
        signs: list[tuple[str, str]] = []
        for x in range(width):
            t = self.time_at(x + 0.5)
            place = bisect_left(samples, t, key=lambda sample: sample.t) - 1
            if place < 0 or t > self._known:
                signs.append((" ", ""))
                continue
            sample = samples[place]
            height = BARS[round(8 * sample.running / top)] if sample.running else "·" if sample.wanted else " "
            ok = sample.running >= sample.wanted
            signs.append((height, TASKS["running" if ok else "waiting"].colour))
        return _runs(signs)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Sought(self.time_at(event.x)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button:
            self.post_message(self.Sought(self.time_at(event.x)))
