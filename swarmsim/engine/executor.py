"""Tasks as containers (moby daemon/cluster/executor/container/): the engine's side of the agent."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random
from typing import Protocol

from swarmsim.apitypes.specs import DEFAULT_STOP_GRACE, SECOND, STACK_LABEL, Mount, PortConfig
from swarmsim.distribution import Distribution
from swarmsim.engine import texts
from swarmsim.engine.behaviour import NotUnderstood
from swarmsim.engine.containers import Container, HealthCheck
from swarmsim.engine.dataplane import DataPlane
from swarmsim.engine.images import Catalogue, NoExecutable, asks_server, plan_probe, plan_run, plan_serving
from swarmsim.engine.localresources import Volume
from swarmsim.engine.overlays import Overlays
from swarmsim.engine.server import ContainerServer
from swarmsim.engine.stream import Pipe
from swarmsim.image import Image
from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Host, Process
from swarmsim.swarm.agent.taskmanager import ControllerError, Operation
from swarmsim.swarm.objects import ContainerStatus, Task
from swarmsim.trace import rows

GOSSIP_CONVERGE_DELAY = 2.0
"""Seconds between taking a task out of load balancing and stopping it (controller.go defaultGossipConvergeDelay)."""
ATTACHMENTS_POLL = 0.1  # seconds, adapter.go nodeAttachmentReadyInterval
ATTACHMENTS_TIMEOUT = 30.0  # seconds, controller.go waitNodeAttachmentsTimeout

_PLACEHOLDER = re.compile(r"\{\{\s*(\.[A-Za-z.]+)\s*\}\}")

HOST_PATHS = frozenset(
    [
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc", "/root", "/run"),
        *("/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/share", "/var", "/var/lib", "/var/log", "/var/tmp"),
        *("/etc/hosts", "/etc/localtime", "/etc/resolv.conf", "/etc/ssl/certs", "/etc/timezone"),
        *("/var/lib/docker", "/var/lib/docker/volumes", "/var/run", "/var/run/docker.sock", "/run/docker.sock"),
    ]
)
"""What a host has to bind: the usual places of a Debian machine with Docker. Nobody made others here."""


def _is_volume(mount: Mount) -> bool:
    return mount.type == "volume" and bool(mount.source)


class Backend(Protocol):
    """What tasks need of the engine (daemon/cluster/executor/backend.go)."""

    host: Host
    process: Process
    ids: Random
    catalogue: Catalogue
    paths: tuple[str, ...]
    """What there is to bind besides :data:`HOST_PATHS`."""
    images: dict[str, None]
    task_containers: dict[str, Container]
    overlays: Overlays
    dataplane: DataPlane

    def sample_duration(self, what: str) -> float: ...

    def draw(self, law: Distribution) -> float: ...

    def work(self, what: str) -> Future[None]: ...

    def volume(self, name: str) -> Volume: ...

    def add_container(self, container: Container, task_id: str) -> None: ...

    def start_container(self, container: Container) -> Activity[None]: ...

    def remove_container(self, container: Container, task_id: str) -> None: ...


def join_networks(overlays: Overlays, task: Task) -> Activity[None]:
    """Wait for the node's own addresses on a task's networks, and make the engine's halves of them. Raises :class:`ControllerError`."""
    waited = 0.0
    while overlays.missing(task.networks):
        if waited >= ATTACHMENTS_TIMEOUT:
            raise ControllerError(texts.NO_ATTACHMENTS.words)
        yield ATTACHMENTS_POLL
        waited += ATTACHMENTS_POLL
    overlays.create(task.networks)


def _heeds() -> bool:
    """Of an operation that can be given up at any time."""
    return True


def _heeds_not() -> bool:
    """Of an operation that goes on to its end."""
    return False


