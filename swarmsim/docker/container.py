"""Commands about one container: ``docker exec`` (docker/cli command/container/exec.go).

``-it`` is for terminals; what is typed here is on one, and what is run by it has nothing to read.
"""

from __future__ import annotations

from swarmsim.apitypes.engine import ExecConfig, ExecStart
from swarmsim.apitypes.http import Stream
from swarmsim.docker.command import CommandContext
from swarmsim.docker.errors import ExitCode
from swarmsim.sim.future import Activity

STDERR = 2


def exec_(command: CommandContext) -> Activity[None]:
    flags, (reference, *words) = command.flags, command.arguments
    # A container that is not there is complained of before anything else.
    yield from command.api.container_inspect(reference)
    detach, tty = flags.on("detach"), flags.on("tty")
    config = ExecConfig(
        user=flags.get("user", ""),
        tty=tty,
        attach_stdin=flags.on("interactive") and not detach,
        attach_stderr=not detach,
        attach_stdout=not detach,
        detach=detach,
        env=flags.every("env") or None,
        working_dir=flags.get("workdir", ""),
        cmd=words,
    )
    id = yield from command.api.exec_create(reference, config)
    output = yield from command.api.exec_start(id, ExecStart(detach=detach, tty=tty))
    if detach:
        return
    yield from print_frames(command, output)
    code = (yield from command.api.exec_inspect(id)).exit_code
    if code:
        raise ExitCode(code)


def print_frames(command: CommandContext, output: Stream[bytes]) -> Activity[None]:
    """What a program prints, as it comes (moby pkg/stdcopy)."""
    while (frame := (yield from command.read(output))) is not None:
        write = command.err if frame[0] == STDERR else command.out
        write(frame[8:].decode())
