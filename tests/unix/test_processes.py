"""Processes on the clock: signals, pipes that block, the first process, and bounds."""

from swarmsim.unix.process import STEPS_AT_ONCE
from tests.unix.container import Container, run


def test_sleep_takes_time_and_commands_none():
    assert run("echo a; sleep 2; sleep 1.5; echo b").seconds == 3.5


def test_commands_of_a_pipeline_run_side_by_side():
    assert run("sleep 2 | sleep 3 | sleep 1").seconds == 3.0


def test_the_first_process_gets_only_signals_it_asked_for():
    container = Container()
    process = container.start("sh", "-c", "sleep 10")
    container.clock.run(until=1.0)
    process.kill("TERM")
    container.clock.run(until=2.0)
    assert process.status is None
    process.kill("KILL")
    assert process.status == 137


def test_a_trap_waits_for_the_command_in_the_foreground():
    container = Container()
    process = container.start("sh", "-c", "trap 'echo bye; exit 0' TERM; while true; do sleep 5; done")
    container.clock.run(until=2.0)
    process.kill("TERM")
    container.clock.run(until=30.0)
    assert (process.status, container.ended_at, bytes(container.output)) == (0, 5.0, b"bye\n")


def test_a_trap_interrupts_wait():
    container = Container()
    process = container.start("sh", "-c", "trap 'exit 3' TERM; sleep 100 & wait")
    container.clock.run(until=2.0)
    process.kill("TERM")
    container.clock.run(until=3.0)
    assert (process.status, container.ended_at) == (3, 2.0)


def test_when_the_first_process_ends_all_others_are_killed():
    container = Container()
    container.run("sh", "-c", "sleep 100 & echo started")
    assert container.system.processes == {}


def test_an_exec_sees_the_processes_and_can_end_them():
    container = Container()
    first = container.start("sh", "-c", "trap 'exit 7' TERM; while true; do sleep 1; done")
    container.clock.run(until=1.5)
    container.run("sh", "-c", "ps | grep -v ps; kill 1", until=4.0)
    assert "1 root" in container.output.decode()
    assert (first.status, container.ended_at) == (7, 2.0)


def test_whoever_writes_for_ever_into_a_pipe_is_stopped_when_nobody_reads_any_more():
    assert run("yes | head -n 2; echo $?").output == "y\ny\n0\n"


def test_a_loop_without_pause_costs_a_bounded_number_of_steps_for_each_second():
    container = Container()
    container.start("sh", "-c", "while true; do :; done")
    container.clock.run(until=2.5)
    assert container.system.was_busy
    assert container.system._steps <= STEPS_AT_ONCE + 5


def test_what_is_read_without_end_fills_the_memory():
    ran = run("x=$(cat /dev/zero); echo no")
    assert (ran.status, ran.output) == (137, "")


def test_what_is_not_modelled_is_said_and_nothing_else_is_done():
    ran = run("echo a; set -o pipefail; echo b")
    assert ran.output == "a\nswarmsim: set -o pipefail is real, but not modelled yet\n"
    assert ran.status == 126
