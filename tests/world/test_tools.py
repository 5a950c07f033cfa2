"""Programs in containers: ``docker exec CONTAINER nslookup …``. Words and exit codes are those of real engines (records/asked/exec.txt)."""

from __future__ import annotations

import re

import pytest

from swarmsim.docker.client import Result
from tests.conftest import RECORDS, Lab

SERVER = "Server:\t\t127.0.0.11\nAddress:\t127.0.0.11:53\n\n"


class Shop(Lab):
    """``web`` with a virtual address and ``rr`` without, on one network; one client on every host, and an nginx."""

    def __init__(self) -> None:
        super().__init__(1, 2, gossip=True)
        self.docker("network create -d overlay shop")
        self.docker("network create -d overlay other")
        on_shop = "--network name=shop,alias=shopalias"
        self.service(2, flags="--network shop", command="/serve")
        self.service(3, "rr", f"--endpoint-mode dnsrr {on_shop}", "/serve")
        self.service(1, "elsewhere", "--network other", "/serve")
        self.docker("service create -d --no-resolve-image --mode global --name cli --network shop mini:1 sleep 100000")
        self.docker("service create -d --name ng --network shop --constraint node.hostname==m1 nginx")
        self.docker("service create -d --name al --network shop --constraint node.hostname==m1 alpine sleep 100000")
        self.wait(lambda: all(self.running(name) for name in ("web", "rr", "elsewhere", "cli", "ng", "al")))
        self.sleep(10.0)

    def container(self, service: str, host: str = "m1") -> str:
        found = self.docker(f"ps -q --filter name={service}.", host).out.split()
        return found[0]

    def exec(self, line: str, service: str = "cli", host: str = "m1", flags: str = "") -> Result:
        return self.docker(f"exec {flags} {self.container(service, host)} {line}", host)

    def addresses(self, name: str) -> set[str]:
        return set(re.findall(r"^Address: (\S+)$", self.exec(f"nslookup {name}").out, re.MULTILINE))


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def recorded(command: str) -> str:
    """What a real engine printed after a command, without its indentation."""
    text = (RECORDS / "asked/exec.txt").read_text()
    found = re.search(rf"\$ {re.escape(command)}    \[\d+, .*\n((?:      .*\n|\n)*)", text)
    assert found is not None, command
    return re.sub("^      ", "", found[1], flags=re.MULTILINE)


def test_a_name_is_one_virtual_address_or_all_tasks(shop: Shop) -> None:
    assert len(shop.addresses("web")) == 1
    assert len(shop.addresses("tasks.web")) == 2
    assert shop.addresses("web").isdisjoint(shop.addresses("tasks.web"))
    assert len(shop.addresses("rr")) == 3
    assert shop.addresses("rr") == shop.addresses("shopalias") == shop.addresses("rr.shop") == shop.addresses("RR")


def test_nslookup_shows_both_questions_in_the_order_of_their_answers(shop: Shop) -> None:
    (address,) = shop.addresses("web")
    ipv4, ipv6 = f"Non-authoritative answer:\nName:\tweb\nAddress: {address}\n\n", "Non-authoritative answer:\n\n"
    heard = {shop.exec("nslookup web").out for _ in range(20)}
    assert heard == {SERVER + ipv4 + ipv6, SERVER + ipv6 + ipv4}
    assert shop.exec("nslookup -type=a web").out == SERVER + ipv4


def test_several_addresses_are_shuffled_for_every_answer(shop: Shop) -> None:
    first = [re.findall(r"Address: (10\.\S+)", shop.exec("nslookup -type=a rr").out)[0] for _ in range(30)]
    assert set(first) == shop.addresses("rr")


