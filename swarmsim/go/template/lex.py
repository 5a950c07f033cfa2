"""From a template's text to its words (text/template/parse/lex.go).

Outside ``{{ }}`` everything is text; inside, blanks are words too, since they tell ``$x.A`` from ``$x .A``. ``{{- `` and
`` -}}`` eat the blanks beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from swarmsim.go.strconv import quote

LEFT, RIGHT = "{{", "}}"
SPACES = " \t\r\n"
KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with", ".")
)
_SPACE = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"\w*")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_QUOTED = {
    '"': (re.compile(r'"(?:[^"\\\n]|\\[^\n])*"'), "string", "unterminated quoted string"),
    "`": (re.compile(r"`[^`]*`"), "raw string", "unterminated raw quoted string"),
    "'": (re.compile(r"'(?:[^'\\\n]|\\[^\n])*'"), "char", "unterminated character constant"),
}


class Item(NamedTuple):
    """A word: its kind, its text, where it begins and on which line.

    Kinds: ``text``, ``left``, ``right``, ``space``, ``identifier``, ``keyword``, ``bool``, ``field``, ``variable``,
    ``number``, ``char``, ``string``, ``raw string``, ``(``, ``)``, ``|``, ``=``, ``:=``, ``mark``, ``eof``, ``error``.
    """

    kind: str
    text: str
    position: int
    line: int

    def __str__(self) -> str:
        """As complaints name it."""
        if self.kind == "eof":
            return "EOF"
        if self.kind == "error":
            return self.text
        if self.kind == "keyword":
            return f"<{self.text}>"
        return quote(self.text[:10]) + "..." if len(self.text) > 10 else quote(self.text)


class Lexer:
    """The words of ``text``, one after the other; after an error there are no more."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._depth = 0

    def items(self) -> Iterator[Item]:
        trim = False
        while self._at < len(self._text):
            yield from self._outside(trim)
            if self._at >= len(self._text):
                break
            comment = self._comment()
            if comment is not None:
                if isinstance(comment, Item):
                    yield comment
                    return
                trim = comment
                continue
            yield self._item("left", self._at + 2)
            if self._trims_left(self._at):
                self._at += 1
            self._depth = 0
            for item in self._inside():
                yield item
                if item.kind == "error":
                    return
            trim = self._text[self._at - 3] == "-" and self._text[self._at - 4] in SPACES
        yield Item("eof", "", self._at, self._line)

    def _item(self, kind: str, end: int) -> Item:
        item = Item(kind, self._text[self._at : end], self._at, self._line)
        self._line += item.text.count("\n")
        self._at = end
        return item

    def _skip(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _error(self, message: str) -> Item:
        return Item("error", message, self._at, self._line)

    def _trims_left(self, at: int) -> bool:
        return self._text.startswith("-", at) and self._text[at + 1 : at + 2] in tuple(SPACES)

    def _right(self, at: int) -> int:
        """How many letters the end of an action takes from here: ``}}`` or `` -}}``; 0 if it is none."""
        if self._text.startswith(RIGHT, at):
            return 2
        return 4 if self._text[at : at + 1] in tuple(SPACES) and self._text.startswith("-" + RIGHT, at + 1) else 0

    def _outside(self, trim: bool) -> Iterator[Item]:
        start = self._text.find(LEFT, self._at)
        end = start if start >= 0 else len(self._text)
        if trim:
            begin = self._at
            while begin < end and self._text[begin] in SPACES:
                begin += 1
            self._skip(begin)
        stop = end
        if start >= 0 and self._trims_left(start + 2):
            stop = self._at + len(self._text[self._at : end].rstrip(SPACES))
        if stop > self._at:
            yield self._item("text", stop)
        self._skip(end)

    def _comment(self) -> bool | Item | None:
        """Over a comment: whether it trims what follows. ``None`` where there is none."""
        begin = self._at + (4 if self._trims_left(self._at + 2) else 2)
        if not self._text.startswith("/*", begin):
            return None
        closing = self._text.find("*/", begin + 2)
        if closing < 0:
            return self._error("unclosed comment")
        length = self._right(closing + 2)
        if not length:
            return self._error("comment ends before closing delimiter")
        self._skip(closing + 2 + length)
        return length == 4

    def _inside(self) -> Iterator[Item]:
        while True:
            length = self._right(self._at)
            if length:
                if self._depth:
                    yield self._error("unclosed left paren")
                else:
                    self._skip(self._at + length - 2)
                    yield self._item("right", self._at + 2)
                return
            item = self._next()
            yield item
            if item.kind == "error":
                return

    def _next(self) -> Item:
        text, at = self._text, self._at
        letter = text[at : at + 1]
        if not letter:
            return self._error("unclosed action")
        spaces = _SPACE.match(text, at)
        if spaces:
            # The last blank may belong to a closing " -}}".
            end = spaces.end() - (1 if len(spaces[0]) > 1 and self._right(spaces.end() - 1) == 4 else 0)
            return self._item("space", end)
        if letter in _QUOTED:
            pattern, kind, complaint = _QUOTED[letter]
            match = pattern.match(text, at)
            return self._item(kind, match.end()) if match else self._error(complaint)
        if letter == ":":
            return self._item(":=", at + 2) if text.startswith(":=", at) else self._error("expected :=")
        if letter in "=|":
            return self._item(letter, at + 1)
        if letter == "(":
            self._depth += 1
            return self._item(letter, at + 1)
        if letter == ")":
            self._depth -= 1
            return self._error("unexpected right paren") if self._depth < 0 else self._item(letter, at + 1)
        if letter == "$" or (letter == "." and not _digit(text[at + 1 : at + 2])):
            return self._name("variable" if letter == "$" else "field", at + 1)
        if letter in "+-." or _digit(letter):
            return self._number()
        if letter.isalnum() or letter == "_":
            return self._name("identifier", at)
        if letter.isascii() and letter.isprintable():
            return self._item("mark", at + 1)
        return self._error(f"unrecognized character in action: {_unicode(letter)}")

    def _name(self, kind: str, begin: int) -> Item:
        match = _WORD.match(self._text, begin)
        assert match is not None
        end = match.end()
        after = self._text[end : end + 1]
        if after and after not in SPACES + ".,|:)(" and not self._text.startswith(RIGHT, end):
            return self._error(f"bad character {_unicode(after)}")
        word = self._text[self._at : end]
        if kind == "identifier" and word in ("true", "false"):
            kind = "bool"
        elif word in KEYWORDS:
            kind = "keyword"
        return self._item(kind, end)

    def _number(self) -> Item:
        match = _NUMBER.match(self._text, self._at)
        assert match is not None
        end = match.end()
        after = self._text[end : end + 1]
        if after.isalnum() or after == "_":
            return self._error(f"bad number syntax: {quote(self._text[self._at : end + 1])}")
        if after and after in "+-":
            return self._error(f"bad number syntax: {quote(self._text[self._at : end])}")
        return self._item("number", end)


def _digit(letter: str) -> bool:
    return "0" <= letter <= "9"


def _unicode(letter: str) -> str:
    return f"U+{ord(letter):04X}" + (f" '{letter}'" if letter.isprintable() else "")
