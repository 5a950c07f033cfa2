"""Containers of one host: their lives on a clock, seen by an engine while it runs.

A container's process belongs to the host, not to the engine: if the engine is killed the process goes on
(its shim keeps the exit code), and only a power cut ends it without a trace. What the engine knows of its
containers is on disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from swarmsim.apitypes.specs import SECOND, HealthConfig, PortConfig
from swarmsim.engine.behaviour import Behaviour, signal_name
from swarmsim.engine.server import ContainerServer
from swarmsim.engine.stream import Pipe, Program, log_frame
from swarmsim.image import ImageCheck
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Host
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import hex_id
from swarmsim.swarm.objects import Attachment
from swarmsim.trace import rows
from swarmsim.unix.mounts import FileSystem
from swarmsim.unix.process import System

SIGNAL_LATENCY = 0.05  # seconds a well-behaved process needs to stop; estimated
LOST = 255  # the exit code of a container whose process vanished with the power (daemon restore)
KILLED = 137
MOST_SAID = 100_000
"""Pieces of output kept of one container; the model's own bound."""
NOTHING: dict[str, str] = {}


class HealthCheck(NamedTuple):
    """Seconds; the defaults are moby's (daemon/health.go)."""

    test: list[str]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    retries: int = 3

    @classmethod
    def of(cls, config: HealthConfig | None, image: ImageCheck | None) -> HealthCheck | None:
        """The check a service asks for; what it leaves open the image's own says (daemon/commit.go merge). ``None``: there is none."""
        config = config or HealthConfig()
        test = config.test or (["CMD", "healthcheck"] if image is not None else [])
        if not test or test[0] == "NONE":
            return None
        image = image or ImageCheck()
        return cls(
            test,
            config.interval / SECOND or image.interval or 30.0,
            config.timeout / SECOND or image.timeout or 30.0,
            config.start_period / SECOND or image.start_period,
            config.retries or image.retries or 3,
        )


