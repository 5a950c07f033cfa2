"""Finds what is left in English where all should be Chinese, by the tables of texts and the phrase book."""

from __future__ import annotations

import re

from swarmsim.replay.chinese import PHRASES
from swarmsim.replay.texts import RUN


def _fixed(text: str) -> list[str]:
    """The parts of a text between what it is filled in with."""
    return [part.strip() for part in re.split(r"\{\w+\}", text)]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".+?".join(re.escape(part) for part in re.split(r"\{\w+\}", text)))


def _is_a_sentence(text: str) -> bool:
    """Two words in a row at least: single ones are too often a name, or Docker's."""
    return any(len(re.findall(r"[A-Za-z]{2,}", part)) >= 2 for part in _fixed(text))


OURS = [
    _pattern(english)
    for english, chinese in (*RUN.values(), *PHRASES)
    if english != chinese and _is_a_sentence(english)
]


def left_in_english(shown: str) -> list[str]:
    """Lines of what is shown that one of our English texts is in; but for lines of commands and what they answered."""
    lines = [line for line in shown.splitlines() if not re.match(r"\s*(\w+\$ |docker |  )", line)]
    return [line for line in lines if any(pattern.search(line) for pattern in OURS)]
