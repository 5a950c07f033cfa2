"""Hosts whose time of day is wrong: certificates are judged by it at handshakes and when an engine starts, and what is written is stamped with it.

Words, states and delays are those of the record real-swarm/mesh, m (engines 20.10.24).
"""

from __future__ import annotations

import re

import pytest

from swarmsim.replay.chinese import chinese
from swarmsim.scenario.faults import in_words
from swarmsim.swarm.ca.certificates import until_renewal
from tests.conftest import Lab

HOUR = 3600.0
NOT_A_MANAGER = (
    'Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
    "to connect this node to swarm and try again.\n"
)


def set_clock(lab, host, by=0.0, drift=0.0):
    lab.world.run(lab.world.fault("clock", (host, by, drift)))


def restart(lab, *hosts):
    for verb in ("stop-engine", "start-engine"):
        lab.world.run(lab.world.fault(verb, list(hosts)))


def short_lived(lab):
    """Certificates of an hour, everywhere."""
    lab.docker("swarm update --cert-expiry 1h")
    assert lab.docker("swarm ca --rotate -q").code == 0


def state(lab, host):
    return lab.docker("info --format '{{.Swarm.LocalNodeState}}'", on=host).out.strip()


def error(lab, host):
    return lab.docker("info --format '{{.Swarm.Error}}'", on=host).out.strip()


# -- a node with a wrong clock


def test_a_running_node_does_not_mind(lab):
    short_lived(lab)
    set_clock(lab, "w2", 2 * HOUR)
    lab.sleep(30.0)
    assert lab.status("w2") == "ready"
    assert state(lab, "w2") == "active"


def test_a_restarted_engine_does_not_load_a_certificate_that_seems_expired(lab):
    short_lived(lab)
    set_clock(lab, "w2", 2 * HOUR)
    restart(lab, "w2")
    assert state(lab, "w2") == "error"
    assert re.fullmatch(
        r"error while loading TLS certificate in /var/lib/docker/swarm/certificates/swarm-node\.crt: certificate "
        r"\(1 - \w{25}\) not valid after Thu, 01 Jan 2026 10:0\d:00 UTC, and it is currently Thu, 01 Jan 2026 11:0\d:\d\d UTC: "
        r"x509: certificate has expired or is not yet valid:",
        error(lab, "w2"),
    )
    assert lab.docker("node ls", on="w2").err == NOT_A_MANAGER
    lab.wait(lambda: lab.status("w2") == "down", within=20.0)
    # Setting the clock right is not enough: the engine has to be restarted.
    set_clock(lab, "w2")
    lab.sleep(25.0)
    assert state(lab, "w2") == "error"
    restart(lab, "w2")
    lab.wait(lambda: lab.status("w2") == "ready", within=10.0)


def test_a_restarted_engine_whose_clock_is_behind_finds_even_the_root_not_valid_yet(lab):
    set_clock(lab, "w2", -2 * HOUR)
    restart(lab, "w2")
    assert re.fullmatch(
        r"error while validating Root CA Certificate: x509: certificate has expired or is not yet valid: "
        r"current time 2026-01-01T07:00:\d\dZ is before 2026-01-01T08:55:00Z",
        error(lab, "w2"),
    )


def test_a_lone_manager_with_a_wrong_clock_goes_on_until_it_is_restarted():
    lab = Lab(managers=1, workers=2)
    short_lived(lab)
    set_clock(lab, "m1", 2 * HOUR)
    lab.sleep(30.0)
    assert lab.docker("node ls --format '{{.Status}}'").out.split() == ["Ready"] * 3
    restart(lab, "m1")
    assert lab.docker("node ls").err == NOT_A_MANAGER
    set_clock(lab, "m1")
    restart(lab, "m1")
    lab.wait(lambda: "Ready" in lab.docker("node ls --filter name=w2 --format '{{.Status}}'").out, within=30.0)


def test_peers_refuse_whom_their_clock_finds_expired(lab):
    """A manager ahead by two hours refuses at handshakes what all others accept."""
    short_lived(lab)
    set_clock(lab, "m1", 2 * HOUR)
    lab.world.run(lab.world.fault("kill-engine", ["w1"]))
    lab.world.run(lab.world.fault("start-engine", ["w1"]))
    lab.wait(
        lambda: lab.docker("node ls --filter name=w1 --format '{{.Status}}'", on="m2").out == "Ready\n", within=60.0
    )
    sockets = [s for s in lab.world.engines["w1"].host.sockets if s.peer.host.name == "m1" and s.application]
    assert not sockets


def test_a_clock_that_drifts_renews_too_early(lab):
    """A percent in 90 days is most of a day."""
    set_clock(lab, "w1", drift=10_000e-6)
    lab.sleep(10 * 86_400.0)
    node = lab.world.engines["w1"].node
    assert node.wall.now - lab.now == pytest.approx(8640.0)
    assert until_renewal(node.certificate, node.wall.now, node._rng) < until_renewal(node.certificate, 0.0, node._rng)


