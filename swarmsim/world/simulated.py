"""The simulated world: hosts with engines on a fabric, a clock under all of it.

Commands and faults come in, observations go out through the journal, in the form the recorder of the real
cluster used: what a manager's API shows, looked at every 0.1 s and written down when it changed. A look
asks the managers in order, 5 s each, and takes the first answer.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from itertools import compress
from random import Random
from typing import Any, NamedTuple, TypeVar

import msgspec

from swarmsim.apitypes.specs import GenericResource
from swarmsim.docker.client import Result, run_docker, split_words
from swarmsim.docker.files import Files
from swarmsim.engine.api import EngineAPI
from swarmsim.engine.engine import Engine
from swarmsim.sim.clock import Clock, timestamp
from swarmsim.sim.future import Activity
from swarmsim.sim.host import Host, SimContext
from swarmsim.sim.net.rpc import RpcError
from swarmsim.sim.profile import Profile, load_profile
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import RandomStreams
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.manager.manager import Manager
from swarmsim.swarm.manager.overview import OVERVIEW, OverviewRequest
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.objects import Role, Service, Task
from swarmsim.swarm.skiprules import skip_rules
from swarmsim.swarm.states import TaskState
from swarmsim.trace import rows
from swarmsim.world.vitals import Vitals

T = TypeVar("T")
POLL = 0.1  # seconds between two looks of the observer
LOOK_TIMEOUT = 5.0  # seconds a manager gets to answer one
JOIN_WAVE = 1000  # workers that join at once; of many more some would run into the engine's 20 s
SWITCH = "lan"
INTERRUPTED = 130  # the exit code of a command that got Ctrl-C


class HostSpec(NamedTuple):
    """One host to build. ``memory`` in bytes; ``profile`` by name, if it is not the world's."""

    name: str
    address: str
    role: Role
    cpus: float = 2.0
    memory: int = 4 * 1024**3
    labels: dict[str, str] = {}
    engine_labels: dict[str, str] = {}
    profile: str = ""
    site: str = ""
    generic: tuple[GenericResource, ...] = ()
    plugins: tuple[tuple[str, str], ...] = ()
    platform: tuple[str, str] = ("linux", "x86_64")


class View(NamedTuple):
    """What a manager's API showed at one moment."""

    at: float
    nodes: list[NodeView]
    services: list[Service]
    tasks: list[Task]

    def running(self, service: str) -> int:
        """How many tasks of a service run and shall run, or of a job shall run to their end."""
        ids = {s.id for s in self.services if s.spec.name == service}
        return sum(
            1
            for task in self.tasks
            if task.service_id in ids
            and task.status.state is TaskState.RUNNING
            and task.desired_state in (TaskState.RUNNING, TaskState.COMPLETE)
        )

    def node(self, host: str) -> NodeView | None:
        """The node of a host: the newest, if it joined more than once."""
        found = [view for view in self.nodes if view.node.hostname == host]
        return found[-1] if found else None

    @property
    def leader(self) -> str | None:
        return next((v.node.hostname for v in self.nodes if v.manager is not None and v.manager.leader), None)


