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
"""

from __future__ import annotations

import base64
import types
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")
_ALWAYS = "written even when it is empty"
Always = Annotated[T, _ALWAYS]


class ApiType(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record of the API. Fields are named here as Python does, and on the wire by ``field(name=…)``."""


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
    (target,) = (each for each in get_args(hint) if each is not type(None))
    return (get_origin(target) or target) not in (list, tuple, dict, bytes)


@cache
def fields(kind: type[ApiType]) -> tuple[Field, ...]:
    """The fields of a type, in the order they are written."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for attribute, name in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        hint = hints[attribute]
        always = get_origin(hint) is Annotated and _ALWAYS in hint.__metadata__
        found.append(Field(attribute, name, always, _is_pointer(get_args(hint)[0] if always else hint)))
    return tuple(found)


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
    return msgspec.convert(_without_nulls(msgspec.json.decode(body)), kind)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
