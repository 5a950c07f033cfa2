"""``chmod chown``, and how owners, permissions, sizes and times are shown."""

from __future__ import annotations

import errno
import re
from datetime import datetime, timedelta

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity
from swarmsim.unix.files import Inode, failure
from swarmsim.unix.process import Process
from swarmsim.unix.programs.options import Usage, options
from swarmsim.unix.programs.texts import complain

KINDS = {"file": "-", "folder": "d", "link": "l", "device": "c"}
BLOCK = 4096
"""Bytes a folder takes, and in which files are counted."""


def permissions(inode: Inode) -> str:
    """
    >>> permissions(Inode("folder", 0o1777)), permissions(Inode("file", 0o640))
    ('drwxrwxrwt', '-rw-r-----')
    """
    text = ""
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = (inode.mode >> shift) & 7
        last = "x" if bits & 1 else "-"
        if inode.mode & special:
            last = letter if bits & 1 else letter.upper()
        text += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-") + last
    return KINDS[inode.kind] + text


def name_of(process: Process, number: int, table: str) -> str:
    """Of a user or group, from ``/etc/passwd`` or ``/etc/group``; the number if it has none."""
    try:
        text = process.system.files.read(table).decode(errors="replace")
    except OSError:
        return str(number)
    entries = (line.split(":") for line in text.splitlines())
    return next((entry[0] for entry in entries if len(entry) > 2 and entry[2] == str(number)), str(number))


def number_of(process: Process, name: str, table: str) -> int | None:
    if name.isdigit():
        return int(name)
    try:
        text = process.system.files.read(table).decode(errors="replace")
    except OSError:
        return None
    entries = (line.split(":") for line in text.splitlines())
    return next((int(entry[2]) for entry in entries if len(entry) > 2 and entry[0] == name), None)


def when(process: Process, inode: Inode) -> datetime:
    """When it was changed, by the host's clock."""
    system = process.system
    return EPOCH + timedelta(seconds=inode.mtime + system.wall() - system.clock.now)


def blocks(inode: Inode) -> int:
    """In units of 1,024 bytes."""
    if inode.kind == "folder":
        return BLOCK // 1024
    return -(-inode.size // BLOCK) * BLOCK // 1024 if inode.kind == "file" else 0


def human(size: float) -> str:
    """
    >>> human(12), human(4096), human(1536 * 1024)
    ('12', '4.0K', '1.5M')
    """
    for unit in ("", "K", "M", "G", "T"):
        if size < 1024 or unit == "T":
            return f"{size:.0f}" if not unit else f"{size:.1f}{unit}"
        size /= 1024
    return ""


def changed_mode(mode: int, text: str, is_folder: bool, umask: int) -> int | None:
    """What ``chmod`` makes of a mode; ``None`` if the text is no mode.

    >>> oct(changed_mode(0o644, "u+x,go-r", False, 0o22)), changed_mode(0, "999", False, 0)
    ('0o700', None)
    """
    if re.fullmatch("[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        match = re.fullmatch(r"([ugoa]*)((?:[-+=][rwxXst]*)+)", clause)
        if match is None:
            return None
        who = match[1]
        everybody = not who or "a" in who
        for operator, letters in re.findall(r"([-+=])([rwxXst]*)", match[2]):
            bits = 0
            for group, shift in (("u", 6), ("g", 3), ("o", 0)):
                if not (everybody or group in who):
                    continue
                some = sum(
                    bit
                    for letter, bit in (("r", 4), ("w", 2), ("x", 1))
                    if letter in letters or (letter == "x" and "X" in letters and (is_folder or mode & 0o111))
                )
                if not who:
                    some &= ~(umask >> shift) & 7
                bits |= some << shift
                if "s" in letters and group in "ug":
                    bits |= 0o4000 if group == "u" else 0o2000
                if operator == "=":
                    mode &= ~(7 << shift)
            if "t" in letters:
                bits |= 0o1000
            mode = mode & ~bits if operator == "-" else mode | bits
    return mode


def chmod(process: Process, words: list[str]) -> Activity[int]:
    rest = words[1:]
    recursive = rest[:1] == ["-R"]
    rest = rest[recursive:]
    if len(rest) < 2:
        raise Usage
    text, *paths = rest
    return (yield from _change(process, "chmod", paths, recursive, text, None))


def chown(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "Rh", not_modelled="vcfLHP", mixed=False)
    if len(given.words) < 2:
        raise Usage
    text, *paths = given.words
    name, separator, group = text.replace(".", ":", 1).partition(":")
    uid = number_of(process, name, "/etc/passwd") if name else -1
    if uid is None:
        yield from process.say(f"chown: unknown user {name}\n")
        return 1
    gid = number_of(process, group, "/etc/group") if group else -1
    if gid is None:
        yield from process.say(f"chown: unknown group {group}\n")
        return 1
    if separator and not group and name:
        gid = uid
    return (yield from _change(process, "chown", paths, "R" in given, "", (uid, gid)))


def _change(
    process: Process, program: str, paths: list[str], recursive: bool, mode: str, owner: tuple[int, int] | None
) -> Activity[int]:
    files, user, status = process.system.files, process.user, 0
    if not owner and changed_mode(0, mode, False, 0) is None:
        yield from process.say(f"chmod: invalid mode '{mode}'\n")
        return 1
    for path in paths:
        yield from process.system.step()
        try:
            inode = files.stat(process.path(path), user)
            if owner and user.uid != 0:
                files.own(process.path(path), user)
                raise failure(errno.EPERM)
            own = files.own(process.path(path), user)
            if owner:
                own.uid, own.gid = (
                    new if new >= 0 else old for new, old in zip(owner, (own.uid, own.gid), strict=True)
                )
            else:
                own.mode = changed_mode(own.mode, mode, own.kind == "folder", process.umask) or 0
            if recursive and inode.kind == "folder":
                inner = [f"{path.rstrip('/')}/{name}" for name in files.names(process.path(path), user)]
                status |= yield from _change(process, program, inner, True, mode, owner)
        except OSError as problem:
            yield from complain(process, program, path, problem)
            status = 1
    return status
