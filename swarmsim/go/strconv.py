"""Go's package strconv: text to numbers, with its complaints; strings in quotes.

Numbers with base 0, as flags take them, may begin ``0x``, ``0o``, ``0b`` or ``0`` and have ``_`` between digits.
"""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal

_BASES = {"0x": 16, "0b": 2, "0o": 8}
_DIGITS = "0123456789abcdef"
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+)?")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")
_SPECIAL = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\"}


def _complaint(function: str, text: str, what: str) -> ValueError:
    return ValueError(f"strconv.{function}: parsing {quote(text)}: {what}")


def _magnitude(text: str, base: int) -> int | None:
    """The number without its sign; ``None`` if it is none."""
    digits = text.lower()
    if base == 0:
        base = 10
        if digits[:2] in _BASES:
            base, digits = _BASES[digits[:2]], digits[2:].removeprefix("_")
        elif digits[:1] == "0" and len(digits) > 1:
            base, digits = 8, digits[1:].removeprefix("_")
        if not re.fullmatch(r"[0-9a-f]+(_[0-9a-f]+)*", digits):
            return None
        digits = digits.replace("_", "")
    if not digits or any(digit not in _DIGITS[:base] for digit in digits):
        return None
    return int(digits, base)


def parse_uint(text: str, base: int = 10, bits: int = 64) -> int:
    """``strconv.ParseUint``. Raises :class:`ValueError` with Go's words, as all of these do."""
    number = _magnitude(text, base)
    if number is None:
        raise _complaint("ParseUint", text, "invalid syntax")
    if number >= 2**bits:
        raise _complaint("ParseUint", text, "value out of range")
    return number


def parse_int(text: str, base: int = 10, function: str = "ParseInt") -> int:
    """``strconv.ParseInt`` of 64 bits; ``function`` is what the complaint calls it.

    >>> parse_int("-0x1f", base=0)
    -31
    """
    sign = -1 if text[:1] == "-" else 1
    number = _magnitude(text[1:] if text[:1] in ("+", "-") else text, base)
    if number is None:
        raise _complaint(function, text, "invalid syntax")
    if not -(2**63) <= sign * number < 2**63:
        raise _complaint(function, text, "value out of range")
    return sign * number


def atoi(text: str) -> int:
    """``strconv.Atoi``."""
    return parse_int(text, function="Atoi")


def parse_bool(text: str) -> bool:
    """``strconv.ParseBool``."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise _complaint("ParseBool", text, "invalid syntax")


def parse_float(text: str, bits: int = 64) -> float:
    """``strconv.ParseFloat``; with 32 bits, the shortest number that is the same ``float32``."""
    if _SPECIAL.fullmatch(text) or _FLOAT.fullmatch(text):
        number = float(text)
    elif _HEX_FLOAT.fullmatch(text):
        number = float.fromhex(text)
    else:
        raise _complaint("ParseFloat", text, "invalid syntax")
    if bits == 32 and math.isfinite(number):
        try:
            number = _shortest_float32(number)
        except OverflowError:
            raise _complaint("ParseFloat", text, "value out of range") from None
    if math.isinf(number) and not _SPECIAL.fullmatch(text):
        raise _complaint("ParseFloat", text, "value out of range")
    return number


def _shortest_float32(number: float) -> float:
    packed = struct.pack("<f", number)
    return next(
        shorter
        for shorter in (float(f"{number:.{digits}g}") for digits in range(1, 18))
        if struct.pack("<f", shorter) == packed
    )


def quote(text: str, mark: str = '"', ascii_only: bool = False) -> str:
    r"""``strconv.Quote`` (and with ``mark="'"`` QuoteRune, with ``ascii_only`` QuoteToASCII).

    >>> print(quote('a "b"\n'))
    "a \"b\"\n"
    """
    return mark + "".join(_quoted(letter, mark, ascii_only) for letter in text) + mark


def _quoted(letter: str, mark: str, ascii_only: bool) -> str:
    if letter == mark:
        return "\\" + mark
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    code = ord(letter)
    if letter.isprintable() and (code < 0x7F or not ascii_only):
        return letter
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote_bytes(text: str) -> str:
    """How package time quotes in its errors: whatever is not ASCII byte by byte."""
    shown = ""
    for letter in text:
        if " " <= letter < "\x80":
            shown += "\\" + letter if letter in '"\\' else letter
        else:
            shown += "".join(f"\\x{byte:02x}" for byte in letter.encode())
    return f'"{shown}"'


def format_float(number: float, verb: str, precision: int | None = None) -> str:
    """``strconv.FormatFloat`` with verb ``e``, ``f`` or ``g``; without a precision, as few digits as tell it apart.

    >>> format_float(0.1, "f"), format_float(123456789.0, "g"), format_float(2.0, "f", 3)
    ('0.1', '1.23456789e+08', '2.000')
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if precision is not None:
        return f"{number:.{precision}{verb}}"
    _, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    point = exponent + len(digits)  # where it stands among the digits
    if verb == "e" or (verb == "g" and number != 0 and not -4 <= point - 1 < 6):
        return f"{number:.{len(digits) - 1}e}"
    return f"{number:.{max(-exponent, 0)}f}"


_UNESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)


def unquote(text: str) -> str:
    r"""``strconv.Unquote``: what a string in quotes of Go's says. Raises :class:`ValueError`.

    >>> unquote('"a\\tb"'), unquote('`a\\tb`')
    ('a\tb', 'a\\tb')
    """
    mark, body = text[0], text[1:-1]
    if mark == "`":
        return body.replace("\r", "")

    def unescaped(match: re.Match[str]) -> str:
        hexadecimal, short, long, octal, letter = match.groups()
        if letter is not None:
            if letter != mark and letter not in _UNESCAPED:
                raise ValueError("invalid syntax")
            return _UNESCAPED.get(letter, letter)
        code = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
        if code > (0xFF if octal or hexadecimal else 0x10FFFF) or 0xD800 <= code < 0xE000:
            raise ValueError("invalid syntax")
        return chr(code)

    return _ESCAPE.sub(unescaped, body)
