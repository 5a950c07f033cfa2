"""The tables of docs/trace.md, made from the types of rows: ``python -m swarmsim.trace.tables docs/trace.md`` writes them there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints

from swarmsim.trace.rows import INTERNALS, OBSERVATIONS, ROWS

TABLES: dict[str, dict[str, type]] = {
    "header": {"header": ROWS["header"]},
    "observations": OBSERVATIONS,
    "internals": INTERNALS,
}
"""The tables by the name in their marks, such as ``<!-- rows: internals -->``."""

WORDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    NoneType: "null",
    Any: "any",
}


def in_words(hint: Any) -> str:
    """A field's type as it is in JSON.

    >>> in_words(str | None), in_words(list[list[str]]), in_words(dict[str, float])
    ('text or null', 'list of lists of text', 'object of numbers')
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return " or ".join(in_words(each) for each in inner)
    if origin is list:
        return f"list of {_many(in_words(inner[0]))}"
    if origin is tuple:
        return f"list of {len(inner)} {_many(in_words(inner[0]))}"
    if origin is dict:
        return f"object of {_many(in_words(inner[1]))}"
    return WORDS[hint]


def _many(words: str) -> str:
    first, _, rest = words.partition(" ")
    return " ".join(filter(None, (first if first in ("text", "any") else f"{first}s", rest)))


def table(kinds: dict[str, type]) -> str:
    """One line for every field, with its type and meaning; what a kind means stands on its first."""
    lines = ["| kind | field | type | meaning |", "|---|---|---|---|"]
    for kind, fields in kinds.items():
        lines.append(f"| `{kind}` | | | **{(fields.__doc__ or '').strip()}** |")
        for name, hint in get_type_hints(fields, include_extras=True).items():
            words, meaning = _field(hint)
            lines.append(f"| | `{name}` | {words} | {meaning} |")
    return "\n".join(lines)


def _field(hint: Any) -> tuple[str, str]:
    """The type and the meaning of a field."""
    if get_origin(hint) is NotRequired:
        words, meaning = _field(get_args(hint)[0])
        return f"{words}; may be absent", meaning
    if get_origin(hint) is Annotated:
        plain, meaning = get_args(hint)
        return in_words(plain), str(meaning)
    return in_words(hint), ""


def filled(text: str) -> str:
    """The document with its tables as the types say."""
    for name, kinds in TABLES.items():
        marks = re.compile(rf"(<!-- rows: {name} -->\n).*?(<!-- end -->)", re.S)
        text = marks.sub(lambda found, kinds=kinds: f"{found[1]}\n{table(kinds)}\n\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    for name in sys.argv[1:]:
        document = Path(name)
        document.write_text(filled(document.read_text("utf-8")), "utf-8")
