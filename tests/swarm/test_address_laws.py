"""Laws of addresses: no two places have one, and none lies outside its network's subnet, whatever is done to a swarm."""

from __future__ import annotations

import ipaddress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from swarmsim.swarm.addresses import AddressPool, SubnetPool
from swarmsim.swarm.objects import Network, Node, Pool, Service, Task
from swarmsim.swarm.states import TaskState
from tests.conftest import Lab

NETWORKS = ("a", "b")
STEPS = st.one_of(
    st.tuples(
        st.just("create"),
        st.integers(0, 3),
        st.sampled_from(["--network a", "--network b", "-p 80", "--network a --network b"]),
    ),
    st.tuples(st.just("scale"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(
        st.just("move"),
        st.integers(0, 3),
        st.sampled_from(["--network-add b", "--network-rm a", "--endpoint-mode dnsrr"]),
    ),
    st.tuples(st.just("remove"), st.integers(0, 3)),
    st.tuples(st.just("drain"), st.sampled_from(["drain", "active"])),
    st.tuples(st.just("run"), st.integers(0, 3)),
    st.tuples(st.just("rm"), st.integers(0, 3)),
    st.tuples(st.just("leave")),
)


def do(lab: Lab, step: tuple) -> None:
    """Refusals are fine: what is asked for may make no sense by now."""
    what, *more = step
    match what, more:
        case "create", [n, flags]:
            lab.docker(
                f"service create -d --no-resolve-image --name s{n} --stop-grace-period 1s {flags} mini:1 sleep 100000"
            )
        case "scale", [n, count]:
            lab.docker(f"service scale -d s{n}={count}")
        case "move", [n, flags]:
            lab.docker(f"service update -d {flags} s{n}")
        case "remove", [n]:
            lab.docker(f"service rm s{n}")
        case "drain", [availability]:
            lab.docker(f"node update --availability {availability} w1")
        case "run", [n]:
            lab.docker(f"run -d --name c{n} --network a --ip 10.9.1.{n + 4} mini:1 sleep 100000", on="m1")
        case "rm", [n]:
            lab.docker(f"rm -f c{n}", on="m1")
        case "leave", _:
            lab.docker("swarm leave", on="w2")


def check(lab: Lab) -> None:
    store = lab.world.engines["m1"].node.manager.raft.store
    networks = store.table(Network)
    places = [("service", s.id, each) for s in store.table(Service).values() for each in s.virtual_ips]
    places += [("node", n.id, each) for n in store.table(Node).values() for each in n.attachments]
    places += [
        ("task", t.id, each)
        for t in store.table(Task).values()
        if t.status.state <= TaskState.RUNNING
        for each in t.networks
    ]
    owners: dict[tuple[str, str], str] = {}
    for kind, id, place in places:
        network = networks.get(place.network_id)
        if network is None or not place.address:
            continue
        own = ipaddress.ip_interface(place.address)
        assert any(own.ip in ipaddress.ip_network(pool.subnet, strict=False) for pool in network.pools), place
        assert str(own.ip) not in {pool.gateway for pool in network.pools}, f"{kind} {id} has the gateway's address"
        before = owners.setdefault((network.id, str(own.ip)), id)
        assert before == id, f"{own.ip} on {network.name} is given twice: to {before} and {kind} {id}"


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, max_size=8))
@example(
    [
        ("create", 0, "--network a"),
        ("scale", 0, 9),
        ("run", 0),
        ("run", 1),
        ("scale", 0, 1),
        ("rm", 0),
        ("create", 1, "--network a"),
    ]
)
@example([("create", 0, "--network a"), ("move", 0, "--network-add b"), ("drain", "drain"), ("leave",), ("remove", 0)])
def test_no_address_is_given_twice_and_none_lies_outside(steps):
    lab = Lab(1, 2)
    lab.docker("network create -d overlay --attachable --subnet 10.9.1.0/28 a")
    lab.docker("network create -d overlay --subnet 10.9.2.0/24 --ip-range 10.9.2.64/27 b")
    for step in steps:
        do(lab, step)
        lab.sleep(1.5)
        check(lab)
    lab.sleep(20)
    check(lab)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60), st.sampled_from(["", "10.0.1.8/29"]))
@example([(True, 0)] * 20, "")
def test_a_pool_gives_each_address_once_and_those_it_has(steps, part):
    pool = AddressPool(Pool("10.0.1.0/27", ip_range=part))
    inside = ipaddress.ip_network(part or "10.0.1.0/27")
    held: list[str] = [pool.gateway]
    for take, n in steps:
        if take:
            address = pool.take()
            if address is None:
                room = {str(each) for each in inside} - {"10.0.1.0", "10.0.1.31"}
                assert room <= set(held)
                continue
            bare = address.partition("/")[0]
            assert bare not in held
            assert ipaddress.ip_address(bare) in inside
            held.append(bare)
        elif len(held) > 1:
            pool.free(held.pop(1 + n % (len(held) - 1)))


def test_subnets_are_given_in_turn_and_one_that_was_freed_comes_last():
    pool = SubnetPool(["10.30.0.0/26", "10.40.0.0/28"], 28)
    used = []
    for _ in range(5):
        used.append(pool.take(used))
    assert [str(each) for each in used] == [*(f"10.30.0.{n}/28" for n in (0, 16, 32, 48)), "10.40.0.0/28"]
    assert pool.take(used) is None
    freed = used.pop(1)
    assert pool.take(used) == freed
