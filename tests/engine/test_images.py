"""What containers do: the commands the model understands, exit codes, signals."""

from __future__ import annotations

import math

import pytest

from swarmsim.engine.images import Catalogue, NoExecutable, plan_run
from tests.conftest import Lab

CATALOGUE = Catalogue()
MINI = CATALOGUE.find("mini:1")[0]


def certain(law):
    raise AssertionError(f"no image of the table has a law: {law}")


RUNS = [
    (["sleep", "100"], 100, 0),
    (["sleep", "1.5"], 1.5, 0),
    (["sleep", "2m"], 120, 0),
    (["sleep", "infinity"], math.inf, 0),
    (["sleep"], 0, 1),
    (["true"], 0, 0),
    (["false"], 0, 1),
    (["sh", "-c", "sleep 2; exit 3"], 2, 3),
    (["sh", "-c", "sleep 1 && sleep 2"], 3, 0),
    (["sh", "-c", "false && sleep 9"], 0, 1),
    (["sh", "-c", "false || sleep 4"], 4, 0),
    (["sh", "-c", "exit 300"], 0, 44),
    (["sh", "-c", "nosuch"], 0, 127),
    (["sh", "-c", "echo hello; sleep 5"], 5, 0),
    (["sh", "-c", "exec sleep 7"], 7, 0),
    (["sh", "-c", "while true; do sleep 1; done"], math.inf, 0),
    (["sh", "-c", "'unclosed"], 0, 2),
    (["ping"], 0, 1),
    (["ping", "localhost"], math.inf, 0),
]


@pytest.mark.parametrize(("command", "seconds", "code"), RUNS)
def test_what_a_command_does(command, seconds, code):
    run = plan_run(MINI, command, False, certain)
    assert (run.seconds, run.code, run.stops) == (seconds, code, None)


def test_servers_run_until_they_are_stopped_and_stop_with_0():
    nginx = CATALOGUE.find("nginx")[0]
    assert plan_run(nginx, list(nginx.command), False, certain)[:3] == (math.inf, 0, 0)


def test_an_executable_the_image_does_not_have():
    with pytest.raises(NoExecutable):
        plan_run(MINI, ["frobnicate"], False, certain)


@pytest.mark.parametrize(
    ("name", "familiar"),
    [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx:1.25", "nginx:1.25"),
        ("mini:2", "mini:2"),
        ("nosuch", None),
        ("nginx:9.9", None),
        ("UPPER", None),
    ],
)
def test_images_by_name(name, familiar):
    found = CATALOGUE.find(name)
    assert (found[1] if found else None) == familiar


def ended(lab):
    (container,) = lab.world.engines["m1"].containers.values()
    return container.exit_code


EXITS = [
    ("mini:1 sleep 100000", "", 137),  # process 1 ignores SIGTERM: killed after the grace period
    ("mini:1 sleep 100000", "--init", 143),  # an init hands the signal on
    ("mini:1 sleep 100000", "--stop-signal SIGKILL", 137),
    ("nginx", "", 0),  # a server stops in order
]


@pytest.mark.parametrize(("command", "flags", "code"), EXITS)
def test_exit_codes_of_stopped_containers(command, flags, code):
    lab = Lab(1, 0)
    lab.docker(f"service create -d --no-resolve-image --name web --stop-grace-period 2s {flags} {command}")
    lab.wait(lambda: lab.running() == 1, within=200)
    lab.docker("service update -d --replicas 0 web")
    (container,) = lab.world.engines["m1"].containers.values()
    lab.wait(lambda: not container.alive, within=20)
    assert container.exit_code == code


def test_images_are_pulled_by_size_and_only_once():
    lab = Lab(1, 0)
    lab.docker("service create -d --no-resolve-image --name a --restart-condition none hello-world")
    lab.wait(lambda: any(str(t.status.state) == "complete" for t in lab.tasks("a")))
    lab.docker("service create -d --no-resolve-image --name b nginx")
    slow = lab.wait(lambda: lab.running("b") == 1, within=120)
    lab.docker("service create -d --no-resolve-image --name c nginx")
    fast = lab.wait(lambda: lab.running("c") == 1, within=120)
    assert fast < slow / 2
