"""A text on the screen that is drawn when it is another, and laid out anew only when it takes other room."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Page(Static):
    """As :class:`Static`, for a text that is written again and again: what stays the same costs nothing.

    Laying out the screen anew draws all of it; a line more or less needs that, another figure in a line does not.
    """

    _written: Text | None = None
    _room: tuple[int, tuple[int, ...]] = (0, ())

    def write(self, text: Text) -> None:
        """Show this instead."""
        if self._written is not None and text == self._written and text.style == self._written.style:
            return
        width = max(1, self.size.width)
        # A line that is wrapped takes more room when it grows.
        lines = text.plain.split("\n")
        room = (width, tuple(0 if text.no_wrap else len(line) // width for line in lines))
        self.update(text, layout=room != self._room)
        self._written, self._room = text, room
