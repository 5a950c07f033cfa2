"""How the app keeps up with 1,000 nodes and 10,000 tasks at 100 times real time."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from swarmsim.replay.recording import Recording
from swarmsim.scenario.loader import parse_scenario
from swarmsim.tui.app import WatchApp
from swarmsim.tui.player import Future, Player
from swarmsim.tui.start import app_for
from swarmsim.tui.texts import Texts


def big_app(nodes: int, tasks: int) -> WatchApp:
    """The app at the moment when a service with so many tasks is created."""
    loaded = parse_scenario(
        f"""
name: big
cluster: {{managers: 3, workers: {nodes - 3}}}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas {tasks} mini:1 sleep 100000000
  - wait: {{service: web, running: {tasks}}}
    within: 10m
""",
        "big.yaml",
    )
    player = Player(Future("1", Recording({}, []), loaded))
    player.speed = 100.0
    return WatchApp(player, Texts("en"), title="big")


async def _begun(pilot: Pilot[None]) -> WatchApp:
    app = pilot.app
    assert isinstance(app, WatchApp)
    while not app.player.recording.latest.tasks:
        await asyncio.sleep(0.05)
    return app


async def _frames(app: WatchApp, seconds: float) -> float:
    async with app.run_test(size=(120, 40)) as pilot:
        app = await _begun(pilot)
        began, frames = time.monotonic(), app.frames
        await asyncio.sleep(seconds)
        return (app.frames - frames) / (time.monotonic() - began)


async def _latency(app: WatchApp, keys: int) -> float:
    """The 95th percentile of the milliseconds from a key to what it does."""
    async with app.run_test(size=(120, 40)) as pilot:
        app = await _begun(pilot)
        waits = []
        for number in range(keys):
            key = "minus" if number % 2 else "plus"
            speed, began = app.player.speed, time.monotonic()
            app.post_message(events.Key(key, None))
            while app.player.speed == speed:
                await asyncio.sleep(0)
            waits.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(0.1)
        return statistics.quantiles(waits, n=20)[-1]


def frames_a_second(nodes: int, tasks: int, seconds: float) -> float:
    """Redraws a second for so many seconds of watching, from when the service is created: its tasks start all the while."""
    return asyncio.run(_frames(big_app(nodes, tasks), seconds))


def key_latency(nodes: int, tasks: int, keys: int) -> float:
    """Milliseconds from a key to what it does, 95th percentile of so many, while tasks start."""
    return asyncio.run(_latency(big_app(nodes, tasks), keys))


async def opened(trace: str) -> None:
    """Open a trace and see its first picture."""
    app = app_for(trace, 1, 1.0, False, "en")
    async with app.run_test(size=(120, 40)):
        while not app.player.recording.latest.hosts:
            await asyncio.sleep(0.01)


def idle_share(seconds: float, size: tuple[int, int] = (120, 40)) -> float:
    """Percent of a core that ``swarmsim watch`` takes at 1× when nothing happens: of app and simulation together, in a real terminal.

    ``size`` is the terminal's, in columns and lines. Linux only: the kernel is asked what the processes used.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        os.execv(sys.executable, [sys.executable, "-m", "swarmsim", "watch"])
    _look(terminal, 25.0)  # until the playground's tasks run
    began, before = time.monotonic(), _cpu(pid)
    _look(terminal, seconds)
    used, took = _cpu(pid) - before, time.monotonic() - began
    with contextlib.suppress(OSError):
        os.write(terminal, b"q")
        _look(terminal, 5.0)
    os.waitpid(pid, 0)
    return 100 * used / took


def _look(terminal: int, seconds: float) -> None:
    """Read what is drawn, as a terminal does."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65_536)


def _cpu(pid: int) -> float:
    """Seconds of CPU time a process and those it started have used."""
    told = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    children = [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text("utf-8").split()
    ]
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK") + sum(_cpu(int(child)) for child in children)
