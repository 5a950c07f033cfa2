"""Go's package time, as far as docker's command line needs it: durations, and the time stamps of the API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

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


NO_TIME = "0001-01-01T00:00:00Z"
"""Go's zero time."""
_LAYOUT = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|__2|002|0[1-6]|15|_2|[1-5]|PM|pm|Z07:00|Z0700|Z07|-07:00|-0700|-07|[.,]0+|[.,]9+"
)


def timestamp_parts(text: str) -> dict[str, int]:
    """What a time stamp's methods say: ``Year``, ``Hour``, …, ``Unix``, ``UnixNano``.

    >>> timestamp_parts("2026-11-23T12:45:40.5Z")["UnixNano"]
    1795437940500000000
    """
    time = parse_timestamp(text)
    nanosecond = int(text.rstrip("Z").partition(".")[2][:9].ljust(9, "0"))
    unix = (time.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return {
        "Year": time.year,
        "Month": time.month,
        "Day": time.day,
        "Hour": time.hour,
        "Minute": time.minute,
        "Second": time.second,
        "Nanosecond": nanosecond,
        "YearDay": time.timetuple().tm_yday,
        "Unix": unix,
        "UnixNano": unix * 10**9 + nanosecond,
    }


def show_timestamp(text: str) -> str:
    """``Time.String`` of a time stamp in UTC.

    >>> show_timestamp("2026-11-23T12:45:40.5Z")
    '2026-11-23 12:45:40.5 +0000 UTC'
    """
    return timestamp_layout(text, "2006-01-02 15:04:05.999999999 -0700 MST")


def timestamp_layout(text: str, layout: str) -> str:
    """``Time.Format``: Go's layouts are written as the second of January 2006, 15:04:05.

    >>> timestamp_layout("2026-11-03T12:45:40.5Z", "Mon Jan _2 3:04PM 06")
    'Tue Nov  3 12:45PM 26'
    """
    time, nanosecond = parse_timestamp(text), f"{timestamp_parts(text)['Nanosecond']:09}"
    hour = time.hour % 12 or 12
    written = {
        "January": f"{time:%B}", "Jan": f"{time:%b}", "Monday": f"{time:%A}", "Mon": f"{time:%a}", "MST": "UTC",
        "2006": f"{time.year:04}", "06": f"{time:%y}", "01": f"{time:%m}", "1": f"{time.month}",
        "02": f"{time:%d}", "_2": f"{time.day:2}", "2": f"{time.day}", "002": f"{time:%j}", "__2": f"{int(f'{time:%j}'):3}",
        "15": f"{time:%H}", "03": f"{hour:02}", "3": f"{hour}", "04": f"{time:%M}", "4": f"{time.minute}",
        "05": f"{time:%S}", "5": f"{time.second}", "PM": f"{time:%p}", "pm": f"{time:%p}".lower(),
        "Z07:00": "Z", "Z0700": "Z", "Z07": "Z", "-07:00": "+00:00", "-0700": "+0000", "-07": "+00",
    }  # fmt: skip

    def part(match: re.Match[str]) -> str:
        token = match[0]
        if token in written:
            return written[token]
        digits = nanosecond[: len(token) - 1]
        digits = digits.rstrip("0") if token[1] == "9" else digits
        return token[0] + digits if digits else ""

    return _LAYOUT.sub(part, layout)
