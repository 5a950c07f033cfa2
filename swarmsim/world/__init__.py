"""A world: hosts with Docker engines that a scenario is played on, behind one small protocol.

Commands and faults go in, rows come out. What drives a world (:mod:`swarmsim.scenario`) is written against :class:`World` and
knows nothing of what is behind it: :class:`~swarmsim.world.simulated.SimulatedWorld` is the model; real hosts can stand there as
well. What a world shows are rows in the form of the trace, and the :class:`~swarmsim.trace.state.ClusterState` that such rows add
up to; no object of the model leaves it.

What not every world can do has a name, a :class:`Capability`. Whoever needs one asks for it first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

from swarmsim.docker.client import Result
from swarmsim.docker.command import Write
from swarmsim.docker.files import Files
from swarmsim.trace.rows import Row
from swarmsim.trace.state import ClusterState

T = TypeVar("T")
Fields = ParamSpec("Fields")

Activity: TypeAlias = Generator[Any, Any, T]
"""What takes time in a world: a generator that yields what it waits for, a :class:`Wait` of that world or a number of seconds, and
returns a ``T``."""

POLL = 0.1
"""Seconds between two looks at what the managers show, as the recorder of the real clusters has it."""


class Capability(StrEnum):
    """What a world may be able to do, in the words of a refusal."""

    SEED = "random numbers from a seed"
    """The same seed gives the same run; another may be given on the way."""
    INTERNAL = "rows about the inside"
    """What no API shows: Raft's roles, the scheduler's reasons, what is true whether or not a manager can tell."""
    JUMP = "jumps in time"
    """Time in which nothing happens costs nothing; when the next thing happens can be asked."""
    FORMATION = "a cluster that is built for the scenario"
    PACKETS = "clients of published ports"
    IMAGES = "images that the scenario describes"
    """Whoever runs them does as the scenario says; real hosts have only what is pulled or built."""
    AUTHORITIES = "authorities outside the swarm"


class FaultError(Exception):
    """The fault cannot be done now (no such container, …)."""


class HostSpec(NamedTuple):
    """One host to build.

    ``role`` is what it is meant to become, ``manager`` or ``worker``; ``memory`` is in bytes; ``profile`` is a name, empty for the
    world's own. ``resources`` are generic ones: how many of a kind, or their names. ``plugins`` are pairs of type and name,
    ``platform`` is operating system and architecture. ``paths`` can be bound besides the usual ones.
    """

    name: str
    address: str
    role: str
    cpus: float = 2.0
    memory: int = 4 * 1024**3
    labels: Mapping[str, str] = {}
    engine_labels: Mapping[str, str] = {}
    profile: str = ""
    site: str = ""
    resources: Mapping[str, int | list[str]] = {}
    plugins: tuple[tuple[str, str], ...] = ()
    platform: tuple[str, str] = ("linux", "x86_64")
    paths: tuple[str, ...] = ()


class ContainerChoice(NamedTuple):
    """A running container: of a task (``web.2``), or the first on a host, of a service if one is named."""

    task: str | None = None
    on: str | None = None
    service: str | None = None

    @property
    def prefix(self) -> str:
        """What the name of such a container begins with."""
        meant = self.task if self.task is not None else self.service
        return f"{meant}." if meant else ""

    def __str__(self) -> str:
        return self.task if self.task is not None else f"{self.service or 'any'} on {self.on}"


class BackupRequest(NamedTuple):
    """``name`` is the copy's; ``on`` is the host that is copied, or that gets the copy: empty for the one it was taken of."""

    name: str
    on: str = ""


OUTSIDE = "outside"
"""Where a client is that is on no host."""


class TrafficPlan(NamedTuple):
    """Requests that are made whatever becomes of them: ``rate`` a second for ``duration`` seconds, to each of ``to`` in turn.

    ``source`` is a host or :data:`OUTSIDE`; if a ``service`` is named, its containers ask in turn, and ``to`` are names on their networks, whose answers a
    client that ``caches`` keeps as long as it may. With ``fluid`` no packet is sent: only how many end how is worked out. ``keeps`` how many connections to each host are kept, 0: a new one for each request. With ``protocol`` ``udp`` those are sockets, and a request is a
    datagram and the one that answers it.
    """

    name: str
    source: str
    to: tuple[str, ...]
    port: int
    rate: float
    keeps: int
    timeout: float
    retries: int
    duration: float
    service: str = ""
    caches: bool = False
    fluid: bool = False
    protocol: str = "tcp"


class Wait(Protocol):
    """Something that will happen in a world."""

    @property
    def processed(self) -> bool:
        """Whether it has happened, and who waited has been told."""

    @property
    def value(self) -> Any:
        """What came of it, once it has happened."""


