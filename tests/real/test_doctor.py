"""The doctor: every line is seen to be well, and to fail for what it is there for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from swarmsim.real.doctor import Examined, Line, Verdict, failures, judge, size
from swarmsim.real.doctortexts import CHECKS, FRAME, SAID
from swarmsim.real.facts import Facts, Interface, read
from swarmsim.real.ports import PORTS, Way, latency

INFO = {
    "Driver": "overlay2",
    "CgroupDriver": "systemd",
    "LiveRestoreEnabled": False,
    "Swarm": {"LocalNodeState": "inactive", "NodeID": ""},
}
NAMES = ("m1", "m2", "w1")


def healthy(name: str, number: int, **other: Any) -> Facts:
    known = {each: f"10.0.0.{n}" for n, each in enumerate(NAMES, 1)}
    found = Facts(
        name,
        f"10.0.0.{number}",
        hostname=name,
        kernel="6.1.0",
        ahead=0.02,
        give_or_take=0.03,
        resolved=known,
        interfaces=[Interface("eth1", f"10.0.0.{number}", 1500)],
        memory=4 * 1024**3,
        memory_free=2 * 1024**3,
        disk_free=20 * 1024**3,
        tools=["nft", "python3"],
        client="28.2.2",
        engine="20.10.24",
        info=INFO,
    )
    return found._replace(**other)


def examined(
    other: dict[str, dict[str, Any]] | None = None, how: dict[str, str] | None = None, full: str = "ok"
) -> Examined:
    """Three hosts that are well, but for what is said: fields of hosts, and how a port of a host (``m1 7946/udp``) answers."""
    facts = {name: healthy(name, n, **(other or {}).get(name, {})) for n, name in enumerate(NAMES, 1)}
    ways = [
        Way(
            source,
            to,
            kind,
            port,
            (how or {}).get(f"{to} {port}/{kind}", "ok"),
            0.0004,
            full if kind == "udp" else None,
        )
        for source in NAMES
        for to in NAMES
        for kind, port in PORTS
        if source != to
    ]
    return Examined(facts, ways, {name: "manager" if name.startswith("m") else "worker" for name in NAMES})


def test_healthy_hosts_have_a_line_for_every_check():
    lines = judge(examined())
    assert list(dict.fromkeys(line.check for line in lines)) == list(CHECKS)
    assert {line.verdict for line in lines} == {Verdict.OK}


def swarm(state: str, node: str = "abc") -> dict[str, Any]:
    return {**INFO, "Swarm": {"LocalNodeState": state, "NodeID": node}}


@pytest.mark.parametrize(
    ("what", "hosts", "fields"),
    [
        ("not reached", ("w1",), {"w1": {"trouble": "Permission denied (publickey)"}}),
        ("docker denied", ("w1",), {"w1": {"engine": "", "engine_trouble": "Got permission denied while trying"}}),
        ("docker absent", ("w1",), {"w1": {"engine": "", "client": "", "engine_trouble": "sh: docker: not found"}}),
        ("engine silent", ("w1",), {"w1": {"engine": "", "engine_trouble": "Cannot connect to the Docker daemon"}}),
        ("versions differ", (), {"w1": {"engine": "24.0.7"}}),
        ("live-restore on", ("m2",), {"m2": {"info": {**INFO, "LiveRestoreEnabled": True}}}),
        ("swarm foreign", ("m1",), {"m1": {"info": swarm("active")}}),
        ("swarm foreign", ("m1",), {"m1": {"info": swarm("active"), "mark": "another"}}),
        ("swarm foreign", ("m1",), {"m1": {"info": swarm("locked", "")}}),
        ("containers foreign", ("w1",), {"w1": {"foreign": ["db", "proxy"]}}),
        ("names twice", ("m1", "w1"), {"w1": {"hostname": "m1"}}),
        ("name other", ("w1",), {"w1": {"hostname": "localhost.localdomain"}}),
        ("address not its", ("w1",), {"w1": {"address": "203.0.113.9"}}),
        ("clock unusable", ("w1",), {"w1": {"ahead": -7200.0}}),
        ("disk full", ("m1",), {"m1": {"disk_free": 50 * 1024**2}}),
    ],
)
def test_what_lets_no_scenario_run(what, hosts, fields):
    found = failures(judge(examined(fields)))
    assert [(line.what, line.hosts) for line in found] == [(what, hosts)]
    assert found[0].found()
    assert found[0].remedy()
    assert found[0].remedy("zh")


@pytest.mark.parametrize(
    ("what", "verdict", "fields"),
    [
        ("clients differ", Verdict.WARN, {"w1": {"client": "24.0.7"}}),
        ("kernels differ", Verdict.NOTE, {"w1": {"kernel": "3.10.0"}}),
        ("storage slow", Verdict.WARN, {"w1": {"info": {**INFO, "Driver": "vfs"}}}),
        ("storage differs", Verdict.WARN, {"w1": {"info": {**INFO, "CgroupDriver": "cgroupfs"}}}),
        ("swarm ours", Verdict.NOTE, {"w1": {"info": swarm("active"), "mark": "abc"}}),
        ("hosts lacks", Verdict.NOTE, {"w1": {"resolved": {}}}),
        ("hosts wrong", Verdict.WARN, {"w1": {"resolved": {"m1": "10.0.2.15", "m2": "10.0.0.2"}}}),
        (
            "address several",
            Verdict.NOTE,
            {"w1": {"interfaces": [Interface("eth0", "10.0.2.15", 1500), Interface("eth1", "10.0.0.3", 1500)]}},
        ),
        ("ports untried", Verdict.WARN, {"w1": {"tools": ["nft"]}}),
        ("mtu differs", Verdict.WARN, {"w1": {"interfaces": [Interface("eth1", "10.0.0.3", 1400)]}}),
        ("clock off", Verdict.WARN, {"w1": {"ahead": 3.0}}),
        ("disk low", Verdict.WARN, {"w1": {"disk_free": 1024**3}}),
        ("memory low", Verdict.WARN, {"w1": {"memory_free": 60 * 1024**2}}),
        ("firewall open", Verdict.OK, {"w1": {"firewalls": ["firewalld"]}}),
        ("tools iptables", Verdict.NOTE, {"w1": {"tools": ["iptables", "python3"]}}),
        ("tools lack", Verdict.WARN, {"w1": {"tools": ["python3"]}}),
    ],
)
def test_what_is_worth_knowing(what, verdict, fields):
    lines = judge(examined(fields))
    assert failures(lines) == []
    assert [line.verdict for line in lines if line.what == what] == [verdict]


def test_the_nat_of_virtualbox_is_on_every_host_the_same():
    nat = {"address": "10.0.2.15", "interfaces": [Interface("eth0", "10.0.2.15", 1500)]}
    found = failures(judge(examined(dict.fromkeys(NAMES, nat))))
    assert [line.what for line in found] == ["address nat"] * 3


def test_a_closed_port_is_named_with_the_command_that_opens_it():
    found = failures(judge(examined(how={"m2 7946/udp": "silence"})))
    assert [(line.hosts, line.found()) for line in found] == [
        (("m2",), "m1 → m2 7946/udp, w1 → m2 7946/udp: no answer"),
    ]
    assert "firewall-cmd --permanent --add-port=7946/udp" in found[0].remedy()
    assert "ufw allow 7946/udp" in found[0].remedy("zh")


def test_a_workers_2377_is_nobodys():
    assert failures(judge(examined(how={"w1 2377/tcp": "ECONNREFUSED"}))) == []
    assert len(failures(judge(examined(how={"m1 2377/tcp": "ECONNREFUSED"})))) == 1


def test_full_packets_that_vanish_are_told():
    lines = judge(examined(full="silence"))
    assert [line.verdict for line in lines if line.what == "mtu vanishes"] == [Verdict.WARN]


def test_what_is_in_use_may_be_looked_at():
    used = examined({"m1": {"info": swarm("active"), "foreign": ["db"]}})
    assert failures(judge(used))
    assert failures(judge(used, adopt=True)) == []


def test_every_sentence_is_there_in_both_languages():
    for name, said in SAID.items():
        assert bool(said.remedy_en) == bool(said.remedy_zh), name
        assert said.en
        assert said.zh
    assert all(len(words) == 2 for words in FRAME.values())


def test_what_a_host_prints_is_read():
    told = """\
