"""A server in a container, as its clients see it: when it listens, how long it takes, what becomes of requests when it is stopped.

When the process ends, for whatever reason, its kernel closes what is open: clients that wait get the end of the connection instead
of an answer. Without power nobody says anything.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple, Protocol

from swarmsim.distribution import Distribution
from swarmsim.network.bindings import PortKey
from swarmsim.network.kernel import Client
from swarmsim.sim.host import Host
from swarmsim.sim.scope import Scope
from swarmsim.swarm.objects import Attachment

ANY_PORT = "any"
"""In the place of a port: whatever is asked."""

HEADERS = 200
"""Bytes of an answer's headers, more or less."""


class Body(Protocol):
    """The container a server runs in."""

    name: str
    hostname: str
    host: Host
    process: Scope | None
    started_at: float | None
    well_after: float
    attachments: tuple[Attachment, ...]

    @property
    def alive(self) -> bool: ...

    def end_in(self, seconds: float, code: int) -> None: ...


class Serving(NamedTuple):
    """How an image's server answers HTTP.

    ``takes`` is the median of seconds for an answer, ``spread`` the sigma of its logarithm; ``warms_up`` the seconds until it
    listens. ``finishes``: on its stop signal it listens no more, answers what it was asked, and ends then.
    """

    takes: float = 0.0005
    warms_up: float = 0.0
    finishes: bool = False
    page: str = ""
    """What it answers; ``{hostname}`` and the like are filled in."""
    software: str = ""
    """The header ``Server``."""
    spread: float = 0.3
    speaks_http: bool = True
    """Else it answers in its own protocol, which curl refuses."""
    answers: int = 0
    """Bytes of an answer, if it is not its page."""
    law: Distribution | None = None
    """Seconds for an answer, if somebody says so."""
    hangs_up: bool = False
    """Whether it closes the connection instead, as what it was asked makes no sense to it."""

    @property
    def size(self) -> int:
        """Bytes of an answer."""
        return self.answers or len(self.page) + HEADERS


class ContainerServer:
    """The server of one container that runs."""

    __slots__ = ("_any_port", "_busy", "_open", "_ports", "_rng", "container", "ends", "met", "serving")

    def __init__(self, container: Body, serving: Serving, ports: tuple[str, ...], rng: Random) -> None:
        self.container = container
        self.serving = serving
        self.ends: tuple[float, int] | None = None
        """That it was told to stop: in how many seconds after the last answer, and with which code it ends."""
        self._ports = frozenset(_port(text) for text in ports if text != ANY_PORT)
        self._any_port = ANY_PORT in ports
        self.met: set[tuple[str, str]] = set()
        self._open: dict[Client, None] = {}
        self._busy: dict[Client, None] = {}
        self._rng = rng

    @property
    def name(self) -> str:
        return self.container.name

    @property
    def hostname(self) -> str:
        return self.container.hostname

    @property
    def addresses(self) -> list[str]:
        """Its addresses on networks of the swarm."""
        return [each.address.partition("/")[0] for each in self.container.attachments]

    def listens(self, port: PortKey) -> bool:
        return (
            self.container.alive
            and self.ends is None
            and (self._any_port or port in self._ports)
            and not self.warming_up
        )

    @property
    def warming_up(self) -> bool:
        return self.listens_in > 0

    @property
    def listens_in(self) -> float:
        """Seconds until it is warm; not positive once it is."""
        container = self.container
        age = container.host.clock.now - (container.started_at or 0.0)
        return max(self.serving.warms_up, container.well_after) - age

    def accept(self, client: Client) -> None:
        self._open[client] = None

    def serves(self, client: Client) -> bool:
        return client in self._open

    def handle(self, client: Client) -> None:
        process = self.container.process
        assert process is not None
        self._busy[client] = None
        serving = self.serving
        if serving.law is not None:
            seconds = serving.law.draw(self._rng)
        else:
            seconds = serving.takes * math.exp(self._rng.gauss(0.0, serving.spread))
        process.after(seconds, self._answer, client)

    def forget(self, client: Client) -> None:
        self._open.pop(client, None)
        self._busy.pop(client, None)
        self._end_when_idle()

    def _answer(self, client: Client) -> None:
        if self._busy.pop(client, self) is None:
            if self.serving.hangs_up:
                self._open.pop(client, None)
                client.hang_up()
            else:
                client.respond(self.serving.size)
        self._end_when_idle()

    def stop(self, ends: tuple[float, int]) -> bool:
        """The stop signal has come. Whether it goes on until what it was asked is answered."""
        if not self.serving.finishes or not self._busy:
            return False
        self.ends = ends
        return True

    def _end_when_idle(self) -> None:
        if self.ends is not None and not self._busy:
            (delay, code), self.ends = self.ends, None
            self.container.end_in(delay, code)

    def closed(self) -> None:
        """The process is gone."""
        clients, self._open, self._busy = self._open, {}, {}
        if self.container.host.powered:
            for client in clients:
                client.hang_up()


def _port(text: str) -> PortKey:
    number, _, protocol = text.partition("/")
    return protocol or "tcp", int(number)
