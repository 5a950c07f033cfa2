"""Starting the app: from a scenario or a trace, in the terminal or in a browser."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import sys
from pathlib import Path

from swarmsim.replay.recording import Recording, of_trace
from swarmsim.replay.texts import language_named
from swarmsim.scenario.loader import parse_scenario, read_scenario
from swarmsim.scenario.runner import trace_header
from swarmsim.trace.reader import load_trace
from swarmsim.tui.app import WatchApp
from swarmsim.tui.player import SPEEDS, Future, Player
from swarmsim.tui.texts import Texts

TRACES = (".jsonl", ".parquet", ".partial")


class WatchError(Exception):
    """The app cannot be started; the message says what would be right."""


def app_for(what: str, seed: int, speed: float, messages: bool, lang: str | None) -> WatchApp:
    """The app, ready to run. Raises :class:`WatchError`, :class:`ScenarioError` and :class:`TraceError`."""
    try:
        texts = Texts(language_named(lang))
    except ValueError as problem:
        raise WatchError(str(problem)) from None
    if what.endswith(TRACES):
        if messages:
            raise WatchError("--messages is for scenarios: a trace has them or not (swarmsim run --messages)")
        recording = of_trace(load_trace(what))
        player = Player(Future("1", recording))
        player.messages = any(row["kind"] == "raft.message" for row in recording.rows[:5000])
        app = WatchApp(player, texts, title=Path(what).name)
    else:
        text, source = read_scenario(what)
        loaded = parse_scenario(text, source)
        future = Future("1", Recording(trace_header(loaded, seed), []), loaded, seed=seed)
        app = WatchApp(Player(future, messages=messages), texts, title=loaded.scenario.name, text=text)
    app.player.speed = min(SPEEDS, key=lambda known: abs(known - speed))
    return app


def start(what: str, seed: int, speed: float, messages: bool, lang: str | None) -> None:
    """Run the app in this terminal. Raises :class:`WatchError`."""
    app = app_for(what, seed, speed, messages, lang)
    # Served to a browser, Textual draws into a pipe.
    if "TEXTUAL_DRIVER" not in os.environ and not (sys.stdin.isatty() and sys.stdout.isatty()):
        app.player.close()
        raise WatchError(
            f"watch needs a terminal; without one: swarmsim run {shlex.quote(what)} (a timeline), "
            "swarmsim report TRACE (a page), or swarmsim watch --web (in a browser)"
        )
    app.run()


def serve(what: str, seed: int, speed: float, messages: bool, lang: str | None, host: str, port: int) -> None:
    """Serve the app to browsers until interrupted. Raises :class:`WatchError`."""
    app_for(what, seed, speed, messages, lang).player.close()  # so that mistakes are told here
    try:
        from textual_serve.server import Server
    except ImportError:
        raise WatchError("--web needs textual-serve: pip install 'docker-swarmsim[web]'") from None
    _check_port(host, port)
    words = [sys.executable, "-m", "swarmsim", "watch", what, "--seed", str(seed), "--speed", f"{speed:g}"]
    words += ["--messages"] if messages else []
    words += ["--lang", lang] if lang else []
    Server(shlex.join(words), host=host, port=port, title="swarmsim").serve()


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise WatchError(f"--host {host}: no such address") from None
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise WatchError(f"port {port} at {host} is in use; choose another with --port") from None
        raise WatchError(f"cannot listen at {host}:{port}: {os.strerror(problem.errno or 0)}") from None
