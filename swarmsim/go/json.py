"""Go's package encoding/json: the same text for the same values.

The keys of a mapping are written in their order: a struct's fields as they are declared, a map's sorted by who made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from swarmsim.go.reflect import json_values
from swarmsim.go.strconv import format_float

_HTML = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
_LINES = str.maketrans({"\u2028": r"\u2028", "\u2029": r"\u2029"})


class RawMessage(str):
    """JSON that is written as it is."""


def compact(value: Any) -> str:
    """An Encoder without ``EscapeHTML``, as docker's template function ``json`` has it.

    >>> compact({"a": [1.0, "<x>"]})
    '{"a":[1,"<x>"]}'
    """
    return _written(json_values(value), "", "").translate(_LINES)


def marshal(value: Any) -> str:
    """``Marshal``, which escapes HTML.

    >>> marshal(["<x>"]) == r'["\\u003cx\\u003e"]'
    True
    """
    return compact(value).translate(_HTML)


def indented(value: Any, escape: bool = True) -> str:
    """``MarshalIndent`` with four blanks, or ``Indent`` of what does not ``escape`` HTML."""
    text = _written(json_values(value), "\n", "    ").translate(_LINES)
    return text.translate(_HTML) if escape else text


def _written(value: Any, newline: str, indent: str) -> str:
    """``newline`` begins a line at the depth of the value; ``indent`` goes one deeper."""
    if isinstance(value, RawMessage):
        return value
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    inner = newline + indent
    if isinstance(value, Mapping):
        colon = ": " if indent else ":"
        parts = [
            f"{inner}{encode_basestring(str(key))}{colon}{_written(item, inner, indent)}" for key, item in value.items()
        ]
        return "{" + ",".join(parts) + newline + "}" if parts else "{}"
    if isinstance(value, list | tuple):
        parts = [inner + _written(item, inner, indent) for item in value]
        return "[" + ",".join(parts) + newline + "]" if parts else "[]"
    return str(value)


def _number(value: float) -> str:
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return format_float(value, "f")
    return format_float(value, "e").replace("e-0", "e-")
