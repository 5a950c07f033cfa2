"""The life of certificates in a swarm: renewed in time, of another role when promoted, of another root when that is rotated."""

from __future__ import annotations

import hashlib

import pytest
from scipy.stats import kstest

from swarmsim.sim.net.channel import ask_once
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.streams import base36
from swarmsim.swarm.api.ca import (
    GET_ROOT_CA_CERTIFICATE,
    ISSUE_NODE_CERTIFICATE,
    GetRootCACertificateRequest,
    IssueNodeCertificateRequest,
)
from swarmsim.swarm.api.control import LIST_NODES, ListNodesRequest
from tests.conftest import Lab

DAY, HOUR = 86_400.0, 3600.0


def certificate(lab, host):
    return lab.world.engines[host].node.certificate


def serials(lab):
    return {host: certificate(lab, host).serial for host in lab.world.engines}


def rotating(lab):
    return lab.docker("info --format '{{json .Swarm.Cluster.RootRotationInProgress}}'").out.strip() == "true"


def root_digest(lab):
    pem = lab.docker("swarm ca").out
    return base36(int.from_bytes(hashlib.sha256(pem.encode()).digest(), "big"), 50)


def trusted(lab):
    """The roots that nodes trust and the issuers of their certificates, as far as they differ."""
    nodes = [engine.node for engine in lab.world.engines.values() if engine.node is not None]
    return {node.disk.security.root for node in nodes}, {node.certificate.issuer for node in nodes}


# -- renewal


def test_every_node_renews_its_certificate_between_half_and_four_fifths_of_its_life(lab):
    before = serials(lab)
    lab.sleep(44.9 * DAY)
    assert serials(lab) == before
    lab.sleep(27.2 * DAY)
    after = serials(lab)
    assert all(after[host] != before[host] for host in before)


def test_renewals_of_many_nodes_are_spread_evenly_over_the_window():
    lab = Lab(managers=3, workers=97)
    lab.sleep(73 * DAY)
    # Issued an hour before what the certificate says.
    ages = [certificate(lab, host).not_before + HOUR for host in lab.world.engines]
    assert kstest(ages, "uniform", args=(44.98 * DAY, 27.01 * DAY)).pvalue > 0.01


def test_a_shorter_expiry_holds_only_from_the_next_root_on(lab):
    """As a real engine has it (tests/records/asked/authorities.txt): who joins after `swarm update --cert-expiry 1h` gets 90 days."""
    before = serials(lab)
    assert lab.docker("swarm update --cert-expiry 1h").out == "Swarm updated.\n"
    lab.docker("swarm leave", on="w2")
    token = lab.docker("swarm join-token -q worker").out.strip()
    lab.docker(f"swarm join --token {token} m1:2377", on="w2")
    joined = certificate(lab, "w2")
    assert joined.not_after - joined.not_before == 90 * DAY + HOUR
    lab.sleep(15.0)
    del before["w2"]
    assert serials(lab).items() >= before.items()
    lab.docker("node rm " + lab.docker("node ls --format '{{.ID}} {{.Status}}'").out.partition(" Down")[0].split()[-1])
    assert lab.docker("swarm ca --rotate -q").code == 0
    now = certificate(lab, "w1")
    assert now.not_after - now.not_before == 2 * HOUR
    lab.sleep(2 * DAY)
    assert certificate(lab, "w1").not_after > lab.now


def test_without_quorum_nothing_is_renewed_and_with_it_again(lab):
    lab.docker("swarm update --cert-expiry 3h")
    lab.docker("swarm ca --rotate -q")
    for host in ("m2", "m3"):
        lab.world.run(lab.world.fault("power-off", [host]))
    before = certificate(lab, "w1")
    lab.sleep(2.1 * HOUR)
    assert certificate(lab, "w1") == before
    for host in ("m2", "m3"):
        lab.world.run(lab.world.fault("power-on", [host]))
    lab.wait(lambda: certificate(lab, "w1") != before, within=0.2 * HOUR, step=10.0)
    assert certificate(lab, "w1").not_after > lab.now + 2.9 * HOUR


def test_a_promoted_node_gets_a_manager_s_certificate_and_a_demoted_one_a_worker_s(lab):
    lab.docker("node promote w1")
    lab.wait(lambda: certificate(lab, "w1").role == "manager", within=5.0)
    lab.wait(lambda: "w1" in lab.docker("node ls --filter role=manager").out, within=30.0)
    lab.docker("node demote w1")
    lab.wait(lambda: certificate(lab, "w1").role == "worker", within=30.0)


