"""Commands typed on a cluster: what is printed, and every complaint."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarmsim.docker.client import ACTIONS
from swarmsim.docker.files import Files
from swarmsim.docker.grammar import BY_PATH, COMMANDS
from tests.conftest import Lab


@pytest.fixture(scope="module")
def shared():
    lab = Lab()
    lab.service(2, flags="--label tier=front -p 8080:80 --constraint node.role==worker")
    lab.wait(lambda: lab.running() == 2)
    return lab


def test_every_command_of_the_grammar_has_its_action():
    assert {command.path for command in COMMANDS if command.modelled} == set(ACTIONS)


OUTPUTS = [
    ("service ls --format '{{.Name}} {{.Replicas}} {{.Ports}}'", "web 2/2 *:8080->80/tcp\n"),
    ("service ls -q --filter name=nobody", ""),
    ("service inspect web --format '{{.Spec.Labels.tier}}'", "front\n"),
    ("service inspect web --format '{{json .Endpoint.Ports}}'", '[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]\n'),
    ("node ls --filter role=manager --format '{{.Hostname}}'", "m1\nm2\nm3\n"),
    ("node ls --filter name=w --format '{{.Hostname}} {{.Status}} {{.Availability}}'", "w1 Ready Active\nw2 Ready Active\n"),
    ("info --format '{{.Swarm.LocalNodeState}} {{.Swarm.Managers}} {{.Swarm.Nodes}}'", "active 3 5\n"),
    ("service scale -d web=2", "web scaled to 2\n"),
    ("node promote m2", None),
    ("version --format '{{.Server.Version}}'", "20.10.24+dfsg1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "out"), OUTPUTS)
def test_outputs(shared, line, out):
    result = shared.docker(line)
    assert result.code == 0, result.err
    if out is not None:
        assert result.out == out


COMPLAINTS = [
    ("nonsense", 1, "docker: unknown command: docker nonsense\n\nRun 'docker --help' for more information\n"),
    ("service nonsense", 1, "docker: unknown command: docker service nonsense\n\nUsage:  docker service\n\nRun 'docker service --help' for more information\n"),
    ("service rm", 1, "docker: 'docker service rm' requires at least 1 argument\n\nUsage:  docker service rm SERVICE [SERVICE...]\n\nSee 'docker service rm --help' for more information\n"),
    ("service update", 1, "docker: 'docker service update' requires 1 argument\n\nUsage:  docker service update [OPTIONS] SERVICE\n\nRun 'docker service update --help' for more information\n"),
    ("node ls extra", 1, "docker: 'docker node ls' accepts no arguments\n\nUsage:  docker node ls [OPTIONS]\n\nRun 'docker node ls --help' for more information\n"),
    ("service create -d --no-resolve-image --name other -p 8080:80 mini:1", 1, "is already in use by service 'web'"),
    ("service create -d --no-resolve-image --name we.b mini:1", 1, "name must be valid as a DNS name component"),
    ("service create -d --no-resolve-image --name x --reserve-cpu 0.0001 mini:1", 1, "invalid cpu value 0.0001: Must be at least 0.001"),
    ("service rollback -d web", 1, None),
    ("service update -d --rollback --replicas 3 web", 1, "other flags may not be combined with --rollback"),
    ("service scale -d web", 1, "invalid scale specifier 'web'."),
    ("swarm join-token king", 1, "unknown role king"),
    ("swarm leave", 1, "You are attempting to leave the swarm on a node that is participating as a manager."),
    ("service logs nothing", 1, "no such task or service: nothing\n"),
    ("kill nothing", 1, "Error response from daemon: Cannot kill container: nothing: No such container: nothing"),
    ("service create -d --oom-score-adj 3 mini:1", 1, '"--oom-score-adj" requires API version 1.46, but the Docker daemon API version is 1.41\n'),
    ("swarm init --data-path-port 7777", 1, "swarmsim: the flag --data-path-port of 'docker swarm init' is real, but not modelled yet\n"),
    ("stack deploy -c x.yml shop", 1, "open x.yml: no such file or directory\n"),
    ("run nginx", 1, "swarmsim: 'docker run' on the network bridge is real, but not modelled yet\n"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "complaint"), COMPLAINTS)
def test_complaints(shared, line, code, complaint):
    result = shared.docker(line)
    if complaint is None:
        return
    assert result.code == code
    assert complaint in result.err


def test_a_worker_refuses_in_dockers_words(shared):
    assert "Worker nodes can't be used to view or modify cluster state" in shared.docker("service ls", on="w1").err


def test_a_command_without_d_waits_until_tasks_are_stable():
    lab = Lab()
    start = lab.now
    result = lab.docker("service create --no-resolve-image --name web --replicas 2 mini:1 sleep 100000")
    lines = result.out.splitlines()
    assert lines[1:4] == ["overall progress: 0 out of 2 tasks", "1/2:  ", "2/2:  "]
    assert lines[-1] == f"verify: Service {lines[0]} converged"
    assert sum("Waiting 5 seconds" in line for line in lines) == 5
    assert lab.now - start >= 5


def test_a_paused_update_ends_the_waiting_command_with_its_message():
    lab = Lab()
    lab.service(2)
    lab.wait(lambda: lab.running() == 2)
    result = lab.docker("service update --no-resolve-image --image nosuch:1 --stop-grace-period 1s web")
    assert result.code == 1
    assert result.err.startswith("service update paused: update paused due to failure or early termination of task ")


def test_rolling_update_rollback_and_history():
    lab = Lab()
    lab.service(3, flags="--stop-grace-period 1s")
    lab.wait(lambda: lab.running() == 3)
    assert lab.docker("service update --no-resolve-image --image mini:2 web").code == 0
    assert "mini:2" in lab.docker("service ls").out
    assert lab.docker("service inspect web --format '{{.UpdateStatus.State}}'").out == "completed\n"
    assert lab.docker("service rollback web").out.splitlines()[1] == "rollback: manually requested rollback"
    assert lab.docker("service inspect web --format '{{.UpdateStatus.Message}}'").out == "rollback completed\n"
    assert "mini:1" in lab.docker("service ls").out


def test_an_update_of_the_number_of_replicas_alone_starts_no_update():
    lab = Lab()
    lab.service(2)
    lab.docker("service update -d --replicas 3 web")
    lab.sleep(5)
    assert "UpdateStatus" not in json.loads(lab.docker("service inspect web").out)[0]


WORDS = st.lists(
    st.one_of(
        st.sampled_from([word for path in BY_PATH for word in path.split()]),
        st.sampled_from([f"--{flag.name}" for command in COMMANDS for flag in command.flags]),
        st.sampled_from(
            ["-d", "-q", "-p", "--", "web", "m1", "mini:1", "8080:80", "name=x", "{{.ID}}", "json", "5s", "=", "--help"]
        ),
        st.text(max_size=8),
    ),
    max_size=8,
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=WORDS, host=st.sampled_from(("m1", "w1")))
def test_no_words_raise_anything(shared, words, host):
    """Whatever is typed ends in an exit code and text."""
    engine = shared.world.engines[host]
    if "leave" in words or "demote" in words or "kill" in words:
        return
    shell = shared.world.scope.child("fuzz")
    done = shell.spawn(shared.world.type(engine, words, lambda *_: None, Files()))
    timeout = shared.world.clock.timeout(60)
    shared.world.clock.run(shared.world.clock.first_of((done, timeout)))
    shell.end()
    assert engine.running
    if done.processed:
        assert isinstance(done.value.code, int)
