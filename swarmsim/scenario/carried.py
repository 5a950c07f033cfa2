"""Files that the commands of a scenario read, for a scenario that is saved elsewhere: it carries their texts along under ``files:``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

LARGEST = 1_000_000
"""Bytes of a file that is carried along; a stack file is a few kilobytes."""


def carried(commands: Iterable[str], folder: Path) -> dict[str, str]:
    """The texts of files in ``folder`` that words of docker commands name, by what they are called there.

    A word names a file if there is one: ``stack.yml`` in ``stack deploy -c stack.yml shop``, ``--env-file=web.env``.
    """
    found: dict[str, str] = {}
    for command in commands:
        try:
            words = shlex.split(command)
        except ValueError:
            continue
        for name in (part for word in words for part in (word, word.partition("=")[2]) if part):
            if name.startswith("/"):
                continue  # it is found from anywhere
            text = _text(folder / name)
            if text is not None:
                found[name] = text
    return found


def _text(path: Path) -> str | None:
    try:
        if path.is_file() and path.stat().st_size <= LARGEST:
            return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        pass
    return None
