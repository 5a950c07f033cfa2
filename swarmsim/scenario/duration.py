"""Durations in scenario files: ``30s``, ``1m30s``, ``500ms``, ``90d`` or a number of seconds."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31_536_000.0}
LONGEST = 200 * UNITS["y"]
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def parse_seconds(value: Any) -> float:
    """Seconds. Raises :class:`ValueError` that says what would be right.

    >>> parse_seconds("1m30s")
    90.0
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a duration is a number of seconds or a text like 30s, 1m30s, 500ms")
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("-"):
            raise ValueError(f"{value!r}: a duration cannot be negative")
        if not _WHOLE.fullmatch(text):
            hint = f"; did you mean {text}s?" if re.fullmatch(r"\d+(\.\d+)?", text) else ""
            raise ValueError(f"{value!r} is no duration: write 30s, 1m30s, 500ms{hint}")
        seconds = sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
    else:
        seconds = float(value)
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"{value!r}: a duration lies between 0 and 200y")
    return seconds


def positive_duration(value: Any) -> float:
    """As :func:`parse_seconds`, for what cannot take no time at all."""
    seconds = parse_seconds(value)
    if seconds == 0:
        raise ValueError(f"{value!r}: this duration must be longer than 0")
    return seconds


def span(value: Any) -> float:
    """A duration longer than 0 that must have a unit: where days and seconds are both likely, 30 says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value!r} has no unit: write {value:g}s, {value:g}h or {value:g}d")
    return positive_duration(value)


def offset(value: Any) -> float:
    """Seconds, less than 0 for what is behind.

    >>> offset("-2h")
    -7200.0
    """
    if isinstance(value, str) and value.strip()[:1] in ("-", "+"):
        text = value.strip()
        seconds = parse_seconds(text[1:])
        return -seconds if text[0] == "-" else seconds
    if isinstance(value, int | float) and value < 0:
        return -parse_seconds(-value)
    return parse_seconds(value)


_PPM = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*ppm")
MOST_PPM = 100_000


def drift(value: Any) -> float:
    """How much faster a clock runs, as a share: ``20ppm`` is 0.00002.

    >>> drift("-50ppm")
    -5e-05
    """
    found = _PPM.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no drift: write 20ppm (20 seconds ahead in a million) or -20ppm")
    if abs(float(found[1])) > MOST_PPM:
        raise ValueError(f"{value!r}: a clock that drifts by more than {MOST_PPM}ppm is broken")
    return float(found[1]) / 1_000_000


Duration = Annotated[float, BeforeValidator(parse_seconds, json_schema_input_type=float | str)]
PositiveDuration = Annotated[float, BeforeValidator(positive_duration, json_schema_input_type=float | str)]
Offset = Annotated[float, BeforeValidator(offset, json_schema_input_type=float | str)]
Drift = Annotated[float, BeforeValidator(drift, json_schema_input_type=str)]
Span = Annotated[float, BeforeValidator(span, json_schema_input_type=str)]
