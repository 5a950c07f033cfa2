"""A list of rows of which only those on the screen are drawn: ten thousand tasks cost no more than thirty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Item = TypeVar("Item")


class RowList(ScrollView, Generic[Item], can_focus=True):
    """Give it items with :meth:`put`; a subclass draws one. The cursor stays on its item, by :meth:`identity`.

    With ``tail`` the last row is kept in sight, as long as the cursor is on it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]

    class Moved(Message):
        """The cursor is on another item; ``chosen`` if the user says: this one."""

        def __init__(self, rows: RowList[Any], item: Any, chosen: bool) -> None:
            super().__init__()
            self.rows = rows
            self.item = item
            self.chosen = chosen

    def __init__(self, *, tail: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self.cursor = 0
        self._tail = tail
        self._at_end = True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.items)

    def draw(self, item: Item, width: int) -> Text:
        """One row."""
        raise NotImplementedError

    def identity(self, item: Item) -> Any:
        """What stays the same of an item when its row changes; ``None`` if nothing does."""
        return None

    def put(self, items: Sequence[Item]) -> None:
        """Show these instead."""
        known = self.identity(self.items[self.cursor]) if self.cursor < len(self.items) else None
        self.items = items
        if known is not None:
            place = next((n for n, item in enumerate(items) if self.identity(item) == known), None)
            if place is not None:
                self.cursor = place
        if self._tail and self._at_end:
            self.cursor = max(0, len(items) - 1)
        self.cursor = min(self.cursor, max(0, len(items) - 1))
        size = Size(self.size.width, len(items))
        if size != self.virtual_size:
            self.virtual_size = size
            self.refresh(layout=self.styles.height is not None and self.styles.height.is_auto)
        if self._tail and self._at_end:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        place = y + self.scroll_offset.y
        width = self.size.width
        if place >= len(self.items):
            return Strip.blank(width, self.rich_style)
        text = self.draw(self.items[place], width)
        text.truncate(width, overflow="ellipsis", pad=True)
        style = self.rich_style
        if place == self.cursor and self.has_focus:
            style += Style(reverse=True)
        return Strip(Segment.apply_style(text.render(self.app.console), style)).crop(0, width)

    def action_move(self, by: int) -> None:
        self._move_to(self.cursor + by)
        self._say(chosen=False)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 1))

    def action_choose(self) -> None:
        self._say(chosen=True)

    def on_click(self, event: events.Click) -> None:
        place = event.y + self.scroll_offset.y
        if place < len(self.items):
            self._move_to(place)
            self._say(chosen=True)

    def _move_to(self, place: int) -> None:
        self.cursor = min(max(place, 0), max(0, len(self.items) - 1))
        self._at_end = self.cursor >= len(self.items) - 1
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, immediate=True)
        self.refresh()

    def _say(self, *, chosen: bool) -> None:
        if self.cursor < len(self.items):
            self.post_message(self.Moved(self, self.items[self.cursor], chosen))