# -- joining


@pytest.mark.parametrize("behind", [48 * HOUR, 2 * HOUR, HOUR / 2], ids=["2 d", "2 h", "30 min"])
def test_who_joins_too_early_is_told_after_ten_seconds_that_the_root_is_not_valid_yet(lab, behind):
    refusal = join_with(lab, -behind)
    assert re.fullmatch(
        r"Error response from daemon: error while validating Root CA Certificate: x509: certificate has expired or is "
        r"not yet valid: current time \S+Z is before 2026-01-01T08:55:00Z\n",
        refusal,
    )


def test_who_joins_too_late_is_told_after_ten_seconds_that_the_manager_s_certificate_has_expired(lab):
    short_lived(lab)
    assert re.fullmatch(
        r'Error response from daemon: rpc error: code = Unavailable desc = connection error: desc = "transport: '
        r"authentication handshake failed: x509: certificate has expired or is not yet valid: current time "
        r'2026-01-01T11:0\d:\d\dZ is after 2026-01-01T10:0\d:00Z"\n',
        join_with(lab, 2 * HOUR),
    )


def test_with_an_old_root_who_joins_too_early_gets_a_certificate_that_is_not_valid_yet(lab):
    """Not in the record; ca/certificates.go RequestAndSaveNewCertificates: what was issued is validated once, without another try."""
    lab.sleep(3 * 86_400.0)
    assert re.fullmatch(
        r"Error response from daemon: certificate \(1 - \w{25}\) not valid before Sun, 04 Jan 2026 08:0\d:00 UTC, and it is currently "
        r"Sun, 04 Jan 2026 07:0\d:\d\d UTC: x509: certificate has expired or is not yet valid: \n",
        join_with(lab, -2 * HOUR, seconds=(0.0, 1.0)),
    )


def test_half_an_hour_behind_does_no_harm_where_the_root_is_older(lab):
    lab.sleep(86_400.0)
    leave(lab)
    set_clock(lab, "w2", -HOUR / 2)
    assert lab.docker(f"swarm join --token {token(lab)} m1:2377", on="w2").code == 0


def leave(lab):
    lab.docker("swarm leave", on="w2")


def token(lab):
    return lab.docker("swarm join-token -q worker").out.strip()


def join_with(lab, by, seconds=(10.0, 10.5)):
    """What w2 is told when it joins with its clock off by so much, and that it took so long."""
    leave(lab)
    set_clock(lab, "w2", by)
    before = lab.now
    result = lab.docker(f"swarm join --token {token(lab)} m1:2377", on="w2")
    assert result.code == 1
    assert seconds[0] <= lab.now - before - 0.05 <= seconds[1]
    assert state(lab, "w2") == "inactive"
    return result.err


# -- who else reads the time


def test_what_a_host_writes_is_stamped_with_its_own_clock(lab):
    set_clock(lab, "w1", HOUR)
    lab.docker("service create -d --no-resolve-image --name web --constraint node.hostname==w1 mini:1 sleep 100000")
    lab.sleep(10.0)
    # The agent's stamp is an hour ahead of the client's clock on m1; the service was written by a manager whose clock is right.
    assert "Running less than a second ago" in lab.docker("service ps web").out
    assert lab.docker("service inspect web --format '{{.CreatedAt}}'").out.startswith("2026-01-01 09:00")
    # On w1 itself all agree that it is an hour later.
    assert "Up 8 seconds" in lab.docker("ps --format '{{.Status}}'", on="w1").out
    assert lab.docker("ps --format '{{.RunningFor}}'", on="w1").out in ("9 seconds ago\n", "10 seconds ago\n")
    assert lab.docker("ps --format '{{.CreatedAt}}'", on="w1").out.startswith("2026-01-01 10:00")


def test_the_leader_s_clock_says_from_when_a_certificate_is_valid(lab):
    set_clock(lab, "m1", -HOUR / 2)
    lab.docker("node promote w1", on="m1")
    engine = lab.world.engines["w1"]
    lab.wait(lambda: engine.node.certificate.role == "manager", within=10.0)
    assert engine.node.certificate.not_before == pytest.approx(lab.now - 1.5 * HOUR, abs=60.0)


# -- as a scenario writes it


def test_a_clock_in_words():
    words = in_words("clock", ("w2", -7200.0, 20e-6))
    assert words == "clock w2 2 h behind, gaining 20 ppm"
    assert chinese(words) == "时钟 w2 慢 2 h，走快 20 ppm"
    assert in_words("clock", ("w2", 0.0, 0.0)) == "clock w2 right"
