"""Containers that no service made, on the swarm's networks, as real engines have them (tests/records/asked/attachments.txt)."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Lab


@pytest.fixture
def kafka() -> Lab:
    """The course's network, a service of two tasks on it, and a network that is not attachable."""
    lab = Lab(1, 1, gossip=True)
    lab.docker("network create -d overlay --attachable --subnet 172.30.0.0/16 kafka")
    lab.docker("network create -d overlay plain")
    lab.service(2, flags="--network kafka --stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 2)
    return lab


def run(lab: Lab, name: str, flags: str = "--network kafka", on: str = "w1"):
    return lab.docker(f"run -d --name {name} {flags} mini:1 sleep 100000", on=on)


def address(lab: Lab, name: str, network: str = "kafka", on: str = "w1") -> str:
    ends = json.loads(lab.docker(f"network inspect {network}", on=on).out)[0]["Containers"].values()
    return next(end["IPv4Address"] for end in ends if end["Name"] == name).partition("/")[0]


def test_the_managers_choose_the_next_address_on_any_node(kafka):
    """Virtual address .2, tasks .3 and .4, the nodes' load balancers .5 and .6."""
    assert run(kafka, "aa").code == 0
    assert address(kafka, "aa") == "172.30.0.7"


def test_it_may_be_fixed_for_a_container_but_not_for_a_service(kafka):
    run(kafka, "aa", "--network kafka --ip 172.30.0.77")
    assert address(kafka, "aa") == "172.30.0.77"
    run(kafka, "bb")
    assert address(kafka, "bb") == "172.30.0.7"  # the order of the others is not disturbed
    refused = kafka.docker("service create -d --ip 172.30.0.78 --network kafka mini:1 sleep 9")
    assert (refused.code, refused.err.splitlines()[0]) == (125, "unknown flag: --ip")


@pytest.mark.parametrize("wanted", ["172.30.0.77", "10.9.0.77"], ids=["taken", "of another subnet"])
def test_an_address_that_cannot_be_given_is_not_refused_the_engine_gives_up(kafka, wanted):
    run(kafka, "aa", "--network kafka --ip 172.30.0.77")
    before = kafka.now
    result = run(kafka, "bb", f"--network kafka --ip {wanted}", on="m1")
    assert kafka.now - before == pytest.approx(20, abs=1.0)
    assert result.code == 125
    assert "attaching to network failed, make sure your network options are correct" in result.err
    kafka.docker("rm -f aa", on="w1")
    kafka.docker("service rm web")
    kafka.sleep(6)
    assert kafka.docker("network rm kafka").code == 0  # nothing is left of the attempt


REFUSALS = [
    ("--network kafka --ip 10.9.0.777", "invalid IPv4 address: 10.9.0.777"),
    (
        "--network nosuch",
        "Could not attach to network nosuch: rpc error: code = NotFound desc = network nosuch not found",
    ),
    (
        "--network plain",
        "Could not attach to network plain: rpc error: code = PermissionDenied desc = network plain not manually attachable",
    ),
]


@pytest.mark.parametrize(("flags", "words"), REFUSALS, ids=[words.split(":")[0] for _, words in REFUSALS])
@pytest.mark.parametrize("host", ["m1", "w1"])
def test_refusals(kafka, flags, words, host):
    result = run(kafka, "xx", flags, on=host)
    assert result.code == 125
    assert (
        result.err == f"docker: Error response from daemon: {words}\n\nRun 'docker run --help' for more information\n"
    )


def test_a_container_can_be_connected_while_it_runs(kafka):
    kafka.docker("network create -d overlay --attachable --internal inner")
    run(kafka, "simple", "--network inner")

    def said(line: str) -> str:
        return kafka.docker(f"network {line}", on="w1").err

    assert said("connect --alias bob --ip 172.30.0.90 kafka simple") == ""
    assert address(kafka, "simple") == "172.30.0.90"
    assert said("connect kafka simple").endswith("simple is already attached to network kafka\n")
    assert said("connect host simple").endswith(
        "cannot be disconnected from host network or connected to host network\n"
    )
    assert said("connect kafka nosuch").endswith("No such container: nosuch\n")
    kafka.sleep(2)
    task = next(task for task in kafka.tasks() if task.node_id != kafka.world.engines["w1"].node.certificate.node_id)
    found = kafka.docker(f"exec web.{task.slot}.{task.id} nslookup bob", on="m1").out
    assert "Address: 172.30.0.90" in found
    assert said("disconnect kafka simple") == ""
    assert "is not connected to network kafka" in said("disconnect kafka simple")
    assert said("disconnect nosuch simple").endswith("network nosuch not found\n")


def test_a_network_is_in_use_by_the_task_that_holds_a_place(kafka):
    kafka.docker("service rm web")
    run(kafka, "aa")
    kafka.sleep(6)
    words = kafka.docker("network rm kafka").err
    assert "is in use by task " in words
    assert kafka.docker("node ps w1").out.count("\n") == 1  # nobody lists that task
    kafka.docker("rm -f aa", on="w1")
    assert kafka.docker("network rm kafka").code == 0


def test_inspect_with_verbose_shows_what_an_engine_has_heard_of_elsewhere(kafka):
    run(kafka, "aa")
    kafka.sleep(2)
    shown = json.loads(kafka.docker("network inspect -v kafka").out)[0]["Services"]
    assert sorted(shown) == ["", "web"]
    assert [(task["Name"], task["EndpointIP"]) for task in shown[""]["Tasks"]] == [("aa", "172.30.0.7")]
    assert (shown["web"]["VIP"], shown["web"]["LocalLBIndex"]) == ("172.30.0.2", 256)
    hosts = {task["Info"]["Host IP"] for task in shown["web"]["Tasks"]}
    assert hosts == {kafka.world.ctx.hosts[name].address for name in ("m1", "w1")}
    ingress = json.loads(kafka.docker("network inspect -v ingress").out)[0]["Services"]
    assert [task["Name"] for task in ingress[""]["Tasks"]] == ["ingress-endpoint"] * 2


def test_prune_takes_what_nobody_uses(kafka):
    kafka.docker("network create bri")
    run(kafka, "aa")
    result = kafka.docker("network prune -f")
    assert result.out == "Deleted Networks:\nplain\nbri\n\n"
    assert kafka.docker("network prune -f --filter nonsense=x").err == (
        "Error response from daemon: Invalid filter 'nonsense'\n"
    )
