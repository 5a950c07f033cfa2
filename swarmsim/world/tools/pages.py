"""What a program shows of an answer: its headers, and its page with who was asked and by whom."""

from __future__ import annotations

from datetime import timedelta

from swarmsim.engine.pages import page
from swarmsim.engine.server import ContainerServer
from swarmsim.sim.clock import EPOCH
from swarmsim.world.clients import Answer


def _server(answer: Answer) -> ContainerServer:
    assert answer.server is not None
    return answer.server


def answer_page(answer: Answer, asked: str) -> str:
    """``asked`` is what stands in the header ``Host``."""
    server = _server(answer)
    return page(
        server.serving.page,
        hostname=server.hostname,
        addresses="".join(f"IP: {address}\n" for address in server.addresses),
        client=answer.seen_as,
        client_port=answer.client_port,
        asked=asked,
    )


def answer_headers(answer: Answer, asked: str = "") -> list[str]:
    server = _server(answer)
    now = EPOCH + timedelta(seconds=server.container.host.wall.now)
    software = [f"Server: {server.serving.software}"] if server.serving.software else []
    date = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return [*software, f"Date: {date}", f"Content-Length: {len(answer_page(answer, asked).encode())}"]
