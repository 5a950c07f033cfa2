"""Processes of one container on the simulation's clock: born by fork, ended by themselves or by a signal.

A process is an activity in a scope of its own. All processes of a container share a :class:`System`: files, host name, process ids. The first
one has number 1: it gets only signals it has asked for (but SIGKILL from outside), and when it ends all others are killed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from random import Random
from typing import Final, TypeAlias

from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.scope import Scope
from swarmsim.unix.files import NotModelled, failure, file
from swarmsim.unix.mounts import ROOT, FileSystem, User
from swarmsim.unix.streams import Device, OpenFile, Pipe, ReadEnd, Stream, WriteEnd

SIGNALS: Final = (
    *(
        "",
        "HUP",
        "INT",
        "QUIT",
        "ILL",
        "TRAP",
        "ABRT",
        "BUS",
        "FPE",
        "KILL",
        "USR1",
        "SEGV",
        "USR2",
        "PIPE",
        "ALRM",
        "TERM",
    ),
    *(
        "STKFLT",
        "CHLD",
        "CONT",
        "STOP",
        "TSTP",
        "TTIN",
        "TTOU",
        "URG",
        "XCPU",
        "XFSZ",
        "VTALRM",
        "PROF",
        "WINCH",
        "POLL",
        "PWR",
        "SYS",
    ),
)
"""By number, as Linux has them on x86."""
HARMLESS = frozenset(("CHLD", "CONT", "URG", "WINCH"))
"""Signals that do nothing unless asked for."""
KILLED = 128
"""A process ended by signal n has status 128 + n for whoever started it."""
STEPS_AT_ONCE = 20_000
"""Commands that the processes of a container may run without any time passing. After them a second passes: a script that goes round
without pause is a busy process, and costs us a bounded number of steps for each simulated second."""
MOST_PROCESSES = 512
MEMORY = 32 << 20
"""Bytes that a program may hold of what it reads; the model's own bound, for what the kernel's killer does when memory is full."""
REFUSED = 126
"""The status of what is not modelled: that of a program that cannot be run."""

Handler: TypeAlias = Callable[[str], object]


class Exit(Exception):
    """A program ends here, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Program: TypeAlias = "Callable[[Process, list[str]], Activity[int]]"
"""What a process does, given its words, the first of which is its name; the result is its status (0 to 255)."""


def signal_number(text: str) -> int | None:
    """
    >>> signal_number("SIGTERM"), signal_number("9"), signal_number("nosuch")
    (15, 9, None)
    """
    if text.isdigit():
        return int(text) if int(text) < len(SIGNALS) else None
    name = text.upper().removeprefix("SIG")
    return SIGNALS.index(name) if name and name in SIGNALS else None


class System:
    """What the processes of one container share. ``programs`` are those whose files an image may have, by name; ``wall`` tells the seconds on the host's clock.
    ``standalone``: a shell finds all programs in itself, as busybox is built in Debian."""

    def __init__(
        self,
        scope: Scope,
        files: FileSystem,
        programs: Mapping[str, Program],
        rng: Random,
        *,
        hostname: str = "localhost",
        wall: Callable[[], float] | None = None,
        standalone: bool = False,
    ) -> None:
        self.scope = scope
        self.files = files
        self.programs = programs
        self.rng = rng
        self.hostname = hostname
        self.wall = wall or (lambda: self.clock.now)
        self.standalone = standalone
        self.processes: dict[int, Process] = {}
        self.was_busy = False
        """Whether a process has been slowed down for going round without pause."""
        self.refused: list[str] = []
        """What processes wanted that is not modelled."""
        self._last_pid = 0
        self._steps, self._steps_at = 0, 0.0

    @property
    def clock(self) -> Clock:
        return self.scope.clock

    def next_pid(self) -> int:
        self._last_pid += 1
        return self._last_pid

    def step(self) -> Activity[None]:
        """A command is run; see :data:`STEPS_AT_ONCE`."""
        now = self.clock.now
        if now > self._steps_at:
            self._steps, self._steps_at = 0, now
        self._steps += 1
        if self._steps > STEPS_AT_ONCE:
            self.was_busy = True
            yield 1.0

    def pipe(self) -> tuple[ReadEnd, WriteEnd]:
        pipe = Pipe(self.clock)
        return ReadEnd(pipe), WriteEnd(pipe)

    def document(self, text: str) -> Stream:
        """A here-document, to be read."""
        inode = file(text.encode(errors="surrogateescape"))
        return OpenFile(inode, self.clock, reads=True, writes=False)

    def start(
        self,
        body: Callable[[Process], Activity[int]],
        streams: Mapping[int, Stream],
        *,
        name: str,
        env: Mapping[str, str],
        cwd: str = "/",
        user: User = ROOT,
    ) -> Process:
        """A process from outside: a container's first, or that of an exec."""
        process = Process(self, None, name)
        process.env = dict(env)
        process.cwd = cwd
        process.user = user
        for number, stream in streams.items():
            process.set_stream(number, stream)
        process.run(body)
        return process


