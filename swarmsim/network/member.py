"""A member of the gossip, as another knows it."""

from __future__ import annotations

from swarmsim.network.messages import State


class Member:
    """What one member knows of another. ``changed_at`` (seconds): when its state did."""

    __slots__ = ("address", "changed_at", "incarnation", "name", "state")

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.incarnation = 0
        self.state = State.DEAD
        self.changed_at = 0.0

    @property
    def gone(self) -> bool:
        return self.state is State.DEAD or self.state is State.LEFT
