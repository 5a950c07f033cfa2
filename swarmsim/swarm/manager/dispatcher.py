"""The dispatcher (manager/dispatcher/): agents' sessions, heartbeats, assignments and reports.

Runs on the leader. A node is READY while its agent's heartbeats come: each answer carries the next period,
drawn from 4.5..5.5 s, and the node is DOWN three such periods after its last heartbeat. A new leader knows
no sessions: it marks every node that is not DOWN as UNKNOWN and gives it six periods to register. Tasks of
a node that has been DOWN for 24 hours are ORPHANED.

Reports and status changes are written in one batch at the next 100 ms beat. Assignments go out 100 ms
after the last change, or at 100 changes.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TypeAlias

import msgspec

from swarmsim.apitypes.specs import SECOND, replace
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.sim.method import CallInfo, ServerStream
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.quiescence import Dormant, Renewals, Subject
from swarmsim.sim.scope import Scope
from swarmsim.sim.streams import new_id
from swarmsim.sim.timers import AlignedTicker, Deadline
from swarmsim.swarm.api.dispatcher import (
    AssignmentsMessage,
    HeartbeatRequest,
    HeartbeatResponse,
    Peer,
    SessionMessage,
    SessionRequest,
    UpdateTaskStatusRequest,
)
from swarmsim.swarm.manager.raftnode import RaftNode
from swarmsim.swarm.objects import Cluster, Node, NodeDescription, NodeState, NodeStatus, Task, TaskStatus
from swarmsim.swarm.states import TaskState, Who
from swarmsim.swarm.store import Change, Transaction
from swarmsim.trace import rows

HEARTBEAT_EPSILON = 0.5  # seconds, defaultHeartBeatEpsilon
GRACE_MULTIPLIER = 3  # defaultGracePeriodMultiplier
UNKNOWN_MULTIPLIER = 2 * GRACE_MULTIPLIER
RATE_LIMIT_PERIOD = 8.0  # seconds, defaultRateLimitPeriod
RATE_LIMIT_COUNT = 3  # registrations a node may make in one period
BATCH_INTERVAL = 0.1  # seconds, maxBatchInterval
ASSIGNMENT_WAIT = 0.1  # seconds, batchingWaitTime
ASSIGNMENT_LIMIT = 100  # modificationBatchLimit
NODE_DOWN_PERIOD = 24 * 3600.0  # seconds, DefaultNodeDownPeriod

UNKNOWN_MESSAGE = 'Node moved to "unknown" state due to leadership change in cluster'
HEARTBEAT_FAILURE = "heartbeat failure"
UNKNOWN_FAILURE = 'heartbeat failure for node in "unknown" state'


AgentStream: TypeAlias = ServerStream[SessionMessage | AssignmentsMessage]


class Registration:
    """A node the dispatcher expects heartbeats from; without a session while it is UNKNOWN."""

    __slots__ = ("attempts", "deadline", "registered_at", "session_id")

    def __init__(self, deadline: Deadline, session_id: str = "", registered_at: float = 0.0) -> None:
        self.deadline = deadline
        self.session_id = session_id
        self.registered_at = registered_at
        self.attempts = 0

    def heartbeat(self, period: float) -> None:
        """One came; the next is expected in ``period`` seconds."""
        self.deadline.extend(period * GRACE_MULTIPLIER)

    def last_heartbeat(self, interval: float) -> float:
        """When the last one came, if it was told ``interval`` (seconds)."""
        return self.deadline.due - GRACE_MULTIPLIER * interval

    def sleep(self, dormant: Dormant) -> None:
        """Heartbeats come without being sent: it cannot become silent."""
        self.deadline.sleep(dormant)

    def fast_forward(self, last: float, period: float) -> None:
        """As if all heartbeats up to now had come: the ``last`` then, and the next was expected ``period`` seconds after it."""
        grace = GRACE_MULTIPLIER * period
        self.deadline.wake(last + grace, grace)


class _Session:
    """An open stream to one agent and what it has been sent."""

    __slots__ = ("changed", "dispatcher", "id", "known", "node_id", "removed", "stream", "timer")

    def __init__(self, dispatcher: Dispatcher, node_id: str, id: str, stream: AgentStream) -> None:
        self.dispatcher = dispatcher
        self.node_id = node_id
        self.id = id
        self.stream = stream
        self.known: dict[str, Task] = {}
        self.changed: dict[str, Task] = {}
        self.removed: dict[str, None] = {}
        self.timer: Deadline | None = None

    def tell(self, node: Node) -> None:
        """Tell the agent of itself, of the managers, of the root and of networks' keys."""
        cluster = self.dispatcher.store.cluster
        assert cluster is not None, "there is a cluster before there is a dispatcher"
        self.stream.send(SessionMessage(self.id, node, self.dispatcher.managers, cluster.root, cluster.network_keys))

    def send_complete(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.status.state >= TaskState.ASSIGNED:
                self.known[task.id] = task
        self.stream.send(AssignmentsMessage(True, tuple(self.known.values())))

    def task_changed(self, task: Task) -> None:
        if task.status.state < TaskState.ASSIGNED:
            return
        old = self.known.get(task.id)
        self.known[task.id] = task
        if (
            old is not None
            and task.status.state > TaskState.ASSIGNED
            and old.desired_state is task.desired_state
            and old.spec is task.spec
        ):
            return  # only the agent's own report coming back
        self.changed[task.id] = task
        self._modified()

    def task_deleted(self, task_id: str) -> None:
        if self.known.pop(task_id, None) is not None:
            self.changed.pop(task_id, None)
            self.removed[task_id] = None
            self._modified()

    def _modified(self) -> None:
        if len(self.changed) + len(self.removed) >= ASSIGNMENT_LIMIT:
            self._flush()
        elif self.timer is None:
            self.timer = Deadline(self.dispatcher.scope, ASSIGNMENT_WAIT, self._flush)
        else:
            self.timer.extend(ASSIGNMENT_WAIT)

    def _flush(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        tasks, self.changed = tuple(self.changed.values()), {}
        removed, self.removed = tuple(self.removed), {}
        if tasks or removed:
            self.stream.send(AssignmentsMessage(False, tasks, removed))


def _happen(event: Future[None]) -> None:
    event.succeed()


class Dispatcher(Subject):
    """What changes in it is the swarm's configuration, and with it the heartbeat period."""

    def __init__(self, process: Process, scope: Scope, raft: RaftNode) -> None:
        self.process = process
        self.scope = scope
        self.raft = raft
        self.store = raft.store
        self.journal = process.ctx.journal
        self._rng: Random = process.host.rng("dispatcher")
        cluster = self.store.cluster
        self._period = (cluster.spec.heartbeat_period if cluster else 5 * SECOND) / SECOND
        self.registrations: dict[str, Registration] = {}
        self._down: dict[str, Deadline] = {}
        self._sessions: dict[str, _Session] = {}
        self._task_updates: dict[str, TaskStatus] = {}
        self._node_updates: dict[str, tuple[NodeStatus, NodeDescription | None]] = {}
        self._batched: Future[None] | None = None
        self._beat = AlignedTicker(scope, BATCH_INTERVAL, self._process_updates)
        self._accepting = scope.spawn(self._start())
        scope.on_end(self.store.watch(self._on_commit))
        raft.on_members.append(self._tell_all)
        scope.on_end(lambda: raft.on_members.remove(self._tell_all))

    def stop(self) -> None:
        """Leadership is lost: every agent must look for another dispatcher."""
        for session in list(self._sessions.values()):
            session.stream.close(RpcError("Aborted", "node must disconnect"))
        self._sessions.clear()

    def heartbeats(self, round_trip: float) -> Renewals:
        """When heartbeats of one session come that take ``round_trip`` seconds there and back."""
        return Renewals(self._period - HEARTBEAT_EPSILON, self._period + HEARTBEAT_EPSILON, round_trip)

    def _draw_period(self) -> float:
        return self._period - HEARTBEAT_EPSILON + 2 * HEARTBEAT_EPSILON * self._rng.random()

    # -- registration

    def _start(self) -> Activity[None]:
        """Mark all nodes unknown; registrations wait for that."""
        yield self._mark_unknown()
        yield self.process.host.profile.samplers["leader_start"](self._rng)

    def _mark_unknown(self) -> Future[None]:
        steps = []
        for node in self.store.table(Node).values():
            if node.status.state is NodeState.DOWN:
                self._expect_return(node.id)
                continue
            grace = self._draw_period() * UNKNOWN_MULTIPLIER
            deadline = Deadline(self.scope, grace, self._mark_down, node.id, UNKNOWN_FAILURE)
            self.registrations[node.id] = Registration(deadline)
            steps.append(partial(self._write_unknown, node.id))
        return self.store.batch(steps)

    def _write_unknown(self, node_id: str, tx: Transaction) -> None:
        node = tx.get(Node, node_id)
        if node is not None and node.status.state is not NodeState.DOWN:
            status = replace(node.status, state=NodeState.UNKNOWN, message=UNKNOWN_MESSAGE)
            tx.update(replace(node, status=status))

    def session(self, request: SessionRequest, stream: AgentStream) -> None:
        """An agent asks for a session."""
        self.scope.spawn(self._open(request, stream))

    def _open(self, request: SessionRequest, stream: AgentStream) -> Activity[None]:
        node_id = request.node_id
        if not self._accepting.processed:
            # An agent that gives up meanwhile is registered all the same, and is thought ready until its
            # first heartbeat is missed.
            yield self._accepting
        registration = self.registrations.get(node_id)
        known = registration is not None and request.session_id and registration.session_id == request.session_id
        if not known:
            if registration is not None:
                now = self.scope.clock.now
                if now - registration.registered_at > RATE_LIMIT_PERIOD:
                    registration.attempts = 0
                registration.attempts += 1
                if registration.attempts > RATE_LIMIT_COUNT:
                    stream.close(RpcError("Unavailable", f"node {node_id} exceeded rate limit count of registrations"))
                    return
                registration.registered_at = now
            if self.store.get(Node, node_id) is None:
                stream.close(RpcError("NotFound", "node not found"))
                return
        yield self._mark_ready(request)
        if known:
            session_id = request.session_id
        else:
            session_id = self._register(node_id)
        node = self.store.get(Node, node_id)
        if node is None or not stream.server_open:
            return
        session = _Session(self, node_id, session_id, stream)
        self._sessions[node_id] = session
        stream.on_client_gone = partial(self._session_closed, session)
        self.journal.note(rows.Session, node=node.hostname, manager=self.process.host.name)
        session.tell(node)
        session.send_complete(self.store.tasks_on_node(node_id))

    def _mark_ready(self, request: SessionRequest) -> Future[None]:
        status = NodeStatus(NodeState.READY, "", request.addr)
        self._node_updates[request.node_id] = (status, request.description)
        down = self._down.pop(request.node_id, None)
        if down is not None:
            down.cancel()
        return self._next_batch()

    def _register(self, node_id: str) -> str:
        old = self.registrations.get(node_id)
        grace = self._draw_period() * GRACE_MULTIPLIER
        deadline = Deadline(self.scope, grace, self._mark_down, node_id, HEARTBEAT_FAILURE)
        registration = Registration(deadline, new_id(self._rng), self.scope.clock.now)
        if old is not None:
            old.deadline.cancel()
            registration.attempts = old.attempts
            registration.registered_at = old.registered_at or registration.registered_at
        self.registrations[node_id] = registration
        return registration.session_id

    def _session_closed(self, session: _Session) -> None:
        if self._sessions.get(session.node_id) is session:
            del self._sessions[session.node_id]

    @property
    def managers(self) -> tuple[Peer, ...]:
        return tuple(Peer(member.node_id, member.addr) for member in self.raft.members.values())

    def _tell_all(self) -> None:
        for session in list(self._sessions.values()):
            node = self.store.get(Node, session.node_id)
            if node is not None:
                session.tell(node)

    # -- heartbeats

    def heartbeat(self, request: HeartbeatRequest, call: CallInfo) -> HeartbeatResponse:
        """Note a heartbeat, and say when the next one is expected."""
        registration = self._registered(request.node_id, request.session_id)
        period = self._draw_period()
        registration.heartbeat(period)
        return HeartbeatResponse(period)

    def _registered(self, node_id: str, session_id: str) -> Registration:
        registration = self.registrations.get(node_id)
        if registration is None:
            raise RpcError("NotFound", "node not registered")
        if not session_id or registration.session_id != session_id:
            raise RpcError("InvalidArgument", "session invalid")
        return registration

    def _mark_down(self, node_id: str, message: str) -> None:
        registration = self.registrations.pop(node_id, None)
        self._expect_return(node_id)
        _, description = self._node_updates.get(node_id, (None, None))
        self._node_updates[node_id] = (NodeStatus(NodeState.DOWN, message), description)
        session = self._sessions.pop(node_id, None)
        if session is not None:
            session.stream.close(RpcError("NotFound", "node not registered"))
        node = self.store.get(Node, node_id)
        self.journal.note(
            rows.NodeSilent,
            node=node.hostname if node else node_id,
            reason=message,
            after=round(registration.deadline.seconds, 3) if registration is not None else None,
        )
        self._beat.request()

    def _expect_return(self, node_id: str) -> None:
        self._down[node_id] = Deadline(self.scope, NODE_DOWN_PERIOD, self._orphan_tasks, node_id)

    def _orphan_tasks(self, node_id: str) -> None:
        self._down.pop(node_id, None)
        self.store.batch([partial(self._orphan, task.id) for task in self.store.tasks_on_node(node_id)])

    def _orphan(self, task_id: str, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is not None and TaskState.ASSIGNED <= task.status.state <= TaskState.RUNNING:
            tx.update(replace(task, status=replace(task.status, state=TaskState.ORPHANED)), Who.DISPATCHER)

    # -- reports

    def update_task_status(self, request: UpdateTaskStatusRequest, call: CallInfo) -> None:
        self._registered(request.node_id, request.session_id)
        for task_id, status in request.updates:
            task = self.store.get(Task, task_id)
            if task is None:
                continue
            if task.node_id != request.node_id:
                raise RpcError("PermissionDenied", "cannot update a task not assigned this node")
            self._task_updates[task_id] = status
        self._beat.request()

    def _next_batch(self) -> Future[None]:
        if self._batched is None:
            self._batched = self.scope.clock.future()
        self._beat.request()
        return self._batched

    def _process_updates(self) -> None:
        tasks, self._task_updates = self._task_updates, {}
        nodes, self._node_updates = self._node_updates, {}
        batched, self._batched = self._batched, None
        steps = [partial(self._write_task, id, status) for id, status in tasks.items()]
        steps += [partial(self._write_node, id, *update) for id, update in nodes.items()]
        done = self.store.batch(steps)
        if batched is not None:
            done.callbacks.append(lambda event: _happen(batched))

    def _write_task(self, task_id: str, status: TaskStatus, tx: Transaction) -> None:
        task = tx.get(Task, task_id)
        if task is None or task.status.state > status.state:
            return
        if msgspec.structs.replace(task.status, applied_at=None) == status:
            return
        tx.update(replace(task, status=replace(status, applied_at=self.store.wall.now)), Who.AGENT)

    def _write_node(
        self, node_id: str, status: NodeStatus, description: NodeDescription | None, tx: Transaction
    ) -> None:
        node = tx.get(Node, node_id)
        if node is not None:
            status = replace(status, addr=status.addr or node.status.addr)
            tx.update(replace(node, status=status, description=description or node.description))

    # -- assignments

    def _on_commit(self, changes: tuple[Change, ...]) -> None:
        for action, obj, old in changes:
            kind = type(obj)
            if kind is Task:
                session = self._sessions.get(obj.node_id)
                if session is None:
                    continue
                if action == "delete":
                    session.task_deleted(obj.id)
                else:
                    session.task_changed(obj)
            elif kind is Node:
                self._node_changed(action, obj, old)
            elif kind is Cluster and action == "update":
                if obj.network_keys == old.network_keys:  # their rotation, twice a day, is nothing to heartbeats
                    self.scope.clock.quiescence.invalidate(self)
                self._period = obj.spec.heartbeat_period / SECOND
                if obj.root != old.root or obj.network_keys != old.network_keys:
                    self._tell_all()

    def _node_changed(self, action: str, node: Node, old: Node | None) -> None:
        if action == "delete":
            registration = self.registrations.pop(node.id, None)
            if registration is not None:
                registration.deadline.cancel()
            down = self._down.pop(node.id, None)
            if down is not None:
                down.cancel()
            session = self._sessions.pop(node.id, None)
            if session is not None:
                session.stream.close(RpcError("NotFound", "node not registered"))
        elif old is not None and (
            node.role is not old.role
            or node.spec != old.spec
            or node.attachments is not old.attachments
            or node.certificate.state is not old.certificate.state
        ):
            session = self._sessions.get(node.id)
            if session is not None:
                session.tell(node)
