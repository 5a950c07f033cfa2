"""Hosts: power, a disk that survives, and processes that do not.

A host's power is a scope and each process is a scope in it, so cutting the power ends everything on it
without a sound. Killing a process is different: the kernel lives on and closes the process's
connections, so peers see a reset at once. ``kill_all`` is a power-off with that courtesy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from swarmsim.sim.clock import Clock
from swarmsim.sim.fabric import Fabric
from swarmsim.sim.future import Future
from swarmsim.sim.journal import Journal
from swarmsim.sim.method import AnyMethod, Handler, Message, Method, Reply, Request, StreamHandler, StreamMethod
from swarmsim.sim.profile import Profile
from swarmsim.sim.rpc import Call, RpcError, Stream, TimeOuts
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import RandomStreams
from swarmsim.trace import rows


class Machine:
    """The real computer under several hosts: what one host does to containers slows what the others do.

    ``pace`` multiplies what container work takes all through a run: the same machine is quick one hour and slow another.
    """

    def __init__(self, speed_factor: float) -> None:
        self.speed_factor = speed_factor
        self._ends: list[float] = []

    def busy(self, now: float) -> int:
        """How many pieces of container work are under way."""
        self._ends = [end for end in self._ends if end > now]
        return len(self._ends)

    def works_until(self, end: float) -> None:
        self._ends.append(end)


class SimContext:
    """What every component of one simulated world shares: clock, chance, fabric, profile, journal."""

    def __init__(self, clock: Clock, streams: RandomStreams, profile: Profile) -> None:
        self.clock = clock
        self.streams = streams
        self.profile = profile
        self.fabric = Fabric(clock, streams)
        self.journal = Journal(clock)
        self.time_outs = TimeOuts(clock)
        self.hosts: dict[str, Host] = {}
        self.by_address: dict[str, Host] = {}
        self._machine: Machine | None = None
        self._changed: Future[Any] | None = None

    def mark_changed(self) -> None:
        """Something changed that an onlooker could see."""
        self.clock.quiescence.invalidate(self)
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.succeed()

    def next_change(self) -> Future[Any]:
        """Happens with the next change."""
        if self._changed is None:
            self._changed = self.clock.future()
        return self._changed

    def machine_for_next_host(self) -> Machine:
        """Hosts share a computer by groups of the profile's ``hosts_per_machine``, in order."""
        if self._machine is None or len(self.hosts) % self.profile.hosts_per_machine == 0:
            stream = self.streams.stream(f"machine/{len(self.hosts)}")
            self._machine = Machine(self.profile.samplers["speed_factor"](stream))
        return self._machine


class Host:
    """One machine. ``disk`` holds what survives a power cut, keyed by who wrote it."""

    def __init__(
        self,
        ctx: SimContext,
        name: str,
        address: str,
        cpus: float,
        memory: int,
        profile: Profile | None = None,
    ) -> None:
        self.ctx = ctx
        self.profile = profile or ctx.profile
        self.clock = ctx.clock
        self.name = name
        self.address = address
        self.cpus = cpus
        self.memory = memory
        self.disk: dict[str, Any] = {}
        self.power = Scope(self.clock, name)
        self.listeners: dict[AnyMethod, tuple[Process, Callable[[Any, Any], Any]]] = {}
        self.machine = ctx.machine_for_next_host()
        ctx.hosts[name] = self
        ctx.by_address[address] = self

    @property
    def powered(self) -> bool:
        return self.power.alive

    def power_off(self) -> None:
        """Silence: nothing on this host runs any more, and nobody is told."""
        if self.power.alive:
            self.ctx.journal.note(rows.Power, host=self.name, on=False)
        self.power.end()
        self.listeners.clear()

    def power_on(self) -> None:
        """Give power again. Starting processes is for whoever boots the machine."""
        if not self.power.alive:
            self.clock.quiescence.invalidate(self)
            self.power = Scope(self.clock, self.name)
            self.ctx.journal.note(rows.Power, host=self.name, on=True)

    def kill_all(self) -> None:
        """Every process dies at once while the kernel stays: peers see their connections reset, and
        whoever calls is refused."""
        for child in list(self.power.children):
            if isinstance(child, Process):
                child.kill()
            else:
                child.end()

    def rng(self, component: str) -> Any:
        """The random stream of one component of this host."""
        return self.ctx.streams.stream(f"{self.name}/{component}")

    def __repr__(self) -> str:
        return f"<Host {self.name}{'' if self.powered else ' (off)'}>"