def test_a_new_leader_signs_for_as_long_as_the_cluster_says_by_then(lab):
    lab.docker("swarm update --cert-expiry 1h")
    lab.world.run(lab.world.fault("kill-engine", ["m1"]))
    lab.wait(lambda: lab.leader() not in (None, "m1"), within=30.0)
    lab.sleep(20.0)
    leader = lab.leader()
    lab.docker("node promote w1", on=leader)
    lab.wait(lambda: certificate(lab, "w1").role == "manager", within=10.0)
    now = certificate(lab, "w1")
    assert now.not_after - now.not_before == 2 * HOUR


# -- rotation


def test_a_rotation_takes_one_round_and_makes_new_tokens(lab):
    before, tokens = serials(lab), lab.docker("swarm join-token -q worker").out
    started = lab.now
    result = lab.docker("swarm ca --rotate")
    assert 3.0 < lab.now - started < 3.8  # recorded: 3.48, 3.49, 3.52 s
    assert result.out.endswith(lab.docker("swarm ca").out)
    assert all(serials(lab)[host] != before[host] for host in before)
    roots, issuers = trusted(lab)
    assert roots == issuers
    assert len(roots) == 1
    token = lab.docker("swarm join-token -q worker").out
    assert token != tokens
    assert token.split("-")[2] == root_digest(lab)


def test_until_the_end_the_old_root_is_trusted_and_the_old_token_holds(lab):
    token = lab.docker("swarm join-token -q worker").out
    old = root_digest(lab)
    lab.docker("swarm ca --rotate -d")
    lab.sleep(2.0)
    assert rotating(lab)
    assert lab.docker("swarm join-token -q worker").out == token
    roots, issuers = trusted(lab)
    assert {root.digest for root in roots} == {old}
    assert roots.isdisjoint(issuers)
    assert all(certificate(lab, host).through in roots for host in lab.world.engines)


@pytest.mark.parametrize(
    ("nodes", "rounds"), [(5, 1), (30, 1), (31, 2), (100, 4), pytest.param(1000, 34, marks=pytest.mark.slow)]
)
def test_thirty_nodes_are_told_a_round(nodes, rounds):
    lab = Lab(managers=3, workers=nodes - 3)
    started = lab.now
    lab.docker("swarm ca --rotate -q")
    assert 3.0 * rounds < lab.now - started < 3.0 * rounds + 1.0


def test_a_node_that_is_down_is_waited_for_until_it_returns(lab):
    lab.world.run(lab.world.fault("power-off", ["w2"]))
    lab.sleep(30.0)
    lab.docker("swarm ca --rotate -d")
    lab.sleep(600.0)
    assert rotating(lab)
    lab.world.run(lab.world.fault("power-on", ["w2"]))
    lab.wait(lambda: not rotating(lab), within=60.0)
    roots, issuers = trusted(lab)
    assert roots == issuers


def test_the_entry_of_a_node_that_left_is_waited_for_until_it_is_removed(lab):
    # As in the record pki, whose rotations never end.
    lab.docker("swarm leave", on="w2")
    lab.sleep(30.0)
    lab.docker("swarm ca --rotate -d")
    lab.sleep(120.0)
    assert rotating(lab)
    lab.docker("node rm w2")
    lab.wait(lambda: not rotating(lab), within=4.0)


def test_another_rotation_takes_the_place_of_the_one_under_way(lab):
    lab.docker("swarm ca --rotate -d")
    lab.sleep(1.0)
    halfway = {certificate(lab, host).issuer for host in lab.world.engines}
    lab.docker("swarm ca --rotate -q")
    assert not rotating(lab)
    roots, issuers = trusted(lab)
    assert roots == issuers
    assert halfway.isdisjoint(issuers)


def test_a_new_leader_ends_a_rotation(lab):
    leader = lab.leader()
    lab.docker("swarm ca --rotate -d", on=leader)
    lab.sleep(0.3)
    lab.world.run(lab.world.fault("kill-engine", [leader]))
    lab.sleep(5.0)
    lab.world.run(lab.world.fault("start-engine", [leader]))
    other = next(host for host in ("m1", "m2", "m3") if host != leader)
    inspect = "info --format '{{json .Swarm.Cluster.RootRotationInProgress}}'"
    lab.wait(lambda: lab.docker(inspect, on=other).out.strip() == "false", within=120.0, step=1.0)
    roots, issuers = trusted(lab)
    assert roots == issuers


