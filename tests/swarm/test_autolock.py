"""Managers that lock: the words and states are those of real engines (tests/records/asked/autolock.txt)."""

from __future__ import annotations

import re
from random import Random

import pytest

from swarmsim.swarm.ca.unlockkey import KEK, new_key, parsed, shown
from swarmsim.trace import rows
from tests.conftest import Lab

STRANGER = "SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8"
LOCKED = (
    "Error response from daemon: Swarm is encrypted and needs to be unlocked before it can be used. "
    'Please use "docker swarm unlock" to unlock it.\n'
)
INSTRUCTIONS = """To unlock a swarm manager after it restarts, run the `docker swarm unlock`
command and provide the following key:

    {key}

Remember to store this key in a password manager, since without it you
will not be able to restart the manager.
"""


def key_of(lab, on="m1"):
    return lab.docker("swarm unlock-key -q", on=on).out.strip()


def state(lab, host):
    return lab.docker("info --format '{{.Swarm.LocalNodeState}}'", on=host).out.strip()


def unlock(lab, host, piped):
    return lab.world.run(lab.world.docker(host, "swarm unlock", stdin=piped))


def restart(lab, *hosts, verb="power-off"):
    lab.world.run(lab.world.fault(verb, list(hosts)))
    lab.world.run(lab.world.fault("power-on", list(hosts)))


@pytest.fixture
def locking(lab):
    """Three managers and two workers; managers lock."""
    lab.docker("swarm update --autolock")
    lab.sleep(3.0)
    return lab


# -- the key


def test_a_key_is_shown_and_read_as_swarmkit_does():
    key = new_key(Random(1))
    assert len(key) == 32
    assert re.fullmatch(r"SWMKEY-1-[A-Za-z0-9+/]{43}", shown(key))
    assert parsed(shown(key)) == key


@pytest.mark.parametrize(
    "text", ["", "rubbish", "SWMKEY-2-abcd", "SWMKEY-1-a", "SWMKEY-1-ab!d", "SWMKEY-1-ab==", "SWMKEY-1-ä"]
)
def test_what_is_no_key(text):
    with pytest.raises(ValueError, match="invalid key string"):
        parsed(text)


def test_only_a_newer_key_takes_the_place_of_another():
    present = KEK(10, b"old")
    assert present.replaced_by(KEK(12, b"new")) == KEK(12, b"new")
    assert present.replaced_by(KEK(9, b"older")) is present
    # Other settings of the swarm were changed.
    assert present.replaced_by(KEK(12, b"old")) is present
    assert present.replaced_by(KEK(12)) == KEK(12)


# -- what is said


def test_init_says_how_to_unlock():
    lab = Lab(managers=1, workers=0, formed=False)
    said = lab.docker("swarm init --autolock").out
    key = key_of(lab)
    assert said.endswith("follow the instructions.\n" + INSTRUCTIONS.format(key=key))
    assert lab.docker("swarm unlock-key").out == INSTRUCTIONS.format(key=key)
    assert "  Autolock Managers: true\n" in lab.docker("info").out


def test_update_says_it_once(lab):
    said = lab.docker("swarm update --autolock").out
    assert said == "Swarm updated.\n" + INSTRUCTIONS.format(key=key_of(lab))
    assert lab.docker("swarm update --autolock=true --task-history-limit 4").out == "Swarm updated.\n"


def test_without_autolock_there_is_no_key(lab):
    for line, refusal in (
        ("swarm unlock-key", "no unlock key is set\n"),
        ("swarm unlock-key -q", "no unlock key is set\n"),
        ("swarm unlock-key --rotate", "cannot rotate because autolock is not turned on\n"),
        ("swarm unlock-key -q --rotate", "cannot rotate because autolock is not turned on\n"),
        ("swarm unlock", "Error: swarm is not locked\n"),
    ):
        result = lab.docker(line)
        assert (result.code, result.err) == (1, refusal), line


