"""The app in a browser: every visitor has a cluster of their own, and a folder for what they save."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import sys
from html import escape
from importlib.resources import files
from pathlib import Path

from swarmsim.replay.texts import language_named
from swarmsim.tui.start import WatchError, app_for
from swarmsim.tui.texts import Texts


def serve(
    what: str,
    seed: int | None,
    speed: float,
    messages: bool,
    lang: str | None,
    host: str,
    port: int,
    student: str | None = None,
) -> None:
    """Serve the app to browsers until interrupted. Raises :class:`WatchError`."""
    app_for(what, seed, speed, messages, lang, student).player.close()  # so that mistakes are told here
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise WatchError("--web needs textual-serve: pip install 'docker-swarmsim[web]'") from None

    page = page_for(Path(what).name, Texts(language_named(lang)))

    class OwnPage(Server):
        """With a page of ours, that asks nobody else for anything."""

        async def handle_index(self, request: web.Request) -> web.Response:
            return web.Response(text=page, content_type="text/html")

    _check_port(host, port)
    words = [sys.executable, "-m", "swarmsim", "watch", what, "--speed", f"{speed:g}"]
    words += ["--seed", str(seed)] if seed is not None else []
    words += ["--student", student] if student is not None else []
    words += ["--messages"] if messages else []
    words += ["--lang", lang] if lang else []
    OwnPage(shlex.join(words), host=host, port=port, title="swarmsim").serve()


def page_for(title: str, texts: Texts) -> str:
    """The page that shows the terminal of a visitor."""
    page = files("swarmsim.tui.web").joinpath("page.html").read_text("utf-8")
    for name, text in (
        ("language", texts.language),
        ("title", f"swarmsim: {title}"),
        ("opening", texts("web opening")),
        ("ended", texts("web ended")),
        ("again", texts("web again")),
    ):
        page = page.replace("{{" + name + "}}", escape(text))
    return page


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
