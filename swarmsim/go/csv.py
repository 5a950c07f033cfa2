"""One line of comma-separated fields as Go reads it (encoding/csv)."""

from __future__ import annotations


def read_line(text: str) -> list[str]:
    """The fields. Raises :class:`ValueError` in Go's words.

    >>> read_line('type=volume,"src=a,b"')
    ['type=volume', 'src=a,b']
    """
    if not text.strip("\r\n"):
        raise ValueError("EOF")
    fields: list[str] = []
    rest = text
    while True:
        if rest.startswith('"'):
            field, rest = _quoted(text, rest[1:])
        else:
            field, comma, after = rest.partition(",")
            if '"' in field:
                raise _error(text, len(text) - len(rest) + field.index('"'), 'bare " in non-quoted field')
            rest = comma + after
        fields.append(field)
        if not rest:
            return fields
        rest = rest[1:]


def _quoted(text: str, rest: str) -> tuple[str, str]:
    """A field after its opening quote, and what is left: nothing, or a comma first."""
    field = ""
    while True:
        part, quote, rest = rest.partition('"')
        field += part
        if not quote:
            raise _error(text, len(text), 'extraneous or missing " in quoted-field')
        if not rest or rest.startswith(","):
            return field, rest
        if not rest.startswith('"'):
            raise _error(text, len(text) - len(rest) - 1, 'extraneous or missing " in quoted-field')
        field, rest = field + '"', rest[1:]


def _error(text: str, position: int, what: str) -> ValueError:
    """Columns are counted in bytes, from one."""
    return ValueError(f"parse error on line 1, column {len(text[:position].encode()) + 1}: {what}")
