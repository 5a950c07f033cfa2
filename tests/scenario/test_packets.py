"""Published ports under request: who answers, what is lost, and why. The figures are those of recorded engines (mesh a, d, f, g, o)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from swarmsim.docker.client import Result
from swarmsim.engine.containers import Container
from swarmsim.network.kernel import Kernel
from swarmsim.scenario.loader import ScenarioError, parse_scenario
from swarmsim.scenario.runner import run_scenario
from swarmsim.trace.rows import Row
from swarmsim.world import OUTSIDE, TrafficPlan
from swarmsim.world.tools.console import Refusal
from swarmsim.world.tools.curl import understand
from tests.conftest import Lab

HOSTS = ("m1", "w1", "w2")
NAMED = "-p 8888:80 --hostname {{.Service.Name}}.{{.Task.Slot}}"


class Mesh(Lab):
    """One manager, two workers, a service ``web`` on port 8888, and what became of requests."""

    def __init__(self, replicas: int = 6, command: str = "/serve", flags: str = "", **more: Any) -> None:
        super().__init__(1, 2, gossip=True, **more)
        self.sleep(1.0)
        self.requests: list[Row] = []
        self.docker("network create -d overlay shop")
        self.world.subscribe(self.requests.append, only=frozenset(("request",)))
        self.service(replicas, flags=f"{NAMED} {flags}", command=command)
        self.wait(lambda: self.running() == replicas)
        self.sleep(2.0)

    def curl(self, line: str, on: str = OUTSIDE) -> Result:
        return self.world.run(self.world.curl(on, line))

    def container(self, slot: int) -> Container:
        containers = (each for engine in self.world.engines.values() for each in engine.task_containers.values())
        return next(each for each in containers if each.name.startswith(f"web.{slot}."))

    def ask(
        self, seconds: float, to: tuple[str, ...] = HOSTS, rate: float = 30.0, keeps: int = 0, timeout: float = 2.0
    ) -> None:
        """Begin to ask; time does not pass by that."""
        plan = TrafficPlan("clients", OUTSIDE, to, 8888, rate, keeps, timeout, 0, seconds)
        self.world.spawn(self.world.traffic(plan))

    def lost(self, at: str | None = None) -> list[Row]:
        return [row for row in self.requests if row["out"] != "ok" and at in (None, row["to"])]

    def weights(self, host: str) -> dict[str, int]:
        kernel = self.world.engines[host].dataplane.kernel
        services = kernel.bindings.sandboxes[kernel.ingress].load_balancer.services.values()
        return {each.address: each.weight for service in services for each in service.destinations}


def test_any_node_answers_and_each_goes_round_by_itself() -> None:
    mesh = Mesh(replicas=2, flags="--constraint node.role==worker")
    for host in HOSTS:
        answers = [mesh.curl(f"-s {host}:8888").out.strip() for _ in range(4)]
        assert sorted(answers[:2]) == ["web.1", "web.2"]
        assert answers[2:] == answers[:2]
    assert mesh.curl("-s localhost:8888", on="w1").out.strip() in ("web.1", "web.2")


def test_a_port_is_closed_before_and_after_its_service() -> None:
    mesh = Mesh(replicas=1)
    assert mesh.curl("-s m1:8889").code == 7
    mesh.docker("service rm web")
    assert mesh.curl("-s m1:8888").code == 0, "the tasks are told to stop a second later"
    mesh.sleep(16.0)
    assert [mesh.curl(f"-s {host}:8888").code for host in HOSTS] == [7, 7, 7]


def test_a_server_sees_the_node_that_was_asked_and_in_host_mode_the_client() -> None:
    mesh = Mesh(replicas=1)
    flags = "--constraint node.hostname==w2 -p 8080:80 -p mode=host,target=80,published=8081"
    mesh.docker(f"service create --no-resolve-image -d --name who {flags} traefik/whoami")
    mesh.wait(lambda: mesh.running("who") == 1)
    mesh.sleep(2.0)
    ingress = {host: mesh.world.engines[host].dataplane.kernel.bindings.sandboxes for host in HOSTS}
    own = {host: next(iter(sandboxes.values())).address for host, sandboxes in ingress.items()}
    assert list(own.values()) == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]
    for host in HOSTS:
        assert f"RemoteAddr: {own[host]}:" in mesh.curl(f"-s {host}:8080").out
    assert "RemoteAddr: 10.97.255.254:" in mesh.curl("-s w2:8081").out
    assert mesh.curl("-s w1:8081").code == 7


def test_scaling_down_loses_nothing() -> None:
    mesh = Mesh(command="/serveterm")
    mesh.ask(12.0)
    mesh.sleep(2.0)
    mesh.docker("service scale -d web=2")
    scaled = mesh.now
    mesh.wait(lambda: 0 in mesh.weights("m1").values(), step=0.02)
    assert 1.0 < mesh.now - scaled < 1.6, "dispatched, and tried again a second later"
    mesh.wait(lambda: len(mesh.weights("m1")) == 2, step=0.02)
    assert 3.2 < mesh.now - scaled < 4.5, "2 s more, then the signal"
    mesh.sleep(10.0)
    assert mesh.lost() == []
    assert len(mesh.requests) == 360


def test_a_silent_loss_costs_its_share_at_every_entry_until_gossip_finds_it() -> None:
    mesh = Mesh()
    mesh.ask(25.0, ("m1", "w1"), rate=20.0)
    mesh.sleep(2.0)
    mesh.world.power_off("w2")
    off = mesh.now
    mesh.wait(lambda: len(mesh.weights("m1")) == 4, step=0.05)
    found = mesh.now - off
    assert 3.5 < found < 9.0
    mesh.wait(lambda: mesh.status("w2") == "down", within=20.0)
    assert mesh.now - off > found + 1.0, "the managers are later"
    mesh.sleep(15.0)
    for host in ("m1", "w1"):
        lost = mesh.lost(host)
        assert {row["out"] for row in lost} == {"timeout"}
        stale = [row for row in mesh.requests if row["to"] == host and off < row["began"] < lost[-1]["began"] + 0.01]
        assert 0.28 < len(lost) / len(stale) < 0.39
    late = [row for row in mesh.requests if row["out"] == "ok" and row["ms"] > 900]
    assert late, "the second SYN goes to another task"
    assert all(1000 < row["ms"] < 1100 for row in late)


def test_who_asks_the_dead_node_itself_gets_no_answer_and_then_no_route() -> None:
    mesh = Mesh(replicas=1)
    mesh.world.power_off("w2")
    assert mesh.curl("-s -S -m 2 w2:8888").err == "curl: (28) Connection timed out after 2000 milliseconds\n"
    assert "after 3060 ms: Couldn't connect" in mesh.curl("w2:8888").err


def test_a_host_that_is_back_refuses_until_its_engine_has_made_the_ingress_network() -> None:
    """Real (mesh d, d5, seven runs): refused from 0.6 s, answered from 7.7, 9.0, 9.2, 11.5, 11.8, 12.2, 12.4 s after power on."""
    answered: list[float] = []
    for seed in range(7):
        mesh = Mesh(replicas=2, flags="--constraint node.hostname!=w2", seed=seed, profile="uml")
        mesh.world.power_off("w2")
        mesh.sleep(20.0)
        mesh.world.spawn(mesh.world.power_on("w2"))
        began = mesh.now
        mesh.sleep(0.5)
        assert mesh.curl("-s w2:8888").code == 7
        mesh.wait(lambda mesh=mesh: mesh.curl("-s w2:8888").code == 0, step=0.1)
        answered.append(mesh.now - began)
    assert 9.0 < sorted(answered)[3] < 12.5
    assert 5.5 < min(answered) < 9.5
    assert 11.0 < max(answered) < 18.0


def test_a_host_whose_engine_is_stopped_routes_no_more_though_its_containers_still_run() -> None:
    """Asked of real engines (records/asked/stopped-engine.txt): refused there from 0.9 s, with 10 s of grace; elsewhere nothing is lost."""
    mesh = Mesh(replicas=6)
    mesh.ask(9.0)
    mesh.sleep(1.0)
    mesh.world.spawn(mesh.world.stop_engine("w2"))
    began = mesh.now
    mesh.sleep(9.0)
    assert any(container.alive for container in mesh.world.engines["w2"].task_containers.values())
    lost = mesh.lost()
    assert {(row["to"], row["out"]) for row in lost} == {("w2", "refused")}
    assert 0.2 < lost[0]["began"] - began < 2.0
    assert len(lost) > 60, "and it stays so"
    assert mesh.weights("w2") == {}


def test_a_killed_container_costs_a_request_or_two() -> None:
    mesh = Mesh(replicas=4)
    mesh.ask(12.0)
    mesh.sleep(2.0)
    mesh.container(2).signal("SIGKILL")
    mesh.sleep(12.0)
    assert len(mesh.lost()) <= 8
    assert {row["out"] for row in mesh.lost()} <= {"refused", "eof"}


def test_with_no_other_task_a_stop_is_refused_at_the_rate_of_icmp_and_times_out_between() -> None:
    mesh = Mesh(replicas=1, flags="--constraint node.hostname==w1")
    mesh.ask(18.0, ("m1",), rate=10.0)
    mesh.sleep(1.0)
    mesh.docker("service scale -d web=0")
    mesh.sleep(18.0)
    first = mesh.lost()[0]["began"]
    drained = [row for row in mesh.requests if first <= row["began"] < first + 9.9]
    refused = [row for row in drained if row["out"] == "refused"]
    assert {row["out"] for row in drained} == {"refused", "timeout"}
    assert [row["out"] for row in sorted(drained, key=lambda row: row["began"])[:6]] == ["refused"] * 6
    assert 12 <= len(refused) <= 20, "six at once, then about one a second"
    assert mesh.curl("-s m1:8888").code == 7


@pytest.mark.parametrize(("finishes", "outcome"), [(True, "ok"), (False, "eof")])
def test_requests_in_flight_are_answered_by_a_server_that_finishes_and_cut_by_one_that_does_not(
    finishes: bool, outcome: str
) -> None:
    mesh = Mesh(replicas=1, command="/serveterm")
    server = mesh.container(1).server
    assert server is not None
    server.serving = server.serving._replace(takes=5.0, spread=0.0, finishes=finishes)
    mesh.ask(0.1, ("m1",), rate=10.0, timeout=20.0)
    mesh.sleep(0.5)
    mesh.docker("service scale -d web=0")
    mesh.sleep(8.0)
    assert [row["out"] for row in mesh.requests] == [outcome]
    assert mesh.requests[0]["ms"] == pytest.approx(5000 if finishes else 3800, abs=400)


def test_a_connection_that_is_kept_stays_with_its_task() -> None:
    mesh = Mesh(replicas=4)
    mesh.ask(5.0, ("m1",), rate=10.0, keeps=1)
    mesh.sleep(8.0)
    assert len(mesh.requests) == 50
    assert len({row["by"] for row in mesh.requests}) == 1


def test_the_same_seed_gives_the_same_requests() -> None:
    def played() -> list[Row]:
        mesh = Mesh(replicas=2)
        mesh.ask(2.0)
        mesh.sleep(3.0)
        return mesh.requests

    assert played() == played()


NAMES = """
name: names
cluster: {managers: 1, workers: 2}
steps:
  - docker: network create -d overlay shop
  - docker: service create -d --no-resolve-image --name web --replicas 4 --network shop --constraint node.role==worker mini:1 /serve
  - docker: >
      service create -d --no-resolve-image --name rr --endpoint-mode dnsrr --replicas 4 --network shop
      --constraint node.role==worker mini:1 /serve
  - docker: service create -d --no-resolve-image --name cli --network shop --mode global mini:1 sleep 100000
  - wait: {service: cli, running: 3}
  - wait: {service: rr, running: 4}
  - wait: {service: web, running: 4}
  - sleep: 2s
  - traffic: {from: {service: cli}, to: web, port: 80, rate: 15/s, duration: 20s}
    as: vip
  - traffic: {from: {service: cli}, to: tasks.rr, port: 80, rate: 15/s, duration: 20s}
    as: rr
  - traffic: {from: {service: cli, cache_names: true}, to: rr, port: 80, rate: 15/s, duration: 20s}
    as: cached
  - traffic: {from: {service: cli}, to: nobody, port: 80, rate: 1/s, duration: 3s}
    as: nobody
  - sleep: 2s
  - fault: {power-off: w2}
