"""Traffic of which only rates are asked for, held against the same with every packet."""

from __future__ import annotations

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario

CREATE = "service create -d --no-resolve-image --name web -p 8888:80 --stop-grace-period 2s"
CASES = {
    "a node dies": """
  - docker: CREATE --replicas 6 mini:1 /serve
  - wait: {service: web, running: 6}
  - sleep: 2s
  - traffic: {to: any-node, port: 8888, rate: 50/s, timeout: 2s, duration: 40s REQUESTS}
  - sleep: 5s
  - fault: {power-off: w2}
""",
    "an update of servers that listen late": """
  - docker: CREATE --replicas 4 mini:1 /servelate
  - wait: {service: web, running: 4}
  - sleep: 8s
  - traffic: {to: any-node, port: 8888, rate: 50/s, timeout: 2s, duration: 60s REQUESTS}
  - sleep: 2s
  - docker: service update -d --no-resolve-image --force web
""",
    "nobody is there for a while": """
  - docker: CREATE --replicas 2 mini:1 /serve
  - wait: {service: web, running: 2}
  - sleep: 2s
  - traffic: {to: any-node, port: 8888, rate: 50/s, timeout: 2s, duration: 30s REQUESTS}
  - sleep: 2s
  - docker: service update -d --no-resolve-image --update-parallelism 0 --force web
""",
    "a cut is healed": """
  - docker: CREATE --replicas 6 mini:1 /serve
  - wait: {service: web, running: 6}
  - sleep: 30s
  - fault: {partition: [[w2]]}
  - wait: {node: w2, status: down}
  - wait: {service: web, running: 6}
  - fault: {heal: []}
  - traffic: {to: any-node, port: 8888, rate: 50/s, timeout: 2s, duration: 60s REQUESTS}
""",
    "a port that nobody publishes": """
  - traffic: {to: any-node, port: 9999, rate: 50/s, timeout: 2s, duration: 5s REQUESTS}
""",
}


def outcomes(steps: str, requests: str) -> tuple[dict[str, int], dict[str, int], int]:
    """How many ended how, who answered, and how many there were."""
    steps = steps.replace("CREATE", CREATE).replace(" REQUESTS", requests)
    found: dict[str, int] = {}
    by: dict[str, int] = {}

    def take(row: dict) -> None:
        if row["kind"] == "traffic":
            found.update(row["outcomes"])
        elif row["kind"] == "requests":
            for task, number in row["by"].items():
                by[task] = by.get(task, 0) + number
        elif row["kind"] == "request" and row["by"]:
            by[row["by"]] = by.get(row["by"], 0) + 1

    text = f"name: rates\ncluster: {{managers: 1, workers: 2, profile: lab, gossip: true}}\nsteps:\n{steps}"
    run_scenario(parse_scenario(text, "rates.yaml"), 1, take)
    return found, by, sum(found.values())


@pytest.mark.parametrize("case", CASES)
def test_as_with_every_packet_within_two_percent(case: str) -> None:
    packets, by, number = outcomes(CASES[case], "")
    rates, by_rates, number_of_rates = outcomes(CASES[case], ", requests: rates")
    assert number == number_of_rates
    for outcome in packets.keys() | rates.keys():
        assert abs(packets.get(outcome, 0) - rates.get(outcome, 0)) <= 0.02 * number, (packets, rates)
    for task in by.keys() | by_rates.keys():
        assert abs(by.get(task, 0) - by_rates.get(task, 0)) <= 0.02 * number, (by, by_rates)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("connections: kept", "leave out connections"),
        ("retries: 2", "leave out retries"),
        ("from: {service: web}, to: db", "say from: outside, or a host"),
    ],
)
def test_what_only_packets_can_do_is_refused(words: str, says: str) -> None:
    text = f"""
name: rates
cluster: {{managers: 1}}
steps:
  - traffic: {{{words}, port: 80, rate: 1/s, duration: 1s, requests: rates}}
"""
    with pytest.raises(ScenarioError, match=says):
        parse_scenario(text, "rates.yaml")
