"""``echo``, ``printf``, ``test`` and ``[``: a shell has them built in, and they are programs as well."""

from __future__ import annotations

import re
from collections.abc import Callable

from swarmsim.sim.future import Activity
from swarmsim.unix.files import Inode
from swarmsim.unix.process import Process

_ESCAPE = re.compile(r"\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "e": "\x1b"}


class _Stop(Exception):
    """``\\c``: nothing more is printed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def unescape(text: str, *, quotes: bool = False) -> str:
    """Backslashes as ``echo -e`` has them. Raises :class:`_Stop` at ``\\c``."""
    found, at = "", 0
    for match in _ESCAPE.finditer(text):
        found += text[at : match.start()]
        at = match.end()
        code = match[1]
        if code == "c" and not quotes:
            raise _Stop(found)
        if code[0] in "01234567":
            found += chr(int(code, 8) & 255)
        elif code[0] == "x" and len(code) > 1:
            found += chr(int(code[1:], 16))
        elif code in _SIMPLE:
            found += _SIMPLE[code]
        elif quotes and code == '"':
            found += '"'
        else:
            found += match[0]
    return found + text[at:]


def echo(process: Process, words: list[str]) -> Activity[int]:
    rest, end, escapes = words[1:], "\n", False
    while rest and re.fullmatch(r"-[neE]+", rest[0]):
        for letter in rest.pop(0)[1:]:
            end = "" if letter == "n" else end
            escapes = letter == "e" if letter in "eE" else escapes
    text = " ".join(rest)
    if escapes:
        try:
            text = unescape(text)
        except _Stop as stop:
            text, end = stop.text, ""
    yield from process.write(text + end)
    return 0


_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%")


def printf(process: Process, words: list[str]) -> Activity[int]:
    """The format is used again as long as there are words for it."""
    if len(words) < 2:
        yield from process.say(
            "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n\nUsage: printf FORMAT [ARG]...\n"
        )
        return 1
    format, rest = words[1], words[2:]
    output: list[str] = []
    complaints: list[str] = []
    try:
        while True:
            before = len(rest)
            output.append(_formatted(format, rest, complaints))
            if not rest or len(rest) == before:
                break
    except _Stop as stop:
        output.append(stop.text)
    for complaint in complaints:  # standard output is written at the end
        yield from process.say(f"{complaint}\n")
    yield from process.write("".join(output))
    return int(bool(complaints))


def _formatted(format: str, words: list[str], complaints: list[str]) -> str:
    """One round; takes what it needs from ``words``. Raises :class:`_Stop`."""
    found, at = "", 0
    for match in _DIRECTIVE.finditer(format):
        try:
            found += unescape(format[at : match.start()], quotes=True)
        except _Stop as stop:
            raise _Stop(found + stop.text) from None
        at = match.end()
        flags, width, precision, kind = match[1] or "", match[2], match[3], match[4]
        if kind == "%" or kind is None:
            found += "%"
            continue
        numbers = [int(words.pop(0) or 0) if part == "*" and words else part for part in (width, precision)]
        has_precision = "." in match[0]
        spec = f"%{flags}{numbers[0] if numbers[0] is not None else ''}"
        if has_precision:
            spec += f".{numbers[1] if numbers[1] is not None else 0}"
        word = words.pop(0) if words else ""
        if kind in "di":
            found += f"{spec}d" % _integer(word, complaints)
        elif kind in "uoxX":
            number = _integer(word, complaints)
            found += (f"{spec}{kind}").replace("u", "d") % (number % (1 << 64))
        elif kind in "eEfgG":
            found += f"{spec}{kind}" % _number(word, complaints)
        elif kind == "c":
            found += f"{spec}s" % word[:1]
        elif kind == "s":
            found += f"{spec}s" % word
        elif kind == "b":
            try:
                found += f"{spec}s" % unescape(word)
            except _Stop as stop:
                raise _Stop(found + stop.text) from None
        else:
            complaints.append(f"sh: {match[0]}: invalid format")
    try:
        return found + unescape(format[at:], quotes=True)
    except _Stop as stop:
        raise _Stop(found + stop.text) from None


def _integer(word: str, complaints: list[str]) -> int:
    if word[:1] in ("'", '"'):
        return ord(word[1]) if len(word) > 1 else 0
    match = re.fullmatch(r"\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", word)
    if match is None:
        if word:
            complaints.append(f"sh: invalid number '{word}'")
        return 0
    digits = match[2]
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    return int(digits, base) * (-1 if match[1] == "-" else 1)


def _number(word: str, complaints: list[str]) -> float:
    try:
        return float(word or 0)
    except ValueError:
        complaints.append(f"sh: invalid number '{word}'")
        return 0.0


# -- test


class _Wrong(Exception):
    """An expression that is none, in busybox's words."""


def test(process: Process, words: list[str]) -> Activity[int]:
    """``test`` and ``[``: 0 if it holds, 1 if not, 2 if it is none."""
    rest = words[1:]
    if words[0].endswith("["):
        if not rest or rest[-1] != "]":
            yield from process.say("sh: missing ]\n")
            return 2
        rest = rest[:-1]
    try:
        return int(not _Test(process, rest).judge())
    except _Wrong as problem:
        yield from process.say(f"sh: {problem}\n")
        return 2


_BINARY = frozenset(
    ("=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "-a", "-o")
)
_UNARY = frozenset(f"-{letter}" for letter in "nzefdrwxsLhpSbcugktGO")


class _Test:
    """Few words mean what POSIX says for their number; more are read by precedence."""

    def __init__(self, process: Process, words: list[str]) -> None:
        self.process = process
        self.words = words
        self.at = 0

    def judge(self) -> bool:
        match self.words:
            case []:
                return False
            case [word]:
                return bool(word)
            case ["!", word]:
                return not word
            case [left, operator, right] if operator in _BINARY:
                return self.binary(left, operator, right)
            case ["!", left, operator, right] if operator in _BINARY:
                return not self.binary(left, operator, right)
        value = self.either()
        if self.at < len(self.words):
            raise _Wrong(f"{self.words[self.at]}: unknown operand")
        return value

    @property
    def ahead(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self) -> str:
        word = self.ahead
        if word is None:
            raise _Wrong("argument expected")
        self.at += 1
        return word

    def either(self) -> bool:
        value = self.both()
        while self.ahead == "-o":
            self.at += 1
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.negation()
        while self.ahead == "-a":
            self.at += 1
            value = self.negation() and value
        return value

    def negation(self) -> bool:
        if self.ahead == "!" and self.at + 1 < len(self.words):
            self.at += 1
            return not self.negation()
        return self.primary()

    def primary(self) -> bool:
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else None
        complete = self.at + 2 < len(self.words)
        if following in _BINARY and following not in ("-a", "-o") and (complete or self.ahead not in _UNARY):
            left, operator = self.take(), self.take()
            if self.ahead is None:
                raise _Wrong(f"{operator}: argument expected")
            return self.binary(left, operator, self.take())
        word = self.take()
        if word == "(":
            value = self.either()
            if self.take() != ")":
                raise _Wrong("closing paren expected")
            return value
        if word in _UNARY and self.ahead is not None:
            return self.unary(word, self.take())
        return bool(word)

    def binary(self, left: str, operator: str, right: str) -> bool:
        match operator:
            case "=" | "==":
                return left == right
            case "!=":
                return left != right
            case "<":
                return left < right
            case ">":
                return left > right
            case "-a":
                return bool(left) and bool(right)
            case "-o":
                return bool(left) or bool(right)
            case "-nt" | "-ot" | "-ef":
                return self._files(left, operator, right)
        a, b = self.number(left), self.number(right)
        return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[operator]

    @staticmethod
    def number(word: str) -> int:
        if not re.fullmatch(r"\s*[-+]?\d+\s*", word):
            raise _Wrong(f"{word}: bad number")
        return int(word)

    def _files(self, left: str, operator: str, right: str) -> bool:
        a, b = self.inode(left), self.inode(right)
        if a is None or b is None:
            return False
        return a is b if operator == "-ef" else a.mtime > b.mtime if operator == "-nt" else a.mtime < b.mtime

    def inode(self, path: str, *, follow: bool = True) -> Inode | None:
        try:
            return self.process.system.files.stat(self.process.path(path), self.process.user, follow=follow)
        except OSError:
            return None

    def unary(self, operator: str, word: str) -> bool:
        if operator == "-n":
            return bool(word)
        if operator == "-z":
            return not word
        if operator == "-t":
            return False
        if not word:
            return False
        inode = self.inode(word, follow=operator not in ("-L", "-h"))
        if inode is None:
            return False
        user = self.process.user
        checks: dict[str, Callable[[], bool]] = {
            "-e": lambda: True,
            "-f": lambda: inode.kind == "file",
            "-d": lambda: inode.kind == "folder",
            "-s": lambda: inode.size > 0,
            "-L": lambda: inode.kind == "link",
            "-h": lambda: inode.kind == "link",
            "-c": lambda: inode.kind == "device",
            "-r": lambda: user.may(inode, 4),
            "-w": lambda: user.may(inode, 2),
            "-x": lambda: user.may(inode, 1),
            "-u": lambda: bool(inode.mode & 0o4000),
            "-g": lambda: bool(inode.mode & 0o2000),
            "-k": lambda: bool(inode.mode & 0o1000),
            "-O": lambda: inode.uid == user.uid,
            "-G": lambda: inode.gid == user.gid,
        }
        return checks.get(operator, lambda: False)()
