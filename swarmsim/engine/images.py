"""Images the model knows, and what their containers do: one table.

A command is understood only as far as its timing and exit code matter: servers run until told to stop,
``sleep`` sleeps, ``sh -c`` runs a small set of commands. Anything else is an executable the image does
not have. As process 1 of a container, ``sleep`` and a shell ignore SIGTERM, as the kernel has it, unless an
init forwards it.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from swarmsim.apitypes.reference import InvalidReference, Reference, parse_reference

USERS = ("root", "daemon", "bin", "mail", "nobody", "www-data")


class Image(NamedTuple):
    """``size`` in megabytes; ``server`` tells that the default command runs until it is stopped.

    ``users`` are the names a process may run as, besides any number.
    """

    name: str
    tags: tuple[str, ...]
    size: float
    command: tuple[str, ...]
    server: bool = False
    stop_signal: str = ""
    ports: tuple[str, ...] = ()
    in_registry: bool = True
    users: tuple[str, ...] = USERS


SHELL = ("sh",)

IMAGES: tuple[Image, ...] = (
    Image("mini", ("1", "2"), 5, SHELL, in_registry=False, users=("root",)),
    Image("alpine", ("latest", "3", "3.18", "3.20"), 8, SHELL),
    Image("busybox", ("latest", "1", "1.36"), 4, SHELL),
    Image("ubuntu", ("latest", "22.04", "24.04"), 78, ("bash",)),
    Image("debian", ("latest", "12"), 117, ("bash",)),
    Image("centos", ("latest", "7"), 204, ("bash",)),
    Image("hello-world", ("latest",), 0.1, ("/hello",)),
    Image(
        "nginx",
        ("latest", "alpine", "1.24", "1.25", "1.26", "1.27"),
        188,
        ("nginx", "-g", "daemon off;"),
        True,
        "SIGQUIT",
        ("80/tcp",),
    ),
    Image("httpd", ("latest", "2.4", "alpine"), 148, ("httpd-foreground",), True, "SIGWINCH", ("80/tcp",)),
    Image("redis", ("latest", "6", "7", "alpine", "3.0.6", "3.0.7"), 117, ("redis-server",), True, "", ("6379/tcp",)),
    Image("mysql", ("latest", "5.7", "8.0"), 577, ("mysqld",), True, "", ("3306/tcp", "33060/tcp")),
    Image("postgres", ("latest", "14", "16"), 432, ("postgres",), True, "SIGINT", ("5432/tcp",)),
    Image("wordpress", ("latest", "6"), 685, ("apache2-foreground",), True, "SIGWINCH", ("80/tcp",)),
    Image("tomcat", ("latest", "8", "9"), 455, ("catalina.sh", "run"), True, "", ("8080/tcp",)),
    Image("traefik", ("latest", "v2.10"), 166, ("traefik",), True, "", ("80/tcp",)),
    Image("traefik/whoami", ("latest",), 7, ("/whoami",), True, "", ("80/tcp",)),
    Image("registry", ("latest", "2"), 25, ("/etc/docker/registry/config.yml",), True, "", ("5000/tcp",)),
    Image("portainer/portainer", ("latest",), 79, ("/portainer",), True, "", ("9000/tcp",)),
    Image("portainer/portainer-ce", ("latest",), 294, ("/portainer",), True, "", ("9000/tcp",)),
    Image("portainer/agent", ("latest",), 164, ("./agent",), True),
    Image("dockersamples/visualizer", ("latest",), 185, ("npm", "start"), True, "", ("8080/tcp",)),
)

_BY_NAME = {image.name: image for image in IMAGES}

INSTANT = frozenset(
    [
        "true",
        ":",
        "echo",
        "printf",
        "date",
        "hostname",
        "ls",
        "cat",
        "env",
        "pwd",
        "uname",
        "touch",
        "mkdir",
        "id",
        "whoami",
        "test",
        "bash",
        "sh",
        "ash",
        "/hello",
    ]
)
"""Commands that end at once with code 0."""


def find_image(reference: str) -> tuple[Image, str] | None:
    """The image and its familiar name, or ``None`` if the model (like its registry) has none of that name."""
    try:
        parsed: Reference = parse_reference(reference)
    except InvalidReference:
        return None
    image = _BY_NAME.get(parsed.name)
    tag = parsed.tag or "latest"
    if image is None or tag not in image.tags:
        return None
    return image, f"{parsed.name}:{tag}"


class Behaviour(NamedTuple):
    """What a container's process does: exits with ``code`` after ``seconds`` (``inf``: until stopped).

    ``stops`` is the exit code it stops with when it gets its stop signal, ``None`` if it ignores it. ``lines`` are what
    it prints, each after so many seconds, again and again every ``every`` seconds if that is not 0.
    """

    seconds: float
    code: int
    stops: int | None
    lines: tuple[tuple[float, str], ...] = ()
    every: float = 0.0

    def printed(self, lasted: float) -> Iterator[tuple[float, str]]:
        """What it has printed when it has run for ``lasted`` seconds."""
        start = 0.0
        while start <= lasted:
            for after, text in self.lines:
                if start + after <= lasted:
                    yield start + after, text
            if not self.every or not self.lines:
                return
            start += self.every


class NoExecutable(Exception):
    """The image has no such program."""


def plan_run(image: Image, command: list[str], init: bool) -> Behaviour:
    """What ``command`` does in ``image``. Raises :class:`NoExecutable`.

    >>> plan_run(IMAGES[0], ["sh", "-c", "sleep 2; exit 1"], init=False)
    Behaviour(seconds=2.0, code=1, stops=None, lines=(), every=0.0)
    """
    if image.server and tuple(command[: len(image.command)]) == image.command:
        return Behaviour(math.inf, 0, 0)
    stops = 143 if init else None
    if (
        command[0] in ("sh", "bash", "ash", "/bin/sh", "/bin/bash")
        and len(command) >= 3
        and command[1].startswith("-")
        and "c" in command[1]
    ):
        return _run_script(command[2])._replace(stops=stops)
    run = _run_command(command)
    if run.code == 127:
        raise NoExecutable(command[0])
    return run._replace(stops=stops)


PROBES = frozenset(("curl", "wget", "nc", "mysqladmin", "redis-cli", "pg_isready", "healthcheck"))
"""Programs that ask a server whether it is well."""


def plan_probe(image: Image, test: list[str]) -> Behaviour:
    """What a health check's command does: ``["CMD-SHELL", script]`` or ``["CMD", word, …]``."""
    words = shlex.split(test[1]) if test[0] == "CMD-SHELL" and len(test) > 1 else list(test[1:])
    if words and words[0] in PROBES:
        return Behaviour(0.0, 0 if image.server else 1, None)
    return _run_script(test[1]) if test[0] == "CMD-SHELL" else _run_command(words)


