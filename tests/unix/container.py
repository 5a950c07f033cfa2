"""A system to run scripts in: busybox's programs, a few files, and what they print in the order in which they print it."""

from __future__ import annotations

import random
from typing import NamedTuple

from swarmsim.sim.clock import Clock
from swarmsim.sim.scope import Scope
from swarmsim.unix.bin import PROGRAMS
from swarmsim.unix.executables import executable
from swarmsim.unix.files import Inode, Layer, Tree, file, folder
from swarmsim.unix.mounts import FileSystem
from swarmsim.unix.process import Process, System
from swarmsim.unix.streams import Device, Sink

BASE = Layer(
    {
        **{f"/{name}": folder() for name in ("bin", "dev", "etc", "home", "var")},
        "/root": folder(0o700),
        "/tmp": folder(0o1777),
        **{f"/dev/{name}": Inode("device", 0o666, device=name) for name in ("null", "zero", "full", "urandom")},
        "/etc/passwd": file("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        "/etc/group": file("root:x:0:\nnogroup:x:65534:\n"),
        **{f"/bin/{name}": executable(name) for name in PROGRAMS},
    }
)


class Ran(NamedTuple):
    """``status`` is ``None`` if it still runs."""

    output: str
    status: int | None
    files: dict[str, bytes]
    seconds: float


class Container:
    def __init__(self) -> None:
        self.clock = Clock()
        self.tree = Tree((BASE,))
        self.files = FileSystem(self.tree)
        self.system = System(Scope(self.clock, "container"), self.files, PROGRAMS, random.Random(1))
        self.output = bytearray()
        self.ended_at = 0.0

    def start(self, *words: str) -> Process:
        """The first process, or another one beside it."""
        printed = Sink(self.output.extend)
        streams = {0: Device("null", self.system.rng), 1: printed, 2: printed}
        process = self.system.start(
            lambda process: PROGRAMS[words[0]](process, list(words)),
            streams,
            name=" ".join(words),
            env={"PATH": "/bin", "HOME": "/root"},
            cwd="/tmp",
        )
        process.scope.on_end(self._note_end)
        return process

    def _note_end(self) -> None:
        self.ended_at = self.clock.now

    def run(self, *words: str, until: float = 60.0) -> Ran:
        process = self.start(*words)
        self.clock.run(until=until)
        made = {
            path.removeprefix("/tmp/"): inode.content
            for path, inode in sorted(self.tree.upper.entries.items())
            if inode is not None and inode.kind == "file" and path.startswith("/tmp/")
        }
        return Ran(self.output.decode(errors="replace"), process.status, made, self.ended_at)


def run(script: str, until: float = 60.0) -> Ran:
    return Container().run("sh", "-c", script, until=until)
