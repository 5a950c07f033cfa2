"""``sed``: what scripts in containers use of it: ``s y d p q = a i c n`` with addresses, ``-n -e -i -E``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import NamedTuple

from swarmsim.sim.future import Activity
from swarmsim.unix.files import NotModelled
from swarmsim.unix.process import Process
from swarmsim.unix.programs import regex
from swarmsim.unix.programs.options import Usage, options
from swarmsim.unix.programs.texts import complain, contents, lines_of, octets, write


class Address(NamedTuple):
    """A line's number, ``$`` (-1) or an expression."""

    number: int = 0
    expression: re.Pattern[str] | None = None

    def fits(self, number: int, last: bool, line: str) -> bool:
        if self.expression is not None:
            return self.expression.search(line) is not None
        return last if self.number == -1 else number == self.number


class Command(NamedTuple):
    """``argument`` is the text of ``a i c``; ``table`` that of ``y``."""

    first: Address | None
    second: Address | None
    negated: bool
    kind: str
    expression: re.Pattern[str] | None = None
    replacement: str = ""
    flags: str = ""
    argument: str = ""
    table: dict[int, int] | None = None
    block: tuple[Command, ...] = ()


class _Script:
    """Reads commands."""

    def __init__(self, text: str, extended: bool) -> None:
        self.text = text
        self.at = 0
        self.extended = extended

    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self, chars: str) -> None:
        while self.char() and self.char() in chars:
            self.at += 1

    def commands(self, inner: bool = False) -> tuple[Command, ...]:
        found: list[Command] = []
        while True:
            self.skip(" \t\n;")
            if not self.char():
                if inner:
                    raise Usage("sed: unmatched '{'")
                return tuple(found)
            if inner and self.char() == "}":
                self.at += 1
                return tuple(found)
            if self.char() == "#":
                self.skip_line()
                continue
            found.append(self.command())

    def skip_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = end if end >= 0 else len(self.text)

    def command(self) -> Command:
        first = self.address()
        second = None
        if first is not None and self.char() == ",":
            self.at += 1
            self.skip(" ")
            second = self.address()
        self.skip(" \t")
        negated = self.char() == "!"
        if negated:
            self.at += 1
            self.skip(" \t")
        kind = self.char()
        self.at += 1
        if kind == "{":
            return Command(first, second, negated, kind, block=self.commands(inner=True))
        if kind == "s":
            return self.substitution(Command(first, second, negated, kind))
        if kind == "y":
            separator = self.char()
            self.at += 1
            source, target = self.until(separator), self.until(separator)
            if len(source) != len(target):
                raise Usage("sed: strings for 'y' command are different lengths")
            return Command(first, second, negated, kind, table=str.maketrans(source, target))
        if kind and kind in "aic":
            self.skip(" \t")
            if self.char() == "\\":
                self.at += 1
                self.skip(" \t")
                if self.char() == "\n":
                    self.at += 1
            start = self.at
            self.skip_line()
            return Command(first, second, negated, kind, argument=self.text[start : self.at] + "\n")
        if kind and kind in "dpq=nDPNGHghx":
            if kind in "DPNGHghx":
                raise NotModelled(f"sed {kind}")
            return Command(first, second, negated, kind)
        if kind and kind in "btTrwlQ:}":
            raise NotModelled(f"sed {kind}")
        raise Usage(f"sed: unsupported command {kind}" if kind else "sed: missing command")

    def address(self) -> Address | None:
        if match := re.compile(r"\d+").match(self.text, self.at):
            self.at = match.end()
            return Address(int(match[0]))
        if self.char() == "$":
            self.at += 1
            return Address(-1)
        if self.char() in ("/", "\\"):
            if self.char() == "\\":
                self.at += 1
            separator = self.char()
            self.at += 1
            text = self.until(separator)
            return Address(0, regex.compiled(text, extended=self.extended))
        return None

    def until(self, separator: str) -> str:
        text, bracket = "", False
        while True:
            char = self.char()
            if not char:
                raise Usage("sed: unterminated address regex" if not text else "sed: unmatched '" + separator + "'")
            self.at += 1
            if char == "\\":
                following = self.char()
                self.at += 1
                text += following if following == separator else f"\\{following}"
                continue
            if char == separator and not bracket:
                return text
            text += char

    def substitution(self, command: Command) -> Command:
        separator = self.char()
        self.at += 1
        pattern, replacement = self.until(separator), self.until(separator)
        match = re.compile(r"[gpiIe\d]*").match(self.text, self.at)
        flags = match[0] if match else ""
        self.at += len(flags)
        if self.char() == "w":
            raise NotModelled("sed s///w")
        expression = regex.compiled(pattern, extended=self.extended, ignore_case="i" in flags.lower())
        return command._replace(expression=expression, replacement=replacement, flags=flags)


