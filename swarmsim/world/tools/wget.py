"""``wget`` as busybox has it, to ask a server for a page."""

from __future__ import annotations

import re

from swarmsim.network.connection import Outcome
from swarmsim.sim.future import Activity, Future
from swarmsim.world.clients import Answer
from swarmsim.world.tools.console import Console, Refusal, not_modelled
from swarmsim.world.tools.options import Usage, number
from swarmsim.world.tools.pages import answer_headers, answer_page

NAME_PATIENCE = 10.0
IDLE = 900.0  # seconds without a byte after which wget gives up (-T)
USAGE = Usage(
    "wget",
    "qSO:T:",
    """Usage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]
	[--post-data STR | --post-file FILE] [-Y on/off]
	[--no-check-certificate] [-P DIR] [-U AGENT] URL...

Retrieve files via HTTP or FTP

	--spider	Only check URL existence: $? is 0 if exists
	--header STR	Add STR (of form 'header: value') to headers
	--post-data STR	Send STR using POST method
	--post-file FILE	Send FILE using POST method
	--no-check-certificate	Don't validate the server's certificate
	-c		Continue retrieval of aborted transfer
	-q		Quiet
	-P DIR		Save to DIR (default .)
	-S    		Show server response
	-O FILE		Save to FILE ('-' for stdout)
	-o LOGFILE	Log messages to FILE
	-U STR		Use STR for User-Agent header
	-Y on/off	Use proxy
""",
    long=("spider",),
    real="coPUY",
)
_URL = re.compile(r"(?:http://)?(?P<host>[^/:]+)(?::(?P<port>\d+))?(?P<path>/.*)?")
_WHY = {
    Outcome.REFUSED: "Connection refused",
    Outcome.UNREACHABLE: "No route to host",
    Outcome.TIMEOUT: "Connection timed out",
}


def wget(console: Console, words: list[str]) -> Activity[int]:
    given, addresses = USAGE.read(console, words)
    if not addresses:
        raise USAGE.refusal(console)
    if len(addresses) > 1:
        raise not_modelled("wget", "request for several pages")
    match = _URL.fullmatch(addresses[0])
    if match is None or addresses[0].startswith(("https:", "ftp:")):
        raise not_modelled("wget", "protocol other than http")
    limit = number("wget", given["T"], whole=True) if "T" in given else 0.0
    name, port = match["host"], int(match["port"] or 80)
    found = yield from console.find(name, NAME_PATIENCE)
    if not found.addresses:
        raise Refusal(1, f"wget: bad address '{name}'\n")
    address, quiet = found.addresses[0], "q" in given
    asked = name if match["port"] is None else f"{name}:{port}"
    if not quiet:
        console.err(f"Connecting to {asked} ({address}:{port})\n")
    done: Future[Answer] = console.clock.future()
    console.standpoint.get(address, port, limit or IDLE, done.succeed)
    answer: Answer = yield from done
    if answer.outcome is not Outcome.OK:
        raise Refusal(1, f"wget: {_complaint(answer, address, limit)}\n")
    if "S" in given:
        console.err("".join(f"  {line}\n" for line in ("HTTP/1.1 200 OK", *answer_headers(answer), "")))
    if "spider" in given:
        console.err("" if quiet else "remote file exists\n")
        return 0
    _save(console, answer, asked, given.get("O", _file(match["path"])), quiet)
    return 0


def _complaint(answer: Answer, address: str, limit: float) -> str:
    if answer.outcome is Outcome.TIMEOUT and (limit or answer.opened):
        return "download timed out"
    if not answer.opened:
        return f"can't connect to remote host ({address}): {_WHY[answer.outcome]}"
    return "error getting response" + (": Connection reset by peer" if answer.outcome is Outcome.RESET else "")


def _file(path: str | None) -> str:
    return (path or "/").rpartition("/")[2] or "index.html"


def _save(console: Console, answer: Answer, asked: str, file: str, quiet: bool) -> None:
    """A page to stdout, or to a file that nobody will read here."""
    body, to_stdout = answer_page(answer, asked), file == "-"
    told = ("writing to stdout", "written to stdout") if to_stdout else (f"saving to '{file}'", f"'{file}' saved")
    bar = f"{file.rpartition('/')[2]:<20.20} 100% |{'*' * 32}| {len(body.encode()):5}  0:00:00 ETA"
    console.err("" if quiet else f"{told[0]}\n")
    if to_stdout:
        console.out(body)
    console.err("" if quiet else f"{bar}\n{told[1]}\n")
