"""``getent hosts NAME`` of the GNU C library, and of musl (alpine), which shows one address and the name twice."""

from __future__ import annotations

from functools import partial

from swarmsim.sim.future import Activity
from swarmsim.world.tools.console import Console, Refusal, not_modelled

NOT_FOUND = 2
PATIENCE = 10.0  # seconds, until a resolver that nobody answers gives up
KINDS = ("STREAM", "DGRAM ", "RAW   ")


def _getent(console: Console, words: list[str], *, musl: bool) -> Activity[int]:
    if not words:
        raise Refusal(1, "Usage: getent database [key ...]\n" if musl else "getent: wrong number of arguments\n")
    database, *names = words
    if database not in ("hosts", "ahosts", "ahostsv4") or not names or (musl and database != "hosts"):
        raise not_modelled("getent", f"database {database}" if names else "list of all hosts")
    code = 0
    for name in names:
        found = yield from console.find(name, PATIENCE)
        if not found.addresses:
            code = NOT_FOUND
        elif musl:
            console.out(f"{found.addresses[0]:<15}  {name}  {name}\n")
        elif database == "hosts":
            console.out("".join(f"{address:<15} {name}\n" for address in found.addresses))
        else:
            console.out(_by_kind(name, found.addresses))
    return code


def _by_kind(name: str, addresses: tuple[str, ...]) -> str:
    lines = [f"{address:<15} {kind}" for address in addresses for kind in KINDS]
    return "\n".join([f"{lines[0]} {name}", *(f"{line} " for line in lines[1:])]) + "\n"


getent_glibc = partial(_getent, musl=False)
getent_musl = partial(_getent, musl=True)