def _replaced(match: re.Match[str], replacement: str) -> str:
    def one(part: re.Match[str]) -> str:
        text = part[0]
        if text == "&":
            return match[0]
        if text[1].isdigit():
            return match[int(text[1])] or ""
        return {"n": "\n", "t": "\t"}.get(text[1], text[1])

    return re.sub(r"\\.|&", one, replacement, flags=re.DOTALL)


def substitute(command: Command, line: str) -> tuple[str, bool]:
    """The line afterwards, and whether something was replaced."""
    assert command.expression is not None
    digits = re.search(r"\d+", command.flags)
    from_match = int(digits[0]) if digits else 1
    seen = 0

    def one(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        if seen < from_match or (seen > from_match and "g" not in command.flags):
            return match[0]
        return _replaced(match, command.replacement)

    changed = command.expression.sub(one, line)
    return changed, seen >= from_match


class _Quit(Exception):
    """``q``."""


class _Editor:
    def __init__(self, commands: tuple[Command, ...], silent: bool) -> None:
        self.commands = commands
        self.silent = silent
        self.inside: set[int] = set()
        """Commands, by identity of their place, whose range has begun."""

    def edit(self, lines: list[str], ends_open: bool, put: Callable[[str], object]) -> None:
        """Raises :class:`_Quit`."""
        self.number, at = 0, 0
        while at < len(lines):
            self.number, self.last = at + 1, at + 1 == len(lines)
            end = "" if self.last and ends_open else "\n"
            self.line: str | None = lines[at]
            self.after: list[str] = []
            quits = False
            try:
                self.run(self.commands, put, end)
            except _Quit:
                quits = True
            if self.line is not None and not self.silent:
                put(self.line + end)
            for text in self.after:
                put(text)
            if quits:
                raise _Quit
            at += 1

    def run(self, commands: tuple[Command, ...], put: Callable[[str], object], end: str) -> None:
        for command in commands:
            if self.line is None:
                return
            if self.applies(command) == command.negated:
                continue
            match command.kind:
                case "{":
                    self.run(command.block, put, end)
                case "s":
                    self.line, changed = substitute(command, self.line)
                    if changed and "p" in command.flags:
                        put(self.line + "\n")
                case "y":
                    self.line = self.line.translate(command.table or {})
                case "d":
                    self.line = None
                case "p":
                    put(self.line + "\n")
                case "=":
                    put(f"{self.number}\n")
                case "i":
                    put(command.argument)
                case "a":
                    self.after.append(command.argument)
                case "c":
                    if command.second is None or id(command) not in self.inside or self.last:
                        put(command.argument)
                    self.line = None
                case "q":
                    raise _Quit
                case "n":
                    raise NotModelled("sed n")

    def applies(self, command: Command) -> bool:
        if command.first is None or self.line is None:
            return True
        if command.second is None:
            return command.first.fits(self.number, self.last, self.line)
        key = id(command)
        if key in self.inside:
            second = command.second
            ends = second.fits(self.number, self.last, self.line)
            if second.expression is None and second.number > 0 and self.number >= second.number:
                ends = True
            if ends:
                self.inside.discard(key)
            return not (second.expression is None and 0 < second.number < self.number)
        if not command.first.fits(self.number, self.last, self.line):
            return False
        second = command.second
        if second.expression is not None or second.number == -1 or second.number > self.number:
            self.inside.add(key)
        return True


def sed(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "nirEe:", not_modelled="fs")
    scripts = given.all("e")
    paths = list(given.words)
    if not scripts:
        if not paths:
            raise Usage
        scripts.append(paths.pop(0))
    commands = _Script(octets("\n".join(scripts)), "r" in given or "E" in given).commands()
    if "i" in given and not paths:
        raise Usage("sed: no input files")
    texts, status = [], 0
    for path in paths or ["-"]:
        try:
            texts.append((path, (yield from contents(process, path))))
        except OSError as problem:
            yield from complain(process, "sed", path, problem)
            status = 1
    if "i" in given:
        for path, text in texts:
            output: list[str] = []
            _edit(commands, "n" in given, text, output)
            yield from process.open(path, ">").write("".join(output).encode("latin-1"))
    else:
        output = []
        _edit(commands, "n" in given, "".join(text for _, text in texts), output)
        yield from write(process, "".join(output))
    return status


def _edit(commands: tuple[Command, ...], silent: bool, text: str, output: list[str]) -> None:
    with contextlib.suppress(_Quit):
        _Editor(commands, silent).edit(lines_of(text), not text.endswith("\n"), output.append)
