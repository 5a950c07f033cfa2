"""What a line at the prompt means."""

from __future__ import annotations

import pytest

from swarmsim.docker.display import Screen, Shown
from swarmsim.tui.paper import Paper
from swarmsim.tui.shell import ShellError, understand

UNDERSTOOD = [
    ("node ls", "node ls", None),
    ("docker node ls", "node ls", None),
    ("sudo docker node ls", "node ls", None),
    ("$ docker node ls", "node ls", None),
    ("@m2 docker node ls", "node ls", "m2"),
    ("ssh root@m2 docker node ls", "node ls", "m2"),
    ("service create --name 'a  b' mini:1 sh -c 'x | y; z'", "service create --name 'a  b' mini:1 sh -c 'x | y; z'", None),
    ("service create --name web nginx &", "service create --name web nginx", None),
    ("watch docker service ls", "service ls", None),
    ("watch 'docker service ls | head -1'", "service ls", None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "command", "host"), UNDERSTOOD)
def test_a_line_is_a_command_somewhere(line, command, host):
    typed = understand(line)
    assert (typed.command, typed.host) == (command, host)


REFUSED = [
    ("", "shell nothing"),
    ("wget localhost:8888", "instead traffic"),
    ("systemctl stop docker", "instead engine"),
    ("reboot", "instead power"),
    ("node ls; service ls", "shell sign"),
    ("node ls > f", "shell sign"),
    ("node ls | awk x", "shell pipe"),
    ("node ls | grep", "shell grep"),
    ("service create 'x", "shell quotes"),
    ("watch -n x node ls", "no number"),
]


@pytest.mark.parametrize(("line", "key"), REFUSED)
def test_what_is_no_command_is_told(line, key):
    with pytest.raises(ShellError) as told:
        understand(line)
    assert told.value.key == key


LINES = ["NAME  STATE", "web.1 Running", "web.2 Shutdown", "web.3 Running"]
THROUGH = [
    ("grep Running", ["web.1 Running", "web.3 Running"]),
    ("grep -v Running | tail -1", ["web.2 Shutdown"]),
    ("grep -ic running", ["2"]),
    ("head -n 2", ["NAME  STATE", "web.1 Running"]),
    ("head -1 | wc -l", ["1"]),
    ("sort -r | head -1", ["web.3 Running"]),
    ("grep [", []),
]


@pytest.mark.parametrize(("pipes", "left"), THROUGH)
def test_output_goes_through_pipes(pipes, left):
    lines = LINES
    for narrow in understand(f"service ps web | {pipes}").filters:
        lines = narrow(lines)
    assert lines == left


def test_progress_is_written_over_and_what_else_is_said_stays():
    screen, paper = Screen(), Paper()
    paper.feed("out", "id\n")
    for name, action in [
        ("overall progress", "0 out of 1 tasks"),
        ("1/1", " "),
        ("1/1", "no suitable node"),
        ("overall progress", "1 out of 1 tasks"),
        ("verify", "Waiting 2 seconds"),
        ("verify", "Service web converged"),
    ]:
        paper.feed("out", screen.drawn(Shown(name, action)))
    paper.feed("err", "what went wrong\n")
    assert [line.text for line in paper.lines] == [
        "id", "overall progress: 1 out of 1 tasks", "1/1: no suitable node", "verify: Service web converged", "what went wrong",
    ]  # fmt: skip


def test_curl_is_typed_on_a_host_like_docker():
    typed = understand("@w2 curl -s m1:8888 | head -1")
    assert (typed.program, typed.command, typed.host, len(typed.filters)) == ("curl", "-s m1:8888", "w2", 1)
    assert understand("watch -n 5 curl -s m1:8888").every == 5.0
    assert understand("docker service ls").program == "docker"


def test_a_line_may_be_piped_into_a_command():
    typed = understand("echo 'SWMKEY-1-a b' | @m2 sudo docker swarm unlock | head -1")
    assert (typed.command, typed.host, typed.stdin) == ("swarm unlock", "m2", "SWMKEY-1-a b\n")
    assert len(typed.filters) == 1
    with pytest.raises(ShellError):
        understand("echo key")
    with pytest.raises(ShellError):
        understand("echo $(cat key) | docker swarm unlock")
