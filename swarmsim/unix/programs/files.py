"""``ls cp mv rm rmdir mkdir touch ln chmod chown stat find readlink mktemp du df mount``."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import re
from datetime import datetime, timedelta

from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity
from swarmsim.unix.executables import find as find_program
from swarmsim.unix.executables import load
from swarmsim.unix.files import Inode, NotModelled, failure, file, folder, join, link
from swarmsim.unix.process import Process
from swarmsim.unix.programs.options import Complaint, Options, Usage, options
from swarmsim.unix.programs.texts import complain

KINDS = {"file": "-", "folder": "d", "link": "l", "device": "c"}
BLOCK = 4096
"""Bytes a folder takes, and in which files are counted."""
HALF_A_YEAR = 15811200  # seconds: older files are shown with their year (busybox ls)
DISK = 10 << 30
"""Bytes of a disk, as ``df`` shows it; the model's own figure."""


def permissions(inode: Inode) -> str:
    """
    >>> permissions(folder(0o1777)), permissions(file(mode=0o640))
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


# -- ls


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
            total = sum(_blocks(inode) for _, inode in entries)
            output += f"total {_human(total * 1024) if 'h' in given else total}\n"
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


def _blocks(inode: Inode) -> int:
    """In units of 1,024 bytes."""
    if inode.kind == "folder":
        return BLOCK // 1024
    return -(-inode.size // BLOCK) * BLOCK // 1024 if inode.kind == "file" else 0


def _human(size: float) -> str:
    """
    >>> _human(12), _human(4096), _human(1536 * 1024)
    ('12', '4.0K', '1.5M')
    """
    for unit in ("", "K", "M", "G", "T"):
        if size < 1024 or unit == "T":
            return f"{size:.0f}" if not unit else f"{size:.1f}{unit}"
        size /= 1024
    return ""


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
        sized = "   1,   3" if inode.kind == "device" else f"{_human(size) if 'h' in given else size:>9}"
        arrow = f" -> {inode.target}" if inode.kind == "link" else ""
        links = 2 + 0 if inode.kind == "folder" else inode.links
        lines.append(
            f"{permissions(inode)} {links:>4} {owners[0]:<8} {owners[1]:<8} {sized} {date} {name}{mark}{arrow}\n"
        )
    return "".join(lines)


# -- copying, moving, removing


def _into(process: Process, sources: list[str], target: str) -> bool:
    """Whether the sources go into the target, as they do if it is a folder or they are many."""
    try:
        return len(sources) > 1 or process.system.files.stat(process.path(target), process.user).kind == "folder"
    except OSError:
        return False


def cp(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "arRpfdPT", not_modelled="LHinlstu")
    if len(given.words) < 2:
        raise Usage
    *sources, target = given.words
    recursive = bool({"a", "r", "R"} & set(given.flags))
    keeps = "a" in given or "p" in given
    into = _into(process, sources, target) and "T" not in given
    status = 0
    for source in sources:
        goal = f"{target.rstrip('/')}/{_base(source)}" if into else target
        status |= yield from _copy(process, source, goal, recursive, keeps, recursive or "d" in given or "P" in given)
    return status


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _copy(process: Process, source: str, target: str, recursive: bool, keeps: bool, links: bool) -> Activity[int]:
    files, user, now = process.system.files, process.user, process.system.clock.now
    yield from process.system.step()
    try:
        inode = files.stat(process.path(source), user, follow=not links)
    except OSError as problem:
        yield from process.say(f"cp: can't stat '{source}': {problem.strerror}\n")
        return 1
    if inode.kind == "folder":
        if not recursive:
            yield from process.say(f"cp: omitting directory '{source}'\n")
            return 1
        try:
            names = files.names(process.path(source), user)
            if not files.exists(process.path(target), user):
                files.make(
                    process.path(target), folder(inode.mode if keeps else inode.mode & ~process.umask), user, now
                )
            elif files.stat(process.path(target), user).kind != "folder":
                yield from process.say(f"cp: target '{target}' is not a directory\n")
                return 1
        except OSError as problem:
            yield from process.say(f"cp: can't create directory '{target}': {problem.strerror}\n")
            return 1
        status = 0
        for name in names:
            inner = (f"{source.rstrip('/')}/{name}", f"{target.rstrip('/')}/{name}")
            status |= yield from _copy(process, *inner, recursive, keeps, links)
        return status
    try:
        if inode.kind == "link":
            made = files.make(process.path(target), link(inode.target), user, now)
        else:
            content = files.read(process.path(source), user)
            if files.exists(process.path(target), user) and (
                files.stat(process.path(target), user) is files.stat(process.path(source), user)
            ):
                yield from process.say(f"cp: '{source}' and '{target}' are the same file\n")
                return 1
            mode = inode.mode if keeps else inode.mode & 0o777 & ~process.umask
            made = files.open_for_writing(process.path(target), user, now, truncate=True, mode=mode)
            made.data += content
        if keeps:
            made.mtime = inode.mtime
            if user.uid == 0:
                made.uid, made.gid = inode.uid, inode.gid
    except OSError as problem:
        reads = problem.filename == process.path(source)
        verb = "can't open" if reads else "can't create"
        yield from process.say(f"cp: {verb} '{source if reads else target}': {problem.strerror}\n")
        return 1
    return 0


def mv(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "fT", not_modelled="int")
    if len(given.words) < 2:
        raise Usage
    files, user, now = process.system.files, process.user, process.system.clock.now
    *sources, target = given.words
    into, status = _into(process, sources, target), 0
    for source in sources:
        goal = f"{target.rstrip('/')}/{_base(source)}" if into else target
        try:
            files.rename(process.path(source), process.path(goal), user, now)
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                yield from process.say(f"mv: can't rename '{source}': {problem.strerror}\n")
                status = 1
                continue
            code = yield from _copy(process, source, goal, True, True, True)
            status |= code or (yield from _remove(process, source, recursive=True, force=True, program="mv"))
    return status


def rm(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "rRf", not_modelled="i")
    if not given.words and "f" not in given:
        raise Usage
    recursive, force, status = "r" in given or "R" in given, "f" in given, 0
    for path in given.words:
        if _base(path) in (".", "..", "") and path.strip("/") != "":
            yield from process.say("rm: can't remove '.' or '..'\n")
            status = 1
            continue
        status |= yield from _remove(process, path, recursive=recursive, force=force, program="rm")
    return status


def _remove(process: Process, path: str, *, recursive: bool, force: bool, program: str) -> Activity[int]:
    files, user, now = process.system.files, process.user, process.system.clock.now
    yield from process.system.step()
    try:
        inode = files.stat(process.path(path), user, follow=False)
    except OSError as problem:
        if force and problem.errno in (errno.ENOENT, errno.ENOTDIR):
            return 0
        yield from process.say(f"{program}: can't remove '{path}': {problem.strerror}\n")
        return 1
    status = 0
    try:
        if inode.kind != "folder":
            files.unlink(process.path(path), user, now)
            return 0
        if not recursive:
            yield from process.say(f"{program}: '{path}' is a directory\n")
            return 1
        for name in files.names(process.path(path), user):
            inner = f"{path.rstrip('/')}/{name}"
            status |= yield from _remove(process, inner, recursive=True, force=force, program=program)
        files.remove_folder(process.path(path), user, now)
    except OSError as problem:
        yield from process.say(f"{program}: can't remove '{path}': {problem.strerror}\n")
        return 1
    return status


def rmdir(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "p")
    if not given.words:
        raise Usage
    status = 0
    for path in given.words:
        while path:
            try:
                process.system.files.remove_folder(process.path(path), process.user, process.system.clock.now)
            except OSError as problem:
                yield from process.say(f"rmdir: '{path}': {problem.strerror}\n")
                status = 1
                break
            path = path.rstrip("/").rpartition("/")[0] if "p" in given else ""
    return status


def mkdir(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "pm:")
    if not given.words:
        raise Usage
    files, user, now, status = process.system.files, process.user, process.system.clock.now, 0
    mode = int(given.flags["m"], 8) if re.fullmatch("[0-7]+", given.flags.get("m", "")) else 0o777 & ~process.umask
    for path in given.words:
        try:
            if "p" not in given:
                files.make_folder(process.path(path), user, now, mode)
                continue
            absolute = process.path(path)
            parts = [part for part in absolute.split("/") if part]
            for n in range(1, len(parts) + 1):
                part = "/" + "/".join(parts[:n])
                if not files.exists(part, user):
                    files.make_folder(part, user, now, mode)
                elif files.stat(part, user).kind != "folder":
                    raise failure(errno.EEXIST if n == len(parts) else errno.ENOTDIR)
        except OSError as problem:
            yield from process.say(f"mkdir: can't create directory '{path}': {problem.strerror}\n")
            status = 1
    return status


def touch(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "cam", not_modelled="dtrh")
    if not given.words:
        raise Usage
    files, status = process.system.files, 0
    for path in given.words:
        try:
            if files.exists(process.path(path), process.user):
                files.own(process.path(path), process.user).mtime = process.system.clock.now
            elif "c" not in given:
                process.open(path, ">>")
        except OSError as problem:
            yield from complain(process, "touch", path, problem)
            status = 1
    return status


def ln(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "sfnT", not_modelled="bSv")
    if not given.words:
        raise Usage
    files, user, now, status = process.system.files, process.user, process.system.clock.now, 0
    *sources, target = given.words if len(given.words) > 1 else [given.words[0], _base(given.words[0])]
    into = len(given.words) > 1 and "T" not in given and _into(process, sources, target)
    if into and "n" in given:
        into = files.stat(process.path(target), user, follow=False).kind == "folder"
    for source in sources:
        path = f"{target.rstrip('/')}/{_base(source)}" if into else target
        try:
            if "f" in given:
                with contextlib.suppress(FileNotFoundError):
                    files.unlink(process.path(path), user, now)
            if "s" in given:
                files.make_link(source, process.path(path), user, now)
            else:
                files.hard_link(process.path(source), process.path(path), user, now)
        except OSError as problem:
            shown = source if isinstance(problem, FileNotFoundError) and "s" not in given else path
            yield from complain(process, "ln", shown, problem)
            status = 1
    return status


def readlink(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "fn", not_modelled="v")
    if len(given.words) != 1:
        raise Usage
    end = "" if "n" in given else "\n"
    try:
        if "f" in given:
            yield from process.write(process.system.files.resolve(process.path(given.words[0])).path + end)
            return 0
        inode = process.system.files.stat(process.path(given.words[0]), process.user, follow=False)
    except OSError:
        return 1
    if inode.kind != "link":
        return 1
    yield from process.write(inode.target + end)
    return 0


def mktemp(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "dq", not_modelled="tup")
    template = given.words[0] if given.words else "/tmp/tmp.XXXXXX"
    if not template.endswith("XXXXXX"):
        yield from process.say(f"mktemp: Invalid argument: {template}\n")
        return 1
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    path = template[:-6] + "".join(process.system.rng.choice(letters) for _ in range(6))
    made = folder(0o700) if "d" in given else file(mode=0o600)
    try:
        process.system.files.make(process.path(path), made, process.user, process.system.clock.now)
    except OSError as problem:
        yield from process.say(f"mktemp: {problem.strerror}: {template}\n")
        return 1
    yield from process.write(f"{path}\n")
    return 0


# -- attributes


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


# -- find


def find(process: Process, words: list[str]) -> Activity[int]:
    """Tests ``-name -iname -path -type -maxdepth -mindepth -size -empty -perm -user -newer``, actions ``-print -print0 -delete -exec``; ``!``, ``-a``, ``-o``, brackets."""
    paths = []
    rest = words[1:]
    while rest and not rest[0].startswith("-") and rest[0] not in ("(", "!"):
        paths.append(rest.pop(0))
    depths = {"-maxdepth": 1 << 30, "-mindepth": 0}
    for n in range(len(rest) - 2, -1, -1):
        if rest[n] in depths and rest[n + 1].isdigit():
            depths[rest[n]] = int(rest[n + 1])
            del rest[n : n + 2]
    expression = _Find(process, rest)
    deep_first = "-delete" in rest or "-depth" in rest
    status = 0
    for path in paths or ["."]:
        status |= yield from _found(process, path, 0, depths, expression, deep_first)
    return status


def _found(
    process: Process, path: str, depth: int, depths: dict[str, int], expression: _Find, deep_first: bool
) -> Activity[int]:
    yield from process.system.step()
    status = 0
    try:
        inode = process.system.files.stat(process.path(path), process.user, follow=False)
    except OSError as problem:
        yield from complain(process, "find", path, problem)
        return 1
    visible = depth >= depths["-mindepth"]
    if visible and not deep_first:
        yield from expression.visit(path, inode)
    if inode.kind == "folder" and depth < depths["-maxdepth"]:
        try:
            names = process.system.files.names(process.path(path), process.user)
        except OSError as problem:
            yield from complain(process, "find", path, problem)
            names, status = [], 1
        for name in names:
            inner = f"{path.rstrip('/') if path != '/' else ''}/{name}"
            status |= yield from _found(process, inner, depth + 1, depths, expression, deep_first)
    if visible and deep_first:
        yield from expression.visit(path, inode)
    return status


class _Find:
    """The expression, read anew for each path: alternatives of tests and actions."""

    def __init__(self, process: Process, words: list[str]) -> None:
        self.process = process
        acts = any(word in ("-print", "-print0", "-delete", "-exec") for word in words)
        self.words = words if acts else ["(", *words, ")", "-print"] if words else ["-print"]

    def visit(self, path: str, inode: Inode) -> Activity[None]:
        self.at, self.path, self.inode = 0, path, inode
        yield from self.either(True)
        if self.at < len(self.words):
            raise Complaint(f"find: unrecognized: {self.words[self.at]}")

    def take(self) -> str:
        if self.at >= len(self.words):
            raise Complaint("find: argument expected")
        self.at += 1
        return self.words[self.at - 1]

    @property
    def ahead(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def either(self, active: bool) -> Activity[bool]:
        value = yield from self.both(active)
        while self.ahead == "-o":
            self.at += 1
            other = yield from self.both(active and not value)
            value = value or other
        return value

    def both(self, active: bool) -> Activity[bool]:
        value = yield from self.one(active)
        while self.ahead and self.ahead not in ("-o", ")"):
            if self.ahead == "-a":
                self.at += 1
            other = yield from self.one(active and value)
            value = value and other
        return value

    def one(self, active: bool) -> Activity[bool]:
        word = self.take()
        if word == "!" or word == "-not":
            return not (yield from self.one(active))
        if word == "(":
            value = yield from self.either(active)
            if self.take() != ")":
                raise Complaint("find: ) expected")
            return value
        if word in ("-print", "-print0", "-delete", "-exec"):
            return (yield from self.act(word, active))
        if word == "-depth":
            return True
        return self.test(word)

    def test(self, word: str) -> bool:
        inode = self.inode
        name = self.path.rstrip("/").rpartition("/")[2] or "/"
        match word:
            case "-name":
                return fnmatch.fnmatchcase(name, self.take())
            case "-iname":
                return fnmatch.fnmatchcase(name.lower(), self.take().lower())
            case "-path":
                return fnmatch.fnmatchcase(self.path, self.take())
            case "-type":
                return {"f": "file", "d": "folder", "l": "link", "c": "device"}.get(self.take(), "") == inode.kind
            case "-empty":
                if inode.kind == "folder":
                    return not self.process.system.files.names(self.process.path(self.path))
                return inode.kind == "file" and not inode.size
            case "-user":
                return number_of(self.process, self.take(), "/etc/passwd") == inode.uid
            case "-perm":
                text = self.take()
                wanted = int(text.lstrip("-/"), 8) if re.fullmatch("[-/]?[0-7]+", text) else 0
                return inode.mode & wanted == wanted if text.startswith("-") else inode.mode == wanted
            case "-size":
                match = re.fullmatch(r"([-+]?)(\d+)([ckb]?)", self.take())
                if match is None:
                    raise Complaint("find: invalid number")
                unit = {"c": 1, "k": 1024, "b": 512, "": 512}[match[3]]
                size, wanted = -(-inode.size // unit), int(match[2])
                return size > wanted if match[1] == "+" else size < wanted if match[1] == "-" else size == wanted
            case "-newer":
                return inode.mtime > self.process.system.files.stat(self.process.path(self.take())).mtime
        if word in ("-mtime", "-mmin", "-exec", "-ok", "-prune", "-regex", "-xdev", "-inum", "-links", "-group"):
            raise NotModelled(f"find {word}")
        raise Complaint(f"find: unrecognized: {word}")

    def act(self, word: str, active: bool) -> Activity[bool]:
        process = self.process
        if word == "-exec":
            command = []
            while (part := self.take()) not in (";", "+"):
                command.append(part)
            if not active:
                return False
            command = [part.replace("{}", self.path) for part in command]
            found = find_program(process, command[0])
            if found.status:
                yield from process.say(f"find: {command[0]}: No such file or directory\n")
                return False
            program, command = load(process, found, command)
            child = process.fork(lambda child: program(child, command), command[0])
            return (yield from child.ended) == 0
        if not active:
            return False
        if word == "-delete":
            return not (yield from _remove(process, self.path, recursive=True, force=False, program="find"))
        yield from process.write(self.path + ("\0" if word == "-print0" else "\n"))
        return True


# -- disks


def du(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "shacmkd:", not_modelled="lHLxb")
    files, status, total = process.system.files, 0, 0
    deepest = int(given.flags["d"]) if given.flags.get("d", "").isdigit() else 0 if "s" in given else 1 << 30

    def sized(path: str, depth: int) -> Activity[int]:
        yield from process.system.step()
        inode = files.stat(process.path(path), process.user, follow=False)
        size = _blocks(inode)
        if inode.kind == "folder":
            for name in files.names(process.path(path), process.user):
                size += yield from sized(f"{path.rstrip('/') if path != '/' else ''}/{name}", depth + 1)
        if depth <= deepest and (inode.kind == "folder" or "a" in given or depth == 0):
            yield from process.write(f"{shown(size)}\t{path}\n")
        return size

    def shown(size: int) -> str:
        return _human(size * 1024) if "h" in given else str(-(-size // 1024)) if "m" in given else str(size)

    for path in given.words or ["."]:
        try:
            total += yield from sized(path, 0)
        except OSError as problem:
            yield from complain(process, "du", path, problem)
            status = 1
    if "c" in given:
        yield from process.write(f"{shown(total)}\ttotal\n")
    return status


def mount(process: Process, words: list[str]) -> Activity[int]:
    if len(words) > 1:
        yield from process.say("mount: permission denied (are you root?)\n")
        return 1
    for each in process.system.files.mounts:
        kind = "overlay" if each.path == "/" else "ext4"
        source = "overlay" if each.path == "/" else "/dev/sda1"
        yield from process.write(f"{source} on {each.path} type {kind} ({'ro' if each.read_only else 'rw'},relatime)\n")
    return 0


def df(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "hkm", not_modelled="PTiBa")
    human = "h" in given
    title = "Size      Used Available" if human else "1K-blocks      Used Available"
    yield from process.write(f"Filesystem           {title} Use% Mounted on\n")
    for each in process.system.files.mounts:
        used = each.tree.upper.size
        numbers = [DISK, used, DISK - used]
        shown = [_human(number) if human else str(number // 1024) for number in numbers]
        source = "overlay" if each.path == "/" else "/dev/sda1"
        widths = (9, 9, 9)
        columns = " ".join(f"{text:>{width}}" for text, width in zip(shown, widths, strict=True))
        yield from process.write(f"{source:<20} {columns} {100 * used // DISK:3d}% {each.path}\n")
    return 0
