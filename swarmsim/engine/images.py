"""Images the model knows, in one table, what a world's own are added to it, and what their containers do.

A command is understood only as far as its timing and exit code matter: servers run until told to stop,
``sleep`` sleeps, ``sh -c`` runs what ``scripts.py`` understands. Anything else is an executable the image does
not have. As process 1 of a container, ``sleep`` and a shell ignore SIGTERM, as the kernel has it, unless an
init forwards it.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from swarmsim.apitypes.reference import InvalidReference, Reference, parse_reference
from swarmsim.distribution import Distribution
from swarmsim.engine import pages
from swarmsim.engine.behaviour import NOT_FOUND, Behaviour, NotUnderstood, run_command
from swarmsim.engine.scripts import made_by, run_script
from swarmsim.engine.server import ANY_PORT, Serving
from swarmsim.image import Image, OwnImage, UnknownImages, Userland, assumed

SHELL = ("sh",)
CURL = ("curl",)
BUSYBOX, ALPINE, NONE = Userland.BUSYBOX, Userland.ALPINE, Userland.NONE
IMAGES: tuple[Image, ...] = (
    Image("mini", ("1", "2"), 5, SHELL, in_registry=False, on_hosts=True, users=("root",), userland=BUSYBOX),
    Image("alpine", ("latest", "3", "3.18", "3.20"), 8, SHELL, userland=ALPINE),
    Image("busybox", ("latest", "1", "1.36"), 4, SHELL, userland=BUSYBOX, tools=("getent",)),
    Image("ubuntu", ("latest", "22.04", "24.04"), 78, ("bash",)),
    Image("debian", ("latest", "12"), 117, ("bash",)),
    Image("centos", ("latest", "7"), 204, ("bash",), tools=CURL),
    Image("hello-world", ("latest",), 0.1, ("/hello",), userland=NONE),
    Image(
        "nginx",
        ("latest", "alpine", "1.24", "1.25", "1.26", "1.27"),
        188,
        ("nginx", "-g", "daemon off;"),
        True,
        "SIGQUIT",
        ("80/tcp",),
        tools=CURL,
    ),
    Image(
        "httpd",
        ("latest", "2.4", "alpine"),
        148,
        ("httpd-foreground",),
        True,
        "SIGWINCH",
        ("80/tcp",),
    ),
    Image("redis", ("latest", "6", "7", "alpine", "3.0.6", "3.0.7"), 117, ("redis-server",), True, "", ("6379/tcp",)),
    Image("mysql", ("latest", "5.7", "8.0"), 577, ("mysqld",), True, "", ("3306/tcp", "33060/tcp"), tools=CURL),
    Image("postgres", ("latest", "14", "16"), 432, ("postgres",), True, "SIGINT", ("5432/tcp",)),
    Image("wordpress", ("latest", "6"), 685, ("apache2-foreground",), True, "SIGWINCH", ("80/tcp",), tools=CURL),
    Image("tomcat", ("latest", "8", "9"), 455, ("catalina.sh", "run"), True, "", ("8080/tcp",), tools=CURL),
    Image("traefik", ("latest", "v2.10"), 166, ("traefik",), True, "", ("80/tcp",), userland=ALPINE),
    Image("traefik/whoami", ("latest",), 7, ("/whoami",), True, "", ("80/tcp",), userland=NONE),
    Image(
        "registry", ("latest", "2"), 25, ("/etc/docker/registry/config.yml",), True, "", ("5000/tcp",), userland=ALPINE
    ),
    Image("portainer/portainer", ("latest",), 79, ("/portainer",), True, "", ("9000/tcp",), userland=NONE),
    Image("portainer/portainer-ce", ("latest",), 294, ("/portainer",), True, "", ("9000/tcp",), userland=NONE),
    Image("portainer/agent", ("latest",), 164, ("./agent",), True, userland=NONE),
    Image("dockersamples/visualizer", ("latest",), 185, ("npm", "start"), True, "", ("8080/tcp",), userland=ALPINE),
)


class Program(NamedTuple):
    """A program of an image's own: how its process runs, and the server it is."""

    run: Behaviour
    serving: Serving
    ports: tuple[str, ...] = ("80/tcp",)


