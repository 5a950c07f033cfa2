"""Programs that ask others, or tell of their own container: what ``docker exec`` finds there, and ``curl`` on a host.

A tool is a row of :data:`TOOLS`. Which image has it is said by the image's userland (:class:`swarmsim.image.Userland`) and what it has
besides; what every image has (``sleep``, ``echo``, …) is :mod:`swarmsim.engine.behaviour`'s.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from swarmsim.engine.behaviour import Behaviour, NotUnderstood
from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.engine.exec import CannotStart, Command, no_such_program, not_modelled
from swarmsim.engine.images import PROGRAMS as OWN_PROGRAMS
from swarmsim.engine.images import SHELLS, NoExecutable, plan_run, userland_of
from swarmsim.engine.stream import STDOUT, Program, Say
from swarmsim.image import Image, Userland
from swarmsim.sim.future import Activity
from swarmsim.unix.files import Tree
from swarmsim.unix.mounts import FileSystem
from swarmsim.unix.process import Process, System
from swarmsim.world.clients import Clients
from swarmsim.world.standpoint import InContainer
from swarmsim.world.tools import inside, local
from swarmsim.world.tools.console import Console, Refusal
from swarmsim.world.tools.curl import curl
from swarmsim.world.tools.getent import getent_glibc, getent_musl
from swarmsim.world.tools.nslookup import nslookup
from swarmsim.world.tools.ping import ping
from swarmsim.world.tools.wget import wget

Run = Callable[[Console, list[str]], Activity[int]]
"""Does what the words after the program's name say, and returns its exit code. Raises :class:`Refusal`."""

BUSYBOX, ALPINE, GNU = Userland.BUSYBOX, Userland.ALPINE, Userland.GNU


class Tool(NamedTuple):
    """``name`` is that program in every image of these ``userlands``. ``asks``: others, and not only its own container."""

    name: str
    run: Run
    userlands: frozenset[Userland] = frozenset()
    asks: bool = True


def _in(*userlands: Userland) -> frozenset[Userland]:
    return frozenset(userlands)


TOOLS: tuple[Tool, ...] = (
    Tool("curl", curl),
    Tool("wget", wget, _in(BUSYBOX, ALPINE)),
    Tool("nslookup", nslookup, _in(BUSYBOX, ALPINE)),
    Tool("ping", ping, _in(BUSYBOX, ALPINE)),
    Tool("getent", getent_musl, _in(ALPINE)),
    Tool("getent", getent_glibc, _in(GNU)),
    Tool("ip", local.ip, _in(BUSYBOX, ALPINE), asks=False),
    Tool("hostname", local.hostname, _in(BUSYBOX, ALPINE, GNU), asks=False),
    *(
        Tool(name, run, _in(GNU), asks=False)
        for name, run in (
            ("cat", local.cat),
            ("date", local.date),
            ("env", local.env),
            ("id", local.id_),
            ("whoami", local.whoami),
        )
    ),
)
NAMES = frozenset(tool.name for tool in TOOLS)
SHOWS = frozenset(("ls", "printf", "pwd", "uname"))
"""Programs that matter here for nothing but what they print."""
NO_GOSSIP = "no node knows of tasks elsewhere here: write gossip: true under cluster:"
"""What tools say where engines do not gossip."""
SHELL_SIGNS = frozenset("|&;<>()$`\\\n{}*?'\"")
"""With one of them a script is more than a command and its words."""
ENDLESS = 86400.0
"""Seconds; for what goes on until it is stopped."""
BANNERS = {
    BUSYBOX: "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.",
    ALPINE: "BusyBox v1.36.1 (2024-06-10 07:11:47 UTC) multi-call binary.",
}
"""How busybox presents itself: as it was recorded, and as alpine 3.20 has it."""


def find_tool(name: str, image: Image, tag: str) -> Tool | None:
    """What the image has under this name."""
    return next((tool for tool in TOOLS if tool.name == name and _has(tool, image, tag)), None)


def _has(tool: Tool, image: Image, tag: str) -> bool:
    """Whether an image has it; one nobody can look into has whatever there is."""
    return image.opaque or userland_of(image, tag) in tool.userlands or tool.name in image.tools


