"""Tokens, as POSIX says how they are recognised (XCU 2.3), and the expansions in words."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from swarmsim.unix.shell.syntax import (
    Arithmetic,
    CommandSubstitution,
    Document,
    Parameter,
    Part,
    Script,
    Text,
    Word,
)

OPERATORS = ("&&", "||", ";;", "&>", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "&", "|", ";", "(", ")", "<", ">")
REDIRECTIONS = frozenset(("<", ">", ">|", ">>", "<>", "<&", ">&", "<<", "<<-", "&>"))
RESERVED = frozenset(
    (
        "!",
        "case",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "fi",
        "for",
        "function",
        "if",
        "then",
        "until",
        "while",
        "{",
        "}",
    )
)
BLANK = frozenset(" \t\n;&|<>()")
"""Characters that end a word."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = "@*#?-$!"
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "e": "\x1b",
}
DEEPEST = 100
"""Of commands in commands; deeper ones are refused rather than Python's stack used up."""


class SyntaxProblem(Exception):
    """Why a shell does not read on, in ash's words, after ``syntax error: ``; ``line`` counts from 1."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.line = line


class Token(NamedTuple):
    """``kind`` is an operator, ``word``, ``newline`` or ``end of file``; ``fd`` the number before a redirection."""

    kind: str
    word: Word = ()
    raw: str = ""
    fd: int | None = None

    @property
    def reserved(self) -> str:
        """The reserved word it is, if it stands where one can."""
        return self.raw if self.kind == "word" and self.raw in RESERVED else ""

    def shown(self) -> str:
        """How ash calls it when it does not belong there."""
        if self.reserved:
            return f'"{self.reserved}"'
        if self.kind in REDIRECTIONS:
            return "redirection"
        return self.kind if self.kind in ("word", "newline", "end of file") else f'"{self.kind}"'


def _unescaped(text: str) -> str:
    r"""
    >>> _unescaped(r"a\tb\x41\101")
    'a\tbAA'
    """

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0].isdigit():
            return chr(int(code, 8) & 255)
        return _ESCAPES.get(code, match[0])

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", one, text, flags=re.DOTALL)


class Lexer:
    """Tokens of ``text``, and the parts of words. What a ``$(`` or a backquote holds is for the grammar to read: :mod:`.parse` extends it by that."""

    def __init__(self, text: str, line: int = 1, depth: int = 0) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.depth = depth
        self.ahead: Token | None = None
        self.documents: list[Document] = []
        """Those whose text is still to come."""

    # -- characters

    def char(self, offset: int = 0) -> str:
        at = self.at + offset
        return self.text[at] if at < len(self.text) else ""

    def take(self, count: int = 1) -> str:
        taken = self.text[self.at : self.at + count]
        self.at += count
        self.line += taken.count("\n")
        return taken

    def problem(self, words: str) -> SyntaxProblem:
        return SyntaxProblem(words, self.line)

    # -- tokens

    def peek(self) -> Token:
        if self.ahead is None:
            self.ahead = self._token()
        return self.ahead

    def next(self) -> Token:
        token = self.peek()
        self.ahead = None
        return token

    def _token(self) -> Token:
        while True:
            if self.char() and self.char() in " \t\r":
                self.take()
            elif self.char() == "\\" and self.char(1) == "\n":
                self.take(2)
            elif self.char() == "#":
                while self.char() and self.char() != "\n":
                    self.take()
            else:
                break
        if not self.char():
            return Token("end of file")
        if self.char() == "\n":
            self.take()
            self._read_documents()
            return Token("newline")
        if match := re.compile(r"(\d)(?=[<>])").match(self.text, self.at):
            self.take()
            operator = self._operator()
            return Token(operator, fd=int(match[1]))
        operator = self._operator()
        if operator:
            return Token(operator)
        start = self.at
        word = self.word(BLANK)
        return Token("word", word, self.text[start : self.at])

    def _operator(self) -> str:
        for operator in OPERATORS:
            if self.text.startswith(operator, self.at):
                return self.take(len(operator))
        return ""

    def _read_documents(self) -> None:
        waiting, self.documents = self.documents, []
        for document in waiting:
            line, lines = self.line, []
            while self.char():
                end = self.text.find("\n", self.at)
                text = self.take((end if end >= 0 else len(self.text)) + 1 - self.at)
                if document.strip:
                    text = text.lstrip("\t")
                if text.rstrip("\n") == document.end:
                    break
                lines.append(text)
            text = "".join(lines)
            document.text = (
                (Text(text, True),) if document.literal else tuple(type(self)(text, line, self.depth + 1).double(""))
            )

    # -- words

    def word(self, ends: frozenset[str]) -> Word:
        """Parts up to one of the characters in ``ends`` outside quotes."""
        parts: list[Part] = []
        plain = ""

        def flush() -> None:
            nonlocal plain
            if plain:
                parts.append(Text(plain))
            plain = ""

        while self.char() and self.char() not in ends:
            char = self.char()
            if char == "\\":
                if self.char(1) == "\n":
                    self.take(2)
                    continue
                flush()
                escaped = self.take(2)[1:]
                parts.append(Text(escaped or "\\", True))
            elif char == "'":
                flush()
                parts.append(Text(self._single(), True))
            elif char == '"':
                flush()
                self.take()
                parts += self.double('"') or [Text("", True)]
                if self.take() != '"':
                    raise self.problem("unterminated quoted string")
            elif char == "$" and self.char(1) == "'":
                flush()
                self.take()
                parts.append(Text(_unescaped(self._single(escapes=True)), True))
            elif char in "$`":
                expansion = self.expansion(False)
                if isinstance(expansion, str):
                    plain += expansion
                else:
                    flush()
                    parts.append(expansion)
            else:
                plain += self.take()
        flush()
        return tuple(parts)

    def _single(self, *, escapes: bool = False) -> str:
        self.take()
        start = self.at
        while self.char() and self.char() != "'":
            self.take(2 if escapes and self.char() == "\\" else 1)
        if not self.char():
            raise self.problem("unterminated quoted string")
        text = self.text[start : self.at]
        self.take()
        return text

    def double(self, end: str) -> list[Part]:
        """Parts between double quotes, up to ``end``, which is left; an empty end is the text's own."""
        parts: list[Part] = []
        plain = ""
        while self.char() and self.char() != end:
            char = self.char()
            if char == "\\":
                escaped = self.char(1)
                if escaped == "\n":
                    self.take(2)
                elif escaped and escaped in f"$`\\{end}":
                    plain += self.take(2)[1]
                else:
                    plain += self.take()
            elif char in "$`":
                expansion = self.expansion(True)
                if isinstance(expansion, str):
                    plain += expansion
                else:
                    if plain:
                        parts.append(Text(plain, True))
                    plain = ""
                    parts.append(expansion)
            else:
                plain += self.take()
        if plain:
            parts.append(Text(plain, True))
        return parts

    # -- expansions

    def expansion(self, quoted: bool) -> Part | str:
        """What a ``$`` or a backquote begins; a text if it begins nothing."""
        if self.char() == "`":
            return CommandSubstitution(self._backquoted(quoted), quoted)
        if self.text.startswith("$((", self.at):
            found = self._arithmetic(quoted)
            if found is not None:
                return found
        if self.char(1) == "(":
            self.take(2)
            inner = self._inner()
            body = inner.script(frozenset())
            token = inner.peek()
            if token.kind != ")":
                raise inner.unexpected('")"')
            self._take_over(inner)
            return CommandSubstitution(body, quoted)
        if self.char(1) == "{":
            return self._braced(quoted)
        if match := NAME.match(self.text, self.at + 1):
            self.take(1 + len(match[0]))
            return Parameter(match[0], quoted=quoted)
        if self.char(1) and (self.char(1) in _SPECIAL or self.char(1).isdigit()):
            return Parameter(self.take(2)[1], quoted=quoted)
        return self.take()

    def _inner(self) -> Self:
        """Another reader from here on."""
        if self.depth >= DEEPEST:
            raise self.problem("commands are nested too deeply")
        inner = type(self)(self.text, self.line, self.depth + 1)
        inner.at = self.at
        return inner

    def _take_over(self, inner: Self) -> None:
        self.at, self.line = inner.at, inner.line
        self.documents += inner.documents

    def _backquoted(self, quoted: bool) -> Script:
        self.take()
        line, text = self.line, ""
        while self.char() != "`":
            if not self.char():
                raise self.problem("EOF in backquote substitution")
            if self.char() == "\\" and self.char(1) and self.char(1) in ('$`\\"' if quoted else "$`\\"):
                self.take()
            text += self.take()
        self.take()
        if self.depth >= DEEPEST:
            raise self.problem("commands are nested too deeply")
        return type(self)(text, line, self.depth + 1).whole()

    def _arithmetic(self, quoted: bool) -> Arithmetic | None:
        """``None`` if it is a subshell in a command substitution after all."""
        depth, at = 0, self.at + 3
        while at < len(self.text):
            char = self.text[at]
            if char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    break
                depth -= 1
            at += 1
        if self.text[at : at + 2] != "))":
            if at >= len(self.text):
                raise self.problem("missing '))'")
            return None
        inner = type(self)(self.text[self.at + 3 : at], self.line, self.depth + 1)
        expression = tuple(inner.double(""))
        self.take(at + 2 - self.at)
        return Arithmetic(expression, quoted)

    def _braced(self, quoted: bool) -> Part:
        self.take(2)
        length = self.char() == "#" and self.char(1) not in ("", "}", "-", "=", "?", "+", "%", "#", ":", "/")
        if self.text.startswith("##}", self.at):
            length = True
        if length:
            self.take()
        match = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]").match(self.text, self.at)
        if match is None:
            raise self._unclosed("bad substitution")
        name = self.take(len(match[0]))
        if length:
            if self.take() != "}":
                raise self._unclosed("bad substitution")
            return Parameter(name, "#x", quoted=quoted)
        operator = self.char()
        if operator == "}":
            self.take()
            return Parameter(name, quoted=quoted)
        if (operator == ":" and self.char(1) and self.char(1) in "-=?+") or (
            operator in ("%", "#", "/") and self.char(1) == operator
        ):
            operator = self.take(2)
        elif operator and operator in "-=?+%#/:":
            operator = self.take()
        else:
            raise self._unclosed("bad substitution")
        pattern = operator[0] in "%#/"
        argument = self._argument(
            quoted and not pattern, "/}" if operator in ("/", "//") else ":}" if operator == ":" else "}"
        )
        second = None
        if operator[0] in "/:" and operator not in (":-", ":=", ":?", ":+") and self.char() in ("/", ":"):
            self.take()
            second = self._argument(quoted, "}")
        if self.take() != "}":
            raise self.problem("missing '}'")
        return Parameter(name, operator, argument, second, quoted)

    def _unclosed(self, words: str) -> SyntaxProblem:
        return self.problem(words if "}" in self.text[self.at :] else "missing '}'")

    def _argument(self, quoted: bool, ends: str) -> Word:
        """The word after an operator in braces; in double quotes, single ones mean nothing there."""
        if not quoted:
            return self.word(frozenset(ends))
        parts: list[Part] = []
        while self.char() and self.char() not in ends:
            if self.char() == '"':
                self.take()
                parts += self.double('"') or [Text("", True)]
                self.take()
            elif self.char() == "\\" and self.char(1) and self.char(1) in '$`"\\}':
                parts.append(Text(self.take(2)[1], True))
            elif self.char() in "$`":
                found = self.expansion(True)
                parts.append(Text(found, True) if isinstance(found, str) else found)
            else:
                parts.append(Text(self.take(), True))
        return tuple(parts)

    # -- for the grammar

    def script(self, ends: frozenset[str]) -> Script:
        """A list up to one of these reserved words, a closing parenthesis, ``;;`` or the end; that is left."""
        raise NotImplementedError

    def whole(self) -> Script:
        """All of the text."""
        raise NotImplementedError

    def unexpected(self, expecting: str = "") -> SyntaxProblem:
        return self.problem(f"unexpected {self.peek().shown()}" + (f" (expecting {expecting})" if expecting else ""))
