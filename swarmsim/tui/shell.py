"""What a line typed at the prompt means: a docker command, where it is typed, and what its output goes through.

People type what they would type in a shell. Beside docker commands (with or without ``sudo`` and ``docker``) a few words are
understood, the rest is told what to do instead (:data:`INSTEAD`):

==================  ==================================================
typed               means
==================  ==================================================
``@m2 node ls``     the command on that host; ``@m2`` alone: from now on
``curl -s m2:8888`` a request from that host
``echo X | …``      a docker command that is given a line (``swarm unlock``)
``… | grep X``      lines of what it prints (:data:`FILTERS`)
``watch -n 5 …``    again every so many simulated seconds, until Ctrl+C
``help``, ``jobs``  of the prompt itself (:data:`BUILTINS`)
==================  ==================================================
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

Lines = list[str]
Filter = Callable[[Lines], Lines]

BUILTINS = ("help", "?", "jobs", "clear", "history", "exit", "logout")
WATCH_EVERY = 2.0
"""Seconds between two runs, unless ``-n`` says otherwise."""

INSTEAD: dict[str, str] = {
    **dict.fromkeys(("wget", "ping", "nc", "telnet", "dig", "nslookup", "ab", "hey"), "instead traffic"),
    **dict.fromkeys(("systemctl", "service docker", "dockerd"), "instead engine"),
    **dict.fromkeys(("reboot", "shutdown", "poweroff", "halt", "init"), "instead power"),
    **dict.fromkeys(("iptables", "ip", "ifconfig", "tc", "route"), "instead network"),
    **dict.fromkeys(
        ("ls", "cat", "cd", "vi", "vim", "nano", "mkdir", "rm", "cp", "mv", "echo", "pwd"), "instead files"
    ),
    **dict.fromkeys(("docker-compose", "docker-machine", "kubectl", "podman"), "instead tool"),
    **dict.fromkeys(("sleep", "date", "time", "top", "htop", "uptime", "free", "df"), "instead time"),
}
"""Programs that are not here, and the text that says what to do instead."""


class ShellError(Exception):
    """The line cannot be understood; ``key`` is the text that says so, with its values."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class Typed(NamedTuple):
    """A line that was understood. ``host`` if one was named; ``every`` seconds if it is to be watched."""

    command: str = ""
    """What comes after ``docker``, or ``curl``."""
    program: str = "docker"
    host: str | None = None
    builtin: str | None = None
    filters: tuple[Filter, ...] = ()
    every: float | None = None
    stdin: str = ""
    """What is piped into it."""


def said_after_host(line: str) -> str:
    """A line as it would be typed on the host that it names, if it names one.

    >>> said_after_host("@m2 docker node ls"), said_after_host("ssh m2 docker node ls"), said_after_host("node ls")
    ('docker node ls', 'docker node ls', 'node ls')
    """
    return re.sub(r"^\s*(@\S+|ssh\s+\S+)\s+", "", line)


def understand(line: str) -> Typed:
    """What a line means. Raises :class:`ShellError`.

    >>> understand("sudo docker node ls").command
    'node ls'
    >>> understand("@m2 docker service ps web | grep -v Shutdown | head -3").host
    'm2'
    >>> understand("watch -n 5 docker service ls").every
    5.0
    """
    first, *pipes = _split_pipes(line)
    words = first.split()
    if words[:1] == ["echo"] and pipes:
        typed = understand(" | ".join(pipes))
        _check(first)
        return typed._replace(stdin=" ".join(shlex.split(first)[1:]) + "\n")
    host: str | None = None
    every: float | None = None
    if words and words[0] in ("$", "#", ">"):
        words = words[1:]
    if words and words[0].startswith("@"):
        host, words = words[0][1:], words[1:]
    if words[:1] == ["ssh"] and len(words) > 1:
        host, words = words[1].rpartition("@")[2], words[2:]
    while words and words[0] in ("sudo", "watch"):
        program, words = words[0], words[1:]
        if program == "watch":
            every = WATCH_EVERY
        while words and words[0].startswith("-"):
            option, words = words[0], words[1:]
            if program == "watch" and option.startswith(("-n", "--interval")):
                value = option.removeprefix("--interval").removeprefix("-n").removeprefix("=")
                if not value and words:
                    value, words = words[0], words[1:]
                every = _number(value)
    if words and words[0].startswith(("'", '"')) and every is not None:
        return understand(" ".join(words).strip("'\"") + "".join(f" | {pipe}" for pipe in pipes))._replace(every=every)
    if not words:
        if host is None or pipes:
            raise ShellError("shell nothing")
        return Typed(host=host)
    if words[0] in BUILTINS and len(words) == 1:
        return Typed(builtin=words[0], host=host)
    program = "curl" if words[0] == "curl" else "docker"
    if words[0] == program:
        words = words[1:]
    else:
        for name in (" ".join(words[:2]), words[0]):
            if name in INSTEAD:
                raise ShellError(INSTEAD[name], program=words[0])
    command = _rest(first, words).removesuffix("&").strip()
    _check(command)
    return Typed(command, program, host, None, tuple(_filter(pipe) for pipe in pipes), every)


