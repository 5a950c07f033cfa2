"""The one door for a command: words as typed on a host → exit code, stdout, stderr.

Whoever runs docker (a scenario's step, a prompt, a test) calls :func:`run_docker`. A :class:`CommandError` or an
:class:`ApiError` is docker's answer and ends as text and exit code. Anything else is a mistake of ours: it ends so too, says
that it is ours and where, and the run goes on.
"""

from __future__ import annotations

import re
import shlex
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from swarmsim.apitypes.http import ApiError, ConnectError, Transport
from swarmsim.docker import container, events, host, network, node, secret, service, stack, swarm
from swarmsim.docker.apiclient import ApiClient
from swarmsim.docker.authority import reading
from swarmsim.docker.command import CommandContext, Machine, Write, error_text
from swarmsim.docker.errors import CommandError, ExitCode, NotModelled
from swarmsim.docker.files import Files
from swarmsim.docker.grammar import (
    ALIASES,
    API_VERSION,
    BY_PATH,
    ELSEWHERE,
    GLOBAL_FLAGS,
    GROUP_USE_LINES,
    GROUPS,
    LOG_LEVELS,
    NOT_MODELLED,
    Command,
    known_to_daemons,
)
from swarmsim.docker.help import command_help, group_help, root_help
from swarmsim.docker.values import FLAG_TYPES
from swarmsim.go.pflag import FlagError, Flags, FlagSet, HelpAsked
from swarmsim.sim.errors import BrokenRule
from swarmsim.sim.future import Activity, Future

ACTIONS: dict[str, Callable[[CommandContext], Activity[None]]] = {
    "swarm init": swarm.init,
    "swarm join": swarm.join,
    "swarm join-token": swarm.join_token,
    "swarm leave": swarm.leave,
    "swarm update": swarm.update,
    "swarm ca": swarm.ca,
    "swarm unlock": swarm.unlock,
    "swarm unlock-key": swarm.unlock_key,
    "node ls": node.ls,
    "node ps": node.ps,
    "node inspect": node.inspect,
    "node update": node.update,
    "node promote": node.promote,
    "node demote": node.demote,
    "node rm": node.rm,
    "service create": service.create,
    "service update": service.update,
    "service scale": service.scale,
    "service rollback": service.rollback,
    "service rm": service.rm,
    "service ls": service.ls,
    "service ps": service.ps,
    "service inspect": service.inspect,
    **{f"{kind} create": secret.create(kind) for kind in ("secret", "config")},
    **{f"{kind} ls": secret.ls(kind) for kind in ("secret", "config")},
    **{f"{kind} inspect": secret.inspect(kind) for kind in ("secret", "config")},
    **{f"{kind} rm": secret.rm(kind) for kind in ("secret", "config")},
    "network create": network.create,
    "network ls": network.ls,
    "network inspect": network.inspect,
    "network rm": network.rm,
    "network connect": network.connect,
    "network disconnect": network.disconnect,
    "network prune": network.prune,
    "volume create": network.volume_create,
    "volume ls": network.volume_ls,
    "volume inspect": network.volume_inspect,
    "volume rm": network.volume_rm,
    "stack deploy": stack.deploy,
    "stack ls": stack.ls,
    "stack ps": stack.ps,
    "stack services": stack.list_services,
    "stack rm": stack.rm,
    "stack config": stack.config,
    "service logs": events.logs,
    "events": events.events,
    "ps": host.ps,
    "kill": host.kill,
    "exec": container.exec_,
    "run": container.run,
    "stop": container.stop,
    "rm": container.rm,
    "create": container.create,
    "start": container.start,
    "restart": container.restart,
    "wait": container.wait,
    "rename": container.rename,
    "diff": container.diff,
    "logs": container.logs,
    "info": host.info,
    "version": host.version,
    "inspect": host.inspect,
}

PACKAGE = Path(__file__).resolve().parents[1]
FLAG_ERROR = 125
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


class Result(NamedTuple):
    """What a command left behind. ``not_modelled`` tells docker's refusals from the model's limits; ``fault`` is what went
    wrong in our own code, and where.
    """

    code: int
    out: str
    err: str
    not_modelled: bool = False
    fault: str = ""


