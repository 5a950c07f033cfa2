"""What runs inside containers of images whose programs are known: busybox's and alpine's.

A container's files and processes are made when something is first run in it that is not its image's own server, so one that only
serves or sleeps costs nothing here. Its files stay when it ends; its processes do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from swarmsim.engine import texts
from swarmsim.engine.containers import Container
from swarmsim.engine.exec import CannotStart, Command, no_such_program, not_modelled
from swarmsim.engine.images import userland_of
from swarmsim.engine.stream import STDERR, STDOUT, Say
from swarmsim.image import Image, Userland
from swarmsim.sim.future import Activity
from swarmsim.unix import process as unix
from swarmsim.unix.bin import PROGRAMS
from swarmsim.unix.executables import CANNOT_RUN, NOT_FOUND, PATH, find, load
from swarmsim.unix.files import Inode, Layer, NotModelled, Tree
from swarmsim.unix.mounts import FileSystem, Mount, User
from swarmsim.unix.process import Process, System
from swarmsim.unix.programs.attributes import number_of
from swarmsim.unix.streams import Device, Sink, Stream
from swarmsim.unix.userlands import alpine, busybox
from swarmsim.world.standpoint import InContainer
from swarmsim.world.tools import local

KNOWN = frozenset((Userland.BUSYBOX, Userland.ALPINE))
"""Userlands of which is known what is in them."""


def layer_of(image: Image, tag: str) -> Layer:
    return busybox() if userland_of(image, tag) is Userland.BUSYBOX else alpine(image.tools)


def prepare(
    container: Container, place: InContainer, image: Image, tag: str, asking: Mapping[str, unix.Program]
) -> System:
    """The system of a container that runs; ``asking`` are programs that know the network."""
    if container.files is None:
        container.files = FileSystem(Tree((layer_of(image, tag),)))
        for path, made in local.files_of(place).items():
            container.files.mount(Mount(path, Tree(root=Inode("file", 0o644, made=made))))
    if container.system is not None and container.system.scope.alive:
        return container.system
    assert container.process is not None
    system = System(
        container.process.child("processes"),
        container.files,
        {**PROGRAMS, **asking},
        container.host.rng("programs"),
        hostname=container.hostname,
        wall=lambda: container.host.wall.now,
        standalone=userland_of(image, tag) is Userland.BUSYBOX,
    )
    container.system = system
    return system


def stand_for_first(container: Container, system: System) -> None:
    """Process 1 of a container whose own program is known only from outside."""
    first = Process(system, None, " ".join(container.command))
    first.handlers = {signal: container.signal for signal in unix.SIGNALS if signal not in ("", "KILL", "STOP")}


def environment(container: Container, more: list[str], home: str) -> dict[str, str]:
    """As runc makes it: ``HOME`` comes last, unless somebody said it."""
    values = {"PATH": PATH, "HOSTNAME": container.hostname}
    for entry in (*container.env, *more):
        name, _, values[name] = entry.partition("=")
    values.setdefault("HOME", home)
    return values


def _user(process: Process, text: str) -> tuple[User, str]:
    """And its home: from ``/etc/passwd``, if there is one."""
    name, _, group = text.partition(":")
    table = process.system.files
    uid = number_of(process, name or "0", "/etc/passwd") or 0
    lines = table.read("/etc/passwd").decode().splitlines() if table.exists("/etc/passwd") else []
    entry = next((line.split(":") for line in lines if line.split(":")[2] == str(uid)), None)
    gid = number_of(process, group, "/etc/group") if group else int(entry[3]) if entry else 0
    return User(uid, gid or 0), entry[5] if entry else "/"


def run(system: Callable[[], System], container: Container, call: Command, say: Say) -> Activity[int]:
    """Run a program in a container's system to its end."""
    here = system()
    streams: dict[int, Stream] = {0: Device("null", here.rng)}
    for number in (STDOUT, STDERR):
        streams[number] = Sink(partial(_say, say, number))
    process = here.start(partial(_body, container, call), streams, name=" ".join(call.words), env={})
    return (yield from process.ended)


def _say(say: Say, number: int, data: bytes) -> None:
    say(number, data.decode(errors="replace"))


def _body(container: Container, call: Command, process: Process) -> Activity[int]:
    set_up(container, call, process)
    found = find(process, call.words[0])
    program, words = load(process, found, call.words)
    return (yield from program(process, words))


def set_up(container: Container, call: Command, process: Process) -> None:
    process.user, home = _user(process, call.user)
    process.env = environment(container, call.env, home)
    process.cwd = call.cwd or "/"


def check(container: Container, call: Command, files: FileSystem) -> None:
    """Whether a program would start. Raises :class:`~swarmsim.engine.exec.CannotStart` with runc's words."""
    program = call.words[0]
    if call.cwd and not files.exists(call.cwd):
        raise CannotStart(texts.EXEC_NO_SUCH_FOLDER.fill(folder=call.cwd))
    path = environment(container, call.env, "/")["PATH"]
    candidates = [program] if "/" in program else [f"{each}/{program}" for each in path.split(":")]
    status = NOT_FOUND
    for candidate in candidates:
        candidate = candidate if candidate.startswith("/") else f"{call.cwd.rstrip('/')}/{candidate}"
        try:
            inode = files.stat(candidate)
        except OSError:
            continue
        except NotModelled:
            if "/" in program:
                raise not_modelled(program) from None
            continue
        if inode.kind == "file" and inode.mode & 0o111:
            return
        status = CANNOT_RUN
    if status == CANNOT_RUN:
        raise CannotStart(texts.EXEC_DENIED.fill(program=program))
    raise no_such_program(program)
