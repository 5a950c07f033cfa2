"""The managers a node knows, and which to try next (remotes/remotes.go).

Each has a weight that follows what was observed of it; the next one is drawn in proportion to the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from swarmsim.swarm.api.dispatcher import Peer

SMOOTHING = 0.5  # remoteWeightSmoothingFactor
WEIGHT_MAX = 256.0  # remoteWeightMax
OBSERVATION = 10.0  # DefaultObservationWeight
BIAS = 0.001  # keeps remotes of no weight possible


class Remotes:
    """Weights by manager."""

    def __init__(self, *peers: Peer) -> None:
        self.weights: dict[Peer, float] = dict.fromkeys(peers, OBSERVATION)

    def replace(self, peers: Iterable[Peer]) -> None:
        """These are all managers now; known ones keep what was observed."""
        self.weights = {peer: self.weights.get(peer, OBSERVATION) for peer in peers}

    def addresses(self, without: str) -> tuple[str, ...]:
        """Where all are but the node ``without``, without ports."""
        return tuple(peer.addr.rpartition(":")[0] for peer in self.weights if peer.node_id != without)

    def observe(self, peer: Peer | None, good: bool) -> None:
        """What came of talking to a manager; of the one in this very process (``None``) nothing is noted."""
        if peer in self.weights:
            observed = OBSERVATION if good else -OBSERVATION
            weight = SMOOTHING * observed + (1 - SMOOTHING) * self.weights[peer]
            self.weights[peer] = max(-WEIGHT_MAX, min(WEIGHT_MAX, weight))

    def select(self, rng: Random) -> Peer | None:
        """A manager to try, or ``None`` if none is known."""
        total = sum(max(0.0, weight) + BIAS for weight in self.weights.values())
        point = rng.random() * total
        for peer, weight in self.weights.items():
            point -= max(0.0, weight) + BIAS
            if point < 0:
                return peer
        return next(reversed(self.weights), None)
