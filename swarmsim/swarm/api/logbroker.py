"""api/logbroker.proto: what tasks' containers print.

SwarmKit's agents hold a stream to the leader's broker (ListenSubscriptions) and publish on another what is asked for. Here
whoever wants lines asks the node itself, once: nothing else of the broker shows yet.
"""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import MANAGERS


class SubscribeLogsRequest(NamedTuple):
    """Of which tasks, by id."""

    task_ids: tuple[str, ...]


class SubscribeLogsMessage(NamedTuple):
    """By task id: (simulated seconds, line) as they were printed."""

    lines: dict[str, list[tuple[float, str]]]


SUBSCRIBE_LOGS = Method("docker.swarmkit.v1.Logs/SubscribeLogs", SubscribeLogsRequest, SubscribeLogsMessage, MANAGERS)