def _run_script(script: str) -> Behaviour:
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return Behaviour(0.0, 2, None, ((0.0, "sh: syntax error: unterminated quoted string"),))
    if words[:1] in (["while"], ["until"]) and "do" in words:
        end = len(words) - 1 - words[::-1].index("done") if "done" in words else len(words)
        body = _run_words(words[words.index("do") + 1 : end])
        return Behaviour(math.inf, 0, None, body.lines, body.seconds if body.seconds < math.inf else 0.0)
    return _run_words(words)


def _run_words(words: list[str]) -> Behaviour:
    seconds, code = 0.0, 0
    lines: list[tuple[float, str]] = []
    statement: list[str] = []
    operator = ";"
    for word in [*words, ";"]:
        if word not in (";", "&&", "||", "&", ";;", "|"):
            statement.append(word)
            continue
        runs = operator == ";" or (operator == "&&" and code == 0) or (operator == "||" and code != 0)
        if statement and runs:
            if statement[0] == "exec":
                statement = statement[1:]
            if statement and statement[0] == "exit":
                given = statement[1] if len(statement) > 1 else str(code)
                code = int(given) % 256 if given.lstrip("-").isdigit() else 2
                return Behaviour(seconds, code, None, tuple(lines))
            run = _run_command(statement)
            lines += [(seconds + after, text) for after, text in run.lines]
            seconds += run.seconds
            code = run.code
            if seconds == math.inf:
                break
        statement, operator = [], {"&": ";", ";;": ";", "|": ";"}.get(word, word)
    return Behaviour(seconds, code, None, tuple(lines))


def _run_command(words: list[str]) -> Behaviour:
    if not words:
        return Behaviour(0.0, 0, None)
    name = words[0].removeprefix("/bin/").removeprefix("/usr/bin/")
    if name == "sleep":
        return Behaviour(*_sleep(words[1:]), None)
    if name == "false":
        return Behaviour(0.0, 1, None)
    if name == "echo":
        return Behaviour(0.0, 0, None, ((0.0, " ".join(words[1:])),))
    if name in INSTANT:
        return Behaviour(0.0, 0, None)
    if name in ("tail", "ping"):
        return Behaviour(math.inf, 0, None) if len(words) > 1 else Behaviour(0.0, 1, None)
    if name == "top":
        return Behaviour(math.inf, 0, None)
    return Behaviour(0.0, 127, None, ((0.0, f"sh: {words[0]}: not found"),))


def _sleep(arguments: list[str]) -> tuple[float, int]:
    if not arguments:
        return 0.0, 1
    total = 0.0
    for argument in arguments:
        if argument in ("infinity", "inf"):
            return math.inf, 0
        number, unit = (argument[:-1], argument[-1]) if argument[-1] in "smhd" else (argument, "s")
        try:
            total += float(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
        except ValueError:
            return 0.0, 1
    return total, 0
