"""The Docker daemon of one host: a process that starts, is killed, and finds its containers again.

On start it first restores its containers (those whose process vanished are Exited (255); those that
outlived a killed daemon are stopped, as without live-restore), then resumes its swarm node. Without a
daemon the host's containers run on unattended.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from random import Random

from swarmsim.apitypes.specs import GenericResource, PortConfig, replace
from swarmsim.distribution import Distribution
from swarmsim.engine import texts
from swarmsim.engine.attaching import Attachers, AttachmentController
from swarmsim.engine.containers import NOTHING, Container
from swarmsim.engine.dataplane import DataPlane
from swarmsim.engine.events import EventLog
from swarmsim.engine.exec import CannotStart, Exec, Programs
from swarmsim.engine.executor import ContainerController
from swarmsim.engine.images import Catalogue, plan_serving
from swarmsim.engine.joining import Joining
from swarmsim.engine.localresources import GATEWAY_BRIDGE, PREDEFINED, LocalNetwork, Volume
from swarmsim.engine.overlays import Overlays
from swarmsim.engine.present import NodeRecords
from swarmsim.engine.server import ContainerServer
from swarmsim.engine.stream import Program
from swarmsim.network.agent import GossipAgent
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Host, Process
from swarmsim.sim.method import CallInfo
from swarmsim.sim.net.connection import ANY_ADDRESS
from swarmsim.sim.net.server import Server
from swarmsim.swarm.addresses import IPv4
from swarmsim.swarm.api.logbroker import SUBSCRIBE_LOGS, SubscribeLogsMessage, SubscribeLogsRequest
from swarmsim.swarm.node import NodeDisk, SwarmNode
from swarmsim.swarm.objects import EncryptionKey, NetworkSpec, Node, NodeDescription, Pool, Task
from swarmsim.swarm.store import MemoryStore
from swarmsim.trace import rows

ENGINE_VERSION = "20.10.24+dfsg1"
STOP_TIMEOUT = 10.0  # seconds of grace for a container found running at start

SWARM_START_TIMEOUT = 20.0  # seconds, daemon/cluster swarmConnectTimeout: the API waits for the node

PLUGINS: tuple[tuple[str, str], ...] = (
    *(("Log", name) for name in (
        "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "logentries", "splunk", "syslog",
    )),
    *(("Network", name) for name in ("bridge", "host", "ipvlan", "macvlan", "null", "overlay")),
    ("Volume", "local"),
)  # fmt: skip
LOCAL_SUBNETS = (
    *(IPv4(f"172.{number}.0.0/16") for number in range(17, 32)),
    *(IPv4(f"192.168.{number}.0/20") for number in range(0, 256, 16)),
)
"""For bridges (libnetwork ipamutils/utils.go); the engine's bridge has the first."""
EPHEMERAL = range(32768, 61000)
"""Ports the engine chooses from: the kernel's net.ipv4.ip_local_port_range."""
LOG_PORT = 2375
"""Where an engine tells managers what its tasks print. Real agents hold a stream to the leader's log broker instead."""


