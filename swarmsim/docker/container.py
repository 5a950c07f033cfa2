"""Commands about single containers: ``docker run``, ``exec``, ``stop``, ``rm`` (docker/cli command/container/).

``-it`` is for terminals; what is typed here is on one, and what is run by it has nothing to read.
"""

from __future__ import annotations

from swarmsim.apitypes.engine import (
    ContainerCreateRequest,
    EndpointIPAM,
    EndpointSettings,
    ExecConfig,
    ExecStart,
    HostConfig,
    NetworkingConfig,
)
from swarmsim.apitypes.http import ApiError, Stream
from swarmsim.docker.command import CommandContext, error_text, key_values
from swarmsim.docker.errors import CommandError, ExitCode, NotModelled
from swarmsim.sim.future import Activity

STDERR = 2
RUN_FAILED = 125
MORE_ABOUT_RUN = "\n\nRun 'docker run --help' for more information"


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


def create(command: CommandContext) -> Activity[None]:
    """Make a container; its id is printed."""
    command.out(f"{(yield from _create(command))}\n")


def start(command: CommandContext) -> Activity[None]:
    """Start containers that are there. With ``--attach`` the output and the exit code are those of the one."""
    references = command.arguments
    if command.flags.on("attach") or command.flags.on("interactive"):
        if len(references) > 1:
            raise CommandError("you cannot start and attach multiple containers at once")
        yield from _attached(command, references[0], "next-exit")
        return
    failed = []
    for reference in references:
        try:
            yield from command.api.container_start(reference)
        except ApiError as error:
            command.err(f"{error_text(error)}\n")
            failed.append(reference)
            continue
        command.out(f"{reference}\n")
    if failed:
        raise CommandError(f"Error: failed to start containers: {', '.join(failed)}")


def restart(command: CommandContext) -> Activity[None]:
    seconds = str(command.flags.get("timeout")) if command.flags.changed("timeout") else ""

    def one(reference: str) -> Activity[None]:
        yield from command.api.container_restart(reference, command.flags.get("signal", ""), seconds)
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, one)


def wait(command: CommandContext) -> Activity[None]:
    """Their exit codes, when they have ended."""

    def one(reference: str) -> Activity[None]:
        status = yield from (yield from command.api.container_wait(reference, "")).read()
        command.out(f"{status['StatusCode'] if status is not None else 0}\n")

    yield from command.each(command.arguments, one)


def rename(command: CommandContext) -> Activity[None]:
    old, new = (name.strip() for name in command.arguments)
    if not old or not new:
        raise CommandError("Error: Neither old nor new names may be empty")
    try:
        yield from command.api.container_rename(old, new)
    except ApiError as error:
        command.err(f"{error_text(error)}\n")
        raise CommandError(f"Error: failed to rename container named {old}") from None


def diff(command: CommandContext) -> Activity[None]:
    """Changed, added and deleted paths."""
    for change in (yield from command.api.container_changes(command.arguments[0])):
        command.out(f"{'CAD'[change.kind]} {change.path}\n")


def logs(command: CommandContext) -> Activity[None]:
    flags = command.flags
    query = {
        "stdout": "1",
        "stderr": "1",
        "follow": "1" if flags.on("follow") else "",
        "timestamps": "1" if flags.on("timestamps") else "",
        "tail": flags.get("tail", "all"),
        "since": flags.get("since", ""),
    }
    yield from print_frames(command, (yield from command.api.container_logs(command.arguments[0], query)))


def run(command: CommandContext) -> Activity[None]:
    """Make a container, on an attachable network of the swarm, and start it; without ``--detach`` its output and exit code are the command's."""
    try:
        id = yield from _create(command)
        yield from _start(command, id)
    except ApiError as error:
        message = error.message
        raise CommandError(f"docker: {error_text(error)}{MORE_ABOUT_RUN}", _start_code(message)) from None