class SimulatedWorld:
    """A cluster on paper. Build it, :meth:`form` a swarm on it, then :meth:`run` what drives it.

    ``eager`` runs every heartbeat and tick; otherwise those that can change nothing are left out
    (:mod:`swarmsim.swarm.skiprules`).
    """

    def __init__(self, hosts: list[HostSpec], seed: int, profile: Profile, *, eager: bool = False) -> None:
        self.clock = Clock()
        self.ctx = SimContext(self.clock, RandomStreams(seed), profile)
        self.journal = self.ctx.journal
        self.specs = {spec.name: spec for spec in hosts}
        self.engines: dict[str, Engine] = {}
        self.files = Files()
        """What docker commands may read."""
        self.scope = Scope(self.clock, "world")
        if not eager:
            self.clock.quiescence.rules.update(skip_rules(self.ctx, self._manager_on))
        for spec in hosts:
            own = load_profile(spec.profile) if spec.profile else profile
            host = Host(self.ctx, spec.name, spec.address, spec.cpus, spec.memory, own)
            self.ctx.fabric.link(spec.name, SWITCH, own.samplers["link"])
            engine = self.engines[spec.name] = Engine(
                host, ("mini:1", "mini:2"), spec.engine_labels, spec.generic, spec.plugins, spec.platform
            )
            engine.boot()

    # -- driving

    def run(self, activity: Activity[Any]) -> Any:
        """Run ``activity`` to its end, and the world with it; returns or raises what it does."""
        done = self.scope.spawn(activity)
        return self.clock.run(done)

    def _manager_on(self, host: str) -> Manager | None:
        node = self.engines[host].node
        return node.manager if node is not None else None

    def raft_on(self, host: str) -> RaftNode | None:
        """The Raft member that runs on a host, if one does."""
        manager = self._manager_on(host)
        return manager.raft if manager is not None and manager.raft.started else None

    def api(self, host: str) -> EngineAPI:
        return EngineAPI(self.engines[host])

    @property
    def manager_hosts(self) -> list[str]:
        """Hosts that are managers by now, in the order they were named; before that, those meant to be."""
        return list(self._manager_hosts())

    def _manager_hosts(self) -> Iterator[str]:
        found = False
        for name, engine in self.engines.items():
            disk = engine.host.disk.get("swarm")
            if disk is not None and disk.identity.role is Role.MANAGER:
                found = True
                yield name
        if not found:
            yield from (name for name, spec in self.specs.items() if spec.role is Role.MANAGER)

    def docker(self, host: str, line: str, limit: float | None = None, stdin: str = "") -> Activity[Any]:
        """Type ``docker <line>`` on a host; returns the :class:`Result` and notes it.

        ``limit`` in seconds: Ctrl-C after that long.
        """
        started = self.clock.now
        engine = self.engines[host]
        if not engine.host.powered:
            result = Result(255, "", f"swarmsim: nothing can be typed on {host}: it has no power\n")
        else:
            result = yield from self._interruptible(engine, line, limit, stdin)
        self.journal.note(
            rows.Docker,
            on=host,
            cmd=line.removeprefix("docker "),
            rc=result.code,
            out=result.out.strip(),
            err=result.err.strip(),
            s=round(self.clock.now - started, 3),
        )
        return result

    def _interruptible(self, engine: Engine, line: str, limit: float | None, stdin: str) -> Activity[Any]:
        """A command ends when it is done, when its daemon dies under it, or at Ctrl-C."""
        shell = self.scope.child("docker")
        texts = {"out": "", "err": ""}

        def record(stream: str, text: str) -> None:
            texts[stream] += text

        interrupt = self.clock.future()
        done = shell.spawn(run_docker(EngineAPI(engine), split_words(line), record, self.files.piped(stdin), interrupt))
        died = engine.process.ended
        waits = [done]
        if engine.running:
            waits.append(died)
        if limit is not None:
            waits.append(self.clock.timeout(limit))
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

    def form(self) -> Activity[Any]:
        """Make one swarm of all hosts with ``swarm init`` and ``join``, then set their labels."""
        names = list(self.specs)
        first = next(name for name, spec in self.specs.items() if spec.role is Role.MANAGER)
        address = self.specs[first].address
        yield from self._must(first, f"swarm init --advertise-addr {address}")
        tokens = {}
        for role in Role:
            result = yield from self._must(first, f"swarm join-token -q {role}")
            tokens[role] = result.out.strip()
        managers = [n for n in names if n != first and self.specs[n].role is Role.MANAGER]
        for name in managers:
            yield from self._join(name, tokens[Role.MANAGER], address)
        workers = [n for n in names if self.specs[n].role is Role.WORKER]
        if len(workers) > 10:
            for first_of_wave in range(0, len(workers), JOIN_WAVE):
                wave = workers[first_of_wave : first_of_wave + JOIN_WAVE]
                for joined in [self.scope.spawn(self._join(n, tokens[Role.WORKER], address)) for n in wave]:
                    yield joined
        else:
            for name in workers:
                yield from self._join(name, tokens[Role.WORKER], address)
        for name, spec in self.specs.items():
            if spec.labels:
                labels = " ".join(f"--label-add {key}={value}" for key, value in spec.labels.items())
                yield from self._must(first, f"node update {labels} {name}")

    def _join(self, name: str, token: str, address: str) -> Activity[Any]:
        own = self.specs[name].address
        yield from self._must(name, f"swarm join --token {token} --advertise-addr {own} {address}:2377")

    def _must(self, host: str, line: str) -> Activity[Any]:
        result = yield from self.docker(host, line)
        if result.code:
            raise RuntimeError(f"forming the cluster failed: docker {line} on {host}: {result.err}")
        return result

    # -- looking

    def look(self) -> Activity[Any]:
        """A :class:`View` from the first manager that answers, or ``None`` if none does."""
        for name in self._manager_hosts():
            engine = self.engines[name]
            if not engine.host.powered:
                continue
            yield engine.sample_duration("look")
            if not engine.running or engine.node is None or engine.node.manager is None:
                continue
            manager = engine.node.manager
            reply = manager.call(OVERVIEW, OverviewRequest(), LOOK_TIMEOUT)
            try:
                yield self.clock.first_of((reply, manager.scope.ended))
            except RpcError:
                continue
            if reply.processed:
                return View(self.clock.now, *reply.value)
        return None

    def poll_phase(self, rng: Random) -> float:
        """Seconds from a change to the next of somebody's regular looks, which it does not disturb."""
        engine = next(iter(self.engines.values()))
        return (POLL + engine.sample_duration("look")) * rng.random()

    def observe(self) -> None:
        """Start writing down what the managers' API shows, and what is true."""
        self.scope.spawn(_Observer(self).run())
        Vitals(self)

    def introduce(self) -> None:
        """Note the hosts there are, and from now on what of the links between them is not as usual."""
        for name, spec in self.specs.items():
            self.journal.note(
                rows.Host,
                host=name,
                role=str(spec.role),
                site=spec.site or None,
                address=spec.address,
                cpus=spec.cpus,
                memory=spec.memory,
            )
        self.ctx.fabric.on_change = self._note_links

    def _note_links(self) -> None:
        fabric = self.ctx.fabric
        links = {host: fabric.graph.edges[host, SWITCH] for host in self.specs}
        self.journal.note(
            rows.Links,
            cuts=fabric.cuts(),
            isolated=fabric.separations(),
            slow=[host for host, link in links.items() if link["slow"]],
            lossy={host: round(100 * link["loss"], 3) for host, link in links.items() if link["loss"]},
        )

    # -- faults on hosts and links

    def add_latency(self, host: str, seconds: float) -> None:
        """Make the link of a host slower, one way, by ``seconds`` (0: as it was)."""
        latency = self.engines[host].host.profile.samplers["link"]
        loss = self.ctx.fabric.graph.edges[host, SWITCH]["loss"]
        self.ctx.fabric.link(host, SWITCH, lambda rng: latency(rng) + seconds, loss, slow=seconds > 0)

    def set_loss(self, host: str, share: float) -> None:
        """Lose this share of the packets on the link of a host."""
        link = self.ctx.fabric.graph.edges[host, SWITCH]
        self.ctx.fabric.link(host, SWITCH, link["latency"], share, slow=link["slow"])

    def power_off(self, host: str) -> None:
        self.engines[host].host.power_off()
        self._host_is_down(host)

    def kill_host(self, host: str) -> Activity[Any]:
        """Kill every process of a host. They die at once; finding the last of them takes a moment."""
        self.engines[host].host.kill_all()
        self._host_is_down(host)
        yield self.engines[host].sample_duration("kill_host")

    def _host_is_down(self, host: str) -> None:
        self.engines[host].crashed()
        self.ctx.mark_changed()

    def power_on(self, host: str) -> Activity[Any]:
        """Power and boot; returns when the engine's API answers."""
        engine = self.engines[host]
        if engine.host.powered and engine.running:
            return
        engine.host.power_on()
        yield engine.start()

    def kill_engine(self, host: str) -> None:
        self.engines[host].kill()
        self.ctx.mark_changed()

    def stop_engine(self, host: str) -> Activity[Any]:
        stopped = self.engines[host].stop()
        yield self.clock.first_of((stopped, self.engines[host].process.ended))
        self.ctx.mark_changed()


