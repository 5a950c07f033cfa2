"""Containers of one host: their lives on a clock, seen by an engine while it runs.

A container's process belongs to the host, not to the engine: if the engine is killed the process goes on
(its shim keeps the exit code), and only a power cut ends it without a trace. What the engine knows of its
containers is on disk.
"""

from __future__ import annotations

import math
from functools import partial
from random import Random

from simpy.events import Event

from swarmsim.engine.images import Run
from swarmsim.sim.chance import hex_id
from swarmsim.sim.host import Host
from swarmsim.sim.scope import Activity, Scope

SIGNAL_LATENCY = 0.05  # seconds a well-behaved process needs to stop; estimated
LOST = 255  # the exit code of a container whose process vanished with the power (daemon restore)
KILLED = 137


class Container:
    """``state`` is created, running or exited; times are simulated seconds."""

    def __init__(
        self,
        host: Host,
        rng: Random,
        name: str,
        image: str,
        command: list[str],
        run: Run | None,
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
        self.exit_code = 0
        self.pid = 0
        self.created_at = host.clock.now
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.process: Scope | None = None
        self.ports: tuple[str, ...] = ()
        self.hostname = ""
        self.volumes: tuple[str, ...] = ()
        self._exits: list[Event] = []
        self._rng = rng

    @property
    def service(self) -> str | None:
        """The service it belongs to, if it does."""
        return self.labels.get("com.docker.swarm.service.name")

    @property
    def alive(self) -> bool:
        """Whether the process still runs, whoever knows of it."""
        return self.process is not None and self.process.alive

    def start(self) -> None:
        assert self.run is not None
        self.process = Scope(self.host.clock, self.name, self.host.power)
        self.state = "running"
        self.started_at = self.host.clock.now
        self.pid = 1000 + int(self._rng.random() * 30000)
        self._note("container.started")
        self.process.on_end(partial(self._note, "container.ended"))
        if self.run.seconds < math.inf:
            self.process.after(self.run.seconds, self._exit, self.run.code)

    def _note(self, kind: str) -> None:
        self.host.around.journal.note(kind, host=self.host.name, container=self.id[:12], service=self.service)

    def signal(self, name: str) -> None:
        """Send a signal; what a process does not handle it ignores, except SIGKILL."""
        if not self.alive:
            return
        assert self.process is not None
        assert self.run is not None
        if name.upper().removeprefix("SIG") in ("KILL", "9"):
            self._exit(KILLED)
        elif self.run.stops is not None:
            self.process.after(SIGNAL_LATENCY, self._exit, self.run.stops)

    def exited(self) -> Event:
        """Happens when the process ends (at once if it has); asked by the engine."""
        event = self.host.clock.event()
        if self.state == "exited":
            event.succeed(self.exit_code)
        else:
            self._exits.append(event)
        return event

    def lost(self) -> None:
        """The process vanished: the engine finds out now and nobody knows the exit code."""
        self.state = "exited"
        self.exit_code = LOST
        self.finished_at = self.host.clock.now

    def _exit(self, code: int) -> None:
        assert self.process is not None
        self.process.end()
        self.state = "exited"
        self.exit_code = code
        self.finished_at = self.host.clock.now
        exits, self._exits = self._exits, []
        for event in exits:
            event.succeed(code)

    def stop(self, signal: str, grace: float) -> Activity:
        """Ask with ``signal``, insist with SIGKILL after ``grace`` seconds."""
        if self.alive:
            exited = self.exited()
            self.signal(signal)
            yield self.host.clock.first_of((exited, self.host.clock.env.timeout(grace)))
            if self.alive:
                self.signal("SIGKILL")
