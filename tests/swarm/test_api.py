"""Messages between nodes: every method is in a table, typed, and says whose certificate may call it."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import swarmsim.swarm.api
from swarmsim.sim.method import Method, StreamMethod
from swarmsim.swarm.api.roles import ANYONE, MANAGERS, NODES

SERVICES = {
    "CA": ANYONE,
    "NodeCA": ANYONE,
    "Control": MANAGERS,
    "Dispatcher": NODES,
    "Health": MANAGERS,
    "Logs": MANAGERS,
    "Raft": MANAGERS,
    "RaftMembership": MANAGERS,
    "ResourceAllocator": NODES,
}
"""SwarmKit's services and the tls_authorization of the methods that are modelled, alike in each service but for :data:`OTHERWISE`."""
OTHERWISE = {"CA/GetUnlockKey": MANAGERS}


def methods():
    for file in pkgutil.iter_modules(swarmsim.swarm.api.__path__):
        module = importlib.import_module(f"swarmsim.swarm.api.{file.name}")
        yield from (value for value in vars(module).values() if isinstance(value, Method | StreamMethod))


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_a_method_is_named_and_guarded_as_in_swarmkit(method):
    package, _, rest = method.name.rpartition(".")
    service, _, call = rest.partition("/")
    assert package == "docker.swarmkit.v1"
    assert call[0].isupper()
    assert method.roles == OTHERWISE.get(rest, SERVICES[service])


def test_no_two_methods_have_one_name():
    names = [method.name for method in methods()]
    assert len(names) == len(set(names))
