"""``cp mv rm rmdir mkdir touch ln readlink mktemp``."""

from __future__ import annotations

import contextlib
import errno
import re

from swarmsim.sim.future import Activity
from swarmsim.unix.files import failure, file, folder, link
from swarmsim.unix.process import Process
from swarmsim.unix.programs.options import Usage, options
from swarmsim.unix.programs.texts import complain


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
            status |= code or (yield from remove(process, source, recursive=True, force=True, program="mv"))
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
        status |= yield from remove(process, path, recursive=recursive, force=force, program="rm")
    return status


def remove(process: Process, path: str, *, recursive: bool, force: bool, program: str) -> Activity[int]:
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
            status |= yield from remove(process, inner, recursive=True, force=force, program=program)
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
