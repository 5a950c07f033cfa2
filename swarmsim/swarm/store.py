"""The store of one manager (manager/state/store/memory.go): tables in memory, written only through Raft.

Reading is immediate. Writing is a function over a transaction: writers queue, the function runs when its
turn comes and sees everything written before, its changes become one proposal (at most 200 changes), and
the next writer waits until it is committed or refused. A :meth:`MemoryStore.batch` is many small
functions in as few proposals as possible. Each object carries the version it was last written at; an
update based on an older one fails with ``update out of sequence``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, cast

import msgspec

from swarmsim.sim.clock import Clock
from swarmsim.sim.errors import BrokenRule, ModelError
from swarmsim.sim.future import Future
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.objects import Cluster, Config, Meta, Network, Node, Secret, Service, StoreObject, Task
from swarmsim.swarm.states import BackwardsDesire, Who, check_move

MAX_CHANGES = 200  # store.MaxChangesPerTransaction
TABLES: tuple[type[StoreObject], ...] = (Cluster, Config, Network, Node, Secret, Service, Task)

T = TypeVar("T", bound=StoreObject)
R = TypeVar("R")
K = TypeVar("K")


class StoreError(ModelError):
    """A write that cannot be."""


class AlreadyExists(StoreError):
    def __init__(self) -> None:
        super().__init__("object already exists")


class NameConflict(StoreError):
    def __init__(self) -> None:
        super().__init__("name conflicts with an existing object")


class NotFound(StoreError):
    def __init__(self) -> None:
        super().__init__("object does not exist")


class OutOfSequence(StoreError):
    def __init__(self) -> None:
        super().__init__("update out of sequence")


class Change(NamedTuple):
    """One object created, updated or deleted. ``old`` is what was there (``None`` when created)."""

    action: Literal["create", "update", "delete"]
    obj: Any
    old: Any


Watcher = Callable[[tuple[Change, ...]], object]


class Proposer(Protocol):
    """Where changes go to be agreed on: the manager's Raft node."""

    def propose(self, changes: tuple[Change, ...]) -> Future[None]:
        """The event succeeds once the changes are applied, or fails if they will not be waited for."""

    @property
    def version(self) -> int:
        """The commit index: the version given to what is written now."""


class Transaction:
    """A view of the store plus the changes made through it."""

    __slots__ = ("_overlay", "changes", "store", "version")

    def __init__(self, store: MemoryStore, version: int) -> None:
        self.store = store
        self.version = version
        self.changes: list[Change] = []
        self._overlay: dict[tuple[type[StoreObject], str], StoreObject | None] = {}

    def get(self, kind: type[T], id: str) -> T | None:
        key = (kind, id)
        if key in self._overlay:
            return cast("T | None", self._overlay[key])
        return self.store.get(kind, id)

    def all(self, kind: type[T]) -> Iterator[T]:
        """Every object of a table, oldest first, with this transaction's changes."""
        for obj in self.store.table(kind).values():
            if (kind, obj.id) not in self._overlay:
                yield obj
        for (table, _), written in self._overlay.items():
            if table is kind and written is not None:
                yield cast(T, written)

    def create(self, obj: StoreObject) -> None:
        if self.get(type(obj), obj.id) is not None:
            raise AlreadyExists
        if obj.name and any(other.name == obj.name for other in self.all(type(obj))):
            raise NameConflict
        now = self.store.wall.now
        self._write("create", msgspec.structs.replace(obj, meta=Meta(self.version, now, now)), None)

    def update(self, obj: StoreObject, who: Who | None = None) -> None:
        """Write an object anew. Whoever changes the observed state of a task says ``who`` it is.

        Raises :class:`NotFound`, :class:`OutOfSequence`, and :class:`IllegalMove` if the table of moves forbids it.
        """
        old = self.get(type(obj), obj.id)
        if old is None:
            raise NotFound
        if old.meta.version != obj.meta.version:
            raise OutOfSequence
        if isinstance(obj, Task):
            assert isinstance(old, Task)
            if obj.status.state is not old.status.state:
                check_move(obj.id, old.status.state, obj.status.state, who)
            if obj.desired_state < old.desired_state:
                raise BackwardsDesire(obj.id, old.desired_state, obj.desired_state)
        meta = Meta(self.version, old.meta.created_at, self.store.wall.now)
        self._write("update", msgspec.structs.replace(obj, meta=meta), old)

    def delete(self, kind: type[StoreObject], id: str) -> None:
        old = self.get(kind, id)
        if old is None:
            raise NotFound
        self._write("delete", old, old)

    def _write(self, action: Literal["create", "update", "delete"], obj: StoreObject, old: StoreObject | None) -> None:
        self._overlay[type(obj), obj.id] = None if action == "delete" else obj
        self.changes.append(Change(action, obj, old))


