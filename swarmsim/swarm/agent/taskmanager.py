"""One task on its node (agent/task.go, agent/exec/controller.go Do).

The task is moved on step by step as far as its desired state asks. What is under way is cancelled when the task is
changed, if it heeds that (pulling, waiting for health, running do), and is tried again a second later: that is why a
running task that is told to shut down gets its signal one second after the news. Until then its status says exit code
-1: that is what waiting for a container that runs on came to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from swarmsim.apitypes.specs import PortConfig
from swarmsim.sim.clock import Timer
from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.scope import Scope
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.objects import ContainerStatus, Task, TaskStatus
from swarmsim.swarm.states import MESSAGES, NEXT, IllegalMove, TaskState, Who, may

GIVEN_UP = -1
"""The exit code of a container that nobody waits for any more (container.State's before there is one)."""
RETRY_DELAY = 1.0  # seconds, agent/task.go on ErrTaskRetry


class ControllerError(ModelError):
    """The runtime could not do it; the message is what the task shows. ``exit_code`` of its process, if any."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Operation(NamedTuple):
    """What a controller does; ``done`` fails with :class:`ControllerError`. ``heeds_cancel()``: whether it ends when
    it is cancelled now, instead of going on to its end."""

    done: Future[None]
    heeds_cancel: Callable[[], bool]


class Controller(Protocol):
    """The runtime of one task (agent/exec/controller.go)."""

    def prepare(self) -> Operation:
        """Image and container are there."""

    def start(self) -> Operation:
        """The container runs (and is healthy)."""

    def wait(self) -> Operation:
        """The container exited with 0."""

    def shutdown(self) -> Operation:
        """The container is asked, then made to stop."""

    def remove(self) -> None:
        """The container and what belongs to it is removed."""

    def status(self) -> ContainerStatus | None:
        """What there is to say of the container."""

    def ports(self) -> tuple[PortConfig, ...]:
        """The ports of the host that lead to the container now, one for each binding."""

    def step_delay(self) -> float:
        """Seconds the agent takes from one state to the next."""


class TaskManager:
    __slots__ = (
        "_operation",
        "_report",
        "_retry",
        "_waiting",
        "controller",
        "scope",
        "status",
        "task",
        "wall",
    )

    def __init__(
        self,
        scope: Scope,
        wall: WallClock,
        task: Task,
        controller: Controller,
        report: Callable[[str, TaskStatus], object],
    ) -> None:
        self.scope = scope
        self.wall = wall
        self.task = task
        self.status = task.status
        self.controller = controller
        self._report = report
        self._operation: Scope | None = None
        self._waiting: Operation | None = None
        self._retry: Timer | None = None
        self._run()

    def update(self, task: Task) -> None:
        """The manager changed the task; its status stays what it is here."""
        if task.desired_state < self.task.desired_state:
            return
        if task.desired_state is self.task.desired_state and task.spec == self.task.spec:
            return
        self.task = task
        if self._operation is not None:
            if self._waiting is None or not self._waiting.heeds_cancel():
                return
            self._operation.end()
            self._operation = None
            self._waiting = None
            self._cancelled()
            self._retry = self.scope.after(RETRY_DELAY, self._run)
        elif self._retry is None or not self._retry.live:
            self._run()

    def _cancelled(self) -> None:
        """What is told of a task whose operation was given up: nothing can be asked of its container then."""
        if self.status.state >= TaskState.STARTING:
            container = self.status.container or ContainerStatus()
            if self.status.state is TaskState.RUNNING:
                container = msgspec.structs.replace(container, exit_code=GIVEN_UP)
            self.status = msgspec.structs.replace(self.status, container=container, ports=())
            self._report(self.task.id, self.status)

    def close(self) -> None:
        """The task is no longer assigned: nothing of it stays."""
        self.scope.end()
        self.controller.remove()

    def _run(self) -> None:
        self._operation = self.scope.child("operation")
        self._operation.spawn(self._advance())

    def _advance(self) -> Activity[None]:
        while (yield from self._step()):
            pass
        self._operation = None

    def _step(self) -> Activity[bool]:
        """One move (Do); whether there was one."""
        move = self._next()
        if move is None:
            return False
        state, operation = move
        if operation is None:
            yield self.controller.step_delay()
        else:
            try:
                yield from self._wait(operation())
            except ControllerError as error:
                self._fail(error)
                return True
        self._move(state)
        return True

    def _next(self) -> tuple[TaskState, Callable[[], Operation] | None] | None:
        """The state to reach, and what is to be done for it; ``None`` if the task is as far as it should be."""
        state, desired = self.status.state, self.task.desired_state
        if desired >= TaskState.SHUTDOWN:
            return (TaskState.SHUTDOWN, self.controller.shutdown) if state < TaskState.COMPLETE else None
        if state > desired or state not in NEXT:
            return None
        operation = {
            TaskState.PREPARING: self.controller.prepare,
            TaskState.STARTING: self.controller.start,
            TaskState.RUNNING: self.controller.wait,
        }.get(state)
        if operation is None and state == desired:
            return None
        return NEXT[state], operation

    def _wait(self, operation: Operation) -> Activity[None]:
        self._waiting = operation
        try:
            yield operation.done
        finally:
            self._waiting = None

    def _move(self, state: TaskState) -> None:
        self._reach(state, MESSAGES[state])

    def _fail(self, error: ControllerError) -> None:
        state = TaskState.REJECTED if self.status.state < TaskState.STARTING else TaskState.FAILED
        self._reach(state, self.status.message, str(error), error.exit_code)

    def _reach(self, state: TaskState, message: str, error: str = "", exit_code: int | None = None) -> None:
        container: ContainerStatus | None = None
        ports: tuple[PortConfig, ...] = ()
        if state >= TaskState.STARTING:
            container = self.controller.status() or self.status.container or ContainerStatus()
            ports = self.controller.ports()
            if exit_code:
                container = msgspec.structs.replace(container, exit_code=exit_code)
        self._set(TaskStatus(state, self.wall.now, message, error, container, ports=ports))

    def _set(self, status: TaskStatus) -> None:
        if not may(Who.AGENT, self.status.state, status.state):
            raise IllegalMove(self.task.id, self.status.state, status.state, Who.AGENT)
        self.status = status
        self._report(self.task.id, status)