class _Answer(Exception):
    """The words alone decide what is printed: help, or a complaint."""

    def __init__(self, code: int, out: str = "", err: str = "") -> None:
        self.code = code
        self.out = out
        self.err = err


def _refusal(code: int, complaint: str, usage: str, path: str, verb: str = "Run") -> _Answer:
    """A complaint about the words, with where to read on (cli/required.go, cobra)."""
    return _Answer(code, err=f"{complaint}\n\nUsage:  {usage}\n\n{verb} '{path} --help' for more information\n")


_PLAIN = re.compile(r"[ !#-&(-\[\]-~]*")
"""Printable ASCII without quotes and backslashes: words are what is between spaces. shlex takes a tenth of forming a big cluster."""


def split_words(line: str) -> list[str]:
    """A typed line as a shell would split it; a leading ``docker`` is dropped. Raises :class:`ValueError`."""
    words = line.split() if _PLAIN.fullmatch(line) else shlex.split(line)
    return words[1:] if words[:1] == ["docker"] else words


def _find(words: list[str]) -> tuple[Command, list[str]]:
    """The command that ``words`` name, and the words after it."""
    try:
        flags, words = FlagSet(GLOBAL_FLAGS, FLAG_TYPES).parse(words, interspersed=False)
    except HelpAsked as asked:
        raise _Answer(0, out=asked.remarks + root_help()) from None
    except FlagError as problem:
        raise _refusal(FLAG_ERROR, str(problem), "docker [OPTIONS] COMMAND [ARG...]", "docker") from None
    if flags.on("version"):
        raise _Answer(0, out=f"Docker version {host.CLI_VERSION}, build {host.CLI_COMMIT}\n")
    if (level := flags.get("log-level", "info")) not in LOG_LEVELS:
        raise _Answer(1, err=f"Unable to parse logging level: {level}\n")
    for flag in flags.names():
        if flag in ELSEWHERE and flags.get(flag) not in ELSEWHERE[flag]:
            raise NotModelled(f"the flag --{flag} of 'docker'")
    if not words:
        raise _Answer(0, out=root_help())
    first = words[0]
    if first == "help":
        raise _help_about(words[1:])
    for length in (2, 1):
        path = " ".join(words[:length])
        path = ALIASES.get(path, path)
        if path in BY_PATH:
            return BY_PATH[path], words[length:]
    for path in (" ".join(words[:2]), first):
        if path in NOT_MODELLED:
            raise NotModelled(f"'docker {path}'")
    if first in GROUPS:
        if len(words) == 1:
            raise _Answer(0, err=group_help(first))
        use_line = GROUP_USE_LINES.get(first, f"docker {first}")
        try:
            FlagSet((), FLAG_TYPES).parse(words[1:])
        except HelpAsked as asked:
            raise _Answer(0, out=asked.remarks + group_help(first)) from None
        except FlagError as problem:
            raise _refusal(FLAG_ERROR, str(problem), use_line, f"docker {first}") from None
        raise _refusal(1, f"docker: unknown command: docker {first} {words[1]}", use_line, f"docker {first}")
    if not {"-h", "--help"}.isdisjoint(words):
        raise _Answer(0, out=root_help())
    raise _Answer(1, err=f"docker: unknown command: docker {first}\n\nRun 'docker --help' for more information\n")


def _help_about(topic: list[str]) -> _Answer:
    """``docker help service create``."""
    path = " ".join(topic)
    command = BY_PATH.get(ALIASES.get(path, path))
    if command is not None:
        return _Answer(0, out=command_help(command))
    if path in GROUPS:
        return _Answer(0, out=group_help(path))
    return _Answer(1, err=f"unknown help topic: {path}\n") if topic else _Answer(0, out=root_help())


