"""Ports that a host's firewall closes, and links that take smaller packets: what people run into with swarms, by its mechanism.

Words and order are those of real engines (tests/records/asked/firewalls.txt)."""

from __future__ import annotations

from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.runner import run_scenario
from tests.conftest import Lab
from tests.scenario.test_packets import HOSTS, Mesh


def test_with_2377_closed_nobody_joins() -> None:
    lab = Lab(1, 1, formed=False)
    lab.docker("swarm init")
    token = lab.docker("swarm join-token -q worker").out.strip()
    fault(lab, "block", "m1", tcp=2377)
    began = lab.now
    joined = lab.docker(f"swarm join --token {token} 10.97.0.2:2377", on="w1")
    assert joined.err.startswith("Error response from daemon: Timeout was reached before node joined.")
    assert 20.0 < lab.now - began < 20.2
    assert lab.docker("info --format {{.Swarm.LocalNodeState}}", on="w1").out == "pending\n"
    lab.sleep(15.0)
    assert lab.docker("info --format {{.Swarm.LocalNodeState}}", on="w1").out == "error\n"
    error = lab.docker("info --format {{.Swarm.Error}}", on="w1").out
    assert error == "rpc error: code = DeadlineExceeded desc = context deadline exceeded\n"
    fault(lab, "unblock", "m1", tcp=2377)
    lab.sleep(20.0)
    assert lab.docker("info --format {{.Swarm.LocalNodeState}}", on="w1").out == "error\n", "it does not try again"


def test_with_2377_closed_at_the_manager_nodes_go_down_and_come_back() -> None:
    lab = Lab(1, 1)
    fault(lab, "block", "m1", tcp=2377)
    assert 9.0 < lab.wait(lambda: lab.status("w1") == "down") < 17.0
    fault(lab, "unblock", "m1", tcp=2377)
    assert lab.wait(lambda: lab.status("w1") == "ready") < 20.0


def test_with_4789_closed_each_side_reaches_its_own_tasks_only() -> None:
    mesh = Mesh(replicas=3, flags="--replicas-max-per-node 1")
    fault(mesh, "block", "w1", udp=4789)
    asked = {host: [mesh.curl(f"-s -m 2 {host}:8888").code for _ in range(3)] for host in HOSTS}
    assert {host: codes.count(0) for host, codes in asked.items()} == {"m1": 2, "w1": 1, "w2": 2}
    assert {code for codes in asked.values() for code in codes} == {0, 28}
    assert all(len(mesh.weights(host)) == 3 for host in HOSTS), "everybody knows all of them"
    assert mesh.status("w1") == "ready"
    fault(mesh, "unblock", "w1", udp=4789)
    assert [mesh.curl(f"-s {host}:8888").code for host in HOSTS for _ in range(3)] == [0] * 9


def test_with_7946_closed_engines_do_not_know_each_others_tasks_and_managers_do_not_mind() -> None:
    mesh = Mesh(replicas=1)
    fault(mesh, "block", "w1", tcp=7946, udp=7946)
    mesh.sleep(30.0)
    mesh.docker("service create -d --no-resolve-image --name each --mode global -p 8889:80 mini:1 /serve")
    mesh.wait(lambda: mesh.running("each") == 3)
    mesh.sleep(5.0)
    assert mesh.status("w1") == "ready"
    pages = {host: {mesh.curl(f"-s -m 2 {host}:8889").out for _ in range(4)} for host in HOSTS}
    assert {host: len(answers) for host, answers in pages.items()} == {"m1": 2, "w1": 1, "w2": 2}
    fault(mesh, "unblock", "w1", tcp=7946, udp=7946)
    mesh.sleep(60.0)
    pages = {host: {mesh.curl(f"-s -m 2 {host}:8889").out for _ in range(4)} for host in HOSTS}
    assert {host: len(answers) for host, answers in pages.items()} == dict.fromkeys(HOSTS, 3)


def test_a_published_port_goes_past_the_firewall() -> None:
    """Docker's rules are in nat PREROUTING, before INPUT: the well-known surprise of ufw."""
    mesh = Mesh(replicas=3)
    fault(mesh, "block", "m1", tcp=8888)
    assert mesh.curl("-s m1:8888").code == 0


