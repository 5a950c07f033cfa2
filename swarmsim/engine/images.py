"""Images the model knows, and what their containers do: one table.

A command is understood only as far as its timing and exit code matter: servers run until told to stop,
``sleep`` sleeps, ``sh -c`` runs what ``scripts.py`` understands. Anything else is an executable the image does
not have. As process 1 of a container, ``sleep`` and a shell ignore SIGTERM, as the kernel has it, unless an
init forwards it.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from swarmsim.apitypes.reference import InvalidReference, Reference, parse_reference
from swarmsim.engine.behaviour import Behaviour, NotUnderstood, run_command
from swarmsim.engine.scripts import made_by, run_script

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


class Catalogue:
    """The images there are in one world: in its registry, or on its hosts from the beginning."""

    def __init__(self, images: Iterable[Image] = IMAGES) -> None:
        self._by_name = {image.name: image for image in images}

    def find(self, reference: str) -> tuple[Image, str] | None:
        """The image and its familiar name; ``None`` if there is none of that name."""
        try:
            parsed: Reference = parse_reference(reference)
        except InvalidReference:
            return None
        image = self._by_name.get(parsed.name)
        tag = parsed.tag or "latest"
        if image is None or tag not in image.tags:
            return None
        return image, f"{parsed.name}:{tag}"

    def on_hosts(self) -> list[str]:
        """Familiar names of those that every host has from the beginning."""
        return [
            f"{image.name}:{tag}" for image in self._by_name.values() if not image.in_registry for tag in image.tags
        ]


class NoExecutable(Exception):
    """The image has no such program."""


DIRECT = frozenset(("bash", "sh", "ash", "cat", "ls", "printf", "touch", "mkdir", "test", "env"))
"""Programs that end at once when they are all a container runs: nobody is at their input, and what they print is not modelled."""
SHELLS = ("sh", "bash", "ash", "/bin/sh", "/bin/bash")


def _script(command: list[str]) -> str | None:
    """The script that a shell is to run, if that is what the command does."""
    shell = command[0] in SHELLS and len(command) >= 3 and command[1].startswith("-") and "c" in command[1]
    return command[2] if shell else None


def plan_run(image: Image, command: list[str], init: bool) -> Behaviour:
    """What ``command`` does in ``image``. Raises :class:`NoExecutable`, and :class:`NotUnderstood` for what is not modelled.

    >>> plan_run(IMAGES[0], ["sh", "-c", "sleep 2; exit 1"], init=False).code
    1
    """
    if image.server and tuple(command[: len(image.command)]) == image.command:
        return Behaviour(math.inf, 0, 0)
    stops = 143 if init else None
    script = _script(command)
    if script is not None:
        return run_script(script)._replace(stops=stops)
    if command[0].removeprefix("/bin/") in DIRECT:
        return Behaviour(0.0, 0, stops)
    run = run_command(command)
    if run.code == 127:
        raise NoExecutable(command[0])
    return run._replace(stops=stops)


PROBES = frozenset(("curl", "wget", "nc", "mysqladmin", "redis-cli", "pg_isready", "healthcheck"))
"""Programs that ask a server whether it is well."""


def plan_probe(image: Image, test: list[str], command: list[str]) -> Behaviour:
    """What a health check's command does beside ``command``: ``["CMD-SHELL", script]`` or ``["CMD", word, …]``.

    Raises :class:`NotUnderstood`, also for a file that the container's own process makes: when is not modelled.
    """
    shell = test[0] == "CMD-SHELL"
    words = test[1].split() if shell and len(test) > 1 else list(test[1:])
    if words and words[0] in PROBES:
        return Behaviour(0.0, 0 if image.server else 1, None)
    script = _script(command)
    made = made_by(script) if script is not None else set()
    for word in words:
        if word in made:
            raise NotUnderstood(f"{' '.join(words)}: the container makes {word}")
    if shell:
        return run_script(test[1])
    return run_script(shlex.join(words)) if words[:1] in (["test"], ["["]) else run_command(words)