def _create(command: CommandContext) -> Activity[str]:
    flags, (image, *words) = command.flags, command.arguments
    network = flags.get("network", "")
    if not network or network in ("bridge", "host", "none", "default"):
        if flags.every("network-alias"):
            raise CommandError(
                f"docker: network-scoped aliases are only supported for user-defined networks{MORE_ABOUT_RUN}",
                RUN_FAILED,
            )
        raise NotModelled(f"'docker run' on the network {network or 'bridge'}")
    ends = {}
    if flags.get("ip", "") or flags.every("network-alias"):
        ipam = EndpointIPAM(ipv4=flags.get("ip", "")) if flags.get("ip", "") else None
        ends[network] = EndpointSettings(ipam=ipam, aliases=flags.every("network-alias") or None)
    request = ContainerCreateRequest(
        hostname=flags.get("hostname", ""),
        tty=flags.on("tty"),
        env=flags.every("env") or None,
        cmd=words or None,
        image=image,
        labels=key_values(flags.every("label")),
        host_config=HostConfig(network_mode=network, auto_remove=flags.on("rm")),
        networking_config=NetworkingConfig(endpoints_config=ends),
    )
    name = flags.get("name", "")
    try:
        return (yield from command.api.container_create(name, request))
    except ApiError as error:
        if error.status != 404 or not error.message.startswith("No such image"):
            raise
    yield from _pull(command, image)
    return (yield from command.api.container_create(name, request))


def _pull(command: CommandContext, image: str) -> Activity[None]:
    name, _, tag = image.partition(":")
    quiet = command.flags.on("quiet")
    command.err(f"Unable to find image '{name}:{tag or 'latest'}' locally\n")
    yield from command.api.image_pull(name, tag or "latest")
    if not quiet:
        whole = name if "/" in name else f"library/{name}"
        command.err(f"{tag or 'latest'}: Pulling from {whole}\n")
        command.err(f"Status: Downloaded newer image for {name}:{tag or 'latest'}\n")


def _start(command: CommandContext, id: str) -> Activity[None]:
    api, flags = command.api, command.flags
    if flags.on("detach"):
        command.out(f"{id}\n")
        yield from api.container_start(id)
        return
    yield from _attached(command, id, "removed" if flags.on("rm") else "next-exit")


def _attached(command: CommandContext, id: str, condition: str) -> Activity[None]:
    """Start a container, print what it prints, and end as it does."""
    api = command.api
    output = yield from api.container_attach(id)
    ended = yield from api.container_wait(id, condition)
    yield from api.container_start(id)
    yield from print_frames(command, output)
    if command.interrupt is not None and command.interrupt.triggered:
        yield from api.container_kill(id, "INT")
    status = yield from ended.read()
    code = status["StatusCode"] if status is not None else 0
    if code:
        raise ExitCode(code)


def _start_code(message: str) -> int:
    """The exit code of a container that could not be started (cmd/run.go)."""
    if "executable file not found" in message or "no such file or directory" in message:
        return 127
    return 126 if "permission denied: unknown" in message else RUN_FAILED


def stop(command: CommandContext) -> Activity[None]:
    flags = command.flags
    seconds = str(flags.get("timeout")) if flags.changed("timeout") else ""

    def one(reference: str) -> Activity[None]:
        yield from command.api.container_stop(reference, flags.get("signal", ""), seconds)
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, one)


def rm(command: CommandContext) -> Activity[None]:
    force = command.flags.on("force")

    def one(reference: str) -> Activity[None]:
        try:
            yield from command.api.container_remove(reference, force)
        except ApiError as error:
            if not (force and error.status == 404):
                raise
            command.err(f"{error_text(error)}\n")
            return
        command.out(f"{reference}\n")

    yield from command.each(command.arguments, one)


def print_frames(command: CommandContext, output: Stream[bytes]) -> Activity[None]:
    """What a program prints, as it comes (moby pkg/stdcopy)."""
    while (frame := (yield from command.read(output))) is not None:
        write = command.err if frame[0] == STDERR else command.out
        write(frame[8:].decode())
