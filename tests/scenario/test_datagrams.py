"""UDP through the routing mesh: flows, what a dead task leaves behind, and what ICMP says."""

from __future__ import annotations

from itertools import groupby

import pytest

from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.rows import Row

HEAD = """
name: x
cluster: {managers: 1, workers: 2, profile: lab, gossip: true}
images:
  - {name: names, source: local, ports: [53/udp], answers: 1ms}
steps:
"""
SERVER = """
  - docker: service create -d --no-resolve-image --name names --replicas %d -p 5353:53/udp --constraint node.role==worker names
  - wait: {service: names, running: %d}
  - sleep: 2s
"""


def requests(steps: str) -> list[Row]:
    rows: list[Row] = []
    run_scenario(parse_scenario(HEAD + steps, "x"), 1, rows.append)
    return [row for row in rows if row["kind"] == "request"]


def udp(more: str = "", rate: str = "10/s", duration: str = "2s", to: str = "m1", port: int = 5353) -> str:
    return f"  - traffic: {{protocol: udp, to: {to}, port: {port}, rate: {rate}, duration: {duration}, timeout: 1s{more}}}\n"


def outcomes(made: list[Row]) -> list[tuple[str, int]]:
    """How requests ended, as they were begun: what is the same is counted."""
    outs = [row["out"] for row in sorted(made, key=lambda row: row["began"])]
    return [(out, len(list(each))) for out, each in groupby(outs)]


def test_each_new_socket_is_a_flow_of_its_own_and_tasks_take_turns() -> None:
    made = requests(SERVER % (2, 2) + udp())
    assert outcomes(made) == [("ok", 20)]
    assert sorted(row["by"] for row in made) == ["names.1"] * 10 + ["names.2"] * 10


def test_a_socket_that_is_kept_stays_with_its_task() -> None:
    made = requests(SERVER % (2, 2) + udp(", connections: kept"))
    assert len({row["by"] for row in made}) == 1
    pooled = requests(SERVER % (2, 2) + udp(", connections: {pool: 2}"))
    assert len({row["by"] for row in pooled}) == 2


@pytest.mark.parametrize(("pause", "tasks"), [(299, 1), (301, 2)])
def test_the_load_balancer_forgets_a_flow_that_has_been_idle_for_300_s(pause: int, tasks: int) -> None:
    made = requests(SERVER % (2, 2) + udp(", connections: kept", rate=f"{3600 / pause}/h", duration=f"{pause + 1}s"))
    assert outcomes(made) == [("ok", 2)]
    assert len({row["by"] for row in made}) == tasks


def test_a_closed_port_is_refused_six_times_and_then_once_a_second() -> None:
    made = requests(udp(duration="3s"))
    assert {row["out"] for row in made} == {"refused", "timeout"}
    assert outcomes(made)[0] == ("refused", 6)
    assert sum(row["out"] == "refused" for row in made[6:]) in (2, 3)


def test_tcp_and_udp_of_a_number_are_two_ports() -> None:
    made = requests(SERVER % (1, 1) + udp().replace("protocol: udp", "protocol: tcp"))
    assert {row["out"] for row in made} == {"refused"}


def test_a_flow_is_pinned_to_a_dead_task_until_gossip_knows() -> None:
    """Silence, as nobody sends anything again; then one datagram ends the flow's entry, and the next has another task."""
    dying = (
        SERVER % (2, 2)
        + udp(", connections: {pool: 2}", rate="10/s", duration="20s")
        + "  - sleep: 2s\n  - fault: {power-off: w1}\n"
    )
    made = requests(dying)
    lost = [row for row in made if row["out"] != "ok"]
    assert {row["out"] for row in lost} == {"timeout"}
    assert len({row["via"] for row in lost if "via" in row}) == 1
    begun = [row["began"] for row in lost]
    assert 4.0 < max(begun) - min(begun) < 9.0, "by then the death is known (README of the mesh: 5.1 to 7.6 s)"
    assert all(row["out"] == "ok" for row in made if row["began"] > max(begun))
    assert "via" not in max(lost, key=lambda row: row["began"]), "the last one only ended the entry"


def test_with_new_sockets_every_second_datagram_is_lost_while_a_task_of_two_is_dead() -> None:
    made = requests(SERVER % (2, 2) + udp(rate="20/s", duration="6s") + "  - sleep: 2s\n  - fault: {power-off: w1}\n")
    dead = [row for row in made if 3.0 < row["began"] - made[0]["began"] < 6.0]
    assert abs(sum(row["out"] == "timeout" for row in dead) / len(dead) - 0.5) < 0.05


def test_a_host_without_power_is_silent_and_after_3_s_there_is_no_route() -> None:
    off = SERVER % (1, 1) + "  - fault: {power-off: w2}\n"
    assert {row["out"] for row in requests(off + udp(to="w2"))} == {"timeout"}
    patient = udp(to="w2").replace("timeout: 1s", "timeout: 5s")
    assert {(row["out"], round(row["ms"], -2)) for row in requests(off + patient)} == {("unreachable", 3100)}


def test_a_virtual_address_is_asked_from_a_container() -> None:
    made = requests(
        "  - docker: network create -d overlay shop\n"
        "  - docker: service create -d --no-resolve-image --name names --replicas 2 --network shop names\n"
        "  - docker: service create -d --no-resolve-image --name cli --network shop mini:1 sleep 100000\n"
        "  - wait: {service: names, running: 2}\n  - wait: {service: cli, running: 1}\n  - sleep: 2s\n"
        + udp(", from: {service: cli}", to="names", port=53)
        + "  - sleep: 3s\n"
        + udp(", from: {service: cli}", to="names", port=54)
    )
    assert outcomes([row for row in made if row["port"] == 53]) == [("ok", 20)]
    assert {row["by"] for row in made if row["port"] == 53} == {"names.1", "names.2"}
    assert outcomes([row for row in made if row["port"] == 54])[0][0] == "refused"


def test_a_service_without_a_task_that_is_left_says_nobody_is_there() -> None:
    made = requests(SERVER % (1, 1) + udp(duration="30s") + "  - docker: service scale -d names=0\n")
    assert outcomes(made)[0][0] == "ok"
    assert {row["out"] for row in made} == {"ok", "refused", "timeout"}
    assert made[-1]["out"] in ("refused", "timeout")


@pytest.mark.parametrize(
    ("traffic", "complaint"),
    [
        ("{protocol: icmp, port: 53, rate: 5/s, duration: 3s}", "'tcp' or 'udp'"),
        ("{protocol: udp, port: 53, rate: 5/s, duration: 3s, requests: rates}", "leave out protocol"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(traffic: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(f"name: x\nsteps:\n  - traffic: {traffic}\n", "x.yaml")
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("x.yaml:3:")