@pytest.mark.parametrize("name", ["nobody", "elsewhere", "m1"])
def test_a_name_of_no_network_of_the_container_is_unknown(shop: Shop, name: str) -> None:
    result = shop.exec(f"nslookup {name}")
    assert (result.code, result.out) == (1, SERVER + 2 * f"** server can't find {name}: NXDOMAIN\n\n")
    assert shop.exec(f"ping -c 1 {name}")[:3] == (1, "", f"ping: bad address '{name}'\n")
    assert shop.exec(f"wget {name}")[:3] == (1, "", f"wget: bad address '{name}'\n")
    assert shop.exec(f"curl {name}", "ng")[:3] == (6, "", f"curl: (6) Could not resolve host: {name}\n")
    assert shop.exec(f"getent hosts {name}", "ng")[:3] == (2, "", "")


def test_without_name_servers_nobody_answers() -> None:
    shop = Shop()
    shop.world.clients.name_servers = False
    result = shop.exec("nslookup nobody")
    assert (result.code, result.out.rstrip()) == (1, recorded("exec lone nslookup nobody").rstrip())
    began = shop.now
    assert shop.exec("ping -c 1 nobody").code == 1
    assert 10.0 < shop.now - began < 11.0


def test_requests_go_round_the_tasks(shop: Shop) -> None:
    answers = [shop.exec("wget -qO- web").out for _ in range(6)]
    assert len(set(answers)) == 2
    assert answers[:2] * 3 == answers
    assert shop.exec("curl -s web", "ng").out in answers
    assert shop.exec("wget -qO- localhost", "web", shop_host(shop, "web")).out in answers


def shop_host(shop: Shop, service: str) -> str:
    """A host with a task of the service."""
    return next(
        h for h, e in shop.world.engines.items() if any(c.service == service for c in e.task_containers.values())
    )


def test_wget_tells_what_it_does_as_the_real_one(shop: Shop) -> None:
    result = shop.exec("wget -O- rr")
    told = re.sub(r"10\.0\.1\.\d+", "ADDRESS", result.err)
    real = re.sub(r"10\.0\.1\.\d+", "ADDRESS", recorded("exec lone wget -O- http://rr/"))
    assert told == real.split("\n", 1)[1]
    refused = shop.exec("wget -q -O - rr:81")
    assert (refused.code, re.sub(r"\(.*\)", "()", refused.err)) == (
        1,
        "wget: can't connect to remote host (): Connection refused\n",
    )


def test_ping_hears_tasks_and_virtual_addresses_and_nobody_else(shop: Shop) -> None:
    for name in ("rr", "web", "tasks.web"):
        result = shop.exec(f"ping -c 2 {name}")
        shape = re.sub(r"10\.0\.\d+\.\d+", "A", re.sub(r"\d+\.\d{3}", "T", result.out)).replace(name, "rr")
        real = re.sub(r"10\.0\.\d+\.\d+", "A", re.sub(r"\d+\.\d{3}", "T", recorded("exec lone ping -c 2 rr")))
        assert (result.code, shape) == (0, real)
    silent = shop.exec("ping -c 1 -W 1 10.0.1.200")
    assert (silent.code, silent.out) == (1, recorded("exec lone ping -c 1 -W 1 10.0.1.200"))


@pytest.mark.parametrize("line", ["ping", "ping -z", "ping -c", "wget", "nslookup", "nslookup --help"])
def test_words_that_are_not_understood_are_answered_with_the_usage(shop: Shop, line: str) -> None:
    result = shop.exec(line)
    assert result.out == ""
    assert result.err.rstrip() == recorded(f"exec lone {line}").rstrip()


@pytest.mark.parametrize("program", ["curl rr", "/bin/curl rr", "getent hosts rr", "traceroute rr"])
def test_a_program_that_the_image_does_not_have_is_refused_by_its_name(shop: Shop, program: str) -> None:
    result = shop.exec(program)
    assert (result.code, result.out.replace("\r", ""), result.err) == (126, recorded(f"exec lone {program}"), "")


