"""Tasks as containers (moby daemon/cluster/executor/container/): the engine's side of the agent."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random
from typing import Any, Protocol

from swarmsim.apitypes.specs import DEFAULT_STOP_GRACE, SECOND, Mount
from swarmsim.engine.containers import Container, HealthCheck
from swarmsim.engine.images import NoExecutable, find_image, plan_probe, plan_run
from swarmsim.engine.localresources import Volume
from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Host, Process
from swarmsim.swarm.agent.taskmanager import ControllerError
from swarmsim.swarm.objects import ContainerStatus, Task

GOSSIP_CONVERGE_DELAY = 2.0
"""Seconds between taking a published task out of the routing mesh and stopping it
(controller.go defaultGossipConvergeDelay)."""

_PLACEHOLDER = re.compile(r"\{\{\s*(\.[A-Za-z.]+)\s*\}\}")

UNHEALTHY = "dockerexec: unhealthy container"
"""controller.go ErrContainerUnhealthy."""

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
    images: dict[str, None]
    task_containers: dict[str, Container]

    def sample_duration(self, what: str) -> float: ...

    def working(self, seconds: float) -> float: ...

    def volume(self, name: str) -> Volume: ...

    def add_container(self, container: Container, task_id: str) -> None: ...

    def start_container(self, container: Container) -> Activity[None]: ...

    def remove_container(self, container: Container, task_id: str) -> None: ...


class ContainerController:
    """Runs one task. Work that was begun goes on in the engine when the agent stops waiting for it."""

    def __init__(self, engine: Backend, task: Task) -> None:
        self.engine = engine
        self.task = task
        self._preparing: Future[Any] | None = None
        self._starting: Future[Any] | None = None
        self._stopping: Future[Any] | None = None
        self._removed = False

    @property
    def container(self) -> Container | None:
        return self.engine.task_containers.get(self.task.id)

    def prepare(self) -> Future[Any]:
        if self._preparing is None or (self._preparing.processed and not self._preparing.ok):
            self._preparing = self._work(self._prepare())
        return self._again(self._preparing)

    def start(self) -> Future[Any]:
        if self._starting is None:
            self._starting = self._work(self._start())
        return self._again(self._starting)

    def wait(self) -> Future[Any]:
        return self._work(self._wait())

    def shutdown(self) -> Future[Any]:
        if self._stopping is None or self._stopping.processed:
            self._stopping = self._work(self._shutdown())
        return self._again(self._stopping)

    def remove(self) -> None:
        self._removed = True
        self._work(self._remove())

    def status(self) -> ContainerStatus | None:
        container = self.container
        if container is None:
            return None
        return ContainerStatus(container.id, container.pid if container.state == "running" else 0, container.exit_code)

    def step_delay(self) -> float:
        return self.engine.sample_duration("container_status")

    # -- the work

    def _work(self, activity: Activity[Any]) -> Future[Any]:
        done = self.engine.process.spawn(activity)
        done.defused = True
        return done

    def _again(self, event: Future[Any]) -> Future[Any]:
        """``event``, or if it already happened one that will happen for whoever waits now."""
        if not event.processed:
            return event
        again = self.engine.process.clock.future()
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
        found = find_image(spec.image)
        if found is not None and found[0].in_registry:
            yield engine.sample_duration("registry")
            if found[1] not in engine.images:
                yield found[0].size * engine.sample_duration("pull")
                engine.images[found[1]] = None
        if found is None or found[1] not in engine.images:
            raise ControllerError(f"No such image: {spec.image.partition('@')[0]}")
        image, _ = found
        command = [*(spec.command or ()), *(spec.args or (() if spec.command else image.command))]
        if image.server and not spec.command and command[0].startswith("-"):
            command = [*image.command, *command]  # options alone go to the image's entrypoint
        try:
            run = plan_run(image, command, bool(spec.init))
        except NoExecutable:
            run = None
        for mount in spec.mounts or ():
            if mount.type == "bind" and mount.source not in HOST_PATHS:
                raise ControllerError(
                    f'invalid mount config for type "bind": bind source path does not exist: {mount.source}'
                )
        volumes = tuple(engine.volume(mount.source).name for mount in spec.mounts or () if _is_volume(mount))
        yield engine.working(engine.sample_duration("container_create"))
        if self._removed or self.container is not None:
            return
        labels = {
            "com.docker.swarm.node.id": self.task.node_id,
            "com.docker.swarm.service.id": self.task.service_id,
            "com.docker.swarm.service.name": self.task.service_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": self.task.id,
            "com.docker.swarm.task.name": f"{self.task.label}.{self.task.id}",
            **(spec.labels or {}),
        }
        name = f"{self.task.label}.{self.task.id}"
        image_name = spec.image.partition("@")[0]
        container = Container(engine.host, engine.ids, name, image_name, command, run, labels)
        container.ports = image.ports
        container.volumes = volumes
        container.hostname = self._expanded(spec.hostname) or container.id[:12]
        container.env = [self._expanded(entry) for entry in spec.env or ()]
        engine.add_container(container, self.task.id)

    def _expanded(self, text: str) -> str:
        """``{{.Task.Slot}}`` and the like filled in (swarmkit template/context.go); what is unknown stays."""
        task = self.task
        values = {
            ".Service.ID": task.service_id,
            ".Service.Name": task.service_name,
            ".Node.ID": task.node_id,
            ".Node.Hostname": self.engine.host.name,
            ".Task.ID": task.id,
            ".Task.Name": f"{task.label}.{task.id}",
            ".Task.Slot": str(task.slot or task.node_id),
        }
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)

    def _start(self) -> Activity[None]:
        container = self.container
        if container is None:
            raise ControllerError("No such container")
        if container.state != "created":
            return
        if container.run is None:
            yield self.engine.sample_duration("container_create")
            container.state = "created"
            raise ControllerError(
                "starting container failed: failed to create task for container: failed to create shim task: "
                "OCI runtime create failed: runc create failed: unable to start container process: "
                f'exec: "{container.command[0]}": executable file not found in $PATH: unknown',
                127,
            )
        user = self.task.spec.container.user.partition(":")[0]
        found = find_image(self.task.spec.container.image)
        if user and not user.isdigit() and found is not None and user not in found[0].users:
            yield self.engine.sample_duration("container_create")
            raise ControllerError(
                f"starting container failed: unable to find user {user}: no matching entries in passwd file"
            )
        yield from self.engine.start_container(container)
        check = HealthCheck.of(self.task.spec.container.health)
        if check is None or found is None or not container.alive:
            return
        monitor = container.watch_health(
            check, plan_probe(found[0], check.test), lambda: self.engine.sample_duration("container_status")
        )
        self._work(monitor)
        yield from self._until_healthy(container)

    def _until_healthy(self, container: Container) -> Activity[None]:
        """A start is over when the container is healthy, or has ended (controller.go Start)."""
        unhealthy = False
        exited = container.exited()
        while container.state == "running" and container.health != "healthy":
            if container.health == "unhealthy" and not unhealthy:
                unhealthy = True
                self._work(self._stop(container))
            yield self.engine.process.clock.first_of((exited, container.health_changed()))
        if container.state == "exited" and container.exit_code:
            raise self._bad_exit(container, unhealthy)

    def _bad_exit(self, container: Container, unhealthy: bool) -> ControllerError:
        cause = f": {UNHEALTHY}" if unhealthy else ""
        return ControllerError(f"task: non-zero exit ({container.exit_code}){cause}", container.exit_code)

    def _wait(self) -> Activity[None]:
        container = self.container
        if container is None:
            raise ControllerError("No such container")
        unhealthy = False
        exited = container.exited()
        if container.state != "exited" and not container.health:
            yield exited
            yield self.engine.sample_duration("container_exit")
        while container.state != "exited":
            if container.health == "unhealthy" and not unhealthy:
                unhealthy = True
                self._work(self._stop(container))
            yield self.engine.process.clock.first_of((exited, container.health_changed()))
            if container.state == "exited":
                yield self.engine.sample_duration("container_exit")
        if container.exit_code:
            raise self._bad_exit(container, unhealthy)

    def _shutdown(self) -> Activity[None]:
        container = self.container
        if container is None:
            return
        if any(port.publish_mode == "ingress" for port in self.task.ports):
            yield GOSSIP_CONVERGE_DELAY
        if self._starting is not None and not self._starting.processed:
            # A start holds the container's lock to its end; a stop waits for it (daemon/start.go).
            with suppress(ModelError):
                yield self._again(self._starting)
        yield from self._stop(container)

    def _stop(self, container: Container) -> Activity[None]:
        """Ask the process to end, insist, and tidy up."""
        was_running = container.alive
        spec = self.task.spec.container
        found = find_image(spec.image)
        signal = spec.stop_signal or (found[0].stop_signal if found else "") or "SIGTERM"
        grace = (DEFAULT_STOP_GRACE if spec.stop_grace_period is None else spec.stop_grace_period) / SECOND
        yield from container.stop(signal, grace)
        if was_running:
            yield self.engine.working(self.engine.sample_duration("container_stop"))

    def _remove(self) -> Activity[None]:
        container = self.container
        if container is None:
            return
        yield from self._shutdown()
        self.engine.remove_container(container, self.task.id)
