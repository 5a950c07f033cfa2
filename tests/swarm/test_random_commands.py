"""Laws of any swarm: random service and node commands with faults, everything mended in the end."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, note, settings
from hypothesis import strategies as st

from swarmsim.swarm.constraint import node_matches, parse
from swarmsim.swarm.objects import Node, Service, Task
from swarmsim.swarm.states import TaskState
from tests.conftest import Lab

HOSTS = ("m1", "m2", "m3", "w1", "w2")
NAMES = ("red", "blue")

commands = st.one_of(
    st.tuples(st.just("scale"), st.sampled_from(NAMES), st.integers(0, 6)),
    st.tuples(st.just("image"), st.sampled_from(NAMES), st.sampled_from(("mini:1", "mini:2", "nosuch:1"))),
    st.tuples(st.just("order"), st.sampled_from(NAMES), st.sampled_from(("stop-first --force", "stop-first"))),
    st.tuples(st.just("rollback"), st.sampled_from(NAMES)),
    st.tuples(st.just("availability"), st.sampled_from(HOSTS), st.sampled_from(("active", "pause", "drain"))),
    st.tuples(st.just("label"), st.sampled_from(HOSTS), st.sampled_from(("a", "b"))),
    st.tuples(st.just("constrain"), st.sampled_from(NAMES), st.sampled_from(("add", "rm"))),
    st.tuples(st.just("power-off"), st.sampled_from(HOSTS)),
    st.tuples(st.just("power-on"), st.sampled_from(HOSTS)),
    st.tuples(st.just("kill-engine"), st.sampled_from(HOSTS)),
    st.tuples(st.just("sleep"), st.integers(1, 40)),
)


def line(command: tuple) -> str:
    verb, subject, *rest = command
    return {
        "scale": lambda: f"service scale -d {subject}={rest[0]}",
        "image": lambda: f"service update -d --no-resolve-image --image {rest[0]} {subject}",
        "order": lambda: f"service update -d --update-order {rest[0]} {subject}",
        "rollback": lambda: f"service rollback -d {subject}",
        "availability": lambda: f"node update --availability {rest[0]} {subject}",
        "label": lambda: f"node update --label-add zone={rest[0]} {subject}",
        "constrain": lambda: f"service update -d --constraint-{rest[0]} node.labels.zone!=b {subject}",
    }[verb]()


class Watched:
    """Follows every manager's store and notes what breaks a law the moment it happens."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.broken: list[str] = []
        self._stores: set[int] = set()

    def follow(self) -> None:
        for engine in self.lab.world.engines.values():
            if engine.node is not None and engine.node.manager is not None:
                store = engine.node.manager.raft.store
                if id(store) not in self._stores:
                    self._stores.add(id(store))
                    store.watch(lambda changes, store=store: self._check(store, changes))

    def _check(self, store, changes) -> None:
        for action, obj, old in changes:
            if type(obj) is not Task or action != "update":
                continue
            if obj.status.state < old.status.state or obj.desired_state < old.desired_state:
                self.broken.append(f"{obj.label} went back from {old.status.state} to {obj.status.state}")
            if old.status.state is TaskState.PENDING and obj.status.state is TaskState.ASSIGNED:
                node = store.get(Node, obj.node_id)
                texts = obj.spec.placement.constraints
                if node is not None and texts and not node_matches(parse(texts), node):
                    self.broken.append(f"{obj.label} was assigned to {node.hostname}, which does not fit")

    def slots(self) -> None:
        """At most one task of a slot is meant to run and runs."""
        running = Counter(
            (task.service_id, task.slot)
            for task in self.lab.view().tasks
            if task.status.state is TaskState.RUNNING and task.desired_state is TaskState.RUNNING
        )
        self.broken += [f"slot {slot} runs {count} times" for slot, count in running.items() if count > 1]


@settings(max_examples=100, deadline=None)
@given(commands=st.lists(commands, min_size=3, max_size=12), seed=st.integers(0, 999))
def test_whatever_is_done_services_come_to_what_they_want(commands, seed):
    lab = Lab(seed=seed)
    for number, name in enumerate(NAMES):
        port = f"-p {8080 + number}:80 " if number else ""
        lab.docker(
            f"service create -d --no-resolve-image --name {name} --replicas 3 {port}--update-failure-action continue "
            "--update-parallelism 2 --stop-grace-period 1s mini:1 sleep 1000000000"
        )
    watched = Watched(lab)
    watched.follow()
    lab.sleep(5)
    for command in commands:
        note(str(command))
        if command[0] == "sleep":
            lab.sleep(command[1])
        elif command[0] in ("power-off", "kill-engine"):
            down = [host for host in HOSTS[:3] if not lab.world.engines[host].running]
            if command[1] in HOSTS[:3] and down:
                continue  # keep the quorum: without it nothing is promised
            if lab.world.engines[command[1]].running:
                getattr(lab.world, command[0].replace("-", "_"))(command[1])
        elif command[0] == "power-on":
            lab.world.run(lab.world.power_on(command[1]))
        else:
            host = next(host for host in HOSTS[:3] if lab.world.engines[host].running)
            lab.docker(line(command), on=host, limit=30)
        watched.follow()
    for host in HOSTS:
        lab.world.run(lab.world.power_on(host))
    # A connection to a host that was off is found out when TCP sends again, up to 108 s apart by then; after that a leader
    # may have to be elected anew.
    lab.sleep(180)
    for name in NAMES:
        lab.docker(
            f"service update -d --no-resolve-image --image mini:1 --constraint-rm node.labels.zone!=b {name}",
            limit=30,
        )
    for host in HOSTS:
        lab.docker(f"node update --availability active {host}", limit=30)
    lab.sleep(240)
    watched.slots()
    assert watched.broken == []
    view = lab.view()
    for each in view.services:
        assert view.running(each.spec.name) == each.replicas, [
            (t.label, str(t.status.state), str(t.desired_state), t.status.err)
            for t in view.tasks
            if t.service_id == each.id
        ]
    _no_number_twice(view)


def _no_number_twice(view) -> None:
    """No address and no published port belongs to two."""
    alive = [task for task in view.tasks if task.status.state <= TaskState.RUNNING]
    addresses = [each.address for task in alive for each in task.networks]
    addresses += [vip.address for service in view.services for vip in service.virtual_ips]
    assert [address for address, count in Counter(addresses).items() if count > 1] == []
    ports = Counter((port.protocol, port.published_port) for service in view.services for port in service.ports)
    assert [port for port, count in ports.items() if count > 1] == []
    assert all(isinstance(service, Service) for service in view.services)