class ContainerPrograms:
    """A world's :class:`swarmsim.engine.exec.Programs`."""

    def __init__(self, clients: Callable[[], Clients]) -> None:
        self._clients = clients

    def find(self, container: Container, command: Command) -> Program:
        """Raises :class:`~swarmsim.engine.exec.CannotStart`."""
        words, env, clients = command.words, command.env, self._clients()
        program = words[0]
        engine = clients.engines[container.host.name]
        found = engine.catalogue.find(container.image, of_stack=True)
        if found is None:
            raise no_such_program(program)
        image, name = found
        tag = name.rpartition(":")[2]
        if command.interactive and words in ([shell] for shell in SHELLS):
            raise not_modelled(f"{program} that waits for somebody to type")
        if userland_of(image, tag) in inside.KNOWN and not image.opaque:
            known = self._inside(container, engine, image, tag, command)
            if known is not None:
                return known
        if command.cwd:
            raise not_modelled("a folder to run in, of an image whose files are not known,")
        tool, rest = self._tool(words, image, tag)
        if tool is not None:
            if tool.asks and not clients.ctx.gossip:
                raise CannotStart(f"swarmsim: {NO_GOSSIP}", ours=True)
            banner = BANNERS.get(userland_of(image, tag), "")
            return partial(_run_tool, tool, InContainer(clients, engine, container), rest, env, banner)
        if words in ([shell] for shell in SHELLS):
            raise not_modelled(f"{program} that waits for somebody to type")
        if program in SHOWS:
            raise not_modelled(f"what {program} prints")
        if program.rpartition("/")[2] in NAMES or userland_of(image, tag) is Userland.NONE:
            raise no_such_program(program)
        try:
            return partial(_play, plan_run(image, words, False, engine.draw))
        except NoExecutable:
            raise no_such_program(program) from None
        except NotUnderstood as problem:
            what = f"a script with {problem}" if program in SHELLS else str(problem)
            raise not_modelled(what) from None

    def _inside(self, container: Container, engine: Engine, image: Image, tag: str, call: Command) -> Program | None:
        """In an image whose files are known; ``None`` for its own server, of which only the outside is."""
        place = InContainer(self._clients(), engine, container)
        asking = {tool.name: partial(self._ask, tool, place, image, tag) for tool in TOOLS if _has(tool, image, tag)}
        is_first = container.state != "running"
        files = container.files or FileSystem(Tree((inside.layer_of(image, tag),)))
        try:
            inside.check(container, call, files)
        except CannotStart:
            if (image.name, call.words[0]) in OWN_PROGRAMS or (
                userland_of(image, tag) is ALPINE and "/" not in call.words[0]
            ):
                return None
            raise

        def system() -> System:
            here = inside.prepare(container, place, image, tag, asking)
            if not is_first and not here.processes:
                inside.stand_for_first(container, here)
            return here

        return partial(inside.run, system, container, call)

    def _ask(
        self, tool: Tool, place: InContainer, image: Image, tag: str, process: Process, words: list[str]
    ) -> Activity[int]:
        """A program that asks others, as one among those of the container."""
        if tool.asks and not self._clients().ctx.gossip:
            yield from process.say(f"swarmsim: {NO_GOSSIP}\n")
            return 126
        env = [f"{name}={value}" for name, value in process.env.items()]
        console = Console(place, process.put, env, BANNERS.get(userland_of(image, tag), ""))
        return (yield from run(tool.run, console, words[1:]))

    @staticmethod
    def _tool(words: list[str], image: Image, tag: str) -> tuple[Tool | None, list[str]]:
        """The tool that is called, by itself or as all that a shell is to do; and the words after it."""
        if words[0] in SHELLS and words[1:2] == ["-c"] and len(words) == 3 and not SHELL_SIGNS & set(words[2]):
            words = shlex.split(words[2]) or words
        return find_tool(words[0].removeprefix("/bin/").removeprefix("/usr/bin/"), image, tag), words[1:]


def _run_tool(tool: Tool, place: InContainer, words: list[str], env: list[str], banner: str, say: Say) -> Activity[int]:
    return run(tool.run, Console(place, say, env, banner), words)


def run(program: Run, console: Console, words: list[str]) -> Activity[int]:
    """Run a program to its end; what it refuses it says, and what is its code then."""
    try:
        return (yield from program(console, words))
    except Refusal as refusal:
        console.err(str(refusal))
        return refusal.code


def _play(behaviour: Behaviour, say: Say) -> Activity[int]:
    """A program of which only times, output and exit code are known."""
    now, rounds = 0.0, 0
    lines, repeated = behaviour.lines, behaviour.lines[len(behaviour.lines) - behaviour.again :]
    while True:
        for at, text in lines:
            at += rounds * behaviour.every
            yield at - now
            now = at
            say(STDOUT, f"{text}\n")
        if behaviour.seconds < math.inf:
            yield behaviour.seconds - now
            return behaviour.code
        if not repeated:
            yield ENDLESS
        lines, rounds = repeated, rounds + 1