def test_what_an_image_has_depends_on_what_it_is_made_of(shop: Shop) -> None:
    (address,) = shop.addresses("web")
    assert shop.exec("getent hosts web", "ng").out == f"{address:<15} web\n"
    assert shop.exec("getent hosts web", "al").out == f"{address:<15}  web  web\n"
    assert shop.exec("wget -qO- web", "al").code == 0
    assert [shop.exec(line, "ng").code for line in ("ping web", "nslookup web", "wget web", "curl -s web")] == [
        *(126, 126, 126),
        0,
    ]


def test_a_container_tells_of_itself(shop: Shop) -> None:
    assert shop.exec("cat /etc/resolv.conf").out == recorded("exec lone cat /etc/resolv.conf")
    own = shop.exec("hostname -i").out.strip()
    assert shop.exec("cat /etc/hosts").out.splitlines()[-1].split()[0] == own
    for line in ("ip addr", "ip route", "ip -4 addr"):
        unnumbered = [
            re.sub(r"(?<=eth\d@if)\d+|^\d+(?=:)|[0-9a-f:]{17}|\d+\.\d+\.\d+\.\d+(/\d+)?", "N", text, flags=re.MULTILINE)
            for text in (shop.exec(line).out, recorded(f"exec lone {line}"))
        ]
        assert unnumbered[0] == unnumbered[1]
    assert shop.exec("env", flags="-e A=b").out.splitlines()[2] == "A=b"


def test_exit_codes_are_the_programs(shop: Shop) -> None:
    assert [shop.exec(line).code for line in ("true", "false", "sh -c 'exit 3'", "sh -c 'wget -qO- rr:81'")] == [
        0,
        1,
        3,
        1,
    ]
    began = shop.now
    assert shop.exec("sleep 5").code == 0
    assert 5.0 < shop.now - began < 5.5
    assert shop.exec("sleep 5", flags="-d").out == ""
    assert shop.now - began < 6.5


def test_what_is_not_modelled_says_so(shop: Shop) -> None:
    for line in ("wget -c web", "ping -I eth0 web", "nslookup web 8.8.8.8", "cat /proc/cpuinfo", "nc -l -p 1", "sh"):
        result = shop.exec(line, flags="-i" if line == "sh" else "")
        assert result.code in (2, 126)
        assert "is real, but not modelled yet" in result.err


def test_a_container_that_does_not_run_or_is_not_there() -> None:
    shop = Shop()
    id = shop.container("rr", host := shop_host(shop, "rr"))
    shop.docker(f"kill {id}", host)
    result = shop.docker(f"exec {id} true", host)
    assert result.code == 1
    assert re.fullmatch(r"Error response from daemon: Container \w{64} is not running\n", result.err)
    assert shop.docker("exec nobody true").err == recorded("exec nobody true")


def test_a_program_dies_with_its_container() -> None:
    shop = Shop()
    id = shop.container("cli", "w1")
    done = shop.world.spawn(shop.world.docker("w1", f"exec {id} sleep 1000"))
    shop.sleep(1.0)
    shop.docker(f"kill {id}", "w1")
    shop.sleep(1.0)
    assert done.processed
    assert done.value.code == 137


def test_curl_goes_on_to_the_next_address_when_one_does_not_answer() -> None:
    shop = Shop()
    engine = shop.world.engines["w1"]
    dead = {
        each.attachments[0].address.partition("/")[0]
        for each in engine.task_containers.values()
        if each.service == "rr"
    }
    assert dead
    shop.world.power_off("w1")
    heard = [shop.exec("curl -s -v -m 2 rr", "ng") for _ in range(8)]
    assert {result.code for result in heard} == {0}
    unlucky = [result for result in heard if "failed: Connection timed out" in result.err]
    assert unlucky, "some are told the dead one first"


def test_without_gossip_only_the_container_itself_can_be_asked() -> None:
    lab = Lab(1, 0)
    lab.service(1)
    lab.wait(lambda: lab.running() == 1)
    id = lab.docker("ps -q").out.strip()
    assert "gossip: true" in lab.docker(f"exec {id} ping web").err
    assert lab.docker(f"exec {id} hostname").out == f"{id}\n"
