"""Arithmetic of the shell: C's operators on signed numbers of 64 bits (POSIX XCU 2.6.4), and ``**``.

>>> evaluate("1 + 2 * 3 ** 2", {}.get, print)
19
>>> evaluate("x += 2, x << 1", {"x": "3"}.get, lambda name, value: print(name, value))
x 5
6
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\+\+|--|\*\*|<<=|>>=|<<|>>|&&|\|\||[-+*/%&^|<>=!]=|[-+*/%&^|<>=!~?:,()])"
)
_BINARY: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
_PLAIN: dict[str, Callable[[int, int], int]] = {
    "|": operator.or_,
    "^": operator.xor,
    "&": operator.and_,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_ASSIGNS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))
DEEPEST = 64
"""Of variables whose values are expressions with variables, as ash has it."""


class ArithmeticProblem(Exception):
    """In ash's words."""


def wrapped(number: int) -> int:
    """In 64 bits."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def evaluate(text: str, get: Callable[[str], str | None], set: Callable[[str, str], object], depth: int = 0) -> int:
    """``get`` and ``set`` are the shell's variables. Raises :class:`ArithmeticProblem`."""
    reader = _Reader(text, get, set, depth)
    if not reader.tokens:
        return 0
    value = reader.comma(True)
    if reader.at < len(reader.tokens):
        raise ArithmeticProblem("arithmetic syntax error")
    return value


class _Reader:
    """Reads and computes in one go; ``active`` is false in a branch that is not taken."""

    def __init__(
        self, text: str, get: Callable[[str], str | None], set: Callable[[str, str], object], depth: int
    ) -> None:
        self.get, self.set, self.depth = get, set, depth
        self.tokens: list[str] = []
        self.at = 0
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ArithmeticProblem("arithmetic syntax error")
            self.tokens.append(match[1])
            at = match.end()

    @property
    def ahead(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.ahead
        self.at += 1
        return token

    def comma(self, active: bool) -> int:
        value = self.assignment(active)
        while self.ahead == ",":
            self.take()
            value = self.assignment(active)
        return value

    def assignment(self, active: bool) -> int:
        name = self.ahead
        if _is_name(name) and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1] in _ASSIGNS:
            self.take()
            sign = self.take()
            value = self.assignment(active)
            if sign != "=":
                value = self.apply(sign[:-1], self.value(name, active), value, active)
            if active:
                self.set(name, str(value))
            return value
        return self.conditional(active)

    def conditional(self, active: bool) -> int:
        value = self.binary(0, active)
        if self.ahead != "?":
            return value
        self.take()
        first = self.assignment(active and value != 0)
        if self.take() != ":":
            raise ArithmeticProblem("malformed ?: sign")
        second = self.conditional(active and value == 0)
        return first if value else second

    def binary(self, level: int, active: bool) -> int:
        if level == len(_BINARY):
            return self.unary(active)
        left = self.binary(level + 1, active)
        while self.ahead in _BINARY[level]:
            sign = self.take()
            if sign == "||":
                left = int(bool(self.binary(level + 1, active and not left)) or bool(left))
            elif sign == "&&":
                left = int(bool(self.binary(level + 1, active and bool(left))) and bool(left))
            elif sign == "**":
                left = self.apply(sign, left, self.binary(level, active), active)
            else:
                left = self.apply(sign, left, self.binary(level + 1, active), active)
        return left

    def apply(self, sign: str, a: int, b: int, active: bool) -> int:
        if not active:
            return 0
        if sign in "/%" and b == 0:
            raise ArithmeticProblem("divide by zero")
        if sign == "**" and b < 0:
            raise ArithmeticProblem("exponent less than 0")
        match sign:
            case "/":
                return wrapped(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))
            case "%":
                return wrapped(abs(a) % abs(b) * (1 if a >= 0 else -1))
            case "**":
                return wrapped(pow(a, b, 1 << 64))
            case "<<":
                return wrapped(a << (b & 63))
            case ">>":
                return a >> (b & 63)
        return wrapped(int(_PLAIN[sign](a, b)))

    def unary(self, active: bool) -> int:
        token = self.take()
        if token in ("+", "-", "!", "~"):
            value = self.unary(active)
            return wrapped({"+": value, "-": -value, "!": int(not value), "~": ~value}[token])
        if token in ("++", "--"):
            name = self.take()
            if not _is_name(name):
                raise ArithmeticProblem("arithmetic syntax error")
            value = wrapped(self.value(name, active) + (1 if token == "++" else -1))
            if active:
                self.set(name, str(value))
            return value
        if token == "(":
            value = self.comma(active)
            if self.take() != ")":
                raise ArithmeticProblem("arithmetic syntax error")
            return value
        if _is_name(token):
            value = self.value(token, active)
            if self.ahead in ("++", "--"):
                step = 1 if self.take() == "++" else -1
                if active:
                    self.set(token, str(wrapped(value + step)))
            return value
        number = _number(token)
        if number is None:
            raise ArithmeticProblem("arithmetic syntax error")
        return number

    def value(self, name: str, active: bool) -> int:
        text = self.get(name) if active else None
        if not text:
            return 0
        if self.depth >= DEEPEST:
            raise ArithmeticProblem("expression recursion loop detected")
        return evaluate(text, self.get, self.set, self.depth + 1)


def _is_name(token: str) -> bool:
    return bool(token) and (token[0].isalpha() or token[0] == "_")


def _number(token: str) -> int | None:
    if not token or not token[0].isdigit():
        return None
    try:
        if token[:2] in ("0x", "0X"):
            return wrapped(int(token, 16))
        return wrapped(int(token, 8) if len(token) > 1 and token[0] == "0" else int(token))
    except ValueError:
        return None