def _changed(now: list[T], before: list[T], differ: Callable[[T, T], bool] = operator.is_not) -> list[T]:
    """Those of ``now`` that were not in the same place before: all that changed, and perhaps some that did not.

    A look shows thousands of objects of which a handful are new; comparing places is a loop without Python.
    """
    return [*compress(now, map(differ, now, before)), *now[len(before) :]]


class _Observer:
    """Writes a row whenever a look shows something else than the one before."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.journal = world.journal
        self._nodes: dict[str, tuple[Any, ...]] = {}
        self._specs: dict[str, tuple[Any, ...]] = {}
        self._services: dict[str, Service] = {}
        self._tasks: dict[str, Task] = {}
        self._view = View(0.0, [], [], [])
        self._answering: bool | None = None
        self._hosts: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._rng = world.ctx.streams.stream("observer")

    def run(self) -> Activity[Any]:
        clock, ctx = self.world.clock, self.world.ctx
        while True:
            changed, began = ctx.next_change(), clock.now
            view: View | None = yield from self.world.look()
            if view is None:
                if self._answering is not False:
                    self._answering = False
                    self.journal.note(rows.NoManagerAnswers)
                if clock.now - began >= LOOK_TIMEOUT:  # whoever was too slow may be faster now
                    yield POLL
                    continue
            elif self._answering is not True:
                self._answering = True
                self._write(view)
                self.journal.note(rows.ManagerAnswers)
            else:
                self._write(view)
            looked = clock.now
            yield changed
            # The recorder looks all the time; what it sees unchanged is left out here. A change comes at
            # no particular moment between two looks.
            if clock.now - looked < POLL:
                yield POLL - (clock.now - looked)
            else:
                yield self.world.poll_phase(self._rng)

    def _write(self, view: View) -> None:
        for node in _changed(view.nodes, self._view.nodes, operator.ne):
            self._node(node)
        for service in _changed(view.services, self._view.services):
            if self._services.get(service.id) is not service:
                self._service(service)
        for task in _changed(view.tasks, self._view.tasks):
            if self._tasks.get(task.id) is not task:
                self._task(task)
        if len(self._nodes) > len(view.nodes):
            for id in sorted(self._nodes.keys() - {each.node.id for each in view.nodes}):
                del self._nodes[id]
                self.journal.note(rows.NodeGone, node=self._hosts[id], id=id[:8])
        if len(self._services) > len(view.services):
            for id in sorted(self._services.keys() - {service.id for service in view.services}):
                del self._services[id], self._specs[id]
                self.journal.note(rows.ServiceGone, service=self._names[id])
        if len(self._tasks) > len(view.tasks):
            for id in sorted(self._tasks.keys() - {task.id for task in view.tasks}):
                del self._tasks[id]
                self.journal.note(rows.TaskGone, task=id[:8])
        self._view = view

    def _node(self, view: NodeView) -> None:
        node, manager = view.node, view.manager
        self._hosts[node.id] = node.hostname
        shown = (
            str(node.status.state),
            node.status.message or None,
            str(node.spec.availability),
            str(node.spec.role),
            bool(manager and manager.leader),
            manager.reachability if manager else None,
        )
        if node.description is None or self._nodes.get(node.id) == shown:
            return
        self._nodes[node.id] = shown
        status, message, availability, role, leader, reach = shown
        self.journal.note(
            rows.Node,
            node=node.hostname,
            status=status,
            msg=message,
            avail=availability,
            role=role,
            leader=leader,
            reach=reach,
            id=node.id[:8],
        )

    def _service(self, service: Service) -> None:
        self._services[service.id] = service
        self._names[service.id] = service.spec.name
        status = service.update_status
        shown = (
            status.state if status else None,
            status.message if status else None,
            service.spec.mode.name,
            service.replicas if service.is_replicated else None,
            service.spec.task.container.image,
        )
        if self._specs.get(service.id) != shown:
            self._specs[service.id] = shown
            update, message, mode, replicas, image = shown
            self.journal.note(
                rows.Service,
                service=service.spec.name,
                update=update,
                umsg=message,
                mode=mode,
                replicas=replicas,
                image=image,
            )

    def _task(self, task: Task) -> None:
        old = self._tasks.get(task.id)
        self._tasks[task.id] = task
        if (
            old is not None
            and old.desired_state is task.desired_state
            and msgspec.structs.replace(old.status, applied_at=None)
            == msgspec.structs.replace(task.status, applied_at=None)
        ):
            return
        status = task.status
        self.journal.note(
            rows.Task,
            task=task.id[:8],
            service=task.service_name,
            slot=task.slot or None,
            ts=timestamp(status.timestamp),
            image=task.spec.container.image,
            state=str(status.state),
            desired=str(task.desired_state),
            msg=status.message,
            err=status.err or None,
            node=self._hosts.get(task.node_id, task.node_id) or None,
            exit=status.container.exit_code if status.container else None,
        )
