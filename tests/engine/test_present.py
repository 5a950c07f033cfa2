"""What the store has, as the API shows it."""

from __future__ import annotations

from swarmsim.apitypes.base import as_json
from swarmsim.apitypes.specs import DiscreteResource, GenericResource, NamedResource
from swarmsim.engine import present, presentlocal
from swarmsim.swarm.api.control import NodeView
from swarmsim.swarm.objects import Network, NetworkSpec, Node, NodeDescription, NodeSpec, Pool, Role


def a_node(**more) -> Node:
    return Node(id="n1", spec=NodeSpec(labels={"b": "2", "a": "1"}), role=Role.WORKER, **more)


def test_a_node_shows_the_generic_resources_it_offers():
    generic = (
        GenericResource(discrete=DiscreteResource(kind="ssd", value=2)),
        GenericResource(named=NamedResource(kind="gpu", value="g1")),
    )
    description = NodeDescription("w1", 2 * 10**9, 4 * 2**30, "20.10.24", generic=generic)
    shown = as_json(present.node(NodeView(a_node(description=description), None)))
    assert shown["Description"]["Resources"] == {
        "NanoCPUs": 2 * 10**9,
        "MemoryBytes": 4 * 2**30,
        "GenericResources": [
            {"DiscreteResourceSpec": {"Kind": "ssd", "Value": 2}},
            {"NamedResourceSpec": {"Kind": "gpu", "Value": "g1"}},
        ],
    }
    assert list(shown["Spec"]["Labels"]) == ["a", "b"]  # as Go writes a map


def test_a_node_that_was_never_there_is_described_by_zeros():
    shown = as_json(present.node(NodeView(a_node(), None)))
    assert shown["Description"] == {"Platform": {}, "Resources": {}, "Engine": {}, "TLSInfo": {}}
    assert shown["Status"] == {"State": "unknown"}


def test_a_network_without_a_subnet_yet_has_neither_driver_nor_pools():
    shown = as_json(presentlocal.network(Network(id="x", spec=NetworkSpec(name="back"))))
    assert (shown["Driver"], shown["IPAM"], shown["Options"]) == (
        "",
        {"Driver": "", "Options": None, "Config": None},
        None,
    )
    given = as_json(
        presentlocal.network(Network(id="x", spec=NetworkSpec(name="back"), pools=(Pool("10.0.1.0/24", "10.0.1.1"),)))
    )
    assert given["IPAM"]["Config"] == [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]
