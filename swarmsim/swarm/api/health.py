"""api/health.proto: whether a manager's part serves."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import MANAGERS


class ServingStatus(StrEnum):
    """HealthCheckResponse.ServingStatus."""

    UNKNOWN = "UNKNOWN"
    SERVING = "SERVING"
    NOT_SERVING = "NOT_SERVING"


class HealthCheckRequest(NamedTuple):
    """``service`` is the part that is asked for; managers ask each other for ``Raft``."""

    service: str = "Raft"


class HealthCheckResponse(NamedTuple):
    """What a manager says of one part of itself."""

    status: ServingStatus


CHECK = Method("docker.swarmkit.v1.Health/Check", HealthCheckRequest, HealthCheckResponse, MANAGERS)
