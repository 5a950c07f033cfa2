"""Patterns of the shell (POSIX XCU 2.13): ``*``, ``?`` and brackets, of which what was quoted means itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r" \t\n\r\f\v",
    "blank": r" \t",
    "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "xdigit": "0-9A-Fa-f",
}
SPECIAL = frozenset("*?[")


def is_pattern(pieces: Iterable[tuple[str, bool]]) -> bool:
    return any(not quoted and SPECIAL & set(text) for text, quoted in pieces)


def expression(pieces: Iterable[tuple[str, bool]]) -> str:
    """A regular expression for texts, each with whether it was quoted.

    >>> expression([("a*[!b-c]", False), ("*", True)])
    'a.*[^b-c]\\\\*'
    """
    chars: list[tuple[str, bool]] = [(char, quoted) for text, quoted in pieces for char in text]
    found, at = "", 0
    while at < len(chars):
        char, quoted = chars[at]
        at += 1
        if quoted:
            found += re.escape(char)
        elif char == "*":
            found += ".*"
        elif char == "?":
            found += "."
        elif char == "\\" and at < len(chars):
            found += re.escape(chars[at][0])
            at += 1
        elif char == "[":
            bracket, end = _bracket(chars, at)
            if bracket:
                found, at = found + bracket, end
            else:
                found += r"\["
        else:
            found += re.escape(char)
    return found


def _bracket(chars: list[tuple[str, bool]], at: int) -> tuple[str, int]:
    """A bracket expression that begins there, and where it ends; empty if it is none."""
    inner, start = "", at
    negated = at < len(chars) and chars[at] in (("!", False), ("^", False))
    if negated:
        at += 1
        start += 1
    while at < len(chars):
        char, quoted = chars[at]
        if char == "]" and not quoted and at > start:
            return (f"[{'^' if negated else ''}{inner}]", at + 1)
        text = "".join(each for each, _ in chars[at : at + 12])
        named = re.match(r"\[:(\w+):\]", text)
        if named is not None and not quoted and named[1] in CLASSES:
            inner += CLASSES[named[1]]
            at += named.end()
            continue
        inner += char if char == "-" and not quoted and at > start else re.escape(char)
        at += 1
    return "", at


@lru_cache(maxsize=4096)
def compiled(regex: str) -> re.Pattern[str]:
    """Of :func:`expression`; only depends on its argument."""
    try:
        return re.compile(regex, re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")


def matches(pieces: Iterable[tuple[str, bool]], text: str) -> bool:
    return compiled(expression(pieces)).fullmatch(text) is not None


def trim(text: str, pieces: Iterable[tuple[str, bool]], operator: str) -> str:
    """``${x#pattern}`` and the like.

    >>> trim("/a/b.tar.gz", [("*.", False)], "##"), trim("/a/b.tar.gz", [(".*", False)], "%")
    ('gz', '/a/b.tar')
    """
    regex = compiled(expression(pieces))
    lengths = range(len(text) + 1)
    for length in reversed(lengths) if len(operator) == 2 else lengths:
        if operator[0] == "#" and regex.fullmatch(text[:length]):
            return text[length:]
        if operator[0] == "%" and regex.fullmatch(text[len(text) - length :]):
            return text[: len(text) - length]
    return text


def replace(text: str, pieces: Iterable[tuple[str, bool]], by: str, *, everywhere: bool) -> str:
    """``${x/pattern/by}``.

    >>> replace("abcabc", [("b", False)], "X", everywhere=True)
    'aXcaXc'
    """
    regex = expression(pieces)
    if not regex:
        return text
    return compiled(regex).sub(lambda _: by, text, count=0 if everywhere else 1)
