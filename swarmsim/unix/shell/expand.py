"""From words to fields (POSIX XCU 2.6): tilde, parameters, commands and arithmetic, then splitting by ``IFS``, then path names.

An expanded word is a list of pieces. A piece tells whether it was quoted, and whether it came of an unquoted expansion, since only that is
split; ``None`` among them is a border between two fields that ``"$@"`` made.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.future import Activity
from swarmsim.unix.files import join
from swarmsim.unix.shell import patterns
from swarmsim.unix.shell.arithmetic import ArithmeticProblem, evaluate
from swarmsim.unix.shell.errors import ShellError
from swarmsim.unix.shell.state import Shell
from swarmsim.unix.shell.syntax import Arithmetic, CommandSubstitution, Parameter, Part, Text, Word

BLANKS = " \t\n"


class Piece(NamedTuple):
    text: str
    quoted: bool = False
    splits: bool = False


Pieces = list[Piece | None]


def expand(shell: Shell, word: Word, *, assigns: bool = False) -> Activity[Pieces]:
    """All but splitting and path names. ``assigns``: a tilde counts after each colon. Raises :class:`ShellError`."""
    pieces: Pieces = []
    for n, part in enumerate(word):
        if isinstance(part, Text):
            text = part.text
            if not part.quoted and "~" in text:
                text = _tildes(shell, text, first=n == 0, assigns=assigns, last=n == len(word) - 1)
            pieces.append(Piece(text, part.quoted))
        else:
            pieces += yield from _expansion(shell, part)
    return pieces


def _tildes(shell: Shell, text: str, *, first: bool, assigns: bool, last: bool) -> str:
    parts = text.split(":") if assigns else [text]
    for n, part in enumerate(parts):
        name, slash, rest = part.partition("/")
        if name.startswith("~") and (first or n) and (slash or last or n < len(parts) - 1):
            home = shell.value("HOME") if name == "~" else shell.home_of(name[1:])
            parts[n] = part if home is None else home + slash + rest
    return ":".join(parts)


def _expansion(shell: Shell, part: Part) -> Activity[Pieces]:
    if isinstance(part, CommandSubstitution):
        output = yield from shell.substitute(part.body)
        return [Piece(output, part.quoted, not part.quoted)]
    if isinstance(part, Arithmetic):
        text = yield from single(shell, part.expression)
        try:
            value = evaluate(text, shell.arithmetic_value, shell.assign)
        except ArithmeticProblem as problem:
            raise ShellError(str(problem)) from None
        return [Piece(str(value), part.quoted, not part.quoted)]
    assert isinstance(part, Parameter)
    return (yield from _parameter(shell, part))


def _parameter(shell: Shell, part: Parameter) -> Activity[Pieces]:
    name, operator, quoted = part.name, part.operator, part.quoted
    many = shell.parameters if name in "@*" else None
    value = shell.parameter(name)
    if operator == "#x":
        return [Piece(str(len(many) if many is not None else len(value or "")), quoted, not quoted)]
    if operator.lstrip(":") in ("-", "=", "?", "+") and operator != ":":
        missing = value is None or (operator[0] == ":" and not value)
        if many is not None:
            missing = not many or (operator[0] == ":" and not value)
        if operator[-1] == "+":
            return [] if missing else (yield from _argument(shell, part))
        if missing:
            return (yield from _instead(shell, part))
    elif value is None and many is None and "u" in shell.options:
        raise ShellError(f"{name}: parameter not set")
    if many is not None and operator.lstrip(":") in ("", "-", "=", "?") and operator != ":":
        return _all_parameters(shell, part, many)
    value = value or ""
    if operator[:1] in ("#", "%"):
        value = patterns.trim(value, (yield from pattern(shell, part.argument)), operator)
    elif operator[:1] == "/":
        by = yield from single(shell, part.second or ())
        value = patterns.replace(value, (yield from pattern(shell, part.argument)), by, everywhere=operator == "//")
    elif operator == ":":
        value = yield from _part_of(shell, part, value)
    return [Piece(value, quoted, not quoted)]


def _argument(shell: Shell, part: Parameter) -> Activity[Pieces]:
    """The word of ``${x:-word}``: unquoted parts of it are split where the expansion is."""
    found = yield from expand(shell, part.argument)
    pieces: Pieces = [
        piece if piece is None or piece.quoted or part.quoted else piece._replace(splits=True) for piece in found
    ]
    return pieces or [Piece("", part.quoted, not part.quoted)]


def _instead(shell: Shell, part: Parameter) -> Activity[Pieces]:
    """Of a parameter that is missing."""
    kind = part.operator[-1]
    if kind == "-":
        return (yield from _argument(shell, part))
    text = yield from single(shell, part.argument)
    if kind == "?":
        default = "parameter not set or null" if part.operator[0] == ":" else "parameter not set"
        raise ShellError(f"{part.name}: {text or default}")
    if not (part.name[0].isalpha() or part.name[0] == "_"):
        raise ShellError("bad variable name")
    shell.assign(part.name, text)
    return [Piece(text, part.quoted, not part.quoted)]


def _all_parameters(shell: Shell, part: Parameter, many: list[str]) -> Pieces:
    if part.quoted and part.name == "*":
        separators = shell.value("IFS")
        return [Piece((BLANKS if separators is None else separators)[:1].join(many), True)]
    pieces: Pieces = []
    for n, each in enumerate(many):
        if n:
            pieces.append(None)
        pieces.append(Piece(each, part.quoted, not part.quoted))
    return pieces


def _part_of(shell: Shell, part: Parameter, value: str) -> Activity[str]:
    """``${x:1:2}``."""
    numbers: list[int] = []
    for word in (part.argument, part.second):
        if word is not None:
            text = yield from single(shell, word)
            try:
                numbers.append(evaluate(text, shell.arithmetic_value, shell.assign))
            except ArithmeticProblem as problem:
                raise ShellError(str(problem)) from None
    start = numbers[0] if numbers[0] >= 0 else max(len(value) + numbers[0], 0)
    if len(numbers) == 1:
        return value[start:]
    end = start + numbers[1] if numbers[1] >= 0 else len(value) + numbers[1]
    return value[start : max(end, start)]


# -- what becomes of the pieces


def single(shell: Shell, word: Word, *, assigns: bool = False) -> Activity[str]:
    """One text, neither split nor taken for a pattern."""
    pieces = yield from expand(shell, word, assigns=assigns)
    return "".join(" " if piece is None else piece.text for piece in pieces)


def pattern(shell: Shell, word: Word) -> Activity[list[tuple[str, bool]]]:
    """Texts, each with whether it was quoted: for :mod:`.patterns`."""
    pieces = yield from expand(shell, word)
    return [(" ", True) if piece is None else (piece.text, piece.quoted) for piece in pieces]


def fields(shell: Shell, words: tuple[Word, ...]) -> Activity[list[str]]:
    found: list[str] = []
    for word in words:
        for field in split((yield from expand(shell, word)), shell.value("IFS")):
            found += _paths(shell, field)
    return found


Field = list[tuple[str, bool]]


def split(pieces: Pieces, separators: str | None) -> list[Field]:
    """Into fields, by the characters of ``IFS``: blanks of it around a field are nothing, any other one ends a field.

    >>> split([Piece("a::b ", splits=True), Piece("c d", True)], ": ")
    [[('a', False)], [], [('b', False)], [('c d', True)]]
    """
    separators = BLANKS if separators is None else separators
    found: list[Field] = []
    current: Field | None = None
    blank_before = False
    for piece in pieces:
        if piece is None:
            if current:
                found.append(current)
            current = None
            continue
        if not piece.splits:
            if piece.text or piece.quoted:
                current = [*(current or []), (piece.text, piece.quoted)]
            continue
        text = ""
        for char in piece.text:
            if char not in separators:
                text += char
                continue
            if text:
                current = [*(current or []), (text, False)]
                text = ""
            if char in BLANKS:
                if current is not None:
                    found.append(current)
                    current, blank_before = None, True
                continue
            if current is not None or not blank_before:
                found.append(current or [])
            current, blank_before = None, False
        if text:
            current = [*(current or []), (text, False)]
            blank_before = False
    if current:
        found.append(current)
    return found


def _paths(shell: Shell, field: Field) -> list[str]:
    """The paths that a field means, or itself."""
    text = "".join(each for each, _ in field)
    if "f" in shell.options or not patterns.is_pattern(field):
        return [text]
    components: list[Field] = [[]]
    for each, quoted in field:
        for n, part in enumerate(each.split("/")):
            if n:
                components.append([])
            components[-1].append((part, quoted))
    found = ["/"] if not any(part for part, _ in components[0]) else [""]
    rooted = found == ["/"]
    for component in components[1:] if rooted else components:
        plain = "".join(each for each, _ in component)
        inner: list[str] = []
        for base in found:
            if not patterns.is_pattern(component):
                inner.append(join(base, plain) if base else plain)
                continue
            try:
                names = shell.process.system.files.names(shell.process.path(base or "."), shell.process.user)
            except OSError:
                continue
            inner += [
                join(base, name) if base else name
                for name in names
                if (not name.startswith(".") or plain.startswith(".")) and patterns.matches(component, name)
            ]
        found = inner
    files, process = shell.process.system.files, shell.process
    found = [path for path in found if path and files.exists(process.path(path), process.user)]
    return sorted(found) or [text]