def _check_arguments(command: Command, arguments: list[str]) -> None:
    count = len(arguments)
    least, most = command.least, command.most
    if count >= least and (most is None or count <= most):
        return

    def plural(number: int) -> str:
        return "argument" if number == 1 else "arguments"

    path = f"docker {command.path}"
    if most == 0:
        complaint, verb = "accepts no arguments", "Run"
    elif most is not None and least == 0:
        complaint, verb = f"requires at most {most} {plural(most)}", "SRun"  # docker's own slip
    elif most is not None and least < most:
        complaint, verb = f"requires at least {least} and at most {most} arguments", "Run"
    elif least == most:
        complaint, verb = f"requires {least} {plural(least)}", "Run"
    else:
        complaint, verb = f"requires at least {least} {plural(least)}", "See"
    raise _refusal(1, f"docker: '{path}' {complaint}", command.use_line, path, verb)


def _understand(words: list[str], files: Files) -> tuple[Command, Flags, list[str]]:
    command, rest = _find(words)
    try:
        flags, arguments = FlagSet(command.flags, {**FLAG_TYPES, **reading(files)}).parse(rest, command.interspersed)
    except HelpAsked as asked:
        raise _Answer(0, out=asked.remarks + command_help(command)) from None
    except FlagError as problem:
        raise _refusal(FLAG_ERROR, str(problem), command.use_line, f"docker {command.path}") from None
    _check_arguments(command, arguments)
    if not command.modelled:
        raise NotModelled(f"'docker {command.path}'")
    for flag in command.flags:
        if flags.changed(flag.name) and not known_to_daemons(flag):
            raise CommandError(
                f'"--{flag.name}" requires API version {flag.since}, but the Docker daemon API version is {API_VERSION}'
            )
        # A switch that is turned off is as if it were not given.
        if not flag.modelled and flags.changed(flag.name) and flags.get(flag.name) is not False:
            raise NotModelled(f"the flag --{flag.name} of 'docker {command.path}'")
    return command, flags, arguments


def run_docker(
    transport: Transport,
    machine: Machine,
    words: list[str],
    write: Write | None = None,
    files: Files | None = None,
    interrupt: Future[None] | None = None,
) -> Activity[Result]:
    """Run ``docker <words>`` on ``machine`` against the daemon behind ``transport``; returns a :class:`Result`.

    ``write`` is given the output as it appears, both as a pipe and as a terminal have it; the result has what a pipe has. ``files`` are what the command may read (default: none);
    ``interrupt`` happens when Ctrl-C is pressed, for commands that then end in their own way.
    """
    texts = {"out": "", "err": ""}

    def record(stream: str, text: str, drawn: str | None = None) -> None:
        texts[stream] += text
        if write is not None:
            write(stream, text, text if drawn is None else drawn)

    code, not_modelled, fault = 0, False, ""
    try:
        files = files or Files()
        command, flags, arguments = _understand(words, files)
        context = CommandContext(ApiClient(transport), machine, flags, arguments, record, files, interrupt)
        context.out(flags.remarks)
        yield from ACTIONS[command.path](context)
    except ConnectError:
        record("err", f"{NO_DAEMON}\n")
        code = 1
    except _Answer as answer:
        record("out", answer.out)
        record("err", answer.err)
        code = answer.code
    except ExitCode as ended:
        code = ended.code
    except (ApiError, CommandError) as error:
        record("err", error_text(error) + "\n")
        code = error.code if isinstance(error, CommandError) else 1
        not_modelled = isinstance(error, NotModelled)
    except BrokenRule:
        raise
    except Exception as problem:
        fault = _told(problem)
        record("err", f"swarmsim: this is our fault, not docker's: {fault}\n")
        code = 1
    return Result(code, texts["out"], texts["err"], not_modelled, fault)


def _told(problem: Exception) -> str:
    """``KeyError: 'Ports' (swarmsim/docker/service.py, line 203)``."""
    frames = traceback.extract_tb(problem.__traceback__)
    ours = [frame for frame in frames if PACKAGE in Path(frame.filename).parents]
    place = Path(ours[-1].filename).relative_to(PACKAGE.parent).as_posix()
    return f"{type(problem).__name__}: {problem} ({place}, line {ours[-1].lineno})"
