"""How the app keeps up with 1,000 nodes and 10,000 tasks at 100 times real time."""

from __future__ import annotations

import asyncio
import statistics
import time

from textual import events
from textual.pilot import Pilot

from swarmsim.replay.recording import Recording
from swarmsim.scenario.loader import parse_scenario
from swarmsim.tui.app import WatchApp
from swarmsim.tui.player import Future, Player
from swarmsim.tui.start import app_for
from swarmsim.tui.texts import Texts

BIG = """
name: big
cluster: {managers: 3, workers: 997}
steps:
  - docker: service create -d --no-resolve-image --name web --replicas 10000 mini:1 sleep 100000000
  - wait: {service: web, running: 10000}
    within: 10m
"""
BUSY = 12.0
"""Seconds of watching, from when the service is created: its tasks start all the while."""
KEYS = 60


def big_app() -> WatchApp:
    loaded = parse_scenario(BIG, "big.yaml")
    player = Player(Future("1", Recording({}, []), loaded))
    player.speed = 100.0
    return WatchApp(player, Texts("en"), title="big")


async def _begun(pilot: Pilot[None]) -> WatchApp:
    app = pilot.app
    assert isinstance(app, WatchApp)
    while not app.player.recording.latest.tasks:
        await asyncio.sleep(0.05)
    return app


async def _frames() -> float:
    async with big_app().run_test(size=(120, 40)) as pilot:
        app = await _begun(pilot)
        began, frames = time.monotonic(), app.frames
        await asyncio.sleep(BUSY)
        return (app.frames - frames) / (time.monotonic() - began)


async def _latency() -> float:
    """The 95th percentile of the milliseconds from a key to what it does."""
    async with big_app().run_test(size=(120, 40)) as pilot:
        app = await _begun(pilot)
        waits = []
        for number in range(KEYS):
            key = "minus" if number % 2 else "plus"
            speed, began = app.player.speed, time.monotonic()
            app.post_message(events.Key(key, None))
            while app.player.speed == speed:
                await asyncio.sleep(0)
            waits.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(0.1)
        return statistics.quantiles(waits, n=20)[-1]


def frames_a_second() -> float:
    """Redraws a second while 10,000 tasks start."""
    return asyncio.run(_frames())


def key_latency() -> float:
    """Milliseconds from a key to what it does, 95th percentile, while 10,000 tasks start."""
    return asyncio.run(_latency())


async def opened(trace: str) -> None:
    """Open a trace and see its first picture."""
    app = app_for(trace, 1, 1.0, False, "en")
    async with app.run_test(size=(120, 40)):
        while not app.player.recording.latest.hosts:
            await asyncio.sleep(0.01)
