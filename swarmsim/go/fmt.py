"""Go's package fmt: Print, Println and Printf (print.go, format.go) over the values of :mod:`~swarmsim.go.reflect`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from swarmsim.go.reflect import (
    Value,
    address,
    concrete,
    entries,
    indirect,
    is_nil,
    items,
    kind,
    plain,
    string_method,
    struct_fields,
    type_name,
)
from swarmsim.go.strconv import format_float, quote


def sprint(*values: Any) -> str:
    """``fmt.Sprint``: a blank between two values of which neither is a string.

    >>> sprint("a", 1, 2, "b")
    'a1 2b'
    """
    out = ""
    for number, value in enumerate(values):
        if number and kind(value) != "string" and kind(values[number - 1]) != "string":
            out += " "
        out += show(value)
    return out


def sprintln(*values: Any) -> str:
    """``fmt.Sprintln``."""
    return " ".join(map(show, values)) + "\n"


def show(value: Any) -> str:
    """A value as ``%v`` prints it.

    >>> show({"b": 1, "a": ["x", True]})
    'map[a:[x true] b:1]'
    """
    return _formatted(value, "v", _Directive())


def sprintf(form: str, *values: Any) -> str:
    """``fmt.Sprintf``. What does not fit is not an error but told in the text.

    >>> sprintf("%-4s|%3d|%q|%d", "ab", 7, "x", "y")
    'ab  |  7|"x"|%!d(string=y)'
    """
    return _Printer(form, values).run()


@dataclass
class _Directive:
    """What stands between ``%`` and the verb."""

    sharp: bool = False
    plus: bool = False
    minus: bool = False
    space: bool = False
    zero: bool = False
    names: bool = False  # of fields: what + asks of %v, and nothing else then
    width: int = 0
    precision: int | None = None

    def pad(self, text: str) -> str:
        if self.minus:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if self.zero else " ")

    def pad_number(self, text: str, zeros: bool = True) -> str:
        """Zeros go between the sign and the digits."""
        if self.zero and zeros and not self.minus:
            sign = text[0] if text[:1] in ("+", "-", " ") else ""
            return sign + text[len(sign) :].rjust(self.width - len(sign), "0")
        return text.ljust(self.width) if self.minus else text.rjust(self.width)

    def signed(self, text: str) -> str:
        if text.startswith(("-", "+")):
            return text if text[0] == "-" or self.plus else text[1:]
        return ("+" if self.plus else " " if self.space else "") + text


_FLAGS = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
_INDEX = re.compile(r"\[([0-9]{1,7})\]")
_NUMBER = re.compile(r"[0-9]*")
MOST = 1_000_000
"""A width or a precision beyond it is none (tooLarge)."""


class _Printer:
    """One run over a format (doPrintf)."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self._form = form
        self._values = values
        self._at = 0
        self._next = 0
        self._reordered = False

    def run(self) -> str:
        out = []
        while self._at < len(self._form):
            percent = self._form.find("%", self._at)
            if percent < 0:
                out.append(self._form[self._at :])
                break
            out.append(self._form[self._at : percent])
            self._at = percent + 1
            out.append(self._directive())
        rest = self._values[self._next :]
        if rest and not self._reordered:
            extra = ", ".join(
                "<nil>" if kind(value) == "nil" else f"{type_name(value)}={show(value)}" for value in rest
            )
            out.append(f"%!(EXTRA {extra})")
        return "".join(out)

    def _directive(self) -> str:
        given = _Directive()
        complaint = ""
        while self._here() in _FLAGS:
            setattr(given, _FLAGS[self._here()], True)
            self._at += 1
        good, indexed = self._index()
        if self._here() == "*":
            self._at += 1
            width = self._star()
            if width is None:
                complaint += "%!(BADWIDTH)"
            else:
                given.width = abs(width)
                given.minus = given.minus or width < 0
            indexed = False
        else:
            digits = self._digits()
            given.width = int(digits or 0)
            good = good and not (indexed and digits)
        if self._here() == ".":
            self._at += 1
            good = good and not indexed
            found, indexed = self._index()
            good = good and found
            if self._here() == "*":
                self._at += 1
                given.precision = self._star()
                if given.precision is None:
                    complaint += "%!(BADPREC)"
                elif given.precision < 0:
                    given.precision = None
                indexed = False
            else:
                given.precision = int(self._digits() or 0)
        if not indexed:
            found, _ = self._index()
            good = good and found
        if self._at >= len(self._form):
            return complaint + "%!(NOVERB)"
        verb = self._here()
        self._at += 1
        if verb == "%":
            return complaint + "%"
        if not good:
            return f"{complaint}%!{verb}(BADINDEX)"
        if self._next >= len(self._values):
            return f"{complaint}%!{verb}(MISSING)"
        self._next += 1
        if verb == "v":
            given.names, given.plus = given.plus, False
        return complaint + _formatted(self._values[self._next - 1], verb, given)

    def _here(self) -> str:
        return self._form[self._at : self._at + 1]

    def _digits(self) -> str:
        match = _NUMBER.match(self._form, self._at)
        assert match is not None
        if len(match[0]) > 7 or int(match[0] or 0) > MOST:
            self._at = len(self._form)
            return ""
        self._at = match.end()
        return match[0]

    def _index(self) -> tuple[bool, bool]:
        """``[3]`` names the next value: whether that is one, and whether there was such a name."""
        if self._here() != "[":
            return True, False
        self._reordered = True
        match = _INDEX.match(self._form, self._at)
        if match is None:
            closing = self._form.find("]", self._at)
            self._at = closing + 1 if closing >= 0 else self._at + 1
            return False, closing >= 0
        self._at = match.end()
        if not 1 <= int(match[1]) <= len(self._values):
            return False, True
        self._next = int(match[1]) - 1
        return True, True

    def _star(self) -> int | None:
        if self._next >= len(self._values):
            return None
        value = self._values[self._next]
        self._next += 1
        return plain(value) if kind(value) in ("int", "uint") and abs(plain(value)) <= MOST else None


