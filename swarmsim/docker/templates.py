"""The functions docker adds to Go's templates (docker/cli templates/templates.go)."""

from __future__ import annotations

from typing import Any

from swarmsim.go.json import compact
from swarmsim.go.template import Function, Functions


def _title(text: str) -> str:
    """``strings.Title``: every word with a capital."""
    return "".join(
        letter.upper() if number == 0 or not (text[number - 1].isalnum() or text[number - 1] in "_'") else letter
        for number, letter in enumerate(text)
    )


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _truncate(text: str, length: int) -> str:
    """In bytes, as Go does it."""
    cut = text.encode()
    if length < 0:
        raise ValueError(f"runtime error: slice bounds out of range [:{length}]")
    return text if len(cut) < length else cut[:length].decode(errors="replace")


FUNCTIONS: Functions = {
    "join": Function(lambda items, separator: separator.join(items), ("[]string", "string")),
    "json": Function(compact),
    "lower": Function(str.lower, ("string",)),
    "pad": Function(_pad, ("string", "int", "int")),
    "split": Function(_split, ("string", "string")),
    "title": Function(_title, ("string",)),
    "truncate": Function(_truncate, ("string", "int")),
    "upper": Function(str.upper, ("string",)),
}


def _header(text: Any, *_: Any) -> Any:
    return text


HEADER_FUNCTIONS: Functions = {name: function._replace(call=_header) for name, function in FUNCTIONS.items()} | {
    "join": Function(_header, ("string", "string")),
    "json": Function(_header, ("string",)),
    "pad": FUNCTIONS["pad"],
}
"""For the first line of a table: a header is shown as it is, whatever is done with the values below it."""


def unescape(format: str) -> str:
    """``\\t`` and ``\\n`` as people type them, in the formats of lists (and only there)."""
    return format.replace(r"\t", "\t").replace(r"\n", "\n")
