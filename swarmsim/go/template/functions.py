"""The functions every template may call (text/template/funcs.go), and what a function is.

A function says what it takes, as Go's types do: so a wrong argument is complained of before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from swarmsim.go.fmt import show, sprint, sprintf, sprintln
from swarmsim.go.reflect import (
    Value,
    concrete,
    entries,
    indirect,
    is_nil,
    is_true,
    items,
    kind,
    plain,
    type_name,
    zero_of_entry,
)


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
    if kind(index) in ("nil", "invalid"):
        raise ValueError("cannot index slice/array with nil")
    if kind(index) not in ("int", "uint"):
        raise ValueError(f"cannot index slice/array with type {type_name(index)}")
    position = int(plain(index))
    if not 0 <= position <= most:
        raise ValueError(f"index out of range: {position}")
    return position


def index(value: Any, *keys: Any) -> Any:
    """``index x 1 "a"`` is x[1]["a"]; what a map does not have is its element's zero."""
    if kind(value) in ("nil", "invalid"):
        raise ValueError("index of untyped nil")
    for key in keys:
        value = indirect(value)
        match kind(value):
            case "map":
                if kind(key) in ("nil", "invalid"):
                    raise ValueError("value is nil; should be of type string")
                if type_name(key) != "string":
                    raise ValueError(f"value has type {type_name(key)}; should be string")
                found = entries(value)
                value = found[plain(key)] if plain(key) in found else zero_of_entry(concrete(value))
            case "slice":
                value = _at(items(value), key, "slice")
            case "string":
                value = _at(plain(value).encode(), key, "string")
            case "nil" | "invalid" | "pointer":
                raise ValueError("index of nil pointer")
            case _:
                raise ValueError(f"can't index item of type {type_name(value)}")
    return value


def _at(elements: Sequence[Any], key: Any, what: str) -> Any:
    position = _index_of(key, len(elements))
    if position == len(elements):
        raise ValueError(f"reflect: {what} index out of range")
    return elements[position]


def slice_from(value: Any, *indexes: Any) -> Any:
    """``slice x 1 2`` is x[1:2]; of a string, bytes."""
    value = concrete(value)
    if kind(value) in ("nil", "invalid"):
        raise ValueError("slice of untyped nil")
    if len(indexes) > 3:
        raise ValueError(f"too many slice indexes: {len(indexes)}")
    if kind(value) == "string" and len(indexes) == 3:
        raise ValueError("cannot slice string with 3 indexes")
    if kind(value) not in ("string", "slice"):
        raise ValueError(f"can't slice item of type {type_name(value)}")
    data = plain(value)
    elements = data.encode() if isinstance(data, str) and kind(value) == "string" else list(items(value))
    places = [_index_of(each, len(elements)) for each in indexes]
    first, last, *_ = [*places, *(0, len(elements))[len(places) :], len(elements)]
    for low, high in pairwise([first, last, *places[2:]]):
        if low > high:
            raise ValueError(f"invalid slice index: {low} > {high}")
    cut = elements[first:last]
    if isinstance(cut, bytes):
        return cut.decode(errors="replace")
    if isinstance(value, Value) and isinstance(data, list | tuple):
        return Value(value.type, list(data)[first:last])
    return cut


def length(value: Any) -> int:
    """Of a string, in bytes."""
    value = indirect(value)
    match kind(value):
        case "slice":
            return len(items(value))
        case "map":
            return len(entries(value))
        case "string":
            return len(plain(value).encode())
        case "nil" | "invalid" | "pointer":
            raise ValueError("len of nil pointer")
    raise ValueError(f"len of type {type_name(value)}")


BAD_TYPES = "incompatible types for comparison"
BAD_TYPE = "invalid type for comparison"
BASIC = ("bool", "int", "uint", "float", "string")


def _basic(value: Any) -> str:
    """The kind of what can be ordered or compared by its value alone; else nothing."""
    found = kind(value)
    return found if found in BASIC else ""


def equal(first: Any, *others: Any) -> bool:
    """Whether ``first`` is one of the others."""
    if not others:
        raise ValueError("missing argument for comparison")
    first = concrete(first)
    return any(_same(first, concrete(other)) for other in others)


def _same(first: Any, other: Any) -> bool:
    kinds = {_basic(first), _basic(other)}
    if kinds == {"int", "uint"}:
        return bool(plain(first) == plain(other))
    if len(kinds) > 1:
        if kind(first) in ("nil", "invalid") or kind(other) in ("nil", "invalid"):
            return False
        raise ValueError(BAD_TYPES)
    if kinds != {""}:
        return bool(plain(first) == plain(other))
    if is_nil(first) or is_nil(other):
        return is_nil(first) == is_nil(other)
    names = type_name(first), type_name(other)
    comparable = all(isinstance(each, Value) and each.type.comparable for each in (first, other))
    if not comparable:
        if names[0] == names[1]:
            raise ValueError(f"non-comparable type {show(first)}: {names[0]}")
        raise ValueError(f"non-comparable types {show(first)}: {names[0]}, {names[1]}: {show(other)}")
    if kind(first) == "pointer":
        return first.data is other.data
    return bool(first == other)


def less(first: Any, second: Any) -> bool:
    kinds = {_basic(first), _basic(second)}
    if "" in kinds:
        raise ValueError(BAD_TYPE)
    if len(kinds) > 1 and kinds != {"int", "uint"}:
        raise ValueError(BAD_TYPES)
    if "bool" in kinds:
        raise ValueError(BAD_TYPE)
    return bool(plain(first) < plain(second))


def _text(*values: Any) -> str:
    """Pointers are followed first (evalArgs)."""
    given = [indirect(value) for value in values]
    return given[0] if len(given) == 1 and isinstance(given[0], str) else sprint(*given)


_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JS = {"\\": r"\\", "'": r"\'", '"': r"\"", "<": r"\u003C", ">": r"\u003E", "&": r"\u0026", "=": r"\u003D"}


def _script(*values: Any) -> str:
    return "".join(
        _JS.get(letter) or (letter if letter.isprintable() else f"\\u{ord(letter):04X}") for letter in _text(*values)
    )


def _call(value: Any, *_: Any) -> Any:
    raise ValueError(
        "call of nil" if kind(value) in ("nil", "invalid") else f"non-function {{}} of type {type_name(value)}"
    )


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
    "slice": Function(slice_from, ("any", "any"), variadic=True),
    "urlquery": Function(lambda *values: quote_plus(_text(*values), safe="~"), variadic=True),
}
