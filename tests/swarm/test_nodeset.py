"""Keeping nodes in order chooses what sorting all of them would."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.apitypes.specs import PortConfig
from swarmsim.swarm.manager.scheduler.filters import Pipeline
from swarmsim.swarm.manager.scheduler.nodeset import RING, RING_BITS, NodeSet
from swarmsim.swarm.objects import Availability
from swarmsim.swarm.states import TaskState
from tests.swarm.build import node, task, task_spec

NOW = 1000.0
WANTS = [
    {},
    {"constraints": ["node.labels.rack==a"]},
    {"constraints": ["node.labels.rack!=a"]},
    {"cpus": 2},
    {"max_replicas": 1},
    {"constraints": ["node.labels.rack==b"], "max_replicas": 2},
]
PORT = (PortConfig(protocol="tcp", target_port=80, published_port=80, publish_mode="host"),)


def plain_sort(nodes: NodeSet, wanted, count: int, start: int):
    """The definition: of all nodes that pass, the lowest ranks; equals along the ring from ``start``."""
    pipeline = Pipeline(wanted)
    passing = [info for info in nodes.by_id.values() if pipeline.process(info)]
    passing.sort(key=lambda info: (info.rank(wanted, NOW), (info.position - start) % RING))
    return passing[:count]


events = st.lists(
    st.one_of(
        st.tuples(
            st.just("place"), st.integers(0, 3), st.integers(0, len(WANTS) - 1), st.integers(1, 6), st.booleans()
        ),
        st.tuples(st.just("leave"), st.integers(0, 999)),
        st.tuples(st.just("shut"), st.integers(0, 999)),
        st.tuples(st.just("fail"), st.integers(0, 39), st.integers(0, 3), st.integers(1, 6)),
        st.tuples(st.just("label"), st.integers(0, 39), st.sampled_from("abc")),
        st.tuples(st.just("pause"), st.integers(0, 39), st.booleans()),
        st.tuples(st.just("gone"), st.integers(0, 39)),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(size=st.integers(1, 40), seed=st.integers(0, 99), what=events)
def test_the_kept_order_chooses_what_plain_sorting_chooses(size, seed, what):
    nodes = NodeSet(Random(seed))
    for n in range(size):
        nodes.put(node(f"w{n}", labels={"rack": "abc"[n % 3]}))
    placed, number = [], 0
    for event in what:
        if event[0] == "place":
            _, which, wants, count, port = event
            wanted = task(
                "t", of=f"s{which}", state=TaskState.PENDING, spec=task_spec(**WANTS[wants]), ports=PORT if port else ()
            )
            rng = Random()
            rng.setstate(nodes.rng.getstate())
            start = rng.getrandbits(RING_BITS)
            expected = [info.node.id for info in plain_sort(nodes, wanted, count, start)]
            chosen = nodes.best(wanted, count, Pipeline(wanted), NOW)
            assert [info.node.id for info in chosen] == expected
            for info in chosen:
                number += 1
                new = task(
                    f"t{number}",
                    of=f"s{which}",
                    on=info.node.hostname,
                    spec=task_spec(**WANTS[wants]),
                    ports=wanted.ports,
                )
                info.add(new)
                placed.append((info.node.id, new))
        elif event[0] in ("leave", "shut") and placed:
            id, old = placed[event[1] % len(placed)]
            info = nodes.get(id)
            if info is None:
                continue
            if event[0] == "leave":
                info.remove(old)
            elif old.id in info.tasks:
                info.add(
                    task(old.id, of=old.service_name, on=info.node.hostname, desired=TaskState.SHUTDOWN, spec=old.spec)
                )
        elif event[0] == "fail" and (info := nodes.get(f"id-w{event[1]}")):
            for _ in range(event[3]):
                nodes.failed(info, task("f", of=f"s{event[2]}"), NOW - 1)
        elif event[0] == "label" and event[1] < size:
            nodes.put(node(f"w{event[1]}", labels={"rack": event[2]}))
        elif event[0] == "pause" and event[1] < size:
            nodes.put(node(f"w{event[1]}", availability=Availability.PAUSE if event[2] else Availability.ACTIVE))
        elif event[0] == "gone":
            nodes.drop(f"id-w{event[1]}")
