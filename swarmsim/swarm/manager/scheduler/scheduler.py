"""The scheduler's loop and its choice (manager/scheduler/scheduler.go).

It runs 50 ms after the last commit, at the latest a second after the first. Tasks of one service and
spec version are scheduled as a group: the best nodes are sorted once and filled until they are level, branch by
branch where the service has placement preferences.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from random import Random
from typing import NamedTuple

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.journal import Journal
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import Deadline
from swarmsim.swarm.manager.loop import CommitLoop
from swarmsim.swarm.manager.scheduler.filters import Pipeline
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo
from swarmsim.swarm.manager.scheduler.nodeset import RING_BITS, NodeSet
from swarmsim.swarm.manager.scheduler.tree import Branch, grow, share_out
from swarmsim.swarm.objects import Node, Service, Task, TaskStatus
from swarmsim.swarm.states import ASSIGNED_MESSAGE, CONFIRMED_MESSAGE, TaskState, Who
from swarmsim.swarm.store import Change, MemoryStore, OutOfSequence, Transaction
from swarmsim.trace import rows

DEBOUNCE_GAP = 0.050  # seconds, commitDebounceGap
MAX_LATENCY = 1.0  # seconds, maxLatency


class Decision(NamedTuple):
    old: Task
    new: Task


class Scheduler:
    """Keeps its own picture of nodes and tasks, as SwarmKit's does, and decides on it."""

    def __init__(self, scope: Scope, store: MemoryStore, journal: Journal, rng: Random) -> None:
        self.scope = scope
        self.store = store
        self.journal = journal
        self.rng = rng
        self.nodes = NodeSet(rng)
        self._tasks: dict[str, Task] = {}
        self._unassigned: dict[str, Task] = {}
        self._preassigned: set[str] = set()
        self._pending_preassigned: dict[str, Task] = {}
        self._tick_required = True
        self._debounce: Deadline | None = None
        self._debounce_started = 0.0
        self._setup()
        self._loop = CommitLoop(scope, store, self._on_commit, self._schedule())

    def _setup(self) -> None:
        on_node: dict[str, list[Task]] = {}
        for task in self.store.table(Task).values():
            state = task.status.state
            if not TaskState.PENDING <= state <= TaskState.RUNNING:
                continue
            if state is TaskState.PENDING and task.desired_state > TaskState.COMPLETE:
                continue
            self._tasks[task.id] = task
            if not task.node_id:
                self._unassigned[task.id] = task
            elif state is TaskState.PENDING:
                self._preassigned.add(task.id)
                self._pending_preassigned[task.id] = task
            else:
                on_node.setdefault(task.node_id, []).append(task)
        for node in self.store.table(Node).values():
            self.nodes.put(node, on_node.get(node.id))

    # -- following the store

    def _on_commit(self, changes: tuple[Change, ...]) -> Activity[None] | None:
        for action, obj, _ in changes:
            kind = type(obj)
            if kind is Task:
                if action == "delete":
                    self._tick_required |= self._forget(obj)
                elif action == "create":
                    self._tick_required |= self._task_created(obj)
                else:
                    self._tick_required |= self._task_updated(obj)
            elif kind is Node:
                if action == "delete":
                    self.nodes.drop(obj.id)
                else:
                    self.nodes.put(obj)
                    self._tick_required = True
        return self._debounced()

    def _debounced(self) -> Activity[None] | None:
        now = self.scope.clock.now
        if self._debounce is None:
            self._debounce = Deadline(self.scope, DEBOUNCE_GAP, self._gap_over)
            self._debounce_started = now
        elif now - self._debounce_started > MAX_LATENCY:
            self._debounce.cancel()
            self._debounce = None
            return self._schedule()
        else:
            self._debounce.extend(DEBOUNCE_GAP)
        return None

    def _gap_over(self) -> None:
        self._debounce = None
        if self._tick_required or self._pending_preassigned:
            self._loop.submit(self._schedule)

    def _task_created(self, task: Task) -> bool:
        if not TaskState.PENDING <= task.status.state <= TaskState.RUNNING:
            return False
        self._tasks[task.id] = task
        if not task.node_id:
            self._unassigned[task.id] = task
            return True
        if task.status.state is TaskState.PENDING:
            self._preassigned.add(task.id)
            self._pending_preassigned[task.id] = task
            return False
        self._place(task)
        return False

    def _task_updated(self, task: Task) -> bool:
        state = task.status.state
        if state < TaskState.PENDING:
            return False
        old = self._tasks.get(task.id)
        if state > TaskState.RUNNING:
            if old is None:
                return False
            failed = state in (TaskState.FAILED, TaskState.REJECTED) and state is not old.status.state
            info = self.nodes.get(task.node_id)
            if failed and info is not None and task.id not in self._preassigned:
                self.nodes.failed(info, task, self.scope.clock.now)
            self._forget(old)
            return True
        if not task.node_id:
            if old is not None:
                self._forget(old)
            self._tasks[task.id] = task
            self._unassigned[task.id] = task
            return True
        if state is TaskState.PENDING:
            if old is not None:
                self._forget(old)
            self._preassigned.add(task.id)
            self._tasks[task.id] = task
            self._pending_preassigned[task.id] = task
            return False
        self._tasks[task.id] = task
        self._place(task)
        return False

    def _place(self, task: Task) -> None:
        info = self.nodes.get(task.node_id)
        if info is not None:
            info.add(task)

    def _forget(self, task: Task) -> bool:
        self._tasks.pop(task.id, None)
        self._preassigned.discard(task.id)
        self._pending_preassigned.pop(task.id, None)
        info = self.nodes.get(task.node_id)
        return info is not None and info.remove(task)

    # -- deciding

    def _schedule(self) -> Activity[None]:
        if self._pending_preassigned:
            yield from self._confirm_preassigned()
        if self._tick_required:
            self._tick_required = False
            yield from self._tick()

    def _confirm_preassigned(self) -> Activity[None]:
        decisions = {}
        for task in list(self._pending_preassigned.values()):
            info = self.nodes.get(task.node_id)
            if info is None:
                continue
            pipeline = Pipeline(task)
            if pipeline.process(info):
                status = TaskStatus(TaskState.ASSIGNED, self.store.wall.now, CONFIRMED_MESSAGE)
                new = replace(task, status=status, generic=info.claim(task))
                info.add(new)
            else:
                status = replace(task.status, timestamp=self.store.wall.now, err=pipeline.explain())
                new = replace(task, status=status)
            self._tasks[task.id] = new
            decisions[task.id] = Decision(task, new)
        failed = yield from self._apply(decisions)
        for decision in decisions.values():
            if decision.old.id in failed:
                self._undo(decision)
            elif decision.new.status.state is TaskState.ASSIGNED:
                self._pending_preassigned.pop(decision.old.id, None)

    def _tick(self) -> Activity[None]:
        groups: dict[tuple[str, int], dict[str, Task]] = {}
        unassigned, self._unassigned = self._unassigned, {}
        for task in unassigned.values():
            if not task.node_id:
                groups.setdefault((task.service_id, task.spec_version), {})[task.id] = task
        decisions: dict[str, Decision] = {}
        for group in groups.values():
            self._schedule_group(group, decisions)
        failed = yield from self._apply(decisions)
        for id in failed:
            self._undo(decisions[id])
            self._unassigned[id] = decisions[id].old
            self._tick_required = True

    def _undo(self, decision: Decision) -> None:
        self._tasks[decision.old.id] = decision.old
        info = self.nodes.get(decision.new.node_id)
        if info is not None:
            info.remove(decision.new)

    def _schedule_group(self, group: dict[str, Task], decisions: dict[str, Decision]) -> None:
        """Decide for all tasks of one service and version."""
        tasks = list(group.values())
        self.rng.shuffle(tasks)
        task, count, now = tasks[0], len(tasks), self.scope.clock.now
        pipeline = Pipeline(task)
        left = deque(tasks)
        if task.spec.placement.preferences:

            def place(leaf: Branch, wanted: int) -> int:
                return self._fill(left, wanted, leaf.ordered(task, pipeline, now), pipeline, decisions)

            nodes = self.nodes.from_(self.rng.getrandbits(RING_BITS))
            share_out(grow(task, nodes, pipeline), count, place)
        else:
            self._fill(left, count, self.nodes.best(task, count, pipeline, now), pipeline, decisions)
        if left:
            self._no_suitable_node(list(left), pipeline, decisions)

    def _fill(
        self,
        tasks: deque[Task],
        wanted: int,
        nodes: list[NodeInfo],
        pipeline: Pipeline,
        decisions: dict[str, Decision],
    ) -> int:
        """Take up to ``wanted`` tasks and put each on the next node if that is better by now (scheduleNTasksOnNodes).

        Returns how many found a place; the others stay in ``tasks``.
        """
        now, written = self.scope.clock.now, self.store.wall.now
        full: set[int] = set()
        turn = placed = 0
        while nodes and tasks and placed < wanted:
            task = tasks.popleft()
            info = nodes[turn % len(nodes)]
            rank = info.rank(task, now)
            status = TaskStatus(TaskState.ASSIGNED, written, ASSIGNED_MESSAGE)
            new = replace(task, node_id=info.node.id, status=status, generic=info.claim(task))
            self._tasks[task.id] = new
            info.add(new)
            decisions[task.id] = Decision(task, new)
            self._note(new, info, rank)
            placed += 1
            if placed == wanted:
                break
            if turn + 1 < len(nodes):
                if nodes[turn + 1].rank(task, now) < info.rank(task, now):
                    turn += 1
            else:
                turn += 1
            start = turn
            while turn % len(nodes) in full or not pipeline.process(nodes[turn % len(nodes)]):
                full.add(turn % len(nodes))
                turn += 1
                if turn - start == len(nodes):
                    return placed
        return placed

    def _note(self, task: Task, info: NodeInfo, rank: tuple[int, int, int]) -> None:
        if self.journal.wants("scheduler.assigned"):
            failures, of_service, in_all = rank
            reason = f"{of_service} tasks of the service, {in_all} in all"
            self.journal.note(
                rows.SchedulerAssigned,
                task=task.id[:8],
                name=task.label,
                node=info.node.hostname,
                reason=f"{failures} recent failures, {reason}" if failures else reason,
            )

    def _no_suitable_node(self, tasks: list[Task], pipeline: Pipeline, decisions: dict[str, Decision]) -> None:
        explanation = pipeline.explain()
        err = f"no suitable node ({explanation})" if explanation else "no suitable node"
        for task in tasks:
            service = self.store.get(Service, task.service_id)
            if service is None:
                continue
            status = replace(task.status, timestamp=self.store.wall.now)
            if service.spec_version > task.spec_version:
                if task.status.state is TaskState.PENDING and task.desired_state >= TaskState.SHUTDOWN:
                    status = replace(status, state=TaskState.SHUTDOWN, err="")
                new = replace(task, status=status)
            else:
                new = replace(task, status=replace(status, err=err))
                self._unassigned[task.id] = new
                self.journal.note(rows.SchedulerPending, task=task.id[:8], name=task.label, reason=err)
            self._tasks[task.id] = new
            decisions[task.id] = Decision(task, new)

    # -- writing decisions down

    def _apply(self, decisions: dict[str, Decision]) -> Activity[dict[str, None]]:
        """Write the decisions; the ids of those that could not be."""
        failed: dict[str, None] = {}
        if decisions:
            yield self.store.batch([partial(self._write, decision, failed) for decision in decisions.values()])
        return failed

    def _write(self, decision: Decision, failed: dict[str, None], tx: Transaction) -> None:
        new = decision.new
        current = tx.get(Task, new.id)
        if current is None:
            self._forget(new)
            return
        now, wanted = current.status, new.status
        if (now.state, now.message, now.err) == (wanted.state, wanted.message, wanted.err):
            return
        if now.state > wanted.state:
            failed[new.id] = None
            return
        try:
            tx.update(new, Who.SCHEDULER)
        except OutOfSequence:
            failed[new.id] = None
