"""How a plain container gets its place on a network of the swarm (daemon/cluster/networks.go AttachNetwork, executor/container/attachment.go).

=====================  =====================================================================================================
who                    does
=====================  =====================================================================================================
the engine             asks the managers, through its agent's session, and waits
the managers           make a task of it, on this node; the allocator gives it an address
the agent              gets the task, has the engine make its half of the network, and hands the place over: *attached*
the engine             starts the container with it; when that has ended it tells the managers, who delete the task
=====================  =====================================================================================================
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from swarmsim.engine import texts
from swarmsim.engine.executor import join_networks
from swarmsim.engine.overlays import Overlays
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.net.status import RpcError
from swarmsim.swarm.agent.taskmanager import ControllerError, Operation
from swarmsim.swarm.api.resource import ATTACH_NETWORK, DETACH_NETWORK, AttachNetworkRequest, DetachNetworkRequest
from swarmsim.swarm.node import SwarmNode
from swarmsim.swarm.objects import Attachment, ContainerStatus, Task

TIMEOUT = 20.0
"""Seconds for the managers to take the request, and again until the place is there (swarmRequestTimeout)."""


class _Place:
    """One container's on one network, wanted or had."""

    def __init__(self, attached: Future[Attachment], left: Future[None]) -> None:
        self.attached = attached
        self.left = left
        self.task_id = ""


class Attachers:
    """Of one engine: who wants a place on which network, by container and network."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], _Place] = {}

    def attach(
        self, node: SwarmNode, process: Process, container: str, network: str, address: str
    ) -> Activity[Attachment]:
        """Raises :class:`~swarmsim.apitypes.http.ApiError` in the daemon's words."""
        clock = process.clock
        place = self._places[container, network] = _Place(clock.future(), clock.future())
        request = AttachNetworkRequest(node.certificate.node_id, network, container, address)
        try:
            place.task_id = (yield from node.ask(ATTACH_NETWORK, request, TIMEOUT)).attachment_id
        except RpcError as error:
            del self._places[container, network]
            raise texts.CANNOT_ATTACH.refusal(network=network, error=error) from None
        yield clock.first_of((place.attached, clock.timeout(TIMEOUT)))
        if not place.attached.triggered:
            yield from self.detach(node, container, network)
            raise texts.ATTACH_TIMEOUT.refusal()
        return place.attached.value

    def detach(self, node: SwarmNode | None, container: str, network: str) -> Activity[None]:
        """The container has left; if no manager can be told, the task stays."""
        place = self._places.pop((container, network), None)
        if place is None:
            return
        if not place.left.triggered:
            place.left.succeed()
        if node is not None and place.task_id:
            with suppress(RpcError):
                yield from node.ask(
                    DETACH_NETWORK, DetachNetworkRequest(node.certificate.node_id, place.task_id), TIMEOUT
                )

    def find(self, container: str, attachment: Attachment) -> _Place | None:
        """Who waits for a place, by the network's name or id."""
        return self._places.get((container, attachment.name)) or self._places.get((container, attachment.network_id))


class Backend(Protocol):
    """What the places need of the engine."""

    process: Process
    overlays: Overlays
    attachers: Attachers

    def sample_duration(self, what: str) -> float: ...


class AttachmentController:
    """Runs the task that stands for a place: it lasts until the container has left."""

    __slots__ = ("_container", "engine", "task")

    def __init__(self, engine: Backend, task: Task) -> None:
        self.engine = engine
        self.task = task
        attachment = task.spec.attachment
        assert attachment is not None
        self._container = attachment.container_id

    def _spawn(self, activity: Activity[None]) -> Operation:
        done = self.engine.process.spawn(activity)
        done.defused = True
        return Operation(done, lambda: True)

    def prepare(self) -> Operation:
        return self._spawn(join_networks(self.engine.overlays, self.task))

    def start(self) -> Operation:
        return self._spawn(self._hand_over())

    def _hand_over(self) -> Activity[None]:
        yield 0.0
        for attachment in self.task.networks:
            place = self.engine.attachers.find(self._container, attachment)
            if place is None:
                # The daemon was started anew since the container asked.
                raise ControllerError(texts.NO_ATTACHER.fill(id=self._container, network=attachment.name))
            place.task_id = self.task.id
            if not place.attached.triggered:
                place.attached.succeed(attachment)

    def wait(self) -> Operation:
        return self._spawn(self._until_left())

    def _until_left(self) -> Activity[None]:
        for attachment in self.task.networks:
            place = self.engine.attachers.find(self._container, attachment)
            if place is not None:
                yield place.left

    def shutdown(self) -> Operation:
        return self._spawn(self._nothing())

    def _nothing(self) -> Activity[None]:
        """The container is its user's, not the swarm's."""
        yield 0.0

    def remove(self) -> None:
        self.engine.overlays.remove(self.task.networks)

    def status(self) -> ContainerStatus | None:
        return None

    def ports(self) -> tuple[()]:
        return ()

    def step_delay(self) -> float:
        return self.engine.sample_duration("container_status")
