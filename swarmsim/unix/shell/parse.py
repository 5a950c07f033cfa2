"""From a script's tokens to its syntax.

>>> parse("echo a | wc -c; false || exit 3")[1].command.rest[0][0]
'||'
>>> parse("while true; do echo x; done; done")
Traceback (most recent call last):
    ...
swarmsim.unix.shell.lexer.SyntaxProblem: unexpected "done"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from swarmsim.unix.shell.lexer import DEEPEST, NAME, REDIRECTIONS, Lexer, Token
from swarmsim.unix.shell.syntax import (
    AndOr,
    Assignment,
    Case,
    Command,
    Document,
    For,
    Function,
    Group,
    If,
    Item,
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

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


class Parser(Lexer):
    """Commands, by descent (XCU 2.10)."""

    def whole(self) -> Script:
        found = self.script(frozenset())
        if self.peek().kind != "end of file":
            raise self.unexpected()
        return found

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


def lines(text: str) -> Iterator[tuple[Script, bool]]:
    """The commands of each line, or of as many as belong together, and whether they are the last; a mistake shows when its line is reached.

    Raises :class:`SyntaxProblem`.
    """
    reader = Parser(text)
    while (commands := reader.line_of_commands()) is not None:
        yield commands, not text[reader.at :].strip()


def parse(text: str) -> Script:
    """Raises :class:`SyntaxProblem`."""
    return Parser(text).whole()
