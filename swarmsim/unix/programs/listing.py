"""``ls stat``."""

from __future__ import annotations

import re
from datetime import timedelta

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity
from swarmsim.unix.files import Inode, NotModelled, join
from swarmsim.unix.process import Process
from swarmsim.unix.programs.attributes import BLOCK, blocks, human, name_of, permissions, when
from swarmsim.unix.programs.options import Options, Usage, options
from swarmsim.unix.programs.texts import complain

HALF_A_YEAR = 15811200  # seconds: older files are shown with their year (busybox ls)


def ls(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "1aAldRrtSinhFCp", not_modelled="sxLHXvcuwk")
    files, status = process.system.files, 0
    plain: list[tuple[str, Inode]] = []
    folders: list[tuple[str, Inode]] = []
    for path in given.words or ["."]:
        try:
            inode = files.stat(process.path(path), process.user, follow=not ({"l", "d"} & set(given.flags)))
        except OSError as problem:
            yield from complain(process, "ls", path, problem)
            status = 1
            continue
        (folders if inode.kind == "folder" and "d" not in given else plain).append((path, inode))
    output = _listed(process, given, _ordered(given, plain))
    many = len(given.words) > 1 or "R" in given
    shown = bool(plain)
    waiting = [path for path, _ in _ordered(given, folders)]
    while waiting:
        path = waiting.pop(0)
        try:
            names = files.names(process.path(path), process.user)
        except OSError as problem:
            yield from process.say(f"ls: can't open '{path}': {problem.strerror}\n")
            status = 1
            continue
        entries = [
            (name, files.stat(join(process.path(path), name), process.user, follow=False))
            for name in [*([".", ".."] if "a" in given else []), *names]
            if not name.startswith(".") or "a" in given or "A" in given
        ]
        if many:
            output += ("\n" if shown else "") + f"{path}:\n"
        if "l" in given:
            total = sum(blocks(inode) for _, inode in entries)
            output += f"total {human(total * 1024) if 'h' in given else total}\n"
        entries = _ordered(given, entries)
        output += _listed(process, given, entries, path)
        shown = True
        if "R" in given:
            inner = [name for name, inode in entries if inode.kind == "folder" and name not in (".", "..")]
            waiting = [f"{path.rstrip('/')}/{name}" for name in inner] + waiting
        yield from process.system.step()
    yield from process.write(output)
    return status


def _ordered(given: Options, entries: list[tuple[str, Inode]]) -> list[tuple[str, Inode]]:
    entries = sorted(entries)
    if "S" in given:
        entries.sort(key=lambda entry: -entry[1].size)
    if "t" in given:
        entries.sort(key=lambda entry: -entry[1].mtime)
    return entries[::-1] if "r" in given else entries


def _listed(process: Process, given: Options, entries: list[tuple[str, Inode]], path: str = "") -> str:
    lines = []
    for name, inode in entries:
        mark = "/" if inode.kind == "folder" and ("F" in given or "p" in given) else ""
        if "F" in given and inode.kind == "file" and inode.mode & 0o111:
            mark = "*"
        if "F" in given and inode.kind == "link":
            mark = "@"
        if "l" not in given:
            lines.append(f"{name}{mark}\n")
            continue
        size = BLOCK if inode.kind == "folder" else inode.size
        users = [inode.uid, inode.gid]
        owners = (
            [str(each) for each in users]
            if "n" in given
            else [name_of(process, users[0], "/etc/passwd"), name_of(process, users[1], "/etc/group")]
        )
        time = when(process, inode)
        now = EPOCH + timedelta(seconds=process.system.wall())
        old = abs((now - time).total_seconds()) > HALF_A_YEAR
        date = time.strftime("%b %e  %Y" if old else "%b %e %H:%M")
        sized = "   1,   3" if inode.kind == "device" else f"{human(size) if 'h' in given else size:>9}"
        arrow = f" -> {inode.target}" if inode.kind == "link" else ""
        links = 2 + 0 if inode.kind == "folder" else inode.links
        lines.append(
            f"{permissions(inode)} {links:>4} {owners[0]:<8} {owners[1]:<8} {sized} {date} {name}{mark}{arrow}\n"
        )
    return "".join(lines)


def stat(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "c:L", not_modelled="ft")
    if not given.words:
        raise Usage
    status = 0
    for path in given.words:
        try:
            inode = process.system.files.stat(process.path(path), process.user, follow="L" in given)
        except OSError as problem:
            yield from process.say(f"stat: can't stat '{path}': {problem.strerror}\n")
            status = 1
            continue
        values = {
            "n": path,
            "N": f"'{path}' -> '{inode.target}'" if inode.kind == "link" else path,
            "s": str(BLOCK if inode.kind == "folder" else inode.size),
            "a": f"{inode.mode:o}",
            "A": permissions(inode),
            "u": str(inode.uid),
            "g": str(inode.gid),
            "U": name_of(process, inode.uid, "/etc/passwd"),
            "G": name_of(process, inode.gid, "/etc/group"),
            "h": str(inode.links),
            "F": {"file": "regular file" if inode.size else "regular empty file", "folder": "directory"}.get(
                inode.kind, "symbolic link" if inode.kind == "link" else "character special file"
            ),
            "Y": str(int(when(process, inode).timestamp())),
            "y": when(process, inode).strftime("%Y-%m-%d %H:%M:%S.%f000 +0000"),
        }
        if "c" in given:
            wrong = next((letter for letter in re.findall("%(.)", given.flags["c"]) if letter not in values), None)
            if wrong is not None:
                raise NotModelled(f"stat -c %{wrong}")
            parts = re.split("%(.)", given.flags["c"])
            shown = "".join(values[part] if n % 2 else part for n, part in enumerate(parts))
            yield from process.write(f"{shown}\n")
            continue
        raise NotModelled("stat without -c")
    return status
