"""A simulated cluster: hosts with engines on a fabric, a clock under all of it. What is typed and done to it, and what can be seen of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from typing import TypeVar

from swarmsim.apitypes.http import Transport
from swarmsim.apitypes.specs import DiscreteResource, GenericResource, NamedResource
from swarmsim.docker.client import Result, run_docker, split_words
from swarmsim.docker.command import Write
from swarmsim.docker.files import Files
from swarmsim.engine.engine import Engine
from swarmsim.engine.images import Catalogue
from swarmsim.engine.routes import EngineTransport
from swarmsim.engine.stream import STDOUT
from swarmsim.image import OwnImage, UnknownImages
from swarmsim.network.resting import gossip_rules
from swarmsim.profile import Profile, load_profile
from swarmsim.sim.clock import Clock
from swarmsim.sim.future import Activity, AnyFuture, Future
from swarmsim.sim.host import Host, SimContext
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import RandomStreams
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.manager.overview import OVERVIEW, OverviewRequest
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.node import NodeDisk
from swarmsim.swarm.objects import Role
from swarmsim.swarm.skiprules import skip_rules
from swarmsim.trace import rows
from swarmsim.trace.rows import Row
from swarmsim.world import OUTSIDE, POLL, Fields, HostSpec, TrafficPlan
from swarmsim.world.authority import Authority, AuthoritySpec
from swarmsim.world.clients import Clients
from swarmsim.world.machine import SimulatedMachine
from swarmsim.world.rates import Rates
from swarmsim.world.shown import command_row
from swarmsim.world.standpoint import OnHost
from swarmsim.world.tools import NO_GOSSIP, ContainerPrograms, run
from swarmsim.world.tools.console import Console
from swarmsim.world.tools.curl import curl
from swarmsim.world.traffic import Traffic
from swarmsim.world.views import LOOK_TIMEOUT, View

T = TypeVar("T")

SWITCH = "lan"
INTERRUPTED = 130  # the exit code of a command that got Ctrl-C


class SimulatedCluster:
    """The hosts of a :class:`~swarmsim.world.simulated.SimulatedWorld`, and all that can be done to them.

    ``profile`` is a profile or the name of a shipped one. ``images`` are added to those the model knows. ``eager`` runs every heartbeat and tick; otherwise those that can change nothing are left out
    (:mod:`swarmsim.swarm.skiprules`). ``gossip``: engines tell each other of networks, packet by packet (:mod:`swarmsim.network`).
    """

    def __init__(
        self,
        hosts: list[HostSpec],
        seed: int,
        profile: str | Profile,
        *,
        images: Sequence[OwnImage] = (),
        unknown_images: UnknownImages = UnknownImages.MISSING,
        eager: bool = False,
        gossip: bool = False,
        authorities: Sequence[AuthoritySpec] = (),
    ) -> None:
        self.clock = Clock()
        of_world = load_profile(profile) if isinstance(profile, str) else profile
        self.ctx = SimContext(self.clock, RandomStreams(seed), of_world, gossip=gossip)
        self.journal = self.ctx.journal
        self.hosts: Mapping[str, HostSpec] = {spec.name: spec for spec in hosts}
        self.engines: dict[str, Engine] = {}
        self.catalogue = Catalogue(images, unknown_images)
        self.authorities: dict[str, Authority] = {}
        self._booting: set[str] = set()
        self._files = Files()
        self.backups: dict[str, tuple[str, NodeDisk]] = {}
        """Copies of hosts' swarm directories, by name: of which host, and what is in it."""
        self.scope = Scope(self.clock, "world")
        if not eager:
            self.clock.quiescence.rules.update(skip_rules(self.ctx, self._manager_on))
            self.clock.quiescence.rules.update(gossip_rules(self.ctx, lambda host: self.engines[host].gossip))
        programs = ContainerPrograms(lambda: self.clients)
        for spec in hosts:
            own = load_profile(spec.profile) if spec.profile else of_world
            host = Host(self.ctx, spec.name, spec.address, spec.cpus, spec.memory, own)
            self.ctx.fabric.link(spec.name, SWITCH, own.samplers["link"])
            engine = self.engines[spec.name] = Engine(
                host,
                self.catalogue,
                dict(spec.engine_labels),
                _generic(spec.resources),
                spec.plugins,
                spec.platform,
                spec.paths,
            )
            engine.programs = programs
            engine.boot()
        for authority in authorities:
            self.ctx.fabric.link(authority.name, SWITCH, of_world.samplers["link"])
            self.authorities[authority.name] = Authority(self.ctx, authority)

    @property
    def files(self) -> Files:
        """What docker commands may read."""
        return self._files

    @files.setter
    def files(self, files: Files) -> None:
        for authority in self.authorities.values():
            files = files.with_more(authority.files)
        self._files = files

    # -- time and chance

    @property
    def now(self) -> float:
        return self.clock.now

    def timeout(self, seconds: float) -> Future[None]:
        return self.clock.timeout(seconds)

    def promise(self) -> Future[None]:
        return self.clock.future()

    def first_of(self, waits: Collection[AnyFuture]) -> Future[object]:
        return self.clock.first_of(waits)

    def spawn(self, activity: Activity[T]) -> Future[T]:
        return self.scope.spawn(activity)

    def run(self, activity: Activity[T]) -> T:
        """Run ``activity`` to its end, and the world with it; returns or raises what it does."""
        return self.clock.run(self.scope.spawn(activity))

    def advance(self, until: float | AnyFuture) -> None:
        self.clock.run(until)

    def next_event(self) -> float:
        return self.clock.peek()

    def rng(self, name: str) -> Random:
        return self.ctx.streams.stream(name)

    def reseed(self, seed: int) -> None:
        self.ctx.streams.reseed(seed)

    # -- rows

    def note(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None:
        self.journal.note(row_type, *none, **fields)

    def subscribe(
        self,
        reader: Callable[[Row], object],
        without: frozenset[str] = frozenset(),
        only: frozenset[str] | None = None,
    ) -> None:
        self.journal.subscribe(reader, without, only)

    # -- who is what

    def _manager_on(self, host: str) -> Manager | None:
        node = self.engines[host].node
        return node.manager if node is not None else None

    def raft_on(self, host: str) -> RaftNode | None:
        """The Raft member that runs on a host, if one does."""
        manager = self._manager_on(host)
        return manager.raft if manager is not None and manager.raft.started else None

    def managers(self) -> list[str]:
        return list(self._manager_hosts())

    def managers_up(self) -> list[str]:
        return [host for host in self._manager_hosts() if self.engines[host].running]

    def leader(self) -> str | None:
        """Who leads; of two who both think they do, the first that was named."""
        for host in self.managers_up():
            manager = self._manager_on(host)
            if manager is not None and manager.raft.is_leader:
                return host
        return None

    def powered(self, host: str) -> bool:
        return self.engines[host].host.powered

    def _manager_hosts(self) -> Iterator[str]:
        found = False
        for name, engine in self.engines.items():
            disk = engine.host.disk.get("swarm")
            if disk is not None and disk.security.certificate.role is Role.MANAGER:
                found = True
                yield name
        if not found:
            yield from (name for name, spec in self.hosts.items() if spec.role == Role.MANAGER)

    # -- driving

    def docker(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        stdin: str = "",
        name: str | None = None,
        write: Write | None = None,
        interrupt: Future[None] | None = None,
    ) -> Activity[Result]:
        started = self.clock.now
        engine = self.engines[host]
        if not engine.host.powered:
            result = Result(255, "", f"swarmsim: nothing can be typed on {host}: it has no power\n")
        else:
            result = yield from self._interruptible(engine, line, limit, stdin, write, interrupt)
        took = self.clock.now - started
        self.note(rows.Docker, **command_row(host, line.removeprefix("docker "), result, took, name))
        return result

    def _interruptible(
        self,
        engine: Engine,
        line: str,
        limit: float | None,
        stdin: str,
        write: Write | None,
        ctrl_c: Future[None] | None,
    ) -> Activity[Result]:
        """A command ends when it is done, when its daemon dies under it, or at Ctrl-C."""
        shell = self.scope.child("docker")
        texts = {"out": "", "err": ""}

        def record(stream: str, text: str, drawn: str) -> None:
            texts[stream] += text
            if write is not None:
                write(stream, text, drawn)

        interrupt: Future[None] = self.clock.future()
        pressed: Future[None] = ctrl_c or self.clock.future()
        done = shell.spawn(self.type(engine, split_words(line), record, self.files.piped(stdin), interrupt))
        died = engine.process.ended
        waits: list[AnyFuture] = [done, pressed]
        if engine.running:
            waits.append(died)
        if limit is not None:
            shell.after(limit, lambda: None if pressed.triggered else pressed.succeed())
        yield self.clock.first_of(waits)
        if not done.processed and not died.triggered and interrupt.callbacks:
            interrupt.succeed()
            yield self.clock.first_of((done, died))
        shell.end()
        if done.processed:
            return done.value
        if not died.triggered:
            return Result(INTERRUPTED, texts["out"], texts["err"])
        message = "error during connect: the docker daemon went away: EOF\n"
        return Result(1, texts["out"], texts["err"] + message)

    def type(
        self, engine: Engine, words: list[str], write: Write, files: Files, interrupt: Future[None] | None = None
    ) -> Activity[Result]:
        """Run docker as a process on a host: it takes a moment to start, and one to print and to exit."""
        own_time = engine.sample_duration("cli")
        yield own_time / 2
        machine = SimulatedMachine(engine.host)
        result: Result = yield from run_docker(self.transport(engine), machine, words, write, files, interrupt)
        yield own_time / 2
        return result

    @cached_property
    def clients(self) -> Clients:
        """Who asks published ports; nobody does before they are asked for."""
        link = self.ctx.profile.samplers["link"]
        return Clients(self.ctx, self.engines, SWITCH, link)

    def curl(
        self,
        host: str,
        line: str,
        limit: float | None = None,
        name: str | None = None,
        write: Write | None = None,
        interrupt: Future[None] | None = None,
    ) -> Activity[Result]:
        started = self.clock.now
        if not self.ctx.gossip:
            result = Result(2, "", f"swarmsim: {NO_GOSSIP}\n")
        elif host != OUTSIDE and not self.engines[host].host.powered:
            result = Result(255, "", f"swarmsim: nothing can be typed on {host}: it has no power\n")
        else:
            result = yield from self._asking(host, line, limit, write or _unheard, interrupt or self.clock.future())
        took = self.clock.now - started
        self.note(rows.Curl, **command_row(host, line.removeprefix("curl "), result, took, name))
        return result

    def traffic(self, plan: TrafficPlan) -> Activity[None]:
        yield (Rates if plan.fluid else Traffic)(self.clients, self.scope, plan).over

    def _asking(
        self, host: str, line: str, limit: float | None, write: Write, pressed: Future[None]
    ) -> Activity[Result]:
        """curl ends when it is done, at Ctrl-C, or with its host."""
        shell = (self.scope if host == OUTSIDE else self.engines[host].host.power).child("curl")
        done = shell.spawn(self._curl(host, line.removeprefix("curl "), write))
        if limit is not None:
            shell.after(limit, lambda: None if pressed.triggered else pressed.succeed())
        yield self.clock.first_of((done, pressed, shell.ended))
        if done.processed:
            return done.value
        shell.end()
        return Result(INTERRUPTED, "", "")

    def _curl(self, host: str, line: str, write: Write) -> Activity[Result]:
        texts = {"out": "", "err": ""}

        def say(stream: int, text: str) -> None:
            name = "out" if stream == STDOUT else "err"
            texts[name] += text
            write(name, text, text)

        try:
            words = shlex.split(line)
        except ValueError as problem:
            return Result(2, "", f"swarmsim: {problem}\n")
        code = yield from run(curl, Console(OnHost(self.clients, host), say), words)
        return Result(code, texts["out"], texts["err"])

    def transport(self, engine: Engine) -> Transport:
        """How docker on a host reaches its daemon."""
        return EngineTransport(engine)

    # -- looking

    def view(self) -> Activity[View | None]:
        """What the first manager that answers shows, or ``None`` if none does."""
        for name in self._manager_hosts():
            engine = self.engines[name]
            if not engine.host.powered:
                continue
            yield engine.sample_duration("look")
            if not engine.running or engine.node is None or engine.node.control is None:
                continue
            manager = engine.node.control
            reply = manager.call(OVERVIEW, OverviewRequest(), LOOK_TIMEOUT)
            try:
                yield self.clock.first_of((reply, manager.scope.ended))
            except RpcError:
                continue
            if reply.processed:
                return View(self.clock.now, *reply.value)
        return None

    def next_change(self) -> Future[None]:
        return self.ctx.next_change()

    def until_next_look(self, stream: str) -> float:
        engine = next(iter(self.engines.values()))
        return (POLL + engine.sample_duration("look")) * self.rng(stream).random()

    # -- faults

    def isolate(self, hosts: list[str]) -> Activity[Callable[[], Activity[None]]]:
        number = self.ctx.fabric.separate(hosts)

        def rejoin() -> Activity[None]:
            self.ctx.fabric.rejoin(number)
            return
            yield

        return rejoin
        yield

    def add_latency(self, host: str, seconds: float) -> None:
        """Make the link of a host slower, one way, by ``seconds`` (0: as it was)."""
        latency = self.ctx.hosts[host].profile.samplers["link"]
        loss = self.ctx.fabric.graph.edges[host, SWITCH]["loss"]
        self.ctx.fabric.link(host, SWITCH, lambda rng: latency(rng) + seconds, loss, slow=seconds > 0)

    def set_loss(self, host: str, share: float) -> None:
        """Lose this share of the packets on the link of a host."""
        link = self.ctx.fabric.graph.edges[host, SWITCH]
        self.ctx.fabric.link(host, SWITCH, link["latency"], share, slow=link["slow"])

    def power_off(self, host: str) -> None:
        self._booting.discard(host)
        self.ctx.hosts[host].power_off()
        self._host_is_down(host)

    def kill_host(self, host: str) -> Activity[None]:
        """Kill every process of a host. They die at once; finding the last of them takes a moment."""
        self.ctx.hosts[host].kill_all()
        self._host_is_down(host)
        if host in self.engines:
            yield self.engines[host].sample_duration("kill_host")

    def _host_is_down(self, host: str) -> None:
        if host in self.engines:
            self.engines[host].crashed()
        self.ctx.mark_changed()

    def power_on(self, host: str) -> Activity[None]:
        """Power and boot; returns when the engine's API answers."""
        if host in self.authorities:
            self.authorities[host].power_on()
            return
        engine = self.engines[host]
        if (engine.host.powered and engine.running) or host in self._booting:
            return
        if not engine.host.powered:
            seconds = engine.sample_duration("boot")
            if seconds:
                self._booting.add(host)
                yield seconds
                if host not in self._booting:
                    return  # the plug was pulled meanwhile
                self._booting.discard(host)
        engine.host.power_on()
        yield engine.start()

    def kill_engine(self, host: str) -> None:
        self.engines[host].kill()
        self.ctx.mark_changed()

    def stop_engine(self, host: str) -> Activity[None]:
        stopped = self.engines[host].stop()
        yield self.clock.first_of((stopped, self.engines[host].process.ended))
        self.ctx.mark_changed()


def _unheard(stream: str, text: str, drawn: str) -> None:
    """Nobody looks while it is printed."""


def _generic(resources: Mapping[str, int | list[str]]) -> tuple[GenericResource, ...]:
    found: list[GenericResource] = []
    for kind, value in resources.items():
        if isinstance(value, int):
            found.append(GenericResource(discrete=DiscreteResource(kind=kind, value=value)))
        else:
            found += [GenericResource(named=NamedResource(kind=kind, value=name)) for name in value]
    return tuple(found)
