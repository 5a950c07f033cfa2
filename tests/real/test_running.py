"""A running cluster, in which somebody types by hand: it is recorded, watched and imported as it is, and left as it was."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import time
from collections.abc import Iterator

import pytest

from swarmsim.check import check_trace
from swarmsim.importer import import_cluster, read_outputs
from swarmsim.real.lab import Lab, Plan, missing
from swarmsim.real.machine import MachineError
from swarmsim.real.measuring import LABEL, measured
from swarmsim.real.running import running_named, watched
from swarmsim.real.telling import told
from swarmsim.scenario import watching
from swarmsim.scenario.loader import parse_scenario
from swarmsim.scenario.schema import MeanwhileStep
from swarmsim.trace.rows import Row, fault_in
from swarmsim.trace.state import state_of
from swarmsim.world import FaultError
from tests.analysis.test_calibration import MEASURED

LACKING = missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
NUMBER = 230
PLANS = [Plan("m1", "manager"), Plan("w1", "worker")]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A swarm of two, made by hand."""
    number = next(number for number in range(NUMBER, 240) if not Lab(number).is_up)
    made = Lab(number)
    made.up(PLANS)
    typed(made, "m1", f"swarm init --advertise-addr {made.machines['m1'].address}")
    token = typed(made, "m1", "swarm join-token -q worker").strip()
    typed(made, "w1", f"swarm join --token {token} {made.machines['m1'].address}:2377")
    typed(made, "m1", "service create -d --name web --replicas 2 mini:1 sleep 600")
    yield made
    made.down()


def typed(lab: Lab, host: str, line: str) -> str:
    words, _ = lab.machines[host].docker(shlex.split(line))
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_what_is_done_by_hand_is_recorded(lab):
    found: list[Row] = []
    headers: list[Row] = []

    def begun(header: Row):
        headers.append(header)
        subprocess.Popen(
            ["sh", "-c", f"sleep 3; {shlex.join(lab.machines['m1'].docker(['service', 'scale', '-d', 'web=3'])[0])}"]
        )
        return found.append

    watching.record(f"lab:{lab.number}", begun, until=12.0)
    assert headers[0]["profile"].startswith(f"lab {lab.number}: engine ")
    assert [fault_in(row) for row in found if fault_in(row)] == []
    assert check_trace(found) == []
    state = state_of(found)
    assert state.services["web"].replicas == 3
    assert sum(row["state"] == "running" for row in state.tasks.values()) == 3
    assert [row["kind"] for row in found if row["kind"] in ("begin", "end")] == ["begin", "end"]


def test_a_cluster_that_is_only_watched_is_not_changed(lab):
    with watched(f"lab:{lab.number}") as world, pytest.raises(FaultError, match="only watched"):
        world.advance(world.spawn(world.fault("power-off", ["w1"])))
    assert lab.machines["w1"].powered


def test_commands_and_faults_of_the_app_are_real_and_undone_at_the_end(lab):
    session = watching.WatchedSession(f"lab:{lab.number}")
    kinds: list[str] = []
    said, now = "", 0.0
    try:
        session.act(MeanwhileStep.model_validate({"at": 1.0, "docker": "node ls -q", "on": "m1"}))
        session.act(MeanwhileStep.model_validate({"at": 1.0, "fault": {"power-off": "w1"}}))
        until = time.monotonic() + 30
        while "power" not in kinds and time.monotonic() < until:
            for news in session.read():
                assert not news.crash
                assert news.now >= now
                now = news.now
                kinds += [row["kind"] for row in news.rows]
                said += "".join(printed.said.text for printed in news.printed)
            time.sleep(0.05)
        assert "power" in kinds
        assert len(said.split()) == 2
        assert not lab.machines["w1"].powered
    finally:
        session.close()
    assert session.problem is None
    assert lab.machines["w1"].powered
    assert lab.journal.entries == []


def test_the_scenario_of_it_has_its_hosts_and_services(lab):
    with running_named(f"lab:{lab.number}") as found:
        texts = told(found.machines)
    made = import_cluster(read_outputs(texts), "mine", [where for where, _ in texts])
    loaded = parse_scenario(made.text, "mine")
    assert loaded.scenario.cluster.names() == (["m1"], ["w1"])
    assert loaded.scenario.cluster.settings("m1").address == lab.machines["m1"].address
    assert "--name web" in made.text


def test_it_is_measured_and_left_as_it_was(lab):
    with running_named(f"lab:{lab.number}") as running:
        found = asyncio.run(measured(running.machines, None))
    assert [typed(lab, host, f"ps -aq --filter label={LABEL}") for host in ("m1", "w1")] == ["", ""]
    assert found.keys() == MEASURED
    assert all(0 < each < 60 for seconds in found.values() for each in seconds)


@pytest.mark.parametrize(
    ("name", "told"), [("lab:249", "swarmsim lab up --lab 249"), ("lab:x", "its number"), ("moon", "no such cluster")]
)
def test_a_cluster_that_is_not_there_is_refused(name, told):
    with pytest.raises(MachineError, match=told), running_named(name):
        pass
