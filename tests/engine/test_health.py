"""Health checks: when a container is well, when it is excused, when its task fails."""

from __future__ import annotations

import pytest

from tests.conftest import Lab


def checked(flags: str) -> Lab:
    lab = Lab(managers=1, workers=0)
    lab.service(1, flags=f"--stop-grace-period 1s --restart-condition none {flags}")
    return lab


def state(lab: Lab) -> str:
    return str(lab.tasks()[0].status.state)


@pytest.mark.parametrize(
    ("flags", "seconds", "then"),
    [
        ("--health-cmd true --health-interval 3s", 2, "starting"),
        ("--health-cmd true --health-interval 3s", 6, "running"),
        ("--health-cmd true", 25, "starting"),
        ("--health-cmd true", 35, "running"),
        ("--health-cmd false --health-interval 2s --health-retries 2", 4, "starting"),
        ("--health-cmd false --health-interval 2s --health-retries 2", 10, "failed"),
        ("--health-cmd false --health-interval 2s --health-retries 2 --health-start-period 20s", 15, "starting"),
        ("--health-cmd false --health-interval 2s --health-retries 2 --health-start-period 20s", 35, "failed"),
        ("--health-cmd 'sleep 1' --health-interval 2s --health-timeout 2s", 8, "running"),
        ("--health-cmd 'sleep 5' --health-interval 2s --health-timeout 2s --health-retries 1", 10, "failed"),
        ("--no-healthcheck", 6, "running"),
    ],
)
def test_what_a_health_check_makes_of_a_task(flags, seconds, then):
    lab = checked(flags)
    lab.sleep(seconds)
    assert state(lab) == then


def test_docker_ps_tells_of_health():
    lab = checked("--health-cmd true --health-interval 3s")
    lab.sleep(2)
    assert "(health: starting)" in lab.docker("ps").out
    lab.sleep(5)
    assert "(healthy)" in lab.docker("ps --filter health=healthy").out


def test_a_replacement_waits_a_minute_for_the_old_task_at_most():
    lab = Lab(managers=1, workers=1)
    lab.service(1, flags="--stop-grace-period 10m")
    lab.wait(lambda: lab.running() == 1)
    lab.docker("service update -d --no-resolve-image --image mini:2 web")
    lab.sleep(57)
    assert lab.running() == 0
    assert 1 <= lab.wait(lambda: lab.running() == 1) <= 6