class Container:
    """``state`` is created, running or exited; times are simulated seconds."""

    __slots__ = (
        "_exits",
        "_health_waiters",
        "_output",
        "_probes_fail",
        "_rng",
        "_subscribers",
        "aliases",
        "attachments",
        "auto_remove",
        "bindings",
        "command",
        "connected",
        "created_at",
        "env",
        "exit_code",
        "failing_streak",
        "files",
        "finished_at",
        "health",
        "host",
        "hostname",
        "id",
        "image",
        "ingress_ports",
        "is_named",
        "labels",
        "listener",
        "name",
        "network",
        "pid",
        "ports",
        "process",
        "program",
        "publishes",
        "run",
        "runs",
        "said",
        "server",
        "started_at",
        "state",
        "system",
        "tidied",
        "volumes",
        "wanted_address",
        "well_after",
    )

    def __init__(
        self,
        host: Host,
        rng: Random,
        name: str,
        image: str,
        command: list[str],
        run: Behaviour | None,
        labels: dict[str, str],
    ) -> None:
        self.host = host
        self.id = hex_id(rng)
        self.name = name
        self.image = image
        self.command = command
        self.run = run
        self.labels = labels
        self.state = "created"
        self.runs = 1
        """How many times it has been started, the coming one included as long as it has not ended."""
        self.exit_code = 0
        self.pid = 0
        self.created_at = host.clock.now
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.process: Scope | None = None
        self.ports: tuple[str, ...] = ()
        self.publishes: tuple[PortConfig, ...] = ()
        """The ports of the host that are to lead to it."""
        self.ingress_ports: tuple[PortConfig, ...] = ()
        """The ports of the routing mesh that lead to it."""
        self.attachments: tuple[Attachment, ...] = ()
        """The networks of the swarm it is on."""
        self.connected = False
        """Whether its ends on them have been made: before its process is."""
        self.bindings: tuple[PortConfig, ...] = ()
        """Those that do while it runs: one for IPv4 and one for IPv6, with the numbers the engine chose."""
        self.aliases: tuple[str, ...] = ()
        """Names of a plain container besides its own."""
        self.network = ""
        """The network a plain container is for."""
        self.wanted_address = ""
        """The only one it will take there."""
        self.is_named = True
        """Whether somebody gave it its name."""
        self.auto_remove = False
        self.tidied: Future[None] | None = None
        """Happens when a plain container has ended and left its network, and is removed if it was to be."""
        self.program: Program | None = None
        """What a plain container's process does, where ``run`` says only how it takes signals."""
        self.files: FileSystem | None = None
        """Its own, once something looked at them."""
        self.system: System | None = None
        """Its processes, once one was started beside its own program; of a plain container that is its first."""
        self.hostname = ""
        self.env: list[str] = []
        self.volumes: tuple[str, ...] = ()
        self.well_after = 0.0
        """Seconds from its start until its health checks can succeed."""
        self.server: ContainerServer | None = None
        """Who answers in it, if it is on a network or has a port."""
        self.health = ""
        """Of its health check: starting, healthy or unhealthy; empty without one."""
        self._probes_fail = False
        """Whether its health checks fail from now on."""
        self.failing_streak = 0
        self.listener: Callable[[Container, str, dict[str, str]], object] = lambda *_: None
        """Told of what happens to it, for ``docker events``."""
        self.said: list[tuple[float, int, str]] = []
        """What its own program printed: when by the host's clock, to which stream, and a piece of text."""
        self._output: list[Pipe[bytes]] = []
        self._subscribers: list[Pipe[str]] = []
        self._exits: list[Future[int]] = []
        self._health_waiters: list[Future[str]] = []
        self._rng = rng

    @property
    def service(self) -> str | None:
        """The service it belongs to, if it does."""
        return self.labels.get("com.docker.swarm.service.name")

    @property
    def task(self) -> str | None:
        """The first characters of its task's id, if it has one."""
        id = self.labels.get("com.docker.swarm.task.id")
        return id[:8] if id is not None else None

    @property
    def life(self) -> str:
        """What its ends on networks are known by: each time it is started it has others."""
        return self.id if self.runs < 2 else f"{self.id}/{self.runs}"

    @property
    def alive(self) -> bool:
        """Whether the process still runs, whoever knows of it."""
        return self.process is not None and self.process.alive

    def emit(self, action: str, more: dict[str, str] = NOTHING) -> None:
        """Tell what happened to it."""
        self.listener(self, action, more)
        for subscriber in self._subscribers:
            subscriber.put(action)

    def subscribe(self) -> Pipe[str]:
        """What happens to it from now on: the actions of ``docker events``; ``die``, if it has ended already."""
        mailbox: Pipe[str] = Pipe(self.host.clock)
        if self.state == "exited":
            mailbox.put("die")
        self._subscribers.append(mailbox)
        return mailbox

    def start(self) -> None:
        assert self.run is not None
        self.process = Scope(self.host.clock, self.name, self.host.power)
        self.state = "running"
        self.started_at = self.host.clock.now
        self.pid = 1000 + int(self._rng.random() * 30000)
        self._note(rows.ContainerStarted)
        self.emit("start")
        self.process.on_end(partial(self._note, rows.ContainerEnded))
        if self.server is not None:
            self.process.on_end(self.server.closed)
        if self.program is not None:
            self.process.spawn(self._run_program(self.program))
        elif self.run.seconds < math.inf:
            self.process.after(self.run.seconds, self._exit, self.run.code)

    def _run_program(self, program: Program) -> Activity[None]:
        self._exit((yield from program(self._say)))

    def _say(self, stream: int, text: str) -> None:
        self.said.append((self.host.wall.now, stream, text))
        if len(self.said) > MOST_SAID:
            del self.said[0]
        for pipe in self._output:
            pipe.put(log_frame(stream, text))

    def output(self) -> Pipe[bytes]:
        """What a plain container prints from now on, as frames, to its end."""
        pipe: Pipe[bytes] = Pipe(self.host.clock)
        self._output.append(pipe)
        return pipe

    def _note(self, row_type: type[rows.ContainerStarted] | type[rows.ContainerEnded]) -> None:
        self.host.ctx.journal.note(
            row_type, host=self.host.name, container=self.id[:12], service=self.service, task=self.task
        )

    def fail_probes(self) -> None:
        """From now on every health check of this container fails."""
        self._probes_fail = True

    def signal(self, name: str) -> None:
        """Send a signal; what a process does not handle it ignores, except SIGKILL."""
        if not self.alive:
            return
        assert self.process is not None
        assert self.run is not None
        self.emit("kill", {"signal": name})
        if signal_name(name) == "KILL":
            self._exit(KILLED)
        elif self.program is not None and self.system is not None:
            self.system.processes[1].kill(signal_name(name))
        else:
            ends = self.run.ends_by(name, self.host.clock.now - (self.started_at or 0.0))
            if ends is None:
                return
            seconds, code = SIGNAL_LATENCY + ends[0], ends[1]
            if self.server is None or not self.server.stop((seconds, code)):
                self.process.after(seconds, self._exit, code)

    def end_in(self, seconds: float, code: int) -> None:
        """The process ends by itself in so many seconds."""
        if self.process is not None:
            self.process.after(seconds, self._exit, code)

    def exited(self) -> Future[int]:
        """The exit code, when the process ends (at once if it has); asked by the engine."""
        event: Future[int] = self.host.clock.future()
        if self.state == "exited":
            event.succeed(self.exit_code)
        else:
            self._exits.append(event)
        return event

    def next_exit(self) -> Future[int]:
        """The exit code of the next time it ends."""
        event: Future[int] = self.host.clock.future()
        self._exits.append(event)
        return event

    # -- health

    def watch_health(
        self, check: HealthCheck, probe: Behaviour, probing: Callable[[], float], *, asks_server: bool = False
    ) -> Activity[None]:
        """Probe the container as long as it runs (moby daemon/health.go); ``probing`` is what a probe itself takes.

        A probe comes an interval after the start and after each other; so many failures in a row make it unhealthy,
        those in the start period do not count as long as it never was healthy.
        """
        started = self.host.clock.now
        self._set_health("starting")
        while True:
            yield check.interval
            if self.state != "running":
                return
            well = self.host.clock.now - started >= self.well_after
            seconds = probing() + probe.seconds
            yield min(seconds, check.timeout)
            if self.state != "running":
                return
            well = well and not (asks_server and self._deaf)
            if well and seconds < check.timeout and probe.code == 0 and not self._probes_fail:
                self.failing_streak = 0
                self._set_health("healthy")
                continue
            excused = self.health == "starting" and self.host.clock.now - started < check.start_period
            if not excused:
                self.failing_streak += 1
                if self.failing_streak >= check.retries:
                    self._set_health("unhealthy")

    @property
    def _deaf(self) -> bool:
        """Whether its server does not listen yet."""
        return self.server is not None and self.server.warming_up

    def _set_health(self, health: str) -> None:
        if health == self.health:
            return
        self.health = health
        self.host.ctx.journal.note(
            rows.ContainerHealth,
            host=self.host.name,
            container=self.id[:12],
            service=self.service,
            task=self.task,
            health=health,
        )
        if health != "starting":
            self.emit(f"health_status: {health}")
        waiters, self._health_waiters = self._health_waiters, []
        for event in waiters:
            event.succeed(health)

    def health_changed(self) -> Future[str]:
        """Its health, when it is another."""
        event: Future[str] = self.host.clock.future()
        self._health_waiters.append(event)
        return event

    def printed(self) -> list[tuple[float, str]]:
        """What it wrote to its log so far: (seconds by the host's clock, line)."""
        if self.run is None or self.started_at is None:
            return []
        end = self.host.clock.now if self.finished_at is None else self.finished_at
        return [
            (self.host.wall.at(self.started_at + after), text)
            for after, text in self.run.printed(end - self.started_at)
        ]

    def lost(self) -> None:
        """The process vanished: the engine finds out now and nobody knows the exit code."""
        self.state = "exited"
        self.exit_code = LOST
        self.bindings = ()
        self.finished_at = self.host.clock.now

    def _exit(self, code: int) -> None:
        assert self.process is not None
        self.process.end()
        self.state = "exited"
        self.exit_code = code
        self.finished_at = self.host.clock.now
        self.bindings = ()
        self.emit("die", {"exitCode": str(code)})
        for pipe in self._output:
            pipe.end()
        exits, self._exits = self._exits, []
        for event in exits:
            event.succeed(code)

    def stop(self, signal: str, grace: float) -> Activity[None]:
        """Ask with ``signal``, insist with SIGKILL after ``grace`` seconds."""
        if self.alive:
            exited = self.exited()
            self.signal(signal)
            yield self.host.clock.first_of((exited, self.host.clock.timeout(grace)))
            if self.alive:
                self.signal("SIGKILL")