def _formatted(value: Any, verb: str, given: _Directive, depth: int = 0) -> str:
    """One value by its verb (printArg, printValue); ``depth`` counts what it stands in."""
    value = concrete(value)
    if verb == "T":
        return given.pad(type_name(value))
    told = string_method(value) if verb in "vsxXq" and not (given.sharp and verb == "v") else None
    if told is not None:
        return told if is_nil(value) else _string(told, verb, given) or ""
    match kind(value):
        case "nil" | "invalid":
            return given.pad("<nil>") if verb == "v" else f"%!{verb}(<nil>)"
        case "bool":
            text = given.pad("true" if plain(value) else "false") if verb in "tv" else None
        case "int" | "uint":
            text = _integer(plain(value), verb, given)
        case "float":
            text = _float(plain(value), verb, given)
        case "string":
            text = _string(plain(value), verb, given)
        case "pointer":
            text = _pointer(value, verb, given, depth)
        case "struct":
            return _struct(value, verb, given, depth)
        case "map":
            return _mapping(value, verb, given, depth)
        case _:
            return _list(value, verb, given, depth)
    return f"%!{verb}({type_name(value)}={show(value)})" if text is None else text


def _pointer(value: Value, verb: str, given: _Directive, depth: int) -> str | None:
    """What it points to is shown only where the pointer is what was asked for, and else the address."""
    target = indirect(value)
    if depth == 0 and not is_nil(value) and kind(target) in ("struct", "map", "slice"):
        return "&" + _formatted(target, verb, given, depth + 1)
    if verb == "v":
        return given.pad("<nil>" if is_nil(value) else f"0x{address(value):x}")
    if verb == "p":
        return given.pad("%!p(nil)" if is_nil(value) else f"0x{address(value):x}")
    return _integer(0 if is_nil(value) else address(value), verb, given) if verb in "bodxX" else None


def _integer(value: int, verb: str, given: _Directive) -> str | None:
    if verb == "c":
        return given.pad(chr(value) if 0 <= value < 0x110000 else "\ufffd")
    if verb == "q":
        return given.pad(quote(chr(value) if 0 <= value < 0x110000 else "\ufffd", "'", given.plus))
    if verb == "U":
        return given.pad(f"U+{value:04X}")
    base = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}.get(verb)
    if base is None:
        return None
    digits = f"{abs(value):{base}}"
    if given.precision is not None:
        digits = digits.rjust(given.precision, "0") if given.precision or value else ""
    prefix = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "") if given.sharp else ""
    prefix = "0o" if verb == "O" else prefix
    text = given.signed(("-" if value < 0 else "") + prefix + digits)
    return given.pad_number(text, zeros=given.precision is None)


def _float(value: float, verb: str, given: _Directive) -> str | None:
    if verb in "vgG":
        text = format_float(value, "g", given.precision)
    elif verb in "eEfF":
        text = format_float(value, verb.lower(), 6 if given.precision is None else given.precision)
    else:
        return None
    return given.pad_number(given.signed(text.upper() if verb in "GE" else text))


def _string(value: str, verb: str, given: _Directive) -> str | None:
    if given.precision is not None and verb in "svq":
        value = value[: given.precision]
    if verb == "q" or (verb == "v" and given.sharp):
        raw = given.sharp and verb == "q" and "`" not in value and value.isprintable()
        return given.pad(f"`{value}`" if raw else quote(value, ascii_only=given.plus and verb == "q"))
    if verb in "sv":
        return given.pad(value)
    if verb in "xX":
        text = value.encode().hex()
        return given.pad(text.upper() if verb == "X" else text)
    return None


def _list(value: Any, verb: str, given: _Directive, depth: int) -> str:
    if type_name(value) == "[]uint8" and verb in "sqxX":
        text = bytes(plain(byte) for byte in items(value)).decode(errors="replace")
        return _string(text, verb, given) or ""
    sharp = verb == "v" and given.sharp
    if sharp and is_nil(value):
        return f"{type_name(value)}(nil)"
    return _joined((_formatted(each, verb, given, depth + 1) for each in items(value)), sharp, value, "[]", "")


def _mapping(value: Any, verb: str, given: _Directive, depth: int) -> str:
    sharp = verb == "v" and given.sharp
    if sharp and is_nil(value):
        return f"{type_name(value)}(nil)"
    pairs = (
        f"{_formatted(key, verb, given, depth + 1)}:{_formatted(each, verb, given, depth + 1)}"
        for key, each in entries(value).items()
    )
    return _joined(pairs, sharp, value, "[]", "map")


def _struct(value: Value, verb: str, given: _Directive, depth: int) -> str:
    sharp, names = verb == "v" and given.sharp, verb == "v" and (given.sharp or given.names)
    parts = (f"{name}:" * names + _formatted(part, verb, given, depth + 1) for name, part in struct_fields(value))
    return _joined(parts, sharp, value, "{}", "")


def _joined(parts: Iterable[str], sharp: bool, value: Any, brackets: str, prefix: str) -> str:
    if sharp:
        return f"{type_name(value)}{{{', '.join(parts)}}}"
    return prefix + brackets[0] + " ".join(parts) + brackets[1]
