"""The agent (agent/agent.go, session.go, reporter.go): one session at a time with a dispatcher.

Without a manager the agent keeps its containers running and tries again: after 0.1 s, then 0.1 + 2 ×
the last wait, at most 8 s, each time after a pause drawn uniformly below that; it chooses a manager and connects before the pause. Every call has 5 s. Once
registered it heartbeats at once and then at the pace it is told, and reports the status of all its tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.clock import Timer
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import Method, Reply, Request
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.quiescence import Phase
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer
from swarmsim.swarm.agent.remotes import Remotes
from swarmsim.swarm.agent.worker import Executor, TaskDisk, Worker
from swarmsim.swarm.api import LOCAL_SOCKET, dispatcher
from swarmsim.swarm.api.dispatcher import (
    AssignmentsMessage,
    HeartbeatRequest,
    HeartbeatResponse,
    Peer,
    SessionMessage,
    SessionRequest,
    UpdateTaskStatusRequest,
)
from swarmsim.swarm.objects import NodeDescription, TaskStatus, TLSInfo
from swarmsim.trace import rows

RPC_TIMEOUT = 5.0  # seconds, dispatcherRPCTimeout
INITIAL_BACKOFF = 0.1  # seconds, initialSessionFailureBackoff
MAX_BACKOFF = 8.0  # seconds, maxSessionFailureBackoff
SESSION_POLL = 0.1  # seconds between two looks whether there is a session; an estimate
NODE_UPDATE_PERIOD = 20.0  # seconds, defaultNodeUpdatePeriod


class Session:
    """One attempt to be registered, and the session it becomes: a channel to ``remote``, or to the manager in this very process
    (``None``). The channel connects at once, registration begins after ``delay`` seconds (session.go newSession, run).
    """

    def __init__(self, agent: Agent, remote: Peer | None, session_id: str, delay: float) -> None:
        self.agent = agent
        self.remote = remote
        self.scope = agent.scope.child("session")
        self.id = session_id
        self.registered = False
        self.heartbeats: PeriodicTimer
        self.channel = Channel(agent.process, self.scope, remote.addr if remote is not None else LOCAL_SOCKET)
        self._timeout: Timer | None = None
        if delay:
            self.scope.after(delay, self._start)
        else:
            self._start()

    @property
    def manager(self) -> str:
        """The host of the manager it goes through."""
        remote = self.channel.remote
        assert remote is not None, "a session's address is a manager's"
        return remote.name

    def _start(self) -> None:
        agent = self.agent
        request = SessionRequest(agent.node_id, self.id, agent.description, agent.process.host.address)
        self._timeout = self.scope.after(
            RPC_TIMEOUT, self.failed, RpcError("DeadlineExceeded", "session initiation timed out")
        )
        self.channel.stream(dispatcher.SESSION, request, self._on_message, self.failed, RPC_TIMEOUT)

    def _on_message(self, message: SessionMessage | AssignmentsMessage) -> None:
        if not self.scope.alive:
            return
        if isinstance(message, AssignmentsMessage):
            self.agent.worker.assign(message)
            return
        self.id = message.session_id
        if not self.registered:
            self.registered = True
            if self._timeout is not None:
                self._timeout.cancel()
            self.agent.session_registered(self)
            self.heartbeats = PeriodicTimer(self.scope, 0.0, self.heartbeat)
        self.agent.on_session_message(message)

    def heartbeat(self) -> None:
        """Send one heartbeat; the next follows after the period in its answer."""
        reply = self.call(dispatcher.HEARTBEAT, HeartbeatRequest(self.agent.node_id, self.id))
        reply.callbacks.append(self._heard)

    def _heard(self, reply: Future[HeartbeatResponse]) -> None:
        if reply._ok:
            self.heartbeats.again(reply.value.period)
        else:
            self.failed(reply._value)

    def fast_forward(self, heartbeat: Phase) -> None:
        """As if all heartbeats up to now had been answered; ``heartbeat`` is the last."""
        self.heartbeats.wake(heartbeat.next)

    def call(self, method: Method[Request, Reply], request: Request) -> Future[Reply]:
        return self.channel.call(method, request, RPC_TIMEOUT).reply

    def failed(self, error: RpcError) -> None:
        if self.scope.alive:
            self.scope.end()
            self.agent.session_failed(self, error)


class Agent:
    """``local_manager()`` says whether a manager runs in this very process: it is then preferred."""

    def __init__(
        self,
        process: Process,
        scope: Scope,
        node_id: str,
        executor: Executor,
        disk: TaskDisk,
        remotes: Remotes,
        local_manager: Callable[[], bool],
        on_message: Callable[[SessionMessage], object],
        tls: Callable[[], TLSInfo],
    ) -> None:
        self.process = process
        self.scope = scope
        self.node_id = node_id
        self.executor = executor
        self._tls = tls
        self.description = self._describe()
        self.remotes = remotes
        self.local_manager = local_manager
        self.on_message = on_message
        self.journal = process.ctx.journal
        self._rng: Random = process.host.rng("agent")
        self._backoff = 0.0
        self.session: Session | None = None
        self._to_report: dict[str, TaskStatus] = {}
        self._reporting = False
        self.worker = Worker(scope, process.host.wall, executor, disk, self._status_changed)
        PeriodicTimer(scope, NODE_UPDATE_PERIOD, self.check_description)
        self._connect("", 0.0)

    # -- sessions

    def _connect(self, session_id: str, delay: float) -> None:
        remote = None
        if not self.local_manager():
            remote = self.remotes.select(self._rng)
            if remote is None:
                self.scope.after(delay, self._retry, session_id)
                return
        self.session = Session(self, remote, session_id, delay)

    def session_registered(self, session: Session) -> None:
        self._backoff = 0.0
        self.remotes.observe(session.remote, good=True)
        for task_id, status in self.worker.statuses():
            self._to_report.setdefault(task_id, status)
        self._report_next()

    def session_failed(self, session: Session, error: RpcError) -> None:
        self.remotes.observe(session.remote, good=False)
        self._reporting = False
        self.journal.note(
            rows.SessionFailed, host=self.process.host.name, manager=session.manager, reason=error.message
        )
        self._retry(session.id)

    def _retry(self, session_id: str) -> None:
        self.session = None
        self._backoff = min(INITIAL_BACKOFF + 2 * self._backoff, MAX_BACKOFF)
        self._connect(session_id, self._rng.random() * self._backoff)

    def on_session_message(self, message: SessionMessage) -> None:
        self.remotes.replace(message.managers)
        self.on_message(message)

    def _describe(self) -> NodeDescription:
        return replace(self.executor.describe(), tls=self._tls())

    def check_description(self) -> float:
        """A new description makes a new session; the seconds to the next look. While one is being made it is not looked at (agent.go run): what
        that one has said is what the manager knows."""
        if self.session is None or not self.session.registered:
            return NODE_UPDATE_PERIOD
        description = self._describe()
        if description != self.description:
            self.description = description
            session, self.session = self.session, None
            session.scope.end()
            self._reporting = False
            self._connect(session.id, 0.0)
        return NODE_UPDATE_PERIOD

    def ask(self, method: Method[Request, Reply], request: Request, limit: float) -> Activity[Reply]:
        """A call through the session, as soon as there is one (agent.go withSession). Raises :class:`RpcError` after ``limit`` seconds."""
        clock = self.process.clock
        until = clock.now + limit
        while self.session is None or not self.session.registered:
            if clock.now >= until:
                raise RpcError("DeadlineExceeded", "context deadline exceeded")
            yield SESSION_POLL
        return (yield from self.session.channel.call(method, request, max(0.0, until - clock.now)).reply)

    # -- reports

    def _status_changed(self, task_id: str, status: TaskStatus, moved: bool) -> None:
        waiting = self._to_report.get(task_id)
        if waiting is None or waiting.state <= status.state:
            self._to_report[task_id] = status
        task = self.worker.disk.get(task_id)
        if task is not None and moved:
            self.journal.note(
                rows.AgentReport,
                host=self.process.host.name,
                task=task_id[:8],
                state=str(status.state),
                desired=str(task.desired_state),
                err=status.err or None,
            )
        self._report_next()

    def _report_next(self) -> None:
        """Send one status; the next when it was taken."""
        session = self.session
        if self._reporting or not self._to_report or session is None or not session.registered:
            return
        task_id = next(iter(self._to_report))
        status = self._to_report.pop(task_id)
        self._reporting = True
        request = UpdateTaskStatusRequest(self.node_id, session.id, ((task_id, status),))
        reply = session.call(dispatcher.UPDATE_TASK_STATUS, request)
        reply.callbacks.append(partial(self._reported, session, task_id, status))

    def _reported(self, session: Session, task_id: str, status: TaskStatus, reply: Future[None]) -> None:
        if not self.scope.alive:
            return
        if not reply._ok:
            self._to_report.setdefault(task_id, status)
            session.failed(reply._value)
        elif session is self.session:
            self._reporting = False
            self._report_next()
