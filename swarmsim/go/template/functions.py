"""The functions every template may call (text/template/funcs.go), and what a function is.

A function says what it takes, as Go's types do: so a wrong argument is complained of before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from swarmsim.go.fmt import show, sprint, sprintf, sprintln
from swarmsim.go.reflect import is_true, kind, type_name


class Function(NamedTuple):
    """``call`` raises :class:`ValueError` with Go's words.

    ``takes`` are types of arguments: ``string``, ``int``, ``bool``, ``[]string`` or ``any``; with ``variadic``, any
    number of the last.
    """

    call: Callable[..., Any]
    takes: tuple[str, ...] = ("any",)
    variadic: bool = False


Functions = Mapping[str, Function]


def _index_of(index: Any, most: int) -> int:
    if kind(index) == "nil":
        raise ValueError("cannot index slice/array with nil")
    if kind(index) != "int":
        raise ValueError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= most:
        raise ValueError(f"index out of range: {index}")
    return int(index)


def index(value: Any, *keys: Any) -> Any:
    """``index x 1 "a"`` is x[1]["a"]; what a map does not have is its element's zero."""
    if value is None:
        raise ValueError("index of untyped nil")
    for key in keys:
        match kind(value):
            case "map":
                if not isinstance(key, str):
                    raise ValueError(f"value has type {type_name(key)}; should be string")
                texts = all(isinstance(item, str) for item in value.values())
                value = value.get(key, "" if texts else None)
            case "slice" | "string":
                items = value.encode() if isinstance(value, str) else value
                position = _index_of(key, len(items))
                if position == len(items):
                    what = "string" if isinstance(value, str) else "slice"
                    raise ValueError(f"reflect: {what} index out of range")
                value = items[position]
            case "nil":
                raise ValueError("index of nil pointer")
            case _:
                raise ValueError(f"can't index item of type {type_name(value)}")
    return value


def slice_of(value: Any, *indexes: Any) -> Any:
    """``slice x 1 2`` is x[1:2]; of a string, bytes."""
    if value is None:
        raise ValueError("slice of untyped nil")
    if len(indexes) > 3:
        raise ValueError(f"too many slice indexes: {len(indexes)}")
    if isinstance(value, str) and len(indexes) == 3:
        raise ValueError("cannot slice string with 3 indexes")
    if kind(value) not in ("string", "slice"):
        raise ValueError(f"can't slice item of type {type_name(value)}")
    items = value.encode() if isinstance(value, str) else list(value)
    first, last, *_ = [*(_index_of(each, len(items)) for each in indexes), *(0, len(items))[len(indexes) :], len(items)]
    if first > last:
        raise ValueError(f"invalid slice index: {first} > {last}")
    cut = items[first:last]
    return cut.decode(errors="replace") if isinstance(cut, bytes) else cut


def length(value: Any) -> int:
    """Of a string, in bytes."""
    if kind(value) in ("slice", "map"):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    raise ValueError("len of nil pointer" if value is None else f"len of type {type_name(value)}")


BAD_TYPES = "incompatible types for comparison"
BAD_TYPE = "invalid type for comparison"
BASIC = ("bool", "int", "float", "string")


def equal(first: Any, *others: Any) -> bool:
    """Whether ``first`` is one of the others."""
    if not others:
        raise ValueError("missing argument for comparison")
    for other in others:
        if kind(first) != kind(other):
            if first is not None and other is not None:
                raise ValueError(BAD_TYPES)
        elif kind(first) not in (*BASIC, "nil"):
            if type_name(first) == type_name(other):
                raise ValueError(f"non-comparable type {show(first)}: {type_name(first)}")
            raise ValueError(
                f"non-comparable types {show(first)}: {type_name(first)}, {type_name(other)}: {show(other)}"
            )
        elif first == other:
            return True
    return False


def less(first: Any, second: Any) -> bool:
    for value in (first, second):
        if kind(value) not in BASIC:
            raise ValueError(BAD_TYPE)
    if kind(first) != kind(second):
        raise ValueError(BAD_TYPES)
    if isinstance(first, bool):
        raise ValueError(BAD_TYPE)
    return bool(first < second)


def _text(*values: Any) -> str:
    return values[0] if len(values) == 1 and isinstance(values[0], str) else sprint(*values)


_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JS = {"\\": r"\\", "'": r"\'", '"': r"\"", "<": r"\u003C", ">": r"\u003E", "&": r"\u0026", "=": r"\u003D"}


def _script(*values: Any) -> str:
    return "".join(
        _JS.get(letter) or (letter if letter.isprintable() else f"\\u{ord(letter):04X}") for letter in _text(*values)
    )


def _call(value: Any, *_: Any) -> Any:
    raise ValueError("call of nil" if value is None else f"non-function {{}} of type {type_name(value)}")


BUILTINS: Functions = {
    # These two are evaluated by the template itself, since they stop early.
    "and": Function(lambda *values: values[-1], variadic=True, takes=("any", "any")),
    "or": Function(lambda *values: values[-1], variadic=True, takes=("any", "any")),
    "call": Function(_call, ("any", "any"), variadic=True),
    "eq": Function(equal, ("any", "any"), variadic=True),
    "ge": Function(lambda first, second: not less(first, second), ("any", "any")),
    "gt": Function(lambda first, second: not less(first, second) and not equal(first, second), ("any", "any")),
    "html": Function(lambda *values: _text(*values).translate(_HTML), variadic=True),
    "index": Function(index, ("any", "any"), variadic=True),
    "js": Function(_script, variadic=True),
    "le": Function(lambda first, second: less(first, second) or equal(first, second), ("any", "any")),
    "len": Function(length),
    "lt": Function(less, ("any", "any")),
    "ne": Function(lambda first, second: not equal(first, second), ("any", "any")),
    "not": Function(lambda value: not is_true(value)),
    "print": Function(sprint, variadic=True),
    "printf": Function(sprintf, ("string", "any"), variadic=True),
    "println": Function(sprintln, variadic=True),
    "slice": Function(slice_of, ("any", "any"), variadic=True),
    "urlquery": Function(lambda *values: quote_plus(_text(*values), safe="~"), variadic=True),
}
