"""How docker shows that something goes on (moby pkg/jsonmessage): a line that has a name is drawn again and again.

Through a pipe each drawing is a line of its own, and bars are left out. On a terminal the cursor goes up to the line of that name,
which is cleared and written anew, and down again.

>>> screen = Screen()
>>> screen.drawn(Shown("1/1", "new      ", 1, 9))
'\\n\\x1b[1A\\x1b[2K\\r1/1: new       [=====>                                             ] \\r\\x1b[1B'
>>> piped(Shown("1/1", "new      ", 1, 9)), piped(Shown("verify", "Detected task failure"))
('', 'verify: Detected task failure\\n')
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

BAR = 50
"""Columns of a whole bar. Docker leaves bars out where a terminal has 110 columns or fewer; ours is wider."""
CLEAR_LINE = "\x1b[2K\r"


class Shown(NamedTuple):
    """What is told of one thing: an action, and ``current`` of ``total`` steps if a bar is to say how far it is."""

    name: str
    action: str
    current: int = 0
    total: int = 0
    units: str = ""
    """What is counted, if the bar is to be followed by how many."""

    @property
    def bar(self) -> str:
        if self.total <= 0:
            return ""
        filled = min(BAR, 100 * self.current // self.total // 2)
        counted = f"{self.current}/{self.total} {self.units}" if self.units else ""
        return f"[{'=' * filled}>{' ' * (BAR - filled)}] {counted}"


def piped(shown: Shown) -> str:
    """The same for who reads line by line."""
    return "" if shown.total > 0 else f"{shown.name}: {shown.action}\n"


class Screen:
    """What is drawn on a terminal, and where: the lines that were drawn last have names, the latest is the lowest."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def drawn(self, shown: Shown) -> str:
        """What moves the cursor to its line, writes it, and comes back."""
        begin = "" if shown.name in self._lines else "\n"
        line = self._lines.setdefault(shown.name, len(self._lines))
        away = len(self._lines) - line
        return f"{begin}\x1b[{away}A{CLEAR_LINE}{shown.name}: {shown.action} {shown.bar}\r\x1b[{away}B"

    def leave(self) -> None:
        """Something else was printed below: what was drawn stays, the next is drawn further down."""
        self._lines.clear()


class Display:
    """What a command that waits prints, both as a pipe and as a terminal have it; nothing if ``quiet``. ``out`` is given both."""

    def __init__(self, out: Callable[..., object], quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._screen = Screen()

    def show(self, *several: Shown) -> None:
        for shown in several:
            if not self._quiet:
                self._out(piped(shown), self._screen.drawn(shown))

    def say(self, text: str) -> None:
        if not self._quiet:
            self._screen.leave()
            self._out(text + "\n")
