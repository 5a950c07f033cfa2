"""The keys of the app, as one table: the footer, the help, the palette and docs/keys.md are drawn from it."""

from __future__ import annotations

KEYS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("help do", "c", "desk", "key desk", True),
    ("help time", "space", "play", "key play", True),
    ("help time", "n", "next", "key next", True),
    ("help do", "colon", "prompt", "key command", True),
    ("help do", "p", "power", "key power", True),
    ("help look", "question_mark", "help", "key help", True),
    ("help look", "q", "leave", "key quit", True),
    ("help time", "plus,equals_sign", "faster(1)", "key faster", True),
    ("help time", "minus", "faster(-1)", "key slower", True),
    ("help time", "u", "skip", "key skip", True),
    ("help time", "b", "branch", "key branch", True),
    ("help time", "N", "previous", "key previous", False),
    ("help time", "B", "compare", "key compare", False),
    ("help do", "e", "engine", "key engine", False),
    ("help do", "x", "cut", "key cut", False),
    ("help do", "h", "heal", "key heal", False),
    ("help do", "d", "drain", "key drain", False),
    ("help do", "k", "kill", "key kill", False),
    ("help do", "ctrl+s", "save", "key save", False),
    ("help look", "r", "only_running", "key only running", False),
    ("help look", "a", "history", "key history", False),
    ("help look", "l", "logs", "key logs", False),
    ("help look", "slash", "find", "key filter", False),
    ("help look", "s", "sort", "key sort", False),
    ("help look", "f", "follow", "key follow", False),
    ("help look", "t", "theme", "key theme", False),
)
"""Group in the help, keys, action, text, whether the footer shows it."""

KEY_NAMES = {
    "plus,equals_sign": "+",
    "minus": "-",
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "space": "Space",
    "ctrl+s": "^s",
}
SEEKS: tuple[tuple[str, str], ...] = (
    ("left_square_bracket", "previous"),
    ("right_square_bracket", "next"),
    ("left_curly_bracket", "seek(-10)"),
    ("right_curly_bracket", "seek(10)"),
    ("home", "begin"),
    ("end", "now"),
    ("escape", "close"),
    *((str(number), f"panel({number - 1})") for number in range(1, 10)),
    ("0", "panel(9)"),
)
"""Keys that lead to a moment or a panel, and actions: in no footer."""
WHILE_TYPING = frozenset(("close",))
"""Actions whose keys are the app's even while a line is typed."""
ACTIONS = frozenset(
    action.partition("(")[0] for action in (*(key[2] for key in KEYS), *(action for _, action in SEEKS))
)
