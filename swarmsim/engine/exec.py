"""``docker exec``: another program in a container that runs (moby daemon/exec.go, api/server/router/container/exec.go).

An exec is made, then started, and what it prints comes as frames until it ends; then it can be asked for its exit code. If the
program cannot be started, why not is printed in its place, and the code is 126, whatever the reason. It dies with its container, and of
a killed daemon its output is at an end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from swarmsim.engine import texts
from swarmsim.engine.containers import KILLED, Container
from swarmsim.engine.stream import STDERR, STDOUT, Pipe, Program, log_frame
from swarmsim.sim.future import Activity
from swarmsim.sim.scope import Scope

CANNOT_START = 126


class Command(NamedTuple):
    """What is to be run: ``words`` by ``user`` (name or number, and a group behind a colon) in the folder ``cwd``. ``interactive``: somebody types."""

    words: list[str]
    env: list[str]
    user: str = ""
    cwd: str = ""
    interactive: bool = False


class Programs(Protocol):
    """What there is to run in containers."""

    def find(self, container: Container, command: Command) -> Program:
        """Raises :class:`CannotStart`."""


class CannotStart(Exception):
    """Why a program does not start, in the engine's words. ``ours``: there is such a program, but it is not modelled."""

    def __init__(self, words: str, *, ours: bool = False) -> None:
        super().__init__(words)
        self.ours = ours


def no_such_program(program: str) -> CannotStart:
    """It is not in the image."""
    text = texts.EXEC_NO_SUCH_FILE if "/" in program else texts.EXEC_NOT_IN_PATH
    return CannotStart(text.fill(program=program))


def not_modelled(what: str) -> CannotStart:
    return CannotStart(f"swarmsim: {what} is real, but not modelled yet", ours=True)


class Exec:
    """One program. ``code`` is what it ended with, ``None`` as long as it has not."""

    def __init__(self, id: str, container: Container, command: Command) -> None:
        self.id = id
        self.container = container
        self.command = command
        self.code: int | None = None
        self.running = False

    def start(self, daemon: Scope, program: Callable[[], Program]) -> Pipe[bytes]:
        """Its output, which ends with it, with its container, or with the daemon. ``program`` may raise :class:`CannotStart`."""
        pipe: Pipe[bytes] = Pipe(daemon.clock)

        def say(stream: int, text: str) -> None:
            pipe.put(log_frame(stream, text))

        try:
            run = program()
        except CannotStart as problem:
            self.code = CANNOT_START
            if problem.ours:
                say(STDERR, f"{problem}\n")
            else:
                say(STDOUT, f"{problem}\r\n")
            pipe.end()
            return pipe
        process = self.container.process
        assert process is not None
        life = process.child("exec")
        self.running = True

        def ended(code: int) -> None:
            if self.running:
                self.running, self.code = False, code
                pipe.end()
                life.end()

        def work() -> Activity[None]:
            ended((yield from run(say)))

        life.on_end(lambda: ended(KILLED))
        life.spawn(work())
        return pipe
