"""``du df mount``."""

from __future__ import annotations

from swarmsim.sim.future import Activity
from swarmsim.unix.process import Process
from swarmsim.unix.programs.attributes import blocks, human
from swarmsim.unix.programs.options import options
from swarmsim.unix.programs.texts import complain

DISK = 10 << 30
"""Bytes of a disk, as ``df`` shows it; the model's own figure."""


def du(process: Process, words: list[str]) -> Activity[int]:
    given = options(words, "shacmkd:", not_modelled="lHLxb")
    files, status, total = process.system.files, 0, 0
    deepest = int(given.flags["d"]) if given.flags.get("d", "").isdigit() else 0 if "s" in given else 1 << 30

    def sized(path: str, depth: int) -> Activity[int]:
        yield from process.system.step()
        inode = files.stat(process.path(path), process.user, follow=False)
        size = blocks(inode)
        if inode.kind == "folder":
            for name in files.names(process.path(path), process.user):
                size += yield from sized(f"{path.rstrip('/') if path != '/' else ''}/{name}", depth + 1)
        if depth <= deepest and (inode.kind == "folder" or "a" in given or depth == 0):
            yield from process.write(f"{shown(size)}\t{path}\n")
        return size

    def shown(size: int) -> str:
        return human(size * 1024) if "h" in given else str(-(-size // 1024)) if "m" in given else str(size)

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
    in_units = "h" in given
    title = "Size      Used Available" if in_units else "1K-blocks      Used Available"
    yield from process.write(f"Filesystem           {title} Use% Mounted on\n")
    for each in process.system.files.mounts:
        used = each.tree.upper.size
        numbers = [DISK, used, DISK - used]
        shown = [human(number) if in_units else str(number // 1024) for number in numbers]
        source = "overlay" if each.path == "/" else "/dev/sda1"
        widths = (9, 9, 9)
        columns = " ".join(f"{text:>{width}}" for text, width in zip(shown, widths, strict=True))
        yield from process.write(f"{source:<20} {columns} {100 * used // DISK:3d}% {each.path}\n")
    return 0
