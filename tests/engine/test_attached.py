"""``docker run`` on an attachable network of the swarm, with the words, codes and (where they are time-outs) times of real engines
(records/asked/attached.txt)."""

from __future__ import annotations

import re

import pytest

from swarmsim.docker.client import Result
from tests.conftest import RECORDS, Lab

RECORD = (RECORDS / "asked/attached.txt").read_text()
TIMED_OUT = 20.0


class Shop(Lab):
    """One manager, two workers; ``shop`` can be attached to, ``plain`` cannot."""

    def __init__(self) -> None:
        super().__init__(1, 2, gossip=True)
        self.docker("network create -d overlay --attachable --subnet 10.9.0.0/24 shop")
        self.docker("network create -d overlay plain")
        self.service(2, flags="--network shop", command="/serve")
        self.wait(lambda: self.running() == 2)
        self.sleep(3.0)

    def run(self, words: str, on: str = "m1") -> Result:
        return self.docker(f"run {words}", on)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def recorded(command: str) -> tuple[int, float, str]:
    """Exit code, seconds and text of a command that real engines were asked."""
    found = re.search(rf"\$ {re.escape(command)}    \[(\d+), ([\d.]+) s\]\n((?:      .*\n|\n)*)", RECORD)
    assert found is not None, command
    return int(found[1]), float(found[2]), re.sub("^      ", "", found[3], flags=re.MULTILINE)


def nameless(text: str) -> str:
    """Without ids, white space at the ends, and times of pings."""
    return re.sub(r"\d+\.\d{3}", "T", re.sub(r"\b[0-9a-f]{64}\b", "ID", text)).strip()


