"""Why a shell stops: an error that ends it, and jumps."""

from __future__ import annotations


class ShellError(Exception):
    """Ends a shell that nobody types at, with ``status``; in ash's words, without the name before them."""

    def __init__(self, words: str, status: int = 2) -> None:
        super().__init__(words)
        self.status = status


class Jump(Exception):
    """``break`` or ``continue`` of so many loops."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class Break(Jump):
    pass


class Continue(Jump):
    pass


class Return(Exception):
    """Of a function or a file read by ``.``."""
