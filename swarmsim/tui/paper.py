"""What a terminal shows of what a program printed: lines, of which progress is drawn over again and again.

Cursor movements are followed as far as docker makes them: up, down, to the line's beginning, and clearing a line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PARTS = re.compile(r"(\n|\r|\x1b\[\??\d*[A-Za-z])")
_ESCAPE = re.compile(r"\x1b\[\??(\d*)([A-Za-z])")


class Printed(NamedTuple):
    """One line; ``bad`` if it came on standard error."""

    text: str
    bad: bool = False


class Paper:
    """Give it what is printed piece by piece; :attr:`lines` is what there is to see.

    >>> paper = Paper()
    >>> paper.feed("out", "id\\n\\n\\x1b[1A\\x1b[2K\\r1/2: pending\\r\\x1b[1B")
    >>> paper.feed("out", "\\x1b[1A\\x1b[2K\\r1/2: running\\r\\x1b[1B")
    >>> [line.text for line in paper.lines]
    ['id', '1/2: running']
    """

    def __init__(self) -> None:
        self.lines: list[Printed] = []
        self._place = self._column = 0

    def feed(self, stream: str, text: str) -> None:
        """``stream`` is ``out`` or ``err``."""
        bad = stream == "err"
        for part in _PARTS.split(text):
            escape = _ESCAPE.fullmatch(part)
            if part == "\n":
                if self._place == len(self.lines):
                    self.lines.append(Printed("", bad))
                self._place, self._column = self._place + 1, 0
            elif part == "\r":
                self._column = 0
            elif escape is not None:
                self._move(int(escape[1] or 1), escape[2], bad)
            elif part:
                self._write(part, bad)

    def _move(self, count: int, sign: str, bad: bool) -> None:
        if sign == "A":
            self._place = max(0, self._place - count)
        elif sign == "B":
            self._place = min(len(self.lines), self._place + count)
        elif sign == "K" and self._place < len(self.lines):
            self.lines[self._place] = Printed("", bad)

    def _write(self, text: str, bad: bool) -> None:
        lines, place, column = self.lines, self._place, self._column
        before = lines[place].text if place < len(lines) else ""
        line = (before[:column].ljust(column) + text + before[column + len(text) :]).rstrip()
        lines[place:] = [Printed(line, bad), *lines[place + 1 :]]
        self._column += len(text)
