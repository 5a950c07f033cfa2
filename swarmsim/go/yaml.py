"""YAML as gopkg.in/yaml.v3 reads and writes it: neither quite 1.1 nor 1.2.

Plain scalars are numbers with any of Go's prefixes (``0440`` is octal, ``1_000`` is a thousand), dates are dates, but ``yes``
and ``no`` are text. What is written is block style, indented by two; text that YAML 1.1 would read as something else is quoted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from swarmsim.go.strconv import format_float

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_PREFIXED = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?P<t>[Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d+))?(?P<zone>Z|[-+]\d{2}:\d{2})?)?"
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_OLD_BOOLEANS = frozenset(
    spelled for word in ("y", "yes", "on", "n", "no", "off") for spelled in (word, word.title(), word.upper())
)


def scalar(text: str) -> Any:
    """What a plain scalar is: ``None``, a boolean, a number, a time or the text.

    >>> [scalar(text) for text in ("0440", "0o440", "0xb", "1e3", "yes", "1_000", "08", "~")]
    [288, 288, 11, 1000.0, 'yes', 1000, 8.0, None]
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    moment = _time(text)
    if moment is not None:
        return moment
    plain = text.replace("_", "") if text[0] != "." else text
    if _DECIMAL.fullmatch(plain):
        return _sized(int(plain), plain)
    if match := _PREFIXED.fullmatch(plain):
        digits = match[2]
        base = {"x": 16, "b": 2}.get(digits[1].lower(), 8)
        return _sized(int(match[1] + digits, base), plain)
    return float(plain) if _FLOAT.fullmatch(plain) else text


def _sized(number: int, plain: str) -> Any:
    """Integers have 64 bits; what is larger is a float."""
    if -(1 << 63) <= number < 1 << 64:
        return number
    return float(plain) if _FLOAT.fullmatch(plain) else plain


def _time(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None or (match["t"] in ("T", "t")) != (match["zone"] is not None):
        return None
    year, month, day, hour, minute, second = (int(match[n] or 0) for n in (1, 2, 3, 5, 6, 7))
    micro = int((match[8] or "0")[:6].ljust(6, "0"))
    zone = match["zone"]
    offset = UTC if zone in (None, "Z") else timezone(int(f"{zone[0]}1") * _span(zone[1:]))
    try:
        return datetime(year, month, day, hour, minute, second, micro, offset)
    except ValueError:
        return None


def _span(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def print_time(moment: datetime) -> str:
    """As ``fmt`` prints a time: ``2020-01-02 00:00:00 +0000 UTC``."""
    zone = "UTC" if moment.tzinfo is UTC else f"{moment:%z}"
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} {moment:%z} {zone}"


# -- writing


def dump(value: Any) -> str:
    """A document of mappings, lists and scalars, in the mappings' own order."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{_scalar(key)}:", item)
    elif isinstance(value, list) and value:
        for item in value:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _lines(item)
                yield f"- {first}"
                yield from (f"  {line}" if line else "" for line in rest)
            else:
                yield from _entry("-", item)
    else:
        yield _scalar(value)


def _entry(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        yield from (f"  {line}" if line else "" for line in _lines(value))
    elif isinstance(value, str) and "\n" in value and not _special(value):
        yield f"{head} |{_chomping(value)}"
        yield from (f"  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_scalar(value)}"


def _chomping(text: str) -> str:
    indent = "2" if text[0] in " \n" else ""
    return indent + ("-" if text[-1] != "\n" else "+" if text[-2:-1] == "\n" or text == "\n" else "")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    return _quoted(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    return format_float(value, "g").replace("+Inf", ".inf").replace("-Inf", "-.inf")


def _quoted(text: str) -> str:
    if _special(text) or "\n" in text:
        return _double(text)
    if text != "<<" and (not isinstance(scalar(text), str) or _BASE_60.fullmatch(text) or text in _OLD_BOOLEANS):
        return _double(text)
    return text if _is_plain(text) else "'" + text.replace("'", "''") + "'"


def _special(text: str) -> bool:
    return any(not (char == "\n" or char.isprintable() or char == "\x85") for char in text)


def _is_plain(text: str) -> bool:
    if text.startswith(("---", "...")) or text[0] in "#,[]{}&*!|>'\"%@`" or text[0] == " " or text[-1] == " ":
        return False
    if text[0] in "-?:" and (len(text) == 1 or text[1] == " "):
        return False
    return ": " not in text and " #" not in text and text[-1] != ":"


_ESCAPES = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e"}
_ESCAPES |= {'"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P"}


def _double(text: str) -> str:
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return f"\\{_ESCAPES[char]}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}" if code < 65536 else f"\\U{code:08X}"
