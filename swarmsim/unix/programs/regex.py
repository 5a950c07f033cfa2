"""POSIX regular expressions, basic and extended, as Python's (XBD chapter 9, with GNU's ``\\+ \\? \\|``).

Python takes the first alternative that fits where POSIX takes the longest; all else is the same.
"""

from __future__ import annotations

import re
from functools import lru_cache

from swarmsim.unix.programs.options import Usage
from swarmsim.unix.shell.patterns import CLASSES


@lru_cache(maxsize=1024)
def compiled(text: str, *, extended: bool = False, ignore_case: bool = False) -> re.Pattern[str]:
    """Depends on its arguments only. Raises :class:`Usage`."""
    try:
        return re.compile(translated(text, extended=extended), re.IGNORECASE if ignore_case else 0)
    except (re.error, IndexError):
        raise Usage(f"bad regex '{text}': Invalid regular expression") from None


def translated(text: str, *, extended: bool) -> str:
    r"""
    >>> translated(r"\(a\|b\)*[[:digit:]]\{2\}(x)", extended=False)
    '(a|b)*[0-9]{2}\\(x\\)'
    >>> translated("(a|b)+$", extended=True)
    '(a|b)+$'
    """
    found, at = "", 0
    start = True
    """Whether nothing stands before it that could be repeated."""
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\" and at < len(text):
            following = text[at]
            at += 1
            if not extended and following in "(){}|+?":
                found += following if not (following in "+?" and start) else re.escape(following)
                start = following in "(|"
                continue
            if following in "bBwWsS" or following.isdigit():
                found += f"\\{following}"
            elif following == "<":
                found += r"\b(?=\w)"
            elif following == ">":
                found += r"\b(?<=\w)"
            elif following == "n":
                found += r"\n"
            else:
                found += re.escape(following)
            start = False
        elif char == "[":
            bracket, at = _bracket(text, at)
            found += bracket
            start = False
        elif char == "*":
            found += r"\*" if start else "*"
            start = False
        elif char == "^":
            anchors = extended or start
            found += "^" if anchors else r"\^"
            start = anchors
        elif char == "$":
            ends = extended or at == len(text) or text.startswith("\\)", at) or text.startswith("\\|", at)
            found += "$" if ends else r"\$"
            start = False
        elif char == ".":
            found += "."
            start = False
        elif char in "(){}|+?":
            found += char if extended and not (char in "+?{" and start) else f"\\{char}"
            start = extended and char in "(|"
        else:
            found += re.escape(char)
            start = False
    return found


def _bracket(text: str, at: int) -> tuple[str, int]:
    inner = ""
    negated = text.startswith("^", at)
    at += negated
    first = at
    while True:
        char = text[at]
        if char == "]" and at > first:
            return (f"[{'^' if negated else ''}{inner}]", at + 1)
        named = re.match(r"\[:(\w+):\]", text[at:])
        if named is not None and named[1] in CLASSES:
            inner += CLASSES[named[1]]
            at += named.end()
            continue
        inner += char if char == "-" and at > first and text[at + 1 : at + 2] not in ("]", "") else re.escape(char)
        at += 1
