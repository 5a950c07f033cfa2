"""The shape of every leader component: one commit's changes at a time, each write waited for.

SwarmKit's components are goroutines reading a channel of store events, blocking while their own
transaction is agreed on. Events that come meanwhile wait. Without that order two commits in a row would
each make an orchestrator create the same missing task.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from swarmsim.sim.future import Activity, Future
from swarmsim.sim.scope import Scope
from swarmsim.swarm.store import Change, MemoryStore

OnCommit = Callable[[tuple[Change, ...]], Activity[None] | None]


class CommitLoop:
    """Calls ``on_commit(changes)`` for each commit from now on, as long as ``scope`` lives.

    If it returns an activity, the next commit waits until that is over.
    """

    def __init__(
        self, scope: Scope, store: MemoryStore, on_commit: OnCommit, first: Activity[None] | None = None
    ) -> None:
        self._scope = scope
        self._on_commit = on_commit
        self._queue: deque[Callable[[], Activity[None] | None]] = deque()
        self._busy = False
        scope.on_end(store.watch(self._arrived))
        if first is not None:
            self._wait_for(first)

    def submit(self, work: Callable[[], Activity[None] | None]) -> None:
        """Do something else in turn with the commits (a timer's work)."""
        self._queue.append(work)
        self._work()

    def _arrived(self, changes: tuple[Change, ...]) -> None:
        if self._busy or self._queue:
            self._queue.append(partial(self._on_commit, changes))
            return
        activity = self._on_commit(changes)
        if activity is not None:
            self._wait_for(activity)

    def _work(self) -> None:
        while self._queue and not self._busy:
            activity = self._queue.popleft()()
            if activity is not None:
                self._wait_for(activity)

    def _wait_for(self, activity: Activity[None]) -> None:
        self._busy = True
        self._scope.spawn(activity).callbacks.append(self._done)

    def _done(self, event: Future[None]) -> None:
        # A write that could not be made is given up, as SwarmKit logs it and goes on.
        event.defused = True
        self._busy = False
        if self._scope.alive:
            self._work()
