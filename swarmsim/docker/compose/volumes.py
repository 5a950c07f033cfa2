"""Volumes in a stack file's short form, ``SOURCE:TARGET:OPTIONS``, and paths of bind mounts (cli/compose/loader)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")
_ABSOLUTE_ON_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*[\\/]")


def parse_volume(text: str) -> dict[str, Any]:
    """The long form. A single letter before a colon is a drive of Windows. Raises :class:`ValueError` in docker's words."""
    if not text:
        raise ValueError("invalid empty volume spec")
    if len(text.encode()) < 3:
        return {"type": "volume", "target": text}
    parts = _split(text)
    if "" in parts[:3]:
        raise ValueError(f"invalid spec: {text}: empty section between colons")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    source, target, *options = parts
    if len(options) > 1:
        raise ValueError(f"invalid spec: {text}: too many colons")
    volume: dict[str, Any] = {"type": "bind" if _is_path(source) else "volume", "source": source, "target": target}
    for option in options[0].split(",") if options else ():
        if option in ("ro", "rw"):
            volume["read_only"] = option == "ro"
        elif option == "nocopy":
            volume["volume"] = {"nocopy": True}
        elif option in PROPAGATIONS:
            volume["bind"] = {"propagation": option}
    return volume


def _split(text: str) -> list[str]:
    parts = [""]
    for char in text:
        if char == ":" and not (len(parts[-1]) == 1 and parts[-1].isalpha()):
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _is_path(source: str) -> bool:
    return source[0] in "./~" or source.startswith("\\\\") or (source[0].isalpha() and source[1:2] == ":")


def bind_source(source: str, directory: str, environment: Mapping[str, str], warn: Callable[[str], None]) -> str:
    """Where a bind mount comes from: ``~`` is ``HOME``, the rest is relative to the first file's folder."""
    if source.startswith("~"):
        if "HOME" not in environment:
            warn("cannot expand '~', because the environment lacks HOME")
        else:
            source = environment["HOME"] + source[1:]
    if source.startswith("/") or _ABSOLUTE_ON_WINDOWS.match(source):
        return source
    return posixpath.normpath(posixpath.join(directory, source))
