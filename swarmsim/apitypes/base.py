"""How the API's records are read and written, as Go's encoding/json does it.

Rules, from the types of the fields alone:

=====================  ==========================  =======================================
a field of type        that is not in a body is    is left out of a body when it is
=====================  ==========================  =======================================
``str, int, float``    ``"", 0``                   zero
``bool``               ``False``                   false
``list, dict, bytes``  empty, or ``None`` (nil)    empty or ``None``
a record               a record of zeros           never: Go has no empty struct
``X | None``, X none   ``None`` (a nil pointer)    ``None``; what it points to is written
of the lists above
=====================  ==========================  =======================================

``Always[T]`` marks what is written even then: Go's fields without ``omitempty``. Maps are written in the order of their
keys, bytes in base64, whole floats without a point. A ``null`` in a body leaves a field as it was.

The same types say what a template sees (:func:`go_type`): the client's structs. Where a field's Python type does not
tell Go's, it says so: ``Duration``, ``UInt64``, ``Pointer[ContainerSpec]``, ``Annotated[str, named("swarm.NodeState")]``.
``Newer[T]`` is a field that this version's daemon does not know and the client writes always.
"""

from __future__ import annotations

import base64
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from swarmsim.go import reflect

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
"""An object of JSON, as its own values."""


class Mark(NamedTuple):
    """What is said of a field besides its type."""

    text: str


_ALWAYS = Mark("written even when it is empty")
_NEWER = Mark("the daemon does not know it, the client writes it even when it is empty")
_POINTER = Mark("a pointer in Go, though never nil here")


class Embedded(NamedTuple):
    """Neighbouring fields with the same one stand in an embedded struct of that name."""

    name: str


Always = Annotated[T, _ALWAYS]
Newer = Annotated[T, _NEWER]
Pointer = Annotated[T, _POINTER]
InMeta = Annotated[T, Embedded("swarm.Meta")]
InAnnotations = Annotated[T, Embedded("swarm.Annotations")]

Int64 = Annotated[int, reflect.INT64]
UInt64 = Annotated[int, reflect.UINT64]
UInt32 = Annotated[int, reflect.UINT32]
Float32 = Annotated[float, reflect.FLOAT32]
Duration = Annotated[int, reflect.DURATION]
"""Nanoseconds."""
FileMode = Annotated[int, reflect.FILE_MODE]
"""An octal permission as an integer."""
Time = Annotated[str, reflect.TIME]
"""RFC 3339 with nanoseconds, in UTC."""


class ApiType(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record of the API. Fields are named here as Python does, and on the wire by ``field(name=…)``.

    ``GO`` is its type's name in Go, where that is not ``swarm.`` and the class's own; ``GO_FIELDS`` are
    names of fields there that JSON has not, ``METHODS`` its methods.
    """

    GO: ClassVar[str] = ""
    GO_FIELDS: ClassVar[Mapping[str, str]] = {}
    METHODS: ClassVar[Mapping[str, reflect.Method]] = {}


class Field(NamedTuple):
    """One field of a record: its attribute, its name in JSON and templates, and when it is written."""

    attribute: str
    name: str
    always: bool
    pointer: bool


def _is_pointer(hint: Any) -> bool:
    """Whether ``hint`` is what Go would have as a pointer: optional, and not a list or a map, which have a nil."""
    if get_origin(hint) not in (Union, types.UnionType):
        return False
    target = _taken_apart(next(each for each in get_args(hint) if each is not type(None)))[0]
    return (get_origin(target) or target) not in (list, tuple, dict, bytes)


@cache
def fields(kind: type[ApiType]) -> tuple[Field, ...]:
    """The fields of a type, in the order they are written."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for attribute, name in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        target, marks = _taken_apart(hints[attribute])
        found.append(Field(attribute, name, _ALWAYS in marks, _is_pointer(target)))
    return tuple(found)


def _taken_apart(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type, and what is said about it."""
    return (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


@cache
def go_type(kind: type[ApiType], name: str = "") -> reflect.Type:
    """The struct that the client decodes a body into; under another ``name``, where Go has a second one like it."""
    hints = get_type_hints(kind, include_extras=True)
    found: list[reflect.StructField] = []
    embedded: dict[str, list[reflect.StructField]] = {}
    for attribute, key in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        _, marks = _taken_apart(hints[attribute])
        omitempty = _ALWAYS not in marks and _NEWER not in marks
        member = reflect.StructField(kind.GO_FIELDS.get(attribute, key), key, _type_of(hints[attribute]), omitempty)
        outer = next((mark.name for mark in marks if isinstance(mark, Embedded)), "")
        if not outer:
            found.append(member)
        elif outer in embedded:
            embedded[outer].append(member)
        else:
            embedded[outer] = [member]
            found.append(reflect.StructField(outer.rpartition(".")[2], "", reflect.INTERFACE, embedded=True))
    for place, member in enumerate(found):
        if member.embedded:
            outer = f"swarm.{member.name}"
            found[place] = member._replace(type=reflect.Type(outer, "struct", fields=tuple(embedded[outer])))
    name = name or kind.GO or f"swarm.{kind.__name__}"
    return reflect.Type(name, "struct", fields=tuple(found), methods=kind.METHODS)


_SCALARS: dict[Any, reflect.Type] = {
    str: reflect.STRING,
    int: reflect.INT,
    bool: reflect.BOOL,
    float: reflect.FLOAT64,
    bytes: reflect.BYTES,
    Any: reflect.INTERFACE,
    type(None): reflect.INTERFACE,
    None: reflect.INTERFACE,
}


def _type_of(hint: Any) -> reflect.Type:
    target, marks = _taken_apart(hint)
    told = next((mark for mark in marks if isinstance(mark, reflect.Type)), None)
    found = told or _unmarked(target)
    return reflect.pointer_to(found) if _POINTER in marks or (told is None and _is_pointer(target)) else found


def _unmarked(hint: Any) -> reflect.Type:
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _type_of(next(each for each in arguments if each is not type(None)))
    if origin in (list, tuple):
        return reflect.slice_of(_type_of(arguments[0]))
    if origin is dict:
        return reflect.map_of(_type_of(arguments[1]))
    return go_type(hint)


def as_json(value: Any) -> Any:
    """A record (or a list or a map of them) as JSON's own values, in Go's order and with Go's omissions."""
    if isinstance(value, ApiType):
        written = {}
        for attribute, name, always, pointer in fields(type(value)):
            part = getattr(value, attribute)
            if always or (part is not None if pointer else part or isinstance(part, ApiType)):
                written[name] = as_json(dict(sorted(part.items())) if isinstance(part, dict) else part)
        return written
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def encode(value: Any) -> bytes:
    """A record, or JSON values, as a body."""
    return msgspec.json.encode(as_json(value))


def decode(body: bytes, kind: type[T]) -> T:
    """A body as what ``kind`` says it is. Raises :class:`msgspec.DecodeError` where it is not."""
    return from_json(msgspec.json.decode(body), kind)


def from_json(value: Any, kind: type[T]) -> T:
    """JSON's values as what ``kind`` says they are. Raises :class:`msgspec.ValidationError` where they are not."""
    return msgspec.convert(_without_nulls(value), kind)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
