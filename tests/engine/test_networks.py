"""What an engine has of the swarm's networks, as real engines show it (tests/records/asked/networks.txt)."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Lab


@pytest.fixture
def net() -> Lab:
    """A network with a task on w1 and one on m1, the latter published."""
    lab = Lab(2, 2)
    lab.docker("network create -d overlay net")
    for name, host, more in (("a", "w1", ""), ("b", "m1", "-p 8080:80")):
        lab.service(
            1, name, f"--network net --constraint node.hostname=={host} --stop-grace-period 1s {more}", "sleep 100000"
        )
        lab.wait(lambda name=name: lab.running(name) == 1)
    return lab


def listed(lab: Lab, host: str) -> list[str]:
    return lab.docker("network ls --format '{{.Name}}|{{.Driver}}|{{.Scope}}'", on=host).out.split()


def inspected(lab: Lab, name: str, host: str) -> dict:
    return json.loads(lab.docker(f"network inspect {name}", on=host).out)[0]


LOCAL = ["bridge|bridge|local", "docker_gwbridge|bridge|local", "host|host|local", "none|null|local"]


@pytest.mark.parametrize(("host", "net_too"), [("m1", True), ("m2", True), ("w1", True), ("w2", False)])
def test_managers_list_the_swarms_networks_workers_those_in_use(net, host, net_too):
    swarm = ["ingress|overlay|swarm", *(["net|overlay|swarm"] if net_too else [])]
    assert sorted(listed(net, host)) == sorted(LOCAL + swarm)


def test_who_is_on_a_network_an_engine_says_of_itself(net):
    here = inspected(net, "net", "w1")
    ends = {end["Name"]: end for end in here["Containers"].values()}
    (task,) = net.tasks("a")
    assert sorted(ends) == [f"a.1.{task.id}", "net-endpoint"]
    assert ends[f"a.1.{task.id}"]["IPv4Address"] == "10.0.1.3/24"
    assert ends[f"a.1.{task.id}"]["MacAddress"] == "02:42:0a:00:01:03"
    assert "lb-net" in here["Containers"]
    hosts = net.world.ctx.hosts
    assert {peer["IP"] for peer in here["Peers"]} == {hosts["w1"].address, hosts["m1"].address}
    assert here["Labels"] == {}


def test_a_manager_without_a_task_there_knows_only_the_object(net):
    other = inspected(net, "net", "m2")
    assert other["Containers"] is None
    assert other["Labels"] is None
    assert "Peers" not in other
    assert net.docker("network inspect net", on="w2").err == "Error response from daemon: network net not found\n"


def test_every_node_has_its_place_on_the_ingress_network(net):
    """In the order in which they joined, from .2 on; then service and tasks."""
    addresses = []
    for host in ("m1", "m2", "w1", "w2"):
        body = inspected(net, "ingress", host)
        addresses.append(body["Containers"]["ingress-sbox"]["IPv4Address"])
        assert body["Containers"]["ingress-sbox"]["Name"] == "ingress-endpoint"
        assert len(body["Peers"]) == 4
    assert sorted(addresses) == [f"10.0.0.{n}/24" for n in (2, 3, 4, 5)]


def test_everyone_on_an_overlay_is_on_the_gateway_bridge(net):
    body = inspected(net, "docker_gwbridge", "w1")
    names = sorted(end["Name"] for end in body["Containers"].values())
    assert names[-1] == "gateway_ingress-sbox"
    assert len(names) == 2
    assert body["Containers"]["ingress-sbox"]["IPv4Address"] == "172.18.0.2/16"
    assert "has active endpoints" in net.docker("network rm docker_gwbridge", on="w1").err


def test_a_network_that_was_removed_is_on_an_engine_until_its_containers_have_stopped(net):
    net.docker("service rm a b")
    assert net.docker("network rm net").code == 0
    assert "net|overlay|swarm" in listed(net, "m1")
    assert "net|overlay|swarm" not in listed(net, "m2")
    assert net.docker("network create -d overlay net").err == (
        "Error response from daemon: network with name net already exists\n"
    )
    created = net.docker("service create -d --no-resolve-image --network net mini:1 sleep 9")
    assert created.err.endswith(" not found\n")
    net.sleep(7.0)
    assert "net|overlay|swarm" not in listed(net, "m1")
    assert "net|overlay|swarm" not in listed(net, "w1")
    assert net.docker("network create -d overlay net").code == 0


WORDS = [
    (
        "w2",
        "create -d overlay x",
        "Cannot create a multi-host network from a worker node. Please create the network from a manager node.",
    ),
    ("m1", "create -d nosuch x", 'plugin "nosuch" not found'),
    ("m1", "create -d overlay net", "network with name net already exists"),
    ("m1", "create -d bridge net", "network with name net already exists"),
    ("m1", "create -d host hh", 'only one instance of "host" network is allowed'),
    ("m1", "create -d bridge --subnet 172.17.0.0/16 ob", "Pool overlaps with other one on this address space"),
    ("m1", "rm bridge", "bridge is a pre-defined network and cannot be removed"),
]


@pytest.mark.parametrize(("host", "words", "answer"), WORDS)
def test_refusals(net, host, words, answer):
    result = net.docker(f"network {words}", on=host)
    assert result.err.splitlines()[0] == f"Error response from daemon: {answer}"


def test_a_network_in_anothers_subnet_waits_until_that_is_gone():
    lab = Lab(1, 0)
    for name, subnet in (("a", "172.30.0.0/16"), ("b", "172.30.0.0/16"), ("c", "172.30.5.0/24")):
        assert lab.docker(f"network create -d overlay --subnet {subnet} {name}").code == 0
    lab.service(1, "s", "--network b")
    lab.sleep(3.0)
    assert [str(task.status.state) for task in lab.tasks("s")] == ["new"]
    assert inspected(lab, "b", "m1")["IPAM"] == {"Driver": "", "Options": None, "Config": None}
    assert json.loads(lab.docker("service inspect s").out)[0]["Endpoint"] == {"Spec": {}}
    lab.docker("network rm a")
    lab.wait(lambda: lab.running("s") == 1, within=10)
    assert inspected(lab, "b", "m1")["IPAM"]["Config"] == [{"Subnet": "172.30.0.0/16", "Gateway": "172.30.0.1"}]
    assert inspected(lab, "c", "m1")["Driver"] == ""


def test_an_overlays_number_is_not_used_again_at_once():
    lab = Lab(1, 0)

    def number(name: str) -> str:
        lab.docker(f"network create -d overlay {name}")
        lab.sleep(1.0)
        return inspected(lab, name, "m1")["Options"]["com.docker.network.driver.overlay.vxlanid_list"]

    first = number("a")
    lab.docker("network rm a")
    assert (first, number("b")) == ("4097", "4098")
