"""A certificate authority outside the swarm, that signs as cfssl does for whoever asks: a host with one process, on the cluster's network.

What it does when asked can be broken: see :data:`ANSWERS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from swarmsim.sim.host import Host, Process, SimContext
from swarmsim.sim.net.http import HttpReply, HttpServer, Respond
from swarmsim.swarm.ca.certificates import new_key, new_serial
from swarmsim.swarm.ca.external import AuthorityIdentity
from swarmsim.swarm.ca.given import answer, authority_root, key_pem

PORT = 8888
"""cfssl's own."""
DAY = 86_400.0  # seconds


class AuthoritySpec(NamedTuple):
    """``takes`` seconds it needs for a signature, ``expiry`` is how long in seconds its certificates live, whatever the swarm wants."""

    name: str
    address: str
    takes: float = 0.02
    expiry: float = 90 * DAY


class Authority:
    """Its ``root`` lies beside every docker command as ``NAME.crt``, and the key as ``NAME.key``."""

    def __init__(self, ctx: SimContext, spec: AuthoritySpec) -> None:
        self.spec = spec
        self.host = Host(ctx, spec.name, spec.address, 1.0, 0)
        self._rng = ctx.streams.stream(f"{spec.name}/authority")
        self._key = new_key(self._rng)
        self._signer = self
        self.root = authority_root(spec.name, self._key, new_serial(self._rng), ctx.clock.now)
        self.files = {f"{spec.name}.crt": self.root.pem, f"{spec.name}.key": key_pem(self._key)}
        self.answers = "sign"
        self.takes = spec.takes
        self.start()

    def start(self) -> None:
        """The machine is up and so is its service."""
        self.process = Process(self.host, "cfssl")
        HttpServer(self.process, PORT, AuthorityIdentity(self.root), self._asked)

    def power_on(self) -> None:
        if not self.host.powered:
            self.host.power_on()
            self.start()

    def signs_as(self, other: Authority) -> None:
        """It signs with another's root and key, as one does that was set up wrongly."""
        self._signer = other

    def _asked(self, path: str, body: str, respond: Respond) -> None:
        reply = ANSWERS[self.answers](self, body)
        if reply is not None:
            self.process.after(self.takes, respond, reply)

    def _sign(self, body: str) -> HttpReply | None:
        try:
            pem = answer(body, self._signer.root, self._signer._key, self._rng, self.host.wall.now, self.spec.expiry)
        except (ValueError, KeyError):
            return HttpReply(400, "bad request")
        return HttpReply(
            200, json.dumps({"success": True, "result": {"certificate": pem}, "errors": [], "messages": []})
        )

    def _refuse(self, body: str) -> HttpReply | None:
        error = {"code": 1234, "message": "policy violation"}
        return HttpReply(200, json.dumps({"success": False, "result": None, "errors": [error], "messages": []}))


ANSWERS: dict[str, Callable[[Authority, str], HttpReply | None]] = {
    "sign": Authority._sign,
    "refuse": Authority._refuse,
    "garbage": lambda authority, body: HttpReply(200, "no json at all"),
    "busy": lambda authority, body: HttpReply(503, "busy"),
    "never": lambda authority, body: None,
}
"""What an authority may do with a request."""
