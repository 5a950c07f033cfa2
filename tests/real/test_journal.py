"""The journal: whatever becomes of who makes changes, what is written down before undoes them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from swarmsim.real.journal import Journal
from swarmsim.real.machine import MachineError


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """What changes are made to: a file holds which are in force."""
    (tmp_path / "ground").mkdir()
    return tmp_path / "ground"


def made(journal: Journal, ground: Path, name: str) -> None:
    journal.write(f"make {name}", f"rm -f {ground}/{name}; echo {name} >>{ground}/../order")
    (ground / name).touch()


def test_everything_is_undone_the_last_first(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    for name in ("first", "second", "third"):
        made(journal, ground, name)
    assert journal.entries == ["make-first", "make-second", "make-third"]
    assert journal.undo_all()
    assert not list(ground.iterdir())
    assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]
    assert journal.entries == []
    assert journal.undo_all(), "undoing nothing is no failure"


def test_another_controller_goes_on_with_the_numbers(tmp_path, ground):
    made(Journal(tmp_path / "journal"), ground, "first")
    again = Journal(tmp_path / "journal")
    made(again, ground, "second")
    assert again.entries == ["make-first", "make-second"]


def test_what_cannot_be_undone_stays_and_is_told(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    journal.write("break for good", "exit 3")
    made(journal, ground, "other")
    assert not journal.undo_all()
    assert journal.entries == ["break-for-good"]
    assert not list(ground.iterdir()), "the others are undone all the same"


CONTROLLER = """\
import os, signal, sys
from pathlib import Path
from swarmsim.real.journal import Journal
from swarmsim.real.machine import MachineError
journal, ground, steps = Journal(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
def step():
    global steps
    steps -= 1
    if steps < 0: os.kill(os.getpid(), signal.SIGKILL)
for name in ("a", "b", "c"):
    step()
    journal.write(f"make {name}", f"rm -f {ground}/{name}")
    step()
    (ground / name).touch()
step()
journal.undo_all()
"""


@pytest.mark.parametrize("steps", range(7))
def test_killed_at_any_step_everything_can_be_undone(tmp_path, ground, steps):
    words = [sys.executable, "-c", CONTROLLER, str(tmp_path / "journal"), str(ground), str(steps)]
    done = subprocess.run(words, check=False)
    assert done.returncode == -signal.SIGKILL
    journal = Journal(tmp_path / "journal")
    assert len(journal.entries) == (steps + 1) // 2
    assert journal.undo_all()
    assert not list(ground.iterdir())


def test_undoing_that_is_killed_is_done_again(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    made(journal, ground, "first")
    journal.write("wait", f"kill -9 $PPID; rm -f {ground}/second")
    (ground / "second").touch()
    assert not journal.undo_all(), "the shell that undoes was killed"
    assert journal.entries == ["make-first", "wait"]
    (tmp_path / "journal" / "000002-wait.undo").write_text(f"rm -f {ground}/second\n")
    assert journal.undo_all()
    assert not list(ground.iterdir())


def test_two_who_undo_at_once_take_turns(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    for number in range(5):
        journal.write(f"n {number}", f"echo {number} >>{ground}/log; sleep 0.05")
    both = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from swarmsim.real.journal import *; Journal(Path({str(tmp_path / 'journal')!r})).undo_all()",
            ]
        )
        for _ in range(2)
    ]
    assert [each.wait() for each in both] == [0, 0]
    assert (ground / "log").read_text().split() == ["4", "3", "2", "1", "0"]


def test_the_dead_mans_switch_undoes_when_nobody_is_there_any_more(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    made(journal, ground, "left-behind")
    journal.arm(patience=1.0)
    for _ in range(200):
        if not journal.entries:
            break
        time.sleep(0.05)
    assert not list(ground.iterdir())


def test_whoever_stood_still_for_too_long_is_told(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    made(journal, ground, "left-behind")
    switch = journal.arm(patience=1.0)
    journal.still_here(patience=1.0)
    assert switch.wait(60) == 0
    with pytest.raises(MachineError, match="stood still"):
        journal.still_here()
    assert journal.entries == []


def test_a_switch_that_is_not_needed_ends(tmp_path, ground):
    journal = Journal(tmp_path / "journal")
    made(journal, ground, "still-wanted")
    switch = journal.arm(patience=2.0)
    journal.disarm()
    assert switch.wait(60) == 0
    assert journal.entries == ["make-still-wanted"]
