"""How a task stops, and what is told of it meanwhile: as dockerd's debug log and `inspect` had it (tests/records/asked)."""

from __future__ import annotations

import pytest

from swarmsim.engine import texts
from tests.conftest import Lab

STOPS = [
    # flags, from the order to the process's end: dispatch 0.1, the agent's retry 1.0, gossip 2.0 if there is any
    ("", 1.1),
    ("-p 8080:80", 3.1),
    ("--network net", 3.1),
    ("--network net --endpoint-mode dnsrr", 3.1),
    ("-p mode=host,target=80", 1.1),
]


@pytest.mark.parametrize(("flags", "seconds"), STOPS)
def test_on_any_network_a_task_is_stopped_two_seconds_later(flags, seconds):
    lab = Lab(1, 0)
    lab.docker("network create -d overlay net")
    lab.service(1, flags=f"--init {flags}")
    lab.wait(lambda: lab.running() == 1)
    (container,) = lab.world.engines["m1"].containers.values()
    lab.docker("service scale -d web=0")
    took = lab.wait(lambda: not container.alive, step=0.01)
    assert seconds <= took <= seconds + 0.3


def test_exit_code_minus_one_while_a_stop_is_under_way():
    lab = Lab(1, 0)
    lab.service(1, flags="--stop-grace-period 3s -p mode=host,target=80,published=8081")
    lab.wait(lambda: lab.running() == 1)
    status = lab.tasks()[0].status
    assert (status.container.exit_code, len(status.ports)) == (0, 2)
    lab.docker("service update -d --replicas 0 web")
    lab.sleep(0.5)
    status = lab.tasks()[0].status
    assert str(status.state) == "running"
    assert (status.container.exit_code, status.container.pid > 0, status.ports) == (-1, True, ())
    (container,) = lab.world.engines["m1"].containers.values()
    lab.wait(lambda: not container.alive)
    lab.sleep(0.4)
    assert [(str(t.status.state), t.status.container.exit_code) for t in lab.tasks()] in ([("shutdown", 137)], [])


def test_a_rejected_task_has_a_status_without_a_container():
    lab = Lab(1, 0)
    lab.docker("service create -d --no-resolve-image --restart-condition none --name web nosuch:1")
    lab.wait(lambda: str(lab.tasks()[0].status.state) == "rejected", within=10)
    container = lab.tasks()[0].status.container
    assert (container.container_id, container.pid, container.exit_code) == ("", 0, 0)


FAILURES = [
    ("mini:1 nosuch", 127, texts.NOT_IN_PATH.fill(program="nosuch")),
    ("mini:1 /bin/nosuch", 127, texts.NO_SUCH_FILE.fill(program="/bin/nosuch")),
    ("mini:1 /etc", 126, texts.NO_PERMISSION.fill(program="/etc")),
    ("--user nobodyhere mini:1 sleep 1", 128, texts.NO_SUCH_USER.fill(user="nobodyhere")),
]


@pytest.mark.parametrize(("words", "code", "error"), FAILURES)
def test_how_a_start_fails(words, code, error, records):
    said = (records / "asked" / "tasks.txt").read_text(encoding="utf-8")
    assert error in said, "real engines said it so"
    lab = Lab(1, 0)
    lab.docker(f"service create -d --no-resolve-image --restart-condition none --name web {words}")
    lab.wait(lambda: str(lab.tasks()[0].status.state) == "failed", within=10)
    status = lab.tasks()[0].status
    assert (status.err, status.message, status.container.exit_code) == (error, "starting", code)


def test_one_that_gets_well_while_it_is_stopped_has_no_sandbox_any_more(monkeypatch):
    """Real: a listener 5 s late, a check with two tries; the engine reads `healthy` when the container has ended."""
    lab = Lab(1, 0)
    lab.docker("network create -d overlay net")
    lab.service(
        1, flags="--network net --restart-condition none --health-cmd true --health-interval 1s --health-retries 2"
    )
    engine = lab.world.engines["m1"]
    lab.wait(lambda: any(c.alive for c in engine.containers.values()), step=0.05)
    (container,) = engine.containers.values()
    container.fail_probes()
    lab.wait(lambda: container.health == "unhealthy", step=0.05)
    container._probes_fail = False
    lab.wait(lambda: str(lab.tasks()[0].status.state) == "failed", within=30)
    status = lab.tasks()[0].status
    assert status.err == f"network sandbox does not exist for container {container.name}"
    assert status.container.exit_code == 137


def test_an_engines_start_is_not_given_up():
    """Told to stop while its container starts, a task is RUNNING first, then stops without the agent's pause."""
    lab = Lab(1, 0)
    lab.service(1, flags="--init")
    engine = lab.world.engines["m1"]
    lab.wait(lambda: str(lab.tasks()[0].status.state) == "starting", step=0.02)
    lab.docker("service scale -d web=0")
    (container,) = engine.containers.values()
    lab.wait(lambda: container.state == "exited", within=5, step=0.05)
    assert container.exit_code == 143
