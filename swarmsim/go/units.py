"""docker/go-units: sizes in bytes and spans of time, for people (size.go, duration.go)."""

from __future__ import annotations

import re

from swarmsim.go.strconv import parse_float

_SIZE = re.compile(r"(?s)(.*)([0-9. ])(.*)")
_POWERS = {unit: power for power, unit in enumerate("kmgtp", 1)}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")


def ram_in_bytes(text: str) -> int:
    """``RAMInBytes``. Raises :class:`ValueError` with Go's words.

    >>> ram_in_bytes("64m"), ram_in_bytes("1.5 KiB")
    (67108864, 1536)
    """
    parts = _SIZE.fullmatch(text)
    if parts is None:
        raise ValueError(f"invalid size: '{text}'")
    number, last, suffix = parts.groups()
    size = parse_float(number if last == " " else number + last)
    if size < 0:
        raise ValueError(f"invalid size: '{text}'")
    lowered = suffix.lower()
    if lowered and lowered != "b":
        if len(suffix) > 3:
            raise ValueError(f"invalid suffix: '{suffix}'")
        if lowered[0] not in _POWERS or lowered[1:] not in ("", "b", "ib"):
            raise ValueError(f"invalid suffix: '{lowered}'")
        size *= 1024 ** _POWERS[lowered[0]]
    return int(size) if size < 2**63 else -(2**63)  # what Go's conversion gives on amd64


def bytes_size(size: float) -> str:
    """``BytesSize``.

    >>> bytes_size(25276063744)
    '23.54GiB'
    """
    step = 0
    while size >= 1024 and step < len(_BINARY) - 1:
        size /= 1024
        step += 1
    return f"{size:.4g}{_BINARY[step]}"


def human_duration(seconds: float) -> str:
    """``HumanDuration``.

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
