"""In a real terminal, as a person would: keys go in, what is on the screen comes out."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

TMUX = shutil.which("tmux")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(TMUX is None, reason="no tmux (apt-get install tmux)")]


class Terminal:
    """One terminal, of a tmux server of its own."""

    def __init__(self, folder, *words: str, size: tuple[int, int] = (80, 24), **environment: str) -> None:
        self.socket = str(folder / "tmux")
        settings = [f"{name}={value}" for name, value in {"LANG": "C.UTF-8", **environment}.items()]
        command = shlex.join(["env", *settings, sys.executable, "-m", "swarmsim", *words])
        shell = f"{command}; echo ended with $?; sleep 600"
        self.tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder), shell)

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            [str(TMUX), "-S", self.socket, "-f", os.devnull, *words], capture_output=True, text=True, check=False
        )
        return done.stdout

    def screen(self, *options: str) -> str:
        return self.tmux("capture-pane", "-p", *options)

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def until(self, text: str, there: bool = True, tries: int = 900) -> None:
        """A terminal has a clock of its own: it is looked at again and again, in real time."""
        for _ in range(tries):
            if (text in self.screen()) is there:
                return
            time.sleep(0.1)
        raise AssertionError(f"{text!r} never {'came' if there else 'went'}:\n{self.screen()}")


@pytest.fixture
def terminal(tmp_path, request) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, "watch", "--speed", "5", **getattr(request, "param", {}))
    yield opened
    opened.tmux("kill-server")


def test_a_session_from_the_first_plug_to_the_end(terminal):
    terminal.until("6/6")
    terminal.press("Right", "Right", "p")
    terminal.until("no power")
    terminal.press("4")  # at 80×24 the events are a panel of their own
    terminal.until("no heartbeat for")
    terminal.press("1")
    terminal.press(":")
    terminal.until("docker command on m1")  # m2 is selected, and dead
    terminal.press("Escape")
    terminal.until("docker command on m1", there=False)
    terminal.press("Left", ":")
    terminal.until("docker command on m1")
    terminal.press("node ls", "Enter")
    terminal.until("HOSTNAME")
    terminal.press("node updat", "Enter")
    terminal.until("unknown command: docker node updat")
    terminal.press("Escape")
    terminal.until("docker command on m1", there=False)
    terminal.press("?")
    terminal.until("Undo is going back")
    terminal.press("Escape")
    terminal.until("Undo is going back", there=False)
    terminal.press("q")
    terminal.until("not saved")
    terminal.press("y")
    terminal.until("ended with 0")
    assert "Traceback" not in terminal.screen()


@pytest.mark.parametrize("terminal", [{"size": (80, 24)}, {"size": (120, 40)}], ids=str, indirect=True)
def test_the_tutorial_word_by_word(terminal):
    terminal.until("6/6")
    terminal.press("Space")  # 1: stop time, and let it go on
    terminal.until("‖")
    terminal.press("Space")
    terminal.until("▶")
    terminal.press(*["Right"] * 4, "p")  # 2: w1
    terminal.until("no power")
    terminal.press("4")
    terminal.until("heartbeat failure (no heartbeat for")
    terminal.press("1", "p")
    terminal.until("no power", there=False)
    terminal.press(*["Left"] * 5, "p")  # 3: m1, then m2
    terminal.until("no power")
    terminal.press("Right", "p")
    terminal.until("only 1 of 3 managers are left")
    terminal.press("y")
    terminal.until("no quorum")
    terminal.press("3")
    terminal.until("stands in")
    terminal.press(":")
    terminal.until("docker command on m3")
    terminal.press("node ls", "Enter")
    terminal.until("Error response from daemon: rpc error")
    terminal.press("Escape")
    terminal.until("docker command", there=False)
    while "no quorum" in terminal.screen():  # 4
        terminal.press("{")
        time.sleep(0.3)
    terminal.press("1", "Left", *["Right"] * 4, "p")
    terminal.until("future 2")
    terminal.press("B")
    terminal.until("the same until")
    terminal.press("Escape")
    terminal.until("the same until", there=False)
    terminal.press("C-s")
    terminal.until("playground-watched")
    terminal.press("Enter")
    terminal.until("saved:")
    terminal.press("q")
    terminal.until("What was done by hand is not saved")  # in the first future
    terminal.press("y")
    terminal.until("ended with 0")


@pytest.mark.parametrize("terminal", [{"NO_COLOR": "1"}], indirect=True)
def test_without_colours_everything_is_still_told(terminal):
    terminal.until("6/6")
    terminal.press("Right", "p")
    terminal.until("no power")
    escapes = terminal.screen("-e")
    colours = {code for code in escapes.split("\x1b[38;2;")[1:] for code in [code.split("m")[0]]}
    assert all(len(set(code.split(";"))) == 1 for code in colours)  # grey or none
    assert "⊗" in escapes


@pytest.mark.parametrize("terminal", [{"LANG": "zh_CN.UTF-8", "LC_ALL": ""}], indirect=True)
def test_the_locale_chooses_the_language(terminal):
    terminal.until("集群")