def test_what_a_worker_and_a_host_in_no_swarm_say():
    lab = Lab(managers=1, workers=1)
    refusal = lab.docker("swarm unlock-key", on="w1").err
    assert refusal.startswith(
        "could not fetch unlock key: Error response from daemon: This node is not a swarm manager. Worker"
    )
    assert lab.docker("swarm unlock", on="w1").err == "Error: swarm is not locked\n"
    lab.docker("swarm leave", on="w1")
    assert lab.docker("swarm unlock", on="w1").err == "Error: This node is not part of a swarm\n"
    refusal = lab.docker("swarm unlock-key", on="w1").err
    assert refusal.startswith(
        "could not fetch unlock key: Error response from daemon: This node is not a swarm manager. Use"
    )


def test_a_rotated_key_is_another(locking):
    first = key_of(locking)
    said = locking.docker("swarm unlock-key --rotate").out
    second = key_of(locking)
    assert first != second
    assert said == "Successfully rotated manager unlock key.\n" + INSTRUCTIONS.format(key=second)
    assert locking.docker("swarm unlock-key -q --rotate").out == f"{key_of(locking)}\n" != f"{second}\n"


def test_a_key_of_old_does_not_come_back(locking):
    first = key_of(locking)
    locking.docker("swarm update --autolock=false")
    assert locking.docker("swarm unlock-key").err == "no unlock key is set\n"
    locking.docker("swarm update --autolock")
    assert key_of(locking) != first


# -- a locked manager


REFUSED = (
    "node ls", "service ls", "swarm update --task-history-limit 3", "swarm ca", "swarm join-token worker", "node promote w1",
    "stack ls", "secret ls", "swarm ca --rotate -q",
)  # fmt: skip


@pytest.mark.parametrize("verb", ["power-off", "kill-engine", "stop-engine"])
def test_a_manager_that_was_restarted_is_locked(locking, verb):
    restart(locking, "m2", verb=verb)
    assert state(locking, "m2") == "locked"
    for line in REFUSED:
        result = locking.docker(line, on="m2")
        assert (result.code, result.err) == (1, LOCKED), line
    refusal = locking.docker("swarm unlock-key", on="m2").err
    assert refusal == "could not fetch unlock key: " + LOCKED
    for line in ("swarm init", "swarm join --token SWMTKN-1-x m1:2377"):
        assert "This node is already part of a swarm." in locking.docker(line, on="m2").err
    assert "\n Swarm: locked\n CPUs" in locking.docker("info", on="m2").out
    info = locking.docker("info --format '{{json .Swarm}}'", on="m2").out
    assert '"NodeID":""' in info
    assert '"RemoteManagers":null' in info
    nodes = locking.docker("node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").out
    assert re.search(r"^m2 (Ready|Down|Unknown) Unreachable$", nodes, re.M)


@pytest.mark.parametrize(
    ("piped", "refusal"),
    [
        ("", "invalid key string"),
        ("\n", "invalid key string"),
        ("rubbish\n", "invalid key string"),
        ("SWMKEY-1-rubbish\n", "swarm could not be unlocked: invalid key provided"),
        (f"{STRANGER}\n", "swarm could not be unlocked: invalid key provided"),
    ],
)
def test_it_stays_locked_with_another_key(locking, piped, refusal):
    restart(locking, "m2")
    result = unlock(locking, "m2", piped)
    assert (result.code, result.err) == (1, f"Error response from daemon: {refusal}\n")
    assert state(locking, "m2") == "locked"


def test_the_key_unlocks_it(locking):
    restart(locking, "m2")
    result = unlock(locking, "m2", f" {key_of(locking)} \nmore\n")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert locking.docker("node ls", on="m2").code == 0
    assert state(locking, "m2") == "active"
    assert locking.docker("swarm unlock", on="m2").err == "Error: swarm is not locked\n"