class _Writer(Generic[R]):
    """A queued write: the functions still to run, and who waits."""

    __slots__ = ("alone", "done", "result", "steps")

    def __init__(self, steps: Iterator[Callable[[Transaction], R]], done: Future[R], alone: bool) -> None:
        self.steps = steps
        self.alone = alone
        self.done = done
        self.result: R | None = None


Step = Callable[[Transaction], Any]
"""A small write, one of a batch."""


class MemoryStore:
    """One manager's copy of the swarm's objects. ``wall`` is what its writes are stamped with: the clock of the manager's host."""

    def __init__(self, clock: Clock, wall: WallClock | None = None) -> None:
        self.clock = clock
        self.wall = wall or WallClock(clock)
        self.proposer: Proposer | None = None
        self._tables: dict[type[StoreObject], dict[str, Any]] = {kind: {} for kind in TABLES}
        self._by_service: dict[str, dict[str, None]] = {}
        self._by_node: dict[str, dict[str, None]] = {}
        self._by_slot: dict[tuple[str, int], dict[str, None]] = {}
        self._watchers: list[Watcher] = []
        self._object_watchers: dict[str, list[Callable[[Change], object]]] = {}
        self._queue: deque[_Writer[Any]] = deque()
        self._writing = False

    # -- reading

    def table(self, kind: type[T]) -> dict[str, T]:
        """All objects of one kind by id, oldest first. Not to be changed."""
        return self._tables[kind]

    def get(self, kind: type[T], id: str) -> T | None:
        return self._tables[kind].get(id)

    def named(self, kind: type[T], name: str) -> T | None:
        return next((obj for obj in self.table(kind).values() if obj.name == name), None)

    def tasks_of_service(self, service_id: str) -> list[Task]:
        return self._tasks(self._by_service.get(service_id))

    def tasks_on_node(self, node_id: str) -> list[Task]:
        return self._tasks(self._by_node.get(node_id))

    def tasks_in_slot(self, service_id: str, slot: int) -> list[Task]:
        return self._tasks(self._by_slot.get((service_id, slot)))

    def _tasks(self, ids: dict[str, None] | None) -> list[Task]:
        tasks = self._tables[Task]
        return [tasks[id] for id in ids] if ids else []

    @property
    def cluster(self) -> Cluster | None:
        return next(iter(self.table(Cluster).values()), None)

    # -- watching

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher(changes)`` after every commit; returns how to stop."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def watch_object(self, id: str, watcher: Callable[[Change], object]) -> Callable[[], None]:
        """Call ``watcher(change)`` for every change of one object; returns how to stop."""
        watchers = self._object_watchers.setdefault(id, [])
        watchers.append(watcher)

        def stop() -> None:
            if watcher in watchers:
                watchers.remove(watcher)
                if not watchers:
                    self._object_watchers.pop(id, None)

        return stop

    # -- writing

    def update(self, change: Callable[[Transaction], R]) -> Future[R]:
        """One transaction; the future carries what ``change`` returned, or its error."""
        return self._enqueue(_Writer(iter((change,)), self.clock.future(), alone=True))

    def batch(self, steps: Iterable[Callable[[Transaction], R]]) -> Future[R | None]:
        """Many small writes in proposals of at most 200 changes; the future carries the last result, if there was one.

        A step that raises :class:`StoreError` is left out and the others go on, as SwarmKit logs it and does.
        """
        return self._enqueue(_Writer(iter(steps), self.clock.future(), alone=False))

    def _enqueue(self, writer: _Writer[R]) -> Future[R]:
        writer.done.defused = True
        self._queue.append(writer)
        if not self._writing:
            self._next_writer()
        return writer.done

    def cancel_writers(self, error: Exception) -> None:
        """Leadership is lost: nobody in the queue will be served."""
        waiting, self._queue = list(self._queue), deque()
        for writer in waiting:
            writer.done.fail(error)

    def _next_writer(self) -> None:
        while self._queue and not self._writing:
            self._writing = True
            self._advance(self._queue.popleft())

    def _advance(self, writer: _Writer[Any]) -> None:
        """Run steps until a proposal is full or none are left."""
        tx = Transaction(self, self.proposer.version if self.proposer else 0)
        for step in writer.steps:
            try:
                writer.result = step(tx)
            except BrokenRule:
                raise
            except Exception as error:
                if isinstance(error, StoreError) and not writer.alone:
                    continue
                self._finish(writer, error)
                return
            if len(tx.changes) >= MAX_CHANGES:
                break
        if not tx.changes:
            self._finish(writer, None)
            return
        changes = tuple(tx.changes)
        if self.proposer is None:
            self.apply(changes)
            self._advance(writer)
            return
        proposal = self.proposer.propose(changes)
        if proposal.callbacks is None:
            self._proposed(writer, proposal)
        else:
            proposal.callbacks.append(lambda event: self._proposed(writer, event))

    def _proposed(self, writer: _Writer[Any], proposal: Future[None]) -> None:
        if proposal._ok:
            self._advance(writer)
        else:
            proposal.defused = True
            self._finish(writer, proposal._value)

    def _finish(self, writer: _Writer[Any], error: BaseException | None) -> None:
        self._writing = False
        if error is None:
            writer.done.succeed(writer.result)
        elif isinstance(error, Exception):
            writer.done.fail(error)
        self._next_writer()

    # -- applying what Raft committed

    def apply(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self._apply(change)
        for watcher in tuple(self._watchers):
            watcher(changes)
        if self._object_watchers:
            for change in changes:
                for notify in tuple(self._object_watchers.get(change.obj.id, ())):
                    notify(change)

    def _apply(self, change: Change) -> None:
        obj = change.obj
        table = self._tables[type(obj)]
        if change.action == "delete":
            table.pop(obj.id, None)
        else:
            table[obj.id] = obj
        if type(obj) is Task:
            self._index(obj, change)

    def _index(self, task: Task, change: Change) -> None:
        if change.action == "update" and change.old.node_id == task.node_id:
            return
        self._file(self._by_service, task.service_id, task, change)
        self._file(self._by_slot, (task.service_id, task.slot), task, change)
        self._file(self._by_node, task.node_id, task, change)
        if change.action == "update" and change.old.node_id:
            self._by_node.get(change.old.node_id, {}).pop(task.id, None)

    def _file(self, index: dict[K, dict[str, None]], key: K, task: Task, change: Change) -> None:
        if change.action != "delete":
            index.setdefault(key, {})[task.id] = None
            return
        members = index.get(key)
        if members is not None:
            members.pop(task.id, None)
            if not members:
                del index[key]

    # -- snapshots

    def save(self) -> tuple[StoreObject, ...]:
        return tuple(obj for kind in TABLES for obj in self._tables[kind].values())

    def restore(self, objects: tuple[StoreObject, ...]) -> None:
        """Become the snapshot; watchers see it as one set of changes."""
        changes = [Change("delete", obj, obj) for kind in TABLES for obj in self._tables[kind].values()]
        changes += [Change("create", obj, None) for obj in objects]
        self.apply(tuple(changes))
