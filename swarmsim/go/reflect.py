"""How Go sees a value: its type, its kind, its fields and methods, whether it is true.

A value that was decoded from JSON is a :class:`Value`: its type in Go and the JSON it came from, where ``None`` is what
was not there, the type's zero. What Python's own values say of themselves stays as it is:

===================  =============================
here                 in Go
===================  =============================
:data:`INVALID`      no value: what a map has not
``None``             nil
``bool``             ``bool``
``int``              ``int``
``float``            ``float64``
``str``              ``string``
``list``, ``tuple``  a slice
a mapping            ``map[string]interface {}``
===================  =============================
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from swarmsim.go.duration import (
    NO_TIME,
    format_duration,
    show_timestamp,
    timestamp_layout,
    timestamp_parts,
)

# -- types


class Method(NamedTuple):
    """``call`` is given the value's data and the arguments, whose types ``takes`` names."""

    call: Callable[..., Any]
    takes: tuple[str, ...] = ()


class StructField(NamedTuple):
    """``key`` is its name in JSON; an ``embedded`` struct has none, its fields stand among the outer one's."""

    name: str
    key: str
    type: Type
    omitempty: bool = False
    embedded: bool = False


@dataclass(frozen=True, eq=False)
class Type:
    """A type of Go. ``kind`` is bool, int, uint, float, string, slice, map, struct, pointer or interface.

    ``marshal`` is the type's own MarshalJSON: JSON's values from the data.
    """

    name: str
    kind: str
    elem: Type | None = None
    fields: tuple[StructField, ...] = ()
    methods: Mapping[str, Method] = field(default_factory=dict, repr=False)
    marshal: Callable[[Any], Any] | None = None

    def find(self, name: str) -> StructField | None:
        """A field by its name, also in what is embedded (FieldByName)."""
        for each in self.fields:
            if each.name == name:
                return each
        inner = (each.type.find(name) for each in self.fields if each.embedded)
        return next((found for found in inner if found), None)

    @property
    def comparable(self) -> bool:
        """Whether ``==`` is defined for it."""
        return self.kind not in ("slice", "map") and all(each.type.comparable for each in self.fields)


BOOL, INT, STRING, FLOAT64 = (
    Type("bool", "bool"),
    Type("int", "int"),
    Type("string", "string"),
    Type("float64", "float"),
)
INT64, UINT64, UINT32, UINT8 = (
    Type("int64", "int"),
    Type("uint64", "uint"),
    Type("uint32", "uint"),
    Type("uint8", "uint"),
)
UINT16 = Type("uint16", "uint")
FLOAT32 = Type("float32", "float")
INTERFACE = Type("interface {}", "interface")
JSON_NUMBER = Type("json.Number", "string")
"""What a decoder with UseNumber makes of a number."""
PREDECLARED = {BOOL: False, INT: 0, STRING: "", FLOAT64: 0.0}
"""Types whose values are Python's own, and their zeros."""


def slice_of(elem: Type) -> Type:
    return Type(f"[]{elem.name}", "slice", elem)


def map_of(elem: Type) -> Type:
    return Type(f"map[string]{elem.name}", "map", elem)


def pointer_to(elem: Type) -> Type:
    """A pointer has its target's methods."""
    return Type(f"*{elem.name}", "pointer", elem, methods=elem.methods)


def named(name: str, underlying: Type = STRING, **methods: Method) -> Type:
    """``type name underlying``."""
    return Type(name, underlying.kind, underlying.elem, underlying.fields, methods)


BYTES = slice_of(UINT8)
STRINGS = slice_of(STRING)
ANYTHING = map_of(INTERFACE)
_LIST = slice_of(INTERFACE)


def _file_mode(mode: int) -> str:
    """``FileMode.String``.

    >>> _file_mode(0o440)
    '-r--r-----'
    """
    kinds = "".join(letter for bit, letter in enumerate("dalTLDpSugct?") if mode >> (31 - bit) & 1)
    return (kinds or "-") + "".join(letter if mode >> (8 - bit) & 1 else "-" for bit, letter in enumerate("rwxrwxrwx"))