class Process:
    """``parent`` is ``None`` where it came from outside. ``handlers`` are what it does at a signal, where it has asked for it; ``None`` ignores it."""

    def __init__(self, system: System, parent: Process | None, name: str) -> None:
        self.system = system
        self.parent = parent
        self.name = name
        self.pid = system.next_pid()
        self.env: dict[str, str] = {}
        self.cwd = "/"
        self.user = ROOT
        self.umask = 0o022
        self.started_at = system.clock.now
        self.streams: dict[int, Stream] = {}
        self.handlers: dict[str, Handler | None] = {}
        self.status: int | None = None
        self.signalled = ""
        """The signal that ended it, if one did."""
        self.ended: Future[int] = system.clock.future()
        self.scope = system.scope.child(name)
        system.processes[self.pid] = self

    # -- life

    def fork(self, body: Callable[[Process], Activity[int]], name: str = "") -> Process:
        """A child that does ``body``, with what this process has open. Raises :class:`OSError`."""
        if len(self.system.processes) >= MOST_PROCESSES:
            raise failure(errno.EAGAIN)
        child = Process(self.system, self, name or self.name)
        child.env, child.cwd, child.user, child.umask = dict(self.env), self.cwd, self.user, self.umask
        child.handlers = {signal: None for signal, handler in self.handlers.items() if handler is None}
        for number, stream in self.streams.items():
            child.set_stream(number, stream)
        child.run(body)
        return child

    def run(self, body: Callable[[Process], Activity[int]]) -> None:
        def work() -> Activity[None]:
            try:
                status = yield from body(self)
            except Exit as end:
                status = end.status
            except NotModelled as problem:
                yield from self.say(f"swarmsim: {problem.what} is real, but not modelled yet\n")
                self.system.refused.append(problem.what)
                self._give_up()
                return
            self._end(status & 255)

        self.scope.spawn(work())

    def _give_up(self) -> None:
        """Something in it is not modelled: all that was started with it ends, rather than that it does something else."""
        root = self
        while root.parent is not None:
            root = root.parent
        for other in [each for each in self.system.processes.values() if each.comes_from(root)]:
            other._end(REFUSED)

    def comes_from(self, ancestor: Process) -> bool:
        return self is ancestor or (self.parent is not None and self.parent.comes_from(ancestor))

    def _end(self, status: int) -> None:
        if self.status is not None:
            return
        self.status = status
        self.system.processes.pop(self.pid, None)
        for number in list(self.streams):
            self.close(number)
        self.scope.end()
        self.ended.succeed(status)
        if self.pid == 1:
            for other in list(self.system.processes.values()):
                other.kill("KILL")
            self.system.scope.end()

    def kill(self, signal: str) -> None:
        """A signal from another process, or from outside."""
        if self.status is not None:
            return
        if signal == "KILL":
            self._die(signal)
        elif signal in self.handlers:
            handler = self.handlers[signal]
            if handler is not None:
                handler(signal)
        elif signal not in HARMLESS and self.pid != 1:
            self._die(signal)

    def _die(self, signal: str) -> None:
        self.signalled = signal
        self._end(KILLED + SIGNALS.index(signal))

    # -- descriptors

    def set_stream(self, number: int, stream: Stream) -> None:
        stream.opened()
        self.close(number)
        self.streams[number] = stream

    def close(self, number: int) -> None:
        stream = self.streams.pop(number, None)
        if stream is not None:
            stream.closed()

    def path(self, path: str) -> str:
        """Absolute, from where the process is."""
        return path if path.startswith("/") else f"{self.cwd.rstrip('/')}/{path}"

    def open(self, path: str, how: str = "<") -> Stream:
        """``how`` is a redirection's operator: ``<``, ``>``, ``>>`` or ``<>``. Raises :class:`OSError`."""
        files, now = self.system.files, self.system.clock.now
        if not path:
            raise failure(errno.ENOENT)
        if how == "<":
            inode = files.stat(self.path(path), self.user)
            if not self.user.may(inode, 4):
                raise failure(errno.EACCES, path)
        else:
            inode = files.open_for_writing(
                self.path(path), self.user, now, truncate=how == ">", mode=0o666 & ~self.umask
            )
        if inode.kind == "device":
            return Device(inode.device, self.system.rng)
        return OpenFile(inode, self.system.clock, reads=how in ("<", "<>"), writes=how != "<", append=how == ">>")

    def read(self, size: int = 65536, fd: int = 0) -> Activity[bytes]:
        """Some bytes, none at the end. Raises :class:`OSError`."""
        if fd not in self.streams:
            raise failure(errno.EBADF)
        return (yield from self.streams[fd].read(size))

    def read_all(self, stream: Stream | None = None) -> Activity[bytes]:
        """To the end of a stream, or of standard input. Who needs too much memory for it is killed. Raises :class:`OSError`."""
        stream = stream or self.streams.get(0)
        if stream is None:
            raise failure(errno.EBADF)
        data = bytearray()
        while piece := (yield from stream.read(65536)):
            data += piece
            if len(data) > MEMORY:
                self.kill("KILL")
                yield self.system.clock.future()
            yield from self.system.step()
        return bytes(data)

    def write(self, data: bytes | str, fd: int = 1) -> Activity[None]:
        """All of it; if nobody reads any more it is the end of the process."""
        if fd not in self.streams:
            raise failure(errno.EBADF)
        try:
            yield from self.streams[fd].write(data.encode(errors="surrogateescape") if isinstance(data, str) else data)
        except BrokenPipeError:
            self.kill("PIPE")
            if self.status is not None:
                yield self.system.clock.future()
            raise

    def put(self, fd: int, text: str) -> None:
        """Write at once what is small, whether or not there is room: for programs that do not wait."""
        if fd in self.streams:
            self.streams[fd].put(text.encode(errors="surrogateescape"))

    def say(self, text: str) -> Activity[None]:
        """To standard error, if it is open."""
        if 2 in self.streams:
            yield from self.write(text, 2)
