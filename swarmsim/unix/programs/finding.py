"""``find``."""

from __future__ import annotations

import fnmatch
import re

from swarmsim.sim.future import Activity
from swarmsim.unix.executables import find as find_program
from swarmsim.unix.executables import load
from swarmsim.unix.files import Inode, NotModelled
from swarmsim.unix.process import Process
from swarmsim.unix.programs.attributes import number_of
from swarmsim.unix.programs.copying import remove
from swarmsim.unix.programs.options import Complaint
from swarmsim.unix.programs.texts import complain


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
            return not (yield from remove(process, self.path, recursive=True, force=False, program="find"))
        yield from process.write(self.path + ("\0" if word == "-print0" else "\n"))
        return True
