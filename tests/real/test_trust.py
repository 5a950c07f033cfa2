"""Hosts that are somebody's: refused when in use, asked for, and as they were at the end; seen on a lab that stays up.

Needs what a lab needs.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarmsim.real.before import differences, look_at
from swarmsim.real.doctor import Line, Verdict, examine, failures, judge
from swarmsim.real.lab import Lab, LabMachine, Plan, missing
from swarmsim.real.lent import LentLab
from swarmsim.real.machine import MachineError
from tests import commandline

LACKING = missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
NUMBERS = range(230, 240)
PLANS = [Plan("m1", "manager"), Plan("w1", "worker")]

SCENARIO = """\
name: secrets
cluster: {managers: 1, workers: 1}
files: {pw.txt: "correct horse battery"}
steps:
  - docker: secret create pw pw.txt
  - docker: swarm join-token worker
  - docker: swarm ca
  - docker: swarm update --autolock
  - docker: swarm unlock-key
  - docker: "service create -d --no-resolve-image --name web --secret pw -e DB_PASSWORD=hunter22 --mount type=volume,src=kept,dst=/tmp mini:1 sh -c 'cat /run/secrets/pw; echo; sleep 1000'"
  - wait: {service: web, running: 1}
    within: 60s
  - sleep: 2s
  - docker: service logs web
  - docker: network create mine
  - docker: run -d --name alone mini:1 sleep 1000
  - fault: {cut: [m1, w1]}
  - fault: {kill-engine: w1}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = next(lab for lab in map(Lab, NUMBERS) if not lab.is_up and lab.lock())
    made.up(PLANS)
    made.unlock()
    yield made
    assert made.lock(), "somebody still has it"
    made.down()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Consent is remembered here, and traces are written here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secrets.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def typed(machine: LabMachine, line: str) -> str:
    words, _ = machine.docker(shlex.split(line))
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def on_host(machine: LabMachine, script: str) -> None:
    subprocess.run(["sh", "-c", machine.inside(script)], check=True, capture_output=True)


def examined(lab: Lab) -> list[Line]:
    return judge(asyncio.run(examine(list(lab.machines.values()))))


def swarmsim(*words: str) -> commandline.Done:
    return commandline.swarmsim(*words, cwd=Path.cwd())


def place(lab: Lab) -> str:
    return f"lab:{lab.number}"


