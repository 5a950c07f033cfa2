"""The keys of the gossip: rotated by the leader every 12 h, told in sessions; who misses one rotation, and who misses more."""

from __future__ import annotations

from random import Random

import pytest

from swarmsim.network.keyring import Keyring, OverlayKeys
from swarmsim.swarm.manager.keymanager import ROTATION_INTERVAL, Keys, first_keys, rotated
from swarmsim.swarm.objects import GOSSIP_KEYS, IPSEC_KEYS
from tests.network.test_agent import Gossiping

HOUR = 3600.0
HOSTS = ("m1", "m2", "m3", "w1", "w2")


def gossip_keys(keys: Keys) -> list[int]:
    return sorted(key.lamport_time for key in keys if key.subsystem == GOSSIP_KEYS)


def ring(cluster: Gossiping, host: str) -> Keyring:
    gossip = cluster.lab.world.engines[host].gossip
    assert gossip is not None
    return gossip.keyring


def told(cluster: Gossiping) -> list[int]:
    """What the leader has."""
    manager = cluster.lab.world.engines[cluster.lab.leader() or ""].node.manager
    return gossip_keys(manager.raft.store.cluster.network_keys)


def heal(cluster: Gossiping, cut: int) -> None:
    cluster.lab.world.ctx.fabric.rejoin(cut)
    cluster.lab.sleep(90.0)


def test_a_rotation_drops_the_oldest_and_the_second_oldest_is_used():
    keys = first_keys(Random(1))
    keyring = Keyring(keys)
    for _ in range(5):
        oldest, second, newest = gossip_keys(keys)
        assert keyring.primary == second
        assert all(keyring.opens(key) for key in (oldest, second, newest))
        keys = rotated(keys)
        keyring.change(keys)
        assert keyring.primary == newest
        assert not keyring.opens(oldest)


def test_the_leader_rotates_every_twelve_hours_and_all_change_with_it():
    cluster = Gossiping(3, 2)
    oldest, second, newest = told(cluster)
    assert {ring(cluster, host).primary for host in HOSTS} == {second}
    cluster.lab.sleep(ROTATION_INTERVAL)
    assert told(cluster)[:2] == [second, newest]
    assert {ring(cluster, host).primary for host in HOSTS} == {newest}
    assert not any(ring(cluster, host).opens(oldest) for host in HOSTS)
    cluster.lab.sleep(5 * ROTATION_INTERVAL)
    assert {ring(cluster, host).primary for host in HOSTS} == {told(cluster)[1]}
    assert cluster.rows == []  # nobody was missed for a moment


def test_who_becomes_leader_begins_to_count_anew():
    cluster = Gossiping(3, 2)
    before = told(cluster)
    cluster.lab.sleep(ROTATION_INTERVAL - HOUR)
    leader = cluster.lab.leader()
    assert leader is not None
    cluster.fault("power-off", leader)
    cluster.lab.sleep(60.0)
    cluster.fault("power-on", leader)
    cluster.lab.sleep(2 * HOUR)
    assert told(cluster) == before
    cluster.lab.sleep(ROTATION_INTERVAL)
    assert told(cluster)[:2] == before[1:]


@pytest.mark.parametrize(("rotations", "hears"), [(1, True), (2, False), (3, False)])
def test_who_was_cut_off_during_more_than_one_rotation_stays_deaf_until_the_next(rotations, hears):
    """Its session tells it of the keys at once; but of several new ones it puts only the last on its ring (handleKeyChange)."""
    cluster = Gossiping(3, 2)
    cluster.lab.sleep(HOUR)
    cut = cluster.lab.world.ctx.fabric.separate(["w2"])
    cluster.lab.sleep(rotations * ROTATION_INTERVAL)
    heal(cluster, cut)
    assert cluster.lab.status("w2") == "ready"
    assert ring(cluster, "w2").understands(ring(cluster, "m1")) is hears
    assert (cluster.states("m1", "w2")[-1] == "alive") is hears


def test_the_next_rotation_or_a_new_start_of_the_engine_ends_it():
    cluster = Gossiping(3, 2)
    cluster.lab.sleep(HOUR)
    cut = cluster.lab.world.ctx.fabric.separate(["w1", "w2"])
    cluster.lab.sleep(2 * ROTATION_INTERVAL)
    heal(cluster, cut)
    assert {cluster.states("m1", host)[-1] for host in ("w1", "w2")} == {"dead"}
    cluster.fault("kill-engine", "w1")
    cluster.fault("power-on", "w1")
    cluster.lab.sleep(60.0)
    assert cluster.states("m1", "w1")[-1] == "alive"
    assert cluster.states("m1", "w2")[-1] == "dead"


def test_an_engine_that_was_off_meanwhile_comes_back_with_the_keys_its_session_tells():
    cluster = Gossiping(3, 2)
    cluster.fault("power-off", "w2")
    cluster.lab.sleep(3 * ROTATION_INTERVAL)
    cluster.fault("power-on", "w2")
    cluster.lab.sleep(30.0)
    assert ring(cluster, "w2").primary == told(cluster)[1]
    assert cluster.states("m1", "w2")[-1] == "alive"


# -- encrypted overlays


def test_all_kernels_encrypt_overlays_with_the_second_oldest_key_and_follow_its_rotation():
    keys = first_keys(Random(1))
    rings = [Keyring(keys) for _ in range(3)]
    for _ in range(4):
        times = sorted(key.lamport_time for key in keys if key.subsystem == IPSEC_KEYS)
        assert {each.overlays.primary for each in rings} == {times[1]}
        keys = rotated(keys)
        for each in rings:
            each.change(keys)


@pytest.mark.parametrize(("missed", "understood"), [(1, True), (2, False), (3, False)])
def test_who_missed_two_rotations_is_deaf_and_dumb_on_encrypted_overlays_until_the_next(missed, understood):
    keys = first_keys(Random(1))
    there, cut_off = Keyring(keys), Keyring(keys)
    for _ in range(missed):
        keys = rotated(keys)
        there.change(keys)
    assert there.overlays.understands(cut_off.overlays) is (missed == 1)
    cut_off.change(keys)
    assert there.overlays.understands(cut_off.overlays) is understood
    keys = rotated(keys)
    for each in (there, cut_off):
        each.change(keys)
    assert there.overlays.understands(cut_off.overlays) is (missed < 3)


def test_without_keys_nothing_is_understood():
    keys = OverlayKeys([1, 2, 3])
    assert not keys.reads(OverlayKeys())
    assert not OverlayKeys().reads(keys)
    assert not OverlayKeys().reads(OverlayKeys())
