"""Go's and docker's ways of writing durations, sizes and numbers (time, strconv, go-units)."""

from __future__ import annotations

import re
from datetime import datetime

NS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
UINT64_MAX = 2**64 - 1
_DURATION_PART = re.compile(r"(\d*\.?\d*)([^\d.]*)")


def parse_duration(text: str) -> int:
    """Go's time.ParseDuration, in nanoseconds. Raises :class:`ValueError` with Go's words.

    >>> parse_duration("1m30s")
    90000000000
    """
    body = text[1:] if text[:1] in "+-" else text
    if body == "0":
        return 0
    if not body:
        raise ValueError(f'time: invalid duration "{text}"')
    total = 0.0
    position = 0
    while position < len(body):
        match = _DURATION_PART.match(body, position)
        assert match is not None
        number, unit = match.groups()
        if not number or number == ".":
            raise ValueError(f'time: invalid duration "{text}"')
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in NS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * NS[unit]
        position = match.end()
    if total >= 2**63:
        raise ValueError(f'time: invalid duration "{text}"')
    return round(-total if text[0] == "-" else total)


def format_duration(ns: int) -> str:
    """Go's Duration.String.

    >>> format_duration(2160 * 3600 * 10**9), format_duration(1_500_000_000)
    ('2160h0m0s', '1.5s')
    """
    if ns == 0:
        return "0s"
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < NS["s"]:
        for unit in ("ms", "us", "ns"):
            if ns >= NS[unit]:
                return f"{sign}{_trim(ns / NS[unit])}{'µs' if unit == 'us' else unit}"
    hours, rest = divmod(ns, NS["h"])
    minutes, rest = divmod(rest, NS["m"])
    seconds = f"{_trim(rest / NS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _trim(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")


def human_duration(seconds: float) -> str:
    """go-units HumanDuration: "2 minutes", "About an hour".

    >>> human_duration(0.4), human_duration(59.9), human_duration(61)
    ('Less than a second', '59 seconds', 'About a minute')
    """
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < 60:
        return f"{whole} seconds"
    minutes = int(seconds / 60)
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{int(seconds / 3600) // 24 // 365} years"


def parse_uint(text: str) -> int:
    """Go's strconv.ParseUint(text, 10, 64). Raises :class:`ValueError` with Go's words."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > UINT64_MAX:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def parse_int(text: str) -> int:
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if abs(int(text)) >= 2**63:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


def parse_bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def parse_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None


_SIZE = re.compile(r"^(\d+(?:\.\d+)?) ?(.*)$")


def parse_bytes(text: str) -> int:
    """go-units RAMInBytes: ``64m`` → 67108864."""
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"invalid size: '{text}'")
    number, suffix = float(match[1]), match[2].lower()
    if suffix == "b":
        return int(number)
    unit = re.fullmatch(r"([kmgtp])?(?:i?b)?", suffix) if suffix else None
    if suffix and (unit is None or not unit[1]):
        raise ValueError(f"invalid suffix: '{match[2]}'")
    power = "kmgtp".index(unit[1]) + 1 if unit else 0
    return int(number * 1024**power)


def bytes_size(size: float) -> str:
    """go-units BytesSize: ``23.54GiB``."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    step = 0
    while size >= 1024 and step < len(units) - 1:
        size /= 1024
        step += 1
    return f"{size:.4g}{units[step]}"


def parse_time(text: str) -> datetime:
    """An API time stamp; nanoseconds are cut to microseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + (f".{fraction[:6]:0<6}" if fraction else "") + "+00:00")
