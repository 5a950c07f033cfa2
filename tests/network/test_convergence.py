"""Whatever happened, once faults end all members come to agree with the truth: entries, members of networks, load balancers, names.

The bound is not a guarantee, as in real ones: who has come back is called within a second or two, but who only hears of it knows its
networks with the next push/pull (30 s), and its entries with the bulk sync after that (30 s), each with one member at random. Five
periods are enough for all but one in thousands among so few.
"""

from __future__ import annotations

from itertools import count
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.network.bindings import Sandbox
from swarmsim.network.networkdb import UNKNOWN
from swarmsim.network.records import ENDPOINT_TABLE
from swarmsim.swarm.objects import NodeState, Task
from swarmsim.swarm.states import TaskState
from tests.conftest import Lab
from tests.network.driver import Node, swarm
from tests.network.test_networkdb import create

BOUND = 5 * 30.0  # seconds
NETWORKS = ("ingress", "backend")
EVENTS = ("cut", "heal", "loss", "die", "create", "create", "delete", "attach")


class Members:
    """Some members to whom things happen, and what each has made and not unmade. ``pauses``: up to how many seconds between two events."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng = Random(seed)
        self.nodes = swarm(size, seed, NETWORKS)
        self.wire = self.nodes[0].wire
        self.made: list[set[tuple[str, int]]] = [set() for _ in self.nodes]
        self._starts = [1] * size
        self._numbers = count(1)

    def happens(self, event: str, index: int) -> None:
        index %= len(self.nodes)
        node, made = self.nodes[index], self.made[index]
        if event == "cut":
            self.wire.cut(node.address)
        elif event == "heal":
            self.wire.heal()
        elif event == "loss":
            self.wire.loss = self.rng.choice((0.0, 0.3, 0.7))
        elif not node.alive:
            self.start(index)
        elif event == "die":
            made.clear()
            self.rng.choice((node.killed, node.silent))()
        elif event == "create":
            for network in self.networks(node)[:1]:
                number = next(self._numbers)
                create(node, number, network)
                made.add((network, number))
        elif event == "delete":
            for network, number in sorted(made)[:1]:
                node.db.delete_entry(ENDPOINT_TABLE, network, f"e{number}")
                made.discard((network, number))
        elif "backend" in self.networks(node):
            node.db.leave_network("backend")
            made -= {each for each in made if each[0] == "backend"}
        else:
            node.db.join_network("backend")

    def start(self, index: int) -> None:
        self._starts[index] += 1
        node = self.nodes[index] = Node(self.wire, index + 1, self._starts[index])
        managers = tuple(each.address for each in self.nodes[:2] if each is not node)
        node.db.join(managers, lambda: [node.db.join_network(network) for network in NETWORKS])

    def faults_end(self) -> None:
        self.wire.heal()
        self.wire.loss = 0.0
        for index, node in enumerate(self.nodes):
            if not node.alive:
                self.start(index)

    def networks(self, node: Node) -> list[str]:
        own = node.db.networks.get(node.db.name, {})
        return [network for network in NETWORKS if network in own and not own[network].leaving]

    def agree(self) -> bool:
        return all(self.knows(node, other) for node in self.nodes for other in range(len(self.nodes)))

    def knows(self, node: Node, other: int) -> bool:
        """Whether one has, on the networks both are on, what another made, and it among the members.

        Excepted is what the purge of reincarnations spoils in real ones too: who hears of a restarted member first and of the one it was
        before after that takes the new one for gone, be it itself, until one of them starts anew.
        """
        owner = self.nodes[other]
        spoilt = owner is not node and owner.db.name in node.db.nodes.left
        if spoilt or not (self.networks(owner) and self.networks(node)):
            return True
        for network in NETWORKS:
            if network in self.networks(node):
                there = network in self.networks(owner)
                if there != any(peer.name == owner.db.name for peer in node.db.peers(network)):
                    return False
                found = {
                    key for key, each in node.db.entries(ENDPOINT_TABLE, network).items() if each.owner == owner.db.name
                }
                if found != {f"e{number}" for where, number in self.made[other] if where == network}:
                    return False
        return True


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(3, 5),
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 4), st.sampled_from((0.3, 4.0, 40.0))), max_size=40),
)
def test_once_faults_end_all_members_have_the_entries_their_owners_made(seed, size, events):
    members = Members(seed, size)
    for event, index, pause in events:
        members.happens(event, index)
        members.wire.run(pause * members.rng.random())
    members.faults_end()
    began = members.wire.now
    while not members.agree():
        assert members.wire.now - began < BOUND
        members.wire.run(1.0)


def test_an_agent_told_of_the_one_it_was_before_does_not_count_itself():
    """tests/records/asked/gossip.txt: restarted before anybody missed it, it shows itself with address "unknown", for good; the others
    see nothing of that. The one before is called dead some seconds later."""
    members = Members(1, 3)
    a, _, c = members.nodes
    c.killed()
    members.start(2)
    again = members.nodes[2]
    members.wire.run(20.0)
    assert {peer.address for peer in again.db.peers("ingress")} == {"10.0.0.1", "10.0.0.2", UNKNOWN}
    assert {peer.address for peer in a.db.peers("ingress")} == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert list(again.db.nodes.failed) == [c.db.name]
    create(again, 1)
    members.wire.run(2.0)
    assert a.keys("ingress") == {"e1"}


# -- the same in a whole swarm: what the kernel of each host has

VERBS = ("cut", "heal", "kill-engine", "power-off", "kill", "scale")
WORKERS = ("w1", "w2", "w3")


class Shown(NamedTuple):
    """What a host makes of a network: the answers to names, and the destinations behind virtual addresses with their weights."""

    names: dict[str, list[str]]
    ipvs: dict[str, list[tuple[str, int]]]


class Swarm:
    """A service that is asked by its published port and, on a network of its own, by its name."""

    def __init__(self, seed: int, eager: bool) -> None:
        self.lab = Lab(1, len(WORKERS), seed, gossip=True, eager=eager)
        self.rng = Random(seed)
        self.replicas = 4
        self._cut: dict[str, int] = {}
        self._down: dict[str, None] = {}
        assert self.lab.docker("network create -d overlay backend").code == 0
        self.lab.service(self.replicas, flags="--network backend --publish 8080:80")

    def happens(self, verb: str, host: str) -> None:
        if verb == "heal":
            self.heal()
        elif verb == "scale":
            self.replicas = 3 + self.rng.randrange(4)
            self.lab.docker(f"service scale -d web={self.replicas}")
        elif verb == "cut" and host not in self._cut:
            self._cut[host] = self.lab.world.ctx.fabric.separate([host])
        elif host in self._down:
            self.switch_on(host)
        elif verb == "kill":
            for container in self.lab.docker("ps -q", on=host).out.split()[:1]:
                self.lab.docker(f"kill {container}", on=host)
        elif verb != "cut":
            self._down[host] = None
            self.fault(verb, host)

    def fault(self, verb: str, *hosts: str) -> None:
        self.lab.world.run(self.lab.world.fault(verb, list(hosts)))

    def heal(self) -> None:
        for number in self._cut.values():
            self.lab.world.ctx.fabric.rejoin(number)
        self._cut.clear()

    def switch_on(self, host: str) -> None:
        del self._down[host]
        self.fault("power-on", host)

    def faults_end(self) -> None:
        self.heal()
        for host in list(self._down):
            self.switch_on(host)

    def all_run(self) -> bool:
        """Whether the orchestrator has done its work."""
        view = self.lab.view()
        ready = all(each.node.status.state is NodeState.READY for each in view.nodes)
        wanted = self.wanted()
        return ready and len(wanted) == self.replicas and {task.status.state for task in wanted} == {TaskState.RUNNING}

    def wanted(self) -> list[Task]:
        return [task for task in self.lab.tasks() if task.desired_state == TaskState.RUNNING]

    @staticmethod
    def truth(tasks: list[Task], network: str, ingress: bool) -> Shown:
        """From what the managers say of the running tasks."""
        addresses, names, vips = [], dict[str, list[str]](), set()
        for task in tasks:
            (address,) = (bare(each.address) for each in task.networks if each.network_id == network)
            vips |= {bare(each.address) for each in task.virtual_ips if each.network_id == network}
            addresses.append(address)
            assert task.status.container is not None
            names[f"web.{task.slot}.{task.id}"] = names[task.status.container.container_id[:12]] = [address]
        names |= {"web": sorted(vips), "tasks.web": sorted(addresses)}
        return Shown({} if ingress else names, {vip: sorted((address, 1) for address in addresses) for vip in vips})

    def differences(self) -> list[tuple[str, Shown, Shown]]:
        """Hosts that show something else than the truth, on networks they are on."""
        self.lab.wait(self.all_run, within=300.0, step=1.0)
        tasks = self.wanted()
        found = []
        for name, engine in self.lab.world.engines.items():
            for network, sandbox in engine.dataplane.kernel.bindings.sandboxes.items():
                here, truth = shown(sandbox), self.truth(tasks, network, sandbox.ingress)
                if here != truth:
                    found.append((name, here, truth))
        return found


def shown(sandbox: Sandbox) -> Shown:
    balanced = sandbox.load_balancer.services
    ipvs = {
        vip: sorted((each.address, each.weight) for each in balanced[mark].destinations)
        for vip, mark in sandbox.virtual_ips.items()
    }
    return Shown({name: sorted(sandbox.names.find(name)) for name in sandbox.names}, ipvs)


def bare(address: str) -> str:
    return address.partition("/")[0]


@pytest.mark.parametrize("eager", [False, True], ids=["lazy", "eager"])
@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(
        st.tuples(st.sampled_from(VERBS), st.sampled_from(WORKERS), st.sampled_from((0.5, 6.0, 40.0))), max_size=12
    ),
)
def test_once_faults_end_names_and_load_balancers_of_all_hosts_are_as_the_managers_say(eager, seed, events):
    swarm = Swarm(seed, eager)
    for verb, host, pause in events:
        swarm.happens(verb, host)
        swarm.lab.sleep(pause * swarm.rng.random())
    swarm.faults_end()
    swarm.lab.wait(swarm.all_run, within=300.0, step=1.0)
    began = swarm.lab.now
    while differences := swarm.differences():
        assert swarm.lab.now - began < BOUND, differences
        swarm.lab.sleep(5.0)