class Engine:
    """The engine of one host, running or not. ``catalogue`` has the images there are, ``labels`` are the daemon's, for ``engine.labels.X``."""

    def __init__(
        self,
        host: Host,
        catalogue: Catalogue,
        labels: dict[str, str] | None = None,
        generic: tuple[GenericResource, ...] = (),
        plugins: tuple[tuple[str, str], ...] = (),
        platform: tuple[str, str] = ("linux", "x86_64"),
        paths: tuple[str, ...] = (),
    ) -> None:
        self.paths = paths
        self.generic = generic
        self.plugins = (*PLUGINS, *plugins)
        self.platform = platform
        self.host = host
        self.labels = labels or {}
        self.catalogue = catalogue
        self.images: dict[str, None] = host.disk.setdefault("images", dict.fromkeys(catalogue.on_hosts()))
        self.containers: dict[str, Container] = host.disk.setdefault("containers", {})
        self.task_containers: dict[str, Container] = host.disk.setdefault("task containers", {})
        self.volumes: dict[str, Volume] = host.disk.setdefault("volumes", {})
        self.networks: dict[str, LocalNetwork] = host.disk.setdefault("networks", {})
        self.overlays: Overlays = host.disk.setdefault("overlays", Overlays(host, self.containers))
        self.dataplane = self.overlays.listener = DataPlane(host)
        self.dataplane.first_opened = partial(self.make_networks, GATEWAY_BRIDGE)
        self.ids: Random = host.rng("containers")
        self._rng: Random = host.rng("engine")
        self.node: SwarmNode | None = None
        self._network_keys: tuple[EncryptionKey, ...] = ()
        self.gossip: GossipAgent | None = None
        """What other nodes tell of networks, while the node is in a swarm; ``None`` where the world leaves gossip out."""
        self.joining: Joining | None = None
        self.process: Process
        self.running = False
        self.events = EventLog(host.wall)
        self.node_records = NodeRecords()
        self.attachers = Attachers()
        self.execs: dict[str, Exec] = {}
        self.programs: Programs
        """What there is to run in containers besides their own processes: the world's, for it has the ways to others."""
        self._cold = True
        self._last_port: dict[str, int] = {}

    # -- the daemon's life

    def boot(self) -> None:
        """Be running right away, as a machine that has been up for a while."""
        self.process = Process(self.host, "dockerd")
        self.dataplane.engine_starts(self.process)
        self._open()
        self.running = True

    def _open(self) -> None:
        self.make_networks(*PREDEFINED)
        Server(self.process, self.process, f"{ANY_ADDRESS}:{LOG_PORT}").serve(SUBSCRIBE_LOGS, self._logs)

    def _logs(self, request: SubscribeLogsRequest, call: CallInfo) -> SubscribeLogsMessage:
        """What the containers of tasks printed."""
        containers = self.task_containers
        return SubscribeLogsMessage({id: containers[id].printed() for id in request.task_ids if id in containers})

    def start(self) -> Future[None]:
        """Start the daemon; happens when its API answers."""
        self.process = Process(self.host, "dockerd")
        self.attachers = Attachers()
        self.dataplane.engine_starts(self.process)
        self.events = EventLog(self.host.wall)
        return self.process.spawn(self._start())

    def _start(self) -> Activity[None]:
        yield self.sample_duration("engine_start")
        self.dataplane.clear()
        self._open()
        survivors = []
        for container in self.containers.values():
            if container.state == "running":
                if container.alive:
                    survivors.append(self.process.spawn(container.stop("SIGTERM", STOP_TIMEOUT)))
                else:
                    container.lost()
        for stopped in survivors:
            yield stopped
        disk: NodeDisk | None = self.host.disk.get("swarm")
        if disk is not None:
            self.node = SwarmNode(self.process, self, disk)
            registered = self.node.wait_registered()
            self.node.resume()
            # The daemon serves its API only once its node is in the swarm, or has failed, or has tried for long enough.
            if not self.node.error:
                yield self.process.clock.first_of((registered, self.process.clock.timeout(SWARM_START_TIMEOUT)))
        self.running = True
        self.host.ctx.journal.note(rows.EngineStarted, host=self.host.name)

    def crashed(self) -> None:
        """The process is gone (killed, or the power with it)."""
        self._ended()
        self.node = self.joining = None
        self.end_gossip()

    def kill(self) -> None:
        """SIGKILL to the daemon: connections reset, containers run on."""
        self.process.kill()
        self.crashed()

    def stop(self) -> Future[None]:
        """An orderly stop: the swarm node ends, containers are stopped, then the process exits."""
        return self.process.spawn(self._stop())

    def _stop(self) -> Activity[None]:
        if self.node is not None:
            yield self.node.stop()
            self.node = None
        gossip = self.end_gossip()
        if gossip is not None:
            gossip.leave(partial(self.dataplane.unbind, gossip.db))
        running = [c for c in self.containers.values() if c.state == "running"]
        for stopped in [self.process.spawn(c.stop("SIGTERM", STOP_TIMEOUT)) for c in running]:
            yield stopped
        self._ended()
        self.host.power.after(0.0, self.kill)

    def end_gossip(self) -> GossipAgent | None:
        """The node gossips no more; who did until now, for whoever wants to say so (EventNodeLeave)."""
        gossip, self.gossip = self.gossip, None
        self.dataplane.gossip_ended()
        return gossip

    def _ended(self) -> None:
        if self.running:
            self.running = False
            self.host.ctx.journal.note(rows.EngineEnded, host=self.host.name)

    # -- what takes time here

    def sample_duration(self, what: str) -> float:
        """How many seconds ``what`` takes this time, by the profile."""
        return self.host.profile.samplers[what](self._rng) * self.host.machine.speed_factor

    def draw(self, law: Distribution) -> float:
        """How many seconds something of an image takes this time."""
        return law.draw(self.host.rng("images"))

    def work(self, what: str) -> Future[None]:
        """A piece of work on a container, beside all that is under way on this machine."""
        return self.host.machine.work(self.sample_duration(what))

    # -- networks and volumes

    def local_subnet(self) -> Pool:
        """The next of docker's own for bridges (libnetwork ipamutils): 172.17.0.0/16 …, then 192.168.0.0/20 …"""
        used = [IPv4(pool.subnet, strict=False) for network in self.networks.values() for pool in network.spec.pools]
        free = next(each for each in LOCAL_SUBNETS if not any(map(each.overlaps, used)))
        return Pool(str(free))

    def make_networks(self, *wanted: tuple[str, str, str]) -> None:
        """Make predefined local networks that are missing: (name, driver, subnet)."""
        there = {network.name for network in self.networks.values()}
        for name, driver, subnet in wanted:
            if name not in there:
                spec = NetworkSpec(name=name, driver=driver, pools=(Pool(subnet),) if subnet else ())
                # No random stream for each: they are kept, and there may be 10,000 engines.
                id = sha256(f"{self.host.ctx.streams.seed}/{self.host.name}/{name}".encode()).hexdigest()
                network = LocalNetwork(id, self.host.wall.now, spec, predefined=True)
                self.networks[network.id] = network

    def volume(self, name: str, labels: dict[str, str] | None = None, options: dict[str, str] | None = None) -> Volume:
        """A named volume, made if it is not there."""
        if name not in self.volumes:
            self.volumes[name] = Volume(name, self.host.wall.now, labels, options)
            self.events.emit("volume", "create", name, {"driver": "local"})
        return self.volumes[name]

    # -- containers

    def add_container(self, container: Container, task_id: str = "") -> None:
        self.containers[container.id] = container
        container.listener = self._container_event
        self._container_event(container, "create", NOTHING)
        if task_id:
            self.task_containers[task_id] = container

    def _container_event(self, container: Container, action: str, more: dict[str, str]) -> None:
        if self.running:
            self.events.emit("container", action, container.id, more, container=container)

    def remove_container(self, container: Container, task_id: str = "") -> None:
        self.containers.pop(container.id, None)
        self._container_event(container, "destroy", NOTHING)
        if task_id:
            self.task_containers.pop(task_id, None)

    def start_container(self, container: Container) -> Activity[None]:
        container.connected = True
        seconds = self.sample_duration("container_start")
        if self._cold:
            self._cold = False
            seconds += self.sample_duration("container_first_start") * self.host.machine.cold_factor
        yield self.host.machine.work(seconds)
        if container.state != "running":
            container.bindings = tuple(binding for port in container.publishes for binding in self._bind(port))
            container.start()
            self.dataplane.started(container)

    def program(self, exec: Exec) -> Program:
        """What an exec runs. Raises :class:`~swarmsim.engine.exec.CannotStart`."""
        found = self.catalogue.find(exec.container.image, of_stack=True)
        user = exec.command.user.partition(":")[0]
        if user and not user.isdigit() and found is not None and user not in found[0].users:
            raise CannotStart(texts.EXEC_NO_SUCH_USER.fill(user=user))
        return self.programs.find(exec.container, exec.command)

    def server_in(self, container: Container) -> ContainerServer | None:
        """Who listens in a container, though nobody may reach it from elsewhere; ``None`` if nobody knows its image."""
        found = self.catalogue.find(container.image, of_stack=True)
        if container.server is None and found is not None:
            serving = plan_serving(found[0], container.command)
            container.server = ContainerServer(container, *serving, self.host.rng("servers"))
            if container.process is not None:
                container.process.on_end(container.server.closed)
        return container.server

    def _bind(self, port: PortConfig) -> tuple[PortConfig, PortConfig]:
        """A port of the host, for IPv4 and for IPv6 (libnetwork portallocator): the one that is asked for, else the next free."""
        number = port.published_port
        if not number:
            taken = {
                (bound.protocol, bound.published_port)
                for container in self.containers.values()
                for bound in container.bindings
            }
            number = self._last_port.get(port.protocol, EPHEMERAL[-1])
            while True:
                number = EPHEMERAL[0] if number == EPHEMERAL[-1] else number + 1
                if (port.protocol, number) not in taken:
                    break
            self._last_port[port.protocol] = number
        binding = replace(port, published_port=number)
        return binding, binding

    def stop_task_containers(self) -> None:
        """What a running engine does with its tasks' containers when its part in the swarm starts anew: they are stopped, with 10 s of grace, and
        their tasks end as if they had by themselves (tests/records/asked/recovery.txt)."""
        for container in self.task_containers.values():
            if container.alive:
                self.process.spawn(container.stop("SIGTERM", STOP_TIMEOUT))

    # -- the executor the swarm node uses

    def describe(self) -> NodeDescription:
        return NodeDescription(
            hostname=self.host.name,
            nano_cpus=round(self.host.cpus * 1e9),
            memory_bytes=self.host.memory,
            engine_version=ENGINE_VERSION,
            engine_labels=self.labels,
            os=self.platform[0],
            architecture=self.platform[1],
            plugins=self.plugins,
            generic=self.generic,
        )

    def managing(self, store: MemoryStore) -> None:
        self.events.follow(store)

    def set_network_keys(self, keys: tuple[EncryptionKey, ...]) -> None:
        self._network_keys = keys
        if self.gossip is not None:
            self.gossip.change_keys(keys)

    def panic(self, why: str) -> None:
        """As when Go panics: the daemon ends, what it says last is in its log."""
        self.host.ctx.journal.note(rows.SwarmFailed, host=self.host.name, error=f"panic: {why}")
        self.host.power.after(0.0, self.kill)

    def configure(self, node: Node, managers: tuple[str, ...]) -> None:
        self.overlays.configure(node.attachments)
        if self.gossip is None and self.host.ctx.gossip:
            self.gossip = GossipAgent(self.process, managers, self._network_keys, self.dataplane.gossip_began)
            self.dataplane.kernel.overlay_keys = self.gossip.keyring.overlays

    def controller(self, task: Task) -> ContainerController | AttachmentController:
        return AttachmentController(self, task) if task.is_attachment else ContainerController(self, task)
