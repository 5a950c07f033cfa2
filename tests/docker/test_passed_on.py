"""Values that the client passes on and the engine refuses: the words are those of real engines (20.10.24)."""

from __future__ import annotations

import pytest

from tests.conftest import Lab

CREATE = "service create -d --no-resolve-image"
REFUSED = [
    ("m1", f"{CREATE} --endpoint-mode foo mini:1", 'invalid resolution mode: "foo"'),
    ("m1", f"{CREATE} --endpoint-mode foo -p 80:80 mini:1", 'invalid resolution mode: "foo"'),
    ("m1", f"{CREATE} --mount type=foo,dst=/x mini:1", 'invalid MountType: "foo"'),
    ("m1", f"{CREATE} --update-order foo mini:1", "unrecognized update order foo"),
    ("m1", f"{CREATE} --restart-condition foo mini:1", 'invalid RestartCondition: "foo"'),
    ("m1", f"{CREATE} Mini:1", 'rpc error: code = InvalidArgument desc = ContainerSpec: "Mini:1" is not a valid repository/tag'),
    ("m1", "service create -d Mini:1", 'rpc error: code = InvalidArgument desc = ContainerSpec: "Mini:1" is not a valid repository/tag'),
    ("m1", f"{CREATE} --network none mini:1", "network none not found"),
    ("m1", "node update --availability foo w1", 'invalid Availability: "foo"'),
    ("m1", "node update --role foo w1", 'invalid Role: "foo"'),
    ("m1", "volume create -d nope v9", 'create v9: error looking up volume plugin nope: plugin "nope" not found'),
    ("m1", "network create -d nope n9", 'plugin "nope" not found'),
    ("w1", "network create -d overlay n9", "Cannot create a multi-host network from a worker node. Please create the network from a manager node."),
    ("w1", "network create -d overlay --attachable n9", "Cannot create a multi-host network from a worker node. Please create the network from a manager node."),
    ("m1", "network create -d host n12", 'only one instance of "host" network is allowed'),
    ("m1", "swarm update --cert-expiry 1s", "rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s"),
    ("m1", "swarm update --dispatcher-heartbeat -5s", "rpc error: code = InvalidArgument desc = heartbeat time period cannot be a negative duration"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Lab:
    return Lab(managers=1, workers=1)


@pytest.mark.parametrize(("host", "line", "words"), REFUSED)
def test_it_is_refused_in_the_words_of_the_engine(shared, host, line, words):
    result = shared.docker(line, on=host)
    assert result.code == 1
    assert result.err.splitlines()[-1] == f"Error response from daemon: {words}"


def test_a_plugin_is_looked_for_fifteen_seconds(shared):
    begun = shared.now
    shared.docker("volume create -d nope v9")
    assert 15.0 <= shared.now - begun < 16.0


@pytest.mark.parametrize("flags", ["--mount type=volume,src=zz,dst=/z,volume-driver=nope", "--log-driver nope"])
def test_no_node_has_a_plugin_that_does_not_exist(shared, flags):
    shared.docker(f"{CREATE} --name {len(flags)} {flags} mini:1 sleep 100")
    shared.sleep(3)
    assert "no suitable node (missing plugin on 2 nodes)" in shared.docker(f"service ps --no-trunc {len(flags)}").out


def test_the_task_of_a_job_has_a_slot_or_a_node(shared):
    shared.docker(f"{CREATE} --name job --mode replicated-job --replicas 3 mini:1 true")
    shared.docker(f"{CREATE} --name gjob --mode global-job mini:1 true")
    shared.sleep(15)
    names = shared.docker("service ps job --format '{{.Name}}'").out.splitlines()
    nodes = shared.docker("node ls -q").out.split()
    # The first slot is 0, which the client takes for none.
    assert sorted(names)[:2] == ["job.1", "job.2"]
    assert names[2].removeprefix("job.") in nodes
    assert {
        name.removeprefix("gjob.") for name in shared.docker("service ps gjob --format '{{.Name}}'").out.split()
    } == set(nodes)