def test_a_smaller_mtu_lets_connections_and_small_answers_pass_and_swallows_large_ones() -> None:
    mesh = Mesh(replicas=1)
    server = {}
    for name, port in (("small", 8081), ("large", 8082)):
        flags = f"-p {port}:80 --constraint node.hostname==w1"
        mesh.docker(f"service create -d --no-resolve-image --name {name} {flags} mini:1 /serve")
        mesh.wait(lambda name=name: mesh.running(name) == 1)
        containers = mesh.world.engines["w1"].task_containers.values()
        server[name] = next(each for each in containers if each.service == name).server
    mesh.sleep(2.0)
    server["large"].serving = server["large"].serving._replace(answers=20_000)
    assert mesh.curl("-s -m 2 m1:8082").code == 0
    mesh.world.run(mesh.world.fault("mtu", ("w1", 1450)))
    assert [mesh.curl(f"-s -m 2 m1:{port}").code for port in (8081, 8082)] == [0, 28]
    assert mesh.curl("-v -m 2 m1:8082").err.splitlines()[1].startswith("* Connected to m1"), "only the answer is lost"
    assert mesh.curl("-s -m 2 w1:8082").code == 0, "on the host itself nothing is wrapped"
    mesh.world.run(mesh.world.fault("mtu", ("w1", None)))
    assert mesh.curl("-s -m 2 m1:8082").code == 0


def test_esp_is_what_encrypted_overlays_are_and_vxlan_is_inside_it() -> None:
    lab = Lab(1, 1, gossip=True)
    for name, option in (("plain", ""), ("secret", "--opt encrypted")):
        lab.docker(f"network create -d overlay {option} {name}")
        lab.service(1, f"web-{name}", f"--network {name} --constraint node.hostname==w1", "/serve")
        lab.service(1, f"cli-{name}", f"--network {name} --constraint node.hostname==m1")
    lab.wait(lambda: all(lab.running(name) == 1 for name in ("web-plain", "web-secret", "cli-plain", "cli-secret")))
    lab.sleep(3.0)

    def reaches(name: str) -> bool:
        container = lab.docker(f"ps -q --filter name=cli-{name}").out.strip()
        return lab.docker(f"exec {container} wget -q -T 2 -O - web-{name}").code == 0

    assert (reaches("plain"), reaches("secret")) == (True, True)
    fault(lab, "block", "w1", esp=0)
    assert (reaches("plain"), reaches("secret")) == (True, False)
    fault(lab, "unblock", "w1", esp=0)
    fault(lab, "block", "w1", udp=4789)
    assert (reaches("plain"), reaches("secret")) == (False, False)


def test_what_is_closed_is_in_the_trace_as_long_as_it_is() -> None:
    text = """
name: x
cluster: {managers: 1, workers: 1}
steps:
  - fault: {block: {host: w1, port: 7946}}
  - fault: {mtu: {host: w1, bytes: 1400}}
  - fault: {unblock: {host: w1, port: 7946, proto: tcp}}
  - fault: {mtu: {host: w1}}
  - fault: {unblock: {host: w1, port: 7946}}
"""
    rows = []
    assert run_scenario(parse_scenario(text, "x"), 1, rows.append).ok
    steps = [row["what"] for row in rows if row["kind"] == "step"]
    assert steps[:3] == ["block w1 7946/tcp 7946/udp", "mtu w1 1400 bytes", "unblock w1 7946/tcp"]
    links = [(row.get("closed"), row.get("mtu")) for row in rows if row["kind"] == "links"]
    assert links == [
        ([("w1", "7946/tcp")], None),
        ([("w1", "7946/tcp"), ("w1", "7946/udp")], None),
        ([("w1", "7946/tcp"), ("w1", "7946/udp")], {"w1": 1400}),
        ([("w1", "7946/udp")], {"w1": 1400}),
        ([("w1", "7946/udp")], None),
        ([("w1", "7946/udp")], None),
        (None, None),
    ]


def fault(lab: Lab, verb: str, host: str, **ports: int) -> None:
    lab.world.run(lab.world.fault(verb, (host, tuple(ports.items()))))
