"""How Go sees a value: its kind, its type's name, whether it is true.

===================  ==============================
here                 in Go
===================  ==============================
``None``             nil
``bool``             ``bool``
``int``              ``int``
``float``            ``float64``
``str``              ``string``
``list``, ``tuple``  a slice
a mapping            a map, or a struct as its JSON
===================  ==============================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def kind(value: Any) -> str:
    """``nil``, ``bool``, ``int``, ``float``, ``string``, ``slice`` or ``map``."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    return "map" if isinstance(value, Mapping) else "slice"


def type_name(value: Any) -> str:
    """The name of a value's type, as Go prints it.

    >>> type_name(["a", "b"])
    '[]string'
    """
    match kind(value):
        case "nil":
            return "<nil>"
        case "float":
            return "float64"
        case "slice":
            return f"[]{_element(list(value))}"
        case "map":
            return f"map[string]{_element(list(value.values()))}"
        case other:
            return other


def _element(values: list[Any]) -> str:
    names = dict.fromkeys(map(type_name, values))
    return next(iter(names)) if len(names) == 1 and None not in values else "interface {}"


def is_true(value: Any) -> bool:
    """``template.IsTrue``: whether a value is not its type's zero, or not empty."""
    return bool(value)