== hostname
w1
== kernel
3.10.0-1160.el7.x86_64
== names
127.0.0.1 localhost
192.168.56.101 master m1
== addresses
2: enp0s3    inet 10.0.2.15/24 brd 10.0.2.255 scope global noprefixroute dynamic enp0s3
3: enp0s8    inet 192.168.56.104/24 brd 192.168.56.255 scope global enp0s8
4: docker0    inet 172.17.0.1/16 scope global docker0
== links
2: enp0s3: <BROADCAST,UP> mtu 1500 qdisc pfifo_fast state UP
3: enp0s8: <BROADCAST,UP> mtu 1400 qdisc pfifo_fast state UP
== default
default via 10.0.2.2 dev enp0s3 proto dhcp metric 100
== memory
MemTotal:        1014968 kB
MemAvailable:     500000 kB
== disk
/dev/sda1 52403200 9000000 43403200 18% /
== containers
web.1.abc web
db
== firewalls
firewalld
== tools
iptables
python
== synchronized
yes
== end
"""
    version = json.dumps({"Client": {"Version": "28.2.2"}, "Server": {"Version": "20.10.24"}})
    found = read("w1", "192.168.56.104", told, (version, ""), (json.dumps(INFO), ""), (100.0, 100.2), "107.1\n")
    assert [each.name for each in found.interfaces] == ["enp0s3", "enp0s8"]
    assert (found.mtu, found.default_interface, found.python) == (1400, "enp0s3", "python")
    assert (found.foreign, found.tasks, found.firewalls) == (["db"], 1, ["firewalld"])
    assert found.resolved == {"localhost": "127.0.0.1", "master": "192.168.56.101", "m1": "192.168.56.101"}
    assert (found.ahead, found.give_or_take) == (pytest.approx(7.0), pytest.approx(0.1))
    assert (found.engine, found.client, found.engine_trouble) == ("20.10.24", "28.2.2", "")
    assert size(found.disk_free) == "41.4 GB"
    assert found.synchronized is True


def test_an_engine_that_does_not_answer_says_why():
    version = json.dumps({"Client": {"Version": "28.2.2"}, "Server": None})
    trouble = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
    found = read("w1", "10.0.0.3", "== end\n", (version, trouble), ("", trouble), (1.0, 1.0), "")
    assert found.engine_trouble == trouble.strip()


def test_latency_is_half_of_the_middle_answer():
    ways = [Way("m1", "m2", "tcp", 2377, "ok", took) for took in (0.002, 0.004, 0.1)]
    assert latency(ways) == 0.002
    assert latency([]) is None
    assert str(ways[0]) == "m1 → m2 2377/tcp"


def test_lines_hold_what_their_sentences_ask_for():
    assert Line("disk", ("m1",), Verdict.FAIL, "disk full", {"free": "1 MB"}).found("zh") == "磁盘已满：剩余 1 MB"
