"""The managers a node knows, and which to try next (remotes/remotes.go).

Each has a weight that follows what was observed of it; the next one is drawn in proportion to the weights.
"""

from __future__ import annotations

from random import Random

SMOOTHING = 0.5  # remoteWeightSmoothingFactor
WEIGHT_MAX = 256.0  # remoteWeightMax
OBSERVATION = 10.0  # DefaultObservationWeight
BIAS = 0.001  # keeps remotes of no weight possible


class Remotes:
    """Weights by host. ``managers`` is (node id, host) of each known manager."""

    def __init__(self, hosts: tuple[str, ...] = ()) -> None:
        self.weights: dict[str, float] = dict.fromkeys(hosts, OBSERVATION)

    def replace(self, hosts: tuple[str, ...]) -> None:
        """These are all managers now; known ones keep what was observed."""
        self.weights = {host: self.weights.get(host, OBSERVATION) for host in hosts}

    def observe(self, host: str, good: bool) -> None:
        if host in self.weights:
            observed = OBSERVATION if good else -OBSERVATION
            weight = SMOOTHING * observed + (1 - SMOOTHING) * self.weights[host]
            self.weights[host] = max(-WEIGHT_MAX, min(WEIGHT_MAX, weight))

    def select(self, rng: Random) -> str | None:
        """A manager to try, or ``None`` if none is known."""
        total = sum(max(0.0, weight) + BIAS for weight in self.weights.values())
        point = rng.random() * total
        for host, weight in self.weights.items():
            point -= max(0.0, weight) + BIAS
            if point < 0:
                return host
        return next(reversed(self.weights), None)
