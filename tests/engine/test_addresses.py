"""Subnets and addresses: what there is, and what happens when there is none (tests/records/asked/pools.txt, addresses.txt, ingress.txt)."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Lab

POOLS = "--default-addr-pool 10.30.0.7/26 --default-addr-pool 10.40.0.0/28 --default-addr-pool-mask-length 28"


def fresh() -> Lab:
    """Two machines without a swarm."""
    return Lab(1, 1, formed=False)


@pytest.fixture
def small() -> Lab:
    """A swarm with room for five networks of 14 addresses; the ingress network is one."""
    lab = fresh()
    assert lab.docker(f"swarm init {POOLS}").code == 0
    token = lab.docker("swarm join-token -q worker").out.strip()
    lab.docker(f"swarm join --token {token} m1:2377", on="w1")
    for name in "abcdef":
        lab.docker(f"network create -d overlay {name}")
    lab.sleep(1)
    return lab


def subnet(lab: Lab, name: str) -> str | None:
    config = json.loads(lab.docker(f"network inspect {name}").out)[0]["IPAM"]["Config"]
    return config[0]["Subnet"] if config else None


WRONG = [
    (
        "--default-addr-pool 10.30.0.0/33",
        'invalid argument "10.30.0.0/33" for "--default-addr-pool" flag: invalid string being converted to CIDR: 10.30.0.0/33',
    ),
    (
        "--default-addr-pool 10.30.0.0/16 --default-addr-pool-mask-length 15",
        'Error response from daemon: invalid CIDR: "10.30.0.0/16". Subnet size is too small for pool: 15',
    ),
    (
        "--default-addr-pool 10.30.0.0/16 --default-addr-pool-mask-length 30",
        "Error response from daemon: subnet size is out of range: 30",
    ),
]


@pytest.mark.parametrize(("flags", "words"), WRONG)
def test_pools_that_are_refused(flags, words):
    assert fresh().docker(f"swarm init {flags}").err.splitlines()[0] == words


def test_networks_take_the_pools_subnets_in_turn_until_there_are_none(small):
    info = small.docker("info").out
    assert " Default Address Pool: 10.30.0.0/26  10.40.0.0/28  \n  SubnetSize: 28\n" in info
    found = [subnet(small, name) for name in ("ingress", *"abcdef")]
    assert found == [*(f"10.30.0.{n}/28" for n in (0, 16, 32, 48)), "10.40.0.0/28", None, None]
    listed = small.docker("network ls --format '{{.Name}}|{{.Driver}}|{{.Scope}}'").out.split()
    assert "e||swarm" in listed


def test_a_service_on_a_network_without_a_subnet_stays_new_and_says_nothing(small):
    small.service(1, "lost", "--network e")
    small.sleep(5)
    line = small.docker("service ps lost").out.splitlines()[1]
    assert "New 5 seconds ago" in line
    small.docker("network rm b")
    small.wait(lambda: small.running("lost") == 1)
    assert subnet(small, "e") == "10.30.0.32/28"


def test_tasks_that_fill_a_subnet_leave_no_address_for_the_nodes_and_are_rejected(small):
    """Gateway, virtual address and twelve tasks are all fourteen addresses."""
    small.service(12, "full", "--network c --stop-grace-period 1s --restart-condition none")
    small.sleep(8)
    assert {str(task.status.state) for task in small.tasks("full")} == {"preparing"}
    small.service(1, "late", "--network c")
    small.sleep(3)
    assert [str(task.status.state) for task in small.tasks("late")] == ["new"]
    small.docker("service scale -d full=3")
    small.wait(lambda: small.running("full") == 3, within=15)
    small.wait(lambda: small.running("late") == 1, within=15)


def test_the_rejection_has_its_reason(small):
    small.service(12, "full", "--network c --restart-condition none")
    small.sleep(34)
    errors = {task.status.err for task in small.tasks("full") if str(task.status.state) == "rejected"}
    assert errors == {"node is missing network attachments, ip addresses may be exhausted"}


def test_a_range_is_where_addresses_come_from_its_first_one_too():
    lab = Lab(1, 0)
    lab.docker("network create -d overlay --subnet 10.50.0.0/16 --ip-range 10.50.5.0/24 r")
    lab.docker("network create -d overlay --subnet 10.51.0.0/16 --ip-range 10.51.5.0/24 --gateway 10.51.0.1 g")
    lab.docker("network create -d overlay --subnet 10.54.0.0/24 --subnet 10.55.0.0/24 two")
    for name in ("r", "g", "two"):
        lab.service(1, f"on-{name}", f"--network {name}")
        lab.sleep(1)
    vips = [
        json.loads(lab.docker(f"service inspect on-{name}").out)[0]["Endpoint"]["VirtualIPs"][0]["Addr"]
        for name in ("r", "g", "two")
    ]
    assert vips == ["10.50.5.1/16", "10.51.5.0/16", "10.54.0.2/24"]
    body = json.loads(lab.docker("network inspect r").out)[0]
    assert body["IPAM"]["Config"] == [{"Subnet": "10.50.0.0/16", "IPRange": "10.50.5.0/24", "Gateway": "10.50.5.0"}]
    two = json.loads(lab.docker("network inspect two").out)[0]
    assert two["Options"]["com.docker.network.driver.overlay.vxlanid_list"] == "4099,4100"


CREATED = [
    ("-d overlay --subnet 10.52.0.0/16 --gateway 10.53.0.1", "no matching subnet for gateway 10.53.0.1"),
    ("-d overlay --subnet 10.52.0.0/16 --ip-range 10.53.0.0/24", "no matching subnet for range 10.53.0.0/24"),
    ("-d overlay --aux-address x=10.63.0.2 --subnet 10.62.0.0/24", "no matching subnet for aux-address 10.63.0.2"),
    ("-d overlay --ip-range 10.52.0.0/24", "every ip-range or gateway must have a corresponding subnet"),
    (
        "-d overlay --subnet 10.52.0.0/33",
        "Error response from daemon: Invalid subnet 10.52.0.0/33 : invalid CIDR address: 10.52.0.0/33",
    ),
    (
        "-d overlay --subnet nonsense",
        "Error response from daemon: Invalid subnet nonsense : invalid CIDR address: nonsense",
    ),
    (
        "-d overlay --subnet 10.54.0.0/24 --subnet 10.54.0.0/25",
        "multiple overlapping subnet configuration is not supported",
    ),
    ("-d overlay --scope local", "Error response from daemon: cannot downgrade network scope for overlay networks"),
    ("-d bridge --ingress", "Error response from daemon: Ingress network can only be global scope network"),
    (
        "-d overlay --ingress --attachable",
        "Error response from daemon: rpc error: code = InvalidArgument desc = ingress network cannot be attachable",
    ),
]


@pytest.mark.parametrize(("flags", "words"), CREATED, ids=[flags for flags, _ in CREATED])
def test_networks_that_are_refused(flags, words):
    assert Lab(1, 0).docker(f"network create {flags} x").err.splitlines()[0] == words


def test_the_ingress_network_can_be_removed_and_made_again():
    lab = Lab(1, 1)
    lab.service(1, "pub", "-p 8080:80 --stop-grace-period 1s")
    lab.sleep(2)

    def remove():
        return lab.world.run(lab.world.docker("m1", "network rm ingress", stdin="y\n"))

    assert "ingress network cannot be removed because service" in remove().err
    lab.docker("service rm pub")
    lab.sleep(6)
    assert remove().code == 0
    lab.sleep(3)
    names = lab.docker("network ls --format '{{.Name}}'", on="w1").out.split()
    assert names == ["bridge", "docker_gwbridge", "host", "none"]
    refused = lab.docker("service create -d --no-resolve-image -p 8080:80 mini:1 sleep 9").err
    assert refused.endswith("desc = service needs ingress network, but no ingress network is present\n")
    lab.docker("network create -d overlay --ingress --subnet 10.11.0.0/16 --gateway 10.11.0.2 mine")
    lab.sleep(4)
    lab.service(1, "again", "-p 8080:80")
    lab.wait(lambda: lab.running("again") == 1)
    (vip,) = json.loads(lab.docker("service inspect again").out)[0]["Endpoint"]["VirtualIPs"]
    assert vip["Addr"].startswith("10.11.0.")


@pytest.mark.parametrize(
    ("port", "words"),
    [("70000:80", "invalid hostPort: 70000"), ("8080:80/icmp", "invalid proto: icmp")],
)
def test_ports_that_are_none(port, words):
    said = Lab(1, 0).docker(f"service create -d -p {port} mini:1").err.splitlines()[0]
    assert said == f'invalid argument "{port}" for "-p, --publish" flag: {words}'
