"""Laws of trust: whatever is rotated, joined, left, switched off, promoted, locked, or told the wrong time, in any order.

At every moment members whose clocks are right and who trust what the cluster trusts take each other's certificates, and nobody takes a stranger's.
Once all hosts are on, unlocked, and know the time, there is one root: all trust it, it signed all certificates, and each is for its node's role.
"""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, note, settings
from hypothesis import strategies as st

from swarmsim.sim.net.tls import handshake
from swarmsim.swarm.objects import NodeState
from tests.conftest import Lab

MANAGERS, WORKERS = ("m1", "m2", "m3"), ("w1", "w2")
HOSTS = (*MANAGERS, *WORKERS)
STEADY = "m1"
"""Stays a manager, so that there is one to type on and to join through."""

anybody, others = st.sampled_from(HOSTS), st.sampled_from([host for host in HOSTS if host != STEADY])
steps = st.one_of(
    st.tuples(st.just("rotate")),
    st.tuples(st.just("lock"), st.booleans()),
    st.tuples(st.just("leave"), others),
    st.tuples(st.just("join"), others),
    st.tuples(st.just("promote"), others),
    st.tuples(st.just("demote"), others),
    st.tuples(st.just("off"), anybody),
    st.tuples(st.just("on"), anybody),
    st.tuples(st.just("clock"), anybody, st.sampled_from((-7200.0, 0.0, 100 * 86_400.0))),
    st.tuples(st.just("sleep"), st.sampled_from((0.5, 3.0, 20.0, 3600.0, 50 * 86_400.0))),
)


class Swarm:
    """A lab, and what somebody who types on it knows: unlock keys, and whose clock is wrong."""

    def __init__(self) -> None:
        self.lab = Lab(managers=len(MANAGERS), workers=len(WORKERS))
        self.keys: dict[str, None] = {}
        self.wrong: set[str] = set()

    def node(self, host):
        return self.lab.world.engines[host].node

    def fault(self, verb, argument):
        self.lab.world.run(self.lab.world.fault(verb, argument))

    def docker(self, line, on=STEADY, stdin=""):
        return self.lab.world.run(self.lab.world.docker(on, line, limit=60.0, stdin=stdin))

    def do(self, verb, *given):
        getattr(self, verb)(*given)

    def rotate(self):
        self.docker("swarm ca --rotate -d")

    def lock(self, on):
        self.docker(f"swarm update --autolock={str(on).lower()}")
        self.learn_key()

    def learn_key(self):
        shown = self.docker("swarm unlock-key -q")
        if shown.code == 0 and shown.out.strip():
            self.keys[shown.out.strip()] = None

    def unlock(self, host):
        for key in self.keys:
            if self.docker("swarm unlock", on=host, stdin=f"{key}\n").code == 0:
                return

    def leave(self, host):
        """Only workers: one after the other, forced managers would take the quorum with them."""
        self.docker("swarm leave", on=host)

    def join(self, host):
        if self.node(host) is not None:
            return
        token = self.docker("swarm join-token -q worker").out.strip()
        if token:
            self.docker(f"swarm join --token {token} {STEADY}:2377", on=host)

    def promote(self, host):
        self.docker(f"node promote {host}")

    def demote(self, host):
        self.docker(f"node demote {host}")

    def off(self, host):
        self.fault("power-off", [host])

    def on(self, host):
        self.fault("power-on", [host])
        self.lab.sleep(3.0)

    def clock(self, host, by):
        self.fault("clock", (host, by, 0.0))
        (self.wrong.add if by else self.wrong.discard)(host)

    def sleep(self, seconds):
        self.lab.sleep(seconds)

    # -- what must be so

    def members(self):
        """Nodes that run, by host."""
        nodes = {host: self.node(host) for host in HOSTS if self.lab.world.engines[host].running}
        return {
            host: node for host, node in nodes.items() if node is not None and not node.error and node.agent is not None
        }

    def check(self):
        cluster = self.cluster()
        if cluster is None:
            return
        now = {
            host: node.disk.security
            for host, node in self.members().items()
            if host not in self.wrong and node.certificate.not_before <= self.lab.now <= node.certificate.not_after
        }
        told = {host: security for host, security in now.items() if security.root == cluster.root}
        for (one, mine), (other, theirs) in permutations(told.items(), 2):
            assert handshake(mine, theirs) is None, f"{one} and {other}: {handshake(mine, theirs)}"

    def cluster(self):
        """As the manager that knows most has it; ``None`` if none runs."""
        stores = [node.manager.raft.store for node in self.members().values() if node.manager is not None]
        found = [store.cluster for store in stores if store.cluster is not None]
        return max(found, key=lambda cluster: cluster.meta.version, default=None)

    # -- the end of all trouble

    def settle(self):
        for host in HOSTS:
            self.clock(host, 0.0)
        for host in HOSTS:
            self.on(host)
        for host in HOSTS:
            self.unlock(host)
        self.lab.sleep(60.0)
        for host in HOSTS:
            self.join(host)
        self.lab.sleep(60.0)

    def remove_what_is_left_behind(self):
        """Entries of nodes that left or were removed are down for ever."""
        here = {node.certificate.node_id for node in self.members().values()}
        for view in self.lab.view().nodes:
            if view.node.id not in here:
                assert view.node.status.state is not NodeState.READY
                self.docker(f"node rm --force {view.node.id}")


@settings(max_examples=40)
@given(st.lists(steps, max_size=9))
def test_nobody_who_should_be_trusted_is_refused_and_the_cluster_converges(taken):
    swarm = Swarm()
    for step in taken:
        note(step)
        swarm.do(*step)
        swarm.check()
    swarm.settle()
    swarm.check()
    swarm.remove_what_is_left_behind()
    swarm.sleep(60.0)
    cluster = swarm.cluster()
    assert cluster.next_root is None
    shown = {view.node.id: view.node for view in swarm.lab.view().nodes}
    assert len(shown) == len(HOSTS)
    for host, node in swarm.members().items():
        listed, security = shown[node.certificate.node_id], node.disk.security
        assert security.root == cluster.root, f"{host} trusts another root"
        assert security.certificate.issuer == cluster.root, f"{host}'s certificate is of another root"
        assert security.certificate.role is listed.spec.role, f"{host} is no {listed.spec.role}"
        assert listed.status.state is NodeState.READY