expect:
  - {traffic: vip, success: 0.8}
"""


def test_clients_on_an_overlay_ask_names_and_those_that_cache_keep_asking_the_dead() -> None:
    loaded = parse_scenario(NAMES, "names.yaml")
    rows: list[Row] = []
    assert run_scenario(loaded, 1, rows.append).ok
    off = next(row["t"] for row in rows if row["kind"] == "step")
    lost: dict[str, list[float]] = {}
    for row in rows:
        if row["kind"] == "request" and row["out"] != "ok" and row["traffic"] != "nobody" and row["began"] < off + 10.0:
            assert row["out"] == "timeout"
            lost.setdefault(row["traffic"], []).append(row["began"] - off)
    assert all(2.5 < max(lost[name]) < 8.0 for name in ("vip", "rr")), "until gossip finds the loss"
    assert max(lost["cached"]) > 9.5, "it goes on"
    assert {row["out"] for row in rows if row["kind"] == "request" and row["traffic"] == "nobody"} == {"unknown"}


def test_a_forgotten_neighbour_is_a_black_hole_only_for_tasks_that_never_answered_it() -> None:
    """After a healed cut (mesh e): the host has not heard again where the other's load balancer is; old containers have it in ARP."""
    mesh = Mesh(replicas=2, flags="--constraint node.hostname==m1")
    old = {mesh.curl("-s w2:8888").out for _ in range(2)}
    kernel = mesh.world.engines["m1"].dataplane.kernel
    del kernel.neighbours[kernel.ingress, "10.0.0.4"]
    mesh.docker("service scale web=3")
    assert {mesh.curl("-s w1:8888").out for _ in range(3)} == old | {"web.3\n"}
    codes = [mesh.curl("-s -m 2 w2:8888").code for _ in range(6)]
    assert sorted(codes) == [0, 0, 0, 0, 28, 28]