def _rest(line: str, words: list[str]) -> str:
    """The end of ``line`` that has these words, as it was typed: spaces between quotes count."""
    rest = line
    while len(rest.split()) > len(words):
        rest = rest.lstrip().split(None, 1)[1]
    return rest.strip()


def _check(command: str) -> None:
    try:
        shlex.split(command)
    except ValueError as problem:
        raise ShellError("shell quotes", problem=str(problem)) from None
    plain = re.sub(r"'[^']*'|\"[^\"]*\"|\\.", "", command)
    for sign in ("&&", ";", "$(", "`", ">", "<"):
        if sign in plain:
            raise ShellError("shell sign", sign=sign)


def _split_pipes(line: str) -> list[str]:
    """The parts between pipes that are not in quotes."""
    parts, quote = [""], ""
    for sign in line:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "|":
            parts.append("")
            continue
        parts[-1] += sign
    return [part.strip() for part in parts]


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise ShellError("no number", text=text) from None
    if not 0.1 <= found <= 1e9:
        raise ShellError("no number", text=text)
    return found


# -- what output goes through


def _grep(words: list[str]) -> Filter:
    options = "".join(word.lstrip("-") for word in words if word.startswith("-"))
    patterns = [word for word in words if not word.startswith("-")]
    if not patterns:
        raise ShellError("shell grep")
    try:
        pattern = re.compile(patterns[0], re.IGNORECASE if "i" in options else 0)
    except re.error:
        pattern = re.compile(re.escape(patterns[0]), re.IGNORECASE if "i" in options else 0)

    def matching(lines: Lines) -> Lines:
        found = [line for line in lines if bool(pattern.search(line)) is ("v" not in options)]
        return [str(len(found))] if "c" in options else found

    return matching


def _count(words: list[str]) -> int:
    numbers = [number for word in words if (number := word.lstrip("-").lstrip("n").strip("= ")).isdigit()]
    return int(numbers[0]) if numbers else 10


FILTERS: dict[str, Callable[[list[str]], Filter]] = {
    "grep": _grep,
    "egrep": _grep,
    "head": lambda words: lambda lines: lines[: _count(words)],
    "tail": lambda words: lambda lines: lines[-_count(words) :] if _count(words) else [],
    "wc": lambda words: lambda lines: [str(len(lines))],
    "sort": lambda words: lambda lines: sorted(lines, reverse="-r" in words),
    "uniq": lambda words: lambda lines: [line for n, line in enumerate(lines) if not n or line != lines[n - 1]],
    **dict.fromkeys(("less", "more", "cat"), lambda words: lambda lines: lines),
}
"""Programs behind a pipe."""


def _filter(pipe: str) -> Filter:
    try:
        words = shlex.split(pipe)
    except ValueError as problem:
        raise ShellError("shell quotes", problem=str(problem)) from None
    if not words:
        raise ShellError("shell pipe", program="", known=", ".join(FILTERS))
    if words[0] not in FILTERS:
        raise ShellError("shell pipe", program=words[0], known=", ".join(FILTERS))
    return FILTERS[words[0]](words[1:])
