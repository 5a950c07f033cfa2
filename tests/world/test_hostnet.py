"""``swarmsim net``: a host's namespaces, held against what a real engine's host showed after the same commands.

tests/records/asked/namespaces.txt is of a kernel without IPVS, so nothing of the routing mesh is in it; ipvs.txt is of one that has it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from swarmsim.world.hostnet import HostNet, Part, host_net, shown
from tests.commandline import swarmsim
from tests.conftest import RECORDS, Lab

BY_CHANCE = (
    (r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b(?! brd| dev)", "MAC"),
    (r"link/ether \S+", "link/ether MAC"),
    (r" link-netns(?:id)? \S+", ""),
    (r"fe80::\S+", "fe80::LINK-LOCAL"),
    (r" tentative ", " "),
    (r"\bveth[0-9a-f]{7}\b", "vethNAME"),
    (r"\bbr-[0-9a-f]{12}\b", "br-ID"),
    (r"(?m)^\d+: ", "N: "),
    (r"@if\d+", "@ifN"),
    (r"127\.0\.0\.11:\d+|--sport [345]\d{4}", "RESOLVER"),
    (r"(?m)^# (?:Generated|Completed).*\n", ""),
    (r"dst 10\.97\.\S+ ", "dst W1 "),
)
"""What differs from host to host, and from run to run."""


def without_chance(text: str) -> str:
    for pattern, instead in BY_CHANCE:
        text = re.sub(pattern, instead, text)
    return text


def recorded(command: str, file: str = "namespaces.txt") -> str:
    """What a real host printed after a command."""
    text = (RECORDS / "asked" / file).read_text()
    found = re.search(rf"m1! {re.escape(command)}(?:    \[.*\])?\n((?:      .*\n)*)", text)
    assert found is not None, command
    return re.sub("(?m)^      ", "", found[1])


class Asked(Lab):
    """The hosts of the record, after the commands of the record."""

    def __init__(self) -> None:
        super().__init__(1, 1, gossip=True)
        for line in (RECORDS / "asked/namespaces.txt").read_text().splitlines():
            typed = re.match(r" +\S+ +m1\$ (.*?)    \[0, ", line)
            if typed:
                assert (
                    self.docker(
                        typed[1].replace("create -d", "create -d --no-resolve-image", "service" in typed[1])
                    ).code
                    == 0
                )
                if typed[1].startswith("service"):
                    name = re.search(r"--name (\w+)", line)
                    assert name is not None
                    self.wait(lambda name=name[1]: self.running(name) >= 1 + (name == "web"))
        self.sleep(3.0)

    def net(self, host: str = "m1") -> HostNet:
        return host_net(self.world.engines[host])


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked()


def printed(net: HostNet, part: Part, netns: str = "host", command: str = "") -> str:
    """What a part of a namespace prints, without the command that shows it."""
    text = shown(net, [part], netns)
    found = re.search(rf"\$ (?:nsenter \S+ )?{re.escape(command)}.*\n((?:(?![$]).*\n)*?)(?=\$|\n|\Z)", text)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize(
    ("part", "command"), [(Part.ROUTE, "ip route"), (Part.BRIDGE, "bridge link"), (Part.ADDR, "ip addr")]
)
def test_a_hosts_devices_and_routes_are_those_of_a_real_one(asked: Asked, part: Part, command: str) -> None:
    real = re.sub(r"(?m)^2: eth0(?:.*\n(?!\d))*.*\n|^.* dev eth0 .*\n", "", recorded(command))
    assert sorted(without_chance(printed(asked.net(), part)).splitlines()) == sorted(without_chance(real).splitlines())


def section(of: str, head: str) -> str:
    """A part of what was printed for one namespace after the other: ``== NAMESPACE``, then ``-- COMMAND``."""
    text = recorded(
        'for n in $DIR/../exec/netns/*; do echo "== $(basename $n)"; nsenter --net=$n ip addr; '
        'echo "-- ip route"; nsenter --net=$n ip route; echo "-- iptables-save"; nsenter --net=$n iptables-save; '
        'echo "-- ip neigh"; nsenter --net=$n ip neigh show nud permanent; echo "-- fdb"; '
        "nsenter --net=$n bridge fdb | grep dst; done"
    )
    space = next(each for each in re.split("(?m)^== ", text) if re.match(of, each))
    parts = {"ip addr": space.partition("\n")[2].partition("-- ip route\n")[0]}
    for each in re.split("(?m)^-- ", space)[1:]:
        name, _, parts[name] = each.partition("\n")
    return parts[head]


def named(net: HostNet, of: str) -> str:
    return next(each.name for each in net.namespaces if re.match(of, each.name) or each.about.startswith(of))


def test_the_hosts_rules_are_those_of_a_real_one_line_by_line(asked: Asked) -> None:
    ours = printed(asked.net(), Part.RULES)
    mesh = r"(?m)^.*(DOCKER-INGRESS|-o docker_gwbridge -m addrtype).*\n"
    assert without_chance(re.sub(mesh, "", ours)) == without_chance(recorded("iptables-save"))


@pytest.mark.parametrize(
    ("ours", "real"),
    [
        ("the overlay ingress", "1-(?=(.*\n)*.*inet 10.0.0.1/24)"),
        ("the overlay net", "1-(?=(.*\n)*.*inet 10.0.1.1/24)"),
        ("the overlay safe", "1-(?=(.*\n)*.*inet 10.0.2.1/24)"),
    ],
)
def test_an_overlay_is_a_bridge_with_an_end_for_everybody_and_a_tunnel(asked: Asked, ours: str, real: str) -> None:
    net = asked.net()
    for part, command, head in (
        (Part.ADDR, "ip addr", "ip addr"),
        (Part.ROUTE, "ip route", "ip route"),
        (Part.BRIDGE, "bridge fdb", "fdb"),
        (Part.BRIDGE, "ip neigh", "ip neigh"),
    ):
        found = printed(net, part, named(net, ours), command)
        assert sorted(without_chance(found).splitlines()) == sorted(without_chance(section(real, head)).splitlines())


@pytest.mark.parametrize(
    ("ours", "real"),
    [
        ("web.", ".*(?=(.*\n)*.*inet 10.0.0.6/24)"),
        ("direct.", ".*(?=(.*\n)*.*inet 172.17.0.2/16)"),
        ("both.", ".*(?=(.*\n)*.*inet 172.18.0.4/16)"),
        ("the load balancer of safe", "lb_(?=(.*\n)*.*inet 10.0.2.4/24)"),
    ],
)
def test_containers_and_load_balancers_have_their_ends_routes_and_rules(asked: Asked, ours: str, real: str) -> None:
    net = asked.net()
    name = named(net, ours)
    for part, head in ((Part.ADDR, "ip addr"), (Part.ROUTE, "ip route"), (Part.RULES, "iptables-save")):
        wanted = without_chance(section(real, head))
        found = without_chance(printed(net, part, name)) if wanted else ""
        if ours.startswith("the load"):  # of a virtual address only a kernel with IPVS knows
            found = re.sub(r"(?m)^\*mangle\n(?:.*\n)*?COMMIT\n|^.*-m ipvs.*\n|^    inet 10\S+/32.*\n.*\n", "", found)
        assert sorted(found.splitlines()) == sorted(wanted.splitlines())


class Mesh(Lab):
    """Two servers behind port 8888, none of them on m1, as the record of ipvs.txt has it."""

    def __init__(self) -> None:
        super().__init__(1, 2, gossip=True)
        self.docker(
            "service create -d --no-resolve-image --name web --replicas 2 -p 8888:80 --constraint node.role==worker mini:1 /serve"
        )
        self.wait(lambda: self.running() == 2)
        self.sleep(3.0)

    def ask(self, times: int = 10) -> None:
        for _ in range(times):
            assert self.world.run(self.world.curl("outside", "-s m1:8888")).code == 0
        self.sleep(0.1)

    def net(self) -> HostNet:
        return host_net(self.world.engines["m1"])


def lines(text: str, *signs: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if any(sign in line for sign in signs)]


def test_the_mesh_is_marked_balanced_and_given_the_nodes_own_address() -> None:
    mesh = Mesh()
    mesh.ask()
    net, real = mesh.net(), recorded("ingress rules", "ipvs.txt")
    sandbox = printed(net, Part.RULES, "ingress_sbox")
    assert without_chance(sandbox) == without_chance(real.partition("---\n")[0])
    # Of the host's the record has the whole table nat, and what of table filter names the chain.
    nat, chain = real.partition("---\n")[2].partition("lo  ")[0].split(":DOCKER-INGRESS - [0:0]\n-A FORWARD")
    host = printed(net, Part.RULES)
    assert lines(host, "DOCKER-INGRESS -") == lines(
        ":DOCKER-INGRESS - [0:0]\n-A FORWARD" + chain + nat, "DOCKER-INGRESS -"
    )
    assert lines(host[host.index("*nat") :], "-A") == lines(nat, "-A")
    assert "inet 10.0.0.5/32 scope global eth0" in printed(net, Part.ADDR, "ingress_sbox")


def test_ipvsadm_lists_services_sorted_and_connections_with_what_is_left_of_them() -> None:
    mesh = Mesh()
    mesh.ask()
    real = recorded("ipvsadm 2 tasks", "ipvs.txt").replace("size=256", "size=4096")
    net = mesh.net()
    services, connections = real.split("IPVS connection entries\n")
    assert lines(printed(net, Part.IPVS, "ingress_sbox", "ipvsadm -ln"), " ") == lines(services, " ")
    found = printed(net, Part.IPVS, "ingress_sbox", "ipvsadm -lnc")
    assert found.startswith("IPVS connection entries\n" + connections.splitlines()[0])
    kept, ours = connections.splitlines()[1], found.splitlines()[2:]
    source = re.compile(r"\d+(\.\d+){3}:\d{5} +(?=172)")
    assert len(ours) == 10
    assert {source.sub("", line) for line in ours} == {source.sub("", kept).replace("0.6", n) for n in ("0.6", "0.7")}


def test_a_task_that_stops_has_weight_0_and_is_gone_then() -> None:
    mesh = Mesh()
    mesh.docker("service scale -d web=1")
    mesh.sleep(1.5)
    weights = [line.split()[3] for line in lines(printed(mesh.net(), Part.IPVS, "ingress_sbox"), "Masq")]
    assert sorted(weights) == ["0", "1"]
    mesh.sleep(20.0)
    assert [line.split()[3] for line in lines(printed(mesh.net(), Part.IPVS, "ingress_sbox"), "Masq")] == ["1"]


def test_what_the_mesh_needs_outlives_the_service_but_its_ports_do_not() -> None:
    mesh = Mesh()
    mesh.docker("service rm web")
    mesh.sleep(30.0)
    rules = printed(mesh.net(), Part.RULES)
    assert "-A DOCKER-INGRESS -j RETURN" in rules
    assert "8888" not in rules
    sandbox = printed(mesh.net(), Part.RULES, "ingress_sbox")
    assert "MARK" not in sandbox
    assert "-m ipvs --ipvs -j SNAT" in sandbox


def test_the_command_shows_a_host_at_a_moment(tmp_path: Path) -> None:
    done = swarmsim(
        "net", "slave01", "any-node-answers", "--at", "8s", "--only", "ipvs", "--netns", "ingress_sbox", cwd=tmp_path
    )
    assert done.returncode == 0
    assert done.stdout.startswith("# slave01, 8.0 s after any-node-answers began.")
    assert (
        "$ nsenter --net=/var/run/docker/netns/ingress_sbox ipvsadm -ln\nIP Virtual Server version 1.2.1" in done.stdout
    )
    assert "  -> 10.0.0.6:0                   Masq    1 " in done.stdout
    assert "ip addr" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["m1", "runs/quorum-loss-1.jsonl"],
            "a trace does not tell of bridges and rules: give the scenario it was made of",
        ),
        (["m9", "quorum-loss"], "m9: no host of quorum-loss; there are m1, m2, m3, w1, w2"),
        (["m1", "quorum-loss", "--at", "soon"], "--at"),
        (
            ["m1", "quorum-loss", "--netns", "lb_x"],
            "--netns lb_x: m1 has no such namespace at that moment; there are host, ",
        ),
        (["w2", "entry-node-dies", "--at", "15s"], "w2 has no power at that moment, and so no network"),
        (["m1", "no-such"], "no-such"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(tmp_path: Path, words: list[str], complaint: str) -> None:
    done = swarmsim("net", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