def _time(stamp: str) -> Value:
    return Value(TIME, stamp)


def _month(stamp: str) -> Value:
    return Value(MONTH, timestamp_parts(stamp)["Month"])


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
MONTH = named("time.Month", INT, String=Method(lambda number: MONTHS[number - 1]))
DURATION = named(
    "time.Duration",
    INT64,
    String=Method(format_duration),
    Hours=Method(lambda ns: ns / 3.6e12),
    Minutes=Method(lambda ns: ns / 6e10),
    Seconds=Method(lambda ns: ns / 1e9),
    Milliseconds=Method(lambda ns: Value(INT64, _quotient(ns, 10**6))),
    Microseconds=Method(lambda ns: Value(INT64, _quotient(ns, 10**3))),
    Nanoseconds=Method(lambda ns: Value(INT64, ns)),
)
"""Nanoseconds."""
TIME: Type = Type(
    "time.Time",
    "struct",
    methods={
        "String": Method(show_timestamp),
        "Format": Method(timestamp_layout, ("string",)),
        "IsZero": Method(lambda stamp: stamp == NO_TIME),
        "Unix": Method(lambda stamp: Value(INT64, timestamp_parts(stamp)["Unix"])),
        "UnixNano": Method(lambda stamp: Value(INT64, timestamp_parts(stamp)["UnixNano"])),
        "Month": Method(_month),
        "UTC": Method(_time),
        "Local": Method(_time),
        **{
            part: Method(lambda stamp, part=part: timestamp_parts(stamp)[part])
            for part in ("Year", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay")
        },
    },
    marshal=lambda stamp: stamp,
)
"""RFC 3339, in UTC."""
FILE_MODE = named("fs.FileMode", UINT32, String=Method(_file_mode))


def _quotient(value: int, by: int) -> int:
    """Go's division goes towards zero."""
    return value // by if value >= 0 else -(-value // by)


# -- values


class Value(NamedTuple):
    """``data`` is JSON's: an integer for a duration, text for a time and for bytes, ``None`` for a zero or a nil."""

    type: Type
    data: Any


class _Invalid:
    def __bool__(self) -> bool:
        return False


INVALID = _Invalid()
"""No value at all (the zero reflect.Value)."""


def make(type: Type, data: Any) -> Any:
    """A value of a type: Python's own where that says the same."""
    if type in PREDECLARED:
        zero = PREDECLARED[type]
        return zero if data is None else float(data) if type is FLOAT64 else data
    if type is TIME and data is None:
        return Value(type, NO_TIME)
    if type.kind in ("int", "uint", "float"):
        return Value(type, data or 0)
    if type.kind == "string":
        return Value(type, data or "")
    return Value(type, data)


def concrete(value: Any) -> Any:
    """What is in an interface (indirectInterface); anything else is itself."""
    if not (isinstance(value, Value) and value.type is INTERFACE):
        return value
    data = value.data
    if isinstance(data, Mapping):
        return Value(ANYTHING, data)
    if isinstance(data, list | tuple):
        return Value(_LIST, data)
    if isinstance(data, int | float) and not isinstance(data, bool):
        return Value(JSON_NUMBER, repr(data))
    return data


def indirect(value: Any) -> Any:
    """What a pointer or an interface leads to; a nil pointer is itself."""
    value = concrete(value)
    while isinstance(value, Value) and value.type.kind == "pointer" and value.data is not None:
        assert value.type.elem is not None
        value = concrete(make(value.type.elem, value.data))
    return value


def kind(value: Any) -> str:
    """``invalid``, ``nil``, or a kind of :class:`Type`."""
    value = concrete(value)
    if isinstance(value, Value):
        return value.type.kind
    if value is INVALID:
        return "invalid"
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


def plain(value: Any) -> Any:
    """The Python value of a bool, a number, a text."""
    value = concrete(value)
    return value.data if isinstance(value, Value) else value


def type_name(value: Any) -> str:
    """The name of a value's type, as Go prints it.

    >>> type_name(["a", "b"])
    '[]string'
    """
    value = concrete(value)
    if isinstance(value, Value):
        return value.type.name
    match kind(value):
        case "nil" | "invalid":
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


def is_nil(value: Any) -> bool:
    """Whether it is nil: nothing, or a pointer to nothing, or a slice or map that was not made."""
    value = concrete(value)
    if isinstance(value, Value):
        return value.data is None and value.type.kind in ("pointer", "slice", "map")
    return value is None or value is INVALID


def is_true(value: Any) -> bool:
    """``template.IsTrue``: whether a value is not its type's zero, or not empty. A struct is always true."""
    value = concrete(value)
    if not isinstance(value, Value):
        return bool(value)
    if value.type.kind == "struct":
        return True
    return value.data is not None if value.type.kind == "pointer" else bool(value.data)


def items(value: Any) -> Sequence[Any]:
    """The elements of a slice."""
    value = concrete(value)
    if not isinstance(value, Value):
        return list(value)
    elem = value.type.elem
    assert elem is not None
    if elem is UINT8:
        return [Value(UINT8, byte) for byte in base64.b64decode(value.data or "")]
    return [make(elem, each) for each in value.data or ()]


def entries(value: Any) -> dict[str, Any]:
    """The entries of a map, sorted by their keys."""
    value = concrete(value)
    if not isinstance(value, Value):
        return dict(sorted(value.items()))
    elem = value.type.elem
    assert elem is not None
    return {key: make(elem, each) for key, each in sorted((value.data or {}).items())}


def zero_of_entry(value: Any) -> Any:
    """What a map says of a key that it does not have, where a zero is wanted."""
    if isinstance(value, Value):
        return make(value.type.elem or INTERFACE, None)
    return "" if all(isinstance(each, str) for each in value.values()) else None


def struct_field(value: Value, found: StructField) -> Any:
    """One field of a struct."""
    data = value.data or {}
    return make(found.type, data if found.embedded else data.get(found.key))


def struct_fields(value: Value) -> Iterator[tuple[str, Any]]:
    """The fields of a struct with their names, an embedded struct as one."""
    for each in value.type.fields:
        yield each.name, struct_field(value, each)


def method_of(value: Any, name: str) -> Method | None:
    return value.type.methods.get(name) if isinstance(value, Value) else None


def string_method(value: Any) -> str | None:
    """What a Stringer says of itself; ``None`` from who is none."""
    value = concrete(value)
    if not isinstance(value, Value) or "String" not in value.type.methods:
        return None
    if is_nil(value):
        return "<nil>"
    target = indirect(value)
    return str(target.type.methods["String"].call(target.data))


def address(value: Value) -> int:
    """Where a pointer points to: a place of Go's heap, which is chance there and here follows from what stands there."""
    return 0xC000000000 + (zlib.crc32(f"{value.type.name}{value.data!r}".encode()) & 0xFFFFF0)


def json_values(value: Any) -> Any:
    """What encoding/json writes of a value, as JSON's values: all fields of its type, in their order."""
    value = concrete(value)
    if value is INVALID:
        return None
    if not isinstance(value, Value):
        if isinstance(value, Mapping):
            return {key: json_values(each) for key, each in value.items()}
        return [json_values(each) for each in value] if isinstance(value, list | tuple) else value
    type, data = value
    if type.kind == "pointer":
        return None if data is None else json_values(make(type.elem or INTERFACE, data))
    if type.marshal is not None:
        return type.marshal(data)
    if type is ANYTHING or type is _LIST:
        return data
    if type.kind == "slice":
        return data if data is None or type.elem is UINT8 else [json_values(each) for each in items(value)]
    if type.kind == "map":
        return None if data is None else {key: json_values(each) for key, each in entries(value).items()}
    if type.kind == "struct":
        return _struct_json(value)
    return float(data) if type.kind == "float" else int(data) if type is JSON_NUMBER and data.isdigit() else data


def _struct_json(value: Value) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for each in value.type.fields:
        part = struct_field(value, each)
        if each.embedded:
            written.update(_struct_json(part))
        elif not (each.omitempty and kind(part) != "struct" and not is_true(part)):
            written[each.key] = json_values(part)
    return written