@pytest.mark.parametrize(
    "words",
    [
        "-d --name dd --network shop --ip 10.8.0.50 mini:1 sleep 1000",
        "-d --name d2 --network shop --ip 10.9.0.300 mini:1 sleep 1000",
        "-d --name ee --network plain mini:1 sleep 1000",
        "-d --name ff --network nothere mini:1 sleep 1000",
        "-d --name gg --network ingress mini:1 sleep 1000",
        "--rm --network shop mini:1 nosuch",
        '--rm --network shop mini:1 sh -c "exit 4"',
        "-d --network-alias x mini:1 sleep 1000",
        "--name a/b --network shop mini:1 true",
        "",
        "--network shop",
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(shop: Shop, words: str) -> None:
    code, seconds, text = recorded(f"run {words}".strip())
    began = shop.now
    result = shop.run(words)
    assert (result.code, nameless(result.out + result.err)) == (code, nameless(text))
    assert (shop.now - began > TIMED_OUT) == (seconds > TIMED_OUT)


def test_an_address_is_given_once(shop: Shop) -> None:
    assert shop.run("-d --name bb --network shop --ip 10.9.0.50 --network-alias bee mini:1 sleep 1000", "w2").code == 0
    words = "-d --name cc --network shop --ip 10.9.0.50 mini:1 sleep 1000"
    code, _, text = recorded(f"run {words}")
    result = shop.run(words)
    assert (result.code, nameless(result.out + result.err)) == (code, nameless(text))
    shop.docker("rm -f bb", "w2")
    shop.docker("rm -f cc")
    assert shop.run(words).code == 0, "it is free again"
    assert '"IPv4Address": "10.9.0.50/24"' in shop.docker("network inspect shop").out


def test_it_is_known_by_its_name_its_aliases_and_its_id(shop: Shop) -> None:
    id = shop.run("-d --name bb --network shop --ip 10.9.0.50 --network-alias bee mini:1 sleep 1000", "w2").out[:12]
    for name in ("bb", "bee", id, "bb.shop"):
        assert "Address: 10.9.0.50\n" in shop.run(f"--rm --network shop mini:1 nslookup {name}").out
    code, _, text = recorded("run --rm --network shop mini:1 ping -c 1 bb")
    result = shop.run("--rm --network shop mini:1 ping -c 1 bb")
    assert (result.code, nameless(result.out)) == (code, nameless(text))
    shop.docker("rm -f bb", "w2")
    shop.sleep(2.0)
    assert "NXDOMAIN" in shop.run("--rm --network shop mini:1 nslookup bee").out


def test_one_that_nobody_gave_a_name_has_none_to_others(shop: Shop) -> None:
    shop.run("-d --network shop --network-alias one --network-alias two mini:1 sleep 1000")
    name = shop.docker("ps --format {{.Names}} --filter label=x").out or shop.docker("ps --format {{.Names}}").out
    made = name.split()[0]
    assert "_" in made
    assert "NXDOMAIN" in shop.run(f"--rm --network shop mini:1 nslookup {made}").out
    assert "Address: 10.9" in shop.run("--rm --network shop mini:1 nslookup two").out


def test_it_asks_services_through_their_virtual_address(shop: Shop) -> None:
    shop.run("-d --name lone --network shop mini:1 sleep 1000")  # while somebody is on it the half of the network stays
    answers = [shop.run("--rm --network shop mini:1 wget -qO- web").out for _ in range(4)]
    assert answers[:2] == answers[2:]
    assert len(set(answers)) == 2, "both tasks, in turn"
    assert shop.docker("ps -qa").out.split() == [
        container.id[:12] for container in shop.world.engines["m1"].containers.values()
    ], "nothing is left of them"


def test_its_place_is_a_task_that_nobody_sees_but_that_holds_the_network(shop: Shop) -> None:
    shop.run("-d --name lone --network shop mini:1 sleep 1000")
    assert "lone" not in shop.docker("node ps m1").out
    shop.docker("service rm web")
    shop.sleep(15.0)
    assert re.search("network .* is in use by task", shop.docker("network rm shop").err)
    assert shop.docker("rm lone").err.startswith("Error response from daemon: You cannot remove a running container")
    began = shop.now
    assert shop.docker("stop lone").out == "lone\n"
    assert shop.now - began > 10.0, "sleep as process 1 ignores SIGTERM"
    assert shop.docker("rm lone").code == 0
    shop.sleep(1.0)
    assert shop.docker("network rm shop").out == "shop\n"


def test_a_name_is_given_once(shop: Shop) -> None:
    shop.run("-d --name aa --network shop mini:1 sleep 1000", "w1")
    words = "-d --name aa --network shop mini:1 sleep 1000"
    second = [text for text in RECORD.split("$ run ") if text.startswith(words)][1]
    assert nameless(shop.run(words, "w1").err).split("\n")[0] in nameless(second)


def test_a_change_of_leader_keeps_places() -> None:
    lab = Lab(3, 1, gossip=True)
    lab.docker("network create -d overlay --attachable shop")
    lab.docker("run -d --name lone --network shop mini:1 sleep 1000", "w1")
    (address,) = re.findall(r'"IPv4Address": "(10\.0\.1\.\d+)/24"', lab.docker("network inspect shop", "w1").out)[:1]
    leader = lab.leader()
    lab.world.power_off(leader)
    lab.wait(lambda: lab.leader() not in (None, leader))
    lab.sleep(3.0)
    other = next(name for name in ("m1", "m2", "m3") if name != leader)
    lab.docker("run -d --name two --network shop mini:1 sleep 1000", other)
    assert address in lab.docker("network inspect shop", "w1").out
    assert f'"{address}/24"' not in lab.docker("network inspect shop", other).out
    assert lab.docker("exec two ping -c 1 lone", other).code == 0


def test_an_engine_that_was_killed_has_no_place_any_more(shop: Shop) -> None:
    shop.run("-d --name lone --network shop mini:1 sleep 1000", "w1")
    shop.world.kill_engine("w1")
    shop.world.clock.run(shop.world.engines["w1"].start())
    shop.sleep(5.0)
    assert "Exited" in shop.docker("ps -a --filter name=lone", "w1").out
    assert shop.docker("rm lone", "w1").code == 0
