"""A member of the gossip, as another knows it."""

from __future__ import annotations

from swarmsim.network.messages import NodeState, State


class Member:
    """What one member knows of another. ``changed_at`` (seconds): when its state did."""

    __slots__ = ("_told", "address", "changed_at", "incarnation", "name", "state")

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.incarnation = 0
        self.state = State.DEAD
        self.changed_at = 0.0
        self._told: NodeState | None = None

    @property
    def told(self) -> NodeState:
        """What one says of it in push/pull."""
        told = self._told
        if told is None or told.incarnation != self.incarnation or told.state is not self.state:
            told = self._told = NodeState(self.name, self.address, self.incarnation, self.state)
        return told

    @property
    def gone(self) -> bool:
        return self.state is State.DEAD or self.state is State.LEFT