class ContainerController:
    """Runs one task. Work that was begun goes on in the engine when the agent stops waiting for it."""

    __slots__ = (
        "_locked",
        "_preparing",
        "_removed",
        "_starting",
        "_stopping",
        "engine",
        "task",
    )

    def __init__(self, engine: Backend, task: Task) -> None:
        self.engine = engine
        self.task = task
        self._preparing: Future[None] | None = None
        self._starting: Future[None] | None = None
        self._stopping: Future[None] | None = None
        self._locked: Future[None] | None = None
        """The engine's start of the container, which holds its lock to the end (daemon/start.go)."""
        self._removed = False

    @property
    def container(self) -> Container | None:
        return self.engine.task_containers.get(self.task.id)

    def prepare(self) -> Operation:
        if self._preparing is None or (self._preparing.processed and not self._preparing.ok):
            self._preparing = self._work(self._prepare())
        return Operation(self._again(self._preparing), _heeds)

    def start(self) -> Operation:
        if self._starting is None:
            self._starting = self._work(self._start())
        # Waiting for health can be given up, the engine's start cannot.
        return Operation(self._again(self._starting), lambda: self._locked is None or self._locked.processed)

    def wait(self) -> Operation:
        return Operation(self._work(self._wait()), _heeds)

    def shutdown(self) -> Operation:
        if self._stopping is None or self._stopping.processed:
            self._stopping = self._work(self._shutdown())
        return Operation(self._again(self._stopping), _heeds_not)

    def remove(self) -> None:
        self._removed = True
        self._work(self._remove())

    def status(self) -> ContainerStatus | None:
        container = self.container
        if container is None:
            return None
        return ContainerStatus(container.id, container.pid if container.state == "running" else 0, container.exit_code)

    def ports(self) -> tuple[PortConfig, ...]:
        container = self.container
        return () if container is None else container.bindings

    def step_delay(self) -> float:
        return self.engine.sample_duration("container_status")

    # -- the work

    def _work(self, activity: Activity[None]) -> Future[None]:
        done = self.engine.process.spawn(activity)
        done.defused = True
        return done

    def _again(self, event: Future[None]) -> Future[None]:
        """``event``, or if it already happened one that will happen for whoever waits now."""
        if not event.processed:
            return event
        again: Future[None] = self.engine.process.clock.future()
        if event.ok:
            again.succeed(event.value)
        else:
            again.defused = True
            again.fail(event._value)
        return again

    def _prepare(self) -> Activity[None]:
        engine, spec = self.engine, self.task.spec.container
        if self.container is not None:
            return
        yield from join_networks(engine.overlays, self.task)
        image = yield from self._pull(spec.image)
        command = [*(spec.command or ()), *(spec.args or (() if spec.command else image.command))]
        if image.server and not spec.command and command[0].startswith("-"):
            command = [*image.command, *command]  # options alone go to the image's entrypoint
        try:
            run = plan_run(image, command, bool(spec.init), engine.draw)
        except (NoExecutable, NotUnderstood):
            run = None
        for mount in spec.mounts or ():
            if not mount.target.startswith("/"):
                raise ControllerError(texts.RELATIVE_TARGET.fill(path=mount.target))
            if mount.type == "bind" and mount.source not in (*HOST_PATHS, *engine.paths):
                raise ControllerError(texts.NO_BIND_SOURCE.fill(path=mount.source))
        volumes = tuple(engine.volume(mount.source).name for mount in spec.mounts or () if _is_volume(mount))
        yield engine.work("container_create")
        if self._removed or self.container is not None:
            return
        labels = {
            "com.docker.swarm.node.id": self.task.node_id,
            "com.docker.swarm.service.id": self.task.service_id,
            "com.docker.swarm.service.name": self.task.service_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": self.task.id,
            "com.docker.swarm.task.name": self._name,
            **(spec.labels or {}),
        }
        image_name = spec.image.partition("@")[0]
        container = Container(engine.host, engine.ids, self._name, image_name, command, run, labels)
        container.ports = image.ports
        container.well_after = 0.0 if image.healthy is None else engine.draw(image.healthy)
        container.attachments = self.task.networks
        container.publishes = tuple(port for port in self.task.ports if port.publish_mode == "host")
        container.ingress_ports = tuple(port for port in self.task.ports if port.publish_mode == "ingress")
        container.volumes = volumes
        container.hostname = self._expanded(spec.hostname) or container.id[:12]
        container.env = [self._expanded(entry) for entry in spec.env or ()]
        if container.attachments or container.publishes:
            container.server = ContainerServer(container, *plan_serving(image, command), engine.host.rng("servers"))
        engine.add_container(container, self.task.id)

    def _pull(self, reference: str) -> Activity[Image]:
        """The image, once it is on the host; how many megabytes there are to pull decides how long that takes."""
        engine = self.engine
        found = self._image
        if found is not None and engine.catalogue.is_news(reference):
            engine.host.ctx.journal.note(rows.ImageAssumed, image=reference, service=self.task.service_name)
        if found is None:
            raise ControllerError(texts.NO_SUCH_IMAGE.fill(image=reference.partition("@")[0]))
        image, name = found
        if image.in_registry:
            yield engine.sample_duration("registry")
            if name not in engine.images and not image.on_hosts:
                yield image.size * engine.sample_duration("pull")
            engine.images[name] = None
        elif name not in engine.images and not image.on_hosts:
            raise ControllerError(texts.NO_SUCH_IMAGE.fill(image=reference.partition("@")[0]))
        return image

    @property
    def _image(self) -> tuple[Image, str] | None:
        spec = self.task.spec.container
        return self.engine.catalogue.find(spec.image, of_stack=STACK_LABEL in (spec.labels or {}))

    def _expanded(self, text: str) -> str:
        """``{{.Task.Slot}}`` and the like filled in (swarmkit template/context.go); what is unknown stays."""
        task = self.task
        values = {
            ".Service.ID": task.service_id,
            ".Service.Name": task.service_name,
            ".Node.ID": task.node_id,
            ".Node.Hostname": self.engine.host.name,
            ".Task.ID": task.id,
            ".Task.Name": self._name,
            ".Task.Slot": str(task.slot or task.node_id),
        }
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)

    def _start(self) -> Activity[None]:
        container = self.container
        if container is None:
            raise ControllerError(texts.NO_SUCH_CONTAINER.fill(name=self._name))
        if container.state != "created":
            return
        self._locked = self._work(self._start_container(container))
        yield self._locked
        found = self._image
        check = None if found is None else HealthCheck.of(self.task.spec.container.health, found[0].check)
        if check is None or found is None:
            self._activate(container)
            return
        events = container.subscribe()
        self._work(
            container.watch_health(
                check,
                plan_probe(found[0], check.test, container.command),
                lambda: self.engine.sample_duration("health_probe"),
                asks_server=asks_server(check.test),
            )
        )
        yield from self._until_healthy(container, events)
        self._activate(container)

    def _activate(self, container: Container) -> None:
        """Into load balancers and names (activateServiceBinding)."""
        if container.alive and self._stopping is None:
            self.engine.dataplane.activate(container, self.task)

    def _start_container(self, container: Container) -> Activity[None]:
        failure = self._why_not(container)
        if failure is not None:
            container.exit_code = failure[0].exit_code
            yield self.engine.work("container_start")
            raise ControllerError(failure[1])
        found = self._image
        if found is not None and found[0].start is not None:
            yield self.engine.draw(found[0].start)
        self.engine.overlays.create(
            self.task.networks
        )  # one that somebody has just left is made again (controller.go Start)
        yield from self.engine.start_container(container)

    def _why_not(self, container: Container) -> tuple[texts.StartFailure, str] | None:
        """Why the container will not start, and what the engine says of it; ``None`` if it will."""
        program = container.command[0]
        user = self.task.spec.container.user.partition(":")[0]
        found = self._image
        if found is None or found[0].opaque:
            return None
        health = HealthCheck.of(self.task.spec.container.health, found[0].check)
        if user and not user.isdigit() and user not in found[0].users:
            return texts.NO_SUCH_USER, texts.NO_SUCH_USER.fill(user=user)
        try:
            plan_run(found[0], container.command, False, self.engine.draw)
            if health is not None:
                plan_probe(found[0], health.test, container.command)
        except NotUnderstood as problem:
            return texts.NOT_UNDERSTOOD, texts.NOT_UNDERSTOOD.fill(what=problem)
        except NoExecutable:
            absolute = program.startswith("/")
            failure = texts.NO_PERMISSION if program in HOST_PATHS else texts.NO_SUCH_FILE
            failure = failure if absolute else texts.NOT_IN_PATH
            return failure, failure.fill(program=program)
        return None

    def _until_healthy(self, container: Container, events: Pipe[str]) -> Activity[None]:
        """A start is over when the container is healthy, or has ended (controller.go Start).

        The events are read one by one, and not while the container is being stopped: one that becomes healthy then
        is taken for healthy when it has ended, and its network sandbox is gone.
        """
        unhealthy = False
        while True:
            action = yield from events.next()
            if action == "die":
                if container.exit_code:
                    raise self._bad_exit(container, unhealthy)
                return
            if action == "health_status: unhealthy":
                yield from self._shutdown()
                unhealthy = True
            elif action == "health_status: healthy":
                if not container.alive:
                    raise ControllerError(texts.NO_SANDBOX.fill(name=container.name), container.exit_code)
                return

    def _bad_exit(self, container: Container, unhealthy: bool) -> ControllerError:
        cause = f": {texts.UNHEALTHY.words}" if unhealthy else ""
        return ControllerError(texts.NON_ZERO_EXIT.fill(code=container.exit_code) + cause, container.exit_code)

    def _wait(self) -> Activity[None]:
        container = self.container
        if container is None:
            raise ControllerError(texts.NO_SUCH_CONTAINER.fill(name=self._name))
        unhealthy = False
        exited = container.exited()
        if container.state != "exited" and not container.health:
            yield exited
        while container.state != "exited":
            if container.health == "unhealthy" and not unhealthy:
                unhealthy = True
                self._work(self._shutdown())
            yield self.engine.process.clock.first_of((exited, container.health_changed()))
        # The engine hears of the end a little later.
        ended = self.engine.host.clock.now if container.finished_at is None else container.finished_at
        yield max(0.0, ended + self.engine.sample_duration("container_exit") - self.engine.host.clock.now)
        self.engine.dataplane.release(container)
        if container.exit_code:
            raise self._bad_exit(container, unhealthy)

    @property
    def _name(self) -> str:
        return f"{self.task.label}.{self.task.id}"

    @property
    def _has_service_binding(self) -> bool:
        """Whether the task is on a network besides the default bridge, whatever it publishes."""
        return any((each.driver, each.name) != ("bridge", "bridge") for each in self.task.networks)

    def _shutdown(self) -> Activity[None]:
        if self._has_service_binding:
            if self.container is not None:
                self.engine.dataplane.deactivate(self.container)
            yield GOSSIP_CONVERGE_DELAY
        if self._locked is not None and not self._locked.processed:
            with suppress(ModelError):
                yield self._again(self._locked)
        container = self.container
        if container is not None:
            yield from self._stop(container)
            self.engine.dataplane.release(container)
        self.engine.overlays.remove(self.task.networks)

    def _stop(self, container: Container) -> Activity[None]:
        """Ask the process to end, insist, and tidy up."""
        was_running = container.alive
        spec = self.task.spec.container
        found = self._image
        signal = spec.stop_signal or (found[0].stop_signal if found else "") or "SIGTERM"
        grace = DEFAULT_STOP_GRACE if spec.stop_grace_period is None else spec.stop_grace_period
        # The engine's grace is in whole seconds (adapter.go shutdown).
        yield from container.stop(signal, grace // SECOND)
        if was_running:
            yield self.engine.work("container_stop")

    def _remove(self) -> Activity[None]:
        container = self.container
        if container is None:
            return
        yield from self._shutdown()
        self.engine.remove_container(container, self.task.id)
