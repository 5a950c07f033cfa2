"""``nslookup`` as busybox has it: asks 127.0.0.11 for a name's IPv4 and IPv6 addresses at once, and shows the answers as they come."""

from __future__ import annotations

from swarmsim.sim.future import Activity
from swarmsim.world.tools.console import Console, Refusal, not_modelled
from swarmsim.world.tools.options import Usage

SERVER = "127.0.0.11"
PATIENCE = 5.0  # seconds
IPV6_FIRST = 8 / 18
"""How often the answer about IPv6 comes first, as recorded."""
USAGE = Usage(
    "nslookup",
    "",
    """Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any
""",
)


def nslookup(console: Console, words: list[str]) -> Activity[int]:
    kinds, arguments = _read(console, words)
    name = arguments[0]
    if name.replace(".", "").isdigit():
        raise not_modelled("nslookup", "question for the name of an address")
    if arguments[1:] not in ([], [SERVER]):
        raise not_modelled("nslookup", "question to another server")
    found = console.inside.ask(name)
    yield found.seconds if found.answered else PATIENCE
    if not found.answered:
        console.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    console.out(f"Server:\t\t{SERVER}\nAddress:\t{SERVER}:53\n\n")
    if len(kinds) > 1 and console.rng.random() < IPV6_FIRST:
        kinds.reverse()
    for kind in kinds:
        console.out(_answer(name, found.addresses, kind))
    return 0 if found.addresses else 1


def _read(console: Console, words: list[str]) -> tuple[list[str], list[str]]:
    """The kinds of addresses that are asked for, and the arguments."""
    kinds, arguments = ["a", "aaaa"], []
    for word in words:
        if word == "--help":
            raise Refusal(0, f"{console.busybox}\n\n{USAGE.text}")
        if word.startswith(("-type=", "-querytype=")):
            kind = word.partition("=")[2].lower()
            if kind not in ("a", "aaaa"):
                raise not_modelled("nslookup", f"question for {kind}")
            kinds = [kind]
        elif word == "-debug":
            raise not_modelled("nslookup", "option -debug")
        elif word.startswith("-"):
            raise USAGE.refusal(console, f"invalid option -- '{word[1:2]}'")
        else:
            arguments.append(word)
    if not 1 <= len(arguments) <= 2:
        raise USAGE.refusal(console)
    return kinds, arguments


def _answer(name: str, addresses: tuple[str, ...], kind: str) -> str:
    if not addresses:
        return f"** server can't find {name}: NXDOMAIN\n\n"
    found = addresses if kind == "a" else ()
    return "Non-authoritative answer:\n" + "".join(f"Name:\t{name}\nAddress: {each}\n" for each in found) + "\n"
