"""Lengths of time, shares and counts as people read them: round, in the unit that fits."""

from __future__ import annotations

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
"""Seconds of a unit, and its sign."""
IN_SECONDS = 120.0
"""What is shorter than so many seconds is told in seconds."""


def duration(seconds: float) -> str:
    """A length of time in seconds, in its two largest units.

    >>> [duration(length) for length in (0.0, 0.0312, 3.14159, 56.42, 119.97, 604807.1, 12_345.0)]
    ['0 s', '0.03 s', '3.1 s', '56.4 s', '2 min', '7 d', '3 h 26 min']
    """
    if seconds < 0.95:
        return f"{round(seconds, 2):g} s"
    if round(seconds, 1) < IN_SECONDS:
        return f"{round(seconds, 1):g} s"
    place = next(number for number, (size, _) in enumerate(UNITS) if seconds >= size - 0.5)
    smaller = UNITS[min(place + 1, len(UNITS) - 1)][0]
    left = round(seconds / smaller) * smaller
    parts = []
    for unit, sign in UNITS[max(0, place - 1) : place + 2]:
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {sign}")
    return " ".join(parts)


def share(part: float) -> str:
    """A part of 1 in percent, with three digits at most.

    >>> [share(part) for part in (0.0, 0.273386, 0.0312345, 0.00000312, 1.0)]
    ['0 %', '27.3 %', '3.12 %', '0.000312 %', '100 %']
    """
    percent = 100 * part
    digits = next((places for places in range(7) if abs(percent) >= 10.0 ** (2 - places)), 7)
    return f"{percent:.{digits}f}".rstrip("0").rstrip(".") + " %" if digits else f"{percent:.0f} %"


def counted(count: int, what: str) -> str:
    """So many of them.

    >>> counted(1, "task"), counted(2, "task")
    ('1 task', '2 tasks')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"
