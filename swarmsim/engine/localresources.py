"""Networks and volumes of one host, which no swarm knows of."""

from __future__ import annotations

from swarmsim.swarm.objects import NetworkSpec

PREDEFINED = (("bridge", "bridge", "172.17.0.0/16"), ("host", "host", ""), ("none", "null", ""))
GATEWAY_BRIDGE = ("docker_gwbridge", "bridge", "172.18.0.0/16")
"""What connects a swarm node's containers with its host; there as soon as the engine is on a network of the swarm."""


class LocalNetwork:
    """A network of scope ``local``."""

    def __init__(self, id: str, now: float, spec: NetworkSpec, predefined: bool = False) -> None:
        self.id = id
        self.created_at = now
        self.spec = spec
        self.predefined = predefined

    @property
    def name(self) -> str:
        return self.spec.name


def mountpoint(volume: str) -> str:
    """Where a volume's files are on its host."""
    return f"/var/lib/docker/volumes/{volume}/_data"


class Volume:
    """A named volume of the driver ``local``: it stays on its host."""

    def __init__(
        self, name: str, now: float, labels: dict[str, str] | None = None, options: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.created_at = now
        self.labels = labels
        self.options = options