def test_after_a_healed_cut_the_first_contact_teaches_who_lives_and_not_where_its_tasks_are() -> None:
    """Mesh e: one peer compares tables with the healed node at once, the other only at the next sync, as it met it too early."""
    last: list[float] = []
    for seed in range(1, 9):
        mesh = Mesh(seed=seed)
        mesh.ask(2.0, ("w2",), rate=15.0)
        mesh.sleep(10 + seed * 1.37)
        mesh.world.run(mesh.world.fault("partition", [["w2"]]))
        mesh.sleep(33.8)
        mesh.world.run(mesh.world.fault("heal", []))
        kernels = [mesh.world.engines[host].dataplane.kernel for host in ("m1", "w1")]

        def who_knows(kernels: list[Kernel] = kernels) -> int:
            return sum(kernel.host_of(kernel.ingress, "10.0.0.4") is not None for kernel in kernels)

        mesh.sleep(2.0)
        if who_knows() == 2:
            last.append(2.0)
            continue
        mesh.ask(8.0, ("w2",), rate=15.0)
        mesh.sleep(10.0)
        lost = mesh.lost("w2")
        assert {row["out"] for row in lost} == {"timeout"}
        if who_knows() == 1:
            assert 0.1 < len(lost) / 120 < 0.4, "one or two tasks of six: those made meanwhile"
        last.append(12.0 + mesh.wait(lambda who=who_knows: who() == 2, step=0.1))
    assert min(last) == 2.0, "the other is just in time"
    assert sum(5.0 < late < 75.0 for late in last) >= 2, f"or waits for a sync: {last}"