PROGRAMS: dict[tuple[str, str], Program] = {
    ("mini", "/serve"): Program(Behaviour(math.inf, 0, None), pages.BUSYBOX),
    ("mini", "/serveterm"): Program(Behaviour(math.inf, 0, 0), pages.BUSYBOX),
    ("mini", "/servelate"): Program(Behaviour(math.inf, 0, None), pages.LATE),
}
"""By image and name. The image of the recorded clusters has a server whose page says who answers: one ignores SIGTERM, one ends by it,
one listens 5 s late."""


class Catalogue:
    """The images there are in one world: those of the table, those somebody describes, and what is done about any other name.

    Of several descriptions the first that fits a name counts; of an image of the table it changes only what it says.
    """

    def __init__(
        self,
        own: Sequence[OwnImage] = (),
        unknown: UnknownImages = UnknownImages.MISSING,
        table: Iterable[Image] = IMAGES,
    ) -> None:
        self._own = tuple(own)
        self._unknown = unknown
        self._table = {image.name: image for image in table}
        self._told: set[str] = set()

    def find(self, reference: str, *, of_stack: bool = False) -> tuple[Image, str] | None:
        """The image and its familiar name; ``None`` if there is none of that name. ``of_stack``: a stack file names it."""
        described = self._described(reference)
        if described is not None:
            return described
        parsed = _parsed(reference)
        if parsed is None or self._unknown is UnknownImages.MISSING:
            return None
        if self._unknown is UnknownImages.ASSUMED_IN_STACKS and not of_stack:
            return None
        if any(own.fits(parsed.name, parsed.tag or "latest") for own in self._own):
            return None  # it is described, but has no such tag
        image = self._table.get(parsed.name) or assumed(parsed.name)
        return image._replace(tags=(), on_hosts=True), _familiar(parsed)

    def is_news(self, reference: str) -> bool:
        """Whether nobody described this image, and it is asked for the first time."""
        if self._described(reference) is not None or reference in self._told:
            return False
        self._told.add(reference)
        return True

    def _described(self, reference: str) -> tuple[Image, str] | None:
        parsed = _parsed(reference)
        if parsed is None:
            return None
        tag = parsed.tag or "latest"
        image = self._table.get(parsed.name)
        own = next((own for own in self._own if own.fits(parsed.name, tag)), None)
        if own is not None:
            base = image._replace(tags=()) if image is not None else assumed(parsed.name)._replace(on_hosts=False)
            image = base._replace(**own.changes)
        if image is None or (image.tags and tag not in image.tags):
            return None
        return image, _familiar(parsed)

    def on_hosts(self) -> list[str]:
        """Familiar names of those of the table that every host has from the beginning."""
        return [f"{image.name}:{tag}" for image in self._table.values() if image.on_hosts for tag in image.tags]


def _parsed(reference: str) -> Reference | None:
    try:
        return parse_reference(reference)
    except InvalidReference:
        return None


def _familiar(parsed: Reference) -> str:
    return f"{parsed.name}:{parsed.tag or 'latest'}"


class NoExecutable(Exception):
    """The image has no such program."""


DIRECT = frozenset(("bash", "sh", "ash", "cat", "ls", "printf", "touch", "mkdir", "test", "env"))
"""Programs that end at once when they are all a container runs: nobody is at their input, and what they print is not modelled."""
SHELLS = ("sh", "bash", "ash", "/bin/sh", "/bin/bash")


def userland_of(image: Image, tag: str) -> Userland:
    """Which programs an image has under a tag: many have one for alpine.

    >>> nginx = next(image for image in IMAGES if image.name == "nginx")
    >>> str(userland_of(nginx, "1.27")), str(userland_of(nginx, "alpine"))
    ('gnu', 'alpine')
    """
    return ALPINE if "alpine" in tag else image.userland


def _script(command: list[str]) -> str | None:
    """The script that a shell is to run, if that is what the command does."""
    shell = command[0] in SHELLS and len(command) >= 3 and command[1].startswith("-") and "c" in command[1]
    return command[2] if shell else None


def plan_run(image: Image, command: list[str], init: bool, draw: Callable[[Distribution], float]) -> Behaviour:
    """What ``command`` does in ``image``. Raises :class:`NoExecutable`, and :class:`NotUnderstood` for what is not modelled.

    >>> plan_run(IMAGES[0], ["sh", "-c", "sleep 2; exit 1"], False, lambda law: 0.0).code
    1
    """
    if image.server and tuple(command[: len(image.command)]) == image.command:
        return _serve(image, draw)
    if (image.name, command[0]) in PROGRAMS:
        return PROGRAMS[image.name, command[0]].run
    try:
        run = _run(command, init)
    except (NoExecutable, NotUnderstood):
        if image.opaque:
            return _serve(image, draw)
        raise
    # A script of an image nobody can look into calls programs that only that image has.
    return _serve(image, draw) if image.opaque and any(text.endswith(": not found") for _, text in run.lines) else run