def test_a_run_leaves_hosts_as_they_were_and_no_secret_in_its_trace(lab, state):
    machines = list(lab.machines.values())
    before = asyncio.run(look_at(machines))
    done = swarmsim("run", "secrets.yaml", "--on", place(lab), "--yes", "-q")
    assert f"the 2 hosts of {place(lab)} are as before" in done.stderr, done.stderr
    assert done.returncode == 0, done.stdout
    assert differences(before, asyncio.run(look_at(machines))) == []
    assert lab.journal.entries == []

    trace = (state / "runs" / f"secrets-lab-{lab.number}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in trace.splitlines()]
    commands = [row["cmd"] for row in rows if row["kind"] == "docker"]
    assert "secret create pw pw.txt" in commands
    logged = next(row for row in rows if row["kind"] == "docker" and row["cmd"] == "service logs web")
    assert "****" in logged["out"], logged
    for secret in ("correct horse", "hunter22", "PRIVATE KEY-----\\nM"):
        assert secret not in trace
    for token in ("SWMTKN-1-", "SWMKEY-1-"):
        assert token in trace
        assert trace.count(token) == trace.count(f"{token}****")

    header = rows[0]
    assert set(header["hosts"]) == {"m1", "w1"}
    assert header["hosts"]["m1"].startswith("engine ")
    assert 0 < header["latency"] < 100

    again = swarmsim("run", "secrets.yaml", "--on", place(lab), "--dry-run")
    assert again.returncode == 0
    assert "correct horse" not in again.stdout


def test_without_consent_there_is_one_clear_refusal(lab):
    done = swarmsim("run", "secrets.yaml", "--on", place(lab), "-q")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--dry-run" in done.stderr
    assert "--yes" in done.stderr
    assert lab.journal.entries == []


def test_whatever_is_left_behind_is_named(lab):
    machines = list(lab.machines.values())
    machine = machines[0]
    before = asyncio.run(look_at(machines))
    typed(machine, "volume create forgotten")
    typed(machine, "network create leftover")
    container = typed(machine, "run -d --name remains mini:1 sleep 1000").strip()
    on_host(machine, "nft add table inet stranger; ip link add stray type bridge")
    typed(machine, f"swarm init --advertise-addr {machine.address}")
    found = differences(before, asyncio.run(look_at(machines)))
    for sentence in (
        "m1: volumes: new: forgotten local",
        "m1: networks: new: leftover bridge",
        f"m1: containers: new: {container} remains running",
        "m1: rules: new: table inet stranger {",
        "m1: links: new: stray down mtu 1500",
        "m1: swarm: gone: inactive",
    ):
        assert sentence in found
    assert not [sentence for sentence in found if sentence.startswith("w1:")]
    typed(machine, "swarm leave --force")
    typed(machine, "rm -f remains")
    typed(machine, "network rm leftover docker_gwbridge")
    typed(machine, "volume rm forgotten")
    on_host(machine, "nft delete table inet stranger; ip link del stray")


def test_hosts_in_use_are_refused(lab):
    machine = lab.machines["m1"]
    typed(machine, "run -d --name somebodys mini:1 sleep 1000")
    try:
        done = swarmsim("run", "secrets.yaml", "--on", place(lab), "--yes", "-q")
        assert done.returncode == 2
        assert "m1: runs 1 that are not of this swarm: somebodys" in done.stderr
        assert "--adopt" in done.stderr
    finally:
        typed(machine, "rm -f somebodys")
    typed(machine, f"swarm init --advertise-addr {machine.address}")
    try:
        done = swarmsim("run", "secrets.yaml", "--on", place(lab), "--yes", "-q")
        assert done.returncode == 2
        assert "m1: in a swarm that swarmsim did not make" in done.stderr
        assert "docker swarm leave --force" in done.stderr
        assert typed(machine, "info --format '{{.Swarm.LocalNodeState}}'") == "active\n"
        told = swarmsim("doctor", place(lab), "--json")
        assert told.returncode == 1
        assert [line["check"] for line in json.loads(told.stdout)["lines"] if line["verdict"] == "failure"] == ["swarm"]
        assert swarmsim("doctor", place(lab), "--adopt").returncode == 0
    finally:
        typed(machine, "swarm leave --force")
        typed(machine, "network rm docker_gwbridge")


def test_ports_that_a_firewall_closes_are_found(lab):
    machine = lab.machines["w1"]
    assert failures(examined(lab)) == []
    drop = "nft 'table inet wall { chain shut { type filter hook input priority 0; udp dport 4789 drop; tcp dport 7946 reject with tcp reset; }; }'"
    on_host(machine, drop)
    try:
        found = {line.found(): line.hosts for line in failures(examined(lab))}
        assert found == {
            "m1 → w1 4789/udp: no answer": ("w1",),
            "m1 → w1 7946/tcp: refused": ("w1",),
        }
    finally:
        on_host(machine, "nft delete table inet wall")


def test_full_packets_are_tried(lab):
    on_host(
        lab.machines["w1"],
        "nft 'table inet small { chain shut { type filter hook input priority 0; udp length > 1000 drop; }; }'",
    )
    try:
        lines = [line for line in examined(lab) if line.check == "mtu"]
        assert [(line.verdict, line.what) for line in lines] == [(Verdict.WARN, "mtu vanishes")]
    finally:
        on_host(lab.machines["w1"], "nft delete table inet small")


def test_more_hosts_than_there_are_and_a_second_controller(lab):
    done = swarmsim("run", "quorum-loss", "--on", place(lab), "--yes", "-q")
    assert done.returncode == 2
    assert f"{place(lab)} has 2 hosts, and the scenario wants 5" in done.stderr
    other = Lab(lab.number)
    assert other.lock()
    try:
        done = swarmsim("run", "secrets.yaml", "--on", place(lab), "--yes", "-q")
        assert done.returncode == 2
        assert "in use by another swarmsim" in done.stderr
    finally:
        other.unlock()


def test_a_lab_that_is_not_up_says_how_to_bring_it_up():
    with pytest.raises(MachineError, match="swarmsim lab up --lab 229"):
        LentLab(229).planned([])