FAULTS = ("kill-engine", "power-off", "stop-engine", "kill-host")


@pytest.mark.parametrize("seed", range(4))
def test_when_faults_are_over_every_node_comes_to_know_what_runs_and_where(seed: int) -> None:
    mesh, rng = Mesh(seed=seed, flags="--network shop"), Random(seed)
    for _ in range(3):
        mesh.world.run(mesh.world.fault(rng.choice(FAULTS), [rng.choice(HOSTS[1:])]))
        mesh.sleep(rng.uniform(0.5, 6.0))
        mesh.docker(f"service scale -d web={rng.randint(3, 8)}", limit=5.0)
        if rng.random() < 0.5:
            mesh.docker("service update -d --force --no-resolve-image web", limit=5.0)
        mesh.sleep(rng.uniform(0.5, 6.0))
    for host in HOSTS[1:]:
        mesh.world.run(mesh.world.fault("power-on", [host]))
    mesh.sleep(90.0)
    running: dict[str, dict[str, str]] = {}
    for host in HOSTS:
        for container in mesh.world.engines[host].task_containers.values():
            for each in container.attachments if container.alive else ():
                running.setdefault(each.network_id, {})[each.address.partition("/")[0]] = host
    assert len(running) == 2
    for host in HOSTS:
        kernel = mesh.world.engines[host].dataplane.kernel
        for network, sandbox in kernel.bindings.sandboxes.items():
            services = sandbox.load_balancer.services.values()
            weights = {each.address: each.weight for service in services for each in service.destinations}
            assert weights == dict.fromkeys(running[network], 1)
            assert {address: kernel.host_of(network, address) for address in weights} == running[network]


