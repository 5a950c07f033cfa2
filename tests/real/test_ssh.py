"""Hosts behind SSH: a lab's, each with an sshd, reached as somebody's own hosts are.

Needs what a lab needs, and openssh-server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarmsim.real.before import differences, look_at
from swarmsim.real.lab import Lab, Plan, missing
from tests import commandline
from tests.real import sshd

LACKING = missing() or sshd.missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
NUMBERS = range(220, 230)

SCENARIO = """\
name: by-ssh
cluster: {managers: 1, workers: 1}
files: {pw.txt: "correct horse battery"}
steps:
  - docker: secret create pw pw.txt
  - docker: "service create -d --no-resolve-image --name web --replicas 2 mini:1 sleep 1000"
  - wait: {service: web, running: 2}
    within: 60s
  - fault: {power-off: w1}
  - wait: {node: w1, status: down}
    within: 60s
  - wait: {service: web, running: 2}
    within: 60s
  - fault: {power-on: w1}
  - wait: {node: w1, status: ready}
    within: 60s
  - fault: {cut: [m1, w1]}
  - sleep: 3s
  - fault: {heal: [m1, w1]}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = next(lab for lab in map(Lab, NUMBERS) if not lab.is_up and lab.lock())
    made.up([Plan("m1", "manager"), Plan("w1", "worker")])
    made.unlock()
    yield made
    assert made.lock(), "somebody still has it"
    made.down()


@pytest.fixture(scope="module")
def served(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inventory, beside what its user has: a key and known hosts."""
    return sshd.serve(lab, tmp_path_factory.mktemp("user"))


@pytest.fixture
def state() -> Iterator[Path]:
    """Where control sockets are: their names must be short."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder:
        yield Path(folder)


@pytest.fixture
def inventory(served: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "by-ssh.yaml").write_text(SCENARIO, encoding="utf-8")
    for name in ("hosts.yaml", "ssh_config", "known_hosts", "id"):
        text = (served.parent / name).read_text().replace(str(served.parent), str(tmp_path))
        (tmp_path / name).write_text(text)
    (tmp_path / "id").chmod(0o600)
    return tmp_path / "hosts.yaml"


def swarmsim(*words: str) -> commandline.Done:
    return commandline.swarmsim(*words, cwd=Path.cwd())


def nothing_is_left(folder: Path) -> bool:
    """Neither sockets nor connections."""
    sockets = [path for path in folder.rglob("*") if path.is_socket()]
    masters = subprocess.run(["pgrep", "-f", f"ssh.* -S {folder}"], capture_output=True, check=False).stdout
    return not sockets and not masters


def test_a_scenario_runs_on_them_and_leaves_them_as_they_were(lab, inventory, state, tmp_path):
    machines = list(lab.machines.values())
    before = asyncio.run(look_at(machines))
    done = swarmsim("run", "by-ssh.yaml", "--on", str(inventory), "--yes", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are as before" in done.stderr, done.stderr
    assert differences(before, asyncio.run(look_at(machines))) == []
    assert nothing_is_left(state)
    rows = [json.loads(line) for line in next((tmp_path / "runs").glob("*.jsonl")).read_text().splitlines()]
    assert "soft substitute" in json.dumps(rows[0])
    assert "correct horse" not in json.dumps(rows)


def test_the_doctor_goes_there(inventory, state):
    done = swarmsim("doctor", str(inventory), "--json")
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"], told
    assert nothing_is_left(state)


def test_a_changed_host_key_is_one_error(inventory, state, tmp_path):
    known = tmp_path / "known_hosts"
    lines = known.read_text().splitlines()
    other = lines[1].split()[1:]
    known.write_text("\n".join([f"{lines[0].split()[0]} {' '.join(other)}", lines[1], ""]))
    done = swarmsim("run", "by-ssh.yaml", "--on", str(inventory), "--yes", "-q")
    assert done.returncode == 2
    assert "its host key is not the one that is known" in done.stderr
    assert "Traceback" not in done.stderr
    assert nothing_is_left(state)


def test_a_key_that_nobody_knows_is_one_error(inventory, state, tmp_path):
    sshd.keygen(tmp_path / "other")
    text = inventory.read_text().replace(f"key: {tmp_path}/id", f"key: {tmp_path}/other")
    inventory.write_text(text)
    done = swarmsim("run", "by-ssh.yaml", "--on", str(inventory), "--yes", "-q")
    assert done.returncode == 2
    assert "no login without a password" in done.stderr
    assert nothing_is_left(state)


def test_a_host_that_is_not_there_is_one_error(inventory, tmp_path):
    text = inventory.read_text()
    first = text.split("address: ")[1].split(",")[0]
    inventory.write_text(text.replace(f"address: {first}", "address: 127.0.0.1, port: 9"))
    done = swarmsim("run", "by-ssh.yaml", "--on", str(inventory), "--yes", "-q")
    assert done.returncode == 2
    assert "is sshd installed and running" in done.stderr


def test_nothing_is_left_to_heal(inventory):
    done = swarmsim("heal", str(inventory))
    assert (done.returncode, done.stdout) == (0, "there was nothing to undo\n"), done.stderr