class Promise(Wait, Protocol):
    """A wait that somebody ends, once."""

    @property
    def triggered(self) -> bool:
        """Whether it has been ended."""

    def succeed(self) -> object: ...


class World(Protocol):
    """Hosts with engines, and the time they live in. Times are seconds since the run began."""

    files: Files
    """What docker commands may read."""

    @property
    def capabilities(self) -> Collection[Capability]: ...

    @property
    def verbs(self) -> Collection[str]:
        """The faults it can do."""

    @property
    def hosts(self) -> Mapping[str, HostSpec]: ...

    # -- time

    @property
    def now(self) -> float: ...

    def timeout(self, seconds: float) -> Wait:
        """Happens after so many seconds."""

    def promise(self) -> Promise: ...

    def first_of(self, waits: Collection[Any]) -> Wait:
        """Happens when the first of ``waits``, which are this world's own, does."""

    def spawn(self, activity: Activity[T]) -> Wait:
        """Do something beside everything else; the wait is for its end."""

    def advance(self, until: Any) -> None:
        """Let time pass until a moment (seconds), or until a wait of this world's own is over."""

    def next_event(self) -> float:
        """When the next thing will happen, if only inside; infinity if never. Needs :attr:`Capability.JUMP`."""

    # -- randomness

    def rng(self, name: str) -> Random:
        """The stream of random numbers of this name."""

    def reseed(self, seed: int) -> None:
        """All streams go on as under ``seed``. Needs :attr:`Capability.SEED`."""

    # -- what there is to see

    def note(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None:
        """Write a row of one of the types of :mod:`swarmsim.trace.rows`, with its fields by name."""

    def subscribe(
        self,
        reader: Callable[[Row], object],
        without: frozenset[str] = frozenset(),
        only: frozenset[str] | None = None,
    ) -> None:
        """Give every row from now on to ``reader``, but for kinds in ``without``, or ``only`` some kinds."""

    def introduce(self) -> None:
        """Write down which hosts there are."""

    def observe(self) -> None:
        """Begin to write down what the managers show, whenever it changes."""

    def look(self) -> Activity[ClusterState | None]:
        """What a manager shows now: nodes, services and tasks. ``None`` if no manager answers."""

    def next_change(self) -> Wait:
        """Happens with the next change that an onlooker could see."""

    def until_next_look(self, stream: str) -> float:
        """Seconds from a change to the next of somebody's regular looks, which the change does not move."""

    # -- who is what

    def managers(self) -> list[str]:
        """Hosts that are managers by now, in the order they were named; before that, those meant to be."""

    def managers_up(self) -> list[str]:
        """Managers whose engine runs."""

    def leader(self) -> str | None:
        """The host whose manager leads, if one does."""

    def powered(self, host: str) -> bool: ...

    # -- what one can do

    def form(self) -> Activity[None]:
        """Make one swarm of all hosts. Needs :attr:`Capability.FORMATION`."""

    def docker(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        stdin: str = "",
        name: str | None = None,
        write: Write | None = None,
        interrupt: Any = None,
    ) -> Activity[Result]:
        """Type ``docker <line>`` on a host and write down what came of it.

        ``limit`` is when Ctrl-C is pressed, in seconds, if not when ``interrupt``, a wait of this world's own, happens; ``name`` is what the scenario
        calls the command. ``write`` is given what it prints as it appears.
        """

    def curl(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        name: str | None = None,
        write: Write | None = None,
        interrupt: Any = None,
    ) -> Activity[Result]:
        """Type ``curl <line>`` on a host, or ``outside`` of all, and write down what came of it; otherwise as :meth:`docker`. Needs
        :attr:`Capability.PACKETS`."""

    def traffic(self, plan: TrafficPlan) -> Activity[None]:
        """Carry out a plan, and write down every request; returns when the last has ended. Needs :attr:`Capability.PACKETS`."""

    def fault(self, verb: str, argument: Any) -> Activity[list[str]]:
        """Break or mend something; the hosts that were hit. Raises :class:`FaultError`.

        The argument is a list of hosts, but of ``partition`` a list of groups, of ``latency`` a host and seconds, of ``loss`` a host
        and a share of packets, of ``block`` and ``unblock`` a host and protocols with ports, of ``mtu`` a host and bytes (``None``: as usual), of ``clock`` a host, the seconds it
        is ahead and how many more it gains each second, of ``authority`` its name, one of ``sign refuse garbage busy never`` and the seconds it takes, if not as usual, of
        ``kill-container`` and ``fail-healthcheck`` a :class:`ContainerChoice`. ``heal`` without hosts
        undoes all cuts. ``backup`` and ``restore`` take a :class:`BackupRequest`.
        """

    def isolate(self, hosts: list[str]) -> Activity[Callable[[], Activity[None]]]:
        """Cut hosts off from all others, but not from each other; what it returns undoes just that."""
