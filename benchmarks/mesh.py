"""Requests through a routing mesh of ten nodes, one of which dies."""

from __future__ import annotations

import time

from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.rows import Row

TEXT = """
name: mesh
cluster: {{managers: 3, workers: 7, gossip: true}}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 20 -p 8888:80 mini:1 /serve
  - wait: {{service: web, running: 20}}
  - sleep: 2s
  - traffic: {{to: any-node, port: 8888, rate: {rate}/s, timeout: 2s, duration: {seconds:g}s{options}}}
    as: clients
  - sleep: {third:g}s
  - fault: {{power-off: w7}}
"""


def requests(rate: int, seconds: float, options: str = "") -> tuple[float, dict[str, int]]:
    """CPU seconds of ``rate`` requests a second for ``seconds``, and how many ended how. The cluster is formed before."""
    loaded = parse_scenario(TEXT.format(rate=rate, seconds=seconds, third=seconds / 3, options=options), "mesh.yaml")
    begun = ended = 0.0
    outcomes: dict[str, int] = {}

    def take(row: Row) -> None:
        nonlocal begun, ended, outcomes
        if row["kind"] == "reached":
            begun = time.process_time()
        elif row["kind"] == "traffic":
            ended, outcomes = time.process_time(), row["outcomes"]

    run_scenario(loaded, 1, take)
    return ended - begun, outcomes
