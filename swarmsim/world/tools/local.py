"""Programs that only tell of their own container: ``cat`` of what docker writes into it, ``env``, ``hostname``, ``id``, ``ip``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from swarmsim.engine.overlays import mac_address
from swarmsim.sim.clock import EPOCH
from swarmsim.sim.future import Activity
from swarmsim.world.interfaces import Interface, interfaces
from swarmsim.world.standpoint import InContainer
from swarmsim.world.tools.console import Console, Refusal, not_modelled

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOOPBACK = """1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
"""
HOSTS = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def files_of(place: InContainer) -> dict[str, Callable[[], bytes]]:
    """What docker writes into a container: the contents by path."""
    container = place.container

    def hosts() -> bytes:
        addresses = (each.address.partition("/")[0] for each in container.attachments)
        return (HOSTS + "".join(f"{address}\t{container.hostname}\n" for address in addresses)).encode()

    return {
        "/etc/hostname": lambda: f"{container.hostname}\n".encode(),
        "/etc/hosts": hosts,
        "/etc/resolv.conf": lambda: b"nameserver 127.0.0.11\noptions ndots:0\n",
    }


def cat(console: Console, words: list[str]) -> Activity[int]:
    """Of images nobody can look into: only what docker writes."""
    code = 0
    yield 0.0
    files = files_of(console.inside)
    for path in words:
        if path in files:
            console.out(files[path]().decode())
        elif path.startswith(("/etc/", "/proc/", "/run/", "/sys/", "/usr/", "/var/", "-")):
            raise not_modelled("cat", path)
        else:
            console.err(f"cat: {path}: No such file or directory\n")
            code = 1
    if not words:
        raise not_modelled("cat", "standard input")
    return code


def date(console: Console, words: list[str]) -> Activity[int]:
    if words:
        raise not_modelled("date", words[0])
    yield 0.0
    now = EPOCH + timedelta(seconds=console.inside.engine.host.wall.now)
    console.out(now.strftime("%a %b %e %H:%M:%S UTC %Y\n"))
    return 0


def env(console: Console, words: list[str]) -> Activity[int]:
    if words:
        raise not_modelled("env", "command")
    yield 0.0
    container = console.inside.container
    values = {"PATH": PATH, "HOSTNAME": container.hostname}
    for entry in (*container.env, *console.env):
        name, _, values[name] = entry.partition("=")
    values.setdefault("HOME", "/root")
    console.out("".join(f"{name}={value}\n" for name, value in values.items()))
    return 0


def hostname(console: Console, words: list[str]) -> Activity[int]:
    yield 0.0
    place = console.inside
    if words == ["-i"]:
        console.out(" ".join(each.address.partition("/")[0] for each in place.container.attachments[:1]) + "\n")
    elif not words:
        console.out(f"{place.container.hostname}\n")
    else:
        raise not_modelled("hostname", f"option {words[0]}")
    return 0


def id_(console: Console, words: list[str]) -> Activity[int]:
    if words:
        raise not_modelled("id", f"option {words[0]}")
    yield 0.0
    console.out("uid=0(root) gid=0(root) groups=0(root)\n")
    return 0


def whoami(console: Console, words: list[str]) -> Activity[int]:
    yield 0.0
    console.out("root\n")
    return 0


def ip(console: Console, words: list[str]) -> Activity[int]:
    yield 0.0
    only_ipv4 = words[:1] == ["-4"]
    what = words[1:] if only_ipv4 else words
    if what[:1] and "address".startswith(what[0]) and what[1:] in ([], ["show"]):
        console.out(_addresses(interfaces(console.inside.engine, console.inside.container), only_ipv4))
    elif what[:1] and "route".startswith(what[0]) and what[1:] in ([], ["show"]):
        console.out(_routes(interfaces(console.inside.engine, console.inside.container)))
    elif not what:
        raise Refusal(1, f"{console.busybox}\n\nUsage: ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]\n")
    else:
        raise not_modelled("ip", " ".join(what))
    return 0


def _addresses(ends: list[Interface], only_ipv4: bool) -> str:
    def kept(text: str) -> str:
        return "".join(line for line in text.splitlines(True) if not (only_ipv4 and " link/" in line))

    return kept(LOOPBACK) + "".join(
        kept(
            f"{end.number}: {end.name}@if{end.number + 1}: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu {end.mtu} qdisc noqueue \n"
            f"    link/ether {mac_address(end.address)} brd ff:ff:ff:ff:ff:ff\n"
            f"    inet {end.address} brd {end.network.broadcast_address} scope global {end.name}\n"
            "       valid_lft forever preferred_lft forever\n"
        )
        for end in ends
    )


def _routes(ends: list[Interface]) -> str:
    out = [f"default via {end.network[1]} dev {end.name} \n" for end in ends if end.leads_out]
    return "".join(out + [f"{end.network} dev {end.name} scope link  src {end.own} \n" for end in ends])
