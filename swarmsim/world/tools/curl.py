"""``curl`` as people type it to ask a published port: its flags, its words, its exit codes (curl 7.88.1, Debian 12).

=====  ========================================================
code   when
=====  ========================================================
1      what answers does not speak HTTP
2      the words are not understood
3      the address is no address
6      nobody knows the name
7      refused, or no route to the host
28     no answer in time
52     the connection ended without an answer
56     the connection was reset
=====  ========================================================

Output goes to a terminal, so there is no progress meter.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from swarmsim.network.connection import Outcome
from swarmsim.sim.future import Activity, Future
from swarmsim.world.clients import Answer
from swarmsim.world.tools.console import Console, Refusal
from swarmsim.world.tools.pages import answer_headers, answer_page

PATIENCE = 300.0
"""Seconds curl waits for a connection if it is not told otherwise."""
WITH_VALUE = {
    "-m": "max-time",
    "-o": "output",
    **{f"--{name}": name for name in ("max-time", "output", "connect-timeout", "resolve")},
}
SWITCHES = {
    "-s": "silent",
    "-S": "show-error",
    "-v": "verbose",
    "-f": "fail",
    **{f"--{name}": name for name in ("silent", "show-error", "verbose", "fail")},
}
REAL = frozenset(
    (
        *("-I", "-i", "-L", "-k", "-X", "-d", "-H", "-u", "-w", "-x", "-A", "-T", "-F", "-O", "-4", "-6", "-Z", "-#"),
        *(
            "--head",
            "--include",
            "--location",
            "--insecure",
            "--request",
            "--data",
            "--header",
            "--user",
            "--write-out",
        ),
        *(
            "--proxy",
            "--retry",
            "--parallel",
            "--fail-with-body",
            "--no-progress-meter",
            "--keepalive-time",
            "--http1.0",
        ),
        *("--interface", "--local-port", "--compressed", "--help", "--version", "--url", "--next"),
    )
)
"""Options that curl has, and that are not modelled."""
NAME_PATIENCE = 10.0
"""Seconds without an answer after which the C library gives a name up."""
_WHY = {
    Outcome.REFUSED: "Connection refused",
    Outcome.UNREACHABLE: "No route to host",
    Outcome.TIMEOUT: "Connection timed out",
}
MANUAL = "curl: try 'curl --help' or 'curl --manual' for more information\n"
_URL = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>[^/:?#]*)(?::(?P<port>\d*))?(?P<path>[/?].*)?", re.IGNORECASE)


class Request(NamedTuple):
    """What was typed, understood. Times in seconds."""

    host: str
    port: int
    path: str
    max_time: float
    silent: bool
    show_error: bool
    verbose: bool
    resolved: dict[str, str]
    output: str
    connect_timeout: float

    @property
    def asked(self) -> str:
        return self.host if self.port == 80 else f"{self.host}:{self.port}"


def understand(words: list[str]) -> Request:
    """What comes after the word ``curl``. Raises :class:`Refusal`.

    >>> understand(["-s", "-m", "2", "slave01:8888"])[:4]
    ('slave01', 8888, '/', 2.0)
    """
    given: dict[str, str] = {}
    addresses: list[str] = []
    resolved: dict[str, str] = {}
    for name, value in _options(words):
        if name == "resolve":
            parts = value.split(":")
            if len(parts) != 3:
                raise Refusal(49, f"curl: (49) Couldn't parse CURLOPT_RESOLVE entry '{value}'\n")
            resolved[f"{parts[0]}:{parts[1]}"] = parts[2]
        elif name:
            given[name] = value
        else:
            addresses.append(value)
    if not addresses:
        raise Refusal(2, MANUAL)
    if len(addresses) > 1:
        raise Refusal(2, "swarmsim: curl asks one address at a time here\n")
    match = _URL.fullmatch(addresses[0])
    port = int(match["port"] or 80) if match is not None else 0
    if match is None or not match["host"] or not 0 < port < 65536:
        raise Refusal(3, "curl: (3) URL using bad/illegal format or missing URL\n")
    if (match["scheme"] or "http").lower() != "http":
        raise Refusal(1, f"swarmsim: {match['scheme']} is real, but not modelled yet: ask http\n")
    if given.get("output", "/dev/null") != "/dev/null":
        raise Refusal(23, "swarmsim: files are not modelled yet: curl -o /dev/null is\n")
    return Request(
        match["host"],
        port,
        match["path"] or "/",
        _seconds(given, "max-time"),
        "silent" in given,
        "show-error" in given,
        "verbose" in given,
        resolved,
        given.get("output", ""),
        _seconds(given, "connect-timeout"),
    )


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Options with their values; addresses under the empty name."""
    found: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            found.append(("", word))
            continue
        letters = [word] if word.startswith("--") else [f"-{letter}" for letter in word[1:]]
        for place, option in enumerate(letters):
            if option in SWITCHES:
                found.append((SWITCHES[option], ""))
            elif option in WITH_VALUE:
                glued = "".join(letter[1:] for letter in letters[place + 1 :])
                if not glued and not rest:
                    raise Refusal(2, f"curl: option {word}: requires parameter\n{MANUAL}")
                found.append((WITH_VALUE[option], glued or rest.pop(0)))
                break
            elif option in REAL:
                raise Refusal(2, f"swarmsim: curl's option {option} is real, but not modelled yet\n")
            else:
                raise Refusal(2, f"curl: option {word}: is unknown\n{MANUAL}")
    return found