def test_whoever_joins_during_a_rotation_is_told_the_new_root_at_its_end():
    lab = Lab(managers=1, workers=1)
    lab.docker("swarm leave", on="w1")
    lab.sleep(30.0)
    lab.docker("swarm ca --rotate -d")
    lab.sleep(5.0)
    token = lab.docker("swarm join-token -q worker").out.strip()
    assert lab.docker(f"swarm join --token {token} m1:2377", on="w1").code == 0
    down = lab.docker("node ls --filter membership=accepted --format '{{.ID}} {{.Status}}'").out
    lab.docker("node rm " + next(line.split()[0] for line in down.splitlines() if line.endswith("Down")))
    lab.wait(lambda: not rotating(lab), within=10.0)
    lab.sleep(1.0)
    roots, issuers = trusted(lab)
    assert roots == issuers


# -- who may ask for what


def ask(lab, host, method, request):
    """What a process on ``host`` gets for asking m1's manager, with the certificate of its node."""
    process = lab.world.engines[host].process
    return lab.world.run(ask_once(process, f"{lab.world.hosts['m1'].address}:2377", method, request, 5.0))


def test_a_worker_s_certificate_does_not_open_what_is_the_managers(lab):
    with pytest.raises(RpcError, match=r"Permission denied: remote certificate not part of OUs: \[swarm-manager\]"):
        ask(lab, "w1", LIST_NODES, ListNodesRequest())
    assert len(ask(lab, "m2", LIST_NODES, ListNodesRequest()).nodes) == 5


def test_without_a_certificate_one_may_only_ask_for_one(lab):
    lab.docker("swarm leave", on="w2")
    assert ask(lab, "w2", GET_ROOT_CA_CERTIFICATE, GetRootCACertificateRequest()).root.digest == root_digest(lab)
    with pytest.raises(
        RpcError,
        match="Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = no client certificates in request",
    ):
        ask(lab, "w2", LIST_NODES, ListNodesRequest())


def test_a_removed_node_is_refused_with_the_certificate_it_still_has(lab):
    node = certificate(lab, "w1").node_id
    assert lab.docker("node rm --force w1").code == 0
    failed = []
    lab.world.subscribe(failed.append, only=frozenset({"session.failed"}))
    lab.sleep(60.0)
    refusal = (
        "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = "
        f"Permission denied: node {node} was removed from swarm"
    )
    assert failed
    assert {row["reason"] for row in failed[1:]} == {refusal}
    request = IssueNodeCertificateRequest(shown=certificate(lab, "w1"))
    with pytest.raises(RpcError, match="A valid join token is necessary to join this cluster"):
        ask(lab, "w1", ISSUE_NODE_CERTIFICATE, request)
    assert "w1" not in lab.docker("node ls").out
    # As another node it is welcome.
    lab.docker("swarm leave", on="w1")
    token = lab.docker("swarm join-token -q worker").out.strip()
    assert lab.docker(f"swarm join --token {token} m1:2377", on="w1").code == 0
    assert lab.status("w1") == "ready"


def test_a_removed_node_is_forgotten_a_week_after_its_certificate_expired_when_the_cluster_is_changed(lab):
    node, until = certificate(lab, "w1").node_id, certificate(lab, "w1").not_after
    lab.docker("node rm --force w1")
    lab.docker("swarm leave", on="w1")
    store = lab.world.engines["m1"].node.manager.raft.store
    assert store.cluster.removed == {node: until}
    lab.sleep(until + 6.9 * DAY - lab.now)
    lab.docker("swarm update --task-history-limit 4")
    assert node in store.cluster.removed
    lab.sleep(0.2 * DAY)
    assert node in store.cluster.removed
    lab.docker("swarm update --task-history-limit 5")
    assert node not in store.cluster.removed


# -- tokens

DIGEST, SECRET = "0" * 50, "z" * 25
NO_TOKEN = "invalid join token"