# -- words


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("", 2, "try 'curl --help'"),
        ("--bogus m1", 2, "curl: option --bogus: is unknown"),
        ("-m", 2, "curl: option -m: requires parameter"),
        ("-m soon m1", 2, "curl: option -m: expected a proper numerical parameter"),
        ("m1:99999", 3, "curl: (3) URL using bad/illegal format or missing URL"),
        ("https://m1", 1, "https is real, but not modelled yet"),
        ("-X POST m1", 2, "curl's option -X is real, but not modelled yet"),
        ("m1 w1", 2, "one address at a time"),
    ],
)
def test_words_that_curl_does_not_take(line: str, code: int, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        understand(line.split())
    assert refused.value.code == code
    assert said in str(refused.value)


def test_flags_may_be_put_together() -> None:
    assert understand(["-sSm2", "http://m1:8888/x"]) == understand(["-s", "-S", "-m", "2", "m1:8888/x"])
    assert understand(["--resolve", "web:80:10.0.0.1", "web"]).resolved == {"web:80": "10.0.0.1"}


def test_an_unknown_name_and_verbose() -> None:
    mesh = Mesh(replicas=1)
    assert mesh.curl("nobody:8888").err == "curl: (6) Could not resolve host: nobody\n"
    assert mesh.curl("-s nobody:8888") == Result(6, "", "")
    said = mesh.curl("-v m1:8888")
    assert said.err.splitlines()[:6] == [
        "*   Trying 10.97.0.2:8888...",
        "* Connected to m1 (10.97.0.2) port 8888 (#0)",
        "> GET / HTTP/1.1",
        "> Host: m1:8888",
        "> User-Agent: curl/7.88.1",
        "> Accept: */*",
    ]
    assert said.out == "web.1\n"


def test_what_does_not_speak_http_says_so_to_curl() -> None:
    mesh = Mesh(replicas=1)
    for name, image, port, said in (
        ("cache", "redis", 6379, "curl: (1) Received HTTP/0.9 when not allowed\n"),
        ("db", "postgres", 5432, "curl: (52) Empty reply from server\n"),
    ):
        mesh.docker(f"service create -d --name {name} -p {port}:{port} {image}")
        mesh.wait(lambda name=name: mesh.running(name) == 1)
        mesh.sleep(2.0)
        assert mesh.curl(f"m1:{port}").err == said


TEXT = "name: x\ncluster: {managers: 1, workers: 1, gossip: true}\nsteps:\n"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("traffic: {port: 80, rate: 1/s, duration: 1s, to: w9}", "x.yaml:4:50: unknown host 'w9'"),
        ("traffic: {port: 80, rate: 1/s, duration: 1s, from: w9}", "unknown host 'w9'"),
        ("traffic: {port: 80, rate: -1, duration: 1s}", "a rate is more than 0 and at most 10000/s"),
        ("traffic: {port: 80, rate: fast, duration: 1s}", "'fast' is no rate: write 50/s"),
        ("traffic: {port: 0, rate: 1, duration: 1s}", "greater than or equal to 1"),
        ("traffic: {port: 80, rate: 1}", "duration"),
        ("curl: -s m1\n    on: w9", "unknown host 'w9'"),
        ('curl: "\'"', "cannot be split into words"),
    ],
)
def test_what_is_refused(step: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(f"{TEXT}  - {step}\n", "x.yaml")
    assert said in str(refused.value)


def test_an_expectation_of_traffic_that_nobody_began() -> None:
    with pytest.raises(ScenarioError, match="no traffic has the name 'clients'"):
        parse_scenario("name: x\nexpect:\n  - {traffic: clients, lost: 0}\n", "x.yaml")