def _seconds(given: dict[str, str], name: str) -> float:
    text = given.get(name, "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if seconds < 0:
        option = "-m" if name == "max-time" else f"--{name}"
        raise Refusal(2, f"curl: option {option}: expected a proper numerical parameter\n{MANUAL}")
    return seconds


def curl(console: Console, words: list[str]) -> Activity[int]:
    request = understand(words)
    return (yield from _Run(console, request).run())


class _Run:
    """One request of curl's."""

    def __init__(self, console: Console, request: Request) -> None:
        self.console = console
        self.request = request

    def note(self, text: str) -> None:
        """A line of ``-v``."""
        if self.request.verbose:
            self.console.err(f"* {text}\n")

    def complain(self, code: int, text: str) -> int:
        request = self.request
        self.note(text)
        self.note("Closing connection 0")
        if not request.silent or request.show_error:
            self.console.err(f"curl: ({code}) {text}\n")
        return code

    def run(self) -> Activity[int]:
        """Its addresses are tried in turn, and of the time to connect each may have half of what is left, the last one all."""
        request, clock = self.request, self.console.clock
        began = clock.now
        given = request.resolved.get(f"{request.host}:{request.port}")
        addresses: tuple[str, ...] = (given,) if given else ()
        if not addresses:
            limit = request.max_time or PATIENCE
            addresses = (yield from self.console.find(request.host, min(NAME_PATIENCE, limit))).addresses
        if not addresses:
            return self.complain(6, f"Could not resolve host: {request.host}")
        connecting = min(time for time in (request.max_time, request.connect_timeout, PATIENCE) if time)
        for number, address in enumerate(addresses, 1):
            last = number == len(addresses)
            left = began + connecting - clock.now
            self.note(f"  Trying {address}:{request.port}...")
            answer = yield from self._ask(address, left if last else left / 2, began)
            if answer.opened or last:
                break
            self.note(f"connect to {address} port {request.port} failed: {_WHY[answer.outcome]}")
        return self.told(answer._replace(seconds=clock.now - began), address)

    def _ask(self, address: str, connecting: float, began: float) -> Activity[Answer]:
        request, standpoint = self.request, self.console.standpoint
        left = began + request.max_time - self.console.clock.now if request.max_time else None
        done: Future[Answer] = self.console.clock.future()
        standpoint.get(address, request.port, left, done.succeed, connecting)
        return (yield from done)

    def told(self, answer: Answer, address: str) -> int:
        request, outcome = self.request, answer.outcome
        took = int(answer.seconds * 1000)
        if not answer.opened:
            if outcome is Outcome.TIMEOUT:
                return self.complain(28, f"Connection timed out after {took} milliseconds")
            self.note(f"connect to {address} port {request.port} failed: {_WHY[outcome]}")
            failed = (
                f"Failed to connect to {request.host} port {request.port} after {took} ms: Couldn't connect to server"
            )
            return self.complain(7, failed)
        self.note(f"Connected to {request.host} ({address}) port {request.port} (#0)")
        self.headers(
            f"GET {request.path} HTTP/1.1", f"Host: {request.asked}", "User-Agent: curl/7.88.1", "Accept: */*", sign=">"
        )
        if outcome is Outcome.EOF:
            return self.complain(52, "Empty reply from server")
        if outcome is Outcome.RESET:
            return self.complain(56, "Recv failure: Connection reset by peer")
        if outcome is Outcome.TIMEOUT:
            return self.complain(28, f"Operation timed out after {took} milliseconds with 0 bytes received")
        assert answer.server is not None
        if not answer.server.serving.speaks_http:
            return self.complain(1, "Received HTTP/0.9 when not allowed")
        self.response(answer)
        return 0

    def headers(self, *lines: str, sign: str) -> None:
        if self.request.verbose:
            self.console.err("".join(f"{sign} {line}\n" for line in (*lines, "")))

    def response(self, answer: Answer) -> None:
        self.headers("HTTP/1.1 200 OK", *answer_headers(answer, self.request.asked), sign="<")
        if not self.request.output:
            self.console.out(answer_page(answer, self.request.asked))
        self.note(f"Connection #0 to host {self.request.host} left intact")