def _serve(image: Image, draw: Callable[[Distribution], float]) -> Behaviour:
    """What the default command of a server does."""
    seconds = math.inf if image.runs is None else draw(image.runs)
    stops = None if image.ignores_stop else image.stop_code
    return Behaviour(seconds, image.exit_code, stops, stop_seconds=0.0 if image.stop is None else draw(image.stop))


def _run(command: list[str], init: bool) -> Behaviour:
    stops = 143 if init else None
    script = _script(command)
    if script is not None:
        return run_script(script)._replace(stops=stops)
    if command[0].removeprefix("/bin/") in DIRECT:
        return Behaviour(0.0, 0, stops)
    run = run_command(command)
    if run.code == NOT_FOUND:
        raise NoExecutable(command[0])
    return run._replace(stops=stops)


def plan_serving(image: Image, command: list[str]) -> tuple[Serving, tuple[str, ...]]:
    """How ``command`` answers in ``image``, and the ports it listens on; of an image nobody can look into, any.

    >>> plan_serving(IMAGES[0], ["/serve"])[1], plan_serving(IMAGES[0], ["sleep", "9"])[1]
    (('80/tcp',), ())
    """
    serving, ports = _known_serving(image, command)
    if image.answers is not None:
        serving = serving._replace(law=image.answers)
    return (serving if image.finishes is None else serving._replace(finishes=image.finishes)), ports


def _known_serving(image: Image, command: list[str]) -> tuple[Serving, tuple[str, ...]]:
    if image.server and tuple(command[: len(image.command)]) == image.command:
        return pages.OF_IMAGES.get(image.name, pages.QUIET), image.ports or (ANY_PORT,)
    program = PROGRAMS.get((image.name, command[0]))
    if program is not None:
        return program.serving, program.ports
    if command[0].rpartition("/")[2] == "httpd" and "-f" in command:
        port = command[command.index("-p") + 1] if "-p" in command[:-1] else "80"
        return pages.BUSYBOX, (f"{port.rpartition(':')[2]}/tcp",)
    return pages.QUIET, (image.ports or (ANY_PORT,)) if image.opaque else ()


PROBES = frozenset(("curl", "wget", "nc", "mysqladmin", "redis-cli", "pg_isready", "healthcheck"))
"""Programs that ask a server whether it is well."""


def asks_server(test: list[str]) -> bool:
    """Whether a health check asks the container's server.

    >>> asks_server(["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1/ || exit 1"]), asks_server(["CMD", "true"])
    (True, False)
    """
    words = test[1].split() if test[0] == "CMD-SHELL" and len(test) > 1 else test[1:]
    return bool(words) and words[0] in PROBES


def plan_probe(image: Image, test: list[str], command: list[str]) -> Behaviour:
    """What a health check's command does beside ``command``: ``["CMD-SHELL", script]`` or ``["CMD", word, …]``.

    Raises :class:`NotUnderstood`, also for a file that the container's own process makes: when is not modelled. In an opaque image
    what is not understood asks its server whether it is well.
    """
    try:
        probe = _probe(image, test, command)
    except NotUnderstood:
        if image.opaque:
            return Behaviour(0.0, 0, None)
        raise
    return Behaviour(0.0, 0, None) if image.opaque and probe.code == NOT_FOUND else probe


def _probe(image: Image, test: list[str], command: list[str]) -> Behaviour:
    shell = test[0] == "CMD-SHELL"
    words = test[1].split() if shell and len(test) > 1 else list(test[1:])
    if asks_server(test):
        serves = image.server or bool(plan_serving(image, command)[1])
        return Behaviour(0.0, 0 if serves else 1, None)
    script = _script(command)
    made = made_by(script) if script is not None else set()
    for word in words:
        if word in made:
            raise NotUnderstood(f"{' '.join(words)}: the container makes {word}")
    if shell:
        return run_script(test[1])
    return run_script(shlex.join(words)) if words[:1] in (["test"], ["["]) else run_command(words)
