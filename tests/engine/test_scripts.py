"""``sh -c``: what is understood does what a shell does, what is not is refused by name."""

from __future__ import annotations

import math

import pytest

from swarmsim.engine.behaviour import NotUnderstood
from swarmsim.engine.images import Catalogue, plan_probe, plan_run
from swarmsim.engine.scripts import run_script
from tests.conftest import Lab

CATALOGUE = Catalogue()
MINI = CATALOGUE.find("mini:1")[0]

RUNS = [
    # script, seconds, exit code, lines
    ("echo a; sleep 2; echo b", 2, 0, [(0, "a"), (2, "b")]),
    ("false && echo x || echo y", 0, 0, [(0, "y")]),
    ("! false && sleep 3", 3, 0, []),
    ("if test -f /x; then exit 1; else sleep 3; fi; echo c", 3, 0, [(3, "c")]),
    ("if [ -f /etc/passwd ]; then exit 7; fi", 0, 7, []),
    ("if false; then exit 1; elif true; then exit 2; else exit 3; fi", 0, 2, []),
    ("for i in 1 2 3; do echo $i; sleep 1; done; exit 4", 3, 4, [(0, "1"), (1, "2"), (2, "3")]),
    ("while true; do break; done; echo k", 0, 0, [(0, "k")]),
    ("until false; do sleep 1; done", math.inf, 0, []),
    ("touch /tmp/ok; while ! test -f /tmp/ok; do sleep 1; done; sleep 4", 4, 0, []),
    ("while ! test -f /tmp/ok; do sleep 1; done", math.inf, 0, []),
    ("sleep 5 & wait; echo z", 5, 0, [(5, "z")]),
    ("sleep 5 & sleep 1", 1, 0, []),
    ("{ echo a; sleep 1; }; exit 4", 1, 4, [(0, "a")]),
    ("echo quiet > /dev/null; exec sleep 7", 7, 0, []),
    ("sleep 1 # the rest is a remark; exit 9", 1, 0, []),
    ("echo 'a  b' \"c\"", 0, 0, [(0, "a  b c")]),
    ("if true; then sleep 1", 0, 2, [(0, 'sh: syntax error: unexpected end of file (expecting "fi")')]),
]


@pytest.mark.parametrize(("script", "seconds", "code", "lines"), RUNS)
def test_what_a_script_does(script, seconds, code, lines):
    run = run_script(script)
    assert (run.seconds, run.code if seconds < math.inf else code) == (seconds, code)
    if not run.lines or not run.lines[0][1].startswith("sh: syntax"):
        assert list(run.lines) == lines


def test_a_loop_prints_again_and_again():
    run = run_script("echo begin; while true; do echo tick; sleep 2; done")
    assert list(run.printed(5.0)) == [(0.0, "begin"), (0.0, "tick"), (2.0, "tick"), (4.0, "tick")]


STRANGE = [
    ("echo x | sort", "|"),
    ("echo $HOME", "$HOME"),
    ("echo *.txt", "*.txt"),
    ("echo x > /file", ">"),
    ("A=1; sleep 1", "A=1"),
    ("wget -q localhost", "wget"),
    ("trap 'echo bye; exit 0' TERM; sleep 9", "trap 'echo bye; exit 0'"),
    ("while true; do echo x; done", "a loop that prints without pause"),
    ("echo `date`", "`date`"),
]


@pytest.mark.parametrize(("script", "name"), STRANGE)
def test_what_is_not_understood_is_named(script, name):
    with pytest.raises(NotUnderstood) as refusal:
        run_script(script)
    assert str(refusal.value) == name


SIGNALS = [
    # script, init, after how many seconds, ends after, with
    ("trap '' TERM; while true; do sleep 1; done", False, 3.5, None),
    ("trap '' TERM; while true; do sleep 1; done", True, 3.5, None),
    ("trap 'exit 3' TERM; while true; do sleep 1; done", False, 3.25, (0.75, 3)),
    ("trap 'sleep 2; exit 0' SIGTERM; while true; do sleep 4; done", False, 5.0, (5.0, 0)),
    ("trap 'exit 3' INT; sleep 100", False, 1.0, None),
    ("sleep 100", True, 1.0, (0.0, 143)),
    ("trap 'exit 3' TERM; sleep 100", False, 10.0, (90.0, 3)),  # the shell waits for its command
]


@pytest.mark.parametrize(("script", "init", "elapsed", "ends"), SIGNALS)
def test_what_sigterm_does(script, init, elapsed, ends):
    assert plan_run(MINI, ["sh", "-c", script], init, lambda law: 0.0).ends_by("SIGTERM", elapsed) == ends


def test_a_probe_of_a_file_that_the_container_makes_is_refused():
    assert plan_probe(MINI, ["CMD-SHELL", "test -f /tmp/ok"], ["sleep", "9"]).code == 1
    with pytest.raises(NotUnderstood):
        plan_probe(MINI, ["CMD-SHELL", "test -f /tmp/ok"], ["sh", "-c", "sleep 5; touch /tmp/ok; sleep 9"])


def test_a_task_whose_script_is_not_understood_fails_with_its_name():
    lab = Lab(1, 0)
    lab.service(1, flags="--restart-condition none", command="sh -c 'echo x | sort'")
    lab.wait(lambda: str(lab.tasks()[0].status.state) == "failed", within=10)
    assert lab.tasks()[0].status.err == "starting container failed: swarmsim does not model this script: |"


def test_a_shell_that_traps_sigterm_ends_in_order():
    lab = Lab(1, 0)
    lab.service(1, command="sh -c \"trap 'exit 0' TERM; while true; do sleep 1; done\"")
    lab.wait(lambda: lab.running() == 1)
    (container,) = lab.world.engines["m1"].containers.values()
    lab.docker("service scale -d web=0")
    assert lab.wait(lambda: not container.alive) < 2.6
    assert container.exit_code == 0
