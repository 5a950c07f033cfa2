"""Consent is asked for once, with everything that will be done; and what is only rehearsed touches nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from swarmsim.real.careful import chosen
from swarmsim.real.consent import Consents, Radius, must_agree
from swarmsim.real.lab import Lab, Plan
from swarmsim.real.machine import MachineError
from swarmsim.world import HostSpec

RADIUS = Radius("mine", [("m1", "10.0.0.1"), ("w1", "10.0.0.2")], [("m1", "docker service ls")], ["power off w1"])


class Asked:
    """Somebody who answers, and remembers what was shown."""

    def __init__(self, answer: bool | None) -> None:
        self.answer = answer
        self.shown: list[str] = []

    def __call__(self, lines):
        self.shown.append("\n".join(lines))
        return self.answer


def test_it_is_asked_for_once_with_hosts_commands_and_what_is_stopped(tmp_path):
    asked = Asked(True)
    must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=asked)
    must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=asked)
    assert len(asked.shown) == 1
    for told in ("m1 (10.0.0.1)", "w1 (10.0.0.2)", "m1: docker service ls", "power off w1", "undo all of it"):
        assert told in asked.shown[0]


@pytest.mark.parametrize(
    ("place", "radius", "cluster"),
    [
        ("other.yaml", RADIUS, ""),
        ("hosts.yaml", RADIUS._replace(hosts=[*RADIUS.hosts, ("w2", "10.0.0.3")]), ""),
        ("hosts.yaml", RADIUS, "another-cluster"),
    ],
)
def test_of_other_hosts_it_is_another(tmp_path, place, radius, cluster):
    must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=Asked(True))
    with pytest.raises(MachineError, match="not agreed"):
        must_agree(place, radius, cluster, consents=Consents(tmp_path), ask=Asked(False))


def test_what_was_refused_is_asked_again(tmp_path):
    for answer, said in ((False, "not agreed; nothing was done"), (None, "--dry-run, agree with --yes")):
        with pytest.raises(MachineError, match=said):
            must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=Asked(answer))
    assert not (tmp_path / "consent.json").exists()


def test_yes_asks_nobody_and_is_remembered(tmp_path):
    nobody = Asked(None)
    must_agree("hosts.yaml", RADIUS, yes=True, consents=Consents(tmp_path), ask=nobody)
    must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=nobody)
    assert nobody.shown == []


def test_a_spoilt_file_is_no_consent(tmp_path):
    (tmp_path / "consent.json").write_text("{", encoding="utf-8")
    with pytest.raises(MachineError):
        must_agree("hosts.yaml", RADIUS, consents=Consents(tmp_path), ask=Asked(None))


def machines() -> list:
    return list(Lab(9).planned([Plan("m1", "manager"), Plan("w1", "worker")]).values())


def test_hosts_are_chosen_by_name():
    specs = [HostSpec(name, "", "worker") for name in ("w1",)]
    assert [machine.name for machine in chosen("hosts.yaml", machines(), specs)] == ["w1"]
    with pytest.raises(MachineError, match="has 2 hosts, and the scenario wants 3"):
        chosen("hosts.yaml", machines(), [HostSpec(name, "", "worker") for name in ("m1", "m2", "w1")])
    with pytest.raises(MachineError, match="has no m9"):
        chosen("hosts.yaml", machines(), [HostSpec("m9", "", "manager")])


REHEARSED = """\
import sys
touched = []
sys.addaudithook(lambda event, words: touched.append((event, words)) if event in {
    "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.kill", "socket.connect", "socket.bind"
} or (event == "open" and words[1] and set(str(words[1])) & set("wax+")) or event in ("os.mkdir", "os.rename", "os.remove") else None)
from swarmsim.cli import app
try:
    app(["run", *sys.argv[1:], "--dry-run"])
except SystemExit as ended:
    code = ended.code
print("TOUCHED", [each for each in touched if "/dev/null" not in str(each) and "__pycache__" not in str(each)])
sys.exit(code)
"""


@pytest.mark.parametrize("scenario", ["quorum-loss", "worker-power-loss"])
def test_a_dry_run_starts_no_process_and_writes_no_file(tmp_path, scenario):
    """What the interpreter itself tells of processes, connections and files is empty."""
    words = [sys.executable, "-c", REHEARSED, scenario, "--on", "lab"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "TOUCHED []" in done.stdout
    assert list(Path(tmp_path).iterdir()) == []
    assert "docker swarm init --advertise-addr 10.98." in done.stdout
    assert "SWMTKN-1-****" in done.stdout
    assert "undo sh /var/lib/swarmsim-lab/" in done.stdout
    assert "Nothing of this was done." in done.stdout