class Process(Scope):
    """An operating-system process: serves calls, makes calls, holds connections."""

    __slots__ = ("calls", "ctx", "host", "streams")

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host.clock, f"{host.name}/{name}", host.power)
        self.host = host
        self.ctx = host.ctx
        self.calls: dict[Call[Any, Any], None] = {}
        self.streams: dict[Stream[Any, Any], None] = {}

    def serve(
        self, method: Method[Request, Reply], handler: Handler[Request, Reply], lifetime: Scope | None = None
    ) -> None:
        """Answer ``method`` with ``handler`` as long as ``lifetime`` (default: this process) lives."""
        self._listen(method, handler, lifetime)

    def serve_stream(
        self,
        method: StreamMethod[Request, Message],
        handler: StreamHandler[Request, Message],
        lifetime: Scope | None = None,
    ) -> None:
        """Give streams of ``method`` to ``handler`` as long as ``lifetime`` (default: this process) lives."""
        self._listen(method, handler, lifetime)

    def _listen(self, method: AnyMethod, handler: Callable[[Any, Any], Any], lifetime: Scope | None) -> None:
        self.clock.quiescence.invalidate(self.host)
        listeners = self.host.listeners
        entry = (self, handler)
        listeners[method] = entry

        def close() -> None:
            if listeners.get(method) is entry:
                del listeners[method]

        (lifetime or self).on_end(close)

    def call(
        self,
        dst: str,
        method: Method[Request, Reply],
        request: Request,
        timeout: float | None = None,
        *,
        redirected: bool = False,
    ) -> Future[Reply]:
        """Ask ``dst``; the future carries the reply or fails with :class:`RpcError`.

        ``timeout`` in seconds. Without one a call over a cut link waits for ever.
        """
        return self.begin_call(dst, method, request, timeout, redirected=redirected).reply

    def connect(
        self, dst: str, method: Method[Request, Reply], request: Request, timeout: float, ago: float = 0.0
    ) -> Future[Reply]:
        """As :meth:`call`, to whoever may not be there yet: what gets no answer is sent again, as TCP does its SYN.

        ``ago``: the attempt began so many seconds before, and has had no answer so far.
        """
        call = self.begin_call(dst, method, request, timeout - ago, send=not ago)
        call.send_again(ago)
        return call.reply

    def begin_call(
        self,
        dst: str,
        method: Method[Request, Reply],
        request: Request,
        timeout: float | None,
        send: bool = True,
        redirected: bool = False,
    ) -> Call[Request, Reply]:
        """As :meth:`call`, for whoever wants to know more of the call than its answer."""
        self.clock.quiescence.invalidate((self.host.name, method))
        self.clock.quiescence.invalidate((dst, method))
        call = Call(self, dst, method, request, redirected)
        if timeout is not None:
            self.ctx.time_outs.add(call, timeout)
        if send:
            call.send()
        return call

    def stream(
        self,
        dst: str,
        method: StreamMethod[Request, Message],
        request: Request,
        on_message: Callable[[Message], object],
        on_close: Callable[[RpcError], object],
        timeout: float = math.inf,
        *,
        redirected: bool = False,
    ) -> Stream[Request, Message]:
        """Open a server stream: ``on_message`` for each message, ``on_close`` once when it breaks.

        ``timeout``: for so many seconds the caller will wait for the first message.
        """
        deadline = self.clock.now + timeout
        stream = Stream(self, dst, method, request, on_message, on_close, deadline, redirected)
        stream.open()
        return stream

    def kill(self) -> None:
        """SIGKILL: the process is gone and the kernel resets its connections."""
        if not self.alive:
            return
        calls, streams = list(self.calls), list(self.streams)
        self.end()
        for call in calls:
            call.reset()
        for stream in streams:
            stream.reset(self)
