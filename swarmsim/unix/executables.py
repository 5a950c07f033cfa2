"""Files that can be run. A program of ours is a file that begins like an ELF and names it; anything else is a script.

So ``which``, ``ls -l /bin``, ``cp /bin/ls /tmp/x`` and ``rm /bin/ls`` do what they do on a real system, and an image decides what it has.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.future import Activity
from swarmsim.unix.applets import APPLETS
from swarmsim.unix.files import Inode, NotModelled, file
from swarmsim.unix.mounts import SEARCH
from swarmsim.unix.process import Process, Program

MAGIC = b"\x7fELF "
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_FOUND, CANNOT_RUN = 127, 126
BUSYBOX = "busybox"
MOST_INTERPRETERS = 4  # BINPRM_MAX_RECURSION of Linux, roughly


class Found(NamedTuple):
    """``status`` is 0, or what a shell ends with that cannot run it."""

    path: str
    status: int = 0


def executable(name: str) -> Inode:
    """The file of a program."""
    return file(MAGIC + name.encode() + b"\n", 0o755)


def find(process: Process, name: str) -> Found:
    """As ``execvp``: a name with a slash is a path, any other is looked for in ``PATH``. Raises :class:`NotModelled` if only a real
    image knows whether it is there."""
    if "/" in name:
        return _check(process, name)
    refused = Found(name, NOT_FOUND)
    for folder in process.env.get("PATH", PATH).split(":"):
        found = _check(process, f"{folder or '.'}/{name}")
        if not found.status:
            return found
        if found.status == CANNOT_RUN:
            refused = found
    return refused


def _check(process: Process, path: str) -> Found:
    try:
        inode = process.system.files.stat(process.path(path), process.user)
    except PermissionError:
        return Found(path, CANNOT_RUN)
    except (OSError, NotModelled):
        return Found(path, NOT_FOUND)
    runs = inode.kind == "file" and process.user.may(inode, SEARCH)
    return Found(path, 0 if runs else CANNOT_RUN)


def _applet(process: Process, words: list[str]) -> tuple[str, list[str]]:
    """Which of its programs busybox is, by the name it is called with."""
    name = words[0].rpartition("/")[2]
    return (name, words) if name != "busybox" or len(words) == 1 else (words[1], words[1:])


def load(process: Process, found: Found, words: list[str]) -> tuple[Program, list[str]]:
    """The program in a file, and its words: more of them if the file is a script. Raises :class:`NotModelled`."""
    path = found.path
    for _ in range(MOST_INTERPRETERS):
        content = process.system.files.stat(process.path(path)).content
        if content.startswith(MAGIC):
            name = content[len(MAGIC) :].partition(b"\n")[0].decode()
            if name == BUSYBOX:
                name, words = _applet(process, words)
            program = process.system.programs.get(name)
            if program is None and words[0] == name and name not in APPLETS:
                return _no_applet, words
            if program is None:
                raise NotModelled(name)
            return program, words
        interpreter = ["/bin/sh"]
        if content.startswith(b"#!"):
            interpreter = content[2:].partition(b"\n")[0].decode(errors="replace").strip().split(None, 1)
        words = [*interpreter, path, *words[1:]]
        path = interpreter[0]
        if _check(process, path).status:
            return _missing, words
    return _missing, words


def _no_applet(process: Process, words: list[str]) -> Activity[int]:
    yield from process.say(f"{words[0]}: applet not found\n")
    return NOT_FOUND


def _missing(process: Process, words: list[str]) -> Activity[int]:
    yield from process.say(f"{words[-1]}: not found\n")
    return NOT_FOUND
