"""Asking an authority outside the swarm to sign, as cfssl is asked (ca/external.go).

The request is the JSON that SwarmKit sends, the answer what cfssl answers: ``{"success": true, "result": {"certificate": PEM}}``. What can be
mended (nobody there, too late, no JSON, another status than 200) is tried again; a refusal is final.
"""

from __future__ import annotations

import json

from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.net.http import HttpError, HttpReply, post
from swarmsim.sim.net.tls import Credentials
from swarmsim.sim.scope import Scope
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.ca.certificates import CertificateError, RootCA, UnknownAuthority

REQUEST_TIMEOUT = 5.0  # seconds for each URL, ExternalRequestTimeout


class SigningError(ModelError):
    """It was not signed. ``final``: nor will it be."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final


class AuthorityIdentity:
    """What an authority shows: a certificate that its own ``root`` signed. It serves whoever comes."""

    unit = name = organization = ""

    def __init__(self, root: RootCA) -> None:
        self.root = root

    def refusal_of(self, other: Credentials) -> str | None:
        return None


class AuthorityClient:
    """A manager that trusts some ``roots`` (PEM) as authorities'."""

    unit = name = organization = ""

    def __init__(self, wall: WallClock, roots: tuple[str, ...]) -> None:
        self.wall = wall
        self.roots = roots

    def refusal_of(self, other: Credentials) -> str | None:
        try:
            if not isinstance(other, AuthorityIdentity) or other.root.pem not in self.roots:
                raise UnknownAuthority
            other.root.verify(self.wall.now)
        except CertificateError as error:
            return str(error)
        return None


def ask_to_sign(process: Process, scope: Scope, urls: list[str], body: str, roots: tuple[str, ...]) -> Activity[str]:
    """The certificate in PEM, from the first of ``urls`` that signs; ``roots`` (PEM) are trusted. Raises :class:`SigningError`, that of the last."""
    failure = SigningError("no external CA URLs", final=True)
    client = AuthorityClient(process.host.wall, roots)
    for url in urls:
        try:
            reply = yield from post(process, scope, url, body, client, REQUEST_TIMEOUT)
            return _read(reply)
        except HttpError as error:
            failure = SigningError(f"unable to perform certificate signing request: {error}")
        except SigningError as error:
            failure = error
    raise failure


def _read(reply: HttpReply) -> str:
    if reply.status != 200:
        raise SigningError(f"unexpected status code in CSR response: {reply.status} - {reply.body}")
    try:
        answer = json.loads(reply.body)
    except ValueError as error:
        raise SigningError(f"unable to parse JSON response: {error}") from None
    if not isinstance(answer, dict):
        raise SigningError(f"unable to parse JSON response: {reply.body[:20]!r} is no object")
    if not answer.get("success") or answer.get("result") is None:
        errors = answer.get("errors") or []
        if errors:
            told = " ".join(f"{{{each.get('code')} {each.get('message')}}}" for each in errors)
            raise SigningError(f"response errors: [{told}]", final=True)
        raise SigningError("certificate signing request failed", final=True)
    result = answer["result"]
    if not isinstance(result, dict):
        raise SigningError("invalid result type: " + type(result).__name__, final=True)
    certificate = result.get("certificate")
    if not isinstance(certificate, str):
        raise SigningError("invalid result certificate field type: " + type(certificate).__name__, final=True)
    return certificate
