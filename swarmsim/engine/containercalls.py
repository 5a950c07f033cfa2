"""Calls about single containers (moby api/server/router/container, daemon/): those of tasks, and plain ones that somebody makes on an
attachable network of the swarm.

A plain container is made (*created*), gets its place on the network when it starts, and gives it back when it has ended.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from functools import partial

from swarmsim.apitypes import engine as engineapi
from swarmsim.apitypes.base import Json
from swarmsim.apitypes.http import ApiError
from swarmsim.engine import presentlocal, texts
from swarmsim.engine.behaviour import Behaviour, NotUnderstood
from swarmsim.engine.calls import Calls
from swarmsim.engine.containers import Container
from swarmsim.engine.exec import CannotStart, Command, Exec
from swarmsim.engine.images import NoExecutable, plan_run, plan_serving
from swarmsim.engine.localresources import LocalNetwork
from swarmsim.engine.names import random_name
from swarmsim.engine.overlays import Half
from swarmsim.engine.server import ContainerServer
from swarmsim.engine.stream import STDOUT, LogQuery, Pipe, log_frame
from swarmsim.image import Image
from swarmsim.sim.clock import timestamp
from swarmsim.sim.future import Activity
from swarmsim.sim.streams import hex_id
from swarmsim.swarm.objects import Attachment
from swarmsim.unix.process import signal_number

HOST = "host"
"""The network that is the host's own."""
STOP_TIMEOUT = 10.0  # seconds, container DefaultStopTimeout
NO_EXECUTABLE = 127
CHANGED, ADDED, DELETED = 0, 1, 2
"""Kinds of changes, as the API numbers them."""
_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class ContainerCalls(Calls):
    def container_list(self, wanted: Callable[[Container], bool]) -> Activity[list[engineapi.Container]]:
        """Newest first."""
        yield from self._request()
        containers = [container for container in self.engine.containers.values() if wanted(container)]
        return [
            presentlocal.container(container, self.host.clock.now)
            for container in sorted(containers, key=lambda container: (-container.created_at, container.id))
        ]

    def container_kill(self, reference: str, signal: str) -> Activity[None]:
        yield from self._request()
        if signal_number(signal) is None:
            raise ApiError(400, f"Invalid signal: {signal}")
        try:
            container = self._container(reference)
        except ApiError as problem:
            raise ApiError(problem.status, f"Cannot kill container: {reference}: {problem.message}") from None
        if container.state != "running":
            raise texts.NOT_RUNNING.refusal(name=reference, id=container.id)
        container.signal(signal)

    def container_inspect(self, reference: str) -> Activity[engineapi.ContainerInspect]:
        yield from self._request()
        return presentlocal.container_inspect(self._container(reference))

    def exec_create(self, reference: str, request: engineapi.ExecConfig) -> Activity[str]:
        """Returns the exec's id."""
        yield from self._request()
        container = self._container(reference)
        if container.state != "running":
            raise texts.CONTAINER_NOT_RUNNING.refusal(id=container.id)
        command = Command(
            list(request.cmd or ()), request.env or [], request.user, request.working_dir, request.attach_stdin
        )
        made = Exec(hex_id(self.engine.ids), container, command)
        self.engine.execs[made.id] = made
        return made.id

    def exec_start(self, id: str) -> Activity[Pipe[bytes]]:
        """What it prints, as frames."""
        yield self.host.machine.work(self.engine.sample_duration("health_probe"))
        made = self._exec(id)
        if not made.container.alive:
            raise texts.CONTAINER_NOT_RUNNING.refusal(id=made.container.id)
        return made.start(self.engine.process, partial(self.engine.program, made))

    def exec_inspect(self, id: str) -> Activity[engineapi.ExecInspect]:
        yield from self._request()
        made = self._exec(id)
        return engineapi.ExecInspect(
            id=made.id, running=made.running, exit_code=made.code, container_id=made.container.id
        )

    def _exec(self, id: str) -> Exec:
        if id not in self.engine.execs:
            raise texts.NO_SUCH_EXEC.refusal(id=id)
        return self.engine.execs[id]

    # -- plain containers

    def container_create(self, name: str, request: engineapi.ContainerCreateRequest) -> Activity[str]:
        """Returns its id. Raises :class:`ApiError`."""
        yield from self._request()
        engine = self.engine
        self._check_new(name, request)
        image, known = self._image(request.image)
        command = list(request.cmd or ()) or list(image.command)
        if image.server and command[0].startswith("-"):
            command = [*image.command, *command]
        try:
            run = plan_run(image, command, False, engine.draw)
        except (NoExecutable, NotUnderstood):
            run = Behaviour(math.inf, 0, None)
        yield engine.work("container_create")
        taken = {each.name for each in engine.containers.values()}
        made = name.removeprefix("/")
        while not made or (made in taken and not name):
            made = random_name(self.host.rng("names"))
        container = Container(self.host, engine.ids, made, known, command, run, dict(request.labels or {}))
        container.is_named = bool(name)
        container.hostname = request.hostname or container.id[:12]
        container.env = list(request.env or ())
        container.ports = image.ports
        container.auto_remove = request.host_config.auto_remove
        container.network = request.host_config.network_mode
        end = (request.networking_config.endpoints_config or {}).get(container.network)
        if end is not None:
            container.aliases = tuple(end.aliases or ())
            container.wanted_address = end.ipam.ipv4 if end.ipam is not None else ""
        container.server = ContainerServer(container, *plan_serving(image, command), self.host.rng("servers"))
        engine.add_container(container)
        return container.id

    def _check_new(self, name: str, request: engineapi.ContainerCreateRequest) -> None:
        if name and not _NAME.fullmatch(name):
            raise texts.BAD_NAME.refusal(name=name)
        for end in (request.networking_config.endpoints_config or {}).values():
            self._check_address(end.ipam.ipv4 if end.ipam is not None else "")
        other = next((each for each in self.engine.containers.values() if name and each.name == name), None)
        if other is not None:
            raise texts.NAME_TAKEN.refusal(name=name, id=other.id)

    def _check_address(self, address: str) -> None:
        try:
            ipaddress.IPv4Address(address or "0.0.0.0")
        except ValueError:
            raise texts.BAD_ADDRESS.refusal(address=address) from None

    def _image(self, reference: str) -> tuple[Image, str]:
        """An image that is on the host, and its familiar name. Raises :class:`ApiError`."""
        found = self.engine.catalogue.find(reference)
        if found is None or not (found[0].on_hosts or found[1] in self.engine.images):
            raise texts.NO_SUCH_IMAGE.refusal(image=reference if ":" in reference else f"{reference}:latest")
        return found

    def image_pull(self, reference: str) -> Activity[None]:
        yield from self._request()
        found = self.engine.catalogue.find(reference)
        yield self.engine.sample_duration("registry")
        if found is None or not found[0].in_registry:
            raise texts.PULL_DENIED.refusal(image=reference.partition(":")[0])
        yield found[0].size * self.engine.sample_duration("pull")
        self.engine.images[found[1]] = None

    def container_start(self, reference: str) -> Activity[None]:
        """Raises :class:`ApiError`."""
        yield from self._request()
        container = self._container(reference)
        if container.state == "running":
            return
        if not container.network:
            raise ApiError(501, "swarmsim: starting a task's container by hand is real, but not modelled yet")
        yield from self._start(container)

    def _start(self, container: Container) -> Activity[None]:
        """Of one that is on no network until it runs. Raises :class:`ApiError`."""
        if container.tidied is not None:
            yield container.tidied  # what its last run left
        if container.state == "exited":
            container.runs += 1
            found = self.engine.catalogue.find(container.image, of_stack=True)
            assert found is not None
            serving = plan_serving(found[0], container.command)
            container.server = ContainerServer(container, *serving, self.host.rng("servers"))
        try:
            yield from self._attach(container)
            yield from self._launch(container)
        except ApiError:
            self.engine.dataplane.release(container)
            yield from self._detach(container)
            if container.auto_remove:
                self.engine.remove_container(container)
            raise
        container.tidied = self.engine.process.spawn(self._until_ended(container))
        container.tidied.defused = True

    def _attach(self, container: Container) -> Activity[None]:
        engine, network = self.engine, container.network
        if engine.node is None or network in (each.name for each in engine.networks.values()):
            raise texts.NOT_AN_OVERLAY.refusal(network=network)
        place = yield from engine.attachers.attach(
            engine.node, engine.process, container.id, network, container.wanted_address
        )
        container.attachments = (place,)

    def _detach(self, container: Container) -> Activity[None]:
        for place in container.attachments:
            yield from self._give_up(container, place)

    def _launch(self, container: Container) -> Activity[None]:
        engine, program = self.engine, container.command[0]
        try:
            container.program = engine.programs.find(container, Command(container.command, container.env))
        except CannotStart as problem:
            yield engine.work("container_start")
            container.exit_code = NO_EXECUTABLE
            if problem.ours:
                raise ApiError(501, str(problem)) from None
            failure = texts.NO_SUCH_FILE if program.startswith("/") else texts.NOT_IN_PATH
            raise ApiError(400, failure.words.format(program=program)) from None
        engine.overlays.create(container.attachments)
        engine.dataplane.started(container)
        engine.dataplane.activate(container, None)
        yield from engine.start_container(container)

    def _until_ended(self, container: Container) -> Activity[None]:
        """What is done when it has ended by itself, was stopped or killed."""
        yield container.exited()
        yield self.engine.sample_duration("container_exit")
        self.engine.dataplane.release(container)
        yield from self._detach(container)
        if container.auto_remove:
            self.engine.remove_container(container)

    # -- networks, while it runs

    def network_connect(self, reference: str, request: engineapi.NetworkConnect) -> Activity[None]:
        """Only to networks of the swarm. Raises :class:`ApiError`."""
        yield from self._request()
        engine, container = self.engine, self._container(request.container)
        settings = request.endpoint or engineapi.EndpointSettings()
        address = settings.ipam.ipv4 if settings.ipam is not None else ""
        self._check_address(address)
        if reference == HOST:
            raise texts.HOST_CONNECT.refusal()
        if reference in (each.name for each in engine.networks.values()) or container.state != "running":
            raise ApiError(
                501, "swarmsim: connecting to a network of one host, or while stopped, is real, but not modelled yet"
            )
        if any(reference in (each.name, each.network_id) for each in container.attachments):
            raise texts.ALREADY_ATTACHED.refusal(name=container.name, network=reference)
        if engine.node is None:
            raise texts.NOT_FOUND.refusal(kind="network", reference=reference)
        place = yield from engine.attachers.attach(engine.node, engine.process, container.id, reference, address)
        engine.overlays.create((place,))
        container.attachments = (*container.attachments, place)
        container.aliases = (*container.aliases, *(settings.aliases or ()))
        engine.dataplane.attached(container, place)

    def network_disconnect(self, reference: str, request: engineapi.NetworkDisconnect) -> Activity[None]:
        yield from self._request()
        engine = self.engine
        here: list[Half | LocalNetwork] = [*engine.networks.values(), *engine.overlays.halves.values()]
        network = next((each for each in here if reference in (each.name, each.id)), None)
        if network is None:
            raise texts.NOT_FOUND.refusal(kind="network", reference=reference)
        container = self._container(request.container)
        if network.name == HOST:
            raise texts.HOST_CONNECT.refusal()
        place = next((each for each in container.attachments if each.network_id == network.id), None)
        if place is None:
            raise texts.NOT_CONNECTED.refusal(id=container.id, network=network.name)
        engine.dataplane.detached(container, place)
        container.attachments = tuple(each for each in container.attachments if each is not place)
        engine.overlays.remove([place])
        yield from self._give_up(container, place)

    def _give_up(self, container: Container, place: Attachment) -> Activity[None]:
        """Tell the managers that the container has left; it may have asked by the network's name or id."""
        for reference in (place.name, place.network_id):
            yield from self.engine.attachers.detach(self.engine.node, container.id, reference)

    def container_attach(self, reference: str) -> Activity[Pipe[bytes]]:
        """What it prints from now on, as frames."""
        yield from self._request()
        return self._container(reference).output()

    def container_wait(self, reference: str, condition: str) -> Activity[Pipe[Json]]:
        """Its exit code, once it has ended, or also is ``removed``."""
        yield from self._request()
        container = self._container(reference)
        pipe: Pipe[Json] = Pipe(self.host.clock)

        def told() -> Activity[None]:
            if condition in ("", "not-running") and container.state != "running":
                code = container.exit_code
            elif condition == "next-exit":
                code = yield container.next_exit()
            else:
                code = yield container.exited()
            if condition == "removed" and container.tidied is not None:
                yield container.tidied
            pipe.put({"StatusCode": code})
            pipe.end()

        self.engine.process.spawn(told())
        return pipe

    def container_stop(self, reference: str, signal: str, timeout: float | None) -> Activity[None]:
        yield from self._request()
        container = self._container(reference)
        if container.state != "running":
            return
        found = self.engine.catalogue.find(container.image, of_stack=True)
        signal = signal or (found[0].stop_signal if found is not None else "") or "SIGTERM"
        yield from container.stop(signal, STOP_TIMEOUT if timeout is None else timeout)
        yield self.engine.work("container_stop")

    def container_restart(self, reference: str, signal: str, timeout: float | None) -> Activity[None]:
        yield from self._request()
        container = self._container(reference)
        if not container.network:
            raise ApiError(501, "swarmsim: restarting a task's container by hand is real, but not modelled yet")
        if container.state == "running":
            yield from self.container_stop(reference, signal, timeout)
        try:
            yield from self._start(container)
        except ApiError as problem:
            raise texts.RESTART_REFUSED.refusal(name=reference, problem=problem.message) from None

    def container_rename(self, reference: str, name: str) -> Activity[None]:
        yield from self._request()
        container, name = self._container(reference), name.removeprefix("/")
        if not name:
            raise ApiError(400, "Neither old nor new names may be empty")
        if name == container.name:
            raise texts.SAME_NAME.refusal()
        if not _NAME.fullmatch(name):
            raise texts.NAME_NOT_FREE.refusal(problem=texts.BAD_NAME.fill(name=name))
        other = next((each for each in self.engine.containers.values() if each.name == name), None)
        if other is not None:
            raise texts.NAME_NOT_FREE.refusal(problem=texts.NAME_TAKEN.fill(name=name, id=other.id))
        container.emit("rename", {"oldName": f"/{container.name}"})
        container.name, container.is_named = name, True

    def container_changes(self, reference: str) -> Activity[list[engineapi.Change]]:
        """What is other than in its image, in the order of the paths."""
        yield from self._request()
        files = self._container(reference).files
        if files is None:
            return []
        tree = files.mounts[0].tree
        kinds = {
            path: DELETED if inode is None else CHANGED if any(path in layer.entries for layer in tree.lower) else ADDED
            for path, inode in sorted(tree.upper.entries.items())
            if path != "/"
        }
        return [engineapi.Change(path=path, kind=kind) for path, kind in kinds.items()]

    def container_logs(self, reference: str, query: LogQuery) -> Activity[Pipe[bytes]]:
        """What its own program printed; with ``follow``, to its end."""
        yield from self._request()
        container = self._container(reference)
        pipe: Pipe[bytes] = (
            container.output() if query.follow and container.state == "running" else Pipe(self.host.clock)
        )
        for frame in _log_frames(container, query):
            pipe.put(frame)
        if not query.follow or container.state != "running":
            pipe.end()
        return pipe

    def container_remove(self, reference: str, force: bool) -> Activity[None]:
        yield from self._request()
        container = self._container(reference)
        if container.state == "running":
            if not force:
                raise texts.STILL_RUNNING.refusal(id=container.id)
            container.signal("SIGKILL")
            yield self.engine.work("container_stop")
        task = next((id for id, each in self.engine.task_containers.items() if each is container), "")
        if container.id in self.engine.containers:
            self.engine.remove_container(container, task)

    def _container(self, reference: str) -> Container:
        for container in self.engine.containers.values():
            if container.id.startswith(reference) or container.name == reference:
                return container
        raise texts.NO_SUCH_CONTAINER.refusal(name=reference)


def _log_frames(container: Container, query: LogQuery) -> list[bytes]:
    """Lines, each with its stream: what was printed in pieces is put together."""
    said = container.said or [(at, STDOUT, f"{text}\n") for at, text in container.printed()]
    lines: list[tuple[float, int, str]] = []
    open_lines: dict[int, tuple[float, str]] = {}
    for at, stream, text in said:
        began, before = open_lines.pop(stream, (at, ""))
        parts = (before + text).split("\n")
        for n, part in enumerate(parts[:-1]):
            lines.append((at if n else began, stream, f"{part}\n"))
        if parts[-1]:
            open_lines[stream] = (at if len(parts) > 1 else began, parts[-1])
    lines += [(at, stream, text) for stream, (at, text) in open_lines.items()]
    lines = [line for line in lines if line[0] >= query.since]
    if query.tail is not None:
        lines = lines[len(lines) - min(query.tail, len(lines)) :]
    return [log_frame(stream, f"{timestamp(at)} {text}" if query.timestamps else text) for at, stream, text in lines]
