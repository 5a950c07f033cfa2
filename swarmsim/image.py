"""What an image is, as far as it matters when its containers start, are well, end and are stopped.

The engine has a table of images it knows (:mod:`swarmsim.engine.images`); a scenario may describe others, and say what is
done about names that nobody described. Sizes are megabytes, laws give seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from swarmsim.distribution import Distribution


class Userland(StrEnum):
    """Which programs an image has, whoever made it."""

    BUSYBOX = "busybox"
    """busybox alone, as in the recorded clusters."""
    ALPINE = "alpine"
    """busybox, and musl's ``getent``."""
    GNU = "gnu"
    """Debian, Ubuntu, Red Hat: the GNU C library and core utilities; nothing that asks names or servers but ``getent``."""
    NONE = "none"
    """Nothing but its own program."""


USERS = ("root", "daemon", "bin", "mail", "nobody", "www-data")


class ImageCheck(NamedTuple):
    """An image's own ``HEALTHCHECK``, in seconds; 0: docker's default."""

    interval: float = 0.0
    timeout: float = 0.0
    start_period: float = 0.0
    retries: int = 0


class Image(NamedTuple):
    """One image.

    ``name`` is the familiar one without a tag; without ``tags`` it has every tag. ``in_registry``: it can be pulled, and its
    digest asked for; ``on_hosts``: every host has it from the beginning. ``users`` are the names a process may run as, besides
    any number.

    ``server`` tells that the default command runs until it is stopped, or as long as ``runs`` says, and then ends with
    ``exit_code``. Of an ``opaque`` image nobody here knows which programs are in it: what is not understood is its server.

    A request it answers after ``answers``. ``finishes``: told to stop it answers what it was asked before it ends; ``None`` of both: as its
    server is known to do.

    ``tools`` are programs it has besides those of its ``userland``: ``curl``.

    Before it runs it takes ``start`` besides the engine's own work. Its checks succeed once it has run for ``healthy``. Told to stop
    it takes ``stop`` and ends with ``stop_code``, or it ``ignores_stop``.
    """

    name: str
    tags: tuple[str, ...] = ()
    size: float = 200.0
    command: tuple[str, ...] = ()
    server: bool = False
    stop_signal: str = ""
    ports: tuple[str, ...] = ()
    in_registry: bool = True
    on_hosts: bool = False
    users: tuple[str, ...] = USERS
    opaque: bool = False
    start: Distribution | None = None
    healthy: Distribution | None = None
    runs: Distribution | None = None
    exit_code: int = 0
    stop: Distribution | None = None
    stop_code: int = 0
    ignores_stop: bool = False
    check: ImageCheck | None = None
    answers: Distribution | None = None
    finishes: bool | None = None
    userland: Userland = Userland.GNU
    tools: tuple[str, ...] = ()


class OwnImage(NamedTuple):
    """What somebody says of all images whose name, or name and tag, fit a ``pattern``; ``changes`` are fields of :class:`Image`."""

    pattern: str
    changes: Mapping[str, Any]

    def fits(self, name: str, tag: str) -> bool:
        """
        >>> OwnImage("shop/*", {}).fits("shop/api", "1.4"), OwnImage("shop/api:1.*", {}).fits("shop/api", "2.0")
        (True, False)
        """
        return fnmatchcase(name, self.pattern) or fnmatchcase(f"{name}:{tag}", self.pattern)


class UnknownImages(StrEnum):
    """What is done about images that nobody described (docs/decisions/19)."""

    MISSING = "missing"
    """There are none of that name."""
    ASSUMED_IN_STACKS = "assumed-in-stacks"
    """Those that a stack file names are assumed to be there, others are missing."""
    ASSUMED = "assumed"
    """All are assumed to be there."""


def assumed(name: str) -> Image:
    """An image nobody described: a server that starts, is well, and stops in order as soon as it is told to. Every host has it.

    >>> assumed("registry.example.com/shop/api").command
    ('api',)
    """
    return Image(name, command=(name.rpartition("/")[2],), server=True, on_hosts=True, opaque=True)
