"""Joining a swarm as the daemon does it (daemon/cluster/swarm.go Join, noderunner.go).

Who typed ``docker swarm join`` waits 20 s at most. The attempt goes on in the background, where the daemon shows it as
``pending``, until the node is in the swarm, somebody leaves, or it has failed: then it shows the error.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.sim.future import Activity, Future
from swarmsim.sim.host import Process
from swarmsim.swarm.node import SwarmNode


class Joining:
    """One attempt. ``over(node)`` is told of its end, with ``None`` if it failed."""

    def __init__(
        self, process: Process, remote: str, attempt: Activity[SwarmNode], over: Callable[[SwarmNode | None], object]
    ) -> None:
        self.remote = remote
        self.error = ""
        self._over = over
        self._scope = process.child("joining")
        self.ended: Future[None] = process.clock.future()
        """Happens when the attempt is over, however."""
        self.done: Future[SwarmNode] = self._scope.spawn(attempt)
        self.done.callbacks.append(self._ended)

    def give_up(self) -> None:
        """Somebody leaves before the node is in."""
        self._scope.end()

    def _ended(self, done: Future[SwarmNode]) -> None:
        done.defused = True
        if not done.ok:
            self.error = str(done._value)
        self._over(done.value if done.ok else None)
        self.ended.succeed()
