"""Go's package time, as far as docker's command line needs it: durations, and the time stamps of the API."""

from __future__ import annotations

import re
from datetime import datetime

from swarmsim.go.strconv import quote_bytes

NS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
MOST = 2**63
"""Nanoseconds beyond which nothing is a duration."""
_PART = re.compile(r"([0-9]*)(\.?)([0-9]*)([^0-9.]*)")


def parse_duration(text: str) -> int:
    """``time.ParseDuration``, in nanoseconds. Raises :class:`ValueError` with Go's words.

    >>> parse_duration("1m30s")
    90000000000
    """
    negative = text[:1] == "-"
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    invalid = ValueError(f"time: invalid duration {quote_bytes(text)}")
    if not body:
        raise invalid
    total = position = 0
    while position < len(body):
        part = _PART.match(body, position)
        assert part is not None
        whole, _, fraction, unit = part.groups()
        if not whole and not fraction:
            raise invalid
        if not unit:
            raise ValueError(f"time: missing unit in duration {quote_bytes(text)}")
        if unit not in NS:
            raise ValueError(f"time: unknown unit {quote_bytes(unit)} in duration {quote_bytes(text)}")
        # Go reads what it can of the fraction's digits as one int64 and multiplies by a float, cut to nanoseconds.
        digits = next(fraction[:length] for length in (19, 18) if int(f"0{fraction[:length]}") < MOST)
        total += int(whole or "0") * NS[unit] + int(int(f"0{digits}") * (NS[unit] / 10 ** len(digits)))
        if total > MOST:
            raise invalid
        position = part.end()
    if total == MOST and not negative:
        raise invalid
    return -total if negative else total


def format_duration(ns: int) -> str:
    """``Duration.String``.

    >>> format_duration(2160 * 3600 * 10**9), format_duration(1_500_000_000)
    ('2160h0m0s', '1.5s')
    """
    if ns == 0:
        return "0s"
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < NS["s"]:
        for unit in ("ms", "µs", "ns"):
            if ns >= NS[unit]:
                return f"{sign}{_decimal(ns, NS[unit])}{unit}"
    hours, rest = divmod(ns, NS["h"])
    minutes, rest = divmod(rest, NS["m"])
    seconds = f"{_decimal(rest, NS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(ns: int, unit: int) -> str:
    """``ns`` in a unit that is a power of ten, without zeros at the end."""
    whole, rest = divmod(ns, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}}".rstrip("0") if rest else str(whole)


def parse_timestamp(text: str) -> datetime:
    """RFC 3339 in UTC, as the API writes it; nanoseconds are cut to microseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + (f".{fraction[:6]:0<6}" if fraction else "") + "+00:00")