@pytest.mark.parametrize(
    ("token", "seconds", "says"),
    [
        ("SWMTKN-1-bad", 0, NO_TOKEN),
        ("''", 0, NO_TOKEN),
        (f"SWMTKN-3-{DIGEST}-{SECRET}", 0, NO_TOKEN),
        (f"SWMTKN-1-{DIGEST}-{SECRET}x", 0, NO_TOKEN),
        (f"SWMTKN-1-{DIGEST[1:]}!-{SECRET}", 0, NO_TOKEN),
        (f"SWMTKN-1-{DIGEST}-{SECRET}-x", 0, NO_TOKEN),
        (f"SWMTKN-2-1-{DIGEST}-{SECRET}", 0, "node is not FIPS-enabled but cluster requires FIPS"),
        (f"SWMTKN-1-{DIGEST}-{SECRET}", 10, f"remote CA does not match fingerprint. Expected: {'0' * 64}"),
        (f"SWMTKN-2-0-{DIGEST}-{SECRET}", 10, f"remote CA does not match fingerprint. Expected: {'0' * 64}"),
        (
            "SWMTKN-1-{digest}-" + SECRET,
            10,
            "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster",
        ),
    ],
)
def test_what_a_token_that_does_not_hold_is_told_and_when(lab, token, seconds, says):
    lab.docker("swarm leave", on="w2")
    before = lab.now
    result = lab.docker(f"swarm join --token {token.format(digest=root_digest(lab))} m1:2377", on="w2")
    assert (result.code, result.err) == (1, f"Error response from daemon: {says}\n")
    assert seconds <= lab.now - before < seconds + 0.5


# -- expiry


def test_whoever_is_off_for_longer_than_its_certificate_lives_is_out(lab):
    # Words and states as recorded (real-swarm/mesh, m).
    lab.docker("swarm update --cert-expiry 1h")
    lab.docker("swarm ca --rotate -q")
    node, ended = certificate(lab, "w2").node_id, certificate(lab, "w2").not_after
    lab.world.run(lab.world.fault("power-off", ["w2"]))
    lab.sleep(2 * HOUR)
    assert lab.now > ended
    lab.world.run(lab.world.fault("power-on", ["w2"]))
    lab.sleep(30.0)
    state = lab.docker("info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}} {{.Swarm.Error}}'", on="w2").out
    assert state.startswith(
        "error  error while loading TLS certificate in /var/lib/docker/swarm/certificates/swarm-node.crt: "
        f"certificate (1 - {node}) not valid after Thu, 01 Jan 2026"
    )
    refusal = lab.docker("node ls", on="w2").err
    assert refusal == (
        'Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
        "to connect this node to swarm and try again.\n"
    )
    assert lab.status("w2") == "down"
    # The way out: leave, and join again.
    assert lab.docker("swarm leave", on="w2").out == "Node left the swarm.\n"
    token = lab.docker("swarm join-token -q worker").out.strip()
    assert lab.docker(f"swarm join --token {token} m1:2377", on="w2").code == 0


def test_whoever_is_cut_off_for_longer_than_its_certificate_lives_is_refused_when_it_returns(lab):
    lab.docker("swarm update --cert-expiry 1h")
    lab.docker("swarm ca --rotate -q")
    lab.world.run(lab.world.fault("partition", [["w2"], ["m1", "m2", "m3", "w1"]]))
    lab.sleep(2 * HOUR)
    lab.world.run(lab.world.fault("heal", []))
    lab.sleep(2 * HOUR)
    assert certificate(lab, "w2").not_after < lab.now
    assert lab.status("w2") == "down"


def test_a_running_connection_outlives_the_certificates_it_was_made_with(lab):
    before = certificate(lab, "w1")
    lab.sleep(91 * DAY)
    assert before.not_after < lab.now
    assert lab.status("w1") == "ready"


def test_all_off_over_the_holidays_none_comes_back(lab):
    # moby#24132, #42660
    lab.docker("swarm update --cert-expiry 1h")
    lab.docker("swarm ca --rotate -q")
    hosts = list(lab.world.engines)
    lab.world.run(lab.world.fault("power-off", hosts))
    lab.sleep(3 * HOUR)
    lab.world.run(lab.world.fault("power-on", hosts))
    lab.sleep(60.0)
    for host in hosts:
        assert lab.docker("info --format '{{.Swarm.LocalNodeState}}'", on=host).out == "error\n"