def test_whoever_was_off_while_the_key_was_rotated_needs_the_old_one_once(locking):
    first = key_of(locking)
    locking.world.run(locking.world.fault("power-off", ["m3"]))
    locking.docker("swarm unlock-key --rotate")
    second = key_of(locking)
    locking.world.run(locking.world.fault("power-on", ["m3"]))
    assert "invalid key provided" in unlock(locking, "m3", second).err
    assert unlock(locking, "m3", first).code == 0
    locking.sleep(15.0)
    restart(locking, "m3")
    assert "invalid key provided" in unlock(locking, "m3", first).err
    assert unlock(locking, "m3", second).code == 0


def test_without_autolock_managers_start_as_before(locking):
    locking.docker("swarm update --autolock=false")
    locking.sleep(2.0)
    restart(locking, "m2")
    locking.sleep(15.0)
    assert state(locking, "m2") == "active"


def test_leaving_needs_force(locking):
    restart(locking, "m2")
    refusal = locking.docker("swarm leave", on="m2")
    assert (refusal.code, refusal.err) == (
        1,
        "Error response from daemon: Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.\n",
    )
    assert locking.docker("swarm leave --force", on="m2").out == "Node left the swarm.\n"
    assert state(locking, "m2") == "inactive"
    assert locking.docker("swarm unlock", on="m2").err == "Error: This node is not part of a swarm\n"


def test_a_locked_manager_does_not_count_for_the_quorum(locking):
    restart(locking, "m2", "m3")
    locking.sleep(30.0)
    assert "does not have a leader" in locking.docker("node ls", limit=60.0).err
    key = locking.world.engines["m1"].node.disk.kek.key
    # It answers when there is a leader again, after an election.
    unlocked = unlock(locking, "m2", shown(key))
    assert unlocked.code == 0
    assert locking.docker("node ls").code == 0
    assert state(locking, "m3") == "locked"


# -- who locks, and when


def kek(lab, host):
    return lab.world.engines[host].node.disk.kek.key


def test_managers_lock_and_workers_do_not(locking):
    assert shown(kek(locking, "m3")) == key_of(locking)
    assert kek(locking, "w1") == b""
    restart(locking, "w1")
    assert state(locking, "w1") == "active"


def test_new_managers_lock_from_the_beginning(locking):
    locking.docker("swarm leave", on="w2")
    token = locking.docker("swarm join-token -q manager").out.strip()
    locking.docker(f"swarm join --token {token} m1:2377", on="w2")
    assert shown(kek(locking, "w2")) == key_of(locking)
    restart(locking, "w2")
    assert state(locking, "w2") == "locked"


def test_a_promoted_node_locks_and_a_demoted_one_does_not(locking):
    locking.docker("node promote w1")
    locking.sleep(10.0)
    assert shown(kek(locking, "w1")) == key_of(locking)
    locking.docker("node demote w1")
    locking.sleep(20.0)
    restart(locking, "w1")
    assert state(locking, "w1") == "active"


def test_what_lay_open_on_the_disk_is_replaced(lab):
    found = []
    lab.world.subscribe(found.append)
    before = {host: lab.world.engines[host].node.certificate.serial for host in ("m1", "m2", "m3")}
    lab.docker("swarm update --autolock")
    lab.sleep(3.0)
    for host, serial in before.items():
        assert lab.world.engines[host].node.certificate.serial != serial
    snapshots = {row["host"] for row in found if row["kind"] == "raft.snapshot"}
    assert snapshots == set(before)
    assert {row["host"] for row in found if row["kind"] == "keys.encrypted" and row["locked"]} == set(before)
    # A rotated key only encrypts anew what is there.
    found.clear()
    lab.docker("swarm unlock-key --rotate -q")
    lab.sleep(3.0)
    assert not [row for row in found if row["kind"] in ("raft.snapshot", "certificate.renewed")]
    assert rows.fault_in(found[0]) is None
