"""From a script's text to its syntax: tokens are recognised as POSIX says (XCU 2.3), and the grammar is read by descent (2.10).

>>> parse("echo a | wc -c; false || exit 3")[1].command.rest[0][0]
'||'
>>> parse("while true; do echo x; done; done")
Traceback (most recent call last):
    ...
swarmsim.unix.shell.parse.SyntaxProblem: unexpected "done"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from swarmsim.unix.shell.syntax import (
    AndOr,
    Arithmetic,
    Assignment,
    Case,
    Command,
    CommandSubstitution,
    Document,
    For,
    Function,
    Group,
    If,
    Item,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Redirected,
    Script,
    Simple,
    Subshell,
    Text,
    While,
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
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
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


class _Reader:
    """Reads tokens from ``text``, and commands from those."""

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
            document.text = (Text(text, True),) if document.literal else heredoc(text, line, self.depth)

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

    def _inner(self) -> _Reader:
        """Another reader from here on."""
        if self.depth >= DEEPEST:
            raise self.problem("commands are nested too deeply")
        inner = _Reader(self.text, self.line, self.depth + 1)
        inner.at = self.at
        return inner

    def _take_over(self, inner: _Reader) -> None:
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
        return _whole(_Reader(text, line, self.depth + 1))

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
        inner = _Reader(self.text[self.at + 3 : at], self.line, self.depth + 1)
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

    # -- grammar

    def unexpected(self, expecting: str = "") -> SyntaxProblem:
        return self.problem(f"unexpected {self.peek().shown()}" + (f" (expecting {expecting})" if expecting else ""))

    def skip_newlines(self) -> None:
        while self.peek().kind == "newline":
            self.next()

    def expect(self, word: str) -> None:
        """A reserved word or an operator."""
        token = self.peek()
        if token.kind != word and token.reserved != word:
            raise self.unexpected(f'"{word}"')
        self.next()

    def script(self, ends: frozenset[str]) -> Script:
        """A list up to a reserved word of ``ends``, a closing parenthesis, ``;;`` or the end; that is left."""
        items: list[Item] = []
        self.skip_newlines()
        while True:
            token = self.peek()
            if token.kind in ("end of file", ")", ";;") or token.reserved in ends:
                return tuple(items)
            command = self.and_or()
            separator = self.peek().kind
            items.append(Item(command, separator == "&"))
            if separator in (";", "&"):
                self.next()
                self.skip_newlines()
            elif separator == "newline":
                self.skip_newlines()
            elif separator not in ("end of file", ")", ";;"):
                raise self.unexpected()

    def line_of_commands(self) -> Script | None:
        """The commands up to the end of a line, ``None`` at the end of the text: what a shell reads before it does something."""
        self.skip_newlines()
        if self.peek().kind == "end of file":
            return None
        items: list[Item] = []
        while self.peek().kind not in ("newline", "end of file"):
            command = self.and_or()
            separator = self.peek().kind
            items.append(Item(command, separator == "&"))
            if separator in (";", "&"):
                self.next()
            elif separator not in ("newline", "end of file"):
                raise self.unexpected()
        self.peek()
        return tuple(items)

    def body(self, *ends: str) -> Script:
        """A list that must not be empty."""
        found = self.script(frozenset(ends))
        if not found or self.peek().reserved not in ends:
            at_end = self.peek().kind == "end of file"
            raise self.unexpected(f'"{ends[0]}"' if found or at_end else "")
        return found

    def and_or(self) -> AndOr:
        first, rest = self.pipeline(), []
        while self.peek().kind in ("&&", "||"):
            operator = self.next().kind
            self.skip_newlines()
            rest.append((operator, self.pipeline()))
        return AndOr(first, tuple(rest))

    def pipeline(self) -> Pipeline:
        negated = self.peek().reserved == "!"
        if negated:
            self.next()
        commands = [self.command()]
        while self.peek().kind == "|":
            self.next()
            self.skip_newlines()
            commands.append(self.command())
        return Pipeline(tuple(commands), negated)

    def command(self) -> Command:
        if self.depth >= DEEPEST:
            raise self.problem("commands are nested too deeply")
        self.depth += 1
        token = self.peek()
        compound = {
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "case": self._case,
            "{": self._group,
            "function": self._function,
        }.get(token.reserved)
        if token.kind == "(":
            compound = self._subshell
        found = self._redirected(compound()) if compound is not None else self._simple()
        self.depth -= 1
        return found

    def _redirected(self, command: Command) -> Command:
        redirects: list[Redirect] = []
        while self.peek().kind in REDIRECTIONS:
            redirects += self.redirect()
        return Redirected(command, tuple(redirects)) if redirects else command

    def redirect(self) -> list[Redirect]:
        token = self.next()
        operator = token.kind
        fd = token.fd if token.fd is not None else 0 if operator.startswith("<") else 1
        target = self.peek()
        if target.kind != "word":
            raise self.unexpected()
        self.next()
        if operator in ("<<", "<<-"):
            literal = any(mark in target.raw for mark in "'\"\\")
            end = "".join(part.text for part in target.word if isinstance(part, Text)) if literal else target.raw
            document = Document(end, strip=operator == "<<-", literal=literal)
            self.documents.append(document)
            return [Redirect(fd, "<<", document)]
        if operator == "&>":
            return [Redirect(1, ">", target.word), Redirect(2, ">&", (Text("1"),))]
        return [Redirect(fd, operator, target.word)]

    def _simple(self) -> Command:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self.line
        while True:
            token = self.peek()
            if token.kind in REDIRECTIONS:
                redirects += self.redirect()
                continue
            if token.kind == "(" and len(words) == 1 and not assignments and not redirects:
                return self._definition(words[0])
            if token.kind != "word" or (not words and not assignments and not redirects and token.reserved):
                break
            self.next()
            assigned = None if words else assignment(token)
            if assigned is not None:
                assignments.append(assigned)
            else:
                words.append(token.word)
        if not (assignments or words or redirects):
            raise self.unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

    def _definition(self, word: Word) -> Function:
        self.next()
        if self.peek().kind != ")":
            token = self.peek()
            raise self.problem(f'unexpected {token.kind if token.reserved else token.shown()} (expecting ")")')
        self.next()
        name = word[0].text if len(word) == 1 and isinstance(word[0], Text) and not word[0].quoted else ""
        if not NAME.fullmatch(name):
            raise self.problem("bad function name")
        self.skip_newlines()
        return Function(name, self.command())

    def _function(self) -> Command:
        self.next()
        word = self.peek()
        if word.kind != "word":
            raise self.unexpected()
        self.next()
        if self.peek().kind == "(":
            return self._definition(word.word)
        self.skip_newlines()
        return Function(word.raw, self.command())

    def _group(self) -> Command:
        self.next()
        found = self.body("}")
        self.next()
        return Group(found)

    def _subshell(self) -> Command:
        self.next()
        found = self.script(frozenset())
        if self.peek().kind != ")" or not found:
            raise self.unexpected('")"' if found else "")
        self.next()
        return Subshell(found)

    def _if(self) -> Command:
        branches: list[tuple[Script, Script]] = []
        otherwise: Script = ()
        while True:
            self.next()
            condition = self.body("then")
            self.next()
            branches.append((condition, self.body("fi", "elif", "else")))
            if self.peek().reserved != "elif":
                break
        if self.peek().reserved == "else":
            self.next()
            otherwise = self.body("fi")
        self.expect("fi")
        return If(tuple(branches), otherwise)

    def _while(self) -> Command:
        until = self.next().raw == "until"
        condition = self.body("do")
        return While(condition, self._do(), until)

    def _do(self) -> Script:
        self.expect("do")
        body = self.body("done")
        self.next()
        return body

    def _for(self) -> Command:
        self.next()
        token = self.next()
        if token.kind != "word" or not NAME.fullmatch(token.raw):
            raise self.problem("bad for loop variable")
        self.skip_newlines()
        words: list[Word] | None = None
        if self.peek().kind == "word" and self.peek().raw == "in":
            self.next()
            words = []
            while self.peek().kind == "word":
                words.append(self.next().word)
            if self.peek().kind not in (";", "newline"):
                raise self.unexpected()
            self.next()
        elif self.peek().kind == ";":
            self.next()
        self.skip_newlines()
        return For(token.raw, None if words is None else tuple(words), self._do())

    def _case(self) -> Command:
        self.next()
        word = self.peek()
        if word.kind != "word":
            raise self.unexpected()
        self.next()
        self.skip_newlines()
        if self.peek().raw != "in":
            raise self.unexpected('"in"')
        self.next()
        items = []
        self.skip_newlines()
        while self.peek().reserved != "esac":
            if self.peek().kind == "(":
                self.next()
            patterns = []
            while True:
                token = self.peek()
                if token.kind != "word":
                    raise self.unexpected('")"' if token.kind == "end of file" else "")
                patterns.append(self.next().word)
                if self.peek().kind != "|":
                    break
                self.next()
            if self.peek().kind != ")":
                raise self.unexpected('")"')
            self.next()
            items.append((tuple(patterns), self.script(frozenset(("esac",)))))
            if self.peek().kind == ";;":
                self.next()
                self.skip_newlines()
            elif self.peek().reserved != "esac":
                raise self.unexpected('";;"')
        self.next()
        return Case(word.word, tuple(items))


def assignment(token: Token) -> Assignment | None:
    """``name=value``, if a word is one."""
    first = token.word[0] if token.word else None
    if not isinstance(first, Text) or first.quoted:
        return None
    match = _ASSIGNMENT.match(first.text)
    if match is None:
        return None
    rest = first.text[match.end() :]
    return Assignment(match[1], ((Text(rest),) if rest else ()) + token.word[1:])


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


def heredoc(text: str, line: int = 1, depth: int = 0) -> Word:
    """A here-document's parts: like double quotes, in which a quote is itself."""
    return tuple(_Reader(text, line, depth + 1).double(""))


def _whole(reader: _Reader) -> Script:
    found = reader.script(frozenset())
    if reader.peek().kind != "end of file":
        raise reader.unexpected()
    return found


def lines(text: str) -> Iterator[tuple[Script, bool]]:
    """The commands of each line, or of as many as belong together, and whether they are the last; a mistake shows when its line is reached.

    Raises :class:`SyntaxProblem`.
    """
    reader = _Reader(text)
    while (commands := reader.line_of_commands()) is not None:
        yield commands, not text[reader.at :].strip()


def parse(text: str) -> Script:
    """Raises :class:`SyntaxProblem`."""
    return _whole(_Reader(text))
